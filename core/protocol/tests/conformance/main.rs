//! One test for each statement of the standards that binds a client, named after its number: `v311_2_3_1_1_…` is MQTT-2.3.1-1 of MQTT 3.1.1.
//!
//! `tests/normative/statements.txt` lists them all; `make conformance` prints each with its test and result. What the client writes is read here byte by
//! byte, without leveret's own decoder; what needs a socket is shown in `core/tests/conformance.rs`.
#![allow(
    missing_docs,
    unreachable_pub,
    reason = "a test crate has no readers from outside"
)]
#[path = "../engine/bench.rs"]
#[allow(dead_code, reason = "the rule tests of the engine use the rest")]
mod bench;
#[path = "../codec/notation.rs"]
#[allow(dead_code, reason = "the tests of the codec use the rest")]
mod notation;

mod harness;
mod reading;

mod aliases;
mod answers;
mod authentication;
mod breaches;
mod connect;
mod ending;
mod flags;
mod identifiers;
mod keep_alive;
mod limits;
mod login;
mod publishing;
mod qos1;
mod qos2;
mod resending;
mod session;
mod strings;
mod subscribing;
mod topics;
mod unnumbered;
