/* The agent of C in the behaviour suite; see PROTOCOL.md. */
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <leveret.h>
#include <leveret_testing.h>

/* --- the line protocol --- */

enum { MOST_ARGUMENTS = 32 };

typedef struct {
    char *name;
    char *value;
    bool taken;
} argument;

static argument arguments[MOST_ARGUMENTS];
static size_t argument_count;

/* What is being written: the answer, and on the threads of callbacks an item for a recorder. */
static _Thread_local char *answer;
static _Thread_local size_t answer_length, answer_capacity;

static void *checked(void *memory) {
    if (memory == NULL) {
        fputs("the agent is out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

static void put(const char *text, size_t length) {
    if (answer_length + length + 1 > answer_capacity) {
        answer_capacity = 2 * (answer_length + length + 1);
        answer = checked(realloc(answer, answer_capacity));
    }
    memcpy(answer + answer_length, text, length);
    answer_length += length;
    answer[answer_length] = '\0';
}

/* One more `name=value` of the reply, the value percent-encoded. */
static void say(const char *name, const char *value, size_t length) {
    put(" ", 1);
    put(name, strlen(name));
    put("=", 1);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)value[i];
        char code[4];
        bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
        if (plain || (byte != 0 && strchr("-._~/", byte) != NULL)) {
            put((const char *)&byte, 1);
        } else {
            snprintf(code, sizeof code, "%%%02X", byte);
            put(code, 3);
        }
    }
}

static void say_text(const char *name, const char *text) {
    say(name, text, strlen(text));
}

static void say_number(const char *name, int64_t number) {
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, number);
    say_text(name, text);
}

static void say_flag(const char *name, bool flag) {
    say_text(name, flag ? "true" : "false");
}

static void decode(char *text) {
    char *out = text;
    for (char *in = text; *in != '\0'; in++, out++) {
        unsigned byte;
        if (*in == '%' && sscanf(in + 1, "%2x", &byte) == 1) {
            *out = (char)byte;
            in += 2;
        } else {
            *out = *in;
        }
    }
    *out = '\0';
}

static const char *take(const char *name) {
    for (size_t i = 0; i < argument_count; i++) {
        if (strcmp(arguments[i].name, name) == 0) {
            arguments[i].taken = true;
            return arguments[i].value;
        }
    }
    return NULL;
}

static const char *take_or(const char *name, const char *otherwise) {
    const char *value = take(name);
    return value == NULL ? otherwise : value;
}

static long number_of(const char *name, long otherwise) {
    const char *value = take(name);
    return value == NULL ? otherwise : strtol(value, NULL, 10);
}

static uint32_t timeout_of(void) {
    return (uint32_t)number_of("timeout", 0);
}

/* Milliseconds of a duration written as text. */
static uint32_t milliseconds(const char *text) {
    char *unit;
    double number = strtod(text, &unit);
    double factor = strcmp(unit, "s") == 0 ? 1e3 : strcmp(unit, "m") == 0 ? 6e4 : strcmp(unit, "h") == 0 ? 36e5 : 1;
    return (uint32_t)(number * factor);
}

/* The name of a result in the error table, `QueueFull` of MQTT_QUEUE_FULL. */
static void say_kind(const char *key, mqtt_result result) {
    const char *name = mqtt_result_name(result) + strlen("MQTT_");
    char kind[64];
    size_t length = 0;
    bool first = true;
    for (; *name != '\0' && length < sizeof kind; name++) {
        if (*name == '_') {
            first = true;
            continue;
        }
        kind[length++] = (char)(first || *name < 'A' || *name > 'Z' ? *name : *name + ('a' - 'A'));
        first = false;
    }
    say(key, kind, length);
}

static mqtt_result fail(mqtt_result result) {
    answer_length = 0;
    put("error", 5);
    say_kind("kind", result);
    if (mqtt_last_reason() >= 0) say_number("reason", mqtt_last_reason());
    say_text("text", mqtt_last_error());
    return result;
}

/* --- recorders --- */

typedef struct {
    char *text; /* the reply's pairs for this message or event */
    char *payload;
    size_t payload_length;
} item;

typedef struct {
    char client[32], name[64];
    item *items;
    size_t count, capacity;
    bool held;    /* the callback does not return before this is over */
    bool failing; /* the callback gives messages back */
    bool manual;  /* messages are kept to be acknowledged by hand */
    const mqtt_message *unacknowledged[64];
    size_t first_unacknowledged, past_unacknowledged;
    const mqtt_message *last; /* to be answered */
} recorder;

enum { MOST = 64, MOST_RECEIPTS = 4096 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static recorder recorders[MOST];
static size_t recorder_count;

static recorder *recorder_of(const char *client, const char *name) {
    for (size_t i = 0; i < recorder_count; i++) {
        if (strcmp(recorders[i].client, client) == 0 && strcmp(recorders[i].name, name) == 0) return &recorders[i];
    }
    if (recorder_count == MOST) exit(3);
    recorder *made = &recorders[recorder_count++];
    snprintf(made->client, sizeof made->client, "%s", client);
    snprintf(made->name, sizeof made->name, "%s", name);
    return made;
}

static bool intact(const unsigned char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != i % 251) return false;
    }
    return true;
}

