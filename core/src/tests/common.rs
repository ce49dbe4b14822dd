//! Small things that several tests need.

use leveret_protocol::engine::{Cost, Engine, EngineStats, Incoming, Matches};
use leveret_protocol::message::{Message, QoS};
use leveret_protocol::options::ClientOptions;
use leveret_protocol::outcome::Status;
use leveret_protocol::time::Instant;

use crate::requests::Requests;

/// The cost of letters without contents.
pub(crate) fn letter_cost(letters: u32) -> Cost {
    Cost {
        messages: letters,
        bytes: u64::from(letters) * Cost::PER_LETTER,
    }
}

/// What an engine of this status counts that has done nothing yet.
pub(crate) fn counted(status: Status) -> EngineStats {
    let stats = Engine::new(ClientOptions::default(), 1, 1).stats(Instant::ZERO);
    EngineStats { status, ..stats }
}

/// A QoS 0 message that matches no filter.
pub(crate) fn message() -> Incoming {
    numbered(0)
}

/// A QoS 0 message that matches no filter and has a number as its payload.
pub(crate) fn numbered(number: u32) -> Incoming {
    let message = Message {
        topic: "topic".into(),
        payload: number.to_string().into(),
        qos: QoS::AtMostOnce,
        ..Message::default()
    };
    Incoming {
        message,
        token: None,
        subscriptions: Matches::default(),
    }
}

/// No request was made yet.
pub(crate) fn requests() -> Requests {
    Requests::new(&ClientOptions::default(), 1)
}
