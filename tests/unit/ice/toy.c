/* SPDX-License-Identifier: MIT */
#include "unit/ice/toy.h"

#include <stdlib.h>
#include <string.h>

#include "stun/msg.h"
#include "stun/writer.h"

enum { EV_INPUT, EV_SYN, EV_FRAME, EV_CLOSED, EV_SYN_LOST, EV_DATAGRAM };

/* Not assert: these hold in every build. */
static void must(bool ok) {
  if (!ok) abort();
}

static void fill(void *ctx, void *out, size_t n) {
  thirl_dice *d = ctx;
  for (size_t i = 0; i < n; i++)
    ((uint8_t *)out)[i] = (uint8_t)thirl_dice_below(d, 256);
}

toy *toy_new(uint64_t seed) {
  toy *t = calloc(1, sizeof *t);
  must(t);
  t->events = calloc(TOY_EVENTS_MAX, sizeof *t->events);
  must(t->events);
  t->now = THIRL_S;
  t->delay = 50 * THIRL_MS;
  t->elsewhere = TOY_DROP;
  t->refusal_error = THIRL_E_REFUSED;
  thirl_dice_seed(&t->dice, seed);
  for (int i = 0; i < 2; i++) {
    thirl_dice_seed(&t->agent[i].dice, seed * 2 + (uint64_t)i + 1);
    t->agent[i].secrets = (thirl_secrets){fill, &t->agent[i].dice};
    t->agent[i].listens = true;
  }
  return t;
}

void toy_free(toy *t) {
  for (int i = 0; i < 2; i++)
    thirl_ice_free(t->agent[i].ice);
  free(t->events);
  free(t);
}

thirl_ice_config toy_config(toy *t, int agent, bool controlling) {
  toy_agent *g = &t->agent[agent];
  thirl_secrets_ice_text(&g->secrets, g->ufrag, 8);
  thirl_secrets_ice_text(&g->secrets, g->pwd, 24);
  return (thirl_ice_config){.controlling = controlling,
                            .ufrag = g->ufrag,
                            .pwd = g->pwd,
                            .secrets = &g->secrets,
                            .lanes = true,
                            .burst = true,
                            .nominate_first = true};
}

void toy_start(toy *t, int agent, const thirl_ice_config *cfg) {
  thirl_error e = thirl_ice_new(cfg, &t->agent[agent].ice);
  must(e == THIRL_OK);
}

void toy_credentials(toy *t) {
  for (int i = 0; i < 2; i++) {
    thirl_ice_set_remote(t->agent[i].ice, t->agent[1 - i].ufrag, t->agent[1 - i].pwd);
    toy_drain(t, i);
  }
}

void toy_candidate(toy *t, int agent, thirl_ice_type type, thirl_ice_transport transport, uint8_t lane, thirl_addr addr,
                   thirl_addr base, bool tell) {
  thirl_ice_candidate c = {.type = type, .transport = transport, .lane = lane, .addr = addr, .base = base}, full;
  size_t n = 0;
  thirl_error e = thirl_ice_add_local(t->agent[agent].ice, &c);
  must(e == THIRL_OK);
  toy_drain(t, agent);
  while (thirl_ice_get_local(t->agent[agent].ice, n, &full))
    if (full.transport == transport && thirl_addr_equal(&full.addr, &addr))
      break;
    else
      n++;
  if (!tell) return;
  memset(&full.base, 0, sizeof full.base);
  thirl_ice_add_remote(t->agent[1 - agent].ice, t->now, &full);
  toy_drain(t, 1 - agent);
}

toy *toy_two(void (*tweak)(thirl_ice_config *cfg, int agent)) {
  toy *t = toy_new(42);
  for (int i = 0; i < 2; i++) {
    thirl_ice_config c = toy_config(t, i, i == 0);
    if (tweak) tweak(&c, i);
    toy_start(t, i, &c);
  }
  toy_credentials(t);
  return t;
}

thirl_addr toy_addr(int agent, uint16_t port) {
  return thirl_addr_v4(10, 0, (uint8_t)(agent + 1), 2, port);
}

void toy_hosts(toy *t, thirl_ice_transport transport0, thirl_ice_transport transport1, uint8_t lane, uint16_t port) {
  for (int i = 0; i < 2; i++) {
    thirl_ice_transport transport = i ? transport1 : transport0;
    thirl_addr a = toy_addr(i, transport == THIRL_ICE_TCP_ACTIVE ? 9 : port);
    toy_candidate(t, i, THIRL_ICE_HOST, transport, lane, a, a, true);
  }
}

