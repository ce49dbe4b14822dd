/* Every function of the C door once, as a program would use it, on both versions of MQTT. */
#include "check.h"

static counter messages = COUNTER_INIT, outcomes = COUNTER_INIT, onlines = COUNTER_INIT, states = COUNTER_INIT, drops = COUNTER_INIT;
static const mqtt_message *kept;

static void on_message(void *context, const mqtt_message *message) {
    EXPECT(strcmp(context, "doors") == 0);
    EXPECT(message->topic_length == 11 && memcmp(message->topic, "doors/front", 11) == 0);
    if (kept == NULL) kept = mqtt_message_ref(message);
    counter_add(&messages, 1);
}

static void on_anything_else(void *context, const mqtt_message *message) {
    (void)context, (void)message;
    EXPECT(!"no message is for nobody");
}

static void on_connection(void *context, const mqtt_connection_event *event) {
    if (event->kind != MQTT_CONNECTION_ONLINE) return;
    EXPECT(event->version == *(int *)context);
    EXPECT(event->client_id_length == 6 && memcmp(event->client_id, "door-7", 6) == 0);
    EXPECT(event->reason == -1 && event->text_length == 0);
    counter_add(&onlines, 1);
}

static void on_receipt(void *context, const mqtt_receipt_event *event) {
    (void)context;
    EXPECT(event->receipt != 0 && event->outcome.status != 0);
    counter_add(&outcomes, 1);
}

static void on_subscription(void *context, const mqtt_subscription_event *event) {
    (void)context;
    EXPECT(event->filter_length == 7 && memcmp(event->filter, "doors/#", 7) == 0);
    if (event->state == MQTT_SUBSCRIPTION_UP) counter_add(&states, 1);
}

static void on_log(void *context, const mqtt_log_event *event) {
    (void)context;
    EXPECT((event->level == MQTT_LOG_ERROR || event->level == MQTT_LOG_WARNING) && event->text != NULL);
}

static void on_events(void *context, const mqtt_event *events, size_t count) {
    (void)context, (void)events;
    EXPECT(count > 0);
}

static void on_drop(void *context) {
    EXPECT(context != NULL);
    counter_add(&drops, 1);
}

static void names(void) {
    EXPECT(strcmp(mqtt_version(), "0.1.0") == 0);
    EXPECT(strcmp(mqtt_result_text(MQTT_QUEUE_FULL), "the post office is full") == 0);
    EXPECT(strcmp(mqtt_result_name(MQTT_QUEUE_FULL), "MQTT_QUEUE_FULL") == 0);
    EXPECT(strcmp(mqtt_outcome_name(MQTT_OUTCOME_SESSION_LOST), "session_lost") == 0);
    EXPECT(strcmp(mqtt_status_name(MQTT_STATUS_OFFLINE), "offline") == 0);
    EXPECT(strcmp(mqtt_subscription_state_name(MQTT_SUBSCRIPTION_DOWN), "down") == 0);
    EXPECT(strcmp(mqtt_reason_name(MQTT_REASON_NOT_AUTHORIZED), "not authorized") == 0);
    EXPECT(strcmp(mqtt_last_error(), "") == 0 && mqtt_last_reason() == -1);
}

static mqtt_client *made_with_options(const char *url) {
    mqtt_options *options = mqtt_options_new();
    OK(mqtt_options_set(options, MQTT_OPT_CLIENT_ID, "door-7"));
    OK(mqtt_options_set(options, "backoff_min", "10ms"));
    OK(mqtt_options_set(options, "backoff_max", "50ms"));
    OK(mqtt_options_set(options, "will_topic", "doors/will"));
    OK(mqtt_options_set_bytes(options, MQTT_OPT_WILL_PAYLOAD, "\0gone", 5));
    OK(mqtt_options_add(options, MQTT_OPT_USER_PROPERTIES, "floor", "1"));
    OK(mqtt_options_add(options, MQTT_OPT_USER_PROPERTIES, "floor", "2"));
    mqtt_client *client = mqtt_client_new(url, options);
    mqtt_options_free(options);
    EXPECT(client != NULL);
    EXPECT(mqtt_client_status(client) == MQTT_STATUS_OFFLINE);
    return client;
}

