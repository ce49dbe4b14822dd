"""The exceptions of leveret: each is an MqttError. Printed from the error table by `make generate`."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ._values import Outcome

__all__ = [
    "ClosedError",
    "ConfigurationError",
    "ConnectionError",
    "InternalError",
    "MqttError",
    "NotDelivered",
    "ProtocolError",
    "QueueFull",
    "ReceiptError",
    "RefusedError",
    "TimeoutError",
    "WaitCancelled",
    "WouldDeadlock",
]


class MqttError(Exception):
    """What went wrong, in one sentence that names it and what is allowed."""

    #: The name of its kind, the same as in C, such as `MQTT_QUEUE_FULL`.
    code: str = "MQTT_ERROR"
    #: Can the same call succeed later without anything being changed.
    retryable: bool = False
    #: The broker's reason code (MQTT 5.0 section 2.4), where it gave one.
    reason: int | None = None
    #: From `publish_many`: the receipts of the letters that were accepted before, the first ones.
    receipts: Sequence[Any] = ()


class ConfigurationError(MqttError, builtins.ValueError):
    """An argument or option is wrong, or the broker cannot do it: a mistake in the program or its configuration."""

    code = "MQTT_INVALID_ARGUMENT"


class QueueFull(MqttError):
    """The post office is full; wait for room and try again."""

    code = "MQTT_QUEUE_FULL"
    retryable = True


class WouldDeadlock(MqttError):
    """The call would wait for the very thread it runs on."""

    code = "MQTT_WOULD_DEADLOCK"


class TimeoutError(MqttError, builtins.TimeoutError):
    """It did not happen within the time given."""

    code = "MQTT_TIMED_OUT"
    retryable = True


class ClosedError(MqttError):
    """The client is closed, or belongs to the parent process."""

    code = "MQTT_CLOSED"


class ConnectionError(MqttError, builtins.ConnectionError):
    """There is no connection, or it was lost before the answer came."""

    code = "MQTT_NOT_CONNECTED"
    retryable = True


class RefusedError(MqttError):
    """The broker refused, with a reason code."""

    code = "MQTT_REFUSED"


class ProtocolError(MqttError):
    """The broker broke the rules of the protocol."""

    code = "MQTT_PROTOCOL_VIOLATION"


class ReceiptError(MqttError):
    """The outcome of a receipt is no longer kept."""

    code = "MQTT_RECEIPT_FORGOTTEN"


class NotDelivered(MqttError):
    """A letter was not delivered, and the program asked to have that raised."""

    code = "MQTT_NOT_DELIVERED"
    #: What became of the letter; None where `request` raised it, whose letter has no receipt.
    outcome: Outcome | None = None


class WaitCancelled(MqttError):
    """The wait was given up before it was over."""

    code = "MQTT_CANCELLED"


class InternalError(MqttError):
    """A defect in leveret, or something the operating system refused."""

    code = "MQTT_PANIC"


_KINDS: Final[dict[int, tuple[type[MqttError], str, bool]]] = {
    -1: (ConfigurationError, "MQTT_INVALID_ARGUMENT", False),
    -2: (ConfigurationError, "MQTT_UNKNOWN_OPTION", False),
    -3: (QueueFull, "MQTT_QUEUE_FULL", True),
    -4: (WouldDeadlock, "MQTT_WOULD_DEADLOCK", False),
    -5: (TimeoutError, "MQTT_TIMED_OUT", True),
    -6: (ClosedError, "MQTT_CLOSED", False),
    -7: (ConnectionError, "MQTT_NOT_CONNECTED", True),
    -8: (ConnectionError, "MQTT_CONNECTION_LOST", True),
    -9: (RefusedError, "MQTT_REFUSED", False),
    -10: (ConfigurationError, "MQTT_NOT_SUPPORTED", False),
    -11: (ProtocolError, "MQTT_PROTOCOL_VIOLATION", False),
    -12: (ClosedError, "MQTT_FORKED", False),
    -13: (ReceiptError, "MQTT_RECEIPT_FORGOTTEN", False),
    -14: (NotDelivered, "MQTT_NOT_DELIVERED", False),
    -15: (ConfigurationError, "MQTT_NULL_POINTER", False),
    -16: (InternalError, "MQTT_PANIC", False),
    -17: (InternalError, "MQTT_SYSTEM", False),
    -18: (WaitCancelled, "MQTT_CANCELLED", False),
}


def from_number(number: int, sentence: str, reason: int | None = None) -> MqttError:
    """The exception for a number of the error table."""
    made, code, retryable = _KINDS.get(number, (InternalError, "MQTT_ERROR", False))
    error = made(sentence)
    error.code, error.retryable, error.reason = code, retryable, reason
    return error
