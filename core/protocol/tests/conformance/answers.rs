//! Reason codes, reason strings and user properties of what a client of MQTT 5 answers (3.4 to 3.7, 3.14.2).
use leveret_protocol::codec::Properties;
use leveret_protocol::engine::{Command, Event, Hooks, Words};
use leveret_protocol::options::CloseOptions;
use leveret_protocol::reason::ReasonCode;

use crate::authentication;
use crate::harness::*;

/// What the application may say about a message, and what is told of it: the errors of the packet as they are, of other errors that they are some, of
/// everything else nothing. 0x10, no matching subscribers, is the server's to say.
fn a_listed_code(publish: u8, answered: u8, codes: &str) {
    let codes = bytes(codes);
    for code in 0..=255 {
        let mut client = online(V5);
        client.give_bytes(&message(V5, publish, b"t", 5));
        let token = client.messages()[0].token.expect("a token");
        let reason = ReasonCode(code);
        let words = None;
        client.command(Command::Acknowledge {
            token,
            reason,
            words,
        });
        let answer = match code {
            _ if codes.contains(&code) => vec![answered, 3, 0, 5, code],
            0x80.. => vec![answered, 3, 0, 5, 0x80],
            _ => vec![answered, 2, 0, 5],
        };
        assert_eq!(packets(&mut client), [answer], "{code:#04x}");
    }
    let mut client = online(V5);
    client.give_bytes(&message(V5, publish, b"t", 5));
    failed(&mut client, 0);
    assert_eq!(packets(&mut client), [vec![answered, 3, 0, 5, 0x80]]);
}

#[test]
fn v5_3_4_2_1_puback_has_one_of_its_reason_codes() {
    a_listed_code(0x32, 0x40, "80 83 87 90 91 97 99");
}

#[test]
fn v5_3_5_2_1_pubrec_has_one_of_its_reason_codes() {
    a_listed_code(0x34, 0x50, "80 83 87 90 91 97 99");
}

#[test]
fn v5_3_6_2_1_pubrel_has_one_of_its_reason_codes() {
    let mut client = online(V5);
    client.publish("t", &at(ExactlyOnce));
    packets(&mut client);
    client.give_bytes(&answer(0x50, 1));
    assert_eq!(packets(&mut client), [answer(0x62, 1)], "success");
    client.give_bytes(&answer(0x50, 9));
    assert_eq!(packets(&mut client), [bytes("62 03 0009 92")], "not found");
}

#[test]
fn v5_3_7_2_1_pubcomp_has_one_of_its_reason_codes() {
    let mut client = online(V5);
    client.give_bytes(&message(V5, 0x34, b"t", 5));
    handled(&mut client, 0);
    packets(&mut client);
    client.give_bytes(&answer(0x62, 5));
    assert_eq!(packets(&mut client), [answer(0x70, 5)], "success");
    client.give_bytes(&answer(0x62, 5));
    assert_eq!(packets(&mut client), [bytes("70 03 0005 92")], "not found");
}