static void register_all(mqtt_client *client, int *version) {
    OK(mqtt_client_on_message_with(client, on_anything_else, &drops, on_drop));
    OK(mqtt_client_on_connection_with(client, on_connection, version, on_drop));
    OK(mqtt_client_on_receipt_with(client, on_receipt, &drops, on_drop));
    OK(mqtt_client_on_subscription_with(client, on_subscription, &drops, on_drop));
    OK(mqtt_client_on_log_with(client, on_log, &drops, on_drop));
    OK(mqtt_client_on_events_with(client, on_events, &drops, on_drop));
}

static void subscribe(mqtt_client *client) {
    mqtt_subscribe_options how = MQTT_SUBSCRIBE_OPTIONS_INIT;
    how.qos = 2;
    uint64_t reply;
    int granted = -1;
    OK(mqtt_subscribe_with(client, "doors/#", &how, on_message, "doors", on_drop, &reply));
    OK(mqtt_reply_wait(client, reply, SOON, &granted));
    EXPECT(granted == 2);
    RESULT(mqtt_reply_wait(client, reply, 0, NULL), MQTT_RECEIPT_FORGOTTEN);
    EXPECT(counter_reaches(&states, 1));
}

static void publish_each_way(mqtt_client *client, int version) {
    uint64_t receipts[6];
    OK(mqtt_publish(client, "doors/front", "a", 1, 0, false, &receipts[0]));
    OK(mqtt_publish_ttl(client, "doors/front", NULL, 0, 2, false, MQTT_TTL_NONE, &receipts[1]));
    mqtt_letter letters[4] = {MQTT_LETTER_INIT, MQTT_LETTER_INIT, MQTT_LETTER_INIT, MQTT_LETTER_INIT};
    mqtt_pair pairs[] = {{"k", "1"}, {"k", "2"}};
    for (int i = 0; i < 4; i++) {
        letters[i].topic = "doors/front";
        letters[i].payload = "letter";
        letters[i].payload_length = 6;
    }
    if (version == 5) {
        letters[0].content_type = "text/plain";
        letters[0].user_properties = pairs;
        letters[0].user_property_count = 2;
    }
    size_t accepted = 0;
    OK(mqtt_publish_with(client, &letters[0], &receipts[2]));
    OK(mqtt_publish_many(client, &letters[1], 3, &receipts[3], &accepted));
    EXPECT(accepted == 3);
    SETTLES(client, receipts[0], MQTT_OUTCOME_SENT);
    for (int i = 1; i < 6; i++) EXPECT(SETTLES(client, receipts[i], MQTT_OUTCOME_ACKNOWLEDGED).delivered);
    RESULT(mqtt_receipt_wait(client, receipts[0], 0, NULL), MQTT_RECEIPT_FORGOTTEN);
    EXPECT(counter_reaches(&messages, 6) && counter_reaches(&outcomes, 6));
}

static void offline_letters(mqtt_client *client, mqtt_test_broker *broker) {
    uint64_t receipt;
    mqtt_outcome outcome;
    char text[16];
    size_t length = 0;
    bool found = false;
    OK(mqtt_test_broker_stop(broker));
    OK(mqtt_client_wait_for(client, MQTT_STATUS_OFFLINE, SOON));
    OK(mqtt_publish(client, "doors/late", "x", 1, 1, false, &receipt));
    OK(mqtt_explain(client, receipt, text, sizeof text, &length));
    EXPECT(strncmp(text, "waiting for a connection", 15) == 0 && strlen(text) == 15 && length > 24);
    OK(mqtt_explain(client, receipt, NULL, 0, NULL));
    RESULT(mqtt_receipt_wait(client, receipt, 0, &outcome), MQTT_TIMED_OUT);
    OK(mqtt_cancel(client, receipt, &found));
    EXPECT(found);
    OK(mqtt_cancel(client, receipt, &found));
    EXPECT(!found);
    SETTLES(client, receipt, MQTT_OUTCOME_CANCELLED);
    RESULT(mqtt_client_ping(client, SOON, NULL), MQTT_NOT_CONNECTED);
    OK(mqtt_test_broker_start(broker));
    EXPECT(counter_reaches(&onlines, 2));
}

