/* SPDX-License-Identifier: MIT */
#include "lab/matrix/matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "natbox/words.h"

static const char *const path_names[] = {"pending", "udp", "tcp", "any", "relay", "none"};

const char *thirl_lab_matrix_path_name(thirl_lab_matrix_path path) {
  return path < THIRL_LAB_MATRIX_PATHS ? path_names[path] : "?";
}

thirl_lab_matrix_path thirl_lab_matrix_path_find(const char *name) {
  for (unsigned i = THIRL_LAB_MATRIX_UDP; i < THIRL_LAB_MATRIX_PATHS; i++)
    if (strcmp(path_names[i], name) == 0) return (thirl_lab_matrix_path)i;
  return THIRL_LAB_MATRIX_PENDING;
}

/* ---- the list of NATs ---- */

static bool is_one_of(const char *word, size_t n, const char *const *list, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (strlen(list[i]) == n && memcmp(list[i], word, n) == 0) return true;
  return false;
}

/* "adm/apdf" */
static bool is_behaviour(const char *name) {
  static const char *const mappings[] = {"eim", "adm", "apdm"}, *const filters[] = {"eif", "adf", "apdf"};
  const char *slash = strchr(name, '/');
  return slash && is_one_of(name, (size_t)(slash - name), mappings, 3) &&
         is_one_of(slash + 1, strlen(slash + 1), filters, 3);
}

static bool is_name(const char *name, size_t n) {
  for (size_t i = 0; i < n; i++) {
    char c = name[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && !strchr("-_/.", c)) return false;
  }
  return n > 0 && n <= THIRL_LAB_MATRIX_NAME_MAX;
}

static thirl_error check_words(const char *words, thirl_lab_complaint *why) {
  thirl_natbox_config c = thirl_natbox_config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF, thirl_addr_v4(203, 0, 113, 1, 0));
  for (const char *at = words; *at;) {
    size_t n = strcspn(at, " ");
    thirl_error e = n > 0 ? thirl_natbox_words_set(&c, at, n, NULL) : THIRL_OK;
    if (e != THIRL_OK)
      return thirl_lab_words_complain(why, e, "\"%.*s\" is nothing that a NAT can have", (int)THIRL_MIN(n, 80), at);
    at += n + (at[n] == ' ');
  }
  return THIRL_OK;
}

thirl_error thirl_lab_matrix_add(thirl_lab_matrix *m, const char *text, thirl_lab_complaint *why) {
  thirl_lab_matrix_nat nat = {.name = ""};
  size_t n = strcspn(text, " ");
  const char *words = text + n + strspn(text + n, " ");
  int len;
  if (m->n == THIRL_LAB_MATRIX_NATS_MAX)
    return thirl_lab_words_complain(why, THIRL_E_LIMIT, "more than %d NATs", THIRL_LAB_MATRIX_NATS_MAX);
  if (!is_name(text, n))
    return thirl_lab_words_complain(why, THIRL_E_SYNTAX, "\"%.40s\" is no name for a NAT: letters, digits, - _ / .",
                                    text);
  memcpy(nat.name, text, n);
  if (thirl_lab_matrix_find(m, nat.name) != SIZE_MAX)
    return thirl_lab_words_complain(why, THIRL_E_INVALID, "there are two NATs called %s", nat.name);
  if (*words)
    len = snprintf(nat.words, sizeof nat.words, "%s", words);
  else if (is_behaviour(nat.name))
    len = snprintf(nat.words, sizeof nat.words, "map=%.*s filter=%s alloc=random", (int)strcspn(nat.name, "/"),
                   nat.name, strchr(nat.name, '/') + 1);
  else
    len = snprintf(nat.words, sizeof nat.words, "preset=%s", nat.name);
  if (len < 0 || (size_t)len >= sizeof nat.words)
    return thirl_lab_words_complain(why, THIRL_E_LIMIT, "too many words for %s", nat.name);
  thirl_error e = check_words(nat.words, why);
  if (e != THIRL_OK && !*words)
    return thirl_lab_words_complain(why, THIRL_E_NOT_FOUND,
                                    "\"%s\" is neither a preset nor a behaviour such as adm/apdf", nat.name);
  if (e == THIRL_OK) m->nats[m->n++] = nat;
  return e;
}

