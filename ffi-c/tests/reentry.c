/* Every function of the headers called inside every callback, on the pool, in mqtt_client_poll and inline; last of all one that ends the
 * client. Nothing hangs or crashes, and each answers what it promises there. */
#include <signal.h>
#include <unistd.h>

#include "calls.h"

enum kind { MESSAGE, GENERAL, CONNECTION, RECEIPT, SUBSCRIPTION, LOG, EVENTS, HOOK, KINDS };

static const char *const kind_names[] = {"message", "general message", "connection", "receipt", "subscription", "log", "events", "hook"};
static const char *const situation_names[] = {"on the pool", "in poll", "inline", "in a drop", "in a release"};

static world now;
static enum kind kind;
static const row *ending;
static bool armed; /* the next callback of the kind calls everything */
static counter kept_one = COUNTER_INIT, done = COUNTER_INIT;
static const char *volatile calling = "nothing";

/* Says what hung, and ends the program. */
static void hung(int signal) {
    (void)signal;
    static const char words[] = "reentry: hung in ";
    const char *name = calling;
    if (write(2, words, sizeof words - 1) < 0 || write(2, name, strlen(name)) < 0 || write(2, "\n", 1) < 0) _exit(2);
    _exit(1);
}

static void call(const row *row) {
    calling = row->name;
    mqtt_result result = row->call(&now);
    bool for_itself = row->waits && (now.situation == ON_INLINE || kind == HOOK);
    bool refused = result == MQTT_WOULD_DEADLOCK && (now.situation == IN_RELEASE || for_itself);
    if (result == MQTT_OK || refused) return;
    fprintf(stderr, "%s inside a %s callback, %s, is %s (%s)\n", row->name, kind_names[kind], situation_names[now.situation],
            mqtt_result_name(result), mqtt_last_error());
    exit(1);
}

static void call_everything(void) {
    for (int i = 0; i < CALLS; i++) call(&calls[i]);
    for (int i = 0; now.situation == IN_RELEASE && i < ENDINGS; i++) call(&endings[i]);
    if (now.situation != IN_RELEASE) call(ending);
    calling = "nothing";
}

/* With the message of the callback, if it has one, in the place of the one kept before. */
static void called_back(enum kind which, const mqtt_message *message) {
    const mqtt_message *before = now.message;
    if (!armed || which != kind) return;
    armed = false;
    if (message != NULL) now.message = message;
    call_everything();
    now.message = before;
    counter_add(&done, 1); /* from here on the world belongs to the main thread again */
}

static void keep_it(void *context, const mqtt_message *message) {
    (void)context;
    now.message = mqtt_message_ref(message);
    counter_add(&kept_one, 1);
}

static void on_message(void *context, const mqtt_message *message) {
    (void)context;
    called_back(MESSAGE, message);
}

static void on_any_message(void *context, const mqtt_message *message) {
    (void)context;
    called_back(GENERAL, message);
}

static void on_connection(void *context, const mqtt_connection_event *event) {
    (void)context;
    if (event->kind == MQTT_CONNECTION_ONLINE) called_back(CONNECTION, NULL);
}

static void on_receipt(void *context, const mqtt_receipt_event *event) {
    (void)context, (void)event;
    called_back(RECEIPT, NULL);
}

static void on_subscription(void *context, const mqtt_subscription_event *event) {
    (void)context, (void)event;
    called_back(SUBSCRIPTION, NULL);
}

static void on_log(void *context, const mqtt_log_event *event) {
    (void)context, (void)event;
    called_back(LOG, NULL);
}

static void on_events(void *context, const mqtt_event *events, size_t count) {
    (void)context;
    for (size_t i = 0; i < count; i++) {
        if (events[i].kind == MQTT_EVENT_MESSAGE) called_back(EVENTS, events[i].data.message);
    }
}

static bool on_packet(void *context, const mqtt_packet_event *event) {
    (void)context, (void)event;
    called_back(HOOK, NULL);
    return false;
}

/* Only in mqtt_client_poll do callbacks need a hand. */
static void wait_for(counter *counter, long value) {
    while (now.situation == IN_POLL && counter_value(counter) < value) OK(mqtt_client_poll(now.client, SOON, NULL));
    EXPECT(counter_reaches(counter, value));
}

static void subscribe(const char *filter, mqtt_message_callback callback) {
    uint64_t reply;
    OK(mqtt_subscribe_with(now.client, filter, NULL, callback, NULL, NULL, &reply));
    OK(mqtt_reply_wait(now.client, reply, SOON, NULL));
}

/* A client that is online, on MQTT 3.1.1, where a packet too large for it is worth a line in the log; with a message kept of it. A hook that
 * waits for a letter of QoS 2 would wait for itself, and is refused. */
