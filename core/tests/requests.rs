//! Requests and responses between Rust clients over the test broker, on both versions of MQTT.

use std::time::Duration;

use futures::executor::block_on;
use futures::future::{join, join_all};
use futures::{FutureExt, StreamExt, select};
use leveret::testing::Broker;
use leveret::{Client, Error, ErrorKind, Options, Protocol, QoS, Status};

const SOON: Duration = Duration::from_secs(10);

fn client(broker: &Broker, protocol: Protocol) -> Client {
    let client = Client::new(broker.url(), Options::new().protocol(protocol)).unwrap();
    block_on(client.wait_for(Status::Online, SOON)).unwrap();
    client
}

fn clients(protocol: Protocol) -> (Broker, Client, Client) {
    let broker = Broker::start_new().unwrap();
    let (one, two) = (client(&broker, protocol), client(&broker, protocol));
    (broker, one, two)
}

/// Runs `asking` beside a service that never ends by itself.
async fn beside<R>(
    serving: impl Future<Output = Result<(), Error>>,
    asking: impl Future<Output = R>,
) -> R {
    let (mut serving, mut asking) = (Box::pin(serving.fuse()), Box::pin(asking.fuse()));
    select! {
        ended = serving => panic!("it serves no longer: {ended:?}"),
        answer = asking => answer,
    }
}

#[test]
fn many_requests_at_once_each_get_their_response() {
    let (_broker, asker, server) = clients(Protocol::V5);
    let serving = server.serve("double/+", QoS::ExactlyOnce, |request| async move {
        let number: u32 = request.levels().next_back().unwrap().parse().unwrap();
        (2 * number).to_string()
    });
    let asking = async {
        // Whoever asks before the subscription stands is not heard.
        server.flush(SOON).await.unwrap();
        while asker
            .request("double/0", "")
            .timeout(Duration::from_millis(100))
            .await
            .is_err()
        {}
        let topics: Vec<_> = (0..100).map(|number| format!("double/{number}")).collect();
        let requests = topics
            .iter()
            .map(|topic| asker.request(topic, "").qos(QoS::ExactlyOnce).into_future());
        for (number, response) in join_all(requests).await.into_iter().enumerate() {
            let response = response.unwrap();
            assert_eq!(response.payload(), (2 * number).to_string().as_bytes());
            assert_eq!(response.qos(), QoS::ExactlyOnce);
        }
    };
    block_on(beside(serving, asking));
    assert_eq!(asker.stats().queued + asker.stats().in_flight, 0);
}

#[test]
fn a_handler_that_fails_gives_no_response_and_a_message_that_asks_for_none_gets_none() {
    let (_broker, asker, server) = clients(Protocol::V5);
    let serving = server.serve("door", QoS::AtLeastOnce, |request| async move {
        match request.payload() {
            b"open" => Ok(()),
            _ => Err("a door cannot do that"),
        }
    });
    let asking = async {
        while asker
            .request("door", "open")
            .timeout(Duration::from_millis(100))
            .await
            .is_err()
        {}
        let plain = asker.publish("door", "open").send().unwrap().await;
        assert!(plain.delivered());
        let failures = server.stats().handler_failures;
        let failed = asker
            .request("door", "fly")
            .timeout(Duration::from_millis(300));
        assert_eq!(failed.await.unwrap_err().kind, ErrorKind::TimedOut);
        assert_eq!(server.stats().handler_failures, failures + 1);
        let response = asker.request("door", "open").await.unwrap();
        assert_eq!(response.payload(), b"");
    };
    block_on(beside(serving, asking));
}

#[test]
fn on_311_the_application_says_where_to_answer() {
    let (_broker, asker, server) = clients(Protocol::V311);
    block_on(async {
        let error = asker.request("door/state", "").await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotSupported);
        assert!(error.to_string().contains("response_topic"), "{error}");
        let mut requests = server.subscribe("door/+", QoS::AtLeastOnce).await.unwrap();
        let answering = async {
            for payload in ["closed", "open"] {
                let request = requests.next().await.unwrap();
                let unanswerable = request.respond(payload).send().unwrap_err();
                assert_eq!(unanswerable.kind, ErrorKind::InvalidArgument);
                let topic = format!("{}/response", request.topic());
                drop(request.respond(payload).topic(&topic).send().unwrap());
            }
        };
        let ask = || {
            let request = asker.request("door/state", "?");
            request.response_topic("door/state/response").into_future()
        };
        let (responses, ()) = join(join(ask(), ask()), answering).await;
        // The request that has waited longest gets the first.
        assert_eq!(responses.0.unwrap().payload(), b"closed");
        assert_eq!(responses.1.unwrap().payload(), b"open");
    });
}

#[test]
fn a_request_that_never_left_is_not_carried_out_later() {
    let broker = Broker::start_new().unwrap();
    let asker = client(&broker, Protocol::V5);
    broker.stop();
    block_on(async {
        asker.wait_for(Status::Offline, SOON).await.unwrap();
        let request = asker
            .request("door", "unlock")
            .timeout(Duration::from_millis(50));
        let error = request.await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::TimedOut);
        assert_eq!(
            error.to_string(),
            "no response came in time: the request was never sent"
        );
        broker.start().unwrap();
        asker.wait_for(Status::Online, SOON).await.unwrap();
        assert!(
            asker
                .publish("door", "knock")
                .send()
                .unwrap()
                .await
                .delivered()
        );
    });
    let received: Vec<_> = broker
        .received()
        .into_iter()
        .map(|received| received.into_message().payload)
        .collect();
    assert_eq!(received, [b"knock".as_slice()]);
}

#[test]
fn a_client_of_either_version_asks_once_it_knows_which() {
    let broker = Broker::start_new().unwrap();
    broker.stop();
    let asker = Client::new(
        broker.url(),
        Options::new().backoff_max(Duration::from_secs(1)),
    );
    let asker = asker.unwrap();
    block_on(async {
        let early = asker.request("door", "").timeout(Duration::from_millis(50));
        assert_eq!(early.await.unwrap_err().kind, ErrorKind::TimedOut);
        let asking = asker.request("loop", "x").into_future();
        let answering = async {
            let mut requests = asker.subscribe("loop", QoS::AtLeastOnce).await.unwrap();
            let request = requests.next().await.unwrap();
            request.respond(request.payload()).send().unwrap().await
        };
        broker.start().unwrap();
        let (answered, response) = join(answering, asking).await;
        assert!(answered.ok());
        assert_eq!(response.unwrap().payload(), b"x");
    });
}

#[test]
fn a_client_that_is_closed_answers_its_requests() {
    let (_broker, asker, _other) = clients(Protocol::V5);
    let asking = asker.request("nobody", "").timeout(None).into_future();
    let closing = async { asker.close(SOON).await.unwrap() };
    let (response, ()) = block_on(join(asking, closing));
    assert_eq!(response.unwrap_err().kind, ErrorKind::Closed);
    let after = block_on(asker.request("nobody", "").into_future());
    assert_eq!(after.unwrap_err().kind, ErrorKind::Closed);
}
