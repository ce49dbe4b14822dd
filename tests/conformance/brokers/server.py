"""A real broker as processes of our own on loopback: started, stopped, started again with its state, and ended without a trace."""

from __future__ import annotations

import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import time

import wire
from brokers.transports import SECURE, certificates, secure
from scenario import MOVES
from tap import Tap

ROOT = pathlib.Path(__file__).resolve().parents[3]
#: Everything that is installed or kept for real brokers, unless it comes from the package manager.
INTEROP = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "interop"
#: Programs that belong to the system are not on everybody's PATH.
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
START_TIMEOUT = 60.0
STOP_TIMEOUT = 30.0


class Server:
    """One broker with a data directory of its own. A subclass says how it is found, configured and started."""

    name = ""
    #: Whether one starts in no time, so that each run may have one of its own.
    light = False
    #: Arguments of `connect` without which this broker lets nobody in.
    login: tuple[str, ...] = ()
    #: The ways to it, by the names of transports.py.
    transports: tuple[str, ...] = ("tcp",)

    @classmethod
    def version(cls) -> str | None:
        """The version of the broker that is installed; None if none is."""
        raise NotImplementedError

    def configure(self) -> None:
        """Writes what the broker reads at its start."""

    def commands(self) -> list[list[str]]:
        """What is to run, the broker last."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {}

    @classmethod
    def offers(cls, variables: dict[str, str]) -> bool:
        """Whether the way to it that a cell of a scenario wants is there."""
        return variables.get("transport", "tcp") in cls.transports

    def ports(self) -> list[int]:
        """Where MQTT is spoken."""
        return [self.port]

    def url(self, variables: dict[str, str]) -> str:
        """Where the version of MQTT and the transport that a cell wants are spoken."""
        return f"mqtt://127.0.0.1:{self.port}"

    def way(self, variables: dict[str, str]) -> tuple[str, ...]:
        """The arguments of `connect` that go with that address."""
        transport = variables.get("transport", "tcp")
        if transport not in SECURE:
            return self.login
        files = certificates(INTEROP / "certificates")
        return self.login + secure(transport, *(files[name].read_text() for name in ("ca.pem", "client.pem", "client.key")))

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = INTEROP / "data" / f"{self.name}-{self.port}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.processes: list[subprocess.Popen] = []
        self.configure()
        self.start()

    def alive(self) -> bool:
        return bool(self.processes) and all(each.poll() is None for each in self.processes)

    def start(self) -> None:
        environment = {**os.environ, "PATH": PATH, **self.environment()}
        with open(self.folder / "log.txt", "ab") as log:
            for command in self.commands():
                # A session of its own: what it starts can be ended with it, and an interrupt from the terminal passes it by.
                self.processes.append(
                    subprocess.Popen(
                        command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                    )
                )
        deadline = time.monotonic() + START_TIMEOUT
        for port in self.ports():
            while not listening(port):
                if not self.alive() or time.monotonic() > deadline:
                    raise RuntimeError(f"{self.name} did not start; its last words:\n{self.last_words()}")
                time.sleep(0.02)  # between two tries to connect; the connection is what is waited for

    def stop(self) -> None:
        """Ends it as an administrator would, the broker first, so that it keeps what it is to keep."""
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                pass
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        self.processes = []

    def close(self, log: pathlib.Path | None = None) -> None:
        """Ends it and removes all that it wrote, but for its log if that is wanted."""
        self.stop()
        if log:
            shutil.copyfile(self.folder / "log.txt", log)
        shutil.rmtree(self.folder, ignore_errors=True)

    def last_words(self) -> str:
        return "\n".join((self.folder / "log.txt").read_text(errors="replace").splitlines()[-20:])

    def play(self, verb: str, words: list[str]) -> tuple[str, wire.Pairs] | None:
        del words
        return moved(self, verb)


class Borrowed:
    """A server that several runs use, one after the other or at once; it is left running as it was found.

    With a `record`, everything between it and the run goes through a tap that writes this file.
    """

    def __init__(self, server: Server, record: pathlib.Path | None):
        self.server, self.record = server, record
        self.play, self.way = server.play, server.way
        self.tap: Tap | None = None

    def url(self, variables: dict[str, str]) -> str:
        url = self.server.url(variables)
        if self.record:
            self.tap = Tap(url, self.record)
        return self.tap.url if self.tap else url

    def close(self) -> None:
        if self.tap:
            self.tap.close()
        if not self.server.alive():
            self.server.stop()
            self.server.start()


def moved(broker, verb: str) -> tuple[str, wire.Pairs] | None:
    """Does what a scenario says of the broker in turn; None if `verb` is not about that."""
    if verb not in MOVES:
        return None
    if verb != "start":
        broker.stop()
    if verb != "stop":
        broker.start()
    return "ok", []


def free_port() -> int:
    """One that stays free until its broker listens there, and while it is down: not of the range from which connections get theirs."""
    for _ in range(1000):
        port = random.randrange(10_000, 32_000)
        if port in _taken:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _taken.add(port)
        return port
    raise RuntimeError("no port is free")


#: Those given out in this run.
_taken: set[int] = set()


def listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def program(name: str) -> str | None:
    return shutil.which(name, path=PATH)


def first_line(command: list[str]) -> str:
    """What a program says first of itself."""
    run = subprocess.run(command, capture_output=True, text=True, timeout=30)
    return (run.stdout + run.stderr).splitlines()[0]
