/* SPDX-License-Identifier: MIT */
#include "support/puncher.h"

#include <assert.h>

enum { ID_CONTROL = 1, ID_LISTENER, ID_UDP, ID_FIRST_TRY };
enum { PROBE = 'p', ACK = 'a' };

/* --- queue ------------------------------------------------------------------------------------------------------------------------ */

static void add(action_queue *q, thirl_net_action action, uint8_t byte) {
  unsigned at = q->to++ % PUNCHER_QUEUE;
  assert(q->to - q->from < PUNCHER_QUEUE);
  q->actions[at] = action;
  q->bytes[at] = byte;
}

static bool take(action_queue *q, thirl_net_action *out) {
  if (q->from == q->to) return false;
  unsigned at = q->from++ % PUNCHER_QUEUE;
  *out = q->actions[at];
  if (out->verb == THIRL_NET_SENDTO) out->payload = THIRL_BYTES(&q->bytes[at], 1);
  return true;
}

static void send_byte(action_queue *q, thirl_net_id udp, thirl_addr to, uint8_t byte) {
  add(q, (thirl_net_action){.verb = THIRL_NET_SENDTO, .id = udp, .remote = to}, byte);
}

/* --- the server ------------------------------------------------------------------------------------------------------------------- */

static void note_client(observer *o, uint8_t name, bool udp, thirl_addr seen) {
  for (unsigned i = 0; i < o->n_clients; i++)
    if (o->clients[i].name == name && o->clients[i].udp == udp) {
      o->clients[i].seen = seen;
      return;
    }
  if (o->n_clients == OBSERVER_CLIENTS) return;
  o->clients[o->n_clients].name = name;
  o->clients[o->n_clients].udp = udp;
  o->clients[o->n_clients++].seen = seen;
}

static void observer_input(void *self, thirl_time now, const thirl_net_event *ev) {
  observer *o = self;
  (void)now;
  if (!o->began) {
    o->began = true;
    add(&o->queue, (thirl_net_action){.verb = THIRL_NET_LISTEN, .id = ID_LISTENER, .local = o->local}, 0);
    add(&o->queue, (thirl_net_action){.verb = THIRL_NET_BIND_UDP, .id = ID_UDP, .local = o->local}, 0);
  }
  if (ev->kind == THIRL_NET_DATAGRAM && ev->payload.n == 1) {
    note_client(o, ev->payload.p[0], true, ev->remote);
    send_byte(&o->queue, ID_UDP, ev->remote, ACK);
  }
  if (ev->kind == THIRL_NET_ACCEPTED && o->n_accepted < OBSERVER_CLIENTS * 4) {
    o->accepted_ids[o->n_accepted] = ev->id;
    o->accepted[o->n_accepted++] = ev->remote;
  }
  if (ev->kind == THIRL_NET_DATA)
    for (unsigned i = 0; i < o->n_accepted; i++)
      if (o->accepted_ids[i] == ev->id) note_client(o, ev->payload.p[0], false, o->accepted[i]);
}

static bool observer_poll(void *self, thirl_time now, thirl_net_action *out) {
  (void)now;
  return take(&((observer *)self)->queue, out);
}

static size_t pull_nothing(void *self, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap) {
  (void)self, (void)now, (void)id, (void)buf, (void)cap;
  return 0;
}

static thirl_time observer_deadline(void *self) {
  (void)self;
  return THIRL_NEVER;
}

thirl_net_machine observer_machine(observer *o) {
  return (thirl_net_machine){
      .self = o, .input = observer_input, .poll = observer_poll, .pull = pull_nothing, .deadline = observer_deadline};
}

thirl_addr observer_seen(const observer *o, uint8_t name, bool udp) {
  for (unsigned i = 0; i < o->n_clients; i++)
    if (o->clients[i].name == name && o->clients[i].udp == udp) return o->clients[i].seen;
  return (thirl_addr){0};
}

/* --- the client ------------------------------------------------------------------------------------------------------------------- */

