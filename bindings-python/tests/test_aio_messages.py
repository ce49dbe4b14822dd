"""Messages with asyncio: to functions and coroutine functions, to iterators; acknowledged when they are done with."""

import asyncio

import pytest
from support import SOON, connected, eventually_async, on_a_loop

import leveret
from leveret.testing import Broker


async def redelivered(broker, client_id, **options):
    """What the broker delivers again to a client of this id, because nobody acknowledged it."""
    taken = []
    inbox = asyncio.Queue()
    options |= {"client_id": client_id, "clean_start": False, "on_message": inbox.put}
    async with connected(broker.url, **options) as client:
        await client.subscribe("a/#", qos=2)
        client.publish("a/end", "end", qos=2)
        while (message := await inbox.get()).topic != "a/end":
            taken.append(message.payload)
    return taken


@on_a_loop
async def test_functions_and_coroutine_functions_are_handlers(broker):
    async with connected(broker.url) as client:
        calls = asyncio.Queue()

        @client.on("a", qos=1)
        def plain(message):
            calls.put_nowait(("plain", message.payload))

        @client.on("a", qos=1)
        async def coroutine(message):
            await asyncio.sleep(0)
            await calls.put(("coroutine", message.payload))

        client.publish("a", "x")
        assert {await calls.get(), await calls.get()} == {("plain", b"x"), ("coroutine", b"x")}


@on_a_loop
async def test_several_filters_are_declared_and_taken_back(broker):
    async with connected(broker.url) as client:
        calls = asyncio.Queue()
        assert await client.subscribe(["a", "b/#"], calls.put, qos=2) == [2, 2]
        assert await client.subscribe({"c": {"qos": 0}, "d": {}}, qos=1) == [0, 1]
        await client.unsubscribe("a")
        await client.publish("a", "x")
        client.publish("b/c", "y")
        assert (await calls.get()).topic == "b/c"


@on_a_loop
async def test_a_refusal_raises_with_its_reason():
    with Broker(deny="secret/#") as broker:
        async with connected(broker.url) as client:
            with pytest.raises(leveret.RefusedError) as raised:
                await client.subscribe("secret/a", print)
            assert raised.value.reason == leveret.ReasonCode.NOT_AUTHORIZED


@on_a_loop
async def test_handlers_run_one_after_another_unless_asked_otherwise(broker):
    for most in (1, 3):
        async with connected(broker.url, concurrent_handlers=most) as client:
            running, peak, done = 0, 0, asyncio.Queue()

            async def handle(message):
                nonlocal running, peak
                running += 1
                peak = max(peak, running)
                for _ in range(20):
                    await asyncio.sleep(0)
                running -= 1
                done.put_nowait(message.payload)

            await client.subscribe("a", handle)
            client.publish_many([("a", str(number)) for number in range(50)])
            payloads = [await done.get() for _ in range(50)]
            assert peak == most
            assert sorted(map(int, payloads)) == list(range(50))
            if most == 1:
                assert payloads == [str(number).encode() for number in range(50)]


@on_a_loop
async def test_a_handler_that_runs_long_leaves_the_others_to_what_comes_later(broker):
    async with connected(broker.url, concurrent_handlers=2) as client:
        entered, leave, done = asyncio.Event(), asyncio.Event(), asyncio.Queue()

        async def handle(message):
            if message.payload == b"long":
                entered.set()
                await leave.wait()
            done.put_nowait(message.payload)

        await client.subscribe("a", handle)
        client.publish("a", "long")
        await entered.wait()
        for number in range(5):
            client.publish("a", str(number))
            assert await done.get() == str(number).encode()
        leave.set()
        assert await done.get() == b"long"


@on_a_loop
async def test_one_handler_of_several_that_waits_with_a_full_inbox_is_no_deadlock(broker):
    async with connected(broker.url, concurrent_handlers=2, max_inbox_messages=2) as client:
        outcomes = []

        async def handle(message):
            if message.payload == b"waits":
                outcomes.append(await client.publish("b", "x"))

        await client.subscribe("a", handle)
        broker.publish("a", "waits")
        for number in range(100):
            broker.publish("a", str(number))
        await eventually_async(lambda: outcomes == ["acknowledged"])


