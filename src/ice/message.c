/* SPDX-License-Identifier: MIT */
/*
 * Bytes of checks. A request carries what RFC 8445 7.1 asks for:
 *
 *   USERNAME (theirs:ours)  PRIORITY  ICE-CONTROLLING | ICE-CONTROLLED  [USE-CANDIDATE]  MESSAGE-INTEGRITY (their password)  FINGERPRINT
 *
 * and a response XOR-MAPPED-ADDRESS, MESSAGE-INTEGRITY (the password of the one who answers) and FINGERPRINT.
 */
#include "ice/message.h"

#include <string.h>

#include "stun/integrity.h"
#include "stun/writer.h"

static thirl_bytes text(const char *s) {
  return THIRL_BYTES(s, strlen(s));
}

static void put_request(const thirl_ice *a, const thirl_ice_message *m, thirl_stun_writer *w) {
  char username[2 * THIRL_ICE_CREDENTIAL_MAX + 2];
  size_t theirs = strlen(a->remote_ufrag), ours = strlen(a->ufrag);
  memcpy(username, a->remote_ufrag, theirs);
  username[theirs] = ':';
  memcpy(username + theirs + 1, a->ufrag, ours);
  thirl_stun_writer_bytes(w, THIRL_STUN_ATTR_USERNAME, THIRL_BYTES(username, theirs + 1 + ours));
  thirl_stun_writer_u32(w, THIRL_STUN_ATTR_PRIORITY, m->priority);
  thirl_stun_writer_u64(w, m->role ? THIRL_STUN_ATTR_ICE_CONTROLLING : THIRL_STUN_ATTR_ICE_CONTROLLED, a->tie_breaker);
  if (m->nominate) thirl_stun_writer_flag(w, THIRL_STUN_ATTR_USE_CANDIDATE);
  thirl_stun_writer_integrity(w, text(a->remote_pwd));
}

static const char *reason_of(unsigned code) {
  switch (code) {
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthenticated";
  case 420:
    return "Unknown Attribute";
  case 487:
    return "Role Conflict";
  default:
    return "";
  }
}

static void put_response(const thirl_ice *a, const thirl_ice_message *m, thirl_stun_writer *w) {
  if (m->cls == THIRL_STUN_SUCCESS) {
    thirl_stun_writer_xor_addr(w, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &m->mapped);
  } else {
    thirl_stun_writer_error(w, m->code, reason_of(m->code));
    if (m->n_unknown) thirl_stun_writer_unknown(w, m->unknown, m->n_unknown);
  }
  if (m->signed_) thirl_stun_writer_integrity(w, text(a->pwd));
}

thirl_error thirl_ice_message_build(thirl_ice *a, const thirl_ice_message *m, thirl_bytes *out) {
  thirl_stun_writer w;
  thirl_stun_writer_init(&w, a->payload, sizeof a->payload, m->cls, THIRL_STUN_METHOD_BINDING, m->tid);
  if (m->cls == THIRL_STUN_REQUEST)
    put_request(a, m, &w);
  else
    put_response(a, m, &w);
  thirl_stun_writer_fingerprint(&w);
  return thirl_stun_writer_finish(&w, out);
}

/* "ours:theirs"; before the peer's credentials have come, any second half will do (RFC 8445 7.3). */
static bool username_is_right(const thirl_ice *a, thirl_bytes username) {
  size_t ours = strlen(a->ufrag);
  if (username.n < ours + 1 || username.p[ours] != ':' || memcmp(username.p, a->ufrag, ours) != 0) return false;
  if (!a->has_remote) return true;
  return thirl_bytes_equal(THIRL_BYTES(username.p + ours + 1, username.n - ours - 1), text(a->remote_ufrag));
}

thirl_ice_verdict thirl_ice_message_judge_request(const thirl_ice *a, const thirl_stun_msg *m) {
  thirl_bytes username;
  if (!thirl_stun_msg_find(m, THIRL_STUN_ATTR_USERNAME, &username)) return THIRL_ICE_VERDICT_BAD_REQUEST;
  if (!username_is_right(a, username)) return THIRL_ICE_VERDICT_UNAUTHORIZED;
  thirl_error e = thirl_stun_integrity_check(m, text(a->pwd));
  if (e == THIRL_E_NOT_FOUND) return THIRL_ICE_VERDICT_BAD_REQUEST;
  if (e) return THIRL_ICE_VERDICT_UNAUTHORIZED;
  return m->n_unknown ? THIRL_ICE_VERDICT_UNKNOWN : THIRL_ICE_VERDICT_OK;
}

bool thirl_ice_message_is_proven(const thirl_ice *a, const thirl_stun_msg *m) {
  return a->has_remote && thirl_stun_integrity_check(m, text(a->remote_pwd)) == THIRL_OK;
}
