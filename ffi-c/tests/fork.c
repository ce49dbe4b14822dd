/* After a fork the child is told that clients of its parent are not its own, and can make new ones; the parent goes on. */
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void on_message(void *context, const mqtt_message *message) {
    (void)context, (void)message;
}

static void child(mqtt_client *client, const char *url) {
    mqtt_stats stats;
    uint64_t receipt;
    EXPECT(mqtt_client_status(client) == MQTT_STATUS_CLOSED);
    RESULT(mqtt_publish(client, "t", NULL, 0, 1, false, &receipt), MQTT_FORKED);
    RESULT(mqtt_subscribe(client, "t", 1, on_message, NULL), MQTT_FORKED);
    RESULT(mqtt_client_on_message(client, on_message, NULL), MQTT_FORKED);
    RESULT(mqtt_client_stats(client, &stats), MQTT_FORKED);
    RESULT(mqtt_client_start(client), MQTT_FORKED);
    RESULT(mqtt_client_close(client, 0), MQTT_FORKED);
    mqtt_client_free(client);
    mqtt_client *own = online_client(url, NULL);
    OK(mqtt_publish(own, "from/child", NULL, 0, 1, false, &receipt));
    SETTLES(own, receipt, MQTT_OUTCOME_ACKNOWLEDGED);
    mqtt_client_free(own);
}

int main(void) {
    int status = 0;
    uint64_t receipt;
    mqtt_test_broker *broker = mqtt_test_broker_new();
    mqtt_client *client = online_client(mqtt_test_broker_url(broker), NULL);
    pid_t pid = fork();
    EXPECT(pid >= 0);
    if (pid == 0) {
        child(client, mqtt_test_broker_url(broker));
        _exit(0);
    }
    EXPECT(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    OK(mqtt_publish(client, "from/parent", NULL, 0, 1, false, &receipt));
    SETTLES(client, receipt, MQTT_OUTCOME_ACKNOWLEDGED);
    EXPECT(mqtt_test_broker_received_count(broker) == 2);
    mqtt_client_free(client);
    mqtt_test_broker_free(broker);
    puts("fork: ok");
    return 0;
}
