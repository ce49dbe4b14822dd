//! Enhanced authentication (MQTT 5, 4.12): with and without an authenticator, when connecting and while online.
use bytes::Bytes;
use leveret_protocol::codec::{
    Auth, ConnAck, Disconnect, Packet, Properties, PropertyId, PropertyValue,
};
use leveret_protocol::engine::{
    AuthAnswer, AuthStage, AuthStep, Command, ConnectionEvent, Event, Hooks, Input, Reply, State,
};
use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::message::QoS::AtLeastOnce;
use leveret_protocol::options::{ClientOptions, Protocol};
use leveret_protocol::reason::ReasonCode;

use crate::bench::*;

const METHOD: &str = "SCRAM";

fn options() -> ClientOptions {
    ClientOptions {
        authentication_method: Some(METHOD.into()),
        ..speaking(V5)
    }
}

/// A bench whose application has an authenticator.
fn with_authenticator() -> Bench {
    let mut bench = Bench::new(options());
    bench.command(Command::Hooks(Hooks {
        authenticates: true,
        ..Hooks::default()
    }));
    bench.handle(Input::Start);
    bench
}

fn said(data: &[u8]) -> Properties {
    let mut properties = Properties::new();
    properties
        .set(PropertyId::AuthenticationMethod, METHOD)
        .expect("a valid property");
    properties
        .set(PropertyId::AuthenticationData, PropertyValue::Binary(data))
        .expect("a valid property");
    properties
}

fn auth(reason: ReasonCode, data: &[u8]) -> Packet {
    let properties = said(data);
    Packet::Auth(Auth { reason, properties })
}

fn accepted(data: &[u8]) -> Packet {
    Packet::ConnAck(Box::new(ConnAck {
        properties: said(data),
        ..ConnAck::default()
    }))
}

/// The last step that the application was asked to take, which must be in this stage.
fn step(bench: &Bench, stage: AuthStage) -> AuthStep {
    let steps = bench.events.iter().filter_map(|event| match event {
        Event::Authenticate(step) => Some(step),
        _ => None,
    });
    let last = steps.last().expect("a step");
    assert_eq!(last.stage, stage);
    assert_eq!(last.method.as_str(), METHOD);
    AuthStep::clone(last)
}

fn answer(bench: &mut Bench, stage: AuthStage, data: &'static [u8]) {
    let answer = answering(bench, stage, data);
    bench.command(answer);
}

fn answering(bench: &Bench, stage: AuthStage, data: &'static [u8]) -> Command {
    let answer = AuthAnswer {
        data: Some(Bytes::from_static(data)),
        words: Properties::new(),
    };
    Command::Authenticate {
        number: step(bench, stage).number,
        answer: Ok(Box::new(answer)),
    }
}

fn refuse(bench: &mut Bench, stage: AuthStage) {
    let number = step(bench, stage).number;
    bench.command(Command::Authenticate {
        number,
        answer: Err("the proof is wrong".into()),
    });
}

fn auths(bench: &mut Bench) -> Vec<(ReasonCode, Option<Vec<u8>>)> {
    let packets = bench.sent();
    let auths = packets.into_iter().filter_map(|packet| match packet {
        Packet::Auth(auth) => {
            assert_eq!(auth.properties.authentication_method(), Some(METHOD));
            let data = auth.properties.authentication_data();
            Some((auth.reason, data.map(<[u8]>::to_vec)))
        }
        _ => None,
    });
    auths.collect()
}

fn failures(bench: &Bench) -> Vec<Error> {
    let failures = bench.events.iter().filter_map(|event| match event {
        Event::Connection(ConnectionEvent::AttemptFailed { why, .. }) => Some(why.clone()),
        _ => None,
    });
    failures.collect()
}

/// Through the whole exchange, up to the broker's CONNACK.
fn authenticated() -> Bench {
    let mut bench = with_authenticator();
    answer(&mut bench, AuthStage::Begin, b"client first");
    let connect = bench.link_up();
    assert_eq!(
        connect.properties.authentication_data(),
        Some(&b"client first"[..])
    );
    bench.give(auth(ReasonCode::CONTINUE_AUTHENTICATION, b"server first"));
    let asked = step(&bench, AuthStage::Continue);
    assert_eq!(asked.data.as_deref(), Some(&b"server first"[..]));
    answer(&mut bench, AuthStage::Continue, b"client last");
    let sent = (
        ReasonCode::CONTINUE_AUTHENTICATION,
        Some(b"client last".to_vec()),
    );
    assert_eq!(auths(&mut bench), [sent]);
    bench.give(accepted(b"server last"));
    let asked = step(&bench, AuthStage::Finish);
    assert_eq!(asked.data.as_deref(), Some(&b"server last"[..]));
    bench
}

