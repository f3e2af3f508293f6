/* SPDX-License-Identifier: MIT */
/*
 * Everything that servers, routers and strangers can send to natcheck: answers to its own requests that are honest, wrong in any attribute, from any address,
 * or arbitrary bytes; connections that come up, fail, end or say anything, and knocks at its doors.
 *
 * Held after every step: actions name sockets that exist, deadlines do not stay in the past, addresses that it must not send to are not sent to, it ends
 * within bounded time, and what is unknown then has a reason.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "natcheck/natcheck.h"
#include "natcheck/verdict.h"
#include "stun/writer.h"

#define HOLDS(x)                                                                                                       \
  do {                                                                                                                 \
    if (!(x)) {                                                                                                        \
      fprintf(stderr, "natcheck_fuzz: %d: %s\n", __LINE__, #x);                                                        \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

enum { SOCKETS = 400, ACTIONS_MAX = 4000, SPINS_MAX = 4, MESSAGE_MAX = 600 };

typedef enum kind { FREE, LISTENER, DATAGRAMS, CONNECTING, CONNECTED } kind;

typedef struct socket_of {
  kind kind;
  thirl_net_id id;
  thirl_addr local, remote;
  uint8_t request[128];
  size_t n;
} socket_of;

typedef struct world {
  const uint8_t *in, *end;
  thirl_time now;
  thirl_natcheck *check;
  thirl_net_machine m;
  socket_of sockets[SOCKETS];
  unsigned n_sockets, last; /* last: that asked something */
  thirl_net_id next_accepted;
  uint64_t tids;
} world;

static uint8_t next_byte(world *w) {
  return w->in < w->end ? *w->in++ : 0;
}

static void fill(void *ctx, void *out, size_t n) {
  world *w = ctx;
  memset(out, 0, n);
  w->tids++;
  memcpy(out, &w->tids, n < 8 ? n : 8);
}

static socket_of *find(world *w, thirl_net_id id) {
  for (unsigned i = 0; i < w->n_sockets; i++)
    if (w->sockets[i].kind != FREE && w->sockets[i].id == id) return &w->sockets[i];
  return NULL;
}

static socket_of *add(world *w, kind k, thirl_net_id id) {
  HOLDS(!find(w, id));
  HOLDS(w->n_sockets < SOCKETS);
  w->sockets[w->n_sockets] = (socket_of){.kind = k, .id = id};
  return &w->sockets[w->n_sockets++];
}

/* ---- actions ---- */

static void remember(socket_of *s, const uint8_t *p, size_t n) {
  s->n = THIRL_MIN(n, sizeof s->request);
  memcpy(s->request, p, s->n);
}

static void act(world *w, const thirl_net_action *a) {
  uint8_t buf[THIRL_NET_PULL_MIN];
  socket_of *s;
  switch (a->verb) {
  case THIRL_NET_LISTEN:
  case THIRL_NET_BIND_UDP:
    s = add(w, a->verb == THIRL_NET_LISTEN ? LISTENER : DATAGRAMS, a->id);
    s->local = a->local;
    break;
  case THIRL_NET_CONNECT:
    HOLDS(thirl_addr_is_probeable(&a->remote));
    s = add(w, CONNECTING, a->id);
    s->local = a->local;
    s->remote = a->remote;
    break;
  case THIRL_NET_WRITE:
    s = find(w, a->id);
    HOLDS(s && s->kind == CONNECTED);
    remember(s, buf, w->m.pull(w->m.self, w->now, a->id, buf, sizeof buf));
    w->last = (unsigned)(s - w->sockets);
    break;
  case THIRL_NET_SENDTO:
    s = find(w, a->id);
    HOLDS(s && s->kind == DATAGRAMS);
    HOLDS(a->remote.port == 5351 || thirl_addr_is_probeable(&a->remote));
    s->remote = a->remote;
    remember(s, a->payload.p, a->payload.n);
    w->last = (unsigned)(s - w->sockets);
    break;
  case THIRL_NET_CLOSE:
  case THIRL_NET_ABORT:
    s = find(w, a->id);
    HOLDS(s != NULL);
    s->kind = FREE;
    break;
  }
}

static void drain(world *w) {
  thirl_net_action a;
  unsigned n = 0;
  while (w->m.poll(w->m.self, w->now, &a)) {
    act(w, &a);
    HOLDS(++n < ACTIONS_MAX);
  }
}

static void feed(world *w, const thirl_net_event *ev) {
  w->m.input(w->m.self, w->now, ev);
  drain(w);
}

/* ---- what comes in ---- */

