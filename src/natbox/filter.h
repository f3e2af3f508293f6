/* SPDX-License-Identifier: MIT */
/* Who may come in: the filtering behaviour of RFC 4787 section 5. */
#ifndef THIRL_NATBOX_FILTER_H
#define THIRL_NATBOX_FILTER_H

#include "natbox/session.h"

/**
 * May the remote open a new flow to this binding?
 *
 * What opens a filter is a live session over which something went out, and it opens this binding only: scope by mapping, as real symmetric
 * NATs do. Scope by inner endpoint gives the same answers to STUN but lets port-restricted and symmetric NATs punch.
 */
bool thirl_natbox_filter_admits(const thirl_natbox_binding *b, thirl_natbox_filtering filtering,
                                const thirl_addr *remote);

#endif
