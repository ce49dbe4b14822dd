"""The end of the interpreter with clients still open: at once, with the program's own exit code, and without a word."""

import concurrent.futures

import pytest
from support import program

BEGIN = """
import asyncio, os, sys, threading, leveret
from leveret.testing import Broker

broker = Broker()
"""

ENDS = {
    "online": """
        client = leveret.Client(broker.url)
        client.subscribe("a", lambda message: None)
        client.publish("a").wait(timeout=20)
    """,
    "offline": """
        client = leveret.Client("mqtt://127.0.0.1:1")
        client.publish("a", "waits for an hour")
    """,
    "several": """
        clients = [leveret.Client(broker.url) for _ in range(10)]
        clients[0].wait_for("online", timeout=20)
    """,
    "while handlers run": """
        client = leveret.Client(broker.url)
        begun = threading.Event()
        def handler(message):
            begun.set()
            client.publish("a", "again")
        client.subscribe("a", handler)
        client.publish_many([("a", "x")] * 100)
        begun.wait()
    """,
    "while a handler does not end": """
        client = leveret.Client(broker.url)
        begun = threading.Event()
        client.subscribe("a", lambda message: (begun.set(), threading.Event().wait()))
        client.publish("a")
        begun.wait()
    """,
    "while daemon threads wait": """
        client = leveret.Client("mqtt://127.0.0.1:1", max_queued_messages=5)
        receipt = client.publish("a")
        waits = [receipt.wait, client.flush, lambda: list(client.messages), lambda: client.subscribe("a")]
        begun = threading.Barrier(len(waits) + 1)
        def run(wait):
            begun.wait()
            while True:
                try:
                    wait()
                except leveret.MqttError:
                    pass
        for wait in waits:
            threading.Thread(target=run, args=(wait,), daemon=True).start()
        begun.wait()
    """,
    "while daemon threads publish": """
        client = leveret.Client(broker.url, max_queued_messages=100)
        client.wait_for("online", timeout=20)
        begun = threading.Barrier(4)
        def run():
            begun.wait()
            while True:
                try:
                    client.publish("a", b"x" * 100)
                except leveret.MqttError:
                    pass
        for _ in range(3):
            threading.Thread(target=run, daemon=True).start()
        begun.wait()
        broker.wait_received(100, timeout=20)
    """,
    "asyncio": """
        clients = []
        async def main():
            clients.append(leveret.AsyncClient(broker.url))
            await clients[0].subscribe("a", lambda message: None)
            await clients[0].publish("a")
        asyncio.run(main())
    """,
    "asyncio within a wait": """
        async def main():
            client = leveret.AsyncClient("mqtt://127.0.0.1:1")
            waiting = asyncio.ensure_future(client.publish("a").wait())
            reading = asyncio.ensure_future(client.messages.get())
            await asyncio.sleep(0)
        asyncio.run(main())
    """,
    "asyncio within a handler": """
        async def main():
            client = leveret.AsyncClient(broker.url)
            begun = asyncio.Event()
            async def handler(message):
                begun.set()
                await asyncio.Event().wait()
            await client.subscribe("a", handler)
            client.publish("a")
            await begun.wait()
        asyncio.run(main())
    """,
    "after shutdown": """
        client = leveret.Client(broker.url)
        client.wait_for("online", timeout=20)
        leveret.shutdown()
        client.wait_for("closed", timeout=20)
    """,
    "in a cycle": """
        class Device:
            def __init__(self):
                self.client = leveret.Client(broker.url, on_message=self.handle)
                self.client.wait_for("online", timeout=20)
            def handle(self, message):
                self.client.publish("a")
            def __del__(self):
                self.client.close()
        device = Device()
    """,
}


@pytest.mark.parametrize("end", ENDS)
def test_exit_is_quiet(end):
    text = BEGIN + "\n".join(line[8:] for line in ENDS[end].splitlines()) + "\nprint('end')\n"
    with concurrent.futures.ThreadPoolExecutor(2) as several:
        for done in several.map(program, [text] * 2):
            assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


@pytest.mark.parametrize(("end", "code"), [("sys.exit(7)", 7), ("os._exit(8)", 8), ("raise ValueError('mine')", 1)])
def test_the_exit_code_is_the_programs(end, code):
    done = program(f"""{BEGIN}
client = leveret.Client(broker.url)
client.wait_for("online", timeout=20)
{end}
""")
    assert done.returncode == code
    assert done.stderr == "" or done.stderr.endswith("ValueError: mine\n")


def test_what_a_program_does_at_exit_itself_finds_its_clients_open():
    done = program("""
        import atexit, leveret
        client = leveret.Client("mqtt://127.0.0.1:1")
        atexit.register(lambda: print(client.status, client.publish("a", "y").outcome))
    """)
    assert (done.returncode, done.stdout, done.stderr) == (0, "offline None\n", "")


def test_after_shutdown_new_clients_may_be_made():
    done = program(f"""{BEGIN}
for _ in range(3):
    client = leveret.Client(broker.url)
    print(client.publish("a", "x").wait(timeout=20))
    leveret.shutdown()
    print(client.status)
""")
    assert (done.returncode, done.stdout, done.stderr) == (0, "acknowledged\nclosed\n" * 3, "")
