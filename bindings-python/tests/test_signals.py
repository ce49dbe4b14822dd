"""Signals: Ctrl-C ends every blocking wait at once, and nothing is done to any other signal."""

import signal

import pytest
from support import signalled

OFFLINE = 'client = leveret.Client("mqtt://127.0.0.1:1", max_queued_messages=1, close_timeout=0)'
HELD_UP = """
client = leveret.Client(broker.url, max_queued_messages=1, close_timeout=0)
client.wait_for("online")
broker.pause_reading(True)
client.publish("a")
"""

WAITS = {
    "wait": (OFFLINE, 'client.publish("a").wait()'),
    "wait with a timeout": (OFFLINE, 'client.publish("a").wait(timeout=3600)'),
    "flush": (OFFLINE, 'client.publish("a"); client.flush()'),
    "wait_for": (OFFLINE, 'client.wait_for("online")'),
    "subscribe": (OFFLINE, 'client.subscribe("a")'),
    "unsubscribe": (OFFLINE, 'client.unsubscribe("a")'),
    "get": (OFFLINE, "client.messages.get()"),
    "iterate": (OFFLINE, "list(client.messages)"),
    "subscription": (OFFLINE, 'list(client.subscription("a"))'),
    "close": (OFFLINE, 'client.publish("a"); client.close(timeout=3600)'),
    "publish": (HELD_UP, 'client.publish("a")'),
    "publish_many": (HELD_UP, 'client.publish_many([("a", "x")] * 5)'),
    "drain": (HELD_UP, "client.drain()"),
    "ping": (HELD_UP, "client.ping()"),
    "wait_received": (OFFLINE, "broker.wait_received(1, timeout=3600)"),
}


@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_every_wait(wait):
    before, call = WAITS[wait]
    ended = signalled(f"""
import leveret
from leveret.testing import Broker
broker = Broker()
{before}
try:
    print("ready", flush=True)
    {call}
except KeyboardInterrupt:
    print("interrupted", client.status != "closed" or {wait == "close"})
""", signal.SIGINT)
    assert ended == (0, "interrupted True\n", "")


def test_ctrl_c_ends_an_asyncio_program():
    ended = signalled("""
        import asyncio, leveret

        async def main():
            async with leveret.AsyncClient("mqtt://127.0.0.1:1", close_timeout=0) as client:
                print("ready", flush=True)
                await client.publish("a")

        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            print("interrupted")
    """, signal.SIGINT)
    assert ended == (0, "interrupted\n", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_other_signals_do_what_they_do(number):
    ended = signalled("""
        import leveret, signal
        before = [signal.getsignal(number) for number in signal.valid_signals()]
        client = leveret.Client("mqtt://127.0.0.1:1")
        assert [signal.getsignal(number) for number in signal.valid_signals()] == before
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        print("ready", flush=True)
        client.publish("a").wait()
    """, number)
    assert ended == (-number, "", "")


def test_a_signal_handler_may_use_the_client_that_is_waited_for():
    ended = signalled("""
        import leveret, signal
        from leveret.testing import Broker
        with Broker() as broker, leveret.Client(broker.url) as client:
            broker.swallow("PUBLISH")
            receipt = client.publish("a")
            signal.signal(signal.SIGUSR1, lambda *_: print(client.cancel(receipt), flush=True))
            print("ready", flush=True)
            print(receipt.wait())
    """, signal.SIGUSR1)
    assert ended == (0, "True\ncancelled\n", "")
