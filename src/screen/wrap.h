/* SPDX-License-Identifier: MIT */
/* A clean text (clean.h) in rows that are not wider than the place for them: broken at spaces, within a word only when it is wider than a row. */
#ifndef THIRL_SCREEN_WRAP_H
#define THIRL_SCREEN_WRAP_H

#include "base/bytes.h"

/**
 * The next row, a view into *text, which shrinks by it and by the space or the end of line behind it. columns is 2 at least. False: there is no more; an empty
 * text is one empty row if *begun is false, which the caller sets before the first call. An end of line at the very end begins no row.
 */
bool thirl_screen_wrap_next(thirl_bytes *text, unsigned columns, bool *begun, thirl_bytes *row);
/** Columns that a clean text without ends of lines takes. */
unsigned thirl_screen_wrap_width(thirl_bytes text);
/** The longest beginning that is not wider than that. */
thirl_bytes thirl_screen_wrap_cut(thirl_bytes text, unsigned columns);

#endif
