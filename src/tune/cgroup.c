/* SPDX-License-Identifier: MIT */
#include "tune/cgroup.h"

#include <stdio.h>
#include <string.h>

/* Version 1 writes "no limit" as the largest multiple of a page. */
static const int64_t as_good_as_unlimited = (int64_t)1 << 60;

/* "9:name:/path" or "0::/path"; a controller is one of several: "cpu,memory". */
static bool has_controller(thirl_tune_text list, const char *name) {
  thirl_tune_text one;
  while (thirl_tune_text_cut(&list, ',', &one))
    if (thirl_tune_text_is(one, name)) return true;
  return thirl_tune_text_is(list, name);
}

static bool put_path(const char *prefix, thirl_tune_text t, char path[THIRL_TUNE_CGROUP_PATH]) {
  if (!t.n || t.p[0] != '/' || thirl_tune_text_has(t, "..")) return false;
  if (strlen(prefix) + t.n >= THIRL_TUNE_CGROUP_PATH) return false;
  snprintf(path, THIRL_TUNE_CGROUP_PATH, "%s", prefix);
  if (!*prefix) t = (thirl_tune_text){t.p + 1, t.n - 1};
  thirl_tune_text_copy(t, path + strlen(path), THIRL_TUNE_CGROUP_PATH - strlen(path));
  return true;
}

bool thirl_tune_cgroup_path(thirl_tune_text t, char path[THIRL_TUNE_CGROUP_PATH], bool *is_v1) {
  thirl_tune_text line, number, controllers, v2 = {0};
  while (thirl_tune_text_line(&t, &line)) {
    if (!thirl_tune_text_cut(&line, ':', &number) || !thirl_tune_text_cut(&line, ':', &controllers)) continue;
    if (has_controller(controllers, "memory")) {
      *is_v1 = true;
      return put_path("memory", line, path);
    }
    if (thirl_tune_text_is(number, "0") && !controllers.n) v2 = line;
  }
  *is_v1 = false;
  return put_path("", v2, path);
}

static bool bytes_of(thirl_tune_text t, int64_t *out) {
  thirl_tune_text word;
  if (!thirl_tune_text_word(&t, &word)) return false;
  if (thirl_tune_text_is(word, "max")) {
    *out = THIRL_TUNE_UNLIMITED;
    return true;
  }
  if (!thirl_tune_text_decimal(word, out) || *out < 0) return false;
  if (*out >= as_good_as_unlimited) *out = THIRL_TUNE_UNLIMITED;
  return true;
}

static void add(thirl_tune_number *to, int64_t v) {
  if (v < 0) return;
  if (to->why != THIRL_TUNE_WHY_READ) to->v = 0;
  *to = (thirl_tune_number){thirl_tune_facts_clamp(to->v + thirl_tune_facts_clamp(v)), THIRL_TUNE_WHY_READ};
}

/* "max 3" of version 2 is what version 1 counts in failcnt. */
static void read_events(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_text line, name, number;
  while (thirl_tune_text_line(&t, &line)) {
    int64_t v;
    if (!thirl_tune_text_word(&line, &name) || !thirl_tune_text_word(&line, &number)) continue;
    if (!thirl_tune_text_decimal(number, &v)) continue;
    if (thirl_tune_text_is(name, "oom_kill")) add(&f->counter[THIRL_TUNE_COUNTER_CGROUP_OOM], v);
    if (thirl_tune_text_is(name, "max")) add(&f->counter[THIRL_TUNE_COUNTER_CGROUP_FAILCNT], v);
  }
}

void thirl_tune_cgroup_consider(thirl_tune_facts *f, const thirl_tune_cgroup_files *files) {
  thirl_tune_number *max = &f->gauge[THIRL_TUNE_GAUGE_CGROUP_MAX],
                    *current = &f->gauge[THIRL_TUNE_GAUGE_CGROUP_CURRENT];
  thirl_tune_text word, failcnt = files->failcnt;
  int64_t limit, used, v;
  read_events(f, files->events);
  if (thirl_tune_text_word(&failcnt, &word) && thirl_tune_text_decimal(word, &v))
    add(&f->counter[THIRL_TUNE_COUNTER_CGROUP_FAILCNT], v);
  if (!bytes_of(files->max, &limit) || !bytes_of(files->current, &used)) return;
  bool first = max->why != THIRL_TUNE_WHY_READ || current->why != THIRL_TUNE_WHY_READ;
  if (!first && max->v - current->v <= limit - used) return;
  *max = (thirl_tune_number){limit, THIRL_TUNE_WHY_READ};
  *current = (thirl_tune_number){used, THIRL_TUNE_WHY_READ};
}

void thirl_tune_cgroup_settle(thirl_tune_facts *f, thirl_tune_why why) {
  thirl_tune_number *all[] = {&f->gauge[THIRL_TUNE_GAUGE_CGROUP_MAX], &f->gauge[THIRL_TUNE_GAUGE_CGROUP_CURRENT],
                              &f->counter[THIRL_TUNE_COUNTER_CGROUP_OOM],
                              &f->counter[THIRL_TUNE_COUNTER_CGROUP_FAILCNT]};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (all[i]->why != THIRL_TUNE_WHY_READ) all[i]->why = why;
}
