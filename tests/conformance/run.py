"""Plays the scenarios through one agent per language and prints a table of scenario and language; see PROTOCOL.md."""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import itertools
import os
import pathlib
import re
import selectors
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

import peer
import table
import wire

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REPLY_TIMEOUT = 60.0
#: How long the scripted peer waits for a packet.
PEER_TIMEOUT = 10.0
#: Runs side by side: a scenario mostly waits, and each run has an agent and a broker of its own.
AT_ONCE = 8
UNQUOTED = "-._~/:,=+$#"


# --- what a scenario file says ------------------------------------------------------------------------------------


@dataclass
class Step:
    where: str
    request: list[str]
    expected: list[str]


@dataclass
class Scenario:
    name: str
    brokers: list[str] = field(default_factory=lambda: ["embedded"])
    matrix: dict[str, list[str]] = field(default_factory=dict)
    #: Languages in which it cannot be said, with the reason.
    without: dict[str, str] = field(default_factory=dict)
    #: Rows of the table that it shows without naming them in a request or an answer.
    covers: list[list[str]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def cells(self):
        """Every combination of broker and matrix values, with the variables it sets."""
        for broker in self.brokers:
            for values in itertools.product(*self.matrix.values()):
                variables: dict[str, str] = {}
                for keys, value in zip(self.matrix, values, strict=True):
                    # `matrix qos,answer=1/PUBACK,2/PUBREC` moves two variables together.
                    together = keys.split(",")
                    variables |= zip(together, value.split("/") if len(together) > 1 else [value], strict=True)
                yield broker, variables


def read_scenarios(folder: pathlib.Path) -> list[Scenario]:
    scenarios: list[Scenario] = []
    for path in sorted(folder.glob("*.txt")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            request, _, expected = line.partition(" => ")
            words = shlex.split(request)
            if words[0] == "scenario":
                scenarios.append(Scenario(words[1]))
            elif words[0] == "broker":
                scenarios[-1].brokers = words[1:]
            elif words[0] == "without":
                scenarios[-1].without[words[1]] = words[2]
            elif words[0] == "covers":
                scenarios[-1].covers.append(words[1:])
            elif words[0] == "matrix":
                for word in words[1:]:
                    key, _, values = word.partition("=")
                    scenarios[-1].matrix[key] = values.split(",")
            else:
                step = Step(f"{path.name}:{number}", words, shlex.split(expected) or ["ok"])
                scenarios[-1].steps.append(step)
    return scenarios


# --- the two kinds of broker a scenario runs against ----------------------------------------------------------------


class Embedded:
    """The test broker inside the agent's own process, made and moved through its language's own binding."""

    def __init__(self, agent: "Agent"):
        self.agent = agent
        self.url = agent.ask(["broker_new", "broker=broker"])[1][0][1]

    def start(self):
        self.agent.ask(["broker_start", "broker=broker"])

    def stop(self):
        self.agent.ask(["broker_stop", "broker=broker"])

    def close(self):
        if self.agent.alive():
            self.agent.ask(["broker_close", "broker=broker"])

    def play(self, verb: str, words: list[str]) -> tuple[str, wire.Pairs] | None:
        """Does what a scenario says of the broker in turn; None if `verb` is not about a broker."""
        if verb not in ("start", "stop", "restart"):
            return None
        if verb != "start":
            self.stop()
        if verb != "stop":
            self.start()
        return "ok", []


class Scripted:
    """A peer that does what the scenario says, packet by packet."""

    def __init__(self, agent: "Agent"):
        del agent
        self.peer = peer.Peer()
        self.url = self.peer.url

    def close(self):
        self.peer.close()

    def play(self, verb: str, words: list[str]) -> tuple[str, wire.Pairs] | None:
        if verb not in ("expect", "expect_end", "accept", "send", "send_raw", "hang_up"):
            return None
        fields = [tuple(word.split("=", 1)) for word in words if "=" in word]
        timeout = float(dict(fields).get("timeout", PEER_TIMEOUT * 1000)) / 1000
        try:
            if verb == "expect":
                return "ok", self.peer.expect(words[0], timeout)
            if verb == "accept":
                # The usual beginning: whatever CONNECT says, and yes to it.
                self.peer.expect("CONNECT", timeout)
                self.peer.send("CONNACK", fields)
            elif verb == "expect_end":
                self.peer.expect_end(timeout)
            elif verb == "send":
                self.peer.send(words[0], fields)
            elif verb == "send_raw":
                self.peer.send_raw(bytes.fromhex(words[0]))
            else:
                self.peer.hang_up()
        except (peer.Surprise, wire.Malformed, OSError) as error:
            return "surprise", [("text", str(error))]
        return "ok", []


class Mosquitto:
    """A real mosquitto on a free loopback port that keeps its sessions over a restart."""

    def __init__(self, agent: "Agent"):
        del agent
        self.folder = tempfile.TemporaryDirectory(prefix="leveret-mosquitto-")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        os.chmod(self.folder.name, 0o777)
        self.configuration = pathlib.Path(self.folder.name, "mosquitto.conf")
        self.configuration.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {self.folder.name}/\n"
            "autosave_interval 1\nautosave_on_changes true\n"
        )
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self.process: subprocess.Popen | None = None
        self.start()

    @staticmethod
    def program() -> str | None:
        return shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")

    def start(self):
        self.process = subprocess.Popen(
            [self.program(), "-c", str(self.configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.02)  # between two tries to connect; the connection is what is waited for

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def close(self):
        self.stop()
        self.folder.cleanup()

    play = Embedded.play


BROKERS = {"embedded": Embedded, "mosquitto": Mosquitto, "scripted": Scripted}


# --- one agent ------------------------------------------------------------------------------------------------------


class AgentDied(Exception):
    """The agent ended or did not answer in time: always a failure of the language under test."""


class Agent:
    """A running agent: one request, one reply."""

    def __init__(self, command: list[str], environment: dict[str, str]):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, **environment}
        )
        self.buffer = b""
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def alive(self) -> bool:
        return self.process.poll() is None

    def ask(self, request: list[str]) -> tuple[str, wire.Pairs]:
        self.begin(request)
        return self.reply()

    def begin(self, request: list[str]) -> None:
        """Sends a request whose reply is read later."""
        line = " ".join(quote(word, safe=UNQUOTED) for word in request) + "\n"
        try:
            self.process.stdin.write(line.encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            raise AgentDied(f"the agent ended with status {self.process.wait(10)}") from None

    def reply(self) -> tuple[str, wire.Pairs]:
        words = self.read_line().split(" ")
        pairs = [tuple(map(unquote, word.split("=", 1))) for word in words[1:] if "=" in word]
        return words[0], pairs

    def read_line(self) -> str:
        deadline = time.monotonic() + REPLY_TIMEOUT
        while b"\n" not in self.buffer:
            if not self.selector.select(max(0.0, deadline - time.monotonic())):
                raise AgentDied(f"no answer within {REPLY_TIMEOUT:.0f} s")
            chunk = os.read(self.process.stdout.fileno(), 1 << 16)
            if not chunk:
                raise AgentDied(f"the agent ended with status {self.process.wait(10)}")
            self.buffer += chunk
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.decode()

    def end(self) -> int:
        """Closes the agent's input; it must then end by itself, with status 0."""
        self.process.stdin.close()
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return -1
        finally:
            self.selector.close()
            self.process.stdout.close()


# --- playing and judging --------------------------------------------------------------------------------------------


def mismatch(expected: list[str], kind: str, pairs: list[tuple[str, str]]) -> str | None:
    """Why the reply is not what was expected; None if it is."""
    if kind != expected[0]:
        return f"the reply is {kind} {dict(pairs)}"
    wanted: dict[str, list[tuple[str, str]]] = {}
    for word in expected[1:]:
        key, operator, value = re.fullmatch(r"(\w+)([=~>])(.*)", word, re.DOTALL).groups()
        if key == "absent":
            if any(name == value for name, _ in pairs):
                return f"{value} occurs in {pairs}"
            continue
        wanted.setdefault(key, []).append((operator, value))
    for key, tests in wanted.items():
        got = [value for name, value in pairs if name == key]
        if len(got) != len(tests):
            return f"{key} occurs {len(got)} times in {pairs}, expected {len(tests)}"
        for (operator, value), actual in zip(tests, got, strict=True):
            good = {
                "=": lambda: actual == value,
                "~": lambda: re.search(value, actual) is not None,
                ">": lambda: float(actual) > float(value),
            }[operator]()
            if not good:
                return f"{key} is {actual!r}, expected {operator} {value!r}"
    return None


def play(scenario: Scenario, broker_kind: str, variables: dict[str, str], agent: Agent) -> str | None:
    """Plays one cell; returns what went wrong, or None."""
    broker = BROKERS[broker_kind](agent)
    variables = {**variables, "url": broker.url, "address": broker.url.rpartition("/")[2], "kilobyte": 1024 * "k"}

    def fill(word: str) -> str:
        return re.sub(r"\$(\w+)", lambda match: variables.get(match[1], match[0]), word)

    try:
        for step in scenario.steps:
            request = [fill(word) for word in step.request]
            if request[0] == "begin":
                agent.begin(request[1:])
                continue
            if request[0] == "reply":
                answer = agent.reply()
            else:
                answer = broker.play(request[0], request[1:]) or agent.ask(request)
            problem = mismatch([fill(word) for word in step.expected], *answer)
            if problem:
                return f"{step.where}: {' '.join(request)[:200]}: {problem}"
        return None
    finally:
        broker.close()


def run_cell(scenario, broker_kind, variables, command, environment) -> str | None:
    agent = Agent(command, environment)
    try:
        problem = play(scenario, broker_kind, variables, agent)
    except AgentDied as died:
        problem = str(died)
    status = agent.end()
    if problem is None and status != 0:
        problem = f"the agent ended with status {status}"
    return problem


def agents() -> dict[str, tuple[list[str], dict[str, str]]]:
    """How each language's agent is started; tests/scripts build them."""
    python = os.environ.get("LEVERET_PYTHON", sys.executable)
    node = os.environ.get("LEVERET_NODE", "node")
    built = pathlib.Path(os.environ.get("LEVERET_AGENTS", ROOT / "target" / "agents"))
    return {
        "rust": ([str(built / "agent-rust")], {}),
        "c": ([str(built / "agent-c")], {}),
        "python": ([python, str(HERE / "agents" / "agent.py")], {}),
        "python_async": ([python, str(HERE / "agents" / "agent_async.py")], {}),
        "node": ([node, str(HERE / "agents" / "agent.mjs")], {}),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", default=",".join(agents()), help="comma-separated; default: all")
    parser.add_argument("--scenario", default="", help="only scenarios whose name contains this")
    parser.add_argument("--broker", default=",".join(BROKERS), help="comma-separated kinds")
    arguments = parser.parse_args()
    languages = arguments.language.split(",")
    brokers = arguments.broker.split(",")
    if "mosquitto" in brokers and Mosquitto.program() is None:
        print("skipped: everything against mosquitto, because no program named mosquitto is installed here")
        brokers.remove("mosquitto")
    scenarios = [each for each in read_scenarios(HERE / "scenarios") if arguments.scenario in each.name]
    passed, failures = 0, []
    shown = {language: collections.Counter() for language in languages}
    reasons: set[str] = set()
    width = max((len(each.name) for each in scenarios), default=0) + 28
    print(f"{'':{width}} {' '.join(f'{language:12}' for language in languages)}")
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        cells = []
        for scenario in scenarios:
            for broker, variables in scenario.cells():
                if broker not in brokers:
                    continue
                there = [language for language in languages if language not in scenario.without]
                runs = {each: pool.submit(run_cell, scenario, broker, variables, *agents()[each]) for each in there}
                cells.append((scenario, " ".join([scenario.name, broker, *(f"{k}={v}" for k, v in variables.items())]), runs))
        for scenario, name, runs in cells:
            marks = []
            for language in languages:
                if language not in runs:
                    reasons.add(f"{language}: {scenario.name}: not there: {scenario.without[language]}")
                    marks.append("-")
                    continue
                problem = runs[language].result()
                marks.append("ok" if problem is None else "FAILED")
                if problem is None:
                    passed += 1
                    shown[language].update(table.shown(scenario))
                else:
                    failures.append(f"{language}: {name}: {problem}")
            print(f"{name:{width}} {' '.join(f'{mark:12}' for mark in marks)}", flush=True)
    for reason in sorted(reasons):
        print(reason)
    # Of a selection no table can be asked for.
    if not arguments.scenario and arguments.language == parser.get_default("language"):
        failures += table.printed(shown, languages)
    for failure in failures:
        print(failure)
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
