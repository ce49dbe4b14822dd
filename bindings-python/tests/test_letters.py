"""What becomes of letters: outcomes, times to live, room, taking back, asking where they are."""

import array
import threading
from datetime import timedelta

import pytest
from support import SOON, eventually

import leveret
from leveret.testing import Broker


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
@pytest.mark.parametrize(("qos", "outcome"), [(0, "sent"), (1, "acknowledged"), (2, "acknowledged")])
def test_each_quality_of_service_has_its_outcome(connect, broker, protocol, qos, outcome):
    client = connect(protocol=protocol)
    receipt = client.publish("a", "x", qos=qos)
    settled = receipt.wait(timeout=SOON)
    assert settled == outcome
    assert settled.ok
    assert settled.delivered == (qos > 0)
    assert settled.maybe_delivered == (qos == 0)
    (message,) = broker.wait_received(1)
    assert (message.topic, message.payload, message.qos, message.dup) == ("a", b"x", qos, False)


@pytest.mark.parametrize(
    "payload",
    [
        "håll",
        "håll".encode(),
        bytearray("håll".encode()),
        memoryview("håll".encode()),
        memoryview("_håll_".encode())[1:-1],
        memoryview("håll".encode()[::-1])[::-1],
        array.array("b", "håll".encode()),
    ],
)
def test_text_and_bytes_of_every_kind_are_payloads(client, broker, payload):
    client.publish("a", payload).wait(timeout=SOON)
    assert broker.received[0].payload == "håll".encode()


def test_a_payload_may_be_empty_or_left_out(client, broker):
    client.publish("a").wait(timeout=SOON)
    client.publish("a", b"").wait(timeout=SOON)
    client.publish("a", None).wait(timeout=SOON)
    assert [message.payload for message in broker.received] == [b""] * 3


def test_a_bytearray_may_change_after_publish(connect, broker):
    client = connect(url="mqtt://127.0.0.1:1", online=False)
    payload = bytearray(b"x" * 10_000)
    receipt = client.publish("a", payload)
    payload[:] = b"y" * 10_000
    client.close(timeout=0)
    assert receipt.wait() == "closed"
    client = connect()
    payload = bytearray(b"x" * 10_000)
    broker.stop()
    client.wait_for("offline", timeout=SOON)
    receipt = client.publish("a", payload)
    payload[:] = b"y" * 10_000
    broker.start()
    assert receipt.wait(timeout=SOON).delivered
    assert broker.received[0].payload == b"x" * 10_000


@pytest.mark.parametrize("ttl", [0.05, timedelta(milliseconds=50), "50ms"])
def test_a_letter_expires_offline_and_is_told_there(client, broker, ttl):
    broker.stop()
    client.wait_for("offline", timeout=SOON)
    outcome = client.publish("a", "x", ttl=ttl).wait(timeout=SOON)
    assert outcome == "expired"
    assert not outcome.ok and not outcome.delivered and not outcome.maybe_delivered
    assert client.status == "offline"
    assert broker.received == []


def test_a_letter_without_time_to_live_waits_as_long_as_it_takes(connect, broker):
    client = connect(default_ttl=0.05)
    broker.stop()
    client.wait_for("offline", timeout=SOON)
    default = client.publish("a", "default")
    patient = client.publish("a", "patient", ttl=None)
    assert default.wait(timeout=SOON) == "expired"
    assert patient.outcome is None
    broker.start()
    assert patient.wait(timeout=SOON).delivered


def test_a_swallowed_letter_expires_in_flight_and_may_have_arrived(client, broker):
    broker.swallow("PUBLISH")
    outcome = client.publish("a", "x", ttl=0.1).wait(timeout=SOON)
    assert outcome == "expired"
    assert outcome.maybe_delivered


def test_a_broker_may_reject_with_a_reason(connect):
    with Broker(deny="secret/#") as broker:
        client = connect(url=broker.url)
        outcome = client.publish("secret/a", "x").wait(timeout=SOON)
        assert outcome == "rejected"
        assert outcome.reason == leveret.ReasonCode.NOT_AUTHORIZED
        with pytest.raises(leveret.NotDelivered):
            outcome.raise_for_status()


def test_waiting_too_long_raises_and_changes_nothing(client, broker):
    broker.stop()
    client.wait_for("offline", timeout=SOON)
    receipt = client.publish("a", "x")
    for timeout in (0, 0.01, "10ms", timedelta(milliseconds=10)):
        with pytest.raises(leveret.TimeoutError) as raised:
            receipt.wait(timeout=timeout)
        assert isinstance(raised.value, TimeoutError)
        assert raised.value.retryable
    assert receipt.outcome is None
    assert repr(receipt).endswith(": open>")
    broker.start()
    assert receipt.wait(timeout=SOON).delivered
    assert receipt.outcome == "acknowledged"
    assert repr(receipt).endswith(": acknowledged>")


