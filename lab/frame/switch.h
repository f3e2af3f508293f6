/* SPDX-License-Identifier: MIT */
/* The switch of a net: which MAC is behind which of its sockets. */
#ifndef THIRL_LAB_SWITCH_H
#define THIRL_LAB_SWITCH_H

#include "base/map.h"
#include "lab/frame/wire.h"

enum { THIRL_LAB_SWITCH_MACS_MAX = 4096 }; /* what comes on top is not learned, and flooded */

typedef struct thirl_lab_switch {
  thirl_map macs; /* to 1 + socket, as a pointer */
  size_t n;
} thirl_lab_switch;

/** Allocates nothing yet. */
void thirl_lab_switch_init(thirl_lab_switch *s, uint64_t seed);
void thirl_lab_switch_fini(thirl_lab_switch *s);
/** A frame with this source came in by this socket. */
void thirl_lab_switch_learn(thirl_lab_switch *s, const uint8_t *mac, size_t socket);
/** The socket; false: unknown, or for several: flood. */
bool thirl_lab_switch_find(const thirl_lab_switch *s, const uint8_t *mac, size_t *socket);
/** A cable was pulled: nothing is known of any socket any more. */
void thirl_lab_switch_forget(thirl_lab_switch *s);
/** To several: broadcast or multicast. */
bool thirl_lab_switch_is_group(const uint8_t *mac);

#endif
