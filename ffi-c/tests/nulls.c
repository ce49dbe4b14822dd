/* NULL in the place of every pointer of every function: allowed, or refused with a sentence that names the argument, and never a crash.
 * A test of the project fails where a pointer argument of the headers has no row here. */
#include "check.h"

/* Rows: function, argument, and a call with NULL there that is otherwise right. */
#define REFUSES(function, argument, call, sentence) FAILS(call, MQTT_NULL_POINTER, sentence)
#define ANSWERS(function, argument, condition, sentence) REFUSED(condition, sentence)
#define ALLOWS(function, argument, call) OK(call)
#define IGNORES(function, argument, call) call

#define NO_CLIENT "client must not be NULL"
#define NO_BROKER "broker must not be NULL"
#define NO_OPTIONS "options must not be NULL"
#define NO_CERTIFICATE "certificate must not be NULL"
#define NO_MESSAGE "message must not be NULL"

static counter drops = COUNTER_INIT;
static uint64_t number = 7;

static void on_message(void *context, const mqtt_message *message) {
    (void)context, (void)message;
}

static void on_connection(void *context, const mqtt_connection_event *event) {
    (void)context, (void)event;
}

static void on_receipt(void *context, const mqtt_receipt_event *event) {
    (void)context, (void)event;
}

static void on_subscription(void *context, const mqtt_subscription_event *event) {
    (void)context, (void)event;
}

static void on_log(void *context, const mqtt_log_event *event) {
    (void)context, (void)event;
}

static void on_events(void *context, const mqtt_event *events, size_t count) {
    (void)context, (void)events, (void)count;
}

static bool on_packet(void *context, const mqtt_packet_event *event) {
    (void)context, (void)event;
    return false;
}

static void on_auth(void *context, const mqtt_auth_event *event) {
    (void)context, (void)event;
}

static void on_connect(void *context, const mqtt_connect_event *event) {
    (void)context, (void)event;
}

static void on_sign(void *context, const mqtt_sign_event *event) {
    (void)context, (void)event;
}

static void on_drop(void *context) {
    (void)context;
    counter_add(&drops, 1);
}

static void options(void) {
    mqtt_options *options = mqtt_options_new();
    IGNORES(mqtt_options_free, options, mqtt_options_free(NULL));
    REFUSES(mqtt_options_set, options, mqtt_options_set(NULL, MQTT_OPT_CLIENT_ID, "a"), NO_OPTIONS);
    REFUSES(mqtt_options_set, option, mqtt_options_set(options, NULL, "a"), "option must not be NULL");
    REFUSES(mqtt_options_set, value, mqtt_options_set(options, MQTT_OPT_CLIENT_ID, NULL), "value must not be NULL");
    REFUSES(mqtt_options_set_bytes, options, mqtt_options_set_bytes(NULL, MQTT_OPT_PASSWORD, "a", 1), NO_OPTIONS);
    REFUSES(mqtt_options_set_bytes, option, mqtt_options_set_bytes(options, NULL, "a", 1), "option must not be NULL");
    REFUSES(mqtt_options_set_bytes, value, mqtt_options_set_bytes(options, MQTT_OPT_PASSWORD, NULL, 1),
            "value must not be NULL where its length is 1");
    ALLOWS(mqtt_options_set_bytes, value, mqtt_options_set_bytes(options, MQTT_OPT_PASSWORD, NULL, 0));
    REFUSES(mqtt_options_add, options, mqtt_options_add(NULL, MQTT_OPT_USER_PROPERTIES, "a", "b"), NO_OPTIONS);
    REFUSES(mqtt_options_add, option, mqtt_options_add(options, NULL, "a", "b"), "option must not be NULL");
    REFUSES(mqtt_options_add, name, mqtt_options_add(options, MQTT_OPT_USER_PROPERTIES, NULL, "b"), "name must not be NULL");
    REFUSES(mqtt_options_add, value, mqtt_options_add(options, MQTT_OPT_USER_PROPERTIES, "a", NULL), "value must not be NULL");
    REFUSES(mqtt_options_set_signer, options, mqtt_options_set_signer(NULL, on_sign, NULL, on_drop), NO_OPTIONS);
    ALLOWS(mqtt_options_set_signer, callback, mqtt_options_set_signer(options, NULL, NULL, on_drop));
    ALLOWS(mqtt_options_set_signer, context, mqtt_options_set_signer(options, on_sign, NULL, on_drop));
    ALLOWS(mqtt_options_set_signer, drop, mqtt_options_set_signer(options, on_sign, &drops, NULL));
    EXPECT(counter_value(&drops) == 3);
    counter_add(&drops, -3);
    mqtt_options_free(options);
    REFUSES(mqtt_sign_answer, signing, mqtt_sign_answer(NULL, "x", 1), "signing must not be NULL");
    REFUSES(mqtt_sign_refuse, signing, mqtt_sign_refuse(NULL, "no"), "signing must not be NULL");
}

