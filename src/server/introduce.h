/* SPDX-License-Identifier: MIT */
/*
 * CONNECT: one registered peer wants another. Whoever cannot show a proof of one of its tickets learns nothing: an unknown id, a peer that is
 * away, one that has left no standing offer and a wrong proof get the same 404.
 *
 * GO: both are told at the same instant, each with the time to wait that makes them fire together, the longer of the two one-way delays less
 * the own one. research: the smaller the gap, the fewer SYNs meet a closed door.
 */
#ifndef THIRL_SERVER_INTRODUCE_H
#define THIRL_SERVER_INTRODUCE_H

#include "server/registry.h"

enum { THIRL_SERVER_INTRODUCE_OWD_MAX_US = 2000000 }; /* nobody can make another wait longer */

/**
 * Answer an authenticated CONNECT of asker.
 *
 * 400  something is missing, or the offer holds an address that is not to be passed on (offer.h)
 * 404  see above
 * 429  more than connects_per_minute
 * 508  no room for another channel, or the server drains
 */
void thirl_server_introduce_connect(thirl_server_context *ctx, thirl_server_registry *registry,
                                    thirl_server_peer *asker, const thirl_meet_message *m);

#endif
