"""The runner's line protocol for the two Python agents: tokens in, tokens out."""

from __future__ import annotations

import itertools
import re
import subprocess
from typing import Any
from urllib.parse import quote, unquote

from leveret import AuthStep, Words
from leveret.errors import MqttError

Pairs = list[tuple[str, object]]

#: Options that are text even where they look like numbers.
TEXTS = ("reason_string", "client_id", "protocol", "replace", "will_topic", "username", "password", "correlation_data", "will_payload", "will_correlation_data")
EVENTS = ("connection", "subscription", "status", "ping", "notice")


def parse(line: str) -> tuple[str, dict[str, str]]:
    """The verb and its arguments."""
    words = line.rstrip("\n").split(" ")
    return words[0], dict(map(unquote, word.split("=", 1)) for word in words[1:])


def reply(pairs: Pairs) -> str:
    """The line of a reply."""
    return " ".join(["ok", *(f"{name}={quote(_text(value), safe='')}" for name, value in pairs)])


def failure(error: MqttError) -> str:
    """The line of an error."""
    pairs: Pairs = [("kind", kind_of(error))]
    pairs += [] if error.reason is None else [("reason", int(error.reason))]
    pairs += [("text", str(error))]
    return reply(pairs).replace("ok", "error", 1)


def kind_of(error: MqttError) -> str:
    """The error's name in the table, `QueueFull` of MQTT_QUEUE_FULL."""
    return "".join(word.capitalize() for word in error.code.removeprefix("MQTT_").split("_"))


def typed(options: dict[str, str]) -> dict[str, Any]:
    """Options as a Python program would give them: durations and choices are text, flags, numbers and pairs are not."""
    return {name: _typed(name, value) for name, value in options.items()}


def body(arguments: dict[str, str]) -> bytes | str:
    """The payload that a request names, by value or by size."""
    if "size" in arguments:
        return pattern(int(arguments.pop("size")))
    return arguments.pop("payload", "")