#[test]
fn nothing_is_dialed_before_the_authenticator_has_begun() {
    let mut bench = with_authenticator();
    assert_eq!((bench.attempt, bench.engine.state()), (0, State::Preparing));
    answer(&mut bench, AuthStage::Begin, b"x");
    assert_eq!((bench.attempt, bench.engine.state()), (1, State::Dialing));
}

#[test]
fn letters_go_out_only_after_the_application_has_agreed_to_the_brokers_proof() {
    let mut bench = authenticated();
    bench.publish("a", &at(AtLeastOnce));
    assert!(publishes(&bench.sent()).is_empty());
    answer(&mut bench, AuthStage::Finish, b"");
    assert_eq!(publishes(&bench.sent()).len(), 1);
}

#[test]
fn a_broker_whose_proof_is_wrong_is_left() {
    let mut bench = authenticated();
    let letter = bench.publish("a", &at(AtLeastOnce));
    refuse(&mut bench, AuthStage::Finish);
    let sent = bench.sent();
    assert!(publishes(&sent).is_empty() && disconnect_of(&sent).is_some());
    assert_eq!(bench.engine.state(), State::Backoff);
    assert_eq!(bench.settled(letter), None);
    bench.pass_backoff_to_step();
    step(&bench, AuthStage::Begin);
}

#[test]
fn a_refused_or_late_step_fails_the_attempt_and_another_follows() {
    let mut bench = with_authenticator();
    refuse(&mut bench, AuthStage::Begin);
    assert_eq!(failures(&bench)[0].kind, ErrorKind::Refused);
    assert!(
        failures(&bench)[0]
            .to_string()
            .contains("the proof is wrong")
    );
    bench.pass_backoff_to_step();
    let late = step(&bench, AuthStage::Begin).number;
    bench.pass(seconds(10));
    assert_eq!(failures(&bench)[1].kind, ErrorKind::TimedOut);
    bench.pass_backoff_to_step();
    // What comes too late is not taken for the answer to a later question.
    bench.command(Command::Authenticate {
        number: late,
        answer: Ok(Box::default()),
    });
    assert_eq!(bench.engine.state(), State::Preparing);
    answer(&mut bench, AuthStage::Begin, b"x");
    assert_eq!(bench.engine.state(), State::Dialing);
}

#[test]
fn without_an_authenticator_connect_carries_the_option() {
    let mut bench = Bench::new(ClientOptions {
        authentication_data: Some(Bytes::from_static(b"token")),
        ..options()
    });
    bench.handle(Input::Start);
    let connect = bench.accept(false);
    assert_eq!(connect.properties.authentication_method(), Some(METHOD));
    assert_eq!(
        connect.properties.authentication_data(),
        Some(&b"token"[..])
    );
    assert_eq!(bench.engine.state(), State::Online);
}

#[test]
fn without_an_authenticator_another_step_fails_the_attempt() {
    let mut bench = Bench::new(options());
    bench.handle(Input::Start);
    bench.link_up();
    bench.give(auth(ReasonCode::CONTINUE_AUTHENTICATION, b"more"));
    assert_eq!(bench.engine.state(), State::Backoff);
    assert!(failures(&bench)[0].to_string().contains("no authenticator"));
}

#[test]
fn a_broker_that_breaks_the_rules_of_authentication_is_left() {
    let mut other = Properties::new();
    other
        .set(PropertyId::AuthenticationMethod, "OTHER")
        .expect("a valid property");
    let another_method = Packet::Auth(Auth {
        reason: ReasonCode::CONTINUE_AUTHENTICATION,
        properties: other.clone(),
    });
    let connack_of_another = Packet::ConnAck(Box::new(ConnAck {
        properties: other,
        ..ConnAck::default()
    }));
    for packet in [
        another_method,
        connack_of_another,
        auth(ReasonCode::SUCCESS, b""),
        auth(ReasonCode::REAUTHENTICATE, b""),
    ] {
        let mut bench = with_authenticator();
        answer(&mut bench, AuthStage::Begin, b"x");
        bench.link_up();
        bench.give(packet.clone());
        assert_eq!(bench.engine.state(), State::Backoff, "{packet:?}");
        let reason = failures(&bench)[0].reason;
        assert_eq!(reason, Some(ReasonCode::PROTOCOL_ERROR), "{packet:?}");
    }
}

