"""Handlers with asyncio: anything may be called inside any of them; what cannot proceed says so at once; nothing hangs."""

import asyncio
import gc

import pytest
from support import FAST, SOON, connected, eventually_async, on_a_loop, program

import leveret


async def message(client, broker, handler):
    await client.subscribe("start", handler)
    client.publish("start")


async def general_message(client, broker, handler):
    client.on_message(handler)
    await client.subscribe("start")
    client.publish("start")


async def connection(client, broker, handler):
    client.on_connection(handler)
    client.reconnect()


async def status(client, broker, handler):
    client.on_status(handler)
    broker.disconnect_clients()


async def subscription(client, broker, handler):
    client.on_subscription(handler)
    client.on("start")(repr)


async def ping(client, broker, handler):
    client.on_ping(handler)
    await client.ping(timeout=SOON)


async def notice(client, broker, handler):
    client.on_notice(handler)
    await client.subscribe("start")
    broker.publish("start", b"x" * 5000)


async def everywhere_status(client, broker, handler):
    leveret.on_status(lambda whose, status: handler(status) if whose is client else None)
    broker.disconnect_clients()


async def everywhere_ping(client, broker, handler):
    leveret.on_ping(lambda whose, seconds: handler(seconds) if whose is client else None)
    await client.ping(timeout=SOON)


HAPPENINGS = [
    message, general_message, connection, status, subscription, ping, notice, everywhere_status, everywhere_ping,
]


async def close(client):
    await client.close()
    assert client.status != "closed"  # it takes effect when the handler returns


async def settle(client):
    (await client.publish("a", "x")).raise_for_status()


async def pinged(client):
    await client.wait_for("online", timeout=SOON)
    await client.ping(timeout=SOON)


async def cannot_reauthenticate(client):
    with pytest.raises(leveret.ConfigurationError):
        await client.reauthenticate(timeout=SOON)


async def another_client(client):
    async with leveret.AsyncClient("mqtt://127.0.0.1:1", close_timeout=0) as other:
        other.publish("a", "x")


async def leave_block(client):
    async with client:
        pass
    assert client.status != "closed"


async def iterate(client):
    async with client.subscription("iterated") as messages:
        client.publish("iterated", "x")
        assert (await messages.get(timeout=SOON)).payload == b"x"


async def decorate(client):
    for each in (client.on_message, client.on_connection, client.on_subscription, client.on_status, client.on_ping):
        assert each(repr) is repr
    assert client.on_notice(repr) is repr


async def ask(client):
    with pytest.raises(leveret.errors.TimeoutError):
        await client.request("nobody", timeout=0.02, response_topic="answers")


async def at_once(client):
    client.publish_many([("a", "x")] * 10)
    client.on("a")(repr)
    client.serve("served")(repr)
    client.start()
    client.reconnect()
    client.messages.close()
    repr((client, client.status, client.stats()))


CALLS = {
    "publish": settle,
    "subscribe": lambda client: client.subscribe("a", repr),
    "subscription": iterate,
    "on_message on_connection on_subscription on_status on_ping on_notice": decorate,
    "unsubscribe": lambda client: client.unsubscribe("a"),
    "cancel": lambda client: client.cancel(client.publish("a", "x")),
    "explain": lambda client: client.explain(client.publish("a", "x")),
    "flush": lambda client: client.flush(timeout=SOON),
    "drain": lambda client: client.drain(timeout=SOON),
    "ping": pinged,
    "wait_for": lambda client: client.wait_for("online", timeout=SOON),
    "reauthenticate": cannot_reauthenticate,
    "close": close,
    "close the block": leave_block,
    "another client": another_client,
    "request": ask,
    "publish_many on serve start reconnect messages stats status": at_once,
}


def public(kind):
    return {name for name in dir(kind) if not name.startswith("_")}


def test_the_table_leaves_out_no_verb():
    assert public(leveret.AsyncClient) <= {name for call in CALLS for name in call.split()}


@pytest.fixture(autouse=True)
def nobody_listens_everywhere_afterwards(monkeypatch):
    monkeypatch.setattr(leveret._handlers, "everywhere", {"status": [], "ping": []})


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("happen", HAPPENINGS)
@pytest.mark.parametrize("kind", ["function", "coroutine function"])
@on_a_loop
async def test_anything_may_be_called_inside_any_handler(broker, happen, call, kind):
    statuses = asyncio.Queue()
    async with connected(broker.url, max_packet_size=1024, protocol="3.1.1", on_status=statuses.put) as client:
        assert await statuses.get() == "online"  # what comes now is news
        result = asyncio.get_running_loop().create_future()

        async def run():
            if not result.done():
                try:
                    result.set_result(await CALLS[call](client))
                except Exception as failure:
                    result.set_exception(failure)

        def function(_):
            return run()  # it cannot wait itself, but what it returns is awaited

        async def coroutine_function(_):
            await run()

        await happen(client, broker, function if kind == "function" else coroutine_function)
        await result
        if "close" in call:
            await client.wait_for("closed", timeout=SOON)
        else:
            (await client.publish("a", "after").wait(timeout=SOON)).raise_for_status()


