/* SPDX-License-Identifier: MIT */
/* What came out for one id: a verdict with what was observed, or why there is none. */
#ifndef THIRL_TUNE_FINDING_H
#define THIRL_TUNE_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "tune/catalogue.h"
#include "tune/terms.h"

enum {
  THIRL_TUNE_OBSERVED = 320,
  THIRL_TUNE_EXPECTED = 200,
  THIRL_TUNE_KEY = 80,
  THIRL_TUNE_VALUE = 96,
  THIRL_TUNE_LINE = 256
};

/** A setting to make, with what it was; was is empty when it could not be read: then it must not be changed. */
typedef struct thirl_tune_setting {
  char key[THIRL_TUNE_KEY]; /* net.core.rmem_max */
  char value[THIRL_TUNE_VALUE], was[THIRL_TUNE_VALUE];
} thirl_tune_setting;

typedef struct thirl_tune_finding {
  thirl_tune_id id;
  thirl_tune_level level;
  thirl_tune_tense tense;
  thirl_tune_why why; /* for UNKNOWN */
  thirl_tune_scope scope;
  bool is_elsewhere;          /* the fix cannot be made here: it belongs to the host, and this is a child of it */
  thirl_tune_id cause;        /* NONE, or the finding that explains this one: only the cause is worth a fix */
  thirl_tune_level explained; /* of a cause: the worst level of what it explains and of itself */
  int64_t breaks_at;          /* LATER: at so many clients; 0: does not depend on them */
  char observed[THIRL_TUNE_OBSERVED]; /* plain ASCII; nothing of it was sent by others */
  char expected[THIRL_TUNE_EXPECTED]; /* empty: nothing else */
  char line[THIRL_TUNE_LINE];         /* a fix that is made from what was observed, instead of the row's; or empty */
  char back[THIRL_TUNE_LINE];         /* how to undo that line, instead of the row's; or empty */
  thirl_tune_setting set[THIRL_TUNE_SETTINGS];
  unsigned n_set;
} thirl_tune_finding;

/** All findings of one look; finding[id], [NONE] is unused. Ids that the profile does not ask for are UNKNOWN with asked[id] false. */
typedef struct thirl_tune_report {
  thirl_tune_profile profile;
  bool asked[THIRL_TUNE_ID_COUNT];
  thirl_tune_finding finding[THIRL_TUNE_ID_COUNT];
  unsigned n_level[THIRL_TUNE_LEVEL_COUNT]; /* of those that were asked for; symptoms are counted too */
  thirl_tune_level worst;                   /* at least OK */
} thirl_tune_report;

#endif
