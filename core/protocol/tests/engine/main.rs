//! The engine's rules, one test each, against a scripted broker on a bench whose clock is moved by hand.
#![allow(
    missing_docs,
    unreachable_pub,
    reason = "a test crate has no readers from outside"
)]
mod acknowledging;
mod aliases;
mod authentication;
#[allow(dead_code, reason = "the tests of the statements use the rest")]
mod bench;
mod closing;
mod connecting;
mod expiry;
mod hooks;
mod letters;
mod limits;
mod post_office;
mod preparing;
mod referring;
mod replay;
mod straight;
mod subscriptions;
mod window;
