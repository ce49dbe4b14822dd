/* Payloads that are not copied are released exactly once, on every path; and they reach the broker whole. */
#include "check.h"

/* A payload whose release is counted, and which is scribbled over then: a later read would show. */
typedef struct parcel {
    char bytes[8192];
    counter released;
} parcel;

static void release(void *context) {
    parcel *parcel = context;
    memset(parcel->bytes, '!', sizeof parcel->bytes);
    EXPECT(counter_value(&parcel->released) == 0);
    counter_add(&parcel->released, 1);
}

static void fill(parcel *parcel) {
    pthread_mutex_init(&parcel->released.lock, NULL);
    pthread_cond_init(&parcel->released.changed, NULL);
    parcel->released.value = 0;
    for (size_t i = 0; i < sizeof parcel->bytes; i++) parcel->bytes[i] = (char)(i % 251);
}

static mqtt_letter letter_of(parcel *parcel, size_t size) {
    mqtt_letter letter = MQTT_LETTER_INIT;
    fill(parcel);
    letter.topic = "parcels";
    letter.payload = parcel->bytes;
    letter.payload_length = size;
    letter.release = release;
    letter.release_context = parcel;
    return letter;
}

/* 64 bytes are copied at the door, 8192 are not; both are released. */
static const size_t sizes[] = {0, 64, 8192};

#define FOR_EACH_SIZE for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)

static void delivered(mqtt_client *client, mqtt_test_broker *broker, int qos, int outcome) {
    FOR_EACH_SIZE {
        static parcel parcel;
        uint64_t receipt;
        mqtt_message message;
        size_t before = mqtt_test_broker_received_count(broker);
        mqtt_letter letter = letter_of(&parcel, sizes[s]);
        letter.qos = qos;
        OK(mqtt_publish_with(client, &letter, &receipt));
        SETTLES(client, receipt, outcome);
        EXPECT(counter_reaches(&parcel.released, 1));
        OK(mqtt_test_broker_wait_received(broker, before + 1, SOON));
        OK(mqtt_test_broker_received(broker, before, &message));
        EXPECT(message.payload_length == sizes[s]);
        for (size_t i = 0; i < sizes[s]; i++) EXPECT(((const char *)message.payload)[i] == (char)(i % 251));
    }
}

static void refused(mqtt_client *client) {
    FOR_EACH_SIZE {
        static parcel parcel;
        mqtt_letter letter = letter_of(&parcel, sizes[s]);
        RESULT(mqtt_publish_with(NULL, &letter, NULL), MQTT_NULL_POINTER);
        EXPECT(counter_value(&parcel.released) == 1);
        letter = letter_of(&parcel, sizes[s]);
        letter.topic = "a/#";
        RESULT(mqtt_publish_with(client, &letter, NULL), MQTT_INVALID_ARGUMENT);
        EXPECT(counter_value(&parcel.released) == 1);
        letter = letter_of(&parcel, sizes[s]);
        letter.qos = 3;
        RESULT(mqtt_publish_with(client, &letter, NULL), MQTT_INVALID_ARGUMENT);
        EXPECT(counter_value(&parcel.released) == 1);
        letter = letter_of(&parcel, sizes[s]);
        letter.payload_length = (size_t)-1;
        RESULT(mqtt_publish_with(client, &letter, NULL), MQTT_INVALID_ARGUMENT);
        EXPECT(counter_value(&parcel.released) == 1);
    }
}

/* Of three letters the second is wrong: none is posted, all three are released. */
static void many_with_a_wrong_one(mqtt_client *client) {
    static parcel parcels[3];
    mqtt_letter letters[3];
    size_t accepted = 9;
    for (int i = 0; i < 3; i++) letters[i] = letter_of(&parcels[i], 8192);
    letters[1].topic = "";
    RESULT(mqtt_publish_many(client, letters, 3, NULL, &accepted), MQTT_INVALID_ARGUMENT);
    EXPECT(accepted == 0);
    for (int i = 0; i < 3; i++) EXPECT(counter_value(&parcels[i].released) == 1);
}

