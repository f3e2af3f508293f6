/* SPDX-License-Identifier: MIT */
#include "lab/terms.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { QUEUE_DEFAULT = 64 << 20 };

typedef enum kind { TIME, SHARE, SIZE } kind;

typedef struct row {
  const char *word;
  kind kind;
  size_t offset;
  const char *wants;
} row;

#define FIELD(name) offsetof(thirl_lab_link_terms, name)
static const row rows[] = {
    {"latency", TIME, FIELD(delay), "a time such as 20ms"},
    {"jitter", TIME, FIELD(jitter), "a time such as 2ms"},
    {"loss", SHARE, FIELD(loss), "a share such as 0.5%"},
    {"queue", SIZE, FIELD(queue_max), "bytes such as 64K or 1M"},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

thirl_lab_link_terms thirl_lab_terms_none(void) {
  return (thirl_lab_link_terms){.queue_max = QUEUE_DEFAULT};
}

static bool read_value(const row *r, const char *text, thirl_lab_link_terms *terms) {
  char *at = (char *)terms + r->offset;
  uint64_t n;
  size_t size;
  switch (r->kind) {
  case TIME:
    if (!thirl_lab_words_time(text, 0, &n) || n > 3600 * THIRL_S) return false;
    memcpy(at, &n, sizeof n);
    return true;
  case SHARE: {
    double share;
    if (!thirl_lab_words_share(text, &share)) return false;
    memcpy(at, &share, sizeof share);
    return true;
  }
  case SIZE:
    if (!thirl_lab_words_size(text, &n) || n > SIZE_MAX / 2) return false;
    size = (size_t)n;
    memcpy(at, &size, sizeof size);
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

static int format_value(const row *r, const thirl_lab_link_terms *terms, char *out, size_t size) {
  const char *at = (const char *)terms + r->offset;
  uint64_t n;
  size_t bytes;
  double share;
  switch (r->kind) {
  case TIME:
    memcpy(&n, at, sizeof n);
    if (n % THIRL_MS == 0) return snprintf(out, size, "%s=%" PRIu64 "ms", r->word, n / THIRL_MS);
    return snprintf(out, size, "%s=%" PRIu64 "us", r->word, n);
  case SHARE:
    memcpy(&share, at, sizeof share);
    return snprintf(out, size, "%s=%g%%", r->word, share * 100);
  case SIZE:
    memcpy(&bytes, at, sizeof bytes);
    if (bytes % 1024 == 0) return snprintf(out, size, "%s=%zuK", r->word, bytes / 1024);
    return snprintf(out, size, "%s=%zu", r->word, bytes);
  }
  return 0;
}

static size_t width(const row *r) {
  return r->kind == TIME ? sizeof(uint64_t) : r->kind == SHARE ? sizeof(double) : sizeof(size_t);
}

const char *thirl_lab_terms_format(const thirl_lab_link_terms *terms, char *out, size_t size) {
  const thirl_lab_link_terms none = thirl_lab_terms_none();
  size_t used = 0;
  *out = '\0';
  if (terms->cut) used = (size_t)snprintf(out, size, "cut");
  for (size_t i = 0; i < N_ROWS; i++) {
    char text[64];
    const row *r = &rows[i];
    if (memcmp((const char *)terms + r->offset, (const char *)&none + r->offset, width(r)) == 0) continue;
    format_value(r, terms, text, sizeof text);
    int n = snprintf(out + used, size - used, "%s%s", used ? " " : "", text);
    if (n < 0 || (size_t)n >= size - used) break;
    used += (size_t)n;
  }
  return out;
}
