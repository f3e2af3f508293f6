/* SPDX-License-Identifier: MIT */
#include "lab/internet/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "lab/internet/port.h"
#include "io/clock.h"

enum {
  RINGS_MAX = 384 << 20, /* bytes of the rings of all ports */
  RING_MAX = 6 << 20,    /* of one port */
  FRAMES_PER_TURN = 64,  /* of one port, before the next has its turn */
  READY_PER_TURN = 64,   /* ports */
  ROUNDS_PER_STEP = 16,  /* before the caller's loop has its turn */
  LATE_STEPS = 4,        /* between a power of two and the next */
  LATE_BUCKETS = 32 * LATE_STEPS,
  TIMER = -1
};

struct thirl_lab_pump {
  thirl_lab_engine_machine *engine;
  int epoll, timer;
  thirl_time armed;
  size_t n;
  uint64_t *overrun; /* the kernel tells what has come since the last question */
  uint64_t *received, *sent, *sent_in_turn;
  uint64_t turn;
  uint64_t late[LATE_BUCKETS]; /* frames by how late they left */
  thirl_lab_port ports[];
};

/* ---- opening ---- */

static thirl_error error_of(int number) {
  if (number == EPERM || number == EACCES) return THIRL_E_PERMISSION;
  return number == ENOMEM ? THIRL_E_NOMEM : THIRL_E_IO;
}

static int watch(const thirl_lab_pump *p, int fd, int who) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = who};
  return epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? errno : 0;
}

static int open_ports(thirl_lab_pump *p, const char *const *interfaces, size_t *failed) {
  size_t ring = p->n > 0 ? THIRL_MIN((size_t)RING_MAX, RINGS_MAX / p->n) : 0;
  for (size_t i = 0; i < p->n; i++) {
    *failed = i;
    int error = thirl_lab_port_open_split(&p->ports[i], interfaces[i], ring);
    for (size_t k = 0; k < p->ports[i].n_rings && error == 0; k++)
      error = watch(p, p->ports[i].rings[k].fd, (int)i);
    if (error != 0) return error;
  }
  return 0;
}

/* A packet socket belongs to the namespace in which it is made. */
static int open_in(thirl_lab_pump *p, int netns, const char *const *interfaces, size_t *failed) {
  if (netns < 0) return open_ports(p, interfaces, failed);
  int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (home < 0) return errno;
  int error = setns(netns, CLONE_NEWNET) < 0 ? errno : open_ports(p, interfaces, failed);
  if (setns(home, CLONE_NEWNET) < 0 && error == 0) error = errno;
  close(home);
  return error;
}

static thirl_lab_pump *make(thirl_lab_engine_machine *e) {
  size_t n = thirl_lab_engine_count_ports(e);
  thirl_lab_pump *p = calloc(1, sizeof *p + n * sizeof *p->ports);
  if (!p) return NULL;
  p->engine = e;
  p->n = n;
  p->armed = THIRL_NEVER;
  p->epoll = p->timer = -1;
  for (size_t i = 0; i < n; i++)
    p->ports[i].fd = -1;
  p->overrun = calloc(n + 1, sizeof *p->overrun);
  p->received = calloc(n + 1, sizeof *p->received);
  p->sent = calloc(n + 1, sizeof *p->sent);
  p->sent_in_turn = calloc(n + 1, sizeof *p->sent_in_turn);
  if (p->overrun && p->received && p->sent && p->sent_in_turn) return p;
  thirl_lab_pump_close(p);
  return NULL;
}

/*
 * Where it is allowed, this thread runs before all ordinary ones: otherwise a busy machine adds milliseconds to what links are asked for. It never runs
 * for long, and the kernel keeps a share for the others. Children are ordinary again.
 */
static void hurry(void) {
  struct sched_param first = {.sched_priority = 1};
  (void)sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first);
}

thirl_error thirl_lab_pump_open(thirl_lab_engine_machine *e, int netns, const char *const *interfaces,
                                thirl_lab_pump **out, thirl_lab_complaint *why) {
  *out = NULL;
  thirl_lab_pump *p = make(e);
  size_t failed = 0;
  if (!p) return thirl_lab_words_complain(why, THIRL_E_NOMEM, "out of memory");
  p->epoll = epoll_create1(EPOLL_CLOEXEC);
  p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  int error = p->epoll < 0 || p->timer < 0 ? errno : watch(p, p->timer, TIMER);
  if (error == 0) error = open_in(p, netns, interfaces, &failed);
  if (error == 0) {
    *out = p;
    hurry();
    thirl_lab_pump_step(p);
    return THIRL_OK;
  }
  thirl_lab_pump_close(p);
  return thirl_lab_words_complain(why, error_of(error), "cannot open the interface %s: %s",
                                  thirl_lab_engine_count_ports(e) > 0 ? interfaces[failed] : "?", strerror(error));
}

void thirl_lab_pump_close(thirl_lab_pump *p) {
  if (!p) return;
  for (size_t i = 0; i < p->n; i++)
    thirl_lab_port_close(&p->ports[i]);
  if (p->timer >= 0) close(p->timer);
  if (p->epoll >= 0) close(p->epoll);
  free(p->overrun);
  free(p->received);
  free(p->sent);
  free(p->sent_in_turn);
  free(p);
}

int thirl_lab_pump_fd(const thirl_lab_pump *p) {
  return p->epoll;
}

/* ---- pumping ---- */