/* MQTT 5 properties by the names of the standard. */
static void say_properties(const mqtt_properties *properties) {
    static const struct {
        int property;
        const char *name;
    } rows[] = {
        {MQTT_PROPERTY_PAYLOAD_FORMAT_INDICATOR, "payload_format_indicator"},
        {MQTT_PROPERTY_MESSAGE_EXPIRY_INTERVAL, "message_expiry_interval"},
        {MQTT_PROPERTY_CONTENT_TYPE, "content_type"},
        {MQTT_PROPERTY_RESPONSE_TOPIC, "response_topic"},
        {MQTT_PROPERTY_CORRELATION_DATA, "correlation_data"},
        {MQTT_PROPERTY_SUBSCRIPTION_IDENTIFIER, "subscription_identifier"},
        {MQTT_PROPERTY_SESSION_EXPIRY_INTERVAL, "session_expiry_interval"},
        {MQTT_PROPERTY_ASSIGNED_CLIENT_IDENTIFIER, "assigned_client_identifier"},
        {MQTT_PROPERTY_SERVER_KEEP_ALIVE, "server_keep_alive"},
        {MQTT_PROPERTY_RESPONSE_INFORMATION, "response_information"},
        {MQTT_PROPERTY_SERVER_REFERENCE, "server_reference"},
        {MQTT_PROPERTY_REASON_STRING, "reason_string"},
        {MQTT_PROPERTY_RECEIVE_MAXIMUM, "receive_maximum"},
        {MQTT_PROPERTY_TOPIC_ALIAS_MAXIMUM, "topic_alias_maximum"},
        {MQTT_PROPERTY_MAXIMUM_QOS, "maximum_qos"},
        {MQTT_PROPERTY_RETAIN_AVAILABLE, "retain_available"},
        {MQTT_PROPERTY_USER_PROPERTY, "user_property"},
        {MQTT_PROPERTY_MAXIMUM_PACKET_SIZE, "maximum_packet_size"},
        {MQTT_PROPERTY_AUTHENTICATION_METHOD, "authentication_method"},
        {MQTT_PROPERTY_AUTHENTICATION_DATA, "authentication_data"},
        {MQTT_PROPERTY_TOPIC_ALIAS, "topic_alias"},
        {MQTT_PROPERTY_WILDCARD_SUBSCRIPTION_AVAILABLE, "wildcard_subscription_available"},
        {MQTT_PROPERTY_SUBSCRIPTION_IDENTIFIERS_AVAILABLE, "subscription_identifiers_available"},
        {MQTT_PROPERTY_SHARED_SUBSCRIPTION_AVAILABLE, "shared_subscription_available"},
    };
    for (size_t row = 0; properties != NULL && row < sizeof rows / sizeof rows[0]; row++) {
        mqtt_property property;
        for (size_t i = 0; mqtt_property_get(properties, rows[row].property, i, &property); i++) {
            if (property.name != NULL) {
                char text[256];
                int length = snprintf(text, sizeof text, "%.*s:%.*s", (int)property.name_length, property.name, (int)property.value_length,
                                      (const char *)property.value);
                say(rows[row].name, text, (size_t)length);
            } else if (property.value != NULL) {
                say(rows[row].name, property.value, property.value_length);
            } else {
                say_number(rows[row].name, property.number);
            }
        }
    }
}

static void say_message(const mqtt_message *message) {
    say("topic", message->topic, message->topic_length);
    if (message->payload_length > 256) {
        say_number("size", (int64_t)message->payload_length);
        say_flag("intact", intact(message->payload, message->payload_length));
    } else {
        say("payload", message->payload, message->payload_length);
    }
    say_number("qos", message->qos);
    say_flag("retain", message->retain);
    say_flag("dup", message->dup);
    say_properties(message->properties);
}

/* Keeps what `answer` holds beyond `mark` as an item. The lock is held. */
static void keep(recorder *to, size_t mark, const void *payload, size_t payload_length) {
    if (to->count == to->capacity) {
        to->capacity = 2 * to->capacity + 16;
        to->items = checked(realloc(to->items, to->capacity * sizeof *to->items));
    }
    item *kept = &to->items[to->count++];
    kept->text = checked(strdup(answer + mark));
    kept->payload = checked(malloc(payload_length + 1));
    memcpy(kept->payload, payload, payload_length);
    kept->payload_length = payload_length;
    answer_length = mark;
    pthread_cond_broadcast(&changed);
}

