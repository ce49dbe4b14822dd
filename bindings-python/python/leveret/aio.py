"""The asyncio client: one readable descriptor wakes the event loop once for a batch of messages and outcomes."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ._aio_messages import AsyncMessages, AsyncSubscription
from ._arguments import Filters, Payload, Timeout, addresses, check_receipt, client_options, close_options, names_of
from ._ending import let_go, remember
from ._face import Face
from ._handlers import Handlers
from ._hooks import hooks_of
from ._limit import Limit
from ._native import Message, Native, deadlock, seconds
from ._pump import Pump
from ._tables import Status
from ._values import ConnectionEvent, Notice, Outcome, SubscriptionEvent, receipts_or_raise
from .errors import ConfigurationError

if TYPE_CHECKING:
    from typing import Unpack

    from ._hooks import AsyncAuthenticator, AsyncBeforeConnect, AsyncHook, AsyncSigner
    from .options import ClientOptions, Duration, Pairs, PublishOptions, SubscribeOptions


class AsyncReceipt:
    """The receipt of one letter: `await` it for its outcome, as often as you like, or never."""

    __slots__ = ("__weakref__", "_outcome", "_pump", "_tag", "_waiting")

    def __init__(self, pump: Pump, tag: int) -> None:
        self._pump = pump
        self._tag = tag
        self._outcome: Outcome | None = None
        self._waiting: set[asyncio.Future[None]] | None = None
        pump.receipt(tag, self)

    @property
    def number(self) -> int:
        """The number of its letter in this client, which a hook finds in `Packet.receipt`."""
        return self._tag

    @property
    def outcome(self) -> Outcome | None:
        """The outcome if there is one already, else None."""
        return self._outcome

    async def wait(self, timeout: Timeout = None) -> Outcome:
        """The outcome, waited for at most `timeout`. Raises TimeoutError, which changes nothing for the letter."""
        async with Limit(timeout):
            return await self._settled()

    def __await__(self) -> Generator[Any, None, Outcome]:
        return self._settled().__await__()

    async def _settled(self) -> Outcome:
        while self._outcome is None:
            if self._waiting is None:
                self._waiting = set()
            future: asyncio.Future[None] = self._pump.loop.create_future()
            self._waiting.add(future)
            try:
                await self._pump.hold(future)
            finally:
                self._waiting.discard(future)
        return self._outcome

    def _settle(self, outcome: Outcome) -> None:
        """The outcome has come; for the pump alone."""
        self._outcome = outcome
        for future in self._waiting or ():
            if not future.done():
                future.set_result(None)

    def __repr__(self) -> str:
        return f"<leveret.AsyncReceipt {self._tag}: {self._outcome or 'open'}>"


class AsyncClient(Face):
    """An MQTT client with a post office, for asyncio. It begins to connect when it is made, in the background, and never gives up.

    Make it while an event loop runs; it belongs to that loop, and what waits or returns a receipt is called there. `url` and
    the options are those of `leveret.Client`. Handlers may be plain functions or coroutine functions and run one after
    another (`concurrent_handlers=n`: up to n at a time). Timeouts are seconds, a timedelta, or text such as "250ms"; None
    waits as long as it takes.

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

    All of these may be coroutine functions, and run one after another and behind no handler. A coroutine that takes longer than
    anybody waits for it is cancelled.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        *,
        concurrent_handlers: int = 1,
        start: bool = True,
        handlers: Mapping[str, Callable[[Message], object]] | None = None,
        on_message: Callable[[Message], object] | None = None,
        on_connection: Callable[[ConnectionEvent], object] | None = None,
        on_subscription: Callable[[SubscriptionEvent], object] | None = None,
        on_status: Callable[[Status], object] | None = None,
        on_ping: Callable[[float], object] | None = None,
        on_notice: Callable[[Notice], object] | None = None,
        hooks: Mapping[str, AsyncHook] | None = None,
        authenticator: AsyncAuthenticator | None = None,
        before_connect: AsyncBeforeConnect | None = None,
        signer: AsyncSigner | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        if type(concurrent_handlers) is not int or concurrent_handlers < 1:
            raise ConfigurationError(f"concurrent_handlers must be a whole number of at least 1, not {concurrent_handlers!r}")
        self._loop = asyncio.get_running_loop()
        self._native = Native(url, client_options(options), True, signer is not None)
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
        self._pump = Pump(self._loop, self._native, self._handlers, self._hooks, concurrent_handlers)
        self._native.set_receipts(_receipts_of(weakref.ref(self._pump)))
        remember(self._native)
        weakref.finalize(self, let_go, self._native).atexit = False
        if start:
            self._native.start()

    # --- the connection ---

    async def wait_for(self, status: Status | str, timeout: Timeout = None) -> None:
        """Waits until the client has this status, at most `timeout`; also if it came and went meanwhile.

        Raises TimeoutError, or ClosedError where it cannot come any more; WouldDeadlock inside a handler that has closed the
        client, which takes effect when it returns.
        """
        watch = self._native.status_watch(status)
        pump = self._here()
        run = pump.run_here()
        if run is not None and run.close is not None and status != Status.ONLINE and not watch.came():
            # The close is put off until this handler ends.
            raise deadlock(behind_close=True)
        async with Limit(timeout):
            await pump.until(lambda: watch.came() or None)

    async def ping(self, timeout: Timeout = None) -> float:
        """Asks the broker for a sign of life and returns the round trip in seconds. Raises ConnectionError while offline."""
        async with Limit(timeout):
            return float(await self._here().reply(self._native.ping()))

    async def reauthenticate(self, timeout: Timeout = None) -> None:
        """Authenticates once more on the connection that is up (MQTT 5, 4.12.1), and waits until the broker has accepted.

        Raises TimeoutError, ConnectionError while offline or when the connection is lost, which the broker does that refuses,
        ConfigurationError without the option `authentication_method` and on MQTT 3.1.1, and ClosedError.
        """
        async with Limit(timeout):
            await self._here().reply(self._native.reauthenticate())

    async def close(
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
        again does nothing.

        MQTT 5: the broker keeps the session for `session_expiry` from now on, where it was to be kept at all, and its log may
        show `reason_string` and `user_properties`. With `with_will=True` it publishes the will all the same.
        """
        options = close_options(timeout, end_session, with_will, session_expiry, reason_string, user_properties)
        # In the words of an option, for which None is another limit and not none.
        self._native.check_close(options)
        limit = seconds(timeout)
        pump = self._here()
        run = pump.run_here()
        if run is not None:
            run.close = options
            return
        self._native.close(options)
        deadline = self._loop.time() + (self._native.close_timeout() if limit is None else limit)
        await pump.until(lambda: self._native.is_closed() or None)
        await asyncio.wait([pump.ended], timeout=max(0.0, deadline - self._loop.time()))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # --- letters ---

    def publish(self, topic: str, payload: Payload = b"", **options: Unpack[PublishOptions]) -> AsyncReceipt:
        """Hands a letter to the post office and returns its receipt at once, online or offline; `await` it for the outcome.

        Text becomes UTF-8. Raises QueueFull when there is no room (then `await client.drain()`), ConfigurationError for bad
        arguments.
        """
        return AsyncReceipt(self._here(), self._native.publish(topic, payload, options or None, False))

    def publish_many(
        self, letters: Iterable[tuple[str, Payload]], **options: Unpack[PublishOptions]
    ) -> list[AsyncReceipt]:
        """Publishes several letters with the same options in one crossing; returns their receipts in order.

        Raises QueueFull when not all of them find room: the exception has the `receipts` of those that did, the first ones.
        """
        pump = self._here()
        tags, error = self._native.publish_many(list(letters), options or None, False)
        return receipts_or_raise([AsyncReceipt(pump, tag) for tag in tags], error)

    async def request(
        self, topic: str, payload: Payload = b"", *, timeout: Timeout = 10.0, **options: Unpack[PublishOptions]
    ) -> Message:
        """Publishes a letter that asks for a response, waits for it and returns it. Cancelling the task gives it up.

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
        pump = self._here()
        question = self._native.request(topic, payload, timeout, options or None)
        try:
            response: Message = await pump.reply(question)
        finally:
            self._native.forget(question)
        return response

    async def cancel(self, receipt: AsyncReceipt) -> bool:
        """Takes a letter back; says whether it was still there. Its outcome is then `cancelled`."""
        return bool(await self._here().reply(self._native.cancel(self._tag_of(receipt)), needs_network=False))

    async def explain(self, receipt: AsyncReceipt) -> str:
        """Where the letter is and why, in a sentence."""
        tag, told = self._tag_of(receipt), None
        if receipt.outcome is None:
            told = await self._here().reply(self._native.explain(tag), needs_network=False)
        return f"settled: {receipt.outcome}" if told is None else str(told)

    async def flush(self, timeout: Timeout = None) -> None:
        """Waits until every letter posted before is settled, at most `timeout`. Raises TimeoutError."""
        async with Limit(timeout):
            await self._here().reply(self._native.flush())

    async def drain(self, timeout: Timeout = None) -> None:
        """Waits until the post office has room, at most `timeout`. Raises TimeoutError."""
        async with Limit(timeout):
            await self._here().until(lambda: self._native.writable() or None)

    # --- messages ---

    async def subscribe(
        self,
        filters: Filters,
        handler: Callable[[Message], object] | None = None,
        **options: Unpack[SubscribeOptions],
    ) -> list[int]:
        """Declares one or several topic filters and waits for the broker's answer; returns the granted QoS of each.

        A declared filter is restored after every reconnect that lost it. While offline it waits for the connection; online
        for at most `timeout` (default `subscribe_timeout`), after which it raises TimeoutError, and the filters stay declared and
        are asked for again. A refusal raises RefusedError and hurts only that filter. Cancelled, it takes back what it declared,
        unless somebody else declares the same.
        Messages go to `handler`, or to `on_message` and `messages` without one.
        """
        pump = self._here()
        with self._declare(filters, handler, options) as question:
            return list(await pump.reply(question))

    async def unsubscribe(self, filters: str | Iterable[str], *, user_properties: Pairs = ()) -> list[int]:
        """Takes declared filters back, from all their handlers and iterators, and waits for the broker's answer.

        Returns its reason code for each: 0, or 17 where it knew of no subscription; on MQTT 3.1.1, which has no codes there, 0.
        The UNSUBSCRIBE carries `user_properties` on MQTT 5. Raises RefusedError where the broker refuses; the filters are taken
        back here all the same, and what such a broker still sends for them is for nobody.
        """
        pump = self._here()
        question = self._handlers.take_back(names_of(filters), user_properties)
        # An iterator that waits for their messages ends.
        pump.wake()
        return list(await pump.reply(question))

    @property
    def messages(self) -> AsyncMessages:
        """The messages that have no handler of their own, as an asynchronous iterator that ends when the client is closed.

        While there is a general handler (`on_message`), that gets them instead.
        """
        return AsyncMessages(self._native.general_queue(), self._handlers, self._here())

    def subscription(self, filters: Filters, **options: Unpack[SubscribeOptions]) -> AsyncSubscription:
        """Declares topic filters and returns an iterator over their messages alone; each such iterator gets them all.

        `async with client.subscription("doors/#") as messages` waits for the broker's answer and takes the filters back at the
        end. Without `with` it goes the same, but for the wait.
        """
        return AsyncSubscription(self._native, self._here(), filters, options)

    def _tag_of(self, receipt: AsyncReceipt) -> int:
        check_receipt(receipt, isinstance(receipt, AsyncReceipt) and receipt._pump is self._pump)
        return receipt._tag

    def _here(self) -> Pump:
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError("this AsyncClient belongs to another event loop, the one it was made in")
        return self._pump


def _receipts_of(held: weakref.ref[Pump]) -> Callable[[Native], Callable[[int], AsyncReceipt]]:
    """Makes receipts of responses. The native half is held by messages, so it must not hold the client."""

    def receipts(_native: Native) -> Callable[[int], AsyncReceipt]:
        pump = held()
        if pump is None or asyncio.get_running_loop() is not pump.loop:
            raise RuntimeError("this message belongs to an AsyncClient of another event loop, or of none any more")
        return partial(AsyncReceipt, pump)

    return receipts