#[test]
fn auth_out_of_turn_ends_the_connection() {
    let mut bench = authenticated();
    answer(&mut bench, AuthStage::Finish, b"");
    bench.give(auth(ReasonCode::CONTINUE_AUTHENTICATION, b"again"));
    let sent = bench.sent();
    let reason = disconnect_of(&sent).map(|end| end.reason);
    assert_eq!(reason, Some(ReasonCode::PROTOCOL_ERROR));
}

#[test]
fn a_method_keeps_the_client_from_falling_back_to_3_1_1() {
    let mut bench = Bench::new(ClientOptions {
        protocol: Protocol::Auto,
        ..options()
    });
    bench.handle(Input::Start);
    for _ in 0..5 {
        assert_eq!(bench.link_up().version, V5);
        bench.give(refusal(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION));
        bench.pass_backoff();
    }
}

#[test]
fn reauthentication_takes_its_steps_while_letters_go_on() {
    let mut bench = authenticated();
    answer(&mut bench, AuthStage::Finish, b"");
    let (asked, _) = bench.ask(|reply| Command::Reauthenticate { reply });
    assert!(step(&bench, AuthStage::Begin).reauthentication);
    answer(&mut bench, AuthStage::Begin, b"again");
    let first = (ReasonCode::REAUTHENTICATE, Some(b"again".to_vec()));
    assert_eq!(auths(&mut bench), [first]);
    bench.publish("a", &at(AtLeastOnce));
    assert_eq!(publishes(&bench.sent()).len(), 1);
    bench.give(auth(ReasonCode::CONTINUE_AUTHENTICATION, b"server"));
    answer(&mut bench, AuthStage::Continue, b"client");
    bench.give(auth(ReasonCode::SUCCESS, b"proof"));
    assert_eq!(bench.reply(asked), None, "the application has not agreed");
    answer(&mut bench, AuthStage::Finish, b"");
    assert_eq!(bench.reply(asked), Some(Ok(Reply::Done)));
}

#[test]
fn who_asks_during_an_exchange_is_answered_by_another_one_with_what_is_to_be_proved_then() {
    let mut bench = authenticated();
    // The first one of the connection is not over before the application has agreed to it.
    let (first, _) = bench.ask(|reply| Command::Reauthenticate { reply });
    answer(&mut bench, AuthStage::Finish, b"");
    assert_eq!(bench.reply(first), None);
    assert!(step(&bench, AuthStage::Begin).reauthentication);
    answer(&mut bench, AuthStage::Begin, b"old");
    let (second, _) = bench.ask(|reply| Command::Reauthenticate { reply });
    let (third, _) = bench.ask(|reply| Command::Reauthenticate { reply });
    bench.give(auth(ReasonCode::SUCCESS, b""));
    answer(&mut bench, AuthStage::Finish, b"");
    assert_eq!(bench.reply(first), Some(Ok(Reply::Done)));
    assert_eq!(bench.reply(second), None);
    answer(&mut bench, AuthStage::Begin, b"new");
    let said = auths(&mut bench).into_iter().map(|(_, data)| data);
    assert!(said.eq([Some(b"old".to_vec()), Some(b"new".to_vec())]));
    bench.give(auth(ReasonCode::SUCCESS, b""));
    answer(&mut bench, AuthStage::Finish, b"");
    for asked in [second, third] {
        assert_eq!(bench.reply(asked), Some(Ok(Reply::Done)));
    }
}

#[test]
fn reauthentication_fails_where_it_cannot_be_had_and_with_its_connection() {
    let kind = |bench: &mut Bench| {
        let (_, reply) = bench.ask(|reply| Command::Reauthenticate { reply });
        reply.and_then(Result::err).map(|error| error.kind)
    };
    assert_eq!(
        kind(&mut Bench::online(speaking(V5))),
        Some(ErrorKind::NotSupported)
    );
    assert_eq!(
        kind(&mut Bench::new(options())),
        Some(ErrorKind::NotConnected)
    );
    let mut bench = Bench::online(options());
    let (asked, reply) = bench.ask(|reply| Command::Reauthenticate { reply });
    assert_eq!(reply, None);
    bench.cut();
    let failed = bench.reply(asked).and_then(Result::err);
    assert_eq!(
        failed.map(|error| error.kind),
        Some(ErrorKind::ConnectionLost)
    );
}

