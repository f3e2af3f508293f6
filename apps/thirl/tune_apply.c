/* SPDX-License-Identifier: MIT */
/* thirl tune --apply: what a report asks for, sorted into what can be done here and what cannot; shown; asked; done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "host/knob.h"
#include "tune/allow.h"
#include "tune/choice.h"
#include "tune_apply.h"
#include "tune_write.h"

typedef struct plan {
  const tune_wish *wish;
  thirl_tune_choice wanted[THIRL_TUNE_CHOICES_MAX];
  thirl_tune_change changes[THIRL_TUNE_CHOICES_MAX]; /* what can be done, old being what it is now */
  const char *refused[THIRL_TUNE_CHOICES_MAX];       /* why not; NULL: it can */
  unsigned n_wanted, n_changes;
  tune_state state;
} plan;

/* ---- what can be done ---- */

static const char *refuse(const plan *p, const thirl_tune_choice *c) {
  const thirl_tune_allowed *a = thirl_tune_allow_find(c->change.name);
  const char *why = thirl_tune_allow_refuse(c->change.name, c->change.made);
  if (why) return why;
  if (c->is_elsewhere || (a->is_hosts && thirl_host_knob_is_child(p->wish->root)))
    return "it belongs to the host: run this there";
  switch (thirl_host_knob_try(p->wish->root, c->change.name)) {
  case THIRL_OK:
    return NULL;
  case THIRL_E_NOT_FOUND:
    return "this kernel does not have it, or its module is not loaded";
  case THIRL_E_PERMISSION:
    return "it may not be written here: it belongs to the host";
  case THIRL_E_UNSUPPORTED:
    return tune_state_say(THIRL_E_UNSUPPORTED);
  default:
    return "it cannot be written";
  }
}

/* Reads what everything is now. Returns how many are to be changed. */
static unsigned sort_out(plan *p) {
  p->n_changes = 0;
  for (unsigned i = 0; i < p->n_wanted; i++) {
    thirl_tune_change c = p->wanted[i].change;
    p->refused[i] = refuse(p, &p->wanted[i]);
    if (p->refused[i]) continue;
    if (thirl_host_knob_read(p->wish->root, c.name, c.old) != THIRL_OK)
      p->refused[i] = "its value cannot be read, so it could not be put back";
    else if (!thirl_tune_allow_same(c.old, c.made))
      p->changes[p->n_changes++] = c;
  }
  return p->n_changes;
}

/* ---- showing it ---- */

static void show_refused(const plan *p) {
  bool first = true;
  for (unsigned i = 0; i < p->n_wanted; i++) {
    const thirl_tune_change *c = &p->wanted[i].change;
    if (!p->refused[i]) continue;
    if (first) printf("not changed:\n");
    printf("  %s -> %s: %s\n", c->name, c->made, p->refused[i]);
    first = false;
  }
}

static const char *or_empty(const char *value) {
  return value[0] ? value : "(empty)";
}

static void show_changes(plan *p, bool has_conf) {
  printf("settings of this %s:\n", thirl_host_knob_is_child(p->wish->root) ? "network namespace" : "machine");
  for (unsigned i = 0; i < p->n_changes; i++) {
    const thirl_tune_change *c = &p->changes[i];
    printf("  %s: %s -> %s\n      %s\n", c->name, or_empty(c->old), or_empty(c->made), c->why);
  }
  printf("%s%s (%s):\n", p->wish->root, TUNE_CONF_FILE,
         p->state.conf ? "changed"
         : has_conf    ? "replaced; --undo brings back what is there now"
                       : "new");
  for (unsigned i = 0; i < p->n_changes; i++) {
    const thirl_tune_change *c = &p->changes[i], *before = thirl_tune_journal_find(&p->state.journal, c->name);
    if (before) printf("  - %s = %s\n", c->name, before->made);
    printf("  + %s = %s\n", c->name, c->made);
  }
  printf("%s%s (%s): how it was, for \"thirl tune --undo\"\n", p->wish->root, TUNE_STATE_FILE,
         p->state.conf ? "changed" : "new");
  if (thirl_host_knob_is_child(p->wish->root))
    printf("at boot the file is read for the machine or the container whose /etc this is, not for other namespaces\n");
  show_refused(p);
  fflush(stdout);
}

static bool ask(const plan *p) {
  char answer[16];
  if (p->wish->yes) return true;
  if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
    fprintf(stderr, "thirl: nothing was changed: there is nobody to ask, so say --yes\n");
    return false;
  }
  fprintf(stderr, "Change this? [y/N] ");
  if (fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y')) return true;
  fprintf(stderr, "thirl: nothing was changed\n");
  return false;
}

