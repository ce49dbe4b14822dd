"""Outcomes, statuses, states and reason codes. Printed from the tables of the core by `make generate`."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class OutcomeStatus(StrEnum):
    """What became of a letter. Every letter gets exactly one."""

    #: The broker has it: PUBACK at QoS 1, PUBCOMP at QoS 2, with the reason code.
    ACKNOWLEDGED = "acknowledged"
    #: QoS 0: its last byte was taken by the operating system.
    SENT = "sent"
    #: Its time to live passed.
    EXPIRED = "expired"
    #: Never sent: it made room for another, or a newer one replaced it.
    DROPPED = "dropped"
    #: The broker refused it, or it could not be sent to this broker.
    REJECTED = "rejected"
    #: The caller took it back.
    CANCELLED = "cancelled"
    #: In flight when the broker lost the session, and not posted again.
    SESSION_LOST = "session_lost"
    #: The client closed first.
    CLOSED = "closed"

    @property
    def ok(self) -> bool:
        """Did it go as asked."""
        return self in (OutcomeStatus.ACKNOWLEDGED, OutcomeStatus.SENT,)

    @property
    def delivered(self) -> bool:
        """Does the broker have it for certain."""
        return self in (OutcomeStatus.ACKNOWLEDGED,)


class Status(StrEnum):
    """Is the client connected. Attempts to connect are events, not statuses."""

    #: No connection, whether or not one is just being tried.
    OFFLINE = "offline"
    #: The broker has accepted the connection.
    ONLINE = "online"
    #: Closed for good; every letter has its outcome.
    CLOSED = "closed"


class SubscriptionState(StrEnum):
    """How a subscription stands with the broker."""

    #: No connection, or the broker has not answered yet.
    DOWN = "down"
    #: Granted as asked.
    UP = "up"
    #: Granted with a lower QoS than asked for.
    DOWNGRADED = "downgraded"
    #: Refused by the broker, with its reason code.
    REFUSED = "refused"


class ReasonCode(IntEnum):
    """Reason codes (MQTT 5.0 section 2.4). From 0x80 on they report failures."""

    SUCCESS = 0x00
    GRANTED_QOS_1 = 0x01
    GRANTED_QOS_2 = 0x02
    DISCONNECT_WITH_WILL = 0x04
    NO_MATCHING_SUBSCRIBERS = 0x10
    NO_SUBSCRIPTION_EXISTED = 0x11
    CONTINUE_AUTHENTICATION = 0x18
    REAUTHENTICATE = 0x19
    UNSPECIFIED_ERROR = 0x80
    MALFORMED_PACKET = 0x81
    PROTOCOL_ERROR = 0x82
    IMPLEMENTATION_SPECIFIC_ERROR = 0x83
    UNSUPPORTED_PROTOCOL_VERSION = 0x84
    CLIENT_IDENTIFIER_NOT_VALID = 0x85
    BAD_USER_NAME_OR_PASSWORD = 0x86
    NOT_AUTHORIZED = 0x87
    SERVER_UNAVAILABLE = 0x88
    SERVER_BUSY = 0x89
    BANNED = 0x8A
    SERVER_SHUTTING_DOWN = 0x8B
    BAD_AUTHENTICATION_METHOD = 0x8C
    KEEP_ALIVE_TIMEOUT = 0x8D
    SESSION_TAKEN_OVER = 0x8E
    TOPIC_FILTER_INVALID = 0x8F
    TOPIC_NAME_INVALID = 0x90
    PACKET_IDENTIFIER_IN_USE = 0x91
    PACKET_IDENTIFIER_NOT_FOUND = 0x92
    RECEIVE_MAXIMUM_EXCEEDED = 0x93
    TOPIC_ALIAS_INVALID = 0x94
    PACKET_TOO_LARGE = 0x95
    MESSAGE_RATE_TOO_HIGH = 0x96
    QUOTA_EXCEEDED = 0x97
    ADMINISTRATIVE_ACTION = 0x98
    PAYLOAD_FORMAT_INVALID = 0x99
    RETAIN_NOT_SUPPORTED = 0x9A
    QOS_NOT_SUPPORTED = 0x9B
    USE_ANOTHER_SERVER = 0x9C
    SERVER_MOVED = 0x9D
    SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = 0x9E
    CONNECTION_RATE_EXCEEDED = 0x9F
    MAXIMUM_CONNECT_TIME = 0xA0
    SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = 0xA1
    WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED = 0xA2