#[test]
fn a_close_while_the_authenticator_is_asked_ends_at_once() {
    let mut bench = with_authenticator();
    let letter = bench.publish("a", &at(AtLeastOnce));
    bench.ask(|reply| Command::Close {
        reply,
        options: Box::default(),
    });
    bench.pass(seconds(5));
    assert_eq!(bench.engine.state(), State::Closed);
    assert_eq!(bench.settled(letter), Some(("closed", false)));
}

#[test]
fn a_broker_that_does_not_answer_a_re_authentication_is_left() {
    let mut bench = Bench::new(options());
    bench.handle(Input::Start);
    bench.accept(false);
    let (reply, _) = bench.ask(|reply| Command::Reauthenticate { reply });
    bench.sent();
    for _ in 0..10 {
        assert_eq!(bench.reply(reply), None);
        bench.pass(seconds(1));
        bench.give(Packet::PingResp);
    }
    let Some(Err(error)) = bench.reply(reply) else {
        panic!("{:?}", bench.reply(reply))
    };
    assert_eq!(error.kind, ErrorKind::TimedOut);
    assert_ne!(bench.engine.state(), State::Online);
}

#[test]
fn a_broker_refuses_a_re_authentication_with_its_disconnect() {
    for (reason, kind) in [
        (ReasonCode::NOT_AUTHORIZED, ErrorKind::Refused),
        (ReasonCode::BAD_AUTHENTICATION_METHOD, ErrorKind::Refused),
        (ReasonCode::SERVER_SHUTTING_DOWN, ErrorKind::ConnectionLost),
    ] {
        let mut bench = Bench::new(options());
        bench.handle(Input::Start);
        bench.accept(false);
        let (reply, _) = bench.ask(|reply| Command::Reauthenticate { reply });
        let mut properties = Properties::new();
        properties
            .set(PropertyId::ReasonString, "go away")
            .expect("a valid property");
        bench.give(Packet::Disconnect(Disconnect { reason, properties }));
        let Some(Err(error)) = bench.reply(reply) else {
            panic!("{:?}", bench.reply(reply))
        };
        assert_eq!((error.kind, error.reason), (kind, Some(reason)));
        assert!(error.to_string().contains("go away"), "{error}");
    }
}

#[test]
fn a_step_that_is_asked_for_no_more_does_not_end_the_connection_that_is_made_without_it() {
    let mut bench = with_authenticator();
    assert_eq!(bench.engine.state(), State::Preparing);
    bench.command(Command::Hooks(Hooks::default()));
    bench.command(Command::Reconnect);
    bench.accept(false);
    bench.pass(seconds(15));
    assert_eq!(bench.engine.state(), State::Online);
}

#[test]
fn nothing_follows_disconnect_where_a_step_is_answered_beside_a_reconnect() {
    let mut bench = authenticated();
    answer(&mut bench, AuthStage::Finish, b"");
    let (asked, _) = bench.ask(|reply| Command::Reauthenticate { reply });
    let late = answering(&bench, AuthStage::Begin, b"again");
    bench.sent();
    bench.commands([Command::Reconnect, late]);
    let sent = bench.sent();
    assert!(matches!(&sent[..], [Packet::Disconnect(_)]), "{sent:?}");
    let told = bench.reply(asked).and_then(Result::err);
    assert_eq!(
        told.map(|error| error.kind),
        Some(ErrorKind::ConnectionLost)
    );
}

#[test]
fn an_answer_for_an_attempt_that_was_given_up_comes_too_late_also_beside_the_one_that_begins() {
    let mut bench = with_authenticator();
    let late = answering(&bench, AuthStage::Begin, b"late");
    let asks_no_more = Command::Hooks(Hooks::default());
    bench.commands([asks_no_more, Command::Reconnect, late]);
    assert_eq!(bench.engine.state(), State::Dialing);
    let connect = bench.link_up();
    assert_eq!(connect.properties.authentication_data(), None);
}