/* ---- the files ---- */

/* Is TUNE_CONF_FILE still what we have made of it? */
static bool is_conf_ours(const plan *p, const char *conf) {
  if (!p->state.conf || (conf && strcmp(conf, p->state.conf) == 0)) return true;
  if (p->wish->force) return true;
  fprintf(stderr, "thirl: %s has been %s since: look at it, then --force to write it anew\n", TUNE_CONF_FILE,
          conf ? "changed" : "removed");
  return false;
}

static bool load(plan *p, bool *has_conf) {
  char *conf = NULL;
  thirl_error e = tune_state_load(p->wish->root, &p->state);
  bool is_new = e == THIRL_E_NOT_FOUND;
  if (e != THIRL_OK && !is_new) {
    fprintf(stderr, "thirl: nothing was changed: %s: %s\n", TUNE_STATE_FILE,
            e == THIRL_E_PERMISSION ? "somebody else may write it, so it is not believed" : tune_state_say(e));
    return false;
  }
  if (!tune_state_is_here(p->wish->root, &p->state, is_new)) return false;
  e = tune_state_read_conf(p->wish->root, &conf);
  if (e != THIRL_OK)
    fprintf(stderr, "thirl: nothing was changed: %s: %s\n", TUNE_CONF_FILE,
            e == THIRL_E_PERMISSION ? "it is a link, or somebody else may write it" : tune_state_say(e));
  *has_conf = conf != NULL;
  bool good = e == THIRL_OK && is_conf_ours(p, conf);
  free(conf);
  return good;
}

/* Once more from the beginning: time has passed while we asked. */
static int write_anew(plan *p, const thirl_host_whole_folders *made) {
  bool has_conf;
  if (!load(p, &has_conf)) return EXIT_GENERIC;
  for (unsigned i = 0; i < made->n && p->state.folders.n < THIRL_HOST_WHOLE_FOLDERS_MAX; i++)
    memcpy(p->state.folders.path[p->state.folders.n++], made->path[i], sizeof made->path[i]);
  if (sort_out(p) == 0) {
    printf("nothing to change any more\n");
    return EXIT_OK;
  }
  int code = tune_write_all(p->wish->root, &p->state, p->changes, p->n_changes);
  if (code == EXIT_OK) printf("%u changed; \"thirl tune --undo\" puts everything back\n", p->n_changes);
  return code;
}

static int write_alone(plan *p) {
  int lock = -1;
  thirl_host_whole_folders made = {0};
  thirl_error e = thirl_host_whole_make_folders(p->wish->root, TUNE_STATE_FILE, &made);
  if (e == THIRL_OK) e = thirl_host_whole_lock(p->wish->root, TUNE_LOCK_FILE, &lock);
  int code = EXIT_GENERIC;
  if (e == THIRL_OK) {
    tune_state_fini(&p->state);
    code = write_anew(p, &made);
    tune_state_unlock(p->wish->root, &p->state, lock);
  } else
    fprintf(stderr, "thirl: nothing was changed: %s: %s\n", TUNE_LOCK_FILE,
            e == THIRL_E_IN_USE ? "another \"thirl tune\" is changing settings" : tune_state_say(e));
  thirl_host_whole_remove_folders(p->wish->root, &made);
  return code;
}

static int run(plan *p, const thirl_tune_report *report) {
  bool has_conf = false;
  p->n_wanted = thirl_tune_choice_make(report, p->wanted);
  if (sort_out(p) == 0) {
    show_refused(p);
    fflush(stdout);
    for (unsigned i = 0; i < p->n_wanted; i++)
      if (p->refused[i]) {
        fprintf(stderr, "thirl: nothing can be changed here\n");
        return EXIT_GENERIC;
      }
    printf("nothing to change\n");
    return EXIT_OK;
  }
  if (!load(p, &has_conf)) return EXIT_GENERIC;
  show_changes(p, has_conf);
  return ask(p) ? write_alone(p) : p->wish->yes || isatty(STDIN_FILENO) ? EXIT_GENERIC : EXIT_USAGE;
}

int tune_apply(const tune_wish *w, const thirl_tune_report *report) {
  if (geteuid() != 0) {
    fprintf(stderr,
            "thirl: changing settings takes root: run it with sudo, or take what \"thirl tune --print\" writes\n");
    return EXIT_GENERIC;
  }
  plan *p = calloc(1, sizeof *p);
  if (!p) return EXIT_GENERIC;
  p->wish = w;
  int code = run(p, report);
  tune_state_fini(&p->state);
  free(p);
  return code;
}
