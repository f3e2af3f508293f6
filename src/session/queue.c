/* SPDX-License-Identifier: MIT */
#include "session/queue.h"

#include <assert.h>

thirl_net_id thirl_session_queue_new_id(thirl_session_queue *q) {
  q->last_id++;
  assert(q->last_id < THIRL_NET_ID_ACCEPTED);
  return q->last_id;
}

void thirl_session_queue_add(thirl_session_queue *q, thirl_net_action a) {
  assert(q->n < THIRL_SESSION_QUEUE_MAX);
  q->actions[(q->head + q->n++) % THIRL_SESSION_QUEUE_MAX] = a;
}

void thirl_session_queue_connect(thirl_session_queue *q, thirl_net_id id, const thirl_addr *local,
                                 const thirl_addr *remote) {
  thirl_session_queue_add(q,
                          (thirl_net_action){.verb = THIRL_NET_CONNECT, .id = id, .local = *local, .remote = *remote});
}

void thirl_session_queue_write(thirl_session_queue *q, thirl_net_id id) {
  thirl_session_queue_add(q, (thirl_net_action){.verb = THIRL_NET_WRITE, .id = id});
}

void thirl_session_queue_close(thirl_session_queue *q, thirl_net_id id) {
  thirl_session_queue_add(q, (thirl_net_action){.verb = THIRL_NET_CLOSE, .id = id});
}

void thirl_session_queue_abort(thirl_session_queue *q, thirl_net_id id) {
  thirl_session_queue_add(q, (thirl_net_action){.verb = THIRL_NET_ABORT, .id = id});
}

bool thirl_session_queue_take(thirl_session_queue *q, thirl_net_action *out) {
  if (!q->n) return false;
  *out = q->actions[q->head];
  q->head = (q->head + 1) % THIRL_SESSION_QUEUE_MAX;
  if (--q->n == 0) q->head = 0; /* so that only as much of it is ever touched as was needed */
  return true;
}
