"""Messages: to handlers of filters, to the general handler, to iterators; acknowledged when they are done with."""

import queue
import threading

import pytest
from support import SOON, eventually

import leveret
from leveret.testing import Broker


def redelivered(connect, client_id, **options):
    """What the broker delivers again to a client of this id, because nobody acknowledged it."""
    inbox = queue.Queue()
    client = connect(client_id=client_id, clean_start=False, on_message=inbox.put, **options)
    client.subscribe("a/#", qos=2)
    client.publish("a/end", "end", qos=2)
    messages = iter(lambda: inbox.get(timeout=SOON), None)
    taken = []
    for message in messages:
        if message.topic == "a/end":
            return taken
        taken.append(message.payload)


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_message_tells_all_about_itself(connect, broker, protocol):
    client = connect(protocol=protocol)
    inbox = queue.Queue()
    assert client.subscribe("doors/+/state", inbox.put, qos=2) == [2]
    client.publish("doors/front/state", "closed", qos=1)
    message = inbox.get(timeout=SOON)
    assert message.topic == "doors/front/state"
    assert message.levels == ["doors", "front", "state"]
    assert message.payload == b"closed"
    assert (message.qos, message.retain, message.dup) == (1, False, False)
    assert message.user_properties == []
    assert repr(message) == "<leveret.Message \"doors/front/state\", 6 bytes, qos 1>"
    message.ack()  # does nothing without manual_ack


def test_several_filters_are_declared_at_once(client):
    assert client.subscribe(["a", "b/#"], qos=1) == [1, 1]
    assert client.subscribe({"c": {"qos": 0}, "d": {}}, qos=2) == [0, 2]
    assert client.subscribe(name for name in ("e", "f")) == [1, 1]


def test_every_handler_of_a_filter_is_called_and_the_same_function_once(client):
    calls = queue.Queue()

    @client.on("a", qos=1)
    def first(message):
        calls.put("first")

    @client.on(["a", "b"])
    @client.on("a")
    def second(message):
        calls.put("second")

    client.subscribe("a", first)
    client.publish("a", "x")
    client.publish("b", "x")
    assert sorted(calls.get(timeout=SOON) for _ in range(2)) == ["first", "second"]
    assert calls.get(timeout=SOON) == "second"
    client.flush(timeout=SOON)
    assert calls.empty()


def test_handlers_given_at_construction_miss_nothing_of_a_kept_session(connect, broker):
    with connect(client_id="kept", clean_start=False) as client:
        client.subscribe("a/#")
    broker.publish("a/1", "while away", qos=1)
    inbox = queue.Queue()
    connect(client_id="kept", clean_start=False, online=False, handlers={"a/+": inbox.put, "a/#": inbox.put})
    assert inbox.get(timeout=SOON).payload == b"while away"


@pytest.mark.parametrize(
    ("handlers", "sentence"),
    [(3, "handlers must be a mapping"), ({"a": 3}, "handler must be a function"), ({"#/a": print}, "topic filter")],
)
def test_handlers_given_at_construction_are_checked(broker, handlers, sentence):
    with pytest.raises(leveret.ConfigurationError, match=sentence):
        leveret.Client(broker.url, handlers=handlers)


def test_a_handler_without_a_hash_is_a_handler(client):
    class Unhashable:
        __hash__ = None  # type: ignore[assignment]

        def __init__(self):
            self.calls = queue.Queue()

        def __call__(self, message):
            self.calls.put(message.payload)

    handler = Unhashable()
    client.subscribe("a", handler)
    client.publish("a", "x")
    assert handler.calls.get(timeout=SOON) == b"x"
    client.unsubscribe("a")


def test_unsubscribing_takes_a_filter_from_all_its_handlers(client):
    calls = queue.Queue()
    client.subscribe(["a", "b"], lambda message: calls.put(("one", message.topic)))
    client.subscribe("a", lambda message: calls.put(("two", message.topic)))
    client.unsubscribe("a")
    client.publish("a", "x").wait(timeout=SOON)
    client.publish("b", "x")
    assert calls.get(timeout=SOON) == ("one", "b")
    assert calls.empty()
    client.unsubscribe(["b", "never declared"])
    client.subscribe("a", lambda message: calls.put(("three", message.topic)))
    client.publish("a", "x")
    assert calls.get(timeout=SOON) == ("three", "a")


