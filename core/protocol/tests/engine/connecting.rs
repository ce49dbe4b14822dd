//! The connection: attempts, backoff, versions, several URLs, pings, reconnect.
use std::time::Duration;

use leveret_protocol::codec::{Disconnect, Packet, Properties, PropertyId, PropertyValue, Version};
use leveret_protocol::engine::{
    Batch, Command, ConnectionEvent, Event, Input, LinkError, LinkErrorKind, Reply, State,
};
use leveret_protocol::error::ErrorKind;
use leveret_protocol::message::QoS::{AtLeastOnce, AtMostOnce};
use leveret_protocol::options::{ClientOptions, Protocol};
use leveret_protocol::outcome::Status;
use leveret_protocol::reason::ReasonCode;

use crate::bench::*;

fn auto() -> ClientOptions {
    ClientOptions {
        client_id: "bench".into(),
        ..ClientOptions::default()
    }
}

fn statuses(bench: &Bench) -> Vec<Status> {
    let statuses = bench.events.iter().filter_map(|event| match event {
        Event::Status(status) => Some(*status),
        _ => None,
    });
    statuses.collect()
}

/// Endpoint, reason and delay of each failed attempt.
fn failures(bench: &Bench) -> Vec<(usize, Option<ReasonCode>, Duration)> {
    let failures = bench.events.iter().filter_map(|event| match event {
        Event::Connection(ConnectionEvent::AttemptFailed {
            endpoint,
            why,
            retry_in,
            ..
        }) => Some((*endpoint, why.reason, *retry_in)),
        _ => None,
    });
    failures.collect()
}

fn refuse_connection(bench: &mut Bench) {
    let attempt = bench.attempt;
    let why = LinkError {
        kind: LinkErrorKind::Refused,
        text: "connection refused".into(),
    };
    bench.handle(Input::LinkDown { attempt, why });
}

#[test]
fn nothing_is_dialed_before_the_start() {
    let mut bench = Bench::new(auto());
    bench.publish("a", &at(AtLeastOnce));
    bench.pass(seconds(10));
    assert_eq!((bench.attempt, bench.engine.state()), (0, State::Idle));
    bench.handle(Input::Start);
    assert_eq!(bench.attempt, 1);
}

#[test]
fn connect_says_what_the_options_say() {
    let mut bench = Bench::new(ClientOptions {
        keep_alive: seconds(17),
        username: Some("u".into()),
        password: Some("p".into()),
        will_topic: Some("w".into()),
        will_payload: "gone".into(),
        will_qos: AtLeastOnce,
        will_retain: true,
        will_delay: seconds(3),
        user_properties: vec![("k".into(), "v".into())],
        receive_maximum: 12,
        request_response_information: true,
        request_problem_information: false,
        max_packet_size: 5_000,
        ..auto()
    });
    bench.handle(Input::Start);
    let connect = bench.link_up();
    assert_eq!(
        (
            connect.version,
            connect.keep_alive,
            connect.client_id.as_str()
        ),
        (V5, 17, "bench")
    );
    assert_eq!(connect.user_name.as_deref(), Some("u"));
    assert_eq!(connect.password.as_deref(), Some(&b"p"[..]));
    let will = connect.will.expect("a will");
    assert_eq!(
        (
            will.topic.as_str(),
            &will.payload[..],
            will.qos,
            will.retain
        ),
        ("w", &b"gone"[..], AtLeastOnce, true)
    );
    assert_eq!(will.delay_seconds(), 3);
    let properties = connect.properties;
    assert_eq!(properties.receive_maximum(), Some(12));
    assert_eq!(properties.maximum_packet_size(), Some(5_000));
    assert_eq!(properties.topic_alias_maximum(), Some(16));
    assert_eq!(properties.request_response_information(), Some(1));
    assert_eq!(properties.request_problem_information(), Some(0));
    assert_eq!(properties.user_property(), Some(("k", "v")));
}

