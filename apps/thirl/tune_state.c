/* SPDX-License-Identifier: MIT */
#include "tune_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "host/subject.h"
#include "tune/allow.h"

enum { STATE_BYTES_MAX = 512 * 1024, VERSION = 1 };

/* ---- text ---- */

static void put_text(json_t *o, const char *key, const char *text) {
  json_object_set_new(o, key, text ? json_string(text) : json_null());
}

char *tune_state_encode(const tune_state *s) {
  json_t *o = json_object(), *changes = json_array(), *folders = json_array();
  for (unsigned i = 0; i < s->journal.n; i++) {
    const thirl_tune_change *c = &s->journal.list[i];
    json_t *row = json_object();
    put_text(row, "name", c->name);
    put_text(row, "old", c->old);
    put_text(row, "made", c->made);
    put_text(row, "why", c->why);
    json_array_append_new(changes, row);
  }
  for (unsigned i = 0; i < s->folders.n; i++)
    json_array_append_new(folders, json_string(s->folders.path[i]));
  json_object_set_new(o, "v", json_integer(VERSION));
  if (s->journal.where[0]) put_text(o, "where", s->journal.where);
  json_object_set_new(o, "changes", changes);
  put_text(o, "conf", s->conf);
  put_text(o, "conf_before", s->conf_before);
  json_object_set_new(o, "folders", folders);
  char *text = json_dumps(o, JSON_INDENT(2));
  json_decref(o);
  return text;
}

static bool take_text(const json_t *o, const char *key, char *out, size_t size) {
  const json_t *v = json_object_get(o, key);
  if (!json_is_string(v) || json_string_length(v) >= size) return false;
  for (const char *c = json_string_value(v); *c; c++)
    if (*c < ' ' || *c > '~') return false;
  memcpy(out, json_string_value(v), json_string_length(v) + 1);
  return true;
}

static bool take_whole(const json_t *o, const char *key, char **out) {
  const json_t *v = json_object_get(o, key);
  *out = NULL;
  if (json_is_null(v)) return true;
  if (!json_is_string(v)) return false;
  *out = strdup(json_string_value(v));
  return *out != NULL;
}

static bool take_changes(const json_t *o, thirl_tune_journal *j) {
  const json_t *list = json_object_get(o, "changes");
  if (!json_is_array(list) || json_array_size(list) > THIRL_TUNE_JOURNAL_MAX) return false;
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *row = json_array_get(list, i);
    thirl_tune_change c = {0};
    if (!take_text(row, "name", c.name, sizeof c.name) || !take_text(row, "old", c.old, sizeof c.old) ||
        !take_text(row, "made", c.made, sizeof c.made) || !take_text(row, "why", c.why, sizeof c.why))
      return false;
    if (!thirl_tune_allow_find(c.name) || thirl_tune_journal_find(j, c.name)) return false;
    j->list[j->n++] = c;
  }
  return true;
}

/* Those of the first version do not have it. */
static bool take_where(const json_t *o, thirl_tune_journal *j) {
  return !json_object_get(o, "where") || (take_text(o, "where", j->where, sizeof j->where) && j->where[0]);
}

/* A folder of ours is one above one of our files. */
static bool is_ours(const char *folder) {
  static const char *const files[] = {TUNE_STATE_FILE, TUNE_CONF_FILE};
  size_t n = strlen(folder);
  for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
    if (n > 1 && strncmp(files[i], folder, n) == 0 && files[i][n] == '/') return true;
  return false;
}

static bool take_folders(const json_t *o, thirl_host_whole_folders *f) {
  const json_t *list = json_object_get(o, "folders");
  if (!json_is_array(list) || json_array_size(list) > THIRL_HOST_WHOLE_FOLDERS_MAX) return false;
  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *text = json_string_value(json_array_get(list, i));
    if (!text || strlen(text) >= THIRL_HOST_WHOLE_PATH_MAX || !is_ours(text)) return false;
    memcpy(f->path[f->n++], text, strlen(text) + 1);
  }
  return true;
}

thirl_error tune_state_decode(thirl_bytes text, tune_state *s) {
  json_error_t why;
  json_t *o = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &why);
  *s = (tune_state){0};
  bool good = o && json_integer_value(json_object_get(o, "v")) == VERSION && take_where(o, &s->journal) &&
              take_changes(o, &s->journal) && take_whole(o, "conf", &s->conf) &&
              take_whole(o, "conf_before", &s->conf_before) && take_folders(o, &s->folders);
  json_decref(o);
  if (good) return THIRL_OK;
  tune_state_fini(s);
  return THIRL_E_SYNTAX;
}

