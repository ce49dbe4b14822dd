/* Firehose: publish as fast as the broker takes it, without losing a letter and without growing, and count the outcomes.
 *
 * cc firehose.c -lleveret -pthread && ./a.out mqtt://localhost 100000
 */
#include <inttypes.h>
#include <leveret.h>
#include <stdio.h>
#include <stdlib.h>

static void check(mqtt_result result, const char *what) {
    if (result == MQTT_OK) return;
    fprintf(stderr, "%s: %s\n", what, mqtt_last_error());
    exit(1);
}

enum { BATCH = 100 };

int main(int count, char **arguments) {
    unsigned long left = count > 2 ? strtoul(arguments[2], NULL, 10) : 100000;
    char payload[64] = {0};
    mqtt_letter letters[BATCH];
    for (int i = 0; i < BATCH; i++) {
        letters[i] = (mqtt_letter)MQTT_LETTER_INIT;
        letters[i].topic = "example/firehose";
        letters[i].payload = payload;
        letters[i].payload_length = sizeof payload;
    }

    mqtt_client *client = mqtt_client_new(count > 1 ? arguments[1] : "mqtt://localhost", NULL);
    if (client == NULL) check(MQTT_INVALID_ARGUMENT, "client");
    check(mqtt_client_start(client), "start");
    check(mqtt_client_wait_for(client, MQTT_STATUS_ONLINE, 10000), "online");
    while (left > 0) {
        size_t accepted = 0;
        mqtt_result result = mqtt_publish_many(client, letters, left < BATCH ? left : BATCH, NULL, &accepted);
        left -= accepted;
        if (result == MQTT_QUEUE_FULL) check(mqtt_client_wait_writable(client, MQTT_FOREVER), "room");
        else check(result, "publish");
    }
    check(mqtt_client_flush(client, MQTT_FOREVER), "flush");

    mqtt_stats stats;
    check(mqtt_client_stats(client, &stats), "stats");
    for (int outcome = MQTT_OUTCOME_ACKNOWLEDGED; outcome <= MQTT_OUTCOME_CLOSED; outcome++) {
        if (stats.outcomes[outcome] > 0) printf("%" PRIu64 " %s\n", stats.outcomes[outcome], mqtt_outcome_name(outcome));
    }
    check(mqtt_client_close(client, 5000), "close");
    mqtt_client_free(client);
    return 0;
}
