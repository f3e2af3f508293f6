/* SPDX-License-Identifier: MIT */
/* Rendezvous messages to STUN and back; the keys and the signed bytes of a registration. Which message may carry what is the halves' business. */
#include "meet/message.h"

#include <string.h>

#include "base/hash.h"
#include "stun/stream.h"
#include "stun/writer.h"

/* ---- writing ---- */

static bool is_channel(uint16_t channel) {
  return channel >= THIRL_STUN_CHANNEL_MIN && channel <= THIRL_STUN_CHANNEL_MAX;
}

static bool is_encodable(const thirl_meet_message *m) {
  if (m->cls == THIRL_STUN_ERROR ? m->error_code < 300 || m->error_code > 699 : m->error_code != 0) return false;
  if (m->has_offer && m->offer.n > THIRL_MEET_OFFER_MAX) return false;
  if (m->nonce.n > THIRL_MEET_NONCE_MAX || m->signature.n > THIRL_P256_SIGNATURE_MAX) return false;
  if (m->has_checks && m->n_checks > THIRL_MEET_CHECKS_MAX) return false;
  if (m->has_mapped && !thirl_addr_is_set(&m->mapped)) return false;
  return !m->has_channel || is_channel(m->channel);
}

static void put(thirl_stun_writer *w, bool has, uint16_t type, const void *p, size_t n) {
  if (has) thirl_stun_writer_bytes(w, type, THIRL_BYTES(p, n));
}

static void put_u32(thirl_stun_writer *w, bool has, uint16_t type, uint32_t v) {
  if (has) thirl_stun_writer_u32(w, type, v);
}

/* In the order of the struct. */
static void put_fields(thirl_stun_writer *w, const thirl_meet_message *m) {
  put(w, m->has_peer, THIRL_STUN_ATTR_THIRL_PEER_ID, m->peer.b, sizeof m->peer.b);
  put(w, m->has_session, THIRL_STUN_ATTR_THIRL_SESSION_ID, m->session, sizeof m->session);
  put(w, m->has_proof, THIRL_STUN_ATTR_THIRL_TICKET_PROOF, m->proof, sizeof m->proof);
  put(w, m->has_offer_mac, THIRL_STUN_ATTR_THIRL_OFFER_MAC, m->offer_mac, sizeof m->offer_mac);
  put(w, m->has_offer, THIRL_STUN_ATTR_THIRL_OFFER, m->offer.p, m->offer.n);
  put(w, m->nonce.n != 0, THIRL_STUN_ATTR_NONCE, m->nonce.p, m->nonce.n);
  put(w, m->signature.n != 0, THIRL_STUN_ATTR_THIRL_SIGNATURE, m->signature.p, m->signature.n);
  put(w, m->has_public, THIRL_STUN_ATTR_THIRL_PUBLIC_KEY, m->public_key, sizeof m->public_key);
  put(w, m->has_ephemeral, THIRL_STUN_ATTR_THIRL_EPHEMERAL_KEY, m->ephemeral, sizeof m->ephemeral);
  put(w, m->has_checks, THIRL_STUN_ATTR_THIRL_TICKET_CHECK, m->checks, m->n_checks * THIRL_MEET_CHECK_LEN);
  /* CHANNEL-NUMBER: 16 bits of number, 16 of zeroes. RFC 8656 section 18.1 */
  put_u32(w, m->has_channel, THIRL_STUN_ATTR_CHANNEL_NUMBER, (uint32_t)m->channel << 16);
  put_u32(w, m->has_fire_in, THIRL_STUN_ATTR_THIRL_FIRE_IN, m->fire_in_us);
  put_u32(w, m->has_credit, THIRL_STUN_ATTR_THIRL_CREDIT, m->credit);
  put_u32(w, m->has_reason, THIRL_STUN_ATTR_THIRL_REASON, m->reason);
  put_u32(w, m->has_rtt, THIRL_STUN_ATTR_THIRL_RTT, m->rtt_us);
  put_u32(w, m->has_lifetime, THIRL_STUN_ATTR_LIFETIME, m->lifetime_s);
  if (m->has_counter) thirl_stun_writer_u64(w, THIRL_STUN_ATTR_THIRL_COUNTER, m->counter);
  if (m->has_mapped) thirl_stun_writer_xor_addr(w, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &m->mapped);
  if (m->cls == THIRL_STUN_ERROR) thirl_stun_writer_error(w, m->error_code, "");
}

