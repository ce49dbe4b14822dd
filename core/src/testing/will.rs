//! Wills: kept with the session, published when its connection ends without a farewell, if need be after a delay.
use super::{delivery::Publication, server::Server};
use leveret_protocol::{
    message::Will,
    text::Text,
    time::{Duration, Instant},
};

/// The will of a session's connection.
pub(super) struct PendingWill {
    will: Will,
    /// When it is published; `None` while the connection lasts.
    due: Option<Instant>,
}

impl PendingWill {
    /// The will as CONNECT brought it.
    pub(super) fn new(will: Will) -> PendingWill {
        PendingWill { will, due: None }
    }

    /// The connection has ended: the delay begins to run (MQTT 5.0 section 3.1.3.2.2).
    pub(super) fn begin_delay(&mut self, now: Instant) {
        self.due = Some(now + Duration::from_secs(u64::from(self.will.delay_seconds())));
    }

    /// When it is published; `None` while the connection lasts.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }
}

impl Server {
    /// Publishes the will of a session whose time has come.
    pub(super) fn publish_will_if_due(&mut self, client_id: &Text, now: Instant) {
        let Some(session) = self.sessions.get_mut(client_id) else {
            return;
        };
        if let Some(pending) = session
            .will
            .take_if(|pending| pending.due.is_some_and(|due| due <= now))
        {
            self.publish_will(client_id, pending, now);
        }
    }

    /// Publishes a will now.
    pub(super) fn publish_will(&mut self, client_id: &Text, pending: PendingWill, now: Instant) {
        let Will {
            topic,
            payload,
            qos,
            retain,
            properties,
        } = pending.will;
        let publisher = Some(client_id);
        self.route(
            Publication {
                publisher,
                topic,
                payload,
                properties: &properties,
                qos,
                retain,
            },
            now,
        );
    }
}
