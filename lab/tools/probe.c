/* SPDX-License-Identifier: MIT */
/*
 * probe: measures what lies between two hosts of the lab, and plays the stranger, with nothing but sockets.
 *
 *   probe echo PORT                       give every datagram back, until killed
 *   probe ping ADDRESS PORT [N [MS]]      N datagrams, one each MS milliseconds; prints loss and round-trip times
 *   probe sink PORT                       take one TCP connection, print its bytes, seconds and Mbit/s
 *   probe send ADDRESS PORT MIB           send that much over TCP; exit code 1 when it does not get through
 *   probe stranger PORT WORDS             take every TCP connection and datagram and answer WORDS, or nothing if that is empty, or, if it is "=",
 *                                         what has come; stdout gets a line "tcp|udp ADDRESS:PORT HEXADECIMAL" for each piece that comes
 *
 * echo, sink and stranger print "ready" on stderr when they can be reached.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>

enum { EXIT_USAGE = 2, BUFFER_LEN = 1 << 18, PATIENCE_MS = 2000, GUESTS_MAX = 64 };

static char buffer[BUFFER_LEN];

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static _Noreturn void die(const char *what) {
  fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
  exit(EXIT_FAILURE);
}

static struct sockaddr_in address(const char *ip, const char *port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  if (inet_pton(AF_INET, ip, &a.sin_addr) == 1) return a;
  fprintf(stderr, "probe: not an IPv4 address: %s\n", ip);
  exit(EXIT_USAGE);
}

static int open_at(int type, const char *port) {
  struct sockaddr_in a = address("0.0.0.0", port);
  int one = 1, fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0) die("bind");
  if (type == SOCK_STREAM && listen(fd, GUESTS_MAX) < 0) die("listen");
  return fd;
}

static int connect_to(int type, const char *ip, const char *port) {
  struct sockaddr_in a = address(ip, port);
  int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0) die("connect");
  return fd;
}

static void say_ready(void) {
  fputs("ready\n", stderr);
}

static _Noreturn void echo(const char *port) {
  int fd = open_at(SOCK_DGRAM, port);
  struct sockaddr_in from;
  say_ready();
  for (;;) {
    socklen_t len = sizeof from;
    ssize_t n = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &len);
    if (n < 0) die("recvfrom");
    if (sendto(fd, buffer, (size_t)n, 0, (struct sockaddr *)&from, len) < 0) continue; /* he is gone */
  }
}

typedef struct ping_packet {
  uint64_t at_ns;
  uint8_t fill[56]; /* as many bytes as ping(8) sends */
} ping_packet;

