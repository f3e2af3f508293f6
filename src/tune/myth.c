/* SPDX-License-Identifier: MIT */
#include "tune/myth.h"

#include <stddef.h>
#include <string.h>

static const thirl_tune_myth limit_too_high = {
    "nofile-too-high", THIRL_TUNE_MYTH_HARMFUL,
    "more than fs.nr_open: setting it fails, and a login whose limits cannot be set is refused", NULL,
    "at most fs.nr_open (1048576 by default), or a larger fs.nr_open first"};
static const thirl_tune_myth limit_place = {
    "nofile-place", THIRL_TUNE_MYTH_RIGHT_BUT,
    "it is for login sessions only: a service that systemd starts never reads this file",
    "where the hard limit was 20000 even root could not raise it: that takes CAP_SYS_RESOURCE",
    "LimitNOFILE=1048576 in the unit of the service; look at /proc/PID/limits afterwards"};
static const thirl_tune_myth overridden = {"overridden", THIRL_TUNE_MYTH_OVERRIDDEN,
                                           "another line about the same name comes later and wins", NULL,
                                           "delete one of the two"};
static const thirl_tune_myth twice = {"twice", THIRL_TUNE_MYTH_OVERRIDDEN, "another line says the same once more", NULL,
                                      "delete one of the two"};
static const thirl_tune_myth unread = {"sysctl-conf", THIRL_TUNE_MYTH_NO_EFFECT,
                                       "no link in /etc/sysctl.d leads to /etc/sysctl.conf: systemd does not read it "
                                       "at boot, only \"sysctl --system\" does",
                                       NULL, "move the line to a file in /etc/sysctl.d"};

/* ---- values ---- */

enum { NUMBERS_MAX = 3 };

static unsigned read_numbers(const char *value, int64_t numbers[NUMBERS_MAX]) {
  unsigned n = 0;
  while (n < NUMBERS_MAX) {
    int64_t v = 0;
    while (*value == ' ')
      value++;
    bool minus = *value == '-';
    value += minus;
    if (*value < '0' || *value > '9') return n;
    for (; *value >= '0' && *value <= '9'; value++)
      v = v > (INT64_MAX - 9) / 10 ? INT64_MAX / 10 : v * 10 + (*value - '0');
    if (*value && *value != ' ') return n;
    numbers[n++] = minus ? -v : v;
  }
  return n;
}

static bool passes(const thirl_tune_belief *b, const char *value) {
  int64_t numbers[NUMBERS_MAX];
  unsigned n = read_numbers(value, numbers);
  if (b->test == THIRL_TUNE_BELIEF_ANY) return true;
  if (n == 0) return false;
  if (b->test == THIRL_TUNE_BELIEF_IS) return numbers[0] == b->bound;
  if (b->test == THIRL_TUNE_BELIEF_BELOW) return numbers[0] < b->bound;
  if (b->test == THIRL_TUNE_BELIEF_ABOVE) return numbers[0] > b->bound;
  for (unsigned i = 0; i < n; i++)
    if (numbers[i] > b->bound) return true;
  return false;
}

static bool is_there(const thirl_tune_scene *s, thirl_tune_belief_where w) {
  switch (w) {
  case THIRL_TUNE_BELIEF_NO_NAT:
    return s->is_no_nat && !s->is_nat;
  case THIRL_TUNE_BELIEF_BBR:
    return s->has_bbr;
  case THIRL_TUNE_BELIEF_COOKIES:
    return !s->cookies_are_off;
  default:
    return true;
  }
}

/* ---- the answers ---- */

const thirl_tune_myth *thirl_tune_myth_of_setting(const thirl_tune_scene *scene, const char *name, const char *value) {
  const thirl_tune_belief *b;
  for (unsigned i = 0; (b = thirl_tune_belief_at(i)) != NULL; i++)
    if (thirl_tune_sysctl_file_match(b->name, name) && passes(b, value) && is_there(scene, b->where)) return &b->myth;
  return NULL;
}

const thirl_tune_myth *thirl_tune_myth_of_limit(const thirl_tune_scene *scene, const thirl_tune_limit *limit) {
  if (strcmp(limit->item, "nofile") != 0) return NULL;
  if (!limit->is_unlimited && scene->nr_open && limit->number > scene->nr_open) return &limit_too_high;
  return &limit_place;
}

const thirl_tune_myth *thirl_tune_myth_overridden(void) {
  return &overridden;
}
const thirl_tune_myth *thirl_tune_myth_twice(void) {
  return &twice;
}
const thirl_tune_myth *thirl_tune_myth_unread(void) {
  return &unread;
}

const thirl_tune_myth *thirl_tune_myth_at(unsigned i) {
  static const thirl_tune_myth *const others[] = {&limit_too_high, &limit_place, &overridden, &twice, &unread};
  unsigned n = 0;
  const thirl_tune_belief *b;
  while ((b = thirl_tune_belief_at(n)) != NULL)
    if (n++ == i) return &b->myth;
  i -= n;
  return i < sizeof others / sizeof *others ? others[i] : NULL;
}

const char *thirl_tune_myth_word(thirl_tune_myth_verdict v) {
  static const char *const words[] = {
#define WORD(name, word) word,
      THIRL_TUNE_MYTH_VERDICTS(WORD)
#undef WORD
  };
  return (unsigned)v < THIRL_TUNE_MYTH_VERDICT_COUNT ? words[v] : "unknown";
}
