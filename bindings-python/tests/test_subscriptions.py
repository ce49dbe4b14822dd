"""Subscriptions: iterators over the messages of filters of their own, several of them at once, with and without asyncio."""

import asyncio
import gc
import queue
import threading
from datetime import timedelta

import pytest
from support import SOON, connected, eventually, eventually_async, on_a_loop

import leveret
from leveret.testing import Broker


def payloads(messages, count):
    return [messages.get(timeout=SOON).payload.decode() for _ in range(count)]


async def payloads_async(messages, count):
    return [(await messages.get(timeout=SOON)).payload.decode() for _ in range(count)]


def test_each_subscription_gets_the_messages_of_its_filters(client):
    rest = client.messages
    with client.subscription("doors/#", qos=2) as doors, client.subscription(["lamps/+", "doors/1"]) as some:
        assert (doors.filters, doors.granted, some.granted) == (["doors/#"], [2], [1, 1])
        client.subscribe("other")
        for topic in ("doors/1", "lamps/1", "doors/2", "other", "lamps/2"):
            client.publish(topic, topic)
        assert payloads(doors, 2) == ["doors/1", "doors/2"]
        assert payloads(some, 3) == ["doors/1", "lamps/1", "lamps/2"]
        assert payloads(rest, 1) == ["other"]


