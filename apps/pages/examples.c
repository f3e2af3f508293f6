/* SPDX-License-Identifier: MIT */
#include "examples.h"

#include <string.h>

/* "here$ thirl listen": how long "here" is; false when it is no command. */
static bool find_prompt(const char *line, size_t *n) {
  *n = strspn(line, "abcdefghijklmnopqrstuvwxyz");
  return strncmp(line + *n, "$ ", 2) == 0;
}

static void put_line(const page *p, unsigned number, const char *line, size_t n, FILE *to) {
  size_t where;
  fprintf(to, "%s\t%u\t", p->name, number);
  if (find_prompt(line, &where))
    fprintf(to, "run %.*s\t%.*s\n", (int)where, line, (int)(n - where - 2), line + where + 2);
  else
    fprintf(to, "says\t%.*s\n", (int)n, line);
}

void examples_write(const page *p, const prose *words, FILE *to) {
  unsigned number = 0;
  for (size_t i = prose_find(words, "examples"); prose_goes_on(words, i); i++) {
    const block *b = &words->blocks[i];
    if (b->kind == BLOCK_PARAGRAPH) fprintf(to, "%s\t%u\twhat\t%s\n", p->name, ++number, b->text);
    if (b->kind != BLOCK_DISPLAY) continue;
    for (const char *line = b->text; *line;) {
      size_t n = strcspn(line, "\n");
      put_line(p, number, line, n, to);
      line += n + 1;
    }
  }
}