static thirl_addr local_of(const puncher *p) {
  thirl_family family = p->server.family ? (thirl_family)p->server.family : THIRL_FAMILY_V4;
  return thirl_addr_any(p->n_candidates ? (thirl_family)p->candidates[0].family : family, p->port);
}

static void begin(puncher *p) {
  p->began = true;
  p->next_id = ID_FIRST_TRY;
  if (p->udp) {
    add(&p->queue, (thirl_net_action){.verb = THIRL_NET_BIND_UDP, .id = ID_UDP, .local = local_of(p)}, 0);
    if (thirl_addr_is_set(&p->server)) send_byte(&p->queue, ID_UDP, p->server, p->name);
    return;
  }
  if (!p->never_listens)
    add(&p->queue, (thirl_net_action){.verb = THIRL_NET_LISTEN, .id = ID_LISTENER, .local = local_of(p)}, 0);
  if (thirl_addr_is_set(&p->server))
    add(&p->queue,
        (thirl_net_action){.verb = THIRL_NET_CONNECT, .id = ID_CONTROL, .local = local_of(p), .remote = p->server}, 0);
}

static void connect_to(puncher *p, thirl_time now, unsigned i) {
  p->n_connects++;
  p->tries[i].id = p->next_id++;
  p->tries[i].retry_at = THIRL_NEVER;
  p->tries[i].recycle_at = p->recycles ? now + p->recycles : THIRL_NEVER;
  add(&p->queue,
      (thirl_net_action){
          .verb = THIRL_NET_CONNECT, .id = p->tries[i].id, .local = local_of(p), .remote = p->candidates[i]},
      0);
}

static void first_try(puncher *p, thirl_time now, unsigned i) {
  p->tries[i].probe_at = THIRL_NEVER;
  p->tries[i].retry_at = p->tries[i].recycle_at = THIRL_NEVER;
  if (p->udp)
    p->tries[i].probe_at = now;
  else
    connect_to(p, now, i);
}

/* Peer reflexive: probe it too. */
static void learn(puncher *p, thirl_time now, const thirl_addr *from) {
  for (unsigned i = 0; i < p->n_candidates; i++)
    if (thirl_addr_equal(&p->candidates[i], from)) return;
  if (p->n_candidates == PUNCHER_CANDIDATES) return;
  p->candidates[p->n_candidates] = *from;
  first_try(p, now, p->n_candidates++);
}

void puncher_go(puncher *p, thirl_time now, const thirl_addr *candidates, unsigned n) {
  assert(p->began && n <= PUNCHER_CANDIDATES);
  p->go = true;
  p->started_at = now;
  p->n_candidates = n;
  for (unsigned i = 0; i < n; i++) {
    p->candidates[i] = candidates[i];
    first_try(p, now, i);
  }
  if (p->udp && p->heard_at) learn(p, now, &p->heard_from); /* the peer was earlier */
}

static void try_failed(puncher *p, thirl_time now, unsigned i, thirl_error error) {
  p->tries[i].id = 0;
  p->tries[i].recycle_at = THIRL_NEVER;
  p->n_refused += error == THIRL_E_REFUSED;
  p->n_unreachable += error == THIRL_E_UNREACHABLE;
  p->n_reset += error == THIRL_E_RESET;
  p->n_in_use += error == THIRL_E_IN_USE;
  if (p->never_retries || p->only_listens_after) return;
  thirl_time gap = error == THIRL_E_IN_USE ? THIRL_MAX(p->gap, 10 * THIRL_MS) : p->gap;
  p->tries[i].retry_at = now + gap;
  if (gap == 0) connect_to(p, now, i);
}

static void stream_is_up(puncher *p, thirl_net_id id) {
  add(&p->queue, (thirl_net_action){.verb = THIRL_NET_WRITE, .id = id}, 0);
}

static void hear_probe(puncher *p, thirl_time now, const thirl_net_event *ev) {
  uint8_t what = ev->payload.n == 1 ? ev->payload.p[0] : 0;
  if (thirl_addr_equal(&ev->remote, &p->server)) {
    if (!p->registered_at) p->registered_at = now;
    return;
  }
  if (!p->heard_at) p->heard_at = now;
  p->heard_from = ev->remote;
  if (what == ACK) {
    if (!p->confirmed_at) p->confirmed_at = now;
    return;
  }
  send_byte(&p->queue, ID_UDP, ev->remote, ACK);
  if (p->go) learn(p, now, &ev->remote);
}

