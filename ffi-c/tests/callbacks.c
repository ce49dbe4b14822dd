/* What is promised of callbacks: everything may be called inside, drop comes exactly once and last, nothing is called after it. */
#include "check.h"

/* A context that knows whether it may still be used. */
typedef struct watched {
    counter calls, drops;
    bool running;
} watched;

static watched *new_watched(void) {
    watched *watched = calloc(1, sizeof *watched);
    pthread_mutex_init(&watched->calls.lock, NULL);
    pthread_cond_init(&watched->calls.changed, NULL);
    pthread_mutex_init(&watched->drops.lock, NULL);
    pthread_cond_init(&watched->drops.changed, NULL);
    return watched;
}

static void begin(watched *watched) {
    EXPECT(counter_value(&watched->drops) == 0); /* never after drop */
    EXPECT(!watched->running);                   /* never twice at once; unlocked, so that a thread sanitizer sees it too */
    watched->running = true;
}

static void end(watched *watched) {
    watched->running = false;
    counter_add(&watched->calls, 1);
}

static void on_drop(void *context) {
    watched *watched = context;
    EXPECT(!watched->running);
    EXPECT(counter_value(&watched->drops) == 0); /* exactly once */
    counter_add(&watched->drops, 1);
}

static void on_message(void *context, const mqtt_message *message) {
    begin(context);
    EXPECT(message->topic_length > 0);
    end(context);
}

/* Everything there is, called inside a callback of that very client. Nothing may hang, whatever it answers. */
static mqtt_client *subject;

static void ignore_message(void *context, const mqtt_message *message) {
    (void)context, (void)message;
}

static void call_everything(void) {
    mqtt_letter letters[2] = {MQTT_LETTER_INIT, MQTT_LETTER_INIT};
    mqtt_outcome outcome;
    mqtt_stats stats;
    uint64_t receipt = 0, reply = 0;
    char text[200];
    letters[0].topic = letters[1].topic = "inside/many";
    mqtt_client *client = subject;
    OK(mqtt_client_start(client));
    EXPECT(mqtt_client_status(client) == MQTT_STATUS_ONLINE);
    OK(mqtt_client_wait_for(client, MQTT_STATUS_ONLINE, SOON));
    RESULT(mqtt_client_wait_for(client, MQTT_STATUS_CLOSED, 1), MQTT_TIMED_OUT);
    OK(mqtt_client_stats(client, &stats));
    OK(mqtt_publish(client, "inside/0", "x", 1, 0, false, NULL));
    OK(mqtt_publish_ttl(client, "inside/2", "x", 1, 2, false, 60000, &receipt));
    OK(mqtt_explain(client, receipt, text, sizeof text, NULL));
    OK(mqtt_receipt_wait(client, receipt, SOON, &outcome)); /* outcomes do not wait behind messages */
    EXPECT(outcome.status == MQTT_OUTCOME_ACKNOWLEDGED);
    OK(mqtt_publish_with(client, &letters[0], &receipt));
    OK(mqtt_cancel(client, receipt, NULL));
    OK(mqtt_publish_many(client, letters, 2, NULL, NULL));
    OK(mqtt_client_wait_writable(client, SOON));
    OK(mqtt_client_flush(client, SOON));
    OK(mqtt_client_ping(client, SOON, NULL));
    OK(mqtt_subscribe_with(client, "elsewhere", NULL, ignore_message, NULL, NULL, &reply));
    OK(mqtt_reply_wait(client, reply, SOON, NULL));
    OK(mqtt_unsubscribe(client, "elsewhere", &reply));
    OK(mqtt_reply_wait(client, reply, SOON, NULL));
    OK(mqtt_client_on_log(client, NULL, NULL));
    RESULT(mqtt_client_poll(client, 0, NULL), MQTT_INVALID_ARGUMENT);
    EXPECT(strlen(mqtt_last_error()) > 0);
}

static counter reentered = COUNTER_INIT;
static int stage; /* which callback is to call everything: each once */

static void reenter(int which) {
    if (stage != which) return;
    stage = 0;
    call_everything();
    counter_add(&reentered, 1);
}

static void message_reenters(void *context, const mqtt_message *message) {
    (void)context;
    const mqtt_message *kept = mqtt_message_ref(message);
    reenter(MQTT_EVENT_MESSAGE);
    mqtt_result result = mqtt_message_ack(kept, 0);
    EXPECT(result == MQTT_OK || result == MQTT_CLOSED); /* the client may be closing meanwhile */
    mqtt_message_unref(kept);
}

