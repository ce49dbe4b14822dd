/* Wrong arguments: NULL everywhere, numbers out of range, texts that are none. Each is refused with its sentence, and nothing crashes. */
#include "check.h"

#define NULL_CLIENT "client must not be NULL"

static void ignore_message(void *context, const mqtt_message *message) {
    (void)context, (void)message;
}

static void count_drop(void *context) {
    counter_add(context, 1);
}

static void null_clients(void) {
    mqtt_letter letter = MQTT_LETTER_INIT;
    mqtt_outcome outcome;
    mqtt_stats stats;
    uint64_t number = 7;
    char text[8];
    FAILS(mqtt_client_start(NULL), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_client_wait_for(NULL, MQTT_STATUS_ONLINE, 0), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_client_stats(NULL, &stats), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_client_reconnect(NULL), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_client_flush(NULL, 0), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_client_ping(NULL, 0, NULL), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_client_wait_writable(NULL, 0), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_client_close(NULL, 0), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_client_close_with(NULL, 0, true), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_client_dispatch(NULL, MQTT_DISPATCH_POOL), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_client_poll(NULL, 0, NULL), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_publish(NULL, "t", NULL, 0, 1, false, &number), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_publish_ttl(NULL, "t", NULL, 0, 1, false, 1, &number), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_publish_with(NULL, &letter, &number), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_publish_many(NULL, &letter, 1, &number, NULL), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_cancel(NULL, 1, NULL), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_explain(NULL, 1, text, sizeof text, NULL), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_receipt_wait(NULL, 1, 0, &outcome), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_subscribe(NULL, "t", 1, ignore_message, NULL), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_unsubscribe(NULL, "t", NULL), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_reply_wait(NULL, 1, 0, NULL), MQTT_NULL_POINTER, NULL_CLIENT);
    EXPECT(number == 7); /* outputs are written only on success */
    EXPECT(mqtt_client_status(NULL) == MQTT_STATUS_CLOSED);
    REFUSED(mqtt_client_fd(NULL) == -1, NULL_CLIENT);
    mqtt_client_free(NULL);
}

static void null_registrations_drop_their_context(void) {
    counter drops = COUNTER_INIT;
    FAILS(mqtt_client_on_message_with(NULL, ignore_message, &drops, count_drop), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_client_on_connection_with(NULL, NULL, &drops, count_drop), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_client_on_receipt_with(NULL, NULL, &drops, count_drop), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_client_on_subscription_with(NULL, NULL, &drops, count_drop), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_client_on_log_with(NULL, NULL, &drops, count_drop), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_client_on_events_with(NULL, NULL, &drops, count_drop), MQTT_NULL_POINTER, NULL_CLIENT);
    FAILS(mqtt_subscribe_with(NULL, "t", NULL, ignore_message, &drops, count_drop, NULL), MQTT_NULL_POINTER, NULL_CLIENT);
    EXPECT(counter_value(&drops) == 7);
}

static void other_nulls(mqtt_client *client) {
    mqtt_letter letter = MQTT_LETTER_INIT;
    mqtt_property property;
    mqtt_stats *nowhere = NULL;
    REFUSED(mqtt_client_new(NULL, NULL) == NULL, "url must not be NULL");
    FAILS(mqtt_client_stats(client, nowhere), MQTT_NULL_POINTER, "stats must not be NULL");
    FAILS(mqtt_publish(client, NULL, NULL, 0, 1, false, NULL), MQTT_NULL_POINTER, "topic must not be NULL");
    FAILS(mqtt_publish(client, "t", NULL, 3, 1, false, NULL), MQTT_NULL_POINTER, "payload must not be NULL where its length is 3");
    FAILS(mqtt_publish_with(client, NULL, NULL), MQTT_NULL_POINTER, "letter must not be NULL");
    FAILS(mqtt_publish_with(client, &letter, NULL), MQTT_NULL_POINTER, "topic must not be NULL");
    letter.topic = "t";
    letter.user_property_count = 1;
    FAILS(mqtt_publish_with(client, &letter, NULL), MQTT_NULL_POINTER, "user_properties must not be NULL where its length is 1");
    FAILS(mqtt_publish_many(client, NULL, 2, NULL, NULL), MQTT_NULL_POINTER, "letter must not be NULL");
    OK(mqtt_publish_many(client, NULL, 0, NULL, NULL));
    FAILS(mqtt_subscribe(client, NULL, 1, ignore_message, NULL), MQTT_NULL_POINTER, "topic filter must not be NULL");
    FAILS(mqtt_unsubscribe(client, NULL, NULL), MQTT_NULL_POINTER, "topic filter must not be NULL");
    FAILS(mqtt_explain(client, 1, NULL, 5, NULL), MQTT_NULL_POINTER, "text must not be NULL where its length is 5");
    FAILS(mqtt_message_ack(NULL, 0), MQTT_NULL_POINTER, "message must not be NULL");
    REFUSED(mqtt_message_ref(NULL) == NULL, "message must not be NULL");
    mqtt_message_unref(NULL);
    EXPECT(!mqtt_property_get(NULL, MQTT_PROPERTY_USER_PROPERTY, 0, &property));
    OK(mqtt_cancel(client, 0, NULL));
}