static void connect_options(void) {
    mqtt_connect_options *options = mqtt_connect_options_new();
    const char *option = MQTT_CONNECT_OPT_PASSWORD, *list = MQTT_CONNECT_OPT_WEBSOCKET_HEADERS;
    IGNORES(mqtt_connect_options_free, options, mqtt_connect_options_free(NULL));
    REFUSES(mqtt_connect_options_set, options, mqtt_connect_options_set(NULL, option, "a"), NO_OPTIONS);
    REFUSES(mqtt_connect_options_set, option, mqtt_connect_options_set(options, NULL, "a"), "option must not be NULL");
    REFUSES(mqtt_connect_options_set, value, mqtt_connect_options_set(options, option, NULL), "value must not be NULL");
    REFUSES(mqtt_connect_options_set_bytes, options, mqtt_connect_options_set_bytes(NULL, option, "a", 1), NO_OPTIONS);
    REFUSES(mqtt_connect_options_set_bytes, option, mqtt_connect_options_set_bytes(options, NULL, "a", 1), "option must not be NULL");
    REFUSES(mqtt_connect_options_set_bytes, value, mqtt_connect_options_set_bytes(options, option, NULL, 1),
            "value must not be NULL where its length is 1");
    ALLOWS(mqtt_connect_options_set_bytes, value, mqtt_connect_options_set_bytes(options, option, NULL, 0));
    REFUSES(mqtt_connect_options_add, options, mqtt_connect_options_add(NULL, list, "a", "b"), NO_OPTIONS);
    REFUSES(mqtt_connect_options_add, option, mqtt_connect_options_add(options, NULL, "a", "b"), "option must not be NULL");
    REFUSES(mqtt_connect_options_add, name, mqtt_connect_options_add(options, list, NULL, "b"), "name must not be NULL");
    REFUSES(mqtt_connect_options_add, value, mqtt_connect_options_add(options, list, "a", NULL), "value must not be NULL");
    mqtt_connect_options_free(options);
}

static void messages(void) {
    mqtt_message made_up;
    mqtt_property property = {NULL, 0, NULL, 0, 7};
    memset(&made_up, 0, sizeof made_up);
    ANSWERS(mqtt_message_ref, message, mqtt_message_ref(NULL) == NULL, NO_MESSAGE);
    IGNORES(mqtt_message_unref, message, mqtt_message_unref(NULL));
    REFUSES(mqtt_message_ack, message, mqtt_message_ack(NULL, 0), NO_MESSAGE);
    REFUSES(mqtt_message_fail, message, mqtt_message_fail(NULL), NO_MESSAGE);
    REFUSES(mqtt_message_ack_with, message, mqtt_message_ack_with(NULL, 0, "words", NULL, 0), NO_MESSAGE);
    RESULT(mqtt_message_ack_with(&made_up, 0, NULL, NULL, 0), MQTT_NULL_POINTER);
    mqtt_letter letter = MQTT_LETTER_INIT;
    REFUSES(mqtt_message_respond, message, mqtt_message_respond(NULL, "x", 1, &number), NO_MESSAGE);
    REFUSES(mqtt_message_respond_with, message, mqtt_message_respond_with(NULL, &letter, &number), NO_MESSAGE);
    REFUSES(mqtt_message_respond_with, letter, mqtt_message_respond_with(&made_up, NULL, &number), "letter must not be NULL");
    RESULT(mqtt_message_respond(&made_up, "x", 1, NULL), MQTT_NULL_POINTER);
    RESULT(mqtt_message_respond_with(&made_up, &letter, NULL), MQTT_NULL_POINTER);
    /* One that did not come from leveret. */
    EXPECT(mqtt_message_ref(&made_up) == NULL);
    RESULT(mqtt_message_ack(&made_up, 0), MQTT_NULL_POINTER);
    RESULT(mqtt_message_fail(&made_up), MQTT_NULL_POINTER);
    IGNORES(mqtt_property_get, properties, EXPECT(!mqtt_property_get(NULL, MQTT_PROPERTY_USER_PROPERTY, 0, &property)));
    IGNORES(mqtt_property_get, property, EXPECT(!mqtt_property_get(NULL, MQTT_PROPERTY_USER_PROPERTY, 0, NULL)));
    EXPECT(property.number == 7);
}

