//! SUBSCRIBE and UNSUBSCRIBE: sent in the order they were asked for, asked again without an answer, and asked anew after a lost session.
//!
//! Life of a request: asked for → unsent, while there is no connection or no identifier → sent → answered. Not answered in time → asked again, and who waits
//! is told. The connection ends → unsent again.
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::Engine;
use super::batch::{Subscribe, Unsubscribe};
use super::event::{Answers, Event, Reply, SubscriptionId, Tag};
use super::incoming::Violation;
use super::subscriptions::{Declared, needs_v5, on_the_wire};
use super::timers::Timer;
use super::window::Slot;
use crate::checked;
use crate::codec::{
    self, EncodeError, FilterAck, Packet, PacketId, Properties, PropertyId, PropertyValue,
    SubscribeFilter, Version,
};
use crate::error::{Error, ErrorKind};
use crate::options::PropertiesOn311;
use crate::outcome::SubscriptionState;
use crate::reason::ReasonCode;
use crate::text::Text;
use crate::time::Instant;
use crate::topic::validate_topic_filter;

/// So long an answer is waited for at most, unless the options say longer.
const LONGEST_PATIENCE: Duration = Duration::from_secs(600);
const MOST_DOUBLINGS: u8 = 20;
/// The most bytes of filters in one request, and of requests composed at once.
const MOST_BYTES: usize = 16 * 1_024;

/// One filter to ask about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Subscribe(SubscriptionId),
    Unsubscribe(Option<SubscriptionId>, Text, Vec<(String, String)>),
}

/// An item, and which place in whose answer it fills.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) item: Item,
    pub(super) question: Option<(u64, usize)>,
    /// How often it was asked in vain.
    pub(super) vain: u8,
}

impl Ask {
    pub(super) fn new(item: Item, question: Option<(u64, usize)>) -> Ask {
        Ask {
            item,
            question,
            vain: 0,
        }
    }
}

/// A caller who waits for answers.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) reply: Tag,
    codes: Vec<Option<ReasonCode>>,
    reason_string: Option<String>,
    refused: Option<Text>,
    subscribe: bool,
}

/// A packet on its way.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) order: u64,
    pub(super) due: Instant, // when it is asked again
    pub(super) asks: Vec<Ask>,
}

/// What was asked, is being asked, and who waits for it.
#[derive(Debug, Default)]
pub(super) struct Asking {
    pub(super) unsent: VecDeque<Ask>,
    pub(super) sent: BTreeMap<u16, Request>,
    pub(super) questions: BTreeMap<u64, Question>,
    count: u64,
}

impl Asking {
    /// Letters posted after a request must not overtake it.
    pub(super) fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Is an answer about this filter still to come.
    fn is_asked(&self, id: SubscriptionId) -> bool {
        let mut asks = self
            .sent
            .values()
            .flat_map(|request| &request.asks)
            .chain(&self.unsent);
        asks.any(|ask| ask.item == Item::Subscribe(id))
    }

    fn question(&mut self, reply: Tag, answers: usize, subscribe: bool) -> u64 {
        self.count = self.count.saturating_add(1);
        let question = Question {
            reply,
            codes: alloc::vec![None; answers],
            reason_string: None,
            refused: None,
            subscribe,
        };
        self.questions.insert(self.count, question);
        self.count
    }

    /// Fills one place of an answer, of a filter that was refused with its name; returns the answer if it is complete.
    fn answer(
        &mut self,
        question: Option<(u64, usize)>,
        code: ReasonCode,
        words: Option<&str>,
        refused: Option<Text>,
    ) -> Option<(Tag, Reply)> {
        let (number, place) = question?;
        let waiting = self.questions.get_mut(&number)?;
        *waiting.codes.get_mut(place)? = Some(code);
        if waiting.reason_string.is_none() {
            waiting.reason_string = words.map(ToString::to_string);
        }
        waiting.refused = waiting.refused.take().or(refused);
        let codes: Option<Vec<ReasonCode>> = waiting.codes.iter().copied().collect();
        let answers = Answers {
            codes: codes?,
            reason_string: waiting.reason_string.take(),
            refused: waiting.refused.take(),
        };
        let reply = if waiting.subscribe {
            Reply::Subscribed(answers)
        } else {
            Reply::Unsubscribed(answers)
        };
        self.questions
            .remove(&number)
            .map(|question| (question.reply, reply))
    }
}

impl Engine {
    /// Declares filters and asks the broker for them.
    pub(super) fn subscribe(&mut self, subscribe: Subscribe) {
        let question = self
            .asking
            .question(subscribe.reply, subscribe.entries.len(), true);
        for (place, entry) in subscribe.entries.into_iter().enumerate() {
            self.subscriptions
                .declare(entry.id, entry.filter, entry.options);
            let item = Item::Subscribe(entry.id);
            let ask = Ask::new(item, Some((question, place)));
            self.asking.unsent.push_back(ask);
        }
        self.answer_empty_question(question);
    }

