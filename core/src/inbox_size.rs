//! How much lies in an inbox, by which it is called full: messages, and bytes with their bookkeeping.

use leveret_protocol::message::Message;

use crate::inbox::Delivery;

/// How much lies in the inbox: messages, and bytes with their bookkeeping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

impl Size {
    /// Bytes counted for each message on top of topic and payload.
    const PER_MESSAGE: usize = 128;

    pub(crate) fn of(message: &Message) -> Size {
        let bytes = message.topic.as_str().len() + message.payload.len() + Size::PER_MESSAGE;
        Size { messages: 1, bytes }
    }

    /// What a delivery takes of the inbox. News is bounded by itself, and steps of authentication by their exchange; one attempt is prepared, and its handshake signed, at a time.
    pub(crate) fn of_delivery(delivery: &Delivery) -> Size {
        match delivery {
            Delivery::Message(arrival) => Size::of(&arrival.message),
            Delivery::Packet(shown) => Size {
                messages: 1,
                bytes: shown.properties.encoded().len() + Size::PER_MESSAGE,
            },
            Delivery::News(_) | Delivery::Prepare(_) | Delivery::Authenticate(_) => Size::default(),
            #[cfg(feature = "tls")]
            Delivery::Sign(_) => Size::default(),
        }
    }

    pub(crate) fn add(&mut self, other: Size) {
        self.messages += other.messages;
        self.bytes += other.bytes;
    }

    pub(crate) fn remove(&mut self, other: Size) {
        self.messages = self.messages.saturating_sub(other.messages);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }

    pub(crate) fn reaches(self, limit: Size) -> bool {
        self.messages >= limit.messages || self.bytes >= limit.bytes
    }

    /// Reading goes on below three quarters, so that it does not stop and start at every message.
    pub(crate) fn three_quarters(self) -> Size {
        let most = |limit: usize| (limit - limit / 4).max(1);
        Size {
            messages: most(self.messages),
            bytes: most(self.bytes),
        }
    }
}
