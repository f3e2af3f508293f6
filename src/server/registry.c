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
    for (thirl_server_peer *older; p; p = older) {
      older = p->next;
      peer_free(p);
    }
  thirl_map_fini(&r->by_id);
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
static bool has_check(const thirl_server_peer *p, const uint8_t check[THIRL_MEET_CHECK_LEN]) {
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

/* ---- who goes when another comes ---- */

static bool has_common_check(const thirl_server_peer *p, const thirl_meet_message *m) {
  bool found = false;
  for (size_t i = 0; m->has_checks && i < m->n_checks; i++)
    found |= has_check(p, m->checks[i]);
  return found;
}

/* The one of this id that is silent longest among those that stay. */
static thirl_server_peer *most_silent(thirl_server_peer *first, const thirl_meet_message *m) {
  thirl_server_peer *found = NULL;
  for (thirl_server_peer *p = first; p; p = p->next)
    if (!has_common_check(p, m) && (!found || p->conn->since < found->conn->since)) found = p;
  return found;
}

typedef struct places {
  size_t stay, go;
  thirl_server_peer *silent; /* goes too, for there would be too many; NULL: not needed */
} places;

/* E_LIMIT: there is no place, and none can be made. */
static thirl_error find_places(const thirl_server_context *ctx, thirl_server_peer *first, const thirl_meet_message *m,
                               places *out) {
  thirl_time patience = ctx->limits.idle_timeout_s * THIRL_S / 3 * 2;
  *out = (places){.stay = 0};
  for (const thirl_server_peer *p = first; p; p = p->next)
    *(has_common_check(p, m) ? &out->go : &out->stay) += 1;
  if (out->stay >= ctx->limits.max_registrations_per_peer) {
    out->silent = most_silent(first, m);
    if (ctx->now - out->silent->conn->since < patience) return THIRL_E_LIMIT;
    out->go++;
  }
  return out->go == 0 && ctx->stats.registrations >= ctx->limits.max_registrations ? THIRL_E_LIMIT : THIRL_OK;
}

/* Those that go leave the list of p->next; they come back in a list of their own. */
static thirl_server_peer *take_leavers(thirl_server_peer *p, const thirl_meet_message *m, const places *pl) {
  thirl_server_peer *gone = NULL;
  for (thirl_server_peer **at = &p->next; *at;) {
    thirl_server_peer *older = *at;
    if (older != pl->silent && !has_common_check(older, m)) {
      at = &older->next;
      continue;
    }
    *at = older->next;
    older->next = gone;
    gone = older;
  }
  return gone;
}

/* ---- coming and going ---- */

static thirl_server_peer *peer_new(const thirl_server_newcomer *who) {
  thirl_server_peer *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  p->id = *who->id;
  p->conn = who->conn;
  p->keys = *who->keys;
  p->next_number = THIRL_STUN_CHANNEL_MIN;
  thirl_list_init(&p->channels);
  thirl_list_init(&p->ready);
  thirl_list_init(&p->due);
  if (thirl_server_registry_set_standing(p, who->m) == THIRL_OK) return p;
  peer_free(p);
  return NULL;
}

thirl_error thirl_server_registry_add(thirl_server_registry *r, thirl_server_context *ctx,
                                      const thirl_server_newcomer *who, thirl_server_peer **out,
                                      thirl_server_peer **replaced) {
  places pl;
  thirl_server_peer *first = thirl_server_registry_find(r, who->id);
  *out = *replaced = NULL;
  thirl_error e = find_places(ctx, first, who->m, &pl);
  if (e != THIRL_OK) return e;
  thirl_server_peer *p = peer_new(who);
  if (!p || thirl_map_put(&r->by_id, who->id->b, p) != THIRL_OK) {
    if (p) peer_free(p);
    return THIRL_E_NOMEM;
  }
  p->next = first;
  *replaced = take_leavers(p, who->m, &pl);
  who->conn->peer = p;
  ctx->stats.registrations++;
  *out = p;
  return THIRL_OK;
}

/* One that was replaced has left the list already. */
static void unlink_peer(thirl_server_registry *r, thirl_server_peer *p) {
  thirl_server_peer *first = thirl_server_registry_find(r, &p->id), **at = &first;
  while (*at && *at != p)
    at = &(*at)->next;
  if (!*at) return;
  *at = p->next;
  if (!first)
    thirl_map_remove(&r->by_id, p->id.b);
  else if (at == &first)
    (void)thirl_map_put(&r->by_id, p->id.b, first); /* in the place of p: nothing is allocated */
}

void thirl_server_registry_remove(thirl_server_registry *r, thirl_server_context *ctx, thirl_server_peer *p) {
  assert(thirl_list_is_empty(&p->channels));
  unlink_peer(r, p);
  p->conn->peer = NULL;
  peer_free(p);
  ctx->stats.registrations--;
}

thirl_server_peer *thirl_server_registry_find(const thirl_server_registry *r, const thirl_peerid *id) {
  return thirl_map_get(&r->by_id, id->b);
}

thirl_server_peer *thirl_server_registry_match(const thirl_server_registry *r, const thirl_server_context *ctx,
                                               const thirl_peerid *id, const uint8_t check[THIRL_MEET_CHECK_LEN],
                                               const thirl_server_peer *asker) {
  thirl_server_peer *p = thirl_server_registry_find(r, id), *found = NULL;
  for (size_t i = 0; p || i < ctx->limits.max_registrations_per_peer; i++) {
    bool fits = has_check(p, check);
    if (fits && !found && p->offer && p != asker) found = p;
    if (p) p = p->next;
  }
  return found;
}

thirl_server_peer *thirl_server_registry_each(const thirl_server_registry *r, size_t *at,
                                              const thirl_server_peer *before) {
  return before && before->next ? before->next : thirl_map_next(&r->by_id, at);
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