static void connection(mqtt_client *client) {
    uint64_t round_trip = 0;
    mqtt_stats stats;
    OK(mqtt_client_ping(client, SOON, &round_trip));
    EXPECT(round_trip > 0);
    OK(mqtt_client_reconnect(client));
    EXPECT(counter_reaches(&onlines, 3));
    OK(mqtt_client_wait_for(client, MQTT_STATUS_ONLINE, SOON));
    OK(mqtt_client_wait_writable(client, SOON));
    OK(mqtt_client_flush(client, SOON));
    OK(mqtt_client_stats(client, &stats));
    EXPECT(stats.status == MQTT_STATUS_ONLINE && stats.queued == 0 && stats.in_flight == 0);
    EXPECT(stats.outcomes[MQTT_OUTCOME_ACKNOWLEDGED] == 5 && stats.outcomes[MQTT_OUTCOME_CANCELLED] == 1);
    /* An acknowledgement may have been on its way when the broker stopped: then it delivered again. */
    EXPECT(stats.messages_in[0] == 1 && stats.messages_in[1] >= 4 && stats.messages_in[2] == 1);
    EXPECT(stats.reconnects >= 2 && stats.bytes_out > 0 && stats.bytes_in > 0);
}

static void unsubscribe(mqtt_client *client) {
    uint64_t reply;
    OK(mqtt_unsubscribe(client, "doors/#", &reply));
    OK(mqtt_reply_wait(client, reply, SOON, NULL));
    EXPECT(counter_reaches(&drops, 1));
}

static void what_was_kept(int version) {
    mqtt_property property;
    EXPECT(kept != NULL && kept->topic_length == 11 && kept->payload_length == 1 && *(const char *)kept->payload == 'a');
    EXPECT(kept->qos == 0 && !kept->retain && !kept->dup);
    EXPECT(!mqtt_property_get(kept->properties, MQTT_PROPERTY_CONTENT_TYPE, 0, &property));
    EXPECT(!mqtt_property_get(kept->properties, MQTT_PROPERTY_SUBSCRIPTION_IDENTIFIER, 0, &property) == (version == 4));
    OK(mqtt_message_ack(kept, 0));
    mqtt_message_unref(kept);
    kept = NULL;
}

static void what_the_broker_saw(mqtt_test_broker *broker, int version) {
    mqtt_message message;
    mqtt_property property;
    OK(mqtt_test_broker_wait_received(broker, 6, SOON));
    EXPECT(mqtt_test_broker_received_count(broker) == 6);
    OK(mqtt_test_broker_received(broker, 2, &message));
    EXPECT(message.payload_length == 6 && memcmp(message.payload, "letter", 6) == 0 && message.qos == 1);
    for (size_t i = 0; i < 2; i++) {
        bool there = mqtt_property_get(message.properties, MQTT_PROPERTY_USER_PROPERTY, i, &property);
        EXPECT(there == (version == 5));
        if (there) EXPECT(property.name_length == 1 && *property.name == 'k' && *(const char *)property.value == "12"[i]);
    }
    EXPECT(!mqtt_property_get(message.properties, MQTT_PROPERTY_USER_PROPERTY, 2, &property));
    if (version == 5) {
        EXPECT(mqtt_property_get(message.properties, MQTT_PROPERTY_CONTENT_TYPE, 0, &property));
        EXPECT(property.name == NULL && property.value_length == 10 && memcmp(property.value, "text/plain", 10) == 0);
    }
}

