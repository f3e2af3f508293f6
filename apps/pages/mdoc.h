/* SPDX-License-Identifier: MIT */
/* A page as mdoc(7). */
#ifndef THIRL_PAGES_MDOC_H
#define THIRL_PAGES_MDOC_H

#include "page.h"

/** The whole page. False: it asks for something that there is not; said on stderr. */
bool mdoc_write(const page *p, const prose *words, FILE *to);
/** Parts of it, for inserts: a list of options, with what the prose has to add; a line of a synopsis, with its options written out. */
void mdoc_options(const option_row *const *rows, const prose *words, FILE *to);
void mdoc_synopsis(const char *program, const char *command, const option_row *const *rows, const char *synopsis,
                   FILE *to);

#endif
