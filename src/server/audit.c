/* SPDX-License-Identifier: MIT */
#include "server/audit.h"

#include "server/relay.h"

/* One list: in the table, of its state, in the order of time. */
static bool audit_state(const thirl_server_conns *conns, thirl_server_conn_state state, uint64_t *n, uint64_t *peers) {
  thirl_time since = 0;
  const thirl_list *list = &conns->by_state[state];
  for (thirl_link *k = thirl_list_first(list); k; k = thirl_list_next(list, k), ++*n) {
    const thirl_server_conn *c = THIRL_OWNER(k, thirl_server_conn, in_state);
    if (c->state != state || thirl_server_conn_find(conns, c->id) != c || c->since < since) return false;
    if ((c->peer != NULL) != (state == THIRL_SERVER_CONN_REGISTERED)) return false;
    if (c->out.n > THIRL_SERVER_CONTROL_MAX ||
        (c->out.n && state != THIRL_SERVER_CONN_DEAD && !c->has_failed && !c->announced && !c->in_context.next))
      return false; /* bytes that nobody will come for */
    since = c->since;
    *peers += c->peer != NULL;
  }
  return true;
}

static bool is_listed(const thirl_server_registry *r, const thirl_server_peer *p) {
  const thirl_server_peer *other = thirl_server_registry_find(r, &p->id);
  while (other && other != p)
    other = other->next;
  return other == p;
}

static bool audit_peer(const thirl_server_registry *r, const thirl_server_peer *p) {
  if (p->conn->peer != p || !is_listed(r, p)) return false;
  bool has_work = !thirl_list_is_empty(&p->ready) || !thirl_list_is_empty(&p->due);
  return !has_work || p->conn->announced || p->conn->in_context.next;
}

bool thirl_server_audit_all(const thirl_server_context *ctx, const thirl_server_conns *conns,
                            const thirl_server_registry *registry) {
  uint64_t n = 0, peers = 0, listed = 0, ends = 0, buffered = 0, reserved = 0;
  for (int i = 0; i < THIRL_SERVER_CONN_STATES; i++)
    if (!audit_state(conns, (thirl_server_conn_state)i, &n, &peers)) return false;
  size_t at = 0;
  for (const thirl_server_peer *p = NULL; (p = thirl_server_registry_each(registry, &at, p)) != NULL; listed++)
    if (!audit_peer(registry, p) || !thirl_server_relay_audit(p, &ends, &buffered, &reserved)) return false;
  const thirl_server_stats *st = &ctx->stats;
  return n == st->connections && n == conns->by_id.n && peers == st->registrations && peers == listed &&
         ends == 2 * st->channels && buffered == st->relay_buffered && reserved == st->relay_reserved;
}