static void on_message(void *context, const mqtt_message *message) {
    recorder *to = context;
    pthread_mutex_lock(&lock);
    size_t mark = answer_length;
    say_message(message);
    keep(to, mark, message->payload, message->payload_length);
    if (to->manual) {
        if (to->past_unacknowledged == sizeof to->unacknowledged / sizeof to->unacknowledged[0]) exit(3);
        to->unacknowledged[to->past_unacknowledged++] = mqtt_message_ref(message);
    }
    mqtt_message_unref(to->last);
    to->last = mqtt_message_ref(message);
    if (to->failing) mqtt_message_fail(message);
    while (to->held) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void on_connection(void *context, const mqtt_connection_event *event) {
    const char *kind = event->kind == MQTT_CONNECTION_ONLINE           ? "online"
                       : event->kind == MQTT_CONNECTION_OFFLINE        ? "offline"
                       : event->kind == MQTT_CONNECTION_ATTEMPT_FAILED ? "attempt_failed"
                       : event->kind == MQTT_CONNECTION_PING           ? "ping"
                       : event->kind == MQTT_CONNECTION_CLOSED         ? "closed"
                                                                       : NULL;
    if (kind == NULL) return;
    const char *client = ((recorder *)context)->client;
    pthread_mutex_lock(&lock);
    recorder *to = event->kind == MQTT_CONNECTION_PING ? recorder_of(client, "events/ping") : context;
    size_t mark = answer_length;
    if (event->kind != MQTT_CONNECTION_PING && event->kind != MQTT_CONNECTION_ATTEMPT_FAILED) {
        say_text("event", kind);
        keep(recorder_of(client, "events/status"), mark, "", 0);
        if (event->kind == MQTT_CONNECTION_CLOSED) {
            pthread_mutex_unlock(&lock);
            return;
        }
    }
    say_text("event", kind);
    if (event->kind == MQTT_CONNECTION_PING) say_number("microseconds", (int64_t)event->round_trip_us);
    if (event->kind == MQTT_CONNECTION_ATTEMPT_FAILED) say_number("retry_in", event->retry_in_ms);
    if (event->kind == MQTT_CONNECTION_ONLINE) {
        say_flag("session_present", event->session_present);
        say_text("version", event->version == 5 ? "5" : "3.1.1");
        say("client_id", event->client_id, event->client_id_length);
    }
    if (event->reason >= 0) say_number("reason", event->reason);
    if (event->text_length > 0) say("text", event->text, event->text_length);
    say_properties(event->properties);
    keep(to, mark, "", 0);
    pthread_mutex_unlock(&lock);
}

static void on_subscription(void *context, const mqtt_subscription_event *event) {
    pthread_mutex_lock(&lock);
    size_t mark = answer_length;
    say_text("event", mqtt_subscription_state_name(event->state));
    say("filter", event->filter, event->filter_length);
    if (event->reason >= 0) say_number("reason", event->reason);
    keep(context, mark, "", 0);
    pthread_mutex_unlock(&lock);
}

/* What other languages call a notice is a line for the log here. */
static void on_log(void *context, const mqtt_log_event *event) {
    pthread_mutex_lock(&lock);
    size_t mark = answer_length;
    say_text("event", "notice");
    say("text", event->text, event->text_length);
    keep(context, mark, "", 0);
    pthread_mutex_unlock(&lock);
}

/* What the hooks and the authenticator of a client say; never freed, as clients outlive the table of their names. */
typedef struct {
    char client[32];
    mqtt_client *handle;
    char says[64]; /* on what can carry words; nothing if empty */
    bool holds;    /* never answers */
    char *answers[8];
    size_t answer_count, next;
} hooked;

static bool on_packet(void *context, const mqtt_packet_event *event) {
    hooked *hook = context;
    bool lists = event->packet == MQTT_PACKET_SUBACK || event->packet == MQTT_PACKET_UNSUBACK;
    pthread_mutex_lock(&lock);
    size_t mark = answer_length;
    say_text("packet", mqtt_packet_name(event->packet));
    if (event->packet_id != 0) say_number("packet_id", event->packet_id);
    if (lists) {
        char text[128] = "";
        for (size_t i = 0, length = 0; i < event->reason_count && length < sizeof text - 5; i++) {
            length += (size_t)snprintf(text + length, sizeof text - length, i == 0 ? "%u" : ",%u", event->reasons[i]);
        }
        say_text("reasons", text);
    } else {
        say_number("reason", event->reason);
    }
    if (event->packet == MQTT_PACKET_CONNACK) say_flag("session_present", event->session_present);
    say_properties(event->properties);
    keep(recorder_of(hook->client, "events/packets"), mark, "", 0);
    pthread_mutex_unlock(&lock);
    if (hook->holds) return true;
    mqtt_pair pair = {"hook", hook->says};
    if (hook->says[0] != '\0' && event->number != 0) mqtt_packet_answer(hook->handle, event->number, hook->says, &pair, 1);
    return false;
}

static void on_auth(void *context, const mqtt_auth_event *event) {
    hooked *hook = context;
    static const char *const stages[] = {"", "begin", "continue", "finish"};
    pthread_mutex_lock(&lock);
    size_t mark = answer_length;
    say_text("stage", stages[event->stage]);
    say_flag("reauthentication", event->reauthentication);
    if (event->data != NULL) say("data", event->data, event->data_length);
    keep(recorder_of(hook->client, "events/steps"), mark, "", 0);
    pthread_mutex_unlock(&lock);
    if (event->stage == MQTT_AUTH_FINISH) {
        mqtt_auth_answer(hook->handle, event->number, NULL, 0, NULL, NULL, 0);
        return;
    }
    const char *with = hook->answers[hook->next++ % hook->answer_count];
    if (strcmp(with, "refuse") == 0) mqtt_auth_refuse(hook->handle, event->number, "the scenario wants it so");
    else mqtt_auth_answer(hook->handle, event->number, with, strlen(with), NULL, NULL, 0);
}

static size_t distinct(const recorder *of, size_t *doubled) {
    size_t found = 0, twice = 0;
    for (size_t i = 0; i < of->count; i++) {
        bool before = false, later = false;
        for (size_t j = 0; j < of->count && !before; j++) {
            bool same = of->items[i].payload_length == of->items[j].payload_length &&
                        memcmp(of->items[i].payload, of->items[j].payload, of->items[i].payload_length) == 0;
            before = same && j < i;
            later = later || (same && j > i);
        }
        found += before ? 0 : 1;
        twice += !before && later ? 1 : 0;
    }
    *doubled = twice;
    return found;
}

static struct timespec deadline_of(uint32_t timeout_ms) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += timeout_ms / 1000;
    deadline.tv_nsec += (long)(timeout_ms % 1000) * 1000000L;
    if (deadline.tv_nsec >= 1000000000L) {
        deadline.tv_sec += 1;
        deadline.tv_nsec -= 1000000000L;
    }
    return deadline;
}