/// Every way in which a client says DISCONNECT, with the code it gives.
#[test]
fn v5_3_14_2_1_disconnect_has_one_of_the_reason_codes_of_a_client() {
    let violations = [
        ("30 05 0002 FFFF 00", 0x81),
        ("20 03 00 00 00", 0x82),
        ("40 02 0002", 0x82), // PUBACK for a letter of QoS 2
        (r#"30 08 0001 "t" 04 23 FFFF 00"#, 0x81), // one byte behind the property
        (r#"30 07 0001 "t" 03 23 FFFF"#, 0x94),
        (r#"30 80808008 0001 "t" 0000"#, 0x95),
    ];
    for (violation, code) in violations {
        let mut client = online(V5);
        client.publish("t", &at(AtLeastOnce));
        client.publish("t", &at(ExactlyOnce));
        client.give_bytes(&bytes(violation));
        assert!(!client.connected, "{violation}");
        assert_given_up(&mut client, code);
    }
    let options = leveret_protocol::options::ClientOptions {
        receive_maximum: 2,
        ..speaking(V5)
    };
    let mut client = Bench::online(options);
    for id in 1..=3 {
        client.give_bytes(&message(V5, 0x32, b"t", id));
    }
    assert_given_up(&mut client, 0x93);
    let mut client = authentication::refused_by_the_application();
    assert_eq!(packets(&mut client), [[0xE0, 1, 0x80]]);
    // Normal ends: with the session, which this client keeps for itself alone, and without.
    let mut client = online(V5);
    close(&mut client);
    assert_eq!(packets(&mut client), [bytes("E0 07 00 05 11 00000000")]);
    let mut client = Bench::online(kept(V5));
    close(&mut client);
    assert_eq!(packets(&mut client), [bytes("E0 00")]);
}

/// The words that an application puts on an answer: a reason string, or a user property.
fn words(id: u8) -> Words {
    match id {
        STRING => Words {
            reason_string: Some("because it is so".into()),
            ..Words::default()
        },
        _ => Words {
            user_properties: vec![("name".into(), "and value".into())],
            ..Words::default()
        },
    }
}

fn properties(words: &Words) -> Properties {
    words.properties().expect("valid words")
}

fn taking(limit: usize) -> Bench {
    told(kept(V5), &format!("27 {limit:08X}"))
}

/// PUBACK or PUBREC with these words, for a server that takes packets of so many bytes.
fn acknowledged(publish: u8, words: &Words, limit: usize) -> Vec<u8> {
    let mut client = taking(limit);
    client.give_bytes(&message(V5, publish, b"t", 5));
    let token = client.messages()[0].token.expect("a token");
    client.command(Command::Acknowledge {
        token,
        reason: ReasonCode::UNSPECIFIED_ERROR,
        words: Some(Box::new(properties(words))),
    });
    packets(&mut client).remove(0)
}

/// PUBREL or PUBCOMP, the answer to this packet, with the words of a hook.
fn hooked(packet: &[u8], words: &Words, limit: usize) -> Vec<u8> {
    let mut client = taking(limit);
    client.command(Command::Hooks(Hooks {
        answered: Hooks::ANSWERABLE,
        ..Hooks::default()
    }));
    client.publish("t", &at(ExactlyOnce));
    packets(&mut client);
    client.give_bytes(packet);
    assert_eq!(packets(&mut client).len(), 0, "the hook is asked");
    let number = client.events.iter().find_map(|event| match event {
        Event::Packet(shown) => Some(shown.number),
        _ => None,
    });
    client.command(Command::Answer {
        number: number.expect("it is shown"),
        words: properties(words),
    });
    packets(&mut client).remove(0)
}

fn pubrel(words: &Words, limit: usize) -> Vec<u8> {
    hooked(&answer(0x50, 1), words, limit)
}

fn pubcomp(words: &Words, limit: usize) -> Vec<u8> {
    hooked(&answer(0x62, 7), words, limit)
}

fn disconnect(words: &Words, limit: usize) -> Vec<u8> {
    let mut client = taking(limit);
    client.ask(|reply| Command::Close {
        reply,
        options: Box::new(CloseOptions {
            reason_string: words.reason_string.clone(),
            user_properties: words.user_properties.clone(),
            ..CloseOptions::new()
        }),
    });
    packets(&mut client).remove(0)
}

const STRING: u8 = 0x1F;
const PAIR: u8 = 0x26;

/// The properties of an answer, of which `head` bytes stand before them.
fn said(packet: &[u8], head: usize) -> Vec<Property> {
    let mut fields = Fields::of(packet);
    if packet.len() - 2 <= head {
        return Vec::new();
    }
    fields.take(head);
    let properties = fields.properties(V5);
    fields.end();
    properties
}

/// Property `id` is there as long as the server takes the packet with it, and left out where it would not; without it the packet goes all the same.
fn left_out(send: impl Fn(&Words, usize) -> Vec<u8>, head: usize, id: u8) {
    let words = words(id);
    let packet = send(&words, 1_000);
    let whole = packet.len();
    let all = said(&packet, head);
    assert!(all.iter().any(|property| property.0 == id));
    for limit in whole - 10..whole + 2 {
        let packet = send(&words, limit);
        assert!(packet.len() <= limit);
        let there = said(&packet, head);
        let has_it = there.iter().any(|property| property.0 == id);
        assert_eq!(has_it, limit >= whole, "{limit} of {whole}");
        assert_eq!(all.len() - there.len(), usize::from(!has_it));
    }
}

fn auth(words: &Words, limit: usize) -> Vec<u8> {
    authentication::with_words(properties(words), limit)
}

#[test]
fn v5_3_4_2_2_a_reason_string_that_is_too_long_is_left_out_of_puback() {
    left_out(|words, limit| acknowledged(0x32, words, limit), 3, STRING);
}

#[test]
fn v5_3_4_2_3_user_properties_that_are_too_long_are_left_out_of_puback() {
    left_out(|words, limit| acknowledged(0x32, words, limit), 3, PAIR);
}

#[test]
fn v5_3_5_2_2_a_reason_string_that_is_too_long_is_left_out_of_pubrec() {
    left_out(|words, limit| acknowledged(0x34, words, limit), 3, STRING);
}

#[test]
fn v5_3_5_2_3_user_properties_that_are_too_long_are_left_out_of_pubrec() {
    left_out(|words, limit| acknowledged(0x34, words, limit), 3, PAIR);
}

#[test]
fn v5_3_6_2_2_a_reason_string_that_is_too_long_is_left_out_of_pubrel() {
    left_out(pubrel, 3, STRING);
}

#[test]
fn v5_3_6_2_3_user_properties_that_are_too_long_are_left_out_of_pubrel() {
    left_out(pubrel, 3, PAIR);
}

#[test]
fn v5_3_7_2_2_a_reason_string_that_is_too_long_is_left_out_of_pubcomp() {
    left_out(pubcomp, 3, STRING);
}

#[test]
fn v5_3_7_2_3_user_properties_that_are_too_long_are_left_out_of_pubcomp() {
    left_out(pubcomp, 3, PAIR);
}

#[test]
fn v5_3_14_2_3_a_reason_string_that_is_too_long_is_left_out_of_disconnect() {
    left_out(disconnect, 1, STRING);
}

#[test]
fn v5_3_14_2_4_user_properties_that_are_too_long_are_left_out_of_disconnect() {
    left_out(disconnect, 1, PAIR);
}

#[test]
fn v5_3_15_2_2_a_reason_string_that_is_too_long_is_left_out_of_auth() {
    left_out(auth, 1, STRING);
}

#[test]
fn v5_3_15_2_3_user_properties_that_are_too_long_are_left_out_of_auth() {
    left_out(auth, 1, PAIR);
}
