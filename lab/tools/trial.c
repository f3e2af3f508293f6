/* SPDX-License-Identifier: MIT */
#include "lab/tools/trial.h"
#include "io/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/socket.h>

enum {
  ARRIVES_MS = 2000, /* what must come comes in this time */
  NOTHING_MS = 150,  /* what has not come by then does not */
  MARGIN_MS = 350    /* before and after the end of a life time */
};

/* Sockets of one trial: the server's, by address and port, and the host's, by number of its port. */
typedef struct bench {
  const thirl_lab_classify_place *place;
  int server[2][2];
  int host[THIRL_LAB_CLASSIFY_PORTS];
  uint64_t begin;
} bench;

static thirl_error trouble(const char *what) {
  fprintf(stderr, "trial: %s: %s\n", what, strerror(errno));
  return THIRL_E_IO;
}

static int open_host(const thirl_lab_classify_place *p, const char *host, unsigned number) {
  struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(p->port + number))};
  return thirl_lab_nsock_open(host, SOCK_DGRAM, local);
}

static bool open_bench(bench *b, const thirl_lab_classify_place *p, unsigned n_host) {
  bool good = true;
  *b = (bench){.place = p};
  memset(b->host, -1, sizeof b->host);
  for (int i = 0; i < 4; i++) {
    b->server[i / 2][i % 2] = thirl_lab_nsock_open(p->server, SOCK_DGRAM, p->at[i / 2][i % 2]);
    good = good && b->server[i / 2][i % 2] >= 0;
  }
  for (unsigned i = 0; i < n_host; i++) {
    b->host[i] = open_host(p, p->host, i);
    good = good && b->host[i] >= 0;
  }
  b->begin = thirl_io_clock_now();
  return good;
}

static void close_bench(const bench *b) {
  for (int i = 0; i < 4; i++)
    if (b->server[i / 2][i % 2] >= 0) close(b->server[i / 2][i % 2]);
  for (int i = 0; i < THIRL_LAB_CLASSIFY_PORTS; i++)
    if (b->host[i] >= 0) close(b->host[i]);
}

static bool tell(int fd, const struct sockaddr_in *to) {
  return sendto(fd, "x", 1, 0, (const struct sockaddr *)to, sizeof *to) == 1;
}

static bool hear(int fd, int ms, struct sockaddr_in *from) {
  struct pollfd f = {.fd = fd, .events = POLLIN};
  socklen_t len = sizeof *from;
  char token;
  return poll(&f, 1, ms) == 1 && recvfrom(fd, &token, 1, 0, (struct sockaddr *)from, &len) == 1;
}

/* The host tells the server's endpoint something; from where does it come? */
static bool ask(const bench *b, int fd, int address, int port, struct sockaddr_in *seen) {
  return tell(fd, &b->place->at[address][port]) && hear(b->server[address][port], ARRIVES_MS, seen);
}

/* The server's endpoint tells what it saw something; does this socket of the host hear it? */
static bool answer(const bench *b, int address, int port, const struct sockaddr_in *to, int fd, int ms) {
  struct sockaddr_in from;
  return tell(b->server[address][port], to) && hear(fd, ms, &from) &&
         thirl_lab_nsock_same(&from, &b->place->at[address][port]);
}

/* ---- twins ---- */

thirl_error thirl_lab_trial_run_twins(const thirl_lab_classify_place *place, const char *other_host,
                                      thirl_lab_trial_twins *out) {
  bench b;
  *out = (thirl_lab_trial_twins){0};
  bool good = open_bench(&b, place, 1);
  b.host[1] = open_host(place, other_host, 0);
  good = good && b.host[1] >= 0;
  /* Each is the first at some endpoint: there a NAT that shares ports has no reason yet to give another one. */
  for (int i = 0; i < 6 && good; i++) {
    int of = i % 2 ? (i / 2 + 2) % 3 : i / 2;
    good = ask(&b, b.host[i % 2], of / 2, of % 2, &out->of[i % 2].seen[of]);
  }
  for (int i = 0; i < 6 && good; i++) {
    int of = i / 2;
    out->answered += answer(&b, of / 2, of % 2, &out->of[i % 2].seen[of], b.host[i % 2], ARRIVES_MS);
  }
  for (int i = 0; i < 9; i++)
    out->shared = out->shared || thirl_lab_nsock_same(&out->of[0].seen[i / 3], &out->of[1].seen[i % 3]);
  close_bench(&b);
  return good ? THIRL_OK : trouble("two hosts, one port");
}

/* ---- early ---- */

thirl_error thirl_lab_trial_run_early(const thirl_lab_classify_place *place, thirl_lab_trial_early *out) {
  bench b;
  struct sockaddr_in mapping, seen;
  *out = (thirl_lab_trial_early){0};
  bool good = open_bench(&b, place, 1) && ask(&b, b.host[0], 0, 0, &mapping);
  if (good) {
    out->let_in = answer(&b, 1, 1, &mapping, b.host[0], NOTHING_MS);
    good = ask(&b, b.host[0], 1, 1, &seen);
  }
  if (good) {
    out->kept = thirl_lab_nsock_same(&seen, &mapping);
    out->answered = answer(&b, 1, 1, &seen, b.host[0], ARRIVES_MS);
  }
  close_bench(&b);
  return good ? THIRL_OK : trouble("a peer that is early");
}

thirl_error thirl_lab_trial_run_unasked(const thirl_lab_classify_place *place, struct sockaddr_in outer, bool *let_in) {
  bench b;
  bool good = open_bench(&b, place, 1);
  *let_in = good && answer(&b, 0, 0, &outer, b.host[0], NOTHING_MS);
  close_bench(&b);
  return good ? THIRL_OK : trouble("something unasked");
}

