/* Worker: jobs are acknowledged when they are done, on another thread, so that a crash in between loses none.
 *
 * cc worker.c -lleveret -pthread && ./a.out mqtt://localhost 3     (ends after three jobs; without a number, never)
 */
#include <leveret.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void check(mqtt_result result, const char *what) {
    if (result == MQTT_OK) return;
    fprintf(stderr, "%s: %s\n", what, mqtt_last_error());
    exit(1);
}

/* Jobs that wait. The broker sends no more than `receive_maximum` before they are acknowledged, so there is always room. */
enum { ROOM = 8 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const mqtt_message *jobs[ROOM];
    unsigned long taken, put;
} queue = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {NULL}, 0, 0};

static void on_job(void *context, const mqtt_message *message) {
    (void)context;
    pthread_mutex_lock(&queue.lock);
    queue.jobs[queue.put++ % ROOM] = mqtt_message_ref(message); /* it lives on after this callback */
    pthread_cond_signal(&queue.changed);
    pthread_mutex_unlock(&queue.lock);
}

static const mqtt_message *next_job(void) {
    pthread_mutex_lock(&queue.lock);
    while (queue.taken == queue.put) pthread_cond_wait(&queue.changed, &queue.lock);
    const mqtt_message *job = queue.jobs[queue.taken++ % ROOM];
    pthread_mutex_unlock(&queue.lock);
    return job;
}

int main(int count, char **arguments) {
    long jobs = count > 2 ? atol(arguments[2]) : -1;
    mqtt_options *options = mqtt_options_new();
    check(mqtt_options_set(options, MQTT_OPT_CLIENT_ID, "example-worker"), "client_id");
    check(mqtt_options_set(options, MQTT_OPT_CLEAN_START, "false"), "clean_start"); /* jobs are kept while it is away */
    check(mqtt_options_set(options, MQTT_OPT_MANUAL_ACK, "true"), "manual_ack");
    check(mqtt_options_set(options, MQTT_OPT_RECEIVE_MAXIMUM, "8"), "receive_maximum");
    mqtt_client *client = mqtt_client_new(count > 1 ? arguments[1] : "mqtt://localhost", options);
    mqtt_options_free(options);
    if (client == NULL) check(MQTT_INVALID_ARGUMENT, "client");
    check(mqtt_subscribe(client, "example/jobs", 1, on_job, NULL), "subscribe");
    check(mqtt_client_start(client), "start");

    for (; jobs != 0; jobs--) {
        const mqtt_message *job = next_job();
        printf("done: %.*s\n", (int)job->payload_length, (const char *)job->payload);
        fflush(stdout);
        check(mqtt_message_ack(job, MQTT_REASON_SUCCESS), "ack");
        mqtt_message_unref(job);
    }
    check(mqtt_client_close(client, 5000), "close");
    mqtt_client_free(client);
    return 0;
}
