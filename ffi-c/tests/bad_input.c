/* Wrong arguments: numbers out of range, texts that are none, calls at the wrong time. Each is refused with its sentence, and nothing
 * crashes. NULL is the business of nulls.c. */
#include "check.h"

static void ignore_message(void *context, const mqtt_message *message) {
    (void)context, (void)message;
}

static void count_drop(void *context) {
    counter_add(context, 1);
}

static void options(void) {
    mqtt_options *options = mqtt_options_new();
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
    RESULT(mqtt_cancel(client, 0, NULL), MQTT_OK);
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

/* A loop may be watching the descriptor already. */
static void dispatch_after_the_start(mqtt_client *client) {
    OK(mqtt_client_start(client));
    FAILS(mqtt_client_dispatch(client, MQTT_DISPATCH_POLL), MQTT_INVALID_ARGUMENT,
          "dispatch must be set before mqtt_client_start, but the client was started already");
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
    const char *bad_option[] = {"protocol", "3", NULL}, *unknown[] = {"tsl", "true", NULL}, *half[] = {"tls", NULL};
    REFUSED(mqtt_test_broker_new_with(bad_option) == NULL, "protocol must be \"3.1.1\" or \"5\", not \"3\"");
    REFUSED(mqtt_test_broker_new_with(unknown) == NULL, "the test broker has no option \"tsl\"");
    REFUSED(mqtt_test_broker_new_with(half) == NULL, "options must be names and values in turn, not \"tls\" without a value");
    RESULT(mqtt_test_broker_show_certificate(broker, "expired"), MQTT_NOT_SUPPORTED);
    EXPECT(mqtt_test_broker_ca_pem(broker) == NULL);
    EXPECT(mqtt_test_broker_client_cert_pem(broker) == NULL && mqtt_test_broker_client_key_pem(broker) == NULL);
    RESULT(mqtt_test_broker_swallow(broker, "PUBLICATION", 1), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_test_broker_publish(broker, "t/#", NULL, 0, 0, false), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_test_broker_received(broker, 0, &message), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_test_broker_wait_received(broker, 1, 1), MQTT_TIMED_OUT);
    mqtt_test_broker_free(broker);
}

/* A defect of leveret's own: the call says so, the client is finished, and the process lives on. */
static void a_panic(mqtt_client *client) {
    RESULT(mqtt_test_panic(client), MQTT_PANIC);
    EXPECT(strstr(mqtt_last_error(), "asked for by a test") != NULL);
    OK(mqtt_client_wait_for(client, MQTT_STATUS_CLOSED, SOON));
    RESULT(mqtt_publish(client, "t", "x", 1, 1, false, NULL), MQTT_CLOSED);
}

int main(void) {
    mqtt_client *client = new_client("mqtt://127.0.0.1:1", NULL);
    options();
    urls();
    publishing(client);
    publishing_many(client);
    the_rest(client);
    dispatch_after_the_start(client);
    closed_client(client);
    mqtt_client_free(client);
    test_broker();
    client = new_client("mqtt://127.0.0.1:1", NULL);
    a_panic(client);
    mqtt_client_free(client);
    puts("bad_input: ok");
    return 0;
}
