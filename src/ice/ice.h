/* SPDX-License-Identifier: MIT */
/*
 * An ICE agent for one component: candidates in, checks out, a pair chosen. RFC 8445 (full agent, regular and aggressive-compatible), RFC 6544
 * (TCP: active, passive, simultaneous-open), RFC 8838 (trickle), RFC 7675 (consent). Sans I/O; no socket, no clock, no session above.
 *
 * Ours on top, each switchable so that it stays a conforming agent: all pairs of a lane fire at GO without pacing; a refused TCP connect
 * is repeated at once from the same port (no gap); a connecting socket is never closed and reopened.
 *
 * A *link* is the agent's name for one TCP connection (being) made for it; links are small integers, never used twice. UDP has no links: it is named
 * by base and remote address.
 *
 *   add_local* set_remote add_remote* start(GO) -> { poll -> action ; input(event) }* -> SELECTED | FAILED ; consent goes on until free
 */
#ifndef THIRL_ICE_ICE_H
#define THIRL_ICE_ICE_H

#include "ice/terms.h"

/** E_INVALID (something missing), E_RANGE (credentials too short or too long), E_NOMEM. */
thirl_error thirl_ice_new(const thirl_ice_config *cfg, thirl_ice **out);
/** Frees, never acts: connections that are still open are the caller's. */
void thirl_ice_free(thirl_ice *a);

/**
 * addr, base (unset: addr), type, transport, lane; priority and foundation are computed when 0. A TCP_ACTIVE base has the port to connect
 * from, or 0. Known ones are ignored. E_INVALID without an address, E_LIMIT.
 */
thirl_error thirl_ice_add_local(thirl_ice *a, const thirl_ice_candidate *c);
/** What add_local made of the i-th candidate, to be told to the peer; false beyond the last. */
bool thirl_ice_get_local(const thirl_ice *a, size_t i, thirl_ice_candidate *out);
/** The peer's credentials; copied. E_RANGE as in new; E_STATE when they are known already. */
thirl_error thirl_ice_set_remote(thirl_ice *a, const char *ufrag, const char *pwd);
/** A remote candidate, at any time (trickle). Silently ignored when it is known or may not be probed (base/addr.h). E_LIMIT. */
thirl_error thirl_ice_add_remote(thirl_ice *a, thirl_time now, const thirl_ice_candidate *c);
/** The peer will send no more candidates: when all that is known has failed, the agent need not wait for give_up. */
void thirl_ice_end_of_candidates(thirl_ice *a, thirl_time now);
/** GO at this time (now or later). */
void thirl_ice_start(thirl_ice *a, thirl_time now, thirl_time at);

/**
 * A connection came in on a listener of ours and its first frame was a STUN request for our ufrag: it becomes a link, and that frame is the
 * next input. E_LIMIT; E_NOT_FOUND when no candidate of ours has this port; E_STATE when nothing more is wanted: close it.
 */
thirl_error thirl_ice_accept(thirl_ice *a, thirl_time now, const thirl_addr *local, const thirl_addr *remote,
                             thirl_ice_link *out);

/* After every call above and after each input: poll until false, then read the deadline. Time never goes back. */
void thirl_ice_input(thirl_ice *a, thirl_time now, const thirl_ice_input_event *ev);
bool thirl_ice_poll(thirl_ice *a, thirl_time now, thirl_ice_action *out);
/** When to input a TICK next. */
thirl_time thirl_ice_deadline(const thirl_ice *a);

/**
 * Controlling, with nominate_first: the link over which the nomination has just gone and is not answered yet, when what is meant for the peer may
 * follow it at once, as long as it is of no use to anybody else (a ClientHello). It becomes SELECTED, or another link takes its place, or 0: then
 * what followed was in vain. 0 for a host candidate with a private address, where anybody may be, until the peer's own check has come from there.
 */
thirl_ice_link thirl_ice_prospect(const thirl_ice *a);
void thirl_ice_get_evidence(const thirl_ice *a, thirl_ice_evidence *out);
/** The present role; it may differ from the configured one after a role conflict (RFC 8445 7.3.1.1). */
bool thirl_ice_is_controlling(const thirl_ice *a);

#endif
