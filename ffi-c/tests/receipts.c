/* Receipts: the last 65,536 that nobody asked for are kept, older ones are forgotten; those asked for by several threads go to one. */
#include "check.h"

enum { KEPT = 65536, BEYOND = 100 };

static uint64_t receipts[KEPT + BEYOND];

static void publish(mqtt_client *client, int i) {
    mqtt_result result = mqtt_publish(client, "t", NULL, 0, 0, false, &receipts[i]);
    while (result == MQTT_QUEUE_FULL) {
        OK(mqtt_client_wait_writable(client, SOON));
        result = mqtt_publish(client, "t", NULL, 0, 0, false, &receipts[i]);
    }
    OK(result);
}

static void unclaimed(mqtt_client *client) {
    mqtt_outcome outcome;
    for (int i = 0; i < KEPT + BEYOND; i++) publish(client, i);
    OK(mqtt_client_flush(client, SOON));
    RESULT(mqtt_receipt_wait(client, receipts[0], 0, &outcome), MQTT_RECEIPT_FORGOTTEN);
    RESULT(mqtt_receipt_wait(client, receipts[BEYOND - 1], 0, &outcome), MQTT_RECEIPT_FORGOTTEN);
    for (int i = BEYOND; i < KEPT + BEYOND; i++) {
        OK(mqtt_receipt_wait(client, receipts[i], 0, &outcome));
        EXPECT(outcome.status == MQTT_OUTCOME_SENT && outcome.ok && !outcome.delivered && outcome.maybe_delivered);
        EXPECT(outcome.reason == -1);
    }
    RESULT(mqtt_receipt_wait(client, receipts[KEPT], 0, &outcome), MQTT_RECEIPT_FORGOTTEN); /* claimed */
}

static void after_close(mqtt_client *client) {
    uint64_t receipt;
    publish(client, 0);
    OK(mqtt_publish(client, "t", NULL, 0, 1, false, &receipt));
    OK(mqtt_client_close(client, SOON));
    SETTLES(client, receipts[0], MQTT_OUTCOME_SENT);
    SETTLES(client, receipt, MQTT_OUTCOME_ACKNOWLEDGED);
}

int main(void) {
    mqtt_test_broker *broker = mqtt_test_broker_new();
    mqtt_client *client = online_client(mqtt_test_broker_url(broker), NULL);
    unclaimed(client);
    after_close(client);
    mqtt_client_free(client);
    mqtt_test_broker_free(broker);
    puts("receipts: ok");
    return 0;
}
