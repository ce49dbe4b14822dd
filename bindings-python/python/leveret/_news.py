"""News of the native half as events and as lines of the log."""

from __future__ import annotations

import logging
from typing import Any, TypeAlias

from ._tables import Status, SubscriptionState
from ._values import ConnectionEvent, Notice, SubscriptionEvent
from .errors import ClosedError, from_number

#: Silent unless the program sets up logging: a library prints nothing.
logger = logging.getLogger("leveret.client")
logger.addHandler(logging.NullHandler())

#: A kind, and the fields of its event by name.
News: TypeAlias = tuple[str, dict[str, Any]]


def event_of(kind: str, fields: dict[str, Any], where: str) -> object:
    """The event of some news, and its line in the log, which begins with where the client connects to."""
    return _MAKERS[kind](fields, where)


def _connection(fields: dict[str, Any], where: str) -> ConnectionEvent:
    error = fields.pop("error", None)
    event = ConnectionEvent(error=None if error is None else from_number(*error), **fields)
    if event.kind == "online":
        logger.info("%s: online, MQTT %s, session present: %s", where, event.version, event.session_present)
    elif event.kind == "offline":
        asked_for = isinstance(event.error, ClosedError)
        logger.log(logging.INFO if asked_for else logging.WARNING, "%s: offline: %s", where, event.error)
    else:
        logger.warning("%s: %s; next attempt in %.3f s", where, event.error, event.retry_in)
    return event


def _subscription(fields: dict[str, Any], where: str) -> SubscriptionEvent:
    event = SubscriptionEvent(fields["filter"], SubscriptionState(fields["state"]), fields["reason"])
    as_asked = event.state in (SubscriptionState.UP, SubscriptionState.DOWN)
    logger.log(logging.INFO if as_asked else logging.WARNING, "%s: subscription %r: %s", where, event.filter, event.state)
    return event


def _notice(fields: dict[str, Any], where: str) -> Notice:
    notice = Notice(**fields)
    logger.warning("%s: %s", where, notice.text)
    return notice


def _status(fields: dict[str, Any], where: str) -> Status:
    return Status(fields["status"])


def _ping(fields: dict[str, Any], where: str) -> float:
    return float(fields["seconds"])


_MAKERS = {
    "connection": _connection,
    "subscription": _subscription,
    "notice": _notice,
    "status": _status,
    "ping": _ping,
}
