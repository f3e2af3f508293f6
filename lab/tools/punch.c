/* SPDX-License-Identifier: MIT */
#include "lab/tools/punch.h"
#include "io/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum {
  TARGETS_MAX = 4, /* where a side sends to: what the server said, and what else it has heard from */
  GUESTS_MAX = 4,  /* connections that a side has accepted */
  EVENTS = 64,
  REPEAT_US = 50000,
  INTRODUCTION_US = 5000000,
  REFUSALS_MAX = 1000
};

/* What goes over the wire. */
typedef struct word {
  uint32_t from; /* number of the side */
  uint32_t kind;
} word;
enum { HERE_I_AM, PROBE, ANSWER };

typedef struct side {
  const char *host;
  int fd;      /* UDP: the socket; TCP: to the server */
  int listens; /* TCP from here */
  int connects;
  int guests[GUESTS_MAX];
  unsigned n_guests, refusals;
  bool seen, heard;
  struct sockaddr_in targets[TARGETS_MAX]; /* the first is what the server has seen of the other */
  unsigned n_targets;
  struct sockaddr_in as; /* the server has seen this one */
} side;

typedef struct punch {
  const thirl_lab_punch_plan *plan;
  side *sides; /* 2 * pair + 0 left, 1 right */
  unsigned n_sides, n_seen;
  int epoll, server;
  uint64_t begin;
  unsigned *took_ms;
} punch;

/* An event's number: whose socket, and which of them. */
enum { OF_SERVER = 1 << 30, AS_LISTENER = 1 << 16, AS_CONNECTION = 1 << 17, AS_GUEST = 1 << 18 };

static bool trouble(const char *what) {
  fprintf(stderr, "punch: %s: %s\n", what, strerror(errno));
  return false;
}

static bool watch(const punch *p, int fd, uint32_t events, uint32_t number, uint32_t which) {
  struct epoll_event e = {.events = events, .data.u64 = (uint64_t)which << 32 | number};
  return epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &e) == 0 || trouble("epoll_ctl");
}

static side *partner(const punch *p, unsigned number) {
  return &p->sides[number ^ 1];
}

static void note_heard(punch *p, unsigned number) {
  side *s = &p->sides[number];
  if (s->heard) return;
  s->heard = true;
  if (!partner(p, number)->heard) return;
  uint64_t ms = (thirl_io_clock_now() - p->begin) / 1000;
  p->took_ms[number / 2] = ms ? (unsigned)ms : 1;
}

/* The server has seen a side: that is where its partner aims. */
static void introduce(punch *p, unsigned number, const struct sockaddr_in *as) {
  if (number >= p->n_sides || p->sides[number].seen) return;
  side *s = &p->sides[number], *other = partner(p, number);
  s->seen = true;
  s->as = *as;
  other->targets[0] = *as;
  other->n_targets = 1;
  p->n_seen++;
}

/* ---- UDP ---- */

static void say(const side *s, unsigned number, uint32_t kind, const struct sockaddr_in *to) {
  word w = {.from = number, .kind = kind};
  /* What does not leave is lost like what is lost on the way. */
  if (sendto(s->fd, &w, sizeof w, 0, (const struct sockaddr *)to, sizeof *to) < 0) return;
}

static bool hear_word(int fd, word *w, struct sockaddr_in *from) {
  for (;;) {
    socklen_t len = sizeof *from;
    ssize_t n = recvfrom(fd, w, sizeof *w, 0, (struct sockaddr *)from, &len);
    if (n == sizeof *w) return true;
    if (n < 0 && (errno == EAGAIN || errno == EBADF)) return false; /* others are ICMP errors of words sent before */
  }
}

static void add_target(side *s, const struct sockaddr_in *a) {
  for (unsigned i = 0; i < s->n_targets; i++)
    if (thirl_lab_nsock_same(&s->targets[i], a)) return;
  if (s->n_targets < TARGETS_MAX) s->targets[s->n_targets++] = *a;
}

static void hear_udp(punch *p, unsigned number) {
  side *s = &p->sides[number];
  struct sockaddr_in from;
  for (word w; hear_word(s->fd, &w, &from);) {
    if (w.from != (number ^ 1)) continue;
    add_target(s, &from);
    if (w.kind == PROBE) say(s, number, ANSWER, &from);
    if (w.kind == ANSWER) note_heard(p, number);
  }
}

