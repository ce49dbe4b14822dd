/*
 * leveret: an MQTT 3.1.1 and 5.0 client with a local post office. Every letter has a time to live
 * and exactly one outcome.
 *
 * The rules of this interface:
 *
 *  1. Every handle is opaque, made by one `_new`, ended by one `_free`. Freeing NULL is nothing;
 *     NULL where an object or text is needed is MQTT_NULL_POINTER, never a crash.
 *  2. A client may be used from any thread, by several at a time. Options may not be shared while
 *     they change.
 *  3. Every function that can fail returns `mqtt_result`: MQTT_OK, or one of the negative codes
 *     below; `mqtt_last_error` then says in a sentence what is wrong and what is allowed. Outputs
 *     come last and are written only on success.
 *  4. Inputs are borrowed for the call. Topics, filters and names of options are NUL-terminated
 *     UTF-8; payloads are pointer and length. Texts in messages and events carry a length and do
 *     not end in NUL.
 *  5. A payload is copied, unless a letter brings a `release`: then it must stay unchanged until
 *     that is called, exactly once, on every path, failure included.
 *  6. Messages and events, and what they point to, live until the callback returns.
 *     `mqtt_message_ref` keeps a message longer.
 *  7. Callbacks get their `context` first. Each registration has a `_with` form that also takes a
 *     `drop`; the form without is a macro. What no other callback takes goes, in batches, to
 *     `mqtt_client_on_events`.
 *  8. The callbacks of one client never run at the same time, see events in order, and are never
 *     called with a context whose `drop` has begun. `drop` is called exactly once. Hooks, the
 *     authenticator and what is asked before each connect are a row of their own, which on the pool
 *     runs beside the other callbacks. A signer is on its own.
 *  9. Inside a callback everything may be called. What would have to wait for the thread it runs on
 *     works by deferring (close, free) or returns MQTT_WOULD_DEADLOCK at once; nothing hangs.
 *     Publishing never waits for the network, anywhere.
 * 10. Every letter accepted gets exactly one outcome, also when the client is closed or freed.
 * 11. Structs that you fill begin with their size, which their `_INIT` macro sets, and structs
 *     that you receive are passed with it, so that they can grow; unknown options are errors.
 *     `mqtt_message`, `mqtt_outcome`, `mqtt_property`, `mqtt_pair` and `mqtt_event` will not grow.
 * 12. Nothing of leveret's own crosses as a panic or signal: a defect becomes MQTT_PANIC.
 *     Callbacks must not throw or `longjmp` out.
 *
 * Timeouts are milliseconds; MQTT_FOREVER is as long as it takes. In a child process after `fork`,
 * clients of the parent answer MQTT_FORKED; new ones can be made.
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
 * Which letters go first.
 */
/** Before all others. */
#define MQTT_PRIORITY_HIGH 0
/** The usual. */
#define MQTT_PRIORITY_NORMAL 1
/** After all others; the first to give way under `drop_lowest`. */
#define MQTT_PRIORITY_LOW 2

/*
 * What gives way when the post office is full while offline.
 */
/** The oldest waiting letter. */
#define MQTT_OVERFLOW_DROP_OLDEST 0
/** The new letter. */
#define MQTT_OVERFLOW_DROP_NEWEST 1
/** The oldest waiting letter of the lowest priority, or the new one if none is lower. */
#define MQTT_OVERFLOW_DROP_LOWEST 2
/** Nothing: the new letter is refused with `QueueFull`. */
#define MQTT_OVERFLOW_REJECT 3

/*
 * Properties (MQTT 5.0 section 2.2.2.2), for mqtt_property_get.
 */
#define MQTT_PROPERTY_PAYLOAD_FORMAT_INDICATOR 0x01
#define MQTT_PROPERTY_MESSAGE_EXPIRY_INTERVAL 0x02
#define MQTT_PROPERTY_CONTENT_TYPE 0x03
#define MQTT_PROPERTY_RESPONSE_TOPIC 0x08
#define MQTT_PROPERTY_CORRELATION_DATA 0x09
#define MQTT_PROPERTY_SUBSCRIPTION_IDENTIFIER 0x0B
#define MQTT_PROPERTY_SESSION_EXPIRY_INTERVAL 0x11
#define MQTT_PROPERTY_ASSIGNED_CLIENT_IDENTIFIER 0x12
#define MQTT_PROPERTY_SERVER_KEEP_ALIVE 0x13
#define MQTT_PROPERTY_AUTHENTICATION_METHOD 0x15
#define MQTT_PROPERTY_AUTHENTICATION_DATA 0x16
#define MQTT_PROPERTY_REQUEST_PROBLEM_INFORMATION 0x17
#define MQTT_PROPERTY_WILL_DELAY_INTERVAL 0x18
#define MQTT_PROPERTY_REQUEST_RESPONSE_INFORMATION 0x19
#define MQTT_PROPERTY_RESPONSE_INFORMATION 0x1A
#define MQTT_PROPERTY_SERVER_REFERENCE 0x1C
#define MQTT_PROPERTY_REASON_STRING 0x1F
#define MQTT_PROPERTY_RECEIVE_MAXIMUM 0x21
#define MQTT_PROPERTY_TOPIC_ALIAS_MAXIMUM 0x22
#define MQTT_PROPERTY_TOPIC_ALIAS 0x23
#define MQTT_PROPERTY_MAXIMUM_QOS 0x24
#define MQTT_PROPERTY_RETAIN_AVAILABLE 0x25
#define MQTT_PROPERTY_USER_PROPERTY 0x26
#define MQTT_PROPERTY_MAXIMUM_PACKET_SIZE 0x27
#define MQTT_PROPERTY_WILDCARD_SUBSCRIPTION_AVAILABLE 0x28
#define MQTT_PROPERTY_SUBSCRIPTION_IDENTIFIERS_AVAILABLE 0x29
#define MQTT_PROPERTY_SHARED_SUBSCRIPTION_AVAILABLE 0x2A

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
 * How long one attempt to connect may take in all, until the broker has accepted it; and how long a broker
 * may take for a step of a re-authentication. Default: 10s. Allowed: a duration from 1ms to 1h.
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
/**
 * A connected TCP or Unix socket, as its descriptor, over which the first attempt to connect speaks. The
 * client owns it once it is made, and dials the URL for every later attempt. TLS and WebSocket go over it
 * where the URL says so. Not on Windows. Default: dialing. Allowed: a whole number from 0 to 2147483647;
 * "none" for dialing.
 */
#define MQTT_OPT_FD "fd"
/**
 * How long a TCP connection may be silent before the system probes whether the peer is still there, and how
 * far apart the probes are. The keep alive of MQTT notices a dead peer without it. Default: no probes.
 * Allowed: a whole number of seconds from 1s to 32767s; "none" for no probes.
 */
#define MQTT_OPT_TCP_KEEP_ALIVE "tcp_keep_alive"
/**
 * How long what was sent over TCP may stay unacknowledged by the peer's system before the connection is
 * lost. Linux and Android. Default: the system's own limits. Allowed: a duration from 1ms to 24h; "none" for
 * the system's own limits.
 */
#define MQTT_OPT_TCP_USER_TIMEOUT "tcp_user_timeout"
/**
 * IP address from which TCP connections go out. Default: the system's choice. Allowed: text of at most 65535
 * bytes of UTF-8.
 */
#define MQTT_OPT_LOCAL_ADDRESS "local_address"
/**
 * Network interface over which alone TCP connections go out, such as `eth0`. Linux and Android. Default: the
 * system's choice. Allowed: text of at most 65535 bytes of UTF-8.
 */
#define MQTT_OPT_NETWORK_INTERFACE "network_interface"
/**
 * File with the certificates of the CAs by which the broker may be certified, PEM or DER. It takes the place
 * of the operating system's roots. Files are read again before each attempt to connect; new ones that are
 * not as they have to be leave the old in use, with a notice. Default: the operating system's roots.
 * Allowed: text of at most 65535 bytes of UTF-8.
 */
#define MQTT_OPT_TLS_CA_FILE "tls_ca_file"
/**
 * The same certificates themselves: PEM, or DER one behind the other. Default: the operating system's roots.
 * Allowed: bytes or text of at most 1 MiB.
 */
#define MQTT_OPT_TLS_CA "tls_ca"
/**
 * File with the certificate that this client shows, followed by those of the CAs between, PEM or DER. It
 * needs its key. Default: no client certificate. Allowed: text of at most 65535 bytes of UTF-8.
 */
#define MQTT_OPT_TLS_CERT_FILE "tls_cert_file"
/**
 * The same certificates themselves: PEM, or DER one behind the other. Default: no client certificate.
 * Allowed: bytes or text of at most 1 MiB.
 */
#define MQTT_OPT_TLS_CERT "tls_cert"
/**
 * File with the private key of that certificate, not encrypted: PKCS#8, PKCS#1 or SEC1, PEM or DER; RSA,
 * ECDSA P-256 and P-384 or Ed25519. Default: no client certificate. Allowed: text of at most 65535 bytes of
 * UTF-8.
 */
#define MQTT_OPT_TLS_KEY_FILE "tls_key_file"
/** The same key itself. Never shown. Default: no client certificate. Allowed: bytes or text of at most 1 MiB. */
#define MQTT_OPT_TLS_KEY "tls_key"
/**
 * Names of protocols for the broker to choose from in the TLS handshake, the best first (RFC 7301), such as
 * `x-amzn-mqtt-ca`. Default: none. Allowed: a list of texts.
 */
#define MQTT_OPT_TLS_ALPN "tls_alpn"
/**
 * Name that is asked for in the TLS handshake and that the certificate has to be for, in place of the host
 * in the URL. Default: the host in the URL. Allowed: text of at most 65535 bytes of UTF-8.
 */
#define MQTT_OPT_TLS_SERVER_NAME "tls_server_name"
/** The lowest version of TLS that is spoken. Default: "1.2". Allowed: "1.2" or "1.3". */
#define MQTT_OPT_TLS_MIN_VERSION "tls_min_version"
/** The highest version of TLS that is spoken. Default: "1.3". Allowed: "1.2" or "1.3". */
#define MQTT_OPT_TLS_MAX_VERSION "tls_max_version"
/**
 * Take up an earlier TLS session where the broker lets us, which saves a part of the handshake (RFC 8446,
 * 2.2). Sessions are kept in memory, for the life of the client. Default: true. Allowed: true or false.
 */
