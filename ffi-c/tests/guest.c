/* What a process may expect of a library that is a guest in it: no handler of signals installed or disturbed, no death by SIGPIPE, no
 * word printed, an end at any moment, no limit on descriptors. Each case runs in a process of its own, whose output has to be empty. */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

extern char **environ;

/* With which status a case ends that is to end in an unusual way. */
enum { ENDED_AS_WANTED = 7 };

static mqtt_test_broker *broker;

static const char *url(void) {
    return mqtt_test_broker_url(broker);
}

static void subscribe(mqtt_client *client, const char *filter, mqtt_message_callback callback, void *context) {
    uint64_t reply;
    OK(mqtt_subscribe_with(client, filter, NULL, callback, context, NULL, &reply));
    OK(mqtt_reply_wait(client, reply, SOON, NULL));
}

/* signals */

/* How every signal is handled, as the kernel knows it. */
static void dispositions(struct sigaction *into) {
    for (int signal = 1; signal < NSIG; signal++) {
        memset(&into[signal], 0, sizeof into[signal]);
        sigaction(signal, NULL, &into[signal]);
    }
}

static void no_signal_handler_is_installed(void) {
    static struct sigaction before[NSIG], after[NSIG];
    sigset_t mask_before, mask_after;
    dispositions(before);
    sigprocmask(SIG_BLOCK, NULL, &mask_before);
    mqtt_client *client = online_client(url(), NULL);
    dispositions(after);
    sigprocmask(SIG_BLOCK, NULL, &mask_after);
    for (int signal = 1; signal < NSIG; signal++) {
        EXPECT(before[signal].sa_handler == after[signal].sa_handler);
        EXPECT(sigismember(&mask_before, signal) == sigismember(&mask_after, signal));
    }
    mqtt_client_free(client);
}

static void ignore_message(void *context, const mqtt_message *message) {
    (void)context, (void)message;
}

