"""A good guest: whatever its host does, the library neither harms it nor hangs, prints nothing and leaves nothing behind."""

import gc
import queue
import signal
import threading
import weakref
from typing import Any

import pytest
from support import FAST, SOON, eventually, program, signalled

import leveret

BEGIN = """
import asyncio, gc, os, signal, sys, threading, time, warnings, leveret
from leveret.testing import Broker

warnings.filterwarnings("ignore", ".*fork", DeprecationWarning)  # newer Pythons warn of any fork beside threads

broker = Broker()
"""


def quiet(text, printed="end\n", **limits):
    done = program(BEGIN + text, **limits)
    assert (done.returncode, done.stdout, done.stderr) == (0, printed, "")


# --- handlers that misbehave ---


@pytest.mark.parametrize("failure", [ValueError("x"), SystemExit(3), KeyboardInterrupt(), GeneratorExit(), BaseException("x")])
def test_a_handler_that_raises_anything_harms_nobody(connect, caplog, failure):
    client, other, calls = connect(), connect(), queue.Queue()

    @client.on("a", qos=1)
    def handler(message):
        calls.put(message.payload)
        if message.payload == b"bad":
            raise failure

    client.publish_many([("a", "bad"), ("a", "good")])
    assert [calls.get(timeout=SOON) for _ in range(2)] == [b"bad", b"good"]
    eventually(lambda: client.stats().handler_failures == 1)
    assert other.ping(timeout=SOON) > 0
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [failure]


def test_a_handler_that_sleeps_holds_up_neither_its_pings_nor_letters_nor_other_clients(connect, broker):
    client, other, leave, entered = connect(keep_alive=1, ping_timeout=0.5), connect(), threading.Event(), threading.Event()

    @client.on("a")
    def handler(message):
        entered.set()
        leave.wait(SOON)

    client.publish("a")
    assert entered.wait(SOON)
    pings = client.stats().bytes_in
    assert client.publish("b", "x").wait(timeout=SOON) == "acknowledged"
    assert other.publish("b", "x").wait(timeout=SOON) == "acknowledged"
    eventually(lambda: client.stats().round_trip is not None and client.stats().bytes_in > pings)
    assert (client.status, client.stats().reconnects) == ("online", 0)
    leave.set()


@pytest.mark.parametrize(("end", "code"), [("sys.exit(3)", 0), ("os._exit(8)", 8)])
def test_a_handler_that_exits_ends_no_more_than_it_says(end, code):
    done = program(f"""{BEGIN}
import logging
logging.getLogger("leveret").setLevel(logging.CRITICAL)
client = leveret.Client(broker.url)
entered, again = threading.Event(), threading.Event()
@client.on("a", qos=1)
def handler(message):
    if message.payload:
        again.set()
    else:
        entered.set()
        {end}
client.publish_many([("a", ""), ("a", "x")])
assert entered.wait(20) and again.wait(20)
""")
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


# --- signals ---


def test_a_peer_that_hangs_up_kills_nobody_who_has_not_ignored_sigpipe():
    quiet("""
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
client = leveret.Client(broker.url, backoff_min=0.005, backoff_max=0.01, on_message=lambda message: client.publish("b"))
client.subscribe("a")
stop = threading.Event()
def publish():
    while not stop.is_set():
        client.publish("a", b"x" * 5000, ttl=0.2)
thread = threading.Thread(target=publish)
thread.start()
for _ in range(20):
    client.wait_for("online", timeout=20)
    broker.disconnect_clients()
stop.set()
thread.join()
client.close(timeout=0)
print("end")
""")


BLOCKED = {
    "receipt.wait": 'client.publish("a").wait()',
    "for message in client.messages": "[None for message in client.messages]",
    "for message in a subscription": '[None for message in client.subscription("a")]',
    "flush": 'client.publish("a"); client.flush()',
    "wait_for": 'client.wait_for("online")',
}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
@pytest.mark.parametrize("wait", BLOCKED)
def test_the_hosts_signal_handlers_run_promptly_while_it_waits(wait, number):
    code, said, complained = signalled(f"""
import signal, sys, time, leveret
client = leveret.Client("mqtt://127.0.0.1:1", close_timeout=0)
def handler(number, frame):
    print(number, flush=True)
    raise SystemExit(5)
signal.signal({int(number)}, handler)
print("ready", flush=True)
{BLOCKED[wait]}
""", number)
    assert (code, said, complained) == (5, f"{int(number)}\n", "")


