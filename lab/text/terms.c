/* SPDX-License-Identifier: MIT */
#include "lab/text/terms.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef enum kind { TIME, SHARE, SIZE, RATE, MTU, BURST, FLAG } kind;

typedef struct row {
  const char *word;
  kind kind;
  size_t offset;
  const char *wants;
} row;

#define FIELD(name) offsetof(thirl_lab_link_terms, name)
static const row rows[] = {
    {"latency", TIME, FIELD(delay), "a time up to an hour such as 20ms"},
    {"jitter", TIME, FIELD(jitter), "a time up to an hour such as 2ms"},
    {"loss", SHARE, FIELD(loss), "a share such as 0.5%"},
    {"burst", BURST, FIELD(burst), "how many packets are lost in a row on average, 1 to 1000000"},
    {"duplicate", SHARE, FIELD(duplicate), "a share such as 0.1%"},
    {"reorder", SHARE, FIELD(reorder), "a share such as 1%"},
    {"reorder-by", TIME, FIELD(reorder_by), "a time up to an hour such as 5ms"},
    {"rate", RATE, FIELD(rate), "bits a second such as 20mbit, 0bit: no limit"},
    {"bucket", SIZE, FIELD(bucket), "bytes such as 16K"},
    {"queue", SIZE, FIELD(queue_max), "bytes up to 64M such as 64K"},
    {"mtu", MTU, FIELD(mtu), "bytes of an IP packet, 576 to 65535, or 0: no limit"},
    {"black-hole", FLAG, FIELD(black_hole), "yes or no"},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

static const thirl_lab_words_choice flags[] = {{"no", false}, {"yes", true}, {NULL, 0}};

thirl_lab_link_terms thirl_lab_terms_none(void) {
  return (thirl_lab_link_terms){0};
}

static bool read_value(const row *r, const char *text, thirl_lab_link_terms *terms) {
  char *at = (char *)terms + r->offset;
  uint64_t n;
  double share;
  unsigned flag;
  switch (r->kind) {
  case TIME:
    if (!thirl_lab_words_time(text, 0, &n) || n > 3600 * THIRL_S) return false;
    memcpy(at, &n, sizeof n);
    return true;
  case SHARE:
    if (!thirl_lab_words_share(text, &share)) return false;
    memcpy(at, &share, sizeof share);
    return true;
  case SIZE:
    if (!thirl_lab_words_size(text, &n) || n > THIRL_LAB_LINK_BYTES_MAX) return false;
    memcpy(at, &(size_t){(size_t)n}, sizeof(size_t));
    return true;
  case RATE:
    if (!thirl_lab_words_rate(text, &n) || (n > 0 && n < THIRL_LAB_LINK_RATE_MIN)) return false;
    memcpy(at, &n, sizeof n);
    return true;
  case MTU:
    if (!thirl_lab_words_number(text, 0, UINT16_MAX, &n) || (n > 0 && n < THIRL_LAB_LINK_MTU_MIN)) return false;
    memcpy(at, &(uint16_t){(uint16_t)n}, sizeof(uint16_t));
    return true;
  case BURST:
    if (!thirl_lab_words_number(text, 1, THIRL_LAB_LINK_BURST_MAX, &n)) return false;
    memcpy(at, &(double){(double)n}, sizeof(double));
    return true;
  case FLAG:
    if (!thirl_lab_words_choose(flags, text, &flag)) return false;
    memcpy(at, &(bool){flag != 0}, sizeof(bool));
    return true;
  }
  return false;
}

static thirl_error complain_about_word(thirl_lab_complaint *why, const char *word) {
  char list[THIRL_LAB_COMPLAINT_MAX] = "";
  size_t used = 0;
  for (size_t i = 0; i < N_ROWS && used < sizeof list; i++)
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s=", i ? ", " : "", rows[i].word);
  return thirl_lab_words_complain(why, THIRL_E_SYNTAX, "\"%.40s\" is nothing that a link can have: %s", word, list);
}

thirl_error thirl_lab_terms_set(thirl_lab_link_terms *terms, const char *word, thirl_lab_complaint *why) {
  const char *value = strchr(word, '=');
  size_t n = value ? (size_t)(value - word) : 0;
  for (size_t i = 0; i < N_ROWS; i++) {
    const row *r = &rows[i];
    if (strlen(r->word) != n || memcmp(r->word, word, n) != 0) continue;
    if (read_value(r, value + 1, terms)) return THIRL_OK;
    return thirl_lab_words_complain(why, THIRL_E_SYNTAX, "%s wants %s, not \"%.40s\"", r->word, r->wants, value + 1);
  }
  return complain_about_word(why, word);
}

/* In the largest of the units in which it is a whole number. */
static int format_scaled(uint64_t n, const char *const *units, const uint64_t *scale, char *out, size_t size) {
  while (*scale > 1 && (n == 0 || n % *scale != 0)) {
    scale++;
    units++;
  }
  return snprintf(out, size, "%" PRIu64 "%s", n / *scale, *units);
}

/* "" when it is what it is without terms. */
static void format_value(const row *r, const thirl_lab_link_terms *terms, char *out, size_t size) {
  static const char *const times[] = {"s", "ms", "us"}, *const sizes[] = {"M", "K", ""},
                           *const rates[] = {"gbit", "mbit", "kbit", "bit"};
  static const uint64_t time_scale[] = {THIRL_S, THIRL_MS, 1}, size_scale[] = {1 << 20, 1 << 10, 1},
                        rate_scale[] = {1000000000, 1000000, 1000, 1};
  const char *at = (const char *)terms + r->offset;
  uint64_t n;
  size_t bytes;
  double d;
  uint16_t mtu;
  *out = '\0';
  switch (r->kind) {
  case TIME:
    memcpy(&n, at, sizeof n);
    if (n) format_scaled(n, times, time_scale, out, size);
    break;
  case RATE:
    memcpy(&n, at, sizeof n);
    if (n) format_scaled(n, rates, rate_scale, out, size);
    break;
  case SIZE:
    memcpy(&bytes, at, sizeof bytes);
    if (bytes) format_scaled(bytes, sizes, size_scale, out, size);
    break;
  case SHARE:
  case BURST:
    memcpy(&d, at, sizeof d);
    if (d > 0) snprintf(out, size, "%g%s", r->kind == SHARE ? d * 100 : d, r->kind == SHARE ? "%" : "");
    break;
  case MTU:
    memcpy(&mtu, at, sizeof mtu);
    if (mtu) snprintf(out, size, "%u", mtu);
    break;
  case FLAG:
    if (*(const bool *)at) snprintf(out, size, "yes");
    break;
  }
}

const char *thirl_lab_terms_format(const thirl_lab_link_terms *terms, char *out, size_t size) {
  size_t used = 0;
  *out = '\0';
  if (terms->cut) used = (size_t)snprintf(out, size, "down");
  for (size_t i = 0; i < N_ROWS && used < size; i++) {
    char value[64];
    format_value(&rows[i], terms, value, sizeof value);
    if (!*value) continue;
    used += (size_t)snprintf(out + used, size - used, "%s%s=%s", used ? " " : "", rows[i].word, value);
  }
  return out;
}
