//! Session state (3.1.2.4, 3.1.3.1, 3.2.2.1, 4.1): kept as long as the session lasts, under one client identifier, and not used beyond it.
use leveret_protocol::engine::{ConnectionEvent, Event};
use leveret_protocol::options::{ClientOptions, PublishOptions, Ttl};

use crate::harness::*;

const CLEAN: u8 = 0x02;

/// A client with state of every kind: a QoS 1 letter (identifier 1), a QoS 2 letter before PUBREC (2) and after it (3), and a QoS 2 message that the broker
/// has not released (7).
fn with_state(options: ClientOptions) -> Bench {
    let mut client = Bench::online(options);
    client.publish("q1", &at(AtLeastOnce));
    client.publish("q2", &at(ExactlyOnce));
    client.publish("released", &at(ExactlyOnce));
    client.give_bytes(&answer(0x50, 3));
    let incoming = message(client.version, 0x34, b"in", 7);
    client.give_bytes(&incoming);
    handled(&mut client, 0);
    packets(&mut client);
    client
}

/// All of the state is there: what was unacknowledged is sent again, and the message is answered but not handed over.
fn goes_on(client: &mut Bench) {
    let sent = packets(client);
    let first: Vec<_> = sent
        .iter()
        .map(|packet| (packet[0], identifier(packet)))
        .collect();
    assert_eq!(first, [(0x3A, Some(1)), (0x3C, Some(2)), (0x62, Some(3))]);
    let again = message(client.version, 0x3C, b"in", 7);
    client.give_bytes(&again);
    assert_eq!(packets(client), [answer(0x50, 7)]);
    assert_eq!(received(client), ["in"]);
}

/// Nothing of it is there: what may be sent again is sent as new, and the identifier of the message is that of a new one.
fn is_gone(client: &mut Bench) {
    let sent = letters(client);
    let sent: Vec<_> = sent
        .iter()
        .map(|letter| (&letter.topic[..], letter.id, letter.dup))
        .collect();
    assert_eq!(sent, [("q1", Some(1), false)]);
    let other = message(client.version, 0x34, b"other", 7);
    client.give_bytes(&other);
    assert_eq!(received(client), ["in", "other"]);
}

#[test]
fn v311_3_1_2_4_without_clean_session_the_state_goes_on() {
    let mut client = with_state(kept(V311));
    client.lose_connection();
    client.link_up();
    assert_eq!(Connect::read(&client.written).flags & CLEAN, 0);
    client.give(connack(true));
    goes_on(&mut client);
}

#[test]
fn v311_3_1_2_6_with_clean_session_nothing_of_the_state_is_used_again() {
    let mut client = with_state(speaking(V311));
    client.lose_connection();
    client.link_up();
    assert_eq!(Connect::read(&client.written).flags & CLEAN, CLEAN);
    client.give(connack(false));
    is_gone(&mut client);
}

#[test]
fn v5_3_1_2_4_with_clean_start_nothing_of_the_state_is_used_again() {
    let mut client = with_state(ClientOptions {
        session_expiry: seconds(0), // so that there is nothing to go on from
        ..speaking(V5)
    });
    client.lose_connection();
    client.link_up();
    assert_eq!(Connect::read(&client.written).flags & CLEAN, CLEAN);
    client.give(connack(false));
    is_gone(&mut client);
}

#[test]
fn v5_3_1_2_23_with_a_session_expiry_the_state_outlives_the_connection() {
    for options in [speaking(V5), kept(V5)] {
        let mut client = with_state(options);
        client.lose_connection();
        client.link_up();
        let connect = Connect::read(&client.written);
        assert_eq!(connect.flags & CLEAN, 0);
        assert_eq!(
            value(&connect.properties, 0x11),
            Some(&bytes("00000E10")[..])
        );
        client.give(connack(true));
        goes_on(&mut client);
    }
}

#[test]
fn v311_3_1_3_2_the_state_belongs_to_one_client_id() {
    let mut client = with_state(kept(V311));
    for _ in 0..3 {
        client.lose_connection();
        client.link_up();
        assert_eq!(Connect::read(&client.written).client_id, "bench");
        client.give(connack(true));
    }
    goes_on(&mut client);
}