#define MQTT_OPT_TLS_SESSION_RESUMPTION "tls_session_resumption"
/**
 * Connect to whoever answers, whatever its certificate says. Whoever is in between can then read and change
 * everything: for tests alone. Default: false. Allowed: true or false.
 */
#define MQTT_OPT_TLS_DANGEROUSLY_ACCEPT_ANY_CERTIFICATE "tls_dangerously_accept_any_certificate"
/**
 * Headers that are added to the WebSocket handshake, such as `Authorization`. `Host` replaces the one made
 * from the URL. Never shown. Default: no more headers. Allowed: pairs of texts; "none" for no more headers.
 */
#define MQTT_OPT_WEBSOCKET_HEADERS "websocket_headers"
/**
 * Proxy through which connections go: `http://[user[:password]@]host[:port]` (CONNECT),
 * `socks5://[user[:password]@]host[:port]`, or `environment` for what `https_proxy`, `http_proxy`,
 * `all_proxy` and `no_proxy` say when the client is made. The proxy looks up the broker's name. Unix sockets
 * and a socket given as `fd` go without. Never shown. Default: no proxy. Allowed: text of at most 65535
 * bytes of UTF-8.
 */
#define MQTT_OPT_PROXY "proxy"
/** User name to log in with. Default: no user name. Allowed: text of at most 65535 bytes of UTF-8. */
#define MQTT_OPT_USERNAME "username"
/**
 * Password to log in with. On 3.1.1 it needs a `username`. Never shown. Default: no password. Allowed: bytes
 * or text of at most 65535 bytes.
 */
#define MQTT_OPT_PASSWORD "password"
/**
 * Method of enhanced authentication, such as `SCRAM-SHA-256` (MQTT 5, 4.12). Its steps are taken by the
 * authenticator of the client; with a method 3.1.1 is never fallen back to, because it could not be said
 * there. Default: no enhanced authentication. Allowed: text of at most 65535 bytes of UTF-8. MQTT 5 only.
 */
#define MQTT_OPT_AUTHENTICATION_METHOD "authentication_method"
/**
 * What CONNECT says first in that method, where no authenticator says it (MQTT 5, 3.1.2.11.10). Never shown.
 * Default: no authentication data. Allowed: bytes or text of at most 65535 bytes. MQTT 5 only.
 */
#define MQTT_OPT_AUTHENTICATION_DATA "authentication_data"
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
 * Ask the broker for the response information of CONNACK, from which topics for answers can be made (MQTT 5,
 * 3.1.2.11.6). Default: false. Allowed: true or false. MQTT 5 only.
 */
#define MQTT_OPT_REQUEST_RESPONSE_INFORMATION "request_response_information"
/**
 * Let the broker add reason strings and user properties to its answers (MQTT 5, 3.1.2.11.7). Default: true.
 * Allowed: true or false. MQTT 5 only.
 */
#define MQTT_OPT_REQUEST_PROBLEM_INFORMATION "request_problem_information"
/**
 * How many references to another server are followed one after the other before the URLs are tried again
 * (MQTT 5, 4.13); 0 follows none. Default: 3. Allowed: a whole number from 0 to 100. MQTT 5 only.
 */
#define MQTT_OPT_MAX_SERVER_REFERENCES "max_server_references"
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
 * too; a 3.1.1 broker cannot tell its own, and some hang up on more than they take: mosquitto by default on
 * more than 20 of QoS 2. Default: 65535. Allowed: a whole number from 1 to 65535.
 */
#define MQTT_OPT_MAX_IN_FLIGHT "max_in_flight"
/**
 * The most messages of QoS 1 and 2 that the broker may send before they are acknowledged (MQTT 5,
 * 3.1.2.11.3). Default: 1000. Allowed: a whole number from 1 to 65535. MQTT 5 only.
 */
#define MQTT_OPT_RECEIVE_MAXIMUM "receive_maximum"
/**
 * How many topic aliases the broker may use for what it sends (MQTT 5, 3.1.2.11.5); 0 lets it use none.
 * Default: 16. Allowed: a whole number from 0 to 65535. MQTT 5 only.
 */
#define MQTT_OPT_TOPIC_ALIAS_MAXIMUM "topic_alias_maximum"
/**
 * How many topics letters name by an alias instead of in full once they were sent, where the broker takes as
 * many (MQTT 5, 3.3.2.3.4). It saves bytes where the same long topics are published often. Default: 0.
 * Allowed: a whole number from 0 to 65535. MQTT 5 only.
 */
#define MQTT_OPT_OUTGOING_TOPIC_ALIASES "outgoing_topic_aliases"
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
 * What happens on a 3.1.1 connection to a letter with MQTT 5 properties, and to a subscription with options
 * of MQTT 5: it is rejected, or sent without them. Default: "reject". Allowed: "reject" or "drop".
 */
#define MQTT_OPT_PROPERTIES_ON_311 "properties_on_311"
/**
 * Topic on which this client is answered when it asks, of its own among all clients of the broker. Unless
 * given it lies below what the broker names for that (`request_response_information`), else below
 * `response/`. Default: a topic with a name of its own. Allowed: text of at most 65535 bytes of UTF-8. MQTT
 * 5 only.
 */
#define MQTT_OPT_RESPONSE_TOPIC "response_topic"
/**
 * How long a subscribe or unsubscribe waits for the answer of the broker while online. Default: 30s.
 * Allowed: a duration from 1ms to 1h.
 */
#define MQTT_OPT_SUBSCRIBE_TIMEOUT "subscribe_timeout"
/**
 * How long the application may take to answer what it is asked: a hook's words are left out then, and an
 * attempt to connect fails that waits for the authenticator or for the function that is asked before each
 * attempt. Default: 10s. Allowed: a duration from 1ms to 1h.
 */
#define MQTT_OPT_HOOK_TIMEOUT "hook_timeout"
/**
 * How long a close that states no time of its own lets waiting letters go out. Default: 5s. Allowed: a
 * duration from 0s to 1h.
 */
#define MQTT_OPT_CLOSE_TIMEOUT "close_timeout"

/*
 * Names of what one attempt to connect can say, for mqtt_connect_options_set.
 */
/**
 * Where to dial this time, in place of the URL whose turn it is: another path or query, such as those of a
 * signed URL. Never shown. Default: the URL of the client. Allowed: text of at most 65535 bytes of UTF-8.
 */
#define MQTT_CONNECT_OPT_URL "url"
/**
 * Headers of the WebSocket handshake, after those of the client. Never shown. Default: no more headers.
 * Allowed: pairs of texts; "none" for no more headers.
 */
#define MQTT_CONNECT_OPT_WEBSOCKET_HEADERS "websocket_headers"
/**
 * User name to log in with; the password of the client's options does not go with it. Default: the one of
 * the client. Allowed: text of at most 65535 bytes of UTF-8.
 */
#define MQTT_CONNECT_OPT_USERNAME "username"
/**
 * Password to log in with. On 3.1.1 it needs a user name. Never shown. Default: the one of the client.
 * Allowed: bytes or text of at most 65535 bytes.
 */
#define MQTT_CONNECT_OPT_PASSWORD "password"
/**
 * Topic of the will. Where it is given nothing of the client's own will is used. Default: the will of the
 * client. Allowed: text of at most 65535 bytes of UTF-8.
 */
#define MQTT_CONNECT_OPT_WILL_TOPIC "will_topic"
/** Payload of the will. Default: no bytes. Allowed: bytes or text of at most 65535 bytes. */
#define MQTT_CONNECT_OPT_WILL_PAYLOAD "will_payload"
/** QoS of the will. Default: 0. Allowed: 0, 1 or 2. */
#define MQTT_CONNECT_OPT_WILL_QOS "will_qos"
/** Whether the broker retains the will. Default: false. Allowed: true or false. */
#define MQTT_CONNECT_OPT_WILL_RETAIN "will_retain"
/**
 * How long the broker waits before it publishes the will; a reconnect within that time stops it (MQTT 5,
 * 3.1.3.2.2). Default: 0s. Allowed: a whole number of seconds from 0s to 4294967295s. MQTT 5 only.
 */
#define MQTT_CONNECT_OPT_WILL_DELAY "will_delay"
/**
 * How long the will is of use once published (MQTT 5, 3.1.3.2.4). Default: no expiry. Allowed: a whole
 * number of seconds from 0s to 4294967295s; "none" for no expiry. MQTT 5 only.
 */
#define MQTT_CONNECT_OPT_WILL_MESSAGE_EXPIRY "will_message_expiry"
/**
 * 1 says that the payload of the will is UTF-8 text, 0 that it is bytes (MQTT 5, 3.1.3.2.3). Default: saying
 * nothing. Allowed: 0 or 1; "none" for saying nothing. MQTT 5 only.
 */
#define MQTT_CONNECT_OPT_WILL_PAYLOAD_FORMAT "will_payload_format"
/**
 * Content type of the will, such as `application/json` (MQTT 5, 3.1.3.2.5). Default: no content type.
 * Allowed: text of at most 65535 bytes of UTF-8. MQTT 5 only.
 */
#define MQTT_CONNECT_OPT_WILL_CONTENT_TYPE "will_content_type"
/**
 * Topic on which the will asks to be answered (MQTT 5, 3.1.3.2.6). Default: no response topic. Allowed: text
 * of at most 65535 bytes of UTF-8. MQTT 5 only.
 */
#define MQTT_CONNECT_OPT_WILL_RESPONSE_TOPIC "will_response_topic"
/**
 * What the answer to the will is to carry, so that it is known again (MQTT 5, 3.1.3.2.7). Default: no
 * correlation data. Allowed: bytes or text of at most 65535 bytes. MQTT 5 only.
 */
#define MQTT_CONNECT_OPT_WILL_CORRELATION_DATA "will_correlation_data"
/** User properties of the will (MQTT 5, 3.1.3.2.8). Default: no pairs. Allowed: pairs of texts. MQTT 5 only. */
#define MQTT_CONNECT_OPT_WILL_USER_PROPERTIES "will_user_properties"

