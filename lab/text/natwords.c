/* SPDX-License-Identifier: MIT */
#include "lab/text/natwords.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "natbox/words.h"

#define DEFAULT_PRESET "portrestricted"

thirl_natbox_config thirl_lab_natwords_default(thirl_addr external) {
  thirl_natbox_config c = {0};
  thirl_error e = thirl_natbox_config_preset(DEFAULT_PRESET, external, &c);
  assert(e == THIRL_OK);
  (void)e;
  return c;
}

static thirl_error complain_about_preset(const char *name, thirl_lab_complaint *why) {
  char list[THIRL_LAB_COMPLAINT_MAX] = "";
  size_t used = 0;
  const char *known;
  for (unsigned i = 0; (known = thirl_natbox_config_preset_name(i)) && used < sizeof list; i++)
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", known);
  return thirl_lab_words_complain(why, THIRL_E_SYNTAX, "there is no preset \"%.30s\": %s", name, list);
}

static thirl_error complain_about_word(const char *word, thirl_lab_complaint *why) {
  char list[THIRL_LAB_COMPLAINT_MAX] = "";
  size_t used = 0, n = strcspn(word, "=");
  const thirl_natbox_word *known;
  for (unsigned i = 0; (known = thirl_natbox_words_get(i)) && used < sizeof list; i++)
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", known->name);
  return thirl_lab_words_complain(why, THIRL_E_SYNTAX, "\"%.*s\" is nothing that a NAT can have: %s",
                                  (int)(n < 30 ? n : 30), word, list);
}

thirl_error thirl_lab_natwords_set(thirl_natbox_config *c, const char *word, thirl_lab_complaint *why) {
  const thirl_natbox_word *which = NULL;
  const char *equals = strchr(word, '=');
  thirl_error e = thirl_natbox_words_set(c, word, strlen(word), &which);
  if (e == THIRL_OK) return THIRL_OK;
  if (!which || !equals) return complain_about_word(word, why);
  if (strcmp(which->name, "preset") == 0) return complain_about_preset(equals + 1, why);
  return thirl_lab_words_complain(why, e, "%s wants %s, not \"%.40s\"%s", which->name, which->values, equals + 1,
                                  e == THIRL_E_RANGE ? ": too small or too large" : "");
}

/* Words are what a reader has to take in: a preset that leaves fewer of them says more. */
static size_t count_words(const char *text) {
  size_t n = *text ? 1 : 0;
  for (; *text; text++)
    n += *text == ' ';
  return n;
}

const char *thirl_lab_natwords_format(const thirl_natbox_config *c, char *out, size_t size) {
  char words[THIRL_NATBOX_WORDS_MAX], best[THIRL_NATBOX_WORDS_MAX] = "";
  const char *name, *best_name = NULL;
  for (unsigned i = 0; (name = thirl_natbox_config_preset_name(i)); i++) {
    thirl_natbox_config base = thirl_lab_natwords_default(c->external);
    if (thirl_natbox_config_preset(name, c->external, &base) != THIRL_OK) continue;
    if (thirl_natbox_words_format(c, &base, words, sizeof words) != THIRL_OK) continue;
    if (best_name && count_words(words) >= count_words(best)) continue;
    best_name = name;
    memcpy(best, words, sizeof best);
  }
  snprintf(out, size, "preset=%s%s%s", best_name ? best_name : DEFAULT_PRESET, *best ? " " : "", best);
  return out;
}
