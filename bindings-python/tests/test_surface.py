"""The two clients side by side: the same verbs, the same arguments; and every public class prints itself helpfully."""

import datetime
import inspect
import types
import typing
from typing import Any

import pytest
from support import SOON, connected, on_a_loop

import leveret
import leveret.options

PAIRS = [
    (leveret.Client, leveret.AsyncClient),
    (leveret.Receipt, leveret.AsyncReceipt),
    (leveret.Messages, leveret.AsyncMessages),
    (leveret.Subscription, leveret.AsyncSubscription),
]
#: What one of the two has beyond the other.
MORE_ARGUMENTS = {"AsyncClient": {"concurrent_handlers"}}
#: Verbs of the asyncio client that need no waiting.
AT_ONCE = {
    "on", "on_connection", "on_message", "on_notice", "on_ping", "on_status", "on_subscription",
    "publish", "publish_many", "reconnect", "serve", "start", "stats", "subscription",
}


def plain(annotation):
    return str(annotation).replace("Async", "")


def public(kind):
    return {name for name in dir(kind) if not name.startswith("_")}


@pytest.mark.parametrize(("blocking", "asynchronous"), PAIRS)
def test_both_have_the_same_verbs_with_the_same_arguments(blocking, asynchronous):
    # `settle` is how the pump brings an outcome.
    assert public(blocking) == public(asynchronous) - {"settle"}
    for name in public(blocking) | {"__init__"} if blocking is leveret.Client else public(blocking):
        one, other = inspect.getattr_static(blocking, name), inspect.getattr_static(asynchronous, name)
        assert type(one) is type(other), name
        if not isinstance(one, types.FunctionType):
            continue
        expected = dict(inspect.signature(one).parameters)
        found = dict(inspect.signature(other).parameters)
        more = MORE_ARGUMENTS.get(asynchronous.__name__, set()) if name == "__init__" else set()
        assert {*found} - {*expected} == more, name
        for parameter, declared in expected.items():
            same = found[parameter]
            assert (same.kind, same.default) == (declared.kind, declared.default), f"{name}({parameter})"
            assert plain(same.annotation) == plain(declared.annotation), f"{name}({parameter})"


def test_what_waits_is_a_coroutine_function():
    for name in public(leveret.AsyncClient):
        verb = inspect.getattr_static(leveret.AsyncClient, name)
        if isinstance(verb, types.FunctionType):
            assert inspect.iscoroutinefunction(verb) == (name not in AT_ONCE), name


def test_both_can_be_used_as_blocks_and_iterated():
    for blocking, asynchronous in PAIRS:
        for one, other in (("__enter__", "__aenter__"), ("__exit__", "__aexit__"), ("__iter__", "__aiter__")):
            assert hasattr(blocking, one) == hasattr(asynchronous, other), (blocking, one)


@pytest.mark.parametrize("client", [leveret.Client, leveret.AsyncClient])
def test_every_duration_may_be_a_timedelta(client):
    timeouts = 0
    for name in public(client):
        verb = inspect.getattr_static(client, name)
        parameters = inspect.signature(verb).parameters if isinstance(verb, types.FunctionType) else {}
        if "timeout" in parameters:
            timeouts += 1
            assert parameters["timeout"].annotation == "Timeout", name
    assert timeouts == 7
    assert datetime.timedelta in typing.get_args(leveret._arguments.Timeout)
    for options in (leveret.options.ClientOptions, leveret.options.PublishOptions, leveret.options.SubscribeOptions):
        for name, kind in typing.get_type_hints(options).items():
            if float in typing.get_args(kind):
                assert datetime.timedelta in typing.get_args(kind), name


def test_options_that_are_durations_take_timedeltas(broker):
    hints = typing.get_type_hints(leveret.options.ClientOptions)
    names = [name for name, kind in hints.items() if datetime.timedelta in typing.get_args(kind)]
    assert len(names) > 8
    given: dict[str, Any] = dict.fromkeys(names, datetime.timedelta(seconds=5))
    with leveret.Client(broker.url, **given) as client:
        client.wait_for("online", timeout=datetime.timedelta(seconds=SOON))
        outcome = client.publish("a", "x", ttl=datetime.timedelta(minutes=1)).wait(datetime.timedelta(seconds=SOON))
        assert outcome == "acknowledged"


def test_every_public_object_prints_itself_helpfully(client, broker):
    client.subscribe("a")
    receipt = client.publish("a", b"secret bytes")
    receipt.wait(timeout=SOON)
    messages = client.messages
    message = messages.get(timeout=SOON)
    event = leveret.ConnectionEvent("attempt_failed", leveret.ConnectionError("refused"), retry_in=1.5)
    shown = {
        client: f"<leveret.Client {broker.url} online>",
        receipt: f"<leveret.Receipt {receipt._tag}: acknowledged>",
        receipt.outcome: "Outcome('acknowledged', reason=0x00)",
        messages: "<leveret.Messages open>",
        client.subscription("b/#"): "<leveret.Subscription 'b/#'>",
        message: "<leveret.Message \"a\", 12 bytes, qos 1>",
        leveret.SubscriptionEvent("a", leveret.SubscriptionState.REFUSED, 0x87): (
            "SubscriptionEvent(filter='a', state=<SubscriptionState.REFUSED: 'refused'>, reason=135)"
        ),
        leveret.Notice("oversize", "a sentence"): "Notice(kind='oversize', text='a sentence')",
        broker: f"<leveret.testing.Broker {broker.url}>",
        leveret.Status.ONLINE: "<Status.ONLINE: 'online'>",
    }
    for thing, text in shown.items():
        assert repr(thing) == text
    assert "attempt_failed" in repr(event)
    assert "retry_in=1.5" in repr(event)
    assert "queued=0" in repr(client.stats())


@on_a_loop
async def test_every_public_asyncio_object_prints_itself_helpfully(broker):
    async with connected(broker.url) as client:
        receipt = client.publish("a")
        assert repr(receipt) == f"<leveret.AsyncReceipt {receipt._tag}: open>"
        await receipt
        shown = {
            client: f"<leveret.AsyncClient {broker.url} online>",
            receipt: f"<leveret.AsyncReceipt {receipt._tag}: acknowledged>",
            client.messages: "<leveret.AsyncMessages open>",
            client.subscription(["b", "c"]): "<leveret.AsyncSubscription 'b', 'c'>",
        }
        for thing, text in shown.items():
            assert repr(thing) == text
        messages = client.subscription("d")
        messages.close()
        assert repr(messages) == "<leveret.AsyncSubscription 'd' closed>"


def test_every_public_class_of_the_package_has_a_repr_of_its_own():
    for name in leveret.__all__:
        kind = getattr(leveret, name)
        if isinstance(kind, type):
            assert "__repr__" in {part for each in kind.__mro__[:-1] for part in vars(each)}, name
