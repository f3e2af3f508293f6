/* SPDX-License-Identifier: MIT */
/*
 * The real thing for benchmarks: the server or a client endpoint on its own thread, loop and carrier. An endpoint has one session, and its application
 * writes and reads the stream in place, as much as the main thread tells it, marking and checking one byte in 16 KiB.
 *
 * Whatever goes wrong ends the program (measure_must).
 */
#ifndef THIRL_TEST_SUPPORT_PARTY_H
#define THIRL_TEST_SUPPORT_PARTY_H

#include "io/net.h"
#include "session/endpoint.h"

typedef struct party party;

/** A server that listens on this address (TCP). It runs when this returns. */
party *party_serve(thirl_addr at);
/** An endpoint that gives out a ticket; registered when this returns. */
party *party_listen(thirl_addr server, const thirl_session_policy *policy, thirl_meet_ticket *ticket);
/** An endpoint that dials it. */
party *party_dial(thirl_addr server, const thirl_session_policy *policy, const thirl_meet_ticket *ticket);
/** Its thread ends, all is freed. */
void party_free(party *p);

/** Wait until the stream goes this way; false after so many seconds. */
bool party_wait_route(party *p, thirl_session_route route, double seconds);
bool party_is_on(party *p, thirl_session_route route);
/** So many bytes more shall be written, so many more be read. */
void party_move(party *p, uint64_t write, uint64_t read);
/** Wait until that is done; false after so many seconds. */
bool party_wait_moved(party *p, double seconds);

/** Seconds of CPU of its thread. */
double party_cpu(const party *p);
/** What its carrier has counted; only while nothing moves. */
thirl_io_net_stats party_stats(party *p);

#endif