#[test]
fn a_random_client_id_is_kept_and_an_assigned_one_is_adopted() {
    let mut bench = Bench::new(ClientOptions {
        client_id: String::new(),
        ..auto()
    });
    bench.handle(Input::Start);
    let first = bench.accept(false).client_id;
    assert!(
        first.len() <= 23 && first.chars().all(|c| c.is_ascii_alphanumeric()),
        "{first}"
    );
    bench.lose_connection();
    let mut properties = Properties::new();
    properties
        .set(
            PropertyId::AssignedClientIdentifier,
            PropertyValue::Text("given"),
        )
        .unwrap();
    assert_eq!(bench.accept_with(true, properties).client_id, first);
    bench.lose_connection();
    assert_eq!(bench.accept(true).client_id, "given");
}

#[test]
fn delays_are_drawn_between_the_least_and_a_cap_that_doubles_up_to_the_most() {
    let mut bench = Bench::new(auto());
    bench.handle(Input::Start);
    for _ in 0..60 {
        refuse_connection(&mut bench);
        bench.pass_backoff();
    }
    let delays: Vec<Duration> = failures(&bench)
        .into_iter()
        .map(|failure| failure.2)
        .collect();
    for (attempt, delay) in delays.iter().enumerate() {
        let cap = seconds(2 << attempt.min(4)).min(seconds(30));
        assert!((seconds(1)..=cap).contains(delay), "{attempt}: {delay:?}");
    }
    assert!(
        delays.iter().any(|delay| *delay > seconds(25))
            && delays[10..].iter().any(|delay| *delay < seconds(7))
    );
}

#[test]
fn the_backoff_starts_over_after_ten_seconds_online() {
    for (online, starts_over) in [(seconds(9), false), (seconds(10), true)] {
        let mut bench = Bench::new(ClientOptions {
            backoff_min: seconds(1),
            backoff_max: seconds(30),
            ..auto()
        });
        bench.handle(Input::Start);
        for _ in 0..10 {
            refuse_connection(&mut bench);
            bench.pass_backoff();
        }
        bench.accept(false);
        bench.pass(online);
        bench.cut();
        let delays: Vec<_> = (0..5)
            .map(|_| {
                let delay = bench.sleep.expect("an attempt").since(bench.now);
                bench.pass_backoff();
                bench.accept(true);
                bench.cut();
                delay
            })
            .collect();
        assert!(delays.iter().all(|delay| *delay <= seconds(32)));
        assert_eq!(
            delays[0] <= seconds(2),
            starts_over || delays[0] <= seconds(2)
        );
        if starts_over {
            assert!(delays[0] <= seconds(2), "{delays:?}");
        } else {
            assert!(delays.iter().any(|delay| *delay > seconds(4)), "{delays:?}");
        }
    }
}

#[test]
fn time_online_counts_while_the_machine_sleeps() {
    let mut bench = Bench::new(auto());
    bench.handle(Input::Start);
    for _ in 0..10 {
        refuse_connection(&mut bench);
        bench.pass_backoff();
    }
    bench.accept(false);
    // The end is learned of first when it wakes.
    bench.now += seconds(1_000);
    bench.cut();
    for cap in [2, 4, 8].map(seconds) {
        let delay = bench.sleep.expect("an attempt").since(bench.now);
        assert!(delay <= cap, "{delay:?} of {cap:?}");
        bench.pass_backoff();
        refuse_connection(&mut bench);
    }
}

#[test]
fn an_attempt_that_takes_too_long_is_given_up() {
    for handshaking in [false, true] {
        let mut bench = Bench::new(auto());
        bench.handle(Input::Start);
        if handshaking {
            bench.pass(seconds(4));
            bench.link_up();
            bench.pass(seconds(6));
        } else {
            bench.pass(seconds(10));
        }
        assert_eq!(bench.hang_ups, [false], "dial and CONNACK together");
        assert_eq!(bench.engine.state(), State::Backoff);
        let Some(Event::Connection(ConnectionEvent::AttemptFailed { why, .. })) =
            bench.events.first()
        else {
            panic!("{:?}", bench.events)
        };
        assert_eq!(why.kind, ErrorKind::TimedOut);
    }
}

#[test]
fn a_refusal_is_reported_with_its_reason_and_retried_for_ever() {
    let mut bench = Bench::new(speaking(V5));
    bench.handle(Input::Start);
    for attempt in 1..=20 {
        bench.link_up();
        bench.give(refusal(ReasonCode::NOT_AUTHORIZED));
        assert_eq!(failures(&bench).len(), attempt);
        assert_eq!(
            failures(&bench)[attempt - 1].1,
            Some(ReasonCode::NOT_AUTHORIZED)
        );
        bench.pass_backoff();
    }
    bench.accept(false);
    assert_eq!(statuses(&bench), [Status::Online]);
}

