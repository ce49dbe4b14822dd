/* Publishes as fast as it can, and says how fast that was.
 *
 * usage: firehose [-n messages] [-q qos] [-s payload bytes] [-w window] [-m post office, messages] [-t threads] url
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <leveret.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
    unsigned long messages, threads;
    int qos;
    size_t size;
    const char *window, *room;
    mqtt_client *client;
    void *payload;
} plan = {.messages = 100000, .threads = 1, .size = 64};

static void check(mqtt_result result, const char *what) {
    if (result == MQTT_OK) return;
    fprintf(stderr, "%s: %s (%s)\n", what, mqtt_result_text(result), mqtt_last_error());
    exit(1);
}

static void *pump(void *unused) {
    (void)unused;
    for (unsigned long i = plan.messages / plan.threads; i > 0;) {
        mqtt_result result = mqtt_publish(plan.client, "bench/firehose", plan.payload, plan.size, plan.qos, false, NULL);
        if (result == MQTT_QUEUE_FULL) {
            check(mqtt_client_wait_writable(plan.client, 60000), "wait_writable");
        } else {
            check(result, "publish");
            i--;
        }
    }
    return NULL;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run(void) {
    pthread_t threads[64];
    for (unsigned long i = 1; i < plan.threads; i++) {
        if (pthread_create(&threads[i], NULL, pump, NULL) != 0) exit(1);
    }
    pump(NULL);
    for (unsigned long i = 1; i < plan.threads; i++) pthread_join(threads[i], NULL);
    check(mqtt_client_flush(plan.client, 120000), "flush");
}

static void read_arguments(int count, char **arguments) {
    for (int option; (option = getopt(count, arguments, "n:q:s:w:m:t:")) != -1;) {
        switch (option) {
        case 'n': plan.messages = strtoul(optarg, NULL, 10); break;
        case 'q': plan.qos = atoi(optarg); break;
        case 's': plan.size = strtoul(optarg, NULL, 10); break;
        case 'w': plan.window = optarg; break;
        case 'm': plan.room = optarg; break;
        case 't': plan.threads = strtoul(optarg, NULL, 10); break;
        default: exit(2);
        }
    }
    if (optind + 1 != count || plan.threads < 1 || plan.threads > 64) {
        fprintf(stderr, "one url, and 1 to 64 threads\n");
        exit(2);
    }
}

int main(int count, char **arguments) {
    read_arguments(count, arguments);
    plan.payload = calloc(1, plan.size + 1);
    mqtt_options *options = mqtt_options_new();
    if (plan.window != NULL) check(mqtt_options_set(options, "max_in_flight", plan.window), "max_in_flight");
    if (plan.room != NULL) check(mqtt_options_set(options, "max_queued_messages", plan.room), "max_queued_messages");
    plan.client = mqtt_client_new(arguments[optind], options);
    mqtt_options_free(options);
    if (plan.client == NULL) check(MQTT_INVALID_ARGUMENT, "client");
    check(mqtt_client_start(plan.client), "start");
    check(mqtt_client_wait_for(plan.client, MQTT_STATUS_ONLINE, 60000), "online");

    double begin = seconds();
    run();
    double took = seconds() - begin;
    printf("%lu messages of %zu bytes at QoS %d in %.3f s: %.0f per second\n", plan.messages, plan.size, plan.qos, took,
           (double)plan.messages / took);

    check(mqtt_client_close(plan.client, 5000), "close");
    mqtt_client_free(plan.client);
    free(plan.payload);
    return 0;
}
