/* SPDX-License-Identifier: MIT */
/*
 * The client as one machine: an identity, one server, the lanes, and any number of sessions. It composes control (the way to the server), lanes (the
 * local ports) and peers (session, ICE agent, links), routes every event to the part it belongs to, and knows nothing else.
 *
 * The pipe is base/net.h's; the application beside it dials, listens, reads and writes, and takes events. Sans I/O.
 */
#ifndef THIRL_SESSION_ENDPOINT_H
#define THIRL_SESSION_ENDPOINT_H

#include "base/net.h"
#include "meet/ticket.h"
#include "session/terms.h"

thirl_error thirl_session_endpoint_new(const thirl_session_endpoint_config *cfg, thirl_time now,
                                       thirl_session_endpoint **out);
void thirl_session_endpoint_free(thirl_session_endpoint *e);
/** Go to the server (its addresses are tried in turn) and stay there. Before it nothing is sent. E_STATE when called before; E_RANGE. */
thirl_error thirl_session_endpoint_start(thirl_session_endpoint *e, thirl_time now, const thirl_addr *servers,
                                         size_t n);
/** The server's name was looked up again (session/control.h). E_STATE before start, E_RANGE. */
thirl_error thirl_session_endpoint_move(thirl_session_endpoint *e, thirl_time now, const thirl_addr *servers, size_t n);
/** A ticket for this endpoint, whose server others call host:port. E_LIMIT. */
thirl_error thirl_session_endpoint_ticket(thirl_session_endpoint *e, thirl_time now, const char *host, uint16_t port,
                                          thirl_meet_ticket *out);
/** Give out a ticket made before (a stable one from a file). E_LIMIT. */
thirl_error thirl_session_endpoint_admit(thirl_session_endpoint *e, thirl_time now, const thirl_meet_ticket *ticket);
/** Open a session with the ticket's peer; policy NULL: the endpoint's. *handle names it from now on. E_LIMIT, E_NOMEM, E_INVALID, E_SELF. */
thirl_error thirl_session_endpoint_dial(thirl_session_endpoint *e, thirl_time now, const thirl_meet_ticket *ticket,
                                        const thirl_session_policy *policy, uint32_t *handle);
/** Give a session up at once; the peer hears PEER_CLOSED if a path is there, we hear FAILED with this reason, and the handle is dead after it. */
void thirl_session_endpoint_abandon(thirl_session_endpoint *e, thirl_time now, uint32_t handle, thirl_error reason);
/** Take no more incoming sessions and take tickets back. */
void thirl_session_endpoint_stop_listening(thirl_session_endpoint *e, thirl_time now);
/** No session is left, and nothing of a finished one waits to be sent. */
bool thirl_session_endpoint_is_idle(const thirl_session_endpoint *e);
/** Events, oldest first; the stream's own state is asked below. */
bool thirl_session_endpoint_next_event(thirl_session_endpoint *e, thirl_session_endpoint_event *ev);
const thirl_session_endpoint_stats *thirl_session_endpoint_stats_of(const thirl_session_endpoint *e);

/* ---- the pipe of base/net.h ---- */
void thirl_session_endpoint_input(thirl_session_endpoint *e, thirl_time now, const thirl_net_event *ev);
bool thirl_session_endpoint_poll(thirl_session_endpoint *e, thirl_time now, thirl_net_action *out);
size_t thirl_session_endpoint_pull(thirl_session_endpoint *e, thirl_time now, thirl_net_id id, uint8_t *buf,
                                   size_t cap);
thirl_time thirl_session_endpoint_deadline(thirl_session_endpoint *e);
/** Derive all that follows from a change made outside the pipe (session/streams.h). */
void thirl_session_endpoint_evaluate(thirl_session_endpoint *e, thirl_time now);
thirl_net_machine thirl_session_endpoint_machine(thirl_session_endpoint *e);

#endif
