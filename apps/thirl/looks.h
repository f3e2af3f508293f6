/* SPDX-License-Identifier: MIT */
/* What the environment says of the terminal: one answer for every command. */
#ifndef THIRL_APPS_LOOKS_H
#define THIRL_APPS_LOOKS_H

#include <stdbool.h>

/** It cannot move its cursor: TERM is "dumb", empty or not set. */
bool looks_dumb(void);
/** It may have colours: it is not dumb, and NO_COLOR (https://no-color.org) is not set, or empty. */
bool looks_coloured(void);

#endif