unsigned toy_ms(thirl_time t) {
  return (unsigned)((t - THIRL_S) / THIRL_MS);
}

void toy_go_and_run(toy *t, thirl_time how_long) {
  toy_go(t, 0, t->now);
  toy_go(t, 1, t->now);
  toy_run(t, t->now + how_long);
}

void toy_map(toy *t, thirl_addr base, thirl_addr seen) {
  must(t->n_maps < TOY_MAPS_MAX);
  t->maps[t->n_maps].base = base;
  t->maps[t->n_maps++].seen = seen;
}

void toy_host(toy *t, thirl_addr ip, toy_stranger what) {
  must(t->n_hosts < TOY_HOSTS_MAX);
  t->hosts[t->n_hosts].ip = ip;
  t->hosts[t->n_hosts++].what = what;
}

static thirl_addr seen_as(const toy *t, thirl_addr base) {
  for (unsigned i = 0; i < t->n_maps; i++)
    if (thirl_addr_equal(&t->maps[i].base, &base)) return t->maps[i].seen;
  return base;
}

static thirl_addr behind(const toy *t, thirl_addr seen) {
  for (unsigned i = 0; i < t->n_maps; i++)
    if (thirl_addr_equal(&t->maps[i].seen, &seen)) return t->maps[i].base;
  return seen;
}

static bool owns(const toy *t, int agent, bool tcp, const thirl_addr *base) {
  thirl_ice_candidate c;
  for (size_t i = 0; thirl_ice_get_local(t->agent[agent].ice, i, &c); i++)
    if (thirl_ice_candidate_is_tcp(c.transport) == tcp && c.transport != THIRL_ICE_TCP_ACTIVE &&
        thirl_addr_equal(&c.base, base))
      return true;
  return false;
}

/* events */

static toy_event *plan(toy *t, thirl_time at, int kind) {
  for (unsigned i = 0; i < TOY_EVENTS_MAX; i++) {
    toy_event *e = &t->events[i];
    if (e->used) continue;
    e->used = true;
    e->at = at;
    e->order = t->order++;
    e->kind = kind;
    e->agent = e->conn = e->end = -1;
    memset(&e->input, 0, sizeof e->input);
    e->n = 0;
    if (i >= t->n_events) t->n_events = i + 1;
    return e;
  }
  abort(); /* too many events */
}

static thirl_time one_way(toy *t) {
  return t->delay + (t->jitter ? thirl_dice_below(&t->dice, t->jitter + 1) : 0);
}

static void plan_input(toy *t, thirl_time at, int agent, thirl_ice_input_kind kind, thirl_ice_link link,
                       thirl_error error) {
  toy_event *e = plan(t, at, EV_INPUT);
  e->agent = agent;
  e->input.kind = kind;
  e->input.link = link;
  e->input.error = error;
}

/* TCP */

static toy_conn *find_conn(toy *t, const thirl_addr *local, const thirl_addr *remote_seen, int *end) {
  for (unsigned i = 0; i < t->n_conns; i++) {
    toy_conn *c = &t->conns[i];
    if (!c->used || c->dead) continue;
    for (int k = 0; k < 2; k++) {
      if (c->gone[k] || c->agent[k] < 0 || !thirl_addr_equal(&c->local[k], local) ||
          !thirl_addr_equal(&c->seen[1 - k], remote_seen))
        continue;
      *end = k;
      return c;
    }
  }
  return NULL;
}

toy_conn *toy_conn_of(toy *t, int agent, thirl_ice_link link) {
  for (unsigned i = 0; i < t->n_conns; i++)
    for (int k = 0; k < 2; k++)
      if (link && t->conns[i].used && t->conns[i].agent[k] == agent && t->conns[i].link[k] == link) return &t->conns[i];
  return NULL;
}

unsigned toy_open_links(toy *t, int agent) {
  unsigned n = 0;
  for (unsigned i = 0; i < t->n_conns; i++)
    for (int k = 0; k < 2; k++)
      n += t->conns[i].used && !t->conns[i].dead && t->conns[i].agent[k] == agent && t->conns[i].link[k] &&
           !t->conns[i].gone[k];
  return n;
}

static toy_stranger host_at(const toy *t, const thirl_addr *a) {
  for (unsigned i = 0; i < t->n_hosts; i++)
    if (thirl_addr_same_ip(&t->hosts[i].ip, a)) return t->hosts[i].what;
  return t->elsewhere;
}

