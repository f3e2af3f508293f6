/* SPDX-License-Identifier: MIT */
/*
 * wan: the internet between the hosts of the lab, in one process that needs no privilege but its own network namespace.
 *
 *   wan [--seed N] [--stats] INTERFACE:PREFIX[,PREFIX...][:delay=25ms][:jitter=2ms][:loss=1%][:queue=64M] ...
 *
 * Each INTERFACE is a cable to one host or router (the other end of a veth); the first PREFIX is its address, the others are what lies behind it. A
 * packet goes to the interface of the longest prefix. The terms hold for each direction of a cable, so that from one host to another they count
 * twice: delay=25ms on all gives 50 ms one way. Packets keep their order. Who asks by ARP for somebody elsewhere is told our address.
 *
 * Prints "ready" when all interfaces are open. Ends on SIGTERM, SIGINT, with its parent, or when stdin (a pipe, a socket, a terminal) ends; then,
 * with --stats, says on stderr what went through each cable, and what did not and why.
 *
 * Not here: NAT (see netfilter.h), IPv6, ICMP errors, MTUs that differ.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "lab/frame/link.h"
#include "lab/internet/port.h"
#include "lab/frame/segment.h"
#include "lab/frame/wire.h"
#include "io/clock.h"

enum {
  CABLES_MAX = 32,
  PREFIXES_MAX = 8,       /* of one cable */
  QUEUE_BYTES = 64 << 20, /* of one direction of a cable */
  HELD_BYTES = 256 << 10, /* for a neighbour whose MAC is not known yet */
  FRAMES_PER_TURN = 64,   /* of one cable, before the next has its turn */
  PROBE_MS = 200,         /* between two questions for a MAC */
  EXIT_USAGE = 2
};

typedef struct prefix {
  uint32_t net, mask;
} prefix;

typedef struct cable {
  const char *name;
  prefix prefixes[PREFIXES_MAX];
  size_t n_prefixes;
  thirl_lab_port port;
  thirl_lab_link up, down; /* from the host, to the host */
  thirl_lab_link held;     /* arrived, but where is the host? */
  bool knows_neighbour;
  uint8_t neighbour[THIRL_LAB_MAC_LEN];
  uint64_t unrouted, expired, foreign; /* packets without a way, out of TTL, not IPv4 */
} cable;

typedef struct wan {
  cable cables[CABLES_MAX];
  size_t n;
  thirl_time next_probe;
  uint64_t seed;
  bool stats;
} wan;

/* ---- routes ---- */

/* The cable of the longest prefix, or w->n. */
static size_t route(const wan *w, uint32_t to) {
  size_t best = w->n;
  uint32_t best_mask = 0;
  for (size_t i = 0; i < w->n; i++)
    for (size_t j = 0; j < w->cables[i].n_prefixes; j++) {
      const prefix *p = &w->cables[i].prefixes[j];
      if ((to & p->mask) != p->net || (best < w->n && p->mask <= best_mask)) continue;
      best = i;
      best_mask = p->mask;
    }
  return best;
}

/* ---- out ---- */

static void transmit(cable *c, const uint8_t *vnet, uint8_t *frame, size_t len) {
  memcpy(frame, c->neighbour, THIRL_LAB_MAC_LEN);
  memcpy(frame + THIRL_LAB_ETH_SOURCE, c->port.mac, THIRL_LAB_MAC_LEN);
  thirl_lab_port_send(&c->port, vnet, frame, len);
}

static void deliver(cable *c, thirl_lab_packet *p) {
  if (!c->knows_neighbour) {
    thirl_lab_link_put(&c->held, p, p->due);
    return;
  }
  transmit(c, p->vnet, p->frame, p->len);
  free(p);
}

static void learn_neighbour(cable *c, const uint8_t *mac) {
  memcpy(c->neighbour, mac, THIRL_LAB_MAC_LEN);
  if (c->knows_neighbour) return;
  c->knows_neighbour = true;
  for (thirl_lab_packet *p; (p = thirl_lab_link_take(&c->held, THIRL_NEVER - 1));)
    deliver(c, p);
}

/* Asks the way a host does that has no address yet (RFC 5227): everybody answers that. */
static void probe_neighbours(wan *w, thirl_time now) {
  uint8_t frame[THIRL_LAB_ARP_FRAME_LEN];
  w->next_probe = THIRL_NEVER;
  for (size_t i = 0; i < w->n; i++) {
    cable *c = &w->cables[i];
    if (c->knows_neighbour) continue;
    thirl_lab_arp arp = {.is_request = true, .target = c->prefixes[0].net};
    memcpy(arp.sender_mac, c->port.mac, THIRL_LAB_MAC_LEN);
    thirl_lab_wire_arp_encode(&arp, NULL, frame);
    thirl_lab_port_send(&c->port, NULL, frame, sizeof frame);
    w->next_probe = now + PROBE_MS * THIRL_MS;
  }
}

