/* SPDX-License-Identifier: MIT */
/*
 * One file descriptor under the loop: a listener, a connection or a UDP socket, by its id. Knows libuv and the life of a descriptor;
 * knows no machine and never calls upward, except for the readiness callback that libuv makes.
 */
#ifndef THIRL_IO_PORT_H
#define THIRL_IO_PORT_H

#include <uv.h>

#include "base/bytes.h"
#include "base/list.h"
#include "base/map.h"
#include "base/net.h"

typedef enum thirl_io_port_state {
  THIRL_IO_PORT_LISTENER,
  THIRL_IO_PORT_CONNECTING, /* the SYN is out */
  THIRL_IO_PORT_OPEN,
  THIRL_IO_PORT_LINGERING, /* the machine has closed it: send the rest, then FIN, then wait for the other side's end */
  THIRL_IO_PORT_UDP,
  THIRL_IO_PORT_DEAD /* only its memory is left, until libuv lets go of the handle */
} thirl_io_port_state;

typedef struct thirl_io_port_table thirl_io_port_table;

typedef struct thirl_io_port {
  uv_poll_t poll;
  thirl_io_port_table *table;
  thirl_link all, todo; /* todo: the carrier's list of connections to pull for, or of those that linger */
  thirl_net_id id;
  thirl_io_port_state state;
  int fd, mask;
  bool paused;       /* a listener that has run out of descriptors */
  bool eof;          /* the other side's end was read */
  bool want;         /* the machine has bytes: pull */
  bool blocked;      /* the socket takes no more: wait until it is writable */
  bool fin_sent;     /* of a lingering one */
  thirl_error error; /* sending failed: deliver what can still be read, then this */
  thirl_time since;  /* when lingering began */
  thirl_addr remote;
  thirl_buffer out; /* pulled, and not taken by the socket */
} thirl_io_port;

struct thirl_io_port_table {
  uv_loop_t *loop;
  uv_poll_cb ready;
  void (*closed)(void *ctx); /* a handle is gone and its memory freed */
  void *ctx;
  thirl_map by_id;
  thirl_list all;
  size_t n; /* that have a descriptor */
};

void thirl_io_port_table_init(thirl_io_port_table *t, uv_loop_t *loop, uv_poll_cb ready, void (*closed)(void *ctx),
                              void *ctx, uint64_t seed);
void thirl_io_port_table_fini(thirl_io_port_table *t);

/** Takes fd over, also on failure (then it is closed). Not watched yet. out_max bounds what waits for the socket. */
thirl_error thirl_io_port_add(thirl_io_port_table *t, int fd, thirl_net_id id, thirl_io_port_state state,
                              size_t out_max, thirl_io_port **out);
thirl_io_port *thirl_io_port_find(const thirl_io_port_table *t, thirl_net_id id);
/** From now on this id names nothing. The descriptor stays. */
void thirl_io_port_forget(thirl_io_port *p);
/** Watch for what the state and the flags ask for. */
void thirl_io_port_watch(thirl_io_port *p);
/** Forget it and close its descriptor, with a RST when abort is set. Its memory goes when libuv lets go of it. */
void thirl_io_port_close(thirl_io_port *p, bool abort);

/**
 * Send from the leftover. *done when nothing is left; otherwise the port is blocked.
 * Any error but THIRL_OK: the connection is broken, and what can still be read should be.
 */
thirl_error thirl_io_port_send_rest(thirl_io_port *p, bool *done);
/** Send in; what the socket does not take becomes the leftover, which must be empty before. */
thirl_error thirl_io_port_send(thirl_io_port *p, thirl_bytes in);

#endif
