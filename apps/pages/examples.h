/* SPDX-License-Identifier: MIT */
/*
 * The examples of a page, for the test that runs them: what is shown under "== examples".
 *
 *     WHERE$ COMMAND         here, there and server are three machines; without a word it is this one
 *     what it prints         "..." alone stands for any number of lines, at the end of a line for the rest of it
 */
#ifndef THIRL_PAGES_EXAMPLES_H
#define THIRL_PAGES_EXAMPLES_H

#include "page.h"

/** One line for each line: page TAB number TAB ("what", "says" or "run WHERE") TAB text. */
void examples_write(const page *p, const prose *words, FILE *to);

#endif