/* ---- in ---- */

static void answer_arp(wan *w, size_t in, const uint8_t *frame, size_t len) {
  cable *c = &w->cables[in];
  thirl_lab_arp asked;
  if (!thirl_lab_wire_arp_decode(frame, len, &asked) || !asked.is_request) return;
  size_t out = route(w, asked.target);
  if (out == w->n || out == in) return;
  uint8_t answer[THIRL_LAB_ARP_FRAME_LEN];
  thirl_lab_arp arp = {.is_request = false, .sender = asked.target, .target = asked.sender};
  memcpy(arp.sender_mac, c->port.mac, THIRL_LAB_MAC_LEN);
  thirl_lab_wire_arp_encode(&arp, asked.sender_mac, answer);
  thirl_lab_port_send(&c->port, NULL, answer, sizeof answer);
}

static void put_up(cable *c, size_t out, thirl_lab_packet *p, thirl_time now) {
  p->out = out;
  thirl_lab_link_put(&c->up, p, now);
}

static void forward(wan *w, size_t in, thirl_lab_frame *f, thirl_time now) {
  cable *from = &w->cables[in];
  size_t out = route(w, thirl_lab_wire_get32(f->data + THIRL_LAB_ETH_LEN + THIRL_LAB_IP_DESTINATION));
  if (out == w->n || out == in) {
    from->unrouted++;
    return;
  }
  if (!thirl_lab_wire_ttl_decrease(f->data)) {
    from->expired++;
    return;
  }
  cable *to = &w->cables[out];
  if (to->knows_neighbour && thirl_lab_link_is_transparent(&from->up) && thirl_lab_link_is_transparent(&to->down)) {
    thirl_lab_link_pass(&from->up, f->len);
    thirl_lab_link_pass(&to->down, f->len);
    transmit(to, f->vnet, f->data, f->len);
    return;
  }
  thirl_lab_segment cut;
  thirl_lab_packet *p;
  bool lossy = from->up.terms.loss > 0 || to->down.terms.loss > 0;
  if (lossy && thirl_lab_segment_is_large(f->vnet) && thirl_lab_segment_init(&cut, f->vnet, f->data, f->len)) {
    while ((p = thirl_lab_segment_next(&cut)))
      put_up(from, out, p, now);
    return;
  }
  p = thirl_lab_link_packet_new(f->len);
  if (!p) return;
  memcpy(p->vnet, f->vnet, sizeof p->vnet);
  memcpy(p->frame, f->data, f->len);
  put_up(from, out, p, now);
}

static void receive(wan *w, size_t in) {
  cable *c = &w->cables[in];
  thirl_lab_frame f;
  thirl_time now = thirl_io_clock_now();
  for (int i = 0; i < FRAMES_PER_TURN && thirl_lab_port_receive(&c->port, &f); i++) {
    learn_neighbour(c, f.data + THIRL_LAB_ETH_SOURCE);
    if (thirl_lab_wire_ip_header_len(f.data, f.len) > 0)
      forward(w, in, &f, now);
    else if (thirl_lab_wire_get16(f.data + THIRL_LAB_ETH_TYPE) == THIRL_LAB_TYPE_ARP)
      answer_arp(w, in, f.data, f.len);
    else
      c->foreign++;
    thirl_lab_port_release(&c->port);
  }
}

/* ---- what is under way ---- */

/* Arrival at the second half of the way counts from when it was due at its beginning: a late timer does not add up. */
static void advance(wan *w, thirl_time now) {
  thirl_lab_packet *p;
  for (size_t i = 0; i < w->n; i++)
    while ((p = thirl_lab_link_take(&w->cables[i].up, now)))
      thirl_lab_link_put(&w->cables[p->out].down, p, p->due);
  for (size_t i = 0; i < w->n; i++)
    while ((p = thirl_lab_link_take(&w->cables[i].down, now)))
      deliver(&w->cables[i], p);
  if (now >= w->next_probe) probe_neighbours(w, now);
}

static thirl_time deadline(const wan *w) {
  thirl_time t = w->next_probe;
  for (size_t i = 0; i < w->n; i++) {
    t = THIRL_MIN(t, thirl_lab_link_deadline(&w->cables[i].up));
    t = THIRL_MIN(t, thirl_lab_link_deadline(&w->cables[i].down));
  }
  return t;
}

