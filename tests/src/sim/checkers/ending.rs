//! Claims about where a run comes to: bounds on the way, everything drained, restored, delivered and closed in the end.

use leveret_protocol::engine::Cost;
use leveret_protocol::outcome::{Status, SubscriptionState};

use super::{Verdict, claim, outcomes};
use crate::sim::broker::manners::FOREIGN_FILTER;
use crate::sim::host::Host;
use crate::sim::world::World;

/// SEMANTICS 6: the bounds hold at every moment, and what is taken is what the unsettled letters cost.
pub fn bounds_are_kept(host: &Host) -> Verdict {
    let limit = Cost {
        messages: host.options.max_queued_messages,
        bytes: host.options.max_queued_bytes,
    };
    let used = host.budget.used();
    claim(limit.covers(used), "bounds_are_kept", || {
        format!("{used:?} of {limit:?}")
    })
}

/// The sum of what unsettled letters took, for the end of a run: too slow for every step.
fn owed(host: &Host) -> Cost {
    host.ledger
        .letters
        .values()
        .filter(|letter| letter.settled.is_none())
        .fold(Cost::ZERO, |sum, letter| sum + letter.cost)
}

/// After the faults everything drains in bounded virtual time.
pub fn drains_in_bounded_time(world: &World) -> Verdict {
    let waiting: Vec<String> = (0..world.hosts.len())
        .filter_map(|client| world.why_not_drained(client).map(|words| words()))
        .collect();
    claim(waiting.is_empty(), "drains_in_bounded_time", || {
        waiting.join("; ")
    })
}

/// Every client that was told to close has said so in time.
pub fn closes_in_bounded_time(world: &World) -> Verdict {
    let open: Vec<String> = world
        .hosts
        .iter()
        .enumerate()
        .filter(|(_, host)| !host.closed())
        .map(|(client, host)| {
            format!(
                "client {client} is {:?} with {} letters and questions {:?}",
                host.status, host.ledger.live, host.questions
            )
        })
        .collect();
    claim(open.is_empty(), "closes_in_bounded_time", || {
        open.join("; ")
    })?;
    claim(world.links.is_empty(), "closes_in_bounded_time", || {
        format!("{} links are left", world.links.len())
    })
}

/// When all clients are closed, nothing is left: no letter, no question, no budget.
pub fn everything_is_settled(world: &World) -> Verdict {
    for (client, host) in world.hosts.iter().enumerate() {
        claim(host.status == Status::Closed, "closed_at_the_end", || {
            format!("client {client} is {:?}", host.status)
        })?;
        claim(host.ledger.live == 0, "every_letter_is_settled", || {
            let left = host
                .ledger
                .letters
                .values()
                .find(|letter| letter.settled.is_none());
            format!(
                "client {client} has {} letters without outcome, {left:?}",
                host.ledger.live
            )
        })?;
        claim(
            host.questions.is_empty(),
            "every_question_is_answered",
            || format!("client {client}: {:?}", host.questions),
        )?;
        claim(
            owed(host) == Cost::ZERO && host.budget.used() == Cost::ZERO,
            "budget_returns_to_zero",
            || format!("client {client}: {:?}", host.budget),
        )?;
        for letter in host.ledger.letters.values() {
            outcomes::exactly_once_is_never_doubled(letter, host)?;
        }
    }
    Ok(())
}

/// SEMANTICS 13: what is declared and not refused is what the broker has.
pub fn subscriptions_are_restored(world: &World) -> Verdict {
    for (client, host) in world.hosts.iter().enumerate() {
        let session = world.session_of(client);
        // One that cannot speak with each of its brokers may be away from the one that has its session.
        let Some(session) = session.filter(|_| !host.unreachable) else {
            continue;
        };
        let declared: Vec<&String> = host
            .filters
            .iter()
            .filter(|(_, declared)| declared.state != SubscriptionState::Refused)
            .map(|(filter, _)| filter)
            .collect();
        let missing: Vec<_> = declared
            .iter()
            .filter(|filter| !session.subscriptions.contains_key(**filter))
            .collect();
        claim(missing.is_empty(), "subscriptions_are_restored", || {
            format!("client {client} declared {missing:?}, the broker does not have them")
        })?;
        // What an earlier life left there, or this one before it went to another broker and took it back there.
        let left = host.left_filters.get(&host.ledger.session_at.0);
        let extra: Vec<_> = session
            .subscriptions
            .keys()
            .filter(|filter| {
                !host.filters.contains_key(*filter)
                    && *filter != FOREIGN_FILTER
                    && !left.is_some_and(|left| left.contains(filter))
            })
            .collect();
        claim(extra.is_empty(), "subscriptions_are_taken_back", || {
            format!("client {client} took {extra:?} back, the broker still has them")
        })?;
    }
    Ok(())
}

/// QoS 1 and 2 messages that the broker did not give up have been handed over, QoS 2 exactly as often as there were copies.
pub fn messages_have_arrived(world: &World) -> Verdict {
    for (client, host) in world.hosts.iter().enumerate() {
        let left_out = host.closing.is_some() || host.unreachable;
        if left_out || world.session_of(client).is_none() {
            continue;
        }
        let elsewhere = world.copies_elsewhere(client);
        for ((number, qos), copies) in host.consumer.copies.iter().filter(|((_, qos), _)| *qos > 0)
        {
            let lying = elsewhere.get(&(*number, *qos)).copied().unwrap_or(0);
            // Of a session that began unheard, what comes with DUP cannot be told from a message of the old one that has the same identifier.
            let taken_for_another = *qos == 2 && host.sessions_lost_unheard(0) > 0;
            claim(
                taken_for_another || copies.delivered + copies.given_up + lying >= copies.made,
                "messages_have_arrived",
                || format!("client {client} got message {number:x} at QoS {qos} {copies:?}"),
            )?;
        }
    }
    Ok(())
}
