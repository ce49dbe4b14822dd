//! leveret: an MQTT 3.1.1 and 5.0 client with a local post office. Every letter has a time to live
//! and exactly one outcome.
//!
//! The rules of this interface:
//!
//!  1. Every handle is opaque, made by one `_new`, ended by one `_free`. Freeing NULL is nothing;
//!     NULL where an object or text is needed is MQTT_NULL_POINTER, never a crash.
//!  2. A client may be used from any thread, by several at a time. Options may not be shared while
//!     they change.
//!  3. Every function that can fail returns `mqtt_result`: MQTT_OK, or one of the negative codes
//!     below; `mqtt_last_error` then says in a sentence what is wrong and what is allowed. Outputs
//!     come last and are written only on success.
//!  4. Inputs are borrowed for the call. Topics, filters and names of options are NUL-terminated
//!     UTF-8; payloads are pointer and length. Texts in messages and events carry a length and do
//!     not end in NUL.
//!  5. A payload is copied, unless a letter brings a `release`: then it must stay unchanged until
//!     that is called, exactly once, on every path, failure included.
//!  6. Messages and events, and what they point to, live until the callback returns.
//!     `mqtt_message_ref` keeps a message longer.
//!  7. Callbacks get their `context` first. Each registration has a `_with` form that also takes a
//!     `drop`; the form without is a macro. What no other callback takes goes, in batches, to
//!     `mqtt_client_on_events`.
//!  8. The callbacks of one client never run at the same time, see events in order, and are never
//!     called with a context whose `drop` has begun. `drop` is called exactly once. Hooks, the
//!     authenticator and what is asked before each connect are a row of their own, which on the pool
//!     runs beside the other callbacks. A signer is on its own.
//!  9. Inside a callback everything may be called. What would have to wait for the thread it runs on
//!     works by deferring (close, free) or returns MQTT_WOULD_DEADLOCK at once; nothing hangs.
//!     Publishing never waits for the network, anywhere.
//! 10. Every letter accepted gets exactly one outcome, also when the client is closed or freed.
//! 11. Structs that you fill begin with their size, which their `_INIT` macro sets, and structs
//!     that you receive are passed with it, so that they can grow; unknown options are errors.
//!     `mqtt_message`, `mqtt_outcome`, `mqtt_property`, `mqtt_pair` and `mqtt_event` will not grow.
//! 12. Nothing of leveret's own crosses as a panic or signal: a defect becomes MQTT_PANIC.
//!     Callbacks must not throw or `longjmp` out.
//!
//! Timeouts are milliseconds; MQTT_FOREVER is as long as it takes. In a child process after `fork`,
//! clients of the parent answer MQTT_FORKED; new ones can be made.
#![cfg_attr(not(test), warn(clippy::disallowed_types, clippy::disallowed_methods))]
#![allow(non_camel_case_types, reason = "types are named as C knows them")]

// In the order of the header, which is printed from these; rustfmt sorts within a paragraph only.
pub mod error;

pub mod names;

pub mod process;

pub mod options;

pub mod message;

pub mod receipt;

pub mod event;

pub mod callback;

pub mod client;

pub mod stats;

pub mod register;

pub mod release;

pub mod letter;

pub mod publish;

pub mod subscribe;

pub mod words;

pub mod packet;

pub mod auth;

pub mod connect_options;

pub mod connect;

pub mod sign;

pub mod close;

pub mod request;

#[cfg(feature = "testing")]
pub mod testing;

// Behind them.
mod desk;
mod face;
mod failure;
mod guard;
mod handle;
mod hooks;
mod input;
#[cfg(test)]
mod layout;
mod news;
mod sorter;
