/* SPDX-License-Identifier: MIT */
/* Consent freshness, over UDP and TCP alike. Each check is sent once: the next one is its repetition. */
#include "ice/consent.h"

#include <string.h>

#include "ice/check.h"
#include "ice/link.h"
#include "ice/message.h"

#define INTERVAL_MIN   (4 * THIRL_S)
#define INTERVAL_RANGE (2 * THIRL_S)
#define LIFETIME       (30 * THIRL_S)

static void plan(thirl_ice *a) {
  a->consent.next_at = thirl_time_after(a->now, INTERVAL_MIN + thirl_dice_below(&a->dice, INTERVAL_RANGE + 1));
}

void thirl_ice_consent_start(thirl_ice *a) {
  a->consent.sent = 0;
  a->consent.expires_at = thirl_time_after(a->now, LIFETIME);
  plan(a);
}

static void send_check(thirl_ice *a, const thirl_ice_flow *f) {
  const thirl_ice_candidate *l = &a->locals[a->pairs[f->pair].local];
  thirl_ice_message m = {
      .cls = THIRL_STUN_REQUEST, .role = a->controlling, .priority = thirl_ice_candidate_prflx_priority(l)};
  uint8_t *tid = a->consent.tids[a->consent.sent++ % THIRL_ICE_CONSENTS];
  thirl_secrets_fill(a->cfg.secrets, tid, THIRL_STUN_TID_LEN);
  memcpy(m.tid, tid, sizeof m.tid);
  a->evidence.checks++;
  thirl_ice_check_send(a, f->link, &f->local, &f->remote, &m);
}

void thirl_ice_consent_tick(thirl_ice *a, thirl_ice_flow *selected) {
  if (a->consent.expires_at <= a->now) {
    a->evidence.timeouts++;
    thirl_ice_link_abort(a, selected, THIRL_E_TIMEOUT);
  } else if (a->consent.next_at <= a->now) {
    send_check(a, selected);
    plan(a);
  }
}

bool thirl_ice_consent_answered(thirl_ice *a, const thirl_stun_msg *m) {
  unsigned n = THIRL_MIN(a->consent.sent, (unsigned)THIRL_ICE_CONSENTS);
  for (unsigned i = 0; i < n; i++) {
    if (!thirl_stun_msg_same_tid(m, a->consent.tids[i])) continue;
    if (m->cls == THIRL_STUN_SUCCESS && thirl_ice_message_is_proven(a, m))
      a->consent.expires_at = thirl_time_after(a->now, LIFETIME);
    return true;
  }
  return false;
}

thirl_time thirl_ice_consent_deadline(const thirl_ice *a) {
  return THIRL_MIN(a->consent.next_at, a->consent.expires_at);
}
