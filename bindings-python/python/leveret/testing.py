"""An MQTT broker inside this process, for tests: real sockets on a free loopback port, both versions of MQTT.

Under pytest the fixture `mqtt_broker` is one, without an import.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from ._native import Message
from ._native import NativeBroker as _NativeBroker

__all__ = ["Broker", "Message"]


class Broker(_NativeBroker):
    """A broker on a thread of its own, listening when it is made. It ends with its `with` block or with `close()`.

    Unless told otherwise it is a friendly one without limits. Options: `protocol` ("3.1.1" or "5": the only version it
    speaks), `receive_maximum`, `maximum_qos`, `retain_available`, `maximum_packet_size`, `server_keep_alive` (seconds),
    `deny`, a topic filter to which access is denied, and what it speaks: `tls=True`, `client_certificates=True` (TLS that
    clients need a certificate for), `alpn="x-amzn-mqtt-ca"` (TLS with a protocol that they must offer), `websocket=True`
    (with `tls` over it; `websocket_path="/mqtt?token=x"` is then the only path, `websocket_header="Name: value"` a header
    that clients must bring), `unix_socket=True` or the absolute path of a socket file to be made.

        with Broker(tls=True) as broker, leveret.Client(broker.url, tls_ca=broker.ca_pem) as client: ...
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<leveret.testing.Broker {self.url}>"