static void take_items(recorder *from, size_t count, uint32_t timeout_ms) {
    struct timespec deadline = deadline_of(timeout_ms);
    while (from->count < count) {
        if (pthread_cond_timedwait(&changed, &lock, &deadline) != 0) {
            answer_length = 0;
            put("error", 5);
            say_text("kind", "TimedOut");
            say_number("came", (int64_t)from->count);
            return;
        }
    }
    say_number("count", (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        put(from->items[i].text, strlen(from->items[i].text));
        free(from->items[i].text);
        free(from->items[i].payload);
    }
    from->count -= count;
    memmove(from->items, from->items + count, from->count * sizeof *from->items);
}

static void tally(recorder *of, size_t wanted, uint32_t timeout_ms) {
    struct timespec deadline = deadline_of(timeout_ms);
    size_t doubled, found;
    while ((found = of->count < wanted ? 0 : distinct(of, &doubled)) < wanted) {
        if (pthread_cond_timedwait(&changed, &lock, &deadline) != 0) break;
    }
    found = distinct(of, &doubled);
    say_number("distinct", (int64_t)found);
    say_number("doubled", (int64_t)doubled);
}

/* --- objects by name --- */

typedef struct {
    char name[32];
    void *object;
} named;

static named clients[MOST], brokers[MOST];
static struct {
    char name[64];
    uint64_t receipt;
    mqtt_outcome outcome;
    bool settled;
} receipts[MOST_RECEIPTS];
static size_t receipt_count;

static void *find(const named *list, const char *name) {
    for (size_t i = 0; i < MOST; i++) {
        if (list[i].object != NULL && strcmp(list[i].name, name) == 0) return list[i].object;
    }
    return NULL;
}

static void enter(named *list, const char *name, void *object) {
    for (size_t i = 0; i < MOST; i++) {
        if (list[i].object == NULL || strcmp(list[i].name, name) == 0) {
            snprintf(list[i].name, sizeof list[i].name, "%s", name);
            list[i].object = object;
            return;
        }
    }
    exit(3);
}

static void enter_receipt(const char *client, const char *name, int number, uint64_t receipt) {
    if (receipt_count == MOST_RECEIPTS) exit(3);
    char *to = receipts[receipt_count].name;
    size_t size = sizeof receipts[receipt_count].name;
    if (number < 0) snprintf(to, size, "%s %s", client, name);
    else snprintf(to, size, "%s %s%d", client, name, number);
    receipts[receipt_count].settled = false;
    receipts[receipt_count++].receipt = receipt;
}

static size_t receipt_named(const char *client, const char *name, int number) {
    char wanted[64];
    if (number < 0) snprintf(wanted, sizeof wanted, "%s %s", client, name);
    else snprintf(wanted, sizeof wanted, "%s %s%d", client, name, number);
    for (size_t i = receipt_count; i-- > 0;) {
        if (strcmp(receipts[i].name, wanted) == 0) return i;
    }
    exit(3);
}

/* --- verbs --- */

enum { MOST_PAIRS = 8 };

/* Cuts `name:value;name:value` into pairs; returns how many. */
static size_t pairs_of(const char *text, char *room, size_t size, mqtt_pair *pairs) {
    size_t count = 0;
    if (text == NULL) return 0;
    snprintf(room, size, "%s", text);
    for (char *next = room; next != NULL && count < MOST_PAIRS; count++) {
        char *pair = next;
        if ((next = strchr(pair, ';')) != NULL) *next++ = '\0';
        char *value = strchr(pair, ':');
        if (value == NULL) exit(4);
        *value++ = '\0';
        pairs[count] = (mqtt_pair){pair, value};
    }
    return count;
}

static mqtt_result set_option(mqtt_options *options, const char *name, const char *value) {
    if (strstr(name, "user_properties") == NULL && strcmp(name, "websocket_headers") != 0) return mqtt_options_set(options, name, value);
    char room[512];
    mqtt_pair pairs[MOST_PAIRS];
    size_t count = pairs_of(value, room, sizeof room, pairs);
    mqtt_result result = MQTT_OK;
    for (size_t i = 0; i < count && result == MQTT_OK; i++) result = mqtt_options_add(options, name, pairs[i].name, pairs[i].value);
    return result;
}

static int constant_of(const char *name, const char *const *names, const int *values) {
    for (size_t i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0) return values[i];
    }
    return -1;
}

/* Cuts `first,second` into words; returns how many. */
static size_t words_of(const char *text, char **words, size_t most) {
    size_t count = 0;
    char *rest = checked(strdup(text));
    while (rest != NULL && count < most) {
        words[count++] = rest;
        if ((rest = strchr(rest, ',')) != NULL) *rest++ = '\0';
    }
    return count;
}

/* Installs the hooks and the authenticator that a request named. */
static mqtt_result hook_into(mqtt_client *client, hooked *hook, const char *hooks, const char *authenticator) {
    static const char *const names[] = {"connack", "puback",   "pubrec",     "pubrel", "pubcomp",
                                        "suback",  "unsuback", "disconnect", "auth",   NULL};
    static const int values[] = {MQTT_PACKET_CONNACK, MQTT_PACKET_PUBACK,   MQTT_PACKET_PUBREC,     MQTT_PACKET_PUBREL, MQTT_PACKET_PUBCOMP,
                                 MQTT_PACKET_SUBACK,  MQTT_PACKET_UNSUBACK, MQTT_PACKET_DISCONNECT, MQTT_PACKET_AUTH};
    mqtt_result result = MQTT_OK;
    hook->handle = client;
    if (hooks != NULL) {
        char *words[9];
        size_t count = words_of(hooks, words, 9);
        int packets = 0;
        for (size_t i = 0; i < count; i++) packets |= constant_of(words[i], names, values);
        result = mqtt_client_on_packet(client, packets, on_packet, hook);
    }
    if (authenticator == NULL || result != MQTT_OK) return result;
    hook->answer_count = words_of(authenticator, hook->answers, 8);
    return mqtt_client_on_auth(client, on_auth, hook);
}

static mqtt_result connect_client(const char *name) {
    mqtt_options *options = mqtt_options_new();
    const char *url = take("url");
    const char *hooks = take("hooks"), *authenticator = take("authenticator");
    hooked *hook = checked(calloc(1, sizeof *hook));
    snprintf(hook->client, sizeof hook->client, "%s", name);
    snprintf(hook->says, sizeof hook->says, "%s", take_or("hook_says", ""));
    hook->holds = strcmp(take_or("hook_holds", "false"), "true") == 0;
    mqtt_result result = MQTT_OK;
    bool manual = false;
    for (size_t i = 0; i < argument_count && result == MQTT_OK; i++) {
        if (!arguments[i].taken) result = set_option(options, arguments[i].name, arguments[i].value);
        manual = manual || strcmp(arguments[i].name, "manual_ack") == 0;
    }
    mqtt_client *client = result == MQTT_OK ? mqtt_client_new(url, options) : NULL;
    mqtt_options_free(options);
    if (result != MQTT_OK) return fail(result);
    if (client == NULL) return fail(MQTT_INVALID_ARGUMENT);
    recorder_of(name, "")->manual = manual;
    mqtt_client_on_message(client, on_message, recorder_of(name, ""));
    mqtt_client_on_connection(client, on_connection, recorder_of(name, "events/connection"));
    mqtt_client_on_subscription(client, on_subscription, recorder_of(name, "events/subscription"));
    mqtt_client_on_log(client, on_log, recorder_of(name, "events/notice"));
    enter(clients, name, client);
    result = hook_into(client, hook, hooks, authenticator);
    return result == MQTT_OK ? mqtt_client_start(client) : result;
}