static void clients(const char *url) {
    mqtt_client *client = NULL;
    mqtt_stats stats;
    ANSWERS(mqtt_client_new, url, mqtt_client_new(NULL, NULL) == NULL, "url must not be NULL");
    IGNORES(mqtt_client_new, options, EXPECT((client = mqtt_client_new(url, NULL)) != NULL));
    REFUSES(mqtt_client_start, client, mqtt_client_start(NULL), NO_CLIENT);
    IGNORES(mqtt_client_status, client, EXPECT(mqtt_client_status(NULL) == MQTT_STATUS_CLOSED));
    REFUSES(mqtt_client_wait_for, client, mqtt_client_wait_for(NULL, MQTT_STATUS_ONLINE, 0), NO_CLIENT);
    REFUSES(mqtt_client_reconnect, client, mqtt_client_reconnect(NULL), NO_CLIENT);
    REFUSES(mqtt_client_flush, client, mqtt_client_flush(NULL, 0), NO_CLIENT);
    REFUSES(mqtt_client_ping, client, mqtt_client_ping(NULL, 0, NULL), NO_CLIENT);
    REFUSES(mqtt_client_wait_writable, client, mqtt_client_wait_writable(NULL, 0), NO_CLIENT);
    REFUSES(mqtt_client_close, client, mqtt_client_close(NULL, 0), NO_CLIENT);
    REFUSES(mqtt_client_close_with, client, mqtt_client_close_with(NULL, 0, true), NO_CLIENT);
    mqtt_close_options how = MQTT_CLOSE_OPTIONS_INIT;
    REFUSES(mqtt_client_close_options, client, mqtt_client_close_options(NULL, &how), NO_CLIENT);
    how.user_property_count = 2;
    FAILS(mqtt_client_close_options(client, &how), MQTT_NULL_POINTER, "user_properties must not be NULL where its length is 2");
    IGNORES(mqtt_client_free, client, mqtt_client_free(NULL));
    REFUSES(mqtt_client_dispatch, client, mqtt_client_dispatch(NULL, MQTT_DISPATCH_POOL), NO_CLIENT);
    ANSWERS(mqtt_client_fd, client, mqtt_client_fd(NULL) == -1, NO_CLIENT);
    REFUSES(mqtt_client_poll, client, mqtt_client_poll(NULL, 0, NULL), NO_CLIENT);
    OK(mqtt_client_dispatch(client, MQTT_DISPATCH_POLL));
    ALLOWS(mqtt_client_poll, handled, mqtt_client_poll(client, 0, NULL));
    REFUSES(mqtt_client_stats_sized, client, mqtt_client_stats_sized(NULL, &stats, sizeof stats), NO_CLIENT);
    REFUSES(mqtt_client_stats_sized, stats, mqtt_client_stats_sized(client, NULL, sizeof stats), "stats must not be NULL");
    OK(mqtt_client_start(client));
    OK(mqtt_client_wait_for(client, MQTT_STATUS_ONLINE, SOON));
    ALLOWS(mqtt_client_ping, round_trip_us, mqtt_client_ping(client, SOON, NULL));
    REFUSES(mqtt_test_panic, client, mqtt_test_panic(NULL), NO_CLIENT);
    ALLOWS(mqtt_client_close_options, options, mqtt_client_close_options(client, NULL));
    mqtt_client_free(client);
}

