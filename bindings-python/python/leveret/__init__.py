"""leveret: an MQTT 3.1.1 and 5.0 client with a post office. Every letter has a time to live and exactly one outcome.

>>> client = leveret.Client("mqtt://localhost")
>>> client.publish("doors/front/command", "unlock", ttl=5.0).wait()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import errors
from ._face import on_ping, on_status
from ._hooks import Attempt, AuthAnswer, AuthStep, Packet, Words
from ._messages import Messages, Subscription
from ._native import Message, __version__, set_runtime_threads, shutdown
from ._tables import OutcomeStatus, ReasonCode, Status, SubscriptionState
from ._values import ConnectionEvent, Notice, Outcome, Stats, SubscriptionEvent
from .client import Client, Receipt
from .errors import *  # noqa: F403  the exception classes, by the list that is generated with them

if TYPE_CHECKING:
    from ._aio_messages import AsyncMessages, AsyncSubscription
    from .aio import AsyncClient, AsyncReceipt

__all__ = [
    "AsyncClient",
    "AsyncMessages",
    "AsyncReceipt",
    "AsyncSubscription",
    "Attempt",
    "AuthAnswer",
    "AuthStep",
    "Client",
    "ConnectionEvent",
    "Message",
    "Messages",
    "Notice",
    "Outcome",
    "OutcomeStatus",
    "Packet",
    "ReasonCode",
    "Receipt",
    "Stats",
    "Status",
    "Subscription",
    "SubscriptionEvent",
    "SubscriptionState",
    "Words",
    "__version__",
    "on_ping",
    "on_status",
    "set_runtime_threads",
    "shutdown",
]
__all__ += errors.__all__


def __getattr__(name: str) -> Any:
    # asyncio is imported when somebody asks for it, not by everybody who publishes.
    if name in ("AsyncClient", "AsyncMessages", "AsyncReceipt", "AsyncSubscription"):
        from . import aio

        return getattr(aio, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
