/* SPDX-License-Identifier: MIT */
/* The table of connections and their states. What a message means is not decided here. */
#include "server/conn.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "stun/writer.h"

enum {
  IP_KEY_LEN = 17,
  INSURANCE = 3 /* duplicate acknowledgements begin a fast retransmission: RFC 5681 section 3.2 */
};

/* Row: from; bit: to. */
#define TO(state) (1u << THIRL_SERVER_CONN_##state)
static const unsigned LEGAL[THIRL_SERVER_CONN_STATES] = {
    [THIRL_SERVER_CONN_STRANGER] = TO(REGISTERED) | TO(CLOSING) | TO(DEAD),
    [THIRL_SERVER_CONN_REGISTERED] = TO(STRANGER) | TO(CLOSING) | TO(DEAD),
    [THIRL_SERVER_CONN_CLOSING] = TO(DEAD),
    [THIRL_SERVER_CONN_DEAD] = 0,
};
#undef TO

void thirl_server_conn_table_init(thirl_server_conns *t, const thirl_secrets *secrets) {
  thirl_map_init(&t->by_id, sizeof(thirl_net_id), thirl_secrets_u64(secrets));
  thirl_map_init(&t->per_ip, IP_KEY_LEN, thirl_secrets_u64(secrets));
  for (int i = 0; i < THIRL_SERVER_CONN_STATES; i++)
    thirl_list_init(&t->by_state[i]);
}

static void conn_free(thirl_server_conn *c) {
  thirl_list_remove(&c->in_state);
  thirl_list_remove(&c->in_context);
  thirl_stun_stream_fini(&c->in);
  thirl_buffer_fini(&c->out);
  free(c);
}

void thirl_server_conn_table_fini(thirl_server_conns *t) {
  for (int i = 0; i < THIRL_SERVER_CONN_STATES; i++)
    while (!thirl_list_is_empty(&t->by_state[i]))
      conn_free(THIRL_OWNER(thirl_list_first(&t->by_state[i]), thirl_server_conn, in_state));
  thirl_map_fini(&t->by_id);
  thirl_map_fini(&t->per_ip);
}

/* ---- how many from one address: the count is the value of the map ---- */

static void ip_key(const thirl_addr *remote, uint8_t key[IP_KEY_LEN]) {
  thirl_addr host = thirl_server_budget_prefix(remote, THIRL_SERVER_BUDGET_HOST);
  key[0] = host.family;
  memcpy(key + 1, host.ip, IP_KEY_LEN - 1);
}

static uintptr_t ip_count(const thirl_server_conns *t, const thirl_addr *remote) {
  uint8_t key[IP_KEY_LEN];
  ip_key(remote, key);
  return (uintptr_t)thirl_map_get(&t->per_ip, key);
}

static thirl_error ip_set_count(thirl_server_conns *t, const thirl_addr *remote, uintptr_t n) {
  uint8_t key[IP_KEY_LEN];
  ip_key(remote, key);
  if (n) return thirl_map_put(&t->per_ip, key, (void *)n);
  thirl_map_remove(&t->per_ip, key);
  return THIRL_OK;
}

/* ---- one connection ---- */

static thirl_error enter(thirl_server_conns *t, thirl_server_conn *c) {
  uintptr_t n = ip_count(t, &c->remote);
  thirl_error e = thirl_map_put(&t->by_id, &c->id, c);
  if (e == THIRL_OK && (e = ip_set_count(t, &c->remote, n + 1)) != THIRL_OK) thirl_map_remove(&t->by_id, &c->id);
  return e;
}

thirl_error thirl_server_conn_add(thirl_server_conns *t, thirl_server_context *ctx, thirl_net_id id,
                                  const thirl_addr *remote) {
  thirl_addr from = thirl_addr_unmap(*remote);
  if (thirl_map_get(&t->by_id, &id)) return THIRL_E_INVALID;
  if (t->by_id.n >= ctx->limits.max_connections) return THIRL_E_LIMIT;
  if (ip_count(t, &from) >= ctx->limits.max_connections_per_ip) return THIRL_E_LIMIT;
  thirl_server_conn *c = calloc(1, sizeof *c);
  if (!c) return THIRL_E_NOMEM;
  c->id = id;
  c->remote = from;
  c->since = ctx->now;
  thirl_stun_stream_init(&c->in, THIRL_STUN_FRAMING_TURN, THIRL_SERVER_PACKET);
  c->in.max = THIRL_SERVER_STRANGER_PACKET;
  thirl_buffer_init(&c->out, THIRL_SERVER_CONTROL_MAX);
  thirl_error e = enter(t, c);
  if (e != THIRL_OK) {
    conn_free(c);
    return e;
  }
  thirl_list_append(&t->by_state[THIRL_SERVER_CONN_STRANGER], &c->in_state);
  ctx->stats.accepted++;
  ctx->stats.connections++;
  return THIRL_OK;
}

