/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exit.h"

int options_complain(const char *who, const char *what, const char *word) {
  fprintf(stderr, "%s: %s%s%s\n", who, what, word ? " " : "", word ? word : "");
  return EXIT_USAGE;
}

static const option_row *find(const option_row *const *rows, const char *word, size_t n) {
  if (n == 2 && strncmp(word, "-h", n) == 0) return find(rows, "--help", strlen("--help"));
  for (; *rows; rows++)
    if (strlen((*rows)->name) == n && strncmp((*rows)->name, word, n) == 0) return *rows;
  return NULL;
}

static int set_number(const options_reading *r, const option_row *o, const char *value) {
  char *end, text[160];
  errno = 0;
  unsigned long v = strtoul(value, &end, 10);
  if (errno || *end || end == value || *value < '0' || *value > '9' || v < o->least || v > o->most) {
    snprintf(text, sizeof text, "%s wants %s from %u to %u, not", o->name, o->wants, o->least, o->most);
    return options_complain(r->who, text, value);
  }
  *(unsigned *)(void *)((char *)r->into + o->offset) = (unsigned)v;
  return EXIT_OK;
}

static int set(const options_reading *r, const option_row *o, const char *value) {
  void *at = (char *)r->into + o->offset;
  switch (o->kind) {
  case OPTION_FLAG:
    *(bool *)at = true;
    break;
  case OPTION_TEXT:
    *(const char **)at = value;
    break;
  case OPTION_NUMBER:
    return set_number(r, o, value);
  case OPTION_LIST: {
    text_list *list = at;
    if (list->n == TEXT_LIST_MAX) return options_complain(r->who, "too often: 16 times are the most:", value);
    list->at[list->n++] = value;
    break;
  }
  }
  return EXIT_OK;
}

/* argv[*i] is an option; its value may be the word after it. */
static int read_one(const options_reading *r, int argc, char **argv, int *i) {
  char *word = argv[*i];
  const char *equals = strchr(word, '=');
  const option_row *o = find(r->rows, word, equals ? (size_t)(equals - word) : strlen(word));
  if (!o) return options_complain(r->who, "unknown option", word);
  const char *value = equals ? equals + 1 : NULL;
  if (o->value && !value && ++*i < argc) value = argv[*i];
  if (o->value && (!value || !*value)) return options_complain(r->who, o->name, "wants a value");
  if (!o->value && equals) return options_complain(r->who, o->name, "takes no value");
  return set(r, o, value);
}

int options_read(const options_reading *r, int argc, char **argv) {
  for (int i = 0; i < argc; i++) {
    bool is_word = argv[i][0] != '-' || argv[i][1] == '\0';
    int bad = is_word ? r->on_word(argv[i], r->owner) : read_one(r, argc, argv, &i);
    if (bad) return bad;
  }
  return EXIT_OK;
}

void options_print(const option_row *const *rows, FILE *to) {
  int width = 0;
  for (const option_row *const *o = rows; *o; o++) {
    size_t n = strlen((*o)->name) + 1 + ((*o)->value ? strlen((*o)->value) : 0);
    if ((int)n > width) width = (int)n;
  }
  for (const option_row *const *o = rows; *o; o++) {
    char left[64];
    snprintf(left, sizeof left, "%s %s", (*o)->name, (*o)->value ? (*o)->value : "");
    fprintf(to, "  %-*s %s\n", width, left, (*o)->help);
  }
}
