/* SPDX-License-Identifier: MIT */
#include "lab/text/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

thirl_error thirl_lab_words_complain(thirl_lab_complaint *why, thirl_error e, const char *format, ...) {
  if (!why) return e;
  va_list list;
  va_start(list, format);
  vsnprintf(why->text, sizeof why->text, format, list);
  va_end(list);
  for (char *c = why->text; *c; c++)
    if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '?';
  return e;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* What is behind "--", up to the end of the line. */
static const char *take_rest(char *from) {
  while (is_blank(*from))
    from++;
  size_t n = strlen(from);
  while (n > 0 && is_blank(from[n - 1]))
    n--;
  from[n] = '\0';
  return from;
}

thirl_error thirl_lab_words_split(const char *line, size_t len, thirl_lab_words *out, thirl_lab_complaint *why) {
  memset(out, 0, sizeof *out);
  if (len > 0 && line[len - 1] == '\r') len--;
  if (len >= sizeof out->copy)
    return thirl_lab_words_complain(why, THIRL_E_LIMIT, "this line is longer than %d bytes", THIRL_LAB_LINE_MAX - 1);
  for (size_t i = 0; i < len; i++)
    if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
      return thirl_lab_words_complain(why, THIRL_E_SYNTAX, "there is a character that cannot be printed (0x%02x)",
                                      (unsigned char)line[i]);
  memcpy(out->copy, line, len);
  for (char *c = out->copy; *c;) {
    if (is_blank(*c)) {
      *c++ = '\0';
      continue;
    }
    if (*c == '#') break;
    if (out->n == THIRL_LAB_WORDS_MAX)
      return thirl_lab_words_complain(why, THIRL_E_LIMIT, "there are more than %d words in this line",
                                      THIRL_LAB_WORDS_MAX);
    char *word = c;
    while (*c && !is_blank(*c))
      c++;
    if (c - word == 2 && word[0] == '-' && word[1] == '-') {
      out->rest = take_rest(c);
      *word = '\0';
      break;
    }
    out->word[out->n++] = word;
  }
  return THIRL_OK;
}

bool thirl_lab_words_is_name(const char *word, size_t max) {
  size_t n = strlen(word);
  if (n == 0 || n > max || *word == '-') return false;
  for (; *word; word++)
    if (!is_digit(*word) && !(*word >= 'a' && *word <= 'z') && !(*word >= 'A' && *word <= 'Z') && *word != '-')
      return false;
  return true;
}

bool thirl_lab_words_number(const char *text, uint64_t least, uint64_t most, uint64_t *out) {
  uint64_t v = 0;
  if (!*text) return false;
  for (; *text; text++) {
    if (!is_digit(*text)) return false;
    uint64_t digit = (uint64_t)(*text - '0');
    if (v > (UINT64_MAX - digit) / 10) return false;
    v = v * 10 + digit;
  }
  if (v < least || v > most) return false;
  *out = v;
  return true;
}

typedef struct unit {
  const char *name;
  double scale;
} unit;

/* digits[.digits]unit, at most 1e15 of the smallest. Not strtod, which takes "inf", "0x1p3" and the user's comma. */
static bool scaled(const char *text, const unit *units, double *out) {
  double v = 0, place = 1;
  if (!is_digit(*text)) return false;
  for (; is_digit(*text) && v < 1e15; text++)
    v = v * 10 + (*text - '0');
  if (*text == '.') {
    if (!is_digit(text[1])) return false;
    for (text++; is_digit(*text); text++) {
      place /= 10;
      v += place * (*text - '0');
    }
  }
  for (; units->name; units++) {
    if (strcmp(units->name, text) != 0) continue;
    if (v * units->scale > 1e15) return false;
    *out = v * units->scale;
    return true;
  }
  return false;
}

bool thirl_lab_words_time(const char *text, thirl_time bare, thirl_time *out) {
  const unit units[] = {
      {"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}, {"h", 3600e6}, {bare > 0 ? "" : NULL, (double)bare}, {NULL, 0}};
  double v;
  if (!scaled(text, units, &v)) return false;
  *out = (thirl_time)(v + 0.5);
  return true;
}

bool thirl_lab_words_share(const char *text, double *out) {
  static const unit units[] = {{"%", 0.01}, {NULL, 0}};
  double v;
  if (!scaled(text, units, &v) || v > 1) return false;
  *out = v;
  return true;
}

bool thirl_lab_words_size(const char *text, uint64_t *out) {
  static const unit units[] = {{"", 1}, {"K", 1024}, {"M", 1024 * 1024}, {NULL, 0}};
  double v;
  if (!scaled(text, units, &v)) return false;
  *out = (uint64_t)v;
  return true;
}

bool thirl_lab_words_rate(const char *text, uint64_t *out) {
  static const unit units[] = {{"bit", 1}, {"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {NULL, 0}};
  double v;
  if (!scaled(text, units, &v)) return false;
  *out = (uint64_t)v;
  return true;
}

bool thirl_lab_words_choose(const thirl_lab_words_choice *choices, const char *word, unsigned *out) {
  for (; choices->word; choices++) {
    if (strcmp(choices->word, word) != 0) continue;
    *out = choices->value;
    return true;
  }
  return false;
}

const char *thirl_lab_words_name_of(const thirl_lab_words_choice *choices, unsigned value) {
  for (; choices->word; choices++)
    if (choices->value == value) return choices->word;
  return "?";
}

const char *thirl_lab_words_list(const thirl_lab_words_choice *choices, char *out, size_t size) {
  size_t used = 0;
  *out = '\0';
  for (size_t i = 0; choices[i].word; i++) {
    const char *between = i == 0 ? "" : choices[i + 1].word ? ", " : " or ";
    int n = snprintf(out + used, size - used, "%s%s", between, choices[i].word);
    if (n < 0 || (size_t)n >= size - used) break;
    used += (size_t)n;
  }
  return out;
}
