/* SPDX-License-Identifier: MIT */
/* What the endpoint does with the server: leaves its standing offer, begins rounds, and acts on what the server says. */
#ifndef THIRL_SESSION_RENDEZVOUS_H
#define THIRL_SESSION_RENDEZVOUS_H

#include "session/roster.h"

/** CONNECT for every session that wants a round, once the server knows us and the lanes are mapped; the standing offer before. */
void thirl_session_rendezvous_begin_rounds(thirl_session_endpoint *e, thirl_time now);
/** An event of the control connection. */
void thirl_session_rendezvous_input(thirl_session_endpoint *e, thirl_time now, const thirl_net_event *ev);
/** End the channel on which p could hear a refusal, when that cannot come any more. */
void thirl_session_rendezvous_let_go(thirl_session_endpoint *e, thirl_time now, thirl_session_peer *p);
/** Time: reconnect, refresh, time out. */
thirl_time thirl_session_rendezvous_deadline(const thirl_session_endpoint *e, thirl_time now);
void thirl_session_rendezvous_tick(thirl_session_endpoint *e, thirl_time now);

#endif
