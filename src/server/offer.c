/* SPDX-License-Identifier: MIT */
#include "server/offer.h"

#include <string.h>

#include "meet/offer.h"

static bool is_loopback(const thirl_addr *a) {
  static const uint8_t one[16] = {[15] = 1};
  return a->family == THIRL_FAMILY_V4 ? a->ip[0] == 127
                                      : a->family == THIRL_FAMILY_V6 && memcmp(a->ip, one, sizeof one) == 0;
}

static bool is_admissible(const thirl_meet_candidate *c, const thirl_addr *sender) {
  thirl_addr plain = thirl_addr_unmap(c->addr);
  bool local = plain.port && is_loopback(&plain) && is_loopback(sender);
  if (!local && !thirl_addr_is_probeable(&plain)) return false;
  bool reflexive = c->type == THIRL_MEET_SRFLX || c->type == THIRL_MEET_PRFLX;
  return !reflexive || thirl_addr_same_ip(&plain, sender);
}

thirl_error thirl_server_offer_admit(thirl_bytes offer, const thirl_addr *sender) {
  thirl_meet_offer o;
  if (thirl_meet_offer_decode(offer, &o) != THIRL_OK) return THIRL_E_MALFORMED;
  for (size_t i = 0; i < o.n; i++)
    if (!is_admissible(&o.candidates[i], sender)) return THIRL_E_INVALID;
  return THIRL_OK;
}
