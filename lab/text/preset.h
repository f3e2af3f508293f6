/* SPDX-License-Identifier: MIT */
/* Networks that people meet, as texts: "thirl lab up cgnat". */
#ifndef THIRL_LAB_PRESET_H
#define THIRL_LAB_PRESET_H

#include <stddef.h>

typedef struct thirl_lab_preset {
  const char *name, *sentence;
  const char *text; /* for thirl_lab_topology_read */
} thirl_lab_preset;

/** In turn; NULL: index is past the last one. */
const thirl_lab_preset *thirl_lab_preset_get(size_t index);
/** NULL: there is none of this name. */
const thirl_lab_preset *thirl_lab_preset_find(const char *name);

#endif
