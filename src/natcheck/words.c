/* SPDX-License-Identifier: MIT */
#include "natcheck/words.h"

#include <stddef.h>

typedef struct pair {
  const char *word, *sentence;
} pair;

#define PAIR(name, word, sentence) {word, sentence},

static const pair mappings[] = {THIRL_NATCHECK_MAPPINGS(PAIR)};
static const pair filterings[] = {THIRL_NATCHECK_FILTERINGS(PAIR)};
static const pair models[] = {THIRL_NATCHECK_ALLOCATIONS(PAIR)};
static const pair whys[] = {THIRL_NATCHECK_WHYS(PAIR)};
static const pair answers[] = {THIRL_NATCHECK_ANSWERS(PAIR)};
static const pair unsoliciteds[] = {THIRL_NATCHECK_UNSOLICITEDS(PAIR)};
static const pair signs[] = {THIRL_NATCHECK_SIGNS(PAIR)};

static const pair *look(const pair *table, size_t n, unsigned i) {
  static const pair outside = {"unknown", "unknown"};
  return i < n ? &table[i] : &outside;
}

#define LOOK(table, i) look(table, sizeof table / sizeof *table, (unsigned)(i))

const char *thirl_natcheck_words_mapping(thirl_natcheck_mapping m) {
  return LOOK(mappings, m)->word;
}
const char *thirl_natcheck_words_filtering(thirl_natcheck_filtering f) {
  return LOOK(filterings, f)->word;
}
const char *thirl_natcheck_words_model(thirl_natcheck_model m) {
  return LOOK(models, m)->word;
}
const char *thirl_natcheck_words_why(thirl_natcheck_why w) {
  return LOOK(whys, w)->word;
}
const char *thirl_natcheck_words_answer(thirl_natcheck_answer a) {
  return LOOK(answers, a)->word;
}
const char *thirl_natcheck_words_unsolicited(thirl_natcheck_unsolicited u) {
  return LOOK(unsoliciteds, u)->word;
}
const char *thirl_natcheck_words_say_mapping(thirl_natcheck_mapping m) {
  return LOOK(mappings, m)->sentence;
}
const char *thirl_natcheck_words_say_filtering(thirl_natcheck_filtering f) {
  return LOOK(filterings, f)->sentence;
}
const char *thirl_natcheck_words_say_model(thirl_natcheck_model m) {
  return LOOK(models, m)->sentence;
}
const char *thirl_natcheck_words_say_why(thirl_natcheck_why w) {
  return LOOK(whys, w)->sentence;
}
const char *thirl_natcheck_words_say_unsolicited(thirl_natcheck_unsolicited u) {
  return LOOK(unsoliciteds, u)->sentence;
}
const char *thirl_natcheck_words_sign(thirl_natcheck_sign s) {
  return LOOK(signs, s)->word;
}
const char *thirl_natcheck_words_say_sign(thirl_natcheck_sign s) {
  return LOOK(signs, s)->sentence;
}

const char *thirl_natcheck_words_classic(thirl_natcheck_mapping m, thirl_natcheck_filtering f) {
  static const char *const cones[] = {"cone", "full cone", "restricted cone", "port restricted cone"};
  switch (m) {
  case THIRL_NATCHECK_NO_MAPPING:
    if (f == THIRL_NATCHECK_FILTERING_UNKNOWN) return "no NAT";
    return f == THIRL_NATCHECK_EIF ? "open internet" : "symmetric firewall";
  case THIRL_NATCHECK_EIM:
    return (unsigned)f < 4 ? cones[f] : cones[0];
  case THIRL_NATCHECK_ADM:
  case THIRL_NATCHECK_APDM:
    return "symmetric";
  default:
    return "unknown";
  }
}
