//! The handoffs under loom: every interleaving of a few threads that use them as the client does.

use std::sync::Arc;
use std::task::Poll;

use leveret_protocol::engine::{Batch, Command, Cost, Reply};
use leveret_protocol::options::InboxOverflow;
use leveret_protocol::outcome::{Outcome, OutcomeStatus, Status};
use loom::thread;

use super::common::{counted, letter_cost, message, requests};
use crate::handoff::{Handoff, block_on};
use crate::inbox::{Inbox, QueueId};
use crate::ledger::{Keep, Ledger, Question};
use crate::outbox::{Full, Outbox};

/// Takes from the outbox until `wanted` commands came; how many times it was woken for nothing.
fn drive(outbox: &Handoff<Outbox>, wanted: usize) {
    let mut batch = Batch::default();
    let mut found = 0;
    while found < wanted {
        block_on(None, |context| {
            outbox.with(|outbox| outbox.poll_take(&mut batch, context))
        });
        found += batch.len();
        batch = Batch::default();
    }
    assert_eq!(found, wanted);
}

#[test]
fn every_command_reaches_a_driver_that_sleeps_between_takes() {
    loom::model(|| {
        let outbox = Arc::new(Handoff::new(Outbox::new(
            letter_cost(1),
            counted(Status::Offline),
        )));
        let callers: Vec<_> = (0..2)
            .map(|_| {
                let outbox = Arc::clone(&outbox);
                thread::spawn(move || {
                    outbox.put(|outbox, rings| outbox.push(Command::Reconnect, rings))
                })
            })
            .collect();
        drive(&outbox, 2);
        for caller in callers {
            caller.join().unwrap().unwrap();
        }
    });
}

#[test]
fn a_sender_who_is_held_up_learns_of_the_room_that_is_given_back() {
    loom::model(|| {
        let outbox = Arc::new(Handoff::new(Outbox::new(
            letter_cost(1),
            counted(Status::Online),
        )));
        outbox.with(|outbox| outbox.admit(letter_cost(1)).unwrap());
        let sender = Arc::clone(&outbox);
        let sender = thread::spawn(move || {
            block_on(None, |context| {
                sender.with(|outbox| match outbox.admit(letter_cost(1)) {
                    Ok(()) => Poll::Ready(()),
                    Err(Full::HeldUp) => {
                        outbox.wait_for_room(context);
                        Poll::Pending
                    }
                    Err(Full::AskForRoom(_)) => unreachable!("the client stays online"),
                })
            })
        });
        outbox.put(|outbox, rings| outbox.settle(letter_cost(1), counted(Status::Online), rings));
        sender.join().unwrap().unwrap();
        assert_eq!(outbox.with(|outbox| outbox.used()), letter_cost(1));
    });
}

#[test]
fn a_sender_who_is_held_up_decides_anew_when_the_link_drops() {
    loom::model(|| {
        let outbox = Arc::new(Handoff::new(Outbox::new(
            letter_cost(1),
            counted(Status::Online),
        )));
        outbox.with(|outbox| outbox.admit(letter_cost(1)).unwrap());
        let sender = Arc::clone(&outbox);
        let sender = thread::spawn(move || {
            block_on(None, |context| {
                sender.with(|outbox| match outbox.admit(letter_cost(1)) {
                    Err(Full::AskForRoom(lacking)) => Poll::Ready(lacking),
                    _ => {
                        outbox.wait_for_room(context);
                        Poll::Pending
                    }
                })
            })
        });
        outbox.put(|outbox, rings| outbox.settle(Cost::ZERO, counted(Status::Offline), rings));
        assert_eq!(sender.join().unwrap(), Some(letter_cost(1)));
    });
}

#[test]
fn whoever_waits_for_an_outcome_gets_it_or_closed_and_only_once() {
    loom::model(|| {
        let ledger = Arc::new(Handoff::new(Ledger::new(Keep::Held, requests())));
        ledger.with(|ledger| ledger.expect_outcome(1));
        let waiter = Arc::clone(&ledger);
        let waiter = thread::spawn(move || {
            block_on(None, |context| {
                waiter.with(|ledger| ledger.poll_outcome(1, context))
            })
        });
        let ending = Arc::clone(&ledger);
        let ending = thread::spawn(move || ending.put(|ledger, rings| ledger.end(rings)));
        let outcome = Outcome::new(OutcomeStatus::Sent);
        ledger.put(|ledger, rings| ledger.settle(1, outcome, rings));
        let outcome = waiter.join().unwrap().unwrap().unwrap();
        assert!(matches!(
            outcome.status,
            OutcomeStatus::Sent | OutcomeStatus::Closed
        ));
        ending.join().unwrap();
    });
}

#[test]
fn a_question_entered_under_the_outbox_is_answered_to_its_asker() {
    loom::model(|| {
        let outbox = Arc::new(Handoff::new(Outbox::new(
            letter_cost(1),
            counted(Status::Offline),
        )));
        let ledger = Arc::new(Handoff::new(Ledger::new(Keep::Held, requests())));
        let (driver_outbox, driver_ledger) = (Arc::clone(&outbox), Arc::clone(&ledger));
        let driver = thread::spawn(move || {
            drive(&driver_outbox, 1);
            driver_ledger.put(|ledger, rings| ledger.answer(1, Ok(Reply::Done), rings));
        });
        let question = outbox.put(|outbox, rings| {
            let tag = outbox.next_tag();
            ledger.with(|ledger| ledger.expect_reply(tag, Question::Hosts));
            outbox.push(Command::Flush { reply: tag }, rings).unwrap();
            tag
        });
        let answer = block_on(None, |context| {
            ledger.with(|ledger| ledger.poll_reply(question, context))
        });
        assert_eq!(answer, Some(Ok(Reply::Done)));
        driver.join().unwrap();
    });
}

#[test]
fn messages_reach_a_reader_and_room_reaches_the_driver() {
    loom::model(|| {
        let inbox = Arc::new(Handoff::new(Inbox::new(1, usize::MAX, InboxOverflow::Wait)));
        inbox.with(|inbox| inbox.routes.general = crate::routes::General::Handler);
        let driver = Arc::clone(&inbox);
        let driver = thread::spawn(move || {
            for _ in 0..2 {
                let full = driver.put(|inbox, rings| {
                    assert_eq!(inbox.deliver(message(), rings), None);
                    inbox.pause(rings)
                });
                assert!(full);
                block_on(None, |context| {
                    driver.with(|inbox| inbox.poll_room(context))
                });
            }
        });
        let mut taken = Vec::new();
        while taken.len() < 2 {
            block_on(None, |context| {
                inbox.put(|inbox, rings| {
                    inbox.poll_take(QueueId::MAIN, 1, &mut taken, rings, context)
                })
            });
        }
        inbox.put(|inbox, rings| inbox.take(QueueId::MAIN, 1, &mut taken, rings));
        driver.join().unwrap();
    });
}
