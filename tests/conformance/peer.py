"""A broker that does what the scenario says and nothing else: it listens, reads packets one by one and sends what it is told."""

from __future__ import annotations

import select
import socket
import time

import wire


class Surprise(Exception):
    """The client did something else than the scenario expects."""


class Peer:
    """A listening socket and the newest connection on it."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"mqtt://127.0.0.1:{self.listener.getsockname()[1]}"
        self.connection: socket.socket | None = None
        self.version = "5"
        self.buffer = b""
        #: The packet identifier that was read last: what an answer is about unless it says so itself.
        self.packet_id = "0"

    def expect(self, name: str, timeout: float) -> wire.Pairs:
        """The fields of the next packet, which must be of that type; a CONNECT comes on a new connection. Pings are answered."""
        deadline = time.monotonic() + timeout
        if name == "CONNECT":
            self.accept(deadline)
        while True:
            came, pairs = self.read(deadline)
            if came == "CONNECT":
                self.version = dict(pairs)["protocol"]
            if came == "PINGREQ" and name != "PINGREQ":
                self.send("PINGRESP", [])
                continue
            if came != name:
                raise Surprise(f"{came} {dict(pairs)} came instead of {name}")
            self.packet_id = dict(pairs).get("packet_id", self.packet_id)
            return pairs

    def accept(self, deadline: float) -> None:
        self.hang_up()
        if not select.select([self.listener], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise Surprise("no connection came")
        self.connection, _ = self.listener.accept()

    def read(self, deadline: float) -> tuple[str, wire.Pairs]:
        first = self.take(1, deadline)[0]
        length = place = 0
        while True:
            byte = self.take(1, deadline)[0]
            length |= (byte & 0x7F) << place
            place += 7
            if byte < 0x80:
                break
        return wire.read(first, self.take(length, deadline), self.version)

    def take(self, count: int, deadline: float) -> bytes:
        while len(self.buffer) < count:
            if not select.select([self.connection], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise Surprise("no packet came")
            chunk = self.connection.recv(1 << 16)
            if not chunk:
                raise Surprise("the client hung up")
            self.buffer += chunk
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def expect_end(self, timeout: float) -> None:
        """The client hangs up, with nothing said before."""
        try:
            came, pairs = self.read(time.monotonic() + timeout)
        except (Surprise, ConnectionResetError) as surprise:
            if isinstance(surprise, ConnectionResetError) or "hung up" in str(surprise):
                return
            raise
        raise Surprise(f"{came} {dict(pairs)} came instead of the end of the connection")

    def send(self, name: str, fields: wire.Pairs) -> None:
        if name in ("PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBACK", "UNSUBACK") and "packet_id" not in dict(fields):
            fields = [("packet_id", self.packet_id), *fields]
        self.connection.sendall(wire.write(name, fields, self.version))

    def send_raw(self, data: bytes) -> None:
        self.connection.sendall(data)

    def hang_up(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None
        self.buffer = b""

    def close(self) -> None:
        self.hang_up()
        self.listener.close()
