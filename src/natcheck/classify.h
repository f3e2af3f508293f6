/* SPDX-License-Identifier: MIT */
/* From observations to a class, or to "unknown": pure functions. Never a class that the observations do not force. RFC 5780 sections 4.3, 4.4. */
#ifndef THIRL_NATCHECK_CLASSIFY_H
#define THIRL_NATCHECK_CLASSIFY_H

#include "natcheck/terms.h"

/** One inner endpoint was seen as mapped by the server at to. */
typedef struct thirl_natcheck_seen {
  thirl_addr to, mapped;
} thirl_natcheck_seen;

/**
 * The mapping behaviour, from what several server endpoints saw of one inner endpoint.
 *
 * EIM      another IP address saw the same, and nobody anything else
 * ADM      another IP address saw something else, and two ports of one IP address the same
 * APDM     two ports of one IP address saw different mappings
 * NONE     everybody saw the inner endpoint itself
 * UNKNOWN  *why: WHY_NO_ANSWER (nothing seen), WHY_NO_ALTERNATE (too few different endpoints)
 */
thirl_natcheck_mapping thirl_natcheck_classify_mapping(const thirl_addr *local, const thirl_natcheck_seen *seen,
                                                       unsigned n, thirl_natcheck_why *why);

/** What came in at a fresh endpoint that had sent to one address and port only, and what is known about the server. */
typedef struct thirl_natcheck_knocks {
  bool from_other_ip;   /* something came from another IP address */
  bool from_other_port; /* from another port of the same IP address */
  bool ignored_ip;      /* asked to use its other IP address, the server answered from the one that was asked */
  bool ignored_port;    /* likewise with its other port */
  bool ip_proven;       /* it does send from its other IP address: silence would be the filter's */
  bool port_proven;     /* likewise from its other port */
  bool lossy;           /* silence may be loss */
} thirl_natcheck_knocks;

/** The filtering behaviour; *seems what it would be if the server were believed without proof. */
thirl_natcheck_filtering thirl_natcheck_classify_filtering(const thirl_natcheck_knocks *k,
                                                           thirl_natcheck_filtering *seems, thirl_natcheck_why *why);

/**
 * Is it out of the question (less than one in ten thousand) that loss alone has silenced all of so many tries, when of so many comparable
 * requests so many were answered?
 */
bool thirl_natcheck_classify_is_silence(unsigned tries, unsigned asked, unsigned answered);

/** May we send to the address that this server names as its second? Another IP, another port, and no address that a stranger could misuse us against. */
bool thirl_natcheck_classify_may_ask(const thirl_addr *server, const thirl_addr *other);

/** May we send to the outer address that this server claims to see us at? */
bool thirl_natcheck_classify_may_meet(const thirl_addr *server, const thirl_addr *mapped);

/** An address that is no public one: private, shared (100.64/10), link-local, loopback; unique local and link-local of IPv6. */
bool thirl_natcheck_classify_is_inner(const thirl_addr *a);

/**
 * Is there a second NAT? YES with a sign; NO when the router's own outer address is what servers see, or when there is no NAT at all; else
 * UNKNOWN, with a sign when it is likely.
 */
thirl_natcheck_answer thirl_natcheck_classify_double(const thirl_natcheck_report *r, thirl_natcheck_sign *sign);

#endif
