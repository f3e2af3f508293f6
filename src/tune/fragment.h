/* SPDX-License-Identifier: MIT */
/* Pieces of configuration that mend what a report found, for a person to look through and put in place: "thirl tune --print". Every line says why it is
 * there and how to go back. */
#ifndef THIRL_TUNE_FRAGMENT_H
#define THIRL_TUNE_FRAGMENT_H

#include "base/bytes.h"
#include "tune/demand.h"
#include "tune/finding.h"

/* A mask of what to print. */
enum {
  THIRL_TUNE_FRAGMENT_SYSCTL = 1,
  THIRL_TUNE_FRAGMENT_SYSTEMD = 2,
  THIRL_TUNE_FRAGMENT_LIMITS = 4,
  THIRL_TUNE_FRAGMENT_NFT = 8,
  THIRL_TUNE_FRAGMENT_ALL = 15
};

/** "sysctl", "systemd", "limits", "nft", "all". False: there is no such format. */
bool thirl_tune_fragment_find(const char *word, unsigned *formats);
/** E_LIMIT, E_NOMEM. With several formats each is under a heading that says to which file it belongs. */
thirl_error thirl_tune_fragment_format(const thirl_tune_report *r, const thirl_tune_demand *d, unsigned formats,
                                       thirl_buffer *out);
/** The limit of open files for so many that are needed: with a quarter to spare, a power of two, at least 65536. */
int64_t thirl_tune_fragment_files(int64_t needed);

#endif
