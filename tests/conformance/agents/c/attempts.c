/* What attempts to connect are to say, and signatures of handshakes: as the request to connect said. */
#include "agent.h"

/* How a client is asked before it connects; never freed, as clients outlive the table of their names. */
typedef struct {
    char client[32];
    mqtt_client *handle;
    char *answers[8];
    size_t answer_count, asked;
    argument said[MOST_ARGUMENTS]; /* names and values of what is said, with {n} in it */
    size_t said_count;
} asking;

/* The text with the number of the attempt in the place of each {n}. */
static void number_it(const char *text, size_t number, char *into, size_t size) {
    size_t length = 0;
    while (*text != '\0' && length + 24 < size) {
        if (strncmp(text, "{n}", 3) == 0) {
            length += (size_t)snprintf(into + length, size - length, "%zu", number);
            text += 3;
        } else {
            into[length++] = *text++;
        }
    }
    into[length] = '\0';
}

static mqtt_result say_one(mqtt_connect_options *options, const char *name, const char *value) {
    if (strstr(name, "user_properties") == NULL && strcmp(name, "websocket_headers") != 0) {
        return mqtt_connect_options_set(options, name, value);
    }
    char room[512];
    mqtt_pair pairs[MOST_PAIRS];
    size_t count = pairs_of(value, room, sizeof room, pairs);
    mqtt_result result = MQTT_OK;
    for (size_t i = 0; i < count && result == MQTT_OK; i++) {
        result = mqtt_connect_options_add(options, name, pairs[i].name, pairs[i].value);
    }
    return result;
}

/* What cannot be said refuses, with the sentence about it. */
static void answer_attempt(const asking *asking, const mqtt_connect_event *event) {
    mqtt_connect_options *options = mqtt_connect_options_new();
    mqtt_result result = MQTT_OK;
    char value[1024];
    for (size_t i = 0; i < asking->said_count && result == MQTT_OK; i++) {
        number_it(asking->said[i].value, asking->asked, value, sizeof value);
        result = say_one(options, asking->said[i].name, value);
    }
    if (result == MQTT_OK) result = mqtt_connect_answer(asking->handle, event->number, options);
    mqtt_connect_options_free(options);
    if (result == MQTT_OK) return;
    snprintf(value, sizeof value, "%s", mqtt_last_error());
    mqtt_connect_refuse(asking->handle, event->number, value);
}

static void on_connect(void *context, const mqtt_connect_event *event) {
    asking *asking = context;
    pthread_mutex_lock(&lock);
    size_t mark = answer_length;
    say("url", event->url, event->url_length);
    say_number("number", (int64_t)event->attempt);
    keep(recorder_of(asking->client, "events/attempts"), mark, "", 0);
    pthread_mutex_unlock(&lock);
    const char *how = asking->answers[asking->asked++ % asking->answer_count];
    if (strcmp(how, "say") == 0) answer_attempt(asking, event);
    else if (strcmp(how, "refuse") == 0) mqtt_connect_refuse(asking->handle, event->number, "the scenario wants it so");
    else if (strcmp(how, "fail") == 0) mqtt_connect_refuse(asking->handle, event->number, "the function failed");
    else if (strcmp(how, "hold") != 0) exit(4);
}

mqtt_result ask_before_connect(mqtt_client *client, const char *name, const char *answers) {
    if (answers == NULL) return MQTT_OK;
    asking *asking = checked(calloc(1, sizeof *asking));
    snprintf(asking->client, sizeof asking->client, "%s", name);
    asking->handle = client;
    asking->answer_count = words_of(answers, asking->answers, 8);
    for (size_t i = 0; i < argument_count; i++) {
        if (strncmp(arguments[i].name, "said_", 5) != 0) continue;
        asking->said[asking->said_count++] = (argument){checked(strdup(arguments[i].name + 5)), checked(strdup(arguments[i].value)), true};
    }
    return mqtt_client_on_connect(client, on_connect, asking);
}

/* The program openssl with the key in this file, or a refusal. */
static void on_sign(void *context, const mqtt_sign_event *event) {
    const char *key = context;
    char name[] = "/tmp/leveret-agent-XXXXXX", command[512], why[64];
    unsigned char signature[512];
    if (strcmp(key, "refuse") == 0) {
        mqtt_sign_refuse(event->signing, "the element is locked");
        return;
    }
    if (strcmp(event->scheme, "ecdsa_secp256r1_sha256") != 0) {
        snprintf(why, sizeof why, "cannot sign with %s", event->scheme);
        mqtt_sign_refuse(event->signing, why);
        return;
    }
    int message = mkstemp(name);
    if (message < 0 || write(message, event->message, event->message_length) != (ssize_t)event->message_length) exit(2);
    close(message);
    snprintf(command, sizeof command, "openssl dgst -sha256 -sign '%s' %s", key, name);
    FILE *program = popen(command, "r");
    if (program == NULL) exit(2);
    size_t length = fread(signature, 1, sizeof signature, program);
    if (pclose(program) == 0) mqtt_sign_answer(event->signing, signature, length);
    else mqtt_sign_refuse(event->signing, "openssl failed");
    unlink(name);
}

mqtt_result sign_with(mqtt_options *options, const char *key) {
    return key == NULL ? MQTT_OK : mqtt_options_set_signer(options, on_sign, checked(strdup(key)), free);
}
