"""Iterators over messages for asyncio: over those of filters of their own, and over those that have no handler."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self

from ._arguments import Filters, Timeout, filters_with_options
from ._handlers import Handlers
from ._limit import Limit
from ._native import Delivery, Message, Native, Queue, closed
from ._pump import Pump
from .errors import ClosedError, RefusedError, WaitCancelled


class AsyncMessages:
    """Messages that have no handler of their own, one after another, until the client is closed.

    A message is acknowledged when the next one is asked for, or when the iterator is closed or let go. Several iterators
    share the messages: each gets some.
    """

    def __init__(self, queue: Queue, handlers: Handlers | None, pump: Pump) -> None:
        self._current: Delivery | None = None
        self._closed = False
        self._queue = queue
        self._handlers = handlers
        self._pump = pump
        if handlers is not None:
            handlers.iterator_came(1)

    def __aiter__(self) -> AsyncIterator[Message]:
        return self

    async def __anext__(self) -> Message:
        try:
            return await self.get()
        except ClosedError:
            raise StopAsyncIteration from None

    async def get(self, timeout: Timeout = None) -> Message:
        """The next message, waited for at most `timeout`. Raises TimeoutError, or ClosedError when there will be none."""
        self._acknowledge()
        async with Limit(timeout):
            self._current = await self._pump.until(self._look)
        return self._current.message

    def close(self) -> None:
        """Acknowledges the message handed out last and ends the iterator, also for a task that waits for the next one."""
        self._end()
        self._pump.wake()

    def _look(self) -> Delivery | None:
        if self._closed:
            raise closed()
        # One at a time: what nobody asked for is left to other iterators and to a handler set later.
        delivery = self._queue.next()
        if delivery is None and self._queue.is_over():
            raise closed()
        return delivery

    def _end(self) -> None:
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

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # On any thread, and nobody waits: who waits holds the iterator.
        self._end()

    def __repr__(self) -> str:
        return f"<leveret.{type(self).__name__} {'closed' if self._closed else 'open'}>"


class AsyncSubscription(AsyncMessages):
    """The messages of topic filters of its own, one after another, until it or the client is closed, or the filters are unsubscribed.

    Each subscription gets every message of its filters, whoever else has the same ones. A message is acknowledged when
    the next one is asked for, or when the subscription is closed or let go. Closing it takes its filters back, unless a
    handler or another subscription has them too, or the session is to outlive the client (`clean_start=False`).

    `async with client.subscription(…) as messages` waits for the broker's answer first.
    """

    def __init__(self, native: Native, pump: Pump, filters: Filters, options: Mapping[str, Any]) -> None:
        self._closed = True  # unless the next lines succeed, there is nothing to close
        self._current = None
        declared = filters_with_options(filters, options)
        queue = native.open_queue()
        try:
            question = native.subscribe(declared, queue)
        except BaseException:
            queue.close()
            raise
        super().__init__(queue, None, pump)
        self._answer: asyncio.Future[list[int]] | None = pump.expect(question)
        self._names = [name for name, _ in declared]
        self._granted: list[int] | None = None

    @property
    def filters(self) -> list[str]:
        """The topic filters."""
        return list(self._names)

    @property
    def granted(self) -> list[int] | None:
        """The QoS that the broker granted each filter, in their order; None until its answer has come."""
        return self._granted

    async def get(self, timeout: Timeout = None) -> Message:
        """The next message, waited for at most `timeout`. Raises TimeoutError, or ClosedError when there will be none.

        A refusal by the broker raises RefusedError and closes the subscription.
        """
        return await super().get(timeout)

    def _look(self) -> Delivery | None:
        delivery = super()._look()
        if delivery is None:
            self._look_for_answer()
        return delivery

    def _look_for_answer(self) -> bool:
        answer = self._answer
        if answer is None or not answer.done():
            return answer is None
        self._answer = None
        try:
            self._granted = answer.result()
        except WaitCancelled:
            pass  # a filter was unsubscribed before the broker was asked for it
        except RefusedError:
            self._end()
            raise
        return True

    def _leave(self) -> None:
        self._queue.close()

    async def __aenter__(self) -> Self:
        await self._pump.until(lambda: self._look_for_answer() or None)
        return self

    def __repr__(self) -> str:
        return f"<leveret.{type(self).__name__} {', '.join(map(repr, self._names))}{' closed' * self._closed}>"
