/* The function that is asked before each attempt to connect: what it says is on the wire for that attempt, at once or later, and what it
 * does wrong is an attempt that fails, in words without secrets. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

enum { MOST = 8 };

/* A broker that takes whoever comes, one at a time, and keeps what they said. */
typedef struct peer {
    int listener;
    pthread_t thread;
    char url[64], secret_url[96];
    unsigned char said[MOST][512];
    size_t lengths[MOST];
    counter connects;
} peer;

static bool read_all(int socket, unsigned char *into, size_t length) {
    while (length > 0) {
        ssize_t count = read(socket, into, length);
        if (count <= 0) return false;
        into += count, length -= (size_t)count;
    }
    return true;
}

/* A CONNECT of fewer than 2^14 bytes. */
static bool read_connect(peer *peer, int socket) {
    long at = counter_value(&peer->connects) % MOST;
    unsigned char head[3];
    if (!read_all(socket, head, 2)) return false;
    size_t length = head[1] & 127;
    if (head[1] >= 128) {
        if (!read_all(socket, head + 2, 1)) return false;
        length += (size_t)head[2] * 128;
    }
    EXPECT(head[0] == 0x10 && length <= sizeof peer->said[at]);
    peer->lengths[at] = length;
    return read_all(socket, peer->said[at], length);
}

static void *serve(void *context) {
    static const unsigned char accepted[] = {0x20, 3, 0, 0, 0};
    peer *peer = context;
    for (int socket; (socket = accept(peer->listener, NULL, NULL)) >= 0; close(socket)) {
        unsigned char rest;
        if (!read_connect(peer, socket)) continue;
        counter_add(&peer->connects, 1);
        if (send(socket, accepted, sizeof accepted, MSG_NOSIGNAL) < 0) continue;
        while (read(socket, &rest, 1) > 0) continue;
    }
    return NULL;
}

static void begin(peer *peer) {
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;
    static const counter none = COUNTER_INIT;
    peer->connects = none;
    peer->listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT(bind(peer->listener, (struct sockaddr *)&address, size) == 0 && listen(peer->listener, 16) == 0);
    EXPECT(getsockname(peer->listener, (struct sockaddr *)&address, &size) == 0);
    snprintf(peer->url, sizeof peer->url, "mqtt://127.0.0.1:%d", ntohs(address.sin_port));
    snprintf(peer->secret_url, sizeof peer->secret_url, "mqtt://of-the-url:hush@127.0.0.1:%d", ntohs(address.sin_port));
    EXPECT(pthread_create(&peer->thread, NULL, serve, peer) == 0);
}

static void end(peer *peer) {
    EXPECT(shutdown(peer->listener, SHUT_RDWR) == 0 && pthread_join(peer->thread, NULL) == 0);
    close(peer->listener);
}

/* Whether the CONNECT of that number, from 0, holds this text. */
static bool said(const peer *peer, size_t number, const char *text) {
    size_t length = strlen(text);
    for (size_t i = 0; i + length <= peer->lengths[number]; i++) {
        if (memcmp(peer->said[number] + i, text, length) == 0) return true;
    }
    return false;
}

/* A client, what it was asked, and what it told. */
typedef struct asked {
    mqtt_client *client;
    void (*answers)(struct asked *asked, const mqtt_connect_event *event);
    int dispatch;
    uint64_t number;  /* of the last question */
    long not_made;    /* attempts that were refused or late */
    bool may_be_late; /* also those that are answered: on a slow machine */
    counter count, drops, failed;
    counter *wait;      /* it ends when this is 1 */
    mqtt_result why;    /* of the last attempt that failed */
    char words[512];    /* of the same */
    const char *wanted; /* what the words have to hold */
} asked;

static void on_connect(void *context, const mqtt_connect_event *event) {
    asked *asked = context;
    asked->number = event->number;
    /* One that was not made gives its number to the next. */
    EXPECT(asked->may_be_late || event->attempt == (uint64_t)(counter_value(&asked->count) - asked->not_made) + 1);
    EXPECT(event->url_length > 7 && memcmp(event->url, "mqtt://127.0.0.1:", 7) == 0 && memchr(event->url, '@', event->url_length) == NULL);
    counter *wait = asked->wait;
    if (asked->answers != NULL) asked->answers(asked, event);
    counter_add(&asked->count, 1);
    if (wait != NULL) EXPECT(counter_reaches(wait, 1));
}

static void on_drop(void *context) {
    asked *asked = context;
    counter_add(&asked->drops, 1);
}