/* The peer is gone again and again while letters and acknowledgements are written; the default action of SIGPIPE would be the end. */
static void sigpipe_kills_nobody(void) {
    uint64_t receipt;
    char payload[8192] = {0};
    EXPECT(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    mqtt_client *client = online_client(url(), NULL);
    OK(mqtt_subscribe(client, "pipe", 1, ignore_message, NULL));
    for (int round = 0; round < 20; round++) {
        OK(mqtt_client_wait_for(client, MQTT_STATUS_ONLINE, SOON));
        for (int i = 0; i < 50; i++) {
            mqtt_result result = mqtt_publish(client, "pipe", payload, sizeof payload, i % 3, false, NULL);
            EXPECT(result == MQTT_OK || result == MQTT_QUEUE_FULL);
            if (i == 25) OK(mqtt_test_broker_stop(broker));
        }
        OK(mqtt_test_broker_start(broker));
    }
    OK(mqtt_client_flush(client, SOON));
    OK(mqtt_publish(client, "pipe", "x", 1, 1, false, &receipt));
    SETTLES(client, receipt, MQTT_OUTCOME_ACKNOWLEDGED);
    mqtt_client_free(client);
    sigset_t pending;
    EXPECT(sigpending(&pending) == 0 && !sigismember(&pending, SIGPIPE));
}

static pthread_t main_thread;
static volatile sig_atomic_t terms, elsewhere;

static void on_term(int signal) {
    (void)signal;
    terms++;
    if (!pthread_equal(pthread_self(), main_thread)) elsewhere++;
}

/* The threads of leveret take no signals: whatever the kernel would choose, the handler runs on a thread of the program. */
static void sigterm_handlers_run_on_the_programs_threads(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_term;
    main_thread = pthread_self();
    EXPECT(sigaction(SIGTERM, &action, NULL) == 0);
    mqtt_client *client = online_client(url(), NULL);
    subscribe(client, "term", ignore_message, NULL);
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    for (int i = 0; i < 200; i++) {
        /* Blocked here, it would go to any other thread that does not block it. */
        pthread_sigmask(SIG_BLOCK, &term, NULL);
        EXPECT(kill(getpid(), SIGTERM) == 0);
        OK(mqtt_publish(client, "term", "x", 1, 1, false, NULL));
        OK(mqtt_client_flush(client, SOON));
        EXPECT(terms == i);
        pthread_sigmask(SIG_UNBLOCK, &term, NULL);
        EXPECT(terms == i + 1);
    }
    EXPECT(elsewhere == 0);
    mqtt_client_free(client);
}

/* the end of the process */

static counter in_callback = COUNTER_INIT;
static int exits; /* what the callback does: 0 waits for ever, else it calls exit */

static void exits_or_stays(void *context, const mqtt_message *message) {
    (void)context, (void)message;
    counter_add(&in_callback, 1);
    if (exits) exit(ENDED_AS_WANTED);
    for (;;) pause();
}

static mqtt_client *client_with(int dispatch) {
    mqtt_client *client = new_client(url(), NULL);
    OK(mqtt_client_dispatch(client, dispatch));
    OK(mqtt_client_start(client));
    OK(mqtt_client_wait_for(client, MQTT_STATUS_ONLINE, SOON));
    subscribe(client, "exit", exits_or_stays, NULL);
    OK(mqtt_publish(client, "exit", "x", 1, 1, false, NULL));
    return client;
}

static void exit_in_a_callback_on(int dispatch) {
    exits = 1;
    mqtt_client *client = client_with(dispatch);
    while (dispatch == MQTT_DISPATCH_POLL) OK(mqtt_client_poll(client, SOON, NULL));
    for (;;) pause();
}

static void exit_in_a_callback_on_the_pool(void) {
    exit_in_a_callback_on(MQTT_DISPATCH_POOL);
}

static void exit_in_a_callback_in_poll(void) {
    exit_in_a_callback_on(MQTT_DISPATCH_POLL);
}

static void exit_in_an_inline_callback(void) {
    exit_in_a_callback_on(MQTT_DISPATCH_INLINE);
}

/* Some clients online and busy, one offline, one not started, one in a callback that never returns. */
static void leave_clients_open(void) {
    exits = 0;
    client_with(MQTT_DISPATCH_POOL);
    EXPECT(counter_reaches(&in_callback, 1));
    for (int i = 0; i < 4; i++) {
        mqtt_client *client = online_client(url(), NULL);
        OK(mqtt_subscribe(client, "open", 1, ignore_message, NULL));
        for (int letter = 0; letter < 200; letter++) OK(mqtt_publish(client, "open", "x", 1, 2, false, NULL));
    }
    OK(mqtt_client_start(new_client("mqtt://127.0.0.1:1", NULL)));
    new_client(url(), NULL);
}

static void exit_with_clients_open(void) {
    leave_clients_open();
    exit(ENDED_AS_WANTED);
}

static int returned = 0;

static void main_returns_with_clients_open(void) {
    leave_clients_open();
    returned = ENDED_AS_WANTED;
}

static void *publishes_on(void *client) {
    for (;;) {
        mqtt_publish(client, "open", "x", 1, 1, false, NULL);
        mqtt_client_flush(client, SOON);
    }
    return NULL;
}

static void exit_while_other_threads_publish(void) {
    pthread_t thread;
    for (int i = 0; i < 3; i++) EXPECT(pthread_create(&thread, NULL, publishes_on, online_client(url(), NULL)) == 0);
    OK(mqtt_test_broker_wait_received(broker, 100, SOON));
    exit(ENDED_AS_WANTED);
}

/* Called by exit after main: the library may be used to the end. */
static mqtt_client *last_client;

static void says_goodbye(void) {
    uint64_t receipt;
    OK(mqtt_publish(last_client, "goodbye", "x", 1, 1, false, &receipt));
    SETTLES(last_client, receipt, MQTT_OUTCOME_ACKNOWLEDGED);
    OK(mqtt_client_close(last_client, SOON));
    mqtt_client_free(last_client);
    OK(mqtt_shutdown());
}

static void atexit_handlers_may_publish_and_close(void) {
    last_client = online_client(url(), NULL);
    EXPECT(atexit(says_goodbye) == 0);
    returned = ENDED_AS_WANTED;
}

/* limits */

static int open_many(int *last) {
    int count = 0;
    while (*last < 1100) {
        *last = dup(2);
        EXPECT(*last >= 0);
        count++;
    }
    return count;
}

static void on_polled(void *context, const mqtt_message *message) {
    (void)message;
    counter_add(context, 1);
}

/* `select` ends there; leveret does not. */
static void descriptors_above_1024_work(void) {
    struct rlimit limit;
    counter polled = COUNTER_INIT;
    int last = 0;
    EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_max < 1200) return;
    limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
    EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    open_many(&last);
    mqtt_test_broker *high = mqtt_test_broker_new();
    mqtt_client *client = new_client(mqtt_test_broker_url(high), NULL);
    OK(mqtt_client_dispatch(client, MQTT_DISPATCH_POLL));
    EXPECT(mqtt_client_fd(client) > 1024);
    OK(mqtt_client_start(client));
    OK(mqtt_client_wait_for(client, MQTT_STATUS_ONLINE, SOON));
    subscribe(client, "high", on_polled, &polled);
    OK(mqtt_publish(client, "high", "x", 1, 2, false, NULL));
    while (counter_value(&polled) == 0) {
        struct pollfd readable = {mqtt_client_fd(client), POLLIN, 0};
        EXPECT(poll(&readable, 1, SOON) == 1);
        OK(mqtt_client_poll(client, 0, NULL));
    }
    mqtt_client_free(client);
    mqtt_test_broker_free(high);
}