# --- fork ---


def test_fork_before_the_first_use_leaves_both_processes_free_to_use_it():
    quiet("""
url = broker.url
child = os.fork()
with leveret.Client(url) as client:
    outcome = client.publish("a", "x").wait(timeout=20)
if child == 0:
    os._exit(0 if outcome == "acknowledged" else 1)
print(outcome, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""", "acknowledged 0\n")


def test_a_forked_child_can_end_its_parents_iterators_and_subscriptions():
    quiet("""
client = leveret.Client(broker.url)
messages, every = client.subscription("a").__enter__(), client.messages
client.publish("a", "x")
message = messages.get(timeout=20)
child = os.fork()
if child == 0:
    for end in (lambda: list(every), lambda: list(messages), every.close, messages.close):
        assert end() in ([], None)
    for call in (messages.get, every.get, lambda: client.subscription("a")):
        try:
            call()
            os._exit(2)
        except leveret.ClosedError:
            pass
    del messages, every, client
    gc.collect()
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
client.publish("a", "y")
print(message.payload, messages.get(timeout=20).payload)
""", "0\nb'x' b'y'\n")


# --- the end ---

ENDS = {
    "open iterators": """
client = leveret.Client(broker.url)
messages, some = client.messages, client.subscription("a").__enter__()
client.publish("a", "x")
message = some.get(timeout=20)
""",
    "a thread that reads on": """
client = leveret.Client(broker.url)
some = client.subscription("a").__enter__()
begun = threading.Event()
threading.Thread(target=lambda: (begun.set(), list(some)), daemon=True).start()
begun.wait()
""",
    "a client made in a thread that is gone": """
clients = []
thread = threading.Thread(target=lambda: clients.append(leveret.Client(broker.url)))
thread.start()
thread.join()
clients[0].wait_for("online", timeout=20)
""",
    "__del__ at the end of the interpreter": """
class Device:
    def __init__(self):
        self.client = leveret.Client(broker.url)
        self.messages = self.client.subscription("a").__enter__()
        self.receipt = self.client.publish("b", "x")
        self.receipt.wait(timeout=20)
    def __del__(self):
        self.messages.close()
        self.client.close()
        self.receipt.outcome
sys.device = Device()  # outlives every module
del Device
""",
    "an asyncio loop that was left with everything open": """
async def main():
    client = leveret.AsyncClient(broker.url)
    some, every = client.subscription("a"), client.messages
    task = asyncio.ensure_future(some.get())
    client.publish("b", "x")
    await client.wait_for("online", timeout=20)
    sys.kept = client, some, every, task
asyncio.run(main())
""",
    "asyncio.run twice": """
async def main():
    async with leveret.AsyncClient(broker.url) as client, client.subscription("a") as messages:
        client.publish("a", "x")
        await messages.get(timeout=20)
asyncio.run(main())
asyncio.run(main())
""",
}


@pytest.mark.parametrize("end", ENDS)
def test_exit_is_quiet_with(end):
    quiet(ENDS[end] + 'print("end")\n')


# --- import ---


def test_importing_it_again_after_it_was_removed_works_beside_the_old_one():
    quiet("""
old, client = leveret, leveret.Client(broker.url)
for name in [name for name in sys.modules if name.partition(".")[0] == "leveret"]:
    del sys.modules[name]
import leveret
assert leveret is not old and leveret.Client is not old.Client
with leveret.Client(broker.url) as new:
    print(client.publish("a").wait(20), new.publish("a").wait(20))
    try:
        new.publish("#")
    except leveret.ConfigurationError:
        print("its own exceptions")
client.close()
""", "acknowledged acknowledged\nits own exceptions\n")


def test_a_second_interpreter_is_told_in_a_sentence():
    quiet("""
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters
other = interpreters.create()
complaint = None
try:
    complaint = interpreters.run_string(other, "import leveret")
except Exception as error:
    complaint = error
assert "interpreter" in str(complaint), complaint  # newer Pythons refuse before the library can
interpreters.destroy(other)
print(leveret.Client(broker.url).publish("a").wait(20))
""", "acknowledged\n")


# --- what is left behind ---

