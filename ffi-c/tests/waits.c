/* Waits inside callbacks that could never end: for the close that waits for the callback, and for the connection that waits for it. Each
 * says so at once, on the pool and in mqtt_client_poll. */
#include "check.h"

typedef struct {
    mqtt_client *client;
    uint64_t receipt;
    counter count;
} caller;

/* A wait without a limit that has to be refused. */
#define STUCK(wait) EXPECT((wait) == MQTT_WOULD_DEADLOCK)

static mqtt_client *made(const char *url, int dispatch) {
    mqtt_options *options = mqtt_options_new();
    OK(mqtt_options_set(options, MQTT_OPT_PROTOCOL, "5"));
    OK(mqtt_options_set(options, MQTT_OPT_BACKOFF_MIN, "5ms"));
    OK(mqtt_options_set(options, MQTT_OPT_BACKOFF_MAX, "10ms"));
    /* Far longer than the test lasts: nothing here may end because that is over. */
    OK(mqtt_options_set(options, MQTT_OPT_HOOK_TIMEOUT, "1h"));
    mqtt_client *client = mqtt_client_new(url, options);
    mqtt_options_free(options);
    EXPECT(client != NULL);
    OK(mqtt_client_dispatch(client, dispatch));
    return client;
}

/* Runs callbacks until so many of them have returned. */
static void returned(caller *caller, int dispatch, long count) {
    for (int i = 0; dispatch == MQTT_DISPATCH_POLL && i < 1000 && counter_value(&caller->count) < count; i++)
        OK(mqtt_client_poll(caller->client, 10, NULL));
    EXPECT(counter_reaches(&caller->count, count));
}

static void closes(void *context, const mqtt_message *message) {
    caller *caller = context;
    (void)message;
    OK(mqtt_client_close(caller->client, SOON));
    STUCK(mqtt_client_wait_for(caller->client, MQTT_STATUS_CLOSED, MQTT_FOREVER));
    STUCK(mqtt_client_wait_for(caller->client, MQTT_STATUS_OFFLINE, MQTT_FOREVER));
    /* What comes before the close can be waited for. */
    OK(mqtt_client_wait_for(caller->client, MQTT_STATUS_ONLINE, SOON));
    OK(mqtt_client_ping(caller->client, SOON, NULL));
    counter_add(&caller->count, 1);
}

static void closed_and_waited_for(const char *url, int dispatch) {
    caller caller = {NULL, 0, COUNTER_INIT};
    caller.client = made(url, dispatch);
    OK(mqtt_subscribe(caller.client, "close", 1, closes, &caller));
    OK(mqtt_client_start(caller.client));
    OK(mqtt_publish(caller.client, "close", "x", 1, 1, false, NULL));
    returned(&caller, dispatch, 1);
    OK(mqtt_client_wait_for(caller.client, MQTT_STATUS_CLOSED, SOON));
    mqtt_client_free(caller.client);
}

static void asked(void *context, const mqtt_connect_event *event) {
    caller *caller = context;
    STUCK(mqtt_client_wait_for(caller->client, MQTT_STATUS_ONLINE, MQTT_FOREVER));
    STUCK(mqtt_receipt_wait(caller->client, caller->receipt, MQTT_FOREVER, NULL));
    STUCK(mqtt_client_flush(caller->client, MQTT_FOREVER));
    OK(mqtt_connect_answer(caller->client, event->number, NULL));
    /* Answered: now it comes. */
    OK(mqtt_client_wait_for(caller->client, MQTT_STATUS_ONLINE, SOON));
    counter_add(&caller->count, 1);
}

static void waited_for_before_it_connects(const char *url, int dispatch) {
    caller caller = {NULL, 0, COUNTER_INIT};
    caller.client = made(url, dispatch);
    OK(mqtt_client_on_connect(caller.client, asked, &caller));
    OK(mqtt_publish(caller.client, "letter", "x", 1, 1, false, &caller.receipt));
    OK(mqtt_client_start(caller.client));
    returned(&caller, dispatch, 1);
    SETTLES(caller.client, caller.receipt, MQTT_OUTCOME_ACKNOWLEDGED);
    mqtt_client_free(caller.client);
}

static bool received(void *context, const mqtt_packet_event *event) {
    caller *caller = context;
    STUCK(mqtt_receipt_wait(caller->client, event->receipt, MQTT_FOREVER, NULL));
    counter_add(&caller->count, 1);
    return false;
}

static void waited_for_by_its_own_hook(const char *url, int dispatch) {
    caller caller = {NULL, 0, COUNTER_INIT};
    caller.client = made(url, dispatch);
    OK(mqtt_client_on_packet(caller.client, MQTT_PACKET_PUBREC, received, &caller));
    OK(mqtt_client_start(caller.client));
    OK(mqtt_publish(caller.client, "letter", "x", 1, 2, false, &caller.receipt));
    returned(&caller, dispatch, 1);
    SETTLES(caller.client, caller.receipt, MQTT_OUTCOME_ACKNOWLEDGED);
    mqtt_client_free(caller.client);
}

int main(void) {
    static const int ways[] = {MQTT_DISPATCH_POOL, MQTT_DISPATCH_POLL};
    mqtt_test_broker *broker = mqtt_test_broker_new();
    const char *url = mqtt_test_broker_url(broker);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        closed_and_waited_for(url, ways[i]);
        waited_for_before_it_connects(url, ways[i]);
        waited_for_by_its_own_hook(url, ways[i]);
    }
    mqtt_test_broker_free(broker);
    puts("waits: ok");
    return 0;
}
