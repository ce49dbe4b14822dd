"""The two brokers that are made for one run alone: the embedded test broker, and a peer that follows the scenario."""

from __future__ import annotations

import peer
import wire
from agent import Agent
from brokers.server import moved

#: How long the scripted peer waits for a packet.
PEER_TIMEOUT = 10.0


class Embedded:
    """The test broker inside the agent's own process, made and moved through its language's own binding."""

    login: tuple[str, ...] = ()

    def __init__(self, agent: Agent):
        self.agent = agent
        self.address = agent.ask(["broker_new", "broker=broker"])[1][0][1]

    def url(self, version: str | None) -> str:
        return self.address

    def start(self):
        self.agent.ask(["broker_start", "broker=broker"])

    def stop(self):
        self.agent.ask(["broker_stop", "broker=broker"])

    def close(self):
        if self.agent.alive():
            self.agent.ask(["broker_close", "broker=broker"])

    def play(self, verb: str, words: list[str]) -> tuple[str, wire.Pairs] | None:
        """Does what a scenario says of the broker in turn; None if `verb` is not about a broker."""
        del words
        return moved(self, verb)


class Scripted:
    """A peer that does what the scenario says, packet by packet."""

    login: tuple[str, ...] = ()

    def __init__(self, agent: Agent):
        del agent
        self.peer = peer.Peer()

    def url(self, version: str | None) -> str:
        return self.peer.url

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