COUNT = """
# The broker is in this process too: it would keep sessions of clients that had no time to say goodbye, and keeps all letters.
OPTIONS = {"on_message": print, "session_expiry": 0}

def left():
    gc.collect()
    statm = open("/proc/self/statm", "rb", buffering=0)
    pages = int(statm.read().split()[1])
    statm.close()
    return pages * os.sysconf("SC_PAGESIZE"), len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

def cycles(turns):
    turns(1000)
    counts = [left()]
    for _ in range(4):
        turns(2500)
        # The last sockets are closed in the background; one that stays ends this by the test's own limit.
        while any(now > then for now, then in zip(left()[1:], counts[0][1:])):
            time.sleep(0.01)
        counts.append(left())
    # A client that stays costs kilobytes, and shows in every round; the heap's fragments come and go with the load.
    grown = [now[0] - then[0] for then, now in zip(counts, counts[1:])]
    assert min(grown) < 2500 * 200, (grown, counts)
    print("end")
"""


@pytest.mark.timeout(150)
def test_ten_thousand_clients_leave_no_memory_no_thread_and_no_descriptor():
    quiet(f"""{COUNT}
def turns(count):
    for number in range(count):
        client = leveret.Client(broker.url if number % 2 else "mqtt://127.0.0.1:1", **OPTIONS)
        if number % 20 == 1:
            client.wait_for("online", timeout=20)
        elif number % 2 == 0:
            client.publish("a", "x")
        client.close(timeout=0)

cycles(turns)
""", within=140)


@pytest.mark.timeout(150)
def test_ten_thousand_asyncio_clients_leave_no_memory_no_thread_and_no_descriptor():
    quiet(f"""{COUNT}
async def main(count):
    for number in range(count):
        client = leveret.AsyncClient(broker.url, **OPTIONS)
        if number % 20 == 0:
            await client.wait_for("online", timeout=20)
        await client.close(timeout=0)

cycles(lambda count: asyncio.run(main(count)))
""", within=140)


@pytest.mark.timeout(150)
def test_ten_thousand_subscriptions_leave_no_memory_no_thread_and_no_descriptor():
    quiet(f"""{COUNT}
client = leveret.Client(broker.url)
def turns(count):
    for number in range(count):
        messages = client.subscription(f"a/{{number}}")
        if number % 100 == 0:
            client.publish(f"a/{{number}}", "x")
            messages.get(timeout=20)
        messages.close()

cycles(turns)
""", within=140)


def test_descriptors_above_1024_are_descriptors():
    quiet("""
import resource
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
wanted = 2048 if most == resource.RLIM_INFINITY else min(2048, most)
resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
held = [os.open("/dev/null", os.O_RDONLY) for _ in range(1100)] if wanted > 1300 else []
with leveret.Client(broker.url) as client:
    print(client.publish("a").wait(20))
async def main():
    async with leveret.AsyncClient(broker.url) as client:
        print(await client.publish("a"), len(held) == 0 or client._native.descriptor() > 1024)
asyncio.run(main())
""", "acknowledged\nacknowledged True\n")


@pytest.mark.parametrize("kind", ["a handler", "a handler given at construction", "a listener", "an iterator"])
def test_cycles_of_a_client_and_what_it_calls_are_collected(broker, kind):
    class Device:
        def __init__(self):
            given: dict[str, Any] = {"on_message": self.handle} if "construction" in kind else {}
            self.client = leveret.Client(broker.url, **FAST, **given)
            self.client.wait_for("online", timeout=SOON)
            if kind == "a handler":
                self.client.on("a")(self.handle)
            elif kind == "a listener":
                self.client.on_connection(self.handle)
            elif kind == "an iterator":
                self.messages = self.client.subscription("a")

        def handle(self, _):
            self.client.publish("b")

    gone = weakref.ref(Device())
    gc.collect()
    # The thread of the handlers may be calling one just now.
    eventually(lambda: gc.collect() is not None and gone() is None)
    eventually(lambda: broker.connections == 0)


def test_in_developers_mode_with_warnings_as_errors_nothing_is_complained_of():
    text = BEGIN + """
with leveret.Client(broker.url, handlers={"a": repr}) as client:
    client.publish("a", "x").wait(20)
    with client.subscription("b") as messages:
        client.publish("b", "x")
        messages.get(timeout=20)
async def main():
    async with leveret.AsyncClient(broker.url) as client, client.subscription("b") as messages:
        client.publish("b", "x")
        await messages.get(timeout=20)
        client.publish("c")
asyncio.run(main())
left = leveret.Client(broker.url)
"""
    done = program(text, options=["-X", "dev"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
