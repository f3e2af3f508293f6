/* SPDX-License-Identifier: MIT */
/* Running text and values as mdoc(7). */
#ifndef THIRL_PAGES_INLINE_H
#define THIRL_PAGES_INLINE_H

#include <stddef.h>
#include <stdio.h>

/** Running text, a sentence a line; see prose.h for its markup. Ends with \n. */
void inline_text(const char *text, FILE *to);
/** A help of a table as a sentence: with a capital and a full stop. */
void inline_sentence(const char *help, FILE *to);
/** "[BIND:]PORT:HOST" as macros of one line, without an end of it. */
void inline_value(const char *value, FILE *to);
/** As it is shown, a line. */
void inline_literal(const char *line, size_t n, FILE *to);

#endif
