/* SPDX-License-Identifier: MIT */
/* The relay channels of one control connection: which are open, and how much may be sent on each. A bounded table, no allocation. */
#ifndef THIRL_MEET_CHANNEL_H
#define THIRL_MEET_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "thirl/error.h"

enum {
  THIRL_MEET_CHANNELS_MAX = 64,            /* relay channels of one client at a time */
  THIRL_MEET_CREDIT_MAX = 64 * 1024 * 1024 /* what credit adds up to at most; more is forgotten */
};

typedef struct thirl_meet_channel {
  uint16_t number;
  size_t credit; /* bytes of payload that may still be sent */
} thirl_meet_channel;

/** Zeroed it is empty. */
typedef struct thirl_meet_channels {
  size_t n;
  thirl_meet_channel open[THIRL_MEET_CHANNELS_MAX];
} thirl_meet_channels;

/** E_LIMIT; E_IN_USE when the number is open already. */
thirl_error thirl_meet_channel_add(thirl_meet_channels *t, uint16_t number, uint32_t credit);
/** NULL for an unknown one. Valid until the next add or remove. */
thirl_meet_channel *thirl_meet_channel_find(thirl_meet_channels *t, uint16_t number);
/** The same to read. */
const thirl_meet_channel *thirl_meet_channel_get(const thirl_meet_channels *t, uint16_t number);
/** False for an unknown one. */
bool thirl_meet_channel_remove(thirl_meet_channels *t, uint16_t number);
void thirl_meet_channel_grant(thirl_meet_channel *c, uint32_t credit);

#endif
