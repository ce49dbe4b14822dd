//! AUTH and enhanced authentication (5.0: 3.1.2.11.9, 3.15, 4.12).
use leveret_protocol::codec::Properties;
use leveret_protocol::engine::{AuthAnswer, Command, Event, Hooks, Input};
use leveret_protocol::error::ErrorKind;
use leveret_protocol::options::ClientOptions;

use crate::harness::*;

/// CONNACK that accepts with the method M.
const ACCEPTS: &str = r#"20 07 0000 04 15 0001 "M""#;

/// AUTH with this reason code, this method and the data "d".
fn auth(code: u8, method: &str) -> Vec<u8> {
    let mut packet = bytes(r#"F0 0A 00 08 15 0001 "M" 16 0001 "d""#);
    (packet[2], packet[7]) = (code, method.as_bytes()[0]);
    packet
}

fn options() -> ClientOptions {
    ClientOptions {
        authentication_method: Some("M".into()),
        keep_alive: seconds(2),
        ..speaking(V5)
    }
}

/// A client with the method M, whose application has begun; CONNECT is sent.
fn authenticating() -> Bench {
    authenticating_with(options())
}

fn authenticating_with(options: ClientOptions) -> Bench {
    let mut client = Bench::new(options);
    client.command(Command::Hooks(Hooks {
        authenticates: true,
        ..Hooks::default()
    }));
    client.handle(Input::Start);
    step(&mut client);
    client.link_up();
    let connect = Connect::read(&split(&client.written)[0]);
    assert_eq!(value(&connect.properties, 0x15), Some(&b"M"[..]));
    assert_eq!(value(&connect.properties, 0x16), Some(&b"d"[..]));
    client
}

/// The same, accepted.
fn authenticated() -> Bench {
    accepted(authenticating())
}

/// The same, in the midst of a re-authentication, with the request for problem information or without.
pub(crate) fn reauthenticating(request_problem_information: bool) -> Bench {
    let mut client = accepted(authenticating_with(ClientOptions {
        request_problem_information,
        ..options()
    }));
    reauthenticate(&mut client);
    step(&mut client);
    assert_eq!(packets(&mut client), [auth(0x19, "M")]);
    client
}

fn accepted(mut client: Bench) -> Bench {
    client.give_bytes(&bytes(ACCEPTS));
    step(&mut client);
    assert!(client.connected);
    packets(&mut client);
    client
}

/// The application takes the step that it was asked for last.
fn step(client: &mut Bench) {
    say(client, Properties::new());
}

fn say(client: &mut Bench, words: Properties) {
    let answer = AuthAnswer {
        data: Some(b"d"[..].into()),
        words,
    };
    take(client, Ok(Box::new(answer)));
}

fn take(client: &mut Bench, answer: Result<Box<AuthAnswer>, String>) {
    let asked = client.events.iter().filter_map(|event| match event {
        Event::Authenticate(step) => Some(step.number),
        _ => None,
    });
    let number = asked.last().expect("a step that is asked for");
    client.command(Command::Authenticate { number, answer });
}

fn reauthenticate(client: &mut Bench) {
    client.ask(|reply| Command::Reauthenticate { reply });
}

/// Everything that a client may have to send waits, and time passes.
#[test]
fn v5_3_1_2_30_before_connack_only_auth_follows_a_connect_with_a_method() {
    let mut client = authenticating();
    client.publish("t", &at(AtMostOnce));
    client.publish("t", &at(ExactlyOnce));
    client.subscribe(&[(1, "f")], AtLeastOnce);
    unsubscribe(&mut client, "g");
    client.pass(seconds(4));
    assert_eq!(packets(&mut client).len(), 0);
    client.give_bytes(&auth(0x18, "M"));
    step(&mut client);
    client.pass(seconds(4));
    assert_eq!(packets(&mut client), [auth(0x18, "M")]);
    client.give_bytes(&bytes(ACCEPTS));
    step(&mut client);
    let sent = packets(&mut client);
    assert_eq!(of_type(&sent, 0x30).len(), 2, "and then all of it");
    assert_eq!(of_type(&sent, 0x80).len(), 1);
}

#[test]
fn v5_3_15_1_1_the_flags_of_auth_are_zero_and_others_are_malformed() {
    let mut client = authenticated();
    reauthenticate(&mut client);
    step(&mut client);
    assert_eq!(packets(&mut client)[0][0], 0xF0);
    for flags in 1..16 {
        let mut client = online(V5);
        client.give_bytes(&[&[0xF0 | flags], &auth(0x18, "M")[1..]].concat());
        assert_given_up(&mut client, 0x81);
    }
}

#[test]
fn v5_3_15_2_1_auth_has_one_of_its_reason_codes() {
    let mut client = authenticating();
    client.give_bytes(&auth(0x18, "M"));
    step(&mut client);
    client.give_bytes(&bytes(ACCEPTS));
    step(&mut client);
    reauthenticate(&mut client);
    step(&mut client);
    client.give_bytes(&auth(0x18, "M"));
    step(&mut client);
    let sent = packets(&mut client);
    let codes: Vec<_> = of_type(&sent, 0xF0).iter().map(|auth| auth[2]).collect();
    assert_eq!(codes, [0x18, 0x19, 0x18]);
    // One that is none, or not the server's, is an error.
    for code in [0x01, 0x04, 0x17, 0x19, 0x1A, 0x80, 0x8C] {
        let mut client = authenticated();
        reauthenticate(&mut client);
        step(&mut client);
        client.give_bytes(&auth(code, "M"));
        assert_given_up(&mut client, 0x82);
    }
}

#[test]
fn v5_4_12_0_3_auth_is_answered_with_auth_and_continue() {
    let mut client = authenticating();
    for _ in 0..3 {
        client.give_bytes(&auth(0x18, "M"));
        assert_eq!(packets(&mut client).len(), 0, "the application is asked");
        step(&mut client);
        assert_eq!(packets(&mut client), [auth(0x18, "M")]);
    }
}

#[test]
fn v5_4_12_0_5_every_auth_and_connack_has_the_method_of_connect() {
    let other_connack = r#"20 07 0000 04 15 0001 "N""#;
    for packet in [auth(0x18, "N"), bytes(other_connack), bytes("F0 00")] {
        let mut client = authenticating();
        client.give_bytes(&packet);
        assert!(!client.connected, "{packet:02X?}");
        assert_eq!(packets(&mut client).len(), 0);
    }
    // A broker that forgets to name it in CONNACK is put up with.
    let mut client = authenticating();
    client.give_bytes(&bytes("20 03 00 00 00"));
    assert!(client.connected);
    let mut client = authenticated();
    reauthenticate(&mut client);
    step(&mut client);
    let method =
        |packet: &[u8]| value(&Fields(&packet[3..]).properties(V5), 0x15).map(<[u8]>::to_vec);
    assert_eq!(method(&packets(&mut client)[0]), Some(b"M".to_vec()));
    // Neither a step of a re-authentication nor its end.
    for code in [0x18, 0x00] {
        let mut client = reauthenticating(true);
        client.give_bytes(&auth(code, "N"));
        assert_given_up(&mut client, 0x82);
    }
}

#[test]
fn v5_4_12_0_7_without_a_method_there_is_no_auth() {
    let sent = one_of_each(V5);
    assert_eq!(first_bytes(&sent, 15), []);
    let connect = Connect::read(&sent[0]);
    assert_eq!(value(&connect.properties, 0x15), None);
    assert_eq!(value(&connect.properties, 0x16), None);
    let mut client = online(V5);
    let (_, refused) = client.ask(|reply| Command::Reauthenticate { reply });
    let kind = refused.and_then(Result::err).map(|error| error.kind);
    assert_eq!(kind, Some(ErrorKind::NotSupported));
    assert_eq!(packets(&mut client).len(), 0);
    // One from the server is an error, and not answered with another.
    client.give_bytes(&auth(0x18, "M"));
    assert_given_up(&mut client, 0x82);
    let (mut client, _) = connecting(speaking(V5));
    packets(&mut client);
    client.give_bytes(&auth(0x18, "M"));
    assert_eq!((client.connected, packets(&mut client).len()), (false, 0));
}

#[test]
fn v5_4_12_1_1_reauthentication_is_auth_0x19_with_the_method_after_connack() {
    let mut client = authenticating();
    let (_, refused) = client.ask(|reply| Command::Reauthenticate { reply });
    let kind = refused.and_then(Result::err).map(|error| error.kind);
    assert_eq!(kind, Some(ErrorKind::NotConnected), "not before CONNACK");
    assert_eq!(packets(&mut client).len(), 0);
    let mut client = authenticated();
    reauthenticate(&mut client);
    step(&mut client);
    assert_eq!(packets(&mut client), [auth(0x19, "M")]);
}

/// A client whose application has just refused the server in a re-authentication.
pub(crate) fn refused_by_the_application() -> Bench {
    let mut client = reauthenticating(true);
    client.give_bytes(&auth(0x18, "M"));
    take(&mut client, Err("the proof is wrong".into()));
    client
}

#[test]
fn v5_4_12_1_2_a_failed_reauthentication_closes() {
    // The application refuses the server: it is told, and left.
    let mut client = refused_by_the_application();
    assert_eq!(packets(&mut client), [[0xE0, 1, 0x80]]);
    assert_eq!(
        (client.connected, &client.hang_ups[..]),
        (false, &[true][..])
    );
    // The server refuses the client.
    let mut client = authenticated();
    reauthenticate(&mut client);
    step(&mut client);
    client.give_bytes(&bytes("E0 01 87"));
    assert!(!client.connected);
}

/// AUTH with these words of the application, where the server takes packets of so many bytes.
pub(crate) fn with_words(words: Properties, limit: usize) -> Vec<u8> {
    let mut client = authenticating();
    let head = bytes(r#"20 0C 0000 09 15 0001 "M" 27"#);
    client.give_bytes(&[&head[..], &(limit as u32).to_be_bytes()].concat());
    step(&mut client);
    packets(&mut client);
    reauthenticate(&mut client);
    say(&mut client, words);
    packets(&mut client).remove(0)
}