def test_messages_without_a_handler_go_to_the_general_one(client):
    general, special = queue.Queue(), queue.Queue()
    client.on_message(lambda message: general.put(message.topic))
    client.subscribe("logs/#")
    client.subscribe("doors/#", special.put)
    client.publish("logs/today", "noon")
    assert general.get(timeout=SOON) == "logs/today"
    client.publish("doors/front", "open")
    assert special.get(timeout=SOON).topic == "doors/front"
    assert general.empty()


def test_messages_wait_for_a_general_handler(client):
    client.subscribe("a")
    client.publish("a", "x").wait(timeout=SOON)
    eventually(lambda: client.stats().inbox_messages)
    general = queue.Queue()
    client.on_message(general.put)
    assert general.get(timeout=SOON).payload == b"x"


def test_iterating_gives_messages_in_order_until_the_client_is_closed(client):
    client.subscribe("a", qos=2)
    client.publish_many([("a", str(number)) for number in range(100)], qos=2)
    seen = []
    for message in client.messages:
        seen.append(message.payload)
        if len(seen) == 100:
            threading.Thread(target=client.close).start()
    assert seen == [str(number).encode() for number in range(100)]


def test_several_iterators_share_the_messages(client):
    client.subscribe("a", qos=1)
    seen = queue.Queue()

    def iterate():
        for message in client.messages:
            seen.put(message.payload)

    threads = [threading.Thread(target=iterate) for _ in range(4)]
    for thread in threads:
        thread.start()
    client.publish_many([("a", str(number)) for number in range(200)])
    assert {seen.get(timeout=SOON) for _ in range(200)} == {str(number).encode() for number in range(200)}
    client.close()
    for thread in threads:
        thread.join(SOON)
    assert seen.empty()


def test_getting_a_message_takes_at_most_the_time_given(client):
    client.subscribe("a")
    with client.messages as messages:
        for timeout in (0, 0.01, "10ms"):
            with pytest.raises(leveret.TimeoutError):
                messages.get(timeout=timeout)
        client.publish("a", "x")
        assert messages.get(timeout=SOON).payload == b"x"
    with pytest.raises(leveret.ClosedError):
        messages.get()
    assert list(messages) == []


@pytest.mark.parametrize("end", ["ask", "close", "drop"])
def test_an_iterated_message_is_acknowledged_when_it_is_done_with(connect, end):
    client = connect(client_id="reader", clean_start=False)
    client.subscribe("a/#", qos=1)
    messages = client.messages
    client.publish("a/1", "1")
    assert messages.get(timeout=SOON).payload == b"1"
    if end == "ask":
        with pytest.raises(leveret.TimeoutError):
            messages.get(timeout=0)
    elif end == "close":
        messages.close()
    else:
        del messages
    client.close()
    assert redelivered(connect, "reader") == []


def test_a_message_that_is_not_done_with_comes_again(connect):
    client = connect(client_id="reader", clean_start=False)
    client.subscribe("a/#", qos=1)
    messages = client.messages
    client.publish("a/1", "1")
    assert messages.get(timeout=SOON).payload == b"1"
    client.close()
    messages.close()
    assert redelivered(connect, "reader") == [b"1"]


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_by_hand_a_message_is_acknowledged_when_the_program_says_so(connect, protocol):
    client = connect(client_id="reader", clean_start=False, manual_ack=True, protocol=protocol)
    inbox = queue.Queue()
    client.subscribe("a/#", inbox.put, qos=1)
    client.publish("a/1", "1")
    client.publish("a/2", "2")
    first, second = inbox.get(timeout=SOON), inbox.get(timeout=SOON)
    assert (first.payload, second.payload) == (b"1", b"2")
    first.ack()
    first.ack()
    client.close()
    with pytest.raises(leveret.ClosedError):
        second.ack()
    assert redelivered(connect, "reader", protocol=protocol) == [b"2"]


def test_by_hand_an_old_connections_message_is_left_alone(connect, broker):
    client = connect(client_id="reader", clean_start=False, manual_ack=True)
    inbox = queue.Queue()
    client.subscribe("a/#", inbox.put, qos=1)
    client.publish("a/1", "1")
    old = inbox.get(timeout=SOON)
    broker.disconnect_clients()
    again = inbox.get(timeout=SOON)
    assert (again.payload, again.dup) == (b"1", True)
    old.ack()
    client.close()
    assert redelivered(connect, "reader") == [b"1"]