thirl_error thirl_meet_message_encode(const thirl_meet_message *m, const uint8_t *key, uint8_t *out, size_t cap,
                                      size_t *n) {
  thirl_stun_writer w;
  thirl_bytes done;
  *n = 0;
  if (!is_encodable(m)) return THIRL_E_RANGE;
  thirl_stun_writer_init(&w, out, cap, m->cls, m->method, m->tid);
  put_fields(&w, m);
  if (key) thirl_stun_writer_integrity256(&w, THIRL_BYTES(key, THIRL_MEET_KEY_LEN));
  thirl_stun_writer_fingerprint(&w);
  thirl_error e = thirl_stun_writer_finish(&w, &done);
  if (e == THIRL_OK) *n = done.n;
  return e;
}

/* ---- reading ---- */

/* Each get_* gives false for a field that is there and wrong. */

static bool there(thirl_error e, bool *has) {
  *has = e == THIRL_OK;
  return e == THIRL_OK || e == THIRL_E_NOT_FOUND;
}

static bool get_fixed(const thirl_stun_msg *in, uint16_t type, void *out, size_t n, bool *has) {
  return there(thirl_stun_msg_get_fixed(in, type, out, n), has);
}

static bool get_u32(const thirl_stun_msg *in, uint16_t type, uint32_t *out, bool *has) {
  return there(thirl_stun_msg_get_u32(in, type, out), has);
}

/* A view of min..max bytes. */
static bool get_view(const thirl_stun_msg *in, uint16_t type, size_t min, size_t max, thirl_bytes *out, bool *has) {
  thirl_bytes v;
  *has = thirl_stun_msg_find(in, type, &v);
  if (!*has) return true;
  *out = v;
  return v.n >= min && v.n <= max;
}

static bool get_checks(const thirl_stun_msg *in, thirl_meet_message *out) {
  thirl_bytes v = {NULL, 0};
  if (!get_view(in, THIRL_STUN_ATTR_THIRL_TICKET_CHECK, 0, sizeof out->checks, &v, &out->has_checks)) return false;
  if (v.n % THIRL_MEET_CHECK_LEN != 0) return false;
  out->n_checks = v.n / THIRL_MEET_CHECK_LEN;
  if (v.n) memcpy(out->checks, v.p, v.n);
  return true;
}

static bool get_channel(const thirl_stun_msg *in, thirl_meet_message *out) {
  uint32_t v;
  if (!get_u32(in, THIRL_STUN_ATTR_CHANNEL_NUMBER, &v, &out->has_channel)) return false;
  out->channel = (uint16_t)(v >> 16); /* the other 16 bits are ignored, RFC 8656 section 18.1 */
  return !out->has_channel || is_channel(out->channel);
}

static bool get_error(const thirl_stun_msg *in, thirl_meet_message *out) {
  return in->cls != THIRL_STUN_ERROR || thirl_stun_msg_get_error(in, &out->error_code, NULL) == THIRL_OK;
}

static bool get_bytes_fields(const thirl_stun_msg *in, thirl_meet_message *out) {
  bool has;
  return get_fixed(in, THIRL_STUN_ATTR_THIRL_PEER_ID, out->peer.b, sizeof out->peer.b, &out->has_peer) &&
         get_fixed(in, THIRL_STUN_ATTR_THIRL_SESSION_ID, out->session, sizeof out->session, &out->has_session) &&
         get_fixed(in, THIRL_STUN_ATTR_THIRL_TICKET_PROOF, out->proof, sizeof out->proof, &out->has_proof) &&
         get_fixed(in, THIRL_STUN_ATTR_THIRL_OFFER_MAC, out->offer_mac, sizeof out->offer_mac, &out->has_offer_mac) &&
         get_view(in, THIRL_STUN_ATTR_THIRL_OFFER, 0, THIRL_MEET_OFFER_MAX, &out->offer, &out->has_offer) &&
         get_view(in, THIRL_STUN_ATTR_NONCE, 1, THIRL_MEET_NONCE_MAX, &out->nonce, &has) &&
         get_view(in, THIRL_STUN_ATTR_THIRL_SIGNATURE, 1, THIRL_P256_SIGNATURE_MAX, &out->signature, &has) &&
         get_fixed(in, THIRL_STUN_ATTR_THIRL_PUBLIC_KEY, out->public_key, sizeof out->public_key, &out->has_public) &&
         get_fixed(in, THIRL_STUN_ATTR_THIRL_EPHEMERAL_KEY, out->ephemeral, sizeof out->ephemeral,
                   &out->has_ephemeral) &&
         get_checks(in, out);
}

