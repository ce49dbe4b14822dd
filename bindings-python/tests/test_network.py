"""The way to the broker: a socket handed over, certificates and keys in files that change, and material that cannot be used."""

import base64
import contextlib
import fcntl
import os
import queue
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

import pytest
from support import FAST, SOON, connected, eventually, on_a_loop

import leveret
from leveret.errors import ConfigurationError
from leveret.testing import Broker

#: From here on nobody in this process gets a descriptor by chance.
FAR = 700


def handed_over(broker):
    """A socket that is connected to the broker and belongs to nobody yet."""
    place = urlsplit(broker.url)
    with socket.create_connection((place.hostname, place.port)) as made:
        return fcntl.fcntl(made, fcntl.F_DUPFD_CLOEXEC, FAR)


def is_open(descriptor):
    with contextlib.suppress(OSError):
        os.fstat(descriptor)
        return True
    return False


# --- a connected socket ---


def test_a_socket_handed_over_serves_the_first_attempt_and_is_the_clients(broker):
    with Broker() as named:
        given = handed_over(broker)
        with leveret.Client(named.url, fd=given, **FAST) as client:
            assert client.publish("a", "over the socket").wait(timeout=SOON).delivered
            assert ([message.payload for message in broker.received], named.received) == ([b"over the socket"], [])
            assert is_open(given)
            client.reconnect()
            # From then on the url is dialed.
            eventually(lambda: client.publish("a", "dialed").wait(timeout=SOON).delivered and named.received)
            eventually(lambda: not is_open(given))


def test_a_client_that_never_used_its_socket_closes_it(broker):
    given = handed_over(broker)
    client = leveret.Client(broker.url, fd=given, start=False)
    assert is_open(given)
    client.close(timeout=0)
    eventually(lambda: not is_open(given))


@on_a_loop
async def test_asyncio_takes_a_socket_over_too(broker):
    given = handed_over(broker)
    # Nobody listens where the url leads.
    async with connected("mqtt://127.0.0.1:1", fd=given) as client:
        assert (await client.publish("a", "x").wait(timeout=SOON)).delivered


def test_a_socket_of_a_client_that_was_refused_still_belongs_to_the_program(broker):
    given = handed_over(broker)
    for wrong in ({"qos": 1}, {"keep_alive": -1}, {"proxy": "gopher://localhost"}):
        with pytest.raises(ConfigurationError):
            leveret.Client(broker.url, fd=given, **untyped(wrong))
        assert is_open(given)
    os.close(given)
    with open(os.devnull) as file:
        with pytest.raises(ConfigurationError, match="fd must be the descriptor of a connected socket"):
            leveret.Client(broker.url, fd=file.fileno())
        assert is_open(file.fileno())
    with pytest.raises(ConfigurationError, match="fd must be"):
        leveret.Client(broker.url, fd=-1)


def untyped(value: Any) -> Any:
    """What no type checker would let through."""
    return value


# --- files that change ---


@pytest.fixture
def guarded():
    """A broker that wants certificates of clients."""
    with Broker(client_certificates=True) as broker:
        yield broker


@pytest.fixture
def files(guarded, tmp_path):
    """The options of a client that the broker knows, each a file."""
    pems = {"tls_ca_file": guarded.ca_pem, "tls_cert_file": guarded.client_cert_pem, "tls_key_file": guarded.client_key_pem}
    paths = {name: tmp_path / f"{name}.pem" for name in pems}
    for name, path in paths.items():
        path.write_text(pems[name])
    return paths


def test_files_are_read_again_before_each_connect_and_broken_ones_are_kept_out(guarded, files):
    notices: queue.Queue[leveret.Notice] = queue.Queue()
    events: queue.Queue[leveret.ConnectionEvent] = queue.Queue()
    given: Any = {name: str(path) for name, path in files.items()}
    with (
        Broker(client_certificates=True) as stranger,
        leveret.Client(guarded.url, on_notice=notices.put, on_connection=events.put, **given, **FAST) as client,
    ):
        assert events.get(timeout=SOON).kind == "online"
        wrong = [
            ("tls_ca_file", "", "which is empty"),
            ("tls_cert_file", "garbage", "holds no certificate"),
            ("tls_key_file", "-----BEGIN PRIVATE KEY-----\n", "holds broken PEM: a section has no -----END line"),
            ("tls_key_file", stranger.client_key_pem, "holds another key than that of the certificate in tls_cert_file"),
        ]
        for name, text, sentence in wrong:
            good = files[name].read_text()
            files[name].write_text(text)
            client.reconnect()
            assert [events.get(timeout=SOON).kind for _ in range(2)] == ["offline", "online"]
            notice = notices.get(timeout=SOON)
            assert notice.kind == "tls_files_kept"
            assert sentence in notice.text
            assert name in notice.text
            assert guarded.client_key_pem.splitlines()[1] not in notice.text
            files[name].write_text(good)
        # What is as it has to be counts: now the broker is not trusted any more.
        files["tls_ca_file"].write_text(stranger.ca_pem)
        client.reconnect()
        assert events.get(timeout=SOON).kind == "offline"
        assert "another key than that of the trusted CA" in str(events.get(timeout=SOON).error)
        files["tls_ca_file"].write_text(guarded.ca_pem)
        client.wait_for("online", timeout=SOON)
        assert client.publish("a").wait(timeout=SOON).delivered