static void set_timer(int fd, thirl_time t) {
  struct itimerspec when = {0};
  if (t != THIRL_NEVER) {
    when.it_value.tv_sec = (time_t)(t / THIRL_S);
    when.it_value.tv_nsec = (long)(t % THIRL_S) * 1000 + 1; /* 0 would switch it off */
  }
  timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL);
}

/* ---- command line ---- */

static int complain(const char *what, const char *word) {
  fprintf(stderr, "wan: %s: %s\n", what, word);
  return EXIT_USAGE;
}

static bool parse_prefix(char *text, prefix *out) {
  char *slash = strchr(text, '/'), *end;
  unsigned long bits = 32;
  struct in_addr a;
  if (slash) {
    *slash = '\0';
    bits = strtoul(slash + 1, &end, 10);
    if (*end || end == slash + 1 || bits > 32) return false;
  }
  if (inet_pton(AF_INET, text, &a) != 1) return false;
  out->mask = bits == 0 ? 0 : UINT32_MAX << (32 - bits);
  out->net = ntohl(a.s_addr) & out->mask;
  return true;
}

/* A number with one of the units; the value of unit i is scale[i]. */
static bool parse_scaled(const char *text, const char *const *units, const double *scale, double *out) {
  char *end;
  double v = strtod(text, &end);
  if (end == text || !(v >= 0) || v > 1e12) return false;
  for (; *units; units++, scale++)
    if (strcmp(end, *units) == 0) {
      *out = v * *scale;
      return true;
    }
  return false;
}

static bool parse_term(const char *word, thirl_lab_link_terms *terms) {
  static const char *const times[] = {"us", "ms", "s", NULL}, *const sizes[] = {"K", "M", NULL},
                           *const shares[] = {"%", NULL};
  static const double time_scale[] = {1, 1e3, 1e6}, size_scale[] = {1024, 1024 * 1024}, share_scale[] = {0.01};
  const char *value = strchr(word, '=');
  double v;
  if (!value) return false;
  size_t n = (size_t)(value++ - word);
  if (n == 5 && memcmp(word, "delay", n) == 0 && parse_scaled(value, times, time_scale, &v))
    terms->delay = (thirl_time)v;
  else if (n == 6 && memcmp(word, "jitter", n) == 0 && parse_scaled(value, times, time_scale, &v))
    terms->jitter = (thirl_time)v;
  else if (n == 4 && memcmp(word, "loss", n) == 0 && parse_scaled(value, shares, share_scale, &v) && v <= 1)
    terms->loss = v;
  else if (n == 5 && memcmp(word, "queue", n) == 0 && parse_scaled(value, sizes, size_scale, &v))
    terms->queue_max = (size_t)v;
  else
    return false;
  return true;
}

static int add_cable(wan *w, char *word) {
  if (w->n == CABLES_MAX) return complain("too many interfaces", word);
  cable *c = &w->cables[w->n];
  thirl_lab_link_terms terms = {.queue_max = QUEUE_BYTES}, hold = {.queue_max = HELD_BYTES};
  char *rest, *part = strtok_r(word, ":", &rest), *more;
  c->name = part;
  c->port.fd = -1;
  char *prefixes = part ? strtok_r(NULL, ":", &rest) : NULL;
  if (!prefixes) return complain("an interface wants its prefixes", word);
  for (part = strtok_r(prefixes, ",", &more); part; part = strtok_r(NULL, ",", &more)) {
    if (c->n_prefixes == PREFIXES_MAX) return complain("too many prefixes", part);
    if (!parse_prefix(part, &c->prefixes[c->n_prefixes++])) return complain("not an IPv4 prefix", part);
  }
  while ((part = strtok_r(NULL, ":", &rest)))
    if (!parse_term(part, &terms)) return complain("not delay=, jitter= (us, ms, s), loss= (%) or queue= (K, M)", part);
  thirl_lab_link_init(&c->up, &terms, w->seed + 2 * w->n);
  thirl_lab_link_init(&c->down, &terms, w->seed + 2 * w->n + 1);
  thirl_lab_link_init(&c->held, &hold, 0);
  w->n++;
  return 0;
}

