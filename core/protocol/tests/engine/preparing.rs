//! What the application is asked before each attempt: credentials, the will, and where to dial.
use std::time::Duration;

use leveret_protocol::engine::{Command, Event, Hooks, Input, Preparation, State};
use leveret_protocol::error::ErrorKind;
use leveret_protocol::options::{ClientOptions, CloseOptions, ConnectOptions};
use leveret_protocol::sentence::Dialect;

use crate::bench::*;

const OPTIONS: fn() -> ClientOptions = || {
    ClientOptions::new()
        .username("of options")
        .password("secret of options")
        .will_topic("will/of/options")
        .will_retain(true)
        .backoff_min(Duration::from_secs(1))
        .backoff_max(Duration::from_secs(1))
};

/// A started client that is asked before each attempt.
fn asked(options: ClientOptions) -> Bench {
    let mut bench = Bench::new(options);
    bench.command(Command::Hooks(Hooks {
        prepares: true,
        ..Hooks::default()
    }));
    bench.handle(Input::Start);
    bench
}

fn preparations(bench: &Bench) -> Vec<&Preparation> {
    let asked = bench.events.iter().filter_map(|event| match event {
        Event::Prepare(asked) => Some(&**asked),
        _ => None,
    });
    asked.collect()
}

fn answer(bench: &mut Bench, said: ConnectOptions) {
    let number = preparations(bench).last().expect("a question").number;
    bench.command(Command::Prepared {
        number,
        answer: Ok(Box::new(said)),
    });
}

fn refuse(bench: &mut Bench, words: &str) {
    let number = preparations(bench).last().expect("a question").number;
    bench.command(Command::Prepared {
        number,
        answer: Err(words.to_owned()),
    });
}

fn close(bench: &mut Bench, options: CloseOptions) {
    let reply = bench.tag();
    bench.command(Command::Close {
        reply,
        options: Box::new(options),
    });
}

#[test]
fn nothing_is_dialed_before_the_answer() {
    let mut bench = asked(OPTIONS());
    assert_eq!(bench.engine.state(), State::Preparing);
    assert_eq!(bench.attempt, 0);
    let first = preparations(&bench)[0].clone();
    assert_eq!(
        (first.attempt, first.endpoint, first.reference),
        (1, 0, None)
    );
    answer(&mut bench, ConnectOptions::new());
    assert_eq!((bench.engine.state(), bench.attempt), (State::Dialing, 1));
    assert_eq!(bench.destination, None);
}

#[test]
fn what_is_not_answered_is_as_the_options_say() {
    let mut bench = asked(OPTIONS());
    answer(&mut bench, ConnectOptions::new());
    let connect = bench.link_up();
    assert_eq!(connect.user_name.as_deref(), Some("of options"));
    assert_eq!(connect.password.as_deref(), Some(&b"secret of options"[..]));
    let will = connect.will.expect("the will of the options");
    assert!(will.retain && will.topic.as_str() == "will/of/options");
}

#[test]
fn an_answer_holds_for_its_own_attempt_alone() {
    let mut bench = asked(OPTIONS());
    answer(
        &mut bench,
        ConnectOptions::new()
            .username("fresh")
            .will_topic("will/fresh")
            .will_payload("gone"),
    );
    let first = bench.link_up();
    assert_eq!(first.user_name.as_deref(), Some("fresh"));
    assert_eq!(first.password, None, "no password of another user");
    let will = first.will.expect("the fresh will");
    assert_eq!(
        (will.topic.as_str(), &will.payload[..]),
        ("will/fresh", &b"gone"[..])
    );
    assert!(
        !will.retain,
        "nothing of the options' will is mixed into it"
    );
    let attempt = bench.attempt;
    bench.handle(Input::LinkDown {
        attempt,
        why: closed(),
    });
    bench.pass(Duration::from_secs(2));
    assert_eq!(preparations(&bench).len(), 2);
    answer(&mut bench, ConnectOptions::new());
    let second = bench.link_up();
    assert_eq!(second.user_name.as_deref(), Some("of options"));
}

#[test]
fn the_attempt_goes_where_the_answer_says() {
    let mut bench = asked(OPTIONS());
    let headers = [("authorization", "bearer")];
    let said = ConnectOptions::new().url("wss://elsewhere/signed");
    answer(&mut bench, said.websocket_headers(headers));
    let destination = bench.destination.clone().expect("somewhere");
    assert_eq!(destination.url.as_deref(), Some("wss://elsewhere/signed"));
    assert_eq!(destination.websocket_headers.len(), 1);
    let shown = format!("{destination:?}");
    assert!(
        !shown.contains("signed") && !shown.contains("bearer"),
        "{shown}"
    );
}

