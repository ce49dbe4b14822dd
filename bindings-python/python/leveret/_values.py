"""The values that users get back: outcomes, events and counters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeVar

from . import _native
from ._tables import OutcomeStatus, Status, SubscriptionState
from .errors import MqttError

R = TypeVar("R")


class Outcome(str):
    """The outcome of one letter. It is the name of its status (`outcome == "acknowledged"`) and knows more.

    An outcome is a value, never an exception; `raise_for_status()` makes one of it for those who want that.
    """

    __slots__ = ("maybe_delivered", "reason", "reason_string", "user_properties")

    #: The letter was not acknowledged, but its first byte had left: the broker may have it.
    maybe_delivered: bool
    #: The broker's reason code (MQTT 5, section 2.4), or None where nobody gave one.
    reason: int | None
    #: The reason in words, or None.
    reason_string: str | None
    #: The user properties of the broker's answer, in their order.
    user_properties: Sequence[tuple[str, str]]

    def __new__(
        cls,
        status: str,
        maybe_delivered: bool = False,
        reason: int | None = None,
        reason_string: str | None = None,
        user_properties: Sequence[tuple[str, str]] = (),
    ) -> Self:
        outcome = super().__new__(cls, OutcomeStatus(status).value)
        outcome.maybe_delivered = maybe_delivered
        outcome.reason = reason
        outcome.reason_string = reason_string
        outcome.user_properties = tuple(user_properties)
        return outcome

    @property
    def status(self) -> OutcomeStatus:
        """What became of the letter."""
        return OutcomeStatus(str(self))

    @property
    def ok(self) -> bool:
        """Did it go as asked: `acknowledged` (QoS 1 and 2) or `sent` (QoS 0)."""
        return self.status.ok

    @property
    def delivered(self) -> bool:
        """Does the broker have the letter for certain."""
        return self.status.delivered

    def raise_for_status(self) -> Self:
        """Returns the outcome if it is `ok`, else raises `NotDelivered`, whose `outcome` it is."""
        error = _native.not_delivered(str(self), self.maybe_delivered, self.reason, self.reason_string)
        if error is None:
            return self
        error.outcome = self
        raise error

    if TYPE_CHECKING:
        # For type checkers: comparing an outcome with an OutcomeStatus makes sense.
        def __eq__(self, other: object, /) -> bool: ...
        def __hash__(self) -> int: ...

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (str(self), self.maybe_delivered, self.reason, self.reason_string, self.user_properties))

    def __repr__(self) -> str:
        parts = [repr(str(self))]
        parts += ["maybe_delivered=True"] if self.maybe_delivered else []
        parts += [f"reason=0x{self.reason:02x}"] if self.reason is not None else []
        parts += [f"reason_string={self.reason_string!r}"] if self.reason_string else []
        return f"Outcome({', '.join(parts)})"


def receipts_or_raise(receipts: list[R], error: BaseException | None) -> list[R]:
    """What `publish_many` returns: the receipts, or else the exception that has those of the letters before it."""
    if isinstance(error, MqttError):
        error.receipts = receipts
    if error is not None:
        raise error
    return receipts


@dataclass(frozen=True, slots=True)
class ConnectionEvent:
    """News of the connection. `kind` is `online`, `offline` or `attempt_failed`."""

    kind: str
    #: Why it ended or failed; None when it came online.
    error: MqttError | None = None
    #: Online: does an earlier session go on.
    session_present: bool = False
    #: Online: the version of MQTT spoken, "3.1.1" or "5".
    version: str | None = None
    #: Online: the client id in force.
    client_id: str | None = None
    #: The properties by name of the CONNACK that accepted or refused, or of the DISCONNECT that ended it; empty where there was none, and on MQTT 3.1.1.
    properties: dict[str, object] = field(default_factory=dict)
    #: Attempt failed: seconds until the next attempt.
    retry_in: float | None = None
    #: Index of the URL it is about, where the client has several.
    endpoint: int | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionEvent:
    """How a subscription stands with the broker."""

    #: The topic filter.
    filter: str
    #: How it stands.
    state: SubscriptionState
    #: The granted QoS for `up` and `downgraded`, the broker's reason code for `refused`, else None.
    reason: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something odd that an operator may want to know; nothing has to be done about it here."""

    #: What it is about, in one word, such as `acknowledgement_held`.
    kind: str
    #: The same in a sentence.
    text: str


class Stats:
    """A copy of a client's counters, each an attribute. Counts are since the client was made; times are seconds."""

    #: Is the client connected.
    status: Status
    #: Letters accepted, not in flight and not settled; exact the moment `publish` returned.
    queued: int
    #: Bytes of these letters, bookkeeping included.
    queued_bytes: int
    #: Letters sent and not yet settled.
    in_flight: int
    #: Bytes of these letters, bookkeeping included.
    in_flight_bytes: int
    #: Age of the oldest letter that is not settled, or None.
    oldest: float | None
    #: Bytes read from connections.
    bytes_in: int
    #: Bytes that the operating system took.
    bytes_out: int
    #: Messages received, by QoS; repetitions are not counted.
    messages_in: list[int]
    #: Messages sent, by QoS; repetitions are counted.
    messages_out: list[int]
    #: How many letters had each outcome, by its name.
    outcomes: dict[str, int]
    #: Connections that a broker accepted after the first one.
    reconnects: int
    #: Attempts to connect that failed.
    failed_attempts: int
    #: Why the last attempt or connection ended, or None.
    last_error: str | None
    #: The last measured round trip of a ping, or None.
    round_trip: float | None
    #: Messages that wait for the application or were taken by it last.
    inbox_messages: int
    #: Bytes of these messages, bookkeeping included.
    inbox_bytes: int
    #: QoS 0 messages dropped because the inbox was full.
    inbox_dropped: int
    #: Messages that matched no subscription and that nobody took, late responses among them.
    unhandled: int
    #: Messages whose handler failed.
    handler_failures: int
    #: Packets larger than `max_packet_size` that were skipped.
    oversize: int

    def __init__(self, counters: dict[str, Any]) -> None:
        vars(self).update(counters, status=Status(counters["status"]))

    def __repr__(self) -> str:
        return f"Stats({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"
