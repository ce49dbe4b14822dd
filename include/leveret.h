/*
 * The C ABI of leveret.
 */

#ifndef LEVERET_H
#define LEVERET_H

#pragma once

/* Generated from ffi-c/src by `make generate`: changes belong there. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Results. Every function that can fail returns MQTT_OK or one of the negative codes.
 */
/** It went well. */
#define MQTT_OK 0
/** An argument or the value of an option is outside what is allowed. */
#define MQTT_INVALID_ARGUMENT (-1)
/** There is no option of this name. */
#define MQTT_UNKNOWN_OPTION (-2)
/** The post office is full, and no letter may be dropped to make room. The same call may succeed later. */
#define MQTT_QUEUE_FULL (-3)
/** The call would wait for the very thread it runs on. */
#define MQTT_WOULD_DEADLOCK (-4)
/** It did not happen within the time given. The same call may succeed later. */
#define MQTT_TIMED_OUT (-5)
/** The client is closed. */
#define MQTT_CLOSED (-6)
/** There is no connection to the broker just now. The same call may succeed later. */
#define MQTT_NOT_CONNECTED (-7)
/** The connection was lost before the answer came. The same call may succeed later. */
#define MQTT_CONNECTION_LOST (-8)
/** The broker refused, with a reason code. */
#define MQTT_REFUSED (-9)
/** This broker, or this version of MQTT, cannot do what was asked. */
#define MQTT_NOT_SUPPORTED (-10)
/** The broker broke the rules of the protocol. */
#define MQTT_PROTOCOL_VIOLATION (-11)
/** The client was made before the process forked, and this is the child. */
#define MQTT_FORKED (-12)
/** The receipt was settled so long ago that its outcome is no longer kept, or it was never given out. */
#define MQTT_RECEIPT_FORGOTTEN (-13)
/** The outcome of a letter was asked to be raised as an error, and it was not delivered. */
#define MQTT_NOT_DELIVERED (-14)
/** A pointer that must not be NULL was. */
#define MQTT_NULL_POINTER (-15)
/** A defect in leveret itself; the client is finished. */
#define MQTT_PANIC (-16)
/** The operating system refused something leveret needs, such as a thread. */
#define MQTT_SYSTEM (-17)
/** The wait was given up before it was over. */
#define MQTT_CANCELLED (-18)

/*
 * What became of a letter. Every letter gets exactly one outcome.
 */
/** The broker has it: PUBACK at QoS 1, PUBCOMP at QoS 2, with the reason code. */
#define MQTT_OUTCOME_ACKNOWLEDGED 1
/** QoS 0: its last byte was taken by the operating system. */
#define MQTT_OUTCOME_SENT 2
/** Its time to live passed. */
#define MQTT_OUTCOME_EXPIRED 3
/** Never sent: it made room for another, or a newer one replaced it. */
#define MQTT_OUTCOME_DROPPED 4
/** The broker refused it, or it could not be sent to this broker. */
#define MQTT_OUTCOME_REJECTED 5
/** The caller took it back. */
#define MQTT_OUTCOME_CANCELLED 6
/** In flight when the broker lost the session, and not posted again. */
#define MQTT_OUTCOME_SESSION_LOST 7
/** The client closed first. */
#define MQTT_OUTCOME_CLOSED 8

/*
 * Statuses of a client.
 */
/** No connection, whether or not one is just being tried. */
#define MQTT_STATUS_OFFLINE 0
/** The broker has accepted the connection. */
#define MQTT_STATUS_ONLINE 1
/** Closed for good; every letter has its outcome. */
#define MQTT_STATUS_CLOSED 2

/*
 * States of a subscription.
 */
/** No connection, or the broker has not answered yet. */
#define MQTT_SUBSCRIPTION_DOWN 0
/** Granted as asked. */
#define MQTT_SUBSCRIPTION_UP 1
/** Granted with a lower QoS than asked for. */
#define MQTT_SUBSCRIPTION_DOWNGRADED 2
/** Refused by the broker, with its reason code. */
#define MQTT_SUBSCRIPTION_REFUSED 3

/*
 * Reason codes (MQTT 5.0 section 2.4). From 0x80 on they report failures.
 */
