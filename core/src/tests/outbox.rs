//! The outbox: room that is taken and given back, and what a sender is told when there is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use leveret_protocol::engine::{Batch, Command, Cost};
use leveret_protocol::error::ErrorKind;
use leveret_protocol::outcome::Status;

use super::common::{counted, letter_cost};
use crate::handoff::Handoff;
use crate::outbox::{Full, LEAST_UNREAD, Outbox};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Count>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn outbox(status: Status) -> Handoff<Outbox> {
    Handoff::new(Outbox::new(letter_cost(2), counted(status)))
}

#[test]
fn the_driver_is_woken_once_per_batch() {
    let outbox = outbox(Status::Online);
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let context = Context::from_waker(&waker);
    let mut batch = Batch::default();
    let mut take = || {
        outbox
            .with(|outbox| outbox.poll_take(&mut batch, &context))
            .is_ready()
    };
    let push = || {
        outbox
            .put(|outbox, rings| outbox.push(Command::Reconnect, rings))
            .unwrap();
    };
    push();
    assert_eq!(
        count.get(),
        0,
        "a driver that has not looked yet needs no waking"
    );
    assert!(take());
    assert!(!take());
    (0..100).for_each(|_| push());
    assert_eq!(count.get(), 1);
}

#[test]
fn a_full_post_office_holds_up_online_and_asks_offline() {
    for (status, lacking) in [
        (Status::Online, Full::HeldUp),
        (Status::Offline, Full::AskForRoom(letter_cost(1))),
    ] {
        let outbox = outbox(status);
        outbox.with(|outbox| {
            assert_eq!(outbox.admit(letter_cost(2)), Ok(()));
            assert_eq!(outbox.admit(letter_cost(1)), Err(lacking));
        });
        outbox.put(|outbox, rings| outbox.settle(letter_cost(1), counted(status), rings));
        assert_eq!(outbox.with(|outbox| outbox.admit(letter_cost(1))), Ok(()));
    }
}

#[test]
fn writable_means_room_for_what_was_refused() {
    let outbox = outbox(Status::Online);
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let context = Context::from_waker(&waker);
    outbox.with(|outbox| {
        assert_eq!(outbox.poll_writable(&context), Poll::Ready(Ok(())));
        assert_eq!(outbox.admit(letter_cost(2)), Ok(()));
        assert_eq!(outbox.admit(letter_cost(2)), Err(Full::HeldUp));
        assert_eq!(outbox.poll_writable(&context), Poll::Pending);
    });
    let give_back = || {
        outbox.put(|outbox, rings| outbox.settle(letter_cost(1), counted(Status::Online), rings));
    };
    give_back();
    assert_eq!(count.get(), 0, "room for one is not enough");
    give_back();
    assert_eq!(count.get(), 1);
    assert_eq!(
        outbox.with(|outbox| outbox.poll_writable(&context)),
        Poll::Ready(Ok(()))
    );
}

#[test]
fn a_closing_client_takes_commands_and_no_letters_a_closed_one_neither() {
    let outbox = outbox(Status::Offline);
    outbox.put(|outbox, rings| outbox.begin_close(rings));
    assert_eq!(
        outbox.with(|outbox| outbox.check_open()),
        Err(ErrorKind::Closed.into())
    );
    let push = || outbox.put(|outbox, rings| outbox.push(Command::Flush { reply: 1 }, rings));
    assert_eq!(push(), Ok(()));
    outbox.put(|outbox, rings| outbox.end(rings));
    assert_eq!(push(), Err(ErrorKind::Closed.into()));
    assert_eq!(outbox.with(|outbox| outbox.used()), Cost::ZERO);
}

#[test]
fn a_host_that_takes_no_reports_gets_no_more_letters_accepted() {
    let outbox = outbox(Status::Offline);
    outbox.with(|outbox| {
        assert_eq!(outbox.admit(letter_cost(1)), Ok(()));
        outbox.reports_made(LEAST_UNREAD - 1);
        assert_eq!(outbox.admit(letter_cost(1)), Ok(()));
        outbox.reports_made(1);
        assert_eq!(outbox.admit(letter_cost(1)), Err(Full::HeldUp));
    });
    outbox.put(|outbox, rings| outbox.reports_taken(1, rings));
    // Full as it is, the overflow rule decides again.
    let admitted = outbox.with(|outbox| outbox.admit(letter_cost(1)));
    assert!(matches!(admitted, Err(Full::AskForRoom(_))));
}