static void repeat_udp(const punch *p, bool introduced) {
  for (unsigned i = 0; i < p->n_sides; i++) {
    side *s = &p->sides[i];
    if (!introduced && !s->seen) say(s, i, HERE_I_AM, &p->plan->at);
    for (unsigned k = 0; introduced && k < s->n_targets; k++)
      say(s, i, PROBE, &s->targets[k]);
  }
}

/* ---- TCP ---- */

static bool start_connecting(punch *p, unsigned number) {
  side *s = &p->sides[number];
  s->connects = thirl_lab_nsock_open(s->host, SOCK_STREAM, thirl_lab_nsock_local(s->fd));
  if (s->connects < 0) return trouble("cannot bind");
  if (connect(s->connects, (const struct sockaddr *)&s->targets[0], sizeof s->targets[0]) < 0 && errno != EINPROGRESS) {
    close(s->connects);
    s->connects = -1;
    return true;
  }
  return watch(p, s->connects, EPOLLOUT | EPOLLIN | EPOLLET, number, AS_CONNECTION);
}

static void greet(int fd, unsigned number) {
  word w = {.from = number, .kind = PROBE};
  if (send(fd, &w, sizeof w, MSG_NOSIGNAL) < 0) return; /* the reading end will see why */
}

static void listen_to(punch *p, unsigned number, int fd) {
  word w;
  if (recv(fd, &w, sizeof w, 0) == sizeof w && w.from == (number ^ 1)) note_heard(p, number);
}

/* A refusal closes the own NAT's entry, so the next SYN leaves at once. */
static bool on_connection(punch *p, unsigned number, uint32_t events) {
  side *s = &p->sides[number];
  int outcome = thirl_lab_nsock_outcome(s->connects);
  if (outcome == EINPROGRESS) return true;
  if (outcome != 0) {
    close(s->connects);
    s->connects = -1;
    return s->heard || s->refusals++ >= REFUSALS_MAX || start_connecting(p, number);
  }
  if (events & EPOLLOUT) greet(s->connects, number);
  if (events & EPOLLIN) listen_to(p, number, s->connects);
  return true;
}

