"""The pytest plugin: a broker for whoever names the fixture `mqtt_broker`."""

import importlib
import pathlib
import subprocess
import sys
import tomllib

from support import environment

PROJECT = pathlib.Path(__file__).parents[1] / "pyproject.toml"


def run(folder, text):
    """Runs a test file with the plugin and nothing else of ours."""
    (folder / "test_it.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers -p no:cacheprovider\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "leveret._pytest", str(folder)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=environment(), cwd=folder, check=False
    )


def test_the_entry_point_names_the_plugin():
    entry = tomllib.loads(PROJECT.read_text())["project"]["entry-points"]["pytest11"]
    assert importlib.import_module(entry["leveret"]).mqtt_broker


def test_each_test_has_a_broker_of_its_own(tmp_path):
    done = run(tmp_path, """
import leveret, pytest

@pytest.mark.parametrize("turn", [1, 2])
def test_one(mqtt_broker, turn):
    with leveret.Client(mqtt_broker.url) as client:
        assert client.publish("a", "x").wait(timeout=20).delivered
    assert len(mqtt_broker.received) == 1
""")
    assert "2 passed" in done.stdout, done.stdout
    assert done.returncode == 0


def test_a_mark_gives_it_options(tmp_path):
    done = run(tmp_path, """
import queue, leveret, pytest

@pytest.mark.mqtt_broker(protocol="3.1.1")
def test_old(mqtt_broker):
    events = queue.Queue()
    with leveret.Client(mqtt_broker.url, on_connection=events.put):
        while (event := events.get(timeout=20)).kind != "online":
            pass
    assert event.version == "3.1.1"

@pytest.mark.mqtt_broker(protokol="3.1.1")
def test_wrong(mqtt_broker):
    pass
""")
    assert "1 passed" in done.stdout and "1 error" in done.stdout, done.stdout
    assert 'the test broker has no option "protokol"' in done.stdout
