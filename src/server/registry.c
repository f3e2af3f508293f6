/* SPDX-License-Identifier: MIT */
#include "server/registry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "stun/integrity.h"
#include "stun/stream.h"

void thirl_server_registry_init(thirl_server_registry *r, const thirl_secrets *secrets) {
  thirl_map_init(&r->by_id, THIRL_PEERID_LEN, thirl_secrets_u64(secrets));
}

static void peer_free(thirl_server_peer *p) {
  free(p->offer);
  free(p->checks);
  thirl_bytes_wipe(&p->keys, sizeof p->keys);
  free(p);
}

void thirl_server_registry_fini(thirl_server_registry *r) {
  size_t at = 0;
  for (thirl_server_peer *p; (p = thirl_map_next(&r->by_id, &at)) != NULL;)
    peer_free(p);
  thirl_map_fini(&r->by_id);
}

thirl_error thirl_server_registry_add(thirl_server_registry *r, thirl_server_context *ctx, thirl_server_conn *conn,
                                      const thirl_peerid *id, const thirl_meet_keys *keys, thirl_server_peer **out,
                                      thirl_server_peer **replaced) {
  *replaced = thirl_server_registry_find(r, id);
  if (!*replaced && r->by_id.n >= ctx->limits.max_registrations) return THIRL_E_LIMIT;
  thirl_server_peer *p = calloc(1, sizeof *p);
  if (!p || thirl_map_put(&r->by_id, id->b, p) != THIRL_OK) {
    free(p);
    *replaced = NULL;
    return THIRL_E_NOMEM;
  }
  p->id = *id;
  p->conn = conn;
  p->keys = *keys;
  p->next_number = THIRL_STUN_CHANNEL_MIN;
  thirl_list_init(&p->channels);
  thirl_list_init(&p->ready);
  thirl_list_init(&p->due);
  conn->peer = p;
  ctx->stats.registrations++;
  *out = p;
  return THIRL_OK;
}

void thirl_server_registry_remove(thirl_server_registry *r, thirl_server_context *ctx, thirl_server_peer *p) {
  assert(thirl_list_is_empty(&p->channels));
  if (thirl_server_registry_find(r, &p->id) == p) thirl_map_remove(&r->by_id, p->id.b);
  p->conn->peer = NULL;
  peer_free(p);
  ctx->stats.registrations--;
}

thirl_server_peer *thirl_server_registry_find(const thirl_server_registry *r, const thirl_peerid *id) {
  return thirl_map_get(&r->by_id, id->b);
}

/* ---- what a peer has left ---- */

/* A copy of n bytes; *failed when there should be one and is none. */
static void *copy_of(const void *bytes, size_t n, bool *failed) {
  void *copy = n ? malloc(n) : NULL;
  if (copy) memcpy(copy, bytes, n);
  if (n && !copy) *failed = true;
  return copy;
}

thirl_error thirl_server_registry_set_standing(thirl_server_peer *p, const thirl_meet_message *m) {
  bool failed = false;
  void *offer = m->has_offer ? copy_of(m->offer.p, m->offer.n, &failed) : NULL;
  void *checks = m->has_checks ? copy_of(m->checks, m->n_checks * sizeof m->checks[0], &failed) : NULL;
  if (failed) {
    free(offer);
    free(checks);
    return THIRL_E_NOMEM;
  }
  if (m->has_offer) {
    free(p->offer);
    p->offer = offer;
    p->offer_n = (uint16_t)m->offer.n;
  }
  if (m->has_checks) {
    free(p->checks);
    p->checks = checks;
    p->n_checks = (uint8_t)m->n_checks;
  }
  return THIRL_OK;
}

/* All places are compared, those that are not used with bytes that do not count. */
bool thirl_server_registry_has_check(const thirl_server_peer *p, const uint8_t check[THIRL_MEET_CHECK_LEN]) {
  static const uint8_t nothing[THIRL_MEET_CHECK_LEN];
  unsigned found = 0;
  for (size_t i = 0; i < THIRL_MEET_CHECKS_MAX; i++) {
    bool used = p && i < p->n_checks;
    bool same = thirl_bytes_equal_secret(THIRL_BYTES(used ? p->checks[i] : nothing, THIRL_MEET_CHECK_LEN),
                                         THIRL_BYTES(check, THIRL_MEET_CHECK_LEN));
    found |= (unsigned)used & (unsigned)same;
  }
  return found != 0;
}

/* ---- messages under the keys of a registration ---- */

thirl_error thirl_server_registry_authenticate(thirl_server_peer *p, const thirl_stun_msg *in,
                                               const thirl_meet_message *m) {
  if (thirl_stun_integrity_check256(in, THIRL_BYTES(p->keys.to_server, sizeof p->keys.to_server)) != THIRL_OK)
    return THIRL_E_INTEGRITY;
  if (!m->has_counter || m->counter <= p->received) return THIRL_E_REPLAY;
  p->received = m->counter;
  return THIRL_OK;
}

void thirl_server_registry_send(thirl_server_context *ctx, thirl_server_peer *p, thirl_meet_message *m) {
  uint8_t bytes[THIRL_MEET_MESSAGE_MAX];
  size_t n = 0;
  m->has_counter = true;
  m->counter = ++p->sent;
  /* Nobody answers an indication: its id need only differ from the others. */
  if (m->cls == THIRL_STUN_INDICATION) thirl_bytes_put_u64(m->tid + 4, m->counter);
  thirl_error e = thirl_meet_message_encode(m, p->keys.to_client, bytes, sizeof bytes, &n);
  if (e == THIRL_OK)
    thirl_server_conn_send(ctx, p->conn, THIRL_BYTES(bytes, n));
  else
    thirl_server_conn_give_up(ctx, p->conn);
}
