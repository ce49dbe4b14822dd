//! Who subscribes to what: finding the receivers of a message, shared subscriptions included (MQTT 5.0 section 4.8).
use leveret_protocol::{
    codec::SubscribeOptions,
    message::QoS,
    text::Text,
    topic::{FilterTree, validate_topic_filter},
};
use std::collections::BTreeMap;

/// All subscriptions of all sessions.
#[derive(Default)]
pub(super) struct Subscriptions {
    tree: FilterTree<u64>,
    table: BTreeMap<u64, Subscription>,
    /// The number of each subscription under its client and its filter as it was sent.
    numbers: BTreeMap<(Text, Text), u64>,
    /// How many messages each shared subscription was given, to take its members in turn.
    turns: BTreeMap<Text, usize>,
    last_number: u64,
}

struct Subscription {
    client_id: Text,
    filter: Text,
    shared: bool,
    options: SubscribeOptions,
    id: Option<u32>,
}

/// One client that is to get a message.
pub(super) struct Receiver {
    pub(super) client_id: Text,
    pub(super) qos: QoS,
    pub(super) retain_as_published: bool,
    pub(super) subscription_ids: Vec<u32>,
}

impl Subscriptions {
    /// Adds a subscription or replaces the one with the same filter; true if there was none.
    pub(super) fn add(
        &mut self,
        client_id: &Text,
        filter: &Text,
        options: SubscribeOptions,
        id: Option<u32>,
    ) -> bool {
        let is_new = !self.remove(client_id, filter);
        let (shared, pattern) = parts(filter);
        self.last_number += 1;
        let number = self.last_number;
        self.tree.insert(pattern, number);
        self.numbers
            .insert((client_id.clone(), filter.clone()), number);
        let subscription = Subscription {
            client_id: client_id.clone(),
            filter: filter.clone(),
            shared,
            options,
            id,
        };
        self.table.insert(number, subscription);
        is_new
    }

    /// Removes a subscription; false if there was none.
    pub(super) fn remove(&mut self, client_id: &Text, filter: &Text) -> bool {
        let Some(number) = self.numbers.remove(&(client_id.clone(), filter.clone())) else {
            return false;
        };
        self.tree.remove(parts(filter).1, |at| *at == number);
        self.table.remove(&number);
        true
    }

    /// Removes all subscriptions of a client.
    pub(super) fn remove_client(&mut self, client_id: &Text) {
        let from = (client_id.clone(), Text::default());
        let filters: Vec<Text> = self
            .numbers
            .range(from..)
            .take_while(|((client, _), _)| client == client_id)
            .map(|((_, filter), _)| filter.clone())
            .collect();
        for filter in filters {
            self.remove(client_id, &filter);
        }
    }

    /// Who is to get a message with this topic name from this publisher. `is_connected` tells which members of a
    /// shared subscription are there to take it; without `copy_per_subscription` a client is a receiver only once.
    pub(super) fn receivers(
        &mut self,
        topic: &str,
        publisher: Option<&Text>,
        copy_per_subscription: bool,
        is_connected: impl Fn(&Text) -> bool,
    ) -> Vec<Receiver> {
        let mut matching = Vec::new();
        self.tree.matches(topic, &mut matching);
        let mut single: BTreeMap<(&Text, u64), Receiver> = BTreeMap::new();
        let mut groups: BTreeMap<&Text, Vec<&Subscription>> = BTreeMap::new();
        for number in matching {
            let Some(subscription) = self.table.get(&number) else {
                continue;
            };
            let client_id = &subscription.client_id;
            if subscription.shared {
                groups
                    .entry(&subscription.filter)
                    .or_default()
                    .push(subscription);
            } else if !(subscription.options.no_local && publisher == Some(client_id)) {
                let copy = if copy_per_subscription { number } else { 0 };
                single
                    .entry((client_id, copy))
                    .and_modify(|receiver| receiver.merge(subscription))
                    .or_insert_with(|| Receiver::of(subscription));
            }
        }
        let mut receivers: Vec<Receiver> = single.into_values().collect();
        for (filter, mut members) in groups {
            if members.iter().any(|member| is_connected(&member.client_id)) {
                members.retain(|member| is_connected(&member.client_id));
            }
            let turn = self.turns.entry(filter.clone()).or_default();
            receivers.extend(
                members
                    .get(*turn % members.len())
                    .map(|member| Receiver::of(member)),
            );
            *turn = turn.wrapping_add(1);
        }
        receivers
    }
}

impl Receiver {
    fn of(subscription: &Subscription) -> Receiver {
        Receiver {
            client_id: subscription.client_id.clone(),
            qos: subscription.options.qos,
            retain_as_published: subscription.options.retain_as_published,
            subscription_ids: subscription.id.into_iter().collect(),
        }
    }

    /// One copy serves several subscriptions of a client, with the highest QoS of them (MQTT 5.0 section 3.3.4).
    fn merge(&mut self, subscription: &Subscription) {
        self.qos = self.qos.max(subscription.options.qos);
        self.retain_as_published |= subscription.options.retain_as_published;
        self.subscription_ids.extend(subscription.id);
    }
}

/// Whether a filter is shared, and the filter that topic names are matched with.
pub(super) fn parts(filter: &str) -> (bool, &str) {
    match validate_topic_filter(filter) {
        Ok(parts) => (parts.share_name.is_some(), parts.filter),
        Err(_) => (false, filter), // decoding lets no such filter through
    }
}
