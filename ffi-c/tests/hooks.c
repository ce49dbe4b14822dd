/* Hooks, the authenticator, and words on what we send: shown in order, answered at once or later, beside callbacks that wait, and to the
 * end of a client that is freed. */
#include "check.h"

enum { MOST_SHOWN = 32 };

/* What a hook was shown, and how it answers. */
typedef struct hook {
    mqtt_client *client;
    mqtt_packet_event shown[MOST_SHOWN];
    counter count, drops;
    bool says;          /* words at once */
    bool later;         /* words later, by another thread */
    counter *wait;      /* it ends when this is 1 */
    bool frees, closes; /* the client, from inside */
} hook;

#define HOOK_INIT {NULL, {{0, 0, 0, 0, NULL, 0, false, 0, NULL}}, COUNTER_INIT, COUNTER_INIT, false, false, NULL, false, false}

static const int ALL_PACKETS = MQTT_PACKET_CONNACK | MQTT_PACKET_PUBACK | MQTT_PACKET_PUBREC | MQTT_PACKET_PUBREL | MQTT_PACKET_PUBCOMP |
                               MQTT_PACKET_SUBACK | MQTT_PACKET_UNSUBACK | MQTT_PACKET_DISCONNECT | MQTT_PACKET_AUTH;

static mqtt_pair pair = {"hook", "words"};

static bool on_packet(void *context, const mqtt_packet_event *event) {
    hook *hook = context;
    long count = counter_value(&hook->count);
    mqtt_client *client = hook->client;
    EXPECT(count < MOST_SHOWN);
    hook->shown[count] = *event;
    bool later = hook->later && event->number != 0;
    if (hook->says && event->number != 0) OK(mqtt_packet_answer(client, event->number, "seen", &pair, 1));
    counter *wait = hook->wait;
    if (hook->closes) OK(mqtt_client_close(client, SOON));
    if (hook->frees) mqtt_client_free(client);
    counter_add(&hook->count, 1);
    if (wait != NULL) EXPECT(counter_reaches(wait, 1));
    return later;
}

static void on_drop(void *context) {
    counter_add(context, 1);
}

static void on_hook_drop(void *context) {
    hook *hook = context;
    counter_add(&hook->drops, 1);
}

/* Only in mqtt_client_poll do callbacks need a hand. */
static void wait_shown(hook *hook, int dispatch, long count) {
    while (dispatch == MQTT_DISPATCH_POLL && counter_value(&hook->count) < count) OK(mqtt_client_poll(hook->client, SOON, NULL));
    EXPECT(counter_reaches(&hook->count, count));
}

static void expect_shown(const hook *hook, long at, int packet, uint64_t receipt) {
    const mqtt_packet_event *shown = &hook->shown[at];
    if (shown->packet != packet) fprintf(stderr, "%s in the place of %s\n", mqtt_packet_name(shown->packet), mqtt_packet_name(packet));
    EXPECT(shown->packet == packet && shown->receipt == receipt);
    EXPECT((shown->packet_id != 0) == (packet != MQTT_PACKET_CONNACK));
    bool answered = packet == MQTT_PACKET_PUBREC || packet == MQTT_PACKET_PUBREL;
    EXPECT((shown->number != 0) == answered);
}

static mqtt_client *hooked(const char *url, const char *const *set, int dispatch, hook *hook) {
    hook->client = new_client(url, set);
    OK(mqtt_client_dispatch(hook->client, dispatch));
    OK(mqtt_client_on_packet_with(hook->client, ALL_PACKETS, on_packet, hook, on_hook_drop));
    OK(mqtt_client_start(hook->client));
    OK(mqtt_client_wait_for(hook->client, MQTT_STATUS_ONLINE, SOON));
    return hook->client;
}

static void ignore(void *context, const mqtt_message *message) {
    (void)context, (void)message;
}

