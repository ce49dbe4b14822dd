"""News: of the connection, of subscriptions, statuses, pings, oddities; for one client or all; in the log."""

import logging
import queue

import pytest
from support import FAST, SOON, eventually

import leveret
from leveret.testing import Broker


@pytest.fixture
def events():
    return queue.Queue()


def test_the_connection_tells_its_story(connect, broker, events):
    connect(on_connection=events.put, client_id="teller", protocol="5")
    online = events.get(timeout=SOON)
    assert (online.kind, online.session_present, online.version, online.client_id) == ("online", False, "5", "teller")
    assert isinstance(online.properties, dict)
    assert online.error is None
    broker.stop()
    offline = events.get(timeout=SOON)
    assert offline.kind == "offline"
    assert isinstance(offline.error, leveret.ConnectionError)
    assert isinstance(offline.error, ConnectionError)
    failed = events.get(timeout=SOON)
    assert (failed.kind, failed.endpoint) == ("attempt_failed", 0)
    assert 0 <= failed.retry_in <= 0.05
    assert "refused" in str(failed.error)
    broker.start()
    again = iter(lambda: events.get(timeout=SOON).kind, "online")
    assert set(again) <= {"attempt_failed"}


def test_an_old_session_is_told(connect, events):
    connect(client_id="x", clean_start=False).close()
    connect(client_id="x", clean_start=False, on_connection=events.put)
    assert events.get(timeout=SOON).session_present


def test_a_refusal_to_connect_is_an_event_with_its_reason(events):
    with Broker(protocol="3.1.1") as broker:
        client = leveret.Client(broker.url, protocol="5", on_connection=events.put, **FAST)
        event = events.get(timeout=SOON)
        assert event.kind == "attempt_failed"
        assert isinstance(event.error, leveret.RefusedError)
        assert event.error.reason == leveret.ReasonCode.UNSUPPORTED_PROTOCOL_VERSION
        assert client.stats().failed_attempts >= 1
        client.close(timeout=0)


def test_the_other_version_is_spoken_where_one_is_refused(connect, events):
    with Broker(protocol="3.1.1") as broker:
        connect(url=broker.url, on_connection=events.put)
        kinds = iter(lambda: events.get(timeout=SOON), None)
        assert next(event for event in kinds if event.kind == "online").version == "3.1.1"


def test_several_urls_are_tried_in_turn(connect, broker, events):
    connect(url=["mqtt://127.0.0.1:1", broker.url], on_connection=events.put)
    failed, online = events.get(timeout=SOON), events.get(timeout=SOON)
    assert (failed.kind, failed.endpoint) == ("attempt_failed", 0)
    assert (online.kind, online.endpoint) == ("online", 1)


def test_subscriptions_tell_how_they_stand(connect, events):
    with Broker(deny="secret/#", maximum_qos=1) as broker:
        client = connect(url=broker.url, on_subscription=events.put, client_id="x")
        assert client.subscribe("a", qos=1) == [1]
        assert client.subscribe("b", qos=2) == [1]
        up, downgraded = events.get(timeout=SOON), events.get(timeout=SOON)
        assert (up.filter, up.state, up.reason) == ("a", "up", 1)
        assert up.state is leveret.SubscriptionState.UP
        assert (downgraded.filter, downgraded.state, downgraded.reason) == ("b", "downgraded", 1)
        with pytest.raises(leveret.RefusedError):
            client.subscribe("secret/c")
        refused = events.get(timeout=SOON)
        assert (refused.filter, refused.state) == ("secret/c", "refused")
        assert refused.reason == leveret.ReasonCode.NOT_AUTHORIZED
        broker.stop(forget=True)
        broker.start()
        told = [events.get(timeout=SOON) for _ in range(4)]
        assert {(event.filter, event.state) for event in told[:2]} == {("a", "down"), ("b", "down")}
        assert {(event.filter, event.state) for event in told[2:]} == {("a", "up"), ("b", "downgraded")}


def test_statuses_and_pings_of_one_client(connect, broker, events):
    client = connect(on_status=events.put)
    client.on_ping(lambda seconds: events.put(seconds))
    assert events.get(timeout=SOON) is leveret.Status.ONLINE
    seconds = client.ping(timeout=SOON)
    assert 0 < seconds < SOON
    assert events.get(timeout=SOON) == pytest.approx(seconds)
    assert client.stats().round_trip == pytest.approx(seconds)
    broker.stop()
    assert events.get(timeout=SOON) is leveret.Status.OFFLINE
    client.close()
    assert events.get(timeout=SOON) is leveret.Status.CLOSED


def test_a_listener_finds_the_status_that_it_is_told(connect, broker, events):
    broker.stop()
    client = connect(online=False)
    client.on_status(lambda status: events.put((status, client.status)))
    for _ in range(20):
        broker.start()
        assert events.get(timeout=SOON) == ("online", "online")
        broker.stop()
        assert events.get(timeout=SOON) == ("offline", "offline")