void thirl_server_conn_remove(thirl_server_conns *t, thirl_server_context *ctx, thirl_server_conn *c) {
  assert(!c->peer);
  thirl_map_remove(&t->by_id, &c->id);
  ip_set_count(t, &c->remote, ip_count(t, &c->remote) - 1);
  conn_free(c);
  ctx->stats.connections--;
}

thirl_server_conn *thirl_server_conn_find(const thirl_server_conns *t, thirl_net_id id) {
  return thirl_map_get(&t->by_id, &id);
}

void thirl_server_conn_set_state(thirl_server_conns *t, thirl_server_context *ctx, thirl_server_conn *c,
                                 thirl_server_conn_state state) {
  assert(LEGAL[c->state] & (1u << state));
  c->state = state;
  c->in.max = state == THIRL_SERVER_CONN_REGISTERED ? THIRL_SERVER_PACKET : THIRL_SERVER_STRANGER_PACKET;
  thirl_server_conn_touch(t, ctx, c);
}

void thirl_server_conn_touch(thirl_server_conns *t, thirl_server_context *ctx, thirl_server_conn *c) {
  c->since = ctx->now;
  thirl_list_remove(&c->in_state);
  thirl_list_append(&t->by_state[c->state], &c->in_state);
}

thirl_server_conn *thirl_server_conn_first(const thirl_server_conns *t, thirl_server_conn_state state) {
  thirl_link *k = thirl_list_first(&t->by_state[state]);
  return k ? THIRL_OWNER(k, thirl_server_conn, in_state) : NULL;
}

/* ---- out ---- */

void thirl_server_conn_wake(thirl_server_context *ctx, thirl_server_conn *c) {
  if (c->announced || c->in_context.next) return;
  thirl_list_append(&ctx->wake, &c->in_context);
}

thirl_error thirl_server_conn_send(thirl_server_context *ctx, thirl_server_conn *c, thirl_bytes bytes) {
  thirl_error e = c->has_failed ? THIRL_E_STATE : thirl_buffer_append(&c->out, bytes);
  if (e == THIRL_OK) thirl_server_conn_wake(ctx, c);
  if (e != THIRL_OK) thirl_server_conn_give_up(ctx, c);
  return e;
}

void thirl_server_conn_give_up(thirl_server_context *ctx, thirl_server_conn *c) {
  if (c->has_failed) return;
  c->has_failed = true;
  thirl_list_remove(&c->in_context);
  thirl_list_append(&ctx->failed, &c->in_context);
}

size_t thirl_server_conn_pull(thirl_server_conn *c, uint8_t *buf, size_t cap) {
  thirl_bytes waiting = thirl_buffer_view(&c->out);
  size_t n = THIRL_MIN(waiting.n, cap);
  if (n) memcpy(buf, waiting.p, n);
  thirl_buffer_consume(&c->out, n);
  if (c->out.n == 0) thirl_buffer_fini(&c->out); /* an idle connection holds no memory for bytes */
  return n;
}

void thirl_server_conn_insure(thirl_server_conn *c) {
  c->insurance = INSURANCE;
}

size_t thirl_server_conn_pull_insurance(thirl_server_conn *c, uint8_t *buf, size_t cap) {
  static const uint8_t no_tid[THIRL_STUN_TID_LEN];
  thirl_stun_writer w;
  thirl_bytes message;
  if (!c->insurance || c->out.n) return 0;
  c->insurance--;
  thirl_stun_writer_init(&w, buf, cap, THIRL_STUN_INDICATION, THIRL_STUN_METHOD_BINDING, no_tid);
  return thirl_stun_writer_finish(&w, &message) == THIRL_OK ? message.n : 0;
}
