"""`before_connect`: credentials, will and URL by function before each attempt, in the blocking and in the asyncio client."""

import asyncio
import gc
import logging
import queue
import threading
import time
import weakref
from typing import Any

import pytest
from support import FAST, SOON, eventually, eventually_async, on_a_loop, program

import leveret
from leveret.errors import ConfigurationError, RefusedError
from leveret.errors import TimeoutError as TookTooLong
from leveret.testing import Broker

FIVE = {**FAST, "protocol": "5"}
#: What no event, log or text may show.
SECRET = "hush-hush"


def untyped(value: Any) -> Any:
    """What no type checker would let through."""
    return value


def accept(peer):
    """Takes a connection; the fields of CONNECT."""
    asked = dict(peer.expect("CONNECT", SOON))
    peer.send("CONNACK", [])
    return asked


def failing(client_class, url, answer, **options):
    """A client whose function always gives or raises this, and its first failed attempt."""
    events: queue.Queue[leveret.ConnectionEvent] = queue.Queue()

    def before_connect(attempt):
        if isinstance(answer, BaseException):
            raise answer
        return answer

    client = client_class(url, before_connect=before_connect, on_connection=events.put, **{**FIVE, **options})
    return client, events


# --- the blocking client ---


def test_each_connection_is_made_with_what_was_said_for_it(peer):
    asked: list[leveret.Attempt] = []

    def before_connect(attempt):
        asked.append(attempt)
        will = {"topic": "gone", "payload": f"after {attempt.number}", "qos": 1, "user_properties": {"a": "b"}}
        return {"username": f"device {attempt.number}", "password": SECRET, "will": will}

    given: Any = {"username": "of the options", "password": "x", "will": {"topic": "w"}, **FIVE}
    client = leveret.Client(peer.url, before_connect=before_connect, **given)
    for number in (1, 2):
        told = accept(peer)
        assert (told["username"], told["password"]) == (f"device {number}", SECRET)
        assert (told["will_topic"], told["will_payload"], told["will_qos"]) == ("gone", f"after {number}", "1")
        client.wait_for("online", timeout=SOON)
        peer.hang_up()
    assert [(attempt.url, attempt.number) for attempt in asked[:2]] == [(peer.url, 1), (peer.url, 2)]
    client.close(timeout=0)


@pytest.mark.parametrize("nothing", [None, {}])
def test_what_is_not_said_is_as_the_options_say(peer, nothing):
    client = leveret.Client(peer.url, before_connect=lambda attempt: nothing, username="u", password=SECRET, **FIVE)
    told = accept(peer)
    assert (told["username"], told["password"]) == ("u", SECRET)
    client.close(timeout=0)


def test_the_will_that_was_said_is_published(broker):
    said: Any = {"will": {"topic": "state/1", "payload": "gone at 7", "retain": True}}
    with leveret.Client(broker.url, before_connect=lambda attempt: said, **FAST) as client:
        client.wait_for("online", timeout=SOON)
        broker.disconnect_clients()
        with leveret.Client(broker.url, **FAST) as other, other.subscription("state/#") as messages:
            assert messages.get(timeout=SOON).payload == b"gone at 7"


def test_a_signed_url_and_headers_are_said_for_each_attempt():
    path, header = f"/mqtt?signature={SECRET}", "X-Token: fresh"
    with Broker(websocket=True, websocket_path=path, websocket_header=header) as broker:
        asked = []

        def before_connect(attempt):
            asked.append(attempt)
            return {"url": broker.url.partition("?")[0].removesuffix("/mqtt") + path, "websocket_headers": {"X-Token": "fresh"}}

        with leveret.Client("ws://127.0.0.1:1/mqtt", before_connect=before_connect, **FAST) as client:
            client.wait_for("online", timeout=SOON)
        assert SECRET not in f"{asked!r} {client!r} {client.stats()!r}"