/* A program that was compiled with another header has a struct of another size: what it has no room for is not written, what is not known here is 0. */
static void counters_of_other_sizes(mqtt_client *client) {
    unsigned char small[sizeof(mqtt_stats)], large[sizeof(mqtt_stats) + 8];
    size_t half = sizeof small / 2;
    memset(small, 0xa5, sizeof small);
    memset(large, 0xa5, sizeof large);
    OK(mqtt_client_stats_sized(client, (mqtt_stats *)(void *)small, half));
    for (size_t i = half; i < sizeof small; i++) EXPECT(small[i] == 0xa5);
    OK(mqtt_client_stats_sized(client, (mqtt_stats *)(void *)large, sizeof large));
    for (size_t i = sizeof small; i < sizeof large; i++) EXPECT(large[i] == 0);
    EXPECT(memcmp(small, large, sizeof(int)) == 0);
}

static void run(int version) {
    const char *options[] = {"protocol", version == 5 ? "5" : "3.1.1", NULL};
    mqtt_test_broker *broker = mqtt_test_broker_new_with(options);
    EXPECT(broker != NULL);
    mqtt_client *client = made_with_options(mqtt_test_broker_url(broker));
    register_all(client, &version);
    OK(mqtt_client_start(client));
    OK(mqtt_client_wait_for(client, MQTT_STATUS_ONLINE, SOON));
    EXPECT(counter_reaches(&onlines, 1));
    subscribe(client);
    publish_each_way(client, version);
    what_the_broker_saw(broker, version);
    offline_letters(client, broker);
    connection(client);
    counters_of_other_sizes(client);
    unsubscribe(client);
    OK(mqtt_client_close_with(client, SOON, true));
    EXPECT(mqtt_client_status(client) == MQTT_STATUS_CLOSED);
    RESULT(mqtt_publish(client, "doors/front", "a", 1, 0, false, NULL), MQTT_CLOSED);
    mqtt_client_free(client);
    EXPECT(counter_value(&drops) == 7); /* six registrations and one subscription, all over when free returned */
    what_was_kept(version);
    mqtt_test_broker_free(broker);
    messages.value = outcomes.value = onlines.value = states.value = drops.value = 0;
}

/* Several addresses are tried in turn. */
static void second_address(void) {
    char urls[200];
    mqtt_test_broker *broker = mqtt_test_broker_new();
    snprintf(urls, sizeof urls, "mqtt://127.0.0.1:1 %s", mqtt_test_broker_url(broker));
    mqtt_client_free(online_client(urls, NULL));
    mqtt_test_broker_free(broker);
}

/* A shutdown ends open clients; what they held is settled, and they can be freed. */
static void shutdown_with_an_open_client(void) {
    uint64_t receipt;
    mqtt_test_broker *broker = mqtt_test_broker_new();
    mqtt_client *client = online_client(mqtt_test_broker_url(broker), NULL);
    OK(mqtt_client_on_receipt_with(client, on_receipt, &drops, on_drop));
    OK(mqtt_test_broker_swallow(broker, "PUBLISH", 1));
    OK(mqtt_publish(client, "never/answered", NULL, 0, 1, false, &receipt));
    OK(mqtt_shutdown());
    SETTLES(client, receipt, MQTT_OUTCOME_CLOSED);
    EXPECT(mqtt_client_status(client) == MQTT_STATUS_CLOSED);
    RESULT(mqtt_publish(client, "t", NULL, 0, 1, false, NULL), MQTT_CLOSED);
    mqtt_client_free(client);
    EXPECT(counter_value(&outcomes) == 1 && counter_value(&drops) == 1);
    mqtt_test_broker_free(broker);
}

int main(void) {
    names();
    OK(mqtt_set_runtime_threads(1));
    run(4);
    run(5);
    OK(mqtt_shutdown());
    run(5); /* after a shutdown everything starts anew */
    second_address();
    shutdown_with_an_open_client();
    puts("smoke: ok");
    return 0;
}
