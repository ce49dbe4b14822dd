"""MQTT packets as a broker reads and writes them: a second, independent reading of the standards, for the scripted peer and the tap.

A packet is its name and a list of pairs (field, text), in the order in which they stand on the wire. Properties have the names
of the standard in small letters, `message_expiry_interval`; the will's have `will_` before them.
"""

from __future__ import annotations

Pairs = list[tuple[str, str]]

NAMES = {
    1: "CONNECT",
    2: "CONNACK",
    3: "PUBLISH",
    4: "PUBACK",
    5: "PUBREC",
    6: "PUBREL",
    7: "PUBCOMP",
    8: "SUBSCRIBE",
    9: "SUBACK",
    10: "UNSUBSCRIBE",
    11: "UNSUBACK",
    12: "PINGREQ",
    13: "PINGRESP",
    14: "DISCONNECT",
    15: "AUTH",
}
TYPES = {name: number for number, name in NAMES.items()}

#: MQTT 5, 2.2.2.2: number, name, type.
PROPERTIES = {
    0x01: ("payload_format_indicator", "byte"),
    0x02: ("message_expiry_interval", "four"),
    0x03: ("content_type", "text"),
    0x08: ("response_topic", "text"),
    0x09: ("correlation_data", "bytes"),
    0x0B: ("subscription_identifier", "variable"),
    0x11: ("session_expiry_interval", "four"),
    0x12: ("assigned_client_identifier", "text"),
    0x13: ("server_keep_alive", "two"),
    0x15: ("authentication_method", "text"),
    0x16: ("authentication_data", "bytes"),
    0x17: ("request_problem_information", "byte"),
    0x18: ("will_delay_interval", "four"),
    0x19: ("request_response_information", "byte"),
    0x1A: ("response_information", "text"),
    0x1C: ("server_reference", "text"),
    0x1F: ("reason_string", "text"),
    0x21: ("receive_maximum", "two"),
    0x22: ("topic_alias_maximum", "two"),
    0x23: ("topic_alias", "two"),
    0x24: ("maximum_qos", "byte"),
    0x25: ("retain_available", "byte"),
    0x26: ("user_property", "pair"),
    0x27: ("maximum_packet_size", "four"),
    0x28: ("wildcard_subscription_available", "byte"),
    0x29: ("subscription_identifier_available", "byte"),
    0x2A: ("shared_subscription_available", "byte"),
}
PROPERTY_NUMBERS = {name: (number, kind) for number, (name, kind) in PROPERTIES.items()}


class Malformed(Exception):
    """The client sent what no standard allows."""


# --- reading ------------------------------------------------------------------------------------------------------


class Reader:
    """Takes fields from the front of a packet's body."""

    def __init__(self, body: bytes):
        self.rest = body

    def take(self, count: int) -> bytes:
        if count > len(self.rest):
            raise Malformed(f"{count} bytes wanted where {len(self.rest)} are left")
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def variable(self) -> int:
        value = 0
        for place in range(4):
            byte = self.number(1)
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                return value
        raise Malformed("a variable byte integer of more than four bytes")

    def bytes(self) -> bytes:
        return self.take(self.number(2))

    def text(self) -> str:
        return self.bytes().decode()

    def properties(self, prefix: str = "") -> Pairs:
        of = Reader(self.take(self.variable()))
        pairs: Pairs = []
        while of.rest:
            number = of.variable()
            if number not in PROPERTIES:
                raise Malformed(f"there is no property 0x{number:02x}")
            name, kind = PROPERTIES[number]
            known = name if name.startswith(prefix) else prefix + name
            if kind != "pair" and any(other == known for other, _ in pairs):
                raise Malformed(f"{name} occurs twice")
            pairs.append((known, of.property(kind)))
        return pairs

    def property(self, kind: str) -> str:
        if kind == "text":
            return self.text()
        if kind == "bytes":
            return shown(self.bytes())
        if kind == "pair":
            return f"{self.text()}:{self.text()}"
        return str(self.variable() if kind == "variable" else self.number({"byte": 1, "two": 2, "four": 4}[kind]))


def shown(payload: bytes) -> str:
    return payload.decode(errors="backslashreplace")


def flag(value: int) -> str:
    return "true" if value else "false"


def read(first: int, body: bytes, version: str) -> tuple[str, Pairs]:
    """The packet with this first byte and body, in a connection of this version ("3.1.1" or "5")."""
    name = NAMES.get(first >> 4, f"type {first >> 4}")
    of = Reader(body)
    reader = {
        "CONNECT": read_connect,
        "PUBLISH": lambda of: read_publish(of, first & 0x0F, version),
        "SUBSCRIBE": lambda of: read_subscribe(of, version),
        "UNSUBSCRIBE": lambda of: read_unsubscribe(of, version),
        "PINGREQ": lambda of: [],
        "PINGRESP": lambda of: [],
        "CONNACK": lambda of: read_connack(of, version),
        "SUBACK": lambda of: read_codes(of, version),
        "UNSUBACK": lambda of: read_codes(of, version),
        "DISCONNECT": lambda of: read_reason(of, version),
        "AUTH": lambda of: read_reason(of, version),
    }.get(name, lambda of: [("packet_id", str(of.number(2))), *read_reason(of, version)])
    if name != "PUBLISH" and first & 0x0F != (2 if name in ("PUBREL", "SUBSCRIBE", "UNSUBSCRIBE") else 0):
        raise Malformed(f"{name} with flags {first & 0x0F}")
    pairs = reader(of)
    if of.rest:
        raise Malformed(f"{len(of.rest)} bytes too many in {name}")
    return name, pairs


