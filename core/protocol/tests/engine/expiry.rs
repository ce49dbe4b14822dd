//! Time to live: by timer on- and offline, in flight, behind a stalled socket; and what is never sent again.
use leveret_protocol::codec::Packet;
use leveret_protocol::engine::{Command, Input, Notice, Output, Tag};
use leveret_protocol::message::QoS::{self, AtLeastOnce, AtMostOnce, ExactlyOnce};
use leveret_protocol::options::{ClientOptions, ExpiredInFlight, PublishOptions, Ttl};

use crate::bench::*;

#[test]
fn an_unlock_swallowed_by_a_dying_broker_expires_and_is_never_sent_again() {
    for version in BOTH {
        for qos in [AtLeastOnce, ExactlyOnce] {
            let mut bench = Bench::online(ClientOptions {
                clean_start: false,
                ..speaking(version)
            });
            let unlock = bench.publish("doors/front/command", &with_ttl(qos, millis(200)));
            assert_eq!(publishes(&bench.sent()).len(), 1);
            bench.pass(millis(199));
            assert_eq!(bench.settled(unlock), None);
            bench.pass(millis(1));
            assert_eq!(bench.settled(unlock), Some(("expired", true)));
            bench.lose_connection();
            bench.accept(true);
            let next = bench.publish("doors/front/log", &at(qos));
            let again = publishes(&bench.sent());
            assert_eq!(again.len(), 1, "{qos:?}: {again:?}");
            assert_eq!(again[0].0, "doors/front/log");
            let number = again[0].1;
            if qos == ExactlyOnce {
                assert_ne!(
                    number, 1,
                    "the identifier of a withheld QoS 2 letter stays out of use"
                );
            }
            assert_eq!(bench.settled(next), None);
            assert_eq!(bench.budget.used().messages, 1);
        }
    }
}

#[test]
fn an_unlock_that_expires_while_the_broker_is_dead_is_not_sent_either() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        let mut bench = Bench::online(speaking(V5));
        let unlock = bench.publish("unlock", &with_ttl(qos, millis(200)));
        bench.cut();
        bench.pass(millis(200));
        assert_eq!(bench.settled(unlock), Some(("expired", true)));
        bench.pass_backoff();
        bench.accept(true);
        assert_eq!(publishes(&bench.sent()), []);
    }
}

#[test]
fn a_letter_expires_by_the_timer_while_offline_and_was_never_sent() {
    let mut bench = Bench::new(speaking(V5));
    bench.handle(Input::Start);
    let letter = bench.publish("a", &with_ttl(AtLeastOnce, seconds(1)));
    let wake = bench.sleep.expect("a timer");
    assert_eq!(
        wake,
        bench.now + seconds(1),
        "the outcome comes when the time is over"
    );
    bench.pass(seconds(1));
    assert_eq!(bench.settled(letter), Some(("expired", false)));
    bench.accept(false);
    assert_eq!(publishes(&bench.sent()), []);
}

#[test]
fn a_letter_posted_before_a_suspend_expires_when_the_machine_wakes() {
    let mut bench = Bench::online(speaking(V5));
    bench.cut();
    let letter = bench.publish("a", &with_ttl(AtLeastOnce, seconds(60)));
    bench.now += seconds(3_600);
    bench.handle(Input::Tick);
    assert_eq!(bench.settled(letter), Some(("expired", false)));
}

#[test]
fn a_letter_behind_a_stalled_socket_past_its_time_never_goes_out() {
    for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
        let mut bench = Bench::online(speaking(V5));
        bench.takes = 5; // into the first frame
        let begun = bench.publish("begun", &with_ttl(qos, seconds(1)));
        let behind = bench.publish("behind", &with_ttl(qos, seconds(1)));
        let patient = bench.publish("patient", &at(qos));
        bench.pass(seconds(1));
        assert_eq!(
            bench.settled(begun),
            Some(("expired", true)),
            "its first byte is out"
        );
        assert_eq!(bench.settled(behind), Some(("expired", false)));
        assert_eq!(bench.settled(patient), None);
        bench.takes = usize::MAX;
        bench.handle(Input::Writable);
        let sent: Vec<String> = publishes(&bench.sent())
            .into_iter()
            .map(|sent| sent.0)
            .collect();
        assert_eq!(
            sent,
            ["begun", "patient"],
            "the begun frame is finished, the stream stays whole"
        );
    }
}

