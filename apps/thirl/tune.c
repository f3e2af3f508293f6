/* SPDX-License-Identifier: MIT */
/* thirl tune: does this Linux suit what shall run on it? Two looks, some seconds apart; the machine is left as it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "host/host.h"
#include "host/subject.h"
#include "tune/nat_report.h"
#include "tune/words.h"
#include "tune_mode.h"
#include "tune_myth.h"
#include "tune_print.h"
#include "tune_watch.h"

enum { WINDOW_DEFAULT_S = 5 };

static int complain(const char *what, const char *word) {
  return options_complain("thirl", what, word);
}

/* ---- words of the command line ---- */

static int read_profile(const arguments *a, thirl_tune_profile *profile) {
  if (!a->profile || thirl_tune_words_find_profile(a->profile, profile)) return EXIT_OK;
  return complain("--profile wants server, router or client, not", a->profile);
}

static int read_demand(const arguments *a, thirl_tune_demand *d) {
  const char *at;
  unsigned n;
  char word[64];
  if (!a->what_if) return EXIT_OK;
  thirl_error e = thirl_tune_demand_parse(d, a->what_if, &at, &n);
  if (e == THIRL_OK) return EXIT_OK;
  snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1), at);
  return complain(e == THIRL_E_RANGE ? "--what-if: out of range:"
                                     : "--what-if wants clients=, tcp=, relays=, pps=, stall-ms= with a number, or "
                                       "relay-ports=FIRST-LAST, with commas between; not",
                  word);
}

static int read_only(const arguments *a, tune_result *r) {
  char word[32];
  for (const char *p = a->only; p && *p;) {
    size_t n = strcspn(p, ",");
    thirl_tune_id id = thirl_tune_catalogue_find(p, n);
    snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1), p);
    if (!id) return complain("--only wants ids such as UDP1,CT2, not", word);
    r->only[id] = r->has_only = true;
    p += n + (p[n] == ',');
  }
  return EXIT_OK;
}

/* ---- looking ---- */

static int64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void wait_us(int64_t us) {
  struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
  while (nanosleep(&t, &t) != 0 && errno == EINTR)
    ;
}

/* Which process, and into its namespace. */
static int choose_subject(const arguments *a, const char *root, int64_t *pid) {
  char word[24];
  *pid = a->pid ? (int64_t)a->pid : thirl_host_subject_find(root);
  if (!a->pid || strcmp(root, "/") != 0) return EXIT_OK;
  thirl_error e = thirl_host_subject_enter(*pid);
  snprintf(word, sizeof word, "%u", a->pid);
  if (e == THIRL_E_NOT_FOUND) return complain("there is no process", word);
  if (e == THIRL_OK) return EXIT_OK;
  complain("may not go into the network namespace of process (root may):", word);
  return EXIT_GENERIC;
}

static void look_twice(const arguments *a, const char *root, int64_t pid, thirl_tune_facts *before, thirl_tune_case *c,
                       thirl_tune_facts *after) {
  bool is_live = strcmp(root, "/") == 0;
  int64_t window_us = (int64_t)(a->window_s ? a->window_s : WINDOW_DEFAULT_S) * 1000000;
  if (!a->quiet && isatty(STDERR_FILENO) && is_live)
    fprintf(stderr, "thirl: watching for %d s\n", (int)(window_us / 1000000));
  int64_t start = now_us();
  thirl_host_read(root, pid, before);
  if (is_live) wait_us(window_us);
  c->window_us = now_us() - start;
  if (!is_live) c->window_us = window_us; /* the second look at a recorded tree is in its folder later/ */
  if (is_live) {
    thirl_host_read(root, pid, after);
    return;
  }
  char later[4096];
  snprintf(later, sizeof later, "%s/later:%s", root, root);
  thirl_host_read(later, pid, after);
}

/* The whole of a file, or of stdin, up to what a report may be long; NULL: it cannot be read. */
static char *read_whole(const char *name, size_t *n) {
  FILE *f = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
  char *text = f ? malloc(THIRL_TUNE_NAT_REPORT_BYTES + 1) : NULL;
  if (text) *n = fread(text, 1, THIRL_TUNE_NAT_REPORT_BYTES + 1, f);
  bool bad = f && ferror(f);
  if (f && f != stdin) fclose(f);
  if (!bad) return text;
  free(text);
  return NULL;
}

