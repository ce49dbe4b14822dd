/* The agent of C in the behaviour suite: reads requests, answers them; see PROTOCOL.md. */
#include "agent.h"

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
    static const char *const recorded[] = {"messages", "tally", "events", "packets", "steps", "attempts", "hold", "release", "fail", "ack"};
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
