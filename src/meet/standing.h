/* SPDX-License-Identifier: MIT */
/* What a peer leaves at the server: its standing offer (consent travels ahead) and the checks of the tickets it has given out. A value. */
#ifndef THIRL_MEET_STANDING_H
#define THIRL_MEET_STANDING_H

#include "meet/message.h"

/** Zeroed: nothing is left, and there is nothing to tell. */
typedef struct thirl_meet_standing {
  uint8_t offer[THIRL_MEET_OFFER_MAX]; /* encoded */
  size_t offer_n;                      /* 0: none */
  uint8_t checks[THIRL_MEET_CHECKS_MAX][THIRL_MEET_CHECK_LEN];
  size_t n_checks;
  bool is_new; /* the server has not been told yet */
} thirl_meet_standing;

/** Replaces all of it; offer may be NULL. E_RANGE, and nothing changes: too many checks, an offer that cannot be encoded. */
thirl_error thirl_meet_standing_set(thirl_meet_standing *s, const thirl_meet_offer *offer,
                                    const uint8_t (*checks)[THIRL_MEET_CHECK_LEN], size_t n_checks);
bool thirl_meet_standing_is_empty(const thirl_meet_standing *s);
/** Into a message, which borrows s. What is empty is said too: it takes back what the server has. */
void thirl_meet_standing_put(const thirl_meet_standing *s, thirl_meet_message *m);

#endif
