"""What is taken back while others declare it, and what is given up: nothing is lost by it, and nothing is left behind."""

import asyncio
import logging
import math
import queue
import threading

import pytest
from support import FAST, SOON, connected, eventually, eventually_async, on_a_loop

import leveret
from leveret.testing import Broker


def test_a_function_declared_again_before_the_answer_to_unsubscribe_gets_its_messages(client, broker):
    inbox = queue.Queue()
    client.subscribe("a", inbox.put)
    broker.pause_reading(True)
    taking_back = threading.Thread(target=client.unsubscribe, args=("a",))
    taking_back.start()
    eventually(lambda: not client._handlers._functions)
    client.on("a")(inbox.put)
    broker.pause_reading(False)
    taking_back.join(SOON)
    client.subscribe("b")
    client.publish("a", "x")
    assert inbox.get(timeout=SOON).payload == b"x"


@on_a_loop
async def test_with_asyncio_a_function_declared_again_before_the_answer_gets_its_messages(broker):
    async with connected(broker.url) as client:
        seen = []

        def handler(message):
            seen.append(message.payload)

        await client.subscribe("a", handler)
        taking_back = asyncio.create_task(client.unsubscribe("a"))
        await asyncio.sleep(0)
        await client.subscribe("a", handler)
        assert await taking_back == [0]
        await client.publish("a", "x")
        await eventually_async(lambda: seen == [b"x"])


@on_a_loop
async def test_a_cancelled_subscribe_takes_back_what_it_declared(broker):
    broker.stop()
    client = leveret.AsyncClient(broker.url, **FAST)
    seen = []
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.subscribe(["a", "b"], seen.append), 0.02)
    first = asyncio.create_task(client.subscribe("b", seen.append))
    await asyncio.sleep(0)
    other = asyncio.create_task(client.subscribe("b", seen.append))
    await asyncio.sleep(0)
    first.cancel()
    broker.start()
    assert await other == [1]
    assert first.cancelled()
    for topic in ("a", "b"):
        await client.publish(topic, topic)
    await eventually_async(lambda: [message.payload for message in seen] == [b"b"])
    assert client.stats().unhandled == 0
    assert await client.unsubscribe(["a", "b"]) == [17, 0]
    await client.close(timeout=1)


@on_a_loop
async def test_a_cancelled_subscribe_without_a_handler_takes_back_its_filter(broker):
    broker.stop()
    client = leveret.AsyncClient(broker.url, protocol="5", **FAST)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.subscribe("a"), 0.02)
    broker.start()
    await client.wait_for("online", timeout=SOON)
    assert await client.unsubscribe("a") == [17]
    await client.close(timeout=1)


def test_the_answer_to_unsubscribe_is_returned(client):
    client.subscribe("a", print)
    assert client.unsubscribe(["a", "b"]) == [0, 17]


def test_an_iterator_ends_when_its_filters_are_unsubscribed(client, broker):
    messages, seen = client.subscription(["a", "b"]).__enter__(), []
    reader = threading.Thread(target=lambda: seen.extend(message.payload for message in messages))
    reader.start()
    client.unsubscribe("a")
    broker.publish("b", "x")
    eventually(lambda: seen == [b"x"])
    client.unsubscribe("b")
    reader.join(SOON)
    assert not reader.is_alive()
    with pytest.raises(leveret.ClosedError):
        messages.get()


@on_a_loop
async def test_with_asyncio_an_iterator_ends_when_its_filter_is_unsubscribed(broker):
    async with connected(broker.url) as client, client.subscription("a") as messages:
        reading = asyncio.create_task(anext(messages, "the end"))
        await asyncio.sleep(0)
        await client.unsubscribe("a")
        assert await asyncio.wait_for(reading, SOON) == "the end"


def cancel_myself():
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


@on_a_loop
async def test_an_iterator_whose_filter_is_unsubscribed_before_it_was_asked_for_ends(broker):
    broker.stop()
    client = leveret.AsyncClient(broker.url, **FAST)
    messages = client.subscription("a")
    reading = asyncio.create_task(anext(messages, "the end"))
    await asyncio.sleep(0)
    taking_back = asyncio.create_task(client.unsubscribe("a"))
    assert await asyncio.wait_for(reading, SOON) == "the end"
    broker.start()
    await taking_back
    await client.close(timeout=1)


@pytest.mark.parametrize("most", [1, 3])
@pytest.mark.parametrize("late", [False, True])
@on_a_loop
async def test_a_handler_that_cancels_its_own_task_is_reported_and_harms_nothing(broker, caplog, most, late):
    async with connected(broker.url, concurrent_handlers=most) as client:
        seen = []

        async def handler(message):
            seen.append(message.payload)
            if message.payload == b"1":
                cancel_myself()
                if not late:
                    await asyncio.sleep(SOON)

        await client.subscribe("a", handler)
        with caplog.at_level(logging.ERROR, "leveret.handlers"):
            for number in range(4):
                client.publish("a", str(number))
            await eventually_async(lambda: len(seen) == 4 and client.stats().handler_failures == 1)
        assert client.status == "online"
        assert [record.getMessage() for record in caplog.records] == ["a handler of 'a' raised"]


@on_a_loop
async def test_a_hook_that_cancels_its_own_task_harms_nothing(broker):
    seen = []

    async def pubrec(packet):
        seen.append(packet.packet_id)
        cancel_myself()
        await asyncio.sleep(SOON)

    async with connected(broker.url, hooks={"pubrec": pubrec}) as client:
        for _ in range(2):
            assert await client.publish("a", qos=2).wait(timeout=SOON) == "acknowledged"
        assert len(seen) == 2
        assert client.status == "online"


def test_a_hook_names_the_letter_by_the_number_of_its_receipt(connect):
    seen = queue.Queue()
    client = connect(hooks={"puback": seen.put})
    receipts = [client.publish("a") for _ in range(3)]
    assert [seen.get(timeout=SOON).receipt for _ in receipts] == [receipt.number for receipt in receipts]


@on_a_loop
async def test_with_asyncio_a_hook_names_the_letter_by_the_number_of_its_receipt(broker):
    seen = []
    async with connected(broker.url, hooks={"puback": seen.append}) as client:
        receipt = client.publish("a")
        await eventually_async(lambda: [packet.receipt for packet in seen] == [receipt.number])


def test_a_request_that_is_not_delivered_raises_without_an_outcome():
    with Broker(maximum_qos=0) as broker, leveret.Client(broker.url, **FAST) as client:
        with pytest.raises(leveret.MqttError) as raised:
            client.request("a", qos=1, ttl=0.001, timeout=5)
        assert getattr(raised.value, "outcome", None) is None
    assert leveret.NotDelivered("not delivered").outcome is None


def test_what_cannot_be_a_response_topic_is_refused_at_once(client):
    with pytest.raises(leveret.ConfigurationError, match="^response_topic must be text, a function or None, not a value of type int$"):
        client.serve("a", response_topic=5)


def test_a_timeout_of_close_that_is_none_is_refused_in_words_of_its_own(client):
    with pytest.raises(leveret.ConfigurationError) as raised:
        client.close(math.nan)
    assert "for no limit" not in str(raised.value)
