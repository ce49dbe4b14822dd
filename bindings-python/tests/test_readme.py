"""The page on PyPI: every block of Python in README.md runs against the test broker, and every name it mentions is there."""

import pathlib
import re
import subprocess
import sys

import pytest
from support import SOON, environment

import leveret
import leveret.options

README = pathlib.Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text(), re.M | re.S)
#: What some of the blocks print, by a line of theirs.
PRINTED = {
    "def tell(message)": {"doors/front/state closed", "acknowledged"},
    "async for message in messages": {"acknowledged", "['doors', 'front', 'state'] b'closed'"},
    "for job in jobs": {"b'sweep'"},
    '@client.serve("doors/front/state")': {"b'closed'"},
    'client.serve("lamp/state"': {"b'on'"},
    'hooks={"pubrec": pubrec}': {"PUBREC 16 {}"},
    "authenticator=authenticator": set(),
    "before_connect=before_connect": {"acknowledged"},
}


def programs():
    return [block for block in BLOCKS if block.startswith("import") and "def test_" not in block]


def test_there_are_blocks_of_every_kind():
    assert len(BLOCKS) == 12
    assert len(programs()) == len(PRINTED) == 8


@pytest.mark.parametrize("number", range(len(programs())))
def test_a_program_of_the_page_runs(broker, number):
    text = programs()[number]
    (expected,) = [printed for line, printed in PRINTED.items() if line in text]
    assert "mqtt://localhost" in text
    command = [sys.executable, "-W", "error", "-c", text.replace("mqtt://localhost", broker.url)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=55, env=environment(), check=False)
    assert (done.returncode, done.stderr) == (0, "")
    # The handler prints on a thread of its own, within the program's lines, and not at all where the client is closed first.
    allowed = [sorted("".join(expected)), sorted("acknowledged")]
    assert sorted(done.stdout.replace("\n", "")) in (allowed if "def tell" in text else allowed[:1])


@pytest.mark.parametrize("block", [block for block in BLOCKS if not block.startswith("import")])
def test_a_fragment_of_the_page_runs(client, monkeypatch, capsys, block):
    monkeypatch.setattr(leveret._handlers, "everywhere", {"status": [], "ping": []})
    exec(compile(block, "README.md", "exec"), {"leveret": leveret, "client": client})
    client.flush(timeout=SOON)
    assert capsys.readouterr().out


@pytest.mark.parametrize("block", [block for block in BLOCKS if "def test_" in block])
def test_a_test_of_the_page_passes(tmp_path, block):
    (tmp_path / "test_page.py").write_text(block)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "leveret._pytest", "-p", "no:cacheprovider", "test_page.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=55, env=environment(), cwd=tmp_path, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_names_of_the_page_are_there():
    # Of the tables only the last column: the others are of other packages.
    text = "\n".join(line.split("|")[-2] if line.startswith("| ") else line for line in README.read_text().splitlines())
    for name in re.findall(r"`(?:client|leveret)\.(\w+)", text):
        assert hasattr(leveret.Client, name) or hasattr(leveret, name) or name in ("client", "handlers", "testing"), name
    for name in re.findall(r"`(\w+(?:Error|Full|Deadlock|Delivered))`", text):
        assert hasattr(leveret, name) or name in ("ValueError", "ImportError"), name
    options = set(leveret.options.ClientOptions.__annotations__) | {"concurrent_handlers", "start"}
    for name in ("max_queued_messages", "max_queued_bytes", "overflow", "manual_ack", "clean_start", "backoff_min", "backoff_max"):
        assert name in options and name in text
