/* SPDX-License-Identifier: MIT */
/*
 * One local TCP connection joined to one stream of a mux: bytes, the end of each direction, resets. Holds no bytes of its own: what the socket does
 * not take stays in the mux, what the mux has no room for stays in the socket.
 */
#ifndef THIRL_APPS_OUTLET_H
#define THIRL_APPS_OUTLET_H

#include <netdb.h>
#include <uv.h>

#include "mux/mux.h"
#include "spec.h"

typedef struct outlet {
  uv_loop_t *loop;
  thirl_mux *mux;
  uint32_t stream;
  int fd;
  uv_poll_t *poll; /* NULL: not connected, not connecting */
  uv_getaddrinfo_t lookup;
  bool looking_up, connecting, blocked; /* blocked: the socket has no room */
  bool read_over, write_over, closed;
  struct addrinfo *found, *trying;
  thirl_error last; /* why the last address failed */
  /* Called whenever something was done to the mux; when o->closed, o is gone with the return. */
  void (*touched)(struct outlet *o, void *owner);
  void *owner;
} outlet;

typedef void (*outlet_touched)(outlet *o, void *owner);

/** A connected, non-blocking socket, which it takes over also on failure. NULL: no memory; the stream is the caller's to reset. */
outlet *outlet_adopt(uv_loop_t *loop, thirl_mux *mux, uint32_t stream, int fd, outlet_touched touched, void *owner);
/** Looks the name up, connects, and then accepts the stream, or refuses it with the reason. NULL: no memory; the stream is the caller's to refuse. */
outlet *outlet_connect(uv_loop_t *loop, thirl_mux *mux, uint32_t stream, const spec_end *to, outlet_touched touched,
                       void *owner);
/** The mux said READABLE, or WRITABLE. */
void outlet_wake(outlet *o);
/** The stream is dead: the local end is told by a RST. */
void outlet_break(outlet *o);

#endif