/* The letter that a request describes, but for its payload. Its pairs lie in `pairs`, their texts in `room`. */
static mqtt_letter letter_of(mqtt_pair *pairs, char *room, size_t size) {
    static const char *const priorities[] = {"high", "normal", "low", NULL};
    static const int priority_values[] = {MQTT_PRIORITY_HIGH, MQTT_PRIORITY_NORMAL, MQTT_PRIORITY_LOW};
    static const char *const rules[] = {"drop_oldest", "drop_newest", "drop_lowest", "reject", NULL};
    static const int rule_values[] = {MQTT_OVERFLOW_DROP_OLDEST, MQTT_OVERFLOW_DROP_NEWEST, MQTT_OVERFLOW_DROP_LOWEST,
                                      MQTT_OVERFLOW_REJECT};
    mqtt_letter letter = MQTT_LETTER_INIT;
    letter.topic = take("topic");
    letter.qos = (int)number_of("qos", 1);
    letter.retain = strcmp(take_or("retain", "false"), "true") == 0;
    letter.replace = take("replace");
    letter.message_expiry_s = -1;
    const char *expiry = take("message_expiry");
    if (expiry != NULL) letter.message_expiry_s = milliseconds(expiry) / 1000;
    letter.payload_format = (int)number_of("payload_format", -1);
    letter.content_type = take("content_type");
    letter.response_topic = take("response_topic");
    letter.correlation_data = take("correlation_data");
    if (letter.correlation_data != NULL) letter.correlation_data_length = strlen(letter.correlation_data);
    letter.user_property_count = pairs_of(take("user_properties"), room, size, pairs);
    letter.user_properties = letter.user_property_count > 0 ? pairs : NULL;
    const char *ttl = take("ttl"), *priority = take("priority"), *overflow = take("overflow");
    if (ttl != NULL) letter.ttl_ms = strcmp(ttl, "none") == 0 ? MQTT_TTL_NONE : milliseconds(ttl);
    if (priority != NULL) letter.priority = constant_of(priority, priorities, priority_values);
    if (overflow != NULL) letter.overflow = constant_of(overflow, rules, rule_values);
    return letter;
}

static mqtt_result publish(mqtt_client *client, const char *name) {
    mqtt_pair pairs[MOST_PAIRS];
    char room[512];
    mqtt_letter letter = letter_of(pairs, room, sizeof room);
    size_t size = (size_t)number_of("size", 0);
    const char *payload = take_or("payload", "");
    unsigned char *made = size > 0 ? checked(malloc(size)) : NULL;
    for (size_t i = 0; i < size; i++) made[i] = (unsigned char)(i % 251);
    letter.payload = made != NULL ? (const void *)made : payload;
    letter.payload_length = made != NULL ? size : strlen(payload);
    uint64_t receipt;
    mqtt_result result = mqtt_publish_with(client, &letter, &receipt);
    free(made);
    if (result == MQTT_OK) enter_receipt(name, take_or("receipt", ""), -1, receipt);
    return result;
}

/* --- asking and answering --- */

static mqtt_result request(mqtt_client *client) {
    mqtt_pair pairs[MOST_PAIRS];
    char room[512];
    mqtt_letter letter = letter_of(pairs, room, sizeof room);
    letter.payload = take_or("payload", "");
    letter.payload_length = strlen(letter.payload);
    const mqtt_message *response = NULL;
    mqtt_result result = mqtt_request_with(client, &letter, (uint32_t)number_of("timeout", 10000), &response);
    if (result == MQTT_OK) say_message(response);
    mqtt_message_unref(response);
    return result;
}

/* Answers with `re:` and the payload, with nothing where that is "nothing", and gives "fail" back. */
static void on_served(void *context, const mqtt_message *message) {
    char text[300] = "re:";
    mqtt_letter letter = MQTT_LETTER_INIT;
    size_t length = message->payload_length < 256 ? message->payload_length : 256;
    memcpy(text + 3, message->payload, length);
    if (strcmp(text, "re:fail") == 0) {
        mqtt_message_fail(message);
        return;
    }
    bool nothing = strcmp(text, "re:nothing") == 0;
    letter.topic = context;
    letter.qos = message->qos;
    letter.payload = text;
    letter.payload_length = nothing ? 0 : length + 3;
    if (mqtt_message_respond_with(message, &letter, NULL) != MQTT_OK && !nothing) mqtt_message_fail(message);
}

static mqtt_result serve(mqtt_client *client) {
    mqtt_subscribe_options options = MQTT_SUBSCRIBE_OPTIONS_INIT;
    options.qos = (int)number_of("qos", 1);
    const char *topic = take("response_topic");
    void *context = topic == NULL ? NULL : checked(strdup(topic));
    return mqtt_subscribe_with(client, take("filter"), &options, on_served, context, free, NULL);
}

static mqtt_result respond(const char *name) {
    mqtt_pair pairs[MOST_PAIRS];
    char room[512];
    const mqtt_message *message = recorder_of(name, take_or("handler", ""))->last;
    const char *payload = take_or("payload", "");
    bool plain = true;
    for (size_t i = 0; i < argument_count; i++) plain = plain && arguments[i].taken;
    if (plain) return mqtt_message_respond(message, payload, strlen(payload), NULL);
    mqtt_letter letter = letter_of(pairs, room, sizeof room);
    letter.payload = payload;
    letter.payload_length = strlen(payload);
    return mqtt_message_respond_with(message, &letter, NULL);
}

