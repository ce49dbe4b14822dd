"""Real proxies as processes of our own on loopback, with a user and a password; tests/scripts/broker.sh installs them."""

from __future__ import annotations

import time

import wire
from brokers.server import Server, program

USER, PASSWORD = "user", "secret"


class Proxy(Server):
    """Between a client and its broker. `$proxy` is its address for scenarios, user and password included."""

    light = True
    scheme = ""

    @classmethod
    def version(cls) -> str | None:
        return "unknown" if program(cls.name) else None

    def address(self, password: str = PASSWORD) -> str:
        return f"{self.scheme}://{USER}:{password}@127.0.0.1:{self.port}"

    def play(self, verb: str, words: list[str]) -> tuple[str, wire.Pairs] | None:
        """`proxied URL`: the connection to the broker of that address went through it, as its log says."""
        if verb != "proxied":
            return None
        wanted = words[0].split("://")[1].split("/")[0]
        deadline = time.monotonic() + 5
        while wanted not in (said := (self.folder / "log.txt").read_text(errors="replace")):
            if time.monotonic() > deadline:
                return "surprise", [("text", f"nothing of {wanted} in {said[-500:]}")]
            time.sleep(0.02)  # between two looks at the log
        return "ok", []


class Tinyproxy(Proxy):
    """HTTP CONNECT with basic authentication."""

    name = "tinyproxy"
    scheme = "http"

    def configure(self) -> None:
        (self.folder / "tinyproxy.conf").write_text(
            f"Port {self.port}\nListen 127.0.0.1\nAllow 127.0.0.1\nBasicAuth {USER} {PASSWORD}\nMaxClients 20\nLogLevel Connect\n"
        )

    def commands(self) -> list[list[str]]:
        return [[program("tinyproxy"), "-d", "-c", "tinyproxy.conf"]]


class Microsocks(Proxy):
    """SOCKS5 with user and password."""

    name = "microsocks"
    scheme = "socks5"

    def commands(self) -> list[list[str]]:
        return [[program("microsocks"), "-i", "127.0.0.1", "-p", str(self.port), "-u", USER, "-P", PASSWORD]]