#[test]
fn urls_are_tried_in_turn_and_a_lost_connection_is_tried_again_first() {
    let mut bench = Bench::with_endpoints(auto(), 3);
    bench.handle(Input::Start);
    let mut tried = vec![bench.endpoint];
    for _ in 0..4 {
        refuse_connection(&mut bench);
        bench.pass_backoff();
        tried.push(bench.endpoint);
    }
    assert_eq!(tried, [0, 1, 2, 0, 1]);
    bench.accept(false);
    bench.lose_connection();
    assert_eq!(bench.endpoint, 1);
}

#[test]
fn session_state_belongs_to_the_url_it_was_made_at() {
    let mut bench = Bench::with_endpoints(speaking(V5), 2);
    bench.handle(Input::Start);
    bench.accept(false);
    bench.publish("a", &at(AtLeastOnce));
    bench.lose_connection();
    assert_eq!(bench.endpoint, 0);
    refuse_connection(&mut bench);
    bench.pass_backoff();
    assert_eq!(bench.endpoint, 1);
    assert!(bench.accept(false).clean_start);
    assert_eq!(
        publishes(&bench.sent()),
        [("a".into(), 1, false)],
        "posted again as new"
    );
}

#[test]
fn auto_falls_back_at_once_where_the_broker_refuses_the_version() {
    // In the form of MQTT 5, and in that of 3.1.1 with either code.
    for refusal in [
        &[0x20, 3, 0, 0x84, 0][..],
        &[0x20, 2, 0, 1],
        &[0x20, 2, 0, 0x84],
    ] {
        let mut bench = Bench::new(auto());
        bench.handle(Input::Start);
        assert_eq!(bench.link_up().version, V5);
        bench.give_bytes(refusal);
        assert_eq!(
            failures(&bench),
            [(
                0,
                Some(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION),
                Duration::ZERO
            )]
        );
        assert_eq!(bench.attempt, 2, "{refusal:?}");
        assert_eq!(bench.accept(false).version, V311);
        bench.lose_connection();
        assert_eq!(bench.accept(false).version, V311, "what worked is kept");
    }
}

#[test]
fn auto_falls_back_after_three_closes_without_connack() {
    let mut bench = Bench::new(auto());
    bench.handle(Input::Start);
    let mut tried = Vec::new();
    for _ in 0..4 {
        tried.push(bench.link_up().version);
        bench.cut();
        bench.pass_backoff();
    }
    assert_eq!(tried, [V5, V5, V5, V311]);
}

#[test]
fn a_version_that_was_asked_for_is_kept_to() {
    for (protocol, version) in [(Protocol::V5, V5), (Protocol::V311, V311)] {
        let mut bench = Bench::new(ClientOptions { protocol, ..auto() });
        bench.handle(Input::Start);
        for _ in 0..5 {
            assert_eq!(bench.link_up().version, version);
            bench.give(refusal(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION));
            bench.pass_backoff();
        }
    }
}

#[test]
fn a_ping_is_sent_before_the_keep_alive_is_over_and_answered_with_a_round_trip() {
    let mut bench = Bench::online(speaking(V5));
    bench.pass(seconds(57));
    assert_eq!(bench.sent(), [Packet::PingReq]);
    bench.pass(millis(30));
    bench.give(Packet::PingResp);
    assert!(bench.events.contains(&Event::RoundTrip(millis(30))));
    assert_eq!(bench.engine.stats(bench.now).round_trip, Some(millis(30)));
    bench.pass(seconds(300));
    assert!(!bench.connected, "nobody answers any more");
}

#[test]
fn what_only_sends_notices_too_that_nobody_is_there() {
    let mut bench = Bench::online(speaking(V5));
    for _ in 0..80 {
        bench.pass(seconds(1));
        bench.publish("a", &at(AtMostOnce));
    }
    assert!(!bench.connected);
    assert!(
        !bench.hang_ups[0],
        "so that the will is sent, and the system sends nothing more"
    );
}