static void options(void) {
    mqtt_options *options = mqtt_options_new();
    FAILS(mqtt_options_set(NULL, "a", "b"), MQTT_NULL_POINTER, "options must not be NULL");
    FAILS(mqtt_options_set(options, NULL, "b"), MQTT_NULL_POINTER, "option must not be NULL");
    FAILS(mqtt_options_set(options, "client_id", NULL), MQTT_NULL_POINTER, "value must not be NULL");
    FAILS(mqtt_options_set_bytes(NULL, "a", "b", 1), MQTT_NULL_POINTER, "options must not be NULL");
    FAILS(mqtt_options_set_bytes(options, "password", NULL, 1), MQTT_NULL_POINTER, "value must not be NULL where its length is 1");
    FAILS(mqtt_options_add(options, "user_properties", "a", NULL), MQTT_NULL_POINTER, "value must not be NULL");
    FAILS(mqtt_options_add(NULL, "user_properties", "a", "b"), MQTT_NULL_POINTER, "options must not be NULL");
    RESULT(mqtt_options_set(options, "keep_alvie", "60s"), MQTT_UNKNOWN_OPTION);
    EXPECT(strstr(mqtt_last_error(), "keep_alvie") != NULL && strstr(mqtt_last_error(), "did you mean keep_alive?") != NULL);
    RESULT(mqtt_options_set(options, MQTT_OPT_KEEP_ALIVE, "soon"), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_options_set(options, MQTT_OPT_KEEP_ALIVE, "65536s"), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_options_set(options, MQTT_OPT_KEEP_ALIVE, "1500ms"), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_options_set(options, MQTT_OPT_MAX_QUEUED_MESSAGES, "0"), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_options_set(options, MQTT_OPT_CLEAN_START, "yes"), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_options_set(options, MQTT_OPT_CLIENT_ID, "\xff"), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_options_add(options, MQTT_OPT_CLIENT_ID, "a", "b"), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_options_set_bytes(options, MQTT_OPT_KEEP_ALIVE, "1", 1), MQTT_INVALID_ARGUMENT);
    OK(mqtt_options_set(options, MQTT_OPT_PASSWORD, "very secret"));
    OK(mqtt_options_set_bytes(options, MQTT_OPT_WILL_PAYLOAD, NULL, 0));
    mqtt_options_free(options);
    mqtt_options_free(NULL);
}

static void urls(void) {
    const char *wrong[] = {"", " ", "localhost", "ftp://localhost", "mqtt://", "mqtt://h:99999", "mqtt://h mqtt://", "\xff"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        EXPECT(mqtt_client_new(wrong[i], NULL) == NULL);
        EXPECT(strlen(mqtt_last_error()) > 0);
    }
}

