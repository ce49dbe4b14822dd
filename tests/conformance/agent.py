"""A running agent, the small program that speaks for one language: one request, one reply; see PROTOCOL.md."""

from __future__ import annotations

import os
import pathlib
import selectors
import subprocess
import sys
import time
from urllib.parse import quote, unquote

import wire

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REPLY_TIMEOUT = 60.0
UNQUOTED = "-._~/:,=+$#"


class AgentDied(Exception):
    """The agent ended or did not answer in time: always a failure of the language under test."""


class Agent:
    """A running agent: one request, one reply."""

    def __init__(self, command: list[str], environment: dict[str, str]):
        self.command, self.environment = command, environment
        self.begin_life()

    def begin_life(self) -> None:
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, **self.environment}
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

    def die(self) -> None:
        """Ends without a word, as in a power cut, and begins again with nothing."""
        self.process.kill()
        self.process.wait()
        self.forget()
        self.begin_life()

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
            self.forget()

    def forget(self) -> None:
        self.selector.close()
        self.process.stdin.close()
        self.process.stdout.close()


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
