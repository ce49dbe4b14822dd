//! SUBSCRIBE and UNSUBSCRIBE, and the retained messages that a new subscription is given (MQTT 5.0 section 3.8.4).
use super::{
    server::{LinkId, Server},
    session::Delivery,
    subscriptions::parts,
};
use leveret_protocol::{
    codec::{
        FilterAck, Packet, Properties, RetainHandling, Subscribe, SubscribeFilter,
        SubscribeOptions, Unsubscribe,
    },
    reason::ReasonCode,
    text::Text,
    time::Instant,
    topic::matches,
};
use std::rc::Rc;

impl Server {
    /// SUBSCRIBE: answered first, then the retained messages follow.
    pub(super) fn subscribe(
        &mut self,
        link: LinkId,
        client_id: &Text,
        subscribe: Subscribe,
        now: Instant,
    ) {
        let id = subscribe.properties.subscription_identifier();
        let mut reasons = Vec::new();
        let mut retained = Vec::new();
        for SubscribeFilter {
            filter,
            options: wanted,
        } in &subscribe.filters
        {
            if self.is_denied(filter) {
                reasons.push(ReasonCode::NOT_AUTHORIZED);
                continue;
            }
            let options = SubscribeOptions {
                qos: wanted.qos.min(self.options.maximum_qos),
                ..*wanted
            };
            reasons.push(ReasonCode(options.qos.into()));
            let is_new = self
                .subscriptions
                .add(client_id, &filter.detached(), options, id);
            let wants_retained = match options.retain_handling {
                RetainHandling::Send => true,
                RetainHandling::SendIfNew => is_new,
                RetainHandling::DoNotSend => false,
            };
            if wants_retained {
                retained.extend(self.retained_for(filter, options, id, now));
            }
        }
        let refusal = reasons.iter().find(|reason| reason.is_error());
        let properties = self.in_words(link, refusal.copied().unwrap_or_default());
        let answer = FilterAck {
            packet_id: subscribe.packet_id,
            reasons,
            properties,
        };
        self.send(link, &Packet::SubAck(answer));
        for delivery in retained {
            self.deliver(client_id, delivery, now);
        }
    }

    /// UNSUBSCRIBE: deliveries already begun go on (MQTT 5.0 section 3.10.4).
    pub(super) fn unsubscribe(&mut self, link: LinkId, client_id: &Text, unsubscribe: Unsubscribe) {
        let reasons = unsubscribe.filters.iter().map(|filter| {
            match self.subscriptions.remove(client_id, filter) {
                true => ReasonCode::SUCCESS,
                false => ReasonCode::NO_SUBSCRIPTION_EXISTED,
            }
        });
        let reasons = reasons.collect();
        let answer = FilterAck {
            packet_id: unsubscribe.packet_id,
            reasons,
            properties: Properties::new(),
        };
        self.send(link, &Packet::UnsubAck(answer));
    }

    fn is_denied(&self, filter: &str) -> bool {
        let (_, pattern) = parts(filter);
        let is_name = !pattern.contains(['+', '#']);
        self.options
            .denied
            .iter()
            .any(|denied| denied == pattern || (is_name && matches(denied, pattern)))
    }

    fn retained_for(
        &mut self,
        filter: &str,
        options: SubscribeOptions,
        id: Option<u32>,
        now: Instant,
    ) -> Vec<Delivery> {
        let (shared, pattern) = parts(filter);
        if shared {
            return Vec::new(); // MQTT 5.0 section 4.8.2
        }
        let messages = self.retained.matching(pattern, now).into_iter();
        let deliveries = messages.map(|message| Delivery {
            letter: Rc::clone(&message.letter),
            qos: message.qos.min(options.qos),
            retain: true,
            subscription_ids: id.into_iter().collect(),
        });
        deliveries.collect()
    }
}
