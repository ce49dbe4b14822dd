//! Topic aliases (5.0: 3.2.2.3.8, 3.3.2.3.4).
use leveret_protocol::options::ClientOptions;

use crate::harness::*;

/// PUBLISH of QoS 0 with this topic, which may be empty, and this alias.
fn aliased(topic: &str, alias: u16) -> Vec<u8> {
    let mut body = (topic.len() as u16).to_be_bytes().to_vec();
    body.extend_from_slice(topic.as_bytes());
    body.extend_from_slice(&[3, 0x23]);
    body.extend_from_slice(&alias.to_be_bytes());
    [&[0x30, body.len() as u8][..], &body].concat()
}

fn two_bytes(value: &[u8]) -> u16 {
    u16::from_be_bytes([value[0], value[1]])
}

/// A client that uses as many aliases as it may; its server has said this in CONNACK.
fn using_aliases(properties: &str) -> Bench {
    let options = ClientOptions {
        outgoing_topic_aliases: 65_535,
        ..speaking(V5)
    };
    told(options, properties)
}

/// Topic and alias of each letter that was sent.
fn named(client: &mut Bench) -> Vec<(String, Option<u16>)> {
    let sent = letters(client).into_iter();
    sent.map(|letter| {
        let alias = value(&letter.properties, 0x23).map(two_bytes);
        (letter.topic, alias)
    })
    .collect()
}

/// Publishes to so many topics, one after the other and then once more each.
fn publish_to(client: &mut Bench, topics: usize) {
    for number in (0..topics).chain(0..topics) {
        client.publish(&format!("doors/{number}"), &at(AtLeastOnce));
    }
}

/// Aliases are used, and none of them is above this, however many topics there are.
fn at_most(properties: &str, most: u16) {
    let mut client = using_aliases(properties);
    let mut used = 0;
    for topics in [1, 2, 5, 50] {
        publish_to(&mut client, topics);
        for (topic, alias) in named(&mut client) {
            assert!(alias.is_none_or(|alias| (1..=most).contains(&alias)));
            assert!(!topic.is_empty() || alias.is_some());
            used = used.max(alias.unwrap_or(0));
        }
    }
    assert_eq!(used, most);
}

#[test]
fn v5_3_2_2_17_no_alias_is_above_the_maximum_of_the_server() {
    at_most("22 0001", 1);
    at_most("22 0003", 3);
    // Nor above a lower one on the next connection, where everything is sent again.
    let mut client = using_aliases("22 0005");
    publish_to(&mut client, 5);
    client.lose_connection();
    client.link_up();
    client.give_bytes(&connack_with(true, "22 0002"));
    let highest = named(&mut client).into_iter().filter_map(|named| named.1);
    assert_eq!(highest.max(), Some(2));
}

#[test]
fn v5_3_2_2_18_without_a_maximum_of_the_server_there_are_no_aliases() {
    for properties in ["", "22 0000"] {
        let mut client = using_aliases(properties);
        publish_to(&mut client, 3);
        let named = named(&mut client);
        assert_eq!(named.len(), 6);
        assert!(
            named
                .iter()
                .all(|(topic, alias)| !topic.is_empty() && alias.is_none())
        );
    }
}

#[test]
fn v5_3_3_2_9_no_letter_has_an_alias_that_the_server_does_not_allow() {
    at_most("22 0002", 2);
    // An alias stands for the topic that it was sent with: a server that keeps a table of two finds each letter's topic.
    let mut client = using_aliases("22 0002");
    let mut table = [const { String::new() }; 2];
    let mut found = Vec::new();
    for topics in [2, 3, 4, 3, 2, 9] {
        publish_to(&mut client, topics);
    }
    for (topic, alias) in named(&mut client) {
        let Some(alias) = alias else {
            found.push(topic);
            continue;
        };
        let entry = &mut table[usize::from(alias) - 1];
        if !topic.is_empty() {
            *entry = topic;
        }
        found.push(entry.clone());
    }
    let mut expected = Vec::new();
    for topics in [2, 3, 4, 3, 2, 9] {
        expected.extend((0..topics).chain(0..topics).map(|n| format!("doors/{n}")));
    }
    assert_eq!(found, expected);
}

#[test]
fn v5_3_3_2_8_no_alias_is_zero() {
    let mut client = using_aliases("22 FFFF");
    publish_to(&mut client, 300);
    let aliases: Vec<_> = named(&mut client)
        .into_iter()
        .map(|named| named.1)
        .collect();
    assert_eq!(aliases.len(), 600);
    assert!(!aliases.contains(&Some(0)) && aliases.contains(&Some(300)));
    let mut client = online(V5);
    client.give_bytes(&aliased("t", 0));
    assert_given_up(&mut client, 0x94);
}

#[test]
fn v5_3_3_2_7_aliases_end_with_the_connection() {
    // The client's own: on the next connection every topic is in full before its alias stands for it.
    let mut client = using_aliases("22 0009");
    publish_to(&mut client, 2);
    let once: Vec<_> = named(&mut client);
    client.lose_connection();
    client.link_up();
    client.give_bytes(&connack_with(true, "22 0009"));
    assert_eq!(named(&mut client), once);
    assert_eq!(once[0], ("doors/0".into(), Some(1)));
    assert_eq!(once[2], (String::new(), Some(1)));
    // The server's.
    let mut client = online(V5);
    client.give_bytes(&aliased("t", 1));
    client.give_bytes(&aliased("", 1));
    assert_eq!(received(&client), ["t", "t"]);
    reconnect(&mut client, true);
    client.give_bytes(&aliased("", 1));
    assert_eq!(received(&client).len(), 2);
    assert_given_up_after_loss(&mut client);
}

fn assert_given_up_after_loss(client: &mut Bench) {
    assert!(!client.connected);
    assert_eq!(packets(client), [bytes("E0 01 82")]);
}

#[test]
fn v5_3_3_2_10_every_alias_up_to_the_announced_maximum_is_taken() {
    for maximum in [0, 1, 16, 1_000] {
        let options = ClientOptions {
            topic_alias_maximum: maximum,
            ..speaking(V5)
        };
        let connect = connect_of(options.clone());
        let announced = value(&connect.properties, 0x22).map_or(0, two_bytes);
        assert_eq!(announced, maximum);
        let mut client = Bench::online(options);
        let mut expected = Vec::new();
        for alias in 1..=maximum {
            let topic = format!("topic/{alias}");
            client.give_bytes(&aliased(&topic, alias));
            client.give_bytes(&aliased("", alias));
            expected.extend([topic.clone(), topic]);
        }
        assert_eq!(received(&client), expected);
        client.give_bytes(&aliased("t", maximum + 1));
        assert_given_up(&mut client, 0x94);
    }
}
