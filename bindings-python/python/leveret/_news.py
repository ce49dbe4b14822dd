"""News of the native half as events and as lines of the log."""

from __future__ import annotations

import logging
from typing import Any, TypeAlias

from ._tables import Status, SubscriptionState
from ._values import ConnectionEvent, Notice, SubscriptionEvent
from .errors import from_number

#: Silent unless the program sets up logging: a library prints nothing.
logger = logging.getLogger("leveret.client")
logger.addHandler(logging.NullHandler())

#: A kind, and the fields of its event by name.
News: TypeAlias = tuple[str, dict[str, Any]]


def event_of(kind: str, fields: dict[str, Any]) -> object:
    """The event of some news, and its line in the log."""
    return _MAKERS[kind](fields)


def _connection(fields: dict[str, Any]) -> ConnectionEvent:
    error = fields.pop("error", None)
    event = ConnectionEvent(error=None if error is None else from_number(*error), **fields)
    if event.kind == "online":
        logger.info("online, MQTT %s, session present: %s", event.version, event.session_present)
    elif event.kind == "offline":
        logger.warning("offline: %s", event.error)
    else:
        logger.warning("could not connect: %s; next attempt in %.3f s", event.error, event.retry_in)
    return event


def _subscription(fields: dict[str, Any]) -> SubscriptionEvent:
    event = SubscriptionEvent(**{**fields, "state": SubscriptionState(fields["state"])})
    as_asked = event.state in (SubscriptionState.UP, SubscriptionState.DOWN)
    logger.log(logging.INFO if as_asked else logging.WARNING, "subscription %r: %s", event.filter, event.state)
    return event


def _notice(fields: dict[str, Any]) -> Notice:
    notice = Notice(**fields)
    logger.warning("%s", notice.text)
    return notice


def _status(fields: dict[str, Any]) -> Status:
    return Status(fields["status"])


def _ping(fields: dict[str, Any]) -> float:
    return float(fields["seconds"])


_MAKERS = {
    "connection": _connection,
    "subscription": _subscription,
    "notice": _notice,
    "status": _status,
    "ping": _ping,
}
