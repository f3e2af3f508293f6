/* SPDX-License-Identifier: MIT */
/*
 * What one peer tells the other so that both can punch: fresh check credentials and candidates. Carried whole in THIRL-OFFER; the
 * server reads it only to refuse addresses that are not the sender's own.
 *
 *    +--------+------------+--------+-----------------+--------+-----------------+--------+
 *    | ver 1  | round (32) | len u  | ufrag ...       | len p  | pwd ...         | count  |
 *    +--------+------------+--------+-----------------+--------+-----------------+--------+
 *    then per candidate:
 *    +--------+--------+--------+--------+-----------+------------+-------------+--------------+
 *    | type   | transp | lane   | family | port (16) | ip (4/16)  | priority 32 | foundation 32|
 *    +--------+--------+--------+--------+-----------+------------+-------------+--------------+
 *
 * and, from a dialer who opens a relay channel at once:
 *    +-----------------+---------------------------------
 *    |   length (16)   |  what the channel would carry first: bytes of a ClientHello
 *    +-----------------+---------------------------------
 *
 * round counts the dialer's offers of one session, from 1, so that an old one which is played again is known as such (the ticket's MAC covers it); it is 0 in
 * what a listener leaves at the server. family is 4 or 6. Whether an address is one that may be probed is not judged here.
 */
#ifndef THIRL_MEET_OFFER_H
#define THIRL_MEET_OFFER_H

#include "base/addr.h"
#include "base/bytes.h"

enum {
  THIRL_MEET_UFRAG_MAX = 32, /* characters; RFC 8839 allows 256, we write 8 */
  THIRL_MEET_PWD_MAX = 64,   /* we write 24 */
  THIRL_MEET_CANDIDATES_MAX = 16,
  THIRL_MEET_EARLY_MAX = 376,
  THIRL_MEET_OFFER_MAX = 964 /* encoded bytes */
};

/* The order is RFC 8445's type preference; the numbers are on the wire. */
typedef enum thirl_meet_candidate_type {
  THIRL_MEET_HOST = 0,
  THIRL_MEET_SRFLX = 1,
  THIRL_MEET_PRFLX = 2,
  THIRL_MEET_RELAY = 3
} thirl_meet_candidate_type;
typedef enum thirl_meet_transport {
  THIRL_MEET_UDP = 0,
  THIRL_MEET_TCP_ACTIVE = 1,
  THIRL_MEET_TCP_PASSIVE = 2,
  THIRL_MEET_TCP_SO = 3
} thirl_meet_transport;

typedef struct thirl_meet_candidate {
  thirl_meet_candidate_type type;
  thirl_meet_transport transport;
  uint8_t lane; /* which of the sender's local ports it belongs to: ports of the same lane are paired */
  thirl_addr addr;
  uint32_t priority, foundation;
} thirl_meet_candidate;

typedef struct thirl_meet_offer {
  uint32_t round;
  char ufrag[THIRL_MEET_UFRAG_MAX + 1], pwd[THIRL_MEET_PWD_MAX + 1];
  size_t n;
  thirl_meet_candidate candidates[THIRL_MEET_CANDIDATES_MAX];
  size_t early_n; /* 0: none */
  uint8_t early[THIRL_MEET_EARLY_MAX];
} thirl_meet_offer;

/** E_SPACE, E_RANGE (too many candidates or early bytes, empty or overlong credentials or such with characters outside the ICE alphabet, no address). */
thirl_error thirl_meet_offer_encode(const thirl_meet_offer *o, uint8_t *out, size_t cap, size_t *n);
/** E_MALFORMED: unknown version, type or transport, wrong lengths, bytes left over, characters outside the ICE alphabet, more than the maximum. */
thirl_error thirl_meet_offer_decode(thirl_bytes in, thirl_meet_offer *out);

#endif
