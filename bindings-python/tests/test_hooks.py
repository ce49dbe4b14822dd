"""Hooks and the authenticator of the blocking client, and what acknowledgements, UNSUBSCRIBE and DISCONNECT carry."""

import logging
import queue
import threading
from typing import Any

import pytest
from support import FAST, SOON, eventually, program

import leveret
from leveret import AuthAnswer, AuthStep, Packet, Words
from leveret.errors import ConfigurationError, RefusedError
from leveret.errors import ConnectionError as NoConnection

FIVE = {**FAST, "protocol": "5"}
ALL = ("connack", "puback", "pubrec", "pubrel", "pubcomp", "suback", "unsuback", "disconnect", "auth")


def accept(peer, **fields):
    """Takes a connection; the fields of CONNECT."""
    asked = dict(peer.expect("CONNECT", SOON))
    peer.send("CONNACK", list(fields.items()))
    return asked


def untyped(value: Any) -> Any:
    """What no type checker would let through."""
    return value


def test_hooks_are_shown_the_packets_of_the_broker(peer):
    seen: queue.Queue[Packet] = queue.Queue()
    client = leveret.Client(peer.url, hooks=dict.fromkeys(ALL, seen.put), subscribe_timeout=SOON, **FIVE)
    accept(peer, session_present="false", reason_string="come in", user_property="a:b")
    receipt = client.publish("a", qos=1)
    peer.expect("PUBLISH", SOON)
    peer.send("PUBACK", [("reason", "0x10"), ("reason_string", "nobody listens")])
    assert receipt.wait(timeout=SOON) == "acknowledged"
    client.on("b")(print)
    peer.expect("SUBSCRIBE", SOON)
    peer.send("SUBACK", [("code", "0x87")])
    peer.send("DISCONNECT", [("reason", "0x8B"), ("reason_string", "going home")])
    shown = [seen.get(timeout=SOON) for _ in range(4)]
    assert shown == [
        Packet("CONNACK", reasons=[0], properties={"reason_string": "come in", "user_property": [("a", "b")]}),
        Packet("PUBACK", 1, 0x10, [0x10], receipt=receipt._tag, properties={"reason_string": "nobody listens"}),
        Packet("SUBACK", shown[2].packet_id, 0x87, [0x87]),
        Packet("DISCONNECT", None, 0x8B, [0x8B], properties={"reason_string": "going home"}),
    ]
    client.close(timeout=0)


def test_hooks_put_words_on_pubrel_and_pubcomp(peer):
    hooks = {
        "pubrec": lambda packet: Words(f"for {packet.packet_id}", {"a": "b"}),
        "pubrel": lambda packet: Words(user_properties=[("c", "d"), ("c", "e")]),
    }
    client = leveret.Client(peer.url, hooks=hooks, on_message=lambda message: None, **FIVE)
    accept(peer)
    receipt = client.publish("a", qos=2)
    peer.expect("PUBLISH", SOON)
    peer.send("PUBREC", [])
    released = peer.expect("PUBREL", SOON)
    assert ("reason_string", "for 1") in released
    assert ("user_property", "a:b") in released
    peer.send("PUBCOMP", [])
    assert receipt.wait(timeout=SOON) == "acknowledged"
    peer.send("PUBLISH", [("topic", "b"), ("qos", "2"), ("packet_id", "7")])
    peer.expect("PUBREC", SOON)
    peer.send("PUBREL", [("packet_id", "7")])
    assert [pair for pair in peer.expect("PUBCOMP", SOON) if pair[0] == "user_property"] == [
        ("user_property", "c:d"),
        ("user_property", "c:e"),
    ]
    client.close(timeout=0)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("text", "a hook must return Words or None, not a value of type str"),
        (Words(untyped(7)), "reason_string must be text"),
        (Words("\0"), "U\\+0000"),
        (Words("x", untyped("ab")), "user_properties must be"),
    ],
)
def test_a_hook_that_returns_what_cannot_be_sent_is_reported_and_the_answer_goes_out_plain(peer, caplog, answer, sentence):
    client = leveret.Client(peer.url, hooks={"pubrec": lambda packet: answer}, **FIVE)
    accept(peer)
    client.publish("a", qos=2)
    peer.expect("PUBLISH", SOON)
    peer.send("PUBREC", [])
    assert not {name for name, _ in peer.expect("PUBREL", SOON)} & {"reason_string", "user_property"}
    [report] = [record for record in caplog.records if record.name == "leveret.handlers"]
    assert report.getMessage() == "a handler of PUBREC packets raised"
    with pytest.raises(ConfigurationError, match=sentence):
        raise report.exc_info[1]
    client.close(timeout=0)


