/* SPDX-License-Identifier: MIT */
/* Lines and words of a text that the kernel or a tool wrote: views, never copies; nothing is taken for granted. */
#ifndef THIRL_TUNE_TEXT_H
#define THIRL_TUNE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A view that lives as long as what is behind it. */
typedef struct thirl_tune_text {
  const char *p;
  size_t n;
} thirl_tune_text;

thirl_tune_text thirl_tune_text_of(const char *string);
/** The next line, without its end, and the rest behind it. False: nothing is left. */
bool thirl_tune_text_line(thirl_tune_text *rest, thirl_tune_text *line);
/** The next word between blanks. False: there is none. */
bool thirl_tune_text_word(thirl_tune_text *rest, thirl_tune_text *word);
/** What is in front of the first such character, and behind it; false and nothing changed when there is none. */
bool thirl_tune_text_cut(thirl_tune_text *rest, char at, thirl_tune_text *front);
bool thirl_tune_text_is(thirl_tune_text t, const char *word);
bool thirl_tune_text_begins(thirl_tune_text t, const char *word);
bool thirl_tune_text_has(thirl_tune_text t, const char *word);
/** The whole of it is a number: decimal with a sign at most, or hexadecimal digits. Too large ones become the largest. */
bool thirl_tune_text_decimal(thirl_tune_text t, int64_t *out);
bool thirl_tune_text_hex(thirl_tune_text t, uint64_t *out);
/** Letters, digits and -_.:@+ only: a name that means nothing to a shell. */
bool thirl_tune_text_is_plain(thirl_tune_text t);
/** Copied with an end, cut when too long; what is not printable ASCII becomes '?'. */
void thirl_tune_text_copy(thirl_tune_text t, char *to, size_t size);

#endif