/* Every packet of a subscribe, two publishes and an unsubscribe, in order. */
static void shown_in_order(const char *url, const char *version, int dispatch) {
    const char *set[] = {MQTT_OPT_PROTOCOL, version, NULL};
    hook hook = HOOK_INIT;
    uint64_t acknowledged, complete;
    hook.says = true;
    mqtt_client *client = hooked(url, set, dispatch, &hook);
    wait_shown(&hook, dispatch, 1);
    OK(mqtt_subscribe(client, "own", 2, ignore, NULL));
    wait_shown(&hook, dispatch, 2);
    OK(mqtt_publish(client, "elsewhere", "x", 1, 1, false, &acknowledged));
    wait_shown(&hook, dispatch, 3);
    OK(mqtt_publish(client, "elsewhere", "x", 1, 2, false, &complete));
    wait_shown(&hook, dispatch, 5);
    OK(mqtt_publish(client, "own", "x", 1, 0, false, NULL));
    OK(mqtt_unsubscribe_with(client, "own", &pair, 1, NULL));
    wait_shown(&hook, dispatch, 6);
    expect_shown(&hook, 0, MQTT_PACKET_CONNACK, 0);
    expect_shown(&hook, 1, MQTT_PACKET_SUBACK, 0);
    expect_shown(&hook, 2, MQTT_PACKET_PUBACK, acknowledged);
    expect_shown(&hook, 3, MQTT_PACKET_PUBREC, complete);
    expect_shown(&hook, 4, MQTT_PACKET_PUBCOMP, complete);
    expect_shown(&hook, 5, MQTT_PACKET_UNSUBACK, 0);
    EXPECT(hook.shown[1].reason == 2 && hook.shown[1].reason_count == 1);
    EXPECT(strcmp(version, "5") == 0 ? hook.shown[5].reason_count == 1 : hook.shown[5].reason == -1);
    mqtt_client_free(client);
}

/* A message callback waits for a letter of QoS 2, for which the hook has to look at its PUBREC first. */
static void on_waits(void *context, const mqtt_message *message) {
    hook *hook = context;
    uint64_t receipt;
    (void)message;
    OK(mqtt_publish(hook->client, "elsewhere", "x", 1, 2, false, &receipt));
    SETTLES(hook->client, receipt, MQTT_OUTCOME_ACKNOWLEDGED);
    counter_add(&hook->count, 100);
}

static void beside_callbacks(const char *url) {
    hook hook = HOOK_INIT;
    mqtt_client *client = hooked(url, NULL, MQTT_DISPATCH_POOL, &hook);
    OK(mqtt_client_on_packet(client, MQTT_PACKET_PUBREC, on_packet, &hook));
    OK(mqtt_subscribe(client, "waits", 1, on_waits, &hook));
    OK(mqtt_publish(client, "waits", "x", 1, 1, false, NULL));
    EXPECT(counter_reaches(&hook.count, 100));
    mqtt_client_free(client);
}

/* The number of what is to be answered comes from the hook, the answer from this thread; what the text is wrong of waits on. */
static void answered_later(const char *url) {
    hook hook = HOOK_INIT;
    uint64_t receipt;
    hook.later = true;
    mqtt_client *client = hooked(url, NULL, MQTT_DISPATCH_POOL, &hook);
    EXPECT(counter_reaches(&hook.count, 1));
    OK(mqtt_client_on_packet(client, MQTT_PACKET_PUBREC, on_packet, &hook));
    long before = counter_value(&hook.count);
    OK(mqtt_publish(client, "elsewhere", "x", 1, 2, false, &receipt));
    EXPECT(counter_reaches(&hook.count, before + 1));
    RESULT(mqtt_receipt_wait(client, receipt, 20, NULL), MQTT_TIMED_OUT);
    RESULT(mqtt_packet_answer(client, hook.shown[before].number, "\x01\xff", NULL, 0), MQTT_INVALID_ARGUMENT);
    OK(mqtt_packet_answer(client, hook.shown[before].number, "at last", &pair, 1));
    SETTLES(client, receipt, MQTT_OUTCOME_ACKNOWLEDGED);
    /* With nobody left to answer, what is shown is answered at once. */
    OK(mqtt_client_on_packet(client, 0, NULL, NULL));
    OK(mqtt_publish(client, "elsewhere", "x", 1, 2, false, &receipt));
    SETTLES(client, receipt, MQTT_OUTCOME_ACKNOWLEDGED);
    mqtt_client_free(client);
}

static void on_late(void *context, const mqtt_log_event *event) {
    char text[256];
    snprintf(text, sizeof text, "%.*s", (int)event->text_length, event->text);
    if (strstr(text, "hook") != NULL) counter_add(context, 1);
}

/* A hook that never answers holds our answer for the option hook_timeout, and the log says so. */
static void too_late(const char *url) {
    static const char *const set[] = {MQTT_OPT_HOOK_TIMEOUT, "50ms", NULL};
    counter late = COUNTER_INIT;
    hook hook = HOOK_INIT;
    uint64_t receipt;
    hook.later = true;
    mqtt_client *client = hooked(url, set, MQTT_DISPATCH_POOL, &hook);
    OK(mqtt_client_on_log(client, on_late, &late));
    OK(mqtt_publish(client, "elsewhere", "x", 1, 2, false, &receipt));
    SETTLES(client, receipt, MQTT_OUTCOME_ACKNOWLEDGED);
    EXPECT(counter_reaches(&late, 1));
    mqtt_client_free(client);
}

