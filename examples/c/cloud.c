/* A device of a cloud, by the recipe of AWS IoT Core and its like: the port of HTTPS, a certificate of its own, and a protocol (ALPN) by
 * which that port knows MQTT from HTTP. Where only WebSockets are let through, a URL that is signed anew for each connection.
 *
 * cc cloud.c -lleveret -pthread
 * ./a.out abc123-ats.iot.eu-west-1.amazonaws.com 443 folder             ca.der, cert.der and key.der are in the folder
 * ./a.out abc123-ats.iot.eu-west-1.amazonaws.com 443 folder signature   only ca.der
 */
#include <leveret.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct device {
    mqtt_client *client;
    const char *signature;
} device;

static void check(mqtt_result result, const char *what) {
    if (result == MQTT_OK) return;
    fprintf(stderr, "%s: %s\n", what, mqtt_last_error());
    exit(1);
}

static void set(mqtt_options *options, const char *option, const char *value) {
    check(mqtt_options_set(options, option, value), option);
}

/* PEM would do as well. Files are read again before each connection, so that they can be renewed. */
static void set_file(mqtt_options *options, const char *option, const char *folder, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    set(options, option, path);
}

/* Why an attempt failed: a certificate that is not trusted, a name that is not known. The next follows by itself. */
static void on_connection(void *context, const mqtt_connection_event *event) {
    (void)context;
    if (event->kind == MQTT_CONNECTION_ATTEMPT_FAILED) fprintf(stderr, "%.*s\n", (int)event->text_length, event->text);
}

/* Before each attempt, on a thread of the library, where it may take its time. */
static void on_connect(void *context, const mqtt_connect_event *event) {
    const device *device = context;
    mqtt_connect_options *options = mqtt_connect_options_new();
    char url[4096];

    /* Here a device signs the moment, or asks for a token; MQTT_CONNECT_OPT_PASSWORD would take one. Neither is ever shown. */
    snprintf(url, sizeof url, "%.*s?signature=%s", (int)event->url_length, event->url, device->signature);
    check(mqtt_connect_options_set(options, MQTT_CONNECT_OPT_URL, url), "url");
    check(mqtt_connect_answer(device->client, event->number, options), "answer");
    mqtt_connect_options_free(options);
}

int main(int count, char **arguments) {
    if (count < 4) {
        fprintf(stderr, "usage: %s HOST PORT FOLDER [SIGNATURE]\n", arguments[0]);
        return 2;
    }
    const char *host = arguments[1], *port = arguments[2], *folder = arguments[3];
    device device = {NULL, count > 4 ? arguments[4] : NULL};
    mqtt_options *options = mqtt_options_new();
    mqtt_outcome outcome;
    uint64_t receipt;
    char url[512];

    set(options, MQTT_OPT_CLIENT_ID, "door-7");
    set(options, MQTT_OPT_TLS_MIN_VERSION, "1.2");
    set_file(options, MQTT_OPT_TLS_CA_FILE, folder, "ca.der");
    if (device.signature == NULL) {
        set(options, MQTT_OPT_TLS_ALPN, "x-amzn-mqtt-ca");
        set_file(options, MQTT_OPT_TLS_CERT_FILE, folder, "cert.der");
        set_file(options, MQTT_OPT_TLS_KEY_FILE, folder, "key.der");
    }
    snprintf(url, sizeof url, device.signature == NULL ? "mqtts://%s:%s" : "wss://%s:%s/mqtt", host, port);
    device.client = mqtt_client_new(url, options);
    mqtt_options_free(options);
    if (device.client == NULL) check(MQTT_INVALID_ARGUMENT, "client");

    check(mqtt_client_on_connection(device.client, on_connection, NULL), "connection");
    if (device.signature != NULL) check(mqtt_client_on_connect(device.client, on_connect, &device), "before connect");
    check(mqtt_client_start(device.client), "start");
    check(mqtt_publish(device.client, "doors/7/state", "open", 4, 1, false, &receipt), "publish");
    check(mqtt_receipt_wait(device.client, receipt, 20000, &outcome), "wait");
    mqtt_client_close(device.client, 5000);
    mqtt_client_free(device.client);
    printf("the letter is %s\n", mqtt_outcome_name(outcome.status));
    return 0;
}
