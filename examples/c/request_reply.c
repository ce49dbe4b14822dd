/* Request and response over MQTT 5: leveret says where the answer goes and knows it again; both sides are here.
 *
 * cc request_reply.c -lleveret -pthread && ./a.out mqtt://localhost
 */
#include <leveret.h>
#include <stdio.h>
#include <stdlib.h>

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

/* The serving side: what comes back goes where the request says. Over MQTT 3.1.1 no request does; see mqtt_message_respond_with. */
static void on_request(void *context, const mqtt_message *request) {
    char answer[256];
    int length = snprintf(answer, sizeof answer, "you said \"%.*s\"", (int)request->payload_length, (const char *)request->payload);
    (void)context;
    check(mqtt_message_respond(request, answer, (size_t)length, NULL), "answer");
}

int main(int count, char **arguments) {
    const char *url = count > 1 ? arguments[1] : "mqtt://localhost";
    const mqtt_message *response;
    uint64_t reply;

    mqtt_client *server = open_client(url);
    check(mqtt_subscribe_with(server, "example/echo", NULL, on_request, NULL, NULL, &reply), "serve");
    check(mqtt_reply_wait(server, reply, 10000, NULL), "serve");

    /* The asking side waits for its answer, five seconds at most; after that nobody carries the request out. */
    mqtt_client *client = open_client(url);
    check(mqtt_request(client, "example/echo", "hello", 5, 5000, &response), "ask");
    printf("%.*s\n", (int)response->payload_length, (const char *)response->payload);
    mqtt_message_unref(response);

    mqtt_client_close(client, 5000);
    mqtt_client_free(client);
    mqtt_client_close(server, 5000);
    mqtt_client_free(server);
    return 0;
}
