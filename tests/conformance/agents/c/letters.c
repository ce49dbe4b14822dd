/* The verbs of letters and their outcomes. */
#include "agent.h"

mqtt_letter letter_of(mqtt_pair *pairs, char *room, size_t size) {
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

mqtt_result publish(mqtt_client *client, const char *name) {
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

mqtt_result burst(mqtt_client *client, const char *name) {
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

mqtt_result publish_many(mqtt_client *client, const char *name) {
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

mqtt_result outcome(mqtt_client *client, const char *name) {
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

mqtt_result outcomes(mqtt_client *client, const char *name) {
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

mqtt_result cancel(mqtt_client *client, const char *name) {
    bool found;
    mqtt_result result = mqtt_cancel(client, receipts[receipt_named(name, take_or("receipt", ""), -1)].receipt, &found);
    if (result == MQTT_OK) say_flag("cancelled", found);
    return result;
}

mqtt_result explain(mqtt_client *client, const char *name) {
    char text[512];
    size_t length, index = receipt_named(name, take_or("receipt", ""), -1);
    mqtt_result result = mqtt_explain(client, receipts[index].receipt, text, sizeof text, &length);
    if (result == MQTT_OK) say_text("text", text);
    return result;
}