def test_a_receipt_gives_its_outcome_as_often_as_asked_in_any_thread(client, broker):
    broker.stop()
    client.wait_for("offline", timeout=SOON)
    receipt = client.publish("a", "x")
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.append(receipt.wait(timeout=SOON))) for _ in range(8)]
    for thread in threads:
        thread.start()
    broker.start()
    for thread in threads:
        thread.join(SOON)
    assert outcomes == ["acknowledged"] * 8
    assert receipt.wait() == receipt.outcome == "acknowledged"


def test_letters_whose_receipts_are_let_go_arrive_all_the_same(client, broker):
    for number in range(1000):
        client.publish("a", str(number))
    client.flush(timeout=SOON)
    assert [message.payload for message in broker.received] == [str(number).encode() for number in range(1000)]
    assert client.stats().outcomes["acknowledged"] == 1000


def test_counts_are_exact_the_moment_publish_returned(client, broker):
    broker.stop()
    client.wait_for("offline", timeout=SOON)
    receipts = []
    for number in range(1, 51):
        receipts.append(client.publish("a", "x"))
        assert client.stats().queued == number
    stats = client.stats()
    assert (stats.status, stats.in_flight) == ("offline", 0)
    assert stats.queued_bytes > 0
    assert stats.last_error
    assert eventually(lambda: client.stats().oldest) > 0


def test_many_letters_cross_at_once(client, broker):
    receipts = client.publish_many([("a", str(number)) for number in range(500)], qos=2)
    assert len(receipts) == 500
    assert all(receipt.wait(timeout=SOON).delivered for receipt in receipts)
    assert [message.payload for message in broker.received] == [str(number).encode() for number in range(500)]
    assert client.publish_many([]) == []


def test_many_letters_wait_for_room_while_online(connect, broker):
    client = connect(max_queued_messages=10)
    receipts = client.publish_many(((f"a/{number}", b"x") for number in range(200)), qos=1)
    assert [receipt.wait(timeout=SOON) for receipt in receipts] == ["acknowledged"] * 200
    assert len(broker.received) == 200


def test_of_many_letters_those_that_found_room_are_told(connect, broker):
    client = connect(max_queued_messages=3, overflow="reject")
    broker.stop()
    client.wait_for("offline", timeout=SOON)
    with pytest.raises(leveret.QueueFull) as raised:
        client.publish_many([("a", str(number)) for number in range(5)])
    assert len(raised.value.receipts) == 3
    broker.start()
    assert [receipt.wait(timeout=SOON) for receipt in raised.value.receipts] == ["acknowledged"] * 3
    assert [message.payload for message in broker.received] == [b"0", b"1", b"2"]


def test_one_bad_letter_stops_all_before_any_is_posted(client, broker):
    with pytest.raises(leveret.ConfigurationError, match="topic"):
        client.publish_many([("a", "x"), ("a/+", "x")])
    client.flush(timeout=SOON)
    assert broker.received == []


def test_a_full_post_office_holds_the_sender_up_while_online(connect, broker):
    client = connect(max_queued_messages=5)
    for number in range(300):
        client.publish("a", str(number))
    client.flush(timeout=SOON)
    assert [message.payload for message in broker.received] == [str(number).encode() for number in range(300)]
    assert client.stats().outcomes["dropped"] == 0


def test_a_sender_is_held_up_at_most_until_the_letter_expires(connect, broker):
    client = connect(max_queued_messages=1)
    broker.pause_reading(True)
    first = client.publish("a", "first")
    second = client.publish("a", "second", ttl=0.05)
    assert second.wait(timeout=SOON) == "expired"
    assert not second.outcome.maybe_delivered
    with pytest.raises(leveret.TimeoutError):
        client.drain(timeout=0.01)
    broker.pause_reading(False)
    client.drain(timeout=SOON)
    assert first.wait(timeout=SOON).delivered


def test_a_sender_who_is_held_up_when_the_client_closes_is_told(connect, broker):
    client = connect(max_queued_messages=1)
    broker.pause_reading(True)
    client.publish("a", "first")
    raised = []

    def publish():
        try:
            client.publish("a", "second")
        except leveret.ClosedError as error:
            raised.append(error)

    thread = threading.Thread(target=publish)
    thread.start()
    client.close(timeout=0)
    thread.join(SOON)
    assert [error.code for error in raised] == ["MQTT_CLOSED"]


