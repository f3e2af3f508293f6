/* SPDX-License-Identifier: MIT */
/*
 * Everything that tune can find: one row for each id, with the words that do not depend on what was observed. The figures were measured; the row says
 * where the number comes from.
 */
#ifndef THIRL_TUNE_CATALOGUE_H
#define THIRL_TUNE_CATALOGUE_H

#include <stddef.h>

#include "tune/row.h"

/** Never NULL for an id of the enum other than NONE. */
const thirl_tune_row *thirl_tune_catalogue_row(thirl_tune_id id);
/** By its word, in any case: "udp1". NONE: there is no such id. */
thirl_tune_id thirl_tune_catalogue_find(const char *word, size_t n);

#endif
