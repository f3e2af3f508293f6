/* SPDX-License-Identifier: MIT */
/*
 * The pipe: what comes in goes to the room that it belongs to, and what the rooms return is done: connections change their states,
 * peers go, time-outs run out. No message is understood here beyond its method.
 */
#include "server/server.h"

#include <stdlib.h>
#include <string.h>

#include "server/alarm.h"
#include "server/audit.h"
#include "server/discovery.h"
#include "server/introduce.h"
#include "server/listen.h"
#include "server/probe.h"
#include "server/register.h"
#include "server/relay.h"

enum { REFUSED_MAX = 64 }; /* ids of connections not taken that wait for the next poll */

struct thirl_server {
  thirl_server_context ctx;
  thirl_server_conns conns;
  thirl_server_registry registry;
  thirl_server_register door;
  thirl_server_listen sockets;
  thirl_server_discovery discovery;
  thirl_server_probes probes;
  thirl_net_id refused[REFUSED_MAX];
  size_t refused_n;
  thirl_time drain_deadline;
};

/* ---- connections that end ---- */

static void drop_peer(thirl_server *s, thirl_server_peer *p, thirl_error reason) {
  thirl_server_relay_drop(&s->ctx, p, reason, false);
  thirl_server_registry_remove(&s->registry, &s->ctx, p);
}

/* RST, or FIN when gracefully. The connection itself goes when the action has been said. */
static void end_conn(thirl_server *s, thirl_server_conn *c, bool gracefully) {
  if (c->state == THIRL_SERVER_CONN_DEAD) return;
  if (c->peer) drop_peer(s, c->peer, THIRL_E_LOST);
  c->ends_gracefully = gracefully;
  thirl_server_conn_set_state(&s->conns, &s->ctx, c, THIRL_SERVER_CONN_DEAD);
}

/* Let it have what it is still to be told, then FIN. */
static void close_conn(thirl_server *s, thirl_server_conn *c) {
  if (c->state == THIRL_SERVER_CONN_DEAD || c->state == THIRL_SERVER_CONN_CLOSING) return;
  if (c->peer) drop_peer(s, c->peer, THIRL_E_LOST);
  if (c->out.n == 0 || c->has_failed)
    end_conn(s, c, !c->has_failed);
  else
    thirl_server_conn_set_state(&s->conns, &s->ctx, c, THIRL_SERVER_CONN_CLOSING);
}

/* Whose place others have taken: each hears that its channels are over, then FIN. */
static void retire(thirl_server *s, thirl_server_peer *p) {
  for (thirl_server_peer *next; p; p = next) {
    thirl_server_conn *c = p->conn;
    next = p->next;
    thirl_server_relay_drop(&s->ctx, p, THIRL_E_LOST, true);
    close_conn(s, c);
  }
}

/* ---- messages ---- */

static bool may_ask(thirl_server *s, thirl_server_conn *c) {
  if (thirl_server_budget_take(&c->requests, s->ctx.now, THIRL_S, s->ctx.limits.requests_per_second)) return true;
  s->ctx.stats.limited++;
  return false;
}

static void on_binding(thirl_server *s, thirl_server_conn *c, const thirl_stun_msg *in) {
  if (in->cls != THIRL_STUN_REQUEST || !may_ask(s, c)) return;
  if (c->state == THIRL_SERVER_CONN_STRANGER) thirl_server_conn_touch(&s->conns, &s->ctx, c);
  thirl_server_probe_binding(&s->probes, &s->ctx, &s->sockets, c, in);
}

static void on_register(thirl_server *s, thirl_server_conn *c, const thirl_stun_msg *in, const thirl_meet_message *m) {
  thirl_server_peer *made, *replaced;
  if (c->state == THIRL_SERVER_CONN_STRANGER) thirl_server_conn_touch(&s->conns, &s->ctx, c);
  thirl_server_register_request(&s->door, &s->ctx, &s->registry, c, in, m, &made, &replaced);
  if (made) thirl_server_conn_set_state(&s->conns, &s->ctx, c, THIRL_SERVER_CONN_REGISTERED);
  retire(s, replaced);
}