thirl_error thirl_lab_matrix_add_all(thirl_lab_matrix *m, thirl_lab_complaint *why) {
  static const char *const all[] = {"eim/eif",  "eim/adf",  "eim/apdf", "adm/eif",  "adm/adf",
                                    "adm/apdf", "apdm/eif", "apdm/adf", "apdm/apdf"};
  thirl_error e = THIRL_OK;
  for (size_t i = 0; e == THIRL_OK && i < sizeof all / sizeof *all; i++)
    e = thirl_lab_matrix_add(m, all[i], why);
  return e;
}

/* ---- results ---- */

thirl_lab_matrix_cell *thirl_lab_matrix_at(thirl_lab_matrix *m, size_t left, size_t right) {
  return &m->cells[left * m->n + right];
}

size_t thirl_lab_matrix_find(const thirl_lab_matrix *m, const char *name) {
  for (size_t i = 0; i < m->n; i++)
    if (strcmp(m->nats[i].name, name) == 0) return i;
  return SIZE_MAX;
}

size_t thirl_lab_matrix_count(const thirl_lab_matrix *m, thirl_lab_matrix_path path) {
  size_t count = 0;
  for (size_t i = 0; i < m->n * m->n; i++)
    count += m->cells[i].path == path;
  return count;
}

static int compare(const void *a, const void *b) {
  unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
  return (x > y) - (x < y);
}

unsigned thirl_lab_matrix_median_ms(const thirl_lab_matrix *m) {
  unsigned ms[THIRL_LAB_MATRIX_NATS_MAX * THIRL_LAB_MATRIX_NATS_MAX];
  size_t count = 0;
  for (size_t i = 0; i < m->n * m->n; i++) {
    const thirl_lab_matrix_cell *c = &m->cells[i];
    if (c->ms > 0 && c->path != THIRL_LAB_MATRIX_PENDING && c->path < THIRL_LAB_MATRIX_RELAY) ms[count++] = c->ms;
  }
  qsort(ms, count, sizeof *ms, compare);
  return count ? ms[count / 2] : 0;
}

thirl_lab_matrix_cell thirl_lab_matrix_join(const thirl_lab_matrix_cell *left, const thirl_lab_matrix_cell *right) {
  thirl_lab_matrix_cell c = left->path >= right->path ? *left : *right;
  const thirl_lab_matrix_cell *other = left->path >= right->path ? right : left;
  c.ms = c.path < THIRL_LAB_MATRIX_RELAY ? THIRL_MAX(left->ms, right->ms) : 0;
  if (!c.note[0]) memcpy(c.note, other->note, sizeof c.note);
  return c;
}

/* ---- the network of a pair ---- */

size_t thirl_lab_matrix_topology(const thirl_lab_matrix *m, size_t left, size_t right, char *out, size_t size) {
  int n = snprintf(out, size,
                   "net inet 203.0.113.0/24\n"
                   "engine %s\n"
                   "host server inet 203.0.113.10 203.0.113.11\n"
                   "nat left-nat inet 203.0.113.1 lan 192.168.1.0/24 %s\n"
                   "nat right-nat inet 203.0.113.2 lan 192.168.2.0/24 %s\n"
                   "host left left-nat 192.168.1.10\n"
                   "host right right-nat 192.168.2.10\n"
                   "link server latency=%ums\nlink left-nat latency=%ums\nlink right-nat latency=%ums\n",
                   m->engine, m->nats[left].words, m->nats[right].words, m->latency_ms, m->latency_ms, m->latency_ms);
  return n < 0 ? 0 : THIRL_MIN((size_t)n, size - 1);
}
