/* The verbs of a client: connecting, what it is asked, its end. */
#include "agent.h"

static mqtt_result set_option(mqtt_options *options, const char *name, const char *value) {
    if (strstr(name, "user_properties") == NULL && strcmp(name, "websocket_headers") != 0) return mqtt_options_set(options, name, value);
    char room[512];
    mqtt_pair pairs[MOST_PAIRS];
    size_t count = pairs_of(value, room, sizeof room, pairs);
    mqtt_result result = MQTT_OK;
    for (size_t i = 0; i < count && result == MQTT_OK; i++) result = mqtt_options_add(options, name, pairs[i].name, pairs[i].value);
    return result;
}

mqtt_result connect_client(const char *name) {
    mqtt_options *options = mqtt_options_new();
    const char *url = take("url");
    const char *hooks = take("hooks"), *authenticator = take("authenticator");
    const char *before_connect = take("before_connect");
    hooked *hook = checked(calloc(1, sizeof *hook));
    snprintf(hook->client, sizeof hook->client, "%s", name);
    snprintf(hook->says, sizeof hook->says, "%s", take_or("hook_says", ""));
    hook->holds = strcmp(take_or("hook_holds", "false"), "true") == 0;
    mqtt_result result = sign_with(options, take("signer"));
    bool manual = false;
    for (size_t i = 0; i < argument_count && result == MQTT_OK; i++) {
        bool said = strncmp(arguments[i].name, "said_", 5) == 0;
        if (!arguments[i].taken && !said) result = set_option(options, arguments[i].name, arguments[i].value);
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
    if (result == MQTT_OK) result = ask_before_connect(client, name, before_connect);
    return result == MQTT_OK ? mqtt_client_start(client) : result;
}

mqtt_result close_client(mqtt_client *client) {
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

mqtt_result reauthenticate(mqtt_client *client) {
    uint64_t reply;
    mqtt_result result = mqtt_client_reauthenticate(client, &reply);
    return result == MQTT_OK ? mqtt_reply_wait(client, reply, timeout_of(), NULL) : result;
}

mqtt_result stats(mqtt_client *client) {
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

int status_of(const char *name) {
    for (int status = MQTT_STATUS_OFFLINE; status <= MQTT_STATUS_CLOSED; status++) {
        if (strcmp(mqtt_status_name(status), name) == 0) return status;
    }
    return -1;
}

mqtt_result ping(mqtt_client *client) {
    uint64_t microseconds;
    mqtt_result result = mqtt_client_ping(client, 5000, &microseconds);
    if (result == MQTT_OK) say_number("microseconds", (int64_t)microseconds);
    return result;
}