static void on_peer_message(thirl_server *s, thirl_server_conn *c, const thirl_meet_message *m) {
  bool gone = false;
  thirl_server_conn_touch(&s->conns, &s->ctx, c);
  if (m->method == THIRL_STUN_METHOD_THIRL_UPDATE && m->cls == THIRL_STUN_REQUEST)
    thirl_server_register_update(&s->ctx, c->peer, m, &gone);
  else if (m->method == THIRL_STUN_METHOD_THIRL_CONNECT && m->cls == THIRL_STUN_REQUEST)
    thirl_server_introduce_connect(&s->ctx, &s->registry, c->peer, m);
  else if (m->method == THIRL_STUN_METHOD_THIRL_CHANNEL && m->cls == THIRL_STUN_INDICATION && m->has_channel) {
    /* Credit is ours to give: what goes to the peer is held back by its own connection. */
    if (m->has_reason)
      thirl_server_relay_end(&s->ctx, c->peer, m->channel,
                             m->reason < THIRL_ERROR_COUNT ? (thirl_error)m->reason : THIRL_E_PEER_CLOSED);
  } else
    s->ctx.stats.malformed++;
  if (!gone) return;
  drop_peer(s, c->peer, THIRL_E_PEER_CLOSED);
  thirl_server_conn_set_state(&s->conns, &s->ctx, c, THIRL_SERVER_CONN_STRANGER);
}

/* A message that needs the keys of a registration. */
static void on_keyed(thirl_server *s, thirl_server_conn *c, const thirl_stun_msg *in, const thirl_meet_message *m) {
  if (!c->peer) {
    if (m->cls != THIRL_STUN_REQUEST)
      s->ctx.stats.malformed++;
    else if (may_ask(s, c))
      thirl_server_register_challenge(&s->door, &s->ctx, c, m);
    return;
  }
  thirl_error e = thirl_server_registry_authenticate(c->peer, in, m);
  if (e == THIRL_OK) {
    on_peer_message(s, c, m);
    return;
  }
  s->ctx.stats.bad_signature += e == THIRL_E_INTEGRITY;
  if (e == THIRL_E_REPLAY) thirl_server_alarm_replay(&s->ctx, c, THIRL_SERVER_ALARM_MESSAGE, &c->peer->id);
  if (!may_ask(s, c)) end_conn(s, c, false);
}

static void on_unknown_attributes(thirl_server *s, thirl_server_conn *c, const thirl_stun_msg *in) {
  uint8_t bytes[THIRL_SERVER_BINDING_MAX];
  size_t n;
  if (in->cls != THIRL_STUN_REQUEST || !may_ask(s, c)) return;
  s->ctx.stats.refused++;
  if (thirl_server_binding_unknown(in, 0, bytes, &n) == THIRL_OK)
    thirl_server_conn_send(&s->ctx, c, THIRL_BYTES(bytes, n));
}

static void on_stun(thirl_server *s, thirl_server_conn *c, thirl_bytes packet) {
  thirl_stun_msg in;
  thirl_meet_message m;
  if (thirl_stun_msg_decode(packet, &in) != THIRL_OK) {
    s->ctx.stats.malformed++;
    return;
  }
  if (in.method == THIRL_STUN_METHOD_BINDING) {
    on_binding(s, c, &in);
    return;
  }
  thirl_error e = thirl_meet_message_decode(&in, &m);
  if (e == THIRL_E_UNSUPPORTED)
    on_unknown_attributes(s, c, &in);
  else if (e != THIRL_OK)
    s->ctx.stats.malformed++;
  else if (m.method == THIRL_STUN_METHOD_THIRL_REGISTER && m.cls == THIRL_STUN_REQUEST) {
    if (may_ask(s, c)) on_register(s, c, &in, &m);
  } else if (m.method == THIRL_STUN_METHOD_THIRL_UPDATE || m.method == THIRL_STUN_METHOD_THIRL_CONNECT ||
             m.method == THIRL_STUN_METHOD_THIRL_CHANNEL)
    on_keyed(s, c, &in, &m);
  else
    s->ctx.stats.malformed++;
}