def pattern(size: int) -> bytes:
    """Bytes that tell their own place."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def message(message: Any) -> Pairs:
    """What a reply says of a message."""
    payload = message.payload
    told: Pairs = [("topic", message.topic)]
    if len(payload) > 256:
        told += [("size", len(payload)), ("intact", payload == pattern(len(payload)))]
    else:
        told += [("payload", payload.decode())]
    told += [("qos", message.qos), ("retain", message.retain), ("dup", message.dup)]
    return told + properties(message.properties)


def properties(properties: dict[str, Any]) -> Pairs:
    """MQTT 5 properties by the names of the standard; lists stand as repeated names."""
    told: Pairs = []
    for name, value in properties.items():
        for each in value if isinstance(value, list) else [value]:
            text = ":".join(each) if isinstance(each, tuple) else each
            told += [(name, text.decode(errors="replace") if isinstance(text, bytes) else text)]
    return told


def event(kind: str, event: Any) -> Pairs:
    """What a reply says of an event of this kind."""
    if kind == "subscription":
        reason: Pairs = [] if event.reason is None else [("reason", int(event.reason))]
        return [("event", event.state), ("filter", event.filter), *reason]
    if kind == "status":
        return [("event", event)]
    if kind == "ping":
        return [("event", "ping"), ("microseconds", round(event * 1e6))]
    if kind == "notice":
        return [("event", event.kind), ("text", event.text)]
    if event.kind == "online":
        told: Pairs = [("session_present", event.session_present), ("version", event.version)]
        return [("event", "online"), *told, ("client_id", event.client_id), *properties(event.properties)]
    retry: Pairs = [] if event.retry_in is None else [("retry_in", round(event.retry_in * 1000))]
    why: Pairs = [("error", kind_of(event.error))]
    why += [] if event.error.reason is None else [("reason", int(event.error.reason))]
    why += [("text", str(event.error))]
    return [("event", event.kind), *retry, *why, *properties(event.properties)]


def packet(packet: Any) -> Pairs:
    """What a reply says of a packet that a hook was shown."""
    told: Pairs = [("packet", packet.packet)]
    told += [] if packet.packet_id is None else [("packet_id", packet.packet_id)]
    if packet.packet in ("SUBACK", "UNSUBACK"):
        told += [("reasons", ",".join(str(int(reason)) for reason in packet.reasons))]
    else:
        told += [("reason", int(packet.reason))]
    told += [("session_present", packet.session_present)] if packet.packet == "CONNACK" else []
    return told + properties(packet.properties)


def step(step: Any) -> Pairs:
    """What a reply says of a step of authentication."""
    data: Pairs = [] if step.data is None else [("data", step.data.decode())]
    return [("stage", step.stage), ("reauthentication", step.reauthentication), *data]


class Hooks:
    """What a `connect` says of hooks and of the authenticator, taken out of its options."""

    def __init__(self, options: dict[str, str]) -> None:
        self.names = [name for name in options.pop("hooks", "").split(",") if name]
        says = options.pop("hook_says", "")
        self.words = Words(says, [("hook", says)]) if says else None
        self.hold = options.pop("hook_holds", "") == "true"
        answers = options.pop("authenticator", "")
        self.authenticates = answers != ""
        self._answers = itertools.cycle(answers.split(","))

    def answer(self, step: AuthStep) -> str | None:
        """What the authenticator answers."""
        if step.stage == "finish":
            return None
        answer = next(self._answers)
        if answer == "refuse":
            raise RuntimeError("the scenario wants it so")
        return answer


def attempt(attempt: Any) -> Pairs:
    """What a reply says of an attempt to connect."""
    return [("url", attempt.url), ("number", attempt.number)]


class Attempts:
    """What a `connect` says of attempts to connect and of signatures, taken out of its options."""

    def __init__(self, options: dict[str, str]) -> None:
        answers = options.pop("before_connect", "")
        self.asks = answers != ""
        self._answers = itertools.cycle(answers.split(","))
        self._count = itertools.count(1)
        said = [name for name in options if name.startswith("said_")]
        self._said = {name.removeprefix("said_"): options.pop(name) for name in said}
        self._key = options.pop("signer", "")
        self.signs = self._key != ""

    def answer(self) -> dict[str, Any] | None:
        """What the next one is to say; None is never to be answered."""
        number, how = next(self._count), next(self._answers)
        if how == "refuse":
            raise RuntimeError("the scenario wants it so")
        if how == "fail":
            raise LookupError
        if how == "hold":
            return None
        return typed({name: value.replace("{n}", str(number)) for name, value in self._said.items()})

    def sign(self, scheme: str, message: bytes) -> bytes:
        """By the program openssl."""
        if self._key == "refuse":
            raise RuntimeError("the element is locked")
        if scheme != "ecdsa_secp256r1_sha256":
            raise RuntimeError(f"cannot sign with {scheme}")
        command = ["openssl", "dgst", "-sha256", "-sign", self._key]
        return subprocess.run(command, input=message, capture_output=True, check=True).stdout


def outcome(outcome: Any) -> Pairs:
    """What a reply says of an outcome."""
    pairs: Pairs = [("status", outcome), ("ok", outcome.ok), ("delivered", outcome.delivered)]
    pairs += [("maybe_delivered", outcome.maybe_delivered)]
    pairs += [] if outcome.reason is None else [("reason", int(outcome.reason))]
    pairs += [] if outcome.reason_string is None else [("reason_string", outcome.reason_string)]
    return pairs + [("user_property", ":".join(pair)) for pair in outcome.user_properties]


def served(message: Any) -> str | None:
    """What a service answers: `re:` and the payload; nothing where that is "nothing"; "fail" fails."""
    payload = message.payload.decode()
    if payload == "fail":
        raise RuntimeError("the scenario wants this handler to fail")
    return None if payload == "nothing" else f"re:{payload}"


def _typed(name: str, value: str) -> Any:
    if value in ("true", "false"):
        return value == "true"
    if value == "none":
        return None
    if name.endswith(("user_properties", "websocket_headers")):
        return [tuple(pair.split(":", 1)) for pair in value.split(";")]
    if name not in TEXTS and re.fullmatch(r"\d+", value):
        return int(value)
    return value


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
