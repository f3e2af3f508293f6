/* SPDX-License-Identifier: MIT */
#include "tune/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void thirl_tune_verdict_say(thirl_tune_finding *f, thirl_tune_level level, thirl_tune_tense tense, const char *format,
                            ...) {
  va_list ap;
  va_start(ap, format);
  vsnprintf(f->observed, sizeof f->observed, format, ap);
  va_end(ap);
  f->level = level;
  f->tense = tense;
  f->why = THIRL_TUNE_WHY_READ;
}

void thirl_tune_verdict_add(thirl_tune_finding *f, const char *format, ...) {
  va_list ap;
  size_t n = strlen(f->observed);
  va_start(ap, format);
  vsnprintf(f->observed + n, sizeof f->observed - n, format, ap);
  va_end(ap);
}

void thirl_tune_verdict_expect(thirl_tune_finding *f, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  vsnprintf(f->expected, sizeof f->expected, format, ap);
  va_end(ap);
}

void thirl_tune_verdict_unknown(thirl_tune_finding *f, thirl_tune_why why) {
  f->level = THIRL_TUNE_LEVEL_UNKNOWN;
  f->why = why == THIRL_TUNE_WHY_READ ? THIRL_TUNE_WHY_MALFORMED : why;
  f->observed[0] = '\0';
}

void thirl_tune_verdict_line(thirl_tune_finding *f, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  vsnprintf(f->line, sizeof f->line, format, ap);
  va_end(ap);
}

void thirl_tune_verdict_back(thirl_tune_finding *f, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  vsnprintf(f->back, sizeof f->back, format, ap);
  va_end(ap);
}

void thirl_tune_verdict_set(thirl_tune_finding *f, const char *key, const char *format, ...) {
  va_list ap;
  unsigned i = 0;
  while (i < f->n_set && strcmp(f->set[i].key, key) != 0)
    i++;
  if (i == THIRL_TUNE_SETTINGS) return;
  if (i == f->n_set) f->n_set++;
  snprintf(f->set[i].key, sizeof f->set[i].key, "%s", key);
  va_start(ap, format);
  vsnprintf(f->set[i].value, sizeof f->set[i].value, format, ap);
  va_end(ap);
}

bool thirl_tune_verdict_know(thirl_tune_finding *f, thirl_tune_number n, int64_t *out) {
  *out = n.v;
  if (n.why == THIRL_TUNE_WHY_READ) return true;
  thirl_tune_verdict_unknown(f, n.why);
  return false;
}

bool thirl_tune_verdict_sysctl(const thirl_tune_case *c, thirl_tune_finding *f, thirl_tune_sysctl s, int64_t *out) {
  return thirl_tune_verdict_know(f, c->after->sysctl[s], out);
}

int64_t thirl_tune_verdict_between(thirl_tune_number before, thirl_tune_number after) {
  if (before.why != THIRL_TUNE_WHY_READ || after.why != THIRL_TUNE_WHY_READ) return 0;
  return after.v >= before.v ? after.v - before.v : after.v;
}

int64_t thirl_tune_verdict_risen(const thirl_tune_case *c, thirl_tune_counter counter) {
  return c->before ? thirl_tune_verdict_between(c->before->counter[counter], c->after->counter[counter]) : 0;
}

bool thirl_tune_verdict_rise(const thirl_tune_case *c, thirl_tune_finding *f, thirl_tune_counter counter,
                             int64_t *out) {
  int64_t unused;
  *out = 0;
  if (!thirl_tune_verdict_know(f, c->after->counter[counter], &unused)) return false;
  if (!c->before) {
    thirl_tune_verdict_unknown(f, THIRL_TUNE_WHY_ONE_SAMPLE);
    return false;
  }
  if (!thirl_tune_verdict_know(f, c->before->counter[counter], &unused)) return false;
  *out = thirl_tune_verdict_risen(c, counter);
  return true;
}

int64_t thirl_tune_verdict_rate(const thirl_tune_case *c, int64_t risen) {
  if (c->window_us <= 0) return risen;
  double rate = (double)risen * 1e6 / (double)c->window_us;
  return rate > 1e15 ? (int64_t)1e15 : (int64_t)rate;
}

bool thirl_tune_verdict_above(int64_t part, int64_t whole, int64_t percent) {
  return whole > 0 && (double)part * 100 > (double)whole * (double)percent;
}

bool thirl_tune_verdict_has_subject(const thirl_tune_case *c) {
  return c->after->process.why == THIRL_TUNE_WHY_READ;
}

bool thirl_tune_verdict_untracked(const thirl_tune_case *c, thirl_tune_finding *f) {
  if (c->after->sysctl[THIRL_TUNE_SYSCTL_CT_TCP_LOOSE].why != THIRL_TUNE_WHY_NOT_LOADED) return false;
  thirl_tune_verdict_say(f, THIRL_TUNE_LEVEL_OK, THIRL_TUNE_TENSE_SETTING, "connection tracking is not loaded");
  return true;
}