    /// Takes filters back and tells the broker. One that the broker refuses to take back (MQTT 5, 3.11.3) stays taken back here, and who asked is told:
    /// whoever unsubscribes has let go of what would handle its messages, and must not be called any more.
    pub(super) fn unsubscribe(&mut self, unsubscribe: Unsubscribe) {
        let question = self
            .asking
            .question(unsubscribe.reply, unsubscribe.filters.len(), false);
        for (place, filter) in unsubscribe.filters.into_iter().enumerate() {
            let id = self.subscriptions.id_of(&filter);
            if let Some(id) = id {
                self.subscriptions.remove(id);
            }
            let item = Item::Unsubscribe(id, filter, unsubscribe.user_properties.clone());
            let ask = Ask::new(item, Some((question, place)));
            self.asking.unsent.push_back(ask);
        }
        self.answer_empty_question(question);
    }

    /// A question about no filter is answered by itself.
    fn answer_empty_question(&mut self, number: u64) {
        if let Some(question) = self.asking.questions.remove(&number) {
            if question.codes.is_empty() {
                let answers = Answers::default();
                let reply = if question.subscribe {
                    Reply::Subscribed(answers)
                } else {
                    Reply::Unsubscribed(answers)
                };
                return self.reply(question.reply, Ok(reply));
            }
            self.asking.questions.insert(number, question);
        }
    }

    /// Composes what is unsent, in few packets.
    pub(super) fn compose_requests(&mut self) {
        while self.wire.control().len() < MOST_BYTES && self.asking.has_unsent() {
            let mut asks = self.take_group();
            if asks.is_empty() {
                continue; // nothing of it can be asked here
            }
            let Some(id) = self.window.allocate(Slot::Request).and_then(PacketId::new) else {
                self.watch_oldest_identifier();
                return self.unsent_again(asks);
            };
            let mut encoded = self.encode_request(id, &asks);
            while encoded.is_err() && asks.len() > 1 {
                // Together they are larger than the broker takes; that says nothing of each.
                let half = asks.len() / 2;
                let rest = checked::split_off(&mut asks, half);
                self.unsent_again(rest);
                encoded = self.encode_request(id, &asks);
            }
            if encoded.is_err() {
                self.window.give_back(id.get());
                asks.into_iter()
                    .for_each(|ask| self.refused_here(ask, ReasonCode::PACKET_TOO_LARGE, None));
                continue;
            }
            self.were_asked(&asks);
            self.asking.count = self.asking.count.saturating_add(1);
            let due = self.now + self.patience(&asks);
            self.asking.sent.insert(
                id.get(),
                Request {
                    order: self.asking.count,
                    due,
                    asks,
                },
            );
            let due = self
                .timers
                .get(Timer::Unanswered)
                .map_or(due, |earlier| earlier.min(due));
            self.timers.set(Timer::Unanswered, due);
        }
    }

    /// They are asked before what else is unsent.
    fn unsent_again(&mut self, asks: Vec<Ask>) {
        for ask in asks.into_iter().rev() {
            self.asking.unsent.push_front(ask);
        }
    }

    fn were_asked(&mut self, asks: &[Ask]) {
        for ask in asks {
            if let Item::Subscribe(id) = ask.item
                && let Some(declared) = self.subscriptions.get_mut(id)
            {
                declared.was_asked = true;
            }
        }
    }

    /// Takes the next asks that may go in one packet. Those that this broker cannot grant are answered here.
    fn take_group(&mut self) -> Vec<Ask> {
        let mut group: Vec<Ask> = Vec::new();
        let mut bytes = 0_usize;
        while let Some(ask) = self.asking.unsent.pop_front() {
            if let Some((code, words)) = self.not_available(&ask.item) {
                self.refused_here(ask, code, words);
                continue;
            }
            if self.is_overtaken(&ask.item) {
                self.answered(ask, ReasonCode::SUCCESS, None);
                continue;
            }
            let length = self.filter_of(&ask.item).map(|filter| filter.len());
            let Some(length) = length else {
                self.withdrawn(ask);
                continue;
            };
            // Each of two questions about one filter has an answer of its own, in the order asked.
            let twice = group.iter().any(|other| other.item == ask.item);
            let another_packet = group.first().is_some_and(|first| {
                bytes.saturating_add(length) > MOST_BYTES
                    || !self.go_together(&first.item, &ask.item)
            });
            if twice || another_packet {
                self.asking.unsent.push_front(ask);
                break;
            }
            bytes = bytes.saturating_add(length);
            group.push(ask);
        }
        group
    }

