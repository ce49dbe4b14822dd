/* Requests and responses: several threads ask at once, a kept message is answered later, and what goes wrong says what it is. */
#include "check.h"

enum { THREADS = 4, EACH = 25 };

typedef struct asker {
    mqtt_client *client;
    int number;
} asker;

/* Answers each request with its own payload. */
static void on_echo(void *context, const mqtt_message *message) {
    (void)context;
    OK(mqtt_message_respond(message, message->payload, message->payload_length, NULL));
}

static void *ask(void *context) {
    const asker *asker = context;
    for (int i = 0; i < EACH; i++) {
        char payload[32];
        const mqtt_message *response = NULL;
        int length = snprintf(payload, sizeof payload, "%d/%d", asker->number, i);
        OK(mqtt_request(asker->client, "echo", payload, (size_t)length, SOON, &response));
        EXPECT(response->payload_length == (size_t)length && memcmp(response->payload, payload, (size_t)length) == 0);
        mqtt_message_unref(response);
    }
    return NULL;
}

static void at_once(mqtt_client *client, mqtt_client *server) {
    pthread_t threads[THREADS];
    asker askers[THREADS];
    uint64_t reply;
    OK(mqtt_subscribe_with(server, "echo", NULL, on_echo, NULL, NULL, &reply));
    OK(mqtt_reply_wait(server, reply, SOON, NULL));
    for (int i = 0; i < THREADS; i++) {
        askers[i] = (asker){client, i};
        EXPECT(pthread_create(&threads[i], NULL, ask, &askers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) EXPECT(pthread_join(threads[i], NULL) == 0);
}

static const mqtt_message *kept;
static counter came = COUNTER_INIT;

static void on_kept(void *context, const mqtt_message *message) {
    (void)context;
    kept = mqtt_message_ref(message);
    counter_add(&came, 1);
}

static void *answer_later(void *context) {
    (void)context;
    EXPECT(counter_reaches(&came, 1));
    mqtt_letter letter = MQTT_LETTER_INIT;
    letter.payload = "{}";
    letter.payload_length = 2;
    letter.qos = 2;
    letter.content_type = "application/json";
    OK(mqtt_message_respond_with(kept, &letter, NULL));
    mqtt_message_unref(kept);
    return NULL;
}

static void later(mqtt_client *client, mqtt_client *server) {
    pthread_t thread;
    mqtt_letter letter = MQTT_LETTER_INIT;
    mqtt_property property;
    const mqtt_message *response = NULL;
    uint64_t reply;
    OK(mqtt_subscribe_with(server, "later", NULL, on_kept, NULL, NULL, &reply));
    OK(mqtt_reply_wait(server, reply, SOON, NULL));
    EXPECT(pthread_create(&thread, NULL, answer_later, NULL) == 0);
    letter.topic = "later";
    letter.response_topic = "later/response";
    letter.correlation_data = "mine";
    letter.correlation_data_length = 4;
    OK(mqtt_request_with(client, &letter, SOON, &response));
    EXPECT(response->topic_length == 14 && memcmp(response->topic, "later/response", 14) == 0);
    EXPECT(mqtt_property_get(response->properties, MQTT_PROPERTY_CONTENT_TYPE, 0, &property));
    EXPECT(mqtt_property_get(response->properties, MQTT_PROPERTY_CORRELATION_DATA, 0, &property) && property.value_length == 4);
    mqtt_message_unref(response);
    EXPECT(pthread_join(thread, NULL) == 0);
}

static void failures(const char *url, mqtt_client *client) {
    const mqtt_message *response = NULL;
    FAILS(mqtt_request(client, "nobody", "?", 1, 0, &response), MQTT_INVALID_ARGUMENT, "timeout must be at least 1ms, not less");
    RESULT(mqtt_request(client, "a/+", "?", 1, SOON, &response), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_request(client, "nobody", "?", 1, 50, &response), MQTT_TIMED_OUT);
    static const char *const set[] = {MQTT_OPT_PROTOCOL, "3.1.1", NULL};
    mqtt_client *old = online_client(url, set);
    FAILS(mqtt_request(old, "nobody", "?", 1, SOON, &response), MQTT_NOT_SUPPORTED,
          "response_topic must be given with a request on MQTT 3.1.1, which cannot tell the responder where to answer: "
          "name the topic on which it answers by your own convention");
    mqtt_client_free(old);
    OK(mqtt_client_close(client, SOON));
    RESULT(mqtt_request(client, "nobody", "?", 1, SOON, &response), MQTT_CLOSED);
    EXPECT(response == NULL);
}

int main(void) {
    mqtt_test_broker *broker = mqtt_test_broker_new();
    const char *url = mqtt_test_broker_url(broker);
    mqtt_client *client = online_client(url, NULL), *server = online_client(url, NULL);
    at_once(client, server);
    later(client, server);
    failures(url, client);
    mqtt_client_free(client);
    mqtt_client_free(server);
    mqtt_test_broker_free(broker);
    puts("requests: ok");
    return 0;
}