@pytest.mark.parametrize("failure", [ValueError("x"), SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_a_hook_that_raises_anything_harms_nobody(peer, caplog, failure):
    def hook(packet):
        raise failure

    client = leveret.Client(peer.url, hooks={"pubrec": hook, "pubcomp": hook}, **FIVE)
    accept(peer)
    for _ in range(2):
        receipt = client.publish("a", qos=2)
        peer.expect("PUBLISH", SOON)
        peer.send("PUBREC", [])
        peer.expect("PUBREL", SOON)
        peer.send("PUBCOMP", [])
        assert receipt.wait(timeout=SOON) == "acknowledged"
    eventually(lambda: sum(record.exc_info is not None and record.exc_info[1] is failure for record in caplog.records) == 4)
    client.close(timeout=0)


def test_a_slow_hook_holds_up_its_answer_alone_and_for_hook_timeout_at_most(peer):
    leave, entered, notices = threading.Event(), threading.Event(), queue.Queue()

    def hook(packet):
        entered.set()
        leave.wait(SOON)

    client = leveret.Client(
        peer.url, hooks={"pubrec": hook}, hook_timeout=0.1, on_notice=notices.put, on_message=notices.put, **FIVE
    )
    accept(peer)
    slow = client.publish("a", qos=2)
    peer.expect("PUBLISH", SOON)
    peer.send("PUBREC", [])
    assert entered.wait(SOON)
    peer.send("PUBLISH", [("topic", "b"), ("qos", "0"), ("payload", "x")])
    assert {type(notices.get(timeout=SOON)) for _ in range(2)} == {leveret.Message, leveret.Notice}
    assert client.stats().handler_failures == 0
    peer.expect("PUBREL", SOON)
    peer.send("PUBCOMP", [])
    assert slow.wait(timeout=SOON) == "acknowledged"
    leave.set()
    client.close(timeout=1)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"hooks": {"publish": print}},
            "the name of a hook must be one of connack, puback, pubrec, pubrel, pubcomp, suback, unsuback, disconnect, auth,"
            ' not "publish"',
        ),
        ({"hooks": {7: print}}, "the name of a hook must be text, not a value of type int"),
        ({"hooks": {"pubrec": 7}}, "handler must be a function or another callable, not a value of type int"),
        ({"hooks": [print]}, "hooks must be a mapping of packets to functions, not a value of type list"),
        ({"authenticator": 7}, "authenticator must be a function or another callable, not a value of type int"),
        ({"authenticator": print}, "authentication_method must be given where there is an authenticator"),
    ],
)
def test_what_is_no_hook_is_refused(broker, given, sentence):
    with pytest.raises(ConfigurationError) as caught:
        leveret.Client(broker.url, **given)
    assert str(caught.value) == sentence


def test_without_hooks_there_is_no_thread_for_them(broker):
    def threads():
        return [thread.name for thread in threading.enumerate()].count("leveret-hooks")

    before = threads()
    with leveret.Client(broker.url, hooks={}) as client:
        client.wait_for("online", timeout=SOON)
        assert threads() == before
    with leveret.Client(broker.url, hooks={"connack": lambda packet: None}) as client:
        client.wait_for("online", timeout=SOON)
        assert threads() == before + 1
    eventually(lambda: threads() == before)


# --- authentication ---


def challenge(peer, answer):
    """Connects with one step of challenge and response."""
    asked = dict(peer.expect("CONNECT", SOON))
    assert (asked["authentication_method"], asked["authentication_data"]) == ("M", "first")
    peer.send("AUTH", [("reason", "0x18"), ("authentication_method", "M"), ("authentication_data", "prove it")])
    assert answer in peer.expect("AUTH", SOON)
    peer.send("CONNACK", [("authentication_method", "M"), ("authentication_data", "welcome")])


