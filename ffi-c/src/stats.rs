//! What a client counts.
use std::ffi::c_int;
use std::time::Duration;

use leveret::host::Stats;

use crate::client::{face, mqtt_client};
use crate::error::{MQTT_OK, mqtt_result};
use crate::guard::guard;
use crate::input;

/// Counters of a client since it was made. May grow at its end.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mqtt_stats {
    /// One of `MQTT_STATUS_…`.
    pub status: c_int,
    /// Why the last attempt or connection ended: one of the negative results; `MQTT_OK` if none
    /// did.
    pub last_error: c_int,
    /// Letters accepted, not in flight and not settled. Exact the moment a publish returned.
    pub queued: u64,
    /// Bytes of these letters, bookkeeping included.
    pub queued_bytes: u64,
    /// Letters sent and not yet settled.
    pub in_flight: u64,
    /// Bytes of these letters, bookkeeping included.
    pub in_flight_bytes: u64,
    /// Age in milliseconds of the oldest letter that is not settled; 0 without one.
    pub oldest_ms: u64,
    /// Bytes read from connections.
    pub bytes_in: u64,
    /// Bytes that the operating system took.
    pub bytes_out: u64,
    /// Messages received, by QoS; repetitions are not counted.
    pub messages_in: [u64; 3],
    /// Messages sent, by QoS; repetitions are counted.
    pub messages_out: [u64; 3],
    /// Letters by outcome, the index being `MQTT_OUTCOME_…`; the first place is not used.
    pub outcomes: [u64; 9],
    /// Connections that a broker accepted after the first one.
    pub reconnects: u64,
    /// Attempts to connect that failed.
    pub failed_attempts: u64,
    /// Microseconds that the last ping took until its answer; 0 if there was none yet.
    pub round_trip_us: u64,
    /// Messages that wait for callbacks or are being handled.
    pub inbox_messages: u64,
    /// Bytes of these messages, bookkeeping included.
    pub inbox_bytes: u64,
    /// Messages of QoS 0 dropped because the inbox was full.
    pub inbox_dropped: u64,
    /// Messages that nobody took, late responses among them; they were acknowledged.
    pub unhandled: u64,
    /// Packets larger than the option `max_packet_size` that were skipped.
    pub oversize: u64,
    /// Messages given back with `mqtt_message_fail`, or acknowledged by hand with a reason code of 0x80
    /// and above.
    pub handler_failures: u64,
}

/// What the macro `mqtt_client_stats(client, stats)` calls: writes as much of the counters as the
/// caller's struct has room for.
///
/// @param stats  receives the counters
/// @param size   `sizeof *stats`
///
/// # Safety
/// `client` is NULL or alive; `stats` is NULL or `size` bytes may be written there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_stats_sized(
    client: *const mqtt_client,
    stats: *mut mqtt_stats,
    size: usize,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        face.client.check_process()?;
        if stats.is_null() {
            return Err(input::null("stats"));
        }
        let counted = mqtt_stats::from(&face.client.stats());
        // A newer program may have room for more than is known here: that is 0. SAFETY: the caller
        // vouches for `size` bytes.
        unsafe { stats.cast::<u8>().write_bytes(0, size) };
        let known = size.min(size_of::<mqtt_stats>());
        // SAFETY: both are at least `known` bytes, and a local does not overlap with what C has.
        unsafe {
            stats
                .cast::<u8>()
                .copy_from_nonoverlapping((&raw const counted).cast(), known);
        };
        Ok(())
    })
}

impl From<&Stats> for mqtt_stats {
    fn from(stats: &Stats) -> mqtt_stats {
        mqtt_stats {
            status: stats.status.number().into(),
            last_error: stats
                .last_error
                .as_ref()
                .map_or(MQTT_OK, |error| error.kind.number()),
            queued: stats.queued,
            queued_bytes: stats.queued_bytes,
            in_flight: stats.in_flight,
            in_flight_bytes: stats.in_flight_bytes,
            oldest_ms: stats.oldest.map_or(0, |age| in_units(age, 1_000)),
            bytes_in: stats.bytes_in,
            bytes_out: stats.bytes_out,
            messages_in: stats.messages_in,
            messages_out: stats.messages_out,
            outcomes: stats.outcomes,
            reconnects: stats.reconnects,
            failed_attempts: stats.failed_attempts,
            round_trip_us: stats.round_trip.map_or(0, |time| in_units(time, 1_000_000)),
            inbox_messages: stats.inbox_messages,
            inbox_bytes: stats.inbox_bytes,
            inbox_dropped: stats.inbox_dropped,
            unhandled: stats.unhandled,
            oversize: stats.oversize,
            handler_failures: stats.handler_failures,
        }
    }
}

/// A time in units of which a second has `per_second`.
fn in_units(time: Duration, per_second: u128) -> u64 {
    u64::try_from(time.as_nanos() * per_second / 1_000_000_000).unwrap_or(u64::MAX)
}
