/* The least broker that a publisher accepts: it answers CONNECT, SUBSCRIBE, PINGREQ and QoS 1, throws the rest away, and counts.
 *
 * usage: sink [hold]
 * Prints its port on one line, serves one connection after another, and prints what it counted when each ends.
 * It answers in batches of `hold` acknowledgements (1 unless given), or when nothing came for 100 ms: so a window is really filled.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INPUT = 1 << 20, OUTPUT = 1 << 18 };

struct link {
    int socket;
    bool version_5;
    size_t filled;   /* bytes of `input` that are not yet a whole packet */
    size_t to_write; /* bytes of `output` not yet written */
    uint64_t bytes, publishes;
    unsigned char input[INPUT], output[OUTPUT];
};

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static bool flush(struct link *link) {
    for (size_t done = 0; done < link->to_write;) {
        ssize_t n = send(link->socket, link->output + done, link->to_write - done, MSG_NOSIGNAL);
        if (n <= 0) return false;
        done += (size_t)n;
    }
    link->to_write = 0;
    return true;
}

static bool answer(struct link *link, const void *bytes, size_t length) {
    if (link->to_write + length > OUTPUT && !flush(link)) return false;
    memcpy(link->output + link->to_write, bytes, length);
    link->to_write += length;
    return true;
}

static bool accept_connect(struct link *link, const unsigned char *body) {
    /* Protocol name with its length, then the level. */
    size_t name = (size_t)body[0] << 8 | body[1];
    link->version_5 = body[2 + name] == 5;
    if (link->version_5) return answer(link, "\x20\x03\x00\x00\x00", 5);
    return answer(link, "\x20\x02\x00\x00", 4);
}

static bool acknowledge(struct link *link, unsigned char type, const unsigned char *id) {
    unsigned char packet[] = {type, 2, id[0], id[1]};
    return answer(link, packet, sizeof packet);
}

/* Answers one packet; false when the connection is over. */
static bool packet(struct link *link, unsigned char first, const unsigned char *body) {
    switch (first >> 4) {
    case 1: return accept_connect(link, body);
    case 3:
        link->publishes++;
        if ((first >> 1 & 3) != 1) return true;
        return acknowledge(link, 0x40, body + 2 + ((size_t)body[0] << 8 | body[1]));
    case 12: return answer(link, "\xd0\x00", 2);
    case 14: return false;
    default: return true;
    }
}

/* Consumes the whole packets of the input; false when the connection is over. */
static bool digest(struct link *link) {
    const unsigned char *at = link->input, *end = link->input + link->filled;
    bool going_on = true;
    while (going_on && end - at >= 2) {
        size_t length = 0, head = 1;
        bool whole = false;
        for (int shift = 0; head < 5 && at + head < end && !whole; shift += 7, head++) {
            length |= (size_t)(at[head] & 127) << shift;
            whole = at[head] < 128;
        }
        if (!whole || (size_t)(end - at) < head + length) break;
        going_on = packet(link, at[0], at + head);
        at += head + length;
    }
    link->filled = (size_t)(end - at);
    memmove(link->input, at, link->filled);
    return going_on;
}

/* Reading goes on while answers are held back, but not for ever. */
static bool is_idle(const struct link *link) {
    struct pollfd poll_set = {.fd = link->socket, .events = POLLIN};
    return link->to_write > 0 && poll(&poll_set, 1, 100) == 0;
}

static void serve(struct link *link, size_t hold) {
    bool going_on = true;
    while (going_on) {
        if (is_idle(link) && !flush(link)) break;
        ssize_t n = recv(link->socket, link->input + link->filled, INPUT - link->filled, 0);
        if (n <= 0) break;
        link->bytes += (uint64_t)n;
        link->filled += (size_t)n;
        uint64_t before = link->publishes;
        going_on = digest(link);
        /* Anything but an acknowledgement is answered at once. */
        if (link->to_write >= hold * 4 || link->publishes == before) going_on = flush(link) && going_on;
    }
    printf("%" PRIu64 " messages %" PRIu64 " bytes\n", link->publishes, link->bytes);
    fflush(stdout);
}

int main(int count, char **arguments) {
    size_t hold = count > 1 ? strtoul(arguments[1], NULL, 10) : 1;
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 16) != 0) fail("listen");
    if (getsockname(listener, (struct sockaddr *)&address, &length) != 0) fail("getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);

    struct link *link = malloc(sizeof *link);
    if (link == NULL) fail("malloc");
    for (;;) {
        link->socket = accept(listener, NULL, NULL);
        if (link->socket < 0) fail("accept");
        setsockopt(link->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        link->filled = link->to_write = 0;
        link->bytes = link->publishes = 0;
        serve(link, hold);
        close(link->socket);
    }
}
