//! Topic names and topic filters (4.7, 4.8.2): what is taken from the application, and sent.
use leveret_protocol::options::PublishOptions;

use crate::harness::*;

fn name(topic: &str) -> bool {
    seal(topic, &PublishOptions::default()).is_ok()
}

fn all(filters: &[&str], taken: bool) {
    for text in filters {
        assert_eq!(filter(text).is_ok(), taken, "{text}");
    }
}

fn wildcards_in_filters_alone() {
    for text in ["+", "#", "a/+", "a/#", "+/+", "/+/#"] {
        assert!(!name(text) && filter(text).is_ok(), "{text}");
    }
    for text in ["a", "/", "a//b", "$SYS/a", "a b", "ä"] {
        assert!(name(text) && filter(text).is_ok(), "{text}");
    }
}

fn the_number_sign_is_alone_and_last() {
    all(&["#", "/#", "a/#", "a/+/#", "$SYS/#"], true);
    all(
        &["a#", "#a", "#/a", "a/#/b", "##", "#/#", "a/b#", "+#"],
        false,
    );
}

fn the_plus_sign_fills_a_level() {
    all(&["+", "/+", "+/", "a/+/b", "+/+/+", "+/#"], true);
    all(&["a+", "+a", "++", "a/+b", "a/b+/c", "+#"], false);
}

fn at_least_one_character() {
    assert!(!name("") && filter("").is_err());
    assert!(name(" ") && filter(" ").is_ok());
    assert!(name("/") && filter("/").is_ok());
}

fn no_nul() {
    for text in ["\0", "a\0", "\0a", "a/\0/b"] {
        assert!(!name(text) && filter(text).is_err(), "{text:?}");
    }
}

fn at_most_65_535_bytes(version: Version) {
    // Bytes, not characters.
    for (most, more) in [
        ("a".repeat(65_535), "a".repeat(65_536)),
        ("ä".repeat(32_767), "ä".repeat(32_768)),
    ] {
        assert!(name(&most) && filter(&most).is_ok());
        assert!(!name(&more) && filter(&more).is_err());
        let mut client = online(version);
        client.publish(&most, &at(AtMostOnce));
        client.subscribe(&[(1, &most)], AtLeastOnce);
        assert_eq!(letters(&mut client)[0].topic, most);
    }
}

#[test]
fn v311_4_7_1_1_wildcards_stand_in_filters_alone() {
    wildcards_in_filters_alone();
}

#[test]
fn v5_4_7_0_1_wildcards_stand_in_filters_alone() {
    wildcards_in_filters_alone();
}

#[test]
fn v311_4_7_1_2_the_number_sign_is_alone_and_last() {
    the_number_sign_is_alone_and_last();
}

#[test]
fn v5_4_7_1_1_the_number_sign_is_alone_and_last() {
    the_number_sign_is_alone_and_last();
    all(&["$share/g/#", "$share/g/a/#"], true);
    all(&["$share/g/a#", "$share/g/#/a"], false);
}

#[test]
fn v311_4_7_1_3_the_plus_sign_fills_a_level() {
    the_plus_sign_fills_a_level();
}

#[test]
fn v5_4_7_1_2_the_plus_sign_fills_a_level() {
    the_plus_sign_fills_a_level();
    all(&["$share/g/+", "$share/g/+/a"], true);
    all(&["$share/g/a+", "$share/g/+a/b"], false);
}

#[test]
fn v311_4_7_3_1_names_and_filters_have_a_character() {
    at_least_one_character();
}

#[test]
fn v5_4_7_3_1_names_and_filters_have_a_character() {
    at_least_one_character();
}

#[test]
fn v311_4_7_3_2_names_and_filters_have_no_nul() {
    no_nul();
}

#[test]
fn v5_4_7_3_2_names_and_filters_have_no_nul() {
    no_nul();
}

#[test]
fn v311_4_7_3_3_names_and_filters_have_at_most_65_535_bytes() {
    at_most_65_535_bytes(V311);
}

#[test]
fn v5_4_7_3_3_names_and_filters_have_at_most_65_535_bytes() {
    at_most_65_535_bytes(V5);
}

#[test]
fn v5_4_8_2_1_a_shared_filter_has_a_share_name() {
    all(&["$share/g/a", "$share/g/a/b", "$share/ä/+"], true);
    all(&["$share//a", "$share/", "$share//"], false);
}

#[test]
fn v5_4_8_2_2_the_share_name_has_no_wildcard_and_a_filter_follows() {
    all(
        &["$share/+/a", "$share/#/a", "$share/g+/a", "$share/#g/a"],
        false,
    );
    all(&["$share/g", "$share/g/"], false);
    all(&["$share/g//", "$share/g//a"], true);
}
