/* SPDX-License-Identifier: MIT */
#include "prose.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INDENT = 4 };

/* Lines of the memory, one after the other; what is kept is written over what has been read. */
typedef struct reading {
  prose *p;
  char *next;
  unsigned line;
} reading;

static bool begins(const char *line, const char *with) {
  return strncmp(line, with, strlen(with)) == 0;
}

/* The next line without its end, or NULL. */
static char *take_line(reading *r) {
  char *line = r->next, *end = strchr(line, '\n');
  if (!*line) return NULL;
  r->line++;
  r->next = end ? end + 1 : line + strlen(line);
  if (end) *end = '\0';
  return line;
}

static bool is_display(const char *line) {
  return strspn(line, " ") >= INDENT;
}

/* Whether the line goes on with what the one before has begun. */
static bool is_more(const char *line) {
  return *line && !is_display(line) && !begins(line, "== ") && !begins(line, "=== ") && !begins(line, "- ") &&
         !begins(line, "@") && !begins(line, "#");
}

static block *add(reading *r, block_kind kind, const char *text) {
  if (r->p->n == PROSE_BLOCKS_MAX) return NULL;
  block *b = &r->p->blocks[r->p->n++];
  *b = (block){.kind = kind, .text = text, .line = r->line};
  return b;
}

/* The lines behind first that belong to it, joined by blanks. A line that has been peeked at keeps its end as it was. */
static void join(reading *r, char *first) {
  char *to = first + strlen(first);
  for (;;) {
    char *line = r->next, *end = strchr(line, '\n');
    size_t n = end ? (size_t)(end - line) : strlen(line);
    char kept = line[n];
    line[n] = '\0';
    bool more = is_more(line) && !strstr(line, " :: ");
    line[n] = kept;
    if (!more) break;
    line = take_line(r);
    *to++ = ' ';
    memmove(to, line, n + 1);
    to += n;
  }
}

/* Lines with the indent taken away, each with its end; empty ones between them belong to it. */
static void add_display(reading *r, char *first) {
  char *start = first, *to = first, *line = first;
  unsigned at = r->line;
  while (line) {
    size_t n = strlen(line), skip = n >= INDENT ? INDENT : n;
    memmove(to, line + skip, n - skip);
    to += n - skip;
    *to++ = '\n';
    const char *ahead = r->next + strspn(r->next, "\n");
    if (!*ahead || strspn(ahead, " ") < INDENT) break;
    line = take_line(r);
  }
  *to = '\0';
  block *b = add(r, BLOCK_DISPLAY, start);
  if (b) b->line = at;
}

static void add_text(reading *r, char *line) {
  char *term = strstr(line, " :: ");
  if (begins(line, "- ")) {
    add(r, BLOCK_ITEM, line + 2);
    join(r, line);
  } else if (term) {
    block *b = add(r, BLOCK_TERM, term + 4);
    *term = '\0';
    if (b) b->term = line;
    join(r, term + 4);
  } else {
    add(r, BLOCK_PARAGRAPH, line);
    join(r, line);
  }
}

static void read_blocks(reading *r) {
  char *line;
  while ((line = take_line(r))) {
    if (!*line || *line == '#') continue;
    if (begins(line, "== "))
      add(r, BLOCK_SECTION, line + 3);
    else if (begins(line, "=== "))
      add(r, BLOCK_SUBSECTION, line + 4);
    else if (*line == '@')
      add(r, BLOCK_INSERT, line + 1);
    else if (is_display(line))
      add_display(r, line);
    else
      add_text(r, line);
  }
}

bool prose_read(const char *path, prose *out, char *complaint) {
  FILE *f = fopen(path, "re");
  *out = (prose){.memory = f ? malloc(PROSE_BYTES_MAX) : NULL};
  size_t n = out->memory ? fread(out->memory, 1, PROSE_BYTES_MAX, f) : 0;
  bool good = out->memory && !ferror(f) && n < PROSE_BYTES_MAX;
  snprintf(complaint, 256, "%.200s: %s", path, f && good ? "" : strerror(errno));
  if (f) fclose(f);
  if (good) {
    out->memory[n] = '\0';
    reading r = {.p = out, .next = out->memory};
    read_blocks(&r);
    good = out->n < PROSE_BLOCKS_MAX && (out->n == 0 || out->blocks[0].kind == BLOCK_SECTION);
    if (!good) snprintf(complaint, 256, "%.200s: has to begin with \"== section\", and to be shorter", path);
  }
  if (!good) prose_free(out);
  return good;
}

void prose_free(prose *p) {
  free(p->memory);
  p->memory = NULL;
  p->n = 0;
}

size_t prose_find(const prose *p, const char *section) {
  for (size_t i = 0; i < p->n; i++)
    if (p->blocks[i].kind == BLOCK_SECTION && strcmp(p->blocks[i].text, section) == 0) return i + 1;
  return p->n;
}

bool prose_goes_on(const prose *p, size_t i) {
  return i < p->n && p->blocks[i].kind != BLOCK_SECTION;
}

const block *prose_term(const prose *p, const char *section, const char *term) {
  for (size_t i = prose_find(p, section); prose_goes_on(p, i); i++)
    if (p->blocks[i].kind == BLOCK_TERM && strcmp(p->blocks[i].term, term) == 0) return &p->blocks[i];
  return NULL;
}