/* Without a descriptor left there is an error, and it goes on once there is one. */
static void running_out_of_descriptors_is_an_error(void) {
    struct rlimit limit;
    int opened[64], count = 0;
    EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    mqtt_client *online = online_client(url(), NULL);
    limit.rlim_cur = 64;
    EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    while (count < 64 && (opened[count] = dup(2)) >= 0) count++;
    mqtt_client *client = new_client(url(), NULL);
    RESULT(mqtt_client_dispatch(client, MQTT_DISPATCH_POLL), MQTT_SYSTEM);
    EXPECT(mqtt_test_broker_new() == NULL);
    OK(mqtt_client_start(client));
    mqtt_stats stats = {0};
    while (stats.failed_attempts == 0) {
        OK(mqtt_client_stats(client, &stats));
        poll(NULL, 0, 1);
    }
    EXPECT(stats.last_error == MQTT_SYSTEM || stats.last_error == MQTT_NOT_CONNECTED || stats.last_error == MQTT_CONNECTION_LOST);
    while (count > 0) close(opened[--count]);
    OK(mqtt_client_wait_for(client, MQTT_STATUS_ONLINE, SOON));
    OK(mqtt_client_ping(online, SOON, NULL));
    mqtt_client_free(client);
    mqtt_client_free(online);
}

/* the cases */

typedef struct test_case {
    const char *name;
    void (*run)(void);
    int status;
} test_case;

#define CASE(name, status) {#name, name, status}

static const test_case cases[] = {
    CASE(no_signal_handler_is_installed, 0),
    CASE(sigpipe_kills_nobody, 0),
    CASE(sigterm_handlers_run_on_the_programs_threads, 0),
    CASE(exit_in_a_callback_on_the_pool, ENDED_AS_WANTED),
    CASE(exit_in_a_callback_in_poll, ENDED_AS_WANTED),
    CASE(exit_in_an_inline_callback, ENDED_AS_WANTED),
    CASE(exit_with_clients_open, ENDED_AS_WANTED),
    CASE(main_returns_with_clients_open, ENDED_AS_WANTED),
    CASE(exit_while_other_threads_publish, ENDED_AS_WANTED),
    CASE(atexit_handlers_may_publish_and_close, ENDED_AS_WANTED),
    CASE(descriptors_above_1024_work, 0),
    CASE(running_out_of_descriptors_is_an_error, 0),
};

enum { CASES = sizeof cases / sizeof *cases };

/* Runs a case as `PROGRAM NAME`, its output in a file that has to stay empty. */
static bool passes(char *program, const test_case *test) {
    char *arguments[] = {program, (char *)test->name, NULL};
    char said[4096];
    int status = 0;
    pid_t pid;
    FILE *output = tmpfile();
    posix_spawn_file_actions_t files;
    EXPECT(output != NULL);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, fileno(output), 1);
    posix_spawn_file_actions_adddup2(&files, fileno(output), 2);
    EXPECT(posix_spawn(&pid, program, &files, NULL, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&files);
    EXPECT(waitpid(pid, &status, 0) == pid);
    rewind(output);
    said[fread(said, 1, sizeof said - 1, output)] = 0;
    fclose(output);
    if (WIFEXITED(status) && WEXITSTATUS(status) == test->status && said[0] == 0) return true;
    fprintf(stderr, "%s: %s %d, not exit status %d; it said \"%s\"\n", test->name, WIFEXITED(status) ? "exit status" : "signal",
            WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), test->status, said);
    return false;
}

static int run_case(const char *name) {
    for (int i = 0; i < CASES; i++) {
        if (strcmp(cases[i].name, name) != 0) continue;
        alarm(2 * SOON / 1000); /* what hangs dies of it, and the parent tells */
        broker = mqtt_test_broker_new();
        cases[i].run();
        if (cases[i].status == 0) mqtt_test_broker_free(broker);
        return returned;
    }
    fprintf(stderr, "there is no case %s\n", name);
    return 2;
}

int main(int count, char **arguments) {
    int failed = 0;
    if (count > 1) return run_case(arguments[1]);
    for (int i = 0; i < CASES; i++) failed += !passes(arguments[0], &cases[i]);
    if (failed == 0) puts("guest: ok");
    return failed > 0;
}