/*
 * Initialisers of structs, and short forms of functions.
 */

/** A letter of QoS 1 with the client's default time to live; set `topic` and what else you need. */
#define MQTT_LETTER_INIT \
    { sizeof(mqtt_letter), NULL, NULL, 0, NULL, NULL, 1, false, MQTT_TTL_DEFAULT, MQTT_PRIORITY_NORMAL, \
      MQTT_OVERFLOW_DEFAULT, NULL, -1, -1, NULL, NULL, NULL, 0, NULL, 0 }

/** A subscription of QoS 1. */
#define MQTT_SUBSCRIBE_OPTIONS_INIT { sizeof(mqtt_subscribe_options), 1, false, false, 0, 0, NULL, 0 }

/** A close as `mqtt_client_close` does it with `MQTT_CLOSE_TIMEOUT_DEFAULT`. */
#define MQTT_CLOSE_OPTIONS_INIT \
    { sizeof(mqtt_close_options), MQTT_CLOSE_TIMEOUT_DEFAULT, -1, false, -1, NULL, NULL, 0 }

/** Copies the counters of a client: `mqtt_result mqtt_client_stats(const mqtt_client *client, mqtt_stats *stats)`. */
#define mqtt_client_stats(client, stats) mqtt_client_stats_sized((client), (stats), sizeof(mqtt_stats))

/** The registrations without a `drop`: `mqtt_result mqtt_client_on_message(client, callback, context)`, and so on. */
#define mqtt_client_on_message(client, callback, context) mqtt_client_on_message_with((client), (callback), (context), NULL)
#define mqtt_client_on_connection(client, callback, context) mqtt_client_on_connection_with((client), (callback), (context), NULL)
#define mqtt_client_on_receipt(client, callback, context) mqtt_client_on_receipt_with((client), (callback), (context), NULL)
#define mqtt_client_on_subscription(client, callback, context) mqtt_client_on_subscription_with((client), (callback), (context), NULL)
#define mqtt_client_on_log(client, callback, context) mqtt_client_on_log_with((client), (callback), (context), NULL)
#define mqtt_client_on_events(client, callback, context) mqtt_client_on_events_with((client), (callback), (context), NULL)
#define mqtt_client_on_packet(client, packets, callback, context) mqtt_client_on_packet_with((client), (packets), (callback), (context), NULL)
#define mqtt_client_on_auth(client, callback, context) mqtt_client_on_auth_with((client), (callback), (context), NULL)
#define mqtt_client_on_connect(client, callback, context) mqtt_client_on_connect_with((client), (callback), (context), NULL)


/** A message arrived. */
#define MQTT_EVENT_MESSAGE 1
/** News of the connection. */
#define MQTT_EVENT_CONNECTION 2
/** A letter got its outcome. */
#define MQTT_EVENT_RECEIPT 3
/** A subscription changed its state. */
#define MQTT_EVENT_SUBSCRIPTION 4
/** Something worth a line in a log. */
#define MQTT_EVENT_LOG 5

/** The broker accepted the connection. */
#define MQTT_CONNECTION_ONLINE 1
/** The connection ended; `text` and `reason` say why. */
#define MQTT_CONNECTION_OFFLINE 2
/** An attempt to connect failed; the next one begins in `retry_in_ms`. */
#define MQTT_CONNECTION_ATTEMPT_FAILED 3
/** The client is closed; nothing about the connection follows. */
#define MQTT_CONNECTION_CLOSED 4
/** The broker answered a ping after `round_trip_us`. */
#define MQTT_CONNECTION_PING 5

/** An error: something was lost or refused. */
#define MQTT_LOG_ERROR 1
/** A warning: odd, and dealt with. */
#define MQTT_LOG_WARNING 2

/** As a timeout in milliseconds: wait as long as it takes. */
#define MQTT_FOREVER UINT32_MAX

/** As the timeout of a close: the option `close_timeout` of the client. */
#define MQTT_CLOSE_TIMEOUT_DEFAULT (UINT32_MAX - 1)

/**
 * Callbacks run on a pool of threads that all clients share: they may block, and hold up no other
 * client. The default.
 */
#define MQTT_DISPATCH_POOL 0
/**
 * Callbacks run inside `mqtt_client_poll`, on the thread that calls it; `mqtt_client_fd` says
 * when.
 */
#define MQTT_DISPATCH_POLL 1
/**
 * For experts: callbacks run on the thread that does the network for all clients, with the least
 * delay. One that blocks stops them all; what would have to wait returns `MQTT_WOULD_DEADLOCK`
 * there.
 */
#define MQTT_DISPATCH_INLINE 2

/** As a time to live: the option `default_ttl` of the client. */
#define MQTT_TTL_DEFAULT (UINT32_MAX - 1)
/** As a time to live: none; the letter waits as long as it takes. */
#define MQTT_TTL_NONE UINT32_MAX

/** As an overflow rule: the option `overflow` of the client. */
#define MQTT_OVERFLOW_DEFAULT (-1)

/** The broker's answer to CONNECT, also one that refuses. */
#define MQTT_PACKET_CONNACK 4
/** A letter of QoS 1 was acknowledged. */
#define MQTT_PACKET_PUBACK 16
/** A letter of QoS 2 was received; our PUBREL can carry words. */
#define MQTT_PACKET_PUBREC 32
/** A message of QoS 2 is released; our PUBCOMP can carry words. */
#define MQTT_PACKET_PUBREL 64
/** A letter of QoS 2 is complete. */
#define MQTT_PACKET_PUBCOMP 128
/** The broker's answer to SUBSCRIBE. */
#define MQTT_PACKET_SUBACK 512
/** The broker's answer to UNSUBSCRIBE. */
#define MQTT_PACKET_UNSUBACK 2048
/** MQTT 5: the broker ends the connection. */
#define MQTT_PACKET_DISCONNECT 16384
/** MQTT 5: a step of enhanced authentication. */
#define MQTT_PACKET_AUTH 32768

/**
 * It begins: what is the broker sent first. CONNECT carries the answer, or the first AUTH of a
 * re-authentication.
 */
#define MQTT_AUTH_BEGIN 1
/** The broker sent data and wants an answer. */
#define MQTT_AUTH_CONTINUE 2
/** The broker has accepted. It may be refused still; else an answer without data goes on. */
#define MQTT_AUTH_FINISH 3
/**
 * A client: one connection that is kept up, and the post office behind it. Any thread may use it,
 * several at a time.
 */
typedef struct mqtt_client mqtt_client;

/**
 * What one attempt to connect is to say, for `mqtt_connect_answer`: URL, WebSocket headers, user
 * name, password, will. What is not set is as the options of the client have it. Not to be used by
 * two threads at once.
 */
typedef struct mqtt_connect_options mqtt_connect_options;

/** Options for a client. Not to be used by two threads at once. */
typedef struct mqtt_options mqtt_options;

/** Where a message comes from: leveret's own business. */
typedef struct mqtt_origin mqtt_origin;

/** The MQTT 5 properties of a packet, read with `mqtt_property_get`. */
typedef struct mqtt_properties mqtt_properties;

/**
 * A handshake that waits for its signature; it lives until the callback returns. Not to be used by
 * two threads at once.
 */
typedef struct mqtt_signing mqtt_signing;

/** What a fallible function answers: `MQTT_OK`, or one of the negative codes of the table above. */
typedef int mqtt_result;

/**
 * A message from the broker. This struct will not grow.
 *
 * It and what it points to live until the callback returns; `mqtt_message_ref` keeps it longer.
 * The texts do not end in NUL.
 */
typedef struct {
    /** Topic name, UTF-8. */
    const char *topic;
    /** Length of the topic in bytes, 1..=65535. */
    size_t topic_length;
    /** Payload; never NULL, also where it is empty. */
    const void *payload;
    /** Length of the payload in bytes. */
    size_t payload_length;
    /** MQTT 5 properties, for `mqtt_property_get`; none on MQTT 3.1.1. */
    const mqtt_properties *properties;
    /** What leveret needs to keep and to acknowledge the message. */
    const mqtt_origin *origin;
    /** QoS of this delivery: 0, 1 or 2. */
    uint8_t qos;
    /** Was it retained by the broker. */
    bool retain;
    /** May the broker have sent this packet before. */
    bool dup;
} mqtt_message;

/** One property of a packet. This struct will not grow. Texts are UTF-8 and do not end in NUL. */
typedef struct {
    /** For a user property its name, else NULL. */
    const char *name;
    /** Length of the name in bytes. */
    size_t name_length;
    /** The text or the bytes; NULL for a property that is a number. */
    const void *value;
    /** Length of the value in bytes. */
    size_t value_length;
    /** The number, for a property that is one, else 0. */
    uint32_t number;
} mqtt_property;

/** What became of a letter. This struct will not grow. */
typedef struct {
    /** One of `MQTT_OUTCOME_…`; `mqtt_outcome_name` names it. */
    int status;
    /** The broker's reason code, or -1 where nobody gave one. */
    int reason;
    /** Did it go as asked: acknowledged, or at QoS 0 sent. */
    bool ok;
    /** Does the broker have it for certain. */
    bool delivered;
    /** Not known to be delivered, but it had been sent, so the broker may have it. */
    bool maybe_delivered;
} mqtt_outcome;

