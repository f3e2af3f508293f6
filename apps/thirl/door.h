/* SPDX-License-Identifier: MIT */
/* A local port that waits for TCP connections: on one address, on both of localhost, or on all. */
#ifndef THIRL_APPS_DOOR_H
#define THIRL_APPS_DOOR_H

#include <uv.h>

#include "spec.h"

enum { DOOR_SOCKETS_MAX = 2 };

typedef struct door door;
/** A non-blocking connection, the callee's from now on. */
typedef void (*door_arrived)(door *d, int fd, void *owner);

/**
 * at->host: "localhost" for 127.0.0.1 and ::1, "*" for every address, or an address; port 0: any, at->port says which then.
 * E_SYNTAX (a name), E_IN_USE, E_PERMISSION, E_IO, E_NOMEM. *out NULL then.
 */
thirl_error door_open(uv_loop_t *loop, spec_end *at, door_arrived arrived, void *owner, door **out);
/** NULL is allowed. Nothing arrives any more. */
void door_close(door *d);

#endif