static thirl_addr any_addr(world *w) {
  static const uint8_t hosts[][4] = {{203, 0, 113, 10}, {203, 0, 113, 11}, {203, 0, 113, 20}, {192, 168, 1, 10},
                                     {10, 0, 0, 1},     {127, 0, 0, 1},    {224, 0, 0, 1},    {0, 0, 0, 0}};
  static const uint16_t ports[] = {3478, 3479, 5351, 40000, 40001, 40002, 1, 0};
  uint8_t b = next_byte(w);
  const uint8_t *h = hosts[b & 7];
  return thirl_addr_v4(h[0], h[1], h[2], h[3], ports[b >> 3 & 7]);
}

/* An answer to the request, its attributes chosen by the input. */
static size_t answer(world *w, const socket_of *s, uint8_t out[MESSAGE_MAX]) {
  thirl_stun_writer sw;
  thirl_bytes done;
  uint8_t what = next_byte(w), tid[THIRL_STUN_TID_LEN] = {0};
  if (s->n >= THIRL_STUN_HEADER_LEN) memcpy(tid, s->request + 8, sizeof tid);
  if (what & 1) tid[11] = next_byte(w);
  thirl_stun_class cls = (thirl_stun_class)(what >> 1 & 3);
  thirl_stun_writer_init(&sw, out, MESSAGE_MAX, cls, THIRL_STUN_METHOD_BINDING, tid);
  if (cls == THIRL_STUN_ERROR) thirl_stun_writer_error(&sw, 300 + next_byte(w), "");
  thirl_addr mapped = any_addr(w), other = any_addr(w);
  if (what & 8) thirl_stun_writer_xor_addr(&sw, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &mapped);
  if (what & 16) thirl_stun_writer_addr(&sw, THIRL_STUN_ATTR_MAPPED_ADDRESS, &other);
  if (what & 32) thirl_stun_writer_addr(&sw, THIRL_STUN_ATTR_OTHER_ADDRESS, &other);
  if (what & 64) thirl_stun_writer_u32(&sw, THIRL_STUN_ATTR_THIRL_PROBE, next_byte(w));
  if (thirl_stun_writer_finish(&sw, &done) != THIRL_OK) return 0;
  return what & 128 ? done.n - 3 : done.n;
}

static void say(world *w, socket_of *s) {
  uint8_t bytes[MESSAGE_MAX];
  size_t n;
  uint8_t how = next_byte(w);
  if (how & 1) {
    size_t wanted = next_byte(w);
    n = THIRL_MIN(wanted, (size_t)(w->end - w->in));
    memcpy(bytes, w->in, n);
    w->in += n;
  } else if (how & 2) {
    n = s->n; /* its own request comes back */
    memcpy(bytes, s->request, n);
  } else {
    n = answer(w, s, bytes);
  }
  thirl_net_event ev = {.id = s->id, .payload = THIRL_BYTES(bytes, n)};
  ev.kind = s->kind == DATAGRAMS ? THIRL_NET_DATAGRAM : THIRL_NET_DATA;
  ev.remote = how & 4 ? any_addr(w) : s->remote;
  ev.local = thirl_addr_v4(192, 168, 1, 10, 0);
  feed(w, &ev);
}

static void fail(world *w, socket_of *s) {
  thirl_net_event ev = {
      .kind = THIRL_NET_FAILED, .id = s->id, .error = (thirl_error)(1 + next_byte(w) % (THIRL_ERROR_COUNT - 1))};
  s->kind = FREE;
  feed(w, &ev);
}

static void proceed(world *w, socket_of *s) {
  thirl_net_event ev = {.id = s->id, .local = thirl_addr_v4(192, 168, 1, 10, (uint16_t)(40000 + s->id % 1000))};
  if (s->local.port) ev.local.port = s->local.port;
  ev.remote = s->remote;
  if (s->kind == CONNECTING) {
    s->kind = CONNECTED;
    ev.kind = THIRL_NET_CONNECTED;
    feed(w, &ev);
  } else if (s->kind == LISTENER || s->kind == DATAGRAMS) {
    ev.kind = THIRL_NET_LISTENING;
    feed(w, &ev);
  } else if (s->kind == CONNECTED) {
    ev.kind = THIRL_NET_EOF;
    feed(w, &ev);
  }
}

static void knock(world *w, socket_of *listener) {
  thirl_net_event ev = {.kind = THIRL_NET_ACCEPTED, .listener = listener->id, .remote = any_addr(w)};
  if (w->n_sockets >= SOCKETS - 200) return;
  socket_of *s = add(w, CONNECTED, w->next_accepted++);
  ev.id = s->id;
  feed(w, &ev);
  s = find(w, ev.id);
  if (s && next_byte(w) & 1) fail(w, s);
}

