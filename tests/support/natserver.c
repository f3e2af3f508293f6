/* SPDX-License-Identifier: MIT */
#include "support/natserver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stun/writer.h"

#define MUST(x)                                                                                                        \
  do {                                                                                                                 \
    if (!(x)) {                                                                                                        \
      fprintf(stderr, "natserver: %d: %s\n", __LINE__, #x);                                                            \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

enum { UDP_ID = 1, TCP_ID = 11, FIRST_PROBE_ID = 100, IP = 4, PORT = 2 };

#define PROBE_TIME (3 * THIRL_S)

static natserver_action *push(natserver *s, thirl_net_verb verb, thirl_net_id id) {
  MUST(s->n < NATSERVER_ACTIONS);
  natserver_action *q = &s->actions[(s->at + s->n++) % NATSERVER_ACTIONS];
  q->a = (thirl_net_action){.verb = verb, .id = id};
  return q;
}

void natserver_init(natserver *s, thirl_addr primary, thirl_addr alternate, const natserver_knobs *knobs,
                    uint64_t seed) {
  memset(s, 0, sizeof *s);
  s->knobs = *knobs;
  s->corners[0] = primary;
  s->corners[1] = thirl_addr_with_port(primary, alternate.port);
  s->corners[2] = thirl_addr_with_port(alternate, primary.port);
  s->corners[3] = alternate;
  s->next_id = FIRST_PROBE_ID;
  thirl_dice_seed(&s->dice, seed);
  for (unsigned i = 0; i < 4; i++) {
    if (i >= 2 && (knobs->plain || knobs->mute_second || knobs->one_ip)) continue;
    if (!knobs->no_udp) push(s, THIRL_NET_BIND_UDP, UDP_ID + i)->a.local = s->corners[i];
    if (!knobs->no_tcp) push(s, THIRL_NET_LISTEN, TCP_ID + i)->a.local = s->corners[i];
  }
}

/* ---- what it says ---- */

static size_t say(natserver *s, const thirl_stun_msg *m, const thirl_addr *from, unsigned corner, int probe,
                  uint8_t out[NATSERVER_BYTES]) {
  thirl_stun_writer w;
  thirl_bytes done;
  thirl_addr mapped = *from;
  if (s->knobs.garbage) {
    for (int i = 0; i < 64; i++)
      out[i] = (uint8_t)thirl_dice_u64(&s->dice);
    return 64;
  }
  if (s->knobs.random_mapped)
    mapped = thirl_addr_v4(198, 51, 100, (uint8_t)thirl_dice_below(&s->dice, 256),
                           (uint16_t)(1024 + thirl_dice_below(&s->dice, 60000)));
  thirl_stun_writer_init(&w, out, NATSERVER_BYTES, THIRL_STUN_SUCCESS, THIRL_STUN_METHOD_BINDING, m->tid);
  thirl_stun_writer_xor_addr(&w, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &mapped);
  if (s->knobs.one_ip) thirl_stun_writer_u16(&w, THIRL_STUN_ATTR_THIRL_OTHER_PORT, s->corners[corner ^ 1].port);
  if (!s->knobs.plain && !s->knobs.one_ip) {
    thirl_addr other = thirl_addr_is_set(&s->knobs.other) ? s->knobs.other : s->corners[corner ^ 3];
    thirl_stun_writer_addr(&w, THIRL_STUN_ATTR_OTHER_ADDRESS, &other);
  }
  if (probe >= 0) thirl_stun_writer_u32(&w, THIRL_STUN_ATTR_THIRL_PROBE, (uint32_t)probe);
  MUST(thirl_stun_writer_finish(&w, &done) == THIRL_OK);
  return s->knobs.half ? done.n - 5 : done.n;
}

static size_t refuse(const thirl_stun_msg *m, uint8_t out[NATSERVER_BYTES]) {
  thirl_stun_writer w;
  thirl_bytes done;
  thirl_stun_writer_init(&w, out, NATSERVER_BYTES, THIRL_STUN_ERROR, THIRL_STUN_METHOD_BINDING, m->tid);
  thirl_stun_writer_error(&w, 420, "");
  MUST(thirl_stun_writer_finish(&w, &done) == THIRL_OK);
  return done.n;
}

static bool is_dead(natserver *s) {
  return s->knobs.dies_after && s->requests > s->knobs.dies_after;
}

static unsigned across(const natserver *s, unsigned corner, uint32_t change) {
  if (s->knobs.only_port) return corner ^ 1;
  return corner ^ ((change & PORT) ? 1u : 0u) ^ ((change & IP) ? 2u : 0u);
}

/* ---- UDP ---- */

static void take_datagram(natserver *s, const thirl_net_event *ev) {
  thirl_stun_msg m;
  uint32_t change = 0;
  uint16_t port = 0;
  unsigned corner = ev->id - UDP_ID, from;
  if (thirl_stun_msg_decode(ev->payload, &m) != THIRL_OK || m.cls != THIRL_STUN_REQUEST) return;
  s->requests++;
  bool has_change = thirl_stun_msg_get_u32(&m, THIRL_STUN_ATTR_CHANGE_REQUEST, &change) == THIRL_OK;
  bool has_port = thirl_stun_msg_get_u16(&m, THIRL_STUN_ATTR_RESPONSE_PORT, &port) == THIRL_OK;
  s->changes += has_change;
  if (is_dead(s) || (s->knobs.drops_change && has_change)) return;
  from = s->knobs.ignores_change ? corner : across(s, corner, change);
  if (!has_change) from = s->knobs.from_elsewhere ? 3 : corner;
  natserver_action *q = push(s, THIRL_NET_SENDTO, UDP_ID + from);
  q->a.remote = ev->remote;
  if (has_port && !s->knobs.no_response_port) q->a.remote.port = port;
  size_t n = (s->knobs.plain && (has_change || has_port)) || (s->knobs.one_ip && (change & IP))
                 ? refuse(&m, q->bytes)
                 : say(s, &m, &ev->remote, corner, -1, q->bytes);
  q->a.payload = THIRL_BYTES(q->bytes, n);
  q->a.id = s->knobs.plain ? ev->id : q->a.id;
}

/* ---- TCP ---- */

static natserver_conn *find(natserver *s, thirl_net_id id) {
  for (unsigned i = 0; i < NATSERVER_CONNS; i++)
    if (s->conns[i].id == id) return &s->conns[i];
  return NULL;
}

static unsigned corner_of(const natserver *s, const thirl_addr *local) {
  for (unsigned i = 0; i < 4; i++)
    if (thirl_addr_equal(&s->corners[i], local)) return i;
  MUST(false); /* a connection to no corner */
  return 0;
}

static void send(natserver *s, natserver_conn *c, const uint8_t *bytes, size_t n) {
  MUST(c->n_out + n <= sizeof c->out);
  memcpy(c->out + c->n_out, bytes, n);
  c->n_out += n;
  push(s, THIRL_NET_WRITE, c->id);
}

static void begin_probe(natserver *s, natserver_conn *c, const thirl_stun_msg *m, uint32_t change, thirl_time now) {
  natserver_conn *p = find(s, 0);
  MUST(p != NULL);
  *p = (natserver_conn){.id = s->next_id++, .is_probe = true, .asker = c->id, .since = now};
  memcpy(p->tid, m->tid, sizeof p->tid);
  p->local = s->corners[across(s, corner_of(s, &c->local), change)];
  p->remote = c->remote;
  natserver_action *q = push(s, THIRL_NET_CONNECT, p->id);
  q->a.local = p->local;
  q->a.remote = p->remote;
}

static void end_probe(natserver *s, natserver_conn *p, thirl_error e, bool is_open) {
  uint8_t bytes[NATSERVER_BYTES];
  thirl_stun_msg m = {.cls = THIRL_STUN_REQUEST};
  natserver_conn *c = find(s, p->asker);
  memcpy(m.tid, p->tid, sizeof m.tid);
  if (c) send(s, c, bytes, say(s, &m, &c->remote, corner_of(s, &c->local), (int)e, bytes));
  if (is_open) push(s, THIRL_NET_ABORT, p->id);
  *p = (natserver_conn){0};
}

static void answer(natserver *s, natserver_conn *c, const thirl_stun_msg *m, thirl_time now) {
  uint8_t bytes[NATSERVER_BYTES];
  uint32_t change = 0;
  int probe = -1;
  bool has_change = thirl_stun_msg_get_u32(m, THIRL_STUN_ATTR_CHANGE_REQUEST, &change) == THIRL_OK;
  s->requests++;
  if (is_dead(s)) return;
  if (has_change && (s->knobs.plain || s->knobs.one_ip)) {
    send(s, c, bytes, refuse(m, bytes));
    return;
  }
  if (has_change && !s->knobs.no_probe) {
    s->probes++;
    if (s->knobs.claims_timeout)
      probe = THIRL_E_TIMEOUT;
    else if (s->knobs.claims_success)
      probe = THIRL_OK;
    else if (s->knobs.limits && s->knobs.limits--)
      probe = THIRL_E_LIMIT;
    else {
      begin_probe(s, c, m, change, now);
      return;
    }
  }
  send(s, c, bytes, say(s, m, &c->remote, corner_of(s, &c->local), probe, bytes));
}

static void take_data(natserver *s, natserver_conn *c, const thirl_net_event *ev, thirl_time now) {
  MUST(c->n_in + ev->payload.n <= sizeof c->in);
  memcpy(c->in + c->n_in, ev->payload.p, ev->payload.n);
  c->n_in += ev->payload.n;
  while (c->n_in >= THIRL_STUN_HEADER_LEN) {
    thirl_stun_msg m;
    size_t n = THIRL_STUN_HEADER_LEN + (size_t)thirl_bytes_get_u16(c->in + 2);
    if (c->n_in < n) return;
    MUST(thirl_stun_msg_decode(THIRL_BYTES(c->in, n), &m) == THIRL_OK);
    answer(s, c, &m, now);
    memmove(c->in, c->in + n, c->n_in - n);
    c->n_in -= n;
  }
}

static void take_stream(natserver *s, const thirl_net_event *ev, thirl_time now) {
  natserver_conn *c = ev->kind == THIRL_NET_ACCEPTED ? find(s, 0) : find(s, ev->id);
  if (!c) return;
  switch (ev->kind) {
  case THIRL_NET_ACCEPTED:
    *c = (natserver_conn){.id = ev->id, .local = ev->local, .remote = ev->remote};
    break;
  case THIRL_NET_CONNECTED:
    if (c->is_probe) end_probe(s, c, THIRL_OK, true);
    break;
  case THIRL_NET_DATA:
    if (!c->is_probe) take_data(s, c, ev, now);
    break;
  case THIRL_NET_FAILED:
    if (c->is_probe)
      end_probe(s, c, ev->error, false);
    else
      *c = (natserver_conn){0};
    break;
  case THIRL_NET_EOF:
    push(s, THIRL_NET_CLOSE, c->id);
    *c = (natserver_conn){0};
    break;
  default:
    break;
  }
}

/* ---- the machine ---- */

static void give_up_probes(natserver *s, thirl_time now) {
  for (unsigned i = 0; i < NATSERVER_CONNS; i++)
    if (s->conns[i].is_probe && now >= s->conns[i].since + PROBE_TIME)
      end_probe(s, &s->conns[i], THIRL_E_TIMEOUT, true);
}

static void input(void *self, thirl_time now, const thirl_net_event *ev) {
  natserver *s = self;
  if (ev->kind == THIRL_NET_DATAGRAM)
    take_datagram(s, ev);
  else if (ev->kind != THIRL_NET_TICK && ev->kind != THIRL_NET_LISTENING)
    take_stream(s, ev, now);
  give_up_probes(s, now);
}

static bool poll(void *self, thirl_time now, thirl_net_action *out) {
  natserver *s = self;
  (void)now;
  if (s->n == 0) return false;
  *out = s->actions[s->at].a;
  s->at = (s->at + 1) % NATSERVER_ACTIONS;
  s->n--;
  return true;
}

static size_t pull(void *self, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap) {
  natserver *s = self;
  natserver_conn *c = find(s, id);
  (void)now;
  if (!c) return 0;
  size_t n = THIRL_MIN(c->n_out, cap);
  memcpy(buf, c->out, n);
  memmove(c->out, c->out + n, c->n_out - n);
  c->n_out -= n;
  return n;
}

static thirl_time deadline(void *self) {
  natserver *s = self;
  thirl_time due = THIRL_NEVER;
  for (unsigned i = 0; i < NATSERVER_CONNS; i++)
    if (s->conns[i].is_probe) due = THIRL_MIN(due, s->conns[i].since + PROBE_TIME);
  return due;
}

thirl_net_machine natserver_machine(natserver *s) {
  return (thirl_net_machine){.self = s, .input = input, .poll = poll, .pull = pull, .deadline = deadline};
}