static void connection_reenters(void *context, const mqtt_connection_event *event) {
    (void)context;
    if (event->kind == MQTT_CONNECTION_PING) reenter(MQTT_EVENT_CONNECTION);
}

static void receipt_reenters(void *context, const mqtt_receipt_event *event) {
    (void)context, (void)event;
    reenter(MQTT_EVENT_RECEIPT);
}

static void subscription_reenters(void *context, const mqtt_subscription_event *event) {
    (void)context, (void)event;
    reenter(MQTT_EVENT_SUBSCRIPTION);
}

static void events_reenter(void *context, const mqtt_event *events, size_t count) {
    (void)context;
    EXPECT(events[0].kind != 0 && count > 0);
    reenter(-1);
}

static void reentry(const char *url) {
    uint64_t receipt;
    subject = online_client(url, NULL);
    OK(mqtt_client_on_connection(subject, connection_reenters, NULL));
    OK(mqtt_client_on_receipt(subject, receipt_reenters, NULL));
    OK(mqtt_client_on_subscription(subject, subscription_reenters, NULL));
    stage = MQTT_EVENT_SUBSCRIPTION;
    OK(mqtt_subscribe(subject, "reentry", 1, message_reenters, NULL));
    EXPECT(counter_reaches(&reentered, 1));
    stage = MQTT_EVENT_MESSAGE;
    OK(mqtt_publish(subject, "reentry", "x", 1, 1, false, NULL));
    EXPECT(counter_reaches(&reentered, 2));
    stage = MQTT_EVENT_CONNECTION;
    OK(mqtt_client_ping(subject, SOON, NULL));
    EXPECT(counter_reaches(&reentered, 3));
    stage = MQTT_EVENT_RECEIPT;
    OK(mqtt_publish(subject, "reentry", "x", 1, 1, false, &receipt));
    EXPECT(counter_reaches(&reentered, 4));
    OK(mqtt_client_on_receipt(subject, NULL, NULL));
    OK(mqtt_client_on_events(subject, events_reenter, NULL));
    stage = -1;
    OK(mqtt_publish(subject, "reentry", "x", 1, 1, false, &receipt));
    EXPECT(counter_reaches(&reentered, 5));
    mqtt_client_free(subject);
}

static void replaced_and_unsubscribed(mqtt_test_broker *broker) {
    mqtt_client *client = online_client(mqtt_test_broker_url(broker), NULL);
    watched *general[2] = {new_watched(), new_watched()}, *own[2] = {new_watched(), new_watched()};
    uint64_t reply;
    OK(mqtt_client_on_message_with(client, on_message, general[0], on_drop));
    OK(mqtt_client_on_message_with(client, on_message, general[1], on_drop));
    EXPECT(counter_value(&general[0]->drops) == 1);
    OK(mqtt_subscribe_with(client, "a", NULL, on_message, own[0], on_drop, NULL));
    OK(mqtt_subscribe_with(client, "a", NULL, on_message, own[1], on_drop, &reply));
    OK(mqtt_reply_wait(client, reply, SOON, NULL));
    OK(mqtt_publish(client, "a", NULL, 0, 1, false, NULL));
    EXPECT(counter_reaches(&own[0]->calls, 1) && counter_reaches(&own[1]->calls, 1));
    OK(mqtt_unsubscribe(client, "a", NULL));
    EXPECT(counter_reaches(&own[0]->drops, 1) && counter_reaches(&own[1]->drops, 1));
    OK(mqtt_client_on_message_with(client, NULL, NULL, NULL));
    EXPECT(counter_value(&general[1]->drops) == 1);
    mqtt_client_free(client);
    for (int i = 0; i < 2; i++) free(general[i]), free(own[i]);
}

/* Subscriptions without a callback of their own: to on_message, or in batches and with their context to on_events. */
static counter batched = COUNTER_INIT;

static void on_events(void *context, const mqtt_event *events, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (events[i].kind != MQTT_EVENT_MESSAGE) continue;
        EXPECT(events[i].context == context);
        EXPECT(events[i].data.message->payload_length == 4);
        counter_add(&batched, 1);
    }
}

