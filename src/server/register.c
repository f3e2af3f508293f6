/* SPDX-License-Identifier: MIT */
#include "server/register.h"

#include <string.h>

#include "server/alarm.h"
#include "server/offer.h"
#include "stun/integrity.h"

enum { KEY_TRIES = 8 }; /* a random scalar is out of range once in 2^32 */

thirl_error thirl_server_register_init(thirl_server_register *r, const thirl_secrets *secrets) {
  uint8_t scalar[THIRL_P256_PRIVATE_LEN];
  thirl_error e = THIRL_E_CRYPTO;
  r->key = NULL;
  thirl_secrets_fill(secrets, r->secret, sizeof r->secret);
  thirl_server_budget_table_init(&r->table, secrets);
  for (int i = 0; i < KEY_TRIES && !r->key; i++) {
    thirl_secrets_fill(secrets, scalar, sizeof scalar);
    e = thirl_p256_from_private(scalar, &r->key);
    if (e != THIRL_OK && e != THIRL_E_RANGE) break;
  }
  thirl_bytes_wipe(scalar, sizeof scalar);
  if (e == THIRL_OK) thirl_p256_get_public(r->key, r->point);
  return e;
}

void thirl_server_register_fini(thirl_server_register *r) {
  thirl_p256_free(r->key);
  thirl_bytes_wipe(r, sizeof *r);
}

/* ---- answers to a stranger, under no key ---- */

static void send_plain(thirl_server_context *ctx, thirl_server_conn *c, const thirl_meet_message *m) {
  uint8_t bytes[256];
  size_t n;
  if (thirl_meet_message_encode(m, NULL, bytes, sizeof bytes, &n) == THIRL_OK)
    thirl_server_conn_send(ctx, c, THIRL_BYTES(bytes, n));
}

static thirl_meet_message error_for(const thirl_meet_message *request, unsigned code) {
  thirl_meet_message m = {.cls = THIRL_STUN_ERROR, .method = request->method, .error_code = code};
  memcpy(m.tid, request->tid, sizeof m.tid);
  return m;
}

void thirl_server_register_refuse(thirl_server_context *ctx, thirl_server_conn *c, const thirl_meet_message *request,
                                  unsigned code) {
  thirl_meet_message m = error_for(request, code);
  ctx->stats.refused++;
  send_plain(ctx, c, &m);
}

static thirl_server_challenge challenge_of(const thirl_server_register *r, const thirl_server_context *ctx,
                                           const thirl_server_conn *c) {
  thirl_server_challenge ch = {.remote = c->remote, .conn = c->id};
  ch.second = (uint32_t)((ctx->now - ctx->started) / THIRL_S);
  memcpy(ch.secret, r->secret, sizeof ch.secret);
  return ch;
}

static void send_challenge(thirl_server_register *r, thirl_server_context *ctx, thirl_server_conn *c,
                           const thirl_meet_message *request, unsigned code) {
  uint8_t nonce[THIRL_SERVER_CHALLENGE_LEN];
  thirl_server_challenge ch = challenge_of(r, ctx, c);
  if (thirl_server_challenge_make(&ch, nonce) != THIRL_OK) return;
  thirl_meet_message m = error_for(request, code);
  m.nonce = THIRL_BYTES(nonce, sizeof nonce);
  m.has_ephemeral = true;
  memcpy(m.ephemeral, r->point, sizeof m.ephemeral);
  c->has_challenge = true;
  c->challenged_at = ctx->now;
  send_plain(ctx, c, &m);
}

void thirl_server_register_challenge(thirl_server_register *r, thirl_server_context *ctx, thirl_server_conn *c,
                                     const thirl_meet_message *request) {
  send_challenge(r, ctx, c, request, 401);
}

/* ---- the second REGISTER ---- */

/* False: answered with 438. */
static bool check_nonce(thirl_server_register *r, thirl_server_context *ctx, thirl_server_conn *c,
                        const thirl_meet_message *m) {
  thirl_server_challenge ch = challenge_of(r, ctx, c);
  thirl_error e = thirl_server_challenge_check(&ch, m->nonce);
  if (e == THIRL_OK) return true;
  if (e == THIRL_E_TIMEOUT) {
    ctx->stats.stale_nonce++;
  } else if (e == THIRL_E_REPLAY) {
    thirl_peerid id = {{0}}; /* whoever it claims to be */
    (void)thirl_peerid_of_public(THIRL_BYTES(m->public_key, sizeof m->public_key), &id);
    thirl_server_alarm_replay(ctx, c, THIRL_SERVER_ALARM_REGISTRATION, &id);
  } else {
    ctx->stats.malformed++;
  }
  send_challenge(r, ctx, c, m, 438);
  return false;
}

