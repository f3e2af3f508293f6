/* SPDX-License-Identifier: MIT */
/* What shall run on the machine: "clients=1000000,pps=40000,stall-ms=50", or what the profile stands for. */
#ifndef THIRL_TUNE_DEMAND_H
#define THIRL_TUNE_DEMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "thirl/error.h"
#include "tune/terms.h"

typedef struct thirl_tune_demand {
  int64_t clients;                 /* peers registered, over UDP unless tcp says otherwise */
  int64_t tcp;                     /* of them over TCP: each a descriptor, and kernel memory */
  int64_t relays;                  /* relayed sessions with a UDP port of their own */
  int64_t pps;                     /* datagrams a second that come in */
  int64_t stall_ms;                /* for so long the program may stand still and lose nothing */
  int64_t relay_first, relay_last; /* the UDP ports of relays; 0: the server has none of its own */
  bool is_given;                   /* by the user: then limits are computed for exactly this */
} thirl_tune_demand;

/** What a profile stands for: a server has a million clients over UDP and 40000 datagrams a second. */
thirl_tune_demand thirl_tune_demand_of(thirl_tune_profile p);
/**
 * Settings on top of d: words KEY=NUMBER with commas between; relay-ports=FIRST-LAST. A number is plain or 1e6, 40k, 1M. E_SYNTAX with the wrong word in *at
 * (n bytes) and d unchanged; E_RANGE likewise.
 */
thirl_error thirl_tune_demand_parse(thirl_tune_demand *d, const char *text, const char **at, unsigned *n);
/** Descriptors that the server needs: connections, relays and some 64 for itself; without numbers what the profile wants. */
int64_t thirl_tune_demand_files(const thirl_tune_demand *d);

#endif
