/* SPDX-License-Identifier: MIT */
/* The command line of thirld. */
#ifndef THIRLD_ARGUMENTS_H
#define THIRLD_ARGUMENTS_H

#include "apps/options/exits.h"
#include "apps/options/options.h"
#include "config.h"

typedef struct arguments {
  const char *path; /* NULL: the default one, if it is there */
  bool check, help, version;
  text_list listen, alternate;
  config listeners; /* only its listeners: what these two say */
} arguments;

/** What can be said, as rows into arguments; ends with a NULL. */
extern const option_row *const arguments_rows[];
/** What thirld ends with. */
extern const exit_row arguments_exits[];

/** EXIT_DONE, or EXIT_BAD_USAGE with the complaint made. */
int arguments_read(arguments *a, int argc, char **argv);
/** What --help prints. */
void arguments_help(void);

#endif