/* E_INTEGRITY: id, MAC or signature are wrong. */
static thirl_error prove(const thirl_server_register *r, const thirl_stun_msg *in, const thirl_meet_message *m,
                         thirl_peerid *id, thirl_meet_keys *keys) {
  uint8_t said[THIRL_MEET_SIGNED_MAX];
  thirl_p256 *ephemeral = NULL, *key = NULL;
  thirl_error e = thirl_peerid_of_public(THIRL_BYTES(m->public_key, sizeof m->public_key), id);
  if (e == THIRL_OK && m->has_peer && !thirl_peerid_equal(id, &m->peer)) e = THIRL_E_INTEGRITY;
  if (e == THIRL_OK) e = thirl_p256_from_public(m->ephemeral, &ephemeral);
  if (e == THIRL_OK) e = thirl_meet_message_keys(r->key, ephemeral, m->nonce, id, keys);
  if (e == THIRL_OK) e = thirl_stun_integrity_check256(in, THIRL_BYTES(keys->to_server, sizeof keys->to_server));
  if (e == THIRL_OK) e = thirl_p256_from_public(m->public_key, &key);
  size_t n = thirl_meet_message_signed(m->nonce, r->point, m->ephemeral, said);
  if (e == THIRL_OK) e = thirl_p256_verify(key, THIRL_BYTES(said, n), m->signature);
  thirl_p256_free(key);
  thirl_p256_free(ephemeral);
  return e;
}

static void welcome(thirl_server_context *ctx, thirl_server_peer *p, const thirl_meet_message *m) {
  thirl_meet_message answer = {.cls = THIRL_STUN_SUCCESS,
                               .method = m->method,
                               .has_lifetime = true,
                               .lifetime_s = ctx->limits.idle_timeout_s,
                               .has_mapped = true,
                               .mapped = p->conn->remote};
  memcpy(answer.tid, m->tid, sizeof answer.tid);
  thirl_server_registry_send(ctx, p, &answer);
}

static uint32_t measured_rtt(const thirl_server_context *ctx, const thirl_server_conn *c) {
  return c->has_challenge ? (uint32_t)THIRL_MIN(ctx->now - c->challenged_at, 60 * THIRL_S) : 0;
}

/* 0: the peer is made. */
static unsigned admit(thirl_server_register *r, thirl_server_context *ctx, thirl_server_registry *registry,
                      thirl_server_conn *c, const thirl_stun_msg *in, const thirl_meet_message *m,
                      thirl_server_peer **made, thirl_server_peer **replaced) {
  thirl_peerid id;
  thirl_meet_keys keys;
  if (!m->has_ephemeral || !m->signature.n) return 400;
  if (m->has_offer && m->offer.n && thirl_server_offer_admit(m->offer, &c->remote) != THIRL_OK) return 400;
  if (!thirl_server_budget_table_take(&r->table, ctx->now, &c->remote, THIRL_SERVER_BUDGET_HOST,
                                      ctx->limits.registers_per_second_per_ip)) {
    ctx->stats.limited++;
    return 429;
  }
  if (prove(r, in, m, &id, &keys) != THIRL_OK) {
    ctx->stats.bad_signature++;
    return 403;
  }
  thirl_server_newcomer who = {.conn = c, .id = &id, .keys = &keys, .m = m};
  thirl_error e = thirl_server_registry_add(registry, ctx, &who, made, replaced);
  thirl_bytes_wipe(&keys, sizeof keys);
  if (e == THIRL_OK) return 0;
  ctx->stats.limited++;
  return 508;
}

void thirl_server_register_request(thirl_server_register *r, thirl_server_context *ctx, thirl_server_registry *registry,
                                   thirl_server_conn *c, const thirl_stun_msg *in, const thirl_meet_message *m,
                                   thirl_server_peer **made, thirl_server_peer **replaced) {
  *made = *replaced = NULL;
  /* Once per connection: the same bytes again would begin its counters anew and let old messages in. */
  if (c->has_registered || ctx->is_draining) {
    thirl_server_register_refuse(ctx, c, m, c->has_registered ? 400 : 508);
    return;
  }
  if (!m->has_public || !m->nonce.n) {
    send_challenge(r, ctx, c, m, 401);
    return;
  }
  if (!check_nonce(r, ctx, c, m)) return;
  unsigned code = admit(r, ctx, registry, c, in, m, made, replaced);
  if (code) {
    thirl_server_register_refuse(ctx, c, m, code);
    return;
  }
  thirl_server_peer *p = *made;
  c->has_registered = true;
  p->received = m->has_counter ? m->counter : 0;
  p->rtt_us = m->has_rtt ? m->rtt_us : measured_rtt(ctx, c);
  ctx->stats.registered++;
  welcome(ctx, p, m);
}

void thirl_server_register_update(thirl_server_context *ctx, thirl_server_peer *p, const thirl_meet_message *m,
                                  bool *gone) {
  thirl_meet_message answer = {.cls = THIRL_STUN_SUCCESS, .method = m->method};
  memcpy(answer.tid, m->tid, sizeof answer.tid);
  *gone = m->has_lifetime && m->lifetime_s == 0;
  bool admitted = !m->has_offer || !m->offer.n || thirl_server_offer_admit(m->offer, &p->conn->remote) == THIRL_OK;
  bool kept = admitted && (*gone || thirl_server_registry_set_standing(p, m) == THIRL_OK);
  if (!kept) {
    answer.cls = THIRL_STUN_ERROR;
    answer.error_code = admitted ? 508 : 400;
    ctx->stats.refused++;
  } else {
    if (m->has_rtt) p->rtt_us = m->rtt_us;
    answer.has_lifetime = answer.has_mapped = true;
    answer.lifetime_s = *gone ? 0 : ctx->limits.idle_timeout_s;
    answer.mapped = p->conn->remote;
    ctx->stats.refreshed++;
  }
  *gone = *gone && kept;
  thirl_server_registry_send(ctx, p, &answer);
}
