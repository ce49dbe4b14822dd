//! What the tests of the statements share: clients on the bench, what a broker says to them, and how they give a connection up.
use leveret_protocol::engine::{
    Command, ConnectionEvent, Event, Input, Notice, Payload, Publish as Letter, Unsubscribe,
};
use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::message::QoS;
use leveret_protocol::options::{ClientOptions, PublishOptions, SubscribeOptions};
use leveret_protocol::reason::ReasonCode;
use leveret_protocol::sentence::Dialect;
use leveret_protocol::text::Text;

pub use crate::bench::*;
pub(crate) use crate::notation::bytes;
pub use crate::reading::*;
pub use leveret_protocol::codec::Version;
pub use leveret_protocol::message::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};

/// A client that is online with a fresh session.
pub fn online(version: Version) -> Bench {
    Bench::online(speaking(version))
}

/// Options with a session that outlives the connection and the client.
pub fn kept(version: Version) -> ClientOptions {
    ClientOptions {
        clean_start: false,
        ..speaking(version)
    }
}

/// A client that has sent CONNECT and waits for CONNACK, and that CONNECT.
pub fn connecting(options: ClientOptions) -> (Bench, Vec<u8>) {
    let mut client = Bench::new(options);
    client.handle(Input::Start);
    client.link_up();
    let connect = client.written.clone();
    (client, connect)
}

/// The CONNECT of a client with these options.
pub fn connect_of(options: ClientOptions) -> Connect {
    let sent = split(&connecting(options).1);
    assert_eq!(sent.len(), 1);
    Connect::read(&sent[0])
}

/// A client of MQTT 5 whose broker has said this in the properties of CONNACK.
pub fn told(options: ClientOptions, properties: &str) -> Bench {
    let (mut client, _) = connecting(options);
    client.give_bytes(&connack_with(false, properties));
    client.events.clear();
    client
}

/// CONNACK of MQTT 5 with these properties.
pub fn connack_with(session_present: bool, properties: &str) -> Vec<u8> {
    let properties = bytes(properties);
    let length = u8::try_from(properties.len()).expect("a few properties");
    let head = [0x20, 3 + length, session_present.into(), 0, length];
    [&head[..], &properties].concat()
}

/// The connection is lost, and the next one accepted.
pub fn reconnect(client: &mut Bench, session_present: bool) {
    client.lose_connection();
    client.accept(session_present);
}

/// What the client has written since this was last asked.
pub fn packets(client: &mut Bench) -> Vec<Vec<u8>> {
    split(&client.sent_bytes())
}

