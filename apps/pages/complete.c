/* SPDX-License-Identifier: MIT */
#include "complete.h"

#include <ctype.h>
#include <string.h>

#include "tune/catalogue.h"

static const struct {
  const char *stands;
  complete_kind kind;
} KINDS[] = {
    {"FILE", COMPLETE_FILE},
    {"DIRECTORY", COMPLETE_DIRECTORY},
    {"DIR", COMPLETE_DIRECTORY},
    {"COMMAND", COMPLETE_COMMAND},
    {"HOST[:PORT]", COMPLETE_HOSTNAME},
    {"SERVER", COMPLETE_HOSTNAME},
    {"PRESET", COMPLETE_PRESET},
    {"NAME", COMPLETE_LAB},
    {"HOST", COMPLETE_LAB_HOST},
    {"NODE", COMPLETE_LAB_HOST},
    {"ENGINE", COMPLETE_CHOICE},
    {"TICKET", COMPLETE_NOTHING},
    {"PID", COMPLETE_NOTHING},
    {"ID,...", COMPLETE_FINDING},
    {"KEY=NUMBER,...", COMPLETE_NOTHING},
    {"LINE", COMPLETE_NOTHING},
    {"LIST", COMPLETE_NOTHING},
    {"WORDS", COMPLETE_NOTHING},
    {"TEXT", COMPLETE_NOTHING},
    {"SECONDS", COMPLETE_NOTHING},
    {"MS", COMPLETE_NOTHING},
    {"N", COMPLETE_NOTHING},
    {"PORT", COMPLETE_NOTHING},
    {"HOST:PORT", COMPLETE_NOTHING},
    {"[HOST:]PORT", COMPLETE_NOTHING},
    {"[BIND:]PORT:HOST:HOSTPORT", COMPLETE_NOTHING},
    {"ADDRESS[:PORT]", COMPLETE_NOTHING},
};

complete_kind complete_kind_of(const char *stands) {
  for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++)
    if (strcmp(KINDS[i].stands, stands) == 0) return KINDS[i].kind;
  return COMPLETE_UNKNOWN;
}

const char *complete_kind_name(complete_kind kind) {
  static const char *const names[] = {"nothing", "file",     "directory", "command", "hostname", "preset",
                                      "lab",     "lab_host", "finding",   "choice",  "nothing"};
  return names[kind];
}

/* "server|client" are the words themselves. */
static bool is_choice(const char *value) {
  return strchr(value, '|') && strspn(value, "abcdefghijklmnopqrstuvwxyz-|") == strlen(value);
}

complete_kind complete_value(const option_row *o) {
  return o->kind == OPTION_CHOICE || is_choice(o->value) ? COMPLETE_CHOICE : complete_kind_of(o->value);
}

const char *complete_choices(const option_row *o, char sep, char *out, size_t size) {
  snprintf(out, size, "%s", o->kind == OPTION_CHOICE ? o->wants : o->value);
  for (char *c = out; *c; c++)
    if (*c == ' ' || *c == '|') *c = sep;
  return out;
}

const char *complete_help(const option_row *o) {
  return strcmp(o->name, "--help") == 0 ? "print a short help" : o->help;
}

void complete_findings(FILE *to) {
  for (int id = THIRL_TUNE_NONE + 1; id < THIRL_TUNE_ID_COUNT; id++)
    fprintf(to, "%s%s", id == THIRL_TUNE_NONE + 1 ? "" : " ", thirl_tune_catalogue_row((thirl_tune_id)id)->word);
}

/* ---- words of a synopsis ---- */

/* "[options]", "[--name NAME]", "[--]": how long such a thing at the start of text is; 0: it is none. */
static size_t option_length(const char *text) {
  if (strncmp(text, "[options]", 9) != 0 && strncmp(text, "[-", 2) != 0) return 0;
  size_t n = strcspn(text, "]");
  return n + (text[n] == ']');
}

static void add_kind(complete_word *w, const char *word, size_t n) {
  char name[32];
  snprintf(name, sizeof name, "%.*s", (int)n, word);
  if (n == 1 && *word == '-') return; /* standard input */
  if (islower((unsigned char)*word))
    snprintf(w->literal, sizeof w->literal, "%.15s", name);
  else if (w->n < sizeof w->kinds / sizeof w->kinds[0])
    w->kinds[w->n++] = complete_kind_of(name);
  if (!*w->label || w->n == 1) snprintf(w->label, sizeof w->label, "%s", name);
}

size_t complete_words(const char *synopsis, complete_word out[COMPLETE_WORDS_MAX]) {
  size_t count = 0, skip;
  bool stays = false; /* the next word may stand where this one does */
  memset(out, 0, COMPLETE_WORDS_MAX * sizeof *out);
  for (const char *c = synopsis; *c; c += skip) {
    size_t n = strcspn(c, " []|:.");
    if ((skip = option_length(c))) continue;
    skip = n ? n : 1;
    if (strncmp(c, "...", 3) == 0) {
      skip = 3;
      if (count) out[count - 1].repeats = true;
    } else if (*c == '|') {
      stays = true;
    } else if (*c == ':') {
      skip = 1 + strcspn(c + 1, " ]|"); /* the port of "SERVER[:PORT]" */
    } else if (n) {
      if (!stays && count < COMPLETE_WORDS_MAX) count++;
      if (count) add_kind(&out[count - 1], c, n);
      stays = islower((unsigned char)*c) && c[n] == ']'; /* "[inner] FILE": here, and behind it */
      if (stays && count) out[count - 1].repeats = true;
    }
  }
  return count;
}