static void publishing(mqtt_client *client) {
    static char huge[268435457];
    mqtt_letter letter = MQTT_LETTER_INIT;
    uint64_t receipt;
    FAILS(mqtt_publish(client, "t", "x", 1, 3, false, &receipt), MQTT_INVALID_ARGUMENT, "qos must be 0, 1 or 2, not 3");
    FAILS(mqtt_publish(client, "t", "x", 1, -1, false, &receipt), MQTT_INVALID_ARGUMENT, "qos must be 0, 1 or 2, not -1");
    FAILS(mqtt_publish(client, "t", "x", 1, 257, false, &receipt), MQTT_INVALID_ARGUMENT, "qos must be 0, 1 or 2, not 257");
    FAILS(mqtt_publish(client, "", "x", 1, 1, false, &receipt), MQTT_INVALID_ARGUMENT,
          "topic must have at least one character, but \"\" does not");
    FAILS(mqtt_publish(client, "doors/+", "x", 1, 1, false, &receipt), MQTT_INVALID_ARGUMENT,
          "topic must not contain the wildcard '+' or '#', but \"doors/+\" does");
    FAILS(mqtt_publish(client, "\xc3(", "x", 1, 1, false, &receipt), MQTT_INVALID_ARGUMENT, "topic must be UTF-8, but it is not");
    RESULT(mqtt_publish(client, "t", huge, sizeof huge, 1, false, &receipt), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_publish(client, "t", huge, (size_t)-1, 1, false, &receipt), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_publish_ttl(client, "t", "x", 1, 1, false, 0, &receipt), MQTT_INVALID_ARGUMENT);
    EXPECT(strncmp(mqtt_last_error(), "ttl must be ", 12) == 0);

    letter.topic = "t";
    letter.priority = 3;
    FAILS(mqtt_publish_with(client, &letter, &receipt), MQTT_INVALID_ARGUMENT, "priority must be the number of high, normal or low, not 3");
    letter.priority = MQTT_PRIORITY_LOW;
    letter.overflow = 9;
    RESULT(mqtt_publish_with(client, &letter, &receipt), MQTT_INVALID_ARGUMENT);
    letter.overflow = MQTT_OVERFLOW_REJECT;
    letter.payload_format = 2;
    FAILS(mqtt_publish_with(client, &letter, &receipt), MQTT_INVALID_ARGUMENT, "payload_format must be 0 or 1, or -1 for none, not 2");
    letter.payload_format = 1;
    letter.message_expiry_s = 4294967296;
    RESULT(mqtt_publish_with(client, &letter, &receipt), MQTT_INVALID_ARGUMENT);
    letter.message_expiry_s = 0;
    letter.response_topic = "a/#";
    RESULT(mqtt_publish_with(client, &letter, &receipt), MQTT_INVALID_ARGUMENT);
    letter.response_topic = NULL;
    letter.size = 8;
    RESULT(mqtt_publish_with(client, &letter, &receipt), MQTT_INVALID_ARGUMENT);
    EXPECT(strstr(mqtt_last_error(), "MQTT_LETTER_INIT") != NULL);
}

/* One wrong letter: none is posted. */
static void publishing_many(mqtt_client *client) {
    mqtt_letter letters[3] = {MQTT_LETTER_INIT, MQTT_LETTER_INIT, MQTT_LETTER_INIT};
    uint64_t receipts[3];
    size_t accepted = 9;
    mqtt_stats before, after;
    letters[0].topic = letters[1].topic = letters[2].topic = "t";
    letters[2].qos = 3;
    OK(mqtt_client_stats(client, &before));
    FAILS(mqtt_publish_many(client, letters, 3, receipts, &accepted), MQTT_INVALID_ARGUMENT, "qos must be 0, 1 or 2, not 3");
    OK(mqtt_client_stats(client, &after));
    EXPECT(accepted == 0 && after.queued == before.queued);
    letters[1].size = 0;
    RESULT(mqtt_publish_many(client, letters, 3, receipts, &accepted), MQTT_INVALID_ARGUMENT);
}

static void the_rest(mqtt_client *client) {
    mqtt_subscribe_options how = MQTT_SUBSCRIBE_OPTIONS_INIT;
    counter drops = COUNTER_INIT;
    FAILS(mqtt_client_wait_for(client, 3, 0), MQTT_INVALID_ARGUMENT, "status must be one of MQTT_STATUS_…, not 3");
    FAILS(mqtt_client_dispatch(client, 7), MQTT_INVALID_ARGUMENT, "dispatch must be one of MQTT_DISPATCH_…, not 7");
    RESULT(mqtt_client_poll(client, 0, NULL), MQTT_INVALID_ARGUMENT);
    EXPECT(mqtt_client_fd(client) == -1);
    FAILS(mqtt_subscribe(client, "t", 3, ignore_message, NULL), MQTT_INVALID_ARGUMENT, "qos must be 0, 1 or 2, not 3");
    RESULT(mqtt_subscribe(client, "a#", 1, ignore_message, NULL), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_subscribe(client, "", 1, ignore_message, NULL), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_unsubscribe(client, "a/+b", NULL), MQTT_INVALID_ARGUMENT);
    how.retain_handling = 3;
    FAILS(mqtt_subscribe_with(client, "t", &how, ignore_message, &drops, count_drop, NULL), MQTT_INVALID_ARGUMENT,
          "retain_handling must be 0, 1 or 2, not 3");
    how.retain_handling = 0;
    how.size = 0;
    RESULT(mqtt_subscribe_with(client, "t", &how, ignore_message, &drops, count_drop, NULL), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_subscribe_with(client, "#/a", NULL, ignore_message, &drops, count_drop, NULL), MQTT_INVALID_ARGUMENT);
    EXPECT(counter_value(&drops) == 3);
    RESULT(mqtt_receipt_wait(client, 12345, SOON, NULL), MQTT_RECEIPT_FORGOTTEN);
    RESULT(mqtt_receipt_wait(client, 0, SOON, NULL), MQTT_RECEIPT_FORGOTTEN);
    RESULT(mqtt_reply_wait(client, 12345, SOON, NULL), MQTT_RECEIPT_FORGOTTEN);
    RESULT(mqtt_set_runtime_threads(0), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_set_runtime_threads(65), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_set_runtime_threads(4), MQTT_INVALID_ARGUMENT); /* too late */
}

