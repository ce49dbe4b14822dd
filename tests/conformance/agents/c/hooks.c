/* Hooks and the authenticator of a client: what they are shown is recorded, what they answer is what the request to connect said. */
#include "agent.h"

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

mqtt_result hook_into(mqtt_client *client, hooked *hook, const char *hooks, const char *authenticator) {
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