/* Nothing that is told holds a secret of these tests. */
static void on_connection(void *context, const mqtt_connection_event *event) {
    asked *asked = context;
    char text[512];
    snprintf(text, sizeof text, "%.*s", (int)event->text_length, event->text_length > 0 ? event->text : "");
    EXPECT(strstr(text, "hush") == NULL);
    if (event->kind != MQTT_CONNECTION_ATTEMPT_FAILED) return;
    if (asked->wanted != NULL && strstr(text, asked->wanted) == NULL) return;
    asked->why = event->error;
    memcpy(asked->words, text, sizeof text);
    counter_add(&asked->failed, 1);
}

static void on_log(void *context, const mqtt_log_event *event) {
    char text[512];
    (void)context;
    snprintf(text, sizeof text, "%.*s", (int)event->text_length, event->text);
    EXPECT(strstr(text, "hush") == NULL);
}

static const char *const five[] = {MQTT_OPT_PROTOCOL, "5", NULL};
static const char *const plain[] = {MQTT_OPT_PROTOCOL, "5", MQTT_OPT_USERNAME, "of the options", MQTT_OPT_PASSWORD, "hush", NULL};

static void ask_with(asked *asked, const char *url, const char *const *set) {
    asked->client = new_client(url, set);
    OK(mqtt_client_dispatch(asked->client, asked->dispatch));
    OK(mqtt_client_on_connect_with(asked->client, on_connect, asked, on_drop));
    OK(mqtt_client_on_connection(asked->client, on_connection, asked));
    OK(mqtt_client_on_log(asked->client, on_log, NULL));
    OK(mqtt_client_start(asked->client));
}

/* Only in mqtt_client_poll do callbacks need a hand. */
static void wait_asked(asked *asked, long count) {
    while (asked->dispatch == MQTT_DISPATCH_POLL && counter_value(&asked->count) < count) {
        OK(mqtt_client_poll(asked->client, SOON, NULL));
    }
    EXPECT(counter_reaches(&asked->count, count));
}

static mqtt_connect_options *say(const char *const *set) {
    mqtt_connect_options *options = mqtt_connect_options_new();
    for (; set[0] != NULL; set += 2) OK(mqtt_connect_options_set(options, set[0], set[1]));
    return options;
}

static void answer_numbered(asked *asked, const mqtt_connect_event *event) {
    char user[32], topic[32];
    snprintf(user, sizeof user, "user %d", (int)event->attempt);
    snprintf(topic, sizeof topic, "wills/%d", (int)event->attempt);
    const char *set[] = {MQTT_CONNECT_OPT_USERNAME, user, MQTT_CONNECT_OPT_WILL_TOPIC, topic, MQTT_CONNECT_OPT_WILL_QOS, "1", NULL};
    mqtt_connect_options *options = say(set);
    OK(mqtt_connect_options_set_bytes(options, MQTT_CONNECT_OPT_PASSWORD, "token\0hush", 10));
    OK(mqtt_connect_options_set_bytes(options, MQTT_CONNECT_OPT_WILL_PAYLOAD, "gone", 4));
    OK(mqtt_connect_options_add(options, MQTT_CONNECT_OPT_WILL_USER_PROPERTIES, "site", "north"));
    OK(mqtt_connect_options_add(options, MQTT_CONNECT_OPT_WILL_USER_PROPERTIES, "site", "south"));
    OK(mqtt_connect_answer(asked->client, event->number, options));
    /* What was answered stays. */
    OK(mqtt_connect_refuse(asked->client, event->number, "too late"));
    mqtt_connect_options_free(options);
}

static void answer_nothing(asked *asked, const mqtt_connect_event *event) {
    OK(mqtt_connect_answer(asked->client, event->number, NULL));
}

static void refuse(asked *asked, const mqtt_connect_event *event) {
    OK(mqtt_connect_refuse(asked->client, event->number, "no token today"));
    asked->not_made++;
}

static void each_attempt_says_its_own(peer *peer, int dispatch) {
    asked asked = {.dispatch = dispatch, .answers = answer_numbered, .count = COUNTER_INIT, .drops = COUNTER_INIT, .failed = COUNTER_INIT};
    size_t first = (size_t)counter_value(&peer->connects);
    ask_with(&asked, peer->secret_url, five);
    wait_asked(&asked, 1);
    EXPECT(counter_reaches(&peer->connects, (long)first + 1));
    OK(mqtt_client_wait_for(asked.client, MQTT_STATUS_ONLINE, SOON));
    OK(mqtt_client_reconnect(asked.client));
    wait_asked(&asked, 2);
    EXPECT(counter_reaches(&peer->connects, (long)first + 2));
    first %= MOST;
    for (size_t i = 0; i < 2; i++) {
        size_t at = (first + i) % MOST;
        EXPECT(said(peer, at, i == 0 ? "user 1" : "user 2") && said(peer, at, i == 0 ? "wills/1" : "wills/2"));
        EXPECT(said(peer, at, "token") && said(peer, at, "gone") && said(peer, at, "north") && said(peer, at, "south"));
        EXPECT(!said(peer, at, "of-the-url"));
    }
    mqtt_client_free(asked.client);
    EXPECT(counter_value(&asked.drops) == 1 && counter_value(&asked.failed) == 0);
}