#[test]
fn a_refusal_and_a_late_answer_are_failed_attempts_and_the_next_is_asked_for_again() {
    let mut bench = asked(OPTIONS().hook_timeout(Duration::from_secs(3)));
    let late = preparations(&bench)[0].number;
    refuse(&mut bench, "no token to be had");
    assert_eq!(bench.engine.state(), State::Backoff);
    let (kind, words) = last_failure(&bench);
    assert_eq!(kind, ErrorKind::Refused);
    assert!(words.ends_with("failed: no token to be had"), "{words}");
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.engine.state(), State::Preparing);
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.engine.state(), State::Backoff);
    assert_eq!(last_failure(&bench).0, ErrorKind::TimedOut);
    bench.command(Command::Prepared {
        number: late,
        answer: Ok(Box::default()),
    });
    assert_eq!((bench.engine.state(), bench.attempt), (State::Backoff, 0));
}

#[test]
fn a_reconnect_asks_anew_and_lets_go_of_the_old_question() {
    let mut bench = asked(OPTIONS());
    let old = preparations(&bench)[0].number;
    bench.command(Command::Reconnect);
    assert_eq!(preparations(&bench).len(), 2);
    bench.command(Command::Prepared {
        number: old,
        answer: Ok(Box::default()),
    });
    assert_eq!(bench.engine.state(), State::Preparing);
    answer(&mut bench, ConnectOptions::new());
    assert_eq!(bench.engine.state(), State::Dialing);
}

#[test]
fn the_time_for_an_attempt_ends_with_it() {
    let mut bench = asked(OPTIONS().connect_timeout(Duration::from_secs(2)));
    answer(&mut bench, ConnectOptions::new());
    bench.link_up();
    bench.command(Command::Reconnect);
    assert_eq!(bench.engine.state(), State::Preparing);
    bench.pass(Duration::from_secs(3));
    assert_eq!(bench.engine.state(), State::Preparing);
    assert_eq!(bench.hang_ups.len(), 1, "of the attempt that was given up");
}

#[test]
fn a_close_ends_it_while_it_is_asked() {
    let mut bench = asked(OPTIONS());
    close(&mut bench, CloseOptions::new());
    assert_eq!(bench.engine.state(), State::Closed);
}

#[test]
fn a_kept_session_of_311_is_ended_though_the_application_is_asked_first() {
    let options = speaking(V311).client_id("kept").clean_start(false);
    let mut bench = asked(options);
    answer(&mut bench, ConnectOptions::new());
    bench.version = V311;
    bench.accept(false);
    close(&mut bench, CloseOptions::new().end_session(true));
    assert_eq!(bench.engine.state(), State::Preparing);
    answer(&mut bench, ConnectOptions::new());
    let last = bench.link_up();
    assert!(last.clean_start);
}

#[test]
fn answers_are_checked_as_options_are() {
    let client = ClientOptions::new();
    let wrong = ConnectOptions::new().will_payload("gone");
    let error = wrong.check(&client, Dialect::Rust).expect_err("no topic");
    assert!(
        error
            .to_string()
            .contains("will_topic must be given where will_payload is"),
        "{error}"
    );
    let wrong = ConnectOptions::new().will_topic("a/#");
    assert!(wrong.check(&client, Dialect::Rust).is_err());
    let on_311 = speaking(V311);
    let error = ConnectOptions::new()
        .password("x")
        .check(&on_311, Dialect::Rust);
    assert!(error.expect_err("no user").to_string().contains("username"));
    let shown = format!(
        "{:?}",
        ConnectOptions::new().password("hush").url("wss://a/hush")
    );
    assert!(!shown.contains("hush"), "{shown}");
}

fn last_failure(bench: &Bench) -> (ErrorKind, String) {
    use leveret_protocol::engine::ConnectionEvent::AttemptFailed;
    let failures = bench.events.iter().filter_map(|event| match event {
        Event::Connection(AttemptFailed { why, .. }) => Some((why.kind, why.to_string())),
        _ => None,
    });
    failures.last().expect("a failed attempt")
}

#[test]
fn what_is_said_for_an_attempt_that_was_given_up_comes_too_late_also_beside_the_one_that_begins() {
    let mut bench = asked(OPTIONS());
    let number = preparations(&bench).last().expect("a question").number;
    let late = Command::Prepared {
        number,
        answer: Ok(Box::new(ConnectOptions::new().username("late"))),
    };
    let asks_no_more = Command::Hooks(Hooks::default());
    bench.commands([asks_no_more, Command::Reconnect, late]);
    assert_eq!(bench.engine.state(), State::Dialing);
    assert_ne!(bench.link_up().user_name.as_deref(), Some("late"));
}