#define MQTT_REASON_SUCCESS 0x00
#define MQTT_REASON_GRANTED_QOS_1 0x01
#define MQTT_REASON_GRANTED_QOS_2 0x02
#define MQTT_REASON_DISCONNECT_WITH_WILL 0x04
#define MQTT_REASON_NO_MATCHING_SUBSCRIBERS 0x10
#define MQTT_REASON_NO_SUBSCRIPTION_EXISTED 0x11
#define MQTT_REASON_CONTINUE_AUTHENTICATION 0x18
#define MQTT_REASON_REAUTHENTICATE 0x19
#define MQTT_REASON_UNSPECIFIED_ERROR 0x80
#define MQTT_REASON_MALFORMED_PACKET 0x81
#define MQTT_REASON_PROTOCOL_ERROR 0x82
#define MQTT_REASON_IMPLEMENTATION_SPECIFIC_ERROR 0x83
#define MQTT_REASON_UNSUPPORTED_PROTOCOL_VERSION 0x84
#define MQTT_REASON_CLIENT_IDENTIFIER_NOT_VALID 0x85
#define MQTT_REASON_BAD_USER_NAME_OR_PASSWORD 0x86
#define MQTT_REASON_NOT_AUTHORIZED 0x87
#define MQTT_REASON_SERVER_UNAVAILABLE 0x88
#define MQTT_REASON_SERVER_BUSY 0x89
#define MQTT_REASON_BANNED 0x8A
#define MQTT_REASON_SERVER_SHUTTING_DOWN 0x8B
#define MQTT_REASON_BAD_AUTHENTICATION_METHOD 0x8C
#define MQTT_REASON_KEEP_ALIVE_TIMEOUT 0x8D
#define MQTT_REASON_SESSION_TAKEN_OVER 0x8E
#define MQTT_REASON_TOPIC_FILTER_INVALID 0x8F
#define MQTT_REASON_TOPIC_NAME_INVALID 0x90
#define MQTT_REASON_PACKET_IDENTIFIER_IN_USE 0x91
#define MQTT_REASON_PACKET_IDENTIFIER_NOT_FOUND 0x92
#define MQTT_REASON_RECEIVE_MAXIMUM_EXCEEDED 0x93
#define MQTT_REASON_TOPIC_ALIAS_INVALID 0x94
#define MQTT_REASON_PACKET_TOO_LARGE 0x95
#define MQTT_REASON_MESSAGE_RATE_TOO_HIGH 0x96
#define MQTT_REASON_QUOTA_EXCEEDED 0x97
#define MQTT_REASON_ADMINISTRATIVE_ACTION 0x98
#define MQTT_REASON_PAYLOAD_FORMAT_INVALID 0x99
#define MQTT_REASON_RETAIN_NOT_SUPPORTED 0x9A
#define MQTT_REASON_QOS_NOT_SUPPORTED 0x9B
#define MQTT_REASON_USE_ANOTHER_SERVER 0x9C
#define MQTT_REASON_SERVER_MOVED 0x9D
#define MQTT_REASON_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED 0x9E
#define MQTT_REASON_CONNECTION_RATE_EXCEEDED 0x9F
#define MQTT_REASON_MAXIMUM_CONNECT_TIME 0xA0
#define MQTT_REASON_SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED 0xA1
#define MQTT_REASON_WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED 0xA2

/*
 * Names of options, so that a typing error fails to compile. A duration is text such as "250ms", "5s", "2m"
 * or "1h".
 */
/**
 * Client identifier by which the broker knows this client and keeps its session (MQTT 5, 3.1.3.1). Empty: a
 * random one, kept for the life of the client. Default: random, then kept. Allowed: text of at most 65535
 * bytes of UTF-8.
 */
#define MQTT_OPT_CLIENT_ID "client_id"
/**
 * Which version of MQTT to speak. `auto` tries 5 and falls back to 3.1.1 where the broker does not know 5.
 * Default: "auto". Allowed: "auto", "5" or "3.1.1".
 */
#define MQTT_OPT_PROTOCOL "protocol"
/**
 * Begin without the state of an earlier session, and end the session with a clean close. Reconnects within
 * the life of the client resume the session either way, where the protocol allows it. `false` needs a
 * `client_id`. On 3.1.1 it is Clean Session. Default: true. Allowed: true or false.
 */
#define MQTT_OPT_CLEAN_START "clean_start"
/**
 * How long the broker keeps the session after the connection is gone (MQTT 5, 3.1.2.11.2); 4294967295 s is
 * for ever. Default: 1h. Allowed: a whole number of seconds from 0s to 4294967295s. MQTT 5 only.
 */
#define MQTT_OPT_SESSION_EXPIRY "session_expiry"
/**
 * The longest silence: after it a ping is sent (MQTT 5, 3.1.2.10). 0 turns pings off; the value of the
 * broker, if it gives one, wins. Default: 1m. Allowed: a whole number of seconds from 0s to 65535s.
 */
#define MQTT_OPT_KEEP_ALIVE "keep_alive"
/**
 * How long to wait for the answer to a ping before the connection counts as lost. Default: half the keep
 * alive (at most 10s). Allowed: a duration from 1ms to 1h; "none" for half the keep alive (at most 10s).
 */
