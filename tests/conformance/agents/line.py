"""The runner's line protocol for the two Python agents: tokens in, tokens out."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote

from leveret.errors import MqttError

Pairs = list[tuple[str, object]]


def parse(line: str) -> tuple[str, dict[str, str]]:
    """The verb and its arguments."""
    words = line.rstrip("\n").split(" ")
    return words[0], dict(map(unquote, word.split("=", 1)) for word in words[1:])


def reply(pairs: Pairs) -> str:
    """The line of a reply."""
    return " ".join(["ok", *(f"{name}={quote(_text(value), safe='')}" for name, value in pairs)])


def failure(error: MqttError) -> str:
    """The line of an error."""
    kind = "".join(word.capitalize() for word in error.code.removeprefix("MQTT_").split("_"))
    pairs: Pairs = [("kind", kind)]
    pairs += [] if error.reason is None else [("reason", int(error.reason))]
    pairs += [("text", str(error))]
    return reply(pairs).replace("ok", "error", 1)


def typed(options: dict[str, str]) -> dict[str, Any]:
    """Options as a Python program would give them: durations and choices are text, flags and numbers are not."""
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
    return [*told, ("qos", message.qos), ("retain", message.retain), ("dup", message.dup)]


def outcome(outcome: Any) -> Pairs:
    """What a reply says of an outcome."""
    pairs: Pairs = [("status", outcome), ("ok", outcome.ok), ("delivered", outcome.delivered)]
    pairs += [("maybe_delivered", outcome.maybe_delivered)]
    return pairs + ([] if outcome.reason is None else [("reason", int(outcome.reason))])


def _typed(name: str, value: str) -> Any:
    if value in ("true", "false"):
        return value == "true"
    if value == "none":
        return None
    if name not in ("client_id", "protocol", "replace", "will_topic") and re.fullmatch(r"\d+", value):
        return int(value)
    return value


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
