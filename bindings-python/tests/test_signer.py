"""The signer: TLS handshakes signed by a function, so that a key can stay elsewhere; here with the program openssl."""

import asyncio
import queue
import subprocess
import threading
from typing import Any

import pytest
from support import FAST, SOON, eventually, on_a_loop, program

import leveret
from leveret.testing import Broker


@pytest.fixture
def guarded():
    """A broker that wants certificates of clients."""
    with Broker(client_certificates=True) as broker:
        yield broker


@pytest.fixture
def sign(guarded, tmp_path):
    """Signs as a secure element would, of which this side knows nothing but the answer."""
    key = tmp_path / "key.pem"
    key.write_text(guarded.client_key_pem)

    def sign(scheme, message):
        assert scheme == "ecdsa_secp256r1_sha256"
        made = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=message, capture_output=True, check=True)
        return made.stdout

    return sign


def options(broker) -> dict[str, Any]:
    """A client that is known to the broker, without its key."""
    return {"tls_ca": broker.ca_pem, "tls_cert": broker.client_cert_pem, **FAST}


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("made", [bytes, bytearray, memoryview])
def test_a_handshake_is_signed_by_the_program(guarded, sign, version, made):
    given: Any = {"tls_max_version": version, **options(guarded)}
    with leveret.Client(guarded.url, signer=lambda *asked: made(sign(*asked)), **given) as client:
        assert client.publish("a", "x").wait(timeout=SOON).delivered


def refused(client_class, broker, signer, **given):
    """The first failed attempt of a client with this signer."""
    events: queue.Queue[leveret.ConnectionEvent] = queue.Queue()
    client = client_class(broker.url, signer=signer, on_connection=events.put, **{**options(broker), **given})
    return client, events


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (LookupError("the element is locked"), "the handshake could not be signed: the element is locked"),
        (LookupError(), "the handshake could not be signed: LookupError"),
        ("text", "signature must be bytes, bytearray, memoryview or another buffer, not a value of type str"),
        (None, "signature must be bytes, bytearray, memoryview or another buffer, not None"),
        (7, "signature must be bytes, bytearray, memoryview or another buffer, not a value of type int"),
        (b"no signature", "the broker refused the TLS connection"),
    ],
)
def test_a_signer_that_raises_or_signs_wrongly_is_a_failed_attempt(guarded, answer, words):
    def signer(scheme, message):
        if isinstance(answer, Exception):
            raise answer
        return answer

    client, events = refused(leveret.Client, guarded, signer)
    event = events.get(timeout=SOON)
    assert event.kind == "attempt_failed"
    assert words in str(event.error)
    client.close(timeout=0)


def test_a_signer_that_blocks_is_given_up_and_the_next_attempt_asks_again(guarded, sign):
    leave, asked = threading.Event(), []

    def signer(scheme, message):
        asked.append(scheme)
        if len(asked) == 1:
            leave.wait(SOON)
        return sign(scheme, message)

    client, events = refused(leveret.Client, guarded, signer, connect_timeout=0.5)
    assert events.get(timeout=SOON).kind == "attempt_failed"
    leave.set()
    client.wait_for("online", timeout=SOON)
    client.close(timeout=1)


def test_a_client_whose_signer_blocks_can_be_closed(guarded):
    leave, entered = threading.Event(), threading.Event()

    def signer(scheme, message):
        entered.set()
        leave.wait(SOON)
        return b""

    client, _ = refused(leveret.Client, guarded, signer)
    assert entered.wait(SOON)
    client.close(timeout=0)
    assert client.status == "closed"
    leave.set()
    eventually(lambda: not any(thread.name == "leveret-hooks" for thread in threading.enumerate()))


@pytest.mark.parametrize("answer", ["time.sleep(1000)", "client.close(timeout=0) or b''", "sys.exit(3)"])
def test_a_signer_keeps_no_program_from_ending(answer):
    text = f"""
        import logging, sys, threading, time, leveret
        from leveret.testing import Broker
        logging.getLogger("leveret").setLevel(logging.CRITICAL)
        broker, seen = Broker(client_certificates=True), threading.Event()
        def signer(scheme, message):
            seen.set()
            {answer}
        client = leveret.Client(
            broker.url, signer=signer, tls_ca=broker.ca_pem, tls_cert=broker.client_cert_pem, start=False
        )
        client.start()
        assert seen.wait(20)
        print("end")
    """
    done = program(text, within=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


@on_a_loop
async def test_coroutines_sign_too(guarded, sign):
    async def signer(scheme, message):
        return await asyncio.to_thread(sign, scheme, message)

    async with leveret.AsyncClient(guarded.url, signer=signer, **options(guarded)) as client:
        assert (await client.publish("a", "x").wait(timeout=SOON)).delivered


@on_a_loop
async def test_a_coroutine_that_never_signs_is_cancelled_and_the_next_attempt_asks_again(guarded, sign):
    asked = []

    async def signer(scheme, message):
        asked.append(scheme)
        if len(asked) == 1:
            await asyncio.Event().wait()
        return sign(scheme, message)

    client, _ = refused(leveret.AsyncClient, guarded, signer, connect_timeout=0.5)
    await client.wait_for("online", timeout=SOON)
    assert len(asked) >= 2
    await client.close(timeout=1)
