/* SPDX-License-Identifier: MIT */
#ifndef THIRL_APPS_LAB_MATRIX_H
#define THIRL_APPS_LAB_MATRIX_H

/** thirl lab matrix: its own words. The exit code. */
int lab_matrix(int argc, char **argv);

#endif
