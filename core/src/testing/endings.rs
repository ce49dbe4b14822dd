//! How connections and sessions end, of themselves, by the clock or by force, and what is due when.
use super::{
    connection::Connection,
    server::{HangUp, LinkId, Server},
    session::NEVER,
    subscriptions::Subscriptions,
};
use leveret_protocol::{
    codec::Disconnect,
    reason::ReasonCode,
    text::Text,
    time::{Duration, Instant},
};
use std::mem;

impl Server {
    /// DISCONNECT from the client (MQTT 5.0 section 3.14).
    pub(super) fn disconnect_received(
        &mut self,
        link: LinkId,
        client_id: &Text,
        disconnect: &Disconnect,
        now: Instant,
    ) {
        let limit = self.options.maximum_session_expiry.unwrap_or(NEVER);
        if let Some(session) = self.sessions.get_mut(client_id) {
            match disconnect.properties.session_expiry_interval() {
                // A session that was to end with its connection cannot be kept after all (MQTT 5.0 section 3.14.2.2.2).
                Some(1..) if session.expiry == 0 => {
                    return self.hang_up(link, Some(ReasonCode::PROTOCOL_ERROR), now);
                }
                Some(seconds) => session.expiry = seconds.min(limit),
                None => {}
            }
            if disconnect.reason == ReasonCode::SUCCESS {
                session.will = None;
            }
        }
        self.hang_up(link, None, now);
    }

    /// Resets a connection.
    fn cut_off(&mut self, link: LinkId, now: Instant) {
        if let Some(connection) = self.connections.remove(&link) {
            self.hang_ups.push(HangUp::AtOnce(link));
            self.connection_over(connection.client_id, now);
        }
    }

    /// What the end of a connection means for the session that it used.
    pub(super) fn connection_over(&mut self, client_id: Option<Text>, now: Instant) {
        let Some(client_id) = client_id else { return };
        let Some(session) = self.sessions.get_mut(&client_id) else {
            return;
        };
        session.link = None;
        if session.expiry == 0 {
            return self.end_session(&client_id, now);
        }
        if session.expiry != NEVER {
            session.ends_at = Some(now + Duration::from_secs(u64::from(session.expiry)));
        }
        if let Some(will) = &mut session.will {
            will.begin_delay(now);
        }
        let deadlines = [
            session.ends_at,
            session.will.as_ref().and_then(|will| will.due()),
        ];
        deadlines
            .into_iter()
            .flatten()
            .for_each(|at| self.wake_at(at));
        self.publish_will_if_due(&client_id, now);
    }

    /// Forgets a session. Its will is published even if the delay still runs (MQTT 5.0 section 3.1.3.2.2).
    pub(super) fn end_session(&mut self, client_id: &Text, now: Instant) {
        let Some(session) = self.sessions.remove(client_id) else {
            return;
        };
        self.subscriptions.remove_client(client_id);
        if let Some(will) = session.will {
            self.publish_will(client_id, will, now);
        }
    }

    /// Something is to be done then; nothing is due before the earliest of these times.
    pub(super) fn wake_at(&mut self, at: Instant) {
        self.next_deadline = Some(self.next_deadline.map_or(at, |before| before.min(at)));
    }

    /// When `tick` has something to do at the earliest.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.next_deadline
    }

    /// Does what is due: ends silent connections and old sessions, and publishes delayed wills.
    pub(super) fn tick(&mut self, now: Instant) {
        if self.next_deadline.is_none_or(|at| at > now) {
            return;
        }
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let silent: Vec<LinkId> = match self.reading_paused {
            true => Vec::new(),
            false => self
                .connections
                .values()
                .filter(|c| is_due(c.falls_silent_at()))
                .map(|c| c.link)
                .collect(),
        };
        for link in silent {
            self.hang_up(link, Some(ReasonCode::KEEP_ALIVE_TIMEOUT), now);
        }
        let away: Vec<Text> = self
            .sessions
            .iter()
            .filter(|(_, s)| s.link.is_none())
            .map(|(id, _)| id.clone())
            .collect();
        for client_id in away {
            self.publish_will_if_due(&client_id, now);
            if self
                .sessions
                .get(&client_id)
                .is_some_and(|session| is_due(session.ends_at))
            {
                self.end_session(&client_id, now);
            }
        }
        self.next_deadline = self.earliest();
    }

    fn earliest(&self) -> Option<Instant> {
        let keep_alive = self
            .connections
            .values()
            .filter_map(Connection::falls_silent_at)
            .filter(|_| !self.reading_paused);
        let ends = self.sessions.values().filter_map(|session| session.ends_at);
        let wills = self
            .sessions
            .values()
            .filter_map(|session| session.will.as_ref()?.due());
        keep_alive.chain(ends).chain(wills).min()
    }

    /// While nothing is read, silence is not the client's fault.
    pub(super) fn pause_reading(&mut self, paused: bool, now: Instant) {
        self.reading_paused = paused;
        self.connections
            .values_mut()
            .for_each(|connection| connection.heard = now);
        self.next_deadline = self.earliest();
    }

    /// Every connection is gone, and no will is published: there is no broker left to do it.
    pub(super) fn power_cut(&mut self, now: Instant) {
        self.touched.clear();
        self.hang_ups.clear();
        for connection in mem::take(&mut self.connections).into_values() {
            if let Some(session) = connection
                .client_id
                .as_ref()
                .and_then(|id| self.sessions.get_mut(id))
            {
                session.will = None;
            }
            self.connection_over(connection.client_id, now);
        }
    }

    /// Resets every connection.
    pub(super) fn disconnect_clients(&mut self, now: Instant) {
        for link in self.connections.keys().copied().collect::<Vec<_>>() {
            self.cut_off(link, now);
        }
    }

    /// Ends every session, and resets the connections that used them.
    pub(super) fn lose_sessions(&mut self, now: Instant) {
        self.disconnect_clients(now);
        for client_id in self.sessions.keys().cloned().collect::<Vec<_>>() {
            self.end_session(&client_id, now);
        }
    }

    /// Forgets sessions, wills and retained messages of a broker that is stopped.
    pub(super) fn forget_everything(&mut self) {
        self.sessions.clear();
        self.subscriptions = Subscriptions::default();
        self.retained.clear();
    }
}