/* A refused registration drops its context at once. */
static void registrations(mqtt_client *client) {
    REFUSES(mqtt_client_on_message_with, client, mqtt_client_on_message_with(NULL, on_message, NULL, on_drop), NO_CLIENT);
    REFUSES(mqtt_client_on_connection_with, client, mqtt_client_on_connection_with(NULL, on_connection, NULL, on_drop), NO_CLIENT);
    REFUSES(mqtt_client_on_receipt_with, client, mqtt_client_on_receipt_with(NULL, on_receipt, NULL, on_drop), NO_CLIENT);
    REFUSES(mqtt_client_on_subscription_with, client, mqtt_client_on_subscription_with(NULL, on_subscription, NULL, on_drop), NO_CLIENT);
    REFUSES(mqtt_client_on_log_with, client, mqtt_client_on_log_with(NULL, on_log, NULL, on_drop), NO_CLIENT);
    REFUSES(mqtt_client_on_events_with, client, mqtt_client_on_events_with(NULL, on_events, NULL, on_drop), NO_CLIENT);
    REFUSES(mqtt_subscribe_with, client, mqtt_subscribe_with(NULL, "t", NULL, on_message, NULL, on_drop, NULL), NO_CLIENT);
    EXPECT(counter_value(&drops) == 7);

    ALLOWS(mqtt_client_on_message_with, callback, mqtt_client_on_message_with(client, NULL, &drops, on_drop));
    ALLOWS(mqtt_client_on_connection_with, callback, mqtt_client_on_connection_with(client, NULL, &drops, on_drop));
    ALLOWS(mqtt_client_on_receipt_with, callback, mqtt_client_on_receipt_with(client, NULL, &drops, on_drop));
    ALLOWS(mqtt_client_on_subscription_with, callback, mqtt_client_on_subscription_with(client, NULL, &drops, on_drop));
    ALLOWS(mqtt_client_on_log_with, callback, mqtt_client_on_log_with(client, NULL, &drops, on_drop));
    ALLOWS(mqtt_client_on_events_with, callback, mqtt_client_on_events_with(client, NULL, &drops, on_drop));
    EXPECT(counter_value(&drops) == 13);

    ALLOWS(mqtt_client_on_message_with, context, mqtt_client_on_message_with(client, on_message, NULL, on_drop));
    ALLOWS(mqtt_client_on_connection_with, context, mqtt_client_on_connection_with(client, on_connection, NULL, on_drop));
    ALLOWS(mqtt_client_on_receipt_with, context, mqtt_client_on_receipt_with(client, on_receipt, NULL, on_drop));
    ALLOWS(mqtt_client_on_subscription_with, context, mqtt_client_on_subscription_with(client, on_subscription, NULL, on_drop));
    ALLOWS(mqtt_client_on_log_with, context, mqtt_client_on_log_with(client, on_log, NULL, on_drop));
    ALLOWS(mqtt_client_on_events_with, context, mqtt_client_on_events_with(client, on_events, NULL, on_drop));
    EXPECT(counter_value(&drops) == 13);

    ALLOWS(mqtt_client_on_message_with, drop, mqtt_client_on_message_with(client, on_message, &drops, NULL));
    ALLOWS(mqtt_client_on_connection_with, drop, mqtt_client_on_connection_with(client, on_connection, &drops, NULL));
    ALLOWS(mqtt_client_on_receipt_with, drop, mqtt_client_on_receipt_with(client, on_receipt, &drops, NULL));
    ALLOWS(mqtt_client_on_subscription_with, drop, mqtt_client_on_subscription_with(client, on_subscription, &drops, NULL));
    ALLOWS(mqtt_client_on_log_with, drop, mqtt_client_on_log_with(client, on_log, &drops, NULL));
    ALLOWS(mqtt_client_on_events_with, drop, mqtt_client_on_events_with(client, on_events, &drops, NULL));
    EXPECT(counter_value(&drops) == 19); /* of those that were replaced */
}

static void hooks(mqtt_client *client) {
    static const int all = MQTT_PACKET_PUBREC | MQTT_PACKET_PUBREL;
    mqtt_pair half = {"name", NULL};
    long before = counter_value(&drops);
    REFUSES(mqtt_client_on_packet_with, client, mqtt_client_on_packet_with(NULL, all, on_packet, NULL, on_drop), NO_CLIENT);
    REFUSES(mqtt_client_on_auth_with, client, mqtt_client_on_auth_with(NULL, on_auth, NULL, on_drop), NO_CLIENT);
    ALLOWS(mqtt_client_on_packet_with, callback, mqtt_client_on_packet_with(client, all, NULL, NULL, on_drop));
    ALLOWS(mqtt_client_on_auth_with, callback, mqtt_client_on_auth_with(client, NULL, NULL, on_drop));
    ALLOWS(mqtt_client_on_packet_with, context, mqtt_client_on_packet_with(client, all, on_packet, NULL, on_drop));
    ALLOWS(mqtt_client_on_packet_with, drop, mqtt_client_on_packet_with(client, all, on_packet, &drops, NULL));
    /* A client without the option authentication_method can have none. */
    IGNORES(mqtt_client_on_auth_with, context, RESULT(mqtt_client_on_auth_with(client, on_auth, NULL, on_drop), MQTT_INVALID_ARGUMENT));
    IGNORES(mqtt_client_on_auth_with, drop, RESULT(mqtt_client_on_auth_with(client, on_auth, &drops, NULL), MQTT_INVALID_ARGUMENT));
    EXPECT(counter_value(&drops) == before + 6);
    REFUSES(mqtt_packet_answer, client, mqtt_packet_answer(NULL, 1, NULL, NULL, 0), NO_CLIENT);
    ALLOWS(mqtt_packet_answer, reason_string, mqtt_packet_answer(client, UINT64_MAX, NULL, NULL, 0));
    ALLOWS(mqtt_packet_answer, user_properties, mqtt_packet_answer(client, UINT64_MAX, "words", NULL, 0));
    FAILS(mqtt_packet_answer(client, UINT64_MAX, NULL, NULL, 1), MQTT_NULL_POINTER,
          "user_properties must not be NULL where its length is 1");
    FAILS(mqtt_packet_answer(client, UINT64_MAX, NULL, &half, 1), MQTT_NULL_POINTER, "value of a pair must not be NULL");
    REFUSES(mqtt_auth_answer, client, mqtt_auth_answer(NULL, 1, NULL, 0, NULL, NULL, 0), NO_CLIENT);
    ALLOWS(mqtt_auth_answer, data, mqtt_auth_answer(client, UINT64_MAX, NULL, 0, NULL, NULL, 0));
    ALLOWS(mqtt_auth_answer, reason_string, mqtt_auth_answer(client, UINT64_MAX, "x", 1, NULL, NULL, 0));
    ALLOWS(mqtt_auth_answer, user_properties, mqtt_auth_answer(client, UINT64_MAX, "x", 1, "words", NULL, 0));
    FAILS(mqtt_auth_answer(client, UINT64_MAX, NULL, 3, NULL, NULL, 0), MQTT_NULL_POINTER, "data must not be NULL where its length is 3");
    REFUSES(mqtt_auth_refuse, client, mqtt_auth_refuse(NULL, 1, "no"), NO_CLIENT);
    REFUSES(mqtt_auth_refuse, text, mqtt_auth_refuse(client, UINT64_MAX, NULL), "text must not be NULL");
    before = counter_value(&drops);
    REFUSES(mqtt_client_on_connect_with, client, mqtt_client_on_connect_with(NULL, on_connect, NULL, on_drop), NO_CLIENT);
    ALLOWS(mqtt_client_on_connect_with, callback, mqtt_client_on_connect_with(client, NULL, NULL, on_drop));
    ALLOWS(mqtt_client_on_connect_with, context, mqtt_client_on_connect_with(client, on_connect, NULL, on_drop));
    ALLOWS(mqtt_client_on_connect_with, drop, mqtt_client_on_connect_with(client, on_connect, &drops, NULL));
    EXPECT(counter_value(&drops) == before + 3);
    REFUSES(mqtt_connect_answer, client, mqtt_connect_answer(NULL, 1, NULL), NO_CLIENT);
    ALLOWS(mqtt_connect_answer, options, mqtt_connect_answer(client, UINT64_MAX, NULL));
    REFUSES(mqtt_connect_refuse, client, mqtt_connect_refuse(NULL, 1, "no"), NO_CLIENT);
    REFUSES(mqtt_connect_refuse, text, mqtt_connect_refuse(client, UINT64_MAX, NULL), "text must not be NULL");
    REFUSES(mqtt_client_reauthenticate, client, mqtt_client_reauthenticate(NULL, &number), NO_CLIENT);
    ALLOWS(mqtt_client_reauthenticate, reply, mqtt_client_reauthenticate(client, NULL));
    EXPECT(number == 7);
}

