//! What the driver hands to the application: messages by queue, news, and what happens when it is full.
//!
//! Plain data; the lock around it is in `handoff`. Who gets a message is decided in `routes`.

use std::collections::{BTreeMap, VecDeque};
#[cfg(feature = "tls")]
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use leveret_protocol::engine::{
    AckToken, AuthStep, ConnectionEvent, Incoming, Notice, Preparation, Shown, Tag,
};
use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::message::{Message, QoS};
use leveret_protocol::options::InboxOverflow;
use leveret_protocol::outcome::{Status, SubscriptionState};
use leveret_protocol::reason::ReasonCode;
use leveret_protocol::text::Text;

use crate::asked::Asked;
use crate::doorbell::Bell;
use crate::handoff::{Rings, Waiters};
#[cfg(feature = "tls")]
use crate::host::Signing;
use crate::inbox_size::Size;
use crate::routes::{General, Handlers, Places, Routes, Target};

/// A queue of received messages within a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId(pub(crate) u32);

impl QueueId {
    /// What is for handlers, the general handler included, and all news.
    pub const MAIN: QueueId = QueueId(0);
    /// What is for nobody in particular, when an iterator takes it and not a general handler.
    pub const GENERAL: QueueId = QueueId(1);
    /// What is for hooks, for the authenticator and for the function asked before each connect, which have a thread or task of their own: they must not wait behind a handler that waits
    /// for what they are asked.
    pub const HOOKS: QueueId = QueueId(2);
}

/// One thing that a host takes from a queue.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// A message for handlers or for an iterator.
    Message(Arrival),
    /// News of the client; in [`QueueId::MAIN`] only.
    News(News),
    /// A packet for a hook; in [`QueueId::HOOKS`] only.
    Packet(Box<Shown>),
    /// An attempt to connect to be said more of; in [`QueueId::HOOKS`] only.
    Prepare(Box<Preparation>),
    /// A step for the authenticator; in [`QueueId::HOOKS`] only.
    Authenticate(Box<AuthStep>),
    /// A handshake to be signed; in [`QueueId::HOOKS`] only.
    #[cfg(feature = "tls")]
    Sign(Arc<Signing>),
}

/// A received message, for whom it is, and what its acknowledgement waits for.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The message.
    pub message: Message,
    /// What acknowledges it by hand (`manual_ack`); `None` at QoS 0.
    pub token: Option<AckToken>,
    /// The handlers to call, by the host's own numbers.
    pub handlers: Handlers,
    /// Whether the general handler or iterator is to get it, after the handlers.
    pub general: bool,
    /// Where it is counted when it lies in several queues at once.
    pub(crate) ticket: Option<u64>,
}

/// News of a client, in the order in which it happened.
#[derive(Clone, Debug)]
pub enum News {
    /// The status changed.
    Status(Status),
    /// A connection began, ended, or could not be had.
    Connection(ConnectionEvent),
    /// How a subscription stands with the broker.
    Subscription {
        /// The topic filter.
        filter: Text,
        /// Its state.
        state: SubscriptionState,
        /// The broker's code: the granted QoS, or why it refused. `None` for `down`.
        reason: Option<ReasonCode>,
    },
    /// A ping was answered after this time.
    RoundTrip(Duration),
    /// Something odd that an operator may want to know.
    Notice(Notice),
}

/// How much news is kept for a host that takes none; the oldest goes first.
const MOST_NEWS: usize = 1_024;

#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) routes: Routes,
    queues: BTreeMap<QueueId, Queue>,
    last_queue: u32,
    limit: Size,
    overflow: InboxOverflow,
    /// What lies in queues, and what was taken from them last.
    held: Size,
    tickets: BTreeMap<u64, Ticket>,
    last_ticket: u64,
    bell: Bell,
    paused: bool,
    /// The driver, while it waits for room.
    reader: Option<Waker>,
    /// What hooks have yet to decide or to say.
    asked: Asked,
    /// Those who wait inside a handler and have to be told when that could not end any more.
    stuck_watchers: Waiters,
    ended: bool,
    /// Messages that matched nothing and that nobody took.
    pub(crate) unhandled: u64,
    /// QoS 0 messages dropped because the inbox was full.
    pub(crate) dropped: u64,
}

#[derive(Debug, Default)]
struct Queue {
    /// An emptied place is a message that was dropped.
    places: VecDeque<Option<Delivery>>,
    /// The number of the first place.
    first: u64,
    /// How many places are not emptied.
    live: usize,
    /// Places that hold a QoS 0 message, and places that hold news; some may be gone.
    droppable: VecDeque<u64>,
    news: VecDeque<u64>,
    held: Size,
    /// What the host took last and may still hold.
    taken: Size,
    waiters: Waiters,
    /// It is an iterator's, which ends with its filters.
    ends: bool,
    /// Its filters were taken back: when it is empty, nothing more comes.
    over: bool,
}

