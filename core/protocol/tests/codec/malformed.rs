//! Packets that break one rule each: the error names the statement, the reason code and the field.
use crate::notation::{bytes, decode_one};
use leveret_protocol::codec::{
    DecodeError, RULES,
    Side::{self, Client, Server},
    Version::{self, V5, V311},
};

/// What the error must name, and the packet.
type Row = (&'static str, u8, &'static str, Side, &'static str);

#[rustfmt::skip] // a row a line
const V311_ROWS: &[Row] = &[
    ("section 2.2.1", 0x81, "packet type", Client, "00 00"),
    ("section 2.2.1", 0x81, "packet type", Server, "F0 00"),
    ("section 2.2.1", 0x82, "packet type", Server, r#"10 0D 0004 "MQTT" 04 02 003C 0001 "a""#),
    ("section 2.2.1", 0x82, "packet type", Client, "20 02 00 00"),
    ("section 2.2.1", 0x82, "packet type", Server, "82 06 0001 0001 61 00"),
    ("section 2.2.1", 0x82, "packet type", Client, "90 03 0001 00"),
    ("section 2.2.1", 0x82, "packet type", Server, "A2 05 0001 0001 61"),
    ("section 2.2.1", 0x82, "packet type", Client, "B0 02 0001"),
    ("section 2.2.1", 0x82, "packet type", Server, "C0 00"),
    ("section 2.2.1", 0x82, "packet type", Client, "D0 00"),
    ("section 2.2.1", 0x82, "packet type", Server, "E0 00"),
    ("MQTT-2.2.2-2", 0x81, "flags", Client, "C1 00"),
    ("MQTT-2.2.2-2", 0x81, "flags", Server, "22 02 00 00"),
    ("MQTT-2.2.2-2", 0x81, "flags", Server, "48 02 0001"),
    ("MQTT-3.6.1-1", 0x81, "flags", Server, "60 02 0001"),
    ("MQTT-3.8.1-1", 0x81, "flags", Client, "80 06 0001 0001 61 00"),
    ("MQTT-3.10.1-1", 0x81, "flags", Client, "A0 05 0001 0001 61"),
    ("MQTT-3.14.1-1", 0x81, "flags", Client, "E1 00"),
    ("section 2.2.3", 0x81, "remaining length", Server, "30 FFFFFFFF 01"),
    ("MQTT-4.8.0-1", 0x81, "topic name", Server, "30 03 0002 61"),
    ("MQTT-4.8.0-1", 0x81, "topic name", Server, "30 01 00"),
    ("MQTT-4.8.0-1", 0x81, "packet identifier", Server, "40 01 00"),
    ("MQTT-4.8.0-1", 0x81, "packet identifier", Server, "32 03 0001 61"),
    ("MQTT-4.8.0-1", 0x81, "return code", Server, "20 01 00"),
    ("MQTT-4.8.0-1", 0x81, "subscription options", Client, "82 05 0001 0001 61"),
    ("MQTT-4.8.0-1", 0x81, "packet", Server, "40 03 0001 00"),
    ("MQTT-4.8.0-1", 0x81, "packet", Server, "D0 01 00"),
    ("MQTT-4.8.0-1", 0x81, "packet", Server, "20 03 00 00 00"),
    ("MQTT-4.8.0-1", 0x81, "packet", Server, "B0 03 0001 00"),
    ("MQTT-4.8.0-1", 0x81, "packet", Client, "E0 01 00"),
    ("MQTT-4.8.0-1", 0x81, "packet", Client, r#"10 0F 0004 "MQTT" 04 02 003C 0001 "a" 0000"#),
    ("MQTT-1.5.3-1", 0x81, "topic name", Server, "30 03 0001 FF"),
    ("MQTT-1.5.3-1", 0x81, "topic name", Server, "30 05 0003 EDA080"),
    ("MQTT-1.5.3-1", 0x81, "topic filter", Client, "82 06 0001 0001 FF 00"),
    ("MQTT-1.5.3-1", 0x81, "client identifier", Client, r#"10 0D 0004 "MQTT" 04 02 003C 0001 C0"#),
    ("MQTT-1.5.3-2", 0x81, "topic name", Server, "30 03 0001 00"),
    ("MQTT-1.5.3-2", 0x81, "topic filter", Client, "A2 05 0001 0001 00"),
    ("MQTT-1.5.3-2", 0x81, "user name", Client, r#"10 10 0004 "MQTT" 04 82 003C 0001 "a" 0001 00"#),
    ("MQTT-2.3.1-1", 0x82, "packet identifier", Server, "32 05 0001 61 0000"),
    ("MQTT-2.3.1-1", 0x82, "packet identifier", Server, "40 02 0000"),
    ("MQTT-2.3.1-1", 0x82, "packet identifier", Server, "50 02 0000"),
    ("MQTT-2.3.1-1", 0x82, "packet identifier", Server, "62 02 0000"),
    ("MQTT-2.3.1-1", 0x82, "packet identifier", Server, "70 02 0000"),
    ("MQTT-2.3.1-1", 0x82, "packet identifier", Client, "82 06 0000 0001 61 00"),
    ("MQTT-2.3.1-1", 0x82, "packet identifier", Server, "90 03 0000 00"),
    ("MQTT-2.3.1-1", 0x82, "packet identifier", Client, "A2 05 0000 0001 61"),
    ("MQTT-2.3.1-1", 0x82, "packet identifier", Server, "B0 02 0000"),
    ("section 3.2.2.3", 0x82, "return code", Server, "20 02 00 06"),
    ("MQTT-3.9.3-2", 0x82, "reason code", Server, "90 03 0001 03"),
    ("MQTT-3.9.3-2", 0x82, "reason code", Server, "90 03 0001 87"),
    ("MQTT-3.1.2-1", 0x84, "protocol name", Client, r#"10 0D 0004 "MQTX" 04 02 003C 0001 "a""#),
    ("MQTT-3.1.2-1", 0x84, "protocol name", Client, r#"10 0F 0006 "MQIsdp" 03 02 003C 0001 "a""#),
    ("MQTT-3.1.2-2", 0x84, "protocol version", Client, r#"10 0D 0004 "MQTT" 03 02 003C 0001 "a""#),
    ("MQTT-3.1.2-2", 0x84, "protocol version", Client, r#"10 0E 0004 "MQTT" 06 02 003C 00 0001 "a""#),
    ("MQTT-3.1.2-3", 0x81, "connect flags", Client, r#"10 0D 0004 "MQTT" 04 03 003C 0001 "a""#),
    ("MQTT-3.1.2-13", 0x81, "will QoS", Client, r#"10 0D 0004 "MQTT" 04 0A 003C 0001 "a""#),
    ("MQTT-3.1.2-14", 0x81, "will QoS", Client, r#"10 12 0004 "MQTT" 04 1E 003C 0001 "a" 0001 "w" 0000"#),
    ("MQTT-3.1.2-15", 0x81, "will retain", Client, r#"10 0D 0004 "MQTT" 04 22 003C 0001 "a""#),
    ("MQTT-3.1.2-22", 0x81, "password", Client, r#"10 10 0004 "MQTT" 04 42 003C 0001 "a" 0001 "p""#),
    ("MQTT-3.1.3-8", 0x85, "client identifier", Client, r#"10 0C 0004 "MQTT" 04 00 003C 0000"#),
    ("MQTT-3.3.2-2", 0x81, "will topic", Client, r##"10 12 0004 "MQTT" 04 06 003C 0001 "a" 0001 "#" 0000"##),
    ("MQTT-4.7.3-1", 0x81, "will topic", Client, r#"10 11 0004 "MQTT" 04 06 003C 0001 "a" 0000 0000"#),
    ("section 3.2.2.1", 0x81, "connect acknowledge flags", Server, "20 02 02 00"),
    ("MQTT-3.2.2-4", 0x82, "session present", Server, "20 02 01 05"),
    ("MQTT-3.3.1-4", 0x81, "QoS", Server, "36 05 0001 61 0001"),
    ("MQTT-3.3.1-2", 0x81, "DUP", Server, "38 03 0001 61"),
    ("MQTT-4.7.3-1", 0x82, "topic name", Server, "30 02 0000"),
    ("MQTT-3.3.2-2", 0x81, "topic name", Server, r#"30 05 0003 "a/#""#),
    ("MQTT-3.3.2-2", 0x81, "topic name", Server, r#"30 05 0003 "a/+""#),
    ("MQTT-3.8.3-3", 0x82, "topic filters", Client, "82 02 0001"),
    ("MQTT-3.10.3-2", 0x82, "topic filters", Client, "A2 02 0001"),
    ("MQTT-3-8.3-4", 0x81, "subscription options", Client, "82 06 0001 0001 61 04"),
    ("MQTT-3-8.3-4", 0x82, "requested QoS", Client, "82 06 0001 0001 61 03"),
    ("MQTT-4.7.1-2", 0x81, "topic filter", Client, r##"82 08 0001 0003 "#/a" 00"##),
    ("MQTT-4.7.1-2", 0x81, "topic filter", Client, r#"82 07 0001 0002 "a#" 00"#),
    ("MQTT-4.7.1-3", 0x81, "topic filter", Client, r#"82 07 0001 0002 "a+" 00"#),
    ("MQTT-4.7.3-1", 0x81, "topic filter", Client, "82 05 0001 0000 00"),
    ("section 3.9.3", 0x81, "reason codes", Server, "90 02 0001"),
];

#[rustfmt::skip] // a row a line
const V5_ROWS: &[Row] = &[
    ("section 2.1.2", 0x81, "packet type", Client, "00 00"),
    ("section 2.1.2", 0x82, "packet type", Server, "C0 00"),
    ("section 2.1.2", 0x82, "packet type", Client, "20 03 00 00 00"),
    ("MQTT-2.1.3-1", 0x81, "flags", Server, "D8 00"),
    ("MQTT-3.6.1-1", 0x81, "flags", Client, "61 02 0001"),
    ("MQTT-3.8.1-1", 0x81, "flags", Client, "8A 07 0001 00 0001 61 00"),
    ("MQTT-3.10.1-1", 0x81, "flags", Client, "A0 06 0001 00 0001 61"),
    ("MQTT-3.14.1-1", 0x81, "flags", Server, "E2 00"),
    ("MQTT-3.15.1-1", 0x81, "flags", Server, "F1 00"),
    ("section 1.5.5", 0x81, "remaining length", Server, "30 80808080 01"),
    ("section 1.5.5", 0x81, "property length", Server, "30 08 0001 61 80808080 01"),
    ("section 1.5.5", 0x81, "subscription identifier", Server, "30 0A 0001 61 06 0B 80808080 01"),
    ("MQTT-1.5.5-1", 0x81, "remaining length", Server, "D0 8000"),
    ("MQTT-1.5.5-1", 0x81, "remaining length", Client, r#"10 8E00 0004 "MQTT" 05 02 003C 00 0001 "a""#),
    ("MQTT-1.5.5-1", 0x81, "property length", Server, "30 05 0001 61 8000"),
    ("MQTT-1.5.5-1", 0x81, "subscription identifier", Server, "30 07 0001 61 03 0B 8100"),
    ("section 4.13.1", 0x81, "property length", Server, "30 03 0001 61"),
    ("section 4.13.1", 0x81, "property length", Server, "30 05 0001 61 02 01"),
    ("section 4.13.1", 0x81, "receive maximum", Server, "20 05 00 00 02 21 00"),
    ("section 4.13.1", 0x81, "content type", Server, "30 08 0001 61 04 03 0003 61"),
    ("section 4.13.1", 0x81, "user property", Server, "30 08 0001 61 04 26 0001 61"),
    ("section 4.13.1", 0x81, "subscription identifier", Server, "30 06 0001 61 02 0B 80"),
    ("section 4.13.1", 0x81, "property length", Server, "F0 01 18"),
    ("section 4.13.1", 0x81, "packet", Server, "40 05 0001 00 00 00"),
    ("section 4.13.1", 0x81, "packet", Server, "E0 03 8B 00 00"),
    ("MQTT-1.5.4-1", 0x81, "topic name", Server, "30 04 0001 80 00"),
    ("MQTT-1.5.4-1", 0x81, "reason string", Server, "40 08 0001 00 04 1F 0001 FF"),
    ("MQTT-1.5.4-1", 0x81, "user property", Server, "40 0C 0001 00 07 26 0001 61 0001 FF 00"),
    ("MQTT-1.5.4-2", 0x81, "topic name", Server, "30 04 0001 00 00"),
    ("MQTT-1.5.4-2", 0x81, "content type", Server, "30 08 0001 61 04 03 0001 00"),
    ("MQTT-1.5.4-2", 0x81, "user property", Server, "40 0B 0001 00 07 26 0001 00 0001 61"),
    ("MQTT-2.2.1-3", 0x82, "packet identifier", Server, "32 06 0001 61 0000 00"),
    ("MQTT-2.2.1-3", 0x82, "packet identifier", Client, "82 07 0000 00 0001 61 00"),
    ("MQTT-3.2.2-8", 0x82, "reason code", Server, "20 03 00 01 00"),
    ("MQTT-3.2.2-8", 0x82, "reason code", Server, "20 03 00 8E 00"),
    ("MQTT-3.4.2-1", 0x82, "reason code", Server, "40 03 0001 92"),
    ("MQTT-3.4.2-1", 0x82, "reason code", Client, "40 03 0001 10"),
    ("MQTT-3.5.2-1", 0x82, "reason code", Server, "50 03 0001 04"),
    ("MQTT-3.6.2-1", 0x82, "reason code", Server, "62 03 0001 80"),
    ("MQTT-3.7.2-1", 0x82, "reason code", Server, "70 03 0001 FF"),
    ("MQTT-3.9.3-2", 0x82, "reason code", Server, "90 04 0001 00 03"),
    ("MQTT-3.11.3-2", 0x82, "reason code", Server, "B0 04 0001 00 01"),
    ("MQTT-3.14.2-1", 0x82, "reason code", Client, "E0 01 8B"),
    ("MQTT-3.14.2-1", 0x82, "reason code", Server, "E0 01 04"),
    ("MQTT-3.15.2-1", 0x82, "reason code", Server, "F0 02 19 00"),
    ("MQTT-3.15.2-1", 0x82, "reason code", Client, "F0 02 00 00"),
    ("section 2.2.2.2", 0x81, "property", Server, "30 06 0001 61 02 7F 00"),
    ("section 2.2.2.2", 0x81, "property", Server, "30 06 0001 61 02 8B 00"),
    ("section 2.2.2.2", 0x81, "topic alias", Server, "20 06 00 00 03 23 0001"),
    ("section 2.2.2.2", 0x81, "reason string", Server, "30 08 0001 61 04 1F 0001 61"),
    ("section 2.2.2.2", 0x81, "will delay interval", Client, r#"10 13 0004 "MQTT" 05 02 003C 05 18 00000001 0001 "a""#),
    ("section 2.2.2.2", 0x81, "receive maximum", Client, r#"10 16 0004 "MQTT" 05 06 003C 00 0001 "a" 03 21 0001 0001 "w" 0000"#),
    ("section 2.2.2.2", 0x82, "receive maximum", Server, "20 09 00 00 06 21 0001 21 0001"),
    ("section 2.2.2.2", 0x82, "subscription identifier", Client, "82 0B 0001 04 0B 01 0B 02 0001 61 00"),
    ("section 2.2.2.2", 0x82, "receive maximum", Server, "20 06 00 00 03 21 0000"),
    ("section 2.2.2.2", 0x82, "maximum packet size", Server, "20 08 00 00 05 27 00000000"),
    ("section 2.2.2.2", 0x82, "maximum QoS", Server, "20 05 00 00 02 24 02"),
    ("section 2.2.2.2", 0x82, "retain available", Server, "20 05 00 00 02 25 02"),
    ("section 2.2.2.2", 0x82, "wildcard subscription available", Server, "20 05 00 00 02 28 02"),
    ("section 2.2.2.2", 0x82, "subscription identifiers available", Server, "20 05 00 00 02 29 02"),
    ("section 2.2.2.2", 0x82, "shared subscription available", Server, "20 05 00 00 02 2A FF"),
    ("section 2.2.2.2", 0x82, "payload format indicator", Server, "30 06 0001 61 02 01 02"),
    ("section 2.2.2.2", 0x82, "request problem information", Client, r#"10 10 0004 "MQTT" 05 02 003C 02 17 02 0001 "a""#),
    ("section 2.2.2.2", 0x82, "request response information", Client, r#"10 10 0004 "MQTT" 05 02 003C 02 19 02 0001 "a""#),
    ("section 2.2.2.2", 0x82, "subscription identifier", Server, "30 06 0001 61 02 0B 00"),
    ("MQTT-3.3.2-8", 0x94, "topic alias", Server, "30 07 0001 61 03 23 0000"),
    ("MQTT-3.3.2-14", 0x81, "response topic", Server, r#"30 08 0001 61 04 08 0001 "+""#),
    ("MQTT-3.3.2-14", 0x81, "response topic", Server, "30 07 0001 61 03 08 0000"),
    ("section 3.1.2.11.10", 0x82, "authentication data", Server, "20 07 00 00 04 16 0001 00"),
    ("MQTT-4.12.0-5", 0x82, "authentication method", Server, "F0 02 18 00"),
    ("MQTT-3.1.2-1", 0x84, "protocol name", Client, r#"10 0E 0004 "mqtt" 05 02 003C 00 0001 "a""#),
    ("MQTT-3.1.2-2", 0x84, "protocol version", Client, r#"10 0E 0004 "MQTT" 85 02 003C 00 0001 "a""#),
    ("MQTT-3.1.2-3", 0x81, "connect flags", Client, r#"10 0E 0004 "MQTT" 05 01 003C 00 0001 "a""#),
    ("MQTT-3.1.2-11", 0x81, "will QoS", Client, r#"10 0E 0004 "MQTT" 05 08 003C 00 0001 "a""#),
    ("MQTT-3.1.2-12", 0x81, "will QoS", Client, r#"10 14 0004 "MQTT" 05 1C 003C 00 0001 "a" 00 0001 "w" 0000"#),
    ("MQTT-3.1.2-13", 0x81, "will retain", Client, r#"10 0E 0004 "MQTT" 05 20 003C 00 0001 "a""#),
    ("MQTT-3.2.2-1", 0x81, "connect acknowledge flags", Server, "20 03 80 00 00"),
    ("MQTT-3.2.2-6", 0x82, "session present", Server, "20 03 01 87 00"),
    ("MQTT-3.3.1-4", 0x81, "QoS", Server, "36 06 0001 61 0001 00"),
    ("MQTT-3.3.1-2", 0x81, "DUP", Server, "38 04 0001 61 00"),
    ("section 3.3.2.1", 0x82, "topic name", Server, "30 03 0000 00"),
    ("MQTT-4.7.3-1", 0x81, "will topic", Client, r#"10 13 0004 "MQTT" 05 04 003C 00 0001 "a" 00 0000 0000"#),
    ("MQTT-3.3.2-2", 0x81, "topic name", Client, r#"30 06 0003 "+/a" 00"#),
    ("MQTT-3.3.4-6", 0x82, "subscription identifier", Client, "30 06 0001 61 02 0B 01"),
    ("MQTT-3.14.2-2", 0x82, "session expiry interval", Server, "E0 07 8B 05 11 00000000"),
    ("MQTT-3.8.3-2", 0x82, "topic filters", Client, "82 03 0001 00"),
    ("MQTT-3.10.3-2", 0x82, "topic filters", Client, "A2 03 0001 00"),
    ("MQTT-3.8.3-5", 0x81, "subscription options", Client, "82 07 0001 00 0001 61 40"),
    ("section 3.8.3.1", 0x82, "requested QoS", Client, "82 07 0001 00 0001 61 03"),
    ("section 3.8.3.1", 0x82, "retain handling", Client, "82 07 0001 00 0001 61 30"),
    ("MQTT-3.8.3-4", 0x82, "no local", Client, r#"82 10 0001 00 000A "$share/g/a" 04"#),
    ("MQTT-4.7.1-1", 0x81, "topic filter", Client, r#"82 0B 0001 00 0005 "a/#/b" 00"#),
    ("MQTT-4.7.1-2", 0x81, "topic filter", Client, r#"82 08 0001 00 0002 "+a" 00"#),
    ("MQTT-4.8.2-1", 0x81, "topic filter", Client, r#"82 0F 0001 00 0009 "$share//a" 00"#),
    ("MQTT-4.8.2-2", 0x81, "topic filter", Client, r#"82 10 0001 00 000A "$share/+/a" 00"#),
    ("MQTT-4.8.2-2", 0x81, "topic filter", Client, r#"82 0E 0001 00 0008 "$share/g" 00"#),
    ("MQTT-4.8.2-2", 0x81, "topic filter", Client, r#"A2 0E 0001 00 0009 "$share/g/""#),
    ("section 3.9.3", 0x81, "reason codes", Server, "90 03 0001 00"),
    ("section 3.9.3", 0x81, "reason codes", Server, "B0 03 0001 00"),
];

fn refused() -> Vec<(Version, &'static Row, DecodeError)> {
    let rows = V311_ROWS
        .iter()
        .map(|row| (V311, row))
        .chain(V5_ROWS.iter().map(|row| (V5, row)));
    rows.map(
        |(version, row)| match decode_one(&bytes(row.4), version, row.3) {
            Err(error) => (version, row, error),
            decoded => panic!("{version:?} {row:?} is not refused: {decoded:?}"),
        },
    )
    .collect()
}

#[test]
fn are_refused_with_statement_reason_and_field() {
    for (version, row, error) in refused() {
        assert_eq!(
            (error.statement, error.reason.0, error.field),
            (row.0, row.1, row.2),
            "{version:?} {row:?}"
        );
    }
}

/// Two rules are not met by single packets: a limit of this side, tested where limits are, and one on their number.
#[test]
fn every_rule_is_broken_by_one_of_them() {
    let refused = refused();
    for rule in RULES {
        for (version, place) in [(V311, rule.v311), (V5, rule.v5)] {
            let met = refused.iter().any(|(by, _, error)| {
                *by == version && error.problem == rule.problem && error.statement == place
            });
            let limit = rule.problem.ends_with("this side has set");
            assert!(met || limit || place.is_empty(), "{version:?} {rule:?}");
        }
    }
}

#[test]
fn the_error_is_a_sentence() {
    let sentence = |notation, version| {
        decode_one(&bytes(notation), version, Server)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        sentence("30 03 0001 00", V311),
        "PUBLISH: topic name must not contain U+0000 (MQTT-1.5.3-2, 0x81 malformed packet)"
    );
    assert_eq!(
        sentence("00 00", V5),
        "packet type is reserved (section 2.1.2, 0x81 malformed packet)"
    );
}

#[test]
fn properties_above_the_limit_are_refused() {
    use bytes::BytesMut;
    use leveret_protocol::{
        codec::{Limits, decode},
        reason::ReasonCode,
    };
    let frame = bytes(r#"40 12 0001 00 0E 26 0001 "a" 0001 "b" 26 0001 "a" 0001 "b""#);
    for (max_properties, allowed) in [(2, true), (1, false)] {
        let limits = Limits {
            max_properties,
            ..Limits::default()
        };
        let decoded = decode(&mut BytesMut::from(&frame[..]), V5, Server, &limits);
        assert_eq!(decoded.is_ok(), allowed);
        assert!(
            decoded
                .err()
                .is_none_or(|error| error.reason == ReasonCode::QUOTA_EXCEEDED)
        );
    }
}

/// EF BB BF is U+FEFF and nothing else, wherever it stands (MQTT-1.5.3-3, MQTT-1.5.4-3).
#[test]
fn v311_1_5_3_3_and_v5_1_5_4_3_byte_order_marks_are_kept() {
    use leveret_protocol::codec::{Decoded, Packet};
    for (version, frame) in [
        (V311, "30 06 0004 EFBBBF 61"),
        (V5, "30 07 0004 EFBBBF 61 00"),
    ] {
        let Ok(Decoded::Packet(Packet::Publish(publish))) =
            decode_one(&bytes(frame), version, Server)
        else {
            panic!("no PUBLISH");
        };
        assert_eq!(publish.message.topic(), "\u{FEFF}a");
    }
}