/// The PUBLISH packets among what the client has written since this was last asked.
pub fn letters(client: &mut Bench) -> Vec<Publish> {
    let sent = packets(client);
    of_type(&sent, 0x30)
        .into_iter()
        .map(|packet| Publish::read(packet, client.version))
        .collect()
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP of four bytes, as both versions have it.
pub fn answer(first: u8, id: u16) -> Vec<u8> {
    let [high, low] = id.to_be_bytes();
    vec![first, 2, high, low]
}

/// SUBACK (`0x90`) or UNSUBACK (`0xB0`) for one filter.
pub fn filter_answer(version: Version, first: u8, id: u16, code: u8) -> Vec<u8> {
    let [high, low] = id.to_be_bytes();
    match version {
        V5 => vec![first, 4, high, low, 0, code],
        V311 if first == 0xB0 => vec![first, 2, high, low],
        V311 => vec![first, 3, high, low, code],
    }
}

/// A PUBLISH from the broker with the payload `m`; the identifier is left out at QoS 0.
pub fn message(version: Version, first: u8, topic: &[u8], id: u16) -> Vec<u8> {
    let mut body = (topic.len() as u16).to_be_bytes().to_vec();
    body.extend_from_slice(topic);
    if first & 6 != 0 {
        body.extend_from_slice(&id.to_be_bytes());
    }
    body.extend_from_slice(if version == V5 { &[0] } else { &[] });
    body.push(b'm');
    [&[first, body.len() as u8][..], &body].concat()
}

/// Topics of the messages that the application was handed.
pub fn received(client: &Bench) -> Vec<String> {
    let topics = client.messages().into_iter();
    topics
        .map(|incoming| incoming.message.topic().to_owned())
        .collect()
}

/// The application has handled a message, by its place among those it was handed.
pub fn handled(client: &mut Bench, place: usize) {
    done(client, place, ReasonCode::SUCCESS);
}

/// The application could not handle a message.
pub fn failed(client: &mut Bench, place: usize) {
    done(client, place, ReasonCode::UNSPECIFIED_ERROR);
}

fn done(client: &mut Bench, place: usize, reason: ReasonCode) {
    let token = client.messages()[place].token.expect("QoS 1 or 2");
    client.command(Command::Acknowledge {
        token,
        reason,
        words: None,
    });
}

pub fn unsubscribe(client: &mut Bench, filter: &str) -> u64 {
    let reply = client.tag();
    client.command(Command::Unsubscribe(Box::new(Unsubscribe {
        reply,
        filters: vec![Text::from(filter)],
        user_properties: Vec::new(),
    })));
    reply
}

pub fn close(client: &mut Bench) {
    client.ask(|reply| Command::Close {
        reply,
        options: Box::default(),
    });
}

/// Is a letter with this topic and these options taken.
pub fn seal(topic: &str, options: &PublishOptions) -> Result<(), Error> {
    let letter = Letter {
        topic,
        payload: Payload::from("x"),
        options,
    };
    letter
        .seal(&ClientOptions::default(), Dialect::Rust)
        .map(drop)
}

/// Is this topic filter taken.
pub fn filter(filter: &str) -> Result<(), Error> {
    SubscribeOptions::default().check(filter, Dialect::Rust)
}

/// The connection was given up because the broker broke a rule: on MQTT 5 behind a DISCONNECT with this reason, on 3.1.1, which has no words for it,
/// at once.
pub fn assert_given_up(client: &mut Bench, reason: u8) {
    assert!(!client.connected, "the connection goes on");
    let goodbyes = packets(client);
    let goodbyes = of_type(&goodbyes, 0xE0);
    if client.version == V5 {
        assert_eq!(goodbyes, [&vec![0xE0, 1, reason]]);
    } else {
        assert_eq!(goodbyes, [&[0; 0]; 0]);
    }
    assert_eq!(client.hang_ups, [client.version == V5]);
    let violations = client.notices();
    let told = violations
        .iter()
        .any(|notice| matches!(notice, Notice::Violation(_)));
    assert!(told, "the application is told");
}

/// The attempt to connect was given up because the broker broke a rule before or in CONNACK: without a word, and the application is told with this reason.
pub fn assert_attempt_given_up(client: &mut Bench, reason: u8) {
    assert!(!client.connected, "the attempt goes on");
    assert_eq!(packets(client).len(), 0);
    assert_eq!(client.hang_ups, [false]);
    let told: Vec<_> = client
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Connection(ConnectionEvent::AttemptFailed { why, .. }) => {
                Some((why.kind, why.reason))
            }
            _ => None,
        })
        .collect();
    let violation = (ErrorKind::ProtocolViolation, Some(ReasonCode(reason)));
    assert_eq!(told, [violation]);
    assert!(matches!(client.notices()[..], [Notice::Violation(_)]));
}

/// One of every packet that a client sends, AUTH apart.
pub fn one_of_each(version: Version) -> Vec<Vec<u8>> {
    let (mut client, mut sent) = connecting(speaking(version));
    client.give(connack(false));
    for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
        client.publish("t", &at(qos)); // identifiers 1 and 2
    }
    client.give_bytes(&answer(0x40, 1));
    client.give_bytes(&answer(0x50, 2));
    client.give_bytes(&answer(0x70, 2));
    client.subscribe(&[(1, "f")], AtLeastOnce);
    client.give_bytes(&filter_answer(version, 0x90, 3, 1));
    unsubscribe(&mut client, "f");
    client.give_bytes(&filter_answer(version, 0xB0, 4, 0));
    client.give_bytes(&message(version, 0x32, b"t", 7));
    client.give_bytes(&message(version, 0x34, b"t", 8));
    handled(&mut client, 0);
    handled(&mut client, 1);
    client.give_bytes(&answer(0x62, 8));
    client.pass(seconds(60));
    client.give_bytes(&[0xD0, 0]);
    close(&mut client);
    sent.extend(client.sent_bytes());
    let sent = split(&sent);
    for kind in [1, 3, 4, 5, 6, 7, 8, 10, 12, 14] {
        assert!(sent.iter().any(|packet| packet[0] >> 4 == kind), "{kind}");
    }
    sent
}

/// The first bytes of the packets of one type.
pub fn first_bytes(sent: &[Vec<u8>], kind: u8) -> Vec<u8> {
    of_type(sent, kind << 4)
        .into_iter()
        .map(|packet| packet[0])
        .collect()
}

/// Is this QoS asked for or sent as this number.
pub const LEVELS: [(QoS, u8); 3] = [(AtMostOnce, 0), (AtLeastOnce, 1), (ExactlyOnce, 2)];