def test_the_authenticator_takes_every_step(peer):
    steps: queue.Queue[AuthStep] = queue.Queue()

    def authenticator(step):
        steps.put(step)
        return {
            "begin": "first",
            "continue": AuthAnswer(b"proof", "because", [("a", "b")]),
            "finish": None,
        }[step.stage]

    client = leveret.Client(peer.url, authenticator=authenticator, authentication_method="M", **FIVE)
    challenge(peer, ("authentication_data", "proof"))
    client.wait_for("online", timeout=SOON)
    assert [steps.get(timeout=SOON) for _ in range(3)] == [
        AuthStep("begin", False, "M"),
        AuthStep("continue", False, "M", b"prove it", {"authentication_method": "M", "authentication_data": b"prove it"}),
        AuthStep("finish", False, "M", b"welcome", {"authentication_method": "M", "authentication_data": b"welcome"}),
    ]
    client.publish("a", qos=0)
    peer.expect("PUBLISH", SOON)  # nothing is published before the last step is taken
    again = threading.Thread(target=client.reauthenticate)
    again.start()
    assert dict(peer.expect("AUTH", SOON))["reason"] == "25"
    peer.send("AUTH", [("reason", "0"), ("authentication_method", "M")])
    again.join(SOON)
    assert [steps.get(timeout=SOON) for _ in range(2)] == [
        AuthStep("begin", True, "M"),
        AuthStep("finish", True, "M", None, {"authentication_method": "M"}),
    ]
    client.close(timeout=0)


def test_secrets_of_authentication_are_never_printed():
    step = AuthStep("continue", data=b"secret", properties={"authentication_data": b"secret"})
    assert "secret" not in f"{step!r} {AuthAnswer(b'secret')!r}"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (LookupError("no password"), "the authenticator refused: no password"),
        (LookupError(), "the authenticator refused: LookupError"),
        (7, "the authenticator refused: authentication data must be str, bytes, bytearray, memoryview, another buffer or None"),
        (b"x" * 65_536, "the authenticator refused: authentication data must be bytes of at most 65535 bytes"),
    ],
)
def test_an_authenticator_refuses_by_raising(peer, caplog, answer, words):
    caplog.set_level(logging.CRITICAL, "leveret")
    events: queue.Queue[leveret.ConnectionEvent] = queue.Queue()

    def authenticator(step):
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = leveret.Client(
        peer.url, authenticator=authenticator, authentication_method="M", on_connection=events.put, **FIVE
    )
    event = events.get(timeout=SOON)
    assert event.kind == "attempt_failed"
    assert isinstance(event.error, RefusedError)
    assert words in str(event.error)
    client.close(timeout=0)


def test_reauthenticating_says_why_it_cannot_be(broker, connect):
    with pytest.raises(ConfigurationError, match="the client has no authentication method"):
        connect().reauthenticate(timeout=SOON)
    client = connect(url="mqtt://127.0.0.1:9", online=False, authentication_method="M")
    with pytest.raises(NoConnection):
        client.reauthenticate(timeout=SOON)


# --- what our own packets carry ---


def test_acknowledgements_unsubscribe_and_disconnect_carry_what_they_are_told_to(peer):
    messages: queue.Queue[leveret.Message] = queue.Queue()
    client = leveret.Client(peer.url, on_message=messages.put, manual_ack=True, session_expiry=60, **FIVE)
    accept(peer)
    peer.send("PUBLISH", [("topic", "b"), ("qos", "1"), ("packet_id", "7")])
    messages.get(timeout=SOON).ack(0x80, "no room", {"a": "b"})
    told = dict(peer.expect("PUBACK", SOON))
    assert (told["reason"], told["reason_string"], told["user_property"]) == ("128", "no room", "a:b")
    gone = threading.Thread(target=client.unsubscribe, args=("a",), kwargs={"user_properties": [("c", "d")]})
    gone.start()
    assert ("user_property", "c:d") in peer.expect("UNSUBSCRIBE", SOON)
    peer.send("UNSUBACK", [("code", "0")])
    gone.join(SOON)
    client.close(timeout=SOON, end_session=False, with_will=True, session_expiry="7s", reason_string="bye", user_properties={"e": "f"})
    told = dict(peer.expect("DISCONNECT", SOON))
    assert (told["reason"], told["session_expiry_interval"]) == ("4", "7")
    assert (told["reason_string"], told["user_property"]) == ("bye", "e:f")


