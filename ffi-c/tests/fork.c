/* Forks before the first use, after it, out of a callback, and twice: the child is told that clients of its parent are not its own, can
 * make new ones and ends well; the parent goes on. */
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void on_message(void *context, const mqtt_message *message) {
    (void)context, (void)message;
}

/* The child ended by itself, with status 0. */
static void ends_well(pid_t child) {
    int status = 0;
    EXPECT(child > 0 && waitpid(child, &status, 0) == child);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void delivers(mqtt_client *client, const char *topic) {
    uint64_t receipt;
    OK(mqtt_publish(client, topic, NULL, 0, 1, false, &receipt));
    SETTLES(client, receipt, MQTT_OUTCOME_ACKNOWLEDGED);
}

static void use_a_client_of_ones_own(const char *url) {
    mqtt_client *own = online_client(url, NULL);
    delivers(own, "from/child");
    mqtt_client_free(own);
}

static void meet_a_client_of_the_parent(mqtt_client *client) {
    mqtt_stats stats;
    uint64_t receipt;
    EXPECT(mqtt_client_status(client) == MQTT_STATUS_CLOSED);
    RESULT(mqtt_publish(client, "t", NULL, 0, 1, false, &receipt), MQTT_FORKED);
    RESULT(mqtt_subscribe(client, "t", 1, on_message, NULL), MQTT_FORKED);
    RESULT(mqtt_client_on_message(client, on_message, NULL), MQTT_FORKED);
    RESULT(mqtt_client_stats(client, &stats), MQTT_FORKED);
    RESULT(mqtt_client_start(client), MQTT_FORKED);
    RESULT(mqtt_client_wait_for(client, MQTT_STATUS_ONLINE, SOON), MQTT_FORKED);
    RESULT(mqtt_client_flush(client, SOON), MQTT_FORKED);
    RESULT(mqtt_client_ping(client, SOON, NULL), MQTT_FORKED);
    RESULT(mqtt_client_poll(client, SOON, NULL), MQTT_FORKED);
    RESULT(mqtt_client_close(client, 0), MQTT_FORKED);
    mqtt_client_free(client);
}

/* A prefork server: the library is there, but nobody has used it. The broker of these tests is a child too, so that it is no use either. */
static void before_the_first_use(const char *url) {
    pid_t children[3];
    for (int i = 0; i < 3; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            use_a_client_of_ones_own(url);
            exit(0);
        }
    }
    for (int i = 0; i < 3; i++) ends_well(children[i]);
}

static void after_the_first_use(mqtt_client *client, const char *url) {
    pid_t child = fork();
    if (child == 0) {
        meet_a_client_of_the_parent(client);
        use_a_client_of_ones_own(url);
        _exit(0);
    }
    ends_well(child);
    delivers(client, "from/parent");
}

/* With the parent's clients in its hands, the child just ends: by `exit`, with all that belongs to it. */
static void the_child_exits_at_once(mqtt_client *client) {
    pid_t child = fork();
    if (child == 0) exit(0);
    ends_well(child);
    delivers(client, "from/parent");
}

static void a_grandchild(const char *url) {
    pid_t child = fork();
    if (child == 0) {
        mqtt_client *own = online_client(url, NULL);
        pid_t grandchild = fork();
        if (grandchild == 0) {
            meet_a_client_of_the_parent(own);
            use_a_client_of_ones_own(url);
            _exit(0);
        }
        ends_well(grandchild);
        delivers(own, "from/child");
        mqtt_client_free(own);
        _exit(0);
    }
    ends_well(child);
}

static counter forked = COUNTER_INIT;

static void message_forks(void *context, const mqtt_message *message) {
    (void)message;
    pid_t child = fork();
    if (child == 0) {
        use_a_client_of_ones_own(context);
        _exit(0);
    }
    ends_well(child);
    counter_add(&forked, 1);
}

static void out_of_a_callback(mqtt_client *client, const char *url) {
    OK(mqtt_subscribe(client, "fork", 1, message_forks, (void *)url));
    OK(mqtt_publish(client, "fork", NULL, 0, 1, false, NULL));
    EXPECT(counter_reaches(&forked, 1));
    delivers(client, "from/parent");
    OK(mqtt_unsubscribe(client, "fork", NULL));
}

/* Letters go out all the while, so that the fork finds threads in the middle of their work. */
static void in_the_middle_of_traffic(mqtt_client *client, const char *url) {
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 100; i++) OK(mqtt_publish(client, "busy", "x", 1, i % 3, false, NULL));
        pid_t child = fork();
        if (child == 0) {
            RESULT(mqtt_publish(client, "t", NULL, 0, 1, false, NULL), MQTT_FORKED);
            use_a_client_of_ones_own(url);
            _exit(0);
        }
        ends_well(child);
    }
    OK(mqtt_client_flush(client, SOON));
}

/* Runs in a process that does nothing else; ends when nobody holds the other end of `until`. */
static void be_the_broker(int tell, int until) {
    char nothing;
    const char *url = mqtt_test_broker_url(mqtt_test_broker_new());
    EXPECT(url != NULL && write(tell, url, strlen(url) + 1) > 0);
    while (read(until, &nothing, 1) > 0) continue;
    _exit(0);
}

int main(void) {
    char url[64];
    int tells[2], waits[2];
    EXPECT(pipe(tells) == 0 && pipe(waits) == 0);
    pid_t broker = fork();
    if (broker == 0) {
        close(waits[1]);
        be_the_broker(tells[1], waits[0]);
    }
    EXPECT(read(tells[0], url, sizeof url) > 0);
    before_the_first_use(url);
    mqtt_client *client = online_client(url, NULL);
    after_the_first_use(client, url);
    the_child_exits_at_once(client);
    a_grandchild(url);
    out_of_a_callback(client, url);
    in_the_middle_of_traffic(client, url);
    mqtt_client_free(client);
    close(waits[1]);
    ends_well(broker);
    puts("fork: ok");
    return 0;
}
