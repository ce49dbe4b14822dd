//! Deterministic simulation: engines, model brokers, a network and a clock, all from one `u64` seed.
//!
//! A seed gives a [`plan::Plan`]; [`world::run`] lives through it, always going to the earliest thing that is due; after
//! every step the [`checkers`] hold what the engine says against what the world knows. The same seed gives the same bytes
//! at the same virtual nanoseconds, so a failure is a number; [`shrink`] makes the plan behind it small.

pub mod answering;
pub mod application;
pub mod broker;
pub mod checkers;
pub mod events;
pub mod frames;
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
