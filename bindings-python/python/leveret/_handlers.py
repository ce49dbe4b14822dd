"""Who is called for what: the handlers of filters, the general handler, and those who listen to news."""

from __future__ import annotations

import itertools
import logging
import os
import sys
import threading
import weakref
from collections.abc import Callable, Hashable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ._arguments import kind_of
from ._native import Delivery, Native
from .errors import ClosedError, ConfigurationError, MqttError, WouldDeadlock

if TYPE_CHECKING:
    from .options import Pairs

#: Where exceptions of handlers are reported. Where a program has not set up logging, Python prints them, as it does with
#: exceptions that nobody catches.
_failures = logging.getLogger("leveret.handlers")

#: Takes one thing; the asyncio client also takes coroutine functions.
Function: TypeAlias = Callable[[Any], Any]

#: Those who listen to a kind of news of every client in the process; called with the client and the news.
everywhere: Final[dict[str, list[Callable[[Any, Any], Any]]]] = {"status": [], "ping": []}


#: The number for messages that are for nobody in particular.
NOBODY: Final = 0


class Declared:
    """A filter that is declared for a handler: the declarations that are not answered, and whether one was not given up."""

    __slots__ = ("kept", "open")

    def __init__(self) -> None:
        self.open: set[Declaration] = set()
        self.kept = False


class Declaration:
    """Filters just declared. Inside of it the broker's answer is waited for; whoever leaves it without one gives it up."""

    __slots__ = ("_handlers", "filters", "number", "question")

    def __init__(self, handlers: Handlers, number: int, question: int, filters: list[str]) -> None:
        self._handlers = handlers
        self.number = number
        #: The question whose answer is the broker's.
        self.question = question
        self.filters = filters

    def keep(self) -> None:
        """It stays, whatever the answer is; nobody waits for that."""
        self._handlers.end(self, given_up=False)

    def __enter__(self) -> int:
        return self.question

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        answered = error is None or (isinstance(error, MqttError) and not isinstance(error, WouldDeadlock))
        self._handlers.end(self, given_up=not answered)


class Handlers:
    """The handlers of one client. Changed from any thread; a change holds from the next message on."""

    def __init__(self, native: Native, client: object, where: str) -> None:
        self._native = native
        #: Where the client connects to, for the log.
        self.where = where
        self._client = weakref.ref(client)
        self._fresh = itertools.count(1)
        self._numbers: dict[Function, int] = {}
        self._functions: dict[int, Function] = {}
        self._filters: dict[int, dict[str, Declared]] = {}
        self._general: Function | None = None
        self._iterators = 0
        self._listeners: dict[str, list[Function]] = {}
        self.unlock()
        _all.add(self)

    def unlock(self) -> None:
        """A new lock, since another thread may hold the old one and not be there in a forked child."""
        # Reentrant: letting go of an iterator may happen at any point of the same thread.
        self._lock = threading.RLock()

    def declare(self, filters: list[tuple[str, dict[str, Any]]], function: Function | None) -> Declaration:
        """Declares filters with a handler, or without one for nobody in particular."""
        if function is not None:
            check_handler(function)
        # In one go, or another thread that takes filters back could take the handler with them.
        with self._lock:
            number = NOBODY if function is None else self._number(function)
            try:
                question = self._native.subscribe(filters, None if function is None else number)
                declaration = Declaration(self, number, question, [name for name, _ in filters])
                known = self._filters.setdefault(number, {})
                for name in declaration.filters:
                    known.setdefault(name, Declared()).open.add(declaration)
            finally:
                self._forget_if_unused(number)
            return declaration

    def end(self, declaration: Declaration, given_up: bool) -> None:
        """A declaration was answered, or given up: then what nobody else has declared for that handler is taken back."""
        with self._lock:
            known, alone = self._filters.get(declaration.number, {}), []
            for name in declaration.filters:
                declared = known.get(name)
                # It may have been taken back since, and declared anew.
                if declared is None or declaration not in declared.open:
                    continue
                declared.open.discard(declaration)
                declared.kept |= not given_up
                if not declared.kept and not declared.open:
                    del known[name]
                    alone.append(name)
            if alone:
                self._native.give_up(alone, declaration.number)
                self._forget_if_unused(declaration.number)

    def take_back(self, filters: list[str], user_properties: Pairs) -> int:
        """Takes filters back from all their handlers; the question whose answer is the broker's."""
        with self._lock:
            question = self._native.unsubscribe(filters, user_properties)
            for number, declared in list(self._filters.items()):
                for name in filters:
                    declared.pop(name, None)
                self._forget_if_unused(number)
            return question

    def set_general(self, function: Function) -> None:
        """Sets the handler of messages that have none of their own; without one they wait for an iterator."""
        check_handler(function)
        with self._lock:
            self._general = function
            self._tell_general()

    def iterator_came(self, change: int) -> None:
        """An iterator takes the messages that have no handler, or (-1) does so no longer."""
        with self._lock:
            self._iterators += change
            self._tell_general()

    def listen(self, kind: str, function: Function) -> None:
        """Calls the function with each news of this kind."""
        check_handler(function)
        self._listeners.setdefault(kind, []).append(function)

    def of(self, delivery: Delivery) -> list[Function]:
        """Who is to be called for this message."""
        functions = [self._functions.get(number) for number in delivery.handlers]
        if delivery.general:
            functions.append(self._general)
        return [function for function in functions if function is not None]

    def listeners(self, kind: str) -> list[Function]:
        """Who is to be called for news of this kind."""
        listeners = list(self._listeners.get(kind, ()))
        client = self._client()
        if client is not None:
            listeners += [_with(client, listener) for listener in everywhere.get(kind, ())]
        return listeners

    def _number(self, function: Function) -> int:
        # The same for the same function, which is then called once for a message.
        hashable = isinstance(function, Hashable)
        number = self._numbers.get(function) if hashable else None
        if number is None:
            number = next(self._fresh)
            self._functions[number] = function
            if hashable:
                self._numbers[function] = number
        return number

    def _forget_if_unused(self, number: int) -> None:
        if not self._filters.get(number):
            self._filters.pop(number, None)
            function = self._functions.pop(number, None)
            if function is not None and isinstance(function, Hashable):
                self._numbers.pop(function, None)

    def _tell_general(self) -> None:
        self._native.set_general(self._general is not None, self._iterators > 0)


_all: weakref.WeakSet[Handlers] = weakref.WeakSet()


def _unlock_all() -> None:
    for handlers in list(_all):
        handlers.unlock()


os.register_at_fork(after_in_child=_unlock_all)


def listen_everywhere(kind: str, function: Callable[[Any, Any], Any]) -> None:
    """Calls the function with client and news for each news of this kind, of every client in the process."""
    check_handler(function)
    everywhere[kind].append(function)


def report_failure(native: Native, what: str) -> None:
    """Logs the exception being handled: a handler that raises does not harm the client."""
    # A handler that was still running when its client was closed did nothing wrong.
    ended = isinstance(sys.exception(), ClosedError) and native.is_closing()
    _failures.log(logging.DEBUG if ended else logging.ERROR, "a handler of %s raised", what, exc_info=True)


def check_handler(function: Any, name: str = "handler") -> None:
    """Refuses what cannot be called."""
    # At once, and not when the first message has come.
    if not callable(function):
        raise ConfigurationError(f"{name} must be a function or another callable, not {kind_of(function)}")


def _with(client: object, listener: Callable[[Any, Any], Any]) -> Function:
    return lambda news: listener(client, news)
