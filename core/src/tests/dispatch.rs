//! The pool for host callbacks: one client's in order, no client behind another, few threads.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use super::script::SOON;
use crate::dispatch::Strand;

/// A strand that sends what it found, one at a time, after doing `work`.
fn strand(
    sender: &Sender<u32>,
    work: impl Fn(u32) + Send + Sync + 'static,
) -> (Strand, Sender<u32>) {
    let (put, take) = channel();
    let take: Mutex<Receiver<u32>> = Mutex::new(take);
    let sender = sender.clone();
    let run = move || {
        // A second caller at the same time would find the lock taken.
        let take = take
            .try_lock()
            .expect("a strand never runs twice at a time");
        let Ok(number) = take.try_recv() else {
            return false;
        };
        work(number);
        sender.send(number).unwrap();
        true
    };
    (Strand::new(run), put)
}

#[test]
fn a_strand_runs_in_order_and_never_twice_at_a_time() {
    let (sender, found) = channel();
    let (strand, put) = strand(&sender, |_| {});
    for number in 0..10_000 {
        put.send(number).unwrap();
        strand.ring();
    }
    for number in 0..10_000 {
        assert_eq!(found.recv_timeout(SOON), Ok(number));
    }
}

#[test]
fn strands_that_block_do_not_hold_up_the_others() {
    let (sender, found) = channel();
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock().unwrap();
    let blocked: Vec<_> = (0..20)
        .map(|_| {
            let gate = Arc::clone(&gate);
            let (strand, put) = strand(&sender, move |_| drop(gate.lock()));
            put.send(1).unwrap();
            strand.ring();
            (strand, put)
        })
        .collect();
    let (free, put) = strand(&sender, |_| {});
    put.send(2).unwrap();
    free.ring();
    assert_eq!(found.recv_timeout(SOON), Ok(2));
    drop(closed);
    for _ in &blocked {
        assert_eq!(found.recv_timeout(SOON), Ok(1));
    }
}

#[test]
fn a_strand_knows_the_thread_it_runs_on_and_survives_a_panic() {
    let (sender, found) = channel();
    let me: Arc<Mutex<Option<Strand>>> = Arc::default();
    let inside = Arc::clone(&me);
    let (strand, put) = strand(&sender, move |number| {
        let me = inside.lock().unwrap().clone();
        assert!(number != 1, "the panic that the test asked for");
        assert!(me.is_some_and(|strand| strand.is_current()));
    });
    *me.lock().unwrap() = Some(strand.clone());
    assert!(!strand.is_current());
    put.send(0).unwrap();
    strand.ring();
    assert_eq!(found.recv_timeout(SOON), Ok(0));
    let (other_sender, other_found) = channel();
    let (other, other_put) = self::strand(&other_sender, |_| {});
    put.send(1).unwrap();
    strand.ring();
    other_put.send(3).unwrap();
    other.ring();
    assert_eq!(
        other_found.recv_timeout(SOON),
        Ok(3),
        "the thread goes on with other strands"
    );
}