WRONG: list[tuple[Any, str]] = [
    (LookupError("no token to be had"), "no token to be had"),
    (LookupError(), "LookupError"),
    (LookupError("half \udcff"), "half ?"),
    (SystemExit(3), "3"),
    (7, "before_connect must return a mapping of options or None, not a value of type int"),
    ("text", "before_connect must return a mapping of options or None, not a value of type str"),
    ({"qos": 1}, 'unknown connect option "qos"'),
    ({"username": 7}, "username must be text"),
    ({"password": 73_537}, "password must be bytes or text"),
    ({"websocket_headers": 73_537}, "websocket_headers must be"),
    ({"url": 73_537}, "url must be text"),
    ({"url": f"mqtt://u:{SECRET}@h:99999"}, "99999"),
    ({"url": f"nothing://u:{SECRET}@h/?{SECRET}"}, "url"),
    ({"will": 7}, "will must be a mapping of its parts, not a value of type int"),
    ({"will": {"payload": "x"}}, "will_topic must be given where will_payload is"),
    ({"will": {"topic": "a/#"}}, "will_topic must not contain"),
]


@pytest.mark.parametrize(("answer", "words"), WRONG)
def test_what_is_refused_or_not_valid_is_a_failed_attempt_that_says_why(peer, caplog, answer, words):
    client, events = failing(leveret.Client, peer.url, answer)
    for _ in range(2):
        event = events.get(timeout=SOON)
        assert event.kind == "attempt_failed"
        assert isinstance(event.error, RefusedError)
        assert words in str(event.error)
        assert SECRET not in str(event.error)
        assert "73537" not in str(event.error)
    assert not [record for record in caplog.records if SECRET in record.getMessage()]
    assert "a handler of attempts to connect raised" in caplog.text
    client.close(timeout=0)


class Unspeakable(Exception):
    """Raises when it is asked what it says."""

    def __str__(self) -> str:
        raise ValueError


def test_after_a_refusal_comes_the_next_attempt_and_may_succeed(broker):
    answers = iter([LookupError("not yet"), Unspeakable(), {"username": "u"}])
    errors: queue.Queue[leveret.ConnectionEvent] = queue.Queue()

    def before_connect(attempt):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with leveret.Client(broker.url, before_connect=before_connect, on_connection=errors.put, **FAST) as client:
        letter = client.publish("a", "kept meanwhile")
        assert letter.wait(timeout=SOON).delivered
        told = [str(errors.get(timeout=SOON).error) for _ in range(2)]
    assert "not yet" in told[0]
    assert "Unspeakable" in told[1]


def test_an_answer_that_comes_too_late_is_a_failed_attempt(broker):
    events: queue.Queue[leveret.ConnectionEvent] = queue.Queue()
    leave = threading.Event()

    def before_connect(attempt):
        leave.wait(SOON)
        return {"username": "u"}

    with leveret.Client(
        broker.url, before_connect=before_connect, hook_timeout=0.05, on_connection=events.put, **FAST
    ) as client:
        assert isinstance(events.get(timeout=SOON).error, TookTooLong)
        leave.set()
        client.wait_for("online", timeout=SOON)


def test_every_call_that_needs_no_connection_may_be_made_inside(broker):
    done: queue.Queue[object] = queue.Queue()

    def before_connect(attempt):
        if not done.empty():
            return  # asked again, because of the reconnect
        try:
            assert client.status == "offline"
            receipt = client.publish("b")
            assert client.explain(receipt)
            assert client.cancel(receipt)
            assert receipt.wait(timeout=SOON) == "cancelled"
            client.publish("a", "from inside")
            client.on("c")(print)
            client.stats()
            client.reconnect()
            done.put("all")
        except BaseException as failure:
            done.put(failure)

    client = leveret.Client(broker.url, before_connect=before_connect, start=False, **FAST)
    client.start()
    client.wait_for("online", timeout=SOON)
    assert done.get() == "all"
    assert [message.payload for message in broker.wait_received(1, timeout=SOON)][0] == b"from inside"
    client.close(timeout=SOON)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"before_connect": 7}, "before_connect must be a function or another callable, not a value of type int"),
        ({"signer": {}}, "tls_cert or tls_cert_file must be given where there is a signer"),
        (
            {"signer": 7, "tls_cert": "x"},
            "tls_cert holds no certificate",
        ),
    ],
)
def test_what_is_no_function_is_refused(broker, given, sentence):
    with pytest.raises(ConfigurationError) as caught:
        leveret.Client(broker.url, **given)
    assert sentence in str(caught.value)


