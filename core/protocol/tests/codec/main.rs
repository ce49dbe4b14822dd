//! The codec from outside: golden vectors, malformed packets, round trips, frames that are patched, and mutations.
mod encode;
mod frames;
mod golden;
mod incremental;
mod malformed;
mod mutations;
mod notation;
mod round_trip;
