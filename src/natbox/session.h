/* SPDX-License-Identifier: MIT */
/*
 * The flows through the box: the session tables of RFC 6146. A flow pins its binding: whoever opened it, its answers leave through the port that
 * it came in by. Bindings alone are not enough (a mapping that depends on the destination would give the answer another port).
 */
#ifndef THIRL_NATBOX_SESSION_H
#define THIRL_NATBOX_SESSION_H

#include "base/heap.h"
#include "natbox/binding.h"
#include "natbox/tracking.h"

typedef struct thirl_natbox_session {
  thirl_natbox_binding *binding; /* NULL: the router itself holds the outer port towards this remote */
  uint8_t protocol;
  bool from_inside;   /* who sent the first packet */
  bool sent;          /* something went out: filters are open for the remote */
  bool replied;       /* UDP: both directions seen */
  bool holds;         /* counted in binding->holders */
  thirl_addr outside; /* the outer endpoint */
  thirl_addr remote;  /* the other end, as it is outside */
  thirl_addr seen_as; /* the other end, as the inside sees it: another port when the inner pair was taken */
  thirl_natbox_tracking tracking;
  thirl_time expires;
  thirl_heap_node timer; /* may lie before expires: it is looked at again then */
  thirl_link in_binding;
} thirl_natbox_session;

typedef struct thirl_natbox_sessions {
  thirl_map by_inside, by_outside;
  thirl_heap timers;
  size_t n, max;
} thirl_natbox_sessions;

void thirl_natbox_session_init(thirl_natbox_sessions *t, size_t max, uint64_t seed);
/** All sessions and with them all bindings are forgotten; the tables stay usable. */
void thirl_natbox_session_clear(thirl_natbox_sessions *t, thirl_natbox_bindings *bindings);
/** Frees the tables; clear first. */
void thirl_natbox_session_fini(thirl_natbox_sessions *t);
/** The flow between an inner endpoint and a remote as the inside sees it, or NULL. */
thirl_natbox_session *thirl_natbox_session_of_inside(const thirl_natbox_sessions *t, uint8_t protocol,
                                                     const thirl_addr *inside, const thirl_addr *seen_as);
/** The flow between an outer endpoint and a remote, or NULL. */
thirl_natbox_session *thirl_natbox_session_of_outside(const thirl_natbox_sessions *t, uint8_t protocol,
                                                      const thirl_addr *outside, const thirl_addr *remote);
/**
 * Make a session like this one (binding, outside, remote, seen_as, from_inside are taken) that expires at like->expires.
 * NULL: the table is full or there is no memory.
 */
thirl_natbox_session *thirl_natbox_session_add(thirl_natbox_sessions *t, const thirl_natbox_session *like);
/** From now on it keeps its binding alive. */
void thirl_natbox_session_hold(thirl_natbox_session *s);
/** Forget the session; a binding that nothing holds any more, and that has no time of its own left, goes with all its other sessions. */
void thirl_natbox_session_remove(thirl_natbox_sessions *t, thirl_natbox_bindings *bindings, thirl_natbox_session *s);
/** Forget a binding and all its sessions. */
void thirl_natbox_session_remove_binding(thirl_natbox_sessions *t, thirl_natbox_bindings *bindings,
                                         thirl_natbox_binding *b);
/** It is now: forget what has expired. A session lives up to, not including, its time; so do bindings and ports at rest. */
void thirl_natbox_session_expire(thirl_natbox_sessions *t, thirl_natbox_bindings *bindings, thirl_time now);

#endif
