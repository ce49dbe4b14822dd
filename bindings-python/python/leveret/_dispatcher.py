"""The thread of a blocking client that runs its handlers, one after another."""

from __future__ import annotations

import threading
import time
import weakref
from typing import Any

from ._handlers import Handlers, report_failure
from ._native import Delivery, Native, Scope
from ._news import News, event_of

#: How many messages cross from the native half at once.
BATCH = 256


class Dispatcher:
    """A thread for one client, and not one for all: a slow handler must never hold up other clients.

    It holds the native half, and the handlers only while it calls them, since handlers often hold their client: letting
    go of the client ends it.
    """

    def __init__(self, native: Native, handlers: Handlers) -> None:
        self._native = native
        self._handlers = weakref.ref(handlers)
        self._thread = threading.Thread(target=self._run, name="leveret-handlers", daemon=True)
        self._thread.start()

    def join(self, deadline: float) -> None:
        """Waits until the last handler has returned, at most until this time of the monotonic clock."""
        if threading.current_thread() is not self._thread:
            self._thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        scope = self._native.scope()
        while (items := self._native.take_wait(BATCH)) is not None:
            self._hand_out(items, scope)

    def _hand_out(self, items: list[Delivery | News], scope: Scope) -> None:
        for item in items:
            handlers = self._handlers()
            if handlers is None:
                return
            # A close asked for by a handler takes effect when the scope is left.
            with scope:
                if isinstance(item, Delivery):
                    self._handle(item, handlers)
                else:
                    self._tell(item, handlers)

    def _handle(self, delivery: Delivery, handlers: Handlers) -> None:
        # What no handler has begun with when the client is closed stays with the broker.
        if self._native.is_closed():
            return
        handled = True
        for handler in handlers.of(delivery):
            try:
                handler(delivery.message)
            except BaseException:  # also SystemExit, which would end this thread alone
                handled = False
                report_failure(self._native, f"{delivery.message.topic!r}")
        delivery.done(handled)

    def _tell(self, news: News, handlers: Handlers) -> None:
        kind, fields = news
        event: Any = event_of(kind, fields, handlers.where)
        for listener in handlers.listeners(kind):
            try:
                listener(event)
            except BaseException:  # also SystemExit, which would end this thread alone
                report_failure(self._native, f"{kind} events")