def test_a_client_that_is_asked_can_be_closed_and_let_go():
    def closed_while_asked():
        entered = threading.Event()

        def before_connect(attempt):
            entered.set()
            time.sleep(0.2)  # it is busy, and waits for nothing

        client = leveret.Client("mqtt://127.0.0.1:1", before_connect=before_connect, **FAST)
        assert entered.wait(SOON)
        client.close(timeout=0)
        assert client.status == "closed"
        return weakref.ref(client)

    gone = closed_while_asked()
    eventually(lambda: gc.collect() is not None and gone() is None)
    eventually(lambda: not any(thread.name == "leveret-hooks" for thread in threading.enumerate()))


@pytest.mark.parametrize(
    "text",
    [
        "client = leveret.Client('mqtt://127.0.0.1:1', before_connect=lambda a: seen.set() or time.sleep(1000))\nseen.wait(20)",
        "client = leveret.Client('mqtt://127.0.0.1:1', before_connect=lambda a: client.close() or seen.set(), start=False)\n"
        "client.start(); seen.wait(20); client.wait_for('closed', timeout=20)",
    ],
)
def test_being_asked_keeps_no_program_from_ending(text):
    begin = "import threading, time, leveret\nseen = threading.Event()"
    done = program(f"{begin}\n{text}\nprint('end')", within=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


# --- the asyncio client ---


@on_a_loop
async def test_coroutines_say_it_too(peer):
    async def before_connect(attempt):
        await asyncio.sleep(0)
        return {"username": f"device {attempt.number}", "password": SECRET}

    client = leveret.AsyncClient(peer.url, before_connect=before_connect, **FIVE)
    for number in (1, 2):
        told = await asyncio.to_thread(accept, peer)
        assert (told["username"], told["password"]) == (f"device {number}", SECRET)
        await client.wait_for("online", timeout=SOON)
        peer.hang_up()
    await client.close(timeout=0)


@pytest.mark.parametrize(("answer", "words"), [WRONG[0], WRONG[2], WRONG[4], WRONG[8], WRONG[11], WRONG[14]])
def test_coroutines_refuse_by_raising(peer, caplog, answer, words):
    caplog.set_level(logging.CRITICAL, "leveret")

    @on_a_loop
    async def test():
        client, events = failing(leveret.AsyncClient, peer.url, answer)
        await eventually_async(lambda: events.qsize() >= 2)
        error = events.get().error
        assert isinstance(error, RefusedError)
        assert words in str(error)
        assert SECRET not in str(error)
        await client.close(timeout=0)

    test()


@on_a_loop
async def test_a_coroutine_that_takes_too_long_is_cancelled_and_the_next_attempt_is_asked_for(broker):
    asked, cancelled = [], []

    async def before_connect(attempt):
        asked.append(attempt.number)
        if len(asked) > 2:
            return
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(attempt.number)

    events: asyncio.Queue[leveret.ConnectionEvent] = asyncio.Queue()
    client = leveret.AsyncClient(
        broker.url, before_connect=before_connect, hook_timeout=0.05, on_connection=events.put, **FAST
    )
    await client.wait_for("online", timeout=SOON)
    for _ in range(2):
        assert isinstance((await events.get()).error, TookTooLong)
    # What nobody answered was no attempt yet.
    assert (asked, cancelled) == ([1, 1, 1], [1, 1])
    await client.close(timeout=1)


@on_a_loop
async def test_a_client_whose_coroutine_is_asked_can_be_closed(broker):
    entered, never = asyncio.Event(), asyncio.Event()

    async def before_connect(attempt):
        client.publish("a", "from inside")
        entered.set()
        await never.wait()

    client = leveret.AsyncClient(broker.url, before_connect=before_connect, **FAST)
    await entered.wait()
    await client.close(timeout=0.05)
    assert client.status == "closed"
    never.set()
