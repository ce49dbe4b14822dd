//! The MQTT protocol and the post office as a pure value: no I/O, no clock, no threads.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod time;
