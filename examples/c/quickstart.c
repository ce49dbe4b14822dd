/* Quickstart: connect, subscribe, publish, and learn what became of the letter.
 *
 * cc quickstart.c -lleveret -pthread && ./a.out mqtt://localhost
 */
#include <leveret.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

static void check(mqtt_result result, const char *what) {
    if (result == MQTT_OK) return;
    fprintf(stderr, "%s: %s\n", what, mqtt_last_error());
    exit(1);
}

static void on_message(void *context, const mqtt_message *message) {
    printf("%.*s: %.*s\n", (int)message->topic_length, message->topic, (int)message->payload_length, (const char *)message->payload);
    sem_post(context);
}

int main(int count, char **arguments) {
    sem_t arrived;
    sem_init(&arrived, 0, 0);

    mqtt_client *client = mqtt_client_new(count > 1 ? arguments[1] : "mqtt://localhost", NULL);
    if (client == NULL) check(MQTT_INVALID_ARGUMENT, "client");
    check(mqtt_client_start(client), "start");

    /* Both work at once, online or offline: what cannot be sent now waits in the local post office. */
    uint64_t receipt;
    mqtt_outcome outcome;
    check(mqtt_subscribe(client, "example/quickstart/+", 1, on_message, &arrived), "subscribe");
    check(mqtt_publish_ttl(client, "example/quickstart/door", "open", 4, 1, false, 10000, &receipt), "publish");

    check(mqtt_receipt_wait(client, receipt, MQTT_FOREVER, &outcome), "receipt");
    printf("the letter is %s\n", mqtt_outcome_name(outcome.status));
    if (outcome.ok) sem_wait(&arrived);

    check(mqtt_client_close(client, 5000), "close");
    mqtt_client_free(client);
    return outcome.ok ? 0 : 1;
}
