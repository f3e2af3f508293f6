/* SPDX-License-Identifier: MIT */
/* What thirl tune has to say about the files that set sysctls and limits: read, judged, printed. */
#ifndef THIRL_APPS_TUNE_MYTH_H
#define THIRL_APPS_TUNE_MYTH_H

#include <stdio.h>

#include <jansson.h>

#include "host/sysctl_dirs.h"
#include "tune/remark.h"

typedef struct tune_myths {
  thirl_host_sysctl_dirs dirs;
  thirl_tune_remarks remarks;
} tune_myths;

/** root: "/" or a folder. E_NOMEM. */
thirl_error tune_myth_read(const char *root, const thirl_tune_facts *f, tune_myths *m);
void tune_myth_fini(tune_myths *m);
/** Is there a line that does harm? */
bool tune_myth_is_harmful(const tune_myths *m);
/** only_harmful: nothing else. */
void tune_myth_print_text(FILE *to, const tune_myths *m, bool only_harmful);
/** An array, one object for each line. NULL: no memory. */
json_t *tune_myth_json(const tune_myths *m);

#endif
