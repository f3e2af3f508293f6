/* SPDX-License-Identifier: MIT */
/* The life of flows: TCP connections opened, accepted, refused and opened again, closed; UDP flows likewise, which have no such troubles. */
#ifndef THIRL_ICE_LINK_H
#define THIRL_ICE_LINK_H

#include "ice/agent.h"

/**
 * Begin what the pair needs for its check: a CONNECT; over UDP the check is queued at once. NULL when the pair has a flow already, or when
 * the table is full: then it is tried again later.
 */
thirl_ice_flow *thirl_ice_link_open(thirl_ice *a, uint8_t pair);
/** A connection that came in. It belongs to a pair when the four-tuple is one of the list. NULL when the table is full. */
thirl_ice_flow *thirl_ice_link_accept(thirl_ice *a, const thirl_addr *local, const thirl_addr *remote);
thirl_ice_flow *thirl_ice_link_find(thirl_ice *a, thirl_ice_link link);
thirl_ice_flow *thirl_ice_link_find_udp(thirl_ice *a, const thirl_addr *local, const thirl_addr *remote);
/** The connect is through: its check is queued. */
void thirl_ice_link_up(thirl_ice *a, thirl_ice_flow *f, const thirl_addr *local, const thirl_addr *remote);
/** Somebody who knows the credentials has been heard on it: tell it, if it is the first TCP connection of which this is known. */
void thirl_ice_link_confirm(thirl_ice *a, const thirl_ice_flow *f);
/** The connect has failed: again at once, later, or never. */
void thirl_ice_link_failed(thirl_ice *a, thirl_ice_flow *f, thirl_error error);
/** The flow is gone by itself. why becomes what is known about its pair. */
void thirl_ice_link_drop(thirl_ice *a, thirl_ice_flow *f, thirl_error why);
/** The same by our will: RST. */
void thirl_ice_link_abort(thirl_ice *a, thirl_ice_flow *f, thirl_error why);
/** Open again the pairs whose time has come. */
void thirl_ice_link_retry(thirl_ice *a);
/** No pair opens anything any more by itself. */
void thirl_ice_link_stop(thirl_ice *a);
thirl_time thirl_ice_link_deadline(const thirl_ice *a);

#endif
