/* The line protocol: the arguments of a request, the reply, and what stands in both; see PROTOCOL.md. */
#include "agent.h"

argument arguments[MOST_ARGUMENTS];
size_t argument_count;

_Thread_local char *answer;
_Thread_local size_t answer_length;
static _Thread_local size_t answer_capacity;

void *checked(void *memory) {
    if (memory == NULL) {
        fputs("the agent is out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

void put(const char *text, size_t length) {
    if (answer_length + length + 1 > answer_capacity) {
        answer_capacity = 2 * (answer_length + length + 1);
        answer = checked(realloc(answer, answer_capacity));
    }
    memcpy(answer + answer_length, text, length);
    answer_length += length;
    answer[answer_length] = '\0';
}

void say(const char *name, const char *value, size_t length) {
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

void say_text(const char *name, const char *text) {
    say(name, text, strlen(text));
}

void say_number(const char *name, int64_t number) {
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, number);
    say_text(name, text);
}

void say_flag(const char *name, bool flag) {
    say_text(name, flag ? "true" : "false");
}

void decode(char *text) {
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

const char *take(const char *name) {
    for (size_t i = 0; i < argument_count; i++) {
        if (strcmp(arguments[i].name, name) == 0) {
            arguments[i].taken = true;
            return arguments[i].value;
        }
    }
    return NULL;
}

const char *take_or(const char *name, const char *otherwise) {
    const char *value = take(name);
    return value == NULL ? otherwise : value;
}

long number_of(const char *name, long otherwise) {
    const char *value = take(name);
    return value == NULL ? otherwise : strtol(value, NULL, 10);
}

uint32_t timeout_of(void) {
    return (uint32_t)number_of("timeout", 0);
}

uint32_t milliseconds(const char *text) {
    char *unit;
    double number = strtod(text, &unit);
    double factor = strcmp(unit, "s") == 0 ? 1e3 : strcmp(unit, "m") == 0 ? 6e4 : strcmp(unit, "h") == 0 ? 36e5 : 1;
    return (uint32_t)(number * factor);
}

void say_kind(const char *key, mqtt_result result) {
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

mqtt_result fail(mqtt_result result) {
    answer_length = 0;
    put("error", 5);
    say_kind("kind", result);
    if (mqtt_last_reason() >= 0) say_number("reason", mqtt_last_reason());
    say_text("text", mqtt_last_error());
    return result;
}

size_t pairs_of(const char *text, char *room, size_t size, mqtt_pair *pairs) {
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

size_t words_of(const char *text, char **words, size_t most) {
    size_t count = 0;
    char *rest = checked(strdup(text));
    while (rest != NULL && count < most) {
        words[count++] = rest;
        if ((rest = strchr(rest, ',')) != NULL) *rest++ = '\0';
    }
    return count;
}

int constant_of(const char *name, const char *const *names, const int *values) {
    for (size_t i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0) return values[i];
    }
    return -1;
}