@pytest.mark.parametrize("failure", [ValueError("boom"), SystemExit(3), KeyboardInterrupt()])
def test_a_handler_that_raises_is_reported_and_harms_nothing(client, caplog, failure):
    calls = queue.Queue()

    @client.on("a", qos=1)
    def handle(message):
        calls.put(message.payload)
        if message.payload == b"bad":
            raise failure

    client.publish("a", "bad")
    client.publish("a", "good")
    assert [calls.get(timeout=SOON) for _ in range(2)] == [b"bad", b"good"]
    eventually(lambda: client.stats().handler_failures == 1)
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.name == "leveret.handlers"
    assert record.getMessage() == "a handler of 'a' raised"
    assert record.exc_info[1] is failure


def test_handlers_run_one_after_another(client):
    running = threading.Semaphore()
    seen = queue.Queue()

    @client.on("a/#", qos=1)
    def handle(message):
        assert running.acquire(blocking=False)
        seen.put((message.payload, threading.current_thread().name))
        running.release()

    client.publish_many([("a/b", str(number)) for number in range(200)])
    calls = [seen.get(timeout=SOON) for _ in range(200)]
    assert [payload for payload, _ in calls] == [str(number).encode() for number in range(200)]
    assert {name for _, name in calls} == {"leveret-handlers"}
    assert client.stats().handler_failures == 0


def test_a_slow_handler_holds_up_no_other_client(connect):
    slow, quick = connect(), connect()
    entered, leave, done = threading.Event(), threading.Event(), queue.Queue()

    @slow.on("a")
    def dawdle(message):
        entered.set()
        leave.wait(SOON)

    quick.subscribe("a", done.put)
    quick.publish("a", "x")
    assert entered.wait(SOON)
    assert done.get(timeout=SOON).payload == b"x"
    assert slow.ping(timeout=SOON) > 0
    leave.set()


def test_a_refusal_raises_and_hurts_only_that_filter(connect):
    with Broker(deny="secret/#") as broker:
        client = connect(url=broker.url)
        with pytest.raises(leveret.RefusedError) as raised:
            client.subscribe("secret/a", print)
        assert raised.value.reason == leveret.ReasonCode.NOT_AUTHORIZED
        inbox = queue.Queue()
        with pytest.raises(leveret.RefusedError):
            client.subscribe(["open/a", "secret/a"], inbox.put)
        client.publish("open/a", "x")
        assert inbox.get(timeout=SOON).payload == b"x"


def test_an_unanswered_subscribe_raises_and_stays_declared(client, broker):
    broker.swallow("SUBSCRIBE")
    inbox = queue.Queue()
    with pytest.raises(leveret.TimeoutError):
        client.subscribe("a", inbox.put, timeout=0.05)
    broker.disconnect_clients()
    client.subscribe("b")
    client.publish("a", "x")
    assert inbox.get(timeout=SOON).payload == b"x"


def test_declared_offline_it_is_made_when_the_connection_is_there(client, broker):
    broker.stop(forget=True)
    client.wait_for("offline", timeout=SOON)
    inbox = queue.Queue()
    client.on("a", qos=1)(inbox.put)
    client.publish("a", "x")
    broker.start()
    assert inbox.get(timeout=SOON).payload == b"x"


def test_unmatched_messages_are_counted_when_nobody_takes_them(connect, broker):
    client = connect(client_id="reader", clean_start=False)
    client.subscribe("a", qos=1)
    client.close()
    broker.publish("a", "x", qos=1)
    client = connect(client_id="reader", clean_start=False)
    eventually(lambda: client.stats().unhandled == 1)
    client.close()
    broker.publish("a", "y", qos=1)
    inbox = queue.Queue()
    connect(client_id="reader", clean_start=False, on_message=inbox.put)
    assert inbox.get(timeout=SOON).payload == b"y"


def test_after_closing_no_handler_begins(connect):
    client = connect(client_id="reader", clean_start=False)
    entered, leave, calls = threading.Event(), threading.Event(), []

    @client.on("a/#", qos=1)
    def handle(message):
        calls.append(message.payload)
        entered.set()
        leave.wait(SOON)

    client.publish("a/1", "1")
    client.publish("a/2", "2").wait(timeout=SOON)
    assert entered.wait(SOON)
    client.close(timeout="50ms")
    leave.set()
    # The thread that runs handlers ends when it finds the client closed.
    eventually(lambda: not client._dispatchers[0]._thread.is_alive())
    assert calls == [b"1"]
    assert redelivered(connect, "reader") == [b"1", b"2"]