#[test]
fn a_frame_that_was_begun_and_not_finished_is_not_delivered_by_a_lost_connection() {
    for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
        let mut bench = Bench::online(speaking(V5));
        bench.takes = 5;
        let letter = bench.publish("letter", &at(qos));
        bench.lose_connection();
        bench.accept(true);
        let number = u16::from(qos != AtMostOnce);
        assert_eq!(
            publishes(&bench.sent()),
            [("letter".into(), number, false)],
            "as new"
        );
        assert_eq!(bench.settled(letter).is_some(), qos == AtMostOnce);
    }
}

#[test]
fn after_pubrec_the_time_to_live_no_longer_applies() {
    let mut bench = Bench::online(speaking(V5));
    let letter = bench.publish("a", &with_ttl(ExactlyOnce, seconds(1)));
    bench.give(Packet::PubRec(ack(1)));
    bench.sent();
    bench.pass(seconds(2));
    assert_eq!(bench.settled(letter), None);
    bench.lose_connection();
    bench.accept(true);
    assert_eq!(
        bench.sent(),
        [Packet::PubRel(ack(1))],
        "the exchange is completed"
    );
    bench.give(Packet::PubComp(ack(1)));
    assert_eq!(bench.settled(letter), Some(("acknowledged", false)));
}

#[test]
fn a_letter_expired_in_flight_keeps_its_quota_until_it_is_acknowledged() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        let mut bench = Bench::online(ClientOptions {
            max_in_flight: 1,
            ..speaking(V5)
        });
        let expired = bench.publish("a", &with_ttl(qos, seconds(1)));
        let next = bench.publish("b", &at(AtLeastOnce));
        bench.pass(seconds(1));
        assert_eq!(bench.settled(expired), Some(("expired", true)));
        assert_eq!(
            publishes(&bench.sent()).len(),
            1,
            "the window is still taken"
        );
        if qos == ExactlyOnce {
            bench.give(Packet::PubRec(ack(1)));
            assert_eq!(
                bench.sent(),
                [Packet::PubRel(ack(1))],
                "a late PUBREC is answered"
            );
            bench.give(Packet::PubComp(ack(1)));
        } else {
            bench.give(Packet::PubAck(ack(1)));
        }
        assert_eq!(publishes(&bench.sent()), [("b".into(), 2, false)]);
        assert_eq!(bench.settled(next), None);
    }
}

#[test]
fn an_exchange_past_pubrec_of_an_expired_letter_is_completed_after_a_reconnect() {
    let mut bench = Bench::online(speaking(V5));
    bench.publish("a", &with_ttl(ExactlyOnce, seconds(1)));
    bench.pass(seconds(1));
    bench.give(Packet::PubRec(ack(1)));
    bench.lose_connection();
    bench.accept(true);
    assert_eq!(bench.sent(), [Packet::PubRel(ack(1))]);
    bench.give(Packet::PubComp(ack(1)));
    assert_eq!(bench.budget.used().messages, 0);
}

#[test]
fn resend_follows_the_standard_and_gives_the_room_back_in_the_end() {
    let options = ClientOptions {
        expired_in_flight: ExpiredInFlight::Resend,
        ..speaking(V5)
    };
    for qos in [AtLeastOnce, ExactlyOnce] {
        let mut bench = Bench::online(options.clone());
        let letter = bench.publish("a", &with_ttl(qos, seconds(1)));
        bench.pass(seconds(1));
        assert_eq!(bench.settled(letter), Some(("expired", true)));
        assert_eq!(
            bench.budget.used().messages,
            1,
            "it takes its room until it is done"
        );
        bench.lose_connection();
        bench.accept(true);
        assert_eq!(publishes(&bench.sent()), [("a".into(), 1, true)]);
        if qos == ExactlyOnce {
            bench.give(Packet::PubRec(ack(1)));
            bench.give(Packet::PubComp(ack(1)));
        } else {
            bench.give(Packet::PubAck(ack(1)));
        }
        assert_eq!(bench.budget.used().messages, 0);
    }
}

#[test]
fn a_lost_session_frees_the_room_of_a_letter_kept_for_resending() {
    let options = ClientOptions {
        expired_in_flight: ExpiredInFlight::Resend,
        ..speaking(V5)
    };
    let mut bench = Bench::online(options);
    bench.publish("a", &with_ttl(AtLeastOnce, seconds(1)));
    bench.pass(seconds(1));
    bench.lose_connection();
    bench.accept(false);
    assert_eq!(publishes(&bench.sent()), []);
    assert_eq!(bench.budget.used().messages, 0);
}

