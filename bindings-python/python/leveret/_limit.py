"""A timeout around awaited calls, given as everywhere in leveret."""

from __future__ import annotations

import asyncio
import builtins
from types import TracebackType

from ._arguments import Timeout
from ._native import seconds, timed_out


class Limit:
    """A block of code with a timeout; raises our TimeoutError."""

    def __init__(self, timeout: Timeout) -> None:
        self._timeout = asyncio.timeout(seconds(timeout))

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except builtins.TimeoutError:
            raise timed_out() from None
