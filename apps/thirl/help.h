/* SPDX-License-Identifier: MIT */
/* What --help prints, from the table of commands. */
#ifndef THIRL_APPS_HELP_H
#define THIRL_APPS_HELP_H

#include "command.h"

/** Of one command; before is what stands before its name: "thirl", "thirl lab". */
void help_print(const command *c, const char *before);
/** Of a table: a line for each command. */
void help_list(const command *table, const char *before, FILE *to);
/** -h, --help or help. */
bool help_is_asked(const char *word);

#endif
