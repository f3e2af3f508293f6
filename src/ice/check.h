/* SPDX-License-Identifier: MIT */
/* Our own connectivity checks: one request at a time on each flow, its repetitions, its answer. RFC 8445 7.2, RFC 6544 7. */
#ifndef THIRL_ICE_CHECK_H
#define THIRL_ICE_CHECK_H

#include "ice/agent.h"

/** Send a fresh request. One in flight is given up, but its answer still counts. Stays queued until the peer's credentials are known. */
void thirl_ice_check_begin(thirl_ice *a, thirl_ice_flow *f, bool nominate);
/** Put it in the queue of triggered checks. */
void thirl_ice_check_queue(thirl_ice *a, thirl_ice_flow *f);
/** Repetitions and timeouts. */
void thirl_ice_check_tick(thirl_ice *a);
/** A response. f is where it came in, NULL for UDP addresses that are no flow of ours. */
void thirl_ice_check_response(thirl_ice *a, thirl_ice_flow *f, const thirl_stun_msg *m);
/** The flow ends because whoever is there gave a wrong proof. */
void thirl_ice_check_stranger(thirl_ice *a, thirl_ice_flow *f);
/** Become controlling or controlled: what was nominated in the old role is void. RFC 8445 7.3.1.1. */
void thirl_ice_check_switch_role(thirl_ice *a, bool controlling);
/** One message on its way, over a flow or to a UDP address that has none. */
void thirl_ice_check_send(thirl_ice *a, thirl_ice_link link, const thirl_addr *local, const thirl_addr *remote,
                          const thirl_ice_message *m);
thirl_time thirl_ice_check_deadline(const thirl_ice *a);

#endif