static mqtt_result burst(mqtt_client *client, const char *name) {
    mqtt_pair pairs[MOST_PAIRS];
    char room[512];
    mqtt_letter letter = letter_of(pairs, room, sizeof room);
    const char *prefix = take_or("prefix", "");
    long count = number_of("count", 0);
    for (int i = 0; i < count; i++) {
        char payload[64];
        letter.payload_length = (size_t)snprintf(payload, sizeof payload, "%s%d", prefix, i);
        letter.payload = payload;
        uint64_t receipt;
        mqtt_result result;
        while ((result = mqtt_publish_with(client, &letter, &receipt)) == MQTT_QUEUE_FULL) {
            mqtt_result room = mqtt_client_wait_writable(client, 10000);
            if (room != MQTT_OK) return room;
        }
        if (result != MQTT_OK) return result;
        enter_receipt(name, take_or("receipt", ""), i, receipt);
    }
    return MQTT_OK;
}

static mqtt_result publish_many(mqtt_client *client, const char *name) {
    enum { MOST_LETTERS = 64 };
    mqtt_pair pairs[MOST_PAIRS];
    char room[512], payloads[MOST_LETTERS][64];
    mqtt_letter letters[MOST_LETTERS];
    uint64_t made[MOST_LETTERS];
    mqtt_letter letter = letter_of(pairs, room, sizeof room);
    const char *prefix = take_or("prefix", "");
    size_t count = (size_t)number_of("count", 0), accepted;
    if (count > MOST_LETTERS) exit(3);
    for (size_t i = 0; i < count; i++) {
        letter.payload_length = (size_t)snprintf(payloads[i], sizeof payloads[i], "%s%zu", prefix, i);
        letter.payload = payloads[i];
        letters[i] = letter;
    }
    mqtt_result result = mqtt_publish_many(client, letters, count, made, &accepted);
    for (size_t i = 0; i < accepted; i++) enter_receipt(name, take_or("receipt", ""), (int)i, made[i]);
    return result;
}

static mqtt_result settle(mqtt_client *client, size_t index, uint32_t timeout_ms) {
    if (receipts[index].settled) return MQTT_OK;
    mqtt_result result = mqtt_receipt_wait(client, receipts[index].receipt, timeout_ms, &receipts[index].outcome);
    receipts[index].settled = result == MQTT_OK;
    return result;
}

static mqtt_result outcome(mqtt_client *client, const char *name) {
    size_t index = receipt_named(name, take_or("receipt", ""), -1);
    mqtt_result result = settle(client, index, timeout_of());
    if (result != MQTT_OK) return result;
    mqtt_outcome *settled = &receipts[index].outcome;
    say_text("status", mqtt_outcome_name(settled->status));
    say_flag("ok", settled->ok);
    say_flag("delivered", settled->delivered);
    say_flag("maybe_delivered", settled->maybe_delivered);
    if (settled->reason >= 0) say_number("reason", settled->reason);
    return MQTT_OK;
}

static mqtt_result outcomes(mqtt_client *client, const char *name) {
    long counts[16] = {0};
    long count = number_of("count", 0);
    uint32_t timeout_ms = timeout_of();
    for (int i = 0; i < count; i++) {
        size_t index = receipt_named(name, take_or("receipt", ""), i);
        mqtt_result result = settle(client, index, timeout_ms);
        if (result != MQTT_OK) return result;
        counts[receipts[index].outcome.status]++;
    }
    for (int status = 0; status < 16; status++) {
        if (counts[status] > 0) say_number(mqtt_outcome_name(status), counts[status]);
    }
    return MQTT_OK;
}

static mqtt_result cancel(mqtt_client *client, const char *name) {
    bool found;
    mqtt_result result = mqtt_cancel(client, receipts[receipt_named(name, take_or("receipt", ""), -1)].receipt, &found);
    if (result == MQTT_OK) say_flag("cancelled", found);
    return result;
}

static mqtt_result explain(mqtt_client *client, const char *name) {
    char text[512];
    size_t length, index = receipt_named(name, take_or("receipt", ""), -1);
    mqtt_result result = mqtt_explain(client, receipts[index].receipt, text, sizeof text, &length);
    if (result == MQTT_OK) say_text("text", text);
    return result;
}

static mqtt_result subscribe(mqtt_client *client, const char *name, bool wait) {
    mqtt_subscribe_options options = MQTT_SUBSCRIBE_OPTIONS_INIT;
    options.qos = (int)number_of("qos", 1);
    options.no_local = strcmp(take_or("no_local", "false"), "true") == 0;
    options.retain_as_published = strcmp(take_or("retain_as_published", "false"), "true") == 0;
    options.retain_handling = (int)number_of("retain_handling", 0);
    mqtt_pair pairs[MOST_PAIRS];
    char room[512];
    options.user_property_count = pairs_of(take("user_properties"), room, sizeof room, pairs);
    options.user_properties = options.user_property_count > 0 ? pairs : NULL;
    const char *timeout = take("timeout");
    if (timeout != NULL) options.timeout_ms = milliseconds(timeout);
    const char *handler = take("handler");
    uint64_t reply;
    mqtt_message_callback callback = handler == NULL ? NULL : on_message;
    void *context = handler == NULL ? NULL : recorder_of(name, handler);
    if (handler != NULL) recorder_of(name, handler)->manual = recorder_of(name, "")->manual;
    mqtt_result result = mqtt_subscribe_with(client, take("filter"), &options, callback, context, NULL, &reply);
    if (result != MQTT_OK || !wait) return result;
    int granted;
    result = mqtt_reply_wait(client, reply, 40000, &granted);
    if (result == MQTT_OK) say_number("granted", granted);
    return result;
}

static mqtt_result unsubscribe(mqtt_client *client) {
    uint64_t reply;
    mqtt_pair pairs[MOST_PAIRS];
    char room[512];
    const char *filter = take("filter");
    size_t count = pairs_of(take("user_properties"), room, sizeof room, pairs);
    mqtt_result result = count > 0 ? mqtt_unsubscribe_with(client, filter, pairs, count, &reply) : mqtt_unsubscribe(client, filter, &reply);
    return result == MQTT_OK ? mqtt_reply_wait(client, reply, 40000, NULL) : result;
}

