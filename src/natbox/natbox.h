/* SPDX-License-Identifier: MIT */
/*
 * A NAT as a function of a packet and the time: one packet in, what comes out. No sockets, no clock, no threads; all randomness from the seed.
 * Used by the simulator (packets are values) and by the lab (packets are bytes).
 *
 * The pipe:  outbound or inbound -> do what the verdict says -> poll until THIRL_NATBOX_NOTHING -> deadline
 *
 * Time to live is the carrier's: it counts hops down and sends time-exceeded before it asks here. So are payloads: see alg.h. Pings to the box's
 * own addresses are the carrier's to answer.
 */
#ifndef THIRL_NATBOX_NATBOX_H
#define THIRL_NATBOX_NATBOX_H

#include "natbox/config.h"
#include "natbox/packet.h"

enum { THIRL_NATBOX_SESSIONS_MAX = 65536 }; /* flows in one box */

typedef enum thirl_natbox_verdict {
  THIRL_NATBOX_NOTHING, /* poll: nothing is due */
  THIRL_NATBOX_PASS,    /* the packet, rewritten, goes on: out if it came from inside, in if it came from outside */
  THIRL_NATBOX_DISCARD, /* the packet is gone */
  THIRL_NATBOX_REPLY, /* the packet is gone; *p is now the box's own answer, which goes back to where the packet came from: inside or outside */
  THIRL_NATBOX_HAIRPIN /* the packet, rewritten, goes to the inside, where it came from */
} thirl_natbox_verdict;

/** What happened so far; numbers of packets. */
typedef struct thirl_natbox_counters {
  uint64_t passed_out, passed_in, hairpinned, replied;
  uint64_t unsolicited; /* nobody had asked for them; dropped, answered or held */
  uint64_t invalid;     /* did not fit the state of their connection, or could not begin one; dropped */
  uint64_t limited;     /* dropped for want of a session, a port or memory */
  uint64_t refused;     /* against the firewall's rules; dropped or answered */
} thirl_natbox_counters;

typedef struct thirl_natbox thirl_natbox;

/** NULL when there is no memory. The config is copied. */
thirl_natbox *thirl_natbox_new(const thirl_natbox_config *config, uint64_t seed);
/** NULL is allowed. */
void thirl_natbox_free(thirl_natbox *box);

/** A packet from the inside. now never goes back. */
thirl_natbox_verdict thirl_natbox_outbound(thirl_natbox *box, thirl_time now, thirl_natbox_packet *p);
/** A packet from the outside. */
thirl_natbox_verdict thirl_natbox_inbound(thirl_natbox *box, thirl_time now, thirl_natbox_packet *p);
/** Delayed answers: PASS = *p goes out, HAIRPIN = *p goes in, NOTHING = no more for now. */
thirl_natbox_verdict thirl_natbox_poll(thirl_natbox *box, thirl_time now, thirl_natbox_packet *p);
/** When to poll next. Expiry needs no timer: it is seen with the next packet. */
thirl_time thirl_natbox_deadline(const thirl_natbox *box);

/** Everything is forgotten. */
void thirl_natbox_reboot(thirl_natbox *box);
/** Everything is forgotten, and from now on the outer address is this one (port ignored). */
void thirl_natbox_renumber(thirl_natbox *box, thirl_addr external);
/** Change the rules, keep the flows. The outer address stays. */
void thirl_natbox_configure(thirl_natbox *box, const thirl_natbox_config *config);

const thirl_natbox_config *thirl_natbox_get_config(const thirl_natbox *box);
thirl_natbox_counters thirl_natbox_count(const thirl_natbox *box);
/** Live flows and live bindings, after forgetting what has expired. */
size_t thirl_natbox_count_sessions(thirl_natbox *box, thirl_time now);
size_t thirl_natbox_count_bindings(thirl_natbox *box, thirl_time now);
/** The outer endpoint that the flow between an inner endpoint and a remote has now; false when there is none. */
bool thirl_natbox_lookup(thirl_natbox *box, thirl_time now, thirl_natbox_protocol protocol, const thirl_addr *inside,
                         const thirl_addr *remote, thirl_addr *outside);

#endif
