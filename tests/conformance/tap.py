"""A tap between a client and a broker: passes every byte on and writes down each packet, so that a failure can be judged by what was sent."""

from __future__ import annotations

import pathlib
import socket
import threading
import time
from urllib.parse import urlsplit

import wire

#: Longer values are cut in what is written down.
SHOWN = 60


class Tap:
    """Listens in the place of one address of a broker for as long as one run takes."""

    def __init__(self, url: str, file: pathlib.Path):
        self.target = (urlsplit(url).hostname, urlsplit(url).port)
        self.file = open(file, "w")
        self.began = time.monotonic()
        self.lock = threading.Lock()
        self.count = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"mqtt://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self) -> None:
        self.listener.close()
        with self.lock:
            self.file.close()

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                broker = socket.create_connection(self.target, timeout=5)
                broker.settimeout(None)
            except OSError:
                client.close()
                continue
            self.count += 1
            version = Version()
            for source, sink, arrow in ((client, broker, ">"), (broker, client, "<")):
                arguments = (source, sink, f"{self.count} {arrow}", version)
                threading.Thread(target=self.pass_on, args=arguments, daemon=True).start()

    def pass_on(self, source: socket.socket, sink: socket.socket, who: str, version: Version) -> None:
        packets = Packets()
        try:
            while chunk := source.recv(1 << 16):
                for line in packets.told(chunk, version):
                    self.write(who, line)
                sink.sendall(chunk)
            self.write(who, "end")
        except OSError as error:
            self.write(who, f"end: {error}")
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def write(self, who: str, line: str) -> None:
        with self.lock:
            if not self.file.closed:
                self.file.write(f"{time.monotonic() - self.began:8.3f} {who} {line}\n")
                self.file.flush()


class Version:
    """The version of a connection, known from its CONNECT on."""

    name = "5"


class Packets:
    """Cuts a stream of bytes into packets."""

    def __init__(self) -> None:
        self.buffer = b""

    def told(self, chunk: bytes, version: Version):
        """Each packet that is whole now, as a line."""
        self.buffer += chunk
        while True:
            length = place = 0
            for size, byte in enumerate(self.buffer[1:5], 2):
                length |= (byte & 0x7F) << place
                place += 7
                if byte < 0x80:
                    break
            else:
                return
            if len(self.buffer) < size + length:
                return
            first, body = self.buffer[0], self.buffer[size : size + length]
            self.buffer = self.buffer[size + length :]
            yield self.line(first, body, version)

    @staticmethod
    def line(first: int, body: bytes, version: Version) -> str:
        try:
            name, pairs = wire.read(first, body, version.name)
        except (wire.Malformed, UnicodeDecodeError) as error:
            return f"MALFORMED {error}: {first:02x} {body[:SHOWN].hex()}"
        if name == "CONNECT":
            version.name = dict(pairs)["protocol"]
        return " ".join([name, *(f"{key}={value[:SHOWN]}" for key, value in pairs)])
