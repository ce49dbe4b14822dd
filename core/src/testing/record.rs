//! What the broker saw: every message from a client and every CONNECT, in order of arrival.
use crate::handoff::Handoff;
use leveret_protocol::{
    codec::{Properties, Version},
    message::{Message, QoS},
    reason::ReasonCode,
    text::Text,
};
use std::sync::{Arc, mpsc::Sender};

/// A PUBLISH that reached the broker from a client, the same message sent again included. Cloning it copies no payload.
#[derive(Clone, Debug)]
pub struct ReceivedMessage {
    pub(super) message: Message,
    pub(super) client_id: Text,
    pub(super) version: Version,
}

impl ReceivedMessage {
    /// The message alone, without who sent it.
    pub fn into_message(self) -> Message {
        self.message
    }

    /// Topic name; the one that a topic alias stands for.
    pub fn topic(&self) -> &str {
        self.message.topic()
    }

    /// Payload, which may be empty.
    pub fn payload(&self) -> &[u8] {
        self.message.payload()
    }

    /// QoS it was published with.
    pub fn qos(&self) -> QoS {
        self.message.qos()
    }

    /// Whether it is to be retained.
    pub fn retain(&self) -> bool {
        self.message.retain()
    }

    /// Whether the client says that it may have sent this packet before.
    pub fn dup(&self) -> bool {
        self.message.dup()
    }

    /// MQTT 5 properties as they were sent; empty on MQTT 3.1.1.
    pub fn properties(&self) -> &Properties {
        self.message.properties()
    }

    /// Client identifier of the sender.
    pub fn client_id(&self) -> &str {
        self.client_id.as_str()
    }

    /// Version of MQTT that the sender speaks.
    pub fn version(&self) -> Version {
        self.version
    }
}

/// A CONNECT that reached the broker, also one that it refused.
#[derive(Clone, Debug)]
pub struct ReceivedConnect {
    pub(super) client_id: Text,
    pub(super) version: Version,
    pub(super) clean_start: bool,
    pub(super) keep_alive: u16,
    pub(super) user_name: Option<Text>,
    pub(super) session_expiry: u32,
    pub(super) receive_maximum: u16,
    pub(super) has_will: bool,
    pub(super) session_present: bool,
    pub(super) reason: ReasonCode,
}

impl ReceivedConnect {
    /// Client identifier as it was sent; empty if the broker was to assign one.
    pub fn client_id(&self) -> &str {
        self.client_id.as_str()
    }

    /// Version of MQTT.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Clean Start, on MQTT 3.1.1 Clean Session.
    pub fn clean_start(&self) -> bool {
        self.clean_start
    }

    /// Keep alive in seconds; 0 means none.
    pub fn keep_alive(&self) -> u16 {
        self.keep_alive
    }

    /// User name, if there was one.
    pub fn user_name(&self) -> Option<&str> {
        self.user_name.as_ref().map(Text::as_str)
    }

    /// Session Expiry Interval in seconds, 4,294,967,295 for never. On MQTT 3.1.1 what Clean Session amounts to: 0 or never.
    pub fn session_expiry(&self) -> u32 {
        self.session_expiry
    }

    /// Receive Maximum of the client; 65,535 if it gave none.
    pub fn receive_maximum(&self) -> u16 {
        self.receive_maximum
    }

    /// Whether it brought a will.
    pub fn has_will(&self) -> bool {
        self.has_will
    }

    /// What the broker answered about the session: whether it had one. False if it refused.
    pub fn session_present(&self) -> bool {
        self.session_present
    }

    /// What the broker answered: success, or why it refused. On MQTT 3.1.1 the client is told the nearest return code.
    pub fn reason(&self) -> ReasonCode {
        self.reason
    }
}

/// The records. The broker's thread adds to them; any thread reads them, also after the broker was closed.
#[derive(Clone)]
pub(super) struct Records(Arc<Handoff<Lists>>);

#[derive(Default)]
struct Lists {
    received: Vec<ReceivedMessage>,
    connects: Vec<ReceivedConnect>,
    waiting: Vec<(usize, Sender<()>)>,
}

impl Records {
    pub(super) fn new() -> Records {
        Records(Arc::new(Handoff::new(Lists::default())))
    }

    /// Adds a message and tells those who waited for it.
    pub(super) fn add_message(&self, message: ReceivedMessage) {
        self.0.with(|lists| {
            lists.received.push(message);
            let count = lists.received.len();
            for (_, waiter) in lists.waiting.extract_if(.., |(enough, _)| *enough <= count) {
                // One that gave up at its timeout is not there to be told.
                let _ = waiter.send(());
            }
        });
    }

    pub(super) fn add_connect(&self, connect: ReceivedConnect) {
        self.0.with(|lists| lists.connects.push(connect));
    }

    pub(super) fn received(&self) -> Vec<ReceivedMessage> {
        self.0.with(|lists| lists.received.clone())
    }

    pub(super) fn received_count(&self) -> usize {
        self.0.with(|lists| lists.received.len())
    }

    pub(super) fn connects(&self) -> Vec<ReceivedConnect> {
        self.0.with(|lists| lists.connects.clone())
    }

    /// Sends to `waiter` as soon as there are `enough` messages.
    pub(super) fn tell_when(&self, enough: usize, waiter: Sender<()>) {
        self.0.with(|lists| {
            if lists.received.len() >= enough {
                // Nobody can have given up yet: the receiver is in the caller's hands.
                let _ = waiter.send(());
            } else {
                lists.waiting.push((enough, waiter));
            }
        });
    }

    /// Gives up all waits: the broker is closed and nothing more will come.
    pub(super) fn give_up_waits(&self) {
        self.0.with(|lists| lists.waiting.clear());
    }
}
