//! The MQTT protocol and the post office as a pure value: no I/O, no clock, no threads.
//!
//! # Map
//!
//! * `time.rs`: instants of the boot clock, saturating; there is no now()
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod time;
