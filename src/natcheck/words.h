/* SPDX-License-Identifier: MIT */
/* The words for what a report holds. */
#ifndef THIRL_NATCHECK_WORDS_H
#define THIRL_NATCHECK_WORDS_H

#include "natcheck/terms.h"

/* A word for programs, stable; "unknown" for a number outside of the list. */
const char *thirl_natcheck_words_mapping(thirl_natcheck_mapping m);
const char *thirl_natcheck_words_filtering(thirl_natcheck_filtering f);
const char *thirl_natcheck_words_model(thirl_natcheck_model m);
const char *thirl_natcheck_words_why(thirl_natcheck_why w);
const char *thirl_natcheck_words_answer(thirl_natcheck_answer a);
const char *thirl_natcheck_words_unsolicited(thirl_natcheck_unsolicited u);
const char *thirl_natcheck_words_sign(thirl_natcheck_sign s);

/* The same for a person. */
const char *thirl_natcheck_words_say_mapping(thirl_natcheck_mapping m);
const char *thirl_natcheck_words_say_filtering(thirl_natcheck_filtering f);
const char *thirl_natcheck_words_say_model(thirl_natcheck_model m);
const char *thirl_natcheck_words_say_why(thirl_natcheck_why w);
const char *thirl_natcheck_words_say_unsolicited(thirl_natcheck_unsolicited u);
const char *thirl_natcheck_words_say_sign(thirl_natcheck_sign s);

/**
 * The name that RFC 3489 had for the two together: "open internet", "full cone", "restricted cone", "port restricted cone", "symmetric",
 * "symmetric firewall"; "cone" or "no NAT" when only the mapping is known; "unknown".
 */
const char *thirl_natcheck_words_classic(thirl_natcheck_mapping m, thirl_natcheck_filtering f);

#endif
