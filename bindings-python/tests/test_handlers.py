"""Handlers: anything may be called inside any of them; what cannot proceed says so at once; nothing hangs."""

import logging
import queue
import threading

import pytest
from support import FAST, SOON, eventually

import leveret


def message(client, broker, handler):
    client.subscribe("start", handler)
    client.publish("start")


def general_message(client, broker, handler):
    client.on_message(handler)
    client.subscribe("start")
    client.publish("start")


def connection(client, broker, handler):
    client.on_connection(handler)
    client.reconnect()


def status(client, broker, handler):
    client.on_status(handler)
    broker.disconnect_clients()


def subscription(client, broker, handler):
    client.on_subscription(handler)
    client.subscribe("start")


def ping(client, broker, handler):
    client.on_ping(handler)
    client.ping(timeout=SOON)


def notice(client, broker, handler):
    client.on_notice(handler)
    client.subscribe("start")
    broker.publish("start", b"x" * 5000)


def log(client, broker, handler):
    target = logging.getLogger("leveret.client")
    told = Handler(handler)
    target.addHandler(told)
    try:
        broker.disconnect_clients()
        assert told.done.wait(SOON)
    finally:
        target.removeHandler(told)


class Handler(logging.Handler):
    """A handler of the log that uses the client whose news it is told."""

    def __init__(self, handler):
        super().__init__()
        self.handler, self.done = handler, threading.Event()

    def emit(self, record):
        if not self.done.is_set():
            self.handler(record)
            self.done.set()


def everywhere_status(client, broker, handler):
    leveret.on_status(lambda whose, status: whose is client and handler(status))
    broker.disconnect_clients()


def everywhere_ping(client, broker, handler):
    leveret.on_ping(lambda whose, seconds: whose is client and handler(seconds))
    client.ping(timeout=SOON)


HAPPENINGS = [message, general_message, connection, status, subscription, ping, notice, log, everywhere_status, everywhere_ping]


def close(client):
    client.close()
    assert client.status != "closed"  # it takes effect when the handler returns


def iterate(client):
    with client.subscription("iterated") as messages:
        client.publish("iterated", "x")
        assert messages.get(timeout=SOON).payload == b"x"


def decorate(client):
    for each in (client.on_message, client.on_connection, client.on_subscription, client.on_status, client.on_ping):
        assert each(repr) is repr
    assert client.on_notice(repr) is repr


def leave_block(client):
    with client:
        pass
    assert client.status != "closed"


def ask(client):
    with pytest.raises(leveret.errors.TimeoutError):
        client.request("nobody", timeout=0.02, response_topic="answers")


def cannot_reauthenticate(client):
    with pytest.raises(leveret.ConfigurationError):
        client.reauthenticate(timeout=SOON)


def another_client(client):
    with leveret.Client("mqtt://127.0.0.1:1", close_timeout=0) as other:
        other.publish("a", "x")


CALLS = {
    "publish": lambda client: client.publish("a", "x"),
    "publish_many": lambda client: client.publish_many([("a", "x")] * 10),
    "wait": lambda client: client.publish("a", "x").wait(timeout=SOON).raise_for_status(),
    "subscribe": lambda client: client.subscribe("a", repr),
    "subscription": iterate,
    "messages": lambda client: client.messages.close(),
    "on_message on_connection on_subscription on_status on_ping on_notice": decorate,
    "on": lambda client: client.on("a")(repr),
    "serve": lambda client: client.serve("served")(repr),
    "request": ask,
    "unsubscribe": lambda client: client.unsubscribe("a"),
    "cancel": lambda client: client.cancel(client.publish("a", "x")),
    "explain": lambda client: client.explain(client.publish("a", "x")),
    "flush": lambda client: client.flush(timeout=SOON),
    "drain": lambda client: client.drain(timeout=SOON),
    "ping": lambda client: client.wait_for("online", timeout=SOON) or client.ping(timeout=SOON),
    "reconnect": lambda client: client.reconnect(),
    "start": lambda client: client.start(),
    "stats status": lambda client: repr((client, client.status, client.stats())),
    "wait_for": lambda client: client.wait_for("online", timeout=SOON),
    "reauthenticate": cannot_reauthenticate,
    "close": close,
    "close the block": leave_block,
    "close twice": lambda client: (close(client), client.close(timeout=0)),
    "another client": another_client,
}


def public(kind):
    return {name for name in dir(kind) if not name.startswith("_")}


def test_the_tables_leave_out_no_verb_and_no_kind_of_handler():
    assert public(leveret.Client) <= {name for call in CALLS for name in call.split()}
    kinds = {name for name in public(leveret.Client) if name.startswith("on_")} | {"on"}
    assert len(kinds) == len([message, general_message, connection, status, subscription, ping, notice])
    assert leveret._handlers.everywhere.keys() == {"status", "ping"}


@pytest.fixture(autouse=True)
def nobody_listens_everywhere_afterwards(monkeypatch):
    monkeypatch.setattr(leveret._handlers, "everywhere", {"status": [], "ping": []})


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("happen", HAPPENINGS)
def test_anything_may_be_called_inside_any_handler(connect, broker, happen, call):
    statuses, results, begun = queue.Queue(), queue.Queue(), []
    client = connect(max_packet_size=1024, protocol="3.1.1", on_status=statuses.put)
    assert statuses.get(timeout=SOON) == "online"  # what comes now is news

    def handler(_):
        if not begun:
            begun.append(True)
            try:
                CALLS[call](client)
            except BaseException as failure:
                results.put(failure)
                raise
            results.put(None)

    happen(client, broker, handler)
    assert results.get(timeout=SOON) is None
    if "close" in call:
        client.wait_for("closed", timeout=SOON)
    else:
        client.wait_for("online", timeout=SOON)
        client.publish("a", "after").wait(timeout=SOON).raise_for_status()


