/* SPDX-License-Identifier: MIT */
/* Offloads and ring of one interface, from ethtool, and how its queues are spread, from sysfs. */
#ifndef THIRL_HOST_CARD_H
#define THIRL_HOST_CARD_H

#include <stdint.h>

#include "host/dump.h"

/** Appends lines for thirl_tune_links_dump. hardware: its 6 bytes, or NULL; by them sysfs is recognised as that of our namespace. */
void thirl_host_card_ask(const char *name, int index, const uint8_t *hardware, thirl_host_dump *d);

#endif
