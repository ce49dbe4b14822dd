"""Bad arguments: refused at once with a sentence that names the argument, what was given and what is allowed."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

import leveret
from leveret.testing import Broker

NOWHERE = "mqtt://127.0.0.1:1"


@pytest.fixture(scope="module")
def client():
    with leveret.Client(NOWHERE, close_timeout=0) as client:
        yield client


def refused(call, sentence, kind=leveret.ConfigurationError):
    """The call is refused with exactly this sentence."""
    with pytest.raises(kind) as raised:
        call()
    assert str(raised.value) == sentence
    assert isinstance(raised.value, leveret.MqttError)
    return raised.value


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"keepalive": 60}, 'unknown client option "keepalive"; did you mean keep_alive?'),
        ({"keep_alive": 70000}, "keep_alive must be a whole number of seconds from 0s to 65535s, not 70000s"),
        ({"keep_alive": 0.5}, "keep_alive must be a whole number of seconds from 0s to 65535s, not 500ms"),
        ({"clean_start": 1}, "clean_start must be true or false, not 1"),
        ({"protocol": "4"}, 'protocol must be "auto", "5" or "3.1.1", not "4"'),
        ({"client_id": 7}, "client_id must be text of at most 65535 bytes of UTF-8, not 7"),
        ({"client_id": "a\0b"}, 'client_id must not contain U+0000, but "a\\0b" does'),
        ({"max_queued_messages": 0}, "max_queued_messages must be a whole number from 1 to 10000000, not 0"),
        ({"max_in_flight": 2**70}, f"max_in_flight must be a whole number from 1 to 65535, not {2**70}"),
        ({"backoff_min": 5, "backoff_max": 1}, "backoff_max must be at least backoff_min, which is 5s, not 1s"),
        ({"will": "gone"}, "will must be a mapping of its parts, not a value of type str"),
        ({"will": {"topics": "a"}}, 'unknown client option "will_topics"; did you mean will_topic?'),
        ({"will": {"topic": "a/+"}}, "will_topic must not contain the wildcard '+' or '#', but \"a/+\" does"),
        ({"user_properties": {"a": 1}}, "user_properties must be pairs of texts, not a value of type dict"),
        ({"on_message": 3}, "handler must be a function or another callable, not a value of type int"),
        (
            {"clean_start": False},
            "client_id must be given where clean_start is false, because the broker keeps the session under it",
        ),
        (
            {"default_ttl": timedelta(seconds=-1)},
            "default_ttl must be a duration from 1ms to 4294967295s, not -1s; for no time to live use None",
        ),
    ],
)
def test_client_options(options, sentence):
    refused(lambda: leveret.Client(NOWHERE, **options), sentence)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "localhost",
            'url must be "mqtt://[user[:password]@]host[:port]" (also mqtts://, ws:// and wss://) '
            'or "mqtt+unix:///path", but "localhost" has no scheme',
        ),
        ([], "url must be given at least once, but there is none"),
        (None, "url must be text, not None"),
        (b"mqtt://h", "url must be text, not a value of type bytes"),
        (["mqtt://h", 3], "url must be text, not a value of type int"),
    ],
)
def test_addresses(url, sentence):
    refused(lambda: leveret.Client(url), sentence)


def test_a_password_is_in_no_sentence_and_no_repr():
    for url, options in (
        ("mqtt://user:hush@h:x", {}),
        ("mqtt://user:hush/hush@h", {}),
        ("mqtt://user:hush@hush@h:x", {}),
        ("mqtt://user:hush?hush@h", {}),
        ("mqtt://user:hush#hush@h", {}),
        ("user:hush@h", {}),
        ("mqtt:user:hush@h", {}),
        (NOWHERE, {"username": "u", "password": "hush\ud800"}),
        (NOWHERE, {"username": "u", "password": ["hush"]}),
        (NOWHERE, {"username": "u", "password": "hush" * 20_000}),
    ):
        with pytest.raises(leveret.ConfigurationError) as raised:
            leveret.Client(url, **options)
        assert "hush" not in f"{raised.value}{raised.value!r}"


@pytest.mark.parametrize(
    ("topic", "payload", "options", "sentence"),
    [
        ("a/+", "", {}, "topic must not contain the wildcard '+' or '#', but \"a/+\" does"),
        ("a\0", "", {}, 'topic must not contain U+0000, but "a\\0" does'),
        ("", "", {}, 'topic must have at least one character, but "" does not'),
        (b"a", "", {}, "topic must be text, not a value of type bytes"),
        ("\ud800", "", {}, "topic must be UTF-8, but it is not"),
        ("a", 3, {}, "payload must be str, bytes, bytearray, memoryview, another buffer or None, not a value of type int"),
        ("a", "\ud800", {}, "payload must be UTF-8, but it is not"),
        ("a", "", {"qos": 3}, "qos must be 0, 1 or 2, not 3"),
        ("a", "", {"qos": True}, "qos must be 0, 1 or 2, not true"),
        ("a", "", {"retained": True}, 'unknown publish option "retained"; did you mean retain?'),
        ("a", "", {"priority": "urgent"}, 'priority must be "high", "normal" or "low", not "urgent"'),
        ("a", "", {"ttl": 0}, "ttl must be a duration from 1ms to 4294967295s, not 0s; for no time to live use None"),
        ("a", "", {"payload_format": 2}, "payload_format must be 0 or 1, not 2; for saying nothing use None"),
        (
            "a",
            bytes(20 << 20),
            {},
            f"payload is too large: the letter needs {(20 << 20) + 161} bytes, and max_queued_bytes allows 16777216 in all",
        ),
    ],
)
def test_letters(client, topic, payload, options, sentence):
    refused(lambda: client.publish(topic, payload, **options), sentence)
    refused(lambda: client.publish_many([(topic, payload)], **options), sentence)
    assert client.stats().queued == 0


@pytest.mark.parametrize("letter", [3, ("a",), ["a", "x"], ("a", "x", 1)])
def test_letters_that_are_none(client, letter):
    kind = type(letter).__name__
    refused(
        lambda: client.publish_many([letter]), f"letters must be tuples of topic and payload, not a value of type {kind}"
    )


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        ("a/#/b", "topic filter must have '#' only as its last level, alone, but \"a/#/b\" does not"),
        ("a+", "topic filter must have '+' only as a whole level, but \"a+\" does not"),
        ("$share/a", "topic filter must have a topic filter after '$share/' and the share name, but \"$share/a\" does not"),
        (["a", 3], "topic filter must be text, not a value of type int"),
        (b"a", "topic filter must be text, not a value of type bytes"),
        (None, "topic filter must be text, not None"),
        ([], "filters must have at least 1 topic filter, but there is none"),
    ],
)
def test_topic_filters(client, filters, sentence):
    refused(lambda: client.subscribe(filters, print), sentence)
    refused(lambda: client.on(filters)(print), sentence)
    refused(lambda: client.unsubscribe(filters), sentence)
    assert client._handlers._functions == {}


def test_subscribe_options(client):
    refused(lambda: client.subscribe("a", qos=3), "qos must be 0, 1 or 2, not 3")
    refused(lambda: client.subscribe("a", nolocal=True), 'unknown subscribe option "nolocal"; did you mean no_local?')
    refused(
        lambda: client.subscribe({"a": 1}), "the options of topic filter 'a' must be a mapping, not a value of type int"
    )


def test_handlers_that_cannot_be_called(client):
    sentence = "handler must be a function or another callable, not a value of type int"
    for give in (
        lambda: client.subscribe("a", 3),
        client.on("a"),
        client.on_message,
        client.on_connection,
        client.on_subscription,
        client.on_status,
        client.on_ping,
        client.on_notice,
        leveret.on_status,
        leveret.on_ping,
    ):
        refused(lambda give=give: give(3) if give.__name__ != "<lambda>" else give(), sentence)


@pytest.mark.parametrize("timeout", [-1, "5", float("inf"), float("nan"), True, object()])
def test_timeouts(client, timeout):
    receipt = client.publish("a", "x")
    for call in (receipt.wait, client.flush, client.drain, client.close, client.ping, client.messages.get):
        with pytest.raises(leveret.ConfigurationError, match="^timeout must be a duration from 0s to 8760h, not "):
            call(timeout)
    assert client.cancel(receipt)
    assert client.status == "offline"


def test_receipts_of_others(client):
    sentence = "receipt must be one that this client gave out, not "
    receipt = client.publish("a", "x")
    with leveret.Client(NOWHERE, close_timeout=0) as other:
        for call in (other.cancel, other.explain):
            refused(lambda call=call: call(receipt), sentence + repr(receipt))
            refused(lambda call=call: call(3), sentence + "3")
    assert client.cancel(receipt)


def test_asyncio_says_the_same():
    wrong: Any = 3

    async def ask():
        refused(
            lambda: leveret.AsyncClient(NOWHERE, concurrent_handlers=0),
            "concurrent_handlers must be a whole number of at least 1, not 0",
        )
        async with leveret.AsyncClient(NOWHERE, close_timeout=0) as client:
            refused(lambda: client.publish("a/#"), "topic must not contain the wildcard '+' or '#', but \"a/#\" does")
            refused(lambda: client.on("a")(wrong), "handler must be a function or another callable, not a value of type int")
            receipt = client.publish("a", "x")
            with pytest.raises(leveret.ConfigurationError, match="^timeout must be"):
                await receipt.wait(-1)
            with pytest.raises(leveret.ConfigurationError, match="^receipt must be one that this client gave out"):
                await client.cancel(wrong)
            with pytest.raises(leveret.ConfigurationError, match="topic filter must have '#' only as its last level"):
                await client.subscribe("a/#/b")

    asyncio.run(ask())


def test_an_asyncio_client_is_made_on_a_running_loop():
    with pytest.raises(RuntimeError, match="no running event loop"):
        leveret.AsyncClient(NOWHERE)


def test_the_test_broker():
    wrong: Any = 3
    refused(lambda: Broker(maximum_qos=wrong), "maximum_qos must be a whole number from 0 to 2, not 3")
    with Broker() as broker:
        refused(lambda: broker.publish("a", "x", qos=3), "qos must be 0, 1 or 2, not 3")
        with pytest.raises(leveret.ConfigurationError, match='not "PUBLISHES"$'):
            broker.swallow("PUBLISHES")
        refused(
            lambda: broker.wait_received(1, timeout=0),
            "the broker received 0 of 1 messages in the time given",
            leveret.TimeoutError,
        )


def test_the_runtime_is_set_before_it_runs(client):
    for count in (0, 65):
        refused(lambda count=count: leveret.set_runtime_threads(count), f"runtime_threads must be 1 to 64, not {count}")
    refused(
        lambda: leveret.set_runtime_threads(2),
        "runtime_threads must be set before the first client is made, but the runtime runs already",
    )
