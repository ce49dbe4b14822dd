//! Topic aliases (5.0: 3.2.2.3.8, 3.3.2.3.4).
use crate::harness::*;

/// PUBLISH of QoS 0 with this topic, which may be empty, and this alias.
fn aliased(topic: &str, alias: u16) -> Vec<u8> {
    let mut body = (topic.len() as u16).to_be_bytes().to_vec();
    body.extend_from_slice(topic.as_bytes());
    body.extend_from_slice(&[3, 0x23]);
    body.extend_from_slice(&alias.to_be_bytes());
    [&[0x30, body.len() as u8][..], &body].concat()
}

/// The Topic Alias Maximum that the client announces.
fn announced() -> u16 {
    let connect = connect_of(speaking(V5));
    let maximum = value(&connect.properties, 0x22);
    maximum.map_or(0, |maximum| u16::from_be_bytes([maximum[0], maximum[1]]))
}

/// The aliases of letters to two topics, each published twice, where the server allows so many.
fn sent(properties: &str) -> Vec<Option<Vec<u8>>> {
    let mut client = told(speaking(V5), properties);
    for topic in ["doors/1", "doors/2", "doors/1", "doors/2"] {
        client.publish(topic, &at(AtMostOnce));
    }
    let sent = letters(&mut client);
    sent.iter()
        .map(|letter| value(&letter.properties, 0x23).map(<[u8]>::to_vec))
        .collect()
}

#[test]
fn v5_3_2_2_17_no_alias_is_above_the_maximum_of_the_server() {
    assert_eq!(sent("22 0001"), [const { None }; 4]);
}

#[test]
fn v5_3_2_2_18_without_a_maximum_of_the_server_there_are_no_aliases() {
    assert_eq!(sent(""), [const { None }; 4]);
    assert_eq!(sent("22 0000"), [const { None }; 4]);
}

#[test]
fn v5_3_3_2_9_no_letter_has_an_alias_that_the_server_does_not_allow() {
    assert_eq!(sent("22 0002"), [const { None }; 4]);
}

#[test]
fn v5_3_3_2_8_no_alias_is_zero() {
    assert_eq!(sent("22 FFFF"), [const { None }; 4]);
    let mut client = online(V5);
    client.give_bytes(&aliased("t", 0));
    assert_given_up(&mut client, 0x94);
}

#[test]
fn v5_3_3_2_7_aliases_end_with_the_connection() {
    let mut client = online(V5);
    if announced() > 0 {
        client.give_bytes(&aliased("t", 1));
    }
    let before = client.messages().len();
    reconnect(&mut client, true);
    client.give_bytes(&aliased("", 1));
    assert_eq!((client.connected, client.messages().len()), (false, before));
}

#[test]
fn v5_3_3_2_10_every_alias_up_to_the_announced_maximum_is_taken() {
    let mut client = online(V5);
    let mut expected = Vec::new();
    for alias in 1..=announced() {
        let topic = format!("topic/{alias}");
        client.give_bytes(&aliased(&topic, alias));
        client.give_bytes(&aliased("", alias));
        expected.extend([topic.clone(), topic]);
    }
    assert_eq!(received(&client), expected);
    client.give_bytes(&aliased("t", announced() + 1));
    assert_given_up(&mut client, 0x94);
}
