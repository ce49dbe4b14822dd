//! Who gets a message: declared topic filters, and the targets that their messages go to.

use std::collections::BTreeMap;

use leveret_protocol::engine::{Matches, SubscriptionId, Tag};
use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::reason::ReasonCode;

use crate::inbox::QueueId;

/// Where the messages of a subscription go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// To a handler, by the host's own number for it.
    Handler(u64),
    /// To an iterator's queue.
    Queue(QueueId),
    /// To whoever takes what is for nobody in particular.
    General,
}

/// Who takes what is for nobody in particular.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum General {
    /// Nobody: messages that match no declared filter are acknowledged and counted. Those of a filter
    /// declared for [`Target::General`] wait in [`QueueId::GENERAL`].
    #[default]
    Nobody,
    /// A handler, called from [`QueueId::MAIN`].
    Handler,
    /// An iterator over [`QueueId::GENERAL`].
    Iterator,
}

/// The handlers of one message: mostly one, which then costs no memory.
#[derive(Clone, Debug, Default)]
pub struct Handlers {
    first: Option<u64>,
    more: Vec<u64>,
}

impl Handlers {
    /// The handlers' numbers, each once, in the order of the subscriptions.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.first.iter().chain(&self.more).copied()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    fn add(&mut self, handler: u64) {
        if self.iter().any(|other| other == handler) {
            return;
        }
        if self.first.is_none() {
            self.first = Some(handler);
        } else {
            self.more.push(handler);
        }
    }
}

/// Where one message has to go.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// To the main queue, for these handlers, and for the general one if `general`.
    pub(crate) main: bool,
    pub(crate) handlers: Handlers,
    pub(crate) general: bool,
    /// To the queue of the general iterator.
    pub(crate) general_queue: bool,
    /// To iterators.
    pub(crate) queues: Vec<QueueId>,
    /// It matches a declared filter that has no target any more.
    pub(crate) abandoned: bool,
}