static void what_is_left_out_is_as_the_options_say(peer *peer) {
    asked asked = {.answers = answer_nothing, .count = COUNTER_INIT, .drops = COUNTER_INIT, .failed = COUNTER_INIT};
    size_t at = (size_t)counter_value(&peer->connects);
    ask_with(&asked, peer->url, plain);
    EXPECT(counter_reaches(&peer->connects, (long)at + 1));
    EXPECT(said(peer, at % MOST, "of the options") && said(peer, at % MOST, "hush"));
    /* With nobody left to ask, it connects as the options say, too. */
    OK(mqtt_client_on_connect(asked.client, NULL, NULL));
    EXPECT(counter_reaches(&asked.drops, 1));
    OK(mqtt_client_reconnect(asked.client));
    EXPECT(counter_reaches(&peer->connects, (long)at + 2));
    EXPECT(counter_value(&asked.count) == 1 && said(peer, (at + 1) % MOST, "of the options"));
    mqtt_client_free(asked.client);
    EXPECT(counter_value(&asked.drops) == 1);
}

static void refused_attempts_fail_and_others_follow(peer *peer) {
    asked asked = {.answers = refuse, .wanted = "no token today", .count = COUNTER_INIT, .drops = COUNTER_INIT, .failed = COUNTER_INIT};
    long before = counter_value(&peer->connects);
    ask_with(&asked, peer->url, plain);
    EXPECT(counter_reaches(&asked.failed, 2) && asked.why == MQTT_REFUSED);
    EXPECT(counter_value(&peer->connects) == before);
    mqtt_client_free(asked.client);
}

static void never_twice_then_nothing(asked *asked, const mqtt_connect_event *event) {
    if (asked->not_made == 2) answer_nothing(asked, event);
    else asked->not_made++;
}

static void an_answer_that_does_not_come_is_waited_for_until_hook_timeout(peer *peer) {
    static const char *const set[] = {MQTT_OPT_PROTOCOL, "5", MQTT_OPT_HOOK_TIMEOUT, "200ms", NULL};
    asked asked = {
        .may_be_late = true, .answers = never_twice_then_nothing, .count = COUNTER_INIT, .drops = COUNTER_INIT, .failed = COUNTER_INIT};
    ask_with(&asked, peer->url, set);
    EXPECT(counter_reaches(&asked.failed, 2) && asked.why == MQTT_TIMED_OUT);
    OK(mqtt_client_wait_for(asked.client, MQTT_STATUS_ONLINE, SOON));
    mqtt_client_free(asked.client);
}

static void *answer_elsewhere(void *context) {
    asked *asked = context;
    static const char *const late[] = {MQTT_CONNECT_OPT_USERNAME, "from elsewhere", NULL};
    mqtt_connect_options *options = say(late);
    /* What nobody asked is answered without effect. */
    OK(mqtt_connect_refuse(asked->client, asked->number + 1000, "nobody asked"));
    OK(mqtt_connect_answer(asked->client, 0, NULL));
    RESULT(mqtt_client_wait_for(asked->client, MQTT_STATUS_ONLINE, 20), MQTT_TIMED_OUT);
    OK(mqtt_connect_answer(asked->client, asked->number, options));
    mqtt_connect_options_free(options);
    return NULL;
}

static void answered_later_on_another_thread(peer *peer) {
    asked asked = {.count = COUNTER_INIT, .drops = COUNTER_INIT, .failed = COUNTER_INIT};
    size_t at = (size_t)counter_value(&peer->connects);
    pthread_t thread;
    ask_with(&asked, peer->url, plain);
    EXPECT(counter_reaches(&asked.count, 1));
    EXPECT(pthread_create(&thread, NULL, answer_elsewhere, &asked) == 0 && pthread_join(thread, NULL) == 0);
    OK(mqtt_client_wait_for(asked.client, MQTT_STATUS_ONLINE, SOON));
    EXPECT(said(peer, at % MOST, "from elsewhere") && counter_value(&asked.failed) == 0);
    mqtt_client_free(asked.client);
}