static mqtt_result close_client(mqtt_client *client) {
    const char *end = take("end_session"), *expiry = take("session_expiry");
    uint32_t timeout = (uint32_t)number_of("timeout", MQTT_CLOSE_TIMEOUT_DEFAULT);
    bool plain = true;
    for (size_t i = 0; i < argument_count; i++) plain = plain && arguments[i].taken;
    if (plain && expiry == NULL) {
        return end == NULL ? mqtt_client_close(client, timeout) : mqtt_client_close_with(client, timeout, strcmp(end, "true") == 0);
    }
    mqtt_pair pairs[MOST_PAIRS];
    char room[512];
    mqtt_close_options options = MQTT_CLOSE_OPTIONS_INIT;
    options.timeout_ms = timeout;
    if (end != NULL) options.end_session = strcmp(end, "true") == 0;
    options.with_will = strcmp(take_or("with_will", "false"), "true") == 0;
    if (expiry != NULL) options.session_expiry_s = milliseconds(expiry) / 1000;
    options.reason_string = take("reason_string");
    options.user_property_count = pairs_of(take("user_properties"), room, sizeof room, pairs);
    options.user_properties = pairs;
    return mqtt_client_close_options(client, &options);
}

static mqtt_result reauthenticate(mqtt_client *client) {
    uint64_t reply;
    mqtt_result result = mqtt_client_reauthenticate(client, &reply);
    return result == MQTT_OK ? mqtt_reply_wait(client, reply, timeout_of(), NULL) : result;
}

static mqtt_result stats(mqtt_client *client) {
    mqtt_stats stats;
    mqtt_result result = mqtt_client_stats(client, &stats);
    if (result != MQTT_OK) return result;
    say_text("status", mqtt_status_name((int)stats.status));
    say_number("queued", (int64_t)stats.queued);
    say_number("queued_bytes", (int64_t)stats.queued_bytes);
    say_number("in_flight", (int64_t)stats.in_flight);
    say_number("in_flight_bytes", (int64_t)stats.in_flight_bytes);
    say_number("bytes_in", (int64_t)stats.bytes_in);
    say_number("bytes_out", (int64_t)stats.bytes_out);
    say_number("reconnects", (int64_t)stats.reconnects);
    say_number("failed_attempts", (int64_t)stats.failed_attempts);
    say_number("inbox_messages", (int64_t)stats.inbox_messages);
    say_number("inbox_bytes", (int64_t)stats.inbox_bytes);
    say_number("inbox_dropped", (int64_t)stats.inbox_dropped);
    say_number("unhandled", (int64_t)stats.unhandled);
    say_number("oversize", (int64_t)stats.oversize);
    say_number("handler_failures", (int64_t)stats.handler_failures);
    if (stats.last_error != MQTT_OK) say_text("last_error", mqtt_result_name(stats.last_error));
    return MQTT_OK;
}

static int status_of(const char *name) {
    for (int status = MQTT_STATUS_OFFLINE; status <= MQTT_STATUS_CLOSED; status++) {
        if (strcmp(mqtt_status_name(status), name) == 0) return status;
    }
    return -1;
}

