//! The option tables: defaults fit, names are unique, bad input is told in the sentence that all languages share.
use std::collections::BTreeSet;
use std::time::Duration;

use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::message::QoS;
use leveret_protocol::options::setter_types::*;
use leveret_protocol::options::{
    ClientOptions, Kind, OptionSpec, PropertiesOn311, Protocol, PublishOptions, SubscribeOptions,
    Value, timeout,
};
use leveret_protocol::sentence::Dialect::{self, C, Node, Python, Rust};

const DIALECTS: [Dialect; 4] = [Rust, C, Python, Node];

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn client(dialect: Dialect, name: &str, value: Value) -> Result<ClientOptions, Error> {
    let mut options = ClientOptions::new();
    options.set(name, value, dialect).map(|()| options)
}

fn publish(dialect: Dialect, name: &str, value: Value) -> Result<PublishOptions, Error> {
    let mut options = PublishOptions::new();
    options.set(name, value, dialect).map(|()| options)
}

/// Every row with its default.
fn rows() -> Vec<(&'static OptionSpec, Option<Value>)> {
    let client = ClientOptions::SPECS
        .iter()
        .map(|spec| (spec, ClientOptions::new().get(spec.name)));
    let publish = PublishOptions::SPECS
        .iter()
        .map(|spec| (spec, PublishOptions::new().get(spec.name)));
    let subscribe = SubscribeOptions::SPECS
        .iter()
        .map(|spec| (spec, SubscribeOptions::new().get(spec.name)));
    client.chain(publish).chain(subscribe).collect()
}

#[test]
fn every_default_fits_its_own_row_and_leads_back_to_itself() {
    for (spec, default) in rows() {
        let Some(value) = default else {
            assert!(
                spec.unset_means.is_some(),
                "{} says what unset means",
                spec.name
            );
            continue;
        };
        for dialect in DIALECTS {
            assert_eq!(
                value.clone().fit(spec, dialect).as_ref(),
                Ok(&value),
                "{}",
                spec.name
            );
        }
        assert!(!spec.default_text(Some(value)).is_empty(), "{}", spec.name);
    }
    assert_eq!(ClientOptions::new().check(Rust), Ok(()));
    assert_eq!(PublishOptions::new().check(Rust), Ok(()));
    assert_eq!(SubscribeOptions::new().check("a/+/#", Rust), Ok(()));
}

#[test]
fn names_are_unique_however_they_are_spelled_and_every_row_has_words() {
    for specs in [
        ClientOptions::SPECS,
        PublishOptions::SPECS,
        SubscribeOptions::SPECS,
    ] {
        let snake: BTreeSet<_> = specs.iter().map(|spec| spec.name).collect();
        let camel: BTreeSet<_> = specs.iter().map(|spec| Node.spell(spec.name)).collect();
        assert_eq!((snake.len(), camel.len()), (specs.len(), specs.len()));
        assert!(specs.iter().all(|spec| spec.doc.ends_with('.')));
    }
}

#[test]
fn every_choice_is_read_and_shown_by_its_name() {
    for (spec, _) in rows() {
        let Kind::Choice(names) = spec.kind else {
            continue;
        };
        for name in names {
            assert_eq!(text(name).fit(spec, Node), Ok(text(name)));
        }
    }
    for name in ["auto", "5", "3.1.1"] {
        assert_eq!(
            client(Python, "protocol", text(name))
                .unwrap()
                .get("protocol"),
            Some(text(name))
        );
    }
    let five = client(Node, "protocol", Value::Integer(5)).unwrap();
    assert_eq!(five.protocol, Protocol::V5);
}

#[test]
fn whatever_is_given_is_refused_by_name_or_taken_in_a_form_that_fits_again() {
    let numbers = [0, 1, -1, 2, 60, 65_536, i64::MAX, i64::MIN].map(Value::Integer);
    let reals = [
        0.0,
        -0.0,
        0.5,
        1e300,
        -1e300,
        f64::MIN_POSITIVE,
        f64::NAN,
        f64::NEG_INFINITY,
    ]
    .map(Value::Real);
    let spans = [Duration::ZERO, Duration::from_nanos(1), Duration::MAX].map(Value::Duration);
    let texts = [
        "",
        "none",
        "true",
        "1",
        "-1",
        "1s",
        "-1s",
        "999999999999999999h",
        "\0",
        "auto",
        "é",
    ]
    .map(text);
    let others = [
        Value::Absent,
        Value::Bool(true),
        Value::Bytes(Bytes::from_static(b"\xff")),
        Value::Pairs(vec![("\0".into(), String::new())]),
        Value::Other("a list".into()),
    ];
    for given in numbers
        .iter()
        .chain(&reals)
        .chain(&spans)
        .chain(&texts)
        .chain(&others)
    {
        for (spec, _) in rows() {
            for dialect in DIALECTS {
                match given.clone().fit(spec, dialect) {
                    Ok(taken) => assert_eq!(taken.clone().fit(spec, dialect), Ok(taken)),
                    Err(error) => assert!(
                        error.detail.starts_with(&*dialect.spell(spec.name)),
                        "{error}"
                    ),
                }
            }
        }
    }
}