/* A handshake that waits for its signature. */
static void on_handshake(void *context, const mqtt_sign_event *event) {
    REFUSES(mqtt_sign_answer, signature, mqtt_sign_answer(event->signing, NULL, 3), "signature must not be NULL where its length is 3");
    RESULT(mqtt_sign_answer(event->signing, NULL, 0), MQTT_INVALID_ARGUMENT);
    REFUSES(mqtt_sign_refuse, text, mqtt_sign_refuse(event->signing, NULL), "text must not be NULL");
    counter_add(context, 1);
}

static void handshakes(void) {
    static const char *const wants[] = {"client_certificates", "true", NULL};
    static counter came = COUNTER_INIT;
    mqtt_test_broker *broker = mqtt_test_broker_new_with(wants);
    mqtt_options *options = mqtt_options_new();
    OK(mqtt_options_set(options, MQTT_OPT_TLS_CA, mqtt_test_broker_ca_pem(broker)));
    OK(mqtt_options_set(options, MQTT_OPT_TLS_CERT, mqtt_test_broker_client_cert_pem(broker)));
    OK(mqtt_options_set_signer(options, on_handshake, &came, NULL));
    mqtt_client *client = mqtt_client_new(mqtt_test_broker_url(broker), options);
    mqtt_options_free(options);
    OK(mqtt_client_start(client));
    EXPECT(counter_reaches(&came, 1));
    mqtt_client_free(client);
    mqtt_test_broker_free(broker);
}

/* Words for the acknowledgement of a message, each left out once. */
static void on_words(void *context, const mqtt_message *message) {
    ALLOWS(mqtt_message_ack_with, reason_string, mqtt_message_ack_with(message, 0, NULL, NULL, 0));
    ALLOWS(mqtt_message_ack_with, user_properties, mqtt_message_ack_with(message, 0, "words", NULL, 0));
    FAILS(mqtt_message_ack_with(message, 0, NULL, NULL, 1), MQTT_NULL_POINTER, "user_properties must not be NULL where its length is 1");
    counter_add(context, 1);
}

static void acknowledgements(mqtt_client *client) {
    static counter came = COUNTER_INIT;
    OK(mqtt_subscribe(client, "words", 1, on_words, &came));
    OK(mqtt_publish(client, "words", "x", 1, 1, false, NULL));
    EXPECT(counter_reaches(&came, 1));
}