static void wrong_packets(const char *url) {
    static const char sentence[] = "packets must be one or several of MQTT_PACKET_…, added up, not ";
    static const int wrong[] = {0, 1, MQTT_PACKET_PUBACK + 2, -1, 0x10000};
    counter drops = COUNTER_INIT;
    mqtt_client *client = new_client(url, NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        RESULT(mqtt_client_on_packet_with(client, wrong[i], on_packet, &drops, on_drop), MQTT_INVALID_ARGUMENT);
        EXPECT(strncmp(mqtt_last_error(), sentence, sizeof sentence - 1) == 0);
        EXPECT(counter_value(&drops) == (long)i + 1);
    }
    EXPECT(strcmp(mqtt_packet_name(MQTT_PACKET_UNSUBACK), "UNSUBACK") == 0 && strcmp(mqtt_packet_name(3), "unknown") == 0);
    mqtt_client_free(client);
}

/* A client that its own hook frees or closes, and one that is freed while its hook runs, with every drop once and before the free ends. */
static void ends(const char *url, int dispatch, bool frees) {
    hook hook = HOOK_INIT;
    hook.client = new_client(url, NULL);
    hook.frees = frees;
    hook.closes = true;
    OK(mqtt_client_dispatch(hook.client, dispatch));
    OK(mqtt_client_on_packet_with(hook.client, MQTT_PACKET_CONNACK, on_packet, &hook, on_hook_drop));
    OK(mqtt_client_start(hook.client));
    wait_shown(&hook, dispatch, 1);
    if (!frees) mqtt_client_free(hook.client);
    if (frees && dispatch != MQTT_DISPATCH_POLL) EXPECT(counter_reaches(&hook.drops, 1));
    EXPECT(counter_value(&hook.drops) == 1);
}

static void *free_it(void *context) {
    mqtt_client_free(context);
    return NULL;
}

static void freed_while_a_hook_runs(const char *url) {
    counter over = COUNTER_INIT;
    hook hook = HOOK_INIT;
    pthread_t thread;
    hook.wait = &over;
    hook.client = new_client(url, NULL);
    OK(mqtt_client_on_packet_with(hook.client, MQTT_PACKET_CONNACK, on_packet, &hook, on_hook_drop));
    OK(mqtt_client_start(hook.client));
    EXPECT(counter_reaches(&hook.count, 1));
    EXPECT(pthread_create(&thread, NULL, free_it, hook.client) == 0);
    counter_add(&over, 1);
    EXPECT(pthread_join(thread, NULL) == 0);
    EXPECT(counter_value(&hook.drops) == 1);
}

/* What an authenticator was asked, and how it answers. */
typedef struct authenticator {
    mqtt_client *client;
    counter steps, refused, failed;
    bool refuses;
} authenticator;

static void on_auth(void *context, const mqtt_auth_event *event) {
    authenticator *asked = context;
    EXPECT(event->stage == MQTT_AUTH_BEGIN && !event->reauthentication && event->data == NULL);
    EXPECT(event->method_length == 6 && memcmp(event->method, "OAUTH2", 6) == 0);
    static char large[65536];
    RESULT(mqtt_auth_answer(asked->client, event->number, large, sizeof large, NULL, NULL, 0), MQTT_INVALID_ARGUMENT);
    mqtt_result answered = asked->refuses ? mqtt_auth_refuse(asked->client, event->number, "no token today")
                                          : mqtt_auth_answer(asked->client, event->number, "token", 5, "words", &pair, 1);
    EXPECT(answered == MQTT_OK || answered == MQTT_CLOSED); /* the next attempt may meet the end of the test */
    counter_add(&asked->steps, 1);
}

static void on_connection(void *context, const mqtt_connection_event *event) {
    authenticator *asked = context;
    if (event->kind != MQTT_CONNECTION_ATTEMPT_FAILED) return;
    char text[256];
    snprintf(text, sizeof text, "%.*s", (int)event->text_length, event->text);
    if (event->error == MQTT_REFUSED && strstr(text, "no token today") != NULL) counter_add(&asked->refused, 1);
    if (event->reason == MQTT_REASON_BAD_AUTHENTICATION_METHOD) counter_add(&asked->failed, 1);
}

