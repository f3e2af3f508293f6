/* SPDX-License-Identifier: MIT */
/* What a report means for somebody who wants to be reached: with whom a direct connection comes about, and what would help. Pure functions. */
#ifndef THIRL_NATCHECK_VERDICT_H
#define THIRL_NATCHECK_VERDICT_H

#include "natcheck/terms.h"

enum { THIRL_NATCHECK_PEERS = 9 }; /* EIM, ADM, APDM times EIF, ADF, APDF, in this order */

/* X(name, word, sentence) */
#define THIRL_NATCHECK_ADVICES(X)                                                                                      \
  X(OPEN, "open", "you can be reached directly by everybody: no NAT and no filter in between")                         \
  X(NO_SERVER, "no-server",                                                                                            \
    "no server answered: check the name, the network, or whether a firewall lets nothing out but the web")             \
  X(NO_UDP, "no-udp", "UDP does not get through: ask for outgoing UDP to be allowed; until then only TCP connects")    \
  X(NO_TCP, "no-tcp", "the servers answer over UDP but not over TCP")                                                  \
  X(DOUBLE, "double-nat",                                                                                              \
    "there is a second NAT behind your router: port forwarding there does not help; set the inner router to bridge "   \
    "mode, or ask the provider for a public address")                                                                  \
  X(MAY_BE_DOUBLE, "may-be-double-nat", "there may be a second NAT behind your router: private addresses on the way")  \
  X(STRICT, "strict", "with a peer behind a symmetric NAT the connection may stay on the relay (not with: see above)") \
  X(SYMMETRIC, "symmetric",                                                                                            \
    "your NAT gives each destination another port: with peers whose NAT does so too, or checks ports, the connection " \
    "stays on the relay")                                                                                              \
  X(PREDICTABLE, "predictable",                                                                                        \
    "the next outer port can be predicted, which helps where the mapping depends on the destination")                  \
  X(MAP_PORT, "map-port",                                                                                              \
    "your router offers port mapping: a program that asks it for a port (PCP, NAT-PMP, UPnP) can be reached by "       \
    "everybody")                                                                                                       \
  X(TURN_ON_MAPPING, "turn-on-mapping",                                                                                \
    "your router offers no port mapping: switching on PCP, NAT-PMP or UPnP, or forwarding a port by hand, would let "  \
    "everybody reach you")                                                                                             \
  X(REFUSES, "refuses-syn",                                                                                            \
    "the NAT answers unexpected TCP connections with a refusal: both sides must begin within a round trip of each "    \
    "other")                                                                                                           \
  X(POOL, "address-pool",                                                                                              \
    "the NAT uses several outer addresses: a mapping seen by one server may not be the next one's")                    \
  X(SHORT_LIVED, "short-lived", "idle UDP mappings die quickly: send something more often than that")                  \
  X(REWRITTEN, "rewritten", "something on the way rewrites addresses inside of packets (an ALG): switch it off")       \
  X(ASK_MORE, "ask-more", "to learn more, name a server with two addresses (RFC 5780)")

#define THIRL_NATCHECK_ADVICE_ENUM(name, word, sentence) THIRL_NATCHECK_ADVICE_##name,
typedef enum thirl_natcheck_advice {
  THIRL_NATCHECK_ADVICES(THIRL_NATCHECK_ADVICE_ENUM) THIRL_NATCHECK_ADVICE_COUNT
} thirl_natcheck_advice;

typedef struct thirl_natcheck_verdict {
  thirl_natcheck_answer udp[THIRL_NATCHECK_PEERS],
      tcp[THIRL_NATCHECK_PEERS]; /* a direct connection by punching alone? */
  thirl_natcheck_answer is_double;
  thirl_natcheck_sign sign; /* of the second NAT */
  thirl_natcheck_advice advice[THIRL_NATCHECK_ADVICE_COUNT];
  unsigned n_advice;
} thirl_natcheck_verdict;

/**
 * Do two sides get a direct connection when both begin at once? Filters belong to a mapping; no prediction of ports. UNKNOWN when something that
 * matters is unknown.
 */
thirl_natcheck_answer thirl_natcheck_verdict_connects(thirl_natcheck_mapping am, thirl_natcheck_filtering af,
                                                      thirl_natcheck_mapping bm, thirl_natcheck_filtering bf);

thirl_natcheck_verdict thirl_natcheck_verdict_of(const thirl_natcheck_report *r);

/** For programs, stable; and for a person. */
const char *thirl_natcheck_verdict_word(thirl_natcheck_advice a);
const char *thirl_natcheck_verdict_sentence(thirl_natcheck_advice a);

#endif
