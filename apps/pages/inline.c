/* SPDX-License-Identifier: MIT */
#include "inline.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { LINE_WIDTH = 78 };

static const char CAPITALS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

/* ---- characters ---- */

/* What must come out as it is: a hyphen is a minus, a backslash one, and nothing is a macro. */
static void put_code(const char *text, size_t n, FILE *to) {
  for (size_t i = 0; i < n; i++) {
    if (text[i] == '\\')
      fputs("\\e", to);
    else if (text[i] == '-')
      fputs("\\-", to);
    else if (text[i] == '"')
      fputs("\\(dq", to);
    else
      fputc(text[i], to);
  }
}

void inline_literal(const char *line, size_t n, FILE *to) {
  if (n && (*line == '.' || *line == '\'')) fputs("\\&", to);
  put_code(line, n, to);
  fputc('\n', to);
}

/* ---- a word of a text ---- */

typedef struct span {
  const char *p;
  size_t n;
} span;

static bool all_of(span s, const char *set) {
  for (size_t i = 0; i < s.n; i++)
    if (!strchr(set, s.p[i])) return false;
  return s.n > 0;
}

static bool has(span s, char c) {
  return memchr(s.p, c, s.n) != NULL;
}

static void put_quoted(const char *macro, span s, FILE *to) {
  fprintf(to, "%s \"", macro);
  put_code(s.p, s.n, to);
  fputs(s.n && strchr(".,:;!?)]|", s.p[s.n - 1]) ? "\\&\"" : "\"", to); /* it ends no sentence */
}

/* "--name NAME" and "-L" */
static void put_option(span s, FILE *to) {
  const char *blank = memchr(s.p, ' ', s.n);
  size_t n = blank ? (size_t)(blank - s.p) : s.n;
  fputs("Fl ", to);
  fwrite(s.p + 1, 1, n - 1, to);
  if (!blank) return;
  span value = {blank + 1, s.n - n - 1};
  fputc(' ', to);
  put_quoted("Ar", value, to);
}

/* What stands between backquotes, by what it looks like. */
static void put_backquoted(span s, FILE *to) {
  char set[sizeof CAPITALS + 8];
  snprintf(set, sizeof set, "%s:[].|", CAPITALS);
  if (*s.p == '-' && s.n > 1 && s.p[1] != ' ')
    put_option(s, to);
  else if (all_of(s, CAPITALS) && has(s, '_') && strncmp(s.p, "E_", 2) != 0)
    put_quoted("Ev", s, to);
  else if (all_of(s, set) && isupper((unsigned char)*s.p) && strncmp(s.p, "E_", 2) != 0)
    put_quoted("Ar", s, to);
  else if (*s.p == '/' || *s.p == '~')
    put_quoted("Pa", s, to);
  else if (strncmp(s.p, "thirl", 5) == 0)
    put_quoted("Ic", s, to);
  else
    put_quoted("Ql", s, to);
}

/* "thirl(1)", perhaps with a comma behind: where its parenthesis begins. */
static size_t reference(span s) {
  size_t n = 0;
  while (n < s.n && (isalnum((unsigned char)s.p[n]) || s.p[n] == '-' || s.p[n] == '.' || s.p[n] == '_'))
    n++;
  return n > 0 && n + 2 < s.n && s.p[n] == '(' && isdigit((unsigned char)s.p[n + 1]) && s.p[n + 2] == ')' ? n : 0;
}

/* One macro on a line of its own, with the delimiters around it; what else touches it is glued. */
typedef struct word {
  span before, core, after;
  enum { WORD_PLAIN, WORD_CODE, WORD_STRESS, WORD_OPTION, WORD_VARIABLE, WORD_PATH, WORD_PAGE } kind;
} word;

static size_t find_end(const char *text) {
  size_t i = 0;
  for (char inside = '\0'; text[i] && (inside || text[i] != ' '); i++) {
    bool opens = !inside && (i == 0 || strchr("(\"", text[i - 1]));
    if (text[i] == inside)
      inside = '\0';
    else if (text[i] == '`' || (text[i] == '*' && opens && isalnum((unsigned char)text[i + 1])))
      inside = inside ? inside : text[i];
  }
  return i;
}

static word split(const char *text, size_t n) {
  word w = {.core = {text, n}, .kind = WORD_PLAIN};
  size_t from = 0, end = n;
  while (from < n && strchr("(\"", text[from]))
    from++;
  while (end > from && strchr(".,;:!?)\"", text[end - 1]))
    end--;
  char c = from < end ? text[from] : '\0';
  const char *close = c == '`' || c == '*' ? memchr(text + from + 1, c, end - from - 1) : NULL;
  size_t last = close ? (size_t)(close - text) : 0;
  span inner = {text + from, end - from};
  if (close) {
    w.kind = c == '`' ? WORD_CODE : WORD_STRESS;
    w.core = (span){text + from + 1, last - from - 1};
    end = last + 1;
  } else if (inner.n > 2 && c == '-' && text[from + 1] == '-' && isalpha((unsigned char)text[from + 2])) {
    w.kind = WORD_OPTION;
    w.core = inner;
  } else if (inner.n > 1 && c == '$' && isupper((unsigned char)text[from + 1])) { /* "$HOME", "$HOME/.config" */
    bool is_path = memchr(inner.p, '/', inner.n) != NULL;
    w.kind = is_path ? WORD_PATH : WORD_VARIABLE;
    w.core = is_path ? inner : (span){inner.p + 1, strspn(inner.p + 1, CAPITALS)};
    if (!is_path) end = from + 1 + w.core.n;
  } else if (reference((span){text + from, n - from})) {
    w.kind = WORD_PAGE;
    w.core = (span){text + from, reference((span){text + from, n - from}) + 3};
    end = from + w.core.n;
  } else {
    return w;
  }
  w.before = (span){text, from};
  w.after = (span){text + end, n - end};
  return w;
}

