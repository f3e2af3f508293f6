/* SPDX-License-Identifier: MIT */
#include "tune_mode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tune/fragment.h"
#include "tune_apply.h"
#include "tune_undo.h"

enum { FRAGMENT_BYTES_MAX = 256 * 1024 };

static int complain(const char *what, const char *word) {
  return options_complain("thirl", what, word);
}

static int exclude(const char *one, const char *other) {
  char text[64];
  snprintf(text, sizeof text, "%s and %s exclude each other", one, other);
  return complain(text, NULL);
}

/* A typing mistake would be a machine of which nothing is known, and so nothing wrong. */
static bool has_proc(const char *root) {
  char path[4096];
  struct stat st;
  int n = snprintf(path, sizeof path, "%s/proc", root);
  if (n < 0 || (size_t)n >= sizeof path) return false;
  return stat(path, &st) == 0 ? S_ISDIR(st.st_mode) : errno == EACCES; /* that is told by whoever wants to look */
}

int tune_mode_check(const arguments *a) {
  const struct {
    bool is_there;
    const char *name;
  } modes[] = {
      {a->print, "--print"}, {a->apply, "--apply"}, {a->undo, "--undo"}, {a->watch, "--watch"}, {a->json, "--json"}};
  const char *first = NULL;
  unsigned formats;
  for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++) {
    if (modes[i].is_there && first) return exclude(first, modes[i].name);
    if (modes[i].is_there) first = modes[i].name;
  }
  if (a->format && !a->print) return complain("--format goes with --print", NULL);
  if (a->format && !thirl_tune_fragment_find(a->format, &formats))
    return complain("--format wants sysctl, systemd, limits, nft or all, not", a->format);
  if (a->yes && !a->apply) return complain("--yes goes with --apply", NULL);
  if (a->force && !a->apply && !a->undo) return complain("--force goes with --apply or --undo", NULL);
  if ((a->interval_s || a->count) && !a->watch) return complain("--interval and --count go with --watch", NULL);
  if (a->watch && (a->only || a->nat_report || a->window_s))
    return complain("--watch shows every limit, as it is now: without --only, --nat and --window", NULL);
  if (a->root && !a->undo && !has_proc(a->root)) return complain("--root wants a folder with proc in it, not", a->root);
  if (a->apply && a->pid)
    return complain("--apply changes the network namespace that it runs in: without --pid, there", NULL);
  return EXIT_OK;
}

bool tune_mode_wants_report(const arguments *a) {
  return a->print || a->apply;
}

static tune_wish wish_of(const arguments *a) {
  bool is_machine = !a->root || strcmp(a->root, "/") == 0;
  return (tune_wish){.root = is_machine ? "" : a->root, .yes = a->yes, .force = a->force};
}

static int print(const arguments *a, const thirl_tune_report *report, const thirl_tune_demand *demand) {
  unsigned formats = THIRL_TUNE_FRAGMENT_ALL;
  thirl_buffer b;
  if (a->format) (void)thirl_tune_fragment_find(a->format, &formats);
  thirl_buffer_init(&b, FRAGMENT_BYTES_MAX);
  thirl_error e = thirl_tune_fragment_format(report, demand, formats, &b);
  thirl_bytes v = thirl_buffer_view(&b);
  bool good = e == THIRL_OK && fwrite(v.p, 1, v.n, stdout) == v.n && fflush(stdout) == 0;
  if (!good) fprintf(stderr, "thirl: %s\n", thirl_error_text(e == THIRL_OK ? THIRL_E_IO : e));
  thirl_buffer_fini(&b);
  return good ? EXIT_OK : EXIT_GENERIC;
}

int tune_mode_act(const arguments *a, const thirl_tune_report *report, const thirl_tune_demand *demand) {
  tune_wish w = wish_of(a);
  return a->print ? print(a, report, demand) : tune_apply(&w, report);
}

int tune_mode_undo(const arguments *a) {
  tune_wish w = wish_of(a);
  return tune_undo(&w);
}
