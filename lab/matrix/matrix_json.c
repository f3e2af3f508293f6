/* SPDX-License-Identifier: MIT */
#include "lab/matrix/matrix_json.h"

#include <stdlib.h>
#include <string.h>
#include <jansson.h>

enum { LINE_BYTES_MAX = 1 << 16, MS_MAX = 100000000 };

static bool write_line(json_t *o, FILE *file, size_t flags) {
  bool good = o && json_dumpf(o, file, flags) == 0 && fputc('\n', file) != EOF && fflush(file) == 0;
  json_decref(o);
  return good;
}

/* ---- what is being tried ---- */

static json_t *head_of(const thirl_lab_matrix *m) {
  json_t *nats = json_array();
  for (size_t i = 0; i < m->n; i++)
    json_array_append_new(nats, json_pack("{s:s,s:s}", "name", m->nats[i].name, "words", m->nats[i].words));
  return json_pack("{s:i,s:o,s:i,s:s,s:s,s:s,s:s,s:s}", "thirl-lab-matrix", THIRL_LAB_MATRIX_JSON_VERSION, "nats", nats,
                   "latency_ms", (int)m->latency_ms, "engine", m->engine, "server", m->server, "left", m->left, "right",
                   m->right, "judge", m->judge);
}

bool thirl_lab_matrix_json_write_head(const thirl_lab_matrix *m, FILE *file) {
  return write_line(head_of(m), file, JSON_COMPACT);
}

static thirl_error check_head(const thirl_lab_matrix *m, const json_t *head, thirl_lab_complaint *why) {
  if (!json_is_integer(json_object_get(head, "thirl-lab-matrix")))
    return thirl_lab_words_complain(why, THIRL_E_SYNTAX, "it does not begin like a file of results");
  json_t *ours = head_of(m);
  const char *key;
  json_t *value;
  thirl_error e = ours ? THIRL_OK : THIRL_E_NOMEM;
  json_object_foreach(ours, key, value) {
    if (e == THIRL_OK && !json_equal(value, json_object_get(head, key)))
      e = thirl_lab_words_complain(why, THIRL_E_INVALID, "it is about something else: \"%s\" is different", key);
  }
  json_decref(ours);
  return e;
}

/* ---- cells ---- */

static json_t *cell_of(thirl_lab_matrix *m, size_t left, size_t right) {
  const thirl_lab_matrix_cell *c = thirl_lab_matrix_at(m, left, right);
  return json_pack("{s:s,s:s,s:s,s:o,s:i,s:s}", "left", m->nats[left].name, "right", m->nats[right].name, "path",
                   thirl_lab_matrix_path_name(c->path), "ms", c->ms ? json_integer(c->ms) : json_null(), "took_ms",
                   (int)c->took_ms, "note", c->note);
}

bool thirl_lab_matrix_json_write_cell(thirl_lab_matrix *m, size_t left, size_t right, FILE *file) {
  return write_line(cell_of(m, left, right), file, JSON_COMPACT);
}

static unsigned number_of(const json_t *o, const char *key) {
  const json_t *v = json_object_get(o, key);
  double n = json_is_number(v) ? json_number_value(v) : 0;
  return n > 0 && n < MS_MAX ? (unsigned)(n + 0.5) : 0;
}

static bool read_verdict(const json_t *o, thirl_lab_matrix_cell *out) {
  const char *path = json_string_value(json_object_get(o, "path")),
             *note = json_string_value(json_object_get(o, "note"));
  thirl_lab_matrix_path p = path ? thirl_lab_matrix_path_find(path) : THIRL_LAB_MATRIX_PENDING;
  if (p == THIRL_LAB_MATRIX_PENDING) return false;
  *out = (thirl_lab_matrix_cell){.path = p, .ms = number_of(o, "ms"), .took_ms = number_of(o, "took_ms")};
  size_t n = 0;
  for (; note && note[n] && n < THIRL_LAB_MATRIX_NOTE_MAX; n++)
    out->note[n] = note[n];
  while (note && n > 0 && ((unsigned char)note[n] & 0xc0) == 0x80)
    out->note[n--] = '\0'; /* not half a character */
  out->note[n] = '\0';
  return true;
}

static void take_cell(thirl_lab_matrix *m, const json_t *o) {
  const char *left = json_string_value(json_object_get(o, "left")),
             *right = json_string_value(json_object_get(o, "right"));
  thirl_lab_matrix_cell c;
  if (!left || !right || !read_verdict(o, &c)) return;
  size_t i = thirl_lab_matrix_find(m, left), j = thirl_lab_matrix_find(m, right);
  if (i != SIZE_MAX && j != SIZE_MAX) *thirl_lab_matrix_at(m, i, j) = c;
}

thirl_error thirl_lab_matrix_json_read(thirl_lab_matrix *m, FILE *file, thirl_lab_complaint *why) {
  char *line = malloc(LINE_BYTES_MAX);
  thirl_error e = line ? THIRL_OK : THIRL_E_NOMEM;
  for (bool first = true; e == THIRL_OK && fgets(line, LINE_BYTES_MAX, file); first = false) {
    size_t n = strlen(line);
    bool whole = n > 0 && line[n - 1] == '\n';
    json_t *o = whole ? json_loadb(line, n, 0, NULL) : NULL;
    if (first)
      e = o ? check_head(m, o, why)
            : thirl_lab_words_complain(why, THIRL_E_SYNTAX, "it does not begin like a file of results");
    else if (o)
      take_cell(m, o);
    json_decref(o);
  }
  free(line);
  return e;
}

bool thirl_lab_matrix_json_verdict(const char *output, size_t len, thirl_lab_matrix_cell *out) {
  for (size_t end = len; end > 0;) {
    size_t begin = end;
    while (begin > 0 && output[begin - 1] != '\n')
      begin--;
    json_t *o = end > begin && output[begin] == '{' ? json_loadb(output + begin, end - begin, 0, NULL) : NULL;
    bool found = o && read_verdict(o, out);
    json_decref(o);
    if (found) return true;
    end = begin > 0 ? begin - 1 : 0;
  }
  return false;
}

/* ---- the report ---- */

bool thirl_lab_matrix_json_report(thirl_lab_matrix *m, FILE *file) {
  json_t *report = head_of(m), *cells = json_array(), *summary = json_object();
  if (!report || !cells || !summary) return false;
  for (size_t i = 0; i < m->n * m->n; i++)
    json_array_append_new(cells, cell_of(m, i / m->n, i % m->n));
  for (unsigned p = 0; p < THIRL_LAB_MATRIX_PATHS; p++)
    json_object_set_new(summary, thirl_lab_matrix_path_name((thirl_lab_matrix_path)p),
                        json_integer((json_int_t)thirl_lab_matrix_count(m, (thirl_lab_matrix_path)p)));
  json_object_set_new(report, "cells", cells);
  json_object_set_new(report, "summary", summary);
  unsigned median = thirl_lab_matrix_median_ms(m);
  json_object_set_new(report, "median_ms", median ? json_integer(median) : json_null());
  return write_line(report, file, JSON_INDENT(1));
}
