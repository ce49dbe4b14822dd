//! Claims about connections: when they are dialed, how long silence may last, which states follow which.

use super::{Verdict, claim, seconds};
use crate::sim::frames::{Frame, kind};
use crate::sim::host::Host;
use crate::sim::link::Link;
use crate::sim::network::{Nanos, SECOND};
use crate::sim::tally::Tally;

fn nanos(duration: leveret_protocol::time::Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// SEMANTICS 9: dials count up and name a known endpoint.
pub fn dial_is_known(host: &Host, attempt: u64, endpoint: usize) -> Verdict {
    claim(
        attempt == host.line.attempt + 1,
        "attempts_count_up",
        || format!("attempt {attempt} after attempt {}", host.line.attempt),
    )?;
    claim(endpoint < host.plan.endpoints, "endpoint_is_known", || {
        format!("endpoint {endpoint} of {}", host.plan.endpoints)
    })
}

/// SEMANTICS 9: attempts wait between `backoff_min` and `backoff_max`, unless the application is in a hurry.
pub fn attempt_is_due(host: &Host, now: Nanos) -> Verdict {
    claim(
        host.closing.is_none_or(|until| now <= host.noticed(until)),
        "closing_dials_no_more",
        || "an attempt though the client was to be closed by now".into(),
    )?;
    let Some(ended) = host.line.ended_at else {
        let hurried = host.line.hurried;
        return claim(now == 0 || hurried, "first_dial_is_at_once", || {
            format!("the first dial is at {}", seconds(now))
        });
    };
    // On 3.1.1 a kept session is ended by one more connection, with Clean Session.
    let ends_session = host.closing.is_some() && host.line.parted_on_311;
    if host.line.hurried || ends_session {
        return Ok(());
    }
    let waited = now.saturating_sub(ended);
    let (least, most) = backoff(host);
    claim(waited >= least, "backoff_is_not_too_short", || {
        format!(
            "dialed after {}, not before {} was allowed",
            seconds(waited),
            seconds(least)
        )
    })?;
    claim(
        now <= host.noticed(ended.saturating_add(most)),
        "backoff_is_not_too_long",
        || {
            format!(
                "dialed after {}, attempt {} had to wait {} at most",
                seconds(waited),
                host.line.attempts,
                seconds(most)
            )
        },
    )
}

/// The shortest and the longest wait for the next attempt: the cap doubles with every attempt and starts over after 10 s online;
/// after a takeover it is the longest.
fn backoff(host: &Host) -> (Nanos, Nanos) {
    let (least, most) = (
        nanos(host.options.backoff_min),
        nanos(host.options.backoff_max),
    );
    if host.line.taken_over {
        return (most, most);
    }
    let attempts = if host.line.settled() {
        1
    } else {
        host.line.attempts.max(1)
    };
    let cap = least.saturating_mul(1 << attempts.min(40));
    (least, cap.clamp(least, most))
}

/// SEMANTICS 9 and 10: `reconnect` says DISCONNECT if it can, so that there is no will; a missing PINGRESP does not.
pub fn farewell_is_right(link: &Link, host: &Host, now: Nanos) -> Verdict {
    let deadline = link.ping_at.map(|ping| {
        ping.max(link.last_heard)
            .saturating_add(patience(link, host))
    });
    let late = deadline.is_some_and(|deadline| now >= deadline);
    let anew = host.line.asked_anew == Some(now);
    // Where the pong is overdue just then, such as at a waking, the connection counts as lost before the question is heard.
    let could = host.line.online && !link.stalled && !late;
    claim(
        !anew || !could || link.sent.goodbye,
        "reconnect_says_goodbye",
        || "the application asked for a new connection, and there was no DISCONNECT".into(),
    )?;
    let another_reason = anew || host.closing.is_some() || host.turn.violation.is_some();
    claim(
        !late || another_reason || !link.sent.goodbye,
        "missing_pong_leaves_the_will",
        || "PINGRESP is missing, and there was a DISCONNECT".into(),
    )
}

/// DISCONNECT says that the will is to be published only where the application said so.
pub fn goodbye_says_why(host: &Host, frame: &Frame) -> Verdict {
    claim(
        frame.level != 5 || frame.reason != 4 || host.closing_with_will,
        "goodbye_says_why",
        || format!("{frame:?}, and nobody wanted the will"),
    )
}

/// 4.12: while the application has not agreed to what the broker said last, nothing but acknowledgements and pings is sent.
pub fn nothing_before_the_last_step(host: &Host, frame: &Frame) -> Verdict {
    let early = matches!(
        frame.kind,
        kind::PUBLISH | kind::SUBSCRIBE | kind::UNSUBSCRIBE
    );
    claim(
        !early || !host.asking.unsettled,
        "nothing_before_the_last_step",
        || format!("{frame:?} while the last step of authentication is to be taken"),
    )
}

/// 3.1.2-20 (MQTT 5), 3.1.2-23 (3.1.1): the silence before a frame is not longer than the keep alive.
pub fn keep_alive_is_kept(link: &Link, host: &Host, now: Nanos) -> Verdict {
    // Before CONNACK nothing is to be sent, however long it takes to come.
    let said = link.last_said.saturating_add(link.keep_alive);
    let due = host.noticed(said.max(link.accepted_at));
    claim(
        !link.sent.accepted || link.keep_alive == 0 || now <= due,
        "keep_alive_is_kept",
        || {
            format!(
                "nothing was sent from {} to {}, the keep alive is {} (5.0 MQTT-3.1.2-20, 3.1.1 MQTT-3.1.2-23)",
                seconds(link.last_said),
                seconds(now),
                seconds(link.keep_alive)
            )
        },
    )
}

/// What has to happen on a connection before time goes on to `at`.
pub fn line_is_watched(link: &Link, host: &Host, at: Nanos) -> Verdict {
    if link.hung_up {
        return Ok(());
    }
    let accepted = link.sent.accepted;
    let limit = host.noticed(
        link.dialed
            .saturating_add(nanos(host.options.connect_timeout)),
    );
    claim(accepted || at <= limit, "connect_timeout_is_kept", || {
        format!(
            "dialed at {}, at {} there is no CONNACK and no end, connect_timeout is {:?}",
            seconds(link.dialed),
            seconds(at),
            host.options.connect_timeout
        )
    })?;
    if !link.stalled && !link.sent.goodbye {
        keep_alive_is_kept(link, host, at)?;
    }
    missing_pong_ends_the_link(link, host, at)
}

/// SEMANTICS 10: a PINGREQ that is not answered in time ends the connection; not while reading is paused.
fn missing_pong_ends_the_link(link: &Link, host: &Host, at: Nanos) -> Verdict {
    let Some(ping) = link.ping_at.filter(|_| !host.consumer.reading_paused) else {
        return Ok(());
    };
    let patience = patience(link, host);
    let due = host.noticed(
        ping.max(link.last_heard)
            .max(host.consumer.resumed_at)
            .saturating_add(patience),
    );
    claim(at <= due, "missing_pong_ends_the_link", || {
        format!(
            "PINGREQ was sent at {}, at {} there is no PINGRESP and no end",
            seconds(ping),
            seconds(at)
        )
    })
}

/// How long an answer to a ping is waited for.
fn patience(link: &Link, host: &Host) -> Nanos {
    let usual = if link.keep_alive == 0 {
        10 * SECOND
    } else {
        (link.keep_alive / 2).min(10 * SECOND)
    };
    host.options.ping_timeout.map_or(usual, nanos)
}

/// The state changes as the states themselves say they may.
pub fn state_follows(host: &mut Host, tally: &mut Tally) -> Verdict {
    let state = host.engine.state();
    let before = std::mem::replace(&mut host.state, state);
    if before == state {
        return Ok(());
    }
    tally.count(&format!("state: {before:?} to {state:?}"));
    claim(before.may_follow(state), "state_follows", || {
        format!("{before:?} is followed by {state:?}")
    })
}
