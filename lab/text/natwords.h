/* SPDX-License-Identifier: MIT */
/* The words of a NAT (natbox/words.h) for the lab's text: with sentences about what is wrong, and back as short as it goes. */
#ifndef THIRL_LAB_NATWORDS_H
#define THIRL_LAB_NATWORDS_H

#include "lab/text/words.h"
#include "natbox/config.h"

/** A home router that nobody has touched: eim, apdf, ports preserved, silent. */
thirl_natbox_config thirl_lab_natwords_default(thirl_addr external);
/** One "word=value" into *c. preset= replaces everything but the outer addresses. E_SYNTAX, E_RANGE: *c is untouched. */
thirl_error thirl_lab_natwords_set(thirl_natbox_config *c, const char *word, thirl_lab_complaint *why);
/** "preset=NAME" and the words by which the NAT differs from it, the shortest of all presets; cut where it does not fit. Returns out. */
const char *thirl_lab_natwords_format(const thirl_natbox_config *c, char *out, size_t size);

#endif
