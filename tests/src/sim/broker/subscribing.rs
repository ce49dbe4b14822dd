//! The model broker's subscriptions (3.8 to 3.11 of both standards).

use super::Broker;
use super::session::{Copy, Granted};
use crate::sim::network::Nanos;
use crate::sim::packets::{Asked, ToClient};

impl Broker {
    pub(super) fn subscribe(
        &mut self,
        now: Nanos,
        number: u32,
        packet_id: u16,
        subscription: Option<u32>,
        filters: &[(String, Asked)],
    ) {
        let Some((client_id, level)) = self.speaker(number) else {
            return;
        };
        let mut reasons = Vec::new();
        let mut retained: Vec<Copy> = Vec::new();
        for (filter, asked) in filters {
            let reason = self.grant(level, filter, *asked);
            reasons.push(reason);
            if reason > 2 {
                // What is refused now is not granted from earlier either.
                if let Some(session) = self.sessions.get_mut(&client_id) {
                    session.subscriptions.remove(filter);
                }
                continue;
            }
            let granted = Granted {
                qos: reason,
                asked: *asked,
                subscription,
            };
            let Some(session) = self.sessions.get_mut(&client_id) else {
                return;
            };
            let new = session
                .subscriptions
                .insert(filter.clone(), granted)
                .is_none();
            let wanted = match asked.retain_handling {
                0 => true,
                1 => new,
                _ => false,
            };
            if wanted && !filter.starts_with("$share/") {
                retained.extend(self.retained_for(filter).into_iter().map(|copy| Copy {
                    qos: copy.qos.min(reason),
                    subscriptions: subscription.into_iter().collect(),
                    ..copy
                }));
            }
        }
        self.send(now, number, ToClient::Suback { packet_id, reasons });
        for copy in retained {
            self.enqueue(now, &client_id, copy);
        }
    }

    /// The granted QoS, or the reason for the refusal.
    fn grant(&mut self, level: u8, filter: &str, asked: Asked) -> u8 {
        let refusal = if level == 5 { 0x87 } else { 0x80 };
        if self.faults.refuse_subscribe > 0 {
            self.faults.refuse_subscribe -= 1;
            return refusal;
        }
        if level == 4
            && (filter.starts_with("$share/") && !self.manners.shared
                || filter.contains(['+', '#']) && !self.manners.wildcards)
        {
            return refusal;
        }
        if self.random.chance(self.manners.downgrade) {
            self.random.below(u64::from(asked.qos) + 1) as u8
        } else {
            asked.qos
        }
    }

    pub(super) fn unsubscribe(
        &mut self,
        now: Nanos,
        number: u32,
        packet_id: u16,
        filters: &[String],
    ) {
        let Some((client_id, _)) = self.speaker(number) else {
            return;
        };
        let Some(session) = self.sessions.get_mut(&client_id) else {
            return;
        };
        let reasons = filters
            .iter()
            .map(|filter| {
                if session.subscriptions.remove(filter).is_some() {
                    0
                } else {
                    0x11
                }
            })
            .collect();
        self.send(now, number, ToClient::Unsuback { packet_id, reasons });
    }
}
