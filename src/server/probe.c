/* SPDX-License-Identifier: MIT */
/*
 * Binding over TCP, and connections from elsewhere to the client.
 *
 *    free -> todo (CONNECT) -> waiting -> todo (ABORT) -> free
 *                                 |                        ^
 *                                 +------- failed ---------+
 *
 * Ids are a generation and the place, so that one that comes too late names nothing.
 */
#include "server/probe.h"

#include "server/discovery.h"

enum { PLACE_BITS = 10, GENERATION_MAX = (1 << (31 - PLACE_BITS)) - 1 };
_Static_assert(1 << PLACE_BITS == THIRL_SERVER_PROBES_MAX, "a place fits into its bits");
_Static_assert((int)THIRL_SERVER_LISTEN_MAX < 1 << PLACE_BITS, "ids of probes are above those of sockets");

void thirl_server_probe_init(thirl_server_probes *t, const thirl_secrets *secrets) {
  thirl_list_init(&t->free);
  thirl_list_init(&t->todo);
  thirl_list_init(&t->waiting);
  thirl_server_budget_table_init(&t->table, secrets);
  for (size_t i = 0; i < THIRL_SERVER_PROBES_MAX; i++)
    thirl_list_append(&t->free, &t->places[i].link);
}

static void move(thirl_server_probe *p, thirl_list *to) {
  thirl_list_remove(&p->link);
  thirl_list_append(to, &p->link);
}

static void give_back(thirl_server_probes *t, thirl_server_probe *p) {
  p->id = p->conn = 0;
  p->is_over = false;
  t->n--;
  move(p, &t->free);
}

static thirl_server_probe *find(thirl_server_probes *t, thirl_net_id id) {
  thirl_server_probe *p = &t->places[id % THIRL_SERVER_PROBES_MAX];
  return id && id < THIRL_NET_ID_ACCEPTED && p->id == id ? p : NULL;
}

/* ---- the answer ---- */

static void answer(thirl_server_context *ctx, thirl_server_conn *c, const thirl_server_binding_asker *to,
                   const thirl_server_binding *what) {
  uint8_t bytes[THIRL_SERVER_BINDING_MAX];
  size_t n;
  if (thirl_server_binding_success(to, what, bytes, &n) != THIRL_OK) return;
  ctx->stats.bindings++;
  thirl_server_conn_send(ctx, c, THIRL_BYTES(bytes, n));
}

static void refuse(thirl_server_context *ctx, thirl_server_conn *c, const thirl_stun_msg *in, unsigned code) {
  uint8_t bytes[THIRL_SERVER_BINDING_MAX];
  size_t n;
  uint16_t also = in->n_unknown ? 0 : THIRL_STUN_ATTR_CHANGE_REQUEST;
  thirl_error e =
      code == 400 ? thirl_server_binding_refuse(in, bytes, &n) : thirl_server_binding_unknown(in, also, bytes, &n);
  if (e != THIRL_OK) return;
  ctx->stats.refused++;
  thirl_server_conn_send(ctx, c, THIRL_BYTES(bytes, n));
}

/* What is said of us on this connection, and from where a probe comes. */
static bool describe(const thirl_server_listen *l, const thirl_server_conn *c, const thirl_server_wish *wish,
                     thirl_addr *from, thirl_server_binding *what) {
  *what = (thirl_server_binding){.mapped = c->remote};
  return thirl_server_discovery_place(l, THIRL_NET_LISTEN, &c->local, wish, from, what);
}

/* The one that asked may have gone meanwhile. */
static void report(thirl_server_context *ctx, const thirl_server_listen *l, const thirl_server_conns *conns,
                   const thirl_server_probe *p, thirl_error outcome) {
  thirl_server_conn *c = thirl_server_conn_find(conns, p->conn);
  thirl_server_wish wish = {.knows_ports = true}; /* with one address it was asked for */
  thirl_server_binding what;
  thirl_addr from;
  if (!c || (c->state != THIRL_SERVER_CONN_STRANGER && c->state != THIRL_SERVER_CONN_REGISTERED)) return;
  (void)describe(l, c, &wish, &from, &what);
  what.has_probe = true;
  what.probe = outcome;
  answer(ctx, c, &p->asker, &what);
}

/* ---- the question ---- */

static bool has_one(const thirl_server_probes *t, thirl_net_id conn) {
  const thirl_list *lists[] = {&t->todo, &t->waiting};
  for (size_t i = 0; i < 2; i++)
    for (thirl_link *k = thirl_list_first(lists[i]); k; k = thirl_list_next(lists[i], k)) {
      const thirl_server_probe *p = THIRL_OWNER(k, thirl_server_probe, link);
      if (p->conn == conn && !p->is_over) return true;
    }
  return false;
}