/** Counters of a client since it was made. May grow at its end. */
typedef struct {
    /** One of `MQTT_STATUS_…`. */
    int status;
    /**
     * Why the last attempt or connection ended: one of the negative results; `MQTT_OK` if none
     * did.
     */
    int last_error;
    /** Letters accepted, not in flight and not settled. Exact the moment a publish returned. */
    uint64_t queued;
    /** Bytes of these letters, bookkeeping included. */
    uint64_t queued_bytes;
    /** Letters sent and not yet settled. */
    uint64_t in_flight;
    /** Bytes of these letters, bookkeeping included. */
    uint64_t in_flight_bytes;
    /** Age in milliseconds of the oldest letter that is not settled; 0 without one. */
    uint64_t oldest_ms;
    /** Bytes read from connections. */
    uint64_t bytes_in;
    /** Bytes that the operating system took. */
    uint64_t bytes_out;
    /** Messages received, by QoS; repetitions are not counted. */
    uint64_t messages_in[3];
    /** Messages sent, by QoS; repetitions are counted. */
    uint64_t messages_out[3];
    /** Letters by outcome, the index being `MQTT_OUTCOME_…`; the first place is not used. */
    uint64_t outcomes[9];
    /** Connections that a broker accepted after the first one. */
    uint64_t reconnects;
    /** Attempts to connect that failed. */
    uint64_t failed_attempts;
    /** Microseconds that the last ping took until its answer; 0 if there was none yet. */
    uint64_t round_trip_us;
    /** Messages that wait for callbacks or are being handled. */
    uint64_t inbox_messages;
    /** Bytes of these messages, bookkeeping included. */
    uint64_t inbox_bytes;
    /** Messages of QoS 0 dropped because the inbox was full. */
    uint64_t inbox_dropped;
    /** Messages that nobody took, late responses among them; they were acknowledged. */
    uint64_t unhandled;
    /** Packets larger than the option `max_packet_size` that were skipped. */
    uint64_t oversize;
    /**
     * Messages given back with `mqtt_message_fail`, or acknowledged by hand with a reason code of 0x80
     * and above.
     */
    uint64_t handler_failures;
} mqtt_stats;

/**
 * Called with each message. Once it returns, the message is acknowledged, unless the option
 * `manual_ack` is on.
 */
typedef void (*mqtt_message_callback)(void *context, const mqtt_message *message);

/**
 * Called exactly once when a context is no longer needed, after the last call that got it has
 * ended; also when the registration failed. It runs on the thread that let go of the context last:
 * one that replaced, unsubscribed or freed, or one that runs callbacks; for signers also one of the
 * network.
 */
typedef void (*mqtt_drop)(void *context);

/** News of the connection. Texts are UTF-8, never NULL, and do not end in NUL. May grow at its end. */
typedef struct {
    /** One of `MQTT_CONNECTION_…`. Skip kinds that you do not know. */
    int kind;
    /** The broker's reason code, or -1 where it gave none. */
    int reason;
    /** Online: the version of MQTT spoken, 5 or 4 (which is 3.1.1); else 0. */
    int version;
    /** Online: does an earlier session go on. */
    bool session_present;
    /** Attempt failed: milliseconds until the next one. */
    uint32_t retry_in_ms;
    /** Online: the keep alive in force in seconds; 0 is off. */
    uint32_t keep_alive_s;
    /** Ping: microseconds until the answer. */
    uint64_t round_trip_us;
    /** Online, attempt failed: which of the addresses, counted from 0. */
    size_t address;
    /** Online: the client id in force. */
    const char *client_id;
    /** Length of the client id in bytes. */
    size_t client_id_length;
    /** Offline, attempt failed: why, as a sentence. */
    const char *text;
    /** Length of the text in bytes. */
    size_t text_length;
    /** The properties of CONNACK (online, attempt failed) or of the broker's DISCONNECT (offline), for `mqtt_property_get`; NULL for a ping. */
    const mqtt_properties *properties;
    /** Offline, attempt failed: what kind of error it was, such as `MQTT_REFUSED`; else `MQTT_OK`. */
    mqtt_result error;
} mqtt_connection_event;

/** Called with news of the connection. */
typedef void (*mqtt_connection_callback)(void *context, const mqtt_connection_event *event);

/** A letter got its outcome. May grow at its end. */
typedef struct {
    /** The receipt that the publish wrote. */
    uint64_t receipt;
    /** What became of the letter. */
    mqtt_outcome outcome;
    /** The reason in the broker's words, UTF-8 without NUL at the end; empty where it gave none. */
    const char *text;
    /** Length of the text in bytes. */
    size_t text_length;
    /** What else the broker said, for `mqtt_property_get`; NULL where it said nothing. */
    const mqtt_properties *properties;
} mqtt_receipt_event;

/** Called with the outcome of each letter for which a receipt was asked. */
typedef void (*mqtt_receipt_callback)(void *context, const mqtt_receipt_event *event);

/** A subscription changed its state. May grow at its end. */
typedef struct {
    /** The topic filter, UTF-8 without NUL at the end. */
    const char *filter;
    /** Length of the filter in bytes. */
    size_t filter_length;
    /** One of `MQTT_SUBSCRIPTION_…`. */
    int state;
    /** The broker's code: the granted QoS, or why it refused; -1 where it gave none. */
    int reason;
} mqtt_subscription_event;

/** Called when a subscription changes its state. */
typedef void (*mqtt_subscription_callback)(void *context, const mqtt_subscription_event *event);

/**
 * Something worth a line in a log. It never holds a payload, a password or a key. May grow at its
 * end.
 */
typedef struct {
    /** One of `MQTT_LOG_…`. */
    int level;
    /** The line, UTF-8 without NUL at the end. */
    const char *text;
    /** Length of the text in bytes. */
    size_t text_length;
} mqtt_log_event;

/** Called with what is worth a line in a log. */
typedef void (*mqtt_log_callback)(void *context, const mqtt_log_event *event);

/** What an event points to; `kind` says which. */
typedef union {
    /** `MQTT_EVENT_MESSAGE` */
    const mqtt_message *message;
    /** `MQTT_EVENT_CONNECTION` */
    const mqtt_connection_event *connection;
    /** `MQTT_EVENT_RECEIPT` */
    const mqtt_receipt_event *receipt;
    /** `MQTT_EVENT_SUBSCRIPTION` */
    const mqtt_subscription_event *subscription;
    /** `MQTT_EVENT_LOG` */
    const mqtt_log_event *log;
} mqtt_event_data;

/** One event. This struct will not grow; the structs it points to may, at their end. */
typedef struct {
    /** Which of the pointers is set: one of `MQTT_EVENT_…`. Skip kinds that you do not know. */
    int kind;
    /**
     * For a message: the context given with its subscription, if it was subscribed to without a
     * callback; else NULL.
     */
    void *context;
    /** What happened. */
    mqtt_event_data data;
} mqtt_event;

/** Called with events in batches, in the order in which they happened. */
typedef void (*mqtt_events_callback)(void *context, const mqtt_event *events, size_t count);

/**
 * Called when a payload that was not copied is no longer needed. On whatever thread lets go of it
 * last; it must be quick, and must not call leveret: what it calls all the same returns
 * `MQTT_WOULD_DEADLOCK`.
 */
typedef void (*mqtt_release)(void *context);

/** A name and a value, both NUL-terminated UTF-8. */
typedef struct {
    /** The name. */
    const char *name;
    /** The value. */
    const char *value;
} mqtt_pair;

/**
 * All that can be said about one letter. Begin with `mqtt_letter letter = MQTT_LETTER_INIT;`, then
 * set what you need. May grow at its end.
 */
typedef struct {
    /** Size of this struct: set by `MQTT_LETTER_INIT`. */
    size_t size;
    /** Topic name. */
    const char *topic;
    /** Payload; may be NULL if its length is 0. */
    const void *payload;
    /** Length of the payload in bytes. */
    size_t payload_length;
    /**
     * Where set, the payload is not copied: it has to stay unchanged until this is called with
     * `release_context`, exactly once, on whatever thread lets go of it last, before or after the
     * publish returns, also when that fails. It must not call leveret.
     */
    mqtt_release release;
    /** For `release`. */
    void *release_context;
    /** 0, 1 or 2; 1 unless set. */
    int qos;
    /** Whether the broker keeps it for those who subscribe later. */
    bool retain;
    /** Milliseconds from this call in which it is of use, or `MQTT_TTL_DEFAULT` or `MQTT_TTL_NONE`. */
    uint32_t ttl_ms;
    /** One of `MQTT_PRIORITY_…`; normal unless set. */
    int priority;
    /** What gives way when the post office is full while offline: one of `MQTT_OVERFLOW_…`. */
    int overflow;
    /**
     * Key of which only the newest letter is wanted: a waiting letter of the same key is dropped.
     * NULL replaces nothing.
     */
    const char *replace;
    /**
     * MQTT 5: seconds that the broker keeps it for receivers that are not there; -1 says nothing.
     * Where the TTL is shorter, that is sent.
     */
    int64_t message_expiry_s;
    /** MQTT 5: 1 says that the payload is UTF-8 text, 0 that it is bytes, -1 says nothing. */
    int payload_format;
    /** MQTT 5: content type, such as "application/json"; NULL says nothing. */
    const char *content_type;
    /** MQTT 5: topic on which an answer is expected; NULL expects none. */
    const char *response_topic;
    /** MQTT 5: what the answer is to carry, so that it is known again; NULL for none. */
    const void *correlation_data;
    /** Length of the correlation data in bytes. */
    size_t correlation_data_length;
    /** MQTT 5: user properties, passed on to the receivers; NULL if there are none. */
    const mqtt_pair *user_properties;
    /** How many user properties there are. */
    size_t user_property_count;
} mqtt_letter;

/**
 * How to subscribe. Begin with `mqtt_subscribe_options options = MQTT_SUBSCRIBE_OPTIONS_INIT;`.
 * May grow at its end.
 */
typedef struct {
    /** Size of this struct: set by `MQTT_SUBSCRIBE_OPTIONS_INIT`. */
    size_t size;
    /** The highest QoS with which the broker is to deliver: 0, 1 or 2; 1 unless set. */
    int qos;
    /** MQTT 5: do not deliver what this client itself publishes. */
    bool no_local;
    /** MQTT 5: deliver with the retain flag as it was published. */
    bool retain_as_published;
    /**
     * MQTT 5: when retained messages are delivered: 0 at each subscribe, 1 only if the
     * subscription is new, 2 never.
     */
    int retain_handling;
    /**
     * Milliseconds to wait for the broker's answer while online; 0 takes the option
     * `subscribe_timeout` of the client.
     */
    uint32_t timeout_ms;
    /** MQTT 5: user properties of the SUBSCRIBE; NULL if there are none. */
    const mqtt_pair *user_properties;
    /** How many user properties there are. */
    size_t user_property_count;
} mqtt_subscribe_options;

/**
 * A packet of the broker in a hook. It and what it points to live until the callback returns. May
 * grow at its end.
 */
