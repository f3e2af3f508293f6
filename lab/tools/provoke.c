/* SPDX-License-Identifier: MIT */
/*
 * provoke: makes the troubles that `thirl tune` is to find, with nothing but sockets, in the network namespace that it runs in.
 *
 *   provoke listen PORT BACKLOG [N]             N listeners of one port (SO_REUSEPORT if more than one) that accept nothing
 *   provoke connect ADDRESS PORT N [quiet]      N connections, held; with keepalive unless quiet
 *   provoke churn ADDRESS PORT N                opens and closes N connections to a listener of its own; we close first: TIME_WAIT is ours
 *   provoke deaf PORT BYTES                     a UDP socket with so large a receive buffer, which is never read
 *   provoke take FIRST LAST                     binds every UDP port from FIRST to LAST
 *   provoke sockets N                           N UDP sockets, each of any port
 *   provoke blast ADDRESS PORT SIZE PER_S       datagrams of SIZE bytes
 *   provoke flows ADDRESS PORT N                one datagram from each of N sockets
 *   provoke spray PREFIX PER_S                  datagrams, each to another port of PREFIX.1 ... PREFIX.254: each is a flow
 *   provoke stuff PREFIX N SIZE                 datagrams to PREFIX.1 ... PREFIX.N in turn, without waiting, from one small send buffer
 *   provoke syn ADDRESS PORT PER_S              SYNs from invented addresses (198.18.0.0/15)
 *   provoke corrupt ADDRESS PORT PER_S          datagrams with a wrong checksum, from 198.18.0.1
 *   provoke stray ADDRESS SOURCE PER_S          datagrams from a foreign source address
 *   provoke shard ADDRESS PER_S                 first fragments that no second one follows
 *   provoke babble DEVICE PER_S                 frames of a protocol that nobody speaks, to all
 *
 * What is to be kept stays until the program is killed, after a line "ready" on stderr; nothing lives longer than LIFE_S. Descriptors: as many as the hard
 * limit allows.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "lab/frame/checksum.h"

enum {
  EXIT_USAGE = 2,
  LIFE_S = 90,
  SOCKETS_MAX = 65536,
  SIZE_MAX_UDP = 65000,
  PACKET_MAX = 128,
  BURSTS_PER_S = 100,
  SMALL_SNDBUF = 4608,
  MESSAGE_LEN = 64,
  ETH_P_EXPERIMENT = 0x88b5
};

static char payload[SIZE_MAX_UDP];

static _Noreturn void die(const char *what) {
  fprintf(stderr, "provoke: %s: %s\n", what, strerror(errno));
  exit(EXIT_FAILURE);
}

static long number(const char *text, long most) {
  char *end;
  long n = strtol(text, &end, 10);
  if (*text && !*end && n >= 0 && n <= most) return n;
  fprintf(stderr, "provoke: not a number up to %ld: %s\n", most, text);
  exit(EXIT_USAGE);
}

static struct sockaddr_in address(const char *ip, const char *port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number(port, UINT16_MAX))};
  if (inet_pton(AF_INET, ip, &a.sin_addr) == 1) return a;
  fprintf(stderr, "provoke: not an IPv4 address: %s\n", ip);
  exit(EXIT_USAGE);
}

static int open_socket(int type) {
  int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  return fd;
}

static void set(int fd, int level, int option, int value) {
  if (setsockopt(fd, level, option, &value, sizeof value) < 0) die("setsockopt");
}

static void bind_to(int fd, uint16_t port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0) die("bind");
}

static _Noreturn void stay(void) {
  fputs("ready\n", stderr);
  for (;;)
    pause();
}

/* Calls act(context) per_s times a second until killed. */
static _Noreturn void pace(long per_s, void (*act)(void *), void *context) {
  long owed = 0;
  fputs("ready\n", stderr);
  for (;;) {
    for (owed += per_s; owed >= BURSTS_PER_S; owed -= BURSTS_PER_S)
      act(context);
    nanosleep(&(struct timespec){.tv_nsec = 1000000000 / BURSTS_PER_S}, NULL);
  }
}

/* ---- TCP ---- */