def test_statuses_and_pings_of_all_clients(broker, events, monkeypatch):
    monkeypatch.setitem(leveret._handlers.everywhere, "status", [])
    monkeypatch.setitem(leveret._handlers.everywhere, "ping", [])
    leveret.on_status(lambda client, status: events.put((client, status)))
    leveret.on_ping(lambda client, seconds: events.put((client, "ping")))
    clients = [leveret.Client(broker.url, **FAST) for _ in range(2)]
    assert {events.get(timeout=SOON) for _ in range(2)} == {(client, "online") for client in clients}
    clients[1].ping(timeout=SOON)
    assert events.get(timeout=SOON) == (clients[1], "ping")
    for client in clients:
        client.close()
    ends = {events.get(timeout=SOON) for _ in range(4)}
    assert ends == {(client, status) for client in clients for status in ("offline", "closed")}


def test_what_is_odd_is_noticed(connect, broker, events):
    client = connect(max_packet_size=1024, protocol="3.1.1")
    client.on_notice(events.put)
    client.subscribe("a", qos=0)
    broker.publish("a", b"x" * 5000)
    notice = events.get(timeout=SOON)
    assert notice.kind == "oversize_skipped"
    assert "5" in notice.text
    assert client.stats().oversize == 1


def test_a_listener_that_raises_harms_nothing(connect, broker, events, caplog):
    def fail(event):
        raise ValueError("boom")

    client = connect(on_connection=fail)
    client.on_status(events.put)
    broker.stop()
    assert "offline" in iter(lambda: events.get(timeout=SOON), None)
    failures = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert failures[0] == "a handler of connection events raised"


def test_waiting_for_a_status_that_came_and_went(client, broker):
    reconnects = client.stats().reconnects
    broker.disconnect_clients()
    eventually(lambda: client.stats().reconnects > reconnects)
    client.wait_for("online", timeout=SOON)
    with pytest.raises(leveret.TimeoutError):
        client.wait_for("closed", timeout=0.01)
    with pytest.raises(leveret.ConfigurationError, match="status must be online, offline or closed"):
        client.wait_for("away")


def test_reconnecting_goes_on_with_what_was_there(client, broker, events):
    client.subscribe("a", events.put)
    client.reconnect()
    eventually(lambda: client.stats().reconnects == 1)
    client.publish("a", "x")
    assert events.get(timeout=SOON).payload == b"x"
    assert (client.status, client.stats().reconnects) == ("online", 1)


def test_a_ping_needs_a_connection(client, broker):
    broker.stop()
    client.wait_for("offline", timeout=SOON)
    with pytest.raises(leveret.ConnectionError) as raised:
        client.ping(timeout=SOON)
    assert raised.value.retryable


def test_the_will_is_published_when_the_connection_dies(connect, broker, events):
    watcher = connect()
    watcher.subscribe("wills/#", events.put)
    will = {"topic": "wills/x", "payload": b"gone", "qos": 1, "user_properties": {"why": "dead"}}
    connect(will=will, client_id="x", protocol="5")
    connect(client_id="x").close()
    message = events.get(timeout=SOON)
    assert (message.topic, message.payload) == ("wills/x", b"gone")
    assert message.user_properties == [("why", "dead")]


def test_the_log_tells_the_story_without_secrets(broker, caplog):
    with caplog.at_level(logging.DEBUG, logger="leveret"):
        url = broker.url.replace("mqtt://", "mqtt://user:hush-in-url@")
        for options in ({"url": url}, {"url": broker.url, "username": "user", "password": "hush-in-option"}):
            client = leveret.Client(**options, **FAST)
            client.wait_for("online", timeout=SOON)
            client.subscribe("a", lambda message: None)
            client.publish("a", "hush-in-payload").wait(timeout=SOON)
            told = [repr(client), repr(client.stats()), repr(client._native), str(client)]
            assert told[0] == f"<leveret.Client {broker.url} online>"
            broker.stop()
            client.wait_for("offline", timeout=SOON)
            eventually(lambda: any("could not connect" in line for line in caplog.messages))
            broker.start()
            client.wait_for("online", timeout=SOON)
            client.close()
            assert "hush" not in "".join(told)
    lines = caplog.messages
    assert any(line.startswith(f"{broker.url}: online, MQTT 5") for line in lines)
    assert any(line.startswith(f"{broker.url}: offline: ") for line in lines)
    assert any("next attempt in" in line for line in lines)
    assert f"{broker.url}: subscription 'a': up" in lines
    assert "hush" not in caplog.text
    assert {record.name for record in caplog.records} == {"leveret.client"}
    # What the program asked for is nothing to warn of.
    assert {record.levelname for record in caplog.records if "the client is closed" in record.getMessage()} == {"INFO"}


def test_unconfigured_logging_prints_nothing(broker, capfd, client):
    broker.stop()
    client.wait_for("offline", timeout=SOON)
    client.close(timeout=0)
    assert capfd.readouterr() == ("", "")