def test_getting_a_message_inside_a_handler(client):
    client.subscribe("a")
    results = queue.Queue()
    client.subscribe("start", lambda _: results.put(client.messages.get(timeout=SOON).payload))
    client.publish_many([("start", ""), ("a", "x")])
    assert results.get(timeout=SOON) == b"x"


#: What would wait for the broker.
WAITS = {
    "wait": lambda client: client.publish("b", "x", qos=1).wait(timeout=SOON),
    "flush": lambda client: client.publish("b", "x", qos=1) and client.flush(timeout=SOON),
    "request": lambda client: client.request("b", "x", timeout=SOON, response_topic="c"),
    "ping": lambda client: client.ping(timeout=SOON),
    "subscribe": lambda client: client.subscribe("b"),
    "unsubscribe": lambda client: client.unsubscribe("b"),
    "publish": lambda client: client.publish("b", "x", qos=1),
    "publish_many": lambda client: client.publish_many([("b", "x")] * 20, qos=1),
    "drain": lambda client: client.publish("b", "x", qos=1, overflow="reject") and client.drain(timeout=SOON),
}


@pytest.mark.parametrize("wait", WAITS)
def test_with_a_full_inbox_waits_inside_a_handler_fail_at_once(connect, broker, wait):
    client = connect(max_inbox_messages=2, max_queued_messages=10)
    raised, calls = queue.Queue(), []

    def handler(message):
        calls.append(message.payload)
        if len(calls) == 1:
            try:
                while True:  # until the inbox, and where needed the post office too, is full
                    WAITS[wait](client)
            except leveret.WouldDeadlock as failure:
                raised.put(failure)

    client.subscribe("a", handler)
    for number in range(50):
        broker.publish("a", str(number))
    failure = raised.get(timeout=SOON)
    assert "return from the handler first" in str(failure)
    assert failure.code == "MQTT_WOULD_DEADLOCK"
    # Afterwards all goes on.
    eventually(lambda: len(calls) == 50)
    client.flush(timeout=SOON)
    assert client.ping(timeout=SOON) > 0


@pytest.mark.parametrize("status", ["closed", "offline"])
def test_a_wait_behind_a_close_that_the_handler_put_off_fails_at_once(connect, status):
    client = connect()
    raised = queue.Queue()

    def handler(message):
        client.close()
        try:
            client.wait_for(status)
        except leveret.WouldDeadlock as failure:
            raised.put(failure)

    client.subscribe("a", handler)
    client.publish("a")
    assert "the close that takes effect when the handler returns" in str(raised.get(timeout=SOON))
    client.wait_for("closed", timeout=SOON)


def test_with_a_full_inbox_other_threads_wait_until_the_handler_returns(connect, broker):
    client = connect(max_inbox_messages=2)
    entered, leave, outcomes = threading.Event(), threading.Event(), []

    def handler(message):
        entered.set()
        leave.wait(SOON)

    client.subscribe("a", handler)
    for number in range(50):
        broker.publish("a", str(number))
    assert entered.wait(SOON)
    thread = threading.Thread(target=lambda: outcomes.append(client.publish("b", "x").wait(timeout=SOON)))
    thread.start()
    leave.set()
    thread.join(SOON)
    assert outcomes == ["acknowledged"]


def test_a_handler_may_publish_more_than_the_post_office_holds(connect, broker):
    client = connect(max_queued_messages=3)

    @client.on("start", qos=1)
    def handler(message):
        for number in range(100):
            client.publish("b", str(number))

    client.publish("start")
    assert len(broker.wait_received(101, timeout=SOON)) == 101
    assert client.stats().handler_failures == 0


def test_a_handler_may_let_go_of_the_last_reference_to_its_client(broker):
    clients, done = [leveret.Client(broker.url, **FAST)], queue.Queue()

    def handler(message):
        clients.clear()
        done.put(True)

    clients[0].subscribe("a", handler)
    clients[0].publish("a", "x")
    assert done.get(timeout=SOON)
    eventually(lambda: broker.connections == 0)


def test_a_handler_may_close_another_client_whose_handler_closes_this_one(connect):
    one, two = connect(), connect()
    both = threading.Barrier(2)

    def closing(other):
        return lambda message: (both.wait(SOON), other.close(timeout=1))

    one.subscribe("a", closing(two))
    two.subscribe("a", closing(one))
    one.publish("a", "x")
    one.wait_for("closed", timeout=SOON)
    two.wait_for("closed", timeout=SOON)


def test_a_handler_that_is_still_running_holds_close_up_for_its_timeout_alone(client):
    entered, leave = threading.Event(), threading.Event()

    def handler(message):
        entered.set()
        leave.wait(SOON)

    client.subscribe("a", handler)
    client.publish("a", "x")
    assert entered.wait(SOON)
    client.close(timeout=0.05)
    assert client.status == "closed"
    leave.set()


def test_closing_waits_for_the_handler_that_runs(client):
    entered, done = threading.Event(), []

    def handler(message):
        entered.set()
        eventually(lambda: client.status == "closed")
        done.append(True)

    client.subscribe("a", handler)
    client.publish("a", "x").wait(timeout=SOON)
    assert entered.wait(SOON)
    client.close(timeout=SOON)
    assert done == [True]
