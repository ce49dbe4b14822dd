"""What both clients take as arguments, and how it reaches the native half."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from .errors import ConfigurationError

#: How long a call may wait: seconds, a timedelta, or text such as "250ms"; None for no limit.
Timeout: TypeAlias = float | timedelta | str | None
if TYPE_CHECKING:
    from typing_extensions import Buffer

    from .options import Duration, Pairs

    #: What a letter may carry: text becomes UTF-8, None is no bytes.
    Payload: TypeAlias = str | Buffer | None
else:
    Payload: TypeAlias = str | bytes | bytearray | memoryview | None
#: One topic filter, or several, or several with options of their own.
Filters: TypeAlias = str | Iterable[str] | Mapping[str, Mapping[str, Any]]


def addresses(url: str | Sequence[str]) -> str:
    """The addresses for people to read, without user names and passwords."""
    urls = [url] if isinstance(url, str) else url
    parts = [each.partition("//") for each in urls]
    return " ".join(scheme + slashes + rest.rpartition("@")[2] for scheme, slashes, rest in parts)


def client_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with the parts of `will={…}` under the names of the option table."""
    flat = dict(options)
    will = flat.pop("will", None)
    if will is not None:
        if not isinstance(will, Mapping):
            raise ConfigurationError(f"will must be a mapping of its parts, not {kind_of(will)}")
        flat.update({f"will_{name}": value for name, value in will.items()})
    return flat


def close_options(
    timeout: Timeout,
    end_session: bool | None,
    with_will: bool,
    session_expiry: Duration | None,
    reason_string: str | None,
    user_properties: Pairs,
) -> dict[str, Any]:
    """The options of a close under the names of the option table."""
    options: dict[str, Any] = {
        "timeout": timeout,
        "end_session": end_session,
        "with_will": with_will,
        "session_expiry": session_expiry,
        "reason_string": reason_string,
    }
    # Reading what is neither text nor a number may need an import, which fails while the interpreter ends.
    return options if user_properties == () else {**options, "user_properties": user_properties}


def filters_with_options(filters: Filters, options: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Each filter with its options; those given for all of them hold where a filter has none of its own."""
    if isinstance(filters, Mapping):
        for name, own in filters.items():
            if not isinstance(own, Mapping):
                raise ConfigurationError(f"the options of topic filter {name!r} must be a mapping, not {kind_of(own)}")
        return [(name, {**options, **own}) for name, own in filters.items()]
    return [(name, dict(options)) for name in names_of(filters)]


def handlers_by_filter(handlers: Any) -> Iterable[tuple[str, Callable[[Any], object]]]:
    """Each topic filter with its handler."""
    if handlers is None:
        return ()
    if not isinstance(handlers, Mapping):
        raise ConfigurationError(f"handlers must be a mapping of topic filters to functions, not {kind_of(handlers)}")
    return handlers.items()


def names_of(filters: Filters) -> list[str]:
    """The topic filters alone."""
    # What is neither text nor a collection is refused by the native half, in the core's words.
    return list(filters) if isinstance(filters, Iterable) and not isinstance(filters, str | bytes) else [filters]


def kind_of(given: object) -> str:
    """What kind of thing was given, for a sentence that says what is allowed."""
    return "None" if given is None else f"a value of type {type(given).__name__}"


def check_receipt(receipt: object, ours: bool) -> None:
    """A receipt stands for a letter of the client that gave it out; elsewhere its number is that of another letter."""
    if not ours:
        raise ConfigurationError(f"receipt must be one that this client gave out, not {receipt!r}")
