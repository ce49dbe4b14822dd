"""Forked children: their parent's clients say so and are left alone; clients of their own work."""

import multiprocessing
import subprocess
import sys

import pytest
from support import environment, program

FORK = """
import os, sys, warnings, leveret
from leveret.testing import Broker

warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of any fork beside threads

broker = Broker()
url = broker.url
client = leveret.Client(url, client_id="parent", manual_ack=True)
client.subscribe("a")
messages = client.messages
receipt = client.publish("a", "x")
message = messages.get(timeout=20)
receipt.wait(timeout=20)
waiting = client.publish("b", "y")


def in_child(run):
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        run()
        sys.exit(0)
    _, status = os.waitpid(child, 0)
    print("child", os.waitstatus_to_exitcode(status))
    print("parent", client.publish("a", "still here").wait(timeout=20), broker.connections)
"""


def test_the_parents_client_says_so_in_the_child():
    done = program(FORK + """
def run():
    for call in (
        lambda: client.publish("a"),
        lambda: client.publish_many([("a", "x")]),
        lambda: waiting.wait(),
        lambda: client.subscribe("a", print),
        lambda: client.on("a")(print),
        lambda: client.unsubscribe("a"),
        lambda: client.cancel(waiting),
        lambda: client.explain(waiting),
        lambda: client.flush(),
        lambda: client.drain(),
        lambda: client.ping(),
        lambda: client.start(),
        lambda: client.reconnect(),
        lambda: client.wait_for("offline"),
        lambda: messages.get(),
        lambda: message.ack(),
    ):
        try:
            call()
            print("went on")
        except leveret.ClosedError as error:
            assert error.code == "MQTT_FORKED", error.code
    print(receipt.wait(), message.payload, repr(client) == f"<leveret.Client {url} closed>", len(repr(client.stats())) > 0)

in_child(run)
""")
    assert done.stderr == ""
    assert done.stdout == (
        "acknowledged b'x' True True\nchild 0\nparent acknowledged 1\n"
    )


def test_letting_go_of_the_parents_client_in_the_child_does_nothing():
    done = program(FORK + """
def run():
    global client, messages, message, receipt, waiting, broker
    with client:
        client.close()
    del client, messages, message, receipt, waiting
    broker.close()
    del broker

in_child(run)
""")
    assert (done.stdout, done.stderr) == ("child 0\nparent acknowledged 1\n", "")


def test_a_client_of_the_childs_own_works():
    done = program(FORK + """
def run():
    with leveret.Client(url, client_id="child") as own:
        own.subscribe("c")
        print(own.publish("c", "from the child").wait(timeout=20))
        print(own.messages.get(timeout=20).payload)

for _ in range(3):
    in_child(run)
""")
    assert done.stderr == ""
    assert done.stdout == "acknowledged\nb'from the child'\nchild 0\nparent acknowledged 1\n" * 3


def test_a_child_may_fork_again_and_have_a_broker_of_its_own():
    done = program(FORK + """
def run():
    def again():
        with Broker() as own, leveret.Client(own.url) as client:
            print(client.publish("c").wait(timeout=20))
    child = os.fork()
    if child == 0:
        again()
        sys.exit(0)
    print("grandchild", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    again()

in_child(run)
""")
    assert done.stderr == ""
    assert sorted(done.stdout.splitlines()) == ["acknowledged"] * 2 + ["child 0", "grandchild 0", "parent acknowledged 1"]


def test_forking_while_other_threads_are_busy_leaves_a_child_that_works():
    done = program(FORK + """
import threading
stop = threading.Event()
def work():
    while not stop.is_set():
        client.publish("busy", b"x" * 200)
for _ in range(2):
    threading.Thread(target=work).start()

def run():
    with leveret.Client(url) as own:
        print(own.publish("c", "from the child").wait(timeout=20))

for _ in range(5):
    in_child(run)
stop.set()
""")
    assert done.stderr == ""
    assert done.stdout == "acknowledged\nchild 0\nparent acknowledged 1\n" * 5


def test_asyncio_in_a_child():
    done = program(FORK + """
import asyncio

async def main():
    async with leveret.AsyncClient(url) as own:
        await own.subscribe("c")
        print(await own.publish("c", "from the child"))
        print((await own.messages.get(timeout=20)).payload)

in_child(lambda: asyncio.run(main()))
""")
    assert done.stderr == ""
    assert done.stdout == "acknowledged\nb'from the child'\nchild 0\nparent acknowledged 1\n"


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_multiprocessing(tmp_path, method):
    path = tmp_path / "work.py"
    path.write_text(f"""
import multiprocessing, sys, warnings
import leveret
from leveret.testing import Broker

warnings.simplefilter("ignore", DeprecationWarning)

def work(url, number):
    with leveret.Client(url) as client:
        return str(client.publish("a", str(number)).wait(timeout=20))

if __name__ == "__main__":
    with Broker() as broker, leveret.Client(broker.url) as client:
        client.wait_for("online", timeout=20)
        with multiprocessing.get_context({method!r}).Pool(2) as pool:
            print(pool.starmap(work, [(broker.url, number) for number in range(4)]))
        print(sorted(message.payload for message in broker.received), client.status)
""")
    command = [sys.executable, "-W", "error", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment(), check=False)
    assert done.stderr == ""
    assert done.stdout == f"{['acknowledged'] * 4}\n{[b'0', b'1', b'2', b'3']} online\n"