static mqtt_result ask_broker(const char *verb) {
    const char *name = take("broker");
    if (strcmp(verb, "broker_new") == 0) {
        const char *options[2 * MOST_ARGUMENTS + 1];
        size_t count = 0;
        for (size_t i = 0; i < argument_count; i++) {
            if (arguments[i].taken) continue;
            options[count++] = arguments[i].name;
            options[count++] = arguments[i].value;
        }
        options[count] = NULL;
        mqtt_test_broker *broker = mqtt_test_broker_new_with(options);
        if (broker == NULL) return fail(MQTT_SYSTEM);
        enter(brokers, name, broker);
        say_text("url", mqtt_test_broker_url(broker));
        if (mqtt_test_broker_ca_pem(broker) != NULL) {
            say_text("ca_pem", mqtt_test_broker_ca_pem(broker));
            say_text("client_cert_pem", mqtt_test_broker_client_cert_pem(broker));
            say_text("client_key_pem", mqtt_test_broker_client_key_pem(broker));
        }
        return MQTT_OK;
    }
    mqtt_test_broker *broker = find(brokers, name);
    if (strcmp(verb, "broker_stop") == 0) {
        bool forget = strcmp(take_or("forget", "false"), "true") == 0;
        return forget ? mqtt_test_broker_stop_and_forget(broker) : mqtt_test_broker_stop(broker);
    }
    if (strcmp(verb, "broker_start") == 0) return mqtt_test_broker_start(broker);
    if (strcmp(verb, "broker_show_certificate") == 0) return mqtt_test_broker_show_certificate(broker, take("certificate"));
    if (strcmp(verb, "broker_swallow") == 0) {
        return mqtt_test_broker_swallow(broker, take("packet"), (uint64_t)number_of("count", 1));
    }
    if (strcmp(verb, "broker_close") == 0) {
        enter(brokers, name, NULL);
        mqtt_test_broker_free(broker);
        return MQTT_OK;
    }
    mqtt_result result = mqtt_test_broker_wait_received(broker, (size_t)number_of("count", 0), timeout_of());
    if (result != MQTT_OK) return result;
    size_t count = mqtt_test_broker_received_count(broker);
    say_number("count", (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        mqtt_message message;
        result = mqtt_test_broker_received(broker, i, &message);
        if (result != MQTT_OK) return result;
        say_message(&message);
    }
    return MQTT_OK;
}

static mqtt_result ping(mqtt_client *client) {
    uint64_t microseconds;
    mqtt_result result = mqtt_client_ping(client, 5000, &microseconds);
    if (result == MQTT_OK) say_number("microseconds", (int64_t)microseconds);
    return result;
}

static mqtt_result ask_client(const char *verb, mqtt_client *client, const char *name) {
    if (strcmp(verb, "status") == 0) {
        say_text("status", mqtt_status_name(mqtt_client_status(client)));
        return MQTT_OK;
    }
    if (strcmp(verb, "outcome") == 0) return outcome(client, name);
    if (strcmp(verb, "outcomes") == 0) return outcomes(client, name);
    if (strcmp(verb, "cancel") == 0) return cancel(client, name);
    if (strcmp(verb, "explain") == 0) return explain(client, name);
    if (strcmp(verb, "stats") == 0) return stats(client);
    if (strcmp(verb, "ping") == 0) return ping(client);
    if (strcmp(verb, "publish") == 0) return publish(client, name);
    if (strcmp(verb, "request") == 0) return request(client);
    if (strcmp(verb, "serve") == 0) return serve(client);
    if (strcmp(verb, "respond") == 0) return respond(name);
    if (strcmp(verb, "burst") == 0) return burst(client, name);
    if (strcmp(verb, "publish_many") == 0) return publish_many(client, name);
    if (strcmp(verb, "subscribe") == 0) return subscribe(client, name, true);
    if (strcmp(verb, "declare") == 0) return subscribe(client, name, false);
    if (strcmp(verb, "unsubscribe") == 0) return unsubscribe(client);
    if (strcmp(verb, "wait") == 0) return mqtt_client_wait_for(client, status_of(take_or("status", "")), timeout_of());
    if (strcmp(verb, "flush") == 0) return mqtt_client_flush(client, timeout_of());
    if (strcmp(verb, "drain") == 0) return mqtt_client_wait_writable(client, timeout_of());
    if (strcmp(verb, "reconnect") == 0) return mqtt_client_reconnect(client);
    if (strcmp(verb, "reauthenticate") == 0) return reauthenticate(client);
    if (strcmp(verb, "close") == 0) return close_client(client);
    if (strcmp(verb, "free") == 0) {
        mqtt_client_free(client);
        enter(clients, name, NULL);
        return MQTT_OK;
    }
    exit(4);
}

/* Plainly, or with what the request says. */
static void acknowledge(const mqtt_message *message) {
    mqtt_pair pairs[MOST_PAIRS];
    char room[512];
    int reason = (int)number_of("reason", 0);
    const char *reason_string = take("reason_string");
    size_t count = pairs_of(take("user_properties"), room, sizeof room, pairs);
    if (reason_string == NULL && count == 0) mqtt_message_ack(message, reason);
    else mqtt_message_ack_with(message, reason, reason_string, pairs, count);
}

static mqtt_result ask_recorder(const char *verb, const char *name) {
    uint32_t timeout_ms = timeout_of();
    pthread_mutex_lock(&lock);
    if (strcmp(verb, "messages") == 0) {
        take_items(recorder_of(name, take_or("handler", "")), (size_t)number_of("count", 0), timeout_ms);
    } else if (strcmp(verb, "tally") == 0) {
        tally(recorder_of(name, take_or("handler", "")), (size_t)number_of("distinct", 0), timeout_ms);
    } else if (strcmp(verb, "hold") == 0 || strcmp(verb, "release") == 0) {
        recorder_of(name, take_or("handler", ""))->held = strcmp(verb, "hold") == 0;
        pthread_cond_broadcast(&changed);
    } else if (strcmp(verb, "fail") == 0) {
        recorder_of(name, take_or("handler", ""))->failing = true;
    } else if (strcmp(verb, "ack") == 0) {
        recorder *of = recorder_of(name, take_or("handler", ""));
        if (of->first_unacknowledged == of->past_unacknowledged) exit(4);
        const mqtt_message *message = of->unacknowledged[of->first_unacknowledged++];
        acknowledge(message);
        mqtt_message_unref(message);
    } else {
        char kind[64];
        snprintf(kind, sizeof kind, "events/%s", strcmp(verb, "events") == 0 ? take_or("kind", "") : verb);
        take_items(recorder_of(name, kind), (size_t)number_of("count", 0), timeout_ms);
    }
    pthread_mutex_unlock(&lock);
    return MQTT_OK;
}

static mqtt_result ask(char *request) {
    argument_count = 0;
    char *verb = strtok(request, " \n");
    for (char *word; (word = strtok(NULL, " \n")) != NULL && argument_count < MOST_ARGUMENTS; argument_count++) {
        char *value = strchr(word, '=');
        if (value == NULL) exit(4);
        *value++ = '\0';
        decode(word);
        decode(value);
        arguments[argument_count] = (argument){word, value, false};
    }
    if (strncmp(verb, "broker_", strlen("broker_")) == 0) return ask_broker(verb);
    if (strcmp(verb, "shutdown") == 0) return mqtt_shutdown();
    if (strcmp(verb, "hello") == 0) {
        say_text("language", "c");
        say_text("version", mqtt_version());
        return MQTT_OK;
    }
    const char *name = take_or("client", "");
    if (strcmp(verb, "connect") == 0) return connect_client(name);
    static const char *const recorded[] = {"messages", "tally", "events", "packets", "steps", "hold", "release", "fail", "ack"};
    bool of_recorder = false;
    for (size_t i = 0; i < sizeof recorded / sizeof recorded[0]; i++) of_recorder = of_recorder || strcmp(verb, recorded[i]) == 0;
    return of_recorder ? ask_recorder(verb, name) : ask_client(verb, find(clients, name), name);
}

int main(void) {
    char *request = NULL;
    size_t capacity = 0;
    while (getline(&request, &capacity, stdin) > 0) {
        answer_length = 0;
        put("ok", 2);
        mqtt_result result = ask(request);
        if (result != MQTT_OK && strncmp(answer, "error", 5) != 0) fail(result);
        puts(answer);
        fflush(stdout);
    }
    free(request);
    for (size_t i = 0; i < recorder_count; i++) mqtt_message_unref(recorders[i].last);
    for (size_t i = 0; i < MOST; i++) mqtt_client_free(clients[i].object);
    for (size_t i = 0; i < MOST; i++) mqtt_test_broker_free(brokers[i].object);
    return 0;
}
