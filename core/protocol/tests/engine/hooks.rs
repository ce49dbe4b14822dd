//! Per-packet hooks: what is shown, and the words that the application puts on our answers.
use leveret_protocol::codec::{Packet, Properties, PropertyId};
use leveret_protocol::engine::{Command, Event, Hooks, Notice, Shown, State, Words};
use leveret_protocol::message::QoS::{AtLeastOnce, ExactlyOnce};
use leveret_protocol::options::CloseOptions;
use leveret_protocol::packet_type::{PacketSet, PacketType};
use leveret_protocol::reason::ReasonCode;

use crate::bench::*;

/// A bench that is online and shows everything.
fn watched() -> Bench {
    let mut bench = Bench::online(speaking(V5));
    bench.command(Command::Hooks(Hooks {
        shown: Hooks::SHOWABLE,
        answered: Hooks::ANSWERABLE,
        prepares: false,
        authenticates: false,
    }));
    bench
}

fn shown(bench: &Bench) -> Vec<&Shown> {
    let shown = bench.events.iter().filter_map(|event| match event {
        Event::Packet(shown) => Some(&**shown),
        _ => None,
    });
    shown.collect()
}

fn words(text: &str) -> Properties {
    let words = Words {
        reason_string: Some(text.into()),
        user_properties: vec![("who".into(), "hook".into())],
    };
    words.properties().expect("valid words")
}

fn say(bench: &mut Bench, number: u64, text: &str) {
    let words = words(text);
    bench.command(Command::Answer { number, words });
}

/// The reason strings of PUBREL and PUBCOMP packets that were sent.
fn answers(bench: &mut Bench) -> Vec<(PacketType, u16, Option<String>)> {
    let packets = bench.sent();
    let answers = packets.into_iter().filter_map(|packet| {
        let kind = packet.packet_type();
        match packet {
            Packet::PubRel(ack) | Packet::PubComp(ack) => {
                let words = ack.properties.reason_string().map(str::to_owned);
                Some((kind, ack.packet_id.get(), words))
            }
            _ => None,
        }
    });
    answers.collect()
}

#[test]
fn every_packet_is_shown_with_its_letter_reason_and_properties() {
    let mut bench = watched();
    let letter = bench.publish("a", &at(AtLeastOnce));
    let mut ack = nack(1, ReasonCode::NO_MATCHING_SUBSCRIBERS);
    ack.properties = words("nobody");
    bench.give(Packet::PubAck(ack));
    let seen = shown(&bench)[0];
    assert_eq!(seen.packet, PacketType::PubAck);
    assert_eq!(
        (seen.packet_id, seen.tag, seen.number),
        (Some(1), letter, 0)
    );
    assert_eq!(seen.reason(), ReasonCode::NO_MATCHING_SUBSCRIBERS);
    assert_eq!(seen.properties.reason_string(), Some("nobody"));
    assert_eq!(bench.settled(letter), Some(("acknowledged", false)));
}

#[test]
fn nothing_is_shown_that_was_not_asked_for() {
    let mut bench = watched();
    bench.command(Command::Hooks(Hooks {
        shown: PacketType::SubAck.into(),
        answered: PacketSet::EMPTY,
        prepares: false,
        authenticates: false,
    }));
    bench.publish("a", &at(AtLeastOnce));
    bench.give(Packet::PubAck(ack(1)));
    assert!(shown(&bench).is_empty());
    bench.subscribe(&[(1, "a"), (2, "b")], AtLeastOnce);
    let sent = bench.sent();
    let Some(Packet::Subscribe(first)) = sent
        .iter()
        .find(|packet| matches!(packet, Packet::Subscribe(_)))
    else {
        panic!("{sent:?}");
    };
    let answer = leveret_protocol::codec::FilterAck {
        packet_id: first.packet_id,
        reasons: vec![ReasonCode::GRANTED_QOS_1; first.filters.len()],
        properties: words("both"),
    };
    bench.give(Packet::SubAck(answer));
    assert_eq!(shown(&bench)[0].reasons.len(), first.filters.len());
}

#[test]
fn our_answers_wait_for_the_hook_and_keep_their_order() {
    let mut bench = watched();
    for _ in 0..2 {
        bench.publish("a", &at(ExactlyOnce));
    }
    bench.sent();
    bench.give(Packet::PubRec(ack(1)));
    bench.give(Packet::PubRec(ack(2)));
    bench.give(Packet::PubRel(ack(9)));
    assert!(answers(&mut bench).is_empty());
    let numbers: Vec<u64> = shown(&bench).iter().map(|shown| shown.number).collect();
    assert!(numbers.iter().all(|&number| number > 0));
    say(&mut bench, numbers[1], "second");
    assert!(answers(&mut bench).is_empty(), "the first comes first");
    say(&mut bench, numbers[0], "first");
    let sent = answers(&mut bench);
    assert_eq!(sent[0], (PacketType::PubRel, 1, Some("first".into())));
    assert_eq!(sent[1], (PacketType::PubRel, 2, Some("second".into())));
    bench.command(Command::Answer {
        number: numbers[2],
        words: Properties::new(),
    });
    assert_eq!(answers(&mut bench), [(PacketType::PubComp, 9, None)]);
}

