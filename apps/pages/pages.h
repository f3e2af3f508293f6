/* SPDX-License-Identifier: MIT */
/* All pages of the manual, and whether they are whole. */
#ifndef THIRL_PAGES_PAGES_H
#define THIRL_PAGES_PAGES_H

#include "page.h"

/** The i-th of all pages: those of thirl, then those of thirld. False past the last. */
bool pages_get(size_t i, page *out);

/** E.g. "docs/man/thirl-listen.txt", below root. */
void pages_path(const page *p, const char *root, char *out, size_t size);
/**
 * Whether tables and prose agree: the file is there, it has a description, every command has an example or is none that runs, every option that it speaks
 * of exists. On false complaint (256 bytes) is a sentence that says what to write where.
 */
bool pages_check(const page *p, const char *root, char *complaint);

#endif
