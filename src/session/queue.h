/* SPDX-License-Identifier: MIT */
/* The actions that wait for the carrier, and the ids given out. The endpoint owns one and lends it to its parts, which only add to it. */
#ifndef THIRL_SESSION_QUEUE_H
#define THIRL_SESSION_QUEUE_H

#include "base/net.h"

enum {
  THIRL_SESSION_LINKS_MAX = 1024, /* connections to peers, connecting ones included, of all sessions together */
  /* Each of them has at most three actions here: CONNECT, WRITE, and ABORT or CLOSE. The rest is for the server, listeners and doors. */
  THIRL_SESSION_QUEUE_MAX = 3 * THIRL_SESSION_LINKS_MAX + 256
};

typedef struct thirl_session_queue {
  thirl_net_action actions[THIRL_SESSION_QUEUE_MAX];
  size_t head, n;
  size_t n_links; /* kept by peer.c */
  thirl_net_id last_id;
} thirl_session_queue;

thirl_net_id thirl_session_queue_new_id(thirl_session_queue *q);
/** The queue is drained after every input, and no input can fill it: more than the maximum is a bug. */
void thirl_session_queue_add(thirl_session_queue *q, thirl_net_action a);
void thirl_session_queue_connect(thirl_session_queue *q, thirl_net_id id, const thirl_addr *local,
                                 const thirl_addr *remote);
void thirl_session_queue_write(thirl_session_queue *q, thirl_net_id id);
void thirl_session_queue_close(thirl_session_queue *q, thirl_net_id id);
void thirl_session_queue_abort(thirl_session_queue *q, thirl_net_id id);
bool thirl_session_queue_take(thirl_session_queue *q, thirl_net_action *out);

#endif