static bool start(thirl_server_probes *t, thirl_server_context *ctx, const thirl_server_conn *c, const thirl_addr *from,
                  const thirl_server_binding_asker *asker) {
  thirl_link *k = thirl_list_first(&t->free);
  if (!k || t->n >= ctx->limits.max_probes || has_one(t, c->id)) return false;
  if (!thirl_server_budget_table_take(&t->table, ctx->now, &c->remote, THIRL_SERVER_BUDGET_HOST,
                                      ctx->limits.probes_per_second_per_ip))
    return false;
  thirl_server_probe *p = THIRL_OWNER(k, thirl_server_probe, link);
  t->generation = t->generation % GENERATION_MAX + 1;
  p->id = t->generation << PLACE_BITS | (thirl_net_id)(p - t->places);
  p->conn = c->id;
  p->local = *from;
  p->remote = c->remote;
  p->asker = *asker;
  p->since = ctx->now;
  t->n++;
  move(p, &t->todo);
  ctx->stats.probes++;
  return true;
}

void thirl_server_probe_binding(thirl_server_probes *t, thirl_server_context *ctx, const thirl_server_listen *l,
                                thirl_server_conn *c, const thirl_stun_msg *in) {
  thirl_server_wish wish;
  thirl_server_binding what;
  thirl_addr from;
  thirl_server_binding_asker asker = thirl_server_binding_asker_of(in);
  if (in->n_unknown) {
    refuse(ctx, c, in, 420);
  } else if (thirl_server_discovery_read(in, &wish) != THIRL_OK || wish.response_port) {
    refuse(ctx, c, in, 400);
  } else if (!describe(l, c, &wish, &from, &what)) {
    refuse(ctx, c, in, 420);
  } else if (!wish.ip && !wish.port) {
    answer(ctx, c, &asker, &what);
  } else if (!start(t, ctx, c, &from, &asker)) {
    ctx->stats.limited++;
    what.has_probe = true;
    what.probe = THIRL_E_LIMIT;
    answer(ctx, c, &asker, &what);
  }
}

/* ---- what becomes of it ---- */

static void end(thirl_server_probes *t, thirl_server_probe *p) {
  p->is_over = true;
  move(p, &t->todo);
}

bool thirl_server_probe_input(thirl_server_probes *t, thirl_server_context *ctx, const thirl_server_listen *l,
                              const thirl_server_conns *conns, const thirl_net_event *ev) {
  thirl_server_probe *p = find(t, ev->id);
  if (!p || (ev->kind != THIRL_NET_CONNECTED && ev->kind != THIRL_NET_FAILED)) return p != NULL;
  if (!p->is_over) report(ctx, l, conns, p, ev->kind == THIRL_NET_CONNECTED ? THIRL_OK : ev->error);
  if (ev->kind == THIRL_NET_CONNECTED)
    end(t, p);
  else
    give_back(t, p);
  return true;
}

static thirl_server_probe *oldest(const thirl_server_probes *t) {
  thirl_link *k = thirl_list_first(&t->waiting);
  return k ? THIRL_OWNER(k, thirl_server_probe, link) : NULL;
}

void thirl_server_probe_evaluate(thirl_server_probes *t, thirl_server_context *ctx, const thirl_server_listen *l,
                                 const thirl_server_conns *conns) {
  for (thirl_server_probe *p; (p = oldest(t)) && p->since + THIRL_SERVER_PROBE_MS * THIRL_MS <= ctx->now;) {
    report(ctx, l, conns, p, THIRL_E_TIMEOUT);
    end(t, p);
  }
}

bool thirl_server_probe_poll(thirl_server_probes *t, thirl_server_context *ctx, thirl_net_action *out) {
  thirl_link *k = thirl_list_first(&t->todo);
  if (!k) return false;
  thirl_server_probe *p = THIRL_OWNER(k, thirl_server_probe, link);
  if (p->is_over) {
    *out = (thirl_net_action){.verb = THIRL_NET_ABORT, .id = p->id};
    give_back(t, p);
    return true;
  }
  *out = (thirl_net_action){.verb = THIRL_NET_CONNECT, .id = p->id, .local = p->local, .remote = p->remote};
  p->since = ctx->now;
  move(p, &t->waiting);
  return true;
}

thirl_time thirl_server_probe_deadline(const thirl_server_probes *t, thirl_time now) {
  if (!thirl_list_is_empty(&t->todo)) return now;
  thirl_server_probe *p = oldest(t);
  return p ? p->since + THIRL_SERVER_PROBE_MS * THIRL_MS : THIRL_NEVER;
}

bool thirl_server_probe_is_consistent(const thirl_server_probes *t) {
  size_t n = 0, waiting = 0;
  thirl_time since = 0;
  for (size_t i = 0; i < THIRL_SERVER_PROBES_MAX; i++)
    n += t->places[i].id != 0;
  for (thirl_link *k = thirl_list_first(&t->todo); k; k = thirl_list_next(&t->todo, k))
    waiting++;
  for (thirl_link *k = thirl_list_first(&t->waiting); k; k = thirl_list_next(&t->waiting, k), waiting++) {
    const thirl_server_probe *p = THIRL_OWNER(k, thirl_server_probe, link);
    if (p->since < since || p->is_over) return false;
    since = p->since;
  }
  return n == t->n && waiting == n;
}
