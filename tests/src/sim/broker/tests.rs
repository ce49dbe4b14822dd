//! The model broker answers a correct client and names the statement that a wrong one breaks.

use super::{Broker, Fact, Wire};
use crate::sim::network::SECOND;
use crate::sim::plan::BrokerManners;
use crate::sim::random::Random;

const CONNECT_5: &[u8] = &[
    0x10, 14, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 10, 0, 0, 1, b'c',
];
const CONNECT_4: &[u8] = &[
    0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 10, 0, 1, b'c',
];

fn manners() -> BrokerManners {
    BrokerManners {
        only_311: None,
        receive_maximum: Some(2),
        maximum_qos: None,
        retain_available: false,
        maximum_packet_size: Some(60),
        server_keep_alive: None,
        session_expiry: None,
        subscription_ids: false,
        wildcards: false,
        shared: false,
        delay: (0, 0),
        reorder: false,
        copies: false,
        downgrade: 0,
        window: 10,
        topic_alias_maximum: None,
        uses_aliases: false,
        auth_steps: 0,
    }
}

/// A PUBLISH of MQTT 5 (or, without `properties`, of 3.1.1) on topic `t`.
fn publish(first: u8, packet_id: u8, properties: bool) -> Vec<u8> {
    let mut body = vec![0, 1, b't'];
    if first & 6 != 0 {
        body.extend([0, packet_id]);
    }
    if properties {
        body.push(0);
    }
    let mut frame = vec![first, body.len() as u8];
    frame.extend(body);
    frame
}

struct Conversation {
    broker: Broker,
    now: u64,
}

impl Conversation {
    fn new(connect: &[u8]) -> Conversation {
        let mut conversation = Conversation {
            broker: Broker::new(manners(), Random::new(1)),
            now: 0,
        };
        conversation.broker.accept(0, 1);
        conversation.say(connect);
        conversation.listen();
        conversation
    }

    fn say(&mut self, bytes: &[u8]) {
        self.broker.receive(self.now, 1, bytes);
    }

    /// What the broker sends.
    fn listen(&mut self) -> Vec<u8> {
        self.now += 1;
        let wire = self.broker.wake(self.now);
        wire.into_iter()
            .filter_map(|(_, wire)| match wire {
                Wire::Bytes(bytes) | Wire::Hostile(_, bytes) => Some(bytes),
                Wire::End(_) => None,
            })
            .flatten()
            .collect()
    }

    fn broken(&mut self) -> Option<String> {
        self.broker
            .take_facts()
            .into_iter()
            .find_map(|fact| match fact {
                Fact::Broken { violation, .. } => Some(violation.statement),
                _ => None,
            })
    }
}

#[test]
fn a_correct_client_is_answered() {
    let mut conversation = Conversation::new(CONNECT_4);
    conversation.say(&publish(0x32, 1, false));
    assert_eq!(conversation.listen(), [0x40, 2, 0, 1]);
    conversation.say(&publish(0x34, 2, false));
    assert_eq!(conversation.listen(), [0x50, 2, 0, 2]);
    conversation.say(&[0x62, 2, 0, 2]);
    assert_eq!(conversation.listen(), [0x70, 2, 0, 2]);
    conversation.say(&[0xc0, 0]);
    assert_eq!(conversation.listen(), [0xd0, 0]);
    assert_eq!(conversation.broken(), None);
}

#[test]
fn a_message_is_acknowledged_and_silence_ends_the_connection() {
    let mut conversation = Conversation::new(CONNECT_4);
    conversation.say(&[0x82, 6, 0, 9, 0, 1, b'x', 1]);
    assert_eq!(conversation.listen(), [0x90, 3, 0, 9, 1]);
    conversation.broker.publish_from_outside(
        conversation.now,
        7,
        "x".into(),
        Default::default(),
        2,
        false,
    );
    assert_eq!(conversation.listen(), [0x32, 5, 0, 1, b'x', 0, 1]);
    conversation.say(&[0x40, 2, 0, 1]);
    assert_eq!(conversation.broken(), None);
    conversation.now += 15 * SECOND + 1;
    conversation.listen();
    assert!(conversation.broker.connections.is_empty());
}

