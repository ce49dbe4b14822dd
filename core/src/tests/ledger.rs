//! The ledger: every receipt once, what is kept and for how long, statuses that come and go.

use std::task::{Context, Poll, Waker};

use leveret_protocol::engine::Reply;
use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::outcome::{Outcome, OutcomeStatus, Status};

use super::common::requests;
use crate::handoff::Handoff;
use crate::ledger::{Keep, Ledger, MOST_UNCLAIMED, Question, Report};

fn outcome(ledger: &Handoff<Ledger>, tag: u64) -> Poll<Result<OutcomeStatus, Error>> {
    let context = Context::from_waker(Waker::noop());
    ledger
        .with(|ledger| ledger.poll_outcome(tag, &context))
        .map_ok(|outcome| outcome.status)
}

fn settle(ledger: &Handoff<Ledger>, tag: u64) {
    ledger.put(|ledger, rings| ledger.settle(tag, Outcome::new(OutcomeStatus::Sent), rings));
}

fn forgotten() -> Poll<Result<OutcomeStatus, Error>> {
    Poll::Ready(Err(ErrorKind::ReceiptForgotten.into()))
}

#[test]
fn an_outcome_is_claimed_once() {
    let ledger = Handoff::new(Ledger::new(Keep::Held, requests()));
    ledger.with(|ledger| ledger.expect_outcome(1));
    assert_eq!(outcome(&ledger, 1), Poll::Pending);
    settle(&ledger, 1);
    settle(&ledger, 1);
    let context = Context::from_waker(Waker::noop());
    let watched = || ledger.with(|ledger| ledger.watch_outcome(1, &context));
    assert!(watched().is_ready() && watched().is_ready());
    assert_eq!(outcome(&ledger, 1), Poll::Ready(Ok(OutcomeStatus::Sent)));
    assert_eq!(outcome(&ledger, 1), forgotten());
    assert_eq!(watched().map(|watched| watched.is_err()), Poll::Ready(true));
    assert_eq!(outcome(&ledger, 2), forgotten());
}

#[test]
fn of_recent_receipts_the_last_65_536_unclaimed_are_kept() {
    const MOST: u64 = MOST_UNCLAIMED as u64;
    let ledger = Handoff::new(Ledger::new(Keep::Recent, requests()));
    ledger.with(|ledger| (1..=MOST + 2).for_each(|tag| ledger.expect_outcome(tag)));
    (1..=MOST).for_each(|tag| settle(&ledger, tag));
    // A claimed one makes room for another.
    assert_eq!(outcome(&ledger, 2), Poll::Ready(Ok(OutcomeStatus::Sent)));
    settle(&ledger, MOST + 1);
    assert_eq!(outcome(&ledger, 1), Poll::Ready(Ok(OutcomeStatus::Sent)));
    settle(&ledger, MOST + 2);
    assert_eq!(outcome(&ledger, 3), Poll::Ready(Ok(OutcomeStatus::Sent)));
    // The first fills the place of the one claimed last, the second pushes the oldest out.
    for tag in MOST + 3..=MOST + 4 {
        ledger.with(|ledger| ledger.expect_outcome(tag));
        settle(&ledger, tag);
    }
    assert_eq!(outcome(&ledger, 4), forgotten());
    assert_eq!(outcome(&ledger, 5), Poll::Ready(Ok(OutcomeStatus::Sent)));
    assert_eq!(
        outcome(&ledger, MOST + 4),
        Poll::Ready(Ok(OutcomeStatus::Sent))
    );
}

#[test]
fn a_million_claimed_receipts_leave_nothing_behind() {
    let ledger = Handoff::new(Ledger::new(Keep::Recent, requests()));
    // One that is never claimed must not keep those behind it.
    ledger.with(|ledger| ledger.expect_outcome(1));
    settle(&ledger, 1);
    for tag in 2..1_000_000 {
        ledger.with(|ledger| ledger.expect_outcome(tag));
        settle(&ledger, tag);
        assert_eq!(outcome(&ledger, tag), Poll::Ready(Ok(OutcomeStatus::Sent)));
    }
    assert_eq!(outcome(&ledger, 1), Poll::Ready(Ok(OutcomeStatus::Sent)));
    assert_eq!(ledger.with(|ledger| ledger.kept()), (0, 0));
}

#[test]
fn a_held_receipt_stays_until_it_is_claimed_or_forgotten() {
    const MANY: u64 = MOST_UNCLAIMED as u64 + 10;
    let ledger = Handoff::new(Ledger::new(Keep::Held, requests()));
    for tag in 1..=MANY {
        ledger.with(|ledger| ledger.expect_outcome(tag));
        settle(&ledger, tag);
    }
    assert_eq!(outcome(&ledger, 1), Poll::Ready(Ok(OutcomeStatus::Sent)));
    (2..=MANY).for_each(|tag| ledger.with(|ledger| ledger.forget(tag)));
    assert_eq!(ledger.with(|ledger| ledger.kept()), (0, 0));
}

