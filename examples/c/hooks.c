/* A hook: sees each packet with which the broker answers, and puts words of its own on what is answered in turn (MQTT 5).
 *
 * cc hooks.c -lleveret -pthread && ./a.out mqtt://localhost
 */
#include <leveret.h>
#include <stdio.h>
#include <stdlib.h>

static void check(mqtt_result result, const char *what) {
    if (result == MQTT_OK) return;
    fprintf(stderr, "%s: %s\n", what, mqtt_last_error());
    exit(1);
}

/* On a thread of the library, beside other callbacks; what the event points to lives until this returns. */
static bool on_packet(void *context, const mqtt_packet_event *event) {
    mqtt_client *client = context;
    mqtt_property text;

    printf("%s: %s\n", mqtt_packet_name(event->packet), mqtt_reason_name(event->reason));
    if (mqtt_property_get(event->properties, MQTT_PROPERTY_REASON_STRING, 0, &text)) {
        printf("  it says: %.*s\n", (int)text.value_length, (const char *)text.value);
    }
    /* A number is given where our answer can carry words: here the PUBREL that answers a PUBREC. */
    if (event->number != 0) {
        mqtt_pair who = {"trace", "example-1"};
        check(mqtt_packet_answer(client, event->number, "noted", &who, 1), "answer");
    }
    /* True would say that the answer comes later, from any thread, at most `hook_timeout` later. */
    return false;
}

int main(int count, char **arguments) {
    const char *url = count > 1 ? arguments[1] : "mqtt://localhost";
    mqtt_client *client = mqtt_client_new(url, NULL);
    mqtt_outcome outcome;
    uint64_t receipt;

    if (client == NULL) check(MQTT_INVALID_ARGUMENT, "client");
    /* Before the start, so as to be shown the first CONNACK too. */
    check(mqtt_client_on_packet(client, MQTT_PACKET_CONNACK | MQTT_PACKET_PUBREC, on_packet, client), "hook");
    check(mqtt_client_start(client), "start");
    check(mqtt_publish(client, "example/hooks", "exactly once", 12, 2, false, &receipt), "publish");
    /* The PUBREL waits for the hook, and with it the outcome. */
    check(mqtt_receipt_wait(client, receipt, 10000, &outcome), "wait");
    mqtt_client_close(client, 5000);
    mqtt_client_free(client);
    printf("the letter is %s\n", mqtt_outcome_name(outcome.status));
    return 0;
}
