/* SPDX-License-Identifier: MIT */
/* A matrix as one page: no script, nothing from elsewhere, light and dark, for narrow screens too; every cell says in words what its colour says. */
#ifndef THIRL_LAB_MATRIX_HTML_H
#define THIRL_LAB_MATRIX_HTML_H

#include <stdio.h>

#include "lab/matrix/matrix.h"

/** Errors stay in the stream. */
void thirl_lab_matrix_html_write(thirl_lab_matrix *m, FILE *file);

#endif