#define MQTT_OPT_PING_TIMEOUT "ping_timeout"
/**
 * How long one attempt to connect may take in all, until the broker has accepted it. Default: 10s. Allowed:
 * a duration from 1ms to 1h.
 */
#define MQTT_OPT_CONNECT_TIMEOUT "connect_timeout"
/**
 * The shortest delay before connecting again. Each delay is drawn evenly from this to a cap that doubles up
 * to `backoff_max`. Default: 1s. Allowed: a duration from 1ms to 1h.
 */
#define MQTT_OPT_BACKOFF_MIN "backoff_min"
/**
 * The longest delay before connecting again; not less than `backoff_min`. Default: 30s. Allowed: a duration
 * from 1ms to 24h.
 */
#define MQTT_OPT_BACKOFF_MAX "backoff_max"
/** User name to log in with. Default: no user name. Allowed: text of at most 65535 bytes of UTF-8. */
#define MQTT_OPT_USERNAME "username"
/**
 * Password to log in with. On 3.1.1 it needs a `username`. Never shown. Default: no password. Allowed: bytes
 * or text of at most 65535 bytes.
 */
#define MQTT_OPT_PASSWORD "password"
/**
 * Topic of the will, the message that the broker publishes when the connection ends without a DISCONNECT.
 * Without it there is no will. Default: no will. Allowed: text of at most 65535 bytes of UTF-8.
 */
#define MQTT_OPT_WILL_TOPIC "will_topic"
/** Payload of the will. Default: no bytes. Allowed: bytes or text of at most 65535 bytes. */
#define MQTT_OPT_WILL_PAYLOAD "will_payload"
/** QoS of the will. Default: 0. Allowed: 0, 1 or 2. */
#define MQTT_OPT_WILL_QOS "will_qos"
/** Whether the broker retains the will. Default: false. Allowed: true or false. */
#define MQTT_OPT_WILL_RETAIN "will_retain"
/**
 * How long the broker waits before it publishes the will; a reconnect within that time stops it (MQTT 5,
 * 3.1.3.2.2). Default: 0s. Allowed: a whole number of seconds from 0s to 4294967295s. MQTT 5 only.
 */
#define MQTT_OPT_WILL_DELAY "will_delay"
/**
 * How long the will is of use once published (MQTT 5, 3.1.3.2.4). Default: no expiry. Allowed: a whole
 * number of seconds from 0s to 4294967295s; "none" for no expiry. MQTT 5 only.
 */
#define MQTT_OPT_WILL_MESSAGE_EXPIRY "will_message_expiry"
/**
 * 1 says that the payload of the will is UTF-8 text, 0 that it is bytes (MQTT 5, 3.1.3.2.3). Default: saying
 * nothing. Allowed: 0 or 1; "none" for saying nothing. MQTT 5 only.
 */
#define MQTT_OPT_WILL_PAYLOAD_FORMAT "will_payload_format"
/**
 * Content type of the will, such as `application/json` (MQTT 5, 3.1.3.2.5). Default: no content type.
 * Allowed: text of at most 65535 bytes of UTF-8. MQTT 5 only.
 */
#define MQTT_OPT_WILL_CONTENT_TYPE "will_content_type"
/**
 * Topic on which the will asks to be answered (MQTT 5, 3.1.3.2.6). Default: no response topic. Allowed: text
 * of at most 65535 bytes of UTF-8. MQTT 5 only.
 */
#define MQTT_OPT_WILL_RESPONSE_TOPIC "will_response_topic"
/**
 * What the answer to the will is to carry, so that it is known again (MQTT 5, 3.1.3.2.7). Default: no
 * correlation data. Allowed: bytes or text of at most 65535 bytes. MQTT 5 only.
 */
#define MQTT_OPT_WILL_CORRELATION_DATA "will_correlation_data"
/** User properties of the will (MQTT 5, 3.1.3.2.8). Default: no pairs. Allowed: pairs of texts. MQTT 5 only. */
#define MQTT_OPT_WILL_USER_PROPERTIES "will_user_properties"
/**
 * User properties sent to the broker with each CONNECT (MQTT 5, 3.1.2.11.8). Default: no pairs. Allowed:
 * pairs of texts. MQTT 5 only.
 */
#define MQTT_OPT_USER_PROPERTIES "user_properties"
/**
 * Time to live of letters that state none: one that has not been delivered by then is settled `expired`.
 * Default: 1h. Allowed: a duration from 1ms to 4294967295s; "none" for no time to live.
 */