static void tick_try(puncher *p, thirl_time now, unsigned i) {
  if (p->tries[i].retry_at <= now) connect_to(p, now, i);
  if (p->tries[i].recycle_at <= now && !p->tries[i].up) {
    add(&p->queue, (thirl_net_action){.verb = THIRL_NET_CLOSE, .id = p->tries[i].id}, 0);
    connect_to(p, now, i);
  }
  if (p->tries[i].probe_at <= now) {
    send_byte(&p->queue, ID_UDP, p->candidates[i], PROBE);
    p->tries[i].probe_at = p->confirmed_at ? THIRL_NEVER : now + (p->repeats ? p->repeats : 50 * THIRL_MS);
  }
}

static void hear(puncher *p, thirl_time now, const thirl_net_event *ev) {
  unsigned i = 0;
  while (i < p->n_candidates && p->tries[i].id != ev->id)
    i++;
  bool is_try = p->go && i < p->n_candidates && ev->id >= ID_FIRST_TRY;
  switch (ev->kind) {
  case THIRL_NET_CONNECTED:
    stream_is_up(p, ev->id);
    if (!is_try) break;
    p->tries[i].up = true;
    p->tries[i].recycle_at = THIRL_NEVER;
    if (!p->connected_at) p->connected_at = now;
    break;
  case THIRL_NET_ACCEPTED:
    stream_is_up(p, ev->id);
    if (!p->accepted_at) p->accepted_at = now;
    break;
  case THIRL_NET_DATA:
    if (!p->heard_at) p->heard_at = now;
    break;
  case THIRL_NET_FAILED:
    if (is_try) try_failed(p, now, i, ev->error);
    break;
  case THIRL_NET_DATAGRAM:
    hear_probe(p, now, ev);
    break;
  default:
    break;
  }
}

static void puncher_input(void *self, thirl_time now, const thirl_net_event *ev) {
  puncher *p = self;
  if (!p->began) begin(p);
  hear(p, now, ev);
  for (unsigned i = 0; p->go && i < p->n_candidates; i++)
    tick_try(p, now, i);
}

static bool puncher_poll(void *self, thirl_time now, thirl_net_action *out) {
  (void)now;
  return take(&((puncher *)self)->queue, out);
}

static size_t puncher_pull(void *self, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap) {
  puncher *p = self;
  (void)now, (void)cap;
  if (p->told == id) { /* one byte for each WRITE: asked a second time there is no more */
    p->told = 0;
    return 0;
  }
  p->told = id;
  buf[0] = p->name;
  return 1;
}

static thirl_time puncher_deadline(void *self) {
  const puncher *p = self;
  thirl_time t = p->began ? THIRL_NEVER : 0;
  for (unsigned i = 0; p->go && i < p->n_candidates; i++) {
    t = THIRL_MIN(t, p->tries[i].retry_at);
    t = THIRL_MIN(t, p->tries[i].probe_at);
    if (!p->tries[i].up) t = THIRL_MIN(t, p->tries[i].recycle_at);
  }
  return t;
}

thirl_net_machine puncher_machine(puncher *p) {
  return (thirl_net_machine){
      .self = p, .input = puncher_input, .poll = puncher_poll, .pull = puncher_pull, .deadline = puncher_deadline};
}

thirl_time puncher_took(const puncher *p) {
  thirl_time t = THIRL_NEVER;
  if (p->udp) t = p->confirmed_at ? p->confirmed_at : THIRL_NEVER;
  if (!p->udp && p->connected_at) t = p->connected_at;
  if (!p->udp && p->accepted_at) t = THIRL_MIN(t, p->accepted_at);
  return t == THIRL_NEVER ? 0 : t - p->started_at;
}

thirl_net_id puncher_socket(const puncher *p, unsigned candidate) {
  return p->tries[candidate].id;
}