typedef struct {
    /** For `mqtt_packet_answer`; 0 where our answer can carry no words, or there is none. */
    uint64_t number;
    /** Which packet: one of `MQTT_PACKET_…`. */
    int packet;
    /** The packet identifier, 1..=65535; 0 for CONNACK, DISCONNECT and AUTH, which have none. */
    uint16_t packet_id;
    /** The first of the reason codes; -1 where there is none. */
    int reason;
    /** The reason codes: for SUBACK and UNSUBACK one for each filter, else one. Never NULL. */
    const uint8_t *reasons;
    /** How many reason codes there are: none in an UNSUBACK of MQTT 3.1.1. */
    size_t reason_count;
    /** CONNACK: does an earlier session go on. */
    bool session_present;
    /** PUBACK, PUBREC, PUBCOMP: the receipt of the letter; 0 where it was published without one. */
    uint64_t receipt;
    /** MQTT 5: its properties, for `mqtt_property_get`; never NULL. */
    const mqtt_properties *properties;
} mqtt_packet_event;

/**
 * Called with each packet that it was registered for. It answers whether `mqtt_packet_answer` will
 * be called later for this packet; false: it is done, and an answer that it gave no words for goes
 * out without.
 */
typedef bool (*mqtt_packet_callback)(void *context, const mqtt_packet_event *event);

/**
 * A step of enhanced authentication. It and what it points to live until the callback returns. May
 * grow at its end.
 */
typedef struct {
    /** For `mqtt_auth_answer` and `mqtt_auth_refuse`. */
    uint64_t number;
    /** One of `MQTT_AUTH_…`. */
    int stage;
    /** Is it a re-authentication on a connection that is up. */
    bool reauthentication;
    /** The authentication method, UTF-8 without NUL at the end. */
    const char *method;
    /** Length of the method in bytes. */
    size_t method_length;
    /** The authentication data of the broker; NULL when beginning, and where it sent none. */
    const void *data;
    /** Length of the data in bytes. */
    size_t data_length;
    /** The properties of the broker's AUTH or CONNACK, for `mqtt_property_get`; never NULL. */
    const mqtt_properties *properties;
} mqtt_auth_event;

/**
 * Called with each step of authentication, which is to be answered with `mqtt_auth_answer` or
 * `mqtt_auth_refuse`, inside the callback or later.
 */
typedef void (*mqtt_auth_callback)(void *context, const mqtt_auth_event *event);

/**
 * An attempt to connect that is about to begin. It and what it points to live until the callback
 * returns. May grow at its end.
 */
typedef struct {
    /** For `mqtt_connect_answer` and `mqtt_connect_refuse`. */
    uint64_t number;
    /**
     * Counts the attempts of the client from 1. One that was refused or answered too late was not
     * made: its number goes to the next.
     */
    uint64_t attempt;
    /**
     * Where it is to go: one of the client's URLs, or what the broker referred to, without user name
     * and password; UTF-8 without NUL at the end.
     */
    const char *url;
    /** Length of the URL in bytes. */
    size_t url_length;
} mqtt_connect_event;

/**
 * Called before each attempt to connect, which is to be answered with `mqtt_connect_answer` or
 * `mqtt_connect_refuse`, inside the callback or later.
 */
typedef void (*mqtt_connect_callback)(void *context, const mqtt_connect_event *event);

/**
 * A handshake that is to be signed. It and what it points to live until the callback returns. May
 * grow at its end.
 */
typedef struct {
    /** For `mqtt_sign_answer` and `mqtt_sign_refuse`. */
    mqtt_signing *signing;
    /**
     * The signature scheme as TLS names it (RFC 8446, 4.2.3), one that fits the key of the
     * certificate: "ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256", "ed25519"; ends in NUL, so that
     * `strcmp` compares it.
     */
    const char *scheme;
    /** Length of the scheme in bytes. */
    size_t scheme_length;
    /** What is to be signed, not hashed yet. */
    const void *message;
    /** Length of the message in bytes. */
    size_t message_length;
} mqtt_sign_event;

/**
 * Called with each handshake that is to be signed: it answers with `mqtt_sign_answer` or
 * `mqtt_sign_refuse` before it returns. One that does neither refuses.
 */
typedef void (*mqtt_sign_callback)(void *context, const mqtt_sign_event *event);

/**
 * How to close a client. Begin with `mqtt_close_options options = MQTT_CLOSE_OPTIONS_INIT;`. May
 * grow at its end.
 */
typedef struct {
    /** Size of this struct: set by `MQTT_CLOSE_OPTIONS_INIT`. */
    size_t size;
    /** As for `mqtt_client_close`; `MQTT_CLOSE_TIMEOUT_DEFAULT` unless set. */
    uint32_t timeout_ms;
    /**
     * Whether the broker is to forget the session: 1 or 0; -1, unless set, says that it is if the
     * option `clean_start` is on.
     */
    int end_session;
    /**
     * Let the broker publish the will all the same (MQTT 5, 3.14.2.1, reason code 0x04; on 3.1.1
     * the connection ends without a DISCONNECT).
     */
    bool with_will;
    /**
     * MQTT 5: seconds that the broker keeps the session from now on, at most 4294967295, which is
     * for good; -1, unless set, leaves it as CONNECT said. Only where it was to be kept at all.
     */
    int64_t session_expiry_s;
    /** MQTT 5: why, in words for the broker's log; NULL for none. */
    const char *reason_string;
    /** MQTT 5: user properties of the DISCONNECT; NULL if there are none. */
    const mqtt_pair *user_properties;
    /** How many user properties there are. */
    size_t user_property_count;
} mqtt_close_options;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The sentence that explains the last call on this thread that failed: it names the argument or
 * option, what was given and what is allowed. Never NULL; empty if no call has failed yet. A call
 * that succeeds leaves it as it is.
 *
 * The text ends in NUL and lives until the next call on this thread that fails, or until the
 * thread ends. In a handler of `exit` and in destructors of static objects, which run after that, it
 * is empty.
 */
const char *mqtt_last_error(void);

/**
 * The broker's reason code that belongs to `mqtt_last_error`: 0..=255, or -1 where the broker gave
 * none.
 */
int mqtt_last_reason(void);

/** The version of the library, "0.1.0". Static memory. */
const char *mqtt_version(void);

/**
 * What a result code means, as one sentence: "the post office is full"; for `MQTT_OK` "success".
 * Never NULL; static memory.
 */
const char *mqtt_result_text(mqtt_result result);

/** The name of a result code: "MQTT_QUEUE_FULL". Never NULL; static memory. */
const char *mqtt_result_name(mqtt_result result);

/**
 * The name of an outcome's status: "acknowledged". "unknown" for a number that is none. Never
 * NULL; static memory.
 */
const char *mqtt_outcome_name(int status);

/**
 * The name of a client's status: "online". "unknown" for a number that is none. Never NULL; static
 * memory.
 */
const char *mqtt_status_name(int status);

/**
 * The name of a subscription's state: "downgraded". "unknown" for a number that is none. Never
 * NULL; static memory.
 */
const char *mqtt_subscription_state_name(int state);

/**
 * The name of a reason code in the standard (MQTT 5.0 section 2.4), in lower case: "not
 * authorized". "unknown" for a number that is none. Never NULL; static memory.
 */
const char *mqtt_reason_name(int reason);

/**
 * The standard's name of a packet, given as one of `MQTT_PACKET_…`: "PUBREC". "unknown" for a
 * number that is none. Never NULL; static memory.
 */
const char *mqtt_packet_name(int packet);

/**
 * Sets how many threads do the network for all clients: 1 unless set, at most 64. Call it before
 * the first client is made.
 */
mqtt_result mqtt_set_runtime_threads(uint32_t threads);

/**
 * Stops the threads of leveret. Clients that are still open end at once, without a DISCONNECT:
 * close them first. A client made later starts new threads. A process that ends need not call it.
 * Inside an inline callback: `MQTT_WOULD_DEADLOCK`.
 */
mqtt_result mqtt_shutdown(void);

/** Options with their defaults, to be ended with `mqtt_options_free`. Never NULL. */
mqtt_options *mqtt_options_new(void);

/** Ends options. Clients made with them are not affected. NULL is nothing. */
void mqtt_options_free(mqtt_options *options);

/**
 * Sets an option from text. Numbers are decimal, flags "true" or "false", durations "250ms", "5s",
 * "2m" or "1h"; "none" takes back what may be absent. A wrong name or value changes nothing, and
 * `mqtt_last_error` says what is allowed.
 *
 * @param option  one of `MQTT_OPT_…`, or its name: "keep_alive"
 * @param value   copied
 */
mqtt_result mqtt_options_set(mqtt_options *options, const char *option, const char *value);

/**
 * Sets an option that is bytes, such as `password` or `will_payload`.
 *
 * @param value   copied; may be NULL if `length` is 0
 * @param length  in bytes
 */
mqtt_result mqtt_options_set_bytes(mqtt_options *options,
                                   const char *option,
                                   const void *value,
                                   size_t length);

/**
 * Adds a pair to an option that is a list of them: `user_properties`, `will_user_properties` or `websocket_headers`.
 * The same name may be added twice.
 *
 * @param name   copied
 * @param value  copied
 */
mqtt_result mqtt_options_add(mqtt_options *options,
                             const char *option,
                             const char *name,
                             const char *value);

/**
 * Keeps a message beyond its callback: answers a new one, to be ended with `mqtt_message_unref`.
 * Topic, payload and properties are shared, not copied: as long as it is kept, so is the buffer in
 * which it arrived. NULL if `message` is NULL or did not come from leveret.
 *
 * Any thread. The message may be kept beyond the life of its client.
 */
const mqtt_message *mqtt_message_ref(const mqtt_message *message);

/** Ends a message that came from `mqtt_message_ref`. NULL is nothing. */
void mqtt_message_unref(const mqtt_message *message);

/**
 * Acknowledges a message of a client with the option `manual_ack`, from any thread, inside the
 * callback or later with a kept message.
 *
 * Acknowledgements leave in the order the standard demands, whatever the order of the calls. On a
 * connection later than the one it came on this does nothing: the broker delivers the message
 * again. So does a second call, and a call for a message of QoS 0.
 *
 * @param reason  0 if it was handled, else 0x80, 0x83, 0x87, 0x90, 0x91, 0x97 or 0x99 (MQTT 5,
 *                3.4.2.1; on 3.1.1 it is a plain acknowledgement)
 */
