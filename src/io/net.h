/* SPDX-License-Identifier: MIT */
/*
 * The carrier: turns the actions of one machine (base/net.h) into sockets on a libuv loop, and what happens there into its events.
 *
 * Everything happens on the loop's thread. The machine is never entered while it runs: outcomes that are known inside an action (a
 * connect that fails at once, a listener that is bound) are handed over after the actions are drained. After each event the machine
 * is drained, so a machine that answers FAILED with a new CONNECT from the same port has its SYN out in the same turn, and
 * the dead socket is closed only after that.
 *
 * What a connection's bytes cost in memory: at most pull_bytes here and notsent_lowat in the kernel wait to be sent; everything else
 * still belongs to the machine and may go another way.
 */
#ifndef THIRL_IO_NET_H
#define THIRL_IO_NET_H

#include <uv.h>

#include "base/net.h"
#include "io/terms.h"

/**
 * A carrier for this machine on this loop. The machine is not called before the first kick or the first turn of the loop.
 *
 * machine   copied; machine->self must outlive the carrier
 * config    NULL for the defaults
 *
 * THIRL_E_NOMEM, THIRL_E_INVALID (a pull_bytes out of range).
 */
thirl_error thirl_io_net_new(uv_loop_t *loop, const thirl_net_machine *machine, const thirl_io_net_config *config,
                             thirl_io_net **out);

/** The application has touched the machine: carry out what it wants now. From inside after() it is done when that returns. */
void thirl_io_net_kick(thirl_io_net *n);

/**
 * Close every socket and leave the loop; the machine is not called again. What lingers gets one last try to send.
 * When libuv has let go of everything, n is freed and done(ctx) is called (done may be NULL). Allowed at any moment but from inside
 * the machine; a second call does nothing.
 */
void thirl_io_net_close(thirl_io_net *n, void (*done)(void *ctx), void *ctx);

/** Connections that the machine has closed and that are not through yet. A program that ends waits for 0, for a while. */
size_t thirl_io_net_lingering(const thirl_io_net *n);

/** Bytes of open connections that were pulled and that no socket has taken yet. */
size_t thirl_io_net_unsent(const thirl_io_net *n);

void thirl_io_net_get_stats(const thirl_io_net *n, thirl_io_net_stats *out);

#endif
