/* SPDX-License-Identifier: MIT */
/* Ends what runs in a lab: processes in its network namespaces, and those that it has started wherever they are now. */
#ifndef THIRL_LAB_SWEEP_H
#define THIRL_LAB_SWEEP_H

#include <stddef.h>
#include <stdint.h>

enum { THIRL_LAB_SWEEP_MARK_LEN = 32 };

/** In the environment of everything that is started in a lab: THIRL_LAB_MARK=, with a number that no other lab has. */
#define THIRL_LAB_SWEEP_MARK "THIRL_LAB_MARK"

/** A new mark, hexadecimal; out holds THIRL_LAB_SWEEP_MARK_LEN + 1. */
void thirl_lab_sweep_new_mark(char *out);
/**
 * Kills every process that carries the mark, or whose network namespace is one of ids (n may be 0), but for the caller, until there is none or two
 * seconds are over. Returns how many there still are.
 */
size_t thirl_lab_sweep_kill(const char *mark, const uint64_t *ids, size_t n);

#endif
