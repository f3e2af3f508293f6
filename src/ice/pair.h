/* SPDX-License-Identifier: MIT */
/* The check list: which local candidate is tried with which remote one, in which order. RFC 8445 6.1.2, RFC 6544 6.2. */
#ifndef THIRL_ICE_PAIR_H
#define THIRL_ICE_PAIR_H

#include "ice/agent.h"

/** Pair a new local candidate with every remote one, or a new remote one with every local one. */
void thirl_ice_pair_form_local(thirl_ice *a, unsigned local);
void thirl_ice_pair_form_remote(thirl_ice *a, unsigned remote);
/**
 * A pair because the peer came: index, or NO_PAIR when the list is full of better ones in use. It does not connect by itself.
 */
uint8_t thirl_ice_pair_add(thirl_ice *a, unsigned local, unsigned remote);
/** By what the network sees: same base, same remote address, both TCP or both UDP. NO_PAIR. */
uint8_t thirl_ice_pair_find(const thirl_ice *a, bool tcp, const thirl_addr *base, const thirl_addr *remote);
/** The one place where the state of a pair changes. Success unfreezes its foundation. */
void thirl_ice_pair_set(thirl_ice *a, uint8_t pair, thirl_ice_pair_state state);
/** The pair to check next: the best that waits, else the best that is frozen and whose foundation is not being checked. NO_PAIR. */
uint8_t thirl_ice_pair_next(const thirl_ice *a);
/** After a change of role, or of a candidate. */
void thirl_ice_pair_reprioritize(thirl_ice *a);
bool thirl_ice_pair_is_tcp(const thirl_ice *a, uint8_t pair);
/** Is a flow of this pair alive? */
bool thirl_ice_pair_has_flow(const thirl_ice *a, uint8_t pair);
/** The local candidate whose base this is (or the one that listens on its port on every address); -1 when none. */
int thirl_ice_pair_local_of(const thirl_ice *a, bool tcp, const thirl_addr *local);

#endif
