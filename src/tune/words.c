/* SPDX-License-Identifier: MIT */
#include "tune/words.h"

#include <stddef.h>
#include <string.h>

typedef struct pair {
  const char *word, *sentence;
} pair;

#define PAIR(name, word, sentence) {word, sentence},

static const pair profiles[] = {THIRL_TUNE_PROFILES(PAIR)};
static const pair levels[] = {THIRL_TUNE_LEVELS(PAIR)};
static const pair tenses[] = {THIRL_TUNE_TENSES(PAIR)};
static const pair whys[] = {THIRL_TUNE_WHYS(PAIR)};
static const pair scopes[] = {THIRL_TUNE_SCOPES(PAIR)};

static const pair *look(const pair *table, size_t n, unsigned i) {
  static const pair outside = {"unknown", "unknown"};
  return i < n ? &table[i] : &outside;
}

#define LOOK(table, i) look(table, sizeof table / sizeof *table, (unsigned)(i))

const char *thirl_tune_words_profile(thirl_tune_profile p) {
  return LOOK(profiles, p)->word;
}
const char *thirl_tune_words_say_profile(thirl_tune_profile p) {
  return LOOK(profiles, p)->sentence;
}
bool thirl_tune_words_find_profile(const char *word, thirl_tune_profile *out) {
  for (unsigned i = 0; i < THIRL_TUNE_PROFILE_COUNT; i++) {
    if (strcmp(profiles[i].word, word) != 0) continue;
    *out = (thirl_tune_profile)i;
    return true;
  }
  return false;
}
const char *thirl_tune_words_level(thirl_tune_level l) {
  return LOOK(levels, l)->word;
}
const char *thirl_tune_words_tense(thirl_tune_tense t) {
  return LOOK(tenses, t)->word;
}
const char *thirl_tune_words_why(thirl_tune_why w) {
  return LOOK(whys, w)->word;
}
const char *thirl_tune_words_say_why(thirl_tune_why w) {
  return LOOK(whys, w)->sentence;
}
const char *thirl_tune_words_scope(thirl_tune_scope s) {
  return LOOK(scopes, s)->word;
}
const char *thirl_tune_words_say_scope(thirl_tune_scope s) {
  return LOOK(scopes, s)->sentence;
}
