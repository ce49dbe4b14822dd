//! The codec from outside: golden vectors, malformed packets, round trips, heads of letters, and mutations.
mod encode;
mod golden;
mod head;
mod incremental;
mod malformed;
mod mutations;
mod notation;
mod round_trip;
