//! What a server of MQTT 5 says in CONNACK about itself (3.2.2.3), and flow control (3.3.4, 4.9).
use leveret_protocol::engine::Payload;
use leveret_protocol::message::QoS;
use leveret_protocol::options::{ClientOptions, PublishOptions};

use crate::harness::*;

/// What a client that was told this sends of letters of each QoS, and what becomes of those that it does not send.
fn at_most(properties: &str, most: u8) {
    let mut client = told(speaking(V5), properties);
    for (qos, number) in LEVELS {
        let letter = client.publish("t", &at(qos));
        let sent = letters(&mut client);
        if number <= most {
            assert_eq!(sent[0].qos, number);
        } else {
            assert_eq!(sent, []);
            assert_eq!(client.settled(letter), Some(("rejected", false)));
        }
    }
}

#[test]
fn v5_3_2_2_11_no_letter_goes_above_the_maximum_qos() {
    at_most("24 00", 0);
    at_most("24 01", 1);
    at_most("", 2);
    // Nor one that was sent before and would be sent again.
    let mut client = Bench::online(kept(V5));
    client.publish("t", &at(ExactlyOnce));
    packets(&mut client);
    client.lose_connection();
    client.link_up();
    client.give_bytes(&connack_with(true, "24 01"));
    assert_eq!(letters(&mut client), []);
}

#[test]
fn v5_3_2_2_14_nothing_is_retained_where_it_is_not_available() {
    let retained = PublishOptions {
        retain: true,
        ..at(AtLeastOnce)
    };
    let mut client = told(speaking(V5), "25 00");
    let letter = client.publish("t", &retained);
    client.publish("t", &at(AtLeastOnce));
    assert_eq!(client.settled(letter), Some(("rejected", false)));
    assert_eq!(first_bytes(&packets(&mut client), 3), [0x32]);
    for available in ["25 01", ""] {
        let mut client = told(speaking(V5), available);
        client.publish("t", &retained);
        assert_eq!(first_bytes(&packets(&mut client), 3), [0x33]);
    }
}

#[test]
fn v5_3_2_2_15_no_packet_is_larger_than_the_server_takes() {
    let mut client = told(speaking(V5), "27 00000014");
    // 2 bytes of fixed header, 2 + 1 of topic, 2 of identifier, 1 of property length: 12 are left of 20.
    for (payload, length) in [(12, Some(20)), (13, None)] {
        let payload = vec![b'x'; payload];
        let letter = client.publish_payload("t", Payload::from(&payload), &at(AtLeastOnce));
        let sent = packets(&mut client).pop().map(|packet| packet.len());
        assert_eq!(sent, length);
        let rejected = Some(("rejected", false));
        assert_eq!(
            client.settled(letter),
            rejected.filter(|_| length.is_none())
        );
    }
    let long = "f".repeat(14);
    client.subscribe(&[(1, &long)], AtLeastOnce);
    unsubscribe(&mut client, &long);
    assert_eq!(packets(&mut client).len(), 0);
    client.subscribe(&[(2, "f")], AtLeastOnce);
    assert_eq!(packets(&mut client).len(), 1, "a short one goes");
    // DISCONNECT is told without the session expiry, or not at all.
    for most in ["00000006", "00000002", "00000001"] {
        let mut client = told(speaking(V5), &format!("27 {most}"));
        close(&mut client);
        let most = usize::from(bytes(most)[3]);
        assert!(
            packets(&mut client)
                .iter()
                .all(|packet| packet.len() <= most)
        );
        assert!(!client.connected);
    }
}

fn posted(client: &mut Bench, count: usize, qos: QoS) {
    for _ in 0..count {
        client.publish("t", &at(qos));
    }
}

#[test]
fn v5_3_3_4_7_no_more_than_the_receive_maximum_are_unacknowledged() {
    let mut client = told(speaking(V5), "21 0003");
    posted(&mut client, 1, AtLeastOnce);
    posted(&mut client, 2, ExactlyOnce);
    posted(&mut client, 4, AtLeastOnce);
    let ids = |client: &mut Bench| -> Vec<u16> {
        let sent = letters(client).into_iter();
        sent.filter_map(|letter| letter.id).collect()
    };
    assert_eq!(ids(&mut client), [1, 2, 3]);
    client.give_bytes(&answer(0x40, 1));
    assert_eq!(ids(&mut client), [4], "after PUBACK");
    client.give_bytes(&answer(0x50, 2));
    assert_eq!(ids(&mut client), [], "not after PUBREC");
    client.give_bytes(&answer(0x70, 2));
    assert_eq!(ids(&mut client), [5], "but after PUBCOMP");
    client.give_bytes(&bytes("50 03 0003 97"));
    assert_eq!(ids(&mut client), [6], "and after a failing PUBREC");
    // What is sent again counts as well, and may not go all at once where the server takes fewer now.
    packets(&mut client);
    client.lose_connection();
    client.link_up();
    client.give_bytes(&connack_with(true, "21 0002"));
    assert_eq!(ids(&mut client), [4, 5]);
    client.give_bytes(&answer(0x40, 4));
    assert_eq!(ids(&mut client), [6]);
}

