/* SPDX-License-Identifier: MIT */
/* How a judge says what it found. A finding begins as UNKNOWN because it was not looked at; the last word counts. */
#ifndef THIRL_TUNE_VERDICT_H
#define THIRL_TUNE_VERDICT_H

#include "tune/facts.h"
#include "tune/finding.h"
#include "tune/demand.h"

typedef struct thirl_tune_case {
  thirl_tune_profile profile;
  thirl_tune_demand demand;
  const thirl_tune_facts *before, *after; /* before may be NULL: then nothing that is judged by a difference is known */
  int64_t window_us;                      /* between the two */
} thirl_tune_case;

typedef void thirl_tune_judge(const thirl_tune_case *c, thirl_tune_finding *f);

/** The verdict, with what was observed. */
void thirl_tune_verdict_say(thirl_tune_finding *f, thirl_tune_level level, thirl_tune_tense tense, const char *format,
                            ...) __attribute__((format(printf, 4, 5)));
/** One more half-sentence of what was observed. */
void thirl_tune_verdict_add(thirl_tune_finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** What it should be. */
void thirl_tune_verdict_expect(thirl_tune_finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** There is no verdict. */
void thirl_tune_verdict_unknown(thirl_tune_finding *f, thirl_tune_why why);
/** Another line that fixes it than the row's. */
void thirl_tune_verdict_line(thirl_tune_finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** How that line is undone. */
void thirl_tune_verdict_back(thirl_tune_finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** A setting to make, instead of the row's of the same key. */
void thirl_tune_verdict_set(thirl_tune_finding *f, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** A number that is known; otherwise the finding becomes UNKNOWN for its reason, and false. */
bool thirl_tune_verdict_know(thirl_tune_finding *f, thirl_tune_number n, int64_t *out);
/** The same for a setting. */
bool thirl_tune_verdict_sysctl(const thirl_tune_case *c, thirl_tune_finding *f, thirl_tune_sysctl s, int64_t *out);
/** By how much a number rose within the window. UNKNOWN and false when it is not known twice; one that fell was reset, and rose by what it is. */
bool thirl_tune_verdict_rise(const thirl_tune_case *c, thirl_tune_finding *f, thirl_tune_counter counter, int64_t *out);
/** The same, but 0 when it is not known, and the finding stays as it is. */
int64_t thirl_tune_verdict_risen(const thirl_tune_case *c, thirl_tune_counter counter);
/** The difference of two numbers that only rise. */
int64_t thirl_tune_verdict_between(thirl_tune_number before, thirl_tune_number after);
/** So many in a second. */
int64_t thirl_tune_verdict_rate(const thirl_tune_case *c, int64_t risen);
/** More than so many hundredths of the whole. */
bool thirl_tune_verdict_above(int64_t part, int64_t whole, int64_t percent);
/** Is there a process that we look at? */
bool thirl_tune_verdict_has_subject(const thirl_tune_case *c);
/** There is no connection tracking here, and nothing to say; then true. */
bool thirl_tune_verdict_untracked(const thirl_tune_case *c, thirl_tune_finding *f);

#endif
