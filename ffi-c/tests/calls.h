/* Every function of both headers, called once with arguments that make sense: one row each, in a table for tests that call them all
 * somewhere odd. A test of the project fails where a function of the headers has no row here. */
#ifndef CALLS_H
#define CALLS_H

#include "check.h"

/* Where the rows are called. */
enum situation {
    ON_POOL,   /* inside a callback on the pool */
    IN_POLL,   /* inside a callback in mqtt_client_poll */
    ON_INLINE, /* inside a callback on the network's thread: nothing may wait there */
    IN_DROP,   /* inside a drop, on the program's own thread */
    IN_RELEASE /* inside the release function of a payload: leveret must not be called, and refuses */
};

/* What the rows work on. */
typedef struct world {
    enum situation situation;
    mqtt_client *client;        /* whose callback is running; started and online */
    mqtt_client *spare;         /* another, not started */
    mqtt_client *made;          /* by mqtt_client_new, to be freed */
    mqtt_options *options;      /* filled */
    mqtt_options *made_options; /* by mqtt_options_new, to be freed */
    mqtt_connect_options *said; /* by mqtt_connect_options_new, to be freed */
    mqtt_test_broker *broker;   /* of the client */
    mqtt_test_broker *idle;     /* another, without clients */
    mqtt_test_broker *made_broker;
    const mqtt_message *message; /* of the running callback, or kept from an earlier one */
    const mqtt_message *kept;    /* by mqtt_message_ref */
    uint64_t receipt, reply;     /* of the last publish and subscribe */
} world;

/* A row answers a result: MQTT_OK also for a function that has none and did what it should. */
typedef struct row {
    const char *name;
    mqtt_result (*call)(world *world);
    /* Waits for the network's thread: on that very thread it answers MQTT_WOULD_DEADLOCK instead. */
    bool waits;
} row;

static void calls_no_message(void *context, const mqtt_message *message) {
    (void)context, (void)message;
}

static void calls_no_release(void *context) {
    (void)context;
}

static mqtt_result answers(bool right) {
    return right ? MQTT_OK : MQTT_PANIC;
}

static bool refused_here(const world *w) {
    return w->situation == IN_RELEASE;
}

#define CALL(name, ...)                        \
    static mqtt_result call_##name(world *w) { \
        (void)w;                               \
        __VA_ARGS__                            \
    }

/* One row, one line. */
/* clang-format off */

/* errors and names */
CALL(mqtt_last_error, return answers(mqtt_last_error() != NULL);)
CALL(mqtt_last_reason, return answers(mqtt_last_reason() >= -1);)
CALL(mqtt_version, return answers(mqtt_version()[0] != 0);)
CALL(mqtt_result_text, return answers(refused_here(w) || mqtt_result_text(MQTT_CLOSED)[0] != 0);)
CALL(mqtt_result_name, return answers(refused_here(w) || strcmp(mqtt_result_name(MQTT_CLOSED), "MQTT_CLOSED") == 0);)
CALL(mqtt_outcome_name, return answers(refused_here(w) || strcmp(mqtt_outcome_name(MQTT_OUTCOME_SENT), "sent") == 0);)
CALL(mqtt_status_name, return answers(refused_here(w) || strcmp(mqtt_status_name(MQTT_STATUS_ONLINE), "online") == 0);)
CALL(mqtt_subscription_state_name, return answers(refused_here(w) || strcmp(mqtt_subscription_state_name(MQTT_SUBSCRIPTION_UP), "up") == 0);)
CALL(mqtt_packet_name, return answers(refused_here(w) || strcmp(mqtt_packet_name(MQTT_PACKET_PUBREC), "PUBREC") == 0);)
CALL(mqtt_reason_name, return answers(refused_here(w) || strcmp(mqtt_reason_name(MQTT_REASON_NOT_AUTHORIZED), "not authorized") == 0);)

/* the process: the threads run already */
CALL(mqtt_set_runtime_threads, return mqtt_set_runtime_threads(1) == MQTT_INVALID_ARGUMENT || refused_here(w) ? MQTT_OK : MQTT_PANIC;)
CALL(mqtt_shutdown, return mqtt_shutdown();)

/* options */
CALL(mqtt_options_new, w->made_options = mqtt_options_new(); return answers(w->made_options != NULL || refused_here(w));)
CALL(mqtt_options_free, mqtt_options_free(w->made_options); if (!refused_here(w)) w->made_options = NULL; return MQTT_OK;)
CALL(mqtt_options_set, return mqtt_options_set(w->options, MQTT_OPT_KEEP_ALIVE, "30s");)
CALL(mqtt_options_set_bytes, return mqtt_options_set_bytes(w->options, MQTT_OPT_PASSWORD, "secret", 6);)
CALL(mqtt_options_add, return mqtt_options_add(w->options, MQTT_OPT_USER_PROPERTIES, "name", "value");)