def read_connect(of: Reader) -> Pairs:
    if of.text() != "MQTT":
        raise Malformed("the protocol name is not MQTT")
    level, flags = of.number(1), of.number(1)
    version = {4: "3.1.1", 5: "5"}.get(level, str(level))
    pairs = [("protocol", version), ("clean_start", flag(flags & 2)), ("keep_alive", str(of.number(2)))]
    pairs += of.properties() if version == "5" else []
    pairs += [("client_id", of.text())]
    if flags & 4:
        pairs += of.properties("will_") if version == "5" else []
        pairs += [("will_topic", of.text()), ("will_payload", shown(of.bytes()))]
        pairs += [("will_qos", str(flags >> 3 & 3)), ("will_retain", flag(flags & 0x20))]
    pairs += [("username", of.text())] if flags & 0x80 else []
    pairs += [("password", shown(of.bytes()))] if flags & 0x40 else []
    return pairs


def read_connack(of: Reader, version: str) -> Pairs:
    pairs = [("session_present", flag(of.number(1) & 1)), ("reason", str(of.number(1)))]
    # A broker that refuses MQTT 5 answers as those before it did, without properties.
    return pairs + (of.properties() if version == "5" and of.rest else [])


def read_codes(of: Reader, version: str) -> Pairs:
    pairs = [("packet_id", str(of.number(2))), *(of.properties() if version == "5" else [])]
    return pairs + [("code", str(of.number(1))) for _ in range(len(of.rest))]


def read_publish(of: Reader, flags: int, version: str) -> Pairs:
    qos = flags >> 1 & 3
    pairs = [("topic", of.text()), ("qos", str(qos)), ("retain", flag(flags & 1)), ("dup", flag(flags & 8))]
    pairs += [("packet_id", str(of.number(2)))] if qos else []
    pairs += of.properties() if version == "5" else []
    return [*pairs, ("payload", shown(of.take(len(of.rest))))]


def read_subscribe(of: Reader, version: str) -> Pairs:
    pairs = [("packet_id", str(of.number(2))), *(of.properties() if version == "5" else [])]
    while of.rest:
        filter, options = of.text(), of.number(1)
        pairs += [("filter", filter), ("qos", str(options & 3)), ("no_local", flag(options & 4))]
        pairs += [("retain_as_published", flag(options & 8)), ("retain_handling", str(options >> 4 & 3))]
    return pairs


def read_unsubscribe(of: Reader, version: str) -> Pairs:
    pairs = [("packet_id", str(of.number(2))), *(of.properties() if version == "5" else [])]
    while of.rest:
        pairs += [("filter", of.text())]
    return pairs


def read_reason(of: Reader, version: str) -> Pairs:
    """The end of PUBACK and its like: on MQTT 5 a reason code and properties, each of which may be missing."""
    if version != "5":
        return []
    pairs = [("reason", str(of.number(1) if of.rest else 0))]
    return pairs + (of.properties() if of.rest else [])


# --- writing ------------------------------------------------------------------------------------------------------


def variable(value: int) -> bytes:
    encoded = b""
    while True:
        value, low = value >> 7, value & 0x7F
        encoded += bytes([low | 0x80 if value else low])
        if not value:
            return encoded


def counted(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def write(name: str, fields: Pairs, version: str) -> bytes:
    """The packet as bytes; fields that are no part of it are properties."""
    left = list(fields)

    def take(field: str, otherwise: str) -> str:
        for pair in left:
            if pair[0] == field:
                left.remove(pair)
                return pair[1]
        return otherwise

    def take_all(field: str) -> list[str]:
        found = [value for key, value in left if key == field]
        left[:] = [pair for pair in left if pair[0] != field]
        return found

    def number(field: str, size: int, otherwise: str = "0") -> bytes:
        return int(take(field, otherwise), 0).to_bytes(size, "big")

    five, flags = version == "5", 0
    if name == "CONNACK":
        head = bytes([take("session_present", "false") == "true"]) + number("reason", 1)
    elif name == "PUBLISH":
        qos = int(take("qos", "0"))
        flags = qos << 1 | (take("retain", "false") == "true") | (take("dup", "false") == "true") << 3
        head = counted(take("topic", "").encode()) + (number("packet_id", 2) if qos else b"")
        payload = take("payload", "").encode()
        return packet(name, flags, head + (properties(left) if five else b"") + payload)
    elif name in ("SUBACK", "UNSUBACK"):
        head = number("packet_id", 2)
        codes = bytes(int(code, 0) for code in take_all("code"))
        return packet(name, 0, head + (properties(left) if five else b"") + (codes if five or name == "SUBACK" else b""))
    elif name in ("PUBACK", "PUBREC", "PUBREL", "PUBCOMP"):
        flags = 2 if name == "PUBREL" else 0
        head = number("packet_id", 2) + (number("reason", 1) if five else b"")
    elif name in ("DISCONNECT", "AUTH"):
        head = number("reason", 1) if five else b""
    else:
        head, five = b"", False
    return packet(name, flags, head + (properties(left) if five else b""))


def packet(name: str, flags: int, body: bytes) -> bytes:
    return bytes([TYPES[name] << 4 | flags]) + variable(len(body)) + body


def properties(fields: Pairs) -> bytes:
    encoded = b""
    for name, value in fields:
        number, kind = PROPERTY_NUMBERS[name]
        encoded += variable(number)
        if kind == "text" or kind == "bytes":
            encoded += counted(value.encode())
        elif kind == "pair":
            key, _, text = value.partition(":")
            encoded += counted(key.encode()) + counted(text.encode())
        elif kind == "variable":
            encoded += variable(int(value))
        else:
            encoded += int(value, 0).to_bytes({"byte": 1, "two": 2, "four": 4}[kind], "big")
    return variable(len(encoded)) + encoded
