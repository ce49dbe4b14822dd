//! SUBSCRIBE and UNSUBSCRIBE (3.8, 3.10): topic filters and their options, byte by byte.
use leveret_protocol::engine::{Command, Subscribe, SubscribeEntry, SubscriptionId, Unsubscribe};
use leveret_protocol::options::{ClientOptions, PropertiesOn311, SubscribeOptions, Value};
use leveret_protocol::sentence::Dialect;
use leveret_protocol::text::Text;

use crate::harness::*;

/// The SUBSCRIBE packets for these filters with these options.
fn subscribed(version: Version, filters: &[&str], options: &SubscribeOptions) -> Vec<Vec<u8>> {
    // What 3.1.1 has no bits for is left out there, and not refused.
    let mut client = Bench::online(ClientOptions {
        properties_on_311: PropertiesOn311::Drop,
        ..speaking(version)
    });
    let reply = client.tag();
    let entries = (1..)
        .zip(filters)
        .map(|(id, filter)| SubscribeEntry {
            id: SubscriptionId(id),
            filter: Text::from(*filter),
            options: options.clone(),
        })
        .collect();
    client.command(Command::Subscribe(Box::new(Subscribe { reply, entries })));
    assert_eq!(client.reply(reply).is_some(), filters.is_empty());
    packets(&mut client)
}

fn unsubscribed(version: Version, filters: &[&str]) -> Vec<Vec<u8>> {
    let mut client = online(version);
    let reply = client.tag();
    client.command(Command::Unsubscribe(Box::new(Unsubscribe {
        reply,
        filters: filters.iter().map(|filter| Text::from(*filter)).collect(),
        user_properties: Vec::new(),
    })));
    assert_eq!(client.reply(reply).is_some(), filters.is_empty());
    packets(&mut client)
}

fn plain() -> SubscribeOptions {
    SubscribeOptions::default()
}

#[test]
fn v311_3_8_3_1_the_filters_are_utf8() {
    let sent = subscribed(V311, &["ä/+", "#"], &plain());
    let whole = bytes(r#"82 0D 0001 0004 C3A4 "/+" 01 0001 23 01"#);
    assert_eq!(sent, [whole]);
}

#[test]
fn v5_3_8_3_1_the_filters_are_utf8() {
    let sent = subscribed(V5, &["ä/+"], &plain());
    let whole = bytes(r#"82 0C 0001 02 0B01 0004 C3A4 "/+" 01"#);
    assert_eq!(sent, [whole]);
}

fn never_without_a_filter(version: Version) {
    assert_eq!(subscribed(version, &[], &plain()), [[0; 0]; 0]);
    // A filter that is taken back before it was asked for leaves nothing to be sent.
    let mut client = Bench::new(speaking(version));
    client.handle(leveret_protocol::engine::Input::Start);
    client.subscribe(&[(1, "f")], AtLeastOnce);
    unsubscribe(&mut client, "f");
    client.accept(false);
    let sent = packets(&mut client);
    assert_eq!(of_type(&sent, 0x80), [&[0; 0]; 0]);
}

#[test]
fn v311_3_8_3_3_subscribe_has_at_least_one_filter() {
    never_without_a_filter(V311);
}

#[test]
fn v5_3_8_3_2_subscribe_has_at_least_one_filter() {
    never_without_a_filter(V5);
}

/// Every combination of the options.
fn all_options() -> Vec<SubscribeOptions> {
    let mut all = Vec::new();
    for (qos, _) in LEVELS {
        for retain_handling in 0..=2 {
            for bits in 0..4 {
                all.push(SubscribeOptions {
                    qos,
                    no_local: bits & 1 != 0,
                    retain_as_published: bits & 2 != 0,
                    retain_handling,
                    ..plain()
                });
            }
        }
    }
    all
}

#[test]
fn v311_3_8_3_4_the_options_are_the_qos_and_nothing_else() {
    for options in all_options() {
        let sent = subscribed(V311, &["f"], &options);
        assert_eq!(sent[0].last(), Some(&u8::from(options.qos)));
    }
    let mut options = plain();
    assert!(
        options
            .set("qos", Value::Integer(3), Dialect::Rust)
            .is_err()
    );
}

#[test]
fn v5_3_8_3_5_the_reserved_bits_of_the_options_are_zero() {
    for options in all_options() {
        let sent = subscribed(V5, &["f"], &options);
        let byte = u8::from(options.qos)
            | u8::from(options.no_local) << 2
            | u8::from(options.retain_as_published) << 3
            | options.retain_handling << 4;
        assert_eq!(sent[0].last(), Some(&byte));
        assert_eq!(byte & 0xC0, 0);
    }
}

#[test]
fn v5_3_8_3_4_no_local_is_never_set_on_a_shared_subscription() {
    let options = SubscribeOptions {
        no_local: true,
        ..plain()
    };
    let error = options.check("$share/group/f", Dialect::Rust);
    assert!(error.is_err());
    options.check("f", Dialect::Rust).expect("not shared");
    plain()
        .check("$share/group/f", Dialect::Rust)
        .expect("without no local");
}

#[test]
fn v311_3_10_3_1_the_filters_of_unsubscribe_are_utf8() {
    let sent = unsubscribed(V311, &["ä/+", "#"]);
    assert_eq!(sent, [bytes(r#"A2 0B 0001 0004 C3A4 "/+" 0001 23"#)]);
}

#[test]
fn v5_3_10_3_1_the_filters_of_unsubscribe_are_utf8() {
    let sent = unsubscribed(V5, &["ä/+", "#"]);
    assert_eq!(sent, [bytes(r#"A2 0C 0001 00 0004 C3A4 "/+" 0001 23"#)]);
}

#[test]
fn v311_3_10_3_2_unsubscribe_has_at_least_one_filter() {
    assert_eq!(unsubscribed(V311, &[]), [[0; 0]; 0]);
}

#[test]
fn v5_3_10_3_2_unsubscribe_has_at_least_one_filter() {
    assert_eq!(unsubscribed(V5, &[]), [[0; 0]; 0]);
}
