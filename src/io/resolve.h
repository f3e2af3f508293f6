/* SPDX-License-Identifier: MIT */
/* From what a person writes, "host", "host:port", "192.0.2.1:443", "[2001:db8::1]:443", to addresses, without blocking the loop. */
#ifndef THIRL_IO_RESOLVE_H
#define THIRL_IO_RESOLVE_H

#include <uv.h>

#include "base/addr.h"

enum { THIRL_IO_RESOLVE_MAX = 16, THIRL_IO_RESOLVE_HOST_MAX = 254 }; /* addresses of one answer; characters with NUL */

/**
 * Split text into a host and a port.
 *
 * host   THIRL_IO_RESOLVE_HOST_MAX characters; brackets are taken off
 * port   default_port when text has none
 *
 * THIRL_E_SYNTAX: empty, too long, a port that is not 1..65535, a bracket that does not close.
 */
thirl_error thirl_io_resolve_split(const char *text, uint16_t default_port, char *host, uint16_t *port);

/** Let the families take turns, beginning with that of the first, each in its own order: RFC 8305 section 4. A path without IPv6 costs one attempt then. */
void thirl_io_resolve_alternate(thirl_addr *addrs, size_t n);

typedef struct thirl_io_resolve thirl_io_resolve;

/**
 * e is THIRL_OK with n > 0 addresses in the order of preference (RFC 6724), the families by turns, without doubles; THIRL_E_NOT_FOUND: there is no such name;
 * THIRL_E_AGAIN: the resolver could not be asked just now; THIRL_E_NOMEM; THIRL_E_IO. The resolution is gone when this returns.
 */
typedef void (*thirl_io_resolve_done)(void *ctx, thirl_error e, const thirl_addr *addrs, size_t n);

/** Begin; done is called later from the loop, never from here. THIRL_E_SYNTAX (also: not ASCII), THIRL_E_NOMEM. */
thirl_error thirl_io_resolve_start(uv_loop_t *loop, const char *text, uint16_t default_port, thirl_io_resolve_done done,
                                   void *ctx, thirl_io_resolve **out);
/** done is not called any more. The memory goes when the loop has run, which need not wait for the resolver. */
void thirl_io_resolve_cancel(thirl_io_resolve *r);

#endif
