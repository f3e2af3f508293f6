/* SPDX-License-Identifier: MIT */
#include "tune/sysctl.h"

#include <string.h>

#include "tune/ports.h"

typedef enum place { NETNS, SHOWN, HOST } place;

static const struct row {
  const char *path;
  unsigned field;
  place where;
  unsigned since;
} rows[] = {
#define ROW(name, path, field, where, since) {path, field, where, since},
    THIRL_TUNE_SYSCTLS(ROW)
#undef ROW
};

const char *thirl_tune_sysctl_path(thirl_tune_sysctl s) {
  return rows[s].path;
}

static bool same_key(const char *key, const char *path) {
  for (; *key && *path; key++, path++)
    if (*key != *path && !(*key == '.' && *path == '/')) return false;
  return *key == *path;
}

bool thirl_tune_sysctl_find(const char *key, thirl_tune_sysctl *out) {
  for (unsigned i = 0; i < THIRL_TUNE_SYSCTL_COUNT; i++) {
    if (!same_key(key, rows[i].path)) continue;
    *out = (thirl_tune_sysctl)i;
    return true;
  }
  return false;
}

/* The line as one would write it back: its words with one blank between them. */
static void keep_text(thirl_tune_text t, char *to, size_t size) {
  thirl_tune_text word;
  size_t at = 0;
  to[0] = '\0';
  while (thirl_tune_text_word(&t, &word)) {
    if (at + word.n + 2 > size) { /* half a line must not be written back */
      to[0] = '\0';
      return;
    }
    if (at) to[at++] = ' ';
    thirl_tune_text_copy(word, to + at, size - at);
    at += word.n;
  }
}

void thirl_tune_sysctl_parse(thirl_tune_facts *f, thirl_tune_sysctl s, thirl_tune_text t) {
  thirl_tune_number *n = &f->sysctl[s];
  thirl_tune_text rest = t, word = {0};
  n->why = THIRL_TUNE_WHY_MALFORMED;
  for (unsigned i = 0; i <= rows[s].field; i++)
    if (!thirl_tune_text_word(&rest, &word)) return;
  if (!thirl_tune_text_decimal(word, &n->v)) return;
  n->v = thirl_tune_facts_clamp(n->v);
  n->why = THIRL_TUNE_WHY_READ;
  keep_text(t, f->sysctl_text[s], sizeof f->sysctl_text[s]);
}

static void parse_word(thirl_tune_word *w, thirl_tune_text t) {
  thirl_tune_text word;
  w->why = THIRL_TUNE_WHY_MALFORMED;
  if (!thirl_tune_text_word(&t, &word)) return;
  thirl_tune_text_copy(word, w->text, sizeof w->text);
  w->why = THIRL_TUNE_WHY_READ;
}

void thirl_tune_sysctl_congestion(thirl_tune_facts *f, thirl_tune_text t) {
  parse_word(&f->congestion, t);
}

void thirl_tune_sysctl_default_qdisc(thirl_tune_facts *f, thirl_tune_text t) {
  parse_word(&f->default_qdisc, t);
}

void thirl_tune_sysctl_reserved(thirl_tune_facts *f, thirl_tune_text t) {
  bool ok = thirl_tune_ports_parse(&f->reserved, t);
  f->reserved.why = ok ? THIRL_TUNE_WHY_READ : THIRL_TUNE_WHY_MALFORMED;
  keep_text(t, f->reserved_text, sizeof f->reserved_text);
}

void thirl_tune_sysctl_kernel(thirl_tune_facts *f, thirl_tune_text t) {
  unsigned part[2] = {0, 0};
  size_t at = 0;
  for (int i = 0; i < 2; i++) {
    size_t from = at;
    while (at < t.n && t.p[at] >= '0' && t.p[at] <= '9' && at - from < 3)
      part[i] = part[i] * 10 + (unsigned)(t.p[at++] - '0');
    if (at == from) return;
    if (i == 0 && (at >= t.n || t.p[at++] != '.')) return;
  }
  f->kernel = part[0] * 100 + (part[1] < 99 ? part[1] : 99);
}

void thirl_tune_sysctl_mounts(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_text line, word = {0}, options;
  while (thirl_tune_text_line(&t, &line)) {
    bool there = true;
    for (int i = 0; i < 5 && there; i++)
      there = thirl_tune_text_word(&line, &word);
    if (!there || !thirl_tune_text_is(word, "/proc/sys") || !thirl_tune_text_word(&line, &options)) continue;
    f->sys_is_read_only = thirl_tune_text_is(options, "ro") || thirl_tune_text_begins(options, "ro,");
  }
}

/* A setting of the host that every kernel has is absent in a child namespace, one of each namespace is not. */
static thirl_tune_home home(const thirl_tune_facts *f) {
  if (f->sysctl[THIRL_TUNE_SYSCTL_NETDEV_BUDGET].why == THIRL_TUNE_WHY_READ) return THIRL_TUNE_HOME_FIRST;
  bool absent = f->sysctl[THIRL_TUNE_SYSCTL_NETDEV_BUDGET].why == THIRL_TUNE_WHY_NO_SUCH;
  bool read = f->sysctl[THIRL_TUNE_SYSCTL_SOMAXCONN].why == THIRL_TUNE_WHY_READ;
  return absent && read ? THIRL_TUNE_HOME_CHILD : THIRL_TUNE_HOME_UNKNOWN;
}

static thirl_tune_why reason(const thirl_tune_facts *f, const struct row *r) {
  bool is_tracking = strncmp(r->path, "net/netfilter/", strlen("net/netfilter/")) == 0;
  bool too_old = r->since && f->kernel && f->kernel < r->since;
  if (too_old) return THIRL_TUNE_WHY_NOT_IN_KERNEL;
  if (is_tracking && f->sysctl[THIRL_TUNE_SYSCTL_CT_TCP_LOOSE].why != THIRL_TUNE_WHY_READ)
    return THIRL_TUNE_WHY_NOT_LOADED;
  return r->where != NETNS && f->home == THIRL_TUNE_HOME_CHILD ? THIRL_TUNE_WHY_NOT_IN_NAMESPACE
                                                               : THIRL_TUNE_WHY_NOT_IN_KERNEL;
}

void thirl_tune_sysctl_settle(thirl_tune_facts *f) {
  f->home = home(f);
  if (f->home == THIRL_TUNE_HOME_UNKNOWN) return;
  for (unsigned i = 0; i < THIRL_TUNE_SYSCTL_COUNT; i++)
    if (f->sysctl[i].why == THIRL_TUNE_WHY_NO_SUCH) f->sysctl[i].why = reason(f, &rows[i]);
  thirl_tune_why *words[] = {&f->congestion.why, &f->reserved.why};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (*words[i] == THIRL_TUNE_WHY_NO_SUCH) *words[i] = THIRL_TUNE_WHY_NOT_IN_KERNEL;
  if (f->default_qdisc.why == THIRL_TUNE_WHY_NO_SUCH)
    f->default_qdisc.why =
        f->home == THIRL_TUNE_HOME_CHILD ? THIRL_TUNE_WHY_NOT_IN_NAMESPACE : THIRL_TUNE_WHY_NOT_IN_KERNEL;
}