static int open_listener(uint16_t port, int backlog, bool is_shared) {
  int fd = open_socket(SOCK_STREAM);
  set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (is_shared) set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  bind_to(fd, port);
  if (listen(fd, backlog) < 0) die("listen");
  return fd;
}

static _Noreturn void do_listen(const char *port, const char *backlog, const char *count) {
  long n = number(count, SOCKETS_MAX);
  for (long i = 0; i < n; i++)
    open_listener((uint16_t)number(port, UINT16_MAX), (int)number(backlog, INT32_MAX), n > 1);
  stay();
}

static _Noreturn void do_connect(const char *ip, const char *port, const char *count, bool is_quiet) {
  struct sockaddr_in to = address(ip, port);
  for (long i = number(count, SOCKETS_MAX); i > 0; i--) {
    int fd = open_socket(SOCK_STREAM | SOCK_NONBLOCK);
    if (!is_quiet) {
      set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
      set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 20);
    }
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) die("connect");
  }
  stay();
}

static _Noreturn void do_churn(const char *ip, const char *port, const char *count) {
  struct sockaddr_in to = address(ip, port);
  int listener = open_listener(ntohs(to.sin_port), SOMAXCONN, false);
  for (long i = number(count, SOCKETS_MAX); i > 0; i--) {
    int fd = open_socket(SOCK_STREAM);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
      fprintf(stderr, "%ld left: %s\n", i, strerror(errno)); /* the ports are used up: that is what is wanted */
      break;
    }
    int guest = accept(listener, NULL, NULL);
    if (guest < 0) die("accept");
    close(fd);
    close(guest);
  }
  stay();
}

/* ---- UDP ---- */

static _Noreturn void do_deaf(const char *port, const char *bytes) {
  int fd = open_socket(SOCK_DGRAM);
  set(fd, SOL_SOCKET, SO_RCVBUF, (int)number(bytes, INT32_MAX));
  bind_to(fd, (uint16_t)number(port, UINT16_MAX));
  stay();
}

static _Noreturn void do_take(const char *first, const char *last) {
  for (long p = number(first, UINT16_MAX), end = number(last, UINT16_MAX); p <= end; p++)
    bind_to(open_socket(SOCK_DGRAM), (uint16_t)p);
  stay();
}

static _Noreturn void do_sockets(const char *count) {
  for (long i = number(count, SOCKETS_MAX); i > 0; i--)
    bind_to(open_socket(SOCK_DGRAM), 0);
  stay();
}

typedef struct shot {
  struct sockaddr_in to;
  int fd;
  uint32_t turn, turns;
  size_t size;
} shot;

static void fire(void *context) {
  shot *s = context;
  struct sockaddr_in to = s->to;
  if (s->turns > 0) to.sin_addr.s_addr = htonl(ntohl(to.sin_addr.s_addr) + 1 + s->turn++ % s->turns);
  /* Nobody there, no room: what the counters say is what matters. */
  (void)!sendto(s->fd, payload, s->size, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to);
}

static _Noreturn void do_blast(const char *ip, const char *port, const char *size, const char *per_s) {
  shot s = {.to = address(ip, port), .fd = open_socket(SOCK_DGRAM), .size = (size_t)number(size, SIZE_MAX_UDP)};
  pace(number(per_s, INT32_MAX), fire, &s);
}

static void fire_elsewhere(void *context) {
  shot *s = context;
  s->to.sin_port = htons((uint16_t)(1 + s->turn / s->turns % UINT16_MAX));
  fire(s);
}

static _Noreturn void do_spray(const char *prefix, const char *per_s) {
  char network[INET_ADDRSTRLEN];
  snprintf(network, sizeof network, "%s.0", prefix);
  shot s = {.to = address(network, "1"), .fd = open_socket(SOCK_DGRAM), .turns = UINT8_MAX - 1, .size = 1};
  pace(number(per_s, INT32_MAX), fire_elsewhere, &s);
}

static _Noreturn void do_flows(const char *ip, const char *port, const char *count) {
  shot s = {.to = address(ip, port), .size = 1};
  for (long i = number(count, SOCKETS_MAX); i > 0; i--) {
    s.fd = open_socket(SOCK_DGRAM);
    fire(&s);
  }
  stay();
}

