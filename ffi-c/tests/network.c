/* The way to the broker as C gives it: a socket handed over, with the question who closes it; certificates and key in files that change;
 * a proxy. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "material.h"

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {0};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)port);
    return address;
}

static int port_of(const mqtt_test_broker *broker) {
    return (int)strtol(strrchr(mqtt_test_broker_url(broker), ':') + 1, NULL, 10);
}

static int connected_to(int port) {
    struct sockaddr_in address = loopback(port);
    int made = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT(made >= 0 && connect(made, (struct sockaddr *)&address, sizeof address) == 0);
    return made;
}

/* The same with a number that nobody in this process gets by chance once it is free. */
static int to_be_given(int port) {
    enum { FAR = 700 };
    int made = connected_to(port), far = fcntl(made, F_DUPFD, FAR);
    EXPECT(far >= FAR && close(made) == 0);
    return far;
}

static bool is_open(int descriptor) {
    return fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF;
}

/* The network's thread may be a moment behind. */
static bool closes(int descriptor) {
    for (int i = 0; i < SOON && is_open(descriptor); i++) poll(NULL, 0, 1);
    return !is_open(descriptor);
}

static void posts(mqtt_client *client) {
    uint64_t receipt;
    OK(mqtt_publish(client, "way", "x", 1, 1, false, &receipt));
    SETTLES(client, receipt, MQTT_OUTCOME_ACKNOWLEDGED);
}

/* Over the socket of one broker, to the URL of another. */
static void a_socket_handed_over_is_spoken_over_once_and_closed_once(const mqtt_test_broker *here, const mqtt_test_broker *there) {
    char text[16];
    const char *set[] = {MQTT_OPT_FD, text, NULL};
    int given = to_be_given(port_of(here));
    size_t before = mqtt_test_broker_received_count(there);
    snprintf(text, sizeof text, "%d", given);
    mqtt_client *client = online_client(mqtt_test_broker_url(there), set);
    EXPECT(is_open(given));
    posts(client);
    EXPECT(mqtt_test_broker_received_count(here) == 1 && mqtt_test_broker_received_count(there) == before);
    /* The attempts after it dial. */
    OK(mqtt_client_reconnect(client));
    while (mqtt_test_broker_received_count(there) == before) posts(client);
    EXPECT(closes(given));
    /* Whoever has the number next keeps it. */
    int ends[2];
    EXPECT(pipe(ends) == 0 && dup2(ends[0], given) == given);
    mqtt_client_free(client);
    mqtt_client_free(online_client(mqtt_test_broker_url(there), NULL));
    EXPECT(is_open(given) && write(ends[1], "x", 1) == 1 && read(given, text, 1) == 1);
    close(given), close(ends[0]), close(ends[1]);
}

static void a_socket_is_closed_with_a_client_that_never_used_it(const mqtt_test_broker *broker) {
    char text[16];
    int given = to_be_given(port_of(broker));
    const char *set[] = {MQTT_OPT_FD, text, NULL};
    snprintf(text, sizeof text, "%d", given);
    mqtt_client *client = new_client(mqtt_test_broker_url(broker), set);
    EXPECT(is_open(given));
    mqtt_client_free(client);
    EXPECT(closes(given));
}

static void what_is_refused_is_still_the_programs(const mqtt_test_broker *broker) {
    char text[16];
    int ends[2], given = to_be_given(port_of(broker));
    mqtt_options *options = mqtt_options_new();
    EXPECT(pipe(ends) == 0);
    snprintf(text, sizeof text, "%d", given);
    OK(mqtt_options_set(options, MQTT_OPT_FD, text));
    EXPECT(mqtt_client_new("gopher://localhost", options) == NULL && is_open(given));
    OK(mqtt_options_set(options, MQTT_OPT_PROXY, "gopher://localhost"));
    EXPECT(mqtt_client_new("mqtt://localhost", options) == NULL && is_open(given));
    mqtt_options_free(options);
    options = mqtt_options_new();
    snprintf(text, sizeof text, "%d", ends[0]);
    OK(mqtt_options_set(options, MQTT_OPT_FD, text));
    EXPECT(mqtt_client_new("mqtt://localhost", options) == NULL);
    EXPECT(strstr(mqtt_last_error(), "fd must be the descriptor of a connected socket") != NULL);
    EXPECT(is_open(ends[0]));
    RESULT(mqtt_options_set(options, MQTT_OPT_FD, "-1"), MQTT_INVALID_ARGUMENT);
    mqtt_options_free(options);
    close(given), close(ends[0]), close(ends[1]);
}

static void on_log(void *context, const mqtt_log_event *event) {
    char text[512];
    snprintf(text, sizeof text, "%.*s", (int)event->text_length, event->text);
    EXPECT(strstr(text, "PRIVATE") == NULL && strstr(text, "broken") == NULL);
    if (strstr(text, "tls_cert_file") != NULL) counter_add(context, 1);
}

