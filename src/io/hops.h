/* SPDX-License-Identifier: MIT */
/*
 * The first routers on the way to somebody, without root: UDP datagrams that live for one hop, two, three, ..., and the errors that come back, which
 * Linux hands to whoever asks (IP_RECVERR). Blocks: for a thread of its own.
 */
#ifndef THIRL_IO_HOPS_H
#define THIRL_IO_HOPS_H

#include "base/addr.h"
#include "base/bytes.h"
#include "base/time.h"

enum { THIRL_IO_HOPS_MAX = 8 };

/**
 * hops      how many, at most THIRL_IO_HOPS_MAX; at[i] is the router i + 1 hops away, unset when it said nothing
 * payload   what the datagrams carry: something that the destination may answer, should one arrive
 * *reached  hops to the destination itself, 0 when none of the datagrams went so far
 *
 * THIRL_OK also when nobody said anything; E_UNSUPPORTED: not IPv4; E_IO and others: no socket.
 */
thirl_error thirl_io_hops_trace(const thirl_addr *to, thirl_bytes payload, unsigned hops, thirl_time wait,
                                thirl_addr at[THIRL_IO_HOPS_MAX], unsigned *reached);

#endif