static void begin(enum situation situation) {
    const char *set[] = {MQTT_OPT_PROTOCOL, "3.1.1", MQTT_OPT_MAX_PACKET_SIZE, "1024", MQTT_OPT_HOOK_TIMEOUT, "50ms", NULL};
    int dispatch = situation == IN_POLL ? MQTT_DISPATCH_POLL : situation == ON_INLINE ? MQTT_DISPATCH_INLINE : MQTT_DISPATCH_POOL;
    now.situation = situation;
    now.client = new_client(mqtt_test_broker_url(now.broker), set);
    now.spare = new_client(mqtt_test_broker_url(now.broker), NULL);
    OK(mqtt_client_dispatch(now.client, dispatch));
    OK(mqtt_client_start(now.client));
    OK(mqtt_client_wait_for(now.client, MQTT_STATUS_ONLINE, SOON));
    /* A topic of its own: the client before, freed in its callback, may not have left the broker yet. */
    static int number;
    char keep[16];
    snprintf(keep, sizeof keep, "keep/%d", ++number);
    long before = counter_value(&kept_one);
    subscribe(keep, keep_it);
    OK(mqtt_publish(now.client, keep, "x", 1, 1, false, NULL));
    wait_for(&kept_one, before + 1);
}

static void end(void) {
    mqtt_client_free(now.client);
    mqtt_client_free(now.spare);
    mqtt_message_unref(now.message);
    now.client = NULL;
    now.message = NULL;
}

/* Makes something happen for which the callback is called. The callback may free the client, so no call of this thread is inside it
 * then: the answers wait in the broker until the calls are over. */
static void provoke(void) {
    static char large[4096];
    uint64_t receipt;
    OK(mqtt_test_broker_pause_reading(now.broker, true));
    armed = true;
    switch (kind) {
    case MESSAGE: OK(mqtt_test_broker_publish(now.broker, "own", "x", 1, 1, false)); break;
    case GENERAL:
    case EVENTS: OK(mqtt_test_broker_publish(now.broker, "general", "x", 1, 1, false)); break;
    case CONNECTION: OK(mqtt_client_reconnect(now.client)); break;
    case RECEIPT: OK(mqtt_publish(now.client, "elsewhere", "x", 1, 1, false, &receipt)); break;
    case SUBSCRIPTION: OK(mqtt_subscribe(now.client, "another", 1, calls_no_message, NULL)); break;
    case LOG: OK(mqtt_test_broker_publish(now.broker, "own", large, sizeof large, 1, false)); break;
    case HOOK: OK(mqtt_publish(now.client, "elsewhere", "x", 1, 2, false, NULL)); break;
    case KINDS: break;
    }
    OK(mqtt_test_broker_pause_reading(now.broker, false));
}

static void inside(enum situation situation) {
    begin(situation);
    subscribe("own", on_message);
    if (kind == EVENTS) OK(mqtt_client_on_events(now.client, on_events, NULL));
    if (kind == GENERAL) OK(mqtt_client_on_message(now.client, on_any_message, NULL));
    if (kind == EVENTS || kind == GENERAL) subscribe("general", NULL);
    if (kind == CONNECTION) OK(mqtt_client_on_connection(now.client, on_connection, NULL));
    if (kind == RECEIPT) OK(mqtt_client_on_receipt(now.client, on_receipt, NULL));
    if (kind == SUBSCRIPTION) OK(mqtt_client_on_subscription(now.client, on_subscription, NULL));
    if (kind == LOG) OK(mqtt_client_on_log(now.client, on_log, NULL));
    if (kind == HOOK) OK(mqtt_client_on_packet(now.client, MQTT_PACKET_PUBREC, on_packet, NULL));
    long before = counter_value(&done);
    provoke();
    wait_for(&done, before + 1);
    end();
}

static void drops(void *context) {
    (void)context;
    call_everything();
    counter_add(&done, 1);
}

static void inside_a_drop(void) {
    begin(IN_DROP);
    long before = counter_value(&done);
    OK(mqtt_client_on_log_with(now.client, on_log, NULL, drops));
    OK(mqtt_client_on_log_with(now.client, NULL, NULL, NULL));
    EXPECT(counter_value(&done) == before + 1);
    end();
}

/* What is refused inside a release has had no effect. */
static void inside_a_release(void) {
    mqtt_letter letter = MQTT_LETTER_INIT;
    begin(ON_POOL);
    now.made_options = mqtt_options_new();
    now.made = new_client(mqtt_test_broker_url(now.broker), NULL);
    now.kept = mqtt_message_ref(now.message);
    mqtt_options *made_options = now.made_options;
    mqtt_client *made = now.made;
    const mqtt_message *kept = now.kept;
    now.situation = IN_RELEASE;
    letter.topic = "released";
    letter.payload = "static";
    letter.payload_length = 6;
    letter.release = drops;
    long before = counter_value(&done);
    OK(mqtt_publish_with(now.client, &letter, NULL));
    EXPECT(counter_reaches(&done, before + 1));
    now.situation = ON_POOL;
    OK(mqtt_client_ping(now.client, SOON, NULL));
    mqtt_options_free(made_options);
    mqtt_client_free(made);
    mqtt_message_unref(kept);
    end();
}

int main(void) {
    signal(SIGALRM, hung);
    alarm(100);
    now.broker = mqtt_test_broker_new();
    now.idle = mqtt_test_broker_new();
    now.options = mqtt_options_new();
    for (ending = endings; ending < endings + ENDINGS; ending++) {
        for (kind = MESSAGE; kind < KINDS; kind++) {
            inside(ON_POOL);
            inside(IN_POLL);
            inside(ON_INLINE);
        }
        kind = LOG;
        inside_a_drop();
    }
    inside_a_release();
    mqtt_options_free(now.options);
    mqtt_test_broker_free(now.idle);
    mqtt_test_broker_free(now.broker);
    puts("reentry: ok");
    return 0;
}