@on_a_loop
async def test_handlers_that_run_at_once_leave_the_order_of_acknowledgements_as_it_has_to_be(broker):
    leave, done = asyncio.Event(), []

    async def handle(message):
        if message.payload == b"0":
            await leave.wait()
        done.append(message.payload)

    async with connected(broker.url, client_id="reader", clean_start=False, concurrent_handlers=3) as client:
        await client.subscribe("a/#", handle, qos=1)
        client.publish_many([("a/1", str(number)) for number in range(3)], qos=1)
        await eventually_async(lambda: len(done) == 2)
        # Those behind the first are done with, but a broker that is told so would forget the first.
        await client.close(timeout=0.05)
    leave.set()
    assert await redelivered(broker, "reader") == [b"0", b"1", b"2"]


@pytest.mark.parametrize("most", [0, -1, True, 1.5, "2", None])
@on_a_loop
async def test_how_many_handlers_run_at_once_is_checked(broker, most):
    with pytest.raises(leveret.ConfigurationError, match="concurrent_handlers must be a whole number of at least 1, not"):
        leveret.AsyncClient(broker.url, concurrent_handlers=most)


@pytest.mark.parametrize("failure", [ValueError("boom"), asyncio.CancelledError(), BaseException("boom")])
@on_a_loop
async def test_a_handler_that_raises_is_reported_and_harms_nothing(broker, caplog, failure):
    async with connected(broker.url) as client:
        calls = asyncio.Queue()

        @client.on("a", qos=1)
        async def handle(message):
            calls.put_nowait(message.payload)
            if message.payload == b"bad":
                raise failure

        client.publish_many([("a", "bad"), ("a", "good")])
        assert [await calls.get(), await calls.get()] == [b"bad", b"good"]
        await eventually_async(lambda: client.stats().handler_failures == 1)
        (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
        assert (record.name, record.getMessage()) == ("leveret.handlers", "a handler of 'a' raised")
        assert record.exc_info[1] is failure


@on_a_loop
async def test_a_message_is_acknowledged_when_its_coroutine_has_ended(broker):
    entered, leave = asyncio.Event(), asyncio.Event()

    async def handle(message):
        entered.set()
        await leave.wait()

    async with connected(broker.url, client_id="reader", clean_start=False) as client:
        await client.subscribe("a/#", handle)
        client.publish("a/1", "1")
        await entered.wait()
        await client.close(timeout=0.05)
    leave.set()
    assert await redelivered(broker, "reader") == [b"1"]


@on_a_loop
async def test_iterating_gives_messages_in_order_until_the_client_is_closed(broker):
    async with connected(broker.url) as client:
        await client.subscribe("a", qos=2)
        client.publish_many([("a", str(number)) for number in range(100)], qos=2)
        seen = []
        async for message in client.messages:
            seen.append(message.payload)
            if len(seen) == 100:
                closing = asyncio.ensure_future(client.close())
        await closing
        assert seen == [str(number).encode() for number in range(100)]


@on_a_loop
async def test_several_iterators_share_the_messages(broker):
    async with connected(broker.url) as client:
        await client.subscribe("a", qos=1)
        seen = []

        async def iterate():
            async for message in client.messages:
                seen.append(int(message.payload))

        readers = [asyncio.ensure_future(iterate()) for _ in range(4)]
        client.publish_many([("a", str(number)) for number in range(200)])
        await eventually_async(lambda: len(seen) == 200)
        assert sorted(seen) == list(range(200))
        await client.close()
        await asyncio.gather(*readers)


@on_a_loop
async def test_getting_a_message_takes_at_most_the_time_given_and_loses_none(broker):
    async with connected(broker.url) as client:
        await client.subscribe("a")
        async with client.messages as messages:
            for timeout in (0, 0.01, "10ms"):
                with pytest.raises(leveret.TimeoutError):
                    await messages.get(timeout=timeout)
            client.publish("a", "x")
            assert (await messages.get(timeout=SOON)).payload == b"x"
        with pytest.raises(leveret.ClosedError):
            await messages.get()


@on_a_loop
async def test_a_reader_that_is_cancelled_takes_no_message_with_it(broker):
    async with connected(broker.url) as client:
        await client.subscribe("a", qos=1)
        messages, seen = client.messages, []
        client.publish_many([("a", str(number)) for number in range(200)])
        while len(seen) < 200:
            reading = asyncio.ensure_future(messages.get())
            # Cancelled at every stage between asking and having.
            for _ in range(len(seen) % 7):
                await asyncio.sleep(0)
            if reading.done() or not reading.cancel():
                seen.append(int((await reading).payload))
                continue
            try:
                seen.append(int((await reading).payload))
            except asyncio.CancelledError:
                seen.append(int((await messages.get(timeout=SOON)).payload))
        assert seen == list(range(200))


@pytest.mark.parametrize("end", ["ask", "close", "drop"])
@on_a_loop
async def test_an_iterated_message_is_acknowledged_when_it_is_done_with(broker, end):
    async with connected(broker.url, client_id="reader", clean_start=False) as client:
        await client.subscribe("a/#")
        messages = client.messages
        client.publish("a/1", "1")
        assert (await messages.get(timeout=SOON)).payload == b"1"
        if end == "ask":
            with pytest.raises(leveret.TimeoutError):
                await messages.get(timeout=0)
        elif end == "close":
            messages.close()
        else:
            del messages
    assert await redelivered(broker, "reader") == []


@on_a_loop
async def test_by_hand_a_message_is_acknowledged_when_the_program_says_so(broker):
    inbox = asyncio.Queue()
    async with connected(broker.url, client_id="reader", clean_start=False, manual_ack=True) as client:
        await client.subscribe("a/#", inbox.put)
        client.publish_many([("a/1", "1"), ("a/2", "2")])
        first, _ = await inbox.get(), await inbox.get()
        await asyncio.to_thread(first.ack)
    assert await redelivered(broker, "reader") == [b"2"]


@on_a_loop
async def test_news_come_to_functions_and_coroutine_functions(broker):
    events = asyncio.Queue()
    options = {"on_connection": events.put, "on_status": events.put, "on_subscription": events.put_nowait}
    async with connected(broker.url, **options) as client:
        client.on_ping(events.put)
        first = [await events.get(), await events.get()]
        assert leveret.Status.ONLINE in first
        assert [event.kind for event in first if isinstance(event, leveret.ConnectionEvent)] == ["online"]
        await client.subscribe("a")
        assert await events.get() == leveret.SubscriptionEvent("a", leveret.SubscriptionState.UP, 1)
        assert await client.ping(timeout=SOON) == pytest.approx(await events.get())
        broker.stop()
        broker.start()
        assert leveret.Status.OFFLINE in [await events.get() for _ in range(3)]
        await client.wait_for("online", timeout=SOON)


@on_a_loop
async def test_a_listener_that_raises_harms_nothing(broker, caplog):
    async with connected(broker.url) as client:
        statuses = asyncio.Queue()

        @client.on_status
        async def fail(status):
            raise ValueError("boom")

        client.on_status(statuses.put)
        broker.disconnect_clients()
        assert "offline" in [await statuses.get() for _ in range(2)]
        assert "a handler of status events raised" in caplog.messages


@on_a_loop
async def test_a_ping_needs_a_connection(broker):
    async with connected(broker.url) as client:
        broker.stop()
        await client.wait_for("offline", timeout=SOON)
        with pytest.raises(leveret.ConnectionError):
            await client.ping(timeout=SOON)


@on_a_loop
async def test_a_status_that_came_and_went_is_not_missed(broker):
    async with connected(broker.url) as client:
        waiting = asyncio.ensure_future(client.wait_for("offline", timeout=SOON))
        await asyncio.sleep(0)
        reconnects = client.stats().reconnects
        broker.disconnect_clients()
        while client.stats().reconnects == reconnects:
            pass  # the loop does not turn meanwhile
        await waiting
        with pytest.raises(leveret.ConfigurationError, match="status must be online, offline or closed"):
            await client.wait_for("away")
