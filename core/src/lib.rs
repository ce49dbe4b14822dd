//! leveret: an MQTT client with a local post office.
#![forbid(unsafe_code)]

#[allow(
    dead_code,
    reason = "the driver that uses the rest joins the build with the engine"
)]
mod clock;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "the driver that uses it joins the build with the engine"
)]
mod doorbell;
#[allow(
    dead_code,
    reason = "the driver that uses the rest joins the build with the engine"
)]
mod handoff;
#[cfg(feature = "testing")]
pub mod testing;
