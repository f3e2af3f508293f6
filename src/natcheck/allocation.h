/* SPDX-License-Identifier: MIT */
/* Which outer ports a NAT hands out, learned from fresh mappings, and which it will hand out next. Pure functions. */
#ifndef THIRL_NATCHECK_ALLOCATION_H
#define THIRL_NATCHECK_ALLOCATION_H

#include <stddef.h>

#include "natcheck/terms.h"

/**
 * The model that the samples, in the order in which the mappings were made, suggest.
 *
 * PRESERVING   three of four samples or more keep the inner port
 * SEQUENTIAL   four of five steps or more go the same way by a small number, and one of three by the same, which is the step. Other hosts
 *              behind the same NAT may take ports in between
 * BLOCK        all in so narrow a range that it is no accident
 * RANDOM       none of these
 *
 * n   fewer than THIRL_NATCHECK_ALLOCATION_FEW: UNKNOWN with WHY_FEW, except that ports are kept, or go up or down evenly, which four samples show
 */
thirl_natcheck_allocation thirl_natcheck_allocation_learn(const thirl_natcheck_sample *samples, unsigned n);

enum { THIRL_NATCHECK_ALLOCATION_FEW = 8 };

/**
 * The outer ports that the next fresh mapping of local_port may get, the likeliest first: what to knock at.
 *
 * last   the newest mapping that is known
 * out    holds max
 *
 * Returns how many were written: 1 when ports are kept, up to max in a sequence (the one before that may be taken by somebody else), 0 when
 * nothing better can be said than the bounds of the model.
 */
size_t thirl_natcheck_allocation_predict(const thirl_natcheck_allocation *a, const thirl_natcheck_sample *last,
                                         uint16_t local_port, uint16_t *out, size_t max);

#endif
