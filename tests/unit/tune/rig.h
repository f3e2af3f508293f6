/* SPDX-License-Identifier: MIT */
/* A healthy machine as facts, of which a test breaks one thing, and the judges in front of it. */
#ifndef THIRL_TEST_TUNE_RIG_H
#define THIRL_TEST_TUNE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tune/tune.h"

typedef struct rig {
  thirl_tune_facts before, after;
  thirl_tune_case c;
  thirl_tune_report report;
} rig;

/** The one rig of a test: a kernel 6.18 as it starts, first namespace, one card, thirld running; watched for five seconds. */
rig *rig_new(thirl_tune_profile p);
/** Zeroed facts: nothing was looked at. */
rig *rig_blank(thirl_tune_profile p);
void rig_sysctl(rig *g, thirl_tune_sysctl s, int64_t v);
void rig_gauge(rig *g, thirl_tune_gauge k, int64_t v);
/** A counter rises by so much within the window. */
void rig_rise(rig *g, thirl_tune_counter k, int64_t by);
/** The finding of an id after judging all. */
const thirl_tune_finding *rig_judge(rig *g, thirl_tune_id id);
/** The words of all ids with this level, with blanks between, in the order of the catalogue. */
const char *rig_list(rig *g, thirl_tune_level level);

/** The level of an id, with the id in the message. */
#define rig_expect(g, id, wanted) rig_expect_at(g, id, wanted, __FILE__, __LINE__)
void rig_expect_at(rig *g, thirl_tune_id id, thirl_tune_level wanted, const char *file, int line);

/** A setting, or a rise, and the level that follows, in a healthy machine otherwise. */
typedef struct rig_setting {
  thirl_tune_profile profile;
  thirl_tune_id id;
  thirl_tune_sysctl sysctl;
  int64_t value;
  thirl_tune_level level;
} rig_setting;
typedef struct rig_counter {
  thirl_tune_profile profile;
  thirl_tune_id id;
  thirl_tune_counter counter;
  int64_t by;
  thirl_tune_level level;
} rig_counter;
void rig_settings(const rig_setting *rows, size_t n);
void rig_counters(const rig_counter *rows, size_t n);

#define S          THIRL_TUNE_SERVER
#define R          THIRL_TUNE_ROUTER
#define C          THIRL_TUNE_CLIENT
#define OK         THIRL_TUNE_LEVEL_OK
#define INFO       THIRL_TUNE_LEVEL_INFO
#define WARN       THIRL_TUNE_LEVEL_WARN
#define CRIT       THIRL_TUNE_LEVEL_CRIT
#define UNKNOWN    THIRL_TUNE_LEVEL_UNKNOWN
#define ID(x)      THIRL_TUNE_##x
#define SYSCTL(x)  THIRL_TUNE_SYSCTL_##x
#define COUNTER(x) THIRL_TUNE_COUNTER_##x
#define GAUGE(x)   THIRL_TUNE_GAUGE_##x
#define ROWS(t)    t, sizeof t / sizeof *t

#endif