void tune_state_fini(tune_state *s) {
  free(s->conf);
  free(s->conf_before);
  *s = (tune_state){0};
}

thirl_error tune_state_copy(const tune_state *s, tune_state *to) {
  *to = *s;
  to->conf = s->conf ? strdup(s->conf) : NULL;
  to->conf_before = s->conf_before ? strdup(s->conf_before) : NULL;
  if ((!s->conf || to->conf) && (!s->conf_before || to->conf_before)) return THIRL_OK;
  tune_state_fini(to);
  return THIRL_E_NOMEM;
}

/* ---- whose ---- */

bool tune_state_is_here(const char *root, tune_state *s, bool is_new) {
  char here[THIRL_TUNE_WHERE_MAX];
  thirl_tune_journal *j = &s->journal;
  thirl_host_subject_where(root, here);
  if (is_new || thirl_tune_journal_is_of(j, here)) {
    memcpy(j->where, here, sizeof here);
    return true;
  }
  bool is_hosts = thirl_tune_journal_is_of(j, THIRL_TUNE_WHERE_HOST);
  bool is_roots = thirl_tune_journal_is_of(j, THIRL_TUNE_WHERE_ROOT);
  fprintf(stderr,
          "thirl: nothing was changed: what %s tells of was done %s%s, not here: go there for --undo, or, if that is "
          "gone, remove the file\n",
          TUNE_STATE_FILE,
          is_hosts   ? "in the network namespace of the machine itself"
          : is_roots ? "with --root"
                     : "in the network namespace ",
          is_hosts || is_roots ? "" : j->where);
  return false;
}

/* ---- files ---- */

const char *tune_state_say(thirl_error e) {
  return e == THIRL_E_UNSUPPORTED ? "a symbolic link is on the way to it, and below --root none is followed"
                                  : thirl_error_text(e);
}

thirl_error tune_state_load(const char *root, tune_state *s) {
  thirl_buffer b;
  *s = (tune_state){0};
  thirl_buffer_init(&b, STATE_BYTES_MAX);
  thirl_error e = thirl_host_whole_read_own(root, TUNE_STATE_FILE, &b);
  if (e == THIRL_OK) e = tune_state_decode(thirl_buffer_view(&b), s);
  thirl_buffer_fini(&b);
  return e;
}

thirl_error tune_state_save(const char *root, tune_state *s) {
  thirl_error e = thirl_host_whole_make_folders(root, TUNE_STATE_FILE, &s->folders);
  if (e != THIRL_OK) return e;
  char *text = tune_state_encode(s);
  if (!text) return THIRL_E_NOMEM;
  e = thirl_host_whole_write(root, TUNE_STATE_FILE, THIRL_BYTES(text, strlen(text)), 0600);
  free(text);
  return e;
}

thirl_error tune_state_remove(const char *root, const tune_state *s) {
  thirl_error e = thirl_host_whole_remove(root, TUNE_STATE_FILE);
  if (e == THIRL_E_NOT_FOUND) e = THIRL_OK;
  if (e == THIRL_OK) thirl_host_whole_remove_folders(root, &s->folders);
  return e;
}

void tune_state_unlock(const char *root, const tune_state *s, int lock) {
  thirl_host_whole_unlock(root, TUNE_LOCK_FILE, lock);
  thirl_host_whole_remove_folders(root, &s->folders);
}

thirl_error tune_state_read_conf(const char *root, char **out) {
  thirl_buffer b;
  *out = NULL;
  thirl_buffer_init(&b, STATE_BYTES_MAX / 4);
  thirl_error e = thirl_host_whole_read_own(root, TUNE_CONF_FILE, &b);
  thirl_bytes v = thirl_buffer_view(&b);
  if (e == THIRL_OK) {
    json_t *text = json_stringn(v.n ? (const char *)v.p : "", v.n); /* does it go into the state? */
    if (!text || (v.n && memchr(v.p, '\0', v.n)))
      e = THIRL_E_SYNTAX;
    else if (!(*out = strdup(json_string_value(text))))
      e = THIRL_E_NOMEM;
    json_decref(text);
  }
  thirl_buffer_fini(&b);
  return e == THIRL_E_NOT_FOUND ? THIRL_OK : e;
}
