//! The MQTT protocol and the post office as a pure value: no I/O, no clock, no threads.
//!
//! # Map
//!
//! * `time.rs`: instants of the boot clock, saturating; there is no now()
//! * `checked.rs`: what panics on a number too large elsewhere, here it does not
//! * `text.rs`: text that shares the buffer it was read from
//! * `packet_type.rs`: the fifteen packet types, and sets of them
//! * `reason.rs`: the table of reason codes
//! * `topic.rs`: topic names and filters: validity, matching, the tree of filters
//! * `error.rs`: the error table: number, name, class, text
//! * `sentence.rs`: the sentences for bad input, the same in every language
//! * `named.rs`: enums whose names and numbers every language shares
//! * `message.rs`: QoS, the received message, the will
//! * `outcome.rs`: what became of a letter; the statuses of clients and subscriptions
//! * `options/mod.rs`: the option tables: a row per option
//! * `options/table.rs`: what becomes of a row in Rust
//! * `options/field.rs`: how the fields are read and shown
//! * `options/value.rs`: values as hosts give them, and how they fit a row
//! * `options/duration.rs`: durations as text
//! * `options/choices.rs`: the options that choose from named values
//! * `options/check.rs`: the checks that look at more than one option
//! * `codec/mod.rs`: `Packet`, and `decode`: bytes to packets; both versions, one path
//! * `codec/rules.rs`: the table of rules that decoding enforces, and the errors
//! * `codec/wire.rs`: fixed header, variable byte integers, strings
//! * `codec/property_table.rs`: the table of MQTT 5 properties: type, range, packets
//! * `codec/properties.rs`: the property block of a packet
//! * `codec/connect.rs`: CONNECT with its will, CONNACK
//! * `codec/publish.rs`: PUBLISH, and the head with which a letter leaves
//! * `codec/ack.rs`: PUBACK, PUBREC, PUBREL, PUBCOMP
//! * `codec/subscribe.rs`: SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK
//! * `codec/control.rs`: DISCONNECT, AUTH
//! * `engine/mod.rs`: `Engine`, `Input`, `Output`: one client as a value with two methods
//! * `engine/publish.rs`: what a caller wants published, checked and sealed
//! * `engine/batch.rs`: letters and commands on their way to the engine
//! * `engine/budget.rs`: what letters cost and the post office may hold
//! * `engine/letter.rs`: a letter, and the receipt by which it is settled once
//! * `engine/shelf.rs`: where letters lie
//! * `engine/pages.rs`: the texts of letters
//! * `engine/post_office.rs`: the letters that wait: order, priority, overflow rules
//! * `engine/settling.rs`: from acceptance to the one outcome; expiry, cancel
//! * `engine/deadlines.rs`: when letters expire
//! * `engine/preparing.rs`: what the application says of an attempt to connect before it is made
//! * `engine/aliases.rs`: topic names as numbers, each way
//! * `engine/authentication.rs`: enhanced authentication, step by step
//! * `engine/hooks.rs`: packets that the application is shown, and its words on our answers
//! * `engine/flushes.rs`: who waits until letters are settled
//! * `engine/lazy.rs`: a queue from which entries die in the middle
//! * `engine/outgoing.rs`: which letter may go now, and its frame
//! * `engine/straight.rs`: QoS 0 letters that go straight from the batch to the socket
//! * `engine/wire.rs`: bytes on their way to the socket; what a stall takes back
//! * `engine/window.rs`: packet identifiers in use: a ring in which the identifier is the position
//! * `engine/acknowledged.rs`: PUBACK, PUBREC, PUBCOMP from the broker
//! * `engine/replay.rs`: sending again on a resumed session; what a lost session does to letters
//! * `engine/adoption.rs`: taking over a session of an earlier process
//! * `engine/held_up.rs`: an identifier that is never answered, and keeps the others from being used
//! * `engine/incoming.rs`: packets to events
//! * `engine/owed.rs`: acknowledgements to the broker, in the order of the standard; the QoS 2 receive set
//! * `engine/bits.rs`: a set of packet identifiers
//! * `engine/subscriptions.rs`: declared filters, and which of them a message was sent for
//! * `engine/asking.rs`: SUBSCRIBE and UNSUBSCRIBE: sent and answered
//! * `engine/asking_again.rs`: what of that was not answered, or was lost
//! * `engine/lifecycle.rs`: the states of the connection; dialing, backoff, reconnect, violations
//! * `engine/handshake.rs`: CONNECT and CONNACK; what the broker can do; whether the session goes on
//! * `engine/versions.rs`: which version of MQTT is tried at which URL
//! * `engine/keep_alive.rs`: pings
//! * `engine/closing.rs`: the end
//! * `engine/timers.rs`: the fixed timers
//! * `engine/random.rs`: the seeded generator
//! * `engine/explain.rs`: where a letter is and why
//! * `engine/event.rs`: what applications are told
//! * `engine/words.rs`: events as the sentences that every language logs and raises
//!
//! # No panic on any input
//!
//! What a peer sends, what a caller hands over and what the clock says must not be able to stop a client. The lints below hold that for all of this
//! crate but its tests, and `make lint` enforces them; the lists that they read are in this crate's `clippy.toml`.
//!
//! | what panics | what keeps it out |
//! | --- | --- |
//! | `unwrap`, `expect`, `panic!`, `unreachable!`, `todo!`, `unimplemented!` | `unwrap_used`, `expect_used`, `panic`, `unreachable`, `todo`, `unimplemented`, `get_unwrap` |
//! | `list[index]`, `list[from..to]`, `text[from..to]` | `indexing_slicing`, `string_slice`: `get` and patterns are used |
//! | `+ - * << / %` that overflow or divide by zero, on numbers and on spans of time | `arithmetic_side_effects`: numbers saturate, wrap or are checked by name; [`time::Instant`] and [`engine::Cost`] saturate by themselves |
//! | methods that panic on a number too large, such as `split_to`, `advance`, `drain`, `Duration::new` | `disallowed_methods`; `checked.rs` has the few that are needed, each behind its comparison |
//! | `assert!`, `debug_assert!` and their like | `disallowed_macros`; one is left, which debug builds alone have: that states of the connection follow each other as [`engine::State`] says |
//! | unsafe code | `unsafe_code` is forbidden |
//! | recursion without end | there is no recursive function; nothing in MQTT nests |
//! | memory | nothing is reserved on a length that a peer announced; an allocator that has nothing left ends the process, as everywhere in Rust |
//!
//! An index out of bounds in a constant is the compiler's error, not the program's. That the lints are not mistaken is tried by fuzzing (`make fuzz`), in builds that
//! stop at every overflow.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
#![cfg_attr(not(test), deny(clippy::disallowed_macros, clippy::disallowed_methods))]
#![cfg_attr(
    not(test),
    deny(clippy::expect_used, clippy::unwrap_used, clippy::get_unwrap)
)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::string_slice))]
#![cfg_attr(not(test), deny(clippy::panic, clippy::unreachable))]

extern crate alloc;

mod checked;
pub mod codec;
pub mod engine;
pub mod error;
pub mod message;
mod named;
pub mod options;
pub mod outcome;
pub mod packet_type;
pub mod reason;
pub mod sentence;
pub mod text;
pub mod time;
pub mod topic;