mqtt_result mqtt_message_ack(const mqtt_message *message, int reason);

/**
 * Says that a message could not be handled, as a handler does that raises in other languages: once
 * the callback has returned, the message is answered with the reason code 0x80 on MQTT 5; on 3.1.1,
 * which has no such answer, it is acknowledged. Either way it is counted as `handler_failures`.
 *
 * Only inside the callback that was called with this message: where no callback of its client is
 * running on this thread it is `MQTT_INVALID_ARGUMENT`. For a message of QoS 0, with the option
 * `manual_ack`, and for a message kept from an earlier callback there is nothing to answer, and
 * nothing happens.
 */
mqtt_result mqtt_message_fail(const mqtt_message *message);

/**
 * Reads a property of a packet: false if there is none (more), and then `property` is left as it
 * is.
 *
 * @param properties  of a message or an event; NULL is as good as none
 * @param identifier  one of `MQTT_PROPERTY_…`
 * @param index       0, or for a property that may stand more than once (user property,
 *                    subscription identifier) which of them
 * @param property    receives the property; what it points to lives as long as the message or
 *                    event
 */
bool mqtt_property_get(const mqtt_properties *properties,
                       int identifier,
                       size_t index,
                       mqtt_property *property);

/**
 * Waits for the outcome of a letter, and claims it: asked for again it is
 * `MQTT_RECEIPT_FORGOTTEN`. So it is if the receipt was never given out, and if more than 65,536
 * letters were settled after it that nobody asked for.
 *
 * @param receipt     what the publish wrote
 * @param timeout_ms  milliseconds, or `MQTT_FOREVER`; 0 looks whether it is there.
 *                    `MQTT_TIMED_OUT` leaves the letter as it is
 * @param outcome     receives the outcome; may be NULL
 */
mqtt_result mqtt_receipt_wait(mqtt_client *client,
                              uint64_t receipt,
                              uint32_t timeout_ms,
                              mqtt_outcome *outcome);

/**
 * Takes a letter back: its outcome will be `cancelled`. Waits for the answer of the background
 * thread, not for the network.
 *
 * @param found  receives whether it was still there to be taken back; may be NULL
 */
mqtt_result mqtt_cancel(mqtt_client *client, uint64_t receipt, bool *found);

/**
 * Says where a letter is and why, as a sentence: waiting for the connection, the window or its
 * turn; its age, attempts, the last error, and what is left of its time to live. Waits for the
 * answer of the background thread, not for the network.
 *
 * @param text      receives the sentence, cut to `capacity` - 1 bytes, and a NUL; empty if the
 *                  letter is settled or unknown. May be NULL if `capacity` is 0
 * @param capacity  bytes that may be written
 * @param length    receives the length of the whole sentence in bytes, without the NUL, as
 *                  `snprintf` returns it; may be NULL
 */
mqtt_result mqtt_explain(mqtt_client *client, uint64_t receipt, char *text, size_t capacity, size_t *length);

/**
 * Makes a client. It does not connect before `mqtt_client_start`, so that callbacks can be
 * registered first; it takes letters and subscriptions at once.
 *
 * @param url      address of the broker, "mqtt://host:1883", "mqtts://host", "ws://host/path",
 *                 "wss://host/path" or "mqtt+unix:///path"; several, separated by spaces, are
 *                 tried in turn
 * @param options  copied, and still yours; NULL for all defaults
 * @return the client, to be ended with `mqtt_client_free`; NULL if an argument is wrong, and then
 *         `mqtt_last_error` says which
 */
mqtt_client *mqtt_client_new(const char *url, const mqtt_options *options);

/**
 * Lets the client begin to connect. From then on it never gives up: what fails is tried again.
 * Once more does nothing.
 */
mqtt_result mqtt_client_start(mqtt_client *client);

/** Whether the client is connected: one of `MQTT_STATUS_…`. Of NULL: `MQTT_STATUS_CLOSED`. */
int mqtt_client_status(const mqtt_client *client);

/**
 * Waits until the client has a status, also if it came and went while waiting. `MQTT_TIMED_OUT`,
 * or `MQTT_CLOSED` once it cannot come.
 *
 * @param timeout_ms  milliseconds, or `MQTT_FOREVER`
 */
mqtt_result mqtt_client_wait_for(mqtt_client *client, int status, uint32_t timeout_ms);

/**
 * Says DISCONNECT if there is a connection, and dials at once, also in the middle of a pause
 * between attempts: for a device that changed its network. Letters in flight go on.
 */
mqtt_result mqtt_client_reconnect(mqtt_client *client);

/**
 * Waits until every letter published before has its outcome. `MQTT_TIMED_OUT` leaves them as they
 * are.
 *
 * @param timeout_ms  milliseconds, or `MQTT_FOREVER`
 */
mqtt_result mqtt_client_flush(mqtt_client *client, uint32_t timeout_ms);

/**
 * Measures a round trip to the broker. `MQTT_NOT_CONNECTED` if there is no connection,
 * `MQTT_CONNECTION_LOST` if it is lost meanwhile.
 *
 * @param timeout_ms     milliseconds, or `MQTT_FOREVER`
 * @param round_trip_us  receives microseconds; may be NULL
 */
mqtt_result mqtt_client_ping(mqtt_client *client, uint32_t timeout_ms, uint64_t *round_trip_us);

/**
 * Waits until there is room in the post office, after a publish returned `MQTT_QUEUE_FULL`.
 *
 * @param timeout_ms  milliseconds, or `MQTT_FOREVER`
 */
mqtt_result mqtt_client_wait_writable(mqtt_client *client, uint32_t timeout_ms);

/**
 * Closes the client for good: takes nothing more, sends what waits for at most `timeout_ms`, says
 * DISCONNECT, and settles every letter that is left with the outcome `closed`. Returns when that
 * is done. The handle stays valid until it is freed; receipts can still be asked for.
 *
 * Inside a callback of the same client it returns at once and takes effect when the callback
 * returns.
 *
 * @param timeout_ms  milliseconds for letters to go out; 0 sends nothing more; `MQTT_FOREVER`
 *                    waits until all are out, `MQTT_CLOSE_TIMEOUT_DEFAULT` as long as the option
 *                    `close_timeout` says
 */
mqtt_result mqtt_client_close(mqtt_client *client, uint32_t timeout_ms);

/**
 * `mqtt_client_close`, saying whether the session at the broker ends. `mqtt_client_close` ends it
 * if the option `clean_start` is on.
 *
 * @param end_session  false keeps the session, and with it the subscriptions, for a later client
 *                     of the same client id
 */
mqtt_result mqtt_client_close_with(mqtt_client *client, uint32_t timeout_ms, bool end_session);

/**
 * Ends a client. One that is not closed is closed first, without sending what waits. Its last
 * callbacks, every `drop` among them, have ended when this returns. NULL is nothing.
 *
 * Inside a callback, of whatever client, it returns at once; the last callbacks come later, and
 * the `drop`s tell when they are over. Do not call it while holding a lock that a callback of the
 * client may be waiting for.
 */
void mqtt_client_free(mqtt_client *client);

/**
 * Says how the callbacks of the client get to run: one of `MQTT_DISPATCH_…`. Call it before
 * `mqtt_client_start`: afterwards it is `MQTT_INVALID_ARGUMENT`.
 */
mqtt_result mqtt_client_dispatch(mqtt_client *client, int dispatch);

/**
 * A descriptor that is readable when `mqtt_client_poll` has something to do, for `poll`, `epoll`,
 * `select` or an event loop. It belongs to the client: do not read, write or close it. -1 after an
 * error: the client is not on `MQTT_DISPATCH_POLL`.
 */
int mqtt_client_fd(mqtt_client *client);

/**
 * Runs the callbacks for what has come, on this thread, for a bounded number of events: after it
 * the descriptor is readable if there is more. For a client on `MQTT_DISPATCH_POLL`. Inside a
 * callback of the same client, or while another thread is in it: `MQTT_WOULD_DEADLOCK`.
 *
 * @param timeout_ms  how long to wait for the first event; 0 does not wait; it may return earlier,
 *                    without one
 * @param handled     receives the number of events; may be NULL
 */
mqtt_result mqtt_client_poll(mqtt_client *client, uint32_t timeout_ms, size_t *handled);

/**
 * What the macro `mqtt_client_stats(client, stats)` calls: writes as much of the counters as the
 * caller's struct has room for.
 *
 * @param stats  receives the counters
 * @param size   `sizeof *stats`
 */
mqtt_result mqtt_client_stats_sized(const mqtt_client *client, mqtt_stats *stats, size_t size);

/**
 * Registers what is called with messages that no subscription's own callback takes: those of
 * subscriptions made without one, and those that match none. Without it (and without
 * `mqtt_client_on_events_with`) such messages are acknowledged and counted as `unhandled`.
 *
 * This and the five functions below: any thread, at any time; a new registration replaces the old
 * one, NULL for `callback` ends it. The old callback may still be running when the function
 * returns: its `drop` tells when it is over.
 *
 * @param context  passed to `callback`
 * @param drop     called once with `context` when it is no longer needed, also when this call
 *                 fails; may be NULL
 */
mqtt_result mqtt_client_on_message_with(mqtt_client *client,
                                        mqtt_message_callback callback,
                                        void *context,
                                        mqtt_drop drop);

/**
 * Registers what is called with news of the connection: online, offline, attempts that failed,
 * pings, closed.
 */
mqtt_result mqtt_client_on_connection_with(mqtt_client *client,
                                           mqtt_connection_callback callback,
                                           void *context,
                                           mqtt_drop drop);

/**
 * Registers what is called with the outcome of each letter that was published with a receipt, from
 * now on. The outcomes are kept for `mqtt_receipt_wait` all the same. The callback may come before
 * the publish has returned its receipt.
 */
mqtt_result mqtt_client_on_receipt_with(mqtt_client *client,
                                        mqtt_receipt_callback callback,
                                        void *context,
                                        mqtt_drop drop);

