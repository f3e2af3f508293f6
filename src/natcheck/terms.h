/* SPDX-License-Identifier: MIT */
/*
 * What there is to say about a NAT: the words of RFC 4787, 5382 and 5780, why something is not known, and the whole report as a plain value.
 * No code.
 */
#ifndef THIRL_NATCHECK_TERMS_H
#define THIRL_NATCHECK_TERMS_H

#include "base/addr.h"
#include "base/time.h"

enum {
  THIRL_NATCHECK_SERVERS_MAX = 8,
  THIRL_NATCHECK_OUTER_MAX = 8,    /* outer IP addresses that are remembered */
  THIRL_NATCHECK_SAMPLES_MAX = 16, /* fresh mappings that the model of allocation is made from */
  THIRL_NATCHECK_ENDPOINTS_MAX = 4 * THIRL_NATCHECK_SERVERS_MAX,
  THIRL_NATCHECK_HOPS_MAX = 8
};

/* X(name, word, sentence). The word goes into JSON and never changes. RFC 4787 section 4.1. */
#define THIRL_NATCHECK_MAPPINGS(X)                                                                                     \
  X(MAPPING_UNKNOWN, "unknown", "unknown")                                                                             \
  X(NO_MAPPING, "none", "no translation")                                                                              \
  X(EIM, "endpoint-independent", "endpoint independent (EIM)")                                                         \
  X(ADM, "address-dependent", "address dependent (ADM)")                                                               \
  X(APDM, "address-and-port-dependent", "address and port dependent (APDM)")

/* RFC 4787 section 5. */
#define THIRL_NATCHECK_FILTERINGS(X)                                                                                   \
  X(FILTERING_UNKNOWN, "unknown", "unknown")                                                                           \
  X(EIF, "endpoint-independent", "endpoint independent (EIF)")                                                         \
  X(ADF, "address-dependent", "address dependent (ADF)")                                                               \
  X(APDF, "address-and-port-dependent", "address and port dependent (APDF)")

#define THIRL_NATCHECK_ALLOCATIONS(X)                                                                                  \
  X(ALLOCATION_UNKNOWN, "unknown", "unknown")                                                                          \
  X(NO_ALLOCATION, "none", "no translation")                                                                           \
  X(PRESERVING, "preserving", "the inner port is kept")                                                                \
  X(SEQUENTIAL, "sequential", "one after the other")                                                                   \
  X(RANDOM, "random", "random")                                                                                        \
  X(BLOCK, "block", "random within a block")

/* Why something is not known, or WHY_KNOWN. */
#define THIRL_NATCHECK_WHYS(X)                                                                                         \
  X(WHY_KNOWN, "known", "")                                                                                            \
  X(WHY_NOT_ASKED, "not-asked", "not asked for")                                                                       \
  X(WHY_NO_ANSWER, "no-answer", "no server answered")                                                                  \
  X(WHY_REFUSED, "refused", "the server refused")                                                                      \
  X(WHY_NO_ALTERNATE, "no-alternate-address",                                                                          \
    "the server has no second address; take one that has (RFC 5780), or name several servers")                         \
  X(WHY_ALTERNATE_SILENT, "alternate-silent", "the second address that the server names does not answer")              \
  X(WHY_UNPROVEN, "unproven",                                                                                          \
    "nothing came from the server's second address, but neither could it show that it sends from there")               \
  X(WHY_IGNORED, "request-ignored", "the server answered from the address that it was asked not to use")               \
  X(WHY_NOT_OFFERED, "not-offered", "the server cannot do this test")                                                  \
  X(WHY_LOSS, "loss", "too many packets were lost to tell")                                                            \
  X(WHY_CONTRADICTION, "contradiction", "the answers contradict each other")                                           \
  X(WHY_FILTERED, "filtered", "what this NAT filters hides it")                                                        \
  X(WHY_FEW, "too-few-samples", "too few samples")                                                                     \
  X(WHY_LOCAL, "local-error", "this machine could not do the test")                                                    \
  X(WHY_NOT_BUILT, "not-built", "this thirl was built without it")                                                     \
  X(WHY_STOPPED, "stopped", "stopped before it was done")

#define THIRL_NATCHECK_ANSWERS(X)                                                                                      \
  X(UNKNOWN, "unknown", "unknown")                                                                                     \
  X(NO, "no", "no")                                                                                                    \
  X(YES, "yes", "yes")

/* How a NAT answers a SYN that nobody asked for. RFC 5382 REQ-4 wants silence. */
#define THIRL_NATCHECK_UNSOLICITEDS(X)                                                                                 \
  X(UNSOLICITED_UNKNOWN, "unknown", "unknown")                                                                         \
  X(UNSOLICITED_DROPPED, "dropped", "dropped silently")                                                                \
  X(UNSOLICITED_REFUSED, "refused", "refused (RST or ICMP)")

/* By which sign there is, or may be, more than one NAT on the way. */
#define THIRL_NATCHECK_SIGNS(X)                                                                                        \
  X(NO_SIGN, "none", "")                                                                                               \
  X(GATEWAY_DIFFERS, "router-address-differs", "the router's outer address is not the one that servers see")           \
  X(GATEWAY_INNER, "router-address-inner", "the router's outer address is a private or shared one")                    \
  X(HOP_SHARED, "shared-hop", "a router on the way has a shared address (100.64.0.0/10)")                              \
  X(HOPS_INNER, "inner-hops", "routers on the way have private addresses of different networks")