static _Noreturn void do_stuff(const char *prefix, const char *count, const char *size) {
  char network[INET_ADDRSTRLEN];
  snprintf(network, sizeof network, "%s.0", prefix);
  shot s = {.to = address(network, "9"),
            .fd = open_socket(SOCK_DGRAM),
            .turns = (uint32_t)number(count, UINT8_MAX - 1),
            .size = (size_t)number(size, SIZE_MAX_UDP)};
  set(s.fd, SOL_SOCKET, SO_SNDBUF, SMALL_SNDBUF);
  pace(2000, fire, &s);
}

/* ---- packets that no socket would send ---- */

typedef struct forged {
  int fd;
  struct sockaddr_in to;
  uint32_t source, spread; /* host byte order; spread: so many sources in turn */
  uint32_t turn;
  uint8_t packet[PACKET_MAX];
  size_t len;
} forged;

static forged forge(const char *ip, const char *port, uint8_t protocol, size_t len) {
  forged f = {.fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW),
              .to = address(ip, port),
              .source = 0xc6120001,
              .spread = 1,
              .len = sizeof(struct iphdr) + len};
  if (f.fd < 0) die("raw socket");
  struct iphdr h = {.version = 4,
                    .ihl = sizeof h / 4,
                    .ttl = 64,
                    .protocol = protocol,
                    .tot_len = htons((uint16_t)f.len),
                    .daddr = f.to.sin_addr.s_addr};
  memcpy(f.packet, &h, sizeof h);
  f.to.sin_port = 0;
  return f;
}

static void send_forged(void *context) {
  forged *f = context;
  struct iphdr h;
  memcpy(&h, f->packet, sizeof h);
  h.saddr = htonl(f->source + f->turn++ % f->spread);
  memcpy(f->packet, &h, sizeof h);
  uint8_t *body = f->packet + sizeof h;
  if (h.protocol == IPPROTO_TCP) {
    struct tcphdr t;
    memcpy(&t, body, sizeof t);
    t.source = htons((uint16_t)(1024 + f->turn % 60000));
    t.seq = htonl(f->turn);
    t.check = 0;
    memcpy(body, &t, sizeof t);
    uint32_t sum = thirl_lab_checksum_pseudo(f->packet, IPPROTO_TCP, sizeof t);
    t.check = htons((uint16_t)~thirl_lab_checksum_fold(thirl_lab_checksum_add(sum, body, sizeof t)));
    memcpy(body, &t, sizeof t);
  } else if (h.frag_off) {
    h.id = htons((uint16_t)f->turn);
    memcpy(f->packet, &h, sizeof h);
  }
  (void)!sendto(f->fd, f->packet, f->len, 0, (struct sockaddr *)&f->to, sizeof f->to);
}

static _Noreturn void do_syn(const char *ip, const char *port, const char *per_s) {
  forged f = forge(ip, port, IPPROTO_TCP, sizeof(struct tcphdr));
  struct tcphdr t = {.dest = htons((uint16_t)number(port, UINT16_MAX)), .doff = sizeof t / 4, .syn = 1, .window = 255};
  memcpy(f.packet + sizeof(struct iphdr), &t, sizeof t);
  f.spread = 1 << 16;
  pace(number(per_s, INT32_MAX), send_forged, &f);
}

/* A datagram of 8 bytes; checksum 0 is none, any other is wrong. */
static _Noreturn void send_datagrams(forged *f, const char *port, uint16_t checksum, const char *per_s) {
  struct udphdr u = {.source = htons(7777),
                     .dest = htons((uint16_t)number(port, UINT16_MAX)),
                     .len = htons(sizeof u + 8),
                     .check = htons(checksum)};
  memcpy(f->packet + sizeof(struct iphdr), &u, sizeof u);
  pace(number(per_s, INT32_MAX), send_forged, f);
}

static _Noreturn void do_corrupt(const char *ip, const char *port, const char *per_s) {
  forged f = forge(ip, port, IPPROTO_UDP, sizeof(struct udphdr) + 8);
  send_datagrams(&f, port, 0xdead, per_s);
}

static _Noreturn void do_stray(const char *ip, const char *source, const char *per_s) {
  forged f = forge(ip, "9", IPPROTO_UDP, sizeof(struct udphdr) + 8);
  f.source = ntohl(address(source, "0").sin_addr.s_addr);
  send_datagrams(&f, "9", 0, per_s);
}

