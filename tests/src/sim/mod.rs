//! Deterministic simulation: engines, model brokers, a network and a clock, all from one `u64` seed.
//!
//! A seed gives a [`plan::Plan`]; [`world::run`] lives through it, always going to the earliest thing that is due; after
//! every step the [`checkers`] hold what the engine says against what the world knows. The same seed gives the same bytes
//! at the same virtual nanoseconds, so a failure is a number; [`shrink`] makes the plan behind it small.
//!
//! # What is in it
//!
//! * Clients: options of the whole table; letters of every kind, cancels, flushes, subscriptions, closes with all that a close can say;
//!   applications that are slow, refuse, fail, or never answer what they are asked (credentials, authentication, words on answers).
//! * The network: narrow, slow, cut, blocked either way, a black hole; dials that fail or never end.
//! * Brokers: of both versions, with limits, aliases, steps of authentication, referrals; that restart, forget, refuse, lose packets,
//!   answer late and out of order; that are sloppy or hostile ([`operation::Misbehaviour`]).
//! * The clock: machines that sleep, ticks that nobody asked for, a clock that goes back.
//!
//! What the run ends with tells how often each thing happened, which states of the engine were reached, and which of the allowed transitions were
//! never seen. What has to happen in thousands of seeds is demanded ([`tally::Tally::never`]). The most
//! important checkers have a damage that they must notice ([`mutation`]); the others are only as good as they read. Not in it: what is built around the engine, such as requests and
//! inboxes; those are tested with threads and sockets.

pub mod answering;
pub mod application;
pub mod broker;
pub mod checkers;
pub mod events;
pub mod frames;
pub mod hearing;
pub mod host;
pub mod ledger;
pub mod link;
pub mod matching;
pub mod mutation;
pub mod network;
pub mod operation;
pub mod packets;
pub mod plan;
pub mod random;
pub mod shrink;
pub mod speech;
pub mod steps;
pub mod tally;
pub mod tap;
pub mod trace;
pub mod world;