def test_what_they_cannot_carry_is_refused(connect, broker):
    client = connect(session_expiry=0)
    client.subscribe("a")
    client.publish("a", qos=1)
    message = client.messages.get(timeout=SOON)
    for arguments, sentence in [
        ((256,), "reason must be a reason code from 0 to 255, not 256"),
        (("0",), "reason must be a reason code from 0 to 255, not a value of type str"),
        ((5,), "reason must be one of 0, 128, 131, 135, 144, 145, 151, 153 (MQTT 5, 3.4.2.1), not 5"),
        ((0, b"x"), "reason_string must be text of at most 65535 bytes of UTF-8, not"),
        ((0, None, 7), "user_properties must be"),
    ]:
        with pytest.raises(ConfigurationError) as caught:
            message.ack(*arguments)
        assert str(caught.value).startswith(sentence)
    with pytest.raises(ConfigurationError, match="user_properties must be"):
        client.unsubscribe("a", user_properties="x")
    with pytest.raises(ConfigurationError, match="session_expiry must be left out or 0"):
        client.close(session_expiry=5)
    assert client.status == "online"


def test_the_properties_of_a_disconnect_and_of_a_refusal_can_be_read(peer):
    events: queue.Queue[leveret.ConnectionEvent] = queue.Queue()
    client = leveret.Client(peer.url, on_connection=events.put, **FIVE)
    peer.expect("CONNECT", SOON)
    peer.send("CONNACK", [("reason", "0x88"), ("reason_string", "come back later")])
    assert events.get(timeout=SOON).properties == {"reason_string": "come back later"}
    accept(peer)
    assert events.get(timeout=SOON).kind == "online"
    peer.send("DISCONNECT", [("reason", "0x8B"), ("user_property", "a:b")])
    assert events.get(timeout=SOON).properties == {"user_property": [("a", "b")]}
    client.close(timeout=0)


# --- a good guest ---

BEGIN = """
import os, sys, threading, time, warnings, weakref, leveret
from leveret.testing import Broker

warnings.filterwarnings("ignore", ".*fork", DeprecationWarning)  # newer Pythons warn of any fork beside threads
broker = Broker()
seen = threading.Event()
"""


@pytest.mark.parametrize(
    "text",
    [
        # Nobody closes the client; a hook never returns.
        "client = leveret.Client(broker.url, hooks={'connack': lambda p: seen.set() or time.sleep(1000)})\nseen.wait(20)",
        # Closed inside the hook.
        "client = leveret.Client(broker.url, hooks={'connack': lambda p: client.close() or seen.set()})\n"
        "seen.wait(20); client.wait_for('closed', timeout=20)",
        # Let go of, though its hooks hold it.
        "client = leveret.Client(broker.url, hooks={'connack': lambda p: seen.set()})\n"
        "client.wait_for('online', timeout=20); seen.wait(20)\n"
        "gone = weakref.ref(client); del client\n"
        "while gone() or any(t.name == 'leveret-hooks' for t in threading.enumerate()): time.sleep(0.001)",
        # A child has no hooks, and ends as it likes.
        "client = leveret.Client(broker.url, hooks={'connack': lambda p: seen.set()})\n"
        "client.wait_for('online', timeout=20); seen.wait(20)\n"
        "child = os.fork()\n"
        "if not child: client.close(); sys.exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0; assert client.ping(timeout=20) > 0; client.close()",
    ],
)
def test_hooks_keep_nothing_from_ending(text):
    done = program(f"{BEGIN}\n{text}\nif os.getppid(): print('end')", within=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


def test_every_call_may_be_made_inside_a_hook(broker):
    done: queue.Queue[object] = queue.Queue()

    def hook(packet):
        try:
            assert client.status == "online"
            receipt = client.publish("b")
            assert client.explain(receipt)
            client.cancel(receipt)
            assert receipt.wait(timeout=SOON)
            client.subscribe("c", lambda message: None)
            client.unsubscribe("c")
            client.flush(timeout=SOON)
            client.drain(timeout=SOON)
            assert client.ping(timeout=SOON) > 0
            client.close()
            done.put("all")
        except BaseException as failure:
            done.put(failure)

    client = leveret.Client(broker.url, hooks={"connack": hook}, start=False, **FIVE)
    client.start()
    assert done.get(timeout=SOON) == "all"
    client.wait_for("closed", timeout=SOON)
