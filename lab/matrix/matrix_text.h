/* SPDX-License-Identifier: MIT */
/* A matrix as a table for a terminal. */
#ifndef THIRL_LAB_MATRIX_TEXT_H
#define THIRL_LAB_MATRIX_TEXT_H

#include <stdio.h>

#include "lab/matrix/matrix.h"

/** In colour, if the terminal can; the words say it all without. Rows are the left side. */
void thirl_lab_matrix_text_write(thirl_lab_matrix *m, bool colour, FILE *file);
/** "57 TCP, 24 relayed, of 81; 153 ms to a direct path at the median". Returns out. */
const char *thirl_lab_matrix_text_summary(const thirl_lab_matrix *m, char *out, size_t size);
/** "TCP", "UDP", "direct", "relay", "failed"; "-" for what is not tried yet. */
const char *thirl_lab_matrix_text_label(thirl_lab_matrix_path path);

#endif
