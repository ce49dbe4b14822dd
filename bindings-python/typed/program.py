"""A program of a user's who annotates everything: type checkers read it strictly, against the sources and the installed package."""

import array
import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import assert_type

import leveret
from leveret.testing import Broker


def on_connection(event: leveret.ConnectionEvent) -> None:
    error: leveret.MqttError | None = event.error
    assert error is None or isinstance(error.reason, int | None)


def on_pubrec(packet: leveret.Packet) -> leveret.Words | None:
    assert_type(packet.packet_id, int | None)
    assert_type(packet.receipt, int | None)
    return leveret.Words("seen", {"by": "me"}) if packet.reason == 0 else None


async def on_pubrel(packet: leveret.Packet) -> leveret.Words:
    return leveret.Words(user_properties=[("packet", packet.packet)])


def authenticator(step: leveret.AuthStep) -> bytes | leveret.AuthAnswer | None:
    if step.stage == "begin":
        return b"first"
    return leveret.AuthAnswer(step.data, reason_string="proof") if step.stage == "continue" else None


def before_connect(attempt: leveret.Attempt) -> leveret.options.ConnectOptions | None:
    assert_type(attempt.url, str)
    assert_type(attempt.number, int)
    return {"username": "u", "password": b"x", "will": {"topic": "t"}, "websocket_headers": {"a": "b"}} if attempt.url else None


async def before_connect_later(attempt: leveret.Attempt) -> leveret.options.ConnectOptions:
    return {"url": f"wss://{attempt.number}.example/mqtt"}


def signer(scheme: str, message: bytes) -> bytearray:
    return bytearray(message) if scheme else bytearray()


async def sign_later(scheme: str, message: bytes) -> bytes:
    return bytes(signer(scheme, message))


def in_turn(url: str) -> list[leveret.Client]:
    return [
        leveret.Client(url, before_connect=before_connect, signer=signer, tls_cert_file="device.pem"),
        leveret.Client(url, before_connect=lambda attempt: {"password": str(attempt.number)}),
    ]


def on_a_loop(url: str) -> list[leveret.AsyncClient]:
    return [
        leveret.AsyncClient(url, before_connect=before_connect, signer=signer),
        leveret.AsyncClient(url, before_connect=before_connect_later, signer=sign_later),
    ]


def with_hooks(url: str) -> leveret.Client:
    return leveret.Client(url, hooks={"pubrec": on_pubrec}, authentication_method="M", authenticator=authenticator)


async def with_async_hooks(url: str) -> None:
    hooks = {"pubrec": on_pubrec, "pubrel": on_pubrel}
    client = leveret.AsyncClient(url, hooks=hooks, authentication_method="M", authenticator=authenticator)
    await client.reauthenticate(timeout="5s")
    await client.close(with_will=True, session_expiry=timedelta(minutes=1), reason_string="bye", user_properties={"a": "b"})


def blocking(url: str) -> leveret.Outcome:
    will: leveret.options.Will = {"topic": "state", "payload": b"gone", "qos": 1}
    with leveret.Client([url], keep_alive=timedelta(seconds=30), will=will, on_connection=on_connection) as client:
        client.wait_for(leveret.Status.ONLINE, timeout=20)
        client.wait_for("online", timeout="20s")

        @client.on("a/#", qos=1)
        def handler(message: leveret.Message) -> None:
            assert_type(message.levels, list[str])
            assert_type(message.payload, bytes)

        assert_type(client.subscribe(["b", "c"], handler, qos=2), list[int])
        client.subscribe({"d": {"qos": 0}, "e": {"no_local": True}})
        payloads: Sequence[str | bytes | bytearray | memoryview | None] = ["x", b"x", bytearray(b"x"), memoryview(b"x"), None]
        receipts = [client.publish("a", payload, ttl=5.0, priority="high") for payload in payloads]
        client.publish("a", array.array("d", [1.5]), ttl=None, replace="key")
        more = client.publish_many([("a", "x"), ("a", b"x")], qos=1)
        assert_type(more[0], leveret.Receipt)
        assert_type(receipts[0].outcome, leveret.Outcome | None)
        outcome = receipts[0].wait(timeout=timedelta(seconds=20))
        if outcome == leveret.OutcomeStatus.EXPIRED or outcome == "expired":
            assert_type(outcome.maybe_delivered, bool)
        assert_type(client.cancel(more[1]), bool)
        assert_type(client.explain(more[0]), str)
        assert_type(client.ping(), float)
        stats = client.stats()
        assert_type(stats.outcomes, dict[str, int])
        assert_type(stats.oldest, float | None)
        with client.subscription("f", qos=1) as messages:
            assert_type(messages.granted, list[int] | None)
            client.publish("f", "x")
            assert_type(messages.get(timeout=20), leveret.Message)
        response = client.request("ask", b"x", timeout=timedelta(seconds=20), qos=1, response_topic="answers")
        assert_type(response, leveret.Message)
        assert_type(response.respond("thanks", topic="answers", qos=0), leveret.Receipt | leveret.AsyncReceipt)

        @client.serve("ask", response_topic=lambda message: f"{message.topic}/response", qos=1)
        def answer(message: leveret.Message) -> str | None:
            return None if message.retain else "done"

        client.drain()
        client.flush(timeout=20)
        return outcome.raise_for_status()


async def asynchronous(url: str) -> leveret.Outcome:
    async with leveret.AsyncClient(url, concurrent_handlers=4) as client:

        @client.on("a")
        async def handler(message: leveret.Message) -> None:
            assert_type(await client.publish("b", message.payload), leveret.Outcome)

        @client.on_status
        def changed(status: leveret.Status) -> None:
            assert status in ("online", "offline", "closed")

        await client.subscribe("c", handler)
        receipt = client.publish("a", "x", user_properties={"k": "v"})
        assert_type(receipt, leveret.AsyncReceipt)
        assert_type(await asyncio.gather(receipt, client.publish("d")), tuple[leveret.Outcome, leveret.Outcome])
        async with client.subscription(["e"]) as messages:
            client.publish("e", "x")
            async for message in messages:
                assert_type(message, leveret.Message)
                break
        try:
            await client.messages.get(timeout=0.01)
        except leveret.TimeoutError as error:
            assert_type(error.code, str)
            assert_type(error.retryable, bool)
        try:
            client.publish("#")
        except (leveret.ConfigurationError, leveret.QueueFull):
            pass
        return await receipt


def main() -> None:
    with Broker(protocol="5") as broker:
        print(blocking(broker.url), asyncio.run(asynchronous(broker.url)))
        assert_type(broker.received, list[leveret.Message])


if __name__ == "__main__":
    main()
