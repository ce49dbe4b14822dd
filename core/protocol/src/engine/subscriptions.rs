//! What the application has declared: topic filters that are kept, and which of them a message was sent for.
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::event::{Matches, SubscriptionId};
use crate::checked;
use crate::codec::{self, RetainHandling};
use crate::message::Message;
use crate::options::SubscribeOptions;
use crate::outcome::SubscriptionState;
use crate::text::Text;
use crate::topic::{self, FilterTree};

/// A filter that was declared. It stays until it is taken back, or until the broker refuses it the first time.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) filter: Text,
    pub(super) options: SubscribeOptions,
    pub(super) state: SubscriptionState,
    /// The broker has granted it once: a later refusal does not end it.
    pub(super) was_granted: bool,
    /// The broker was asked for it in this session.
    pub(super) was_asked: bool,
}

/// Every declared filter by its number, and by the names it matches.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    declared: BTreeMap<SubscriptionId, Declared>,
    tree: FilterTree<SubscriptionId>,
    /// The broker may have subscriptions of an earlier process, under numbers that mean something else here.
    foreign: bool,
    found: Vec<SubscriptionId>,
}

impl Subscriptions {
    /// Declares a filter, or declares it again with other options.
    pub(super) fn declare(&mut self, id: SubscriptionId, filter: Text, options: SubscribeOptions) {
        if let Some(known) = self
            .declared
            .get_mut(&id)
            .filter(|known| known.filter == filter)
        {
            known.options = options;
            return;
        }
        self.remove(id);
        self.tree.insert(plain_filter(&filter), id);
        self.declared.insert(
            id,
            Declared {
                filter,
                options,
                state: SubscriptionState::Down,
                was_granted: false,
                was_asked: false,
            },
        );
    }

    pub(super) fn remove(&mut self, id: SubscriptionId) -> Option<Declared> {
        let declared = self.declared.remove(&id)?;
        self.tree
            .remove(plain_filter(&declared.filter), |other| *other == id);
        Some(declared)
    }

    pub(super) fn get(&self, id: SubscriptionId) -> Option<&Declared> {
        self.declared.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: SubscriptionId) -> Option<&mut Declared> {
        self.declared.get_mut(&id)
    }

    /// The number of exactly this filter.
    pub(super) fn id_of(&self, filter: &Text) -> Option<SubscriptionId> {
        self.declared
            .iter()
            .find(|(_, declared)| declared.filter == *filter)
            .map(|(id, _)| *id)
    }

    /// Every declared filter, in the order of their numbers.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (SubscriptionId, &mut Declared)> {
        self.declared
            .iter_mut()
            .map(|(id, declared)| (*id, declared))
    }

    /// A session begins: one that may hold what an earlier process subscribed to, or one that holds only what is declared here.
    pub(super) fn session_begins(&mut self, adopted: bool) {
        self.foreign = adopted;
        for declared in self.declared.values_mut().filter(|_| !adopted) {
            declared.was_asked = false;
        }
    }

    /// The filters for which a message was sent: by its subscription identifiers, else by its topic.
    pub(super) fn matches(&mut self, message: &Message) -> Matches {
        let mut matches = Matches::default();
        for id in message
            .properties
            .subscription_identifiers()
            .map(SubscriptionId)
        {
            let known = self.declared.get(&id);
            if known.is_some_and(|declared| {
                !self.foreign || topic::matches(plain_filter(&declared.filter), &message.topic)
            }) {
                matches.add(id);
            }
        }
        if matches.is_empty() && !self.declared.is_empty() {
            self.tree.matches(&message.topic, &mut self.found);
            checked::drain(&mut self.found, usize::MAX).for_each(|id| matches.add(id));
        }
        matches
    }
}

/// The filter that topic names are matched with: what follows the share name, or the whole.
fn plain_filter(filter: &Text) -> &str {
    topic::validate_topic_filter(filter).map_or("", |parts| parts.filter)
}

/// Do they say anything that MQTT 3.1.1 cannot.
pub(super) fn needs_v5(options: &SubscribeOptions) -> bool {
    let plain = SubscribeOptions::new();
    options.no_local != plain.no_local
        || options.retain_as_published != plain.retain_as_published
        || options.retain_handling != plain.retain_handling
        || options.user_properties != plain.user_properties
}

/// As they stand behind a filter in SUBSCRIBE.
pub(super) fn on_the_wire(options: &SubscribeOptions) -> codec::SubscribeOptions {
    codec::SubscribeOptions {
        qos: options.qos,
        no_local: options.no_local,
        retain_as_published: options.retain_as_published,
        retain_handling: RetainHandling::from_number(options.retain_handling).unwrap_or_default(),
    }
}
