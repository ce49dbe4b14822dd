/* 10 000 clients made and freed, one after the other: never started, online, and never connected. Neither memory nor threads nor
 * descriptors grow. */
#define _GNU_SOURCE
#include <dirent.h>
#include <unistd.h>

#include "check.h"

/* What a process has; memory in KiB. */
typedef struct holdings {
    long memory, threads, descriptors;
} holdings;

static long entries(const char *folder) {
    long count = 0;
    DIR *open = opendir(folder);
    EXPECT(open != NULL);
    while (readdir(open) != NULL) count++;
    closedir(open);
    return count;
}

static holdings counted(void) {
    holdings now = {0, entries("/proc/self/task"), entries("/proc/self/fd")};
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    EXPECT(statm != NULL && fscanf(statm, "%*d %ld", &pages) == 1);
    fclose(statm);
    now.memory = pages * (sysconf(_SC_PAGESIZE) / 1024);
    return now;
}

/* The tools that watch memory keep freed memory for a while, and make everything slow. */
static bool watched(void) {
#ifdef __SANITIZE_ADDRESS__
    return true;
#else
    return getenv("LEVERET_WATCHED") != NULL;
#endif
}

static void on_message(void *context, const mqtt_message *message) {
    (void)context, (void)message;
}

static void on_connection(void *context, const mqtt_connection_event *event) {
    (void)context, (void)event;
}

static void on_drop(void *context) {
    counter_add(context, 1);
}

static counter drops = COUNTER_INIT;

/* With registrations, a subscription and letters that never leave. */
static void never_started(const char *url) {
    mqtt_client *client = new_client(url, NULL);
    OK(mqtt_client_on_connection_with(client, on_connection, &drops, on_drop));
    OK(mqtt_subscribe_with(client, "a/#", NULL, on_message, &drops, on_drop, NULL));
    OK(mqtt_publish(client, "a/b", "x", 1, 1, false, NULL));
    mqtt_client_free(client);
}

static void online(const char *url) {
    uint64_t receipt;
    mqtt_client *client = online_client(url, NULL);
    OK(mqtt_client_on_connection_with(client, on_connection, &drops, on_drop));
    OK(mqtt_subscribe_with(client, "a/#", NULL, on_message, &drops, on_drop, NULL));
    OK(mqtt_publish(client, "a/b", "x", 1, 1, false, &receipt));
    SETTLES(client, receipt, MQTT_OUTCOME_ACKNOWLEDGED);
    mqtt_client_free(client);
}

static void polled(const char *url) {
    mqtt_client *client = new_client(url, NULL);
    OK(mqtt_client_dispatch(client, MQTT_DISPATCH_POLL));
    OK(mqtt_client_on_connection_with(client, on_connection, &drops, on_drop));
    OK(mqtt_subscribe_with(client, "a/#", NULL, on_message, &drops, on_drop, NULL));
    OK(mqtt_client_start(client));
    OK(mqtt_client_wait_for(client, MQTT_STATUS_ONLINE, SOON));
    OK(mqtt_client_poll(client, 0, NULL));
    mqtt_client_free(client);
}

static void nobody_there(const char *url) {
    (void)url;
    mqtt_client *client = new_client("mqtt://127.0.0.1:1", NULL);
    OK(mqtt_client_on_connection_with(client, on_connection, &drops, on_drop));
    OK(mqtt_subscribe_with(client, "a/#", NULL, on_message, &drops, on_drop, NULL));
    OK(mqtt_client_start(client));
    mqtt_client_free(client);
}

/* Waits until the process has no more than before: a task of a freed client may still be on its way out. */
static bool settles_at(const holdings *before) {
    for (int i = 0; i < SOON / 10; i++) {
        holdings now = counted();
        /* The pool keeps an idle thread or two for a while. */
        if (now.descriptors <= before->descriptors && now.threads <= before->threads + 2) return true;
        usleep(10000);
    }
    return false;
}

static void cycles(const char *what, void (*cycle)(const char *), long times, const char *url) {
    long warm = times / 10;
    for (long i = 0; i < warm; i++) cycle(url);
    holdings before = counted();
    long dropped = counter_value(&drops);
    for (long i = warm; i < times; i++) cycle(url);
    if (!settles_at(&before)) {
        holdings now = counted();
        fprintf(stderr, "%ld clients %s: %ld threads and %ld descriptors became %ld and %ld\n", times, what, before.threads,
                before.descriptors, now.threads, now.descriptors);
        exit(1);
    }
    EXPECT(counter_value(&drops) == dropped + 2 * (times - warm));
    /* A leak of 100 bytes in each cycle would show; a new arena of the allocator may not. */
    long grown = counted().memory - before.memory;
    if (!watched() && grown > 512 + (times - warm) / 10) {
        fprintf(stderr, "%ld clients %s: memory grew by %ld KiB\n", times, what, grown);
        exit(1);
    }
}

/* A broker in a process of its own, since it remembers all it received; it ends with this program. */
static const char *broker_elsewhere(void) {
    static char url[64];
    int tells[2], waits[2];
    EXPECT(pipe(tells) == 0 && pipe(waits) == 0);
    pid_t child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
        close(waits[1]);
        mqtt_test_broker *broker = mqtt_test_broker_new();
        const char *its = mqtt_test_broker_url(broker);
        EXPECT(its != NULL && write(tells[1], its, strlen(its) + 1) > 0);
        while (read(waits[0], url, 1) > 0) continue;
        mqtt_test_broker_free(broker);
        _exit(0);
    }
    EXPECT(read(tells[0], url, sizeof url) > 0);
    return url;
}

int main(void) {
    const char *url = broker_elsewhere();
    long all = watched() ? 200 : 10000;
    cycles("never started", never_started, all, url);
    cycles("online", online, all, url);
    cycles("online and polled", polled, all / 4, url);
    cycles("with nobody to connect to", nobody_there, all / 4, url);
    puts("cycles: ok");
    return 0;
}