static bool get_number_fields(const thirl_stun_msg *in, thirl_meet_message *out) {
  return get_channel(in, out) && get_u32(in, THIRL_STUN_ATTR_THIRL_FIRE_IN, &out->fire_in_us, &out->has_fire_in) &&
         get_u32(in, THIRL_STUN_ATTR_THIRL_CREDIT, &out->credit, &out->has_credit) &&
         get_u32(in, THIRL_STUN_ATTR_THIRL_REASON, &out->reason, &out->has_reason) &&
         get_u32(in, THIRL_STUN_ATTR_THIRL_RTT, &out->rtt_us, &out->has_rtt) &&
         get_u32(in, THIRL_STUN_ATTR_LIFETIME, &out->lifetime_s, &out->has_lifetime) &&
         there(thirl_stun_msg_get_u64(in, THIRL_STUN_ATTR_THIRL_COUNTER, &out->counter), &out->has_counter) &&
         there(thirl_stun_msg_get_xor_addr(in, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &out->mapped), &out->has_mapped) &&
         get_error(in, out);
}

thirl_error thirl_meet_message_decode(const thirl_stun_msg *in, thirl_meet_message *out) {
  memset(out, 0, sizeof *out);
  if (in->n_unknown) return THIRL_E_UNSUPPORTED;
  out->cls = in->cls;
  out->method = in->method;
  memcpy(out->tid, in->tid, sizeof out->tid);
  if (get_bytes_fields(in, out) && get_number_fields(in, out)) return THIRL_OK;
  memset(out, 0, sizeof *out);
  return THIRL_E_MALFORMED;
}

/* ---- keys ---- */

thirl_error thirl_meet_message_keys(const thirl_p256 *mine, const thirl_p256 *theirs, thirl_bytes nonce,
                                    const thirl_peerid *peer, thirl_meet_keys *out) {
  static const char label[] = "thirl meet v1";
  uint8_t shared[THIRL_P256_SHARED_LEN], both[2 * THIRL_MEET_KEY_LEN], info[sizeof label - 1 + THIRL_PEERID_LEN];
  memset(out, 0, sizeof *out);
  memcpy(info, label, sizeof label - 1);
  memcpy(info + sizeof label - 1, peer->b, sizeof peer->b);
  thirl_error e = thirl_p256_agree(mine, theirs, shared);
  if (e == THIRL_OK)
    e = thirl_hash_hkdf(THIRL_BYTES(shared, sizeof shared), nonce, THIRL_BYTES(info, sizeof info), both, sizeof both);
  if (e == THIRL_OK) {
    memcpy(out->to_server, both, THIRL_MEET_KEY_LEN);
    memcpy(out->to_client, both + THIRL_MEET_KEY_LEN, THIRL_MEET_KEY_LEN);
  }
  thirl_bytes_wipe(shared, sizeof shared);
  thirl_bytes_wipe(both, sizeof both);
  return e;
}

size_t thirl_meet_message_signed(thirl_bytes nonce, const uint8_t server_key[THIRL_P256_PUBLIC_LEN],
                                 const uint8_t ephemeral[THIRL_P256_PUBLIC_LEN], uint8_t *out) {
  static const char label[] = "thirl register v1";
  thirl_writer w = thirl_writer_of(out, THIRL_MEET_SIGNED_MAX);
  thirl_writer_copy(&w, label, sizeof label - 1);
  thirl_writer_bytes(&w, nonce);
  thirl_writer_copy(&w, server_key, THIRL_P256_PUBLIC_LEN);
  thirl_writer_copy(&w, ephemeral, THIRL_P256_PUBLIC_LEN);
  return thirl_writer_done(&w).n;
}