/* messages */
CALL(mqtt_message_ref, w->kept = mqtt_message_ref(w->message); return answers(w->kept != NULL || refused_here(w));)
CALL(mqtt_message_unref, mqtt_message_unref(w->kept); if (!refused_here(w)) w->kept = NULL; return MQTT_OK;)
CALL(mqtt_message_ack, return mqtt_message_ack(w->message, MQTT_REASON_SUCCESS);)
CALL(mqtt_message_ack_with,
     mqtt_pair pair = {"name", "value"};
     return mqtt_message_ack_with(w->message, MQTT_REASON_SUCCESS, "words", &pair, 1);)
CALL(mqtt_message_fail,
     mqtt_result result = mqtt_message_fail(w->message);
     return w->situation == IN_DROP && result == MQTT_INVALID_ARGUMENT ? MQTT_OK : result;)
CALL(mqtt_property_get,
     mqtt_property property;
     return answers(!mqtt_property_get(w->message->properties, MQTT_PROPERTY_USER_PROPERTY, 99, &property));)

/* the client */
CALL(mqtt_client_new,
     w->made = mqtt_client_new(mqtt_test_broker_url(w->broker), w->options);
     return answers(w->made != NULL || refused_here(w));)
CALL(mqtt_client_free, mqtt_client_free(w->client); if (!refused_here(w)) w->client = NULL; return MQTT_OK;)
CALL(mqtt_client_start, return mqtt_client_start(w->client);)
CALL(mqtt_client_status, return answers(mqtt_client_status(w->client) == MQTT_STATUS_ONLINE || refused_here(w));)
CALL(mqtt_client_wait_for, return mqtt_client_wait_for(w->client, MQTT_STATUS_ONLINE, SOON);)
CALL(mqtt_client_reconnect, return mqtt_client_reconnect(w->client);)
CALL(mqtt_client_flush, return mqtt_client_flush(w->client, SOON);)
CALL(mqtt_client_ping, return mqtt_client_ping(w->client, SOON, NULL);)
CALL(mqtt_client_wait_writable, return mqtt_client_wait_writable(w->client, SOON);)
CALL(mqtt_client_close, return mqtt_client_close(w->client, 100);)
CALL(mqtt_client_close_with, return mqtt_client_close_with(w->client, 100, true);)
CALL(mqtt_client_close_options, mqtt_close_options how = MQTT_CLOSE_OPTIONS_INIT; how.timeout_ms = 100; return mqtt_client_close_options(w->client, &how);)
CALL(mqtt_client_dispatch, return mqtt_client_dispatch(w->spare, MQTT_DISPATCH_POOL);)
CALL(mqtt_client_fd, return answers((mqtt_client_fd(w->client) >= 0) == (w->situation == IN_POLL));)
CALL(mqtt_client_poll,
     mqtt_result result = mqtt_client_poll(w->client, 0, NULL);
     mqtt_result wanted = w->situation == IN_POLL ? MQTT_WOULD_DEADLOCK : MQTT_INVALID_ARGUMENT;
     return refused_here(w) ? result : answers(result == wanted);)
CALL(mqtt_client_stats_sized, mqtt_stats stats; return mqtt_client_stats(w->client, &stats);)

/* registrations: what is replaced may be the very callback that is running */
CALL(mqtt_client_on_message_with, return mqtt_client_on_message(w->client, NULL, NULL);)
CALL(mqtt_client_on_connection_with, return mqtt_client_on_connection(w->client, NULL, NULL);)
CALL(mqtt_client_on_receipt_with, return mqtt_client_on_receipt(w->client, NULL, NULL);)
CALL(mqtt_client_on_subscription_with, return mqtt_client_on_subscription(w->client, NULL, NULL);)
CALL(mqtt_client_on_log_with, return mqtt_client_on_log(w->client, NULL, NULL);)
CALL(mqtt_client_on_events_with, return mqtt_client_on_events(w->client, NULL, NULL);)
CALL(mqtt_client_on_packet_with, return mqtt_client_on_packet(w->client, 0, NULL, NULL);)
CALL(mqtt_client_on_auth_with, return mqtt_client_on_auth(w->client, NULL, NULL);)
CALL(mqtt_client_on_connect_with, return mqtt_client_on_connect(w->client, NULL, NULL);)