#[test]
fn every_option_is_set_by_name_to_the_value_it_shows() {
    for spec in ClientOptions::SPECS {
        let value = match spec.kind {
            Kind::Flag => Value::Bool(true),
            Kind::Integer { max, .. } => Value::Integer(max as i64),
            Kind::Duration { max, .. } => Value::Duration(max),
            Kind::Text => text("x"),
            Kind::Bytes => Value::Bytes(Bytes::from_static(b"x")),
            Kind::Material => Value::Bytes(Bytes::from_static(b"x")),
            Kind::Texts => Value::Texts(vec!["x".into(), "y".into()]),
            Kind::Pairs => Value::Pairs(vec![("a".into(), "b".into())]),
            Kind::Choice(names) => text(names[names.len() - 1]),
        };
        for dialect in DIALECTS {
            let options = client(dialect, &dialect.spell(spec.name), value.clone());
            assert_eq!(
                options.unwrap().get(spec.name),
                Some(value.clone()),
                "{}",
                spec.name
            );
        }
    }
}

#[test]
fn a_bare_number_means_what_the_language_means() {
    let backoff = |dialect, value| {
        let name = Dialect::spell(dialect, "backoff_min");
        client(dialect, &name, value).map(|options| options.backoff_min)
    };
    assert_eq!(
        backoff(Node, Value::Integer(50)),
        Ok(Duration::from_millis(50))
    );
    assert_eq!(
        backoff(C, Value::Integer(50)),
        Ok(Duration::from_millis(50))
    );
    assert_eq!(
        backoff(Python, Value::Real(0.05)),
        Ok(Duration::from_millis(50))
    );
    assert_eq!(
        backoff(Python, Value::Integer(2)),
        Ok(Duration::from_secs(2))
    );
    for dialect in DIALECTS {
        assert_eq!(
            backoff(dialect, text("50ms")),
            Ok(Duration::from_millis(50))
        );
    }
    assert!(backoff(Rust, Value::Integer(50)).is_err());
}

#[test]
fn text_is_taken_for_every_kind_where_options_come_from_a_file() {
    let options = ClientOptions::new()
        .with("clean_start", "false")
        .and_then(|options| options.with("receive_maximum", "20"))
        .and_then(|options| options.with("default_ttl", "none"))
        .and_then(|options| options.with("username", "none"))
        .unwrap();
    assert!(!options.clean_start);
    assert_eq!(options.receive_maximum, 20);
    assert_eq!(options.default_ttl, None);
    assert_eq!(
        options.username.as_deref(),
        Some("none"),
        "a text may be \"none\""
    );
    let password = client(C, "password", text("none")).unwrap().password;
    assert_eq!(password.as_deref(), Some(&b"none"[..]));
    assert!(client(Python, "clean_start", text("false")).is_err());
}

/// Sets the option that the sentence begins with, and expects that sentence.
fn refuses<const N: usize>(rows: [(Dialect, Value, &str); N]) {
    for (dialect, value, sentence) in rows {
        let name = sentence.split(' ').next().unwrap();
        let error = client(dialect, name, value).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidArgument, "{sentence}");
        assert_eq!(error.to_string(), sentence);
    }
}

#[test]
#[rustfmt::skip] // a row is a line
fn bad_durations_are_told_in_one_sentence() {
    let second = Duration::from_secs(1);
    refuses([
        (Python, Value::Real(1.5), "keep_alive must be a whole number of seconds from 0s to 65535s, not 1.5s"),
        (Rust, Value::Duration(second * 65_536), "keep_alive must be a whole number of seconds from 0s to 65535s, not 65536s"),
        (Node, Value::Integer(60), "keepAlive must be a whole number of seconds from 0s to 65535s, not 60ms; did you mean 60_000?"),
        (Node, Value::Real(60.0), "keepAlive must be a whole number of seconds from 0s to 65535s, not 60ms; did you mean 60_000?"),
        (C, Value::Integer(60), "keep_alive must be a whole number of seconds from 0s to 65535s, not 60ms; did you mean 60000?"),
        (C, text("60"), "keep_alive must be a whole number of seconds from 0s to 65535s, not \"60\"; a duration is written \"250ms\", \"5s\", \"2m\" or \"1h\""),
        (Python, Value::Integer(0), "backoff_min must be a duration from 1ms to 1h, not 0s"),
        (Python, Value::Integer(-1), "backoff_min must be a duration from 1ms to 1h, not -1s"),
        (Node, Value::Real(f64::INFINITY), "backoffMax must be a duration from 1ms to 24h, not inf"),
        (Python, Value::Real(f64::NAN), "backoff_min must be a duration from 1ms to 1h, not NaN"),
        (Python, Value::Absent, "backoff_min must be a duration from 1ms to 1h, not None"),
        (Node, Value::Absent, "backoffMin must be a duration from 1ms to 1h, not null"),
        (Node, Value::Integer(0), "pingTimeout must be a duration from 1ms to 1h, not 0s; for half the keep alive (at most 10s) use null"),
    ]);
}