#[test]
fn many_withheld_identifiers_lead_to_a_fresh_session_on_purpose() {
    let mut bench = Bench::online(speaking(V5));
    for _ in 0..1_025 {
        bench.publish("a", &with_ttl(ExactlyOnce, millis(200)));
    }
    bench.pass(millis(200));
    bench.lose_connection();
    assert_eq!(bench.notices(), [&Notice::FreshSession { withheld: 1_025 }]);
    let connect = bench.accept(false);
    assert!(connect.clean_start);
    bench.publish("b", &at(ExactlyOnce));
    assert_eq!(
        publishes(&bench.sent()),
        [("b".into(), 1, false)],
        "every identifier is free again"
    );
    bench.lose_connection();
    assert!(!bench.accept(true).clean_start, "and that session goes on");
}

#[test]
fn a_letter_without_time_to_live_waits_as_long_as_it_takes() {
    let mut bench = Bench::new(speaking(V5));
    bench.handle(Input::Start);
    let never = PublishOptions {
        ttl: Ttl::Never,
        ..at(AtLeastOnce)
    };
    let letter = bench.publish("a", &never);
    let usual = bench.publish("a", &at(AtLeastOnce));
    bench.cut();
    bench.now += seconds(3_600 * 24 * 365);
    bench.handle(Input::Tick);
    assert_eq!(
        bench.settled(usual),
        Some(("expired", false)),
        "the default is an hour"
    );
    assert_eq!(bench.settled(letter), None);
}

#[test]
fn letters_of_many_different_ttls_each_expire_in_time() {
    let mut bench = Bench::new(speaking(V5));
    bench.handle(Input::Start);
    let tags: Vec<_> = (1..=40)
        .rev()
        .map(|n| (n, bench.publish("a", &with_ttl(AtLeastOnce, millis(n)))))
        .collect();
    bench.cut();
    for passed in 1..=40 {
        bench.pass(millis(1));
        for (ttl, tag) in &tags {
            assert_eq!(
                bench.settled(*tag).is_some(),
                *ttl <= passed,
                "{ttl} after {passed}"
            );
        }
    }
}

/// A client whose letter is offered to a socket that takes nothing of it, and whose time to live is over before that is known.
fn expired_while_offered(options: ClientOptions, qos: QoS) -> (Bench, Tag) {
    let mut bench = Bench::online(options);
    bench.takes = 0;
    bench.command(Command::Ping { reply: 0 }); // the socket is full
    let letter = bench.publish("unlock", &with_ttl(qos, seconds(5)));
    bench.engine.handle(bench.now, Input::Writable);
    while !matches!(bench.engine.poll(), Output::Write(_)) {}
    bench.now += seconds(5);
    bench.engine.handle(bench.now, Input::Written(0));
    bench.takes = usize::MAX;
    bench.run();
    (bench, letter)
}

#[test]
fn a_letter_of_which_the_socket_took_nothing_was_not_delivered_and_is_not_sent_when_it_has_expired()
{
    for expired_in_flight in [ExpiredInFlight::Withhold, ExpiredInFlight::Resend] {
        for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            let options = ClientOptions {
                expired_in_flight,
                ..speaking(V5)
            };
            let (mut bench, letter) = expired_while_offered(options, qos);
            assert_eq!(bench.settled(letter), Some(("expired", false)), "{qos:?}");
            bench.handle(Input::Writable);
            assert_eq!(publishes(&bench.sent()), [], "{qos:?}");
        }
    }
}

#[test]
fn a_letter_that_expires_while_it_is_offered_again_keeps_no_share_of_the_window() {
    let mut bench = Bench::online(ClientOptions {
        max_in_flight: 1,
        ..speaking(V5)
    });
    bench.publish("first", &with_ttl(AtLeastOnce, seconds(5)));
    assert_eq!(publishes(&bench.sent()).len(), 1);
    bench.lose_connection();
    bench.link_up();
    let mut bytes = bytes::BytesMut::new();
    connack(true).encode(V5, u32::MAX, &mut bytes).unwrap();
    bench.engine.handle(bench.now, Input::Received(&mut bytes));
    while !matches!(bench.engine.poll(), Output::Write(_)) {}
    bench.now += seconds(5);
    bench.engine.handle(bench.now, Input::Written(0));
    bench.run();
    bench.handle(Input::Writable);
    bench.publish("second", &at(AtLeastOnce));
    let sent = publishes(&bench.sent());
    assert_eq!(
        sent.iter().map(|sent| sent.0.as_str()).collect::<Vec<_>>(),
        ["second"]
    );
}
