/* The example programs do what they say, on the embedded broker. They are built beside this one, as `example-…`. */
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "material.h"

static mqtt_test_broker *broker;
static const char *folder;

/* Runs an example with at most four arguments, behind the last of which is NULL; what it prints goes to `output`, unless that is -1. */
static pid_t begin_with(const char *name, const char *const *arguments, int output) {
    char path[4096], *all[6] = {path, NULL, NULL, NULL, NULL, NULL};
    snprintf(path, sizeof path, "%s/example-%s", folder, name);
    for (size_t i = 0; i < 4 && arguments[i] != NULL; i++) all[i + 1] = (char *)(uintptr_t)arguments[i];
    pid_t pid = fork();
    EXPECT(pid >= 0);
    if (pid == 0) {
        alarm(SOON / 1000); /* one that hangs dies of it */
        if (output >= 0) dup2(output, 1);
        execv(path, all);
        _exit(127);
    }
    return pid;
}

/* With the broker's address and one more argument. */
static pid_t begin(const char *name, const char *argument) {
    const char *arguments[] = {mqtt_test_broker_url(broker), argument, NULL};
    return begin_with(name, arguments, -1);
}

static void ends_well(pid_t pid) {
    int status = 0;
    EXPECT(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* An example that prints this and nothing else. */
static void prints_with(const char *name, const char *const *arguments, const char *wanted) {
    char printed[4096];
    FILE *output = tmpfile();
    EXPECT(output != NULL);
    ends_well(begin_with(name, arguments, fileno(output)));
    rewind(output);
    printed[fread(printed, 1, sizeof printed - 1, output)] = '\0';
    fclose(output);
    if (strcmp(printed, wanted) == 0) return;
    fprintf(stderr, "%s printed\n%s\nnot\n%s\n", name, printed, wanted);
    exit(1);
}

static void prints(const char *name, const char *argument, const char *wanted) {
    const char *arguments[] = {mqtt_test_broker_url(broker), argument, NULL};
    prints_with(name, arguments, wanted);
}

/* On a broker that demands what such a cloud does, and over a WebSocket that wants a signature; each with its own certificates, as DER. */
static void cloud(void) {
    static const char *const wants[][5] = {{"client_certificates", "true", "alpn", "x-amzn-mqtt-ca", NULL},
                                           {"tls", "true", "websocket_path", "/mqtt?signature=of-now", NULL}};
    for (size_t i = 0; i < sizeof wants / sizeof wants[0]; i++) {
        mqtt_test_broker *demanding = mqtt_test_broker_new_with(wants[i]);
        EXPECT(demanding != NULL);
        material files;
        char port[8];
        const char *arguments[] = {"127.0.0.1", port, files.folder, i == 0 ? NULL : "of-now", NULL};
        write_material(&files, demanding, true);
        snprintf(port, sizeof port, "%ld", strtol(strrchr(mqtt_test_broker_url(demanding), ':') + 1, NULL, 10));
        prints_with("cloud", arguments, "the letter is acknowledged\n");
        EXPECT(mqtt_test_broker_received_count(demanding) == 1);
        remove_material(&files);
        mqtt_test_broker_free(demanding);
    }
}

/* Jobs published while the worker is away wait for it; those it did are acknowledged, so a second one gets the others. */
static void worker(void) {
    mqtt_client *client = online_client(mqtt_test_broker_url(broker), NULL);
    uint64_t receipt;
    pid_t first = begin("worker", "1");
    do { /* until the worker has subscribed, nobody takes the job */
        mqtt_outcome outcome;
        OK(mqtt_publish(client, "example/jobs", "job", 3, 1, false, &receipt));
        outcome = SETTLES(client, receipt, MQTT_OUTCOME_ACKNOWLEDGED);
        if (outcome.reason != MQTT_REASON_NO_MATCHING_SUBSCRIBERS) break;
    } while (true);
    ends_well(first);
    for (int i = 0; i < 2; i++) {
        OK(mqtt_publish(client, "example/jobs", "job", 3, 1, false, &receipt));
        SETTLES(client, receipt, MQTT_OUTCOME_ACKNOWLEDGED);
    }
    ends_well(begin("worker", "2"));
    mqtt_client_free(client);
}

int main(int count, char **arguments) {
    char *slash = count > 0 ? strrchr(arguments[0], '/') : NULL;
    EXPECT(slash != NULL);
    *slash = '\0';
    folder = arguments[0];
    broker = mqtt_test_broker_new();
    ends_well(begin("quickstart", NULL));
    ends_well(begin("request_reply", NULL));
    prints("hooks", NULL, "CONNACK: success\nPUBREC: no matching subscribers\nthe letter is acknowledged\n");
    ends_well(begin("firehose", "20000"));
    EXPECT(mqtt_test_broker_received_count(broker) == 1 + 2 + 1 + 20000);
    worker();
    prints("epoll", "4", "client 1: tick 1\nclient 2: tick 2\nclient 0: tick 3\nclient 1: tick 4\n4 ticks, each delivered\n");
    cloud();
    prints("cpp-quickstart", NULL, "door is open\nthe letter is acknowledged\n");
    prints("cpp-no_exceptions", NULL, "the letter is acknowledged\n");
    mqtt_test_broker_free(broker);
    puts("examples: ok");
    return 0;
}
