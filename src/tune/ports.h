/* SPDX-License-Identifier: MIT */
/* A set of ports: thirl_tune_ports of facts.h. */
#ifndef THIRL_TUNE_PORTS_H
#define THIRL_TUNE_PORTS_H

#include "tune/facts.h"
#include "tune/text.h"

/** Ports from first to last, both included; nothing when one is no port, or first is behind last. */
void thirl_tune_ports_add(thirl_tune_ports *set, int64_t first, int64_t last);
bool thirl_tune_ports_has(const thirl_tune_ports *set, int64_t port);
/** How many of the ports from first to last are in the set. */
int64_t thirl_tune_ports_count(const thirl_tune_ports *set, int64_t first, int64_t last);
/** "3478,49152-65535", as the kernel writes it; "" or "none" is the empty set. False: not understood, and the set is as far as it was read. */
bool thirl_tune_ports_parse(thirl_tune_ports *set, thirl_tune_text t);

#endif
