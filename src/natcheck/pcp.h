/* SPDX-License-Identifier: MIT */
/*
 * Does the router speak PCP (RFC 6887)? The ANNOUNCE request of section 14.1 asks for nothing and changes nothing; 24 bytes.
 *
 *     0                   1                   2                   3
 *    | Version = 2   |R|   Opcode 0  |  Reserved     | Result Code   |
 *    |                 Lifetime (an answer's)                        |
 *    |                 client's address, 128 bits (an answer: epoch time and zeroes)
 *
 * A router that speaks only NAT-PMP (version 0) answers with its own version and "unsupported version": it is known then that it speaks that.
 */
#ifndef THIRL_NATCHECK_PCP_H
#define THIRL_NATCHECK_PCP_H

#include "base/net.h"
#include "natcheck/terms.h"

enum { THIRL_NATCHECK_PCP_PORT = 5351, THIRL_NATCHECK_PCP_LEN = 24 };

typedef struct thirl_natcheck_pcp {
  enum {
    THIRL_NATCHECK_PCP_IDLE,
    THIRL_NATCHECK_PCP_OPENING,
    THIRL_NATCHECK_PCP_WAITING,
    THIRL_NATCHECK_PCP_CLOSING,
    THIRL_NATCHECK_PCP_OVER
  } state;
  bool wants_bind;
  thirl_net_id id;
  thirl_addr router, local;
  unsigned sent;
  thirl_time next;
  thirl_natcheck_gateway *out;
  uint8_t request[THIRL_NATCHECK_PCP_LEN];
} thirl_natcheck_pcp;

/** local: an address of ours that the router can see, for the request; any when it is not known (the router may refuse it, which is an answer too). */
void thirl_natcheck_pcp_encode(const thirl_addr *local, uint8_t out[THIRL_NATCHECK_PCP_LEN]);
/** What a datagram from the router says: PCP YES, or NO and NAT-PMP YES; UNKNOWN when it is neither. */
void thirl_natcheck_pcp_decode(thirl_bytes in, thirl_natcheck_answer *pcp, thirl_natcheck_answer *natpmp);

/** router unset: over at once, with WHY_NOT_ASKED. */
void thirl_natcheck_pcp_start(thirl_natcheck_pcp *p, thirl_time now, const thirl_addr *router, const thirl_addr *local,
                              thirl_net_id id, thirl_natcheck_gateway *out);
void thirl_natcheck_pcp_stop(thirl_natcheck_pcp *p);
bool thirl_natcheck_pcp_input(thirl_natcheck_pcp *p, const thirl_net_event *ev);
bool thirl_natcheck_pcp_poll(thirl_natcheck_pcp *p, thirl_time now, thirl_net_action *out);
thirl_time thirl_natcheck_pcp_deadline(const thirl_natcheck_pcp *p);
bool thirl_natcheck_pcp_is_over(const thirl_natcheck_pcp *p);

#endif