/* hooks and authentication: what nobody has asked is answered without effect */
CALL(mqtt_packet_answer, mqtt_pair pair = {"name", "value"}; return mqtt_packet_answer(w->client, UINT64_MAX, "words", &pair, 1);)
CALL(mqtt_auth_answer, return mqtt_auth_answer(w->client, UINT64_MAX, "data", 4, NULL, NULL, 0);)
CALL(mqtt_auth_refuse, return mqtt_auth_refuse(w->client, UINT64_MAX, "no");)
CALL(mqtt_client_reauthenticate, return mqtt_client_reauthenticate(w->client, NULL);)

/* attempts to connect, and handshakes, of which none is being signed here */
CALL(mqtt_connect_options_new, w->said = mqtt_connect_options_new(); return answers(w->said != NULL || refused_here(w));)
CALL(mqtt_connect_options_set, return mqtt_connect_options_set(w->said, MQTT_CONNECT_OPT_USERNAME, "name");)
CALL(mqtt_connect_options_set_bytes, return mqtt_connect_options_set_bytes(w->said, MQTT_CONNECT_OPT_PASSWORD, "secret", 6);)
CALL(mqtt_connect_options_add, return mqtt_connect_options_add(w->said, MQTT_CONNECT_OPT_WEBSOCKET_HEADERS, "name", "value");)
CALL(mqtt_connect_answer, return mqtt_connect_answer(w->client, UINT64_MAX, w->said);)
CALL(mqtt_connect_refuse, return mqtt_connect_refuse(w->client, UINT64_MAX, "no");)
CALL(mqtt_connect_options_free, mqtt_connect_options_free(w->said); if (!refused_here(w)) w->said = NULL; return MQTT_OK;)
CALL(mqtt_options_set_signer, return mqtt_options_set_signer(w->options, NULL, NULL, NULL);)
CALL(mqtt_sign_answer, mqtt_result result = mqtt_sign_answer(NULL, "x", 1); return result == MQTT_NULL_POINTER ? MQTT_OK : result;)
CALL(mqtt_sign_refuse, mqtt_result result = mqtt_sign_refuse(NULL, "no"); return result == MQTT_NULL_POINTER ? MQTT_OK : result;)

/* letters: each with a receipt, the last of which is waited for, cancelled and explained */
CALL(mqtt_publish, return mqtt_publish(w->client, "calls/0", "x", 1, 0, false, NULL);)
CALL(mqtt_publish_ttl, return mqtt_publish_ttl(w->client, "calls/2", "x", 1, 2, false, 60000, &w->receipt);)
CALL(mqtt_publish_with,
     mqtt_letter letter = MQTT_LETTER_INIT;
     letter.topic = "calls/1";
     letter.payload = "static";
     letter.payload_length = 6;
     letter.release = calls_no_release;
     return mqtt_publish_with(w->client, &letter, &w->receipt);)
CALL(mqtt_publish_many,
     mqtt_letter letters[2] = {MQTT_LETTER_INIT, MQTT_LETTER_INIT};
     letters[0].topic = letters[1].topic = "calls/many";
     return mqtt_publish_many(w->client, letters, 2, NULL, NULL);)
CALL(mqtt_receipt_wait, return mqtt_receipt_wait(w->client, w->receipt, SOON, NULL);)
CALL(mqtt_cancel, return mqtt_cancel(w->client, w->receipt, NULL);)
CALL(mqtt_explain, char text[200]; return mqtt_explain(w->client, w->receipt, text, sizeof text, NULL);)

/* subscriptions */
CALL(mqtt_subscribe, return mqtt_subscribe(w->client, "calls/first", 1, calls_no_message, NULL);)
CALL(mqtt_subscribe_with, return mqtt_subscribe_with(w->client, "calls/second", NULL, calls_no_message, NULL, NULL, &w->reply);)
CALL(mqtt_reply_wait, return mqtt_reply_wait(w->client, w->reply, SOON, NULL);)
CALL(mqtt_unsubscribe, return mqtt_unsubscribe(w->client, "calls/first", NULL);)
CALL(mqtt_unsubscribe_with, mqtt_pair pair = {"name", "value"}; return mqtt_unsubscribe_with(w->client, "calls/first", &pair, 1, NULL);)