#define THIRL_NATCHECK_ENUM(name, word, sentence) THIRL_NATCHECK_##name,
typedef enum thirl_natcheck_mapping { THIRL_NATCHECK_MAPPINGS(THIRL_NATCHECK_ENUM) } thirl_natcheck_mapping;
typedef enum thirl_natcheck_filtering { THIRL_NATCHECK_FILTERINGS(THIRL_NATCHECK_ENUM) } thirl_natcheck_filtering;
typedef enum thirl_natcheck_model { THIRL_NATCHECK_ALLOCATIONS(THIRL_NATCHECK_ENUM) } thirl_natcheck_model;
typedef enum thirl_natcheck_why { THIRL_NATCHECK_WHYS(THIRL_NATCHECK_ENUM) } thirl_natcheck_why;
typedef enum thirl_natcheck_answer { THIRL_NATCHECK_ANSWERS(THIRL_NATCHECK_ENUM) } thirl_natcheck_answer;
typedef enum thirl_natcheck_unsolicited { THIRL_NATCHECK_UNSOLICITEDS(THIRL_NATCHECK_ENUM) } thirl_natcheck_unsolicited;

typedef enum thirl_natcheck_sign { THIRL_NATCHECK_SIGNS(THIRL_NATCHECK_ENUM) } thirl_natcheck_sign;

/** A fresh mapping: an inner and an outer endpoint, in the order in which they were made. */
typedef struct thirl_natcheck_sample {
  thirl_addr local, mapped;
} thirl_natcheck_sample;

/** Which outer ports new mappings get. */
typedef struct thirl_natcheck_allocation {
  thirl_natcheck_model model;
  int step;          /* SEQUENTIAL: from one mapping to the next, may be negative */
  uint16_t lo, hi;   /* of all samples */
  uint16_t from, to; /* RANDOM, BLOCK: the bounds that the samples suggest */
  double confidence; /* 0..1: the share of samples that fit; RANDOM and BLOCK: the chance that they are no accident */
  unsigned samples;
  thirl_natcheck_why why;
} thirl_natcheck_allocation;

/** What was found for one transport protocol. */
typedef struct thirl_natcheck_protocol {
  thirl_natcheck_answer reachable; /* a server answered */
  thirl_natcheck_why why;          /* when not */
  thirl_addr local, mapped;        /* of the first socket */
  thirl_time rtt;                  /* to the first server that answered; 0: not known */
  unsigned asked, answered;        /* Binding requests whose answer was expected, and answers to them: the loss */

  thirl_natcheck_mapping mapping;
  thirl_natcheck_why mapping_why;
  thirl_natcheck_filtering filtering;
  thirl_natcheck_filtering filtering_seems; /* what it looks like, when filtering is unknown only for want of proof */
  thirl_natcheck_why filtering_why;
  thirl_natcheck_unsolicited unsolicited; /* TCP */
  thirl_natcheck_allocation allocation;
  thirl_natcheck_answer preserves; /* the outer port is the inner one */
  thirl_natcheck_answer hairpin;
  thirl_natcheck_why hairpin_why;
  bool hairpin_shows_inner; /* the packet came with its inner source, against RFC 4787 REQ-9 */

  uint32_t lifetime_s,
      lifetime_max_s; /* UDP: an idle mapping lived at least so long, and not (0: unknown how much) longer */
  thirl_natcheck_why lifetime_why;

  thirl_addr outer[THIRL_NATCHECK_OUTER_MAX]; /* outer IP addresses that were seen; ports are 0 */
  unsigned n_outer;
  bool
      rewritten; /* something on the way rewrites addresses inside of packets (ALG): MAPPED-ADDRESS is not XOR-MAPPED-ADDRESS */
  bool misdirected; /* an answer came from where nobody was asked */
} thirl_natcheck_protocol;

/** A server that was asked. */
typedef struct thirl_natcheck_server {
  thirl_addr addr, other; /* other: what it names as its second address; unset: none */
  uint16_t other_port;    /* of a thirld with one address: its second port there; 0: none */
  bool udp, tcp;          /* it answered */
  bool other_is_unusable; /* it names one that is none: the same IP or port, another family, not unicast */
} thirl_natcheck_server;

/** What the router at the default gateway says of itself, without being asked for a mapping. */
typedef struct thirl_natcheck_gateway {
  thirl_addr router; /* unset: there is none or it is not known */
  thirl_natcheck_answer pcp, natpmp, upnp;
  thirl_natcheck_why pcp_why, natpmp_why, upnp_why;
  thirl_addr natpmp_outer, upnp_outer; /* the outer addresses that it claims; port 0 */
} thirl_natcheck_gateway;

/** The first routers on the way to a server. */
typedef struct thirl_natcheck_hops {
  thirl_natcheck_why why;
  thirl_addr at[THIRL_NATCHECK_HOPS_MAX]; /* unset: that hop did not answer */
  unsigned n;
} thirl_natcheck_hops;

typedef struct thirl_natcheck_report {
  thirl_natcheck_protocol udp, tcp;
  thirl_natcheck_server servers[THIRL_NATCHECK_SERVERS_MAX];
  unsigned n_servers;
  thirl_natcheck_gateway gateway;
  thirl_natcheck_hops hops;
} thirl_natcheck_report;

#endif