static void pass_time(world *w) {
  thirl_time due = w->m.deadline(w->m.self);
  for (int i = 0; due <= w->now; i++) {
    HOLDS(i < SPINS_MAX);
    feed(w, &(thirl_net_event){.kind = THIRL_NET_TICK});
    due = w->m.deadline(w->m.self);
  }
  w->now = due == THIRL_NEVER ? w->now + THIRL_S : due;
  feed(w, &(thirl_net_event){.kind = THIRL_NET_TICK});
}

static socket_of *choose(world *w) {
  uint8_t b = next_byte(w);
  if (w->n_sockets == 0) return NULL;
  socket_of *s = &w->sockets[b & 0x80 ? w->last : (w->n_sockets - 1 - b % w->n_sockets)];
  return s->kind == FREE ? NULL : s;
}

static void step(world *w) {
  uint8_t what = next_byte(w);
  socket_of *s;
  switch (what % 8) {
  case 0:
    pass_time(w);
    return;
  case 1: /* everything that waits for an outcome gets a good one */
    for (unsigned i = 0; i < w->n_sockets; i++)
      if (w->sockets[i].kind == CONNECTING ||
          ((w->sockets[i].kind == LISTENER || w->sockets[i].kind == DATAGRAMS) && w->sockets[i].n == 0))
        proceed(w, &w->sockets[i]);
    return;
  case 2:
    if ((s = choose(w))) fail(w, s);
    return;
  case 3:
    if ((s = choose(w))) proceed(w, s);
    return;
  case 4:
    if ((s = choose(w)) && s->kind == LISTENER) knock(w, s);
    return;
  default:
    if ((s = choose(w)) && (s->kind == DATAGRAMS || s->kind == CONNECTED)) say(w, s);
    return;
  }
}

static void finish(world *w) {
  thirl_time limit = w->now + 3000 * THIRL_S;
  for (unsigned i = 0; i < w->n_sockets; i++) /* sockets that were never answered */
    if (w->sockets[i].kind == CONNECTING) fail(w, &w->sockets[i]);
  while (!thirl_natcheck_is_over(w->check)) {
    pass_time(w);
    for (unsigned i = 0; i < w->n_sockets; i++) {
      if (w->sockets[i].kind == CONNECTING) fail(w, &w->sockets[i]);
      if ((w->sockets[i].kind == LISTENER || w->sockets[i].kind == DATAGRAMS) && w->sockets[i].n == 0 &&
          !thirl_natcheck_is_over(w->check))
        proceed(w, &w->sockets[i]);
    }
    HOLDS(w->now < limit);
  }
  drain(w);
  for (unsigned i = 0; i < w->n_sockets; i++)
    HOLDS(w->sockets[i].kind == FREE || w->sockets[i].id >= THIRL_NET_ID_ACCEPTED);
}

static void check_report(const thirl_natcheck_protocol *p) {
  HOLDS(p->mapping != THIRL_NATCHECK_MAPPING_UNKNOWN || p->mapping_why || p->why);
  HOLDS(p->filtering != THIRL_NATCHECK_FILTERING_UNKNOWN || p->filtering_why || p->why);
  HOLDS(p->allocation.model != THIRL_NATCHECK_ALLOCATION_UNKNOWN || p->allocation.why || p->why);
  HOLDS(p->reachable == THIRL_NATCHECK_YES || p->why);
  HOLDS(p->n_outer <= THIRL_NATCHECK_OUTER_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static world w;
  memset(&w, 0, sizeof w);
  w.in = data;
  w.end = data + size;
  w.now = THIRL_S;
  w.next_accepted = THIRL_NET_ID_ACCEPTED;
  uint8_t flags = next_byte(&w);
  thirl_natcheck_config c = {.udp = flags & 1,
                             .tcp = (flags & 2) || !(flags & 1),
                             .hairpin = flags & 4,
                             .lifetime = flags & 8 ? 120 * THIRL_S : 0,
                             .port = flags & 16 ? 5000 : 0};
  c.secrets = (thirl_secrets){.fill = fill, .ctx = &w};
  c.servers[c.n_servers++] = thirl_addr_v4(203, 0, 113, 10, 3478);
  if (flags & 32) c.servers[c.n_servers++] = thirl_addr_v4(203, 0, 113, 20, 3478);
  if (flags & 64) c.gateway = thirl_addr_v4(192, 168, 1, 1, 0);
  HOLDS(thirl_natcheck_new(&c, &w.check) == THIRL_OK);
  w.m = thirl_natcheck_machine(w.check);
  drain(&w);
  while (w.in < w.end)
    step(&w);
  if (flags & 128) thirl_natcheck_stop(w.check);
  finish(&w);
  const thirl_natcheck_report *r = thirl_natcheck_get_report(w.check);
  check_report(&r->udp);
  check_report(&r->tcp);
  (void)thirl_natcheck_verdict_of(r);
  thirl_natcheck_free(w.check);
  return 0;
}
