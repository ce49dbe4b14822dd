/* Messages and events as items of a recorder, and the callbacks that bring them. */
#include "agent.h"

static bool intact(const unsigned char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != i % 251) return false;
    }
    return true;
}

void say_properties(const mqtt_properties *properties) {
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

void say_message(const mqtt_message *message) {
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

void on_message(void *context, const mqtt_message *message) {
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

void on_connection(void *context, const mqtt_connection_event *event) {
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
    if (event->error != MQTT_OK) say_kind("error", event->error);
    if (event->reason >= 0) say_number("reason", event->reason);
    if (event->text_length > 0) say("text", event->text, event->text_length);
    say_properties(event->properties);
    keep(to, mark, "", 0);
    pthread_mutex_unlock(&lock);
}

void on_subscription(void *context, const mqtt_subscription_event *event) {
    pthread_mutex_lock(&lock);
    size_t mark = answer_length;
    say_text("event", mqtt_subscription_state_name(event->state));
    say("filter", event->filter, event->filter_length);
    if (event->reason >= 0) say_number("reason", event->reason);
    keep(context, mark, "", 0);
    pthread_mutex_unlock(&lock);
}

void on_log(void *context, const mqtt_log_event *event) {
    pthread_mutex_lock(&lock);
    size_t mark = answer_length;
    say_text("event", "notice");
    say("text", event->text, event->text_length);
    keep(context, mark, "", 0);
    pthread_mutex_unlock(&lock);
}
