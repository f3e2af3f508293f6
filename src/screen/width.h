/* SPDX-License-Identifier: MIT */
/* How many columns of a terminal a character takes. From Unicode's East Asian width and general category, as terminals read them. */
#ifndef THIRL_SCREEN_WIDTH_H
#define THIRL_SCREEN_WIDTH_H

#include <stdint.h>

/** 0: it goes onto the character before it (combining marks), and controls; 2: wide (East Asian, emoji); 1: all others, unknown ones too. */
unsigned thirl_screen_width_of(uint32_t c);

#endif
