/* One client used by many threads at once: publishing, waiting, registering, subscribing, while its callbacks run. */
#include "check.h"

enum { THREADS = 4, ROUNDS = 300 };

static mqtt_client *client;
static counter messages = COUNTER_INIT, drops = COUNTER_INIT;
static long unlocked; /* only callbacks touch it: never two at once, so no lock is needed */

/* The thread sanitizer does not see the locks of the library, whose Rust is not instrumented. It is told here what the library promises:
 * one callback after another. Two at once would still be a race between them. */
#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void *);
void __tsan_release(void *);
#define AFTER_THE_LAST_CALLBACK() __tsan_acquire(&unlocked)
#define BEFORE_THE_NEXT_CALLBACK() __tsan_release(&unlocked)
#else
#define AFTER_THE_LAST_CALLBACK() ((void)0)
#define BEFORE_THE_NEXT_CALLBACK() ((void)0)
#endif

static void on_message(void *context, const mqtt_message *message) {
    (void)context, (void)message;
    AFTER_THE_LAST_CALLBACK();
    unlocked++;
    counter_add(&messages, 1);
    BEFORE_THE_NEXT_CALLBACK();
}

static void on_events(void *context, const mqtt_event *events, size_t count) {
    (void)context, (void)events;
    AFTER_THE_LAST_CALLBACK();
    unlocked += (long)count;
    BEFORE_THE_NEXT_CALLBACK();
}

static void on_drop(void *context) {
    (void)context;
    counter_add(&drops, 1);
}

static void *publisher(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t receipt;
        OK(mqtt_publish(client, "threads", "x", 1, 1, false, &receipt));
        SETTLES(client, receipt, MQTT_OUTCOME_ACKNOWLEDGED);
    }
    return NULL;
}

static void *meddler(void *unused) {
    (void)unused;
    mqtt_stats stats;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t reply;
        OK(mqtt_client_on_events_with(client, on_events, NULL, on_drop));
        OK(mqtt_subscribe_with(client, "other", NULL, on_message, NULL, on_drop, &reply));
        OK(mqtt_client_stats(client, &stats));
        OK(mqtt_unsubscribe(client, "other", NULL));
    }
    return NULL;
}

int main(void) {
    pthread_t publishers[THREADS], meddling;
    uint64_t reply;
    mqtt_test_broker *broker = mqtt_test_broker_new();
    client = online_client(mqtt_test_broker_url(broker), NULL);
    OK(mqtt_subscribe_with(client, "threads", NULL, on_message, NULL, on_drop, &reply));
    OK(mqtt_reply_wait(client, reply, SOON, NULL));
    for (int i = 0; i < THREADS; i++) EXPECT(pthread_create(&publishers[i], NULL, publisher, NULL) == 0);
    EXPECT(pthread_create(&meddling, NULL, meddler, NULL) == 0);
    for (int i = 0; i < THREADS; i++) pthread_join(publishers[i], NULL);
    pthread_join(meddling, NULL);
    EXPECT(counter_reaches(&messages, THREADS * ROUNDS));
    mqtt_client_free(client);
    EXPECT(counter_value(&drops) == 2 * ROUNDS + 1);
    AFTER_THE_LAST_CALLBACK();
    EXPECT(unlocked >= THREADS * ROUNDS);
    mqtt_test_broker_free(broker);
    puts("threads: ok");
    return 0;
}
