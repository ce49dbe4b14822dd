/* What the files of the agent of C share. */
#ifndef LEVERET_AGENT_H
#define LEVERET_AGENT_H

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <leveret.h>
#include <leveret_testing.h>

/* --- line.c --- */

enum { MOST_ARGUMENTS = 32, MOST_PAIRS = 8 };

typedef struct {
    char *name;
    char *value;
    bool taken;
} argument;

/* Those of the request. */
extern argument arguments[MOST_ARGUMENTS];
extern size_t argument_count;

/* What is being written: the answer, and on the threads of callbacks an item for a recorder. */
extern _Thread_local char *answer;
extern _Thread_local size_t answer_length;

void *checked(void *memory);
void put(const char *text, size_t length);
/* One more `name=value` of the reply, the value percent-encoded. */
void say(const char *name, const char *value, size_t length);
void say_text(const char *name, const char *text);
void say_number(const char *name, int64_t number);
void say_flag(const char *name, bool flag);
void decode(char *text);
const char *take(const char *name);
const char *take_or(const char *name, const char *otherwise);
long number_of(const char *name, long otherwise);
uint32_t timeout_of(void);
/* Milliseconds of a duration written as text. */
uint32_t milliseconds(const char *text);
/* The name of a result in the error table, `QueueFull` of MQTT_QUEUE_FULL. */
void say_kind(const char *key, mqtt_result result);
mqtt_result fail(mqtt_result result);
/* Cuts `name:value;name:value` into pairs; returns how many. */
size_t pairs_of(const char *text, char *room, size_t size, mqtt_pair *pairs);
int constant_of(const char *name, const char *const *names, const int *values);
/* Cuts `first,second` into words; returns how many. */
size_t words_of(const char *text, char **words, size_t most);

/* --- recorder.c --- */

typedef struct {
    char *text; /* the reply's pairs for this message or event */
    char *payload;
    size_t payload_length;
} item;

typedef struct {
    char client[32], name[64];
    item *items;
    size_t count, capacity;
    bool held;    /* the callback does not return before this is over */
    bool failing; /* the callback gives messages back */
    bool manual;  /* messages are kept to be acknowledged by hand */
    const mqtt_message *unacknowledged[64];
    size_t first_unacknowledged, past_unacknowledged;
    const mqtt_message *last; /* to be answered */
} recorder;

enum { MOST = 64, MOST_RECEIPTS = 4096 };

/* Held by whoever reads or writes a recorder; signalled when one has changed. */
extern pthread_mutex_t lock;
extern pthread_cond_t changed;
extern recorder recorders[MOST];
extern size_t recorder_count;

recorder *recorder_of(const char *client, const char *name);
/* Keeps what `answer` holds beyond `mark` as an item. The lock is held. */
void keep(recorder *to, size_t mark, const void *payload, size_t payload_length);
mqtt_result ask_recorder(const char *verb, const char *name);

/* --- events.c --- */

/* MQTT 5 properties by the names of the standard. */
void say_properties(const mqtt_properties *properties);
void say_message(const mqtt_message *message);
void on_message(void *context, const mqtt_message *message);
void on_connection(void *context, const mqtt_connection_event *event);
void on_subscription(void *context, const mqtt_subscription_event *event);
/* What other languages call a notice is a line for the log here. */
void on_log(void *context, const mqtt_log_event *event);

/* --- hooks.c --- */

/* What the hooks and the authenticator of a client say; never freed, as clients outlive the table of their names. */
typedef struct {
    char client[32];
    mqtt_client *handle;
    char says[64]; /* on what can carry words; nothing if empty */
    bool holds;    /* never answers */
    char *answers[8];
    size_t answer_count, next;
} hooked;

/* Installs the hooks and the authenticator that a request named. */
mqtt_result hook_into(mqtt_client *client, hooked *hook, const char *hooks, const char *authenticator);

/* --- attempts.c --- */

/* Has the client asked before each connect, if the request wants so: `answers` is `say,refuse,…`, what is said stands in `said_…`. */
mqtt_result ask_before_connect(mqtt_client *client, const char *name, const char *answers);
/* Has handshakes signed with a key, if there is one. */
mqtt_result sign_with(mqtt_options *options, const char *key);

/* --- names.c --- */

typedef struct {
    char name[32];
    void *object;
} named;

typedef struct {
    char name[64];
    uint64_t receipt;
    mqtt_outcome outcome;
    bool settled;
} named_receipt;

extern named clients[MOST], brokers[MOST];
extern named_receipt receipts[MOST_RECEIPTS];
extern size_t receipt_count;

void *find(const named *list, const char *name);
void enter(named *list, const char *name, void *object);
void enter_receipt(const char *client, const char *name, int number, uint64_t receipt);
size_t receipt_named(const char *client, const char *name, int number);

/* --- clients.c --- */

mqtt_result connect_client(const char *name);
mqtt_result close_client(mqtt_client *client);
mqtt_result reauthenticate(mqtt_client *client);
mqtt_result stats(mqtt_client *client);
int status_of(const char *name);
mqtt_result ping(mqtt_client *client);

/* --- letters.c --- */

/* The letter that a request describes, but for its payload. Its pairs lie in `pairs`, their texts in `room`. */
mqtt_letter letter_of(mqtt_pair *pairs, char *room, size_t size);
mqtt_result publish(mqtt_client *client, const char *name);
mqtt_result burst(mqtt_client *client, const char *name);
mqtt_result publish_many(mqtt_client *client, const char *name);
mqtt_result outcome(mqtt_client *client, const char *name);
mqtt_result outcomes(mqtt_client *client, const char *name);
mqtt_result cancel(mqtt_client *client, const char *name);
mqtt_result explain(mqtt_client *client, const char *name);

/* --- messages.c --- */

mqtt_result request(mqtt_client *client);
mqtt_result serve(mqtt_client *client);
mqtt_result respond(const char *name);
mqtt_result subscribe(mqtt_client *client, const char *name, bool wait);
mqtt_result unsubscribe(mqtt_client *client);

#endif