def test_offline_the_rule_decides(connect, broker):
    client = connect(max_queued_messages=2)
    broker.stop()
    client.wait_for("offline", timeout=SOON)
    oldest, second = client.publish("a", "1"), client.publish("a", "2")
    third = client.publish("a", "3")
    assert oldest.wait(timeout=SOON) == "dropped"
    newest = client.publish("a", "4", overflow="drop_newest")
    assert newest.wait(timeout=SOON) == "dropped"
    with pytest.raises(leveret.QueueFull) as raised:
        client.publish("a", "5", overflow="reject")
    assert raised.value.retryable
    low = client.publish("a", "6", priority="low", overflow="drop_lowest")
    assert low.wait(timeout=SOON) == "dropped"
    broker.start()
    assert second.wait(timeout=SOON).delivered and third.wait(timeout=SOON).delivered


def test_a_newer_letter_of_the_same_key_replaces_the_waiting_one(client, broker):
    broker.stop()
    client.wait_for("offline", timeout=SOON)
    old = client.publish("temperature", "20", replace="temperature")
    new = client.publish("temperature", "21", replace="temperature")
    assert old.wait(timeout=SOON) == "dropped"
    broker.start()
    assert new.wait(timeout=SOON).delivered
    assert [message.payload for message in broker.received] == [b"21"]


def test_a_letter_is_taken_back(client, broker):
    broker.stop()
    client.wait_for("offline", timeout=SOON)
    receipt = client.publish("a", "x")
    assert client.cancel(receipt) is True
    assert receipt.wait(timeout=SOON) == "cancelled"
    assert client.cancel(receipt) is False
    assert client.stats().queued == 0


def test_a_letter_says_where_it_is(client, broker):
    broker.stop()
    client.wait_for("offline", timeout=SOON)
    receipt = client.publish("a", "x", ttl=60)
    assert "connection" in client.explain(receipt)
    broker.start()
    receipt.wait(timeout=SOON)
    assert client.explain(receipt) == "settled: acknowledged"


def test_flushing_waits_for_every_outcome(client, broker):
    broker.stop()
    client.wait_for("offline", timeout=SOON)
    receipt = client.publish("a", "x")
    with pytest.raises(leveret.TimeoutError):
        client.flush(timeout=0.01)
    broker.start()
    client.flush(timeout=SOON)
    assert receipt.outcome == "acknowledged"


def test_closing_settles_every_receipt_and_says_goodbye(connect, broker):
    client = connect()
    broker.swallow("PUBLISH")
    sent = client.publish("a", "sent")
    eventually(lambda: client.stats().in_flight == 1)
    broker.stop()
    client.wait_for("offline", timeout=SOON)
    unsent = client.publish("a", "unsent")
    client.close(timeout=0)
    assert (sent.outcome, sent.outcome.maybe_delivered) == ("closed", True)
    assert (unsent.outcome, unsent.outcome.maybe_delivered) == ("closed", False)
    assert client.status == "closed"
    client.close()
    for call in (
        lambda: client.publish("a"),
        lambda: client.publish_many([("a", "x")]),
        lambda: client.subscribe("a"),
        lambda: client.on("a")(print),
        lambda: client.unsubscribe("a"),
        lambda: client.cancel(sent),
        lambda: client.flush(),
        lambda: client.drain(),
        lambda: client.ping(),
        lambda: client.reconnect(),
        lambda: client.wait_for("online"),
        lambda: client.messages.get(),
    ):
        with pytest.raises(leveret.ClosedError):
            call()
    assert list(client.messages) == []
    client.wait_for("closed")
    assert client.stats().status == "closed"
    assert client.explain(sent) == "settled: closed"


def test_leaving_the_block_sends_what_waits(broker):
    with leveret.Client(broker.url) as client:
        receipt = client.publish("a", "x")
    assert receipt.wait() == "acknowledged"
    assert client.status == "closed"


def test_properties_and_options_reach_the_broker(connect, broker):
    client = connect(protocol="5")
    client.publish(
        "a",
        "x",
        ttl=100,
        retain=True,
        content_type="text/plain",
        response_topic="answers",
        correlation_data=b"\x00\x01",
        payload_format=1,
        user_properties=[("k", "1"), ("k", "2")],
    ).wait(timeout=SOON).raise_for_status()
    (message,) = broker.received
    assert message.retain
    assert message.user_properties == [("k", "1"), ("k", "2")]
    assert message.properties == {
        "payload_format_indicator": 1,
        "message_expiry_interval": 100,
        "content_type": "text/plain",
        "response_topic": "answers",
        "correlation_data": b"\x00\x01",
        "user_property": [("k", "1"), ("k", "2")],
    }
