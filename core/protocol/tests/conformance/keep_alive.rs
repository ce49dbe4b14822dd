//! Keep alive (3.1.2.10; 5.0: 3.2.2.3.14).
use leveret_protocol::options::ClientOptions;

use crate::harness::*;

const PINGREQ: [u8; 2] = [0xC0, 0];

/// Steps of a tenth of a second for five minutes, while a broker answers pings and the application publishes in the first half; returns the longest time between
/// two packets sent, in tenths of a second.
fn longest_silence(client: &mut Bench) -> u64 {
    let (mut longest, mut silent) = (0, 0);
    for step in 0..3_000 {
        client.pass(millis(100));
        if step < 1_500 && step % 33 == 0 {
            client.publish("t", &at(AtMostOnce));
        }
        silent += 1;
        let sent = packets(client);
        if !sent.is_empty() {
            (longest, silent) = (longest.max(silent), 0);
        }
        if sent.contains(&PINGREQ.to_vec()) {
            client.give_bytes(&[0xD0, 0]);
        }
    }
    assert!(client.connected);
    longest.max(silent)
}

fn with_keep_alive(version: Version, keep_alive: u64) -> ClientOptions {
    ClientOptions {
        keep_alive: seconds(keep_alive),
        ..speaking(version)
    }
}

fn never_silent_for_longer(version: Version) {
    for keep_alive in [1, 10, 60] {
        let options = with_keep_alive(version, keep_alive);
        assert_eq!(
            u64::from(connect_of(options.clone()).keep_alive),
            keep_alive
        );
        let longest = longest_silence(&mut Bench::online(options));
        assert!(longest <= keep_alive * 10, "{longest} of {keep_alive} s");
    }
    // From CONNECT on, however long the broker takes to answer it.
    let (mut client, _) = connecting(with_keep_alive(version, 10));
    client.pass(seconds(9));
    client.give(connack(false));
    client.pass(seconds(1));
    assert_eq!(of_type(&split(&client.written), 0xC0), [&PINGREQ.to_vec()]);
    // 0 turns it off.
    let mut client = Bench::online(with_keep_alive(version, 0));
    client.pass(seconds(100_000));
    assert_eq!(packets(&mut client).len(), 0);
}

#[test]
fn v311_3_1_2_23_no_silence_is_longer_than_the_keep_alive() {
    never_silent_for_longer(V311);
}

#[test]
fn v5_3_1_2_20_no_silence_is_longer_than_the_keep_alive() {
    never_silent_for_longer(V5);
}

#[test]
fn v5_3_1_2_21_a_shorter_keep_alive_of_the_server_is_kept() {
    let mut client = told(with_keep_alive(V5, 60), "13 0005");
    assert!(longest_silence(&mut client) <= 50);
}

#[test]
fn v5_3_2_2_21_the_keep_alive_of_the_server_takes_the_place_of_ones_own() {
    // A longer one too: no ping comes before it.
    let mut client = told(with_keep_alive(V5, 10), "13 0064");
    client.pass(seconds(90));
    assert_eq!(packets(&mut client).len(), 0);
    client.pass(seconds(10));
    assert_eq!(packets(&mut client), [PINGREQ]);
    // And one of 0 turns pings off.
    let mut client = told(with_keep_alive(V5, 10), "13 0000");
    client.pass(seconds(100_000));
    assert_eq!((packets(&mut client).len(), client.connected), (0, true));
}