#[test]
#[rustfmt::skip] // a row is a line
fn bad_numbers_and_choices_are_told_in_one_sentence() {
    refuses([
        (Python, Value::Integer(1), "clean_start must be true or false, not 1"),
        (Python, Value::Integer(3), "will_qos must be 0, 1 or 2, not 3"),
        (Python, Value::Integer(0), "receive_maximum must be a whole number from 1 to 65535, not 0"),
        (Node, Value::Real(1.5), "receiveMaximum must be a whole number from 1 to 65535, not 1.5"),
        (Python, text("dropoldest"), "overflow must be \"drop_oldest\", \"drop_newest\", \"drop_lowest\" or \"reject\", not \"dropoldest\""),
    ]);
}

#[test]
#[rustfmt::skip] // a row is a line
fn bad_texts_and_bytes_are_told_in_one_sentence() {
    let long = "x".repeat(70_000);
    refuses([
        (Python, Value::Integer(7), "client_id must be text of at most 65535 bytes of UTF-8, not 7"),
        (Python, text(&long), "client_id must be text of at most 65535 bytes of UTF-8, not 70000 bytes"),
        (Python, text("a\0b"), "client_id must not contain U+0000, but \"a\\0b\" does"),
        (Python, Value::Integer(123_456), "password must be bytes or text of at most 65535 bytes, not a number; for no password use None"),
        (Python, text(&long), "will_payload must be bytes or text of at most 65535 bytes, not 70000 bytes"),
        (Node, Value::Other("a function".into()), "userProperties must be pairs of texts, not a function"),
    ]);
}

#[test]
fn timeouts_of_calls_are_read_as_options_are() {
    assert_eq!(
        timeout(Value::Real(1.5), Python),
        Ok(Some(Duration::from_millis(1500)))
    );
    assert_eq!(
        timeout(Value::Integer(5000), Node),
        Ok(Some(Duration::from_secs(5)))
    );
    assert_eq!(timeout(text("5s"), Node), Ok(Some(Duration::from_secs(5))));
    assert_eq!(timeout(Value::Absent, Node), Ok(None));
    assert_eq!(
        timeout(Value::Integer(-1), Python).unwrap_err().to_string(),
        "timeout must be a duration from 0s to 8760h, not -1s; for no limit use None"
    );
}

#[test]
fn a_ttl_of_nothing_says_how_to_have_none() {
    for (dialect, none) in [
        (Rust, "None"),
        (C, "MQTT_TTL_NONE"),
        (Python, "None"),
        (Node, "null"),
    ] {
        let error = publish(dialect, "ttl", Value::Duration(Duration::ZERO)).unwrap_err();
        let sentence = format!(
            "ttl must be a duration from 1ms to 4294967295s, not 0s; for no time to live use {none}"
        );
        assert_eq!(error.to_string(), sentence);
        assert_eq!(
            publish(dialect, "ttl", Value::Absent).unwrap().ttl,
            Ttl::Never
        );
    }
    assert_eq!(publish(C, "ttl", text("none")).unwrap().ttl, Ttl::Never);
}

#[test]
fn an_unknown_option_is_told_with_the_one_that_was_meant() {
    for (dialect, name, sentence) in [
        (
            Python,
            "keep_alvie",
            "unknown client option \"keep_alvie\"; did you mean keep_alive?",
        ),
        (
            Python,
            "keepalive",
            "unknown client option \"keepalive\"; did you mean keep_alive?",
        ),
        (
            Node,
            "keep_alive",
            "unknown client option \"keep_alive\"; did you mean keepAlive?",
        ),
        (
            Node,
            "clientID",
            "unknown client option \"clientID\"; did you mean clientId?",
        ),
        (
            C,
            "max_inflight",
            "unknown client option \"max_inflight\"; did you mean max_in_flight?",
        ),
    ] {
        let error = client(dialect, name, Value::Bool(true)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::UnknownOption);
        assert_eq!(error.to_string(), sentence);
    }
    let mut options = SubscribeOptions::new();
    let error = options
        .set("durable", Value::Bool(true), Python)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown subscribe option \"durable\"; it must be qos, no_local, retain_as_published, retain_handling, user_properties or timeout"
    );
    assert!(client(Python, &"x".repeat(1_000_000), Value::Absent).is_err());
}

