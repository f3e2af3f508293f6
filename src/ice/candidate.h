/* SPDX-License-Identifier: MIT */
/* A candidate, its priority and its foundation. RFC 8445 section 5.1, RFC 6544 section 4. */
#ifndef THIRL_ICE_CANDIDATE_H
#define THIRL_ICE_CANDIDATE_H

#include "base/addr.h"

typedef enum thirl_ice_type { THIRL_ICE_HOST, THIRL_ICE_SRFLX, THIRL_ICE_PRFLX, THIRL_ICE_RELAY } thirl_ice_type;
typedef enum thirl_ice_transport {
  THIRL_ICE_UDP,
  THIRL_ICE_TCP_ACTIVE,
  THIRL_ICE_TCP_PASSIVE,
  THIRL_ICE_TCP_SO
} thirl_ice_transport;

typedef struct thirl_ice_candidate {
  thirl_ice_type type;
  thirl_ice_transport transport;
  uint8_t
      lane; /* which local port it belongs to (0 when the other agent knows no lanes); same lanes are paired first, see thirl_ice_config */
  thirl_addr addr;    /* what the peer sends to; for TCP_ACTIVE the port is 9 on the wire and ignored */
  thirl_addr base;    /* local candidates: what we send from; zeroed for remote ones */
  thirl_addr related; /* of srflx/prflx/relay, may be zeroed */
  uint32_t priority;
  uint32_t foundation; /* equal for same type, base IP, server and transport; written as decimal text in SDP */
} thirl_ice_candidate;

/**
 * RFC 8445 5.1.2.1 with RFC 6544 4.2's direction preferences, component 1. other_pref 0..8191 for TCP, 0..65535 for UDP; a larger
 * one counts as the largest.
 */
uint32_t thirl_ice_candidate_priority(thirl_ice_type type, thirl_ice_transport transport, unsigned other_pref);
/** The same base and server, but type prflx: what PRIORITY says in a check sent from this local candidate. RFC 8445 7.1.1. */
uint32_t thirl_ice_candidate_prflx_priority(const thirl_ice_candidate *c);
/** A number that is equal for the same type, base IP, transport and server (unset: none). Never 0. RFC 8445 5.1.1.3. */
uint32_t thirl_ice_candidate_foundation(const thirl_ice_candidate *c, const thirl_addr *server);
/** Do a local and a remote candidate of these transports make a pair? active-passive, so-so, UDP-UDP. RFC 6544 6.2. */
bool thirl_ice_candidate_matches(thirl_ice_transport local, thirl_ice_transport remote);
bool thirl_ice_candidate_is_tcp(thirl_ice_transport transport);
/**
 * Text of an SDP candidate attribute value ("1 1 TCP 2128609279 192.0.2.1 9 typ host tcptype active"), RFC 8839 5.1 and RFC 6544 4.5.
 * out holds at least THIRL_ICE_CANDIDATE_TEXT_MAX or it may be E_SPACE. E_INVALID without an address.
 */
thirl_error thirl_ice_candidate_format(const thirl_ice_candidate *c, char *out, size_t cap);
/**
 * The reverse; "candidate:" or "a=candidate:" in front is allowed, unknown extensions are skipped. A foundation that is not a decimal number
 * of 32 bits becomes a hash of its text. E_SYNTAX; E_UNSUPPORTED for host names, unknown transports, types and components other than 1.
 * *out is zeroed on failure.
 */
thirl_error thirl_ice_candidate_parse(const char *text, thirl_ice_candidate *out);

enum { THIRL_ICE_CANDIDATE_TEXT_MAX = 192 };

#endif
