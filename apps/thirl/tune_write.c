/* SPDX-License-Identifier: MIT */
/*
 * All or nothing. The order is what makes it safe to be killed at any moment: first the journal says what will be changed and how it was, then the settings
 * are set, then the file that makes them last, and then the journal says how it came out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "host/knob.h"
#include "tune/allow.h"
#include "tune_write.h"

typedef struct writing {
  const char *root;
  tune_state *state, before; /* before: what to go back to */
  bool was_empty;
  const thirl_tune_change *changes;
  unsigned n, n_set; /* settings that are set by now */
} writing;

char *tune_write_conf_text(const thirl_tune_journal *j) {
  thirl_buffer b;
  char *text = NULL;
  thirl_buffer_init(&b, THIRL_TUNE_JOURNAL_TEXT_MAX);
  if (thirl_tune_journal_format(j, &b) == THIRL_OK) {
    thirl_bytes v = thirl_buffer_view(&b);
    text = calloc(1, v.n + 1); /* no strndup: the view has no end of its own, which strict checks look for */
    if (text) memcpy(text, v.p, v.n);
  }
  thirl_buffer_fini(&b);
  return text;
}

static const char *say_refusal(thirl_error e) {
  return e == THIRL_E_RANGE ? "the kernel refuses the value" : tune_state_say(e);
}

static thirl_error renew_conf(tune_state *s) {
  char *text = tune_write_conf_text(&s->journal);
  if (!text) return THIRL_E_NOMEM;
  free(s->conf);
  s->conf = text;
  return THIRL_OK;
}

/* ---- back ---- */

static bool put_back_settings(writing *w) {
  bool good = true;
  while (w->n_set-- > 0) {
    const thirl_tune_change *c = &w->changes[w->n_set];
    thirl_error e = thirl_host_knob_write(w->root, c->name, c->old);
    if (e == THIRL_OK) continue;
    fprintf(stderr, "thirl: %s is %s now and could not be set back to %s: %s\n", c->name, c->made, c->old,
            say_refusal(e));
    good = false;
  }
  return good;
}

static bool put_back_files(writing *w) {
  const char *conf = w->was_empty ? w->state->conf_before : w->before.conf;
  thirl_error e = conf ? thirl_host_whole_write(w->root, TUNE_CONF_FILE, THIRL_BYTES(conf, strlen(conf)), 0644)
                       : thirl_host_whole_remove(w->root, TUNE_CONF_FILE);
  if (e == THIRL_E_NOT_FOUND) e = THIRL_OK;
  if (e != THIRL_OK) fprintf(stderr, "thirl: " TUNE_CONF_FILE " could not be put back: %s\n", tune_state_say(e));
  return e == THIRL_OK;
}

/* Everything as it was, the journal last: what could not be put back stays in it. */
static int go_back(writing *w, bool with_files) {
  bool good = put_back_settings(w);
  if (with_files) good = put_back_files(w) && good;
  if (good) {
    thirl_error e = w->was_empty ? tune_state_remove(w->root, w->state) : tune_state_save(w->root, &w->before);
    good = e == THIRL_OK;
  }
  fprintf(stderr, good ? "thirl: everything is as it was before\n"
                       : "thirl: not everything could be put back; \"thirl tune --undo\" tries again\n");
  return EXIT_GENERIC;
}

/* ---- forth ---- */

static thirl_error begin(writing *w) {
  thirl_error e = tune_state_copy(w->state, &w->before);
  w->was_empty = w->state->journal.n == 0 && !w->state->conf;
  if (e == THIRL_OK && w->was_empty) e = tune_state_read_conf(w->root, &w->state->conf_before);
  for (unsigned i = 0; i < w->n && e == THIRL_OK; i++)
    e = thirl_tune_journal_note(&w->state->journal, &w->changes[i]);
  if (e == THIRL_OK) e = renew_conf(w->state);
  if (e == THIRL_OK) e = thirl_host_whole_make_folders(w->root, TUNE_STATE_FILE, &w->state->folders);
  if (e == THIRL_OK) e = thirl_host_whole_make_folders(w->root, TUNE_CONF_FILE, &w->state->folders);
  if (e == THIRL_OK) e = tune_state_save(w->root, w->state);
  if (e == THIRL_OK) return THIRL_OK;
  fprintf(stderr, "thirl: nothing was changed, because it could not be undone: %s\n", tune_state_say(e));
  thirl_host_whole_remove_folders(w->root, &w->state->folders);
  return e;
}

static thirl_error set_all(writing *w) {
  for (; w->n_set < w->n; w->n_set++) {
    const thirl_tune_change *c = &w->changes[w->n_set];
    thirl_tune_change *kept = thirl_tune_journal_find(&w->state->journal, c->name);
    thirl_error e = thirl_host_knob_write(w->root, c->name, c->made);
    if (e != THIRL_OK) {
      fprintf(stderr, "thirl: %s cannot be set to %s: %s\n", c->name, c->made, say_refusal(e));
      return e;
    }
    /* The kernel may have written it down in another way, or have rounded it. */
    if (thirl_host_knob_read(w->root, c->name, kept->made) != THIRL_OK) memcpy(kept->made, c->made, sizeof kept->made);
  }
  return THIRL_OK;
}

static thirl_error write_conf(writing *w) {
  thirl_error e = renew_conf(w->state);
  if (e == THIRL_OK)
    e = thirl_host_whole_write(w->root, TUNE_CONF_FILE, THIRL_BYTES(w->state->conf, strlen(w->state->conf)), 0644);
  if (e != THIRL_OK) fprintf(stderr, "thirl: " TUNE_CONF_FILE " cannot be written: %s\n", tune_state_say(e));
  return e;
}

static int write_through(writing *w) {
  if (begin(w) != THIRL_OK) return EXIT_GENERIC;
  if (set_all(w) != THIRL_OK) return go_back(w, false);
  if (write_conf(w) != THIRL_OK) return go_back(w, true);
  thirl_error e = tune_state_save(w->root, w->state);
  if (e == THIRL_OK) return EXIT_OK;
  fprintf(stderr, "thirl: " TUNE_STATE_FILE " cannot be written: %s\n", tune_state_say(e));
  return go_back(w, true);
}

int tune_write_all(const char *root, tune_state *s, const thirl_tune_change *changes, unsigned n) {
  writing *w = calloc(1, sizeof *w);
  if (!w) return EXIT_GENERIC;
  *w = (writing){.root = root, .state = s, .changes = changes, .n = n};
  int code = write_through(w);
  tune_state_fini(&w->before);
  free(w);
  return code;
}
