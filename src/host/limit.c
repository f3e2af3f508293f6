/* SPDX-License-Identifier: MIT */
#include "host/limit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/file.h"
#include "tune/cgroup.h"

enum { LEVELS_MAX = 32, VALUE = 4096 };

/* A small file as a string; empty when it is not there. */
static thirl_tune_text read_small(const char *root, const char *dir, const char *name, char value[VALUE],
                                  thirl_host_dump *d) {
  char path[THIRL_HOST_FILE_PATH];
  thirl_tune_text text;
  int n = snprintf(path, sizeof path, "sys/fs/cgroup/%s/%s", dir, name);
  if (n < 0 || (size_t)n >= sizeof path || thirl_host_file_read(root, path, d, &text) != THIRL_TUNE_WHY_READ ||
      text.n > VALUE)
    return (thirl_tune_text){0};
  memcpy(value, text.p, text.n);
  return (thirl_tune_text){value, text.n};
}

static bool consider(const char *root, const char *dir, bool is_v1, thirl_host_dump *d, thirl_tune_facts *f) {
  char max[VALUE], current[VALUE], events[VALUE], failcnt[VALUE];
  thirl_tune_cgroup_files files = {
      .max = read_small(root, dir, is_v1 ? "memory.limit_in_bytes" : "memory.max", max, d),
      .current = read_small(root, dir, is_v1 ? "memory.usage_in_bytes" : "memory.current", current, d),
      .events = read_small(root, dir, is_v1 ? "memory.oom_control" : "memory.events", events, d)};
  if (is_v1) files.failcnt = read_small(root, dir, "memory.failcnt", failcnt, d);
  thirl_tune_cgroup_consider(f, &files);
  return files.max.n > 0 || files.current.n > 0;
}

/* From its own group upwards. In a container the path may be that of the host, of which only the root is shown. */
void thirl_host_limit_read(const char *root, int64_t pid, thirl_tune_facts *f) {
  char who[64] = "proc/self/cgroup", dir[THIRL_TUNE_CGROUP_PATH];
  bool is_v1, any = false;
  thirl_host_dump d;
  thirl_tune_text text;
  if (pid) snprintf(who, sizeof who, "proc/%" PRId64 "/cgroup", pid);
  thirl_host_dump_init(&d);
  thirl_tune_why why = thirl_host_file_read(root, who, &d, &text);
  if (why == THIRL_TUNE_WHY_READ && !thirl_tune_cgroup_path(text, dir, &is_v1)) why = THIRL_TUNE_WHY_NO_SUCH;
  for (int i = 0; why == THIRL_TUNE_WHY_READ && i < LEVELS_MAX; i++) {
    any |= consider(root, dir, is_v1, &d, f);
    char *slash = strrchr(dir, '/');
    if (!slash && !dir[0]) break;
    if (!slash && is_v1) break;
    if (slash)
      *slash = '\0';
    else
      dir[0] = '\0';
  }
  if (why == THIRL_TUNE_WHY_READ && !is_v1 && any && f->gauge[THIRL_TUNE_GAUGE_CGROUP_MAX].why != THIRL_TUNE_WHY_READ)
    why = THIRL_TUNE_WHY_NO_SUCH;
  thirl_tune_cgroup_settle(f, why == THIRL_TUNE_WHY_READ ? THIRL_TUNE_WHY_NO_SUCH : why);
  thirl_host_dump_fini(&d);
}