static int read_nat(const arguments *a, thirl_tune_facts *f) {
  size_t n = 0;
  if (!a->nat_report) return EXIT_OK;
  char *text = read_whole(a->nat_report, &n);
  if (!text) return complain("--nat: cannot read", a->nat_report);
  bool ok = thirl_tune_nat_report_parse(f, (thirl_tune_text){text, n});
  free(text);
  return ok ? EXIT_OK
            : complain("--nat wants what \"thirl nat --json\" prints; this is something else:", a->nat_report);
}

static int exit_code(const tune_result *r) {
  thirl_tune_level worst = THIRL_TUNE_LEVEL_OK;
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++)
    if (tune_print_shows(r, (thirl_tune_id)id) && r->report->finding[id].level > worst)
      worst = r->report->finding[id].level;
  if (r->myths && tune_myth_is_harmful(r->myths) && worst < THIRL_TUNE_LEVEL_WARN) worst = THIRL_TUNE_LEVEL_WARN;
  return worst == THIRL_TUNE_LEVEL_CRIT ? EXIT_CRIT : worst == THIRL_TUNE_LEVEL_WARN ? EXIT_WARN : EXIT_OK;
}

/* What --only leaves out is not mended either; what it would have explained stands for itself. */
static void leave_out(thirl_tune_report *report, const tune_result *r) {
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++)
    if (r->has_only && !r->only[id]) report->asked[id] = false;
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++)
    if (!report->asked[report->finding[id].cause]) report->finding[id].cause = THIRL_TUNE_NONE;
}

static int print(const arguments *a, tune_result *r, const char *root) {
  tune_myths myths;
  if (!r->has_only && tune_myth_read(root, r->c->after, &myths) == THIRL_OK) r->myths = &myths;
  bool good = true;
  if (!a->json)
    tune_print_text(stdout, r);
  else
    good = tune_print_json(stdout, r);
  int code = good && fflush(stdout) == 0 ? exit_code(r) : EXIT_GENERIC;
  if (r->myths) tune_myth_fini(&myths);
  r->myths = NULL;
  return code;
}

static int run(const arguments *a, tune_result *r, thirl_tune_facts *before, thirl_tune_facts *after) {
  static thirl_tune_report report;
  const char *root = a->root ? a->root : "/";
  thirl_tune_case c = {.before = before, .after = after};
  int64_t pid;
  int bad = read_profile(a, &c.profile);
  if (!bad) bad = read_only(a, r);
  if (!bad) bad = read_demand(a, &c.demand); /* now, for its complaint */
  if (!bad) bad = choose_subject(a, root, &pid);
  if (bad) return bad;
  if (a->watch) return tune_watch(a, root, pid);
  bad = read_nat(a, after);
  if (bad) return bad;
  const thirl_tune_nat nat = after->nat;
  look_twice(a, root, pid, before, &c, after);
  after->nat = nat;
  if (!a->profile) c.profile = thirl_tune_guess(after);
  c.demand = thirl_tune_demand_of(c.profile);
  (void)read_demand(a, &c.demand);
  thirl_tune_evaluate(&c, &report);
  r->c = &c;
  r->report = &report;
  r->is_guessed = !a->profile;
  if (!tune_mode_wants_report(a)) return print(a, r, root);
  leave_out(&report, r);
  return tune_mode_act(a, &report, &c.demand);
}

int command_tune(const arguments *a) {
  tune_result r = {.quiet = a->quiet, .all = a->all};
  int bad = tune_mode_check(a);
  if (bad) return bad;
  if (a->undo) return tune_mode_undo(a);
  thirl_tune_facts *before = calloc(1, sizeof *before), *after = calloc(1, sizeof *after);
  int code = EXIT_GENERIC;
  if (before && after)
    code = run(a, &r, before, after);
  else
    fprintf(stderr, "thirl: %s\n", thirl_error_text(THIRL_E_NOMEM));
  free(before);
  free(after);
  return code;
}
