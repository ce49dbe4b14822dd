"""Hooks, the authenticator, `before_connect` and the signer on an event loop: one after another, in a task of their own."""

from __future__ import annotations

import asyncio
import inspect
import weakref
from collections import deque
from typing import TYPE_CHECKING

from ._hooks import Hooks, Question

if TYPE_CHECKING:
    from ._pump import Pump

#: How much crosses from the native half at once.
BATCH = 64

#: How the names of our own tasks begin.
TASKS = "leveret-"


class AsyncHooks:
    """Asks hooks and the like. It holds them only while it calls them, since they often hold their client."""

    def __init__(self, pump: Pump, hooks: Hooks) -> None:
        self._pump = pump
        self._queue = hooks.queue
        self._hooks = weakref.ref(hooks)
        self._task: asyncio.Task[None] | None = None
        # Taken, and not asked yet: what a task that was cancelled has left.
        self._questions: deque[Question] = deque()

    @property
    def are_running(self) -> bool:
        """Is one being asked, or about to be."""
        return self._task is not None

    def hand_out(self) -> None:
        """Begins to ask what waits to be asked, unless that is under way."""
        if self._task is not None:
            return
        self._questions.extend(self._queue.take(BATCH))
        if self._questions and self._hooks() is not None:
            self._task = self._pump.loop.create_task(self._ask_all(), name=f"{TASKS}hooks")
            self._task.add_done_callback(self._handed_out)

    def _handed_out(self, task: asyncio.Task[None]) -> None:
        self._task = None
        self._pump.handed_out(task)

    async def _ask_all(self) -> None:
        while self._questions:
            while self._questions:
                await self._ask(self._questions.popleft())
            # Others have their turn.
            await asyncio.sleep(0)
            self._questions.extend(self._queue.take(BATCH))

    async def _ask(self, question: Question) -> None:
        hooks = self._hooks()
        if hooks is None or not hooks.is_wanted(question):
            return
        with self._pump.hook_run():
            limit = asyncio.timeout(None)
            try:
                answer = hooks.ask(question)
                if inspect.isawaitable(answer):
                    # Once nobody waits for it any more, it would only hold up those after it.
                    limit = asyncio.timeout(hooks.limit(question))
                    async with limit:
                        answer = await answer
                await let_cancel()
                hooks.answer(question, answer)
            except asyncio.CancelledError as cancelled:
                if is_ending(self._pump.loop):
                    raise
                hooks.fail(question, cancelled)
                if is_being_cancelled():
                    raise
            except (SystemExit, KeyboardInterrupt, GeneratorExit):
                raise  # the program or its loop is to end
            except BaseException as failure:
                hooks.fail(question, failure, too_late=limit.expired())


def is_being_cancelled() -> bool:
    """Is the task that runs here to end, and not just something that it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def let_cancel() -> None:
    """Lets a cancellation of this task come through now, where somebody has asked for one, and not in what it runs next."""
    if is_being_cancelled():
        await asyncio.sleep(0)


def is_ending(loop: asyncio.AbstractEventLoop) -> bool:
    """Is the loop about to end. It then cancels all tasks; a handler that cancels its own leaves those of the program as they are."""
    here = asyncio.current_task(loop)
    if here is not None and here.cancelling() == 0:
        return False
    others = (task for task in asyncio.all_tasks(loop) if not task.get_name().startswith(TASKS))
    return all(task.cancelling() > 0 for task in others)
