"""Many threads and one client; many clients and few threads; nothing left behind."""

import gc
import os
import queue
import threading
import weakref

import pytest
from support import FAST, SOON, eventually, program

import leveret


def together(count, run):
    """Runs it in several threads that begin at the same time."""
    begin, failures = threading.Barrier(count), []

    def begun(number):
        begin.wait(SOON)
        try:
            run(number)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=begun, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(3 * SOON)
        assert not thread.is_alive()
    assert failures == []


def test_many_threads_publish_and_each_threads_letters_keep_their_order(connect, broker):
    client = connect(max_queued_messages=500)

    def publish(number):
        receipts = [client.publish(f"t/{number}", str(letter), qos=1) for letter in range(500)]
        assert all(receipt.wait(timeout=SOON).ok for receipt in receipts)

    together(8, publish)
    for number in range(8):
        mine = [int(message.payload) for message in broker.received if message.topic == f"t/{number}"]
        assert mine == list(range(500))
    assert client.stats().outcomes["acknowledged"] == 4000


def test_many_threads_subscribe_and_unsubscribe_at_once(client):
    inbox = queue.Queue()

    def declare(number):
        for turn in range(20):
            name = f"s/{number}/{turn}"
            client.subscribe(name, inbox.put)
            client.publish(name, "x").wait(timeout=SOON)
            if turn % 2:
                client.unsubscribe(name)

    together(6, declare)
    topics = {inbox.get(timeout=SOON).topic for _ in range(120)}
    assert len(topics) == 120
    assert len(client._handlers._filters) == 1


def test_many_threads_close_at_once(connect):
    client = connect()
    receipt = client.publish("a", "x")
    together(8, lambda number: client.close(timeout=SOON))
    assert (client.status, receipt.outcome) == ("closed", "acknowledged")


def test_a_client_may_be_closed_while_other_threads_use_it(connect):
    client = connect(max_queued_messages=20)

    def use(number):
        try:
            if number == 0:
                client.publish("a", "x").wait(timeout=SOON)
                client.close()
            while True:
                client.publish("a", b"x" * 100).wait(timeout=SOON)
                client.stats()
                client.subscribe(f"b/{number}", repr)
        except leveret.ClosedError:
            pass

    together(6, use)


def test_a_receipt_holds_its_outcome_after_everything_else_is_gone(broker):
    client = leveret.Client(broker.url, **FAST)
    receipt, waited = client.publish("a", "x"), []
    thread = threading.Thread(target=lambda: waited.append(receipt.wait(timeout=SOON)))
    thread.start()
    gone = weakref.ref(client)
    del client
    gc.collect()
    assert gone() is None
    thread.join(SOON)
    assert waited == ["acknowledged"]


def resources():
    """How many descriptors and threads the process has."""
    return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))


def settled(before):
    """Waits until there are no more of them than before."""
    gc.collect()
    eventually(lambda: all(now <= then for now, then in zip(resources(), before, strict=True)))


@pytest.mark.parametrize("end", ["close", "drop"])
@pytest.mark.parametrize("where", ["online", "nowhere"])
def test_a_thousand_clients_leave_no_thread_and_no_descriptor(broker, connect, end, where):
    connect().close()
    settled_before = resources()
    url = broker.url if where == "online" else "mqtt://127.0.0.1:1"
    for number in range(250):
        client = leveret.Client(url, on_message=repr, close_timeout=0.05, **FAST)
        receipt = client.publish("a", "x", qos=0)
        if where == "online" and number % 10 == 0:
            receipt.wait(timeout=SOON)
        if end == "close":
            client.close(timeout=0)
        del client
    settled(settled_before)


def test_a_thousand_asyncio_clients_leave_no_descriptor_and_no_memory():
    done = program("""
        import asyncio, gc, os, pathlib, leveret
        from leveret.testing import Broker

        async def turn(url, number):
            client = leveret.AsyncClient(url)
            client.on("a")(lambda message: client.publish("b"))
            if number % 10 == 0:
                await client.publish("a", "x")
            if number % 2:
                await client.close(timeout=0)

        async def main(url, count):
            for number in range(count):
                await turn(url, number)
                gc.collect(0)
            gc.collect()

        def size():
            return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

        with Broker() as broker:
            asyncio.run(main(broker.url, 200))
            before = size(), len(os.listdir("/proc/self/fd"))
            asyncio.run(main(broker.url, 1000))
            # What the closed loop still held is garbage, and the last sockets are closed in the background;
            # one that stays ends this by the test's own limit.
            while broker.connections or len(os.listdir("/proc/self/fd")) > before[1] + 2:
                gc.collect()
            after = size(), len(os.listdir("/proc/self/fd"))
        # A client that stays costs more than the 8 KiB that each may leave here; fragments of the heap come and go with the load.
        assert after[0] <= before[0] + (8 << 20), (before, after)
        print("end")
    """)
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


def test_many_receipts_leave_no_memory():
    done = program("""
        import os, pathlib, leveret
        from leveret.testing import Broker

        def size():
            return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

        client = leveret.Client("mqtt://127.0.0.1:1", max_queued_messages=1000)

        def publish(count):
            for number in range(count):
                receipt = client.publish("a", b"x" * 100)
                if number % 3 == 0:
                    receipt.outcome
                if number % 1000 == 0:
                    client.cancel(receipt)

        publish(5_000)
        before = size()
        publish(30_000)
        assert size() <= before + (4 << 20), (before, size())
        print("end")
    """)
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")