static void letters(mqtt_client *client) {
    mqtt_letter letter = MQTT_LETTER_INIT, nowhere = MQTT_LETTER_INIT;
    uint64_t receipt;
    size_t accepted;
    letter.topic = "t";
    REFUSES(mqtt_publish, client, mqtt_publish(NULL, "t", "x", 1, 1, false, &number), NO_CLIENT);
    REFUSES(mqtt_publish, topic, mqtt_publish(client, NULL, "x", 1, 1, false, &number), "topic must not be NULL");
    REFUSES(mqtt_publish, payload, mqtt_publish(client, "t", NULL, 3, 1, false, &number), "payload must not be NULL where its length is 3");
    ALLOWS(mqtt_publish, payload, mqtt_publish(client, "t", NULL, 0, 1, false, &receipt));
    ALLOWS(mqtt_publish, receipt, mqtt_publish(client, "t", "x", 1, 1, false, NULL));
    REFUSES(mqtt_publish_ttl, client, mqtt_publish_ttl(NULL, "t", "x", 1, 1, false, 1, &number), NO_CLIENT);
    REFUSES(mqtt_publish_ttl, topic, mqtt_publish_ttl(client, NULL, "x", 1, 1, false, 1, &number), "topic must not be NULL");
    REFUSES(mqtt_publish_ttl, payload, mqtt_publish_ttl(client, "t", NULL, 3, 1, false, 1, &number),
            "payload must not be NULL where its length is 3");
    ALLOWS(mqtt_publish_ttl, receipt, mqtt_publish_ttl(client, "t", "x", 1, 1, false, 60000, NULL));
    REFUSES(mqtt_publish_with, client, mqtt_publish_with(NULL, &letter, &number), NO_CLIENT);
    REFUSES(mqtt_publish_with, letter, mqtt_publish_with(client, NULL, &number), "letter must not be NULL");
    ALLOWS(mqtt_publish_with, receipt, mqtt_publish_with(client, &letter, NULL));
    REFUSES(mqtt_publish_many, client, mqtt_publish_many(NULL, &letter, 1, &number, NULL), NO_CLIENT);
    REFUSES(mqtt_publish_many, letters, mqtt_publish_many(client, NULL, 2, &number, NULL), "letter must not be NULL");
    ALLOWS(mqtt_publish_many, letters, mqtt_publish_many(client, NULL, 0, NULL, NULL));
    ALLOWS(mqtt_publish_many, receipts, mqtt_publish_many(client, &letter, 1, NULL, &accepted));
    ALLOWS(mqtt_publish_many, accepted, mqtt_publish_many(client, &letter, 1, &receipt, NULL));
    EXPECT(number == 7); /* outputs are written only on success */

    /* The pointers of a letter. */
    RESULT(mqtt_publish_with(client, &nowhere, NULL), MQTT_NULL_POINTER);
    letter.user_property_count = 1;
    FAILS(mqtt_publish_with(client, &letter, NULL), MQTT_NULL_POINTER, "user_properties must not be NULL where its length is 1");
    letter.user_property_count = 0;
    letter.correlation_data_length = 1;
    FAILS(mqtt_publish_with(client, &letter, NULL), MQTT_NULL_POINTER, "correlation_data must not be NULL where its length is 1");
}

static void on_request(void *context, const mqtt_message *message) {
    uint64_t receipt = 7;
    (void)context;
    REFUSES(mqtt_message_respond, payload, mqtt_message_respond(message, NULL, 3, &receipt),
            "payload must not be NULL where its length is 3");
    EXPECT(receipt == 7); /* outputs are written only on success */
    if (message->payload_length == 1) {
        ALLOWS(mqtt_message_respond, payload, mqtt_message_respond(message, NULL, 0, &receipt));
    } else if (message->payload_length == 2) {
        ALLOWS(mqtt_message_respond, receipt, mqtt_message_respond(message, "x", 1, NULL));
    } else {
        mqtt_letter letter = MQTT_LETTER_INIT;
        ALLOWS(mqtt_message_respond_with, receipt, mqtt_message_respond_with(message, &letter, NULL));
    }
}

