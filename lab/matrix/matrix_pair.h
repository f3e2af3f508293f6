/* SPDX-License-Identifier: MIT */
/*
 * One pair of a matrix, tried in a network of its own, and how the programs under test are asked what happened.
 *
 * The commands run as `sh -c` in an empty directory: server on the host server (203.0.113.10 and .11) until the others have ended, left and right
 * behind their NATs, all at once. They find in the environment THIRL_MATRIX_SIDE (server, left, right), THIRL_MATRIX_SERVER (203.0.113.10) and
 * THIRL_MATRIX_DIR, the directory, in which they may leave each other what they have to know (a ticket, an offer). Their output goes to SIDE.out and
 * SIDE.err there.
 *
 * left and right tell what happened by a line on stdout (matrix_json.h), {"path":"tcp","ms":153}, at any time; the last one counts, and the worse of
 * both. Who has ended without such a line has connected somehow if the exit code is 0. When one has ended the other gets THIRL_LAB_MATRIX_PAIR_GRACE_S
 * seconds more; who is stopped then without a word has no say. A judge, if there is one, is run in the directory afterwards, outside the network, with SIDE.exit
 * there too ("stopped" or a number); its line alone counts.
 */
#ifndef THIRL_LAB_MATRIX_PAIR_H
#define THIRL_LAB_MATRIX_PAIR_H

#include "lab/matrix/matrix.h"

enum { THIRL_LAB_MATRIX_PAIR_GRACE_S = 5, THIRL_LAB_MATRIX_PAIR_OUTPUT_MAX = 1 << 20 /* bytes that are looked at */ };

typedef struct thirl_lab_matrix_pair_options {
  const char *directory; /* exists, is empty, and stays the caller's */
  const char *name;      /* of the lab */
  unsigned timeout_s;    /* of left and right */
  bool in_user;          /* in a user namespace, even for root */
} thirl_lab_matrix_pair_options;

/** Blocks. What goes wrong with the programs is a cell; an error is one of the network, with why. */
thirl_error thirl_lab_matrix_pair_run(const thirl_lab_matrix *m, size_t left, size_t right,
                                      const thirl_lab_matrix_pair_options *options, thirl_lab_matrix_cell *out,
                                      thirl_lab_complaint *why);

/**
 * The commands that try thirl itself; thirl and thirld are paths of the programs, without quotes in them. Each into a text of the
 * caller's, to be freed, the second for left and right alike; E_NOMEM: both are NULL.
 */
thirl_error thirl_lab_matrix_pair_default(const char *thirl, const char *thirld, char **server, char **both);

#endif
