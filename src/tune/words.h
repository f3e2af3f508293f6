/* SPDX-License-Identifier: MIT */
/* The words of terms.h. Never NULL. */
#ifndef THIRL_TUNE_WORDS_H
#define THIRL_TUNE_WORDS_H

#include <stdbool.h>

#include "tune/terms.h"

const char *thirl_tune_words_profile(thirl_tune_profile p);
const char *thirl_tune_words_say_profile(thirl_tune_profile p);
/** False: there is no such profile. */
bool thirl_tune_words_find_profile(const char *word, thirl_tune_profile *out);
const char *thirl_tune_words_level(thirl_tune_level l);
const char *thirl_tune_words_tense(thirl_tune_tense t);
const char *thirl_tune_words_why(thirl_tune_why w);
const char *thirl_tune_words_say_why(thirl_tune_why w);
const char *thirl_tune_words_scope(thirl_tune_scope s);
const char *thirl_tune_words_say_scope(thirl_tune_scope s);

#endif
