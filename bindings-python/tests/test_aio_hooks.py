"""Hooks and the authenticator of the asyncio client: plain functions and coroutine functions, in a task of their own."""

import asyncio
import gc
import logging
import weakref
from typing import Any

import pytest
from support import FAST, SOON, connected, eventually_async, on_a_loop

import leveret
from leveret import AuthAnswer, AuthStep, Packet, Words
from leveret.errors import ConfigurationError, RefusedError

FIVE = {**FAST, "protocol": "5"}


def untyped(value: Any) -> Any:
    """What no type checker would let through."""
    return value


class Script:
    """A broker that does what the test says, each step of it beside the loop."""

    def __init__(self, peer):
        self.peer = peer

    async def expect(self, packet):
        return await asyncio.to_thread(self.peer.expect, packet, SOON)

    async def accept(self):
        await self.expect("CONNECT")
        self.peer.send("CONNACK", [])

    async def letter(self, client):
        """A letter of QoS 2 and its PUBREC."""
        receipt = client.publish("a", qos=2)
        await self.expect("PUBLISH")
        self.peer.send("PUBREC", [])
        return receipt


@on_a_loop
async def test_hooks_put_words_on_answers(peer):
    script, shown = Script(peer), []

    async def pubrec(packet):
        await asyncio.sleep(0)
        shown.append(packet)
        return Words("later", {"a": "b"})

    client = leveret.AsyncClient(peer.url, hooks={"pubrec": pubrec, "pubcomp": shown.append}, **FIVE)
    await script.accept()
    receipt = await script.letter(client)
    released = await script.expect("PUBREL")
    assert ("reason_string", "later") in released
    assert ("user_property", "a:b") in released
    peer.send("PUBCOMP", [])
    assert await receipt == "acknowledged"
    await eventually_async(lambda: len(shown) == 2)
    assert shown == [
        Packet("PUBREC", 1, reasons=[0], receipt=receipt._tag),
        Packet("PUBCOMP", 1, reasons=[0], receipt=receipt._tag),
    ]
    await client.close(timeout=0)


@on_a_loop
async def test_a_hook_that_raises_is_reported_and_the_answer_goes_out_plain(peer, caplog):
    script = Script(peer)

    async def pubrec(packet):
        raise LookupError("x")

    client = leveret.AsyncClient(peer.url, hooks={"pubrec": pubrec, "pubcomp": untyped(lambda packet: 7)}, **FIVE)
    await script.accept()
    receipt = await script.letter(client)
    await script.expect("PUBREL")
    peer.send("PUBCOMP", [])
    assert await receipt == "acknowledged"

    def reports():
        return [type(record.exc_info[1]) for record in caplog.records if record.name == "leveret.handlers"]

    await eventually_async(lambda: len(reports()) == 2)
    assert reports() == [LookupError, ConfigurationError]
    await client.close(timeout=0)


@on_a_loop
async def test_a_hook_that_never_ends_holds_up_no_message_and_no_close(peer):
    script, messages, never = Script(peer), asyncio.Queue(), asyncio.Event()

    async def pubrec(packet):
        await never.wait()

    client = leveret.AsyncClient(
        peer.url, hooks={"pubrec": pubrec}, hook_timeout=0.05, on_message=messages.put, **FIVE
    )
    await script.accept()
    await script.letter(client)
    peer.send("PUBLISH", [("topic", "b"), ("qos", "0"), ("payload", "x")])
    assert (await messages.get()).payload == b"x"
    await script.expect("PUBREL")
    await client.close(timeout=0.1)
    assert client.status == "closed"


@on_a_loop
async def test_the_authenticator_takes_every_step(peer):
    script, steps = Script(peer), []

    async def authenticator(step):
        steps.append(step)
        await asyncio.sleep(0)
        return {"begin": "first", "continue": AuthAnswer(b"proof", "because"), "finish": None}[step.stage]

    client = leveret.AsyncClient(peer.url, authenticator=authenticator, authentication_method="M", **FIVE)
    assert ("authentication_data", "first") in await script.expect("CONNECT")
    peer.send("AUTH", [("reason", "0x18"), ("authentication_method", "M"), ("authentication_data", "prove it")])
    answer = await script.expect("AUTH")
    assert ("authentication_data", "proof") in answer
    assert ("reason_string", "because") in answer
    peer.send("CONNACK", [("authentication_method", "M")])
    await eventually_async(lambda: len(steps) == 3)
    assert [(step.stage, step.reauthentication) for step in steps] == [("begin", False), ("continue", False), ("finish", False)]
    client.publish("a", qos=0)
    await script.expect("PUBLISH")  # nothing is published before the last step is taken
    again = asyncio.create_task(client.reauthenticate(timeout=SOON))
    await script.expect("AUTH")
    peer.send("AUTH", [("reason", "0"), ("authentication_method", "M")])
    await again
    await client.wait_for("online", timeout=SOON)
    assert steps[3:] == [
        AuthStep("begin", True, "M"),
        AuthStep("finish", True, "M", None, {"authentication_method": "M"}),
    ]
    await client.close(timeout=0)