/// A message that lies in several queues: acknowledged when the last has done with it.
#[derive(Debug)]
struct Ticket {
    left: usize,
    failed: bool,
}

impl Inbox {
    pub(crate) fn new(max_messages: usize, max_bytes: usize, overflow: InboxOverflow) -> Inbox {
        let queues =
            [QueueId::MAIN, QueueId::GENERAL, QueueId::HOOKS].map(|id| (id, Queue::default()));
        Inbox {
            routes: Routes::default(),
            queues: BTreeMap::from(queues),
            last_queue: QueueId::HOOKS.0,
            limit: Size {
                messages: max_messages,
                bytes: max_bytes,
            },
            overflow,
            held: Size::default(),
            tickets: BTreeMap::new(),
            last_ticket: 0,
            bell: Bell::None,
            paused: false,
            reader: None,
            asked: Asked::default(),
            stuck_watchers: Waiters::default(),
            ended: false,
            unhandled: 0,
            dropped: 0,
        }
    }

    /// Puts a message where it belongs. What is returned is to be acknowledged now: nobody takes it.
    pub(crate) fn deliver(&mut self, incoming: Incoming, rings: &mut Rings) -> Option<AckToken> {
        let Incoming {
            message,
            token,
            subscriptions,
        } = incoming;
        let places = self.routes.places(&subscriptions);
        let count = places.count();
        if count == 0 {
            self.unhandled += 1;
            // A filter that is still declared but has lost its taker: the broker keeps the message.
            return token.filter(|_| !places.abandoned);
        }
        if !self.make_room(&message) {
            return None;
        }
        let ticket = (count > 1 && token.is_some()).then(|| self.new_ticket(count));
        let Places {
            main,
            general_queue,
            queues,
            handlers,
            general,
            ..
        } = places;
        for queue in queues {
            let copy = Arrival {
                message: message.clone(),
                token,
                handlers: Handlers::default(),
                general: false,
                ticket,
            };
            self.append(queue, Delivery::Message(copy), rings);
        }
        if general_queue {
            let copy = Arrival {
                message: message.clone(),
                token,
                handlers: Handlers::default(),
                general: true,
                ticket,
            };
            self.append(QueueId::GENERAL, Delivery::Message(copy), rings);
        }
        if main {
            let arrival = Arrival {
                message,
                token,
                handlers,
                general,
                ticket,
            };
            self.append(QueueId::MAIN, Delivery::Message(arrival), rings);
        }
        None
    }

    /// Adds news for the host.
    pub(crate) fn tell(&mut self, news: News, rings: &mut Rings) {
        self.append(QueueId::MAIN, Delivery::News(news), rings);
    }

    /// Adds something that a hook or the authenticator is to look at.
    pub(crate) fn ask(&mut self, question: Delivery, rings: &mut Rings) {
        if self.asked.enter(&question) {
            self.stuck_watchers.wake_all(rings);
        }
        self.append(QueueId::HOOKS, question, rings);
    }

    /// What was asked under this number is answered, or in the hands of somebody who answers it later.
    pub(crate) fn answered(&mut self, number: u64) {
        self.asked.leave(number);
    }

    /// Moves up to `max` deliveries to `into`; how many. What was taken before counts as gone; of what is for hooks also what is taken now: there is
    /// no next call to be relied on, as hooks are called once for all that waits.
    pub(crate) fn take(
        &mut self,
        id: QueueId,
        max: usize,
        into: &mut Vec<Delivery>,
        rings: &mut Rings,
    ) -> usize {
        let Some(queue) = self.queues.get_mut(&id) else {
            return 0;
        };
        let mut gone = std::mem::take(&mut queue.taken);
        let count = queue.take(max, into);
        if id == QueueId::HOOKS {
            gone.add(std::mem::take(&mut queue.taken));
        }
        self.held.remove(gone);
        self.resume(rings);
        count
    }

    /// Like [`Inbox::take`], but waits for the first. An error when nothing will ever come.
    pub(crate) fn poll_take(
        &mut self,
        id: QueueId,
        max: usize,
        into: &mut Vec<Delivery>,
        rings: &mut Rings,
        context: &Context<'_>,
    ) -> Poll<Result<usize, Error>> {
        let count = self.take(id, max, into, rings);
        if count > 0 || max == 0 {
            return Poll::Ready(Ok(count));
        }
        match self.queues.get_mut(&id) {
            Some(queue) if !self.ended && !queue.over => {
                queue.waiters.add(context);
                Poll::Pending
            }
            Some(_) => Poll::Ready(Err(ErrorKind::Closed.into())),
            None => {
                let detail = "the subscription is closed";
                Poll::Ready(Err(Error::new(ErrorKind::Closed, detail)))
            }
        }
    }

