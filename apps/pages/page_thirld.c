/* SPDX-License-Identifier: MIT */
/* The pages of the server: thirld(8) and thirld.conf(5). */
#include <string.h>

#include "apps/thirld/arguments.h"
#include "apps/thirld/config_table.h"
#include "inline.h"
#include "page.h"

static void put_default(const config_row *row, FILE *to) {
  if (!row->normal) {
    fprintf(to, "For example\n.Ql %s = %s .\nDefault: none.\n", row->name, row->example);
    return;
  }
  fputs("Default:", to);
  for (const char *line = row->normal; *line;) {
    size_t n = strcspn(line, "\n");
    fprintf(to, "%s%.*s", line == row->normal ? " " : ", ", (int)n, line);
    line += n + (line[n] == '\n');
  }
  if (row->most) fprintf(to, "; from %llu to %llu", (unsigned long long)row->least, (unsigned long long)row->most);
  fputs(".\n", to);
}

static bool insert_settings(const char *what, const prose *words, FILE *to) {
  config_row row;
  (void)words;
  if (!config_table_has_section(what)) return false;
  fputs(".Bl -tag -width Ds\n", to);
  for (size_t i = 0; config_table_get(i, &row); i++) {
    if (strcmp(row.section, what) != 0) continue;
    fprintf(to, ".It Ic %s No = ", row.name);
    inline_value(row.value, to);
    fputc('\n', to);
    if (row.paragraph)
      inline_text(row.paragraph, to);
    else
      inline_sentence(row.what, to);
    put_default(&row, to);
  }
  fputs(".El\n", to);
  return true;
}

bool page_thirld(size_t i, page *out) {
  if (i > 1) return false;
  if (i == 1) {
    *out = (page){.name = "thirld.conf", .section = "5", .brief = "settings of thirld", .insert = insert_settings};
    return true;
  }
  *out = (page){.name = "thirld",
                .section = "8",
                .brief = "rendezvous server, relay and STUN server for thirl",
                .program = "thirld",
                .command = "",
                .synopsis = "[options]",
                .rows = arguments_rows};
  for (size_t n = 0; arguments_exits[n].word && n + 1 < PAGE_EXITS_MAX; n++)
    out->exits[n] = arguments_exits[n];
  return true;
}