static void without_a_callback(const char *url) {
    static int mark;
    mqtt_client *client = online_client(url, NULL);
    watched *general = new_watched(), *with_drop = new_watched();
    uint64_t reply;
    OK(mqtt_client_on_events(client, on_events, &mark));
    OK(mqtt_subscribe_with(client, "batched", NULL, NULL, &mark, NULL, &reply));
    OK(mqtt_reply_wait(client, reply, SOON, NULL));
    for (int i = 0; i < 1000; i++) OK(mqtt_publish(client, "batched", "four", 4, 1, false, NULL));
    EXPECT(counter_reaches(&batched, 1000));
    OK(mqtt_client_on_message(client, on_message, general));
    OK(mqtt_subscribe_with(client, "general", NULL, NULL, with_drop, on_drop, &reply));
    OK(mqtt_reply_wait(client, reply, SOON, NULL));
    OK(mqtt_publish(client, "general", "four", 4, 1, false, NULL));
    EXPECT(counter_reaches(&general->calls, 1));
    mqtt_client_free(client);
    EXPECT(counter_value(&with_drop->drops) == 1);
    free(general), free(with_drop);
}

/* Closing and freeing inside a callback: the callback goes on, the last events still come, then each drop once. */
typedef struct ending {
    watched watched;
    mqtt_client *client;
    bool frees, closed_told;
    long settled;
} ending;

static void ending_message(void *context, const mqtt_message *message) {
    ending *ending = context;
    begin(&ending->watched);
    EXPECT(message->payload_length == 1);
    if (ending->client != NULL) {
        if (ending->frees) {
            mqtt_client_free(ending->client);
        } else {
            OK(mqtt_client_close(ending->client, 100));
            OK(mqtt_client_close(ending->client, 100));
            OK(mqtt_publish(ending->client, "too/late", NULL, 0, 1, false, NULL)); /* not closed before the callback returns */
        }
        ending->client = NULL;
    }
    EXPECT(message->payload_length == 1); /* still there */
    end(&ending->watched);
}

static void ending_connection(void *context, const mqtt_connection_event *event) {
    ending *ending = context;
    begin(&ending->watched);
    EXPECT(!ending->closed_told);
    ending->closed_told = event->kind == MQTT_CONNECTION_CLOSED;
    end(&ending->watched);
}

static void ending_receipt(void *context, const mqtt_receipt_event *event) {
    ending *ending = context;
    begin(&ending->watched);
    EXPECT(event->outcome.status != 0);
    ending->settled++;
    end(&ending->watched);
}

static void ending_drop(void *context) {
    ending *ending = context;
    EXPECT(!ending->watched.running);
    counter_add(&ending->watched.drops, 1);
}

/* One context in three registrations: begin() is told of none of its drops before the last. */
static void ends_inside(mqtt_test_broker *broker, bool frees) {
    ending *ending = calloc(1, sizeof *ending);
    watched *blank = new_watched();
    ending->watched = *blank;
    free(blank);
    ending->frees = frees;
    mqtt_client *client = online_client(mqtt_test_broker_url(broker), NULL);
    uint64_t reply, receipt;
    ending->client = client;
    OK(mqtt_client_on_connection_with(client, ending_connection, ending, ending_drop));
    OK(mqtt_client_on_receipt_with(client, ending_receipt, ending, ending_drop));
    OK(mqtt_subscribe_with(client, "end", NULL, ending_message, ending, ending_drop, &reply));
    OK(mqtt_reply_wait(client, reply, SOON, NULL));
    OK(mqtt_test_broker_swallow(broker, "PUBLISH", 1));
    OK(mqtt_publish(client, "never/answered", NULL, 0, 1, false, &receipt));
    OK(mqtt_test_broker_publish(broker, "end", "x", 1, 1, false));
    if (!frees) {
        OK(mqtt_client_wait_for(client, MQTT_STATUS_CLOSED, SOON));
        mqtt_client_free(client);
        EXPECT(counter_value(&ending->watched.drops) == 3);
    }
    EXPECT(counter_reaches(&ending->watched.drops, 3));
    EXPECT(ending->closed_told && ending->settled == 1);
    free(ending);
}

/* A free from another thread waits for the callback that is running, and for the last ones. */
static counter entered = COUNTER_INIT, may_leave = COUNTER_INIT;

static void slow_message(void *context, const mqtt_message *message) {
    (void)message;
    begin(context);
    counter_add(&entered, 1);
    EXPECT(counter_reaches(&may_leave, 1));
    end(context);
}

static void *free_it(void *client) {
    mqtt_client_free(client);
    counter_add(&may_leave, 100);
    return NULL;
}

