//! The end: letters get their time, the broker a DISCONNECT, every receipt its outcome.
use leveret_protocol::codec::Packet;
use leveret_protocol::engine::{Command, Event, Input, Reply, State};
use leveret_protocol::error::ErrorKind;
use leveret_protocol::message::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use leveret_protocol::options::ClientOptions;
use leveret_protocol::outcome::Status;

use leveret_protocol::options::CloseOptions;

use crate::bench::*;

fn close(bench: &mut Bench, end_session: Option<bool>) -> u64 {
    bench
        .ask(|reply| Command::Close {
            reply,
            options: Box::new(CloseOptions {
                timeout: Some(seconds(5)),
                end_session,
                ..CloseOptions::new()
            }),
        })
        .0
}

fn is_closed(bench: &Bench, reply: u64) -> bool {
    let answered = bench.reply(reply) == Some(Ok(Reply::Done));
    assert_eq!(answered, bench.engine.state() == State::Closed);
    answered
}

#[test]
fn close_waits_for_acknowledgements_then_says_goodbye() {
    let mut bench = Bench::online(speaking(V5));
    let letter = bench.publish("a", &at(AtLeastOnce));
    let reply = close(&mut bench, None);
    assert!(!is_closed(&bench, reply));
    bench.give(Packet::PubAck(ack(1)));
    assert_eq!(bench.settled(letter), Some(("acknowledged", false)));
    assert!(is_closed(&bench, reply));
    let sent = bench.sent();
    let disconnect = disconnect_of(&sent).expect("a DISCONNECT");
    assert_eq!(
        disconnect.properties.session_expiry_interval(),
        Some(0),
        "the session ends"
    );
    assert_eq!(bench.hang_ups, [true]);
    assert!(matches!(
        bench.events[..],
        [.., Event::Status(Status::Closed), Event::Reply { .. }]
    ));
    assert_eq!(bench.sleep, None);
}

#[test]
fn what_is_not_done_in_time_is_settled_closed() {
    let mut bench = Bench::online(ClientOptions {
        max_in_flight: 1,
        ..speaking(V5)
    });
    let in_flight = bench.publish("a", &at(AtLeastOnce));
    let waiting = bench.publish("b", &at(ExactlyOnce));
    let reply = close(&mut bench, None);
    bench.pass(millis(4_999));
    assert!(!is_closed(&bench, reply));
    bench.pass(millis(1));
    assert!(is_closed(&bench, reply));
    assert_eq!(bench.settled(in_flight), Some(("closed", true)));
    assert_eq!(bench.settled(waiting), Some(("closed", false)));
    assert_eq!(bench.budget.used().messages, 0);
    let sent = bench.sent();
    assert!(disconnect_of(&sent).is_some());
}

#[test]
fn a_close_while_offline_still_tries_to_connect_for_its_letters() {
    let mut bench = Bench::online(speaking(V5));
    bench.cut();
    let letter = bench.publish("a", &at(AtLeastOnce));
    let reply = close(&mut bench, None);
    bench.pass_backoff();
    bench.accept(true);
    bench.give(Packet::PubAck(ack(1)));
    assert_eq!(bench.settled(letter), Some(("acknowledged", false)));
    assert!(is_closed(&bench, reply));
}

#[test]
fn an_attempt_that_falls_due_together_with_the_end_is_not_made() {
    let mut bench = Bench::online(speaking(V5));
    bench.publish("a", &at(AtLeastOnce));
    bench.cut();
    let (attempt, reply) = (bench.attempt, close(&mut bench, None));
    // A machine that slept finds both timers over at once.
    bench.now += seconds(100);
    bench.handle(Input::Tick);
    assert!(is_closed(&bench, reply));
    assert_eq!(bench.attempt, attempt);
    assert!(bench.hang_ups.is_empty(), "there was nothing to hang up");
}

#[test]
fn a_transport_that_comes_up_after_the_end_of_the_time_to_close_hears_nothing() {
    let mut bench = Bench::new(speaking(V5));
    bench.publish("a", &at(AtLeastOnce));
    bench.handle(Input::Start);
    let reply = close(&mut bench, None);
    // A machine that slept learns of both at once; there would be time left to connect.
    bench.now += seconds(6);
    let attempt = bench.attempt;
    bench.handle(Input::LinkUp { attempt });
    assert!(is_closed(&bench, reply));
    assert_eq!(bench.hang_ups, [false]);
    assert!(bench.written.is_empty(), "{:?}", bench.written);
}

#[test]
fn a_close_with_nothing_to_do_ends_at_once_in_every_state() {
    type Prepare = fn(&mut Bench);
    let dialing: Prepare = |bench| bench.handle(Input::Start);
    let handshaking: Prepare = |bench| {
        bench.handle(Input::Start);
        bench.link_up();
    };
    let backoff: Prepare = |bench| {
        bench.handle(Input::Start);
        bench.cut();
    };
    let online: Prepare = |bench| {
        bench.handle(Input::Start);
        bench.accept(false);
    };
    for prepare in [|_: &mut Bench| {}, dialing, handshaking, backoff, online] {
        let mut bench = Bench::new(speaking(V5));
        prepare(&mut bench);
        let reply = close(&mut bench, None);
        assert!(is_closed(&bench, reply));
        assert!(!bench.connected);
    }
}

