/* SPDX-License-Identifier: MIT */
/* Which check comes next, and when. RFC 8445 6.1.4; with burst all of them at GO. */
#ifndef THIRL_ICE_SCHEDULE_H
#define THIRL_ICE_SCHEDULE_H

#include "ice/agent.h"

/** Begin everything that is due. */
void thirl_ice_schedule_run(thirl_ice *a);
thirl_time thirl_ice_schedule_deadline(const thirl_ice *a);

#endif