static bool on_listener(punch *p, unsigned number) {
  side *s = &p->sides[number];
  int fd;
  while ((fd = accept4(s->listens, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    if (s->n_guests == GUESTS_MAX) {
      close(fd);
      continue;
    }
    s->guests[s->n_guests] = fd;
    greet(fd, number);
    if (!watch(p, fd, EPOLLIN | EPOLLET, number, AS_GUEST | s->n_guests++)) return false;
  }
  return true;
}

static bool start_tcp(punch *p) {
  for (unsigned i = 0; i < p->n_sides; i++) {
    side *s = &p->sides[i];
    s->listens = thirl_lab_nsock_listen(s->host, thirl_lab_nsock_local(s->fd));
    if (s->listens < 0) return trouble("cannot listen");
    if (!watch(p, s->listens, EPOLLIN, i, AS_LISTENER)) return false;
  }
  for (unsigned i = 0; i < p->n_sides; i++)
    if (!start_connecting(p, i)) return false;
  return true;
}

/* ---- the server ---- */

static bool on_server(punch *p) {
  struct sockaddr_in from;
  socklen_t len = sizeof from;
  word w;
  if (!p->plan->tcp) {
    while (hear_word(p->server, &w, &from))
      if (w.kind == HERE_I_AM) introduce(p, w.from, &from);
    return true;
  }
  int fd = accept4(p->server, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
  return fd < 0 || watch(p, fd, EPOLLIN, (uint32_t)fd, OF_SERVER); /* it stays open: the mapping is wanted */
}

static void on_guest_of_server(punch *p, int fd) {
  struct sockaddr_in from;
  socklen_t len = sizeof from;
  word w;
  ssize_t n = recv(fd, &w, sizeof w, 0);
  if (n == sizeof w && getpeername(fd, (struct sockaddr *)&from, &len) == 0) introduce(p, w.from, &from);
  if (n <= 0) epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd, NULL);
}

/* ---- the turn ---- */

static bool dispatch(punch *p, const struct epoll_event *e) {
  uint32_t number = (uint32_t)e->data.u64, which = (uint32_t)(e->data.u64 >> 32);
  if (which == OF_SERVER) {
    if (number == UINT32_MAX) return on_server(p);
    on_guest_of_server(p, (int)number);
    return true;
  }
  if (which & AS_LISTENER) return on_listener(p, number);
  if (which & AS_GUEST) {
    listen_to(p, number, p->sides[number].guests[which & 0xff]);
    return true;
  }
  if (which & AS_CONNECTION) return p->sides[number].connects < 0 || on_connection(p, number, e->events);
  if (!p->plan->tcp) {
    hear_udp(p, number);
  } else if ((e->events & EPOLLOUT) && thirl_lab_nsock_outcome(p->sides[number].fd) == 0) {
    word w = {.from = number, .kind = HERE_I_AM};
    if (send(p->sides[number].fd, &w, sizeof w, MSG_NOSIGNAL) < 0) return trouble("cannot speak to the server");
  }
  return true;
}

/* Until all are introduced, or all pairs have met, or the time is over. */
static bool turn(punch *p, bool introduced, uint64_t limit_us) {
  struct epoll_event events[EVENTS];
  uint64_t begin = thirl_io_clock_now(), next = begin;
  for (;;) {
    uint64_t now = thirl_io_clock_now();
    if (now - begin >= limit_us || (!introduced && p->n_seen == p->n_sides)) return true;
    unsigned heard = 0;
    for (unsigned i = 0; i < p->n_sides; i++)
      heard += p->sides[i].heard;
    if (heard == p->n_sides) return true;
    if (now >= next) {
      if (!p->plan->tcp) repeat_udp(p, introduced);
      next = now + REPEAT_US;
    }
    int n = epoll_wait(p->epoll, events, EVENTS, (int)((next - now) / 1000 + 1));
    for (int i = 0; i < n; i++)
      if (!dispatch(p, &events[i])) return false;
  }
}

static bool open_sides(punch *p) {
  const struct sockaddr_in any = {.sin_family = AF_INET};
  const thirl_lab_punch_plan *plan = p->plan;
  for (unsigned i = 0; i < p->n_sides; i++) {
    side *s = &p->sides[i];
    unsigned pair = i / 2;
    s->host = i % 2 ? plan->right[pair % plan->n_right] : plan->left[pair / plan->n_right];
    s->fd = thirl_lab_nsock_open(s->host, plan->tcp ? SOCK_STREAM : SOCK_DGRAM, any);
    if (s->fd < 0) return trouble(s->host);
    if (!watch(p, s->fd, EPOLLIN | (plan->tcp ? EPOLLOUT | (uint32_t)EPOLLET : 0), i, 0)) return false;
    if (plan->tcp && connect(s->fd, (const struct sockaddr *)&plan->at, sizeof plan->at) < 0 && errno != EINPROGRESS)
      return trouble("cannot connect to the server");
  }
  return true;
}

static bool run(punch *p) {
  const thirl_lab_punch_plan *plan = p->plan;
  p->server = plan->tcp ? thirl_lab_nsock_listen(plan->server, plan->at)
                        : thirl_lab_nsock_open(plan->server, SOCK_DGRAM, plan->at);
  if (p->server < 0) return trouble(plan->server);
  if (!watch(p, p->server, EPOLLIN, UINT32_MAX, OF_SERVER) || !open_sides(p)) return false;
  if (!turn(p, false, INTRODUCTION_US)) return false;
  if (p->n_seen < p->n_sides) {
    fprintf(stderr, "punch: the server has seen %u of %u\n", p->n_seen, p->n_sides);
    return false;
  }
  p->begin = thirl_io_clock_now();
  if (plan->tcp && !start_tcp(p)) return false;
  return turn(p, true, plan->patience_ms * UINT64_C(1000));
}

bool thirl_lab_punch_run(const thirl_lab_punch_plan *plan, unsigned *took_ms) {
  unsigned pairs = plan->n_left * plan->n_right;
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  punch p = {.plan = plan, .n_sides = 2 * pairs, .epoll = epoll_create1(EPOLL_CLOEXEC), .took_ms = took_ms};
  memset(took_ms, 0, pairs * sizeof *took_ms);
  p.sides = calloc(p.n_sides, sizeof *p.sides);
  /* The sockets go with the process: this is a program for one measurement. */
  return p.epoll >= 0 && p.sides && run(&p);
}
