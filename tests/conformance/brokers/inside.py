"""The two brokers that are made for one run alone: the embedded test broker, and a peer that follows the scenario."""

from __future__ import annotations

import pathlib
import tempfile

import peer
import wire
from agent import Agent
from brokers.server import moved
from brokers.transports import EMBEDDED, SECURE, secure

#: How long the scripted peer waits for a packet.
PEER_TIMEOUT = 10.0


class Embedded:
    """The test broker inside the agent's own process, made and moved through its language's own binding."""

    def __init__(self, agent: Agent, variables: dict[str, str]):
        self.agent = agent
        transport = variables.get("transport", "tcp")
        told = dict(agent.ask(["broker_new", "broker=broker", *EMBEDDED[transport]])[1])
        self.address = told["url"]
        ca, certificate, key = (told.get(name, "") for name in ("ca_pem", "client_cert_pem", "client_key_pem"))
        self.element = tempfile.TemporaryDirectory() if transport in ("signed12", "signed13") else None
        if self.element:
            file = pathlib.Path(self.element.name) / "key.pem"
            file.write_text(key)
            key = str(file)
        self.login = secure(transport, ca, certificate, key) if transport in SECURE else ()

    @classmethod
    def offers(cls, variables: dict[str, str]) -> bool:
        return True

    def url(self, variables: dict[str, str]) -> str:
        return self.address

    def way(self, variables: dict[str, str]) -> tuple[str, ...]:
        return self.login

    def start(self):
        self.agent.ask(["broker_start", "broker=broker"])

    def stop(self):
        self.agent.ask(["broker_stop", "broker=broker"])

    def close(self):
        if self.agent.alive():
            self.agent.ask(["broker_close", "broker=broker"])
        if self.element:
            self.element.cleanup()

    def play(self, verb: str, words: list[str]) -> tuple[str, wire.Pairs] | None:
        """Does what a scenario says of the broker in turn; None if `verb` is not about a broker."""
        if verb == "show_certificate":
            return self.agent.ask(["broker_show_certificate", "broker=broker", f"certificate={words[0]}"])
        return moved(self, verb)


class Scripted:
    """A peer that does what the scenario says, packet by packet."""

    def __init__(self, agent: Agent, variables: dict[str, str]):
        del agent, variables
        self.peer = peer.Peer()

    @classmethod
    def offers(cls, variables: dict[str, str]) -> bool:
        return "transport" not in variables

    def url(self, variables: dict[str, str]) -> str:
        return self.peer.url

    def way(self, variables: dict[str, str]) -> tuple[str, ...]:
        return ()

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