#[test]
fn a_hook_that_says_nothing_in_time_holds_an_answer_for_ten_seconds() {
    let mut bench = watched();
    bench.publish("a", &at(ExactlyOnce));
    bench.sent();
    bench.give(Packet::PubRec(ack(1)));
    bench.pass(millis(9_999));
    assert!(answers(&mut bench).is_empty());
    bench.pass(millis(1));
    assert_eq!(answers(&mut bench), [(PacketType::PubRel, 1, None)]);
    let late = Notice::HookLate {
        packet: PacketType::PubRel,
    };
    assert_eq!(bench.notices(), [&late]);
    let number = shown(&bench)[0].number;
    say(&mut bench, number, "too late");
    assert!(answers(&mut bench).is_empty());
}

#[test]
fn behind_a_disconnect_no_hook_is_waited_for() {
    let mut bench = watched();
    bench.publish("a", &at(ExactlyOnce));
    bench.sent();
    bench.give(Packet::PubRec(ack(1)));
    // The machine slept: the hook is late in the same moment.
    bench.now += seconds(11);
    bench.command(Command::Reconnect);
    let sent = bench.sent();
    assert!(matches!(sent[..], [Packet::Disconnect(_)]), "{sent:?}");
    bench.accept(true);
    assert_eq!(bench.engine.state(), State::Online);
}

#[test]
fn answers_of_a_lost_connection_are_not_sent_on_the_next() {
    let mut bench = watched();
    let letter = bench.publish("a", &at(ExactlyOnce));
    bench.give(Packet::PubRec(ack(1)));
    let number = shown(&bench)[0].number;
    bench.lose_connection();
    bench.accept(true);
    // The exchange goes on with a PUBREL of the session's own.
    assert_eq!(answers(&mut bench), [(PacketType::PubRel, 1, None)]);
    say(&mut bench, number, "stale");
    assert!(answers(&mut bench).is_empty());
    bench.give(Packet::PubComp(ack(1)));
    assert_eq!(bench.settled(letter), Some(("acknowledged", false)));
}

#[test]
fn a_failing_pubrec_has_no_answer_to_wait_for() {
    let mut bench = watched();
    let letter = bench.publish("a", &at(ExactlyOnce));
    bench.sent();
    bench.give(Packet::PubRec(nack(1, ReasonCode::QUOTA_EXCEEDED)));
    assert_eq!(shown(&bench)[0].number, 0);
    assert_eq!(bench.settled(letter), Some(("rejected", false)));
    assert!(answers(&mut bench).is_empty());
}

#[test]
fn an_acknowledgement_carries_the_words_of_the_application() {
    for (qos, number) in [(AtLeastOnce, 3), (ExactlyOnce, 4)] {
        let mut bench = Bench::online(speaking(V5));
        bench.give_message("a", qos, number, false);
        let token = bench.messages()[0].token.expect("a token");
        bench.command(Command::Acknowledge {
            token,
            reason: ReasonCode::SUCCESS,
            words: Some(Box::new(words("done"))),
        });
        let sent = bench.sent();
        let [Packet::PubAck(answer) | Packet::PubRec(answer)] = &sent[..] else {
            panic!("{sent:?}");
        };
        assert_eq!(answer.packet_id.get(), number);
        assert_eq!(answer.properties.reason_string(), Some("done"));
        let users: Vec<_> = answer.properties.user_properties().collect();
        assert_eq!(users, [("who", "hook")]);
    }
}

#[test]
fn a_close_says_what_its_options_say() {
    for (with_will, reason) in [
        (false, ReasonCode::NORMAL_DISCONNECTION),
        (true, ReasonCode::DISCONNECT_WITH_WILL),
    ] {
        let mut bench = Bench::online(speaking(V5));
        bench.sent();
        bench.ask(|reply| Command::Close {
            reply,
            options: Box::new(CloseOptions {
                with_will,
                session_expiry: Some(seconds(7)),
                reason_string: Some("lunch".into()),
                user_properties: vec![("who".into(), "me".into())],
                ..CloseOptions::new()
            }),
        });
        let sent = bench.sent();
        let end = disconnect_of(&sent).expect("a DISCONNECT");
        assert_eq!(end.reason, reason);
        assert_eq!(end.properties.session_expiry_interval(), Some(7));
        assert_eq!(end.properties.reason_string(), Some("lunch"));
        assert_eq!(end.properties.user_properties().count(), 1);
        assert_eq!(bench.hang_ups, [true]);
    }
}

#[test]
fn on_3_1_1_a_close_with_the_will_hangs_up_without_a_disconnect() {
    let mut bench = Bench::online(speaking(V311));
    bench.sent();
    bench.ask(|reply| Command::Close {
        reply,
        options: Box::new(CloseOptions {
            with_will: true,
            ..CloseOptions::new()
        }),
    });
    assert_eq!(disconnect_of(&bench.sent()), None);
    assert_eq!(bench.hang_ups, [false]);
}

#[test]
fn the_words_of_a_hook_must_be_text_that_mqtt_can_carry() {
    for text in ["a\0b", &"x".repeat(65_536)] {
        let words = Words {
            reason_string: Some(text.into()),
            user_properties: Vec::new(),
        };
        let error = words.properties().expect_err("not valid");
        assert!(error.to_string().contains("reason string"), "{error}");
    }
    let mut none = Properties::new();
    assert!(none.set(PropertyId::ReasonString, "fine").is_ok());
}
