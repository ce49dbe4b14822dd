"""The native half: what the blocking and the asyncio client stand on. Private; use `leveret.Client` and `leveret.AsyncClient`."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Self, TypeAlias, Unpack, final

from typing_extensions import disjoint_base

from ._arguments import Filters, Payload, Timeout
from ._hooks import Question
from .aio import AsyncReceipt
from .client import Receipt
from .errors import ClosedError, NotDelivered, WouldDeadlock
from .errors import TimeoutError as MqttTimeoutError
from .options import Binary, Pairs, PublishOptions

__all__ = [
    "Delivery",
    "HookQueue",
    "Message",
    "Native",
    "NativeBroker",
    "Queue",
    "Scope",
    "Signing",
    "StatusWatch",
    "__version__",
    "closed",
    "deadlock",
    "not_delivered",
    "seconds",
    "set_runtime_threads",
    "shutdown",
    "timed_out",
]

__version__: str

#: The arguments of Outcome.
_Outcome: TypeAlias = tuple[str, bool, int | None, str | None, list[tuple[str, str]]]
#: A kind, and the fields of its event by name.
_News: TypeAlias = tuple[str, dict[str, Any]]

@final
class Message:
    """A message from the broker."""

    @property
    def topic(self) -> str:
        """Topic name."""
    @property
    def levels(self) -> list[str]:
        """What stands between the slashes of the topic name."""
    @property
    def payload(self) -> bytes:
        """The payload, which may be empty. Made anew at every access."""
    @property
    def qos(self) -> int:
        """QoS of this delivery: 0, 1 or 2."""
    @property
    def retain(self) -> bool:
        """Is it a retained message."""
    @property
    def dup(self) -> bool:
        """May the broker have sent this packet before."""
    @property
    def properties(self) -> dict[str, Any]:
        """MQTT 5 properties by name; empty on MQTT 3.1.1."""
    @property
    def user_properties(self) -> list[tuple[str, str]]:
        """User properties in their order, names possibly repeated."""
    def ack(self, reason: int = 0, reason_string: str | None = None, user_properties: Pairs = ()) -> None:
        """Acknowledges the message, where the client was made with `manual_ack=True`; else it does nothing. From any thread.

        It also does nothing when the connection that brought the message is gone: then the broker delivers it again.

        On MQTT 5 the PUBACK or PUBREC carries `reason` (MQTT 5, 3.4.2.1: 0, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97 or 0x99; from
        0x80 on the message was refused, and the broker does not deliver it again), `reason_string` and `user_properties`; on
        MQTT 3.1.1 it can carry none.
        """
    def respond(
        self, payload: Payload = None, *, topic: str | None = None, **options: Unpack[PublishOptions]
    ) -> Receipt | AsyncReceipt:
        """Answers the message, on the response topic that it names, with its correlation data and its QoS; returns the receipt.

        The response lives as long as the message says that it is waited for. Options are those of `publish`. A message that
        names no response topic, as none does on MQTT 3.1.1, is answered on `topic`; without one that raises ConfigurationError.
        """

@final
class Delivery:
    """A message on its way to its handlers; private."""

    @property
    def message(self) -> Message: ...
    @property
    def handlers(self) -> list[int]: ...
    @property
    def general(self) -> bool: ...
    def done(self, handled: bool) -> None: ...

@final
class Queue:
    """Messages that wait for an iterator; private."""

    def next(self) -> Delivery | None: ...
    def next_wait(self, timeout: Timeout) -> Delivery: ...
    def is_over(self) -> bool: ...
    def close(self) -> None: ...

@final
class HookQueue:
    """What the functions are asked that a client calls on the way to its broker, and their answers; private."""

    def take(self, most: int) -> list[Question]: ...
    def take_wait(self, most: int) -> list[Question] | None: ...
    def answer(self, number: int, reason_string: str | None, user_properties: Pairs) -> None: ...
    def authenticate(
        self, number: int, data: Binary | None, reason_string: str | None, user_properties: Pairs
    ) -> None: ...
    def refuse(self, number: int, text: str) -> None: ...
    def prepare(self, number: int, options: dict[str, Any]) -> None: ...
    def refuse_attempt(self, number: int, text: str) -> None: ...
    def limit(self, kind: str) -> float: ...

@final
class Signing:
    """A handshake of TLS to be signed; private."""

    @property
    def scheme(self) -> str: ...
    @property
    def message(self) -> bytes: ...
    def is_wanted(self) -> bool: ...
    def sign(self, signature: object) -> None: ...
    def refuse(self, text: str) -> None: ...

@final
class Scope:
    """While entered, this thread runs a handler of the client; private."""

    def __enter__(self) -> None: ...
    def __exit__(self, _kind: object, _error: object, _trace: object) -> None: ...

@final
class StatusWatch:
    """A wait for a status that began at some moment; private."""

    def came(self) -> bool: ...

@final
class Native:
    """One client of the core; private."""

    def __new__(cls, urls: str | Sequence[str], options: dict[str, Any], streamed: bool, signs: bool) -> Self: ...
    def start(self) -> None: ...
    def publish(self, topic: str, payload: Payload, options: Any, waiting: bool) -> int: ...
    def publish_many(
        self, letters: Sequence[tuple[str, Payload]], options: Any, waiting: bool
    ) -> tuple[list[int], BaseException | None]: ...
    def request(self, topic: str, payload: Payload, timeout: Timeout, options: Any) -> int: ...
    def set_receipts(self, make: Callable[[Native], Callable[[int], Any]]) -> None: ...
    def cancel(self, tag: int) -> int: ...
    def explain(self, tag: int) -> int: ...
    def flush(self) -> int: ...
    def writable(self) -> bool: ...
    def writable_wait(self, timeout: Timeout) -> None: ...
    def receipt_wait(self, tag: int, timeout: Timeout) -> _Outcome: ...
    def receipt_ready(self, tag: int) -> _Outcome | None: ...
    def forget(self, tag: int) -> None: ...
    def reply_wait(self, tag: int, timeout: Timeout, keep: bool) -> Any: ...
    def answer_wait(self, tag: int) -> Any: ...
    def ping(self) -> int: ...
    def reauthenticate(self) -> int: ...
    def reconnect(self) -> None: ...
    def close(self, options: dict[str, Any]) -> int | None: ...
    def check_close(self, options: dict[str, Any]) -> None: ...
    def close_timeout(self) -> float: ...
    def is_closing(self) -> bool: ...
    def is_closed(self) -> bool: ...
    def status(self) -> str: ...
    def status_wait(self, status: str, timeout: Timeout) -> None: ...
    def status_watch(self, status: str) -> StatusWatch: ...
    def stats(self) -> dict[str, Any]: ...
    def subscribe(self, filters: Sequence[tuple[str, dict[str, Any]]], taker: int | Queue | None) -> int: ...
    def unsubscribe(self, filters: Filters, user_properties: Pairs) -> int: ...
    def release(self, handler: int) -> None: ...
    def give_up(self, filters: Sequence[str], handler: int) -> None: ...
    def set_general(self, handled: bool, iterated: bool) -> None: ...
    def take(self, most: int) -> list[Delivery | _News]: ...
    def take_wait(self, most: int) -> list[Delivery | _News] | None: ...
    def general_queue(self) -> Queue: ...
    def open_queue(self) -> Queue: ...
    def hook_queue(self, packets: list[str], authenticates: bool, prepares: bool) -> HookQueue: ...
    def scope(self, hooks: bool = False) -> Scope: ...
    def descriptor(self) -> int: ...
    def reports(self) -> list[tuple[int, str, Any]]: ...

@disjoint_base
class NativeBroker:
    """A broker on a thread of its own; `leveret.testing.Broker` is what users see."""

    def __new__(
        cls,
        *,
        protocol: Literal["3.1.1", "5"] = ...,
        receive_maximum: int = ...,
        maximum_qos: Literal[0, 1, 2] = ...,
        retain_available: bool = ...,
        maximum_packet_size: int = ...,
        server_keep_alive: int = ...,
        deny: str = ...,
        tls: bool = ...,
        client_certificates: bool = ...,
        alpn: str = ...,
        websocket: bool = ...,
        websocket_path: str = ...,
        websocket_header: str = ...,
        unix_socket: bool | str = ...,
    ) -> Self: ...
    @property
    def url(self) -> str:
        """Its address, `mqtt://127.0.0.1:port` or what its options make of that: mqtts, ws, wss or mqtt+unix; the same as long as it lives."""
    @property
    def ca_pem(self) -> str | None:
        """The certificate authority of this broker alone, as PEM: what its clients have to trust. None without TLS."""
    @property
    def client_cert_pem(self) -> str | None:
        """A certificate with which a client identifies itself to this broker, as PEM. None without TLS."""
    @property
    def client_key_pem(self) -> str | None:
        """The key that belongs to `client_cert_pem`, as PEM. None without TLS."""
    def show_certificate(
        self,
        certificate: Literal[
            "valid", "expired", "not_yet_valid", "wrong_name", "unknown_ca", "wrong_purpose", "missing_intermediate"
        ],
    ) -> None:
        """Shows this certificate to clients that connect from now on: "valid" is a new one, as after a renewal; clients

        refuse "expired", "not_yet_valid", "wrong_name", "unknown_ca", "wrong_purpose" and "missing_intermediate".
        """
    @property
    def received(self) -> list[Message]:
        """Every PUBLISH from a client in order of arrival, recorded before it is acknowledged; re-deliveries have `dup`."""
    def wait_received(self, count: int, timeout: Timeout = 5.0) -> list[Message]:
        """Waits until there are `count` of them and returns all there are then. Raises TimeoutError."""
    @property
    def connections(self) -> int:
        """How many clients are connected."""
    def stop(self, *, forget: bool = False) -> None:
        """Ends all connections without a word and refuses new ones; keeps the port and, unless `forget`, the sessions."""
    def start(self) -> None:
        """Listens again on the same port."""
    def swallow(self, packet: str, count: int = 1) -> None:
        """Swallows the next `count` packets of this type from clients, as if they had been lost: "PUBLISH", "PINGREQ", …"""
    def swallow_outgoing(self, packet: str, count: int = 1) -> None:
        """The same for packets to clients: "PUBACK", "CONNACK", …"""
    def publish(self, topic: str, payload: Payload, *, qos: int = 0, retain: bool = False) -> None:
        """Publishes a message from the broker itself."""
    def disconnect_clients(self) -> None:
        """Resets every connection and goes on listening. Wills are published."""
    def lose_sessions(self) -> None:
        """Forgets every session and resets the connections that used them."""
    def pause_reading(self, paused: bool) -> None:
        """Stops reading from clients, as a broker does that hangs, until it is called with False."""
    def close(self) -> None:
        """Ends the broker for good. What it received can still be read."""

def shutdown() -> None:
    """Stops the shared background runtime; clients that are still open end at once."""

def set_runtime_threads(count: int) -> None:
    """Sets how many threads the shared background runtime has: 1 to 64, before the first client is made."""

def seconds(timeout: Timeout) -> float | None: ...
def not_delivered(
    status: str, maybe_delivered: bool, reason: int | None, reason_string: str | None
) -> NotDelivered | None: ...
def closed() -> ClosedError: ...
def timed_out() -> MqttTimeoutError: ...
def deadlock(behind_close: bool = False) -> WouldDeadlock: ...
