/* The verbs of subscriptions, and of asking and answering. */
#include "agent.h"

mqtt_result subscribe(mqtt_client *client, const char *name, bool wait) {
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

mqtt_result unsubscribe(mqtt_client *client) {
    uint64_t reply;
    mqtt_pair pairs[MOST_PAIRS];
    char room[512];
    const char *filter = take("filter");
    size_t count = pairs_of(take("user_properties"), room, sizeof room, pairs);
    mqtt_result result = count > 0 ? mqtt_unsubscribe_with(client, filter, pairs, count, &reply) : mqtt_unsubscribe(client, filter, &reply);
    return result == MQTT_OK ? mqtt_reply_wait(client, reply, 40000, NULL) : result;
}

mqtt_result request(mqtt_client *client) {
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

mqtt_result serve(mqtt_client *client) {
    mqtt_subscribe_options options = MQTT_SUBSCRIBE_OPTIONS_INIT;
    options.qos = (int)number_of("qos", 1);
    const char *topic = take("response_topic");
    void *context = topic == NULL ? NULL : checked(strdup(topic));
    return mqtt_subscribe_with(client, take("filter"), &options, on_served, context, free, NULL);
}

mqtt_result respond(const char *name) {
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
