/* SPDX-License-Identifier: MIT */
#include "lab/matrix/matrix_text.h"

#include <string.h>

static const struct {
  const char *label, *colour;
} looks[] = {[THIRL_LAB_MATRIX_PENDING] = {"-", "\033[2m"},    [THIRL_LAB_MATRIX_UDP] = {"UDP", "\033[36m"},
             [THIRL_LAB_MATRIX_TCP] = {"TCP", "\033[32m"},     [THIRL_LAB_MATRIX_ANY] = {"direct", "\033[32m"},
             [THIRL_LAB_MATRIX_RELAY] = {"relay", "\033[33m"}, [THIRL_LAB_MATRIX_NONE] = {"failed", "\033[31m"}};

enum { CELL_WIDTH = 11 };

const char *thirl_lab_matrix_text_label(thirl_lab_matrix_path path) {
  return path < THIRL_LAB_MATRIX_PATHS ? looks[path].label : "?";
}

static void write_cell(const thirl_lab_matrix_cell *c, int width, bool colour, FILE *file) {
  char text[32];
  const char *label = thirl_lab_matrix_text_label(c->path);
  if (c->ms)
    snprintf(text, sizeof text, "%s %u", label, c->ms);
  else
    snprintf(text, sizeof text, "%s", label);
  fprintf(file, "  %s%-*s%s", colour ? looks[c->path].colour : "", width, text, colour ? "\033[0m" : "");
}

void thirl_lab_matrix_text_write(thirl_lab_matrix *m, bool colour, FILE *file) {
  int first = 0;
  for (size_t i = 0; i < m->n; i++)
    first = THIRL_MAX(first, (int)strlen(m->nats[i].name));
  fprintf(file, "%-*s", first, "");
  for (size_t j = 0; j < m->n; j++)
    fprintf(file, "  %-*s", THIRL_MAX(CELL_WIDTH, (int)strlen(m->nats[j].name)), m->nats[j].name);
  fputc('\n', file);
  for (size_t i = 0; i < m->n; i++) {
    fprintf(file, "%-*s", first, m->nats[i].name);
    for (size_t j = 0; j < m->n; j++)
      write_cell(thirl_lab_matrix_at(m, i, j), THIRL_MAX(CELL_WIDTH, (int)strlen(m->nats[j].name)), colour, file);
    fputc('\n', file);
  }
}

const char *thirl_lab_matrix_text_summary(const thirl_lab_matrix *m, char *out, size_t size) {
  static const char *const words[] = {"not tried", "direct UDP", "direct TCP", "direct", "relayed", "failed"};
  size_t n = 0;
  unsigned median = thirl_lab_matrix_median_ms(m);
  out[0] = '\0';
  for (unsigned p = THIRL_LAB_MATRIX_UDP; p <= THIRL_LAB_MATRIX_PATHS && n < size; p++) {
    unsigned path = p % THIRL_LAB_MATRIX_PATHS; /* what is not tried comes last */
    size_t count = thirl_lab_matrix_count(m, (thirl_lab_matrix_path)path);
    if (count > 0) n += (size_t)snprintf(out + n, size - n, "%s%zu %s", n ? ", " : "", count, words[path]);
  }
  if (n < size) n += (size_t)snprintf(out + n, size - n, ", of %zu", m->n * m->n);
  if (median && n < size) snprintf(out + n, size - n, "; %u ms to a direct path at the median", median);
  return out;
}
