//! The rules a client is held to, each with the number of the statement it breaks.
//!
//! Where the number differs between the versions both stand there, MQTT 5 first. What concerns one packet alone
//! (flags, strings, properties, reason codes) is the codec's to refuse.

use std::collections::VecDeque;

use super::connection::{Connection, Unfinished};
use crate::sim::frames::kind;
use crate::sim::packets::{Asked, FromClient, Publication};
use crate::sim::plan::BrokerManners;

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The normative statement, or the section of a rule without a number.
    pub statement: String,
    /// What happened.
    pub what: String,
}

impl Violation {
    /// A violation of `statement`.
    pub fn new(statement: &str, what: String) -> Violation {
        Violation {
            statement: statement.to_owned(),
            what,
        }
    }
}

fn breaks(statement: &str, what: String) -> Result<(), Violation> {
    Err(Violation::new(statement, what))
}

impl Connection {
    /// What can be said of a packet before anything is remembered of it.
    pub fn check(
        &self,
        packet: &FromClient,
        length: usize,
        manners: &BrokerManners,
    ) -> Result<(), Violation> {
        if let FromClient::Connect(connect) = packet {
            if self.client_id.is_some() || self.connects > 0 {
                return breaks("MQTT-3.1.0-2", "a second CONNECT".into());
            }
            if connect.level == 4 && connect.client_id.is_empty() && !connect.clean {
                return breaks(
                    "3.1.1 MQTT-3.1.3-7",
                    "an empty client id without clean session".into(),
                );
            }
            return Ok(());
        }
        let asked = self.exchange.as_ref();
        let connecting = asked.is_some_and(|exchange| exchange.connect.is_some());
        let allowed = matches!(
            packet,
            FromClient::Auth { .. } | FromClient::Disconnect { .. }
        );
        if connecting && !allowed {
            return breaks(
                "5.0 MQTT-3.1.2-30",
                format!("{packet:?} before CONNACK, during authentication"),
            );
        }
        if self.connects == 0 {
            return breaks("MQTT-3.1.0-1", format!("{packet:?} before CONNECT"));
        }
        if self.level == 5
            && manners
                .maximum_packet_size
                .is_some_and(|maximum| length > maximum as usize)
        {
            return breaks(
                "5.0 MQTT-3.2.2-15",
                format!(
                    "a packet of {length} bytes where the maximum is {:?}",
                    manners.maximum_packet_size
                ),
            );
        }
        match packet {
            FromClient::Publish(publication) => self.check_publish(publication, manners),
            FromClient::Subscribe {
                packet_id,
                subscription,
                filters,
            } => {
                self.check_id_is_free(*packet_id)?;
                self.check_subscribe(*subscription, filters, manners)
            }
            FromClient::Unsubscribe { packet_id, .. } => self.check_id_is_free(*packet_id),
            _ => Ok(()),
        }
    }

    fn check_publish(
        &self,
        publication: &Publication,
        manners: &BrokerManners,
    ) -> Result<(), Violation> {
        let Publication {
            qos,
            dup,
            packet_id,
            ..
        } = *publication;
        if self.level == 5 && manners.maximum_qos.is_some_and(|maximum| qos > maximum) {
            return breaks(
                "5.0 MQTT-3.2.2-11",
                format!("QoS {qos} above the maximum QoS {:?}", manners.maximum_qos),
            );
        }
        if self.level == 5 && publication.retain && !manners.retain_available {
            return breaks(
                "5.0 MQTT-3.2.2-14",
                "RETAIN where it is not available".into(),
            );
        }
        if qos == 0 {
            return if dup {
                breaks("MQTT-3.3.1-2", "DUP at QoS 0".into())
            } else {
                Ok(())
            };
        }
        if self.unfinished.contains_key(&packet_id) {
            let statement = if dup {
                "5.0 MQTT-4.4.0-1 (sent again on the same connection)"
            } else {
                "5.0 MQTT-2.2.1-3, 3.1.1 MQTT-2.3.1-2"
            };
            return breaks(
                statement,
                format!("PUBLISH with packet id {packet_id}, which is in use"),
            );
        }
        if self.requests.contains(&packet_id) {
            return breaks(
                "5.0 MQTT-2.2.1-3, 3.1.1 MQTT-2.3.1-2",
                format!(
                    "PUBLISH with packet id {packet_id}, which a SUBSCRIBE or UNSUBSCRIBE uses"
                ),
            );
        }
        if dup && self.fresh {
            return breaks(
                "5.0 MQTT-4.3.2-2, 3.1.1 MQTT-4.3.2-1",
                format!(
                    "PUBLISH with packet id {packet_id} and DUP in a session that has just begun"
                ),
            );
        }
        if self.unfinished.len() >= self.receive_maximum {
            return breaks(
                "5.0 MQTT-3.3.4-7",
                format!("more than {} letters in flight", self.receive_maximum),
            );
        }
        Ok(())
    }