#[test]
fn options_are_checked_against_each_other() {
    let plain = ClientOptions::new;
    let second = Duration::from_secs(1);
    for (options, sentence) in [
        (
            plain().backoff_min(second * 40),
            "backoff_max must be at least backoff_min, which is 40s, not 30s",
        ),
        (
            plain().clean_start(false),
            "client_id must be given where clean_start is false, because the broker keeps the session under it",
        ),
        (
            plain().will_qos(QoS::AtLeastOnce),
            "will_topic must be given where will_qos is",
        ),
        (
            plain().will_topic("a/#"),
            "will_topic must not contain the wildcard '+' or '#', but \"a/#\" does",
        ),
        (
            plain().will_topic("a").will_response_topic(""),
            "will_response_topic must have at least one character, but \"\" does not",
        ),
        (
            plain().protocol(Protocol::V311).password("secret"),
            "username must be given where password is, because MQTT 3.1.1 has no password without one (3.1.2.9)",
        ),
        (
            plain()
                .protocol(Protocol::V311)
                .user_properties([("a", "b")]),
            "user_properties must not be given where protocol is \"3.1.1\", unless properties_on_311 is \"drop\"",
        ),
        (
            plain().keep_alive(second / 2),
            "keep_alive must be a whole number of seconds from 0s to 65535s, not 500ms",
        ),
    ] {
        assert_eq!(options.check(Python).unwrap_err().to_string(), sentence);
    }
    let dropped = plain()
        .protocol(Protocol::V311)
        .user_properties([("a", "b")]);
    assert_eq!(
        dropped.properties_on_311(PropertiesOn311::Drop).check(Rust),
        Ok(())
    );
    assert_eq!(
        plain().client_id("door-7").clean_start(false).check(Rust),
        Ok(())
    );
}

#[test]
fn publish_and_subscribe_options_are_checked() {
    let error = PublishOptions::new()
        .response_topic("a/+")
        .check(Node)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "responseTopic must not contain the wildcard '+' or '#', but \"a/+\" does"
    );
    let error = SubscribeOptions::new().check("a/#/b", Node).unwrap_err();
    assert_eq!(
        error.to_string(),
        "topic filter must have '#' only as its last level, alone, but \"a/#/b\" does not"
    );
    let error = SubscribeOptions::new()
        .no_local(true)
        .check("$share/g/a", Node)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "noLocal must be false for a shared subscription (MQTT-3.8.3-4), not true"
    );
}

#[test]
fn a_secret_is_shown_nowhere() {
    let options = ClientOptions::new().username("joe").password("hunter2");
    let shown = format!("{options:?}");
    assert!(shown.contains("joe") && shown.contains("(secret)") && !shown.contains("hunter2"));
    let debug = format!("{:?}", options.password.as_deref());
    assert!(!shown.contains(&debug));
    let long = Value::Text("hunter2".repeat(10_000));
    let error = client(Python, "password", long).unwrap_err();
    assert_eq!(
        error.to_string(),
        "password must be bytes or text of at most 65535 bytes, not 70000 bytes; for no password use None"
    );
}

#[test]
fn rust_takes_what_plainly_becomes_the_option() {
    let options = ClientOptions::new()
        .client_id("door-7")
        .username(String::from("joe"))
        .password(vec![1, 2])
        .default_ttl(None)
        .ping_timeout(Duration::from_secs(2))
        .max_queued_messages(10)
        .will_payload_format(1);
    assert_eq!(options.default_ttl, None);
    assert_eq!(options.max_queued_messages, 10);
    let letter = PublishOptions::new()
        .ttl(Duration::from_secs(1))
        .overflow(Overflow::Reject);
    assert_eq!(letter.ttl, Ttl::After(Duration::from_secs(1)));
    assert_eq!(PublishOptions::new().ttl(None).ttl, Ttl::Never);
}

/// A builder of another crate, as the client's `publish` returns one.
#[derive(Default)]
struct Builder {
    options: PublishOptions,
}

impl Builder {
    fn options_mut(&mut self) -> &mut PublishOptions {
        &mut self.options
    }

    leveret_protocol::publish_setters!();
}

#[test]
fn another_builder_has_the_same_setters() {
    let builder = Builder::default()
        .qos(QoS::ExactlyOnce)
        .ttl(Duration::from_secs(1))
        .priority(Priority::High);
    assert_eq!(builder.options.qos, QoS::ExactlyOnce);
}