/* The test broker knows no method: the attempt fails there, and another begins. */
static void authenticates(const char *url) {
    static const char *const set[] = {MQTT_OPT_AUTHENTICATION_METHOD, "OAUTH2", NULL};
    authenticator asked = {NULL, COUNTER_INIT, COUNTER_INIT, COUNTER_INIT, false};
    uint64_t reply;
    asked.client = new_client(url, set);
    OK(mqtt_client_on_auth(asked.client, on_auth, &asked));
    OK(mqtt_client_on_connection(asked.client, on_connection, &asked));
    OK(mqtt_client_start(asked.client));
    EXPECT(counter_reaches(&asked.steps, 2) && counter_reaches(&asked.failed, 2));
    OK(mqtt_client_reauthenticate(asked.client, &reply));
    RESULT(mqtt_reply_wait(asked.client, reply, SOON, NULL), MQTT_NOT_CONNECTED);
    mqtt_client_free(asked.client);

    asked.refuses = true;
    asked.client = new_client(url, set);
    OK(mqtt_client_on_auth(asked.client, on_auth, &asked));
    OK(mqtt_client_on_connection(asked.client, on_connection, &asked));
    OK(mqtt_client_start(asked.client));
    EXPECT(counter_reaches(&asked.refused, 2));
    mqtt_client_free(asked.client);

    mqtt_client *plain = online_client(url, NULL);
    FAILS(mqtt_client_on_auth(plain, on_auth, NULL), MQTT_INVALID_ARGUMENT,
          "authentication_method must be given where there is an authenticator");
    OK(mqtt_client_reauthenticate(plain, &reply));
    RESULT(mqtt_reply_wait(plain, reply, SOON, NULL), MQTT_NOT_SUPPORTED);
    mqtt_client_free(plain);
}

static void on_acknowledged(void *context, const mqtt_message *message) {
    RESULT(mqtt_message_ack_with(message, 256, NULL, NULL, 0), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_message_ack_with(message, MQTT_REASON_SESSION_TAKEN_OVER, NULL, NULL, 0), MQTT_INVALID_ARGUMENT);
    EXPECT(strcmp(mqtt_last_error(), "reason must be one of 0, 128, 131, 135, 144, 145, 151, 153 (MQTT 5, 3.4.2.1), not 142") == 0);
    RESULT(mqtt_message_ack_with(message, 0, "\xff", NULL, 0), MQTT_INVALID_ARGUMENT);
    OK(mqtt_message_ack_with(message, MQTT_REASON_QUOTA_EXCEEDED, "too much", &pair, 1));
    counter_add(context, 1);
}

static void words(const char *url) {
    static const char *const set[] = {MQTT_OPT_MANUAL_ACK, "true", NULL};
    mqtt_client *client = online_client(url, set);
    mqtt_close_options how = MQTT_CLOSE_OPTIONS_INIT;
    counter came = COUNTER_INIT;
    uint64_t reply;
    OK(mqtt_subscribe(client, "words", 1, on_acknowledged, &came));
    OK(mqtt_publish(client, "words", "x", 1, 1, false, NULL));
    EXPECT(counter_reaches(&came, 1));
    OK(mqtt_unsubscribe_with(client, "words", &pair, 1, &reply));
    OK(mqtt_reply_wait(client, reply, SOON, NULL));
    how.size = 8;
    FAILS(mqtt_client_close_options(client, &how), MQTT_INVALID_ARGUMENT,
          "size of the options must be what MQTT_CLOSE_OPTIONS_INIT sets, not 8");
    how.size = sizeof how;
    how.end_session = 2;
    FAILS(mqtt_client_close_options(client, &how), MQTT_INVALID_ARGUMENT, "end_session must be 0 or 1, or -1 for the default, not 2");
    how.end_session = 1;
    how.session_expiry_s = 60;
    RESULT(mqtt_client_close_options(client, &how), MQTT_INVALID_ARGUMENT);
    how.session_expiry_s = -2;
    RESULT(mqtt_client_close_options(client, &how), MQTT_INVALID_ARGUMENT);
    EXPECT(mqtt_client_status(client) == MQTT_STATUS_ONLINE);
    how.session_expiry_s = 0;
    how.timeout_ms = MQTT_FOREVER;
    how.with_will = true;
    how.reason_string = "going home";
    how.user_properties = &pair;
    how.user_property_count = 1;
    OK(mqtt_client_close_options(client, &how));
    EXPECT(mqtt_client_status(client) == MQTT_STATUS_CLOSED);
    mqtt_client_free(client);
}

int main(void) {
    static const int ways[] = {MQTT_DISPATCH_POOL, MQTT_DISPATCH_POLL, MQTT_DISPATCH_INLINE};
    mqtt_test_broker *broker = mqtt_test_broker_new();
    const char *url = mqtt_test_broker_url(broker);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        shown_in_order(url, "5", ways[i]);
        shown_in_order(url, "3.1.1", ways[i]);
        ends(url, ways[i], false);
        ends(url, ways[i], true);
    }
    beside_callbacks(url);
    answered_later(url);
    too_late(url);
    wrong_packets(url);
    freed_while_a_hook_runs(url);
    authenticates(url);
    words(url);
    mqtt_test_broker_free(broker);
    puts("hooks: ok");
    return 0;
}
