//! Claims about messages that are handed to the application.

use leveret_protocol::engine::Incoming;

use super::{Verdict, claim};
use crate::sim::frames;
use crate::sim::host::Host;
use crate::sim::matching;

/// All claims about one message; `known` is its number.
pub fn message_is_right(host: &Host, incoming: &Incoming, known: Option<u64>) -> Verdict {
    let message = &incoming.message;
    let qos = u8::from(message.qos);
    claim(
        incoming.token.is_some() == (qos > 0),
        "token_where_an_ack_is_due",
        || format!("QoS {qos} with token {:?}", incoming.token),
    )?;
    subscriptions_match(host, incoming)?;
    let Some(number) = known else { return Ok(()) };
    claim(
        frames::payload(number, message.payload.len()) == message.payload,
        "message_is_intact",
        || format!("message {number:x} came with another payload"),
    )?;
    let copies = host
        .consumer
        .copies
        .get(&(number, qos))
        .copied()
        .unwrap_or_default();
    claim(copies.made > 0, "message_was_sent", || {
        format!("message {number:x} at QoS {qos} was never in this client's session")
    })?;
    // 4.3.3-10: at QoS 2 (and 0) no copy is handed over twice.
    claim(
        qos == 1 || copies.delivered < copies.made + copies.failed + copies.left,
        "delivered_at_most_once",
        || {
            format!(
                "message {number:x} at QoS {qos} was handed over {} times, of {} copies",
                copies.delivered + 1,
                copies.made
            )
        },
    )
}

/// Each subscription it is said to be for is declared and matches its topic.
fn subscriptions_match(host: &Host, incoming: &Incoming) -> Verdict {
    let topic = incoming.message.topic();
    for id in incoming.subscriptions.iter() {
        let Some((filter, _)) = host.filters.iter().find(|(_, declared)| declared.id == id) else {
            continue;
        };
        claim(
            matching::matches(filter, topic),
            "subscriptions_match",
            || format!("a message on {topic} is said to be for {filter}"),
        )?;
    }
    let missed = host.filters.iter().find(|(filter, declared)| {
        declared.granted
            && matching::matches(filter, topic)
            && !filter.starts_with("$share/")
            && !incoming.subscriptions.iter().any(|id| id == declared.id)
    });
    claim(
        missed.is_none() || !incoming.subscriptions.is_empty(),
        "subscriptions_match",
        || {
            format!(
                "a message on {topic} is said to match nothing, {:?} does",
                missed.map(|(filter, _)| filter)
            )
        },
    )
}
