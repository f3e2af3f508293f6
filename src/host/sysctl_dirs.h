/* SPDX-License-Identifier: MIT */
/* Finds and reads the files that set sysctls at boot and limits at login: sysctl.d, sysctl.conf, limits.d, limits.conf. Opens them for reading only. */
#ifndef THIRL_HOST_SYSCTL_DIRS_H
#define THIRL_HOST_SYSCTL_DIRS_H

#include "tune/settings.h"

enum { THIRL_HOST_SYSCTL_FILE_MAX = 256 * 1024 }; /* bytes of one file; a longer one is left out */

/** What was found. The files borrow from it. */
typedef struct thirl_host_sysctl_dirs {
  thirl_tune_file files[THIRL_TUNE_FILES_MAX];
  unsigned n, left_out; /* left_out: not readable, too long or too many */
} thirl_host_sysctl_dirs;

/** root: "" or a folder in whose etc, run and usr to look instead; paths are shown without it, and in printable ASCII. E_NOMEM. A folder that is not there holds nothing. */
thirl_error thirl_host_sysctl_dirs_read(const char *root, thirl_host_sysctl_dirs *out);
void thirl_host_sysctl_dirs_fini(thirl_host_sysctl_dirs *d);

#endif