static int parse(wan *w, int argc, char **argv) {
  w->seed = 1;
  for (int i = 1; i < argc; i++) {
    int bad = 0;
    if (strcmp(argv[i], "--stats") == 0)
      w->stats = true;
    else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc && w->n == 0)
      w->seed = strtoull(argv[++i], NULL, 0);
    else if (argv[i][0] == '-')
      bad = complain("unknown option, or an option in the wrong place", argv[i]);
    else
      bad = add_cable(w, argv[i]);
    if (bad) return bad;
  }
  return w->n > 0 ? 0 : complain("no interface", "wan [--seed N] [--stats] INTERFACE:PREFIX[:delay=25ms]...");
}

/* ---- process ---- */

static void print_link(const char *name, const char *way, const thirl_lab_link *l) {
  fprintf(stderr,
          "wan: %s %s: %" PRIu64 " packets, %" PRIu64 " bytes, %" PRIu64 " lost, %" PRIu64
          " dropped, at most %zu bytes queued\n",
          name, way, l->stats.packets, l->stats.bytes, l->stats.lost, l->stats.dropped, l->stats.queued_max);
}

static void print_stats(wan *w) {
  for (size_t i = 0; i < w->n; i++) {
    cable *c = &w->cables[i];
    print_link(c->name, "up", &c->up);
    print_link(c->name, "down", &c->down);
    fprintf(stderr,
            "wan: %s not forwarded: %" PRIu64 " unrouted, %" PRIu64 " expired, %" PRIu64 " foreign, %" PRIu64
            " overrun, %" PRIu64 " cut, %" PRIu64 " unsendable\n",
            c->name, c->unrouted, c->expired, c->foreign, thirl_lab_port_overrun(&c->port), c->port.cut,
            c->port.unsendable);
  }
}

static int watch(int epoll, int fd, uint32_t number) {
  struct epoll_event ev = {.events = EPOLLIN, .data.u32 = number};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
}

static bool stdin_ended(void) {
  char waste[4096];
  ssize_t n = read(STDIN_FILENO, waste, sizeof waste);
  return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static void clear_error(int fd) {
  int error;
  socklen_t n = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n); /* the interface went down; it may come back */
}

enum { TIMER = CABLES_MAX, SIGNAL, INPUT };

static void run(wan *w, int epoll, int timer) {
  struct epoll_event events[CABLES_MAX + 3];
  thirl_time armed = THIRL_NEVER;
  for (;;) {
    thirl_time t = deadline(w);
    if (t != armed) set_timer(timer, armed = t);
    int n = epoll_wait(epoll, events, CABLES_MAX + 3, -1);
    for (int i = 0; i < n; i++) {
      uint32_t who = events[i].data.u32;
      uint64_t waste;
      if (who == SIGNAL || (who == INPUT && stdin_ended())) return;
      if (who == TIMER && read(timer, &waste, sizeof waste) > 0) armed = THIRL_NEVER;
      if (who >= w->n) continue;
      if (events[i].events & EPOLLERR) clear_error(w->cables[who].port.fd);
      receive(w, who);
    }
    advance(w, thirl_io_clock_now());
  }
}

static int open_all(wan *w, int epoll) {
  for (size_t i = 0; i < w->n; i++) {
    cable *c = &w->cables[i];
    int error = thirl_lab_port_open(&c->port, c->name);
    if (error == 0 && watch(epoll, c->port.fd, (uint32_t)i) < 0) error = errno;
    if (error != 0) {
      fprintf(stderr, "wan: cannot open %s: %s\n", c->name, strerror(error));
      return EXIT_FAILURE;
    }
  }
  return 0;
}

int main(int argc, char **argv) {
  static wan w;
  sigset_t signals;
  int bad = parse(&w, argc, argv);
  if (bad) return bad;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  int epoll = epoll_create1(EPOLL_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
      signal = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  if (epoll < 0 || timer < 0 || signal < 0 || watch(epoll, timer, TIMER) < 0 || watch(epoll, signal, SIGNAL) < 0) {
    perror("wan");
    return EXIT_FAILURE;
  }
  watch(epoll, STDIN_FILENO, INPUT); /* refused for a file or /dev/null, which do not end */
  bad = open_all(&w, epoll);
  if (bad) return bad;
  if (puts("ready") < 0 || fflush(stdout) != 0) return EXIT_FAILURE;
  run(&w, epoll, timer);
  if (w.stats) print_stats(&w);
  for (size_t i = 0; i < w.n; i++) {
    thirl_lab_link_fini(&w.cables[i].up);
    thirl_lab_link_fini(&w.cables[i].down);
    thirl_lab_link_fini(&w.cables[i].held);
    thirl_lab_port_close(&w.cables[i].port);
  }
  return EXIT_SUCCESS;
}
