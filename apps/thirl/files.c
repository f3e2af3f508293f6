/* SPDX-License-Identifier: MIT */
#include "files.h"

#include <sys/resource.h>

void files_allow(unsigned n) {
  struct rlimit l;
  if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur >= n) return;
  l.rlim_cur = l.rlim_max < n ? l.rlim_max : n;
  (void)setrlimit(RLIMIT_NOFILE, &l);
}