static void do_connect(toy *t, int agent, const thirl_ice_action *a) {
  toy_agent *g = &t->agent[agent];
  int end;
  if (g->connects < 64) g->connect_times[g->connects] = t->now;
  g->connects++;
  g->last_link = a->link;
  if (t->refusals_left[agent]) {
    t->refusals_left[agent]--;
    plan_input(t, t->now + t->refusal_delay, agent, THIRL_ICE_LINK_FAILED, a->link, t->refusal_error);
    return;
  }
  if (find_conn(t, &a->local, &a->remote, &end)) {
    plan_input(t, t->now, agent, THIRL_ICE_LINK_FAILED, a->link, THIRL_E_IN_USE);
    return;
  }
  must(t->n_conns < TOY_CONNS_MAX);
  toy_conn *c = &t->conns[t->n_conns];
  *c = (toy_conn){.used = true, .agent = {agent, -1}, .link = {a->link, 0}};
  c->local[0] = a->local;
  if (c->local[0].port == 0) c->local[0].port = (uint16_t)(40000 + t->n_conns);
  c->seen[0] = seen_as(t, c->local[0]);
  c->seen[1] = a->remote;
  c->local[1] = behind(t, a->remote);
  toy_event *e = plan(t, t->now + one_way(t), EV_SYN);
  e->conn = (int)t->n_conns++;
}

static void up(toy *t, thirl_time at, toy_conn *c, int end) {
  toy_event *e = plan(t, at, EV_INPUT);
  c->established = true;
  e->agent = c->agent[end];
  e->conn = (int)(c - t->conns);
  e->end = end;
  e->input.kind = THIRL_ICE_LINK_UP;
  e->input.link = c->link[end];
  e->input.local = c->local[end];
  e->input.remote = c->seen[1 - end];
  if (c->last[end] < at) c->last[end] = at;
}

static void syn_arrives(toy *t, int conn) {
  toy_conn *c = &t->conns[conn];
  thirl_time back = t->now + one_way(t);
  if (c->dead || c->gone[0]) return;
  int peer = -1;
  for (int i = 0; i < 2; i++)
    if (i != c->agent[0] && t->agent[i].ice && owns(t, i, true, &c->local[1])) peer = i;
  if (peer < 0) {
    c->stranger = host_at(t, &c->local[1]);
    if (c->stranger == TOY_DROP) return;
    if (c->stranger == TOY_REFUSE || c->stranger == TOY_UNREACHABLE) {
      c->dead = true;
      plan_input(t, back, c->agent[0], THIRL_ICE_LINK_FAILED, c->link[0],
                 c->stranger == TOY_REFUSE ? THIRL_E_REFUSED : THIRL_E_UNREACHABLE);
      return;
    }
    up(t, back, c, 0);
    return;
  }
  if (c->merged) { /* the other SYN has come first: this one completes its connection */
    up(t, back, c, 0);
    return;
  }
  for (unsigned i = 0; i < t->n_conns && !t->no_simultaneous; i++) { /* a SYN of the peer's on the same four-tuple? */
    toy_conn *o = &t->conns[i];
    if (!o->used || o->dead || o == c || o->established || o->merged || o->gone[0] || o->agent[0] != peer) continue;
    if (!thirl_addr_equal(&o->local[0], &c->local[1]) || !thirl_addr_equal(&o->seen[1], &c->seen[0])) continue;
    o->merged = true; /* o lives on with both ends; c is only the other name of it */
    o->agent[1] = c->agent[0];
    o->link[1] = c->link[0];
    o->local[1] = c->local[0];
    o->seen[1] = c->seen[0];
    c->used = false;
    up(t, back, o, 1);
    return;
  }
  if (!t->agent[peer].listens) {
    c->dead = true;
    plan_input(t, back, c->agent[0], THIRL_ICE_LINK_FAILED, c->link[0], THIRL_E_REFUSED);
    return;
  }
  c->agent[1] = peer;
  up(t, back, c, 0);
}

static void plan_frame(toy *t, toy_conn *c, int to, const uint8_t *p, size_t n) {
  thirl_time at = t->now + one_way(t);
  if (t->late > 0 && thirl_dice_unit(&t->dice) < t->late) at += 200 * THIRL_MS;
  if (at < c->last[to]) at = c->last[to];
  c->last[to] = at;
  toy_event *e = plan(t, at, EV_FRAME);
  e->conn = (int)(c - t->conns);
  e->end = to;
  must(n <= sizeof e->payload);
  memcpy(e->payload, p, n);
  e->n = n;
}

