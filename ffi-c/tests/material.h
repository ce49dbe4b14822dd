/* Certificates and keys of a test broker in files, for the test programs that need some: PEM as it comes, or DER. */
#ifndef MATERIAL_H
#define MATERIAL_H

#include <unistd.h>

#include "check.h"

/* In a folder of their own. */
typedef struct material {
    char folder[64], ca[96], cert[96], key[96];
} material;

static inline void write_file(const char *path, const void *content, size_t length) {
    FILE *file = fopen(path, "wb");
    EXPECT(file != NULL && fwrite(content, 1, length, file) == length && fclose(file) == 0);
}

/* The DER of the first block of a PEM; its length. */
static inline size_t der_of(const char *pem, unsigned char *der) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0, count = 0;
    size_t length = 0;
    for (const char *at = strchr(pem, '\n'); *at != '-'; at++) {
        const char *digit = *at == '\n' ? NULL : strchr(digits, *at);
        if (digit == NULL) continue;
        bits = bits << 6 | (unsigned)(digit - digits);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        der[length++] = (unsigned char)(bits >> count);
    }
    return length;
}

static inline void write_pem(const char *path, const char *pem, bool as_der) {
    unsigned char der[4096];
    if (as_der) write_file(path, der, der_of(pem, der));
    else write_file(path, pem, strlen(pem));
}

static inline void write_material(material *files, const mqtt_test_broker *broker, bool as_der) {
    const char *kind = as_der ? "der" : "pem";
    snprintf(files->folder, sizeof files->folder, "/tmp/leveret-material-XXXXXX");
    EXPECT(mkdtemp(files->folder) != NULL);
    snprintf(files->ca, sizeof files->ca, "%s/ca.%s", files->folder, kind);
    snprintf(files->cert, sizeof files->cert, "%s/cert.%s", files->folder, kind);
    snprintf(files->key, sizeof files->key, "%s/key.%s", files->folder, kind);
    write_pem(files->ca, mqtt_test_broker_ca_pem(broker), as_der);
    write_pem(files->cert, mqtt_test_broker_client_cert_pem(broker), as_der);
    write_pem(files->key, mqtt_test_broker_client_key_pem(broker), as_der);
}

static inline void remove_material(const material *files) {
    EXPECT(unlink(files->ca) == 0 && unlink(files->cert) == 0 && unlink(files->key) == 0 && rmdir(files->folder) == 0);
}

#endif
