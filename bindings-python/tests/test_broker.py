"""The ways to a test broker, gone by the standard library's own TLS and sockets: they are what they say."""

import os
import socket
import ssl

import leveret
import pytest
from leveret.testing import Broker

#: CONNECT of MQTT 3.1.1 with the client identifier "a" and a clean session, and the answer.
CONNECT = b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01a"
CONNACK = b"\x20\x02\0\0"


def port(broker):
    return int(broker.url.rsplit(":", 1)[1].split("/")[0])


def secured(broker, *, identity=None):
    """A socket on which TLS was agreed, by a client that trusts this broker's authority; `identity` is a file to be written."""
    context = ssl.create_default_context(cadata=broker.ca_pem)
    if identity:
        identity.write_text(broker.client_cert_pem + broker.client_key_pem)
        context.load_cert_chain(identity)
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port(broker)), timeout=10), server_hostname="127.0.0.1")


def answers(stream):
    stream.sendall(CONNECT)
    return stream.recv(4) == CONNACK


def test_tls_with_a_certificate_of_the_brokers_own_authority():
    with Broker(tls=True) as broker:
        assert broker.url.startswith("mqtts://127.0.0.1:")
        with secured(broker) as stream:
            assert answers(stream)


def test_certificates_of_clients(tmp_path):
    with Broker(client_certificates=True) as broker:
        with secured(broker, identity=tmp_path / "client.pem") as stream:
            assert answers(stream)
        with pytest.raises(ssl.SSLError), secured(broker) as stream:
            answers(stream)


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        ("expired", "expired"),
        ("not_yet_valid", "not yet valid"),
        ("wrong_name", "mismatch"),
        ("unknown_ca", "local issuer|self.signed"),
        ("wrong_purpose", "purpose"),
        ("missing_intermediate", "local issuer"),
    ],
)
def test_bad_certificates_are_bad_to_others_too(certificate, reason):
    with Broker(tls=True) as broker:
        broker.show_certificate(certificate)
        with pytest.raises(ssl.SSLCertVerificationError, match=reason), secured(broker):
            pass
        broker.show_certificate("valid")
        with secured(broker) as stream:
            assert answers(stream)


def test_websocket():
    with Broker(websocket=True) as broker:
        assert broker.url.startswith("ws://127.0.0.1:")
        with socket.create_connection(("127.0.0.1", port(broker)), timeout=10) as stream:
            stream.sendall(b"GET /mqtt HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n")
            stream.sendall(b"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n")
            assert stream.recv(1000).startswith(b"HTTP/1.1 101 ")


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="the system has no Unix sockets")
def test_unix_sockets(tmp_path):
    path = str(tmp_path / "socket")
    for option in (True, path):
        with Broker(unix_socket=option) as broker, socket.socket(socket.AF_UNIX) as stream:
            stream.connect(broker.url.removeprefix("mqtt+unix://"))
            assert answers(stream)
    assert not os.path.exists(path)


def test_what_is_not_there_is_none_and_what_is_wrong_is_told():
    with Broker() as broker:
        assert (broker.ca_pem, broker.client_cert_pem, broker.client_key_pem) == (None, None, None)
        with pytest.raises(leveret.ConfigurationError, match="option tls is not set"):
            broker.show_certificate("valid")
    with Broker(tls=True) as broker, pytest.raises(leveret.ConfigurationError, match='certificate must be "valid", .* not "good"$'):
        broker.show_certificate("good")  # type: ignore[arg-type]
    with pytest.raises(leveret.ConfigurationError, match="^unix_socket cannot be combined"):
        Broker(unix_socket=True, tls=True)