    /// Was the filter declared again, and asked for, after it was taken back? An UNSUBSCRIBE that was not answered must not go out again behind that.
    fn is_overtaken(&self, item: &Item) -> bool {
        let Item::Unsubscribe(_, filter, _) = item else {
            return false;
        };
        let declared = self.subscriptions.id_of(filter).map(Item::Subscribe);
        declared.is_some_and(|again| self.asking.unsent.iter().all(|ask| ask.item != again))
    }

    /// A subscription identifier and user properties stand for a whole packet, so only filters that share them share one.
    fn go_together(&self, first: &Item, other: &Item) -> bool {
        match (first, other) {
            (Item::Subscribe(a), Item::Subscribe(b)) => {
                let user_properties = |id| {
                    self.subscriptions
                        .get(id)
                        .map(|declared| &declared.options.user_properties)
                };
                !self.broker.identifiers_available && user_properties(*a) == user_properties(*b)
            }
            (Item::Unsubscribe(_, _, a), Item::Unsubscribe(_, _, b)) => a == b,
            _ => false,
        }
    }

    /// Why this broker cannot be asked (MQTT 5, 3.2.2.3.11 to 3.2.2.3.13), or cannot be told how on MQTT 3.1.1.
    fn not_available(&self, item: &Item) -> Option<(ReasonCode, Option<&'static str>)> {
        let Item::Subscribe(id) = item else {
            return None;
        };
        let Declared {
            filter, options, ..
        } = self.subscriptions.get(*id)?;
        let rejects = self.options.properties_on_311 == PropertiesOn311::Reject;
        if self.broker.version == Version::V311 && rejects && needs_v5(options) {
            let words = "its options need MQTT 5, and the connection speaks MQTT 3.1.1";
            return Some((ReasonCode::UNSPECIFIED_ERROR, Some(words)));
        }
        let shared = validate_topic_filter(filter).is_ok_and(|parts| parts.share_name.is_some());
        if shared && !self.broker.shared_available {
            Some((ReasonCode::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED, None))
        } else if filter.contains(['+', '#']) && !self.broker.wildcards_available {
            Some((ReasonCode::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED, None))
        } else {
            None
        }
    }

    /// The filter of an item; `None` if it was taken back before it was asked for.
    fn filter_of<'a>(&'a self, item: &'a Item) -> Option<&'a Text> {
        match item {
            Item::Subscribe(id) => self.subscriptions.get(*id).map(|declared| &declared.filter),
            Item::Unsubscribe(_, filter, _) => Some(filter),
        }
    }

    fn encode_request(&mut self, packet_id: PacketId, asks: &[Ask]) -> Result<(), EncodeError> {
        let mut properties = Properties::new();
        let mut filters = Vec::new();
        let mut topics = Vec::new();
        for ask in asks {
            let user_properties = match &ask.item {
                Item::Subscribe(id) => {
                    let Some(declared) = self.subscriptions.get(*id) else {
                        continue;
                    };
                    if self.broker.identifiers_available {
                        let _ = properties.set(
                            PropertyId::SubscriptionIdentifier,
                            PropertyValue::Number(id.0),
                        );
                    }
                    filters.push(SubscribeFilter {
                        filter: declared.filter.clone(),
                        options: on_the_wire(&declared.options),
                    });
                    &declared.options.user_properties
                }
                Item::Unsubscribe(_, filter, user_properties) => {
                    topics.push(filter.clone());
                    user_properties
                }
            };
            if filters.len().saturating_add(topics.len()) == 1 {
                for (name, value) in user_properties {
                    let _ = properties.add(
                        PropertyId::UserProperty,
                        PropertyValue::TextPair(name, value),
                    );
                }
            }
        }
        let packet = if topics.is_empty() {
            Packet::Subscribe(codec::Subscribe {
                packet_id,
                filters,
                properties,
            })
        } else {
            Packet::Unsubscribe(codec::Unsubscribe {
                packet_id,
                filters: topics,
                properties,
            })
        };
        packet.encode(
            self.broker.version,
            self.broker.maximum_packet_size,
            self.wire.control(),
        )
    }

    /// How long the answer to a request is waited for: twice as long each time that it was asked in vain. Where answers take longer than the
    /// option says, none would ever be in time otherwise.
    fn patience(&self, asks: &[Ask]) -> Duration {
        let own = asks.iter().filter_map(|ask| match ask.item {
            Item::Subscribe(id) => self.subscriptions.get(id)?.options.timeout,
            Item::Unsubscribe(..) => None,
        });
        let first = own.min().unwrap_or(self.options.subscribe_timeout);
        let vain = asks.iter().map(|ask| ask.vain).max().unwrap_or(0);
        let longer = first.saturating_mul(1 << vain.min(MOST_DOUBLINGS));
        longer.min(LONGEST_PATIENCE).max(first)
    }

