/* SPDX-License-Identifier: MIT */
/*
 * What NAT am I behind? A machine of base/net.h that asks STUN servers (RFC 8489, 5780) over UDP and TCP and leaves a report.
 *
 * It never asks a router for a mapping and draws no conclusion that its observations do not force: what a server cannot or will not show is unknown, with
 * the reason.
 */
#ifndef THIRL_NATCHECK_NATCHECK_H
#define THIRL_NATCHECK_NATCHECK_H

#include "base/net.h"
#include "base/rand.h"
#include "natcheck/terms.h"

typedef struct thirl_natcheck thirl_natcheck;

/** Zeroed and filled by the caller. */
typedef struct thirl_natcheck_config {
  thirl_addr servers[THIRL_NATCHECK_SERVERS_MAX]; /* one family */
  unsigned n_servers;
  /*
   * The address that packets to the servers leave from; unset: any. Without it a host with several addresses may use another one for each
   * destination, which looks like a NAT whose mapping depends on it.
   */
  thirl_addr local;
  bool udp, tcp;       /* at least one */
  bool hairpin;        /* look for hairpinning as well */
  thirl_time lifetime; /* measure how long an idle UDP mapping lives, up to this; 0: do not */
  uint16_t port;       /* local port of the socket whose mapping is looked at; 0: any */
  thirl_addr gateway;  /* whom to ask whether it speaks PCP; unset: nobody. The port does not matter */
  thirl_secrets secrets;
} thirl_natcheck_config;

/** E_INVALID: no server, too many, two families, an address without port, local of another family, neither UDP nor TCP; E_NOMEM. */
thirl_error thirl_natcheck_new(const thirl_natcheck_config *config, thirl_natcheck **out);
/** NULL is allowed. */
void thirl_natcheck_free(thirl_natcheck *n);
/** To be given to a carrier. It begins with the first poll. */
thirl_net_machine thirl_natcheck_machine(thirl_natcheck *n);

/** All is said; what was opened is given back with the next polls. */
bool thirl_natcheck_is_over(const thirl_natcheck *n);
/** End it now: what is not known yet stays unknown. */
void thirl_natcheck_stop(thirl_natcheck *n);
/** At any time; complete when it is over. The caller may add what it has learned elsewhere: gateway, hops. */
thirl_natcheck_report *thirl_natcheck_get_report(thirl_natcheck *n);

/** What it is doing, for a person who waits. */
typedef struct thirl_natcheck_progress {
  const char *doing;         /* a phrase, never NULL */
  thirl_time spent, at_most; /* of a test that takes long; at_most 0: it does not */
} thirl_natcheck_progress;

thirl_natcheck_progress thirl_natcheck_get_progress(const thirl_natcheck *n, thirl_time now);

#endif
