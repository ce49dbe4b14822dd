/*
 * The test broker of leveret: an MQTT broker inside the process, on a free port of 127.0.0.1 or at a
 * Unix socket, for tests.
 *
 * Not part of libraries built for devices. Every function may be called from any thread, NULL
 * where a broker or text is needed is `MQTT_NULL_POINTER`, and results and errors are as in
 * leveret.h.
 */

#ifndef LEVERET_TESTING_H
#define LEVERET_TESTING_H

#pragma once

/* Generated from ffi-c/src by `make generate`: changes belong there. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "leveret.h"

/** A running broker. */
typedef struct mqtt_test_broker mqtt_test_broker;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Starts a broker that speaks both versions of MQTT, to be ended with `mqtt_test_broker_free`.
 * NULL if the system has no socket or thread.
 */
mqtt_test_broker *mqtt_test_broker_new(void);

/**
 * Starts a broker with options, to be ended with `mqtt_test_broker_free`. NULL after an error.
 *
 * One that speaks TLS and wants certificates of its clients:
 *
 *     const char *options[] = {"tls", "true", "client_certificates", "true", NULL};
 *     mqtt_test_broker *broker = mqtt_test_broker_new_with(options);
 *
 * | option | value | unless given |
 * | --- | --- | --- |
 * | `protocol` | "3.1.1" or "5", the only version spoken | both |
 * | `tls` | "true": TLS, with the certificates told by `mqtt_test_broker_ca_pem` | "false" |
 * | `client_certificates` | "true": TLS that clients need a certificate for | "false" |
 * | `alpn` | TLS with this protocol, which clients must offer in the handshake (RFC 7301) | any or none |
 * | `websocket` | "true": WebSocket, with `tls` over it | "false" |
 * | `websocket_path` | the only path, with its query, at which WebSocket is spoken | any, "/mqtt" in the URL |
 * | `websocket_header` | "Name: value" that clients must bring; may be given several times | none |
 * | `unix_socket` | "true" or the absolute path of a socket file to be made | "false": a port |
 * | `receive_maximum` | letters of QoS 1 and 2 taken before they are acknowledged, 1 to 65535 (MQTT 5) | 65535 |
 * | `maximum_qos` | "0", "1" or "2": the highest that clients may publish with | "2" |
 * | `retain_available` | "false": no message is retained | "true" |
 * | `maximum_packet_size` | the largest packet taken, in bytes | no limit |
 * | `server_keep_alive` | seconds that replace the keep alive of MQTT 5 clients | the client's |
 * | `deny` | a topic filter to which access is denied; may be given several times | none |
 *
 * @param options  names and values in turn, and NULL after the last; NULL for none
 */
mqtt_test_broker *mqtt_test_broker_new_with(const char *const *options);

/** Ends a broker: connections are reset and the port is given back. NULL is nothing. */
void mqtt_test_broker_free(mqtt_test_broker *broker);

/**
 * Where clients reach it: "mqtt://127.0.0.1:" and the port, or what its options make of that:
 * "mqtts://", "ws://", "wss://" or "mqtt+unix://" and a path. The same for its whole life, and
 * valid for it; NULL for a NULL broker.
 */
const char *mqtt_test_broker_url(const mqtt_test_broker *broker);

/**
 * The certificate authority of this broker alone, as PEM: what its clients have to trust. Valid for
 * the broker's life; NULL if it does not speak TLS.
 */
const char *mqtt_test_broker_ca_pem(const mqtt_test_broker *broker);

/**
 * A certificate with which a client identifies itself to this broker, as PEM. Valid for the broker's
 * life; NULL if it does not speak TLS.
 */
const char *mqtt_test_broker_client_cert_pem(const mqtt_test_broker *broker);

/**
 * The key that belongs to that certificate, as PEM (PKCS#8). Valid for the broker's life; NULL if it
 * does not speak TLS.
 */
const char *mqtt_test_broker_client_key_pem(const mqtt_test_broker *broker);

/**
 * Shows this certificate to clients that connect from now on; connections stay as they are.
 * `MQTT_NOT_SUPPORTED` if the broker does not speak TLS.
 *
 * @param certificate  "valid": a new one, as after a renewal; or one that clients refuse: "expired",
 *                     "not_yet_valid", "wrong_name", "unknown_ca", "wrong_purpose",
 *                     "missing_intermediate"
 */
mqtt_result mqtt_test_broker_show_certificate(mqtt_test_broker *broker, const char *certificate);

/**
 * Stops as if the broker's machine had lost power: connections are reset, connecting is refused.
 * Sessions and retained messages stay.
 */
mqtt_result mqtt_test_broker_stop(mqtt_test_broker *broker);

/** `mqtt_test_broker_stop`, forgetting sessions and retained messages. */
mqtt_result mqtt_test_broker_stop_and_forget(mqtt_test_broker *broker);

/** Listens again on the same port. */
mqtt_result mqtt_test_broker_start(mqtt_test_broker *broker);

/**
 * Loses the next `count` packets of a type that clients send, as if they had never arrived.
 *
 * @param packet  a name of the standard: "PUBLISH", "PINGREQ"
 */
mqtt_result mqtt_test_broker_swallow(mqtt_test_broker *broker, const char *packet, uint64_t count);

/** Loses the next `count` packets of a type that the broker sends: "PUBACK", "CONNACK". */
mqtt_result mqtt_test_broker_swallow_outgoing(mqtt_test_broker *broker, const char *packet, uint64_t count);

/** Stops reading from clients, as a broker does that hangs, or reads on. */
mqtt_result mqtt_test_broker_pause_reading(mqtt_test_broker *broker, bool paused);

/** Publishes a message from the broker itself to whoever subscribes, and retains it if `retain`. */
mqtt_result mqtt_test_broker_publish(mqtt_test_broker *broker,
                                     const char *topic,
                                     const void *payload,
                                     size_t length,
                                     int qos,
                                     bool retain);

/** How many PUBLISH packets came from clients so far, repeated ones included; 0 for a NULL broker. */
size_t mqtt_test_broker_received_count(const mqtt_test_broker *broker);

/**
 * One PUBLISH that came from a client, in order of arrival. It was recorded before it was
 * acknowledged; `dup` tells a repeated one.
 *
 * @param index    0 for the first; `MQTT_INVALID_ARGUMENT` if there are not so many
 * @param message  receives it; what it points to lives as long as the broker
 */
mqtt_result mqtt_test_broker_received(const mqtt_test_broker *broker, size_t index, mqtt_message *message);

/**
 * Waits until at least `count` PUBLISH packets have come from clients.
 *
 * @param timeout_ms  milliseconds; `MQTT_TIMED_OUT` after that
 */
mqtt_result mqtt_test_broker_wait_received(mqtt_test_broker *broker, size_t count, uint32_t timeout_ms);

/**
 * Meets a defect on purpose, to show that a panic does not cross: answers `MQTT_PANIC`, and the
 * client is finished.
 */
mqtt_result mqtt_test_panic(mqtt_client *client);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* LEVERET_TESTING_H */
