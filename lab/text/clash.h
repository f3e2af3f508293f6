/* SPDX-License-Identifier: MIT */
/* What no network can be, though each of its lines can be read: loops, overlapping nets, an address that two have. */
#ifndef THIRL_LAB_CLASH_H
#define THIRL_LAB_CLASH_H

#include "lab/text/model.h"
#include "lab/text/words.h"

/** E_INVALID: *why is a sentence about the line *line of the text. Every net and cable must be filled in. */
thirl_error thirl_lab_clash_find(const thirl_lab_topology *t, unsigned *line, thirl_lab_complaint *why);

#endif
