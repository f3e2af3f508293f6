/* SPDX-License-Identifier: MIT */
/*
 * What the lab's internet costs: TCP through a NAT of the engine against the kernel's own MASQUERADE, in turn; the latency that it adds; how well it keeps
 * the delays that it is asked for while it is busy. Without arguments this runs lab.sh, which builds the two networks and calls the other forms:
 *
 *   lab sink PORT                       take one TCP connection after the other and swallow it; until killed
 *   lab send ADDRESS PORT SECONDS       push; print Gbit/s and the seconds of CPU for each GB, of this end
 *   lab echo PORT                       give datagrams back; until killed
 *   lab ping ADDRESS PORT N             datagrams, one each two milliseconds; print the times there and back in microseconds
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { BUFFER_LEN = 1 << 20, PINGS_MAX = 100000, PING_EVERY_US = 2000, PATIENCE_MS = 2000 };

static char buffer[BUFFER_LEN];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static _Noreturn void die(const char *what) {
  fprintf(stderr, "lab: %s: %s\n", what, strerror(errno));
  exit(EXIT_FAILURE);
}

static struct sockaddr_in address(const char *ip, const char *port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  if (inet_pton(AF_INET, ip, &a.sin_addr) != 1) die(ip);
  return a;
}

static int open_at(int type, const char *port) {
  struct sockaddr_in a = address("0.0.0.0", port);
  int one = 1, fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0) die("bind");
  return fd;
}

static _Noreturn void sink(const char *port) {
  int listener = open_at(SOCK_STREAM, port);
  if (listen(listener, 1) < 0) die("listen");
  puts("ready");
  fflush(stdout);
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) die("accept");
    while (read(fd, buffer, sizeof buffer) > 0)
      ;
    close(fd);
  }
}

static int push(const char *ip, const char *port, double seconds) {
  struct sockaddr_in a = address(ip, port);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0) die("connect");
  double start = now(), busy = cpu(), bytes = 0;
  while (now() - start < seconds) {
    ssize_t n = write(fd, buffer, 128 << 10);
    if (n < 0) die("write");
    bytes += (double)n;
  }
  /* All of it has arrived when the other end closes. */
  shutdown(fd, SHUT_WR);
  if (read(fd, buffer, 1) != 0) die("read");
  double took = now() - start;
  printf("%.3f %.3f\n", bytes * 8 / took / 1e9, (cpu() - busy) / (bytes / 1e9));
  return EXIT_SUCCESS;
}

static _Noreturn void echo(const char *port) {
  int fd = open_at(SOCK_DGRAM, port);
  struct sockaddr_in from;
  puts("ready");
  fflush(stdout);
  for (;;) {
    socklen_t len = sizeof from;
    ssize_t n = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &len);
    if (n >= 0) sendto(fd, buffer, (size_t)n, 0, (struct sockaddr *)&from, len);
  }
}

static int by_size(const void *a, const void *b) {
  const double *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

/* The time of one question and its answer in microseconds; a negative one: none came. */
static double ask(int fd, uint32_t number) {
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  uint32_t back;
  double start = now();
  if (send(fd, &number, sizeof number, 0) < 0) return -1;
  while (poll(&wait, 1, PATIENCE_MS) == 1)
    if (recv(fd, &back, sizeof back, 0) == sizeof back && back == number) return (now() - start) * 1e6;
  return -1;
}

static int ping(const char *ip, const char *port, int n) {
  static double times[PINGS_MAX];
  struct sockaddr_in a = address(ip, port);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), got = 0;
  if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0) die("connect");
  for (int i = 0; i < n && i < PINGS_MAX; i++) {
    double t = ask(fd, (uint32_t)i);
    if (t >= 0) times[got++] = t;
    struct timespec pause = {.tv_nsec = PING_EVERY_US * 1000};
    nanosleep(&pause, NULL);
  }
  if (got == 0) die("no answer");
  qsort(times, (size_t)got, sizeof *times, by_size);
  printf("%d %.0f %.0f %.0f %.0f\n", got, times[0], times[got / 2], times[got * 95 / 100], times[got - 1]);
  return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "sink") == 0) sink(argv[2]);
  if (argc == 5 && strcmp(argv[1], "send") == 0) return push(argv[2], argv[3], atof(argv[4]));
  if (argc == 3 && strcmp(argv[1], "echo") == 0) echo(argv[2]);
  if (argc == 5 && strcmp(argv[1], "ping") == 0) return ping(argv[2], argv[3], atoi(argv[4]));
  setenv("THIRL_BUILD_DIR", THIRL_BINARY_DIR, 0);
  setenv("LAB_BENCH", argv[0], 1);
  execlp("bash", "bash", THIRL_SOURCE_DIR "/tests/bench/lab.sh", argc > 1 ? argv[1] : "3", (char *)NULL);
  die("bash");
}