static void closed_client(mqtt_client *client) {
    const char *closed = "the client is closed";
    uint64_t receipt;
    OK(mqtt_client_close(client, 0));
    OK(mqtt_client_close(client, 0));
    FAILS(mqtt_publish(client, "t", "x", 1, 1, false, &receipt), MQTT_CLOSED, closed);
    FAILS(mqtt_subscribe(client, "t", 1, ignore_message, NULL), MQTT_CLOSED, closed);
    FAILS(mqtt_unsubscribe(client, "t", NULL), MQTT_CLOSED, closed);
    FAILS(mqtt_client_start(client), MQTT_CLOSED, closed);
    FAILS(mqtt_client_flush(client, SOON), MQTT_CLOSED, closed);
    FAILS(mqtt_client_ping(client, SOON, NULL), MQTT_CLOSED, closed);
    FAILS(mqtt_client_reconnect(client), MQTT_CLOSED, closed);
    FAILS(mqtt_cancel(client, 1, NULL), MQTT_CLOSED, closed);
    FAILS(mqtt_client_wait_writable(client, SOON), MQTT_CLOSED, closed);
    RESULT(mqtt_client_wait_for(client, MQTT_STATUS_ONLINE, SOON), MQTT_CLOSED);
    OK(mqtt_client_wait_for(client, MQTT_STATUS_CLOSED, 0));
}

static void test_broker(void) {
    mqtt_message message;
    mqtt_test_broker *broker = mqtt_test_broker_new();
    REFUSED(mqtt_test_broker_new_with(3, 0) == NULL, "version must be 0, 4 or 5, not 3");
    REFUSED(mqtt_test_broker_url(NULL) == NULL, "broker must not be NULL");
    FAILS(mqtt_test_broker_stop(NULL), MQTT_NULL_POINTER, "broker must not be NULL");
    FAILS(mqtt_test_broker_stop_and_forget(NULL), MQTT_NULL_POINTER, "broker must not be NULL");
    FAILS(mqtt_test_broker_start(NULL), MQTT_NULL_POINTER, "broker must not be NULL");
    FAILS(mqtt_test_broker_swallow(NULL, "PUBLISH", 1), MQTT_NULL_POINTER, "broker must not be NULL");
    FAILS(mqtt_test_broker_swallow_outgoing(broker, NULL, 1), MQTT_NULL_POINTER, "packet must not be NULL");
    RESULT(mqtt_test_broker_swallow(broker, "PUBLICATION", 1), MQTT_INVALID_ARGUMENT);
    FAILS(mqtt_test_broker_pause_reading(NULL, true), MQTT_NULL_POINTER, "broker must not be NULL");
    FAILS(mqtt_test_broker_publish(broker, "t", NULL, 1, 0, false), MQTT_NULL_POINTER, "payload must not be NULL where its length is 1");
    RESULT(mqtt_test_broker_publish(broker, "t/#", NULL, 0, 0, false), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_test_broker_received(broker, 0, &message), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_test_broker_wait_received(broker, 1, 1), MQTT_TIMED_OUT);
    EXPECT(mqtt_test_broker_received_count(NULL) == 0);
    mqtt_test_broker_free(NULL);
    mqtt_test_broker_free(broker);
}

/* A defect of leveret's own: the call says so, the client is finished, and the process lives on. */
static void a_panic(mqtt_client *client) {
    RESULT(mqtt_test_panic(client), MQTT_PANIC);
    EXPECT(strstr(mqtt_last_error(), "asked for by a test") != NULL);
    OK(mqtt_client_wait_for(client, MQTT_STATUS_CLOSED, SOON));
    RESULT(mqtt_publish(client, "t", "x", 1, 1, false, NULL), MQTT_CLOSED);
    FAILS(mqtt_test_panic(NULL), MQTT_NULL_POINTER, NULL_CLIENT);
}

int main(void) {
    mqtt_client *client = new_client("mqtt://127.0.0.1:1", NULL);
    null_clients();
    null_registrations_drop_their_context();
    other_nulls(client);
    options();
    urls();
    publishing(client);
    publishing_many(client);
    the_rest(client);
    closed_client(client);
    mqtt_client_free(client);
    test_broker();
    client = new_client("mqtt://127.0.0.1:1", NULL);
    a_panic(client);
    mqtt_client_free(client);
    puts("bad_input: ok");
    return 0;
}
