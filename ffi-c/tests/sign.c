/* TLS handshakes signed by a callback: with the key that belongs to the certificate, as a secure element does it; refused; not answered;
 * given up. The element here is the program openssl with a key in a file. */
#include "check.h"
#include "material.h"

/* A signer, what it was asked and what it told. */
typedef struct signer {
    material files;
    const char *refuses; /* with these words */
    counter *blocks;     /* it ends when this is 1 */
    bool silent;         /* it answers nothing */
    counter calls, drops, failed;
    char words[512]; /* of the last attempt that failed */
} signer;

#define SIGNER_INIT {{"", "", "", ""}, NULL, NULL, false, COUNTER_INIT, COUNTER_INIT, COUNTER_INIT, ""}

/* Of the message, with ECDSA and SHA-256, in DER. */
static size_t sign_with_openssl(const signer *signer, const void *message, size_t length, void *signature, size_t capacity) {
    char name[128], command[320];
    static counter files = COUNTER_INIT;
    counter_add(&files, 1);
    snprintf(name, sizeof name, "%s/message-%ld", signer->files.folder, counter_value(&files));
    write_file(name, message, length);
    snprintf(command, sizeof command, "openssl dgst -sha256 -sign %s %s", signer->files.key, name);
    FILE *program = popen(command, "r");
    EXPECT(program != NULL);
    size_t count = fread(signature, 1, capacity, program);
    EXPECT(pclose(program) == 0 && unlink(name) == 0);
    return count;
}

static void on_sign(void *context, const mqtt_sign_event *event) {
    signer *signer = context;
    unsigned char signature[256];
    counter *blocks = signer->blocks;
    EXPECT(strcmp(event->scheme, "ecdsa_secp256r1_sha256") == 0 && event->scheme_length == strlen(event->scheme));
    EXPECT(event->message_length > 64);
    if (signer->refuses != NULL) OK(mqtt_sign_refuse(event->signing, signer->refuses));
    else if (blocks == NULL && !signer->silent) {
        size_t length = sign_with_openssl(signer, event->message, event->message_length, signature, sizeof signature);
        OK(mqtt_sign_refuse(event->signing, "what is said last counts"));
        OK(mqtt_sign_answer(event->signing, signature, length));
        FAILS(mqtt_sign_answer(event->signing, signature, 0), MQTT_INVALID_ARGUMENT,
              "signature must be bytes of 1 to 65535 bytes, not 0 bytes");
        RESULT(mqtt_sign_refuse(event->signing, "\xff"), MQTT_INVALID_ARGUMENT);
    }
    counter_add(&signer->calls, 1);
    if (blocks != NULL) EXPECT(counter_reaches(blocks, 1));
}

static void on_drop(void *context) {
    signer *signer = context;
    counter_add(&signer->drops, 1);
}

static void on_connection(void *context, const mqtt_connection_event *event) {
    signer *signer = context;
    if (event->kind != MQTT_CONNECTION_ATTEMPT_FAILED) return;
    snprintf(signer->words, sizeof signer->words, "%.*s", (int)event->text_length, event->text);
    counter_add(&signer->failed, 1);
}

static mqtt_options *options_of(const mqtt_test_broker *broker, signer *signer) {
    mqtt_options *options = mqtt_options_new();
    OK(mqtt_options_set(options, MQTT_OPT_TLS_CA, mqtt_test_broker_ca_pem(broker)));
    OK(mqtt_options_set(options, MQTT_OPT_TLS_CERT, mqtt_test_broker_client_cert_pem(broker)));
    OK(mqtt_options_set(options, MQTT_OPT_CONNECT_TIMEOUT, "1m"));
    OK(mqtt_options_set(options, MQTT_OPT_BACKOFF_MIN, "10ms"));
    OK(mqtt_options_set(options, MQTT_OPT_BACKOFF_MAX, "50ms"));
    OK(mqtt_options_set_signer(options, on_sign, signer, on_drop));
    return options;
}

static mqtt_client *client_of(const mqtt_test_broker *broker, const mqtt_options *options, signer *signer) {
    mqtt_client *client = mqtt_client_new(mqtt_test_broker_url(broker), options);
    EXPECT(client != NULL);
    OK(mqtt_client_on_connection(client, on_connection, signer));
    OK(mqtt_client_start(client));
    return client;
}

