/* SPDX-License-Identifier: MIT */
/* What is to be said about the files of a machine, line by line: myths, and lines that undo each other. */
#ifndef THIRL_TUNE_REMARK_H
#define THIRL_TUNE_REMARK_H

#include "tune/facts.h"
#include "tune/myth.h"
#include "tune/settings.h"

enum { THIRL_TUNE_REMARKS_MAX = 256 };

/** One line of a file, and what is to be said about it. */
typedef struct thirl_tune_remark {
  const thirl_tune_myth *myth;
  const char *path; /* of the file; borrowed from it */
  unsigned line;
  char name[THIRL_TUNE_NAME_MAX], value[THIRL_TUNE_VALUE_MAX]; /* of a limit: "* - nofile" */
  const char *other_path;                                      /* the line that wins, if that is the point */
  unsigned other_line;
} thirl_tune_remark;

typedef struct thirl_tune_remarks {
  thirl_tune_remark *list; /* in the order in which the lines are applied */
  unsigned n, left_out;    /* left_out: beyond THIRL_TUNE_REMARKS_MAX */
} thirl_tune_remarks;

/**
 * Goes through all files, sysctl's and pam_limits'. Of several lines about one name only the one that wins is judged by its value; of the others it is said
 * that they do not. E_NOMEM.
 */
thirl_error thirl_tune_remark_judge(const thirl_tune_scene *scene, const thirl_tune_file *files, unsigned n,
                                    thirl_tune_remarks *out);
/** What of a machine the judgement depends on. */
thirl_tune_scene thirl_tune_remark_scene(const thirl_tune_facts *f);
void thirl_tune_remark_fini(thirl_tune_remarks *r);

#endif
