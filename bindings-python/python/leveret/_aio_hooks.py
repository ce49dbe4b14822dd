"""Hooks, the authenticator, `before_connect` and the signer on an event loop: one after another, in a task of their own."""

from __future__ import annotations

import asyncio
import inspect
import weakref
from typing import TYPE_CHECKING

from ._hooks import Hooks, Question

if TYPE_CHECKING:
    from ._pump import Pump

#: How much crosses from the native half at once.
BATCH = 64


class AsyncHooks:
    """Asks hooks and the like. It holds them only while it calls them, since they often hold their client."""

    def __init__(self, pump: Pump, hooks: Hooks) -> None:
        self._pump = pump
        self._queue = hooks.queue
        self._hooks = weakref.ref(hooks)
        self._task: asyncio.Task[None] | None = None

    @property
    def are_running(self) -> bool:
        """Is one being asked, or about to be."""
        return self._task is not None

    def hand_out(self) -> None:
        """Begins to ask what waits to be asked, unless that is under way."""
        if self._task is not None:
            return
        questions = self._queue.take(BATCH)
        if questions and self._hooks() is not None:
            self._task = self._pump.loop.create_task(self._ask_all(questions), name="leveret-hooks")
            self._task.add_done_callback(self._handed_out)

    def _handed_out(self, task: asyncio.Task[None]) -> None:
        self._task = None
        self._pump.handed_out(task)

    async def _ask_all(self, questions: list[Question]) -> None:
        while questions:
            for question in questions:
                await self._ask(question)
            # Others have their turn.
            await asyncio.sleep(0)
            questions = self._queue.take(BATCH)

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
                hooks.answer(question, answer)
            except asyncio.CancelledError as cancelled:
                if is_being_cancelled():
                    raise
                hooks.fail(question, cancelled)
            except (SystemExit, KeyboardInterrupt, GeneratorExit):
                raise  # the program or its loop is to end
            except BaseException as failure:
                hooks.fail(question, failure, too_late=limit.expired())


def is_being_cancelled() -> bool:
    """Is the task that runs here to end, and not just something that it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