static void signed_handshakes(const mqtt_test_broker *broker) {
    static const char *const versions[] = {"1.2", "1.3"};
    signer signer = SIGNER_INIT;
    write_material(&signer.files, broker, false);
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        mqtt_options *options = options_of(broker, &signer);
        uint64_t receipt;
        OK(mqtt_options_set(options, MQTT_OPT_TLS_MAX_VERSION, versions[i]));
        mqtt_client *client = client_of(broker, options, &signer);
        /* The client keeps the signer. */
        mqtt_options_free(options);
        OK(mqtt_publish(client, "signed", "x", 1, 1, false, &receipt));
        SETTLES(client, receipt, MQTT_OUTCOME_ACKNOWLEDGED);
        EXPECT(counter_value(&signer.calls) == (long)i + 1 && counter_value(&signer.drops) == (long)i);
        mqtt_client_free(client);
        EXPECT(counter_reaches(&signer.drops, (long)i + 1));
    }
    EXPECT(counter_value(&signer.failed) == 0);
    remove_material(&signer.files);
}

/* Attempts that fail with these words, of a signer that does not sign. */
static void fails_with(const mqtt_test_broker *broker, signer *signer, const char *words) {
    mqtt_options *options = options_of(broker, signer);
    mqtt_client *client = client_of(broker, options, signer);
    EXPECT(counter_reaches(&signer->failed, 2) && counter_reaches(&signer->calls, 2));
    mqtt_client_free(client);
    if (strstr(signer->words, words) == NULL) fprintf(stderr, "%s\n", signer->words);
    EXPECT(strstr(signer->words, words) != NULL);
    EXPECT(counter_value(&signer->drops) == 0);
    mqtt_options_free(options);
    EXPECT(counter_reaches(&signer->drops, 1));
}

/* Nobody waits for a signer longer than connect_timeout, and nothing that it says afterwards has an effect. */
static void given_up(const mqtt_test_broker *broker) {
    counter over = COUNTER_INIT;
    signer signer = SIGNER_INIT;
    signer.blocks = &over;
    mqtt_options *options = options_of(broker, &signer);
    /* Long enough for a handshake to get to its signature: valgrind takes its time. */
    OK(mqtt_options_set(options, MQTT_OPT_CONNECT_TIMEOUT, getenv("LEVERET_WATCHED") == NULL ? "200ms" : "3s"));
    mqtt_client *client = client_of(broker, options, &signer);
    mqtt_options_free(options);
    /* The second attempt comes while the first one's signer still blocks. */
    EXPECT(counter_reaches(&signer.calls, 2) && counter_reaches(&signer.failed, 1));
    mqtt_client_free(client);
    EXPECT(counter_value(&signer.drops) == 0);
    counter_add(&over, 1);
    EXPECT(counter_reaches(&signer.drops, 1));
}

static void wrong_options(const mqtt_test_broker *broker) {
    signer signer = SIGNER_INIT;
    mqtt_options *options = options_of(broker, &signer);
    OK(mqtt_options_set(options, MQTT_OPT_TLS_KEY, mqtt_test_broker_client_key_pem(broker)));
    REFUSED(mqtt_client_new(mqtt_test_broker_url(broker), options) == NULL, "tls_key must not be given where there is a signer");
    /* One that is replaced, and one that is taken away, are dropped. */
    OK(mqtt_options_set_signer(options, on_sign, &signer, on_drop));
    EXPECT(counter_value(&signer.drops) == 1);
    OK(mqtt_options_set_signer(options, NULL, NULL, NULL));
    EXPECT(counter_value(&signer.drops) == 2);
    mqtt_options_free(options);
    options = mqtt_options_new();
    OK(mqtt_options_set_signer(options, on_sign, &signer, on_drop));
    EXPECT(mqtt_client_new("mqtts://localhost", options) == NULL && strstr(mqtt_last_error(), "where there is a signer") != NULL);
    mqtt_options_free(options);
    EXPECT(counter_value(&signer.drops) == 3);
}

int main(void) {
    static const char *const wants[] = {"client_certificates", "true", NULL};
    signer refusing = SIGNER_INIT, silent = SIGNER_INIT;
    mqtt_test_broker *broker = mqtt_test_broker_new_with(wants);
    EXPECT(broker != NULL);
    refusing.refuses = "the element is locked";
    silent.silent = true;
    signed_handshakes(broker);
    fails_with(broker, &refusing, "the handshake could not be signed: the element is locked");
    fails_with(broker, &silent, "the signer returned without an answer");
    given_up(broker);
    wrong_options(broker);
    mqtt_test_broker_free(broker);
    puts("sign: ok");
    return 0;
}