static void count(toy *t, int agent, thirl_bytes p) {
  toy_agent *g = &t->agent[agent];
  thirl_stun_msg m;
  thirl_error e = thirl_stun_msg_decode(p, &m);
  must(e == THIRL_OK);
  g->sent++;
  if (m.cls == THIRL_STUN_REQUEST) {
    if (g->requests < 64) g->request_times[g->requests] = t->now;
    g->requests++;
  }
  g->nominations += m.cls == THIRL_STUN_REQUEST && thirl_stun_msg_has(&m, THIRL_STUN_ATTR_USE_CANDIDATE);
  g->responses += m.cls == THIRL_STUN_SUCCESS;
  g->errors += m.cls == THIRL_STUN_ERROR;
  if (m.cls == THIRL_STUN_ERROR) thirl_stun_msg_get_error(&m, &g->last_error_code, NULL);
}

static void do_send(toy *t, int agent, const thirl_ice_action *a) {
  count(t, agent, a->payload);
  toy_conn *c = toy_conn_of(t, agent, a->link);
  if (!c || c->dead) return;
  int end = c->agent[0] == agent && c->link[0] == a->link ? 0 : 1;
  if (c->gone[end]) return;
  if (c->agent[1 - end] >= 0) {
    plan_frame(t, c, 1 - end, a->payload.p, a->payload.n);
    return;
  }
  thirl_stun_msg m; /* a stranger */
  thirl_stun_msg_decode(a->payload, &m);
  uint8_t buf[256];
  thirl_bytes out = THIRL_BYTES("HTTP/1.1 400 Bad Request\r\n\r\n", 28);
  if (c->stranger == TOY_SILENT || m.cls != THIRL_STUN_REQUEST) return;
  if (c->stranger == TOY_ECHO) out = a->payload;
  if (c->stranger == TOY_WRONG_PASSWORD) {
    thirl_stun_writer w;
    thirl_stun_writer_init(&w, buf, sizeof buf, THIRL_STUN_SUCCESS, m.method, m.tid);
    thirl_stun_writer_xor_addr(&w, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &c->seen[end]);
    thirl_stun_writer_integrity(&w, THIRL_BYTES("not the password at all", 23));
    thirl_stun_writer_fingerprint(&w);
    thirl_stun_writer_finish(&w, &out);
  }
  t->now += t->delay; /* there and back */
  plan_frame(t, c, end, out.p, out.n);
  t->now -= t->delay;
}

static void do_abort(toy *t, int agent, thirl_ice_link link) {
  toy_conn *c = toy_conn_of(t, agent, link);
  t->agent[agent].aborts++;
  if (!c || c->dead) return;
  int end = c->agent[0] == agent && c->link[0] == link ? 0 : 1;
  c->gone[end] = true;
  if (!c->established || c->agent[1 - end] < 0) {
    if (!c->merged) c->dead = true;
    if (!c->merged) return;
  }
  thirl_time at = t->now + one_way(t);
  if (at < c->last[1 - end]) at = c->last[1 - end];
  toy_event *e = plan(t, at, EV_CLOSED);
  e->conn = (int)(c - t->conns);
  e->end = 1 - end;
}

static void end_of_conn(toy *t, int conn, int end) {
  toy_conn *c = &t->conns[conn];
  if (c->gone[end]) return;
  c->gone[end] = true;
  if (c->gone[1 - end]) c->dead = true;
  if (c->agent[end] < 0 || c->link[end] == 0) return;
  thirl_ice_input_event ev = {.kind = THIRL_ICE_LINK_CLOSED, .link = c->link[end]};
  toy_input(t, c->agent[end], &ev);
}

void toy_kill(toy *t, unsigned conn, thirl_time at0, thirl_time at1) {
  toy_conn *c = &t->conns[conn];
  c->dead = true;
  for (int k = 0; k < 2; k++) {
    if (c->gone[k] || c->agent[k] < 0 || c->link[k] == 0) continue;
    c->gone[k] = true;
    plan_input(t, k ? at1 : at0, c->agent[k], THIRL_ICE_LINK_CLOSED, c->link[k], THIRL_OK);
  }
}

static void frame_arrives(toy *t, toy_event *e) {
  toy_conn *c = &t->conns[e->conn];
  int end = e->end, agent = c->agent[end];
  if (c->dead || c->gone[end] || agent < 0) return;
  if (c->link[end] == 0) { /* the first frame on an accepted connection */
    thirl_error err = thirl_ice_accept(t->agent[agent].ice, t->now, &c->local[end], &c->seen[1 - end], &c->link[end]);
    if (err) {
      c->gone[end] = true;
      toy_event *x = plan(t, t->now + one_way(t), EV_CLOSED);
      x->conn = e->conn;
      x->end = 1 - end;
      return;
    }
    toy_drain(t, agent);
  }
  thirl_ice_input_event ev = {
      .kind = THIRL_ICE_LINK_MESSAGE, .link = c->link[end], .payload = THIRL_BYTES(e->payload, e->n)};
  toy_input(t, agent, &ev);
}