    pub(super) fn suback(&mut self, answer: &FilterAck) -> Result<(), Violation> {
        self.filter_ack(answer, true)
    }

    pub(super) fn unsuback(&mut self, answer: &FilterAck) -> Result<(), Violation> {
        self.filter_ack(answer, false)
    }

    fn filter_ack(&mut self, answer: &FilterAck, subscribe: bool) -> Result<(), Violation> {
        let id = answer.packet_id.get();
        if self.window.get(id) == Slot::Request {
            self.window.release(id);
        }
        let Some(request) = self.asking.sent.remove(&id) else {
            return Ok(());
        }; // asked again meanwhile
        let has_codes = subscribe || self.broker.version == Version::V5;
        let fits = request
            .asks
            .iter()
            .all(|ask| matches!(ask.item, Item::Subscribe(_)) == subscribe)
            && (!has_codes || request.asks.len() == answer.reasons.len());
        if !fits {
            let words = "the broker answered other filters than those asked for (3.9.3)";
            self.asking.sent.insert(id, request);
            return Err(Violation::new(ReasonCode::PROTOCOL_ERROR, words));
        }
        for (place, ask) in request.asks.into_iter().enumerate() {
            let code = answer
                .reasons
                .get(place)
                .copied()
                .unwrap_or(ReasonCode::SUCCESS);
            self.answered(ask, code, answer.properties.reason_string());
        }
        Ok(())
    }

    /// One filter is answered: by the broker, or for it.
    pub(super) fn answered(&mut self, ask: Ask, code: ReasonCode, words: Option<&str>) {
        let refused = self
            .filter_of(&ask.item)
            .filter(|_| code.is_error())
            .cloned();
        match ask.item {
            Item::Subscribe(id) => self.granted(id, code),
            Item::Unsubscribe(Some(id), filter, _) => {
                self.tell_state(id, filter, SubscriptionState::Down, Some(code));
            }
            Item::Unsubscribe(None, ..) => {}
        }
        if let Some((tag, reply)) = self.asking.answer(ask.question, code, words, refused) {
            self.reply(tag, Ok(reply));
        }
    }

    /// A filter is refused without the broker being asked. If it is forgotten by that, and the broker was asked for it before and may have granted
    /// it unheard, it is taken back there, too.
    fn refused_here(&mut self, ask: Ask, code: ReasonCode, words: Option<&str>) {
        let asked = match ask.item {
            Item::Subscribe(id) => self.subscriptions.get(id),
            Item::Unsubscribe(..) => None,
        };
        let asked = asked.filter(|declared| declared.was_asked);
        let filter = asked.map(|declared| declared.filter.clone());
        self.answered(ask, code, words);
        if let Some(filter) = filter
            && self.subscriptions.id_of(&filter).is_none()
        {
            let item = Item::Unsubscribe(None, filter, Vec::new());
            self.asking.unsent.push_back(Ask::new(item, None));
        }
    }

    fn granted(&mut self, id: SubscriptionId, code: ReasonCode) {
        let Some(declared) = self.subscriptions.get_mut(id) else {
            return;
        };
        declared.state = match code {
            code if code.is_error() => SubscriptionState::Refused,
            code if code.0 < u8::from(declared.options.qos) => SubscriptionState::Downgraded,
            _ => SubscriptionState::Up,
        };
        let (filter, state) = (declared.filter.clone(), declared.state);
        if state != SubscriptionState::Refused {
            declared.was_granted = true;
        } else if !declared.was_granted && !self.asking.is_asked(id) {
            self.subscriptions.remove(id); // who asked for it is told, and may ask again
        }
        self.tell_state(id, filter, state, Some(code));
    }

    fn tell_state(
        &mut self,
        id: SubscriptionId,
        filter: Text,
        state: SubscriptionState,
        reason: Option<ReasonCode>,
    ) {
        self.events.push(Event::Subscription {
            id,
            filter,
            state,
            reason,
        });
    }

    /// A filter was taken back before it was asked for.
    fn withdrawn(&mut self, ask: Ask) {
        let question = ask
            .question
            .and_then(|(number, _)| self.asking.questions.remove(&number));
        if let Some(question) = question {
            let error = Error::new(
                ErrorKind::Cancelled,
                "the filter was unsubscribed before the broker was asked for it",
            );
            self.reply(question.reply, Err(error));
        }
    }

    /// The client is closed.
    pub(super) fn requests_never_answered(&mut self) {
        let questions = core::mem::take(&mut self.asking.questions);
        self.asking = Asking::default();
        for question in questions.into_values() {
            self.reply(question.reply, Err(ErrorKind::Closed.into()));
        }
    }
}
