"""The blocking client: publishes never wait for the network, handlers run on a thread of the client's own."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ._arguments import Filters, Payload, Timeout, addresses, check_receipt, client_options, close_options, names_of
from ._dispatcher import Dispatcher, Dispatching, HookDispatcher
from ._ending import let_go, remember
from ._face import Face
from ._handlers import Handlers
from ._hooks import hooks_of
from ._messages import Messages, Subscription
from ._native import Message, Native, seconds
from ._tables import Status
from ._values import ConnectionEvent, Notice, Outcome, SubscriptionEvent, receipts_or_raise

if TYPE_CHECKING:
    from typing import Unpack

    from ._hooks import Authenticator, BeforeConnect, Hook, Signer
    from .options import ClientOptions, Duration, Pairs, PublishOptions, SubscribeOptions


class Receipt:
    """The receipt of one letter. Letting go of it costs nothing and changes nothing. May be used from any thread."""

    __slots__ = ("__weakref__", "_native", "_outcome", "_tag")

    def __init__(self, native: Native, tag: int) -> None:
        self._native = native
        self._tag = tag
        self._outcome: Outcome | None = None

    def wait(self, timeout: Timeout = None) -> Outcome:
        """Waits for the outcome, at most `timeout` (None: as long as it takes).

        Raises TimeoutError when the time is over, which changes nothing for the letter, and WouldDeadlock inside a handler
        that would have to end first because the inbox is full.
        """
        if self._outcome is None:
            self._outcome = Outcome(*self._native.receipt_wait(self._tag, timeout))
        return self._outcome

    @property
    def number(self) -> int:
        """The number of its letter in this client, which a hook finds in `Packet.receipt`."""
        return self._tag

    @property
    def outcome(self) -> Outcome | None:
        """The outcome if there is one already, else None."""
        if self._outcome is None:
            ready = self._native.receipt_ready(self._tag)
            self._outcome = None if ready is None else Outcome(*ready)
        return self._outcome

    def __del__(self) -> None:
        self._native.forget(self._tag)

    def __repr__(self) -> str:
        return f"<leveret.Receipt {self._tag}: {self._outcome or 'open'}>"


class Client(Face):
    """An MQTT client with a post office. It begins to connect when it is made, in the background, and never gives up.

    `url` is `mqtt://[user[:password]@]host[:port]`, the same with `mqtts://`, `ws://` or `wss://`, or `mqtt+unix:///path`; or
    several of them that are tried in turn. Options are those of
    `leveret.options.ClientOptions`; a wrong one raises ConfigurationError here. Any method may be called from any thread and
    inside any handler. Handlers of one client run one after another on a thread of its own. Timeouts are seconds, a
    timedelta, or text such as "250ms"; None waits as long as it takes.

    Handlers given here miss nothing: `handlers` of topic filters, by filter, and `on_message`, `on_connection`, … as the
    decorators of the same names. Those set later are told what happens from then on. With `clean_start=False` the broker
    begins at once with the messages of the session that it kept, so give the handlers here; or pass `start=False`, declare
    handlers and subscriptions, and then call `start()`.

    `hooks` are shown packets of the broker, by their names (see `leveret.Packet`). A packet is shown when it has taken effect; only
    the two answers that end an exchange of QoS 2 wait for the words of the hook, at most `hook_timeout`. The `authenticator` takes each step of
    enhanced authentication (MQTT 5, 4.12) in the method that the option `authentication_method` names: it returns the data for the
    broker, or an `AuthAnswer`; one that raises refuses, in the words of its exception.

    `before_connect` is called with an `Attempt` before each attempt to connect, for credentials that do not last, a will that tells of
    the moment, or a signed URL: what it returns (`leveret.options.ConnectOptions`, `{"username": …, "password": …}`) holds for this
    attempt in place of those options of the client, and None changes nothing. The `signer` signs TLS handshakes in place of a
    private key, which can so stay in a secure element: it gets the name of a signature scheme as TLS has it (RFC 8446, 4.2.3), such
    as "ecdsa_secp256r1_sha256", and the message, not hashed yet, and returns the signature, for ECDSA in DER; its certificate is
    `tls_cert` or `tls_cert_file`. Where they raise, return what is not valid, or take longer than `hook_timeout` (the signer: what is
    left of `connect_timeout`) the attempt fails, and another follows.

    All of these run one after another on a second thread of the client's own, behind no handler. One that blocks holds up those
    after it, and keeps no client from closing and no program from ending.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        *,
        start: bool = True,
        handlers: Mapping[str, Callable[[Message], object]] | None = None,
        on_message: Callable[[Message], object] | None = None,
        on_connection: Callable[[ConnectionEvent], object] | None = None,
        on_subscription: Callable[[SubscriptionEvent], object] | None = None,
        on_status: Callable[[Status], object] | None = None,
        on_ping: Callable[[float], object] | None = None,
        on_notice: Callable[[Notice], object] | None = None,
        hooks: Mapping[str, Hook] | None = None,
        authenticator: Authenticator | None = None,
        before_connect: BeforeConnect | None = None,
        signer: Signer | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        self._native = Native(url, client_options(options), False, signer is not None)
        self._native.set_receipts(_receipts)
        self._where = addresses(url)
        self._handlers = Handlers(self._native, self, self._where)
        self._set_first(
            handlers,
            on_message,
            connection=on_connection,
            subscription=on_subscription,
            status=on_status,
            ping=on_ping,
            notice=on_notice,
        )
        self._hooks = hooks_of(
            self._native, hooks, authenticator=authenticator, before_connect=before_connect, signer=signer
        )
        self._dispatchers: list[Dispatching] = [Dispatcher(self._native, self._handlers)]
        if self._hooks is not None:
            self._dispatchers.append(HookDispatcher(self._native, self._hooks))
        remember(self._native, *self._dispatchers)
        weakref.finalize(self, let_go, self._native).atexit = False
        if start:
            self._native.start()

    # --- the connection ---

    def wait_for(self, status: Status | str, timeout: Timeout = None) -> None:
        """Waits until the client has this status, at most `timeout`; also if it came and went meanwhile.

        Raises TimeoutError, or ClosedError where it cannot come any more.
        """
        self._native.status_wait(status, timeout)

    def ping(self, timeout: Timeout = None) -> float:
        """Asks the broker for a sign of life and returns the round trip in seconds. Raises ConnectionError while offline."""
        limit = seconds(timeout)
        return float(self._native.reply_wait(self._native.ping(), limit, False))

    def reauthenticate(self, timeout: Timeout = None) -> None:
        """Authenticates once more on the connection that is up (MQTT 5, 4.12.1), and waits until the broker has accepted.

        Raises TimeoutError, ConnectionError while offline or when the connection is lost, which the broker does that refuses,
        ConfigurationError without the option `authentication_method` and on MQTT 3.1.1, and ClosedError.
        """
        limit = seconds(timeout)
        self._native.reply_wait(self._native.reauthenticate(), limit, False)

    def close(
        self,
        timeout: Timeout = None,
        *,
        end_session: bool | None = None,
        with_will: bool = False,
        session_expiry: Duration | None = None,
        reason_string: str | None = None,
        user_properties: Pairs = (),
    ) -> None:
        """Sends what waits, says goodbye and settles every receipt, at most for `timeout` (unless given, `close_timeout`).

        The session ends if `clean_start` was true and is kept otherwise, unless `end_session` says which. Messages that no
        handler has begun with are left to the broker. Inside a handler it takes effect when the handler returns. Closing
        again does nothing, nor does closing a client of the parent process.

        MQTT 5: the broker keeps the session for `session_expiry` from now on, where it was to be kept at all, and its log may
        show `reason_string` and `user_properties`. With `with_will=True` it publishes the will all the same.
        """
        options = close_options(timeout, end_session, with_will, session_expiry, reason_string, user_properties)
        # In the words of an option, for which None is another limit and not none.
        self._native.check_close(options)
        limit = seconds(timeout)
        deadline = time.monotonic() + (self._native.close_timeout() if limit is None else limit)
        tag = self._native.close(options)
        if tag is not None:
            self._native.reply_wait(tag, None, False)
            for dispatcher in self._dispatchers:
                dispatcher.join(deadline)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- letters ---

    def publish(self, topic: str, payload: Payload = b"", **options: Unpack[PublishOptions]) -> Receipt:
        """Hands a letter to the post office and returns its receipt, online or offline, without waiting for the network.

        Text becomes UTF-8. Only while online and with a full post office does it wait for room, at most until the letter's
        time to live has passed, which then is its outcome. Offline the rule `overflow` decides, and QueueFull is raised where
        that leaves no room. Bad arguments raise ConfigurationError.
        """
        return Receipt(self._native, self._native.publish(topic, payload, options or None, True))

    def publish_many(
        self, letters: Iterable[tuple[str, Payload]], **options: Unpack[PublishOptions]
    ) -> list[Receipt]:
        """Publishes several letters with the same options in one crossing; returns their receipts in order.

        Waits for room as `publish` does. Where not all letters were accepted, the exception has the `receipts` of those
        that were: the first ones.
        """
        tags, error = self._native.publish_many(list(letters), options or None, True)
        receipts = [Receipt(self._native, tag) for tag in tags]
        return receipts_or_raise(receipts, error)

    def request(
        self, topic: str, payload: Payload = b"", *, timeout: Timeout = 10.0, **options: Unpack[PublishOptions]
    ) -> Message:
        """Publishes a letter that asks for a response, waits for it and returns it.

        Whoever answers may be a `serve`, or any program that follows MQTT 5 (4.10). Several requests may be open at once. The
        letter lives no longer than `timeout` (seconds; None: as long as it takes), unless `ttl` says otherwise, so that nothing
        is carried out that was given up. The client listens on one topic of its own: the option `response_topic`, else one
        below what the broker says or below `response/`; late responses are counted as unhandled.

        On MQTT 3.1.1 a message cannot say where its response is to go: give the topic on which the responder will answer as
        `response_topic`, one for each requester. What comes there answers the request that has waited longest. A client that
        speaks either version posts a request once its first connection has told which.

        Raises TimeoutError with what is known of the letter, NotDelivered with the reason as soon as it is known not to
        arrive, RefusedError where the broker does not let the client listen, ClosedError, and ConfigurationError.
        Inside a handler also WouldDeadlock, where the inbox is full and that handler would have to end first.
        """
        question = self._native.request(topic, payload, timeout, options or None)
        response: Message = self._native.reply_wait(question, None, False)
        return response

    def cancel(self, receipt: Receipt) -> bool:
        """Takes a letter back; says whether it was still there. Its outcome is then `cancelled`."""
        return bool(self._native.answer_wait(self._native.cancel(self._tag_of(receipt))))

    def explain(self, receipt: Receipt) -> str:
        """Where the letter is and why, in a sentence."""
        tag = self._tag_of(receipt)
        told = None if receipt.outcome else self._native.answer_wait(self._native.explain(tag))
        return f"settled: {receipt.outcome}" if told is None else str(told)

    def flush(self, timeout: Timeout = None) -> None:
        """Waits until every letter posted before is settled, at most `timeout`. Raises TimeoutError."""
        limit = seconds(timeout)
        self._native.reply_wait(self._native.flush(), limit, False)

    def drain(self, timeout: Timeout = None) -> None:
        """Waits until the post office has room, at most `timeout`. Raises TimeoutError."""
        self._native.writable_wait(timeout)

    # --- messages ---

    def subscribe(
        self,
        filters: Filters,
        handler: Callable[[Message], object] | None = None,
        **options: Unpack[SubscribeOptions],
    ) -> list[int]:
        """Declares one or several topic filters and waits for the broker's answer; returns the granted QoS of each.

        A declared filter is restored after every reconnect that lost it. While offline it waits for the connection; online
        for at most `timeout` (default `subscribe_timeout`), after which it raises TimeoutError, and the filters stay declared and
        are asked for again. A refusal raises RefusedError and hurts only that filter. Interrupted by a signal, it takes back what
        it declared, unless somebody else declares the same.
        Messages go to `handler`, or to `on_message` and `messages` without one.
        """
        with self._declare(filters, handler, options) as question:
            return list(self._native.reply_wait(question, None, False))

    def unsubscribe(self, filters: str | Iterable[str], *, user_properties: Pairs = ()) -> list[int]:
        """Takes declared filters back, from all their handlers and iterators, and waits for the broker's answer.

        Returns its reason code for each: 0, or 17 where it knew of no subscription; on MQTT 3.1.1, which has no codes there, 0.
        The UNSUBSCRIBE carries `user_properties` on MQTT 5. Raises RefusedError where the broker refuses; the filters are taken
        back here all the same, and what such a broker still sends for them is for nobody.
        """
        return list(self._native.reply_wait(self._handlers.take_back(names_of(filters), user_properties), None, False))

    @property
    def messages(self) -> Messages:
        """The messages that have no handler of their own, as an iterator that ends when the client is closed.

        While there is a general handler (`on_message`), that gets them instead.
        """
        return Messages(self._native.general_queue(), self._handlers)

    def subscription(self, filters: Filters, **options: Unpack[SubscribeOptions]) -> Subscription:
        """Declares topic filters and returns an iterator over their messages alone; each such iterator gets them all.

        `with client.subscription("doors/#") as messages` waits for the broker's answer and takes the filters back at the
        end. Without `with` it goes the same, but for the wait.
        """
        return Subscription(self._native, filters, options)

    def _tag_of(self, receipt: Receipt) -> int:
        check_receipt(receipt, isinstance(receipt, Receipt) and receipt._native is self._native)
        return receipt._tag


def _receipts(native: Native) -> Callable[[int], Receipt]:
    """Makes receipts of responses."""
    return partial(Receipt, native)
