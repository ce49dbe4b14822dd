//! Brokers that are not the ones to be talked to: those that refer to another one, and those that speak another version than they were asked for.
use leveret_protocol::codec::{ConnAck, Packet, Properties, PropertyId};
use leveret_protocol::engine::{Input, State};
use leveret_protocol::options::{ClientOptions, Protocol};
use leveret_protocol::reason::ReasonCode;

use crate::bench::*;

fn referral(to: &str) -> Packet {
    let mut properties = Properties::new();
    properties
        .set(PropertyId::ServerReference, to)
        .expect("a valid property");
    Packet::ConnAck(Box::new(ConnAck {
        reason: ReasonCode::USE_ANOTHER_SERVER,
        properties,
        ..ConnAck::default()
    }))
}

#[test]
fn a_referral_is_followed_again_after_each_backoff_however_often_the_other_server_was_down() {
    let mut bench = Bench::new(speaking(V5));
    bench.handle(Input::Start);
    for _ in 0..30 {
        assert_eq!(bench.reference, None);
        bench.link_up();
        bench.give(referral("other.example"));
        let reference = bench.reference.as_ref().map(|text| text.as_str());
        assert_eq!(reference, Some("other.example"));
        bench.lose_connection(); // nobody listens there
    }
}

#[test]
fn servers_that_refer_to_each_other_are_left_for_a_backoff() {
    let mut bench = Bench::new(speaking(V5));
    bench.handle(Input::Start);
    for round in 0..10 {
        bench.link_up();
        bench.give(referral(if round % 2 == 0 {
            "one.example"
        } else {
            "other.example"
        }));
        if bench.engine.state() == State::Backoff {
            return;
        }
    }
    panic!("they are followed in circles");
}

#[test]
fn a_connack_of_3_1_1_is_no_success_on_mqtt_5() {
    for protocol in [Protocol::V5, Protocol::Auto] {
        let mut bench = Bench::new(ClientOptions {
            protocol,
            ..speaking(V5)
        });
        bench.handle(Input::Start);
        bench.link_up();
        bench.give_bytes(&[0x20, 2, 0, 0]);
        assert_ne!(bench.engine.state(), State::Online, "{protocol:?}");
        if protocol == Protocol::Auto {
            bench.pass_backoff();
            assert_eq!(bench.link_up().version, V311);
        }
    }
}
