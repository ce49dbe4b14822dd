"""What the tests share: waiting for conditions, running coroutines, running programs of their own."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
import os
import pathlib
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import leveret

#: Longer than anything takes; what takes longer has failed.
SOON = 20.0
#: Options of a client that reconnects fast.
FAST: dict[str, Any] = {"backoff_min": 0.02, "backoff_max": 0.05}
#: Where the package lies, for programs of their own.
PACKAGE = pathlib.Path(__file__).parents[1] / "python"


def eventually(look: Callable[[], Any]) -> Any:
    """Looks again and again until what it sees is true, and returns it."""
    deadline = time.monotonic() + SOON
    while not (seen := look()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.002)  # between two looks
    return seen


async def eventually_async(look: Callable[[], Any]) -> Any:
    """The same on an event loop."""
    deadline = time.monotonic() + SOON
    while not (seen := look()):
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.002)  # between two looks
    return seen


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes the loops of the tests: that of asyncio, or that of the package that LEVERET_TEST_LOOP names."""
    package = importlib.import_module(os.environ.get("LEVERET_TEST_LOOP", "asyncio"))
    made: Callable[[], asyncio.AbstractEventLoop] = package.new_event_loop
    return made


def on_a_loop(test: Callable[..., Any]) -> Callable[..., None]:
    """Runs a test that is a coroutine function on a loop of its own."""

    @functools.wraps(test)
    def run(*arguments: Any, **names: Any) -> None:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(asyncio.wait_for(test(*arguments, **names), 2 * SOON))

    return run


@contextlib.asynccontextmanager
async def connected(url: str, **options: Any) -> AsyncIterator[leveret.AsyncClient]:
    """An asyncio client that reconnects fast and is online."""
    client = leveret.AsyncClient(url, **{**FAST, **options})
    try:
        await client.wait_for("online", timeout=SOON)
        yield client
    finally:
        await client.close(timeout=1)


def environment() -> dict[str, str]:
    """The environment of a program that uses the package."""
    return {**os.environ, "PYTHONPATH": str(PACKAGE), "PYTHONFAULTHANDLER": "1"}


def program(text: str, *arguments: str, within: float = 55, options: Iterable[str] = ()) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end, which is to come within so many seconds."""
    command = [sys.executable, *options, "-W", "error", "-c", textwrap.dedent(text), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=within, env=environment(), check=False)


def signalled(text: str, number: int) -> tuple[int, str, str]:
    """Sends a signal to a program once it has printed `ready`; its exit code and what it then printed."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(text)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment(), **pipes) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            child.send_signal(number)
            said, complained = child.communicate(timeout=SOON)
        finally:
            child.kill()
    return child.returncode, said, complained
