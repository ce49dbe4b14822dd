"""Iterators over messages for the blocking client: over those of filters of their own, and over those that have no handler."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from ._arguments import Filters, Timeout, filters_with_options
from ._handlers import Handlers
from ._native import Delivery, Message, Native, Queue, closed, seconds
from .errors import ClosedError, ReceiptError, RefusedError, WaitCancelled


class Messages:
    """Messages that have no handler of their own, one after another, until the client is closed.

    A message is acknowledged when the next one is asked for, or when the iterator is closed or let go. Several iterators
    share the messages: each gets some. One iterator belongs to one thread at a time.
    """

    def __init__(self, queue: Queue, handlers: Handlers | None) -> None:
        self._current: Delivery | None = None
        self._closed = False
        self._queue = queue
        self._handlers = handlers
        if handlers is not None:
            handlers.iterator_came(1)

    def __iter__(self) -> Iterator[Message]:
        return self

    def __next__(self) -> Message:
        try:
            return self.get()
        except ClosedError:
            raise StopIteration from None

    def get(self, timeout: Timeout = None) -> Message:
        """Waits for the next message, at most `timeout`. Raises TimeoutError, or ClosedError when there will be none."""
        self._acknowledge()
        if self._closed:
            raise closed()
        # One at a time: what nobody asked for is left to other iterators and to a handler set later.
        self._current = self._queue.next_wait(timeout)
        return self._current.message

    def close(self) -> None:
        """Acknowledges the message handed out last and ends the iterator."""
        self._acknowledge()
        if not self._closed:
            self._closed = True
            self._leave()

    def _leave(self) -> None:
        if self._handlers is not None:
            self._handlers.iterator_came(-1)

    def _acknowledge(self) -> None:
        current, self._current = self._current, None
        if current is not None:
            current.done(True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<leveret.{type(self).__name__} {'closed' if self._closed else 'open'}>"


class Subscription(Messages):
    """The messages of topic filters of its own, one after another, until it or the client is closed, or the filters are unsubscribed.

    Each subscription gets every message of its filters, whoever else has the same ones. A message is acknowledged when
    the next one is asked for, or when the subscription is closed or let go. Closing it takes its filters back, unless a
    handler or another subscription has them too, or the session is to outlive the client (`clean_start=False`).

    `with client.subscription(…) as messages` waits for the broker's answer first; otherwise the first `get` does.
    """

    def __init__(self, native: Native, filters: Filters, options: Mapping[str, Any]) -> None:
        self._closed = True  # unless the next lines succeed, there is nothing to close
        self._current = None
        declared = filters_with_options(filters, options)
        queue = native.open_queue()
        try:
            self._question: int | None = native.subscribe(declared, queue)
        except BaseException:
            queue.close()
            raise
        super().__init__(queue, None)
        self._native = native
        self._names = [name for name, _ in declared]
        self._granted: list[int] | None = None

    @property
    def filters(self) -> list[str]:
        """The topic filters."""
        return list(self._names)

    @property
    def granted(self) -> list[int] | None:
        """The QoS that the broker granted each filter, in their order; None until its answer was waited for."""
        return self._granted

    def get(self, timeout: Timeout = None) -> Message:
        """Waits for the next message, at most `timeout`. Raises TimeoutError, or ClosedError when there will be none.

        The first call waits for the broker's answer, too. A refusal raises RefusedError and closes the subscription.
        """
        self._acknowledge()
        limit = seconds(timeout)
        deadline = None if limit is None else time.monotonic() + limit
        self._wait_for_answer(limit)
        return super().get(None if deadline is None else max(0.0, deadline - time.monotonic()))

    def _wait_for_answer(self, limit: float | None) -> None:
        if self._question is None:
            return
        try:
            self._granted = list(self._native.reply_wait(self._question, limit, True))
        except ReceiptError:
            pass  # it did not answer in time, which was raised before; it is asked again
        except WaitCancelled:
            pass  # a filter was unsubscribed before the broker was asked for it
        except RefusedError:
            self.close()
            raise
        self._question = None

    def _leave(self) -> None:
        question, self._question = self._question, None
        if question is not None:
            self._native.forget(question)
        self._queue.close()

    def __enter__(self) -> Self:
        self._wait_for_answer(None)
        return self

    def __repr__(self) -> str:
        return f"<leveret.{type(self).__name__} {', '.join(map(repr, self._names))}{' closed' * self._closed}>"
