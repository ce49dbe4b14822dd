"""How clients end that nobody closed: when they are let go, and at the exit of the interpreter."""

from __future__ import annotations

import atexit
import os
import time
import weakref
from typing import TYPE_CHECKING

from ._native import Native

if TYPE_CHECKING:
    from ._dispatcher import Dispatching

#: How long all clients together may take to say goodbye at exit.
EXIT_WITHIN = 1.0

_clients: weakref.WeakSet[Native] = weakref.WeakSet()
_dispatchers: weakref.WeakSet[Dispatching] = weakref.WeakSet()
# A child has neither the connections nor the threads of its parent.
os.register_at_fork(after_in_child=_clients.clear)
os.register_at_fork(after_in_child=_dispatchers.clear)


def remember(native: Native, *dispatchers: Dispatching) -> None:
    """The client is to end at exit at the latest."""
    _clients.add(native)
    _dispatchers.update(dispatchers)


def let_go(native: Native, timeout: float | None = None) -> None:
    """Closes a client without waiting; what is under way goes on for at most `timeout`, by default `close_timeout`."""
    native.close({"timeout": timeout})


@atexit.register
def _end_all() -> None:
    # A thread that asks for the interpreter while it is being torn down is never heard of again: end them before.
    clients, dispatchers = list(_clients), list(_dispatchers)
    for native in clients:
        let_go(native, 0)
    deadline = time.monotonic() + EXIT_WITHIN
    for native in clients:
        try:
            native.status_wait("closed", max(0.0, deadline - time.monotonic()))
        except Exception:  # an MqttError, of this package or of one that was imported anew since
            pass  # the time is over, and nobody is left to be told
    for dispatcher in dispatchers:
        dispatcher.join(deadline)
