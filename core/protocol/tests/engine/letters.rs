//! What becomes of a letter: each outcome, and the way to it.
use leveret_protocol::codec::Packet;
use leveret_protocol::message::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use leveret_protocol::reason::ReasonCode;

use crate::bench::*;

#[test]
fn a_letter_of_qos_0_is_sent_when_its_last_byte_is_taken() {
    for version in BOTH {
        let mut bench = Bench::online(speaking(version));
        let tag = bench.publish("a", &at(AtMostOnce));
        assert_eq!(bench.settled(tag), Some(("sent", true)));
        assert_eq!(publishes(&bench.sent()), [("a".into(), 0, false)]);
        assert_eq!(bench.budget.used().messages, 0);
    }
}

#[test]
fn a_letter_of_qos_1_is_acknowledged_by_puback() {
    for version in BOTH {
        let mut bench = Bench::online(speaking(version));
        let tag = bench.publish("a", &at(AtLeastOnce));
        assert_eq!(publishes(&bench.sent()), [("a".into(), 1, false)]);
        assert_eq!(bench.settled(tag), None);
        bench.give(Packet::PubAck(ack(1)));
        assert_eq!(bench.settled(tag), Some(("acknowledged", false)));
        assert_eq!(
            bench.outcome(tag).and_then(|outcome| outcome.reason),
            Some(ReasonCode::SUCCESS)
        );
    }
}

#[test]
fn a_letter_of_qos_2_is_acknowledged_by_pubcomp() {
    for version in BOTH {
        let mut bench = Bench::online(speaking(version));
        let tag = bench.publish("a", &at(ExactlyOnce));
        bench.sent();
        bench.give(Packet::PubRec(ack(1)));
        assert_eq!(bench.sent(), [Packet::PubRel(ack(1))]);
        assert_eq!(bench.settled(tag), None);
        bench.give(Packet::PubComp(ack(1)));
        assert_eq!(bench.settled(tag), Some(("acknowledged", false)));
    }
}
