/* SPDX-License-Identifier: MIT */
/*
 * What a NAT does, in words: "preset=portrestricted", "map=eim", "tcp.unsolicited=rst". One table from words to the fields of a
 * thirl_natbox_config; a new knob is one row of it. A word without "udp." or "tcp." before it counts for both.
 */
#ifndef THIRL_LAB_NATWORDS_H
#define THIRL_LAB_NATWORDS_H

#include "lab/words.h"
#include "natbox/config.h"

/** A home router that nobody has touched: eim, apdf, ports preserved, silent. */
thirl_natbox_config thirl_lab_natwords_default(thirl_addr external);
/** One "word=value" into *c. preset= replaces everything but the outer address. E_SYNTAX: *c is untouched. */
thirl_error thirl_lab_natwords_set(thirl_natbox_config *c, const char *word, thirl_lab_complaint *why);
/** The words that make this NAT, the shortest that say it all; cut where it does not fit. Returns out. */
const char *thirl_lab_natwords_format(const thirl_natbox_config *c, char *out, size_t size);

#endif