#[test]
fn a_connection_with_traffic_in_both_directions_needs_no_pings() {
    let mut bench = Bench::online(speaking(V5));
    for number in 1..=100 {
        bench.pass(seconds(10));
        bench.publish("a", &at(AtLeastOnce));
        bench.give(Packet::PubAck(ack(number)));
    }
    assert!(!bench.sent().contains(&Packet::PingReq));
}

#[test]
fn a_missing_ping_response_counts_only_while_messages_are_read() {
    let mut bench = Bench::online(speaking(V5));
    bench.handle(Input::ReadingPaused(true));
    bench.pass(seconds(3_600));
    assert!(bench.connected, "nothing was read");
    let pings = bench
        .sent()
        .iter()
        .filter(|packet| **packet == Packet::PingReq)
        .count();
    assert!(
        pings >= 60,
        "and the broker is told all the while that we are there: {pings}"
    );
    bench.handle(Input::ReadingPaused(false));
    bench.pass(seconds(9));
    assert!(bench.connected);
    bench.pass(seconds(2));
    assert!(!bench.connected);
}

#[test]
fn the_keep_alive_of_the_broker_wins_and_zero_turns_pings_off() {
    let mut properties = Properties::new();
    properties
        .set(PropertyId::ServerKeepAlive, PropertyValue::Number(10))
        .unwrap();
    let mut bench = Bench::new(speaking(V5));
    bench.handle(Input::Start);
    bench.accept_with(false, properties);
    bench.pass(millis(9_500));
    assert_eq!(bench.sent(), [Packet::PingReq]);
    bench.pass(seconds(5));
    assert!(!bench.connected, "half the keep alive without an answer");

    let mut bench = Bench::online(ClientOptions {
        keep_alive: seconds(0),
        ..speaking(V5)
    });
    bench.pass(seconds(100_000));
    assert_eq!((bench.sent(), bench.connected), (vec![], true));
}

#[test]
fn a_caller_can_measure_a_round_trip() {
    let mut bench = Bench::online(speaking(V5));
    let (first, _) = bench.ask(|reply| Command::Ping { reply });
    let (second, _) = bench.ask(|reply| Command::Ping { reply });
    assert_eq!(bench.sent(), [Packet::PingReq], "one for both");
    bench.pass(millis(5));
    bench.give(Packet::PingResp);
    for tag in [first, second] {
        assert_eq!(bench.reply(tag), Some(Ok(Reply::RoundTrip(millis(5)))));
    }
    let (lost, _) = bench.ask(|reply| Command::Ping { reply });
    bench.cut();
    let kind = |reply: Option<Result<Reply, leveret_protocol::error::Error>>| {
        reply.map(|reply| reply.unwrap_err().kind)
    };
    assert_eq!(kind(bench.reply(lost)), Some(ErrorKind::ConnectionLost));
    assert_eq!(
        kind(bench.ask(|reply| Command::Ping { reply }).1),
        Some(ErrorKind::NotConnected)
    );
}

#[test]
fn reconnect_says_goodbye_and_dials_at_once_and_letters_in_flight_go_on() {
    let mut bench = Bench::online(speaking(V5));
    let letter = bench.publish("a", &at(AtLeastOnce));
    bench.sent();
    let before = bench.attempt;
    bench.command(Command::Reconnect);
    assert_eq!(
        bench.sent(),
        [Packet::Disconnect(Disconnect::default())],
        "so that no will is sent"
    );
    assert_eq!(
        (bench.hang_ups.as_slice(), bench.attempt),
        (&[true][..], before + 1)
    );
    bench.accept(true);
    assert_eq!(publishes(&bench.sent()), [("a".into(), 1, true)]);
    bench.give(Packet::PubAck(ack(1)));
    assert_eq!(bench.settled(letter), Some(("acknowledged", false)));
}

#[test]
fn nothing_follows_the_goodbye() {
    let keep_alive = seconds(2);
    let mut bench = Bench::online(ClientOptions {
        keep_alive,
        ..speaking(V5)
    });
    bench.give_message("a", AtLeastOnce, 7, false);
    let token = bench.messages()[0].token.expect("a token");
    bench.sent();
    // A machine that slept finds that a ping is due as well, and a handler is done in the same moment.
    bench.now += seconds(43);
    let mut batch = Batch::new();
    batch.push(Command::Reconnect);
    batch.push(Command::Acknowledge {
        token,
        reason: ReasonCode::SUCCESS,
        words: None,
    });
    bench.handle(Input::Submit(&mut batch));
    assert_eq!(bench.sent(), [Packet::Disconnect(Disconnect::default())]);
}