/* ---- expiry ---- */

static void wait_until(const bench *b, unsigned ms) {
  uint64_t end = b->begin + ms * UINT64_C(1000), now = thirl_io_clock_now();
  if (now >= end) return;
  struct timespec t = {(time_t)((end - now) / 1000000), (long)((end - now) % 1000000) * 1000};
  nanosleep(&t, NULL);
}

/* Both ends of a connection from the host's port to the server. */
static bool connect_pair(const thirl_lab_classify_place *p, unsigned number, int listener, int fds[2]) {
  struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(p->port + number))};
  struct pollfd f = {.fd = listener, .events = POLLIN};
  fds[0] = thirl_lab_nsock_open(p->host, SOCK_STREAM, local);
  if (fds[0] < 0) return false;
  if (connect(fds[0], (const struct sockaddr *)&p->at[0][0], sizeof p->at[0][0]) < 0 && errno != EINPROGRESS)
    return false;
  if (poll(&f, 1, ARRIVES_MS) != 1) return false;
  fds[1] = accept(listener, NULL, NULL);
  return fds[1] >= 0;
}

static bool bytes_come(const int fds[2]) {
  struct pollfd f = {.fd = fds[0], .events = POLLIN};
  char token;
  return send(fds[1], "x", 1, MSG_NOSIGNAL) == 1 && poll(&f, 1, NOTHING_MS) == 1 && recv(fds[0], &token, 1, 0) == 1;
}

enum { NEW_BEFORE, NEW_AFTER, OPEN_BEFORE, OPEN_AFTER, REUSED_BEFORE, MOVED_AFTER, N_UDP };

/* All at once, so that all life times begin at once; a number in each tells the server which it is. */
static bool ask_all(const bench *b, struct sockaddr_in *seen) {
  const struct sockaddr_in *to = &b->place->at[0][0];
  for (uint8_t i = 0; i < N_UDP; i++)
    if (sendto(b->host[i], &i, 1, 0, (const struct sockaddr *)to, sizeof *to) != 1) return false;
  for (int i = 0; i < N_UDP; i++) {
    struct pollfd f = {.fd = b->server[0][0], .events = POLLIN};
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    uint8_t number;
    if (poll(&f, 1, ARRIVES_MS) != 1 || recvfrom(f.fd, &number, 1, 0, (struct sockaddr *)&from, &len) != 1)
      return false;
    if (number < N_UDP) seen[number] = from;
  }
  return tell(b->server[0][0], &seen[OPEN_BEFORE]) && tell(b->server[0][0], &seen[OPEN_AFTER]) &&
         hear(b->host[OPEN_BEFORE], ARRIVES_MS, &(struct sockaddr_in){0}) &&
         hear(b->host[OPEN_AFTER], ARRIVES_MS, &(struct sockaddr_in){0});
}

static bool observe(bench *b, int tcp[2][2], unsigned new_ms, unsigned open_ms, thirl_lab_trial_expiry *out) {
  struct sockaddr_in seen[N_UDP] = {0}, again;
  b->begin = thirl_io_clock_now();
  if (!ask_all(b, seen)) return false;
  wait_until(b, new_ms - MARGIN_MS);
  out->new_before = answer(b, 0, 0, &seen[NEW_BEFORE], b->host[NEW_BEFORE], NOTHING_MS);
  if (!ask(b, b->host[REUSED_BEFORE], 1, 0, &again)) return false;
  out->reused_before = thirl_lab_nsock_same(&again, &seen[REUSED_BEFORE]);
  wait_until(b, new_ms + MARGIN_MS);
  out->new_after = answer(b, 0, 0, &seen[NEW_AFTER], b->host[NEW_AFTER], NOTHING_MS);
  if (!ask(b, b->host[MOVED_AFTER], 1, 0, &again)) return false;
  out->moved_after = !thirl_lab_nsock_same(&again, &seen[MOVED_AFTER]);
  wait_until(b, open_ms - MARGIN_MS);
  out->open_before = answer(b, 0, 0, &seen[OPEN_BEFORE], b->host[OPEN_BEFORE], NOTHING_MS);
  out->tcp_before = bytes_come(tcp[0]);
  wait_until(b, open_ms + MARGIN_MS);
  out->open_after = answer(b, 0, 0, &seen[OPEN_AFTER], b->host[OPEN_AFTER], NOTHING_MS);
  out->tcp_after = bytes_come(tcp[1]);
  return true;
}

thirl_error thirl_lab_trial_run_expiry(const thirl_lab_classify_place *place, unsigned new_ms, unsigned open_ms,
                                       thirl_lab_trial_expiry *out) {
  bench b;
  int tcp[2][2] = {{-1, -1}, {-1, -1}};
  *out = (thirl_lab_trial_expiry){0};
  bool good = open_bench(&b, place, N_UDP);
  int listener = thirl_lab_nsock_listen(place->server, place->at[0][0]);
  for (unsigned i = 2; i-- > 0 && good;) /* the one that shall live has the younger life */
    good = listener >= 0 && connect_pair(place, N_UDP + i, listener, tcp[i]);
  good = good && observe(&b, tcp, new_ms, open_ms, out);
  for (int i = 0; i < 4; i++)
    if (tcp[i / 2][i % 2] >= 0) thirl_lab_nsock_drop(tcp[i / 2][i % 2]);
  if (listener >= 0) close(listener);
  close_bench(&b);
  return good ? THIRL_OK : trouble("life times");
}