/** Registers what is called when a subscription changes its state: up, downgraded, refused, down. */
mqtt_result mqtt_client_on_subscription_with(mqtt_client *client,
                                             mqtt_subscription_callback callback,
                                             void *context,
                                             mqtt_drop drop);

/**
 * Registers what is called with lines for a log: what an operator may want to know about the
 * connection and the broker.
 */
mqtt_result mqtt_client_on_log_with(mqtt_client *client,
                                    mqtt_log_callback callback,
                                    void *context,
                                    mqtt_drop drop);

/**
 * Registers what is called with all events that no other callback takes, in batches: one call for
 * many messages is the fastest way to receive them. Messages of a batch are acknowledged when the
 * callback returns, unless the option `manual_ack` is on.
 */
mqtt_result mqtt_client_on_events_with(mqtt_client *client,
                                       mqtt_events_callback callback,
                                       void *context,
                                       mqtt_drop drop);

/**
 * Publishes with the client's default time to live: hands a letter to the post office, online or
 * offline, and never waits for the network.
 *
 * `MQTT_QUEUE_FULL`: there is no room; `mqtt_client_wait_writable` waits for it.
 *
 * @param topic    topic name, without wildcards
 * @param payload  copied; may be NULL if `length` is 0
 * @param length   in bytes
 * @param qos      0, 1 or 2
 * @param retain   whether the broker keeps it for those who subscribe later
 * @param receipt  receives the number by which its outcome can be asked for; NULL if nobody will
 *                 ask
 */
mqtt_result mqtt_publish(mqtt_client *client,
                         const char *topic,
                         const void *payload,
                         size_t length,
                         int qos,
                         bool retain,
                         uint64_t *receipt);

/**
 * `mqtt_publish` with a time to live of its own.
 *
 * @param ttl_ms  milliseconds from this call after which the letter is no longer sent, and its
 *                outcome is `expired`; not 0. It counts on while offline and while the machine is
 *                suspended. `MQTT_TTL_NONE` or `MQTT_TTL_DEFAULT`
 */
mqtt_result mqtt_publish_ttl(mqtt_client *client,
                             const char *topic,
                             const void *payload,
                             size_t length,
                             int qos,
                             bool retain,
                             uint32_t ttl_ms,
                             uint64_t *receipt);

/**
 * Publishes a letter with all that can be said about it.
 *
 * @param letter   begun with `MQTT_LETTER_INIT`; copied, but for a payload with a `release`
 * @param receipt  as for `mqtt_publish`
 */
mqtt_result mqtt_publish_with(mqtt_client *client, const mqtt_letter *letter, uint64_t *receipt);

/**
 * Publishes many letters in order, faster than one by one. The first that is refused ends it; one
 * that is wrong is refused before any is posted. The payloads of refused letters are released too.
 *
 * @param letters   an array, each begun with `MQTT_LETTER_INIT`
 * @param count     how many
 * @param receipts  receives the receipts of those accepted; has room for `count`; NULL if nobody
 *                  will ask
 * @param accepted  receives how many were accepted, the first ones, also when the call fails; may
 *                  be NULL
 */
mqtt_result mqtt_publish_many(mqtt_client *client,
                              const mqtt_letter *letters,
                              size_t count,
                              uint64_t *receipts,
                              size_t *accepted);

/**
 * Subscribes to a topic filter. It is declared at once, online or offline, and restored after
 * every reconnect; the broker's answer comes with `mqtt_client_on_subscription_with`. Letters
 * published afterwards go out after it. Any thread, before the start too.
 *
 * @param filter    topic filter: with '+' and '#', or "$share/group/filter"; copied
 * @param qos       the highest QoS with which the broker is to deliver: 0, 1 or 2
 * @param callback  called with each message for this filter; several for one filter are each
 *                  called. NULL: the messages go to `mqtt_client_on_message_with` or, with
 *                  `context` in the event, to `mqtt_client_on_events_with`
 * @param context   passed to `callback`
 */
mqtt_result mqtt_subscribe(mqtt_client *client,
                           const char *filter,
                           int qos,
                           mqtt_message_callback callback,
                           void *context);

/**
 * `mqtt_subscribe` with options, a `drop` and a reply.
 *
 * @param options  begun with `MQTT_SUBSCRIBE_OPTIONS_INIT`; NULL for all defaults
 * @param drop     called once with `context` after the last call of `callback`: when unsubscribed,
 *                 when the client is freed, or when this call fails; may be NULL
 * @param reply    receives a number for `mqtt_reply_wait`; NULL if nobody will ask
 */
mqtt_result mqtt_subscribe_with(mqtt_client *client,
                                const char *filter,
                                const mqtt_subscribe_options *options,
                                mqtt_message_callback callback,
                                void *context,
                                mqtt_drop drop,
                                uint64_t *reply);

/**
 * Ends the subscription to a topic filter: no callback of it begins once this has returned, and
 * their `drop`s follow. Where the broker refuses (MQTT 5), `mqtt_reply_wait` says so; the filter is taken
 * back here all the same, and what such a broker still sends for it is for nobody.
 *
 * @param filter  the same text as when subscribing
 * @param reply   receives a number for `mqtt_reply_wait`; NULL if nobody will ask
 */
mqtt_result mqtt_unsubscribe(mqtt_client *client, const char *filter, uint64_t *reply);

/**
 * `mqtt_unsubscribe` with user properties for the UNSUBSCRIBE (MQTT 5; on 3.1.1 they are not sent).
 *
 * @param user_properties  copied; NULL if there are none
 * @param count            how many user properties there are
 */
mqtt_result mqtt_unsubscribe_with(mqtt_client *client,
                                  const char *filter,
                                  const mqtt_pair *user_properties,
                                  size_t count,
                                  uint64_t *reply);

/**
 * Waits for the broker's answer to a subscribe, unsubscribe or re-authentication, and claims it.
 * `MQTT_REFUSED` if the broker refused: then `mqtt_last_reason` is its reason code, and the filter
 * is no longer declared. `MQTT_TIMED_OUT` leaves it as it is, to be asked for again.
 *
 * @param reply       what the subscribe, unsubscribe or re-authentication wrote
 * @param timeout_ms  milliseconds, or `MQTT_FOREVER`
 * @param reason      receives the broker's code: after a subscribe the granted QoS, 0, 1 or 2; may
 *                    be NULL
 */
mqtt_result mqtt_reply_wait(mqtt_client *client, uint64_t reply, uint32_t timeout_ms, int *reason);

/**
 * `mqtt_message_ack` with words for the PUBACK or PUBREC (MQTT 5; on 3.1.1 they are not sent).
 *
 * @param reason           0 if it was handled, else one of those that `mqtt_message_ack` takes
 * @param reason_string    why, in words for people; copied; NULL for none
 * @param user_properties  copied; NULL if there are none
 * @param count            how many user properties there are
 */
mqtt_result mqtt_message_ack_with(const mqtt_message *message,
                                  int reason,
                                  const char *reason_string,
                                  const mqtt_pair *user_properties,
                                  size_t count);

/**
 * Registers a hook: what is called with packets of these types that the broker sends. Any thread,
 * at any time, before `mqtt_client_start` to be shown the first CONNACK. A new registration
 * replaces the old one, NULL for `callback` ends it.
 *
 * A packet is shown when it has taken effect: the status is online already when CONNACK is. Only
 * PUBREL and PUBCOMP, our answers to PUBREC and PUBREL, wait for the words of the hook, at most for
 * the option `hook_timeout`; after that they go out without words.
 * A hook may wait itself; what then waits for a hook is held up for as long.
 *
 * On the pool hooks run on a thread of their own, one after another, beside the other callbacks of
 * the client, which may therefore wait for something that a hook has to answer first. In
 * `mqtt_client_poll` and inline they run where the other callbacks do.
 *
 * @param packets   one or several of `MQTT_PACKET_…`, added up
 * @param callback  called with each of them
 * @param context   passed to `callback`
 * @param drop      called once with `context` when it is no longer needed, also when this call
 *                  fails; may be NULL
 */
mqtt_result mqtt_client_on_packet_with(mqtt_client *client,
                                       int packets,
                                       mqtt_packet_callback callback,
                                       void *context,
                                       mqtt_drop drop);

/**
 * Puts a reason string and user properties on our answer to a packet: on the PUBREL that answers a
 * PUBREC, on the PUBCOMP that answers a PUBREL (MQTT 5; on 3.1.1 they are not sent). Inside the
 * hook, or later from any thread if the hook answered true. What has been answered already, by the
 * hook's end or because `hook_timeout` is over, stays as it is, and so does what belongs to a
 * connection that has ended.
 *
 * `MQTT_INVALID_ARGUMENT` for text that MQTT cannot carry; then the answer still waits.
 *
 * @param number           of the `mqtt_packet_event`
 * @param reason_string    in words for people; copied; NULL for none
 * @param user_properties  copied; NULL if there are none
 * @param count            how many user properties there are
 */
mqtt_result mqtt_packet_answer(mqtt_client *client,
                               uint64_t number,
                               const char *reason_string,
                               const mqtt_pair *user_properties,
                               size_t count);

/**
 * Registers the authenticator: what takes the steps of enhanced authentication, which needs the
 * option `authentication_method`; without that it is `MQTT_INVALID_ARGUMENT`. It is called before
 * each attempt to connect, for each AUTH of the broker, when the broker has accepted, and the same
 * for `mqtt_client_reauthenticate`. Register it before `mqtt_client_start`. A new registration
 * replaces the old one, NULL for `callback` ends it.
 *
 * A step that is not answered within the option `hook_timeout` fails the attempt, and another
 * follows. Which thread it runs on is as for `mqtt_client_on_packet_with`.
 *
 * @param context  passed to `callback`
 * @param drop     called once with `context` when it is no longer needed, also when this call
 *                 fails; may be NULL
 */
mqtt_result mqtt_client_on_auth_with(mqtt_client *client,
                                     mqtt_auth_callback callback,
                                     void *context,
                                     mqtt_drop drop);

