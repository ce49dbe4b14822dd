//! Is the connection alive: pings after silence, the answer that must come, and the round trip.
use alloc::vec::Vec;
use core::time::Duration;

use super::Engine;
use super::event::{Event, Reply, Tag};
use super::lifecycle::State;
use super::timers::Timer;
use crate::codec::{Packet, Version};
use crate::error::ErrorKind;
use crate::time::Instant;

/// The longest wait for PINGRESP where none is set.
const USUAL_TIMEOUT: Duration = Duration::from_secs(10);

/// What is known of the connection's life signs.
#[derive(Debug, Default)]
pub(super) struct KeepAlive {
    interval: Duration,
    last_sent: Instant,
    last_heard: Instant,
    asked: Option<Instant>, // PINGREQ sent, PINGRESP not yet here
    reading_paused: bool,
    askers: Vec<Tag>,
    /// The PINGREQ that is not answered yet may still lie behind other bytes.
    unsent: bool,
}

impl Engine {
    /// The connection is there, with this keep alive; zero turns pings off.
    pub(super) fn keep_alive_from_now(&mut self, interval: Duration) {
        let askers = core::mem::take(&mut self.ping.askers);
        let reading_paused = self.ping.reading_paused;
        // Silence counts from CONNECT on, however long the broker took to answer it.
        let last_sent = self.ping.last_sent;
        self.ping = KeepAlive {
            interval,
            last_sent,
            last_heard: self.now,
            asked: None,
            reading_paused,
            askers,
            unsent: false,
        };
        self.watch_silence();
    }

    /// The connection is gone: whoever asked for a round trip gets none.
    pub(super) fn keep_alive_ends(&mut self) {
        self.timers.clear(Timer::KeepAlive);
        self.timers.clear(Timer::PingResponse);
        self.ping.asked = None;
        for tag in core::mem::take(&mut self.ping.askers) {
            self.reply(tag, Err(ErrorKind::ConnectionLost.into()));
        }
    }

    /// Measures a round trip for a caller.
    pub(super) fn ping(&mut self, reply: Tag) {
        if self.life.state() != State::Online {
            return self.reply(reply, Err(ErrorKind::NotConnected.into()));
        }
        self.ping.askers.push(reply);
        if self.ping.asked.is_none() {
            self.send_ping();
        }
    }

    /// It may have been silent for long enough.
    pub(super) fn silence_is_over(&mut self) {
        if self.life.state() != State::Online {
            return; // nothing may follow DISCONNECT (3.14.4-1; in 3.1.1, 3.14.4-2)
        }
        if self.ping_due() <= self.now {
            self.send_ping();
        }
        self.watch_silence();
        self.shrink();
    }

    fn send_ping(&mut self) {
        self.ping.last_sent = self.now;
        let limit = self.broker.maximum_packet_size;
        let sent = Packet::PingReq.encode(Version::V5, limit, self.wire.control());
        if sent.is_err() {
            // A broker that takes no two bytes (MQTT-3.2.2-15) cannot be pinged, and its silence says nothing.
            self.ping.last_heard = self.now;
            for tag in core::mem::take(&mut self.ping.askers) {
                self.reply(tag, Err(ErrorKind::NotSupported.into()));
            }
            return;
        }
        if self.ping.asked.is_none() {
            self.ping.unsent = true;
            self.ping.asked = Some(self.now);
            self.watch_for_answer();
        }
    }

    /// PINGRESP.
    pub(super) fn pong(&mut self) {
        let Some(asked) = self.ping.asked.take() else {
            return;
        };
        self.timers.clear(Timer::PingResponse);
        let round_trip = self.now.since(asked);
        self.stats.round_trip = Some(round_trip);
        self.events.push(Event::RoundTrip(round_trip));
        for tag in core::mem::take(&mut self.ping.askers) {
            self.reply(tag, Ok(Reply::RoundTrip(round_trip)));
        }
    }

    /// The system took bytes.
    pub(super) fn after_write(&mut self, count: usize) {
        if count > 0 {
            self.ping.last_sent = self.now;
            // Only until the PINGREQ has left: bytes that the system takes later say nothing of the broker.
            if self.ping.unsent {
                self.watch_for_answer();
                self.ping.unsent = !self.wire.is_idle();
            }
        }
        self.part_if_written();
    }

    /// Bytes came. They are a sign of life even if PINGRESP is still on its way behind them.
    pub(super) fn heard(&mut self) {
        self.ping.last_heard = self.now;
        self.watch_for_answer();
    }

    /// Nothing is read while the inbox is full, so a missing answer says nothing.
    pub(super) fn reading_paused(&mut self, paused: bool) {
        self.ping.reading_paused = paused;
        self.watch_for_answer();
    }

    fn watch_for_answer(&mut self) {
        match self.ping.asked {
            Some(_) if !self.ping.reading_paused => self
                .timers
                .set(Timer::PingResponse, self.now + self.ping_timeout()),
            Some(_) => self.timers.clear(Timer::PingResponse),
            None => {}
        }
    }

    fn watch_silence(&mut self) {
        match self.ping.interval {
            Duration::ZERO => self.timers.clear(Timer::KeepAlive),
            _ => self.timers.set(Timer::KeepAlive, self.ping_due()),
        }
    }

    /// When the next ping is due, if nothing else is sent and heard before. What only sends must notice, too, that nobody is there any more. A little
    /// before the keep alive is over, so that the ping is sent in time.
    fn ping_due(&self) -> Instant {
        let KeepAlive {
            interval,
            last_sent,
            last_heard,
            asked,
            ..
        } = self.ping;
        let quiet_since = if asked.is_some() {
            last_sent
        } else {
            last_sent.min(last_heard)
        };
        quiet_since + interval.saturating_sub(interval.checked_div(20).unwrap_or_default())
    }

    fn ping_timeout(&self) -> Duration {
        self.options
            .ping_timeout
            .unwrap_or(match self.ping.interval {
                Duration::ZERO => USUAL_TIMEOUT,
                interval => interval
                    .checked_div(2)
                    .map_or(USUAL_TIMEOUT, |half| half.min(USUAL_TIMEOUT)),
            })
    }

    /// The connection is idle: memory that was needed under load is given back.
    fn shrink(&mut self) {
        self.shelf.shrink();
        self.office.shrink();
        self.receipts.shrink();
        self.wire.shrink();
        self.straight.shrink();
    }
}
