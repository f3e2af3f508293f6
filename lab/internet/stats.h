/* SPDX-License-Identifier: MIT */
/* What has gone through a lab, as text for a person: each link in each direction, each NAT of the model. */
#ifndef THIRL_LAB_STATS_H
#define THIRL_LAB_STATS_H

#include "lab/internet/engine.h"

/** A C string, the caller's to free; NULL: no memory. now: the engine's time. */
char *thirl_lab_stats_write(const thirl_lab_engine_machine *e, const thirl_lab_topology *t, thirl_time now);

#endif
