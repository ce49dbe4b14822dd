/* A program in C built outside the tree from the installed package: it delivers a letter to the test broker and receives it. */
#include <leveret.h>
#include <leveret_testing.h>
#include <semaphore.h>
#include <stdio.h>

static void on_message(void *context, const mqtt_message *message) {
    printf("received %.*s\n", (int)message->payload_length, (const char *)message->payload);
    sem_post(context);
}

int main(void) {
    mqtt_test_broker *broker = mqtt_test_broker_new();
    mqtt_client *client = mqtt_client_new(mqtt_test_broker_url(broker), NULL);
    mqtt_outcome outcome;
    sem_t received;
    uint64_t receipt, reply;
    sem_init(&received, 0, 0);
    if (client == NULL || mqtt_client_start(client) != MQTT_OK) return 1;
    if (mqtt_subscribe_with(client, "consumer", NULL, on_message, &received, NULL, &reply) != MQTT_OK) return 1;
    if (mqtt_reply_wait(client, reply, 10000, NULL) != MQTT_OK) return 1;
    if (mqtt_publish(client, "consumer", "a letter", 8, 2, false, &receipt) != MQTT_OK) return 1;
    if (mqtt_receipt_wait(client, receipt, 10000, &outcome) != MQTT_OK) return 1;
    sem_wait(&received);
    mqtt_client_free(client);
    mqtt_test_broker_free(broker);
    printf("%s\n", mqtt_outcome_name(outcome.status));
    return 0;
}
