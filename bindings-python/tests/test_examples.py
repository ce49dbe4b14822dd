"""The examples: each runs against the test broker and does what its first line says."""

import contextlib
import importlib.util
import pathlib
import signal
import subprocess
import sys
import urllib.request

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from support import FAST, SOON, environment, eventually

import leveret

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples" / "python"
TESTED = {"quickstart.py", "request_reply.py", "worker.py", "consumers.py", "lifespan.py", "prometheus.py"}


@contextlib.contextmanager
def running(name, *arguments):
    """An example that runs; what it prints afterwards is in `said`."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def ends(process):
    """The exit code, and what it printed since it was last read."""
    said, complained = process.communicate(timeout=SOON)
    assert complained == ""
    return process.returncode, said


def test_no_example_is_left_out():
    assert {path.name for path in EXAMPLES.glob("*.py")} == TESTED


def test_quickstart(broker):
    with running("quickstart.py", broker.url) as process:
        code, said = ends(process)
    assert (code, said.splitlines()) == (0, ["received front closed", "acknowledged"])


def test_request_reply(broker):
    with running("request_reply.py", broker.url) as process:
        assert ends(process) == (0, "ONE TWO\n")


def test_worker(broker, client):
    with running("worker.py", broker.url) as process:
        assert process.stdout.readline() == "ready\n"
        with client.subscription("results/+") as results:
            client.publish_many([("jobs/1", "one"), ("jobs/2", "two")])
            assert [results.get(timeout=SOON).payload for _ in range(2)] == [b"ONE", b"TWO"]
        assert [process.stdout.readline() for _ in range(2)] == ["done 1 ONE\n", "done 2 TWO\n"]
        process.send_signal(signal.SIGTERM)
        assert ends(process) == (0, "stopped\n")


def test_a_worker_that_is_killed_leaves_its_jobs_to_the_next(broker, client):
    with running("worker.py", broker.url) as process:
        assert process.stdout.readline() == "ready\n"
    eventually(lambda: broker.connections == 1)
    client.publish("jobs/1", "one").wait(timeout=SOON)
    with running("worker.py", broker.url) as process:
        said = {process.stdout.readline() for _ in range(2)}
        assert said == {"ready\n", "done 1 ONE\n"}


def test_consumers(broker, client):
    letters = [
        ("doors/front/state", "open"), ("rooms/attic/humidity", "61.5"), ("alarms/fire", "attic"),
        ("rooms/attic/temperature", "18"), ("doors/front/state", "closed"),
    ]
    with running("consumers.py", broker.url) as process:
        assert process.stdout.readline() == "ready\n"
        client.publish_many(letters)
        said = sorted(process.stdout.readline() for _ in letters)
        client.publish("stop")
        assert ends(process) == (0, "")
    assert said == [
        "alarm acknowledged\n", "attic humidity 61.5\n", "attic temperature 18.0\n",
        "door front closed\n", "door front open\n",
    ]


def test_lifespan(broker, client):
    with running("lifespan.py", broker.url) as process, client.subscription("service/state") as states:
        assert process.stdout.readline() == "{'outcome': 'acknowledged', 'sure': True}\n"
        assert states.get(timeout=SOON).payload == b"here"
        client.publish("rooms/attic/temperature", "18")
        assert process.stdout.readline() == "temperatures {'attic': 18.0}\n"
        process.send_signal(signal.SIGTERM)
        assert states.get(timeout=SOON).payload == b"stopped"
        assert ends(process) == (0, "stopped\n")


def scrape(url):
    """Every sample by its name and labels."""
    with urllib.request.urlopen(url, timeout=SOON) as answer:
        text = answer.read().decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, *(f"{key}={value}" for key, value in sorted(sample.labels.items()))): sample.value for sample in samples}


def test_prometheus_as_a_program(broker):
    with running("prometheus.py", broker.url, "0") as process:
        url = process.stdout.readline().strip()
        figures = scrape(url)
        assert figures["leveret_letters_total", "client=sensor", "outcome=acknowledged"] >= 1
        assert figures["leveret_online", "client=display"] == 1
        eventually(lambda: scrape(url)["leveret_received_messages_total", "client=display", "qos=1"] >= 2)
        process.send_signal(signal.SIGTERM)
        assert ends(process) == (0, "")


@pytest.fixture
def exporter(monkeypatch):
    """The module of the example, and an exporter that serves on a free port."""
    monkeypatch.setitem(leveret._handlers.everywhere, "ping", [])
    spec = importlib.util.spec_from_file_location("prometheus_example", EXAMPLES / "prometheus.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.Exporter()
    REGISTRY.register(made)
    server, _ = module.start_http_server(0, addr="127.0.0.1")
    made.url = f"http://127.0.0.1:{server.server_port}/metrics"
    yield made
    server.shutdown()
    server.server_close()
    REGISTRY.unregister(made)
    REGISTRY.unregister(module.ROUND_TRIP)


def test_prometheus_tells_the_real_figures_of_several_clients(exporter, connect, broker):
    one, two = connect(max_queued_messages=10), leveret.Client("mqtt://127.0.0.1:1", **FAST)
    exporter.add("one", one)
    exporter.add("two", two)
    one.subscribe("a", lambda message: None, qos=2)
    for qos in (0, 1, 2, 1):
        one.publish("a", b"x" * 100, qos=qos).wait(timeout=SOON)
    for _ in range(3):
        one.ping(timeout=SOON)
    for number in range(7):
        two.publish("a", str(number))
    assert two.publish("a", ttl=0.001).wait(timeout=SOON) == "expired"
    assert two.cancel(two.publish("a"))
    eventually(lambda: one.stats().messages_in == [1, 2, 1] and two.stats().failed_attempts > 0)
    broker.disconnect_clients()
    eventually(lambda: one.stats().reconnects == 1 and one.status == "online")
    figures = scrape(exporter.url)

    def of(client, name, *labels):
        return figures[(name, f"client={client}", *labels)]

    assert (of("one", "leveret_online"), of("two", "leveret_online")) == (1, 0)
    assert of("one", "leveret_letters_total", "outcome=acknowledged") == 3
    assert of("one", "leveret_letters_total", "outcome=sent") == 1
    assert of("two", "leveret_letters_total", "outcome=expired") == 1
    assert of("two", "leveret_letters_total", "outcome=cancelled") == 1
    assert (of("one", "leveret_queued_letters"), of("two", "leveret_queued_letters")) == (0, 7)
    assert of("two", "leveret_queued_bytes") == two.stats().queued_bytes > 0
    assert 0 < of("two", "leveret_oldest_letter_seconds") < 2 * SOON
    assert of("one", "leveret_oldest_letter_seconds") == 0
    assert [of("one", "leveret_received_messages_total", f"qos={qos}") for qos in range(3)] == [1, 2, 1]
    assert [of("one", "leveret_sent_messages_total", f"qos={qos}") for qos in range(3)] == [1, 2, 1]
    assert of("one", "leveret_sent_bytes_total") > 400
    assert of("one", "leveret_received_bytes_total") > 400
    assert (of("one", "leveret_reconnects_total"), of("two", "leveret_reconnects_total")) == (1, 0)
    assert of("two", "leveret_failed_attempts_total") >= 1
    assert of("one", "leveret_ping_seconds_count") == 3
    assert of("one", "leveret_ping_seconds_sum") > 0
    for name in ("in_flight_letters", "in_flight_bytes", "inbox_dropped_total", "handler_failures_total"):
        assert of("one", f"leveret_{name}") == 0

    # A client that is let go of leaves.
    two.close(timeout=0)
    del two
    eventually(lambda: ("leveret_online", "client=two") not in scrape(exporter.url))


def test_prometheus_leaves_out_no_figure(connect):
    source = (EXAMPLES / "prometheus.py").read_text()
    figures = set(leveret.Stats.__annotations__)
    exported = {name for name in figures if f'("{name}", ' in source or f"figures.{name}" in source}
    # The reason is words, and pings are a histogram.
    assert figures - exported == {"last_error", "round_trip"}
    assert set(vars(connect().stats())) == figures