#[test]
fn a_close_behind_a_stalled_socket_ends_in_time_and_abruptly() {
    let mut bench = Bench::online(speaking(V5));
    bench.takes = 2;
    let letter = bench.publish("a", &at(AtMostOnce));
    let reply = close(&mut bench, None);
    bench.pass(seconds(5));
    assert!(is_closed(&bench, reply));
    assert_eq!(bench.hang_ups, [false]);
    assert_eq!(bench.settled(letter), Some(("closed", true)));
}

#[test]
fn the_last_acknowledgements_go_out_before_the_goodbye() {
    let mut bench = Bench::online(speaking(V5));
    bench.give_message("a", AtLeastOnce, 9, false);
    let token = bench.messages()[0].token.expect("a token");
    let reason = leveret_protocol::reason::ReasonCode::SUCCESS;
    bench.takes = 0;
    bench.command(Command::Acknowledge {
        token,
        reason,
        words: None,
    });
    close(&mut bench, None);
    bench.takes = usize::MAX;
    bench.handle(Input::Writable);
    let sent = bench.sent();
    assert!(
        matches!(sent[..], [Packet::PubAck(_), Packet::Disconnect(_)]),
        "{sent:?}"
    );
}

#[test]
fn end_session_overrides_what_a_clean_close_does() {
    for (clean_start, end_session, ends) in [
        (true, None, true),
        (true, Some(false), false),
        (false, None, false),
        (false, Some(true), true),
    ] {
        let mut bench = Bench::online(ClientOptions {
            clean_start,
            ..speaking(V5)
        });
        close(&mut bench, end_session);
        let sent = bench.sent();
        let expiry = disconnect_of(&sent)
            .expect("a DISCONNECT")
            .properties
            .session_expiry_interval();
        assert_eq!(expiry, ends.then_some(0));
    }
}

#[test]
fn on_3_1_1_a_kept_session_is_ended_by_one_more_connection() {
    let mut bench = Bench::online(ClientOptions {
        clean_start: false,
        ..speaking(V311)
    });
    let before = bench.attempt;
    let reply = close(&mut bench, Some(true));
    assert_eq!(bench.attempt, before + 1);
    assert!(bench.accept(false).clean_start);
    assert!(is_closed(&bench, reply));
    let sent = bench.sent();
    assert!(disconnect_of(&sent).is_some());
}

#[test]
fn on_3_1_1_the_goodbye_before_one_more_connection_is_waited_for() {
    for (in_time, hang_up) in [(true, true), (false, false)] {
        let mut bench = Bench::online(ClientOptions {
            clean_start: false,
            ..speaking(V311)
        });
        let before = bench.attempt;
        bench.takes = 0;
        let reply = close(&mut bench, Some(true));
        assert_eq!(bench.hang_ups, [], "the broker would send the will");
        if in_time {
            bench.takes = usize::MAX;
            bench.handle(Input::Writable);
            assert!(disconnect_of(&bench.sent()).is_some());
            assert_eq!(bench.attempt, before + 1);
            assert!(bench.accept(false).clean_start);
        } else {
            bench.pass(seconds(5));
            assert_eq!(bench.attempt, before);
        }
        assert_eq!(bench.hang_ups[0], hang_up);
        assert!(is_closed(&bench, reply));
    }
}

#[test]
fn a_closed_client_answers_everything_at_once() {
    let mut bench = Bench::online(speaking(V5));
    close(&mut bench, None);
    let letter = bench.publish("a", &at(AtLeastOnce));
    assert_eq!(bench.settled(letter), Some(("closed", false)));
    assert_eq!(bench.budget.used().messages, 0);
    let subscribe = bench.subscribe(&[(1, "a")], AtLeastOnce);
    assert_eq!(
        bench.reply(subscribe).map(|reply| reply.unwrap_err().kind),
        Some(ErrorKind::Closed)
    );
    for command in [
        (|reply| Command::Flush { reply }) as fn(u64) -> Command,
        |reply| Command::Close {
            reply,
            options: Box::default(),
        },
    ] {
        assert_eq!(bench.ask(command).1, Some(Ok(Reply::Done)));
    }
    bench.handle(Input::Start);
    bench.command(Command::Reconnect);
    assert_eq!(bench.engine.state(), State::Closed);
}

#[test]
fn everybody_who_waits_is_answered_when_the_client_closes() {
    let mut bench = Bench::online(speaking(V5));
    bench.publish("a", &at(AtLeastOnce));
    let flush = bench.ask(|reply| Command::Flush { reply }).0;
    let ping = bench.ask(|reply| Command::Ping { reply }).0;
    let subscribe = bench.subscribe(&[(1, "a")], AtLeastOnce);
    let first = close(&mut bench, None);
    let second = close(&mut bench, None);
    bench.pass(seconds(5));
    for tag in [flush, ping, subscribe, first, second] {
        assert!(bench.reply(tag).is_some());
    }
}

#[test]
fn a_reconnect_during_a_close_does_not_end_the_session_of_letters_in_flight() {
    let mut bench = Bench::online(speaking(V5));
    let letter = bench.publish("a", &at(ExactlyOnce));
    close(&mut bench, None);
    bench.command(Command::Reconnect);
    let sent = bench.sent();
    let disconnect = disconnect_of(&sent).expect("a DISCONNECT");
    assert_eq!(disconnect.properties.session_expiry_interval(), None);
    assert_eq!(bench.settled(letter), None);
}