#[test]
fn the_end_settles_what_is_open_in_order_and_says_so_last() {
    let ledger = Handoff::new(Ledger::new(Keep::Recent, requests()));
    ledger.with(|ledger| {
        ledger.stream(true);
        ledger.expect_outcome(1);
        ledger.expect_outcome(2);
        ledger.expect_reply(3, Question::Hosts);
        ledger.expect_reply(4, Question::Close);
    });
    settle(&ledger, 1);
    ledger.put(|ledger, rings| ledger.end(rings));
    ledger.put(|ledger, rings| ledger.end(rings));
    let mut reports = Vec::new();
    ledger.with(|ledger| ledger.take_reports(&mut reports));
    let told: Vec<_> = reports
        .iter()
        .map(|report| match report {
            Report::Settled { tag, outcome } => format!("{tag} {outcome}"),
            Report::Reply { tag, .. } => format!("{tag} replied"),
            Report::Status(status) => status.to_string(),
            Report::ReadingPaused(paused) => format!("paused {paused}"),
            Report::End => "end".into(),
        })
        .collect();
    assert_eq!(told, ["1 sent", "2 closed", "closed", "end"]);
    assert_eq!(outcome(&ledger, 2), Poll::Ready(Ok(OutcomeStatus::Closed)));
    let context = Context::from_waker(Waker::noop());
    let reply = ledger.with(|ledger| ledger.poll_reply(3, &context));
    assert_eq!(reply, Poll::Ready(Err(ErrorKind::Closed.into())));
    let reply = ledger.with(|ledger| ledger.poll_reply(4, &context));
    assert_eq!(reply, Poll::Ready(Ok(Reply::Done)));
}

#[test]
fn streamed_outcomes_are_not_kept_and_private_answers_not_streamed() {
    let ledger = Handoff::new(Ledger::new(Keep::Streamed, requests()));
    ledger.with(|ledger| {
        ledger.expect_outcome(1);
        ledger.expect_reply(2, Question::Hosts);
        ledger.expect_reply(3, Question::Private);
    });
    settle(&ledger, 1);
    ledger.put(|ledger, rings| {
        ledger.answer(2, Ok(Reply::Done), rings);
        ledger.answer(3, Ok(Reply::Done), rings);
    });
    let mut reports = Vec::new();
    assert_eq!(ledger.with(|ledger| ledger.take_reports(&mut reports)), 2);
    assert!(matches!(
        reports[..],
        [Report::Settled { tag: 1, .. }, Report::Reply { tag: 2, .. }]
    ));
    let context = Context::from_waker(Waker::noop());
    assert_eq!(
        ledger.with(|ledger| ledger.poll_reply(3, &context)),
        Poll::Ready(Ok(Reply::Done))
    );
}

#[test]
fn a_status_that_came_and_went_meanwhile_counts() {
    let ledger = Handoff::new(Ledger::new(Keep::Held, requests()));
    let context = Context::from_waker(Waker::noop());
    let seen = ledger.with(|ledger| ledger.times(Status::Online));
    let poll = || ledger.with(|ledger| ledger.poll_status(Status::Online, seen, &context));
    assert_eq!(poll(), Poll::Pending);
    ledger.put(|ledger, rings| {
        ledger.set_status(Status::Online, rings);
        ledger.set_status(Status::Offline, rings);
    });
    assert_eq!(poll(), Poll::Ready(Ok(())));
    let seen = ledger.with(|ledger| ledger.times(Status::Online));
    let poll = || ledger.with(|ledger| ledger.poll_status(Status::Online, seen, &context));
    assert_eq!(poll(), Poll::Pending);
    ledger.put(|ledger, rings| ledger.end(rings));
    assert_eq!(poll(), Poll::Ready(Err(ErrorKind::Closed.into())));
}

#[test]
fn the_letters_of_requests_are_for_requests_alone() {
    for keep in [Keep::Held, Keep::Recent, Keep::Streamed] {
        let ledger = Handoff::new(Ledger::new(keep, requests()));
        ledger.with(|ledger| ledger.expect_private_outcome(1));
        assert_eq!(outcome(&ledger, 1), Poll::Pending);
        settle(&ledger, 1);
        let mut reports = Vec::new();
        ledger.with(|ledger| ledger.take_reports(&mut reports));
        assert!(reports.is_empty(), "{keep:?}: {reports:?}");
        assert_eq!(ledger.with(|ledger| ledger.kept()), (1, 0));
        assert_eq!(outcome(&ledger, 1), Poll::Ready(Ok(OutcomeStatus::Sent)));
        assert_eq!(ledger.with(|ledger| ledger.kept()), (0, 0));
        assert_eq!(outcome(&ledger, 1), forgotten());
    }
}

#[test]
fn an_answer_asked_for_twice_says_that_it_is_gone() {
    let ledger = Handoff::new(Ledger::new(Keep::Held, requests()));
    ledger.with(|ledger| ledger.expect_reply(1, Question::Hosts));
    ledger.put(|ledger, rings| ledger.answer(1, Ok(Reply::Done), rings));
    let reply = || {
        let context = Context::from_waker(Waker::noop());
        ledger.with(|ledger| ledger.poll_reply(1, &context))
    };
    assert_eq!(reply(), Poll::Ready(Ok(Reply::Done)));
    let Poll::Ready(Err(error)) = reply() else {
        panic!("it was claimed");
    };
    assert_eq!(error.kind, ErrorKind::ReceiptForgotten);
    assert_eq!(
        error.to_string(),
        "the answer to this question is no longer kept"
    );
}