    /// One queue has done with a ticket's message. When it was the last: whether any handler failed.
    pub(crate) fn finish(&mut self, ticket: u64, failed: bool) -> Option<bool> {
        let entry = self.tickets.get_mut(&ticket)?;
        entry.failed |= failed;
        entry.left = entry.left.saturating_sub(1);
        if entry.left > 0 {
            return None;
        }
        self.tickets.remove(&ticket).map(|entry| entry.failed)
    }

    /// A queue of its own for one iterator: it ends when its filters are taken back.
    pub(crate) fn open_iterator(&mut self) -> QueueId {
        let id = self.open_queue();
        if let Some(queue) = self.queues.get_mut(&id) {
            queue.ends = true;
        }
        id
    }

    /// A queue of its own that is there whatever its filters are.
    pub(crate) fn open_queue(&mut self) -> QueueId {
        self.last_queue += 1;
        let id = QueueId(self.last_queue);
        self.queues.insert(id, Queue::default());
        id
    }

    /// Forgets a filter and all its targets. An iterator that has no other filter ends when it has got what came before.
    pub(crate) fn forget_filter(&mut self, filter: &str, rings: &mut Rings) {
        let queues = self.routes.queues_of(filter);
        self.routes.forget(filter);
        for id in queues {
            if self.routes.has_target(Target::Queue(id)) {
                continue;
            }
            if let Some(queue) = self.queues.get_mut(&id).filter(|queue| queue.ends) {
                queue.over = true;
                queue.waiters.wake_all(rings);
            }
        }
    }

    /// Whether nothing more comes in a queue: it is empty, and its filters were taken back or it is closed.
    pub(crate) fn is_over(&self, id: QueueId) -> bool {
        self.queues
            .get(&id)
            .is_none_or(|queue| queue.over && queue.live == 0)
    }

    /// Forgets a queue; what nobody took from it is returned.
    pub(crate) fn close_queue(&mut self, id: QueueId, rings: &mut Rings) -> Vec<Delivery> {
        let Some(mut queue) = self.queues.remove(&id) else {
            return Vec::new();
        };
        let mut left = Vec::new();
        queue.take(usize::MAX, &mut left);
        self.held.remove(queue.taken);
        queue.waiters.wake_all(rings);
        self.resume(rings);
        left
    }

    /// Says who takes what is for nobody in particular. What waits for an iterator goes to a handler.
    pub(crate) fn set_general(&mut self, general: General, rings: &mut Rings) {
        self.routes.general = general;
        if general != General::Handler {
            return;
        }
        let Some(queue) = self.queues.get_mut(&QueueId::GENERAL) else {
            return;
        };
        let mut waiting = Vec::new();
        queue.take(usize::MAX, &mut waiting);
        self.held.remove(std::mem::take(&mut queue.taken));
        for delivery in waiting {
            self.append(QueueId::MAIN, delivery, rings);
        }
    }

    /// Rings `bell` from now on, and at once when something waits already.
    pub(crate) fn set_bell(&mut self, bell: Bell, rings: &mut Rings) {
        if self.ended || self.queues.values().any(|queue| queue.live > 0) {
            rings.bell(&bell);
        }
        self.bell = bell;
    }

    /// Whether reading has to pause: the inbox is full and is to wait for room.
    pub(crate) fn pause(&mut self, rings: &mut Rings) -> bool {
        if !self.paused && self.overflow == InboxOverflow::Wait && self.held.reaches(self.limit) {
            self.paused = true;
            self.stuck_watchers.wake_all(rings);
        }
        self.paused
    }

    /// Ready once reading may go on.
    pub(crate) fn poll_room(&mut self, context: &Context<'_>) -> Poll<()> {
        if !self.paused {
            return Poll::Ready(());
        }
        self.reader = Some(context.waker().clone());
        Poll::Pending
    }

    /// Ready while reading is paused: whoever drains this inbox must not wait for the broker now.
    pub(crate) fn poll_paused(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.paused {
            return Poll::Ready(());
        }
        self.stuck_watchers.add(context);
        Poll::Pending
    }

    /// Ready while a hook has yet to be asked how to connect, or has not said it: whoever calls the hooks must not wait for a connection now.
    pub(crate) fn poll_undecided(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.asked.is_undecided() {
            return Poll::Ready(());
        }
        self.stuck_watchers.add(context);
        Poll::Pending
    }

