/* The lower bound for a proxy: it copies bytes between a client and a backend, one connection for each, with one epoll
 * loop. It parses nothing, so its cost is that of the kernel: a recv and a send each way, and a share of an epoll_wait.
 *
 *   forwarder BACKEND_PORT     listens on a port that it picks and prints
 *
 * A close of either side closes both, so it does not support half-closed clients. It is in C because it needs only
 * epoll: in Rust that requires unsafe code, which the crate forbids, or another dependency.
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
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_FDS = 65536, EVENTS = 512 };

/* One side. While bytes for it are pending, the other side is not read, so the end of a side is noticed only after all
 * its bytes have been forwarded. */
struct side {
    int peer;
    char *unsent;
    size_t unsent_at, unsent_len;
    unsigned watched;
};

static struct side sides[MAX_FDS];
static char scratch[524288];
static int poller;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void watch(int fd, unsigned wanted) {
    if (sides[fd].watched == wanted) return;
    sides[fd].watched = wanted;
    struct epoll_event event = {.events = wanted, .data.fd = fd};
    if (epoll_ctl(poller, EPOLL_CTL_MOD, fd, &event) < 0) die("epoll_ctl");
}

static void hang_up(int fd) {
    int both[] = {fd, sides[fd].peer};
    for (int i = 0; i < 2; i++) {
        free(sides[both[i]].unsent);
        sides[both[i]] = (struct side){.peer = -1};
        close(both[i]);
    }
}

static void forward(int from) {
    int to = sides[from].peer;
    /* It is not read while its peer has pending bytes, so this event is a reset. */
    if (sides[to].unsent != NULL) return hang_up(from);
    ssize_t len = recv(from, scratch, sizeof scratch, 0);
    if (len < 0 && errno == EAGAIN) return;
    if (len <= 0) return hang_up(from);
    ssize_t sent = send(to, scratch, (size_t)len, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return hang_up(from);
    if (sent < 0) sent = 0;
    if (sent == len) return;
    struct side *side = &sides[to];
    side->unsent_at = 0, side->unsent_len = (size_t)(len - sent);
    if ((side->unsent = malloc(side->unsent_len)) == NULL) die("malloc");
    memcpy(side->unsent, scratch + sent, side->unsent_len);
    watch(from, sides[from].watched & ~(unsigned)EPOLLIN);
    watch(to, side->watched | EPOLLOUT);
}

static void send_rest(int to) {
    struct side *side = &sides[to];
    ssize_t sent = send(to, side->unsent + side->unsent_at, side->unsent_len, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) return hang_up(to);
    side->unsent_at += (size_t)sent;
    side->unsent_len -= (size_t)sent;
    if (side->unsent_len > 0) return;
    free(side->unsent);
    side->unsent = NULL;
    watch(to, side->watched & ~(unsigned)EPOLLOUT);
    watch(side->peer, sides[side->peer].watched | EPOLLIN);
}

static void adopt(int fd, int peer) {
    if (fd >= MAX_FDS) die("too many connections");
    sides[fd] = (struct side){.peer = peer, .watched = EPOLLIN};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
}

static void accept_all(int listener, const struct sockaddr_in *backend) {
    for (;;) {
        int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (client < 0) return;
        int upstream = socket(AF_INET, SOCK_STREAM, 0);
        if (upstream < 0 || connect(upstream, (const struct sockaddr *)backend, sizeof *backend) < 0) die("connect");
        adopt(client, upstream);
        adopt(upstream, client);
    }
}

int main(int argc, char **argv) {
    if (argc != 2) return fprintf(stderr, "forwarder BACKEND_PORT\n"), 2;
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in backend = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((unsigned short)atoi(argv[1]))};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t address_len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
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
                accept_all(listener, &backend);
                continue;
            }
            /* An event of a connection that was closed earlier in this batch. */
            if (sides[fd].peer <= 0) continue;
            if (sides[fd].unsent != NULL && events[i].events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) send_rest(fd);
            else if (events[i].events & ~(unsigned)EPOLLOUT) forward(fd);
        }
    }
}
