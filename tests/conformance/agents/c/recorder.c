/* Recorders: what callbacks were given, until a request asks for it. */
#include "agent.h"

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
recorder recorders[MOST];
size_t recorder_count;

recorder *recorder_of(const char *client, const char *name) {
    for (size_t i = 0; i < recorder_count; i++) {
        if (strcmp(recorders[i].client, client) == 0 && strcmp(recorders[i].name, name) == 0) return &recorders[i];
    }
    if (recorder_count == MOST) exit(3);
    recorder *made = &recorders[recorder_count++];
    snprintf(made->client, sizeof made->client, "%s", client);
    snprintf(made->name, sizeof made->name, "%s", name);
    return made;
}

void keep(recorder *to, size_t mark, const void *payload, size_t payload_length) {
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

/* Plainly, or with what the request says. */
static mqtt_result acknowledge(const mqtt_message *message) {
    mqtt_pair pairs[MOST_PAIRS];
    char room[512];
    int reason = (int)number_of("reason", 0);
    const char *reason_string = take("reason_string");
    size_t count = pairs_of(take("user_properties"), room, sizeof room, pairs);
    if (reason_string == NULL && count == 0) return mqtt_message_ack(message, reason);
    return mqtt_message_ack_with(message, reason, reason_string, pairs, count);
}

mqtt_result ask_recorder(const char *verb, const char *name) {
    mqtt_result result = MQTT_OK;
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
        const mqtt_message *message = of->unacknowledged[of->first_unacknowledged];
        result = acknowledge(message);
        if (result == MQTT_OK) {
            of->first_unacknowledged++;
            mqtt_message_unref(message);
        }
    } else {
        char kind[64];
        snprintf(kind, sizeof kind, "events/%s", strcmp(verb, "events") == 0 ? take_or("kind", "") : verb);
        take_items(recorder_of(name, kind), (size_t)number_of("count", 0), timeout_ms);
    }
    pthread_mutex_unlock(&lock);
    return result;
}
