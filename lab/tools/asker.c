/* SPDX-License-Identifier: MIT */
/*
 * asker: what does the NAT do with TCP connections from somewhere else? With nothing but sockets: the NAT's answer is whether accept returns.
 *
 *   asker ADDRESS PORT LOCAL_PORT FLAGS      FLAGS of CHANGE-REQUEST: 2 another port, 4 another address, 6 both
 *
 * Connects from LOCAL_PORT, listens on it, asks the STUN server to connect to it from elsewhere (server/probe.h) and prints one line: how we
 * are seen, what the server says became of it, and who has come: "203.0.113.1:5000 OK 203.0.113.11:3479", or "-" for nobody.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "thirl/error.h"

enum { EXIT_USAGE = 2, PATIENCE_MS = 10000, GRACE_MS = 100, HEADER_LEN = 20, ANSWER_MAX = 512 };
enum { XOR_MAPPED_ADDRESS = 0x0020, THIRL_PROBE = 0xfe04 };

static const uint8_t cookie[4] = {0x21, 0x12, 0xa4, 0x42};

static _Noreturn void die(const char *what) {
  fprintf(stderr, "asker: %s: %s\n", what, strerror(errno));
  exit(EXIT_FAILURE);
}

static struct sockaddr_in address(const char *ip, const char *port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  if (inet_pton(AF_INET, ip, &a.sin_addr) == 1) return a;
  fprintf(stderr, "asker: not an IPv4 address: %s\n", ip);
  exit(EXIT_USAGE);
}

static int open_at(const char *port) {
  struct sockaddr_in a = address("0.0.0.0", port);
  int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0) die("bind");
  return fd;
}

static bool is_readable(int fd, int ms) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  return poll(&p, 1, ms) == 1;
}

static size_t get16(const uint8_t *p) {
  return (size_t)(p[0] << 8 | p[1]);
}

static void receive(int fd, uint8_t *buf, size_t n) {
  for (size_t got = 0; got < n;) {
    if (!is_readable(fd, PATIENCE_MS)) {
      errno = ETIMEDOUT;
      die("the answer");
    }
    ssize_t part = recv(fd, buf + got, n - got, 0);
    if (part <= 0) die("the answer");
    got += (size_t)part;
  }
}

static void ask(int fd, unsigned flags) {
  uint8_t request[HEADER_LEN + 8] = {0, 1, 0, 8};
  memcpy(request + 4, cookie, sizeof cookie);
  memcpy(request + 8, "asker-asker-", 12);
  request[HEADER_LEN + 1] = 3; /* CHANGE-REQUEST */
  request[HEADER_LEN + 3] = 4;
  request[HEADER_LEN + 7] = (uint8_t)flags;
  if (send(fd, request, sizeof request, 0) != sizeof request) die("the request");
}

/* How we are seen, and what became of the connection; -1: the server does not say. */
static void read_answer(int fd, struct sockaddr_in *mapped, long *outcome) {
  uint8_t head[HEADER_LEN], body[ANSWER_MAX];
  receive(fd, head, sizeof head);
  size_t n = get16(head + 2);
  if (n > sizeof body || memcmp(head + 8, "asker-asker-", 12) != 0) {
    errno = EPROTO;
    die("the answer");
  }
  receive(fd, body, n);
  *outcome = -1;
  for (size_t at = 0; at + 4 <= n; at += 4 + ((get16(body + at + 2) + 3) & ~(size_t)3)) {
    const uint8_t *v = body + at + 4;
    if (get16(body + at) == THIRL_PROBE) *outcome = (long)(get16(v) << 16 | get16(v + 2));
    if (get16(body + at) != XOR_MAPPED_ADDRESS) continue;
    uint8_t ip[4];
    for (int i = 0; i < 4; i++)
      ip[i] = v[4 + i] ^ cookie[i];
    memcpy(&mapped->sin_addr, ip, sizeof ip);
    mapped->sin_port = htons((uint16_t)(get16(v + 2) ^ 0x2112));
  }
}

static const char *text(const struct sockaddr_in *a, char *out, size_t n) {
  char ip[INET_ADDRSTRLEN];
  snprintf(out, n, "%s:%u", inet_ntop(AF_INET, &a->sin_addr, ip, sizeof ip), ntohs(a->sin_port));
  return out;
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: asker ADDRESS PORT LOCAL_PORT FLAGS\n");
    return EXIT_USAGE;
  }
  char a[64], b[64] = "-";
  long outcome;
  struct sockaddr_in server = address(argv[1], argv[2]), mapped = {.sin_family = AF_INET}, from = mapped;
  socklen_t from_n = sizeof from;
  int fd = open_at(argv[3]), listener = open_at(argv[3]);
  if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0) die("connect");
  if (listen(listener, 8) < 0) die("listen");
  ask(fd, (unsigned)atoi(argv[4]));
  read_answer(fd, &mapped, &outcome);
  if (is_readable(listener, GRACE_MS) && accept(listener, (struct sockaddr *)&from, &from_n) >= 0)
    text(&from, b, sizeof b);
  printf("%s %s %s\n", text(&mapped, a, sizeof a), outcome < 0 ? "-" : thirl_error_name((thirl_error)outcome), b);
  return 0;
}
