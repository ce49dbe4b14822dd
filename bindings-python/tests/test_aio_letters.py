"""What becomes of letters, with asyncio: receipts that are awaited, room, taking back, closing."""

import asyncio
from datetime import timedelta

import pytest
from support import FAST, SOON, connected, eventually_async, on_a_loop

import leveret


@pytest.mark.parametrize(("qos", "outcome"), [(0, "sent"), (1, "acknowledged"), (2, "acknowledged")])
@on_a_loop
async def test_awaiting_a_receipt_gives_its_outcome_as_often_as_asked(broker, qos, outcome):
    async with connected(broker.url) as client:
        receipt = client.publish("a", b"x", qos=qos)
        assert receipt.outcome is None
        assert repr(receipt).endswith(": open>")
        assert await receipt == outcome
        assert await receipt == await receipt.wait() == receipt.outcome == outcome
        assert repr(receipt).endswith(f": {outcome}>")
        assert (await receipt).raise_for_status().ok


@on_a_loop
async def test_several_tasks_may_await_the_same_receipt(broker):
    async with connected(broker.url) as client:
        broker.stop()
        await client.wait_for("offline", timeout=SOON)
        receipt = client.publish("a", "x")
        waiting = asyncio.gather(*(receipt.wait(timeout=SOON) for _ in range(8)))
        broker.start()
        assert await waiting == ["acknowledged"] * 8


@on_a_loop
async def test_receipts_go_with_gather_and_as_completed(broker):
    async with connected(broker.url) as client:
        outcomes = await asyncio.gather(*(client.publish("a", str(number)) for number in range(100)))
        assert outcomes == ["acknowledged"] * 100
        for done in asyncio.as_completed([client.publish("a").wait() for _ in range(10)]):
            assert (await done).delivered
        assert [message.payload for message in broker.received[:100]] == [str(number).encode() for number in range(100)]


@on_a_loop
async def test_a_receipt_nobody_looks_at_breaks_nothing(broker):
    async with connected(broker.url) as client:
        for number in range(1000):
            client.publish("a", str(number))
        await client.flush(timeout=SOON)
        assert len(broker.received) == 1000
        assert client._pump._receipts == {}


@on_a_loop
async def test_giving_up_the_wait_for_an_outcome_loses_nothing(broker):
    async with connected(broker.url) as client:
        broker.stop()
        await client.wait_for("offline", timeout=SOON)
        receipt = client.publish("a", "x")
        for timeout in (0, 0.01, "10ms", timedelta(milliseconds=10)):
            with pytest.raises(leveret.TimeoutError) as raised:
                await receipt.wait(timeout=timeout)
            assert isinstance(raised.value, TimeoutError)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(receipt.wait(), 0.01)
        waiting = asyncio.ensure_future(receipt.wait())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        broker.start()
        assert await receipt == "acknowledged"


@on_a_loop
async def test_an_outcome_comes_while_offline_when_the_time_is_over(broker):
    async with connected(broker.url) as client:
        broker.stop()
        await client.wait_for("offline", timeout=SOON)
        outcome = await client.publish("a", "x", ttl=0.05)
        assert (outcome, outcome.maybe_delivered, client.status) == ("expired", False, "offline")


@on_a_loop
async def test_a_full_post_office_raises_at_once_and_drain_waits_for_room(broker):
    async with connected(broker.url, max_queued_messages=5) as client:
        receipts = []
        for number in range(50):
            while True:
                try:
                    receipts.append(client.publish("a", str(number)))
                    break
                except leveret.QueueFull as full:
                    assert full.retryable
                    await client.drain(timeout=SOON)
        assert [await receipt for receipt in receipts] == ["acknowledged"] * 50
        assert [message.payload for message in broker.received] == [str(number).encode() for number in range(50)]


@on_a_loop
async def test_waiting_for_room_takes_at_most_the_time_given(broker):
    async with connected(broker.url, max_queued_messages=5) as client:
        await client.drain(timeout=SOON)
        broker.pause_reading(True)
        receipts = client.publish_many([("a", "x")] * 5)
        for timeout in (0, 0.01):
            with pytest.raises(leveret.TimeoutError):
                await client.drain(timeout=timeout)
        broker.pause_reading(False)
        await client.drain(timeout=SOON)
        assert await asyncio.gather(*receipts) == ["acknowledged"] * 5