/// A client whose quota of one is used up by a letter of QoS 2, with another one waiting.
fn used_up() -> Bench {
    let mut client = told(speaking(V5), "21 0001");
    posted(&mut client, 2, ExactlyOnce);
    assert_eq!(letters(&mut client).len(), 1);
    client
}

#[test]
fn v5_3_3_4_8_a_used_up_receive_maximum_holds_back_letters_alone() {
    let mut client = used_up();
    client.subscribe(&[(1, "f")], AtLeastOnce);
    unsubscribe(&mut client, "g");
    client.give_bytes(&message(V5, 0x32, b"t", 7));
    client.give_bytes(&message(V5, 0x34, b"t", 8));
    handled(&mut client, 0);
    handled(&mut client, 1);
    client.give_bytes(&answer(0x62, 8));
    client.give_bytes(&answer(0x50, 1));
    client.pass(seconds(29));
    client.pass(seconds(29));
    let sent = packets(&mut client);
    for first in [0x82, 0xA2, 0x40, 0x50, 0x70, 0x62, 0xC0] {
        assert_eq!(
            of_type(&sent, first).len(),
            1 + usize::from(first == 0x82 || first == 0xA2)
        );
    }
    assert_eq!(of_type(&sent, 0x30).len(), 0);
    client.command(leveret_protocol::engine::Command::Reconnect);
    assert_eq!(packets(&mut client), [bytes("E0 00")]);
}

#[test]
fn v5_4_9_0_1_the_first_quota_is_the_receive_maximum() {
    for (properties, quota) in [
        ("21 0001", 1),
        ("21 0002", 2),
        ("21 FFFF", 65_535),
        ("", 65_535),
    ] {
        let mut client = told(speaking(V5), properties);
        posted(&mut client, quota + 10, AtLeastOnce);
        assert_eq!(letters(&mut client).len(), quota);
    }
    // One's own limit may be lower, and is not above it either.
    let options = ClientOptions {
        max_in_flight: 5,
        ..speaking(V5)
    };
    for (properties, quota) in [("21 0003", 3), ("21 0009", 5)] {
        let mut client = told(options.clone(), properties);
        posted(&mut client, 20, AtLeastOnce);
        assert_eq!(letters(&mut client).len(), quota);
    }
}

#[test]
fn v5_4_9_0_2_each_letter_takes_one_of_the_quota_and_none_goes_at_zero() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        let mut client = told(speaking(V5), "21 0004");
        for sent in [1, 1, 1, 1, 0, 0] {
            posted(&mut client, 1, qos);
            assert_eq!(letters(&mut client).len(), sent);
        }
        client.pass(seconds(50));
        assert_eq!(letters(&mut client), [], "time gives none back");
        // An answer to what is not in flight gives none back.
        client.give_bytes(&answer(0x40, 77));
        client.give_bytes(&answer(0x70, 77));
        assert_eq!(letters(&mut client), []);
    }
    // Letters of QoS 0 take none.
    let mut client = told(speaking(V5), "21 0001");
    posted(&mut client, 5, AtMostOnce);
    posted(&mut client, 1, AtLeastOnce);
    assert_eq!(letters(&mut client).len(), 6);
}

#[test]
fn v5_4_9_0_3_at_zero_everything_else_goes_on() {
    let mut client = used_up();
    client.give_bytes(&message(V5, 0x30, b"zero", 0));
    client.give_bytes(&message(V5, 0x32, b"one", 7));
    assert_eq!(received(&client), ["zero", "one"]);
    handled(&mut client, 1);
    assert_eq!(packets(&mut client), [answer(0x40, 7)]);
    client.give_bytes(&answer(0x50, 1));
    assert_eq!(packets(&mut client), [answer(0x62, 1)]);
    client.give_bytes(&answer(0x70, 1));
    assert_eq!(
        letters(&mut client).len(),
        1,
        "and the next one has its turn"
    );
    client.give_bytes(&bytes("E0 01 8B"));
    assert!(!client.connected);
}