#[test]
fn reconnect_dials_at_once_while_offline_too() {
    let mut bench = Bench::online(speaking(V5));
    bench.cut();
    let before = bench.attempt;
    bench.command(Command::Reconnect);
    assert_eq!(bench.attempt, before + 1, "in backoff");
    bench.command(Command::Reconnect);
    assert_eq!(bench.attempt, before + 2, "while dialing");
    bench.link_up();
    bench.command(Command::Reconnect);
    assert_eq!(bench.attempt, before + 3, "while shaking hands");
    bench.accept(true);
    bench.takes = 0;
    bench.publish("a", &at(AtMostOnce));
    bench.command(Command::Reconnect);
    assert_eq!(bench.attempt, before + 4, "behind a stalled socket");
    assert_eq!(bench.hang_ups.last(), Some(&false));
}

#[test]
fn reconnects_in_one_batch_make_one_attempt() {
    let mut bench = Bench::online(speaking(V5));
    bench.cut();
    let mut batch = Batch::new();
    batch.push(Command::Reconnect);
    batch.push(Command::Reconnect);
    let attempt = bench.attempt;
    bench.handle(Input::Submit(&mut batch));
    assert_eq!(bench.attempt, attempt + 1);
    assert!(bench.hang_ups.is_empty(), "there was nothing to hang up");
}

#[test]
fn links_of_earlier_attempts_are_ignored() {
    let mut bench = Bench::online(speaking(V5));
    bench.handle(Input::LinkDown {
        attempt: 0,
        why: closed(),
    });
    assert_eq!(bench.engine.state(), State::Online);
    bench.lose_connection();
    bench.handle(Input::LinkUp { attempt: 1 });
    assert_eq!(bench.engine.state(), State::Dialing);
}

#[test]
fn a_session_taken_over_by_another_client_waits_the_longest() {
    let mut bench = Bench::online(speaking(V5));
    let reason = ReasonCode::SESSION_TAKEN_OVER;
    bench.give(Packet::Disconnect(Disconnect {
        reason,
        ..Disconnect::default()
    }));
    assert_eq!(bench.sleep, Some(bench.now + seconds(30)));
    let why = bench.events.iter().find_map(|event| match event {
        Event::Connection(ConnectionEvent::Offline { why, .. }) => Some(why.reason),
        _ => None,
    });
    assert_eq!(why, Some(Some(reason)));
}

#[test]
fn a_server_reference_is_followed_within_bounds() {
    let mut properties = Properties::new();
    properties
        .set(
            PropertyId::ServerReference,
            PropertyValue::Text("other:1884 third"),
        )
        .unwrap();
    let mut bench = Bench::new(speaking(V5));
    bench.handle(Input::Start);
    for _ in 0..3 {
        bench.link_up();
        let mut moved = refusal(ReasonCode::USE_ANOTHER_SERVER);
        if let Packet::ConnAck(connack) = &mut moved {
            connack.properties = properties.clone();
        }
        let before = bench.attempt;
        bench.give(moved.clone());
        assert_eq!(bench.attempt, before + 1, "at once");
        assert_eq!(bench.reference.as_deref(), Some("other:1884"));
        if bench.attempt == 4 {
            bench.link_up();
            bench.give(moved);
            assert_eq!(bench.engine.state(), State::Backoff, "no further");
            bench.pass_backoff();
            assert_eq!(bench.reference, None);
        }
    }
}

#[test]
fn online_tells_what_the_broker_said() {
    let mut properties = Properties::new();
    properties
        .set(PropertyId::ResponseInformation, PropertyValue::Text("r"))
        .unwrap();
    let mut bench = Bench::new(speaking(V5));
    bench.handle(Input::Start);
    bench.accept_with(false, properties);
    let Some(Event::Connection(ConnectionEvent::Online(online))) = bench.events.first() else {
        panic!("{:?}", bench.events)
    };
    assert_eq!(
        (online.version, online.session_present),
        (Version::V5, false)
    );
    assert_eq!(online.properties.response_information(), Some("r"));
    assert_eq!(online.keep_alive, seconds(60));
}
