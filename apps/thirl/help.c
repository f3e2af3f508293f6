/* SPDX-License-Identifier: MIT */
#include "help.h"

#include <string.h>

enum { LINE_WIDTH = 118 };

/* "exit codes: 0 done, 1 other, ...", in lines that are not too long. */
static void print_exits(const command *c) {
  static const char label[] = "exit codes: ";
  size_t column = sizeof label - 1;
  const char *between = "";
  if (c->exit_words) {
    printf("exit code: %s\n", c->exit_words);
    return;
  }
  fputs(label, stdout);
  for (const exit_row *e = exit_table; e->word; e++) {
    char text[96];
    if (!((c->exits ? c->exits : EXIT_SESSION) & EXIT_SET(e->code))) continue;
    int n = e->code == EXIT_SIGNAL ? snprintf(text, sizeof text, "130/143 %s", e->word)
                                   : snprintf(text, sizeof text, "%d %s", e->code, e->word);
    if (column + 2 + (size_t)n > LINE_WIDTH) {
      printf(",\n%*s", (int)sizeof label - 1, "");
      between = "";
      column = sizeof label - 1;
    }
    printf("%s%s", between, text);
    column += strlen(between) + (size_t)n;
    between = ", ";
  }
  putchar('\n');
}

void help_print(const command *c, const char *before) {
  printf("usage: %s %s%s%s\n%s\n\n", before, c->name, *c->synopsis ? " " : "", c->synopsis, c->summary);
  options_print(c->options, stdout);
  if (c->takes_ticket) printf("\nThe ticket may also come as the first line of stdin (\"-\") or in $THIRL_TICKET.\n");
  putchar('\n');
  print_exits(c);
}

void help_list(const command *table, const char *before, FILE *to) {
  fprintf(to, "usage: %s COMMAND [options]\n\n", before);
  for (const command *c = table; c->name; c++)
    fprintf(to, "  %-8s %s\n", c->name, c->summary);
  fprintf(to, "\n\"%s COMMAND --help\" tells more.", before);
}

bool help_is_asked(const char *word) {
  return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}
