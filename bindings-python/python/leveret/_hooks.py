"""Hooks, which are shown packets of the broker, and the authenticator, which takes the steps of enhanced authentication."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ._arguments import kind_of
from ._handlers import check_handler, report_failure
from ._native import HookQueue, Native
from .errors import ConfigurationError

if TYPE_CHECKING:
    from .options import Binary, Pairs


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet of the broker, as a hook is shown it.

    The hooks are named connack, puback, pubrec, pubrel, pubcomp, suback, unsuback, disconnect and auth. Those of pubrec and pubrel
    may return `Words`; what the others return is None.
    """

    #: Its name in the standard: "CONNACK", "PUBREC", …
    packet: str
    #: Its packet identifier; None for CONNACK, DISCONNECT and AUTH.
    packet_id: int | None = None
    #: Its reason code (MQTT 5, 2.4), the first one where it has several; 0 where it has none.
    reason: int = 0
    #: Its reason codes: one for each topic filter in SUBACK and UNSUBACK (there none on MQTT 3.1.1), one in other packets.
    reasons: Sequence[int] = ()
    #: CONNACK: does an earlier session go on.
    session_present: bool = False
    #: PUBACK, PUBREC and PUBCOMP: the number of their letter's receipt, as the receipt prints it; None where there is none.
    receipt: int | None = None
    #: Its properties by name; empty on MQTT 3.1.1.
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Words:
    """What a hook of PUBREC puts on our PUBREL, and a hook of PUBREL on our PUBCOMP (MQTT 5, 3.6.2.2 and 3.7.2.2)."""

    #: Why, in words for people.
    reason_string: str | None = None
    #: Pairs of texts in their order, names possibly repeated.
    user_properties: Pairs = ()


@dataclass(frozen=True, slots=True)
class AuthStep:
    """A step of enhanced authentication (MQTT 5, 4.12), for the authenticator to take."""

    #: `begin`: what is the broker sent first? `continue`: it sent `data` and wants an answer. `finish`: it has accepted, and
    #: may be refused still.
    stage: Literal["begin", "continue", "finish"]
    #: Is it a re-authentication on a connection that is up.
    reauthentication: bool = False
    #: The authentication method, which is the option `authentication_method`.
    method: str = ""
    #: The authentication data of the broker; None when beginning, and where it sent none. Never printed.
    data: bytes | None = field(default=None, repr=False)
    #: The properties of the broker's AUTH or CONNACK by name; empty when beginning. Never printed.
    properties: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class AuthAnswer:
    """What the authenticator answers where it has to say more than data."""

    #: Authentication data for the broker: at most 65,535 bytes, or text that becomes UTF-8; None for none. Never printed.
    data: Binary | None = field(default=None, repr=False)
    #: Goes with an AUTH, and not with the CONNECT that begins: why, in words for people.
    reason_string: str | None = None
    #: Goes with an AUTH: pairs of texts in their order.
    user_properties: Pairs = ()


#: Is shown a packet; the asyncio client also takes coroutine functions.
Hook: TypeAlias = Callable[[Packet], Words | None]
AsyncHook: TypeAlias = Callable[[Packet], Words | None | Awaitable[Words | None]]
#: What an authenticator answers: data for the broker, or None for none.
Answer: TypeAlias = bytes | bytearray | memoryview | str | AuthAnswer | None
#: Takes a step; the asyncio client also takes coroutine functions.
Authenticator: TypeAlias = Callable[[AuthStep], Answer]
AsyncAuthenticator: TypeAlias = Callable[[AuthStep], Answer | Awaitable[Answer]]

#: What is asked: `packet` or `step`, the number that its answer names, and the fields of Packet or AuthStep.
Question: TypeAlias = tuple[str, int, dict[str, Any]]


class Hooks:
    """The hooks and the authenticator of one client; what they return is handed to the native half."""

    def __init__(
        self, native: Native, hooks: Mapping[str, Callable[..., Any]], authenticator: Callable[..., Any] | None
    ) -> None:
        if not isinstance(hooks, Mapping):
            raise ConfigurationError(f"hooks must be a mapping of packets to functions, not {kind_of(hooks)}")
        for function in (*hooks.values(), *([] if authenticator is None else [authenticator])):
            check_handler(function)
        self._native = native
        # It checks the names.
        self.queue: HookQueue = native.hook_queue(list(hooks), authenticator is not None)
        self._functions: dict[str, Callable[..., Any]] = {name.upper(): hook for name, hook in hooks.items()}
        self._authenticator = authenticator

    def ask(self, question: Question) -> Any:
        """What the function for this returns, which `answer` or `fail` is to be told."""
        kind, _, fields = question
        if kind == "packet":
            hook = self._functions.get(fields["packet"])
            return None if hook is None else hook(Packet(**fields))
        return None if self._authenticator is None else self._authenticator(AuthStep(**fields))

    def answer(self, question: Question, answer: Any) -> None:
        """Hands over what was returned. What cannot be is refused with an exception."""
        kind, number, _ = question
        if kind == "packet":
            words = Words() if answer is None else answer
            if not isinstance(words, Words):
                raise ConfigurationError(f"a hook must return Words or None, not {kind_of(answer)}")
            self.queue.answer(number, words.reason_string, words.user_properties)
        else:
            said = answer if isinstance(answer, AuthAnswer) else AuthAnswer(answer)
            self.queue.authenticate(number, said.data, said.reason_string, said.user_properties)

    def fail(self, question: Question, failure: BaseException) -> None:
        """Reports what was raised. Our answer to a packet goes out plain, and a step is refused."""
        kind, number, fields = question
        report_failure(self._native, f"{fields['packet']} packets" if kind == "packet" else "authentication")
        if kind == "packet":
            self.queue.answer(number, None, ())
        else:
            self.queue.refuse(number, str(failure) or type(failure).__name__)


def hooks_of(
    native: Native, hooks: Mapping[str, Callable[..., Any]] | None, authenticator: Callable[..., Any] | None
) -> Hooks | None:
    """The hooks of a client; None where there are none, which then cost nothing."""
    if hooks is None and authenticator is None:
        return None
    made = Hooks(native, {} if hooks is None else hooks, authenticator)
    return made if hooks or authenticator is not None else None
