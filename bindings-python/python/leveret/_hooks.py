"""What a client calls on the way to its broker: hooks, the authenticator, `before_connect` and the signer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ._arguments import client_options, kind_of
from ._handlers import check_handler, report_failure
from ._native import HookQueue, Native
from .errors import ConfigurationError

if TYPE_CHECKING:
    from .options import Binary, ConnectOptions, Pairs

    #: What `before_connect` returns; None lets the attempt say what the options of the client say.
    Said: TypeAlias = ConnectOptions | None
else:
    Said: TypeAlias = Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet of the broker, as a hook is shown it: when it has taken effect. Only PUBREL and PUBCOMP wait for the words of the hook.

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
    #: PUBACK, PUBREC and PUBCOMP: the `number` of their letter's receipt; None where there is none.
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


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to connect that is about to be made, for `before_connect` to say more of."""

    #: Where it goes unless something else is said: one of the client's URLs, or what the broker referred to, without user name and
    #: password. Never printed, because it may be signed.
    url: str = field(repr=False)
    #: Which attempt of the client it is, from 1. What was refused or not answered was no attempt yet: the next one has the same
    #: number.
    number: int


#: Is shown a packet; the asyncio client also takes coroutine functions.
Hook: TypeAlias = Callable[[Packet], Words | None]
AsyncHook: TypeAlias = Callable[[Packet], Words | None | Awaitable[Words | None]]
#: What an authenticator answers: data for the broker, or None for none.
Answer: TypeAlias = bytes | bytearray | memoryview | str | AuthAnswer | None
#: Takes a step; the asyncio client also takes coroutine functions.
Authenticator: TypeAlias = Callable[[AuthStep], Answer]
AsyncAuthenticator: TypeAlias = Callable[[AuthStep], Answer | Awaitable[Answer]]
#: Says what an attempt to connect says; the asyncio client also takes coroutine functions.
BeforeConnect: TypeAlias = Callable[[Attempt], Said]
AsyncBeforeConnect: TypeAlias = Callable[[Attempt], Said | Awaitable[Said]]
#: What a signer returns.
Signature: TypeAlias = bytes | bytearray | memoryview
#: Signs a message under a scheme; the asyncio client also takes coroutine functions.
Signer: TypeAlias = Callable[[str, bytes], Signature]
AsyncSigner: TypeAlias = Callable[[str, bytes], Signature | Awaitable[Signature]]

#: What is asked: `packet`, `step`, `attempt` or `handshake`, the number that its answer names, and the fields of Packet, AuthStep or
#: Attempt, or a native Signing.
Question: TypeAlias = tuple[str, int, dict[str, Any]]


class Hooks:
    """The functions of one client that it calls on the way to its broker; what they return is handed to the native half."""

    def __init__(self, native: Native, hooks: Mapping[str, Callable[..., Any]], asked: Mapping[str, Callable[..., Any]]) -> None:
        if not isinstance(hooks, Mapping):
            raise ConfigurationError(f"hooks must be a mapping of packets to functions, not {kind_of(hooks)}")
        for function in hooks.values():
            check_handler(function)
        for name, function in asked.items():
            check_handler(function, name)
        self._native = native
        # It checks the names.
        self.queue: HookQueue = native.hook_queue(list(hooks), "authenticator" in asked, "before_connect" in asked)
        self._hooks: dict[str, Callable[..., Any]] = {name.upper(): hook for name, hook in hooks.items()}
        self._asked = asked

    def ask(self, question: Question) -> Any:
        """What the function for this returns, which `answer` or `fail` is to be told."""
        kind, _, fields = question
        if kind == "packet":
            hook = self._hooks.get(fields["packet"])
            return None if hook is None else hook(Packet(**fields))
        if kind == "step":
            return self._asked["authenticator"](AuthStep(**fields))
        if kind == "attempt":
            return self._asked["before_connect"](Attempt(**fields))
        return self._asked["signer"](fields["signing"].scheme, fields["signing"].message)

    def is_wanted(self, question: Question) -> bool:
        """Does anybody still wait for the answer. A handshake that was given up needs no work of a secure element."""
        kind, _, fields = question
        return kind != "handshake" or (fields["signing"].is_wanted() and not self._native.is_closed())

    def limit(self, question: Question) -> float | None:
        """For how many seconds anybody waits for the answer; None for one that nobody waits for."""
        kind, number, _ = question
        return None if kind == "packet" and number == 0 else self.queue.limit(kind)

    def answer(self, question: Question, answer: Any) -> None:
        """Hands over what was returned. What cannot be is refused with an exception."""
        kind, number, fields = question
        if kind == "packet":
            words = Words() if answer is None else answer
            if not isinstance(words, Words):
                raise ConfigurationError(f"a hook must return Words or None, not {kind_of(answer)}")
            self.queue.answer(number, words.reason_string, words.user_properties)
        elif kind == "step":
            said = answer if isinstance(answer, AuthAnswer) else AuthAnswer(answer)
            self.queue.authenticate(number, said.data, said.reason_string, said.user_properties)
        elif kind == "attempt":
            options = {} if answer is None else answer
            if not isinstance(options, Mapping):
                raise ConfigurationError(f"before_connect must return a mapping of options or None, not {kind_of(answer)}")
            self.queue.prepare(number, client_options(options))
        else:
            fields["signing"].sign(answer)

    def fail(self, question: Question, failure: BaseException, *, too_late: bool = False) -> None:
        """Reports what was raised. Our answer to a packet goes out plain; a step, an attempt and a signature are refused."""
        kind, number, fields = question
        report_failure(self._native, f"{fields['packet']} packets" if kind == "packet" else _WHAT[kind])
        if too_late:
            return  # whoever waited gives it up by itself, and says so
        if kind == "packet":
            self.queue.answer(number, None, ())
        elif kind == "step":
            self.queue.refuse(number, _why(failure))
        elif kind == "attempt":
            self.queue.refuse_attempt(number, _why(failure))
        else:
            fields["signing"].refuse(_why(failure))


#: What the functions have to do with, as the log says it.
_WHAT = {"step": "authentication", "attempt": "attempts to connect", "handshake": "handshakes to sign"}


def _why(failure: BaseException) -> str:
    """The reason in words, whatever the exception makes of being asked."""
    try:
        words = str(failure)
    except Exception:
        words = ""
    # Half of a surrogate pair is no text for anybody else.
    return words.encode("utf-8", "replace").decode() or type(failure).__name__


def hooks_of(
    native: Native, hooks: Mapping[str, Callable[..., Any]] | None, **asked: Callable[..., Any] | None
) -> Hooks | None:
    """The hooks of a client and what else it asks, by the names of the arguments; None where there is nothing, which then costs nothing."""
    given = {name: function for name, function in asked.items() if function is not None}
    if hooks is None and not given:
        return None
    made = Hooks(native, {} if hooks is None else hooks, given)
    return made if hooks or given else None
