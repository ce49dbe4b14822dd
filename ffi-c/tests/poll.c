/* Callbacks in the program's own loop, announced by a descriptor in epoll; and inline, on the network's thread. */
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "check.h"

static pthread_t loop;
static counter messages = COUNTER_INIT, outcomes = COUNTER_INIT, drops = COUNTER_INIT;

static void on_message(void *context, const mqtt_message *message) {
    (void)context, (void)message;
    EXPECT(pthread_equal(pthread_self(), loop));
    counter_add(&messages, 1);
}

static void on_receipt(void *context, const mqtt_receipt_event *event) {
    (void)context;
    EXPECT(pthread_equal(pthread_self(), loop) && event->outcome.ok);
    counter_add(&outcomes, 1);
}

static void on_drop(void *context) {
    (void)context;
    EXPECT(pthread_equal(pthread_self(), loop));
    counter_add(&drops, 1);
}

static mqtt_client *polled_client(const char *url) {
    uint64_t reply;
    mqtt_client *client = new_client(url, NULL);
    OK(mqtt_client_dispatch(client, MQTT_DISPATCH_POLL));
    OK(mqtt_client_on_receipt_with(client, on_receipt, NULL, on_drop));
    OK(mqtt_client_start(client));
    OK(mqtt_client_wait_for(client, MQTT_STATUS_ONLINE, SOON));
    OK(mqtt_subscribe_with(client, "polled", NULL, on_message, NULL, on_drop, &reply));
    OK(mqtt_reply_wait(client, reply, SOON, NULL));
    return client;
}

/* Nothing but epoll drives the callbacks, and it never waits in vain. */
static void epoll_loop(const char *url) {
    mqtt_client *client = polled_client(url);
    int epoll = epoll_create1(0);
    struct epoll_event wanted = {.events = EPOLLIN};
    EXPECT(epoll >= 0 && mqtt_client_fd(client) >= 0);
    EXPECT(epoll_ctl(epoll, EPOLL_CTL_ADD, mqtt_client_fd(client), &wanted) == 0);
    for (int i = 0; i < 1000; i++) {
        uint64_t receipt;
        OK(mqtt_publish(client, "polled", "x", 1, i % 3, false, &receipt));
    }
    while (counter_value(&messages) < 1000 || counter_value(&outcomes) < 1000) {
        struct epoll_event event;
        size_t handled = 0;
        EXPECT(epoll_wait(epoll, &event, 1, SOON) == 1);
        OK(mqtt_client_poll(client, 0, &handled));
    }
    EXPECT(counter_value(&messages) == 1000 && counter_value(&outcomes) == 1000);
    close(epoll);
    mqtt_client_free(client); /* its last callbacks come on this thread too */
    EXPECT(counter_value(&drops) == 2);
}

static void poll_that_waits(const char *url) {
    mqtt_client *client = polled_client(url);
    long before = counter_value(&messages);
    size_t handled = 1;
    OK(mqtt_publish(client, "polled", "x", 1, 1, false, NULL));
    while (counter_value(&messages) == before) OK(mqtt_client_poll(client, SOON, NULL));
    while (handled > 0) OK(mqtt_client_poll(client, 0, &handled));
    struct pollfd quiet = {.fd = mqtt_client_fd(client), .events = POLLIN};
    EXPECT(poll(&quiet, 1, 0) == 0); /* not readable while there is nothing to do */
    OK(mqtt_client_poll(client, 1, &handled));
    EXPECT(handled == 0);
    mqtt_client_free(client);
}

static void message_polls_and_frees(void *context, const mqtt_message *message) {
    (void)message;
    RESULT(mqtt_client_poll(context, 0, NULL), MQTT_WOULD_DEADLOCK);
    mqtt_client_free(context);
}

static void freed_in_a_callback(mqtt_test_broker *broker) {
    mqtt_client *client = polled_client(mqtt_test_broker_url(broker));
    long before = counter_value(&drops);
    uint64_t reply;
    OK(mqtt_subscribe_with(client, "free", NULL, message_polls_and_frees, client, on_drop, &reply));
    OK(mqtt_reply_wait(client, reply, SOON, NULL));
    OK(mqtt_test_broker_publish(broker, "free", "x", 1, 1, false));
    while (counter_value(&drops) == before) OK(mqtt_client_poll(client, SOON, NULL));
    EXPECT(counter_value(&drops) == before + 3);
}

static counter inline_messages = COUNTER_INIT, inline_drops = COUNTER_INIT;
static mqtt_client *inline_client;

static void inline_message(void *context, const mqtt_message *message) {
    uint64_t receipt;
    (void)context, (void)message;
    if (counter_value(&inline_messages) == 0) {
        /* On the network's thread nothing may wait for the network. */
        OK(mqtt_publish(inline_client, "elsewhere", NULL, 0, 1, false, &receipt));
        RESULT(mqtt_receipt_wait(inline_client, receipt, SOON, NULL), MQTT_WOULD_DEADLOCK);
        RESULT(mqtt_client_flush(inline_client, SOON), MQTT_WOULD_DEADLOCK);
        RESULT(mqtt_cancel(inline_client, receipt, NULL), MQTT_WOULD_DEADLOCK);
        RESULT(mqtt_shutdown(), MQTT_WOULD_DEADLOCK);
    }
    counter_add(&inline_messages, 1);
}

static void inline_drop(void *context) {
    (void)context;
    counter_add(&inline_drops, 1);
}

static void inline_dispatch(const char *url) {
    uint64_t reply;
    inline_client = new_client(url, NULL);
    OK(mqtt_client_dispatch(inline_client, MQTT_DISPATCH_INLINE));
    OK(mqtt_client_start(inline_client));
    OK(mqtt_subscribe_with(inline_client, "inline", NULL, inline_message, NULL, inline_drop, &reply));
    OK(mqtt_reply_wait(inline_client, reply, SOON, NULL));
    for (int i = 0; i < 1000; i++) OK(mqtt_publish(inline_client, "inline", "x", 1, 1, false, NULL));
    EXPECT(counter_reaches(&inline_messages, 1000));
    OK(mqtt_client_close(inline_client, SOON));
    mqtt_client_free(inline_client);
    EXPECT(counter_value(&inline_drops) == 1);
}

int main(void) {
    mqtt_test_broker *broker = mqtt_test_broker_new();
    loop = pthread_self();
    epoll_loop(mqtt_test_broker_url(broker));
    poll_that_waits(mqtt_test_broker_url(broker));
    freed_in_a_callback(broker);
    inline_dispatch(mqtt_test_broker_url(broker));
    mqtt_test_broker_free(broker);
    puts("poll: ok");
    return 0;
}
