/* SPDX-License-Identifier: MIT */
/* Batches of datagrams: what recvmmsg(2) brought and what sendmmsg(2) will take. One of these serves all UDP sockets of a carrier. */
#ifndef THIRL_IO_UDP_H
#define THIRL_IO_UDP_H

#include "base/addr.h"
#include "base/bytes.h"

enum { THIRL_IO_UDP_BATCH = 64, THIRL_IO_UDP_PAYLOAD_MAX = 4096 }; /* larger datagrams are dropped and counted */

typedef struct thirl_io_udp thirl_io_udp;

typedef struct thirl_io_udp_stats {
  uint64_t received, sent;    /* datagrams */
  uint64_t truncated, unsent; /* dropped: too large; no room in the socket or no way to the address */
  uint64_t receive_calls, send_calls;
} thirl_io_udp_stats;

thirl_error thirl_io_udp_new(thirl_io_udp **out);
void thirl_io_udp_free(thirl_io_udp *u);

/** How many datagrams one call brought, at most THIRL_IO_UDP_BATCH; 0 when there is none. They live until the next call. */
size_t thirl_io_udp_receive(thirl_io_udp *u, int fd);
/** Datagram i of the last batch. local has the address it was sent to, and no port. False when it was too large or has no source. */
bool thirl_io_udp_get(thirl_io_udp *u, size_t i, thirl_addr *local, thirl_addr *remote, thirl_bytes *payload);

/**
 * Queue a copy of a datagram; local's address (when set and not unspecified) becomes its source. Goes out at the next flush, earlier
 * when the batch is full or another socket's turn comes. What the kernel does not take at once is dropped and counted, as UDP may.
 */
void thirl_io_udp_send(thirl_io_udp *u, int fd, const thirl_addr *local, const thirl_addr *remote, thirl_bytes payload);
void thirl_io_udp_flush(thirl_io_udp *u);

const thirl_io_udp_stats *thirl_io_udp_get_stats(const thirl_io_udp *u);

#endif