/* Frames for one port leave together; the order within a port stays. */
static void send_port(thirl_lab_pump *p, size_t port, const thirl_lab_fabric_frame *frames, size_t n) {
  thirl_lab_port_out batch[THIRL_LAB_PORT_BATCH];
  size_t held = 0;
  for (size_t i = 0; i < n; i++) {
    if (frames[i].port != port) continue;
    batch[held++] = (thirl_lab_port_out){.vnet = frames[i].vnet, .frame = frames[i].data, .len = frames[i].len};
    p->sent[port]++;
    if (held < THIRL_LAB_PORT_BATCH) continue;
    thirl_lab_port_send_batch(&p->ports[port], batch, held);
    held = 0;
  }
  if (held > 0) thirl_lab_port_send_batch(&p->ports[port], batch, held);
}

/* Up to four microseconds as they are, then four buckets for each doubling. */
static size_t bucket_of(uint64_t us) {
  if (us < LATE_STEPS) return (size_t)us;
  unsigned power = 63u - (unsigned)__builtin_clzll(us);
  size_t bucket = (power - 1) * (size_t)LATE_STEPS + (size_t)(us >> (power - 2) & (LATE_STEPS - 1));
  return THIRL_MIN(bucket, (size_t)LATE_BUCKETS - 1);
}

/* The first number behind a bucket. */
static uint64_t end_of(size_t bucket) {
  if (bucket < LATE_STEPS) return bucket + 1;
  return (LATE_STEPS + bucket % LATE_STEPS + 1) << (bucket / LATE_STEPS - 1);
}

uint64_t thirl_lab_pump_lateness(const thirl_lab_pump *p, double share) {
  uint64_t all = 0, seen = 0;
  for (size_t i = 0; i < LATE_BUCKETS; i++)
    all += p->late[i];
  for (size_t i = 0; i < LATE_BUCKETS && all > 0; i++) {
    seen += p->late[i];
    if ((double)seen >= share * (double)all) return end_of(i);
  }
  return 0;
}

static void count_late(thirl_lab_pump *p, const thirl_lab_fabric_frame *frames, size_t n) {
  thirl_time now = thirl_io_clock_now();
  for (size_t i = 0; i < n; i++)
    p->late[bucket_of(now - THIRL_MIN(now, frames[i].due))]++;
}

static void send_all(thirl_lab_pump *p) {
  size_t n;
  const thirl_lab_fabric_frame *frames = thirl_lab_engine_frames(p->engine, &n);
  if (n == 0) return;
  p->turn++;
  for (size_t i = 0; i < n; i++) {
    size_t port = frames[i].port;
    if (p->sent_in_turn[port] == p->turn) continue;
    p->sent_in_turn[port] = p->turn;
    send_port(p, port, frames + i, n - i);
  }
  count_late(p, frames, n);
  thirl_lab_engine_clear(p->engine);
}

static void clear_errors(const thirl_lab_port *port) {
  for (size_t i = 0; i < port->n_rings; i++) {
    int error;
    socklen_t n = sizeof error;
    getsockopt(port->rings[i].fd, SOL_SOCKET, SO_ERROR, &error, &n); /* the interface went down; it may come back */
  }
}

static void receive(thirl_lab_pump *p, size_t port) {
  thirl_lab_port *from = &p->ports[port];
  thirl_lab_frame f;
  thirl_time now = thirl_io_clock_now();
  int n = 0;
  for (; n < FRAMES_PER_TURN && thirl_lab_port_receive(from, &f); n++)
    thirl_lab_engine_input(p->engine, now, port, f.vnet, f.data, f.len);
  p->received[port] += (uint64_t)n;
  send_all(p);
  thirl_lab_port_release(from);
}

static void arm(thirl_lab_pump *p) {
  struct itimerspec when = {0};
  thirl_time t = thirl_lab_engine_deadline(p->engine);
  if (t == p->armed) return;
  p->armed = t;
  if (t != THIRL_NEVER) {
    when.it_value.tv_sec = (time_t)(t / THIRL_S);
    when.it_value.tv_nsec = (long)(t % THIRL_S) * 1000 + 1; /* 0 would switch it off */
  }
  timerfd_settime(p->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* False: there was nothing to receive. */
static bool receive_ready(thirl_lab_pump *p) {
  struct epoll_event events[READY_PER_TURN];
  int n = epoll_wait(p->epoll, events, READY_PER_TURN, 0);
  bool any = false;
  for (int i = 0; i < n; i++) {
    uint64_t waste;
    if (events[i].data.fd == TIMER) {
      if (read(p->timer, &waste, sizeof waste) > 0) p->armed = THIRL_NEVER;
      continue;
    }
    size_t port = (size_t)events[i].data.fd;
    if (events[i].events & EPOLLERR) clear_errors(&p->ports[port]);
    receive(p, port);
    any = true;
  }
  return any;
}

void thirl_lab_pump_step(thirl_lab_pump *p) {
  for (int round = 0; round < ROUNDS_PER_STEP; round++) {
    bool any = receive_ready(p);
    thirl_time now = thirl_io_clock_now();
    if (thirl_lab_engine_deadline(p->engine) <= now) {
      thirl_lab_engine_tick(p->engine, now);
      any = true;
    }
    send_all(p);
    if (!any) break;
  }
  arm(p);
}

thirl_lab_pump_counts thirl_lab_pump_count(thirl_lab_pump *p, size_t port) {
  thirl_lab_pump_counts c = {0};
  if (port >= p->n) return c;
  p->overrun[port] += thirl_lab_port_overrun(&p->ports[port]);
  c.received = p->received[port];
  c.sent = p->sent[port];
  c.overrun = p->overrun[port];
  c.cut = p->ports[port].cut;
  c.unsendable = p->ports[port].unsendable;
  return c;
}