impl Places {
    pub(crate) fn count(&self) -> usize {
        usize::from(self.main) + usize::from(self.general_queue) + self.queues.len()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Routes {
    pub(crate) general: General,
    by_filter: BTreeMap<String, SubscriptionId>,
    by_id: BTreeMap<SubscriptionId, Route>,
    last_id: u32,
    /// Targets added by a subscribe that is not answered yet.
    asked: BTreeMap<Tag, Asked>,
}

#[derive(Debug)]
struct Route {
    filter: String,
    targets: Vec<Target>,
}

#[derive(Debug)]
struct Asked {
    target: Target,
    /// One per filter, in order, and whether the target was new there.
    added: Vec<(SubscriptionId, bool)>,
}

/// The largest subscription identifier (MQTT 5, 3.8.2.1.2).
const MAX_ID: u32 = 268_435_455;

impl Routes {
    /// Declares filters for `target` and gives each its number, in order. `tag` is what the broker's
    /// answer will be known by.
    pub(crate) fn declare<'a>(
        &mut self,
        tag: Tag,
        filters: impl Iterator<Item = &'a str>,
        target: Target,
    ) -> Result<Vec<SubscriptionId>, Error> {
        let mut added = Vec::new();
        for filter in filters {
            let id = self.number(filter)?;
            let route = self.by_id.entry(id).or_insert_with(|| Route {
                filter: filter.to_owned(),
                targets: Vec::new(),
            });
            let new = !route.targets.contains(&target);
            if new {
                route.targets.push(target);
            }
            added.push((id, new));
        }
        let ids = added.iter().map(|&(id, _)| id).collect();
        self.asked.insert(tag, Asked { target, added });
        Ok(ids)
    }

    /// The broker answered a subscribe: where it refused, the target goes again. Without codes it did not
    /// answer; then what was declared stays declared and is asked again.
    pub(crate) fn answered(&mut self, tag: Tag, codes: &[ReasonCode]) {
        let Some(Asked { target, added }) = self.asked.remove(&tag) else {
            return;
        };
        for ((id, new), code) in added.into_iter().zip(codes) {
            if new && code.is_error() {
                self.remove_target(id, target);
                self.forget_if_unused(id);
            }
        }
    }

    /// Forgets a filter and all its targets.
    pub(crate) fn forget(&mut self, filter: &str) {
        if let Some(id) = self.by_filter.remove(filter) {
            self.by_id.remove(&id);
        }
    }

    /// Takes `target` away everywhere. The filters that have no target left stay declared; they are
    /// returned.
    pub(crate) fn release(&mut self, target: Target) -> Vec<String> {
        let mut left_alone = Vec::new();
        for route in self.by_id.values_mut() {
            let before = route.targets.len();
            route.targets.retain(|other| *other != target);
            if route.targets.is_empty() && before > 0 {
                left_alone.push(route.filter.clone());
            }
        }
        left_alone
    }

    /// Takes `target` away from these filters. Those that have no target left stay declared; they are returned.
    pub(crate) fn release_from(&mut self, filters: &[&str], target: Target) -> Vec<String> {
        let mut left_alone = Vec::new();
        for filter in filters {
            let id = self.by_filter.get(*filter);
            let Some(route) = id.and_then(|id| self.by_id.get_mut(id)) else {
                continue;
            };
            let before = route.targets.len();
            route.targets.retain(|other| *other != target);
            if route.targets.is_empty() && before > 0 {
                left_alone.push(route.filter.clone());
            }
        }
        left_alone
    }

    /// The queues of iterators that take the messages of a filter.
    pub(crate) fn queues_of(&self, filter: &str) -> Vec<QueueId> {
        let route = self.by_filter.get(filter).and_then(|id| self.by_id.get(id));
        let queue = |target: &Target| match *target {
            Target::Queue(queue) => Some(queue),
            Target::Handler(_) | Target::General => None,
        };
        route.map_or_else(Vec::new, |route| {
            route.targets.iter().filter_map(queue).collect()
        })
    }

    /// Whether a filter is declared for `target`.
    pub(crate) fn has_target(&self, target: Target) -> bool {
        self.by_id
            .values()
            .any(|route| route.targets.contains(&target))
    }

    /// Takes `target` away from one filter; whether nobody takes its messages now, and it is declared no more.
    pub(crate) fn leave(&mut self, filter: &str, target: Target) -> bool {
        let Some(&id) = self.by_filter.get(filter) else {
            return false;
        };
        self.remove_target(id, target);
        self.forget_if_unused(id);
        !self.by_id.contains_key(&id)
    }

    /// Where a message goes that matched these filters.
    pub(crate) fn places(&self, matches: &Matches) -> Places {
        let mut places = Places::default();
        let mut declared = false;
        let mut to_general = false;
        for route in matches.iter().filter_map(|id| self.by_id.get(&id)) {
            declared = true;
            for target in &route.targets {
                match *target {
                    Target::Handler(number) => places.handlers.add(number),
                    Target::Queue(queue) if places.queues.contains(&queue) => {}
                    Target::Queue(queue) => places.queues.push(queue),
                    Target::General => to_general = true,
                }
            }
        }
        to_general |= !declared && self.general != General::Nobody;
        places.general = to_general && self.general == General::Handler;
        places.general_queue = to_general && !places.general;
        places.main = places.general || !places.handlers.is_empty();
        places.abandoned = declared && places.count() == 0;
        places
    }

    fn number(&mut self, filter: &str) -> Result<SubscriptionId, Error> {
        if let Some(&id) = self.by_filter.get(filter) {
            return Ok(id);
        }
        if self.last_id == MAX_ID {
            let detail = "268435455 subscriptions were made; a client cannot make more";
            return Err(Error::new(ErrorKind::InvalidArgument, detail));
        }
        self.last_id += 1;
        let id = SubscriptionId(self.last_id);
        self.by_filter.insert(filter.to_owned(), id);
        Ok(id)
    }

    fn remove_target(&mut self, id: SubscriptionId, target: Target) {
        if let Some(route) = self.by_id.get_mut(&id) {
            route.targets.retain(|other| *other != target);
        }
    }

    fn forget_if_unused(&mut self, id: SubscriptionId) {
        let unused = self
            .by_id
            .get(&id)
            .is_some_and(|route| route.targets.is_empty());
        if let Some(route) = unused.then(|| self.by_id.remove(&id)).flatten() {
            self.by_filter.remove(&route.filter);
        }
    }
}