static void wrong_answers(asked *asked, const mqtt_connect_event *event) {
    static const char *const will[] = {MQTT_CONNECT_OPT_WILL_PAYLOAD, "gone", NULL};
    static const char *const urls[] = {"mqtt://u:hush@h:99999", "gopher://u:hush@h", "mqtt://u:hush@"};
    mqtt_connect_options *options = say(will);
    FAILS(mqtt_connect_answer(asked->client, event->number, options), MQTT_INVALID_ARGUMENT,
          "will_topic must be given where will_payload is");
    mqtt_connect_options_free(options);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        options = mqtt_connect_options_new();
        OK(mqtt_connect_options_set(options, MQTT_CONNECT_OPT_URL, urls[i]));
        RESULT(mqtt_connect_answer(asked->client, event->number, options), MQTT_INVALID_ARGUMENT);
        EXPECT(strstr(mqtt_last_error(), "hush") == NULL);
        mqtt_connect_options_free(options);
    }
    RESULT(mqtt_connect_refuse(asked->client, event->number, "\xff"), MQTT_INVALID_ARGUMENT);
    /* It still waits. */
    answer_nothing(asked, event);
}

static void wrong_options(void) {
    static char large[65537];
    mqtt_connect_options *options = mqtt_connect_options_new();
    memset(large, 'h', sizeof large - 1);
    FAILS(mqtt_connect_options_set(options, "usrname", "x"), MQTT_UNKNOWN_OPTION,
          "unknown connect option \"usrname\"; did you mean username?");
    FAILS(mqtt_connect_options_set(options, MQTT_CONNECT_OPT_WILL_QOS, "3"), MQTT_INVALID_ARGUMENT,
          "will_qos must be 0, 1 or 2, not \"3\"");
    RESULT(mqtt_connect_options_add(options, MQTT_CONNECT_OPT_USERNAME, "a", "b"), MQTT_INVALID_ARGUMENT);
    RESULT(mqtt_connect_options_set(options, MQTT_CONNECT_OPT_WEBSOCKET_HEADERS, "hush"), MQTT_INVALID_ARGUMENT);
    EXPECT(strstr(mqtt_last_error(), "hush") == NULL);
    RESULT(mqtt_connect_options_set(options, MQTT_CONNECT_OPT_PASSWORD, large), MQTT_INVALID_ARGUMENT);
    EXPECT(strstr(mqtt_last_error(), "password must be bytes or text of at most 65535 bytes") != NULL);
    EXPECT(strstr(mqtt_last_error(), "hhh") == NULL);
    RESULT(mqtt_connect_options_set_bytes(options, MQTT_CONNECT_OPT_WILL_TOPIC, "\xff", 1), MQTT_INVALID_ARGUMENT);
    mqtt_connect_options_free(options);
}

static void wrong_answers_say_why_and_leave_the_question_open(peer *peer) {
    asked asked = {.answers = wrong_answers, .count = COUNTER_INIT, .drops = COUNTER_INIT, .failed = COUNTER_INIT};
    ask_with(&asked, peer->url, plain);
    OK(mqtt_client_wait_for(asked.client, MQTT_STATUS_ONLINE, SOON));
    EXPECT(counter_value(&asked.failed) == 0);
    mqtt_client_free(asked.client);
}

/* Of a client whose end is just coming, and which tells so a moment later. */
static void has_no_effect(mqtt_result result) {
    EXPECT(result == MQTT_OK || result == MQTT_CLOSED);
}

/* A client that is closed or freed with a question open, and one that is freed inside it, with the drop once. */
static void close_it(asked *asked, const mqtt_connect_event *event) {
    OK(mqtt_client_close(asked->client, 0));
    has_no_effect(mqtt_connect_answer(asked->client, event->number, NULL));
}

static void free_it(asked *asked, const mqtt_connect_event *event) {
    (void)event;
    mqtt_client_free(asked->client);
}

static void *free_elsewhere(void *context) {
    mqtt_client_free(context);
    return NULL;
}