#: What would wait for the broker.
WAITS = {
    "await": lambda client: client.publish("b", "x", qos=1).wait(timeout=SOON),
    "flush": lambda client: client.publish("b", "x", qos=1) and client.flush(timeout=SOON),
    "ping": lambda client: client.ping(timeout=SOON),
    "subscribe": lambda client: client.subscribe("b"),
    "unsubscribe": lambda client: client.unsubscribe("b"),
}


@pytest.mark.parametrize("most", [1, 2])
@pytest.mark.parametrize("wait", WAITS)
@on_a_loop
async def test_with_a_full_inbox_waits_inside_handlers_fail_at_once(broker, wait, most):
    async with connected(broker.url, max_inbox_messages=4, concurrent_handlers=most) as client:
        raised, calls = asyncio.Queue(), []

        async def handler(message):
            calls.append(message.payload)
            if len(calls) <= most:
                try:
                    while True:  # until the inbox is full
                        await WAITS[wait](client)
                except leveret.WouldDeadlock as failure:
                    raised.put_nowait(failure)

        await client.subscribe("a", handler)
        for number in range(100):
            broker.publish("a", str(number))
        assert "return from the handler first" in str(await raised.get())
        # Afterwards all goes on.
        await eventually_async(lambda: len(calls) == 100)
        await client.flush(timeout=SOON)


@pytest.mark.parametrize("status", ["closed", "offline"])
@on_a_loop
async def test_a_wait_behind_a_close_that_the_handler_put_off_fails_at_once(broker, status):
    async with connected(broker.url) as client:
        raised = asyncio.Queue()

        async def handler(message):
            await client.close()
            try:
                await client.wait_for(status)
            except leveret.WouldDeadlock as failure:
                raised.put_nowait(failure)

        await client.subscribe("a", handler)
        client.publish("a")
        assert "the close that takes effect when the handler returns" in str(await raised.get())
        await client.wait_for("closed", timeout=SOON)


@on_a_loop
async def test_with_a_full_inbox_and_a_full_post_office_nothing_hangs(broker):
    async with connected(broker.url, max_inbox_messages=2, max_queued_messages=10) as client:
        raised, calls = asyncio.Queue(), []

        async def handler(message):
            calls.append(message.payload)
            if len(calls) == 1:
                while True:
                    try:
                        client.publish("b", "x")
                        await asyncio.sleep(0)
                    except leveret.QueueFull:
                        try:
                            await client.drain(timeout=SOON)
                        except leveret.WouldDeadlock as failure:
                            return raised.put_nowait(failure)

        await client.subscribe("a", handler)
        for number in range(50):
            broker.publish("a", str(number))
        assert (await raised.get()).code == "MQTT_WOULD_DEADLOCK"
        await eventually_async(lambda: len(calls) == 50)
        await client.flush(timeout=SOON)


@on_a_loop
async def test_a_task_that_a_handler_started_may_wait_for_anything(broker):
    async with connected(broker.url, max_inbox_messages=2) as client:
        tasks = []

        async def later():
            return await client.publish("b", "x")

        @client.on("a", qos=1)
        def handler(message):
            tasks.append(asyncio.ensure_future(later()))

        client.publish_many([("a", str(number)) for number in range(50)])
        await eventually_async(lambda: len(tasks) == 50)
        assert await asyncio.gather(*tasks) == ["acknowledged"] * 50


@on_a_loop
async def test_a_handler_that_waits_for_another_clients_letter_waits(broker):
    async with connected(broker.url, max_inbox_messages=2) as client, connected(broker.url) as other:
        outcomes = asyncio.Queue()

        async def handler(message):
            outcomes.put_nowait(await other.publish("b", "x"))

        await client.subscribe("a", handler)
        for number in range(30):
            broker.publish("a", str(number))
        assert [await outcomes.get() for _ in range(30)] == ["acknowledged"] * 30


@on_a_loop
async def test_a_handler_that_never_ends_holds_close_up_for_its_timeout_alone(broker):
    async with connected(broker.url) as client:
        entered, leave = asyncio.Event(), asyncio.Event()

        async def handler(message):
            entered.set()
            await leave.wait()

        await client.subscribe("a", handler)
        client.publish("a", "x")
        await entered.wait()
        await client.close(timeout=0.05)
        assert client.status == "closed"
        leave.set()


@on_a_loop
async def test_letting_go_of_a_client_ends_it(broker):
    client = leveret.AsyncClient(broker.url, **FAST)
    await client.wait_for("online", timeout=SOON)
    client.on("a")(lambda message: client.publish("b"))
    receipt = client.publish("c", "x")
    del client
    gc.collect()  # the handler holds its client
    assert await receipt == "acknowledged"
    await eventually_async(lambda: broker.connections == 0)


@pytest.mark.parametrize("end", ["sys.exit(3)", "raise KeyboardInterrupt"])
def test_a_handler_that_ends_the_program_ends_it(end):
    done = program(f"""
        import asyncio, sys, leveret
        from leveret.testing import Broker

        async def main():
            with Broker() as broker:
                async with leveret.AsyncClient(broker.url) as client:
                    @client.on("a", qos=1)
                    def handler(message):
                        {end}
                    client.publish("a")
                    await asyncio.sleep(3600)

        asyncio.run(main())
    """)
    assert done.returncode == (3 if "exit" in end else -2)
    assert "exit" not in end or done.stderr == ""
    assert "never retrieved" not in done.stderr
