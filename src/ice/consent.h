/* SPDX-License-Identifier: MIT */
/* May the selected pair still be used? A check every 4 to 6 s; 30 s without an answer mean no. RFC 7675. */
#ifndef THIRL_ICE_CONSENT_H
#define THIRL_ICE_CONSENT_H

#include "ice/agent.h"

/** The pair has just been selected: consent begins. */
void thirl_ice_consent_start(thirl_ice *a);
/** Sends what is due on the selected flow; ends the flow when consent has run out. */
void thirl_ice_consent_tick(thirl_ice *a, thirl_ice_flow *selected);
/** Was this response the answer to a consent check? */
bool thirl_ice_consent_answered(thirl_ice *a, const thirl_stun_msg *m);
thirl_time thirl_ice_consent_deadline(const thirl_ice *a);

#endif