#[test]
fn a_wrong_client_is_named_the_statement_it_breaks() {
    let new = |first, id| publish(first, id, true);
    let long = [vec![0x30, 64, 0, 1, b't', 0], vec![0; 60]].concat();
    let cases: [(&str, Vec<Vec<u8>>); 16] = [
        ("3.1.0-2", vec![CONNECT_5.to_vec()]),
        ("3.2.2-14", vec![new(0x31, 0)]),
        ("3.2.2-15", vec![long]),
        ("2.2.1-3", vec![new(0x32, 1), new(0x32, 1)]),
        ("4.4.0-1", vec![new(0x32, 1), new(0x3a, 1)]),
        ("4.3.2-2", vec![new(0x3a, 1)]),
        ("3.3.4-7", vec![new(0x32, 1), new(0x32, 2), new(0x32, 3)]),
        ("2.2.1-5", vec![vec![0x40, 2, 0, 1]]),
        ("2.2.1-5", vec![vec![0x50, 2, 0, 1]]),
        ("4.3.3-11", vec![vec![0x70, 2, 0, 1]]),
        ("4.3.3-4", vec![new(0x34, 1), vec![0x62, 2, 0, 1]]),
        (
            "3.2.2.3.12",
            vec![vec![0x82, 9, 0, 1, 2, 0x0b, 1, 0, 1, b'x', 0]],
        ),
        ("3.2.2.3.11", vec![vec![0x82, 7, 0, 1, 0, 0, 1, b'#', 0]]),
        (
            "3.2.2.3.13",
            vec![vec![
                0x82, 16, 0, 1, 0, 0, 10, b'$', b's', b'h', b'a', b'r', b'e', b'/', b'g', b'/',
                b'x', 0,
            ]],
        ),
        (
            "2.2.1-3",
            vec![
                vec![0x82, 7, 0, 1, 0, 0, 1, b'x', 0],
                vec![0x82, 7, 0, 1, 0, 0, 1, b'x', 0],
            ],
        ),
        ("3.6.1-1", vec![vec![0x60, 2, 0, 1]]),
    ];
    for (statement, frames) in cases {
        let mut conversation = Conversation::new(CONNECT_5);
        for frame in &frames {
            conversation.say(frame);
        }
        let broken = conversation.broken().unwrap_or_default();
        assert!(
            broken.contains(statement),
            "{frames:02x?} breaks {broken:?}, not {statement}"
        );
    }
}

#[test]
fn nothing_may_come_before_connect() {
    let mut broker = Broker::new(manners(), Random::new(1));
    broker.accept(0, 1);
    broker.receive(0, 1, &[0xc0, 0]);
    assert!(
        matches!(&broker.take_facts()[..], [Fact::Broken { violation, .. }] if violation.statement.contains("3.1.0-1"))
    );
}

#[test]
fn acknowledgements_out_of_order_are_a_violation() {
    let mut conversation = Conversation::new(CONNECT_4);
    conversation.say(&[0x82, 6, 0, 9, 0, 1, b'x', 1]);
    for number in 1..=2 {
        conversation.broker.publish_from_outside(
            conversation.now,
            number,
            "x".into(),
            Default::default(),
            1,
            false,
        );
    }
    conversation.listen();
    conversation.say(&[0x40, 2, 0, 2]);
    assert!(
        conversation
            .broken()
            .is_some_and(|statement| statement.contains("4.6.0-2"))
    );
}

#[test]
fn pubrels_out_of_order_are_a_violation() {
    let mut conversation = Conversation::new(CONNECT_4);
    conversation.say(&[publish(0x34, 1, false), publish(0x34, 2, false)].concat());
    conversation.listen();
    conversation.say(&[0x62, 2, 0, 2]);
    assert!(
        conversation
            .broken()
            .is_some_and(|statement| statement.contains("4.6.0-4"))
    );
}
