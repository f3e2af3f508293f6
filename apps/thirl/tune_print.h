/* SPDX-License-Identifier: MIT */
/* What tune found, on stdout, for a person or for a program. */
#ifndef THIRL_APPS_TUNE_PRINT_H
#define THIRL_APPS_TUNE_PRINT_H

#include <stdio.h>

#include "tune/tune.h"
#include "tune_myth.h"

/** Everything that is printed: the case, its report, and how it came about. */
typedef struct tune_result {
  const thirl_tune_case *c;
  const thirl_tune_report *report;
  bool is_guessed;         /* the profile */
  bool quiet, all;         /* text: warnings only; also what is fine */
  const tune_myths *myths; /* of the configuration files; NULL: not looked at */
  bool only[THIRL_TUNE_ID_COUNT], has_only;
} tune_result;

/** Is it shown: asked for by the profile and by --only? */
bool tune_print_shows(const tune_result *r, thirl_tune_id id);
void tune_print_text(FILE *to, const tune_result *r);
/** One JSON object; docs/tune-json.md describes it. False: no memory. */
bool tune_print_json(FILE *to, const tune_result *r);

#endif