static void ends(peer *peer, int dispatch) {
    asked closing = {.dispatch = dispatch, .count = COUNTER_INIT, .drops = COUNTER_INIT, .failed = COUNTER_INIT};
    asked inside = closing, freed = closing;
    ask_with(&closing, peer->url, plain);
    wait_asked(&closing, 1);
    OK(mqtt_client_close(closing.client, 100));
    has_no_effect(mqtt_connect_answer(closing.client, closing.number, NULL));
    has_no_effect(mqtt_connect_refuse(closing.client, closing.number, "no"));
    EXPECT(mqtt_client_status(closing.client) == MQTT_STATUS_CLOSED);
    mqtt_client_free(closing.client);
    EXPECT(counter_value(&closing.drops) == 1);
    inside.answers = close_it;
    ask_with(&inside, peer->url, plain);
    wait_asked(&inside, 1);
    mqtt_client_free(inside.client);
    EXPECT(counter_value(&inside.drops) == 1);
    freed.answers = free_it;
    ask_with(&freed, peer->url, plain);
    wait_asked(&freed, 1);
    if (dispatch != MQTT_DISPATCH_POLL) EXPECT(counter_reaches(&freed.drops, 1));
    EXPECT(counter_value(&freed.drops) == 1);
}

static void freed_while_it_is_asked(peer *peer) {
    counter over = COUNTER_INIT;
    asked asked = {.wait = &over, .count = COUNTER_INIT, .drops = COUNTER_INIT, .failed = COUNTER_INIT};
    pthread_t thread;
    ask_with(&asked, peer->url, plain);
    EXPECT(counter_reaches(&asked.count, 1));
    EXPECT(pthread_create(&thread, NULL, free_elsewhere, asked.client) == 0);
    counter_add(&over, 1);
    EXPECT(pthread_join(thread, NULL) == 0 && counter_value(&asked.drops) == 1);
}

/* A WebSocket that wants a signature in its URL and a token in its header: neither is told where one is wrong. */
typedef struct signing {
    mqtt_client *client;
    const char *good;
    counter failed;
} signing;

static void on_signed(void *context, const mqtt_connect_event *event) {
    signing *signing = context;
    char url[256];
    mqtt_connect_options *options = mqtt_connect_options_new();
    snprintf(url, sizeof url, "%.*s?signature=%s", (int)event->url_length, event->url, event->attempt == 1 ? "hush-bad" : "hush-good");
    OK(mqtt_connect_options_set(options, MQTT_CONNECT_OPT_URL, url));
    OK(mqtt_connect_options_add(options, MQTT_CONNECT_OPT_WEBSOCKET_HEADERS, "X-Token", event->attempt == 2 ? "hush-old" : "hush-new"));
    OK(mqtt_connect_answer(signing->client, event->number, options));
    mqtt_connect_options_free(options);
}

static void on_unsigned(void *context, const mqtt_connection_event *event) {
    signing *signing = context;
    char text[512];
    snprintf(text, sizeof text, "%.*s", (int)event->text_length, event->text_length > 0 ? event->text : "");
    EXPECT(strstr(text, "hush") == NULL);
    if (event->kind == MQTT_CONNECTION_ATTEMPT_FAILED) counter_add(&signing->failed, 1);
}

static void a_websocket_is_signed_for_each_attempt(void) {
    static const char *const wants[] = {"websocket_path", "/mqtt?signature=hush-good", "websocket_header", "X-Token: hush-new", NULL};
    mqtt_test_broker *broker = mqtt_test_broker_new_with(wants);
    signing signing = {.failed = COUNTER_INIT};
    char url[256];
    EXPECT(broker != NULL);
    snprintf(url, sizeof url, "%s", mqtt_test_broker_url(broker));
    EXPECT(strchr(url, '?') != NULL);
    *strchr(url, '?') = '\0';
    signing.client = new_client(url, NULL);
    OK(mqtt_client_on_connect(signing.client, on_signed, &signing));
    OK(mqtt_client_on_connection(signing.client, on_unsigned, &signing));
    OK(mqtt_client_on_log(signing.client, on_log, NULL));
    OK(mqtt_client_start(signing.client));
    OK(mqtt_client_wait_for(signing.client, MQTT_STATUS_ONLINE, SOON));
    EXPECT(counter_value(&signing.failed) == 2);
    mqtt_client_free(signing.client);
    mqtt_test_broker_free(broker);
}

int main(void) {
    static const int ways[] = {MQTT_DISPATCH_POOL, MQTT_DISPATCH_POLL, MQTT_DISPATCH_INLINE};
    peer peer;
    begin(&peer);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        each_attempt_says_its_own(&peer, ways[i]);
        ends(&peer, ways[i]);
    }
    what_is_left_out_is_as_the_options_say(&peer);
    refused_attempts_fail_and_others_follow(&peer);
    an_answer_that_does_not_come_is_waited_for_until_hook_timeout(&peer);
    answered_later_on_another_thread(&peer);
    wrong_options();
    wrong_answers_say_why_and_leave_the_question_open(&peer);
    freed_while_it_is_asked(&peer);
    a_websocket_is_signed_for_each_attempt();
    end(&peer);
    puts("connect: ok");
    return 0;
}