static void on_packet(thirl_server *s, thirl_server_conn *c, thirl_bytes packet) {
  if (thirl_stun_msg_kind(packet) != THIRL_STUN_KIND_CHANNEL) {
    on_stun(s, c, packet);
  } else if (c->peer) {
    thirl_bytes payload = {packet.p + THIRL_STUN_CHANNEL_HEADER_LEN, packet.n - THIRL_STUN_CHANNEL_HEADER_LEN};
    thirl_server_relay_data(&s->ctx, c->peer, thirl_bytes_get_u16(packet.p), payload);
  } else {
    s->ctx.stats.malformed++;
  }
}

/* ---- events ---- */

static void refuse_conn(thirl_server *s, thirl_net_id id) {
  s->ctx.stats.limited++;
  /* Without a place nothing is said now; whatever is heard of the connection later brings it here again. */
  if (s->refused_n < REFUSED_MAX) s->refused[s->refused_n++] = id;
}

static void on_accepted(thirl_server *s, const thirl_net_event *ev) {
  if (s->ctx.is_draining || thirl_server_conn_add(&s->conns, &s->ctx, ev->id, &ev->remote) != THIRL_OK)
    refuse_conn(s, ev->id);
  else
    thirl_server_conn_find(&s->conns, ev->id)->local = thirl_addr_unmap(ev->local);
}

static void on_data(thirl_server *s, thirl_server_conn *c, thirl_bytes in) {
  thirl_bytes packet;
  while ((c->state == THIRL_SERVER_CONN_STRANGER || c->state == THIRL_SERVER_CONN_REGISTERED) && !c->has_failed) {
    thirl_error e = thirl_stun_stream_next(&c->in, &in, &packet);
    if (e == THIRL_E_AGAIN) return;
    if (e == THIRL_OK) {
      on_packet(s, c, packet);
      continue;
    }
    s->ctx.stats.malformed++;
    end_conn(s, c, false);
  }
}

static void on_conn_event(thirl_server *s, const thirl_net_event *ev) {
  thirl_server_conn *c = thirl_server_conn_find(&s->conns, ev->id);
  if (!c) {
    if (ev->kind == THIRL_NET_DATA && ev->id >= THIRL_NET_ID_ACCEPTED) refuse_conn(s, ev->id);
    return;
  }
  if (ev->kind == THIRL_NET_DATA)
    on_data(s, c, ev->payload);
  else if (ev->kind == THIRL_NET_EOF)
    close_conn(s, c);
  else if (c->state == THIRL_SERVER_CONN_DEAD || ev->kind != THIRL_NET_FAILED)
    return;
  else {
    end_conn(s, c, false);
    thirl_server_conn_remove(&s->conns, &s->ctx, c); /* the carrier has forgotten it already */
  }
}

static void on_socket(thirl_server *s, const thirl_net_event *ev) {
  char text[THIRL_ADDR_TEXT_MAX];
  if (!thirl_server_listen_input(&s->sockets, ev) || ev->kind != THIRL_NET_FAILED) return;
  thirl_server_socket *socket = &s->sockets.sockets[ev->id - 1];
  thirl_log_print(s->ctx.log, THIRL_LOG_WARN, "cannot listen on %s %s: %s",
                  socket->verb == THIRL_NET_LISTEN ? "TCP" : "UDP", thirl_addr_format(&socket->wanted, text),
                  ev->error == THIRL_E_UNREACHABLE ? "this machine has no such address" : thirl_error_text(ev->error));
}

/* ---- after each input ---- */

static thirl_time timeout_of(const thirl_server *s, thirl_server_conn_state state) {
  switch (state) {
  case THIRL_SERVER_CONN_STRANGER:
    return s->ctx.limits.register_timeout_s * THIRL_S;
  case THIRL_SERVER_CONN_REGISTERED:
    return s->ctx.limits.idle_timeout_s * THIRL_S;
  case THIRL_SERVER_CONN_CLOSING:
    return THIRL_SERVER_LINGER_S * THIRL_S;
  default:
    return THIRL_NEVER;
  }
}

