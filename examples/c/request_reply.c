/* Request and reply over MQTT 5: the request says where the answer goes and what it shall carry; both sides are here.
 *
 * cc request_reply.c -lleveret -pthread && ./a.out mqtt://localhost
 */
#include <leveret.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(mqtt_result result, const char *what) {
    if (result == MQTT_OK) return;
    fprintf(stderr, "%s: %s\n", what, mqtt_last_error());
    exit(1);
}

static mqtt_client *open_client(const char *url) {
    mqtt_options *options = mqtt_options_new();
    check(mqtt_options_set(options, MQTT_OPT_PROTOCOL, "5"), "protocol");
    mqtt_client *client = mqtt_client_new(url, options);
    mqtt_options_free(options);
    if (client == NULL) check(MQTT_INVALID_ARGUMENT, "client");
    check(mqtt_client_start(client), "start");
    return client;
}

/* The serving side: answers where the request says, with the correlation data it brought. */
static void on_request(void *context, const mqtt_message *request) {
    mqtt_property where, correlation = {0};
    if (!mqtt_property_get(request->properties, MQTT_PROPERTY_RESPONSE_TOPIC, 0, &where)) return;
    mqtt_property_get(request->properties, MQTT_PROPERTY_CORRELATION_DATA, 0, &correlation);

    char topic[256], answer[256];
    snprintf(topic, sizeof topic, "%.*s", (int)where.value_length, (const char *)where.value);
    int length = snprintf(answer, sizeof answer, "you said \"%.*s\"", (int)request->payload_length, (const char *)request->payload);
    mqtt_letter letter = MQTT_LETTER_INIT;
    letter.topic = topic;
    letter.payload = answer;
    letter.payload_length = (size_t)length;
    letter.correlation_data = correlation.value;
    letter.correlation_data_length = correlation.value_length;
    check(mqtt_publish_with(context, &letter, NULL), "answer");
}

/* The asking side: knows its answer by the correlation data. */
static void on_answer(void *context, const mqtt_message *answer) {
    mqtt_property correlation;
    if (!mqtt_property_get(answer->properties, MQTT_PROPERTY_CORRELATION_DATA, 0, &correlation)) return;
    if (correlation.value_length != 2 || memcmp(correlation.value, "42", 2) != 0) return;
    printf("%.*s\n", (int)answer->payload_length, (const char *)answer->payload);
    sem_post(context);
}

int main(int count, char **arguments) {
    const char *url = count > 1 ? arguments[1] : "mqtt://localhost";
    sem_t answered;
    sem_init(&answered, 0, 0);
    uint64_t reply;

    mqtt_client *server = open_client(url);
    check(mqtt_subscribe_with(server, "example/echo", NULL, on_request, server, NULL, &reply), "serve");
    check(mqtt_reply_wait(server, reply, 10000, NULL), "serve");

    mqtt_client *client = open_client(url);
    check(mqtt_subscribe_with(client, "example/answers/1", NULL, on_answer, &answered, NULL, &reply), "listen");
    check(mqtt_reply_wait(client, reply, 10000, NULL), "listen");
    mqtt_letter request = MQTT_LETTER_INIT;
    request.topic = "example/echo";
    request.payload = "hello";
    request.payload_length = 5;
    request.response_topic = "example/answers/1";
    request.correlation_data = "42";
    request.correlation_data_length = 2;
    check(mqtt_publish_with(client, &request, NULL), "ask");
    sem_wait(&answered);

    mqtt_client_close(client, 5000);
    mqtt_client_free(client);
    mqtt_client_close(server, 5000);
    mqtt_client_free(server);
    return 0;
}