static void requests(mqtt_client *client) {
    mqtt_letter letter = MQTT_LETTER_INIT;
    const mqtt_message *response = NULL;
    letter.topic = "asked";
    letter.payload = "?";
    letter.payload_length = 1;
    REFUSES(mqtt_request, client, mqtt_request(NULL, "asked", "?", 1, SOON, &response), NO_CLIENT);
    REFUSES(mqtt_request, topic, mqtt_request(client, NULL, "?", 1, SOON, &response), "topic must not be NULL");
    REFUSES(mqtt_request, payload, mqtt_request(client, "asked", NULL, 3, SOON, &response),
            "payload must not be NULL where its length is 3");
    REFUSES(mqtt_request_with, client, mqtt_request_with(NULL, &letter, SOON, &response), NO_CLIENT);
    REFUSES(mqtt_request_with, letter, mqtt_request_with(client, NULL, SOON, &response), "letter must not be NULL");
    EXPECT(response == NULL);
    uint64_t reply;
    OK(mqtt_subscribe_with(client, "asked", NULL, on_request, NULL, NULL, &reply));
    OK(mqtt_reply_wait(client, reply, SOON, NULL));
    ALLOWS(mqtt_request, response, mqtt_request(client, "asked", "?", 1, SOON, NULL));
    ALLOWS(mqtt_request, payload, mqtt_request(client, "asked", NULL, 0, SOON, NULL));
    ALLOWS(mqtt_request_with, response, mqtt_request_with(client, &letter, SOON, NULL));
    OK(mqtt_request(client, "asked", "??", 2, SOON, &response));
    EXPECT(response != NULL && response->payload_length == 1);
    mqtt_message_unref(response);
    OK(mqtt_unsubscribe(client, "asked", NULL));
}

static void receipts(mqtt_client *client) {
    char text[8];
    uint64_t receipt;
    size_t length;
    OK(mqtt_publish(client, "t", "x", 1, 1, false, &receipt));
    REFUSES(mqtt_explain, client, mqtt_explain(NULL, 1, text, sizeof text, NULL), NO_CLIENT);
    REFUSES(mqtt_explain, text, mqtt_explain(client, 1, NULL, 5, NULL), "text must not be NULL where its length is 5");
    ALLOWS(mqtt_explain, text, mqtt_explain(client, 1, NULL, 0, &length));
    ALLOWS(mqtt_explain, length, mqtt_explain(client, 1, text, sizeof text, NULL));
    REFUSES(mqtt_receipt_wait, client, mqtt_receipt_wait(NULL, 1, 0, NULL), NO_CLIENT);
    ALLOWS(mqtt_receipt_wait, outcome, mqtt_receipt_wait(client, receipt, SOON, NULL));
    REFUSES(mqtt_cancel, client, mqtt_cancel(NULL, 1, NULL), NO_CLIENT);
    ALLOWS(mqtt_cancel, found, mqtt_cancel(client, receipt, NULL));
}

static void subscriptions(mqtt_client *client) {
    mqtt_subscribe_options how = MQTT_SUBSCRIBE_OPTIONS_INIT;
    uint64_t reply;
    REFUSES(mqtt_subscribe, client, mqtt_subscribe(NULL, "t", 1, on_message, NULL), NO_CLIENT);
    REFUSES(mqtt_subscribe, filter, mqtt_subscribe(client, NULL, 1, on_message, NULL), "topic filter must not be NULL");
    ALLOWS(mqtt_subscribe, callback, mqtt_subscribe(client, "t", 1, NULL, &drops));
    ALLOWS(mqtt_subscribe, context, mqtt_subscribe(client, "t", 1, on_message, NULL));
    REFUSES(mqtt_subscribe_with, filter, mqtt_subscribe_with(client, NULL, &how, on_message, NULL, NULL, NULL),
            "topic filter must not be NULL");
    ALLOWS(mqtt_subscribe_with, options, mqtt_subscribe_with(client, "t", NULL, on_message, &drops, on_drop, &reply));
    ALLOWS(mqtt_subscribe_with, callback, mqtt_subscribe_with(client, "t", &how, NULL, &drops, on_drop, &reply));
    ALLOWS(mqtt_subscribe_with, context, mqtt_subscribe_with(client, "t", &how, on_message, NULL, on_drop, &reply));
    ALLOWS(mqtt_subscribe_with, drop, mqtt_subscribe_with(client, "t", &how, on_message, &drops, NULL, &reply));
    ALLOWS(mqtt_subscribe_with, reply, mqtt_subscribe_with(client, "t", &how, on_message, &drops, on_drop, NULL));
    how.user_property_count = 2;
    FAILS(mqtt_subscribe_with(client, "t", &how, NULL, NULL, NULL, NULL), MQTT_NULL_POINTER,
          "user_properties must not be NULL where its length is 2");
    REFUSES(mqtt_reply_wait, client, mqtt_reply_wait(NULL, 1, 0, NULL), NO_CLIENT);
    ALLOWS(mqtt_reply_wait, reason, mqtt_reply_wait(client, reply, SOON, NULL));
    REFUSES(mqtt_unsubscribe, client, mqtt_unsubscribe(NULL, "t", &number), NO_CLIENT);
    REFUSES(mqtt_unsubscribe, filter, mqtt_unsubscribe(client, NULL, &number), "topic filter must not be NULL");
    ALLOWS(mqtt_unsubscribe, reply, mqtt_unsubscribe(client, "t", NULL));
    REFUSES(mqtt_unsubscribe_with, client, mqtt_unsubscribe_with(NULL, "t", NULL, 0, &number), NO_CLIENT);
    REFUSES(mqtt_unsubscribe_with, filter, mqtt_unsubscribe_with(client, NULL, NULL, 0, &number), "topic filter must not be NULL");
    ALLOWS(mqtt_unsubscribe_with, user_properties, mqtt_unsubscribe_with(client, "t", NULL, 0, &reply));
    ALLOWS(mqtt_unsubscribe_with, reply, mqtt_unsubscribe_with(client, "t", NULL, 0, NULL));
    FAILS(mqtt_unsubscribe_with(client, "t", NULL, 1, NULL), MQTT_NULL_POINTER, "user_properties must not be NULL where its length is 1");
    EXPECT(number == 7);
}

