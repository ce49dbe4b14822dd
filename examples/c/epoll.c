/* One loop for everything: several clients and a timer in epoll, all callbacks on this thread, so that nothing needs a lock.
 *
 * cc epoll.c -lleveret && ./a.out mqtt://localhost 3     (ends after three ticks; without a number, never)
 */
#define _DEFAULT_SOURCE
#include <leveret.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { CLIENTS = 3, TICK_MS = 100 };

static struct {
    mqtt_client *clients[CLIENTS];
    long ticks, received, settled;
} app;

static void check(mqtt_result result, const char *what) {
    if (result == MQTT_OK) return;
    fprintf(stderr, "%s: %s\n", what, mqtt_last_error());
    exit(1);
}

static void on_message(void *context, const mqtt_message *message) {
    (void)message;
    printf("client %d: tick %ld\n", *(int *)context, ++app.received);
}

static void on_receipt(void *context, const mqtt_receipt_event *event) {
    (void)context;
    if (event->outcome.ok) app.settled++;
}

/* Each tick goes from one client to the next; the next one leaves when it has arrived. */
static void tick(void) {
    char topic[64];
    uint64_t receipt;
    snprintf(topic, sizeof topic, "example/epoll/%ld", (app.ticks + 1) % CLIENTS);
    check(mqtt_publish(app.clients[app.ticks % CLIENTS], topic, "tick", 4, 1, false, &receipt), "publish");
    app.ticks++;
}

static mqtt_client *open_client(const char *url, int *number) {
    char filter[64];
    uint64_t reply;
    mqtt_client *client = mqtt_client_new(url, NULL);
    if (client == NULL) check(MQTT_INVALID_ARGUMENT, "client");
    check(mqtt_client_dispatch(client, MQTT_DISPATCH_POLL), "dispatch"); /* callbacks come in mqtt_client_poll alone */
    check(mqtt_client_on_receipt(client, on_receipt, NULL), "receipts");
    check(mqtt_client_start(client), "start");
    snprintf(filter, sizeof filter, "example/epoll/%d", *number);
    check(mqtt_subscribe_with(client, filter, NULL, on_message, number, NULL, &reply), "subscribe");
    check(mqtt_reply_wait(client, reply, 10000, NULL), "subscribe");
    return client;
}

/* `index` tells what became readable: a client, or, behind the last of them, the timer. */
static void watch(int epoll, int descriptor, int index) {
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = EPOLLIN;
    event.data.u32 = (uint32_t)index;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) perror("epoll_ctl"), exit(1);
}

int main(int count, char **arguments) {
    const char *url = count > 1 ? arguments[1] : "mqtt://localhost";
    long ticks = count > 2 ? atol(arguments[2]) : -1;
    static int numbers[CLIENTS];
    struct itimerspec every = {{0, TICK_MS * 1000000L}, {0, TICK_MS * 1000000L}};
    int epoll = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    if (epoll < 0 || timer < 0 || timerfd_settime(timer, 0, &every, NULL) != 0) perror("epoll"), exit(1);
    for (int i = 0; i < CLIENTS; i++) {
        numbers[i] = i;
        app.clients[i] = open_client(url, &numbers[i]);
        watch(epoll, mqtt_client_fd(app.clients[i]), i);
    }
    watch(epoll, timer, CLIENTS);

    while (ticks < 0 || app.received < ticks || app.settled < ticks) {
        struct epoll_event ready[CLIENTS + 1];
        int found = epoll_wait(epoll, ready, CLIENTS + 1, -1);
        for (int i = 0; i < found; i++) {
            uint32_t index = ready[i].data.u32;
            uint64_t times;
            if (index < CLIENTS) check(mqtt_client_poll(app.clients[index], 0, NULL), "poll");
            else if (read(timer, &times, sizeof times) > 0 && app.received == app.ticks && app.ticks != ticks) tick();
        }
    }
    for (int i = 0; i < CLIENTS; i++) {
        check(mqtt_client_close(app.clients[i], 5000), "close");
        mqtt_client_free(app.clients[i]);
    }
    close(timer), close(epoll);
    printf("%ld ticks, each delivered\n", app.settled);
    return 0;
}