/* UDP */

static void do_sendto(toy *t, int agent, const thirl_ice_action *a) {
  count(t, agent, a->payload);
  if (t->udp_cut || (t->loss > 0 && thirl_dice_unit(&t->dice) < t->loss)) return;
  thirl_addr from = seen_as(t, a->local), to = behind(t, a->remote);
  if (!t->agent[1 - agent].ice || !owns(t, 1 - agent, false, &to)) return;
  toy_event *e = plan(t, t->now + one_way(t), EV_DATAGRAM);
  e->agent = 1 - agent;
  e->input.kind = THIRL_ICE_DATAGRAM;
  e->input.local = to;
  e->input.remote = from;
  memcpy(e->payload, a->payload.p, a->payload.n);
  e->n = a->payload.n;
}

/* the carrier */

void toy_drain(toy *t, int agent) {
  toy_agent *g = &t->agent[agent];
  thirl_ice_action a;
  while (thirl_ice_poll(g->ice, t->now, &a)) {
    switch (a.kind) {
    case THIRL_ICE_CONNECT:
      do_connect(t, agent, &a);
      break;
    case THIRL_ICE_ABORT:
      do_abort(t, agent, a.link);
      break;
    case THIRL_ICE_SEND:
      do_send(t, agent, &a);
      break;
    case THIRL_ICE_SENDTO:
      do_sendto(t, agent, &a);
      break;
    case THIRL_ICE_LINK_CONFIRMED:
      g->confirmed++;
      g->confirmed_at = a.at;
      break;
    case THIRL_ICE_SELECTED:
      g->selected_at = t->now;
      if (!g->selected++) g->first_selected_at = t->now;
      g->last_selected = a;
      break;
    case THIRL_ICE_STRANGER:
      g->strangers++;
      g->last_stranger = a;
      break;
    case THIRL_ICE_CONSENT_LOST:
      g->lost++;
      g->lost_at = t->now;
      break;
    case THIRL_ICE_FAILED:
      g->failed++;
      g->failed_at = t->now;
      g->reason = a.error;
      break;
    }
  }
}

void toy_input(toy *t, int agent, const thirl_ice_input_event *ev) {
  thirl_ice_input(t->agent[agent].ice, t->now, ev);
  toy_drain(t, agent);
  must(thirl_ice_deadline(t->agent[agent].ice) > t->now); /* or a driver would spin */
}

void toy_go(toy *t, int agent, thirl_time at) {
  thirl_ice_start(t->agent[agent].ice, t->now, at);
  toy_drain(t, agent);
}

static void fire(toy *t, toy_event *e) {
  switch (e->kind) {
  case EV_SYN:
    syn_arrives(t, e->conn);
    break;
  case EV_FRAME:
    frame_arrives(t, e);
    break;
  case EV_CLOSED:
    end_of_conn(t, e->conn, e->end);
    break;
  case EV_DATAGRAM:
    e->input.payload = THIRL_BYTES(e->payload, e->n);
    toy_input(t, e->agent, &e->input);
    break;
  default:
    if (e->conn >= 0 && (t->conns[e->conn].gone[e->end] || t->conns[e->conn].dead)) break; /* aborted meanwhile */
    toy_input(t, e->agent, &e->input);
  }
}

void toy_run(toy *t, thirl_time until) {
  static const thirl_ice_input_event tick = {.kind = THIRL_ICE_TICK};
  toy_event e;
  for (unsigned steps = 0;; steps++) {
    must(steps < 1000000); /* a deadline that never moves */
    toy_event *next = NULL;
    for (unsigned i = 0; i < t->n_events; i++) {
      toy_event *x = &t->events[i];
      if (x->used && (!next || x->at < next->at || (x->at == next->at && x->order < next->order))) next = x;
    }
    thirl_time at = next ? next->at : THIRL_NEVER;
    int ticks = -1;
    for (int i = 0; i < 2; i++) {
      thirl_time d = t->agent[i].ice ? thirl_ice_deadline(t->agent[i].ice) : THIRL_NEVER;
      if (d < at) at = d, ticks = i;
    }
    if (at > until) break;
    if (at > t->now) t->now = at;
    if (ticks >= 0) {
      toy_input(t, ticks, &tick);
      continue;
    }
    e = *next;
    next->used = false;
    fire(t, &e);
  }
  if (until > t->now) t->now = until;
}