static void certificates_and_key_come_from_files(bool as_der) {
    static const char *const wants[] = {"client_certificates", "true", NULL};
    mqtt_test_broker *broker = mqtt_test_broker_new_with(wants);
    counter kept = COUNTER_INIT;
    material files;
    write_material(&files, broker, as_der);
    const char *set[] = {MQTT_OPT_TLS_CA_FILE, files.ca, MQTT_OPT_TLS_CERT_FILE, files.cert, MQTT_OPT_TLS_KEY_FILE, files.key, NULL};
    mqtt_client *client = new_client(mqtt_test_broker_url(broker), set);
    OK(mqtt_client_on_log(client, on_log, &kept));
    OK(mqtt_client_start(client));
    posts(client);
    /* A file that is broken when it is read again leaves what it held before in use, and is told. */
    write_file(files.cert, "broken", 6);
    OK(mqtt_client_reconnect(client));
    EXPECT(counter_reaches(&kept, 1));
    posts(client);
    mqtt_client_free(client);
    /* A client begins with none of that. */
    mqtt_options *options = mqtt_options_new();
    for (size_t i = 0; set[i] != NULL; i += 2) OK(mqtt_options_set(options, set[i], set[i + 1]));
    EXPECT(mqtt_client_new(mqtt_test_broker_url(broker), options) == NULL && strstr(mqtt_last_error(), "tls_cert_file") != NULL);
    EXPECT(strstr(mqtt_last_error(), "broken") == NULL);
    OK(mqtt_options_set(options, MQTT_OPT_TLS_CA_FILE, "/nowhere/ca.pem"));
    EXPECT(mqtt_client_new(mqtt_test_broker_url(broker), options) == NULL && strstr(mqtt_last_error(), "/nowhere/ca.pem") != NULL);
    mqtt_options_free(options);
    remove_material(&files);
    mqtt_test_broker_free(broker);
}

/* A proxy that speaks HTTP CONNECT with whoever knows the password. */
typedef struct proxy {
    int listener;
    pthread_t thread;
    char url[96], wanted[64];
    counter asked;
} proxy;

static bool copy(int from, int to) {
    char bytes[4096];
    ssize_t count = read(from, bytes, sizeof bytes);
    return count > 0 && send(to, bytes, (size_t)count, MSG_NOSIGNAL) == count;
}

static void relay(int client, int broker) {
    struct pollfd both[] = {{client, POLLIN, 0}, {broker, POLLIN, 0}};
    for (bool open = true; open && poll(both, 2, -1) > 0;) {
        if (both[0].revents != 0) open = copy(client, broker);
        if (open && both[1].revents != 0) open = copy(broker, client);
    }
}

static void *serve(void *context) {
    static const char refusal[] = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
    static const char granted[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    proxy *proxy = context;
    for (int client; (client = accept(proxy->listener, NULL, NULL)) >= 0; close(client)) {
        char head[1024] = "";
        size_t length = 0;
        int port;
        while (strstr(head, "\r\n\r\n") == NULL && length < sizeof head - 1 && read(client, head + length, 1) == 1) head[++length] = '\0';
        if (length == 0) continue;
        EXPECT(sscanf(head, "CONNECT 127.0.0.1:%d HTTP/1.1\r\n", &port) == 1);
        counter_add(&proxy->asked, 1);
        if (strstr(head, proxy->wanted) == NULL) {
            EXPECT(send(client, refusal, strlen(refusal), MSG_NOSIGNAL) > 0);
            continue;
        }
        int broker = connected_to(port);
        EXPECT(send(client, granted, strlen(granted), MSG_NOSIGNAL) > 0);
        relay(client, broker);
        close(broker);
    }
    return NULL;
}

static void on_connection(void *context, const mqtt_connection_event *event) {
    char text[512];
    snprintf(text, sizeof text, "%.*s", (int)event->text_length, event->text_length > 0 ? event->text : "");
    EXPECT(strstr(text, "hush") == NULL);
    if (event->kind != MQTT_CONNECTION_ATTEMPT_FAILED) return;
    if (strstr(text, "the proxy does not accept the user name and password") != NULL) counter_add(context, 1);
}

static void a_proxy_is_spoken_through(const mqtt_test_broker *broker) {
    proxy proxy = {.asked = COUNTER_INIT};
    counter refused = COUNTER_INIT;
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    char wrong[128];
    proxy.listener = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT(bind(proxy.listener, (struct sockaddr *)&address, size) == 0 && listen(proxy.listener, 16) == 0);
    EXPECT(getsockname(proxy.listener, (struct sockaddr *)&address, &size) == 0);
    /* user:hush */
    snprintf(proxy.wanted, sizeof proxy.wanted, "Basic dXNlcjpodXNo\r\n");
    snprintf(proxy.url, sizeof proxy.url, "http://user:hush@127.0.0.1:%d", ntohs(address.sin_port));
    snprintf(wrong, sizeof wrong, "http://user:hushhush@127.0.0.1:%d", ntohs(address.sin_port));
    EXPECT(pthread_create(&proxy.thread, NULL, serve, &proxy) == 0);
    const char *set[] = {MQTT_OPT_PROXY, proxy.url, NULL}, *wrongly[] = {MQTT_OPT_PROXY, wrong, NULL};
    mqtt_client *client = online_client(mqtt_test_broker_url(broker), set);
    posts(client);
    EXPECT(counter_value(&proxy.asked) == 1);
    mqtt_client_free(client);
    client = new_client(mqtt_test_broker_url(broker), wrongly);
    OK(mqtt_client_on_connection(client, on_connection, &refused));
    OK(mqtt_client_start(client));
    EXPECT(counter_reaches(&refused, 2));
    mqtt_client_free(client);
    EXPECT(shutdown(proxy.listener, SHUT_RDWR) == 0 && pthread_join(proxy.thread, NULL) == 0);
    close(proxy.listener);
}

int main(void) {
    mqtt_test_broker *here = mqtt_test_broker_new(), *there = mqtt_test_broker_new();
    a_socket_handed_over_is_spoken_over_once_and_closed_once(here, there);
    a_socket_is_closed_with_a_client_that_never_used_it(there);
    what_is_refused_is_still_the_programs(there);
    certificates_and_key_come_from_files(false);
    certificates_and_key_come_from_files(true);
    a_proxy_is_spoken_through(there);
    mqtt_test_broker_free(here);
    mqtt_test_broker_free(there);
    puts("network: ok");
    return 0;
}