/* requests: nobody answers them, and nobody asked for the responses */
CALL(mqtt_request,
     mqtt_result result = mqtt_request(w->client, "calls/asked", "?", 1, 20, NULL);
     /* On MQTT 3.1.1 nothing is waited for. */
     if (result == MQTT_NOT_SUPPORTED && w->situation == ON_INLINE) result = MQTT_WOULD_DEADLOCK;
     return result == MQTT_TIMED_OUT || result == MQTT_NOT_SUPPORTED ? MQTT_OK : result;)
CALL(mqtt_request_with,
     mqtt_letter letter = MQTT_LETTER_INIT;
     letter.topic = "calls/asked";
     letter.response_topic = "calls/answered";
     mqtt_result result = mqtt_request_with(w->client, &letter, 20, NULL);
     return result == MQTT_TIMED_OUT ? MQTT_OK : result;)
CALL(mqtt_message_respond,
     mqtt_result result = mqtt_message_respond(w->message, "x", 1, NULL);
     return refused_here(w) ? result : answers(result == MQTT_INVALID_ARGUMENT);)
CALL(mqtt_message_respond_with,
     mqtt_letter letter = MQTT_LETTER_INIT;
     letter.topic = "calls/answered";
     return mqtt_message_respond_with(w->message, &letter, NULL);)

/* the test broker; the one of the client is only asked, so that the client stays online */
CALL(mqtt_test_broker_new, w->made_broker = mqtt_test_broker_new(); return answers(w->made_broker != NULL || refused_here(w));)
CALL(mqtt_test_broker_free, mqtt_test_broker_free(w->made_broker); if (!refused_here(w)) w->made_broker = NULL; return MQTT_OK;)
CALL(mqtt_test_broker_new_with,
     const char *options[] = {"protocol", "5", "receive_maximum", "10", NULL};
     mqtt_test_broker *broker = mqtt_test_broker_new_with(options);
     mqtt_test_broker_free(broker);
     return answers(broker != NULL || refused_here(w));)
CALL(mqtt_test_broker_url, return answers(mqtt_test_broker_url(w->broker) != NULL || refused_here(w));)
CALL(mqtt_test_broker_ca_pem, return answers(mqtt_test_broker_ca_pem(w->idle) == NULL);)
CALL(mqtt_test_broker_client_cert_pem, return answers(mqtt_test_broker_client_cert_pem(w->idle) == NULL);)
CALL(mqtt_test_broker_client_key_pem, return answers(mqtt_test_broker_client_key_pem(w->idle) == NULL);)
CALL(mqtt_test_broker_show_certificate,
     mqtt_result result = mqtt_test_broker_show_certificate(w->idle, "valid");
     return refused_here(w) ? result : answers(result == MQTT_NOT_SUPPORTED);)
CALL(mqtt_test_broker_stop, return mqtt_test_broker_stop(w->idle);)
CALL(mqtt_test_broker_stop_and_forget, return mqtt_test_broker_stop_and_forget(w->idle);)
CALL(mqtt_test_broker_start, return mqtt_test_broker_start(w->idle);)
CALL(mqtt_test_broker_swallow, return mqtt_test_broker_swallow(w->idle, "PINGREQ", 1);)
CALL(mqtt_test_broker_swallow_outgoing, return mqtt_test_broker_swallow_outgoing(w->idle, "PINGRESP", 1);)
CALL(mqtt_test_broker_pause_reading, return mqtt_test_broker_pause_reading(w->idle, false);)
CALL(mqtt_test_broker_publish, return mqtt_test_broker_publish(w->broker, "calls/nobody", "x", 1, 1, false);)
CALL(mqtt_test_broker_received_count, return answers(mqtt_test_broker_received_count(w->idle) == 0);)
CALL(mqtt_test_broker_received,
     mqtt_message message;
     mqtt_result result = mqtt_test_broker_received(w->idle, 0, &message);
     return result == MQTT_INVALID_ARGUMENT ? MQTT_OK : result;)
CALL(mqtt_test_broker_wait_received, return mqtt_test_broker_wait_received(w->idle, 0, SOON);)
CALL(mqtt_test_panic,
     mqtt_result result = mqtt_test_panic(w->made);
     if (!refused_here(w)) mqtt_client_free(w->made), w->made = NULL;
     return result == MQTT_PANIC ? MQTT_OK : result;)

/* clang-format on */

#define ROW(name) {#name, call_##name, false}
#define ROW_WAITS(name) {#name, call_##name, true}