@on_a_loop
async def test_an_authenticator_refuses_by_raising(peer, caplog):
    caplog.set_level(logging.CRITICAL, "leveret")
    events = asyncio.Queue()

    async def authenticator(step):
        raise LookupError("no password")

    client = leveret.AsyncClient(
        peer.url, authenticator=authenticator, authentication_method="M", on_connection=events.put, **FIVE
    )
    event = await events.get()
    with pytest.raises(RefusedError, match="the authenticator refused: no password"):
        raise event.error
    await client.close(timeout=0)


@on_a_loop
async def test_every_call_may_be_made_inside_a_hook(broker):
    done = asyncio.get_running_loop().create_future()

    async def hook(packet):
        try:
            receipt = client.publish("b")
            await client.explain(receipt)
            await client.cancel(receipt)
            assert await receipt
            await client.subscribe("c", lambda message: None)
            await client.unsubscribe("c", user_properties={"a": "b"})
            await client.flush(timeout=SOON)
            await client.drain(timeout=SOON)
            assert await client.ping(timeout=SOON) > 0
            with pytest.raises(ConfigurationError):
                await client.close(session_expiry="soon")
            await client.close(reason_string="enough")
            assert client.status == "online"
            done.set_result("all")
        except BaseException as failure:
            done.set_result(failure)

    client = leveret.AsyncClient(broker.url, hooks={"connack": hook}, **FIVE)
    assert await asyncio.wait_for(done, SOON) == "all"
    await client.wait_for("closed", timeout=SOON)


@on_a_loop
async def test_a_client_with_hooks_that_hold_it_can_be_let_go(broker):
    shown = []
    client = leveret.AsyncClient(broker.url, hooks={"connack": lambda packet: shown.append(client.status)}, **FIVE)
    await eventually_async(lambda: shown)
    gone = weakref.ref(client)
    del client
    gc.collect()
    await eventually_async(lambda: gone() is None and broker.connections == 0)


def test_a_hook_that_never_ends_does_not_keep_the_loop_from_ending(broker):
    entered = []

    async def main():
        async def hook(packet):
            entered.append(packet)
            await asyncio.Event().wait()

        client = leveret.AsyncClient(broker.url, hooks={"connack": hook}, **FIVE)
        await eventually_async(lambda: entered)
        return client

    assert asyncio.run(main()).status in ("online", "closed")


@on_a_loop
async def test_acknowledgements_unsubscribe_and_disconnect_carry_what_they_are_told_to(peer):
    script, messages = Script(peer), asyncio.Queue()
    client = leveret.AsyncClient(peer.url, on_message=messages.put, manual_ack=True, **FIVE)
    await script.accept()
    peer.send("PUBLISH", [("topic", "b"), ("qos", "1"), ("packet_id", "7")])
    (await messages.get()).ack(reason=0x80, reason_string="no room")
    told = dict(await script.expect("PUBACK"))
    assert (told["reason"], told["reason_string"]) == ("128", "no room")
    gone = asyncio.create_task(client.unsubscribe("a", user_properties=[("c", "d")]))
    assert ("user_property", "c:d") in await script.expect("UNSUBSCRIBE")
    peer.send("UNSUBACK", [("code", "0")])
    await gone
    await client.close(with_will=True, reason_string="bye", user_properties={"e": "f"})
    told = dict(await script.expect("DISCONNECT"))
    assert (told["reason"], told["reason_string"], told["user_property"]) == ("4", "bye", "e:f")


@on_a_loop
async def test_wrong_options_of_a_close_are_refused_where_it_is_asked_for(broker):
    async with connected(broker.url) as client:
        with pytest.raises(ConfigurationError, match="with_will must be"):
            await client.close(with_will=untyped("perhaps"))
        assert client.status == "online"