@on_a_loop
async def test_many_letters_cross_at_once_and_those_without_room_are_told(broker):
    async with connected(broker.url, max_queued_messages=3, overflow="reject") as client:
        receipts = client.publish_many([("a", str(number)) for number in range(3)], qos=2)
        assert await asyncio.gather(*receipts) == ["acknowledged"] * 3
        broker.stop()
        await client.wait_for("offline", timeout=SOON)
        with pytest.raises(leveret.QueueFull) as raised:
            client.publish_many([("a", str(number)) for number in range(5)])
        assert len(raised.value.receipts) == 3
        broker.start()
        assert await asyncio.gather(*raised.value.receipts) == ["acknowledged"] * 3


@on_a_loop
async def test_a_letter_is_taken_back_and_says_where_it_is(broker):
    async with connected(broker.url) as client:
        broker.stop()
        await client.wait_for("offline", timeout=SOON)
        receipt = client.publish("a", "x")
        assert "connection" in await client.explain(receipt)
        assert await client.cancel(receipt) is True
        assert await receipt == "cancelled"
        assert await client.cancel(receipt) is False
        assert await client.explain(receipt) == "settled: cancelled"


@on_a_loop
async def test_flushing_waits_for_every_outcome(broker):
    async with connected(broker.url) as client:
        broker.stop()
        await client.wait_for("offline", timeout=SOON)
        receipt = client.publish("a", "x")
        with pytest.raises(leveret.TimeoutError):
            await client.flush(timeout=0.01)
        broker.start()
        await client.flush(timeout=SOON)
        assert receipt.outcome == "acknowledged"


@on_a_loop
async def test_leaving_the_block_sends_what_waits(broker):
    async with leveret.AsyncClient(broker.url, **FAST) as client:
        receipt = client.publish("a", "x")
    assert client.status == "closed"
    assert receipt.outcome == await receipt == "acknowledged"


@on_a_loop
async def test_closing_settles_every_receipt_and_ends_every_call(broker):
    async with connected(broker.url) as client:
        broker.swallow("PUBLISH")
        sent = client.publish("a", "sent")
        await eventually_async(lambda: client.stats().in_flight == 1)
        broker.stop()
        await client.wait_for("offline", timeout=SOON)
        unsent = client.publish("a", "unsent")
        waiting = [
            asyncio.ensure_future(call)
            for call in (client.subscribe("a"), client.messages.get(), client.wait_for("online"))
        ]
        flushed = asyncio.ensure_future(client.flush())
        await asyncio.sleep(0)
        await client.close(timeout=0)
        assert (await sent, (await sent).maybe_delivered) == ("closed", True)
        assert (await unsent, (await unsent).maybe_delivered) == ("closed", False)
        for call in waiting:
            with pytest.raises(leveret.ClosedError):
                await call
        await flushed  # every letter has its outcome
        await client.close()


@on_a_loop
async def test_a_closed_client_says_so(broker):
    async with connected(broker.url) as client:
        receipt = client.publish("a", "x")
    for call in (
        lambda: client.cancel(receipt),
        client.flush,
        client.drain,
        client.ping,
        lambda: client.subscribe("a"),
        lambda: client.unsubscribe("a"),
        lambda: client.wait_for("online"),
        client.messages.get,
    ):
        with pytest.raises(leveret.ClosedError):
            await call()
    for at_once in (lambda: client.publish("a"), lambda: client.publish_many([("a", "x")]), client.reconnect):
        with pytest.raises(leveret.ClosedError):
            at_once()
    assert [message async for message in client.messages] == []
    await client.wait_for("closed")
    assert client.stats().status == "closed"
    assert repr(client) == f"<leveret.AsyncClient {broker.url} closed>"


@on_a_loop
async def test_a_close_that_is_given_up_goes_on(broker):
    async with connected(broker.url) as client:
        broker.pause_reading(True)
        receipt = client.publish("a", "x" * 100)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.close(timeout=0.2), 0.01)
        assert await receipt.wait(timeout=SOON) == "closed"
        await client.wait_for("closed", timeout=SOON)
