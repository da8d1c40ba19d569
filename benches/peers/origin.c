/* The backend of the comparison: HTTP/1.1 over one epoll loop, on a port that it picks and prints.
 *
 *   GET /bulk      1,000,000 bytes
 *   GET /counts    counters: connections, requests, bytes of request bodies (without this request)
 *   otherwise      100 bytes of JSON
 *
 * It responds only after it has read the whole request body. nginx with `return 200` responds after the head, and a
 * proxy that is still sending then drops its connection, which would change what is measured.
 * It supports Content-Length only: a request with Transfer-Encoding gets a 501, so that it is detected.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_FDS = 65536, HEAD_BYTES = 16384, BULK_BYTES = 1000000, SMALL_BYTES = 100, EVENTS = 512 };

struct connection {
    char head[HEAD_BYTES];
    size_t head_len;
    unsigned long long body_left;
    const char *unsent;
    size_t unsent_len;
    bool in_body, closing, watches_writes;
    char counts[256];
};

static struct connection *connections[MAX_FDS];
static unsigned long long accepted, requests, body_bytes;
static char small[SMALL_BYTES + 256], bulk[BULK_BYTES + 256];
static size_t small_len, bulk_len;
static const char NOT_BUILT[] = "HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
static char scratch[262144];
static int poller;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void hang_up(int fd) {
    free(connections[fd]);
    connections[fd] = NULL;
    close(fd);
}

static void watch_writes(int fd, bool wanted) {
    struct connection *c = connections[fd];
    if (c->watches_writes == wanted) return;
    c->watches_writes = wanted;
    struct epoll_event event = {.events = wanted ? EPOLLOUT : EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poller, EPOLL_CTL_MOD, fd, &event) < 0) die("epoll_ctl");
}

/* Sends pending bytes; false if the connection is closed. */
static bool send_rest(int fd) {
    struct connection *c = connections[fd];
    while (c->unsent_len > 0) {
        ssize_t sent = send(fd, c->unsent, c->unsent_len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            watch_writes(fd, true);
            return true;
        }
        if (sent <= 0) {
            hang_up(fd);
            return false;
        }
        c->unsent += sent;
        c->unsent_len -= (size_t)sent;
    }
    watch_writes(fd, false);
    if (c->closing) {
        hang_up(fd);
        return false;
    }
    return true;
}

/* The value of a header, or NULL; `head` ends with a NUL after its last line. */
static const char *header(const char *head, const char *name) {
    size_t len = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            for (line += len + 1; *line == ' '; line++) {}
            return line;
        }
    }
    return NULL;
}

static void choose_answer(struct connection *c) {
    const char *target = strchr(c->head, ' ');
    const char *connection = header(c->head, "connection");
    c->closing = connection != NULL && strncasecmp(connection, "close", 5) == 0;
    c->unsent = small, c->unsent_len = small_len;
    if (header(c->head, "transfer-encoding") != NULL) {
        c->unsent = NOT_BUILT, c->unsent_len = sizeof NOT_BUILT - 1, c->closing = true;
    } else if (target != NULL && strncmp(target, " /bulk ", 7) == 0) {
        c->unsent = bulk, c->unsent_len = bulk_len;
    } else if (target != NULL && strncmp(target, " /counts ", 9) == 0) {
        char body[128];
        int len = snprintf(body, sizeof body, "{\"connections\":%llu,\"requests\":%llu,\"body_bytes\":%llu}", accepted,
                           requests, body_bytes);
        c->unsent = c->counts;
        c->unsent_len = (size_t)snprintf(c->counts, sizeof c->counts,
                                         "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len, body);
        return;
    }
    requests++;
}

/* Processes `len` received bytes; false if the connection is closed. Requests are served in order, and a client that
 * pipelines more than fits into the head buffer is disconnected. */
static bool take(int fd, const char *bytes, size_t len) {
    struct connection *c = connections[fd];
    while (len > 0 || (c->in_body && c->body_left == 0)) {
        if (!c->in_body) {
            size_t room = HEAD_BYTES - 1 - c->head_len, part = len < room ? len : room;
            memcpy(c->head + c->head_len, bytes, part);
            c->head_len += part;
            c->head[c->head_len] = 0;
            char *end = memmem(c->head, c->head_len, "\r\n\r\n", 4);
            if (end == NULL && part == room) return hang_up(fd), false;
            if (end == NULL) return true;
            size_t surplus = c->head_len - (size_t)(end + 4 - c->head);
            bytes += part - surplus;
            len -= part - surplus;
            end[2] = 0;
            const char *length = header(c->head, "content-length");
            c->body_left = length == NULL ? 0 : strtoull(length, NULL, 10);
            c->in_body = true;
        }
        size_t part = len < c->body_left ? len : c->body_left;
        bytes += part;
        len -= part;
        c->body_left -= part;
        body_bytes += part;
        if (c->body_left > 0) return true;
        if (c->unsent_len > 0) return hang_up(fd), false;
        c->in_body = false;
        c->head_len = 0;
        choose_answer(c);
        if (!send_rest(fd)) return false;
    }
    return true;
}

static void accept_all(int listener) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0) return;
        if (fd >= MAX_FDS) die("too many connections");
        if ((connections[fd] = calloc(1, sizeof(struct connection))) == NULL) die("calloc");
        accepted++;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
    }
}

static void make_answers(void) {
    char body[SMALL_BYTES + 1];
    memset(body, 'x', SMALL_BYTES);
    memcpy(body, "{\"id\": 123, \"name\": \"Alice\", \"note\": \"", 38);
    memcpy(body + SMALL_BYTES - 2, "\"}", 3);
    small_len = (size_t)sprintf(
        small, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", SMALL_BYTES, body);
    bulk_len = (size_t)sprintf(
        bulk, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n", BULK_BYTES);
    memset(bulk + bulk_len, 'x', BULK_BYTES);
    bulk_len += BULK_BYTES;
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    make_answers();
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t address_len = sizeof address;
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
    if (listen(listener, 4096) < 0) die("listen");
    getsockname(listener, (struct sockaddr *)&address, &address_len);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    if ((poller = epoll_create1(0)) < 0) die("epoll_create1");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
    if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) < 0) die("epoll_ctl");
    for (;;) {
        int count = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                accept_all(listener);
                continue;
            }
            if (connections[fd] == NULL) continue;
            if (events[i].events & EPOLLOUT) {
                send_rest(fd);
                continue;
            }
            ssize_t len = recv(fd, scratch, sizeof scratch, 0);
            if (len > 0) take(fd, scratch, (size_t)len);
            else if (len == 0 || errno != EAGAIN) hang_up(fd);
        }
    }
}
