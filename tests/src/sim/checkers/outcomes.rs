//! Claims about outcomes: each letter has exactly one, at the right time, and it is true.

use leveret_protocol::engine::Cost;
use leveret_protocol::options::{ClientOptions, ExpiredInFlight, OnSessionLost};
use leveret_protocol::outcome::{Outcome, OutcomeStatus};

use super::{Failure, Verdict, claim, seconds};
use crate::sim::host::Host;
use crate::sim::ledger::{Ledger, Letter};
use crate::sim::network::Nanos;

/// What a settlement is judged by, beside the letter.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The client's options.
    pub options: &'a ClientOptions,
    /// Now.
    pub now: Nanos,
    /// When the machine woke up last: what was due while it slept is due then.
    pub woke: Nanos,
    /// The application asked to close.
    pub closing: bool,
}

/// Exactly one outcome for each letter: finds the letter that an outcome belongs to.
pub fn settled_exactly_once(
    ledger: &Ledger,
    now: Nanos,
    tag: u64,
    outcome: &Outcome,
    cost: Cost,
) -> Result<u64, Failure> {
    const NAME: &str = "settled_exactly_once";
    if tag == 0 {
        let message = || {
            format!(
                "an outcome {outcome} of {cost:?} without receipt, and no unsettled letter without receipt that it fits"
            )
        };
        return ledger
            .match_untold(now, outcome, cost)
            .ok_or_else(|| Failure {
                checker: NAME,
                message: message(),
            });
    }
    let letter = ledger.by_tag(tag).ok_or_else(|| Failure {
        checker: NAME,
        message: format!("outcome {outcome} for receipt {tag}, which was never given"),
    })?;
    claim(letter.settled.is_none(), NAME, || {
        format!(
            "receipt {tag} was settled {:?} and again {outcome}",
            letter.settled
        )
    })?;
    Ok(letter.number)
}

/// All claims about one outcome.
pub fn outcome_is_true(
    letter: &Letter,
    outcome: &Outcome,
    cost: Cost,
    circumstances: Circumstances<'_>,
) -> Verdict {
    cost_comes_back_whole(letter, outcome, cost, circumstances.options)?;
    maybe_delivered_tells_the_truth(letter, outcome)?;
    match outcome.status {
        OutcomeStatus::Acknowledged => acknowledged_means_the_broker_has_it(letter, outcome),
        OutcomeStatus::Sent => sent_means_taken_whole(letter),
        OutcomeStatus::Expired => expired_at_its_time_to_live(letter, circumstances),
        OutcomeStatus::Dropped => dropped_only_if_never_sent(letter),
        OutcomeStatus::Rejected => rejected_has_a_reason(letter, outcome),
        OutcomeStatus::Cancelled => cancelled_only_if_asked(letter),
        OutcomeStatus::SessionLost => session_lost_only_by_rule(letter, circumstances.options),
        OutcomeStatus::Closed => claim(circumstances.closing, "closed_only_if_asked", || {
            format!("letter {:x} is closed, the client is not", letter.number)
        }),
    }
}

/// What was taken comes back with the outcome, or later if the letter is to be sent again all the same.
fn cost_comes_back_whole(
    letter: &Letter,
    outcome: &Outcome,
    cost: Cost,
    options: &ClientOptions,
) -> Verdict {
    let kept = cost == Cost::ZERO && goes_on(letter, outcome, options);
    claim(letter.cost == cost || kept, "cost_comes_back_whole", || {
        format!(
            "letter {:x} took {:?} and gives {cost:?} back",
            letter.number, letter.cost
        )
    })
}

/// Settled, and sent again after a reconnect all the same (`expired_in_flight = resend`).
fn goes_on(letter: &Letter, outcome: &Outcome, options: &ClientOptions) -> bool {
    options.expired_in_flight == ExpiredInFlight::Resend
        && matches!(
            outcome.status,
            OutcomeStatus::Expired | OutcomeStatus::Cancelled
        )
        && letter.qos > 0
        && !letter.begun.is_empty()
}

/// SEMANTICS 2: true exactly if the first byte had been taken, false for what never left or is known to be delivered.
fn maybe_delivered_tells_the_truth(letter: &Letter, outcome: &Outcome) -> Verdict {
    let expected = match outcome.status {
        OutcomeStatus::Acknowledged | OutcomeStatus::Dropped => false,
        // By the broker, or because this one cannot take it: then another one, or it in another session, may have had it before.
        OutcomeStatus::Rejected => letter.answer.is_none() && !letter.begun.is_empty(),
        OutcomeStatus::Sent | OutcomeStatus::SessionLost => true,
        OutcomeStatus::Expired | OutcomeStatus::Cancelled | OutcomeStatus::Closed => {
            !letter.begun.is_empty()
        }
    };
    claim(
        outcome.maybe_delivered == expected,
        "maybe_delivered_tells_the_truth",
        || {
            format!(
                "letter {:x} is {outcome} with maybe_delivered {}, begun {} times",
                letter.number,
                outcome.maybe_delivered,
                letter.begun.len()
            )
        },
    )
}

fn acknowledged_means_the_broker_has_it(letter: &Letter, outcome: &Outcome) -> Verdict {
    const NAME: &str = "acknowledged_means_the_broker_has_it";
    claim(
        letter.answer.is_some_and(|reason| reason < 0x80),
        NAME,
        || {
            format!(
                "letter {:x} is acknowledged without an acknowledgement, answer {:?}",
                letter.number, letter.answer
            )
        },
    )?;
    claim(
        outcome
            .reason
            .is_none_or(|reason| reason.0 < 0x80 || letter.recorded.is_some()),
        NAME,
        || {
            format!(
                "letter {:x} is acknowledged with reason {:?}",
                letter.number, outcome.reason
            )
        },
    )?;
    if letter.misled {
        return Ok(());
    }
    claim(letter.onward > 0, NAME, || {
        format!(
            "letter {:x} is acknowledged and no broker passed it on",
            letter.number
        )
    })
}