static thirl_time deadline_of(const thirl_server *s, thirl_server_conn_state state) {
  thirl_server_conn *c = thirl_server_conn_first(&s->conns, state);
  return c ? thirl_time_after(c->since, timeout_of(s, state)) : THIRL_NEVER;
}

static void evaluate(thirl_server *s) {
  thirl_server_probe_evaluate(&s->probes, &s->ctx, &s->sockets, &s->conns);
  while (!thirl_list_is_empty(&s->ctx.failed)) {
    thirl_server_conn *c = THIRL_OWNER(thirl_list_first(&s->ctx.failed), thirl_server_conn, in_context);
    thirl_list_remove(&c->in_context);
    s->ctx.stats.limited++;
    end_conn(s, c, false);
  }
  for (int i = 0; i < THIRL_SERVER_CONN_STATES; i++) {
    thirl_server_conn_state state = (thirl_server_conn_state)i;
    while (deadline_of(s, state) <= s->ctx.now)
      end_conn(s, thirl_server_conn_first(&s->conns, state), false);
  }
}

static void set_now(thirl_server *s, thirl_time now) {
  s->ctx.now = THIRL_MAX(s->ctx.now, now);
}

/* ---- the public verbs ---- */

/* The one that is configured, or the one that the listeners of a family make. */
static thirl_error add_pair(thirl_server *s, const thirl_server_config *cfg, size_t i) {
  thirl_server_pair p = cfg->pairs[i];
  thirl_family family = i ? THIRL_FAMILY_V6 : THIRL_FAMILY_V4;
  if (thirl_server_pair_is_set(&p) && p.primary.family != family) return THIRL_E_INVALID;
  if (!thirl_server_pair_is_set(&p) && !thirl_server_pair_derive(cfg->listen_udp, THIRL_SERVER_LISTENERS, family, &p) &&
      !thirl_server_pair_derive(cfg->listen_tcp, THIRL_SERVER_LISTENERS, family, &p))
    return THIRL_OK;
  return thirl_server_listen_add_pair(&s->sockets, &p);
}

static thirl_error add_sockets(thirl_server *s, const thirl_server_config *cfg) {
  thirl_error e = THIRL_OK;
  for (size_t i = 0; i < THIRL_SERVER_LISTENERS && e == THIRL_OK; i++)
    if (thirl_addr_is_set(&cfg->listen_tcp[i]))
      e = thirl_server_listen_add(&s->sockets, THIRL_NET_LISTEN, &cfg->listen_tcp[i]);
  for (size_t i = 0; i < THIRL_SERVER_LISTENERS && e == THIRL_OK; i++)
    if (thirl_addr_is_set(&cfg->listen_udp[i]))
      e = thirl_server_listen_add(&s->sockets, THIRL_NET_BIND_UDP, &cfg->listen_udp[i]);
  for (size_t i = 0; i < THIRL_SERVER_PAIRS && e == THIRL_OK; i++)
    e = add_pair(s, cfg, i);
  memcpy(s->sockets.aliases, cfg->aliases, sizeof cfg->aliases);
  return e == THIRL_OK && s->sockets.n == 0 ? THIRL_E_INVALID : e;
}

thirl_error thirl_server_new(const thirl_server_config *cfg, thirl_time now, thirl_server **out) {
  *out = NULL;
  thirl_server *s = calloc(1, sizeof *s);
  if (!s) return THIRL_E_NOMEM;
  s->ctx.now = s->ctx.started = now;
  s->ctx.secrets = cfg->secrets;
  s->ctx.log = cfg->log;
  s->drain_deadline = THIRL_NEVER;
  thirl_server_set_limits(s, &cfg->limits);
  thirl_list_init(&s->ctx.wake);
  thirl_list_init(&s->ctx.failed);
  thirl_server_conn_table_init(&s->conns, cfg->secrets);
  thirl_server_registry_init(&s->registry, cfg->secrets);
  thirl_error e = thirl_server_register_init(&s->door, cfg->secrets);
  thirl_server_discovery_init(&s->discovery, cfg->secrets);
  thirl_server_probe_init(&s->probes, cfg->secrets);
  if (e == THIRL_OK) e = add_sockets(s, cfg);
  if (e == THIRL_OK)
    *out = s;
  else
    thirl_server_free(s);
  return e;
}

