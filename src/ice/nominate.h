/* SPDX-License-Identifier: MIT */
/*
 * Which pair is used. RFC 8445 8. Both agents must end on the same one whatever comes up in whatever order:
 *
 *   controlling   has at most one nomination that is not answered, and uses the first that is. It takes a nomination back only by
 *                 RST of the connection that it went over, so the peer loses that connection too.
 *   controlled    uses the best pair (by priority; with nominate_first over TCP the last one) that was nominated and that its own check has
 *                 proven; when that one dies, the next. It keeps the others for a while so as not to kill what the peer is about to nominate.
 */
#ifndef THIRL_ICE_NOMINATE_H
#define THIRL_ICE_NOMINATE_H

#include "ice/agent.h"

/** Shall the check that is about to begin on this flow carry USE-CANDIDATE? */
bool thirl_ice_nominate_rides(const thirl_ice *a, const thirl_ice_flow *f);
/** Take back, nominate, select, drop losers, notice the loss of the selected pair: whatever the state of the flows asks for now. */
void thirl_ice_nominate_evaluate(thirl_ice *a);
/** The selected flow or NULL. */
thirl_ice_flow *thirl_ice_nominate_selected(thirl_ice *a);
bool thirl_ice_nominate_has_selected(const thirl_ice *a);
/** After SELECTED: may other pairs still matter? */
bool thirl_ice_nominate_lingers(const thirl_ice *a);
/**
 * The peer nominates another pair than the selected one, long after: true when it no longer speaks on the selected one. That one's nomination
 * is void then, and others may matter again.
 */
bool thirl_ice_nominate_reopen(thirl_ice *a);
/**
 * The flow whose unanswered nomination the peer is about to hear, if whoever is there is the peer or nobody: 0 at an address that may be any machine's on
 * this side's own network, before the peer has shown there that it knows the credentials.
 */
thirl_ice_link thirl_ice_nominate_prospect(const thirl_ice *a);
thirl_time thirl_ice_nominate_deadline(const thirl_ice *a);

#endif