static void expired_and_cancelled(mqtt_client *client) {
    FOR_EACH_SIZE {
        static parcel parcel;
        uint64_t receipt;
        bool found = false;
        mqtt_letter letter = letter_of(&parcel, sizes[s]);
        letter.ttl_ms = 20;
        OK(mqtt_publish_with(client, &letter, &receipt));
        SETTLES(client, receipt, MQTT_OUTCOME_EXPIRED);
        EXPECT(counter_reaches(&parcel.released, 1));
        letter = letter_of(&parcel, sizes[s]);
        OK(mqtt_publish_with(client, &letter, &receipt));
        OK(mqtt_cancel(client, receipt, &found));
        EXPECT(found && counter_reaches(&parcel.released, 1));
    }
}

/* The third letter drops the first; the fourth, which drops nothing, is refused; closing releases the rest. */
static void dropped_refused_and_closed(const char *url) {
    const char *set[] = {MQTT_OPT_MAX_QUEUED_MESSAGES, "2", NULL};
    mqtt_client *client = new_client(url, set);
    static parcel parcels[4];
    uint64_t receipts[4];
    for (int i = 0; i < 3; i++) {
        mqtt_letter letter = letter_of(&parcels[i], 8192);
        OK(mqtt_publish_with(client, &letter, &receipts[i]));
    }
    SETTLES(client, receipts[0], MQTT_OUTCOME_DROPPED);
    EXPECT(counter_reaches(&parcels[0].released, 1));
    mqtt_letter letter = letter_of(&parcels[3], 8192);
    letter.overflow = MQTT_OVERFLOW_REJECT;
    RESULT(mqtt_publish_with(client, &letter, &receipts[3]), MQTT_QUEUE_FULL);
    EXPECT(counter_value(&parcels[3].released) == 1);
    OK(mqtt_client_close(client, 0));
    SETTLES(client, receipts[1], MQTT_OUTCOME_CLOSED);
    EXPECT(counter_reaches(&parcels[1].released, 1) && counter_reaches(&parcels[2].released, 1));
    letter = letter_of(&parcels[3], 8192);
    RESULT(mqtt_publish_with(client, &letter, &receipts[3]), MQTT_CLOSED);
    EXPECT(counter_value(&parcels[3].released) == 1);
    mqtt_client_free(client);
}

static void freed(const char *url) {
    static parcel parcel;
    mqtt_client *client = new_client(url, NULL);
    mqtt_letter letter = letter_of(&parcel, 8192);
    OK(mqtt_publish_with(client, &letter, NULL));
    EXPECT(counter_value(&parcel.released) == 0);
    mqtt_client_free(client);
    EXPECT(counter_reaches(&parcel.released, 1));
}

static mqtt_client *meddled_with;
static counter meddled = COUNTER_INIT;

/* A release function must not call leveret: what it calls all the same is refused, and does not hang. */
static void meddle(void *context) {
    (void)context;
    RESULT(mqtt_publish(meddled_with, "t", NULL, 0, 0, false, NULL), MQTT_WOULD_DEADLOCK);
    counter_add(&meddled, 1);
}

static void release_that_calls_leveret(mqtt_client *client) {
    static char payload[8192];
    mqtt_letter letter = MQTT_LETTER_INIT;
    meddled_with = client;
    letter.topic = "parcels";
    letter.payload = payload;
    letter.payload_length = sizeof payload;
    letter.release = meddle;
    OK(mqtt_publish_with(client, &letter, NULL));
    EXPECT(counter_reaches(&meddled, 1));
}

int main(void) {
    mqtt_test_broker *broker = mqtt_test_broker_new();
    mqtt_client *client = online_client(mqtt_test_broker_url(broker), NULL);
    delivered(client, broker, 0, MQTT_OUTCOME_SENT);
    delivered(client, broker, 1, MQTT_OUTCOME_ACKNOWLEDGED);
    delivered(client, broker, 2, MQTT_OUTCOME_ACKNOWLEDGED);
    refused(client);
    many_with_a_wrong_one(client);
    release_that_calls_leveret(client);
    OK(mqtt_test_broker_stop(broker));
    OK(mqtt_client_wait_for(client, MQTT_STATUS_OFFLINE, SOON));
    expired_and_cancelled(client);
    dropped_refused_and_closed(mqtt_test_broker_url(broker));
    freed(mqtt_test_broker_url(broker));
    mqtt_client_free(client);
    mqtt_test_broker_free(broker);
    puts("zero_copy: ok");
    return 0;
}
