/* SPDX-License-Identifier: MIT */
#include "meet/standing.h"

#include <string.h>

thirl_error thirl_meet_standing_set(thirl_meet_standing *s, const thirl_meet_offer *offer,
                                    const uint8_t (*checks)[THIRL_MEET_CHECK_LEN], size_t n_checks) {
  thirl_meet_standing new = {.n_checks = n_checks, .is_new = true};
  if (n_checks > THIRL_MEET_CHECKS_MAX) return THIRL_E_RANGE;
  if (n_checks) memcpy(new.checks, checks, n_checks * sizeof *checks);
  if (offer && thirl_meet_offer_encode(offer, new.offer, sizeof new.offer, &new.offer_n) != THIRL_OK)
    return THIRL_E_RANGE;
  *s = new;
  return THIRL_OK;
}

bool thirl_meet_standing_is_empty(const thirl_meet_standing *s) {
  return s->offer_n == 0 && s->n_checks == 0;
}

void thirl_meet_standing_put(const thirl_meet_standing *s, thirl_meet_message *m) {
  m->has_offer = m->has_checks = true;
  m->offer = THIRL_BYTES(s->offer, s->offer_n);
  m->n_checks = s->n_checks;
  memcpy(m->checks, s->checks, sizeof m->checks);
}
