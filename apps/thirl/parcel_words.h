/* SPDX-License-Identifier: MIT */
/* What thirl send and thirl receive both say: one line a file that fails, and how it went. */
#ifndef THIRL_APPS_PARCEL_WORDS_H
#define THIRL_APPS_PARCEL_WORDS_H

#include "parcel/offer.h"
#include "parcel/reason.h"
#include "progress.h"

enum { PARCEL_WORDS_LINES_MAX = 20 }; /* lines about single files */

/** "3 files, 1.4 MiB". */
const char *parcel_words_count(const thirl_parcel_offer *o, char out[64]);
/** One file is where it belongs, or not: a line for the first that are not, an object for each with --json. */
void parcel_words_file(thirl_bytes name, thirl_parcel_reason r);
/** How it ended, in a sentence; did: "sent", "received". index: the file that was the reason, if any. Returns the exit code. */
int parcel_words_end(const thirl_parcel_offer *o, const progress *p, const thirl_parcel_tally *t, const char *did,
                     thirl_parcel_reason r, thirl_bytes name);

#endif
