/* SPDX-License-Identifier: MIT */
/* The other side of thirl forward: peers come and go, each with a tunnel of its own, until a signal ends it. */
#ifndef THIRL_APPS_SERVE_H
#define THIRL_APPS_SERVE_H

#include "exit.h"
#include "tunnel.h"

enum { SERVE_PEERS_MAX = 16 }; /* at a time */

/** c listens already. Returns the exit code. */
int serve_run(thirl_context *c, const tunnel_rules *rules);

#endif
