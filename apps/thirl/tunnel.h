/* SPDX-License-Identifier: MIT */
/*
 * Many TCP connections over one session: a mux on the session's stream, and what its streams mean. The label of a stream says it, in words:
 *
 *   tcp HOST:PORT      connect to HOST:PORT and join it to this stream             (what -L sends)
 *   bind [HOST]:PORT   listen there; the stream stays open as long as that lasts, and says "bound PORT\n"   (what -R sends)
 *   from N             a connection has arrived where stream N asked to listen
 *
 * Whoever is asked decides by its own rules, and allows nothing that they do not name.
 */
#ifndef THIRL_APPS_TUNNEL_H
#define THIRL_APPS_TUNNEL_H

#include <uv.h>

#include "spec.h"
#include "thirl/thirl.h"

enum { TUNNEL_RULES_MAX = 16, TUNNEL_WAYS_MAX = 16, TUNNEL_BINDS_MAX = 16 };

/** What the peer may do here: connect to, and listen at. */
typedef struct tunnel_rules {
  spec_end connect[TUNNEL_RULES_MAX], bind[TUNNEL_RULES_MAX];
  unsigned n_connect, n_bind;
} tunnel_rules;

typedef struct tunnel tunnel;

/** dialed: are we the side that reached out? rules must outlive it. NULL: no memory. */
tunnel *tunnel_new(uv_loop_t *loop, thirl_context *context, thirl_session_handle session, bool dialed,
                   const tunnel_rules *rules);
/** Ends everything local at once. The session is the caller's. NULL is allowed. */
void tunnel_free(tunnel *t);
/** -L: connections that arrive here go to f->there as the peer sees it. f->here.port says which port it became. Errors of door_open, E_LIMIT. */
thirl_error tunnel_open_here(tunnel *t, spec_forward *f);
/** -R: the other way round. Whether the peer does it is told on stderr. E_LIMIT, E_NOMEM. */
thirl_error tunnel_open_there(tunnel *t, const spec_forward *f);
/** READABLE and WRITABLE of the session. */
void tunnel_wake(tunnel *t);
/**
 * Has it come to an end by itself? E_AGAIN: no. E_EOF: the peer has ended the session. E_REFUSED: nothing of what was asked for is possible. E_PROTOCOL: the peer
 * is no tunnel, or broke its rules; *why (may be "") says more. Others: the session's.
 */
thirl_error tunnel_result(const tunnel *t, const char **why);

#endif