def test_no_letter_is_lost_while_files_and_certificates_are_renewed(guarded, files):
    given: Any = {name: str(path) for name, path in files.items()}
    with leveret.Client(guarded.url, **given, **FAST) as client:
        receipts = []
        for turn in range(5):
            receipts += client.publish_many([("a", f"{turn} {number}") for number in range(100)], qos=1)
            guarded.show_certificate("valid")
            files["tls_cert_file"].write_text("half a file" if turn % 2 else guarded.client_cert_pem)
            client.reconnect()
        assert all(receipt.wait(timeout=SOON).delivered for receipt in receipts)
    assert len({message.payload for message in guarded.received}) == len(receipts)


# --- what cannot be used ---

GARBAGE = "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n"


def test_material_that_cannot_be_used_is_refused_with_a_reason(guarded, tmp_path):
    cert, key = guarded.client_cert_pem, guarded.client_key_pem
    with Broker(tls=True) as stranger:
        other = stranger.client_key_pem or ""
    paths = {"empty": "", "garbage": GARBAGE, "cut": key.replace("-----END", "")}
    for name, text in paths.items():
        (tmp_path / name).write_text(text)
    lists: list[tuple[dict[str, Any], str]] = [
        ({"tls_ca_file": "missing"}, "which cannot be read: No such file"),
        ({"tls_ca_file": "."}, "which cannot be read: Is a directory"),
        ({"tls_ca_file": "empty"}, "which is empty"),
        ({"tls_ca_file": "garbage"}, "which holds broken PEM: a section is not base64"),
        ({"tls_ca": b"\x30\x03abc" + bytes(9)}, "tls_ca holds"),
        ({"tls_ca": "hello"}, "tls_ca holds no certificate"),
        ({"tls_ca": key}, "tls_ca holds no certificate, but a private key"),
        ({"tls_ca": "x", "tls_ca_file": "empty"}, "tls_ca_file must not be given where tls_ca is"),
        ({"tls_cert": cert}, "tls_key or tls_key_file must be given where tls_cert is"),
        ({"tls_key": key}, "tls_cert or tls_cert_file must be given where tls_key is"),
        ({"tls_cert": cert, "tls_key": other}, "tls_key holds another key than that of the certificate in tls_cert"),
        ({"tls_cert": cert, "tls_key": cert}, "tls_key holds no private key, but a certificate"),
        ({"tls_cert": cert, "tls_key_file": "empty"}, "which is empty"),
        ({"tls_cert": cert, "tls_key_file": "cut"}, "which holds broken PEM: a section has no -----END line"),
        ({"tls_cert": GARBAGE, "tls_key": key}, "tls_cert holds broken PEM"),
        ({"tls_ca": 7}, "tls_ca must be bytes or text"),
        ({"tls_key": 7}, "tls_key must be bytes or text"),
    ]
    for given, sentence in lists:
        placed: Any = {name: str(tmp_path / value) if name.endswith("_file") else value for name, value in given.items()}
        with pytest.raises(ConfigurationError) as caught:
            leveret.Client("mqtts://localhost", **placed)
        assert sentence in str(caught.value)
        assert not any(secret.splitlines()[1][:20] in str(caught.value) for secret in (key, other))


@pytest.mark.parametrize("made", [bytes, bytearray, memoryview])
def test_certificates_and_keys_are_read_from_der_too(guarded, made):
    def der(pem):
        return ssl.PEM_cert_to_DER_cert(pem)

    key = base64.b64decode("".join(guarded.client_key_pem.splitlines()[1:-1]))
    given: Any = {"tls_ca": made(der(guarded.ca_pem)), "tls_cert": made(der(guarded.client_cert_pem)), "tls_key": made(key)}
    with leveret.Client(guarded.url, **given, **FAST) as client:
        client.wait_for("online", timeout=SOON)
