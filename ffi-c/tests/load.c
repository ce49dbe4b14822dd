/* Loaded and unloaded 1 000 times, as plugins are: with no use in between, with a client made and shut down, and with one left open.
 * This program is not linked with the library. */
/* compile: without the library */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <leveret.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXPECT(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *what, int line) {
    const char *why = dlerror();
    fprintf(stderr, "ffi-c/tests/load.c:%d: not so: %s (%s)\n", line, what, why == NULL ? "" : why);
    exit(1);
}

static int entries(const char *folder) {
    int count = 0;
    DIR *open = opendir(folder);
    EXPECT(open != NULL);
    while (readdir(open) != NULL) count++;
    closedir(open);
    return count;
}

/* Threads that were told to end may still be on their way out, and hold a descriptor. */
static bool comes_down_to(int descriptors, int threads) {
    const struct timespec moment = {0, 10000000};
    for (int i = 0; i < 1000; i++) {
        if (entries("/proc/self/fd") <= descriptors && entries("/proc/self/task") <= threads) return true;
        nanosleep(&moment, NULL);
    }
    return false;
}

/* POSIX wants functions to be got this way, which ISO C has no cast for. */
static void find(void *library, const char *name, void *function, size_t size) {
    void *found = dlsym(library, name);
    EXPECT(found != NULL);
    memcpy(function, &found, size);
}

static void use(void *library) {
    mqtt_client *(*make)(const char *, const mqtt_options *);
    mqtt_result (*start)(mqtt_client *);
    void (*end)(mqtt_client *);
    mqtt_result (*shut_down)(void);
    find(library, "mqtt_client_new", &make, sizeof make);
    find(library, "mqtt_client_start", &start, sizeof start);
    find(library, "mqtt_client_free", &end, sizeof end);
    find(library, "mqtt_shutdown", &shut_down, sizeof shut_down);
    mqtt_client *client = make("mqtt://127.0.0.1:1", NULL);
    EXPECT(client != NULL && start(client) == MQTT_OK);
    end(client);
    EXPECT(shut_down() == MQTT_OK);
}

/* Its threads must find their code although nobody holds the library any more. */
static void leave_open(const char *path) {
    mqtt_client *(*make)(const char *, const mqtt_options *);
    mqtt_result (*start)(mqtt_client *);
    void *library = dlopen(path, RTLD_NOW);
    EXPECT(library != NULL);
    find(library, "mqtt_client_new", &make, sizeof make);
    find(library, "mqtt_client_start", &start, sizeof start);
    for (int i = 0; i < 3; i++) EXPECT(start(make("mqtt://127.0.0.1:1", NULL)) == MQTT_OK);
    EXPECT(dlclose(library) == 0);
}

int main(int count, char **arguments) {
    const char *path = count > 1 ? arguments[1] : "libleveret.so.0";
    int descriptors = 0, threads = 0;
    for (int i = 0; i < 1000; i++) {
        const char *(*version)(void);
        void *library = dlopen(path, i % 2 ? RTLD_NOW : RTLD_LAZY);
        EXPECT(library != NULL);
        find(library, "mqtt_version", &version, sizeof version);
        EXPECT(strcmp(version(), "0.1.0") == 0);
        if (i % 10 == 0) use(library);
        EXPECT(dlclose(library) == 0);
        if (i == 10) descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task");
    }
    EXPECT(comes_down_to(descriptors, threads));
    leave_open(path);
    puts("load: ok");
    return 0;
}
