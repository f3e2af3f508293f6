/* SPDX-License-Identifier: MIT */
/*
 * Why two peers have no direct connection: what each of them has seen when punching, and what each knows of its own NAT, make one sentence. Only
 * facts: where something is not known, the reason says less. A pure function.
 */
#ifndef THIRL_SESSION_REASON_H
#define THIRL_SESSION_REASON_H

#include <stdbool.h>

#include "thirl/error.h"

/** Does the outer port of a TCP port of ours depend on whom we talk to? RFC 5382 section 4.1. The numbers are on the wire. */
typedef enum thirl_session_mapping {
  THIRL_SESSION_MAPPING_UNKNOWN = 0,
  THIRL_SESSION_MAPPING_INDEPENDENT = 1, /* the same for every destination */
  THIRL_SESSION_MAPPING_DEPENDENT = 2    /* another one for another address, or another address and port */
} thirl_session_mapping;

/** What one side can say. */
typedef struct thirl_session_findings {
  thirl_session_mapping mapping;
  thirl_error saw; /* how its last punching ended; THIRL_OK: it goes on, or has led to a direct path */
} thirl_session_findings;

/**
 * THIRL_OK while we still punch. What says more than silence or a refusal (a stranger, no address, a lost connection) stays what it is. Otherwise
 * E_NAT_BOTH, E_NAT_OURS or E_NAT_THEIRS where a NAT maps by destination; E_FIREWALL where both NATs are known not to, and a refusal came
 * back to one of the two; E_REFUSED likewise when the NATs are not known; else what we saw.
 */
thirl_error thirl_session_reason_of(const thirl_session_findings *ours, const thirl_session_findings *theirs);
bool thirl_session_reason_same(const thirl_session_findings *a, const thirl_session_findings *b);

#endif
