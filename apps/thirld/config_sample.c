/* SPDX-License-Identifier: MIT */
#include "config_sample.h"

#include <string.h>

#include "config_table.h"

enum { LINE_WIDTH = 96 };

/* Plain text as remarks, in lines that are not too long. */
static void write_remark(const char *text, FILE *to) {
  size_t column = 0;
  while (*text) {
    size_t n = strcspn(text, " ");
    if (column && column + 1 + n > LINE_WIDTH) {
      fputc('\n', to);
      column = 0;
    }
    column += (size_t)fprintf(to, "%s%.*s", column ? " " : "# ", (int)n, text);
    text += n + (text[n] == ' ');
  }
  fputc('\n', to);
}

/* "#name = value" holds without it; what only might be said is indented. */
static void write_setting(const config_row *row, FILE *to) {
  if (!row->normal) fprintf(to, "#   %s = %s\n", row->name, row->example);
  for (const char *line = row->normal; line && *line;) {
    size_t n = strcspn(line, "\n");
    fprintf(to, "#%s = %.*s\n", row->name, (int)n, line);
    line += n + (line[n] == '\n');
  }
}

void config_sample_write(FILE *to) {
  config_row row;
  const char *section = "";
  fputs("# thirld.conf: settings of thirld, the rendezvous server of thirl. See thirld.conf(5).\n#\n", to);
  write_remark(
      "Every line may stay away: what is shown right behind a # is what holds without it. \"thirld --check -c FILE\" "
      "says what is "
      "wrong with a file; SIGHUP reads limits and log-level again. Numbers may end in K, M or G (powers of 1024).",
      to);
  for (size_t i = 0; config_table_get(i, &row); i++) {
    bool begins = strcmp(section, row.section) != 0;
    if (begins) fprintf(to, "\n[%s]\n", row.section);
    section = row.section;
    if (row.paragraph && !begins) fputc('\n', to);
    if (row.paragraph) write_remark(row.paragraph, to);
    write_setting(&row, to);
  }
}
