"""Handlers whose answers are the responses to the messages they are called with."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from ._arguments import kind_of
from ._native import Message
from .errors import ConfigurationError

#: Where to answer: the topic, or what makes it of the message.
ResponseTopic = str | Callable[[Message], str] | None


def check_response_topic(response_topic: Any) -> None:
    """Refuses what is no topic and cannot make one."""
    # At once, and not when the first message has come.
    if response_topic is not None and not isinstance(response_topic, str) and not callable(response_topic):
        raise ConfigurationError(f"response_topic must be text, a function or None, not {kind_of(response_topic)}")


def serving(handler: Callable[[Message], Any], response_topic: ResponseTopic) -> Callable[[Message], Any]:
    """The handler, with its answer sent. Where it answers later (a coroutine), so does this."""

    def serve(message: Message) -> Any:
        answer = handler(message)
        if inspect.isawaitable(answer):
            return _respond_later(message, answer, response_topic)
        _respond(message, answer, response_topic)
        return None

    return serve


async def _respond_later(message: Message, answer: Awaitable[Any], response_topic: ResponseTopic) -> None:
    _respond(message, await answer, response_topic)


def _respond(message: Message, answer: Any, response_topic: ResponseTopic) -> None:
    topic = response_topic(message) if callable(response_topic) else response_topic
    # Nothing to say, and nobody to say it to.
    if answer is None and topic is None and "response_topic" not in message.properties:
        return
    message.respond(answer, topic=topic)
