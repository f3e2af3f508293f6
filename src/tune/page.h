/* SPDX-License-Identifier: MIT */
/* Formatted text at the end of a buffer. */
#ifndef THIRL_TUNE_PAGE_H
#define THIRL_TUNE_PAGE_H

#include "base/bytes.h"

enum { THIRL_TUNE_PAGE_MAX = 1024 }; /* of one call; what is longer is cut */

/** E_LIMIT and E_NOMEM as for thirl_buffer_append; *sticky keeps the first and stops what follows. */
void thirl_tune_page_add(thirl_buffer *out, thirl_error *sticky, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** A comment: words folded to lines of at most 100 characters that begin with "# ". */
void thirl_tune_page_comment(thirl_buffer *out, thirl_error *sticky, const char *words);

#endif
