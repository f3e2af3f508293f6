/* SPDX-License-Identifier: MIT */
#include "apps/options/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int options_complain(const char *who, const char *what, const char *word) {
  fprintf(stderr, "%s: %s%s%s\n", who, what, word ? " " : "", word ? word : "");
  return OPTIONS_WRONG;
}

/* ---- reading ---- */

static const char *brief_of(const option_row *o) {
  return o->brief ? o->brief : strcmp(o->name, "--help") == 0 ? "-h" : NULL;
}

static bool is_called(const char *name, const char *word, size_t n) {
  return name && strlen(name) == n && strncmp(name, word, n) == 0;
}

static const option_row *find(const option_row *const *rows, const char *word, size_t n) {
  for (; *rows; rows++)
    if (is_called((*rows)->name, word, n) || is_called(brief_of(*rows), word, n)) return *rows;
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
  return OPTIONS_FINE;
}

/* "natbox netfilter" becomes "natbox or netfilter", with commas for more. */
static void write_choices(const char *words, char *out, size_t size) {
  const char *last = strrchr(words, ' ');
  size_t n = 0;
  for (const char *c = words; *c && n + 5 < size; c++) {
    const char *text = *c != ' ' ? NULL : c == last ? " or " : ", ";
    for (; text && *text; text++)
      out[n++] = *text;
    if (*c != ' ') out[n++] = *c;
  }
  out[n] = '\0';
}

static int set_choice(const options_reading *r, const option_row *o, const char *value) {
  char choices[128], text[192];
  size_t n = strlen(value), k;
  for (const char *word = o->wants; *word; word += k + (word[k] == ' ')) {
    k = strcspn(word, " ");
    if (k != n || strncmp(word, value, n) != 0) continue;
    *(const char **)(void *)((char *)r->into + o->offset) = value;
    return OPTIONS_FINE;
  }
  write_choices(o->wants, choices, sizeof choices);
  snprintf(text, sizeof text, "%s wants %s, not", o->name, choices);
  return options_complain(r->who, text, value);
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
  case OPTION_CHOICE:
    return set_choice(r, o, value);
  case OPTION_NUMBER:
    return set_number(r, o, value);
  case OPTION_LIST: {
    text_list *list = at;
    if (list->n == TEXT_LIST_MAX) return options_complain(r->who, "too often: 16 times are the most:", value);
    list->at[list->n++] = value;
    break;
  }
  }
  return OPTIONS_FINE;
}

/* argv[*i] is an option; its value may be the word after it. */
static int read_one(const options_reading *r, int argc, char **argv, int *i) {
  char *word = argv[*i];
  const char *equals = strchr(word, '=');
  const option_row *o = find(r->rows, word, equals ? (size_t)(equals - word) : strlen(word));
  if (!o) return options_complain(r->who, "unknown option", word);
  const char *value = equals ? equals + 1 : NULL;
  if (o->value && !value && ++*i < argc) value = argv[*i];
  if (o->value && (!value || (!*value && !o->may_be_empty))) return options_complain(r->who, o->name, "wants a value");
  if (!o->value && equals) return options_complain(r->who, o->name, "takes no value");
  return set(r, o, value);
}

int options_read(const options_reading *r, int argc, char **argv) {
  bool words_only = false;
  for (int i = 0; i < argc; i++) {
    bool is_word = words_only || argv[i][0] != '-' || argv[i][1] == '\0';
    int bad = OPTIONS_FINE;
    if (!words_only && strcmp(argv[i], "--") == 0) {
      words_only = true;
    } else if (!is_word) {
      bad = read_one(r, argc, argv, &i);
    } else {
      bad = r->on_word ? r->on_word(argv[i], r->owner) : options_complain(r->who, "unexpected argument", argv[i]);
      words_only |= r->before_words;
    }
    if (bad) return bad;
  }
  return OPTIONS_FINE;
}

/* ---- printing ---- */

const char *options_names(const option_row *o, char *out, size_t size) {
  const char *brief = brief_of(o);
  snprintf(out, size, "%s%s%s", brief ? brief : "", brief ? ", " : "", o->name);
  return out;
}

/* The left column: names and value. */
static int write_left(const option_row *o, char *out, size_t size) {
  char names[48];
  return snprintf(out, size, "%s%s%s", options_names(o, names, sizeof names), o->value ? " " : "",
                  o->value ? o->value : "");
}

void options_print(const option_row *const *rows, FILE *to) {
  char left[80];
  int width = 0;
  for (const option_row *const *o = rows; *o; o++) {
    int n = write_left(*o, left, sizeof left);
    if (n > width) width = n;
  }
  for (const option_row *const *o = rows; *o; o++) {
    write_left(*o, left, sizeof left);
    fprintf(to, "  %-*s  %s\n", width, left, (*o)->help);
  }
}
