/* SPDX-License-Identifier: MIT */
/* Short names within the judges. For judge_*.c alone. */
#ifndef THIRL_TUNE_SHORT_H
#define THIRL_TUNE_SHORT_H

#include <inttypes.h>

#include "tune/verdict.h"

#define OK      THIRL_TUNE_LEVEL_OK
#define INFO    THIRL_TUNE_LEVEL_INFO
#define WARN    THIRL_TUNE_LEVEL_WARN
#define CRIT    THIRL_TUNE_LEVEL_CRIT
#define SETTING THIRL_TUNE_TENSE_SETTING
#define NOW     THIRL_TUNE_TENSE_NOW
#define LATER   THIRL_TUNE_TENSE_LATER

#define say(...)         thirl_tune_verdict_say(__VA_ARGS__)
#define add(...)         thirl_tune_verdict_add(__VA_ARGS__)
#define expect(...)      thirl_tune_verdict_expect(__VA_ARGS__)
#define unknown(...)     thirl_tune_verdict_unknown(__VA_ARGS__)
#define know(...)        thirl_tune_verdict_know(__VA_ARGS__)
#define sysctl(...)      thirl_tune_verdict_sysctl(__VA_ARGS__)
#define rise(...)        thirl_tune_verdict_rise(__VA_ARGS__)
#define risen(...)       thirl_tune_verdict_risen(__VA_ARGS__)
#define above(...)       thirl_tune_verdict_above(__VA_ARGS__)
#define set_to(...)      thirl_tune_verdict_set(__VA_ARGS__)
#define has_subject(...) thirl_tune_verdict_has_subject(__VA_ARGS__)

#endif