#[test]
fn v5_3_1_3_2_the_state_belongs_to_one_client_id_the_assigned_one_if_there_is_one() {
    let (mut client, _) = connecting(ClientOptions {
        client_id: String::new(),
        ..speaking(V5)
    });
    client.give_bytes(&connack_with(false, r#"12 0004 "srv9""#));
    client.publish("q1", &at(AtLeastOnce));
    client.lose_connection();
    client.link_up();
    assert_eq!(Connect::read(&client.written).client_id, "srv9");
    client.give(connack(true));
    assert!(letters(&mut client)[0].dup);
}

/// The state of a session does not age: half a day later every exchange goes on where it was.
fn lasts(mut client: Bench) -> Bench {
    client.pass(seconds(12 * 3_600));
    assert!(client.connected);
    packets(&mut client);
    let again = message(client.version, 0x3C, b"in", 7);
    client.give_bytes(&again);
    assert_eq!(packets(&mut client), [answer(0x50, 7)]);
    client.give_bytes(&answer(0x62, 7));
    assert_eq!(packets(&mut client), [answer(0x70, 7)]);
    assert_eq!(received(&client), ["in"]);
    client.give_bytes(&answer(0x40, 1));
    client.give_bytes(&answer(0x50, 2));
    assert_eq!(packets(&mut client), [answer(0x62, 2)]);
    client.give_bytes(&answer(0x70, 2));
    client.give_bytes(&answer(0x70, 3));
    for tag in 1..=3 {
        assert_eq!(client.settled(tag), Some(("acknowledged", false)));
    }
    client
}

fn for_ever(options: ClientOptions) -> ClientOptions {
    ClientOptions {
        default_ttl: None,
        keep_alive: seconds(0),
        ..options
    }
}

#[test]
fn v311_4_1_0_1_the_state_is_kept_as_long_as_the_session_lasts() {
    let mut client = with_state(for_ever(kept(V311)));
    // Over connections and the time between them.
    client.cut();
    for _ in 0..100 {
        client.pass_backoff();
        client.cut();
    }
    client.pass_backoff();
    client.accept(true);
    goes_on(&mut client);
}

#[test]
fn v311_4_1_0_2_a_session_lasts_as_long_as_its_connection() {
    lasts(with_state(for_ever(speaking(V311))));
}

#[test]
fn v5_4_1_0_1_the_state_is_kept_while_connected() {
    lasts(with_state(for_ever(ClientOptions {
        session_expiry: seconds(0), // which counts from the end of the connection
        ..speaking(V5)
    })));
}

/// The client knows nothing of a session, asked for a clean one, and the broker says that there is one.
#[test]
fn v5_3_2_2_4_a_session_that_nobody_here_knows_is_closed() {
    let (mut client, _) = connecting(speaking(V5));
    client.give_bytes(&connack_with(true, ""));
    assert!(!client.connected);
    let failed = |event: &Event| {
        matches!(
            event,
            Event::Connection(ConnectionEvent::AttemptFailed { .. })
        )
    };
    assert!(client.events.iter().any(failed));
}

/// The departure: with `clean_start = false` the session of an earlier process is taken over. No identifier that the broker may hold from then is used at QoS 2
/// before it was cleared with PUBREL.
#[test]
fn v5_3_2_2_4_a_kept_session_is_adopted_on_purpose() {
    let mut client = Bench::new(kept(V5));
    client.handle(leveret_protocol::engine::Input::Start);
    client.publish("t", &at(ExactlyOnce));
    client.accept(true);
    assert!(client.connected);
    let sent = packets(&mut client);
    assert!(sent.iter().all(|packet| packet[0] == 0x62));
    let id = identifier(&sent[0]).expect("an identifier");
    client.give_bytes(&answer(0x70, id));
    let letter = letters(&mut client).remove(0);
    assert_eq!((letter.id, letter.dup), (Some(id), false));
}

#[test]
fn v5_3_2_2_5_a_session_that_the_broker_does_not_have_is_discarded_here() {
    for options in [speaking(V5), kept(V5)] {
        let mut client = with_state(options);
        reconnect(&mut client, false);
        is_gone(&mut client);
        assert_eq!(client.settled(2), Some(("session_lost", true)));
        assert_eq!(client.settled(3), Some(("session_lost", true)));
        // And so are the numbers: the next letter has the one behind the first.
        let forever = PublishOptions {
            ttl: Ttl::Never,
            ..at(AtLeastOnce)
        };
        client.publish("next", &forever);
        assert_eq!(letters(&mut client)[0].id, Some(2));
    }
}