/* In an order in which each can be called after those before it. */
static const row calls[] = {
    ROW(mqtt_last_error),
    ROW(mqtt_last_reason),
    ROW(mqtt_version),
    ROW(mqtt_result_text),
    ROW(mqtt_result_name),
    ROW(mqtt_outcome_name),
    ROW(mqtt_status_name),
    ROW(mqtt_subscription_state_name),
    ROW(mqtt_packet_name),
    ROW(mqtt_reason_name),
    ROW(mqtt_set_runtime_threads),
    ROW(mqtt_options_new),
    ROW(mqtt_options_free),
    ROW(mqtt_options_set),
    ROW(mqtt_options_set_bytes),
    ROW(mqtt_options_add),
    ROW(mqtt_message_ref),
    ROW(mqtt_message_unref),
    ROW(mqtt_message_ack),
    ROW(mqtt_message_ack_with),
    ROW(mqtt_message_fail),
    ROW(mqtt_property_get),
    ROW(mqtt_client_new),
    ROW(mqtt_test_panic),
    ROW(mqtt_client_start),
    ROW(mqtt_client_status),
    ROW_WAITS(mqtt_client_wait_for),
    ROW(mqtt_client_dispatch),
    ROW(mqtt_client_fd),
    ROW(mqtt_client_poll),
    ROW(mqtt_client_stats_sized),
    ROW(mqtt_publish),
    ROW(mqtt_publish_ttl),
    ROW_WAITS(mqtt_explain),
    ROW_WAITS(mqtt_receipt_wait),
    ROW(mqtt_publish_with),
    ROW_WAITS(mqtt_cancel),
    ROW(mqtt_publish_many),
    ROW_WAITS(mqtt_client_wait_writable),
    ROW_WAITS(mqtt_client_flush),
    ROW_WAITS(mqtt_client_ping),
    ROW(mqtt_subscribe),
    ROW(mqtt_subscribe_with),
    ROW_WAITS(mqtt_reply_wait),
    ROW(mqtt_unsubscribe),
    ROW(mqtt_unsubscribe_with),
    ROW(mqtt_packet_answer),
    ROW(mqtt_auth_answer),
    ROW(mqtt_auth_refuse),
    ROW(mqtt_client_reauthenticate),
    ROW(mqtt_connect_options_new),
    ROW(mqtt_connect_options_set),
    ROW(mqtt_connect_options_set_bytes),
    ROW(mqtt_connect_options_add),
    ROW(mqtt_connect_answer),
    ROW(mqtt_connect_refuse),
    ROW(mqtt_connect_options_free),
    ROW(mqtt_options_set_signer),
    ROW(mqtt_sign_answer),
    ROW(mqtt_sign_refuse),
    ROW_WAITS(mqtt_request),
    ROW_WAITS(mqtt_request_with),
    ROW(mqtt_message_respond),
    ROW(mqtt_message_respond_with),
    ROW(mqtt_test_broker_new),
    ROW(mqtt_test_broker_free),
    ROW(mqtt_test_broker_new_with),
    ROW(mqtt_test_broker_url),
    ROW(mqtt_test_broker_ca_pem),
    ROW(mqtt_test_broker_client_cert_pem),
    ROW(mqtt_test_broker_client_key_pem),
    ROW(mqtt_test_broker_show_certificate),
    ROW(mqtt_test_broker_stop),
    ROW(mqtt_test_broker_start),
    ROW(mqtt_test_broker_stop_and_forget),
    ROW(mqtt_test_broker_swallow),
    ROW(mqtt_test_broker_swallow_outgoing),
    ROW(mqtt_test_broker_pause_reading),
    ROW(mqtt_test_broker_publish),
    ROW(mqtt_test_broker_received_count),
    ROW(mqtt_test_broker_received),
    ROW(mqtt_test_broker_wait_received),
    ROW(mqtt_client_on_message_with),
    ROW(mqtt_client_on_connection_with),
    ROW(mqtt_client_on_receipt_with),
    ROW(mqtt_client_on_subscription_with),
    ROW(mqtt_client_on_log_with),
    ROW(mqtt_client_on_events_with),
    ROW(mqtt_client_on_packet_with),
    ROW(mqtt_client_on_auth_with),
    ROW(mqtt_client_on_connect_with),
    ROW(mqtt_client_reconnect),
};

/* After each of these the client is of no more use: one of them is called last. */
/* clang-format off */
static const row endings[] = {
    ROW(mqtt_client_close),
    ROW(mqtt_client_close_with),
    ROW(mqtt_client_close_options),
    ROW(mqtt_client_free),
    ROW_WAITS(mqtt_shutdown),
};
/* clang-format on */

enum { CALLS = sizeof calls / sizeof *calls, ENDINGS = sizeof endings / sizeof *endings };

#endif