    fn check_id_is_free(&self, packet_id: u16) -> Result<(), Violation> {
        if self.unfinished.contains_key(&packet_id) || self.requests.contains(&packet_id) {
            return breaks(
                "5.0 MQTT-2.2.1-3, 3.1.1 MQTT-2.3.1-2",
                format!("a request with packet id {packet_id}, which is in use"),
            );
        }
        Ok(())
    }

    fn check_subscribe(
        &self,
        subscription: Option<u32>,
        filters: &[(String, Asked)],
        manners: &BrokerManners,
    ) -> Result<(), Violation> {
        if self.level != 5 {
            return Ok(());
        }
        if subscription.is_some() && !manners.subscription_ids {
            return breaks(
                "5.0 3.2.2.3.12",
                "a subscription identifier where they are not available".into(),
            );
        }
        for (filter, asked) in filters {
            if filter.contains(['+', '#']) && !manners.wildcards {
                return breaks(
                    "5.0 3.2.2.3.11",
                    format!("the filter {filter} where wildcards are not available"),
                );
            }
            if filter.starts_with("$share/") && !manners.shared {
                return breaks(
                    "5.0 3.2.2.3.13",
                    format!("the filter {filter} where shared subscriptions are not available"),
                );
            }
            if filter.starts_with("$share/") && asked.no_local {
                return breaks("5.0 MQTT-3.8.3-4", format!("No Local for {filter}"));
            }
        }
        Ok(())
    }

    /// Remembers a packet, `swallowed` or not: a packet that the broker loses was sent all the same.
    pub fn track(&mut self, packet: &FromClient) -> Result<(), Violation> {
        match packet {
            FromClient::Connect(_) => self.connects += 1,
            FromClient::Publish(publication) if publication.qos > 0 => {
                self.unfinished
                    .insert(publication.packet_id, Unfinished::Arrived(publication.qos));
            }
            FromClient::Subscribe { packet_id, .. } | FromClient::Unsubscribe { packet_id, .. } => {
                self.requests.insert(*packet_id);
            }
            FromClient::Ack {
                kind, packet_id, ..
            } if !self.misled => return self.track_ack(*kind, *packet_id),
            _ => {}
        }
        Ok(())
    }

    fn track_ack(&mut self, kind: u8, packet_id: u16) -> Result<(), Violation> {
        match kind {
            kind::PUBACK => in_order(&mut self.sent_qos1, packet_id, "PUBACK", "MQTT-4.6.0-2"),
            kind::PUBREC => in_order(&mut self.sent_qos2, packet_id, "PUBREC", "MQTT-4.6.0-3"),
            kind::PUBCOMP if !self.sent_pubrel.remove(&packet_id) => breaks(
                "5.0 MQTT-4.3.3-11, 3.1.1 MQTT-4.3.3-2",
                format!("PUBCOMP for packet id {packet_id} without PUBREL"),
            ),
            kind::PUBREL if self.sent_pubrec.contains(&packet_id) => {
                if let Some(state) = self.unfinished.get_mut(&packet_id) {
                    *state = Unfinished::Released;
                }
                in_order(&mut self.sent_pubrec, packet_id, "PUBREL", "MQTT-4.6.0-4")
            }
            kind::PUBREL => match self.unfinished.get(&packet_id) {
                Some(Unfinished::Arrived(_)) => breaks(
                    "5.0 MQTT-4.3.3-4, 3.1.1 MQTT-4.3.3-1",
                    format!("PUBREL for packet id {packet_id} before PUBREC"),
                ),
                Some(_) => breaks(
                    "5.0 MQTT-4.4.0-1",
                    format!("PUBREL for packet id {packet_id} again on the same connection"),
                ),
                // One that goes on from an earlier connection, or that clears an id of an adopted session.
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

/// An acknowledgement has to be for the first message of its kind that waits for one.
fn in_order(
    waiting: &mut VecDeque<u16>,
    packet_id: u16,
    name: &str,
    statement: &str,
) -> Result<(), Violation> {
    match waiting.front() {
        Some(first) if *first == packet_id => {
            waiting.pop_front();
            Ok(())
        }
        Some(first) if waiting.contains(&packet_id) => breaks(
            statement,
            format!("{name} for packet id {packet_id} before the one for {first}"),
        ),
        _ => breaks(
            "5.0 MQTT-2.2.1-5, 3.1.1 MQTT-2.3.1-6",
            format!("{name} for packet id {packet_id}, which waits for none"),
        ),
    }
}
