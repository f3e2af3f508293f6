/* SPDX-License-Identifier: MIT */
/*
 * Where running labs are known by their names: DIRECTORY/NAME holds
 *
 *   lock      locked as long as anything of the lab lives
 *   control   its socket
 *   mark      what its processes carry (sweep.h)
 *   log       what it had to say
 *
 * DIRECTORY is $THIRL_LAB_DIR, /run/thirl-lab for root, $XDG_RUNTIME_DIR/thirl-lab, or /tmp/thirl-lab-UID.
 */
#ifndef THIRL_LAB_STATE_H
#define THIRL_LAB_STATE_H

#include "lab/process/sweep.h"
#include "lab/text/words.h"

enum { THIRL_LAB_STATE_NAME_MAX = 24, THIRL_LAB_STATE_PATH_MAX = 108, THIRL_LAB_STATE_LABS_MAX = 256 };

typedef struct thirl_lab_state {
  char name[THIRL_LAB_STATE_NAME_MAX + 1];
  char directory[THIRL_LAB_STATE_PATH_MAX - 16];
  char control[THIRL_LAB_STATE_PATH_MAX], log[THIRL_LAB_STATE_PATH_MAX];
  char mark[THIRL_LAB_SWEEP_MARK_LEN + 1];
  int lock; /* -1: not ours */
} thirl_lab_state;

/** Where the lab of this name is, or would be. E_INVALID: no name; E_LIMIT: the path is too long; E_PERMISSION: the directory is somebody else's, or others may write there. */
thirl_error thirl_lab_state_find(const char *name, thirl_lab_state *out, thirl_lab_complaint *why);
/**
 * Takes the name: the directory is made, and what a killed lab has left there is ended and removed. Waits for one that is ending, 5 seconds at most.
 * E_IN_USE: such a lab is up.
 */
thirl_error thirl_lab_state_take(const char *name, thirl_lab_state *out, thirl_lab_complaint *why);
/** Removes the directory, unless the name has gone to another lab meanwhile, and gives up the lock; for whoever holds it. */
void thirl_lab_state_remove(thirl_lab_state *s);

/** The names of the labs that are up, sorted; those that were killed are ended and removed. Returns how many there are. */
size_t thirl_lab_state_list(char names[][THIRL_LAB_STATE_NAME_MAX + 1], size_t max);

#endif
