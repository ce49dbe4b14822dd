/* What the test programs of the C door share: checks that say where they failed, and waiting for a count with a deadline. */
#ifndef CHECK_H
#define CHECK_H

#include <inttypes.h>
#include <leveret.h>
#include <leveret_testing.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long anything in these tests may take before it counts as hanging: valgrind makes everything some fifty times slower. */
enum { SOON = 60000 };

#define EXPECT(condition) check_that((condition), #condition, __FILE__, __LINE__)
#define OK(call) check_result((call), MQTT_OK, NULL, #call, __FILE__, __LINE__)
#define RESULT(call, result) check_result((call), (result), NULL, #call, __FILE__, __LINE__)
/* The call fails with this code, and the last error is this sentence. */
#define FAILS(call, result, sentence) check_result((call), (result), (sentence), #call, __FILE__, __LINE__)
/* The call answers NULL, false, -1 or the like, and the last error is this sentence. */
#define REFUSED(condition, sentence) check_refused((condition), (sentence), #condition, __FILE__, __LINE__)

static inline void check_that(bool holds, const char *what, const char *file, int line) {
    if (holds) return;
    fprintf(stderr, "%s:%d: not so: %s (last error: %s)\n", file, line, what, mqtt_last_error());
    exit(1);
}

static inline void check_result(mqtt_result got, mqtt_result wanted, const char *sentence, const char *what, const char *file, int line) {
    if (got != wanted) {
        fprintf(stderr, "%s:%d: %s is %s (%s), not %s\n", file, line, what, mqtt_result_name(got), got == MQTT_OK ? "" : mqtt_last_error(),
                mqtt_result_name(wanted));
        exit(1);
    }
    if (sentence != NULL && strcmp(mqtt_last_error(), sentence) != 0) {
        fprintf(stderr, "%s:%d: %s says\n  %s\nnot\n  %s\n", file, line, what, mqtt_last_error(), sentence);
        exit(1);
    }
}

static inline void check_refused(bool refused, const char *sentence, const char *what, const char *file, int line) {
    check_that(refused, what, file, line);
    if (strcmp(mqtt_last_error(), sentence) != 0) {
        fprintf(stderr, "%s:%d: %s: the last error is\n  %s\nnot\n  %s\n", file, line, what, mqtt_last_error(), sentence);
        exit(1);
    }
}

/* A number that several threads raise and wait for. */
typedef struct counter {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    long value;
} counter;

#define COUNTER_INIT {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0}

static inline void counter_add(counter *counter, long n) {
    pthread_mutex_lock(&counter->lock);
    counter->value += n;
    pthread_cond_broadcast(&counter->changed);
    pthread_mutex_unlock(&counter->lock);
}

static inline long counter_value(counter *counter) {
    pthread_mutex_lock(&counter->lock);
    long value = counter->value;
    pthread_mutex_unlock(&counter->lock);
    return value;
}

/* Waits until the counter is at least `value`; false if that takes too long. */
static inline bool counter_reaches(counter *counter, long value) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += SOON / 1000;
    int error = 0;
    pthread_mutex_lock(&counter->lock);
    while (counter->value < value && error == 0) error = pthread_cond_timedwait(&counter->changed, &counter->lock, &deadline);
    bool reached = counter->value >= value;
    pthread_mutex_unlock(&counter->lock);
    return reached;
}

/* A client of `url` that connects again without delay; `set` is name, value, name, value, …, NULL. */
static inline mqtt_client *new_client(const char *url, const char *const *set) {
    mqtt_options *options = mqtt_options_new();
    OK(mqtt_options_set(options, MQTT_OPT_BACKOFF_MIN, "10ms"));
    OK(mqtt_options_set(options, MQTT_OPT_BACKOFF_MAX, "50ms"));
    for (; set != NULL && set[0] != NULL; set += 2) OK(mqtt_options_set(options, set[0], set[1]));
    mqtt_client *client = mqtt_client_new(url, options);
    mqtt_options_free(options);
    EXPECT(client != NULL);
    return client;
}

static inline mqtt_client *online_client(const char *url, const char *const *set) {
    mqtt_client *client = new_client(url, set);
    OK(mqtt_client_start(client));
    OK(mqtt_client_wait_for(client, MQTT_STATUS_ONLINE, SOON));
    return client;
}

/* Waits for the outcome of a letter and checks its status. */
#define SETTLES(client, receipt, wanted) check_outcome((client), (receipt), (wanted), __FILE__, __LINE__)

static inline mqtt_outcome check_outcome(mqtt_client *client, uint64_t receipt, int wanted, const char *file, int line) {
    mqtt_outcome outcome;
    check_result(mqtt_receipt_wait(client, receipt, SOON, &outcome), MQTT_OK, NULL, "mqtt_receipt_wait", file, line);
    if (outcome.status != wanted) {
        fprintf(stderr, "%s:%d: the outcome is %s, not %s\n", file, line, mqtt_outcome_name(outcome.status), mqtt_outcome_name(wanted));
        exit(1);
    }
    return outcome;
}

#endif
