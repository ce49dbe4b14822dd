"""Event loops: several of them, one after another or side by side; other threads; tasks that are cancelled at any moment."""

import asyncio
import gc
import pathlib
import subprocess
import sys
import threading

import pytest
from support import FAST, SOON, connected, environment, eventually, eventually_async, on_a_loop, program

import leveret


def test_loops_may_follow_each_other(broker):
    async def main(number):
        async with connected(broker.url) as client:
            await client.subscribe("a")
            client.publish("a", str(number))
            return (await client.messages.get(timeout=SOON)).payload

    assert [asyncio.run(main(number)) for number in range(3)] == [b"0", b"1", b"2"]


def test_loops_may_run_side_by_side_in_threads(broker):
    outcomes = []

    async def main(number):
        async with connected(broker.url) as client:
            outcomes.extend(await asyncio.gather(*(client.publish("a", str(number)) for _ in range(50))))

    threads = [threading.Thread(target=lambda number=number: asyncio.run(main(number))) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert outcomes == ["acknowledged"] * 200


def test_a_client_belongs_to_the_loop_it_was_made_in(broker):
    async def make():
        client = leveret.AsyncClient(broker.url, **FAST)
        await client.wait_for("online", timeout=SOON)
        return client, client.messages, client.publish("a", "x")

    async def use(client, messages):
        with pytest.raises(RuntimeError, match="belongs to another event loop"):
            client.publish("a")
        with pytest.raises(RuntimeError, match="belongs to another event loop"):
            await client.subscribe("a")
        with pytest.raises(RuntimeError, match="belongs to another event loop"):
            await client.close()

    loop = asyncio.new_event_loop()
    client, messages, _ = loop.run_until_complete(make())
    asyncio.run(use(client, messages))
    loop.run_until_complete(client.close())
    loop.close()


def test_a_blocking_and_an_asyncio_client_go_together(client, broker):
    async def main():
        async with connected(broker.url) as own:
            await own.subscribe("a")
            receipt = await asyncio.to_thread(client.publish, "a", "x")
            assert (await own.messages.get(timeout=SOON)).payload == b"x"
            assert await asyncio.to_thread(receipt.wait) == "acknowledged"

    asyncio.run(main())


@on_a_loop
async def test_cancelling_an_awaited_call_leaves_the_client_as_it_is(broker):
    async with connected(broker.url) as client:
        broker.stop()
        await client.wait_for("offline", timeout=SOON)
        receipt = client.publish("a", "x")
        calls = [
            receipt.wait(),
            client.flush(),
            client.subscribe("a"),
            client.unsubscribe("b"),
            client.wait_for("online"),
            client.messages.get(),
        ]
        tasks = [asyncio.ensure_future(call) for call in calls]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        assert all(isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*tasks, return_exceptions=True))
        assert client._pump._replies == {}
        assert client._pump._waiting == set()
        broker.start()
        assert await receipt == "acknowledged"
        # What was given up was taken back.
        assert await client.unsubscribe("a") == [17]


@on_a_loop
async def test_cancelling_a_task_that_iterates_leaves_the_messages_to_others(broker):
    async with connected(broker.url) as client:
        await client.subscribe("a")

        async def iterate():
            async for _ in client.messages:
                pass

        task = asyncio.ensure_future(iterate())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        client.publish("a", "x")
        assert (await client.messages.get(timeout=SOON)).payload == b"x"


@on_a_loop
async def test_a_timeout_of_the_callers_own_is_the_callers(broker):
    async with connected(broker.url) as client:
        broker.pause_reading(True)
        receipt = client.publish("a", "x")
        with pytest.raises(TimeoutError) as raised:
            async with asyncio.timeout(0.01):
                await receipt.wait(timeout=SOON)
        assert not isinstance(raised.value, leveret.MqttError)
        broker.pause_reading(False)
        assert await receipt == "acknowledged"


@on_a_loop
async def test_a_task_group_that_fails_leaves_the_client_as_it_is(broker):
    async with connected(broker.url) as client:
        await client.subscribe("a", qos=1)

        async def fail():
            await asyncio.sleep(0)
            raise ValueError("boom")

        with pytest.raises(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                group.create_task(client.messages.get())
                group.create_task(fail())
        client.publish("a", "x")
        assert (await client.messages.get(timeout=SOON)).payload == b"x"


@on_a_loop
async def test_outcomes_do_not_wait_behind_messages(broker):
    async with connected(broker.url) as client:
        entered, leave = asyncio.Event(), asyncio.Event()

        async def handler(message):
            entered.set()
            await leave.wait()

        await client.subscribe("a", handler)
        for number in range(100):
            broker.publish("a", str(number))
        await entered.wait()
        assert await client.publish("b", "x").wait(timeout=SOON) == "acknowledged"
        leave.set()


@on_a_loop
async def test_handlers_leave_others_their_turn(broker):
    async with connected(broker.url) as client:
        seen, turns = 0, 0

        def handler(message):
            nonlocal seen
            seen += 1

        await client.subscribe("a", handler)
        client.publish_many([("a", "x")] * 5000, qos=0)
        while seen < 5000:
            await asyncio.sleep(0)
            turns += 1
        assert turns > 5
        await eventually_async(lambda: client.stats().inbox_messages == 0)


def test_in_debug_mode_nothing_is_complained_of():
    done = program("""
        import asyncio, gc, logging, leveret
        from leveret.testing import Broker
        logging.basicConfig()

        async def main(url):
            asyncio.get_running_loop().slow_callback_duration = 60  # this is not about a slow machine
            async with leveret.AsyncClient(url) as client:
                await client.subscribe("a", lambda message: None)
                await asyncio.gather(*(client.publish("a") for _ in range(100)))
            left = leveret.AsyncClient(url)
            await left.publish("a")

        with Broker() as broker:
            logging.getLogger("leveret").setLevel(logging.ERROR)
            asyncio.run(main(broker.url), debug=True)
            gc.collect()
    """)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_client_that_its_loop_left_open_ends_when_it_is_let_go(broker):
    async def main():
        client = leveret.AsyncClient(broker.url, **FAST)
        await client.wait_for("online", timeout=SOON)
        return client, client.publish("a", "x")

    client, receipt = asyncio.run(main())
    broker.wait_received(1, timeout=SOON)
    del client, receipt
    gc.collect()
    eventually(lambda: broker.connections == 0)


def test_uvloop():
    done = program("""
        import asyncio, uvloop, leveret
        from leveret.testing import Broker

        async def main(url):
            async with leveret.AsyncClient(url) as client:
                await client.subscribe("a", qos=2)
                receipts = client.publish_many([("a", str(number)) for number in range(500)], qos=2)
                messages = client.messages
                payloads = [(await messages.get(timeout=20)).payload for _ in range(500)]
                assert payloads == [str(number).encode() for number in range(500)]
                assert await asyncio.gather(*receipts) == ["acknowledged"] * 500
                print(type(asyncio.get_running_loop()).__module__)

        with Broker() as broker:
            for _ in range(2):
                uvloop.run(main(broker.url))
    """)
    assert (done.returncode, done.stdout, done.stderr) == (0, "uvloop\n" * 2, "")


@pytest.mark.timeout(150)
def test_every_asyncio_test_passes_under_uvloop_too():
    files = ["test_aio_handlers.py", "test_aio_letters.py", "test_aio_messages.py", "test_subscriptions.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
    chosen = {**environment(), "LEVERET_TEST_LOOP": "uvloop"}
    here = pathlib.Path(__file__).parent
    done = subprocess.run(command, capture_output=True, text=True, timeout=140, env=chosen, cwd=here, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