static void free_waits(const char *url) {
    mqtt_client *client = online_client(url, NULL);
    watched *watched = new_watched();
    uint64_t reply;
    pthread_t thread;
    OK(mqtt_subscribe_with(client, "slow", NULL, slow_message, watched, on_drop, &reply));
    OK(mqtt_reply_wait(client, reply, SOON, NULL));
    OK(mqtt_publish(client, "slow", NULL, 0, 1, false, NULL));
    EXPECT(counter_reaches(&entered, 1));
    EXPECT(pthread_create(&thread, NULL, free_it, client) == 0);
    EXPECT(counter_value(&may_leave) == 0 && counter_value(&watched->drops) == 0);
    counter_add(&may_leave, 1);
    EXPECT(counter_reaches(&may_leave, 100));
    EXPECT(counter_value(&watched->drops) == 1);
    pthread_join(thread, NULL);
    free(watched);
}

/* A callback that blocks holds up neither another client nor the pings of its own. */
static void blocked_callback(mqtt_test_broker *broker) {
    const char *set[] = {MQTT_OPT_KEEP_ALIVE, "1s", MQTT_OPT_PING_TIMEOUT, "1s", NULL};
    mqtt_client *blocked = online_client(mqtt_test_broker_url(broker), set);
    mqtt_client *other = online_client(mqtt_test_broker_url(broker), NULL);
    watched *slow = new_watched(), *quick = new_watched();
    uint64_t reply, round_trip;
    entered.value = may_leave.value = 0;
    OK(mqtt_subscribe_with(blocked, "slow", NULL, slow_message, slow, on_drop, &reply));
    OK(mqtt_reply_wait(blocked, reply, SOON, NULL));
    OK(mqtt_subscribe_with(other, "quick", NULL, on_message, quick, on_drop, &reply));
    OK(mqtt_reply_wait(other, reply, SOON, NULL));
    OK(mqtt_test_broker_publish(broker, "slow", "x", 1, 1, false));
    EXPECT(counter_reaches(&entered, 1));
    for (int i = 0; i < 100; i++) OK(mqtt_test_broker_publish(broker, "quick", "x", 1, 1, false));
    EXPECT(counter_reaches(&quick->calls, 100));
    OK(mqtt_client_ping(blocked, SOON, &round_trip));
    OK(mqtt_client_ping(blocked, SOON, &round_trip));
    EXPECT(mqtt_client_status(blocked) == MQTT_STATUS_ONLINE && counter_value(&slow->calls) == 0);
    counter_add(&may_leave, 1);
    mqtt_client_free(blocked);
    mqtt_client_free(other);
    EXPECT(counter_value(&slow->calls) == 1 && counter_value(&slow->drops) == 1);
    free(slow), free(quick);
}

/* With a full inbox, waiting inside a callback for what only reading could bring is refused at once. */
static counter refused_waits = COUNTER_INIT;
static mqtt_test_broker *flood;

static void message_waits(void *context, const mqtt_message *message) {
    (void)context, (void)message;
    uint64_t receipt;
    if (counter_value(&refused_waits) > 0) return;
    for (int i = 0; i < 20; i++) OK(mqtt_test_broker_publish(flood, "flood", "x", 1, 0, false));
    OK(mqtt_publish(subject, "elsewhere", NULL, 0, 1, false, &receipt));
    mqtt_result result = mqtt_receipt_wait(subject, receipt, SOON, NULL);
    while (result == MQTT_OK) { /* the flood has not filled the inbox yet */
        OK(mqtt_publish(subject, "elsewhere", NULL, 0, 1, false, &receipt));
        result = mqtt_receipt_wait(subject, receipt, SOON, NULL);
    }
    EXPECT(result == MQTT_WOULD_DEADLOCK);
    counter_add(&refused_waits, 1);
}

static void full_inbox(mqtt_test_broker *broker) {
    const char *set[] = {MQTT_OPT_MAX_INBOX_MESSAGES, "4", NULL};
    uint64_t reply;
    flood = broker;
    subject = online_client(mqtt_test_broker_url(broker), set);
    OK(mqtt_subscribe_with(subject, "flood", NULL, message_waits, NULL, NULL, &reply));
    OK(mqtt_reply_wait(subject, reply, SOON, NULL));
    OK(mqtt_test_broker_publish(broker, "flood", "x", 1, 0, false));
    EXPECT(counter_reaches(&refused_waits, 1));
    mqtt_client_free(subject);
}

int main(void) {
    mqtt_test_broker *broker = mqtt_test_broker_new();
    const char *url = mqtt_test_broker_url(broker);
    reentry(url);
    replaced_and_unsubscribed(broker);
    without_a_callback(url);
    ends_inside(broker, false);
    ends_inside(broker, true);
    free_waits(url);
    blocked_callback(broker);
    full_inbox(broker);
    mqtt_test_broker_free(broker);
    puts("callbacks: ok");
    return 0;
}