static int ping(const char *ip, const char *port, int count, double interval_ms) {
  int fd = connect_to(SOCK_DGRAM, ip, port), sent = 0, got = 0;
  double sum = 0, squares = 0, least = HUGE_VAL, most = 0;
  uint64_t next = now_ns(), end = UINT64_MAX;
  prctl(PR_SET_TIMERSLACK, 1);
  while (got < count) {
    uint64_t now = now_ns();
    if (sent < count && now >= next) {
      ping_packet p = {.at_ns = now};
      if (send(fd, &p, sizeof p, 0) < 0 && errno != ECONNREFUSED) die("send");
      next += (uint64_t)(interval_ms * 1e6);
      if (++sent == count) end = now + PATIENCE_MS * UINT64_C(1000000);
    }
    if (now >= end) break;
    uint64_t until = sent < count ? next : end, left = until > now ? until - now : 0;
    struct timespec wait = {(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    ping_packet p;
    if (ppoll(&ready, 1, &wait, NULL) != 1 || recv(fd, &p, sizeof p, 0) != sizeof p) continue;
    double ms = (double)(now_ns() - p.at_ns) / 1e6;
    got++;
    sum += ms;
    squares += ms * ms;
    least = fmin(least, ms);
    most = fmax(most, ms);
  }
  double mean = got ? sum / got : 0, variance = got ? fmax(0, squares / got - mean * mean) : 0;
  printf("%d sent, %d back, %.2f%% lost; rtt min/avg/max/mdev %.3f/%.3f/%.3f/%.3f ms\n", count, got,
         100.0 * (count - got) / count, got ? least : 0, mean, most, sqrt(variance));
  return got == 0;
}

static int sink(const char *port) {
  int fd = open_at(SOCK_STREAM, port);
  uint64_t bytes = 0, start = 0;
  ssize_t n;
  say_ready();
  int c = accept(fd, NULL, NULL);
  if (c < 0) die("accept");
  while ((n = read(c, buffer, sizeof buffer)) > 0) {
    if (!start) start = now_ns();
    bytes += (uint64_t)n;
  }
  double s = (double)(now_ns() - start) / 1e9;
  printf("%" PRIu64 " bytes in %.3f s, %.0f Mbit/s\n", bytes, s, (double)bytes * 8e-6 / s);
  return n < 0;
}

static int send_all(const char *ip, const char *port, double mib) {
  int fd = connect_to(SOCK_STREAM, ip, port);
  uint64_t left = (uint64_t)(mib * 1048576);
  while (left > 0) {
    ssize_t n = send(fd, buffer, left < sizeof buffer ? (size_t)left : sizeof buffer, MSG_NOSIGNAL);
    if (n < 0) die("send");
    left -= (uint64_t)n;
  }
  shutdown(fd, SHUT_WR);
  return read(fd, buffer, 1) != 0; /* the sink closes when it has everything */
}

static void note(const char *kind, const struct sockaddr_in *from, size_t n) {
  char ip[INET_ADDRSTRLEN];
  printf("%s %s:%u ", kind, inet_ntop(AF_INET, &from->sin_addr, ip, sizeof ip), ntohs(from->sin_port));
  for (size_t i = 0; i < n; i++)
    printf("%02x", (unsigned char)buffer[i]);
  putchar('\n');
  fflush(stdout);
}

static void answer(int fd, const char *words, size_t heard, const struct sockaddr_in *to) {
  const char *text = strcmp(words, "=") == 0 ? buffer : words;
  size_t n = text == buffer ? heard : strlen(words);
  if (n > 0 && sendto(fd, text, n, MSG_NOSIGNAL, (const struct sockaddr *)to, to ? sizeof *to : 0) < 0)
    fprintf(stderr, "probe: cannot answer: %s\n", strerror(errno));
}

/* Somebody has sent something or left; false: gone. */
static bool hear(int fd, bool is_tcp, const char *words) {
  struct sockaddr_in from = {0};
  socklen_t len = sizeof from;
  ssize_t n = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &len);
  if (n < 0 || (n == 0 && is_tcp)) return false;
  len = sizeof from;
  if (is_tcp && getpeername(fd, (struct sockaddr *)&from, &len) < 0) return false;
  note(is_tcp ? "tcp" : "udp", &from, (size_t)n);
  answer(fd, words, (size_t)n, is_tcp ? NULL : &from);
  return true;
}

static _Noreturn void stranger(const char *port, const char *words) {
  struct pollfd fds[GUESTS_MAX] = {{.fd = open_at(SOCK_STREAM, port), .events = POLLIN},
                                   {.fd = open_at(SOCK_DGRAM, port), .events = POLLIN}};
  nfds_t n = 2;
  say_ready();
  for (;;) {
    if (poll(fds, n, -1) < 0) die("poll");
    if (fds[1].revents) hear(fds[1].fd, false, words);
    for (nfds_t i = n; i-- > 2;) {
      if (!fds[i].revents || hear(fds[i].fd, true, words)) continue;
      close(fds[i].fd);
      fds[i] = fds[--n];
    }
    if (!fds[0].revents || n == GUESTS_MAX) continue;
    int guest = accept(fds[0].fd, NULL, NULL);
    if (guest < 0) continue;
    fprintf(stderr, "a guest\n");
    fds[n++] = (struct pollfd){.fd = guest, .events = POLLIN};
  }
}

int main(int argc, char **argv) {
  const char *verb = argc > 1 ? argv[1] : "";
  setvbuf(stderr, NULL, _IOLBF, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (strcmp(verb, "echo") == 0 && argc == 3) echo(argv[2]);
  if (strcmp(verb, "sink") == 0 && argc == 3) return sink(argv[2]);
  if (strcmp(verb, "send") == 0 && argc == 5) return send_all(argv[2], argv[3], atof(argv[4]));
  if (strcmp(verb, "stranger") == 0 && argc == 4) stranger(argv[2], argv[3]);
  if (strcmp(verb, "ping") == 0 && argc >= 4)
    return ping(argv[2], argv[3], argc > 4 ? atoi(argv[4]) : 10, argc > 5 ? atof(argv[5]) : 100);
  fprintf(stderr, "usage: probe echo PORT | ping ADDRESS PORT [N [MS]] | sink PORT | send ADDRESS PORT MIB | stranger "
                  "PORT WORDS\n");
  return EXIT_USAGE;
}