    /// Ready while this letter waits for what a hook has to say: whoever calls the hooks must not wait for its outcome now.
    pub(crate) fn poll_unsaid(&mut self, receipt: Tag, context: &Context<'_>) -> Poll<()> {
        if self.asked.is_unsaid(receipt) {
            return Poll::Ready(());
        }
        self.stuck_watchers.add(context);
        Poll::Pending
    }

    /// Nothing comes any more: everybody who waits is told, and the bell rings a last time.
    pub(crate) fn end(&mut self, rings: &mut Rings) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        for queue in self.queues.values_mut() {
            queue.waiters.wake_all(rings);
        }
        rings.bell(&self.bell);
        // What it holds may hold the client in turn.
        self.bell = Bell::None;
    }

    pub(crate) fn size(&self) -> Size {
        self.held
    }

    fn append(&mut self, id: QueueId, delivery: Delivery, rings: &mut Rings) {
        let Some(queue) = self.queues.get_mut(&id) else {
            return;
        };
        if queue.live == 0 {
            rings.bell(&self.bell);
            queue.waiters.wake_all(rings);
        }
        self.held.add(queue.append(delivery));
    }

    /// Under `drop_oldest`, drops QoS 0 messages until the new one fits, those of QoS 1 and 2 being
    /// bounded by the window we grant. False when the new one itself has to go.
    fn make_room(&mut self, message: &Message) -> bool {
        if self.overflow != InboxOverflow::DropOldest {
            return true;
        }
        while self.held.reaches(self.limit) {
            let dropped = self.queues.values_mut().find_map(Queue::drop_oldest);
            match dropped {
                Some(size) => self.held.remove(size),
                None => break,
            }
            self.dropped += 1;
        }
        let keep = message.qos != QoS::AtMostOnce || !self.held.reaches(self.limit);
        self.dropped += u64::from(!keep);
        keep
    }

    fn resume(&mut self, rings: &mut Rings) {
        if self.paused && !self.held.reaches(self.limit.three_quarters()) {
            self.paused = false;
            self.reader
                .take()
                .into_iter()
                .for_each(|reader| rings.wake(reader));
        }
    }

    fn new_ticket(&mut self, count: usize) -> u64 {
        self.last_ticket += 1;
        self.tickets.insert(
            self.last_ticket,
            Ticket {
                left: count,
                failed: false,
            },
        );
        self.last_ticket
    }
}

impl Queue {
    /// Adds a delivery; by how much that enlarges what is held.
    fn append(&mut self, delivery: Delivery) -> Size {
        let place = self.first + self.places.len() as u64;
        let size = Size::of_delivery(&delivery);
        match &delivery {
            Delivery::Message(arrival) if arrival.message.qos == QoS::AtMostOnce => {
                self.droppable.push_back(place);
            }
            Delivery::News(_) => self.news.push_back(place),
            _ => {}
        }
        self.places.push_back(Some(delivery));
        self.live += 1;
        self.held.add(size);
        if self.news.len() > MOST_NEWS {
            let oldest = self.news.pop_front();
            oldest.and_then(|place| self.empty(place));
        }
        size
    }

    /// Moves deliveries out; their size stays counted as taken.
    fn take(&mut self, max: usize, into: &mut Vec<Delivery>) -> usize {
        let mut count = 0;
        while count < max {
            let Some(place) = self.places.pop_front() else {
                break;
            };
            self.first += 1;
            let Some(delivery) = place else { continue };
            let size = Size::of_delivery(&delivery);
            self.held.remove(size);
            self.taken.add(size);
            self.live -= 1;
            into.push(delivery);
            count += 1;
        }
        for gone in [&mut self.droppable, &mut self.news] {
            while gone.front().is_some_and(|&place| place < self.first) {
                gone.pop_front();
            }
        }
        if self.places.is_empty() && self.places.capacity() > KEPT_PLACES {
            self.places = VecDeque::new();
        }
        count
    }

    /// Drops the oldest QoS 0 message; its size.
    fn drop_oldest(&mut self) -> Option<Size> {
        let place = self.droppable.pop_front()?;
        let Some(Delivery::Message(arrival)) = self.empty(place) else {
            return None;
        };
        let size = Size::of(&arrival.message);
        self.held.remove(size);
        Some(size)
    }

    fn empty(&mut self, place: u64) -> Option<Delivery> {
        let index = usize::try_from(place.checked_sub(self.first)?).ok()?;
        let delivery = self.places.get_mut(index)?.take()?;
        self.live -= 1;
        Some(delivery)
    }
}

/// Room that an empty queue keeps for the next burst.
const KEPT_PLACES: usize = 1_024;