static void brokers(mqtt_test_broker *broker) {
    mqtt_message message;
    IGNORES(mqtt_test_broker_new_with, options, mqtt_test_broker_free(mqtt_test_broker_new_with(NULL)));
    IGNORES(mqtt_test_broker_free, broker, mqtt_test_broker_free(NULL));
    ANSWERS(mqtt_test_broker_url, broker, mqtt_test_broker_url(NULL) == NULL, NO_BROKER);
    ANSWERS(mqtt_test_broker_ca_pem, broker, mqtt_test_broker_ca_pem(NULL) == NULL, NO_BROKER);
    ANSWERS(mqtt_test_broker_client_cert_pem, broker, mqtt_test_broker_client_cert_pem(NULL) == NULL, NO_BROKER);
    ANSWERS(mqtt_test_broker_client_key_pem, broker, mqtt_test_broker_client_key_pem(NULL) == NULL, NO_BROKER);
    REFUSES(mqtt_test_broker_show_certificate, broker, mqtt_test_broker_show_certificate(NULL, "valid"), NO_BROKER);
    REFUSES(mqtt_test_broker_show_certificate, certificate, mqtt_test_broker_show_certificate(broker, NULL), NO_CERTIFICATE);
    REFUSES(mqtt_test_broker_stop, broker, mqtt_test_broker_stop(NULL), NO_BROKER);
    REFUSES(mqtt_test_broker_stop_and_forget, broker, mqtt_test_broker_stop_and_forget(NULL), NO_BROKER);
    REFUSES(mqtt_test_broker_start, broker, mqtt_test_broker_start(NULL), NO_BROKER);
    REFUSES(mqtt_test_broker_swallow, broker, mqtt_test_broker_swallow(NULL, "PUBLISH", 1), NO_BROKER);
    REFUSES(mqtt_test_broker_swallow, packet, mqtt_test_broker_swallow(broker, NULL, 1), "packet must not be NULL");
    REFUSES(mqtt_test_broker_swallow_outgoing, broker, mqtt_test_broker_swallow_outgoing(NULL, "PUBACK", 1), NO_BROKER);
    REFUSES(mqtt_test_broker_swallow_outgoing, packet, mqtt_test_broker_swallow_outgoing(broker, NULL, 1), "packet must not be NULL");
    REFUSES(mqtt_test_broker_pause_reading, broker, mqtt_test_broker_pause_reading(NULL, true), NO_BROKER);
    REFUSES(mqtt_test_broker_publish, broker, mqtt_test_broker_publish(NULL, "t", "x", 1, 0, false), NO_BROKER);
    REFUSES(mqtt_test_broker_publish, topic, mqtt_test_broker_publish(broker, NULL, "x", 1, 0, false), "topic must not be NULL");
    REFUSES(mqtt_test_broker_publish, payload, mqtt_test_broker_publish(broker, "t", NULL, 1, 0, false),
            "payload must not be NULL where its length is 1");
    IGNORES(mqtt_test_broker_received_count, broker, EXPECT(mqtt_test_broker_received_count(NULL) == 0));
    REFUSES(mqtt_test_broker_received, broker, mqtt_test_broker_received(NULL, 0, &message), NO_BROKER);
    ALLOWS(mqtt_test_broker_received, message, mqtt_test_broker_received(broker, 0, NULL));
    REFUSES(mqtt_test_broker_wait_received, broker, mqtt_test_broker_wait_received(NULL, 1, 0), NO_BROKER);
}

int main(void) {
    mqtt_test_broker *broker = mqtt_test_broker_new();
    const char *url = mqtt_test_broker_url(broker);
    options();
    connect_options();
    handshakes();
    messages();
    clients(url);
    mqtt_client *client = online_client(url, NULL);
    registrations(client);
    hooks(client);
    acknowledgements(client);
    letters(client);
    receipts(client);
    requests(client);
    subscriptions(client);
    brokers(broker);
    mqtt_client_free(client);
    mqtt_test_broker_free(broker);
    puts("nulls: ok");
    return 0;
}