/**
 * Answers a step of authentication. Inside the callback, or later from any thread. A step that was
 * answered already, or is over because its connection is or `hook_timeout` is, stays as it is.
 *
 * `MQTT_INVALID_ARGUMENT` for data of more than 65,535 bytes and text that MQTT cannot carry; then
 * the step still waits.
 *
 * @param number           of the `mqtt_auth_event`
 * @param data             authentication data for the broker; copied; NULL for none. Not used when
 *                         finishing
 * @param length           of the data in bytes
 * @param reason_string    in words for people; copied; NULL for none. Sent in AUTH alone, as are
 *                         the user properties
 * @param user_properties  copied; NULL if there are none
 * @param count            how many user properties there are
 */
mqtt_result mqtt_auth_answer(mqtt_client *client,
                             uint64_t number,
                             const void *data,
                             size_t length,
                             const char *reason_string,
                             const mqtt_pair *user_properties,
                             size_t count);

/**
 * Refuses a step of authentication: the connection is given up, or not begun, and another attempt
 * follows; a re-authentication ends with `MQTT_REFUSED`. Inside the callback, or later from any
 * thread.
 *
 * @param number  of the `mqtt_auth_event`
 * @param text    why, for the event of the connection; copied
 */
mqtt_result mqtt_auth_refuse(mqtt_client *client, uint64_t number, const char *text);

/**
 * Authenticates once more on the connection that is up (MQTT 5, 4.12.1), with the authenticator of
 * the client.
 *
 * `mqtt_reply_wait` says how it ended: `MQTT_OK`, `MQTT_NOT_CONNECTED`, `MQTT_NOT_SUPPORTED` where
 * the connection was made without enhanced authentication, `MQTT_CONNECTION_LOST`, `MQTT_REFUSED`.
 *
 * @param reply  receives a number for `mqtt_reply_wait`; NULL if nobody will ask
 */
mqtt_result mqtt_client_reauthenticate(mqtt_client *client, uint64_t *reply);

/** Options that say nothing yet, to be ended with `mqtt_connect_options_free`. Never NULL. */
mqtt_connect_options *mqtt_connect_options_new(void);

/** Ends options. Attempts that they were given for are not affected. NULL is nothing. */
void mqtt_connect_options_free(mqtt_connect_options *options);

/**
 * Sets an option from text, as `mqtt_options_set` does.
 *
 * @param option  one of `MQTT_CONNECT_OPT_…`, or its name: "username"
 * @param value   copied
 */
mqtt_result mqtt_connect_options_set(mqtt_connect_options *options, const char *option, const char *value);

/**
 * Sets an option that is bytes: `password`, `will_payload` or `will_correlation_data`.
 *
 * @param value   copied; may be NULL if `length` is 0
 * @param length  in bytes
 */
mqtt_result mqtt_connect_options_set_bytes(mqtt_connect_options *options,
                                           const char *option,
                                           const void *value,
                                           size_t length);

/**
 * Adds a pair to an option that is a list of them: `websocket_headers` or `will_user_properties`.
 *
 * @param name   copied
 * @param value  copied
 */
mqtt_result mqtt_connect_options_add(mqtt_connect_options *options,
                                     const char *option,
                                     const char *name,
                                     const char *value);

/**
 * Registers what is asked before each attempt to connect: for credentials that do not last, a will
 * that tells of the moment, a signed URL. Register it before `mqtt_client_start`, so that it is
 * asked the first time, too. A new registration replaces the old one, NULL for `callback` ends it.
 *
 * An attempt that is not answered within the option `hook_timeout` fails, and another follows, for
 * which it is asked again. Which thread it runs on is as for `mqtt_client_on_packet_with`: it may
 * block, unless callbacks run inline.
 *
 * @param context  passed to `callback`
 * @param drop     called once with `context` when it is no longer needed, also when this call
 *                 fails; may be NULL
 */
mqtt_result mqtt_client_on_connect_with(mqtt_client *client,
                                        mqtt_connect_callback callback,
                                        void *context,
                                        mqtt_drop drop);

/**
 * Lets an attempt begin, with what these options say in the place of what the options of the client
 * do; what they leave out stays as it is. Inside the callback, or later from any thread. An attempt
 * that was answered already, or is over because `hook_timeout` is, stays as it is.
 *
 * `MQTT_INVALID_ARGUMENT` for options that do not go together, with a sentence that shows no
 * secret; then the attempt still waits.
 *
 * @param number   of the `mqtt_connect_event`
 * @param options  copied, and still yours; NULL to connect as the options of the client say
 */
mqtt_result mqtt_connect_answer(mqtt_client *client, uint64_t number, const mqtt_connect_options *options);

/**
 * Lets an attempt fail, with the reason in words; another follows. Inside the callback, or later
 * from any thread.
 *
 * @param number  of the `mqtt_connect_event`
 * @param text    why, for the event of the connection; copied; no secret should be in it
 */
mqtt_result mqtt_connect_refuse(mqtt_client *client, uint64_t number, const char *text);

/**
 * Signs the TLS handshakes of clients made with these options by a callback, in the place of
 * `tls_key` or `tls_key_file`. The certificate that the key belongs to is `tls_cert` or
 * `tls_cert_file`. A new one replaces the old one, NULL for `callback` takes it away.
 *
 * It is called on a thread of its own for each handshake, and may block there; once
 * `connect_timeout` is over nobody waits for it any more, and another attempt follows, so it may be
 * called by several threads at a time, also because several clients can be made with the same
 * options. A refusal lets the attempt to connect fail.
 *
 * @param context  passed to `callback`
 * @param drop     called once with `context` when these options and all clients made with them are
 *                 gone and the last call has returned, perhaps a moment after `mqtt_client_free`;
 *                 also when this call fails; may be NULL
 * @return `MQTT_NOT_SUPPORTED` where the library was built without TLS
 */
mqtt_result mqtt_options_set_signer(mqtt_options *options,
                                    mqtt_sign_callback callback,
                                    void *context,
                                    mqtt_drop drop);

/**
 * Gives the signature of a handshake; the last one given counts. Inside the callback alone.
 *
 * @param signature  copied; for ECDSA in DER (RFC 3279, 2.2.3), as most elements and libraries give
 *                   it; 1 to 65,535 bytes
 * @param length     of the signature in bytes
 */
mqtt_result mqtt_sign_answer(mqtt_signing *signing, const void *signature, size_t length);

/**
 * Refuses to sign a handshake: the attempt to connect fails, and another follows. Inside the
 * callback alone.
 *
 * @param text  why, for the event of the connection; copied
 */
mqtt_result mqtt_sign_refuse(mqtt_signing *signing, const char *text);

/**
 * `mqtt_client_close` with options. `MQTT_INVALID_ARGUMENT` for options that do not go together;
 * then nothing is closed.
 *
 * @param options  begun with `MQTT_CLOSE_OPTIONS_INIT`; NULL for all defaults
 */
mqtt_result mqtt_client_close_options(mqtt_client *client, const mqtt_close_options *options);

/**
 * Asks: publishes with QoS 1 and waits for the response, known by the response topic and
 * the correlation data that leveret adds (MQTT 5, 4.10). Any number of threads may ask at
 * the same time.
 *
 * The letter lives no longer than the wait, so that nothing is carried out after it was given up.
 * On MQTT 3.1.1, which has no response topics, it is `MQTT_NOT_SUPPORTED`: `mqtt_request_with` takes
 * one of your own. A client that may speak either version posts it once its first connection has
 * told which.
 *
 * It blocks its thread, and inside a callback the callbacks of its client. A program with a loop of
 * its own asks on another thread, or subscribes to a topic, publishes with that as the
 * `response_topic` of the letter, and knows the response by its `correlation_data`.
 *
 * `MQTT_TIMED_OUT`: no response came in time; the sentence says what is known of the letter.
 * `MQTT_NOT_DELIVERED`: the letter cannot arrive; `mqtt_last_reason` is the broker's reason code, if
 * it gave one. `MQTT_REFUSED`: the broker does not let the client listen for the response.
 * `MQTT_CLOSED`: the client was closed meanwhile.
 *
 * @param topic       topic name, without wildcards
 * @param payload     copied; may be NULL if `length` is 0
 * @param length      in bytes
 * @param timeout_ms  milliseconds, at least 1, or `MQTT_FOREVER`
 * @param response    receives the response, to be ended with `mqtt_message_unref`; NULL if nobody
 *                    wants to read it
 */
mqtt_result mqtt_request(mqtt_client *client,
                         const char *topic,
                         const void *payload,
                         size_t length,
                         uint32_t timeout_ms,
                         const mqtt_message **response);

/**
 * `mqtt_request` with all that can be said about the letter.
 *
 * @param letter  begun with `MQTT_LETTER_INIT`. `response_topic`: where to be answered, instead of a
 *                topic of the client's own; on MQTT 3.1.1 it is needed, it is not sent, and what
 *                comes there answers the request that has waited longest on it. The response comes
 *                with the letter's `qos` at most. `MQTT_TTL_DEFAULT` is as long as the wait
 */
mqtt_result mqtt_request_with(mqtt_client *client,
                              const mqtt_letter *letter,
                              uint32_t timeout_ms,
                              const mqtt_message **response);

/**
 * Answers a message: publishes to the response topic that it names, with its correlation data and
 * its QoS, and at most as long as it says that it is waited for. Inside the callback, or later with
 * a kept message; never waits for the network.
 *
 * `MQTT_INVALID_ARGUMENT` if the message names no response topic: nobody asked, or it came over MQTT
 * 3.1.1; `mqtt_message_respond_with` takes a topic. `MQTT_CLOSED` if the client is closed or freed.
 *
 * @param payload  copied; may be NULL if `length` is 0
 * @param length   in bytes
 * @param receipt  as for `mqtt_publish`
 */
mqtt_result mqtt_message_respond(const mqtt_message *message,
                                 const void *payload,
                                 size_t length,
                                 uint64_t *receipt);

/**
 * `mqtt_message_respond` with all that can be said about the response.
 *
 * @param letter  begun with `MQTT_LETTER_INIT`; a `topic` of NULL is the response topic of the
 *                message, `correlation_data` of NULL that of the message, `MQTT_TTL_DEFAULT` as long
 *                as the message says. The `qos` is that of the letter
 */
mqtt_result mqtt_message_respond_with(const mqtt_message *message,
                                      const mqtt_letter *letter,
                                      uint64_t *receipt);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* LEVERET_H */