def test_several_subscriptions_and_handlers_of_one_filter_each_get_every_message(client):
    handled = []
    client.subscribe("a", lambda message: handled.append(message.payload.decode()))
    consumers = [client.subscription("a") for _ in range(3)]
    client.publish_many([("a", str(number)) for number in range(20)])
    expected = [str(number) for number in range(20)]
    read = {}
    threads = [
        threading.Thread(target=lambda one=one, number=number: read.update({number: payloads(one, 20)}))
        for number, one in enumerate(consumers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert read == dict.fromkeys(range(3), expected)
    eventually(lambda: handled == expected)


def test_a_for_loop_ends_when_the_client_is_closed(client):
    seen = []
    messages = client.subscription("a")
    client.publish_many([("a", str(number)) for number in range(3)])
    for message in messages:
        seen.append(message.payload.decode())
        if len(seen) == 3:
            client.close()
    assert seen == ["0", "1", "2"]


@pytest.fixture
def device(broker):
    """A client whose session outlives it, with a handler of what was not done with and comes again."""

    def connect(on_message=None):
        client = leveret.Client(broker.url, client_id="device", clean_start=False, on_message=on_message)
        client.wait_for("online", timeout=SOON)
        return client

    return connect


def test_a_message_is_acknowledged_when_the_next_one_is_asked_for(broker, device):
    client = device()
    messages = client.subscription("a").__enter__()
    for number in range(3):
        broker.publish("a", str(number), qos=1)
    assert payloads(messages, 2) == ["0", "1"]
    client.close(timeout=1)  # before the second one is done with
    again = queue.Queue()
    with device(again.put):
        assert [again.get(timeout=SOON).payload for _ in range(2)] == [b"1", b"2"]


def test_what_is_declared_before_the_start_misses_nothing_of_a_kept_session(broker, device):
    with device() as client:
        client.subscribe("a/#")
    broker.publish("a/1", "while away", qos=1)
    client = leveret.Client(broker.url, client_id="device", clean_start=False, start=False)
    assert client.status == "offline"
    messages = client.subscription("a/#")
    assert broker.connections == 0
    client.start()
    with client, messages:
        assert payloads(messages, 1) == ["while away"]


def test_a_client_that_was_never_started_settles_its_letters(broker):
    with leveret.Client(broker.url, start=False, close_timeout=0.05) as client:
        receipt = client.publish("a")
    assert (receipt.outcome, broker.connections, client.status) == ("closed", 0, "closed")
    with pytest.raises(leveret.ClosedError):
        client.start()


@pytest.mark.parametrize("end", ["close", "let go", "with"])
def test_closing_acknowledges_the_message_at_hand_and_leaves_the_others_to_a_session_that_is_kept(broker, device, end):
    client = device()
    messages = client.subscription("a").__enter__()
    for number in range(3):
        broker.publish("a", str(number), qos=1)
    assert payloads(messages, 1) == ["0"]
    eventually(lambda: client.stats().inbox_messages == 3)
    if end == "close":
        messages.close()
    elif end == "with":
        messages.__exit__(None, None, None)
    del messages
    gc.collect()
    client.close(timeout=1)
    again = queue.Queue()
    with device(again.put):
        assert [again.get(timeout=SOON).payload for _ in range(2)] == [b"1", b"2"]


def test_closing_takes_the_filter_back_unless_somebody_else_has_it(client, broker):
    one, two = client.subscription("a"), client.subscription("a")
    for each in (one, two):
        each.__enter__()
    one.close()
    client.ping(timeout=SOON)
    broker.publish("a", "first")
    assert payloads(two, 1) == ["first"]
    two.close()
    client.ping(timeout=SOON)
    broker.publish("a", "second")
    client.ping(timeout=SOON)
    assert client.stats().messages_in[0] == 1
    for closed in (one, two):
        closed.close()
        assert list(closed) == []
        with pytest.raises(leveret.ClosedError):
            closed.get()


def test_what_nobody_took_is_done_with_when_the_filter_is_taken_back(connect, broker):
    client = connect(receive_maximum=2)
    messages = client.subscription("a").__enter__()
    for number in range(5):
        broker.publish("a", str(number), qos=1)
    eventually(lambda: client.stats().inbox_messages == 2)
    messages.close()
    with client.subscription("b") as others:
        broker.publish("b", "goes on", qos=1)
        assert payloads(others, 1) == ["goes on"]
    assert client.stats().inbox_messages <= 1


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_refusal_raises_with_its_reason_and_closes_the_subscription(protocol):
    with Broker(deny="secret/#", protocol=protocol) as broker, leveret.Client(broker.url) as client:
        with pytest.raises(leveret.RefusedError), client.subscription("secret/a"):
            pass
        messages = client.subscription(["secret/a", "open"])
        with pytest.raises(leveret.RefusedError):
            messages.get(timeout=SOON)
        assert list(messages) == []
        assert client.publish("open", "x").wait(timeout=SOON) == "acknowledged"


@pytest.mark.parametrize("way", ["with", "get"])
def test_an_unanswered_subscribe_raises_and_is_asked_again(connect, broker, way):
    events = queue.Queue()
    client = connect(subscribe_timeout=0.05, on_subscription=events.put)
    broker.swallow("SUBSCRIBE")
    messages = client.subscription("a")
    with pytest.raises(leveret.TimeoutError):
        messages.__enter__() if way == "with" else messages.get()
    while events.get(timeout=SOON).state != "up":
        pass
    broker.publish("a", "x")
    assert payloads(messages, 1) == ["x"]


def test_it_waits_no_longer_than_asked_and_loses_nothing(connect, broker):
    client = connect(url="mqtt://127.0.0.1:1", online=False)
    messages = client.subscription("a")
    for _ in range(2):
        with pytest.raises(leveret.TimeoutError):
            messages.get(timeout=timedelta(milliseconds=20))
    assert messages.granted is None
    here = connect()
    with here.subscription("a") as messages:
        with pytest.raises(leveret.TimeoutError):
            messages.get(timeout="20ms")
        broker.publish("a", "x")
        assert payloads(messages, 1) == ["x"]


def test_it_is_restored_after_the_session_was_lost(client, broker):
    with client.subscription("a") as messages:
        for number in range(3):
            broker.lose_sessions()
            receipt = client.publish("a", str(number))
            assert receipt.wait(timeout=SOON) == "acknowledged"
            assert payloads(messages, 1) == [str(number)]


def test_closing_from_another_thread_ends_the_wait(client):
    messages, ended = client.subscription("a").__enter__(), []
    thread = threading.Thread(target=lambda: ended.append(list(messages)))
    thread.start()
    messages.close()
    thread.join(SOON)
    assert ended == [[]]


def test_by_hand_its_messages_are_acknowledged_when_the_program_says_so(connect, broker):
    client = connect(manual_ack=True, receive_maximum=1)
    with client.subscription("a") as messages:
        for number in range(3):
            broker.publish("a", str(number), qos=1)
        for number in range(3):
            message = messages.get(timeout=SOON)
            assert message.payload.decode() == str(number)
            with pytest.raises(leveret.TimeoutError):
                messages.get(timeout=0.02)
            message.ack()


@pytest.mark.parametrize(
    ("filters", "options", "sentence"),
    [("a/#/b", {}, "topic filter"), ([], {}, "filters must have"), ("a", {"qos": 3}, "qos must be"), (3, {}, "topic filter")],
)
def test_bad_arguments_fail_at_once_and_leave_nothing(client, filters, options, sentence):
    with pytest.raises(leveret.ConfigurationError, match=sentence):
        client.subscription(filters, **options)
    gc.collect()


def test_a_closed_client_says_so(client):
    messages = client.subscription("a")
    client.close()
    assert list(messages) == []
    with pytest.raises(leveret.ClosedError):
        client.subscription("a")


@on_a_loop
async def test_asyncio_several_consumers_each_with_filters_of_their_own(broker):
    async with connected(broker.url) as client:

        async def consume(filters, count):
            async with client.subscription(filters, qos=2) as messages:
                assert messages.granted is not None
                ready.append(filters)
                return [message.topic async for message, _ in zip_async(messages, count)]

        async def zip_async(messages, count):
            for number in range(count):
                yield await messages.get(timeout=SOON), number

        ready = []
        tasks = [asyncio.ensure_future(consume(*each)) for each in (("doors/#", 2), ("lamps/+", 1), (["doors/1", "lamps/1"], 2))]
        await eventually_async(lambda: len(ready) == 3)
        client.publish_many([("doors/1", "x"), ("lamps/1", "x"), ("doors/2", "x")])
        assert await asyncio.gather(*tasks) == [["doors/1", "doors/2"], ["lamps/1"], ["doors/1", "lamps/1"]]


@on_a_loop
async def test_asyncio_the_loop_ends_when_the_client_is_closed(broker):
    async with connected(broker.url) as client:
        seen = []

        async def consume():
            async for message in client.subscription("a"):
                seen.append(message.payload.decode())

        task = asyncio.ensure_future(consume())
        await asyncio.sleep(0)
        client.publish_many([("a", str(number)) for number in range(50)])
        await eventually_async(lambda: len(seen) == 50)
    await task
    assert seen == [str(number) for number in range(50)]


@on_a_loop
async def test_asyncio_a_refusal_raises_and_closes(broker):
    with Broker(deny="secret/#") as strict:
        async with connected(strict.url) as client:
            with pytest.raises(leveret.RefusedError):
                async with client.subscription("secret/a"):
                    pass
            messages = client.subscription("secret/a")
            with pytest.raises(leveret.RefusedError):
                await messages.get(timeout=SOON)
            assert [message async for message in messages] == []
            client.subscription("secret/b")  # nobody looks at the answer
            await client.ping(timeout=SOON)


@on_a_loop
async def test_asyncio_waits_end_with_the_timeout_with_close_and_with_the_task(broker):
    async with connected(broker.url) as client:
        messages = client.subscription("a")
        with pytest.raises(leveret.TimeoutError):
            await messages.get(timeout=timedelta(milliseconds=20))
        waiting = asyncio.ensure_future(messages.get())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        broker.publish("a", "not lost")
        assert await payloads_async(messages, 1) == ["not lost"]
        waiting = asyncio.ensure_future(messages.get())
        await asyncio.sleep(0)
        messages.close()
        with pytest.raises(leveret.ClosedError):
            await waiting


@on_a_loop
async def test_asyncio_letting_go_takes_the_filter_back(broker):
    async with connected(broker.url) as client:
        messages = client.subscription("a")
        client.publish("a", "x")
        assert await payloads_async(messages, 1) == ["x"]
        assert repr(messages) == "<leveret.AsyncSubscription 'a'>"
        del messages
        gc.collect()
        await client.ping(timeout=SOON)
        broker.publish("a", "y")
        await client.ping(timeout=SOON)
        assert sum(client.stats().messages_in) == 1


@on_a_loop
async def test_asyncio_a_closed_client_says_so(broker):
    async with connected(broker.url) as client:
        messages = client.subscription("a")
        await client.close()
        assert [message async for message in messages] == []
        with pytest.raises(leveret.ClosedError):
            client.subscription("a")