static void put_core(const word *w, FILE *to) {
  switch (w->kind) {
  case WORD_STRESS:
    put_quoted("Em", w->core, to);
    break;
  case WORD_VARIABLE:
    put_quoted("Ev", w->core, to);
    break;
  case WORD_PATH:
    put_quoted("Pa", w->core, to);
    break;
  case WORD_PAGE:
    fprintf(to, "Xr %.*s %c", (int)w->core.n - 3, w->core.p, w->core.p[w->core.n - 2]);
    break;
  case WORD_OPTION:
    put_option(w->core, to);
    break;
  default:
    put_backquoted(w->core, to);
    break;
  }
}

static void put_word(const word *w, FILE *to) {
  span after = w->after;
  bool glued = after.n && !strchr(".,;:!?)", *after.p);
  fputc('.', to);
  for (size_t i = 0; i < w->before.n; i++)
    if (w->before.p[i] == '"')
      fputs("No \\(dq Ns ", to);
    else
      fputs("No ( Ns ", to);
  put_core(w, to);
  if (glued) {
    fputs(" Ns \"", to);
    put_code(after.p, after.n, to);
    fputc('"', to);
  }
  for (size_t i = 0; i < after.n && !glued; i++)
    if (after.p[i] == '"')
      fputs(" Ns \\(dq", to);
    else
      fprintf(to, " %c", after.p[i]);
  fputc('\n', to);
}

/* ---- running text ---- */

/* Whether a sentence ends with this word; the next one begins a line then. */
static bool ends_sentence(const char *p, size_t n) {
  while (n && strchr(")\"", p[n - 1]))
    n--;
  return n > 1 && strchr(".?!", p[n - 1]) && p[n - 2] != '.';
}

/* A word on the line that is begun, or on a new one. Returns the column behind it. */
static size_t put_plain(const char *text, size_t n, size_t column, FILE *to) {
  if (column && column + 1 + n > LINE_WIDTH) {
    fputc('\n', to);
    column = 0;
  }
  if (column) fputc(' ', to);
  if (!column && (*text == '.' || *text == '\'')) fputs("\\&", to);
  for (size_t i = 0; i < n; i++)
    if (text[i] == '\\')
      fputs("\\e", to);
    else
      fputc(text[i], to);
  column += n + (column > 0);
  if (!ends_sentence(text, n)) return column;
  fputc('\n', to);
  return 0;
}

void inline_text(const char *text, FILE *to) {
  size_t column = 0;
  while (*text) {
    size_t n = find_end(text);
    word w = split(text, n);
    if (n && w.kind != WORD_PLAIN) {
      if (column) fputc('\n', to);
      put_word(&w, to);
      column = 0;
    } else if (n) {
      column = put_plain(text, n, column, to);
    }
    text += n + strspn(text + n, " ");
  }
  if (column) fputc('\n', to);
}

void inline_sentence(const char *help, FILE *to) {
  char text[512];
  size_t n = (size_t)snprintf(text, sizeof text - 1, "%s", help);
  if (n >= sizeof text - 1) n = sizeof text - 2;
  size_t first = strcspn(text, " ,:;");
  if (strcspn(text, "._/=") >= first)
    text[0] = (char)toupper((unsigned char)text[0]); /* not of a name such as fs.nr_open */
  if (n && text[n - 1] != '.') text[n++] = '.';
  text[n] = '\0';
  inline_text(text, to);
}

/* ---- values ---- */

/* The piece that begins here: its macro, and how much of the text it is. */
static const char *take_piece(const char *value, size_t *n) {
  *n = strspn(value, CAPITALS);
  if (*n) return "Ar ";
  *n = 1;
  if (*value == '[') return "Oo";
  if (*value == ']') return "Oc";
  if (strncmp(value, "...", 3) == 0) *n = 3;
  if (strchr(":|.,=", *value)) return "";
  *n = strcspn(value, " []:|,=");
  return *value == '-' ? "Fl " : "Cm ";
}

void inline_value(const char *value, FILE *to) {
  bool glue = false; /* the next piece touches the one before */
  for (bool is_first = true; *value; is_first = false) {
    size_t n = strspn(value, " "), from = 0;
    if (n) glue = false;
    value += n;
    if (!*value) break;
    const char *macro = take_piece(value, &n);
    bool is_bracket = macro[0] == 'O';
    /* What closes touches by itself. */
    bool needs_no_glue = strcmp(macro, "Oc") == 0 || (!*macro && strchr(":,", *value));
    if (strcmp(macro, "Fl ") == 0) from = 1;
    if (!is_first) fputc(' ', to);
    if (glue && !needs_no_glue) fputs("Ns ", to);
    fprintf(to, "%.*s", n == from ? 2 : 3, macro);
    if (!is_bracket) fprintf(to, "%.*s", (int)(n - from), value + from);
    glue = strcmp(macro, "Oo") != 0;
    value += n;
  }
}