fn sent_means_taken_whole(letter: &Letter) -> Verdict {
    claim(
        letter.qos == 0 && letter.was_sent(),
        "sent_means_taken_whole",
        || {
            format!(
                "letter {:x} of QoS {} is sent, taken whole: {}",
                letter.number,
                letter.qos,
                letter.was_sent()
            )
        },
    )
}

/// SEMANTICS 4: neither early nor late, on- and offline; only a sleeping machine delays it. After PUBREC there is no time to live.
fn expired_at_its_time_to_live(letter: &Letter, circumstances: Circumstances<'_>) -> Verdict {
    const NAME: &str = "expired_at_its_time_to_live";
    let Some(deadline) = letter.deadline else {
        return claim(false, NAME, || {
            format!("letter {:x} has no time to live", letter.number)
        });
    };
    let due = deadline.max(circumstances.woke);
    claim(
        letter.recorded.is_none_or(|at| at == circumstances.now),
        NAME,
        || format!("letter {:x} expired after PUBREC", letter.number),
    )?;
    claim(
        circumstances.now >= deadline && circumstances.now <= due,
        NAME,
        || {
            format!(
                "letter {:x} expired at {}, its time to live ended at {}",
                letter.number,
                seconds(circumstances.now),
                seconds(deadline)
            )
        },
    )
}

fn dropped_only_if_never_sent(letter: &Letter) -> Verdict {
    claim(
        letter.begun.is_empty(),
        "dropped_only_if_never_sent",
        || format!("letter {:x} was dropped after it was begun", letter.number),
    )
}

/// The broker refused it, or the check before sending did.
fn rejected_has_a_reason(letter: &Letter, outcome: &Outcome) -> Verdict {
    const NAME: &str = "rejected_has_a_reason";
    let refused = letter.answer.filter(|reason| *reason >= 0x80);
    claim(
        refused.is_none_or(|reason| outcome.reason.is_some_and(|told| told.0 == reason)),
        NAME,
        || {
            format!(
                "letter {:x} was refused with {refused:?} and tells {:?}",
                letter.number, outcome.reason
            )
        },
    )
}

fn cancelled_only_if_asked(letter: &Letter) -> Verdict {
    claim(letter.cancel_asked, "cancelled_only_if_asked", || {
        format!("letter {:x} is cancelled, nobody asked", letter.number)
    })
}

/// SEMANTICS 8: QoS 2 letters that were sent (unless all are posted again and PUBREC had not come), QoS 1 only on demand.
fn session_lost_only_by_rule(letter: &Letter, options: &ClientOptions) -> Verdict {
    let allowed = !letter.begun.is_empty()
        && match (options.on_session_lost, letter.qos) {
            (_, 0) => false,
            (OnSessionLost::ReportAll, _) => true,
            (OnSessionLost::RepublishQos1, qos) => qos == 2,
            (OnSessionLost::RepublishAll, qos) => qos == 2 && letter.recorded.is_some(),
        };
    claim(allowed, "session_lost_only_by_rule", || {
        format!(
            "letter {:x} of QoS {} is session_lost under {:?}, begun {}",
            letter.number,
            letter.qos,
            options.on_session_lost,
            letter.begun.len()
        )
    })
}

/// SEMANTICS 2 and 8: at QoS 2 nothing is doubled, ever, unless the application asked for it; nothing that was acknowledged is missing.
/// Nor unless the broker lost the session and the CONNACK that said so was lost as well: then 4.4.0-1 has the letter sent again.
pub fn exactly_once_is_never_doubled(letter: &Letter, host: &Host) -> Verdict {
    let first = letter.begun.first().map_or(0, |begun| begun.at);
    let allowed = letter.qos != 2
        || letter.onward <= 1 + host.sessions_lost_unheard(first)
        || host.options.on_session_lost == OnSessionLost::RepublishAll;
    claim(allowed, "exactly_once_is_never_doubled", || {
        format!(
            "QoS 2 letter {:x} was passed on {} times",
            letter.number, letter.onward
        )
    })
}

/// Whether a letter may be begun after its outcome: only again, and only if the application wants the standard's way.
pub fn may_be_late(letter: &Letter, options: &ClientOptions, now: Nanos) -> bool {
    let may = match &letter.settled {
        Some((_, outcome)) => goes_on(letter, outcome, options),
        // What was overdue when a machine woke up is told after what was sent in the same moment.
        None => {
            options.expired_in_flight == ExpiredInFlight::Resend
                && letter.qos > 0
                && letter.deadline.is_some_and(|deadline| deadline <= now)
        }
    };
    letter.was_sent() && may
}

/// SEMANTICS 4: when its time to live has passed a letter is settled, whatever the connection does.
pub fn nothing_is_overdue(ledger: &Ledger, time: Nanos) -> Verdict {
    for (deadline, number) in ledger.deadlines.range(..(time, 0)) {
        let recorded = ledger
            .letters
            .get(number)
            .is_some_and(|letter| letter.recorded.is_some());
        claim(recorded, "nothing_is_overdue", || {
            format!(
                "letter {number:x} was to expire at {} and is not settled at {}",
                seconds(*deadline),
                seconds(time)
            )
        })?;
    }
    Ok(())
}
