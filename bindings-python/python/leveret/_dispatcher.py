"""The threads of a blocking client: one that runs its handlers, one after another, and one for its hooks if it has any."""

from __future__ import annotations

import threading
import time
import weakref
from typing import Any

from ._handlers import Handlers, report_failure
from ._hooks import Hooks, Question
from ._native import Delivery, Native, Scope
from ._news import News, event_of

#: How many messages cross from the native half at once.
BATCH = 256


class Dispatching:
    """A thread for one client, and not one for all: a slow handler must never hold up other clients.

    It holds the native half, and what it calls only while it calls it, since handlers often hold their client: letting go
    of the client ends it.
    """

    def __init__(self, name: str) -> None:
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def join(self, deadline: float) -> None:
        """Waits until the last handler has returned, at most until this time of the monotonic clock."""
        if threading.current_thread() is not self._thread:
            self._thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        raise NotImplementedError


class Dispatcher(Dispatching):
    """Runs the handlers."""

    def __init__(self, native: Native, handlers: Handlers) -> None:
        self._native = native
        self._handlers = weakref.ref(handlers)
        super().__init__("leveret-handlers")

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


class HookDispatcher(Dispatching):
    """Asks the hooks and the like, which must not wait behind a handler that waits for what they decide."""

    def __init__(self, native: Native, hooks: Hooks) -> None:
        self._native = native
        self._queue = hooks.queue
        self._hooks = weakref.ref(hooks)
        super().__init__("leveret-hooks")

    def _run(self) -> None:
        scope = self._native.scope(hooks=True)
        while (questions := self._queue.take_wait(BATCH)) is not None:
            for question in questions:
                hooks = self._hooks()
                if hooks is None:
                    return
                # A close asked for by a hook takes effect when the scope is left.
                with scope:
                    self._ask(question, hooks)
                del hooks  # while nothing is asked, the client can be let go

    def _ask(self, question: Question, hooks: Hooks) -> None:
        if not hooks.is_wanted(question):
            return
        try:
            hooks.answer(question, hooks.ask(question))
        except BaseException as failure:  # also SystemExit, which would end this thread alone
            hooks.fail(question, failure)
