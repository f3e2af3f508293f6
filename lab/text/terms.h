/* SPDX-License-Identifier: MIT */
/* What a cable does to packets, in words: "latency=20ms loss=0.5% rate=20mbit". One table; a new term is one row of it. */
#ifndef THIRL_LAB_TERMS_H
#define THIRL_LAB_TERMS_H

#include "lab/frame/link.h"
#include "lab/text/words.h"

/** A cable to which nothing happens. */
thirl_lab_link_terms thirl_lab_terms_none(void);
/** One "word=value" into *terms. E_SYNTAX: no such word, a value that is none; *terms is untouched. */
thirl_error thirl_lab_terms_set(thirl_lab_link_terms *terms, const char *word, thirl_lab_complaint *why);
/** The words that make these terms of none, "" when nothing happens; cut where it does not fit. Returns out. */
const char *thirl_lab_terms_format(const thirl_lab_link_terms *terms, char *out, size_t size);

#endif
