"""What the blocking and the asyncio client have in common: what needs no waiting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ._arguments import Filters, filters_with_options, handlers_by_filter
from ._handlers import Declaration, Handlers, check_handler, listen_everywhere
from ._native import Message, Native
from ._serving import check_response_topic, serving
from ._tables import Status
from ._values import Stats

if TYPE_CHECKING:
    from typing import Unpack

    from .options import SubscribeOptions

#: A handler; the asyncio client also takes coroutine functions.
Handler = TypeVar("Handler", bound=Callable[..., Any])


class Face:
    """The part of a client that is the same with and without asyncio."""

    _native: Native
    _handlers: Handlers
    #: Its addresses without user names and passwords, as it is printed.
    _where: str

    @property
    def status(self) -> Status:
        """`offline`, `online` or `closed`."""
        return Status(self._native.status())

    def stats(self) -> Stats:
        """Where everything stands just now."""
        return Stats(self._native.stats())

    def start(self) -> None:
        """Begins to connect, where the client was made with `start=False`; else it does nothing."""
        self._native.start()

    def reconnect(self) -> None:
        """Hangs up politely and dials at once, also while offline: for a device that changed its network."""
        self._native.reconnect()

    def on(self, filters: Filters, **options: Unpack[SubscribeOptions]) -> Callable[[Handler], Handler]:
        """Decorator: declares the filters with the function as their handler, without waiting for the broker's answer.

        Several handlers may have the same filter; each is called. The same function is called once for a message.
        """

        def declare(handler: Handler) -> Handler:
            self._declare_for_good(filters, handler, options)
            return handler

        return declare

    def serve(
        self,
        filters: Filters,
        *,
        response_topic: str | Callable[[Message], str] | None = None,
        **options: Unpack[SubscribeOptions],
    ) -> Callable[[Handler], Handler]:
        """Decorator: declares the filters with the function as what answers their messages, without waiting for the broker's answer.

        What it returns is the payload of the response: text, bytes, or None for nothing but that it is done. The response goes
        to the response topic of the message, with its correlation data and its QoS; the message is acknowledged after that. On
        MQTT 3.1.1 no message names one: `response_topic` is the topic to answer on, or a function that makes it of the message.
        A function that raises gives no response and is reported as any handler; so is an answer that has nowhere to go.
        """

        check_response_topic(response_topic)

        def declare(handler: Handler) -> Handler:
            check_handler(handler)
            self._declare_for_good(filters, serving(handler, response_topic), options)
            return handler

        return declare

    def on_message(self, handler: Handler) -> Handler:
        """Decorator: sets the handler of all messages that have none of their own."""
        self._handlers.set_general(handler)
        return handler

    def on_connection(self, handler: Handler) -> Handler:
        """Decorator: adds a function that is called with each ConnectionEvent."""
        return self._listen("connection", handler)

    def on_subscription(self, handler: Handler) -> Handler:
        """Decorator: adds a function that is called with each SubscriptionEvent."""
        return self._listen("subscription", handler)

    def on_status(self, handler: Handler) -> Handler:
        """Decorator: adds a function that is called with each new Status."""
        return self._listen("status", handler)

    def on_ping(self, handler: Handler) -> Handler:
        """Decorator: adds a function that is called with the round trip of each ping in seconds."""
        return self._listen("ping", handler)

    def on_notice(self, handler: Handler) -> Handler:
        """Decorator: adds a function that is called with each Notice, beside its line in the log."""
        return self._listen("notice", handler)

    def _set_first(
        self,
        handlers: Mapping[str, Callable[..., object]] | None,
        on_message: Callable[..., object] | None,
        **listeners: Callable[..., object] | None,
    ) -> None:
        for name, handler in handlers_by_filter(handlers):
            self._declare_for_good(name, handler, {})
        if on_message is not None:
            self._handlers.set_general(on_message)
        for kind, listener in listeners.items():
            if listener is not None:
                self._handlers.listen(kind, listener)

    def _listen(self, kind: str, handler: Handler) -> Handler:
        self._handlers.listen(kind, handler)
        return handler

    def _declare(
        self, filters: Filters, handler: Callable[..., object] | None, options: Mapping[str, Any]
    ) -> Declaration:
        return self._handlers.declare(filters_with_options(filters, options), handler)

    def _declare_for_good(self, filters: Filters, handler: Callable[..., object], options: Mapping[str, Any]) -> None:
        declaration = self._declare(filters, handler, options)
        declaration.keep()
        self._native.forget(declaration.question)

    def __repr__(self) -> str:
        return f"<leveret.{type(self).__name__} {self._where} {self.status}>"


def on_status(handler: Handler) -> Handler:
    """Decorator: adds a function that is called with client and Status whenever a client of this process changes its status.

    It runs where the handlers of that client run.
    """
    listen_everywhere("status", handler)
    return handler


def on_ping(handler: Handler) -> Handler:
    """Decorator: adds a function that is called with client and round trip in seconds for each ping of every client.

    It runs where the handlers of that client run.
    """
    listen_everywhere("ping", handler)
    return handler