static _Noreturn void do_shard(const char *ip, const char *per_s) {
  forged f = forge(ip, "9", IPPROTO_UDP, 64);
  struct iphdr h;
  memcpy(&h, f.packet, sizeof h);
  h.frag_off = htons(IP_MF);
  memcpy(f.packet, &h, sizeof h);
  send_datagrams(&f, "9", 0, per_s);
}

/* ---- frames ---- */

typedef struct babbler {
  int fd;
  struct sockaddr_ll to;
} babbler;

static void babble(void *context) {
  babbler *b = context;
  (void)!sendto(b->fd, payload, MESSAGE_LEN, 0, (struct sockaddr *)&b->to, sizeof b->to);
}

static _Noreturn void do_babble(const char *device, const char *per_s) {
  babbler b = {.fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
               .to = {.sll_family = AF_PACKET,
                      .sll_protocol = htons(ETH_P_EXPERIMENT),
                      .sll_ifindex = (int)if_nametoindex(device),
                      .sll_halen = ETH_ALEN}};
  if (b.fd < 0 || !b.to.sll_ifindex) die(device);
  memset(b.to.sll_addr, 0xff, ETH_ALEN);
  pace(number(per_s, INT32_MAX), babble, &b);
}

static void raise_limit(void) {
  struct rlimit l;
  if (getrlimit(RLIMIT_NOFILE, &l) < 0) die("getrlimit");
  l.rlim_cur = l.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &l) < 0) die("setrlimit");
}

static int usage(void) {
  fputs("usage: provoke listen PORT BACKLOG [N] | connect ADDRESS PORT N [quiet] | churn ADDRESS PORT N | deaf PORT "
        "BYTES "
        "| take FIRST LAST | sockets N | blast ADDRESS PORT SIZE PER_S | flows ADDRESS PORT N | spray PREFIX PER_S | "
        "stuff PREFIX N SIZE | "
        "syn ADDRESS PORT PER_S | corrupt ADDRESS PORT PER_S | stray ADDRESS SOURCE PER_S | shard ADDRESS PER_S | "
        "babble DEVICE PER_S\n",
        stderr);
  return EXIT_USAGE;
}

int main(int argc, char **argv) {
  const char *verb = argc > 1 ? argv[1] : "";
  char **a = argv + 2;
  int n = argc - 2;
  setvbuf(stderr, NULL, _IOLBF, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  alarm(LIFE_S);
  if (strcmp(verb, "babble") == 0 && n == 2) do_babble(a[0], a[1]);
  if (strcmp(verb, "connect") == 0 && (n == 3 || n == 4)) {
    raise_limit();
    do_connect(a[0], a[1], a[2], n == 4);
  }
  if (strcmp(verb, "listen") == 0 && (n == 2 || n == 3)) do_listen(a[0], a[1], n == 3 ? a[2] : "1");
  if (strcmp(verb, "deaf") == 0 && n == 2) do_deaf(a[0], a[1]);
  if (strcmp(verb, "churn") == 0 && n == 3) do_churn(a[0], a[1], a[2]);
  if (strcmp(verb, "blast") == 0 && n == 4) do_blast(a[0], a[1], a[2], a[3]);
  if (strcmp(verb, "spray") == 0 && n == 2) do_spray(a[0], a[1]);
  if (strcmp(verb, "stuff") == 0 && n == 3) do_stuff(a[0], a[1], a[2]);
  if (strcmp(verb, "syn") == 0 && n == 3) do_syn(a[0], a[1], a[2]);
  if (strcmp(verb, "corrupt") == 0 && n == 3) do_corrupt(a[0], a[1], a[2]);
  if (strcmp(verb, "stray") == 0 && n == 3) do_stray(a[0], a[1], a[2]);
  if (strcmp(verb, "shard") == 0 && n == 2) do_shard(a[0], a[1]);
  raise_limit();
  if (strcmp(verb, "take") == 0 && n == 2) do_take(a[0], a[1]);
  if (strcmp(verb, "sockets") == 0 && n == 1) do_sockets(a[0]);
  if (strcmp(verb, "flows") == 0 && n == 3) do_flows(a[0], a[1], a[2]);
  return usage();
}