void thirl_server_free(thirl_server *s) {
  if (!s) return;
  s->ctx.log = NULL; /* sessions that end with the process are not told one by one */
  size_t at = 0;
  for (thirl_server_peer *p = NULL; (p = thirl_server_registry_each(&s->registry, &at, p)) != NULL;)
    thirl_server_relay_drop(&s->ctx, p, THIRL_E_SERVER, false);
  thirl_server_registry_fini(&s->registry);
  thirl_server_conn_table_fini(&s->conns);
  thirl_server_register_fini(&s->door);
  free(s);
}

void thirl_server_set_limits(thirl_server *s, const thirl_server_limits *limits) {
  s->ctx.limits = *limits;
  thirl_server_limits_complete(&s->ctx.limits);
}

void thirl_server_drain(thirl_server *s, thirl_time now, thirl_time deadline) {
  set_now(s, now);
  s->drain_deadline = deadline;
  if (s->ctx.is_draining) return;
  s->ctx.is_draining = true;
  thirl_server_listen_close(&s->sockets);
  size_t at = 0;
  for (thirl_server_peer *p = NULL; (p = thirl_server_registry_each(&s->registry, &at, p)) != NULL;) {
    thirl_meet_message m = {.cls = THIRL_STUN_INDICATION, .method = THIRL_STUN_METHOD_THIRL_DRAIN};
    thirl_server_registry_send(&s->ctx, p, &m);
  }
  evaluate(s);
}

bool thirl_server_is_drained(const thirl_server *s, thirl_time now) {
  return s->ctx.is_draining && (s->ctx.stats.channels == 0 || now >= s->drain_deadline);
}

const thirl_server_stats *thirl_server_stats_of(const thirl_server *s) {
  return &s->ctx.stats;
}

thirl_error thirl_server_listener(const thirl_server *s, bool is_udp, size_t i, thirl_addr *at) {
  *at = (thirl_addr){.family = THIRL_FAMILY_NONE};
  for (size_t k = 0; k < s->sockets.n; k++) {
    const thirl_server_socket *socket = &s->sockets.sockets[k];
    if ((socket->verb == THIRL_NET_BIND_UDP) != is_udp || i-- != 0) continue;
    *at = socket->bound;
    return socket->state;
  }
  return THIRL_E_NOT_FOUND;
}

bool thirl_server_announces(const thirl_server *s, bool is_udp, size_t family, thirl_server_pair *out) {
  const thirl_server_listen *l = &s->sockets;
  uint8_t wanted = family ? THIRL_FAMILY_V6 : THIRL_FAMILY_V4;
  for (size_t i = 0; i < THIRL_SERVER_PAIRS; i++) {
    *out = l->pairs[i];
    if (l->has_all[i][is_udp] && out->primary.family == wanted) return true;
  }
  return false;
}

bool thirl_server_is_consistent(const thirl_server *s) {
  return thirl_server_audit_all(&s->ctx, &s->conns, &s->registry) && thirl_server_probe_is_consistent(&s->probes);
}

void thirl_server_input(thirl_server *s, thirl_time now, const thirl_net_event *ev) {
  set_now(s, now);
  switch (ev->kind) {
  case THIRL_NET_ACCEPTED:
    on_accepted(s, ev);
    break;
  case THIRL_NET_DATA:
  case THIRL_NET_EOF:
    on_conn_event(s, ev);
    break;
  case THIRL_NET_CONNECTED:
  case THIRL_NET_FAILED:
  case THIRL_NET_LISTENING:
    if (thirl_server_probe_input(&s->probes, &s->ctx, &s->sockets, &s->conns, ev)) break;
    on_socket(s, ev);
    on_conn_event(s, ev);
    break;
  case THIRL_NET_DATAGRAM:
    thirl_server_discovery_datagram(&s->discovery, &s->ctx, &s->sockets, ev);
    break;
  case THIRL_NET_TICK:
    break;
  }
  evaluate(s);
}

