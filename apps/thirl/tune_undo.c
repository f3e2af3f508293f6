/* SPDX-License-Identifier: MIT */
/* thirl tune --undo: what the journal says, backwards. What somebody else has set since is theirs, unless --force. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "host/knob.h"
#include "tune_undo.h"
#include "tune_write.h"

typedef struct undoing {
  const tune_wish *wish;
  tune_state state;
  unsigned n_restored, n_left; /* left: because it is somebody else's, or could not be written */
  bool needs_force;
} undoing;

/* One setting. True: it is done with, and leaves the journal. */
static bool undo_setting(undoing *u, const thirl_tune_change *c) {
  char now[THIRL_TUNE_VALUE_MAX];
  thirl_error e = thirl_host_knob_read(u->wish->root, c->name, now);
  if (e == THIRL_OK) {
    thirl_tune_undo what = thirl_tune_journal_undo(c, now);
    if (what == THIRL_TUNE_UNDO_NOTHING) return true;
    if (what == THIRL_TUNE_UNDO_FOREIGN && !u->wish->force) {
      fprintf(stderr,
              "thirl: %s is left at %s: somebody has changed it since it was set to %s; it was %s before that\n",
              c->name, now, c->made, c->old);
      u->needs_force = true;
      return false;
    }
    e = thirl_host_knob_write(u->wish->root, c->name, c->old);
  }
  if (e == THIRL_OK) {
    printf("%s: %s -> %s\n", c->name, now[0] ? now : "(empty)", c->old[0] ? c->old : "(empty)");
    u->n_restored++;
    return true;
  }
  fprintf(stderr, "thirl: %s could not be set back to %s: %s\n", c->name, c->old,
          e == THIRL_E_NOT_FOUND ? "it is not there any more" : tune_state_say(e));
  return e == THIRL_E_NOT_FOUND;
}

/* Backwards, as they were set. */
static void undo_settings(undoing *u) {
  thirl_tune_journal *j = &u->state.journal;
  for (unsigned i = j->n; i-- > 0;) {
    thirl_tune_change c = j->list[i];
    if (undo_setting(u, &c))
      thirl_tune_journal_remove(j, c.name);
    else
      u->n_left++;
  }
}

/* The file without the lines that are undone; or as it was before us. */
static thirl_error undo_file(undoing *u) {
  const char *text = u->state.conf_before;
  if (u->n_left) {
    free(u->state.conf);
    text = u->state.conf = tune_write_conf_text(&u->state.journal);
    if (!text) return THIRL_E_NOMEM;
  }
  if (text) return thirl_host_whole_write(u->wish->root, TUNE_CONF_FILE, THIRL_BYTES(text, strlen(text)), 0644);
  thirl_error e = thirl_host_whole_remove(u->wish->root, TUNE_CONF_FILE);
  return e == THIRL_E_NOT_FOUND ? THIRL_OK : e;
}

/* May the file be touched? It is ours as long as it is what we wrote, or what was there before. */
static bool is_file_ours(undoing *u) {
  char *now = NULL;
  thirl_error e = tune_state_read_conf(u->wish->root, &now);
  const char *ours = u->state.conf, *before = u->state.conf_before;
  bool same =
      e == THIRL_OK && ((now && ours && strcmp(now, ours) == 0) || (now && before && strcmp(now, before) == 0) || !now);
  free(now);
  if (same || u->wish->force) return true;
  fprintf(stderr, "thirl: %s is left: somebody has changed it since\n", TUNE_CONF_FILE);
  u->needs_force = true;
  return false;
}

static int run(undoing *u) {
  thirl_error e = THIRL_OK;
  undo_settings(u);
  bool ours = is_file_ours(u);
  if (ours) {
    e = undo_file(u);
    if (e != THIRL_OK)
      fprintf(stderr, "thirl: %s could not be put back: %s\n", TUNE_CONF_FILE, tune_state_say(e));
    else
      printf("%s: %s\n", TUNE_CONF_FILE,
             u->n_left              ? "the lines that are undone are removed"
             : u->state.conf_before ? "as it was"
                                    : "removed");
  }
  bool done = u->n_left == 0 && ours && e == THIRL_OK;
  e = done ? tune_state_remove(u->wish->root, &u->state) : tune_state_save(u->wish->root, &u->state);
  if (e != THIRL_OK) fprintf(stderr, "thirl: %s: %s\n", TUNE_STATE_FILE, tune_state_say(e));
  if (u->needs_force) fprintf(stderr, "thirl: \"thirl tune --undo --force\" puts back these too\n");
  return done && e == THIRL_OK ? EXIT_OK : EXIT_GENERIC;
}

static int nothing_to_undo(void) {
  printf("nothing to undo: \"thirl tune --apply\" has changed nothing here\n");
  return EXIT_OK;
}

static int run_locked(undoing *u) {
  thirl_error e = tune_state_load(u->wish->root, &u->state);
  if (e == THIRL_E_NOT_FOUND) return nothing_to_undo();
  if (e == THIRL_OK) return tune_state_is_here(u->wish->root, &u->state, false) ? run(u) : EXIT_GENERIC;
  fprintf(stderr, "thirl: nothing was changed: %s: %s\n", TUNE_STATE_FILE,
          e == THIRL_E_PERMISSION ? "somebody else may write it, so it is not believed" : tune_state_say(e));
  return EXIT_GENERIC;
}

static int run_alone(undoing *u) {
  int lock;
  thirl_error e = thirl_host_whole_lock(u->wish->root, TUNE_LOCK_FILE, &lock);
  if (e == THIRL_E_NOT_FOUND) return nothing_to_undo(); /* not even a folder */
  if (e == THIRL_OK) {
    int code = run_locked(u);
    tune_state_unlock(u->wish->root, &u->state, lock);
    return code;
  }
  fprintf(stderr, "thirl: nothing was changed: %s: %s\n", TUNE_LOCK_FILE,
          e == THIRL_E_IN_USE ? "another \"thirl tune\" is changing settings" : tune_state_say(e));
  return EXIT_GENERIC;
}

int tune_undo(const tune_wish *w) {
  if (geteuid() != 0) {
    fprintf(stderr, "thirl: changing settings takes root: run it with sudo\n");
    return EXIT_GENERIC;
  }
  undoing *u = calloc(1, sizeof *u);
  if (!u) return EXIT_GENERIC;
  u->wish = w;
  int code = run_alone(u);
  tune_state_fini(&u->state);
  free(u);
  return code;
}
