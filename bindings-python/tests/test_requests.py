"""Requests and responses: what each client adds to the core's own tests."""

import asyncio
import threading

import pytest
from support import SOON, connected, eventually, eventually_async, on_a_loop

import leveret


def serve_doubles(client):
    @client.serve("double/+")
    def double(message):
        return str(2 * int(message.levels[1]))

    client.ping(SOON)  # the broker answers in order: the subscription stands


def test_threads_ask_at_once_and_each_gets_its_response(connect):
    asker, server = connect(), connect()
    serve_doubles(server)
    got = {}

    def ask(number):
        got[number] = asker.request(f"double/{number}", timeout=SOON).payload

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {number: str(2 * number).encode() for number in range(20)}


def test_a_handler_may_ask_and_answer_others(connect):
    asker, server = connect(), connect()
    serve_doubles(server)
    answers = []

    @asker.on("start")
    def begin(message):
        answers.append(asker.request("double/21", timeout=SOON).payload)

    asker.ping(SOON)
    server.publish("start")
    eventually(lambda: answers)
    assert answers == [b"42"]


def test_a_response_has_a_receipt_and_options(connect):
    asker, server = connect(), connect()
    outcomes = []

    def answer(message):
        receipt = message.respond("open", content_type="text/plain", qos=2)
        assert isinstance(receipt, leveret.Receipt)
        outcomes.append(receipt)

    server.subscribe("door", answer)
    response = asker.request("door", "state?", timeout=SOON, qos=2)
    assert response.payload == b"open"
    assert response.properties["content_type"] == "text/plain"
    assert outcomes[0].wait(SOON) == "acknowledged"


def test_what_serves_and_cannot_be_answered_is_reported(connect, caplog):
    client = connect(protocol="3.1.1")

    @client.serve("silent")
    def silent(message):
        return None

    @client.serve("talks")
    def talks(message):
        return "something"

    client.ping(SOON)
    client.publish("silent").wait(SOON)
    client.publish("talks").wait(SOON)
    eventually(lambda: client.stats().handler_failures == 1)
    assert "names no response topic" in caplog.text
    with pytest.raises(leveret.ConfigurationError, match="handler must be a function"):
        client.serve("x")("no function")


def test_on_311_a_function_says_where_to_answer(connect):
    asker, server = connect(protocol="3.1.1"), connect(protocol="3.1.1")

    @server.serve("door/+", response_topic=lambda message: f"{message.topic}/response")
    def state(message):
        return f"{message.levels[1]} is closed"

    server.ping(SOON)
    response = asker.request("door/front", timeout=SOON, response_topic="door/front/response")
    assert response.payload == b"front is closed"
    with pytest.raises(leveret.ConfigurationError, match="response_topic must be given"):
        asker.request("door/front")


def test_requests_say_what_went_wrong(connect):
    client = connect(protocol="5")
    with pytest.raises(leveret.errors.TimeoutError, match="no response came in time"):
        client.request("nobody", timeout=0.05)
    with pytest.raises(leveret.ConfigurationError, match="timeout must be at least 1ms"):
        client.request("nobody", timeout=0)
    waiting = []

    def ask():
        with pytest.raises(leveret.ClosedError):
            client.request("nobody", timeout=None)
        waiting.append(True)

    thread = threading.Thread(target=ask)
    thread.start()
    eventually(lambda: client.stats().messages_out[1] >= 2)
    client.close()
    thread.join(SOON)
    assert waiting == [True]


@on_a_loop
async def test_coroutines_ask_at_once_and_coroutines_answer(broker):
    async with connected(broker.url) as asker, connected(broker.url) as server:

        @server.serve("double/+")
        async def double(message):
            await asyncio.sleep(0)
            return str(2 * int(message.levels[1]))

        await server.ping(SOON)
        responses = await asyncio.gather(*(asker.request(f"double/{number}", timeout=SOON) for number in range(50)))
        assert [response.payload for response in responses] == [str(2 * number).encode() for number in range(50)]


@on_a_loop
async def test_a_cancelled_request_is_taken_back(broker):
    async with connected(broker.url, max_in_flight=1) as client:
        broker.swallow("PUBLISH", 1)
        client.publish("stuck")
        asking = asyncio.create_task(client.request("nobody"))
        await eventually_async(lambda: (client.stats().in_flight, client.stats().queued) == (1, 1))
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await eventually_async(lambda: client.stats().outcomes["cancelled"] == 1)


@on_a_loop
async def test_a_coroutine_handler_answers_by_hand_with_a_receipt(broker):
    async with connected(broker.url) as asker, connected(broker.url) as server:
        receipts = []

        async def answer(message):
            receipt = message.respond("closed")
            assert isinstance(receipt, leveret.AsyncReceipt)
            receipts.append(await receipt)

        await server.subscribe("door", answer)
        response = await asker.request("door")
        assert response.payload == b"closed"
        await eventually_async(lambda: receipts == ["acknowledged"])


@on_a_loop
async def test_with_a_full_inbox_a_request_inside_a_handler_fails_at_once(broker):
    async with connected(broker.url, max_inbox_messages=2) as client:
        raised = []

        async def handler(message):
            try:
                await client.request("nobody", timeout=SOON)
            except leveret.WouldDeadlock as error:
                raised.append(error)

        await client.subscribe("flood", handler)
        for _ in range(8):
            broker.publish("flood", "x", qos=1)
        await eventually_async(lambda: raised)
