"""Between the native half and an event loop: outcomes and answers to those who wait, messages to the handlers."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import weakref
from collections import deque
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ._aio_hooks import TASKS, AsyncHooks, is_being_cancelled, is_ending, let_cancel
from ._ending import let_go
from ._handlers import Handlers, report_failure
from ._hooks import Hooks
from ._native import Delivery, Native, closed, deadlock
from ._news import News, event_of
from ._values import Outcome
from .errors import from_number

if TYPE_CHECKING:
    from .aio import AsyncReceipt

T = TypeVar("T")

#: How many messages cross from the native half at once.
BATCH = 256


class Run:
    """One handler that runs: what it waits for, and what it has asked to happen when it returns.

    With `of_hook` it is a hook, for which no message waits.
    """

    __slots__ = ("_before", "close", "of_hook", "pump", "waits")

    def __init__(self, pump: Pump, *, of_hook: bool = False) -> None:
        self.pump: Pump | None = pump
        self.of_hook = of_hook
        self.waits: set[asyncio.Future[Any]] = set()
        #: How the client is to be closed then.
        self.close: dict[str, Any] | None = None

    def __enter__(self) -> None:
        self._before = _run.set(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _run.reset(self._before)
        pump, self.pump = self.pump, None
        if pump is not None and self.close is not None and error is None:
            pump.close(self.close)


#: The handler that a task runs, or was started by.
_run: contextvars.ContextVar[Run | None] = contextvars.ContextVar("leveret_run", default=None)


class Pump:
    """Woken through one descriptor, once for a batch. All methods are called on the thread of its loop.

    It holds the handlers only while it calls them, since they often hold their client: letting go of the client ends it.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        native: Native,
        handlers: Handlers,
        hooks: Hooks | None,
        concurrent_handlers: int,
    ) -> None:
        self.loop = loop
        self._native = native
        self._handlers = weakref.ref(handlers)
        self._receipts: dict[int, AsyncReceipt] = {}
        self._replies: dict[int, asyncio.Future[Any]] = {}
        # Woken at every ring; each then looks for itself whether its thing has come.
        self._waiting: set[asyncio.Future[None]] = set()
        self._most_handlers = concurrent_handlers
        self._runs_that_wait: set[Run] = set()
        self._reading_paused = False
        # Tasks that run handlers: one that runs all of them in turn, or one for each.
        self._running: set[asyncio.Task[None]] = set()
        self._cancelled = False
        # Taken, and not handed out yet: what a task that was cancelled has left.
        self._items: deque[Delivery | News] = deque()
        self._hooks = None if hooks is None else AsyncHooks(self, hooks)
        # The native half brings nothing more; and all that it brought is handed out.
        self._over = False
        self.ended: asyncio.Future[None] = loop.create_future()
        self._descriptor = native.descriptor()
        loop.add_reader(self._descriptor, self._drain)

    # --- waiting ---

    def receipt(self, tag: int, receipt: AsyncReceipt) -> None:
        """A letter was just posted. Its outcome cannot have come yet: outcomes come through this loop."""
        self._receipts[tag] = receipt

    async def reply(self, tag: int, *, needs_network: bool = True) -> Any:
        """The answer to a question just asked."""
        future = self.expect(tag)
        try:
            return await (self.hold(future) if needs_network else future)
        finally:
            self._replies.pop(tag, None)

    def expect(self, tag: int) -> asyncio.Future[Any]:
        """The answer to a question just asked, for who looks for it later or never."""
        future: asyncio.Future[Any] = self.loop.create_future()
        future.add_done_callback(_look_at)
        if self._over:
            future.set_exception(closed())
        else:
            self._replies[tag] = future
        return future

    async def until(self, look: Callable[[], T | None]) -> T:
        """Looks whenever something has happened, until there is something to see."""
        while (seen := look()) is None:
            if self._over:
                raise closed()
            future: asyncio.Future[None] = self.loop.create_future()
            self._waiting.add(future)
            try:
                await self.hold(future)
            finally:
                self._waiting.discard(future)
        return seen

    async def hold(self, future: asyncio.Future[T]) -> T:
        """Waits for a future, unless that could never come because this is a handler that has to end first."""
        run = self.run_here()
        if run is None or run.of_hook:
            return await future
        run.waits.add(future)
        self._runs_that_wait.add(run)
        try:
            self._look_for_deadlock()
            return await future
        finally:
            run.waits.discard(future)
            if not run.waits:
                self._runs_that_wait.discard(run)

    def run_here(self) -> Run | None:
        """The handler of this client inside which we are, if any."""
        run = _run.get()
        return run if run is not None and run.pump is self else None

    def hook_run(self) -> Run:
        """Inside of it a hook runs."""
        return Run(self, of_hook=True)

    def close(self, options: dict[str, Any]) -> None:
        """Closes the client without waiting for that."""
        self._native.close(options)

    def _look_for_deadlock(self) -> None:
        # Nothing is read before a handler ends, and all that may run at a time wait.
        if self._reading_paused and len(self._runs_that_wait) >= self._most_handlers:
            for run in self._runs_that_wait:
                for future in run.waits:
                    if not future.done():
                        future.set_exception(deadlock())

    # --- what the native half brings ---

    def _drain(self) -> None:
        for tag, kind, value in self._native.reports():
            if kind == "outcome":
                receipt = self._receipts.pop(tag, None)
                if receipt is not None:
                    receipt._settle(Outcome(*value))
            elif kind == "paused":
                self._reading_paused = value
                self._look_for_deadlock()
            elif kind == "end":
                self._over = True
            elif kind != "status":
                self._answer(tag, kind, value)
        self.wake()
        self._hand_out()
        if self._hooks is not None:
            self._hooks.hand_out()

    def _answer(self, tag: int, kind: str, value: Any) -> None:
        future = self._replies.pop(tag, None)
        if future is None or future.done():
            return
        if kind == "error":
            future.set_exception(from_number(*value))
        else:
            future.set_result(value)

    def wake(self) -> None:
        """Lets everybody who waits look again."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    # --- handlers ---

    def _hand_out(self) -> None:
        most = BATCH if self._most_handlers == 1 else self._most_handlers - len(self._running)
        if most == 0 or (self._most_handlers == 1 and self._running):
            return
        items = self._items
        items.extend(self._native.take(most))
        # The loop is about to end, or the client was dropped: nobody is left to be told, and a task begun now might never run.
        while items and (self._cancelled or self._handlers() is None):
            items.clear()
            items.extend(self._native.take(BATCH))
        if not items:
            if self._over and not self._running and not (self._hooks and self._hooks.are_running):
                self._end()
        elif self._most_handlers == 1:
            self._begin(self._run_handlers())
        else:
            while items:
                self._begin(self._run_handler(items.popleft()))

    def _begin(self, handlers: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(handlers, name=f"{TASKS}handlers")
        self._running.add(task)
        task.add_done_callback(self.handed_out)

    def handed_out(self, task: asyncio.Task[None]) -> None:
        """A task that ran handlers or hooks has ended."""
        self._running.discard(task)
        _leave_to_the_loop(task)
        if task.cancelled() and is_ending(self.loop):
            # What waits for outcomes still gets them.
            self._cancelled = True
            let_go(self._native, 0)
        self._hand_out()
        if self._hooks is not None and not self._cancelled:
            self._hooks.hand_out()

    async def _run_handlers(self) -> None:
        # One task for them all, which is cheaper than one for each. Where it is cancelled, another one goes on.
        items = self._items
        while items:
            while items:
                await self._run_handler(items.popleft())
            # Others have their turn.
            await asyncio.sleep(0)
            items.extend(self._native.take(BATCH))

    async def _run_handler(self, item: Delivery | News) -> None:
        handlers = self._handlers()
        if handlers is None:
            return
        with Run(self):
            if isinstance(item, Delivery):
                await self._handle(item, handlers)
            else:
                await self._tell(item, handlers)

    async def _handle(self, delivery: Delivery, handlers: Handlers) -> None:
        # What no handler has begun with when the client is closed stays with the broker.
        if self._native.is_closed():
            return
        message = delivery.message
        handled = True
        try:
            for handler in handlers.of(delivery):
                handled &= await self._call(handler, message, f"{message.topic!r}")
        except asyncio.CancelledError:
            if not is_ending(self.loop):
                delivery.done(False)
            raise
        delivery.done(handled)

    async def _tell(self, news: News, handlers: Handlers) -> None:
        kind, fields = news
        event = event_of(kind, fields, handlers.where)
        for listener in handlers.listeners(kind):
            await self._call(listener, event, f"{kind} events")

    async def _call(self, handler: Callable[[Any], Any], argument: object, what: str) -> bool:
        try:
            result = handler(argument)
            if inspect.isawaitable(result):
                await result
            await let_cancel()
        except asyncio.CancelledError:
            if is_ending(self.loop):
                raise
            report_failure(self._native, what)
            if is_being_cancelled():
                raise
            return False
        except (SystemExit, KeyboardInterrupt, GeneratorExit):
            raise  # the program or its loop is to end
        except BaseException:
            report_failure(self._native, what)
            return False
        return True

    # --- the end ---

    def _end(self) -> None:
        self.loop.remove_reader(self._descriptor)
        for future in self._replies.values():
            if not future.done():
                future.set_exception(closed())
        self.wake()
        self.ended.set_result(None)


def _leave_to_the_loop(task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    # A handler that ends the program: the loop raises that itself. Whatever else got here is a defect of ours.
    if error is not None and not isinstance(error, SystemExit | KeyboardInterrupt):
        raise error


def _look_at(answer: asyncio.Future[Any]) -> None:
    # An answer that nobody waits for is nothing to warn of.
    if not answer.cancelled():
        answer.exception()