bool thirl_server_poll(thirl_server *s, thirl_time now, thirl_net_action *out) {
  set_now(s, now);
  *out = (thirl_net_action){.id = 0};
  if (thirl_server_listen_poll(&s->sockets, out) || thirl_server_probe_poll(&s->probes, &s->ctx, out)) return true;
  if (s->refused_n) {
    *out = (thirl_net_action){.verb = THIRL_NET_ABORT, .id = s->refused[--s->refused_n]};
    return true;
  }
  thirl_server_conn *c = thirl_server_conn_first(&s->conns, THIRL_SERVER_CONN_DEAD);
  if (c) {
    *out = (thirl_net_action){.verb = c->ends_gracefully ? THIRL_NET_CLOSE : THIRL_NET_ABORT, .id = c->id};
    thirl_server_conn_remove(&s->conns, &s->ctx, c);
    return true;
  }
  if (thirl_list_is_empty(&s->ctx.wake)) return false;
  c = THIRL_OWNER(thirl_list_first(&s->ctx.wake), thirl_server_conn, in_context);
  thirl_list_remove(&c->in_context);
  c->announced = true;
  *out = (thirl_net_action){.verb = THIRL_NET_WRITE, .id = c->id};
  return true;
}

size_t thirl_server_pull(thirl_server *s, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap) {
  set_now(s, now);
  thirl_server_conn *c = thirl_server_conn_find(&s->conns, id);
  if (!c || c->state == THIRL_SERVER_CONN_DEAD || cap == 0) return 0;
  size_t n = c->insurance ? thirl_server_conn_pull(c, buf, cap) : 0, part;
  if (n) return n; /* alone in its segment, and those behind it likewise */
  n = thirl_server_conn_pull_insurance(c, buf, cap);
  if (n) return n;
  /* Control messages go before data, also those that handing on data has brought about. */
  for (;;) {
    n += thirl_server_conn_pull(c, buf + n, cap - n);
    if (n == cap || c->has_failed || !c->peer) break;
    if (!thirl_server_relay_next(&s->ctx, c->peer, buf + n, cap - n, n == 0, &part)) break;
    n += part;
  }
  if (n == 0) c->announced = false;
  if (c->state == THIRL_SERVER_CONN_CLOSING && c->out.n == 0) end_conn(s, c, true);
  evaluate(s);
  return n;
}

thirl_time thirl_server_deadline(thirl_server *s) {
  bool has_actions = thirl_server_listen_has_actions(&s->sockets) || s->refused_n ||
                     !thirl_list_is_empty(&s->ctx.wake) || thirl_server_conn_first(&s->conns, THIRL_SERVER_CONN_DEAD);
  if (has_actions) return s->ctx.now;
  thirl_time at = s->drain_deadline > s->ctx.now ? s->drain_deadline : THIRL_NEVER; /* said once: is_drained tells */
  at = THIRL_MIN(at, thirl_server_probe_deadline(&s->probes, s->ctx.now));
  for (int i = 0; i < THIRL_SERVER_CONN_STATES; i++)
    at = THIRL_MIN(at, deadline_of(s, (thirl_server_conn_state)i));
  return at;
}

static void machine_input(void *self, thirl_time now, const thirl_net_event *ev) {
  thirl_server_input(self, now, ev);
}

static bool machine_poll(void *self, thirl_time now, thirl_net_action *out) {
  return thirl_server_poll(self, now, out);
}

static size_t machine_pull(void *self, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap) {
  return thirl_server_pull(self, now, id, buf, cap);
}

static thirl_time machine_deadline(void *self) {
  return thirl_server_deadline(self);
}

thirl_net_machine thirl_server_machine(thirl_server *s) {
  return (thirl_net_machine){
      .self = s, .input = machine_input, .poll = machine_poll, .pull = machine_pull, .deadline = machine_deadline};
}