#define MQTT_OPT_DEFAULT_TTL "default_ttl"
/**
 * Send a TTL given with a publish to the broker as the Message Expiry Interval, less the time waited here,
 * in seconds rounded up. The default TTL is not sent. Default: true. Allowed: true or false. MQTT 5 only.
 */
#define MQTT_OPT_FORWARD_TTL "forward_ttl"
/**
 * What happens after a reconnect to a letter that expired or was cancelled while in flight: `withhold` does
 * not send it again, `resend` follows the standard (MQTT 5, 4.4.0-1). Default: "withhold". Allowed:
 * "withhold" or "resend".
 */
#define MQTT_OPT_EXPIRED_IN_FLIGHT "expired_in_flight"
/**
 * What happens to letters in flight when the broker lost the session: `republish_qos1` posts QoS 1 again and
 * settles QoS 2 that was sent as `session_lost`; `republish_all` posts both again, QoS 2 not after PUBREC;
 * `report_all` settles all. Default: "republish_qos1". Allowed: "republish_qos1", "republish_all" or
 * "report_all".
 */
#define MQTT_OPT_ON_SESSION_LOST "on_session_lost"
/**
 * The most letters that the post office holds, waiting and in flight together. Default: 100000. Allowed: a
 * whole number from 1 to 10000000.
 */
#define MQTT_OPT_MAX_QUEUED_MESSAGES "max_queued_messages"
/**
 * The most bytes that the post office holds: frames and bookkeeping, waiting and in flight together.
 * Default: 16777216. Allowed: a whole number from 1024 to 1099511627776.
 */
#define MQTT_OPT_MAX_QUEUED_BYTES "max_queued_bytes"
/**
 * What gives way when the post office is full while offline: the oldest waiting letter, the new one, the one
 * of lowest priority, or none, so that the new letter is refused. While online the sender waits instead.
 * Default: "drop_oldest". Allowed: "drop_oldest", "drop_newest", "drop_lowest" or "reject".
 */
#define MQTT_OPT_OVERFLOW "overflow"
/**
 * The most letters of QoS 1 and 2 sent and not yet acknowledged. The receive maximum of the broker bounds it
 * too. Default: 65535. Allowed: a whole number from 1 to 65535.
 */
#define MQTT_OPT_MAX_IN_FLIGHT "max_in_flight"
/**
 * The most messages of QoS 1 and 2 that the broker may send before they are acknowledged (MQTT 5,
 * 3.1.2.11.3). Default: 1000. Allowed: a whole number from 1 to 65535. MQTT 5 only.
 */
#define MQTT_OPT_RECEIVE_MAXIMUM "receive_maximum"
/**
 * The largest packet accepted from the broker, in bytes. MQTT 5 tells the broker; on 3.1.1 a larger one is
 * skipped, acknowledged, counted and reported. Default: 16777216. Allowed: a whole number from 1024 to
 * 268435455.
 */
#define MQTT_OPT_MAX_PACKET_SIZE "max_packet_size"
/**
 * The most received messages that wait for the application. Default: 10000. Allowed: a whole number from 1
 * to 10000000.
 */
#define MQTT_OPT_MAX_INBOX_MESSAGES "max_inbox_messages"
/**
 * The most bytes of received messages that wait for the application. Default: 16777216. Allowed: a whole
 * number from 1024 to 1099511627776.
 */
#define MQTT_OPT_MAX_INBOX_BYTES "max_inbox_bytes"
/**
 * What happens when the inbox is full: `wait` stops reading until there is room, `drop_oldest` drops the
 * oldest of QoS 0. Default: "wait". Allowed: "wait" or "drop_oldest".
 */
#define MQTT_OPT_INBOX_OVERFLOW "inbox_overflow"
/**
 * Leave acknowledging to the application, with `message.ack()`. Otherwise a message is acknowledged after
 * its handler returned. Default: false. Allowed: true or false.
 */
#define MQTT_OPT_MANUAL_ACK "manual_ack"
/**
 * What happens to a letter with MQTT 5 properties on a 3.1.1 connection: it is rejected, or sent without
 * them. Default: "reject". Allowed: "reject" or "drop".
 */
#define MQTT_OPT_PROPERTIES_ON_311 "properties_on_311"
/**
 * How long a subscribe or unsubscribe waits for the answer of the broker while online. Default: 30s.
 * Allowed: a duration from 1ms to 1h.
 */
#define MQTT_OPT_SUBSCRIBE_TIMEOUT "subscribe_timeout"
/**
 * How long a close that states no time of its own lets waiting letters go out. Default: 5s. Allowed: a
 * duration from 0s to 1h.
 */
#define MQTT_OPT_CLOSE_TIMEOUT "close_timeout"


#endif  /* LEVERET_H */
