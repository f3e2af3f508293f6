/* SPDX-License-Identifier: MIT */
/*
 * The actions between an input and the drain. Messages wait here as values and become bytes when they are polled, so that the queue
 * stays small.
 */
#include "ice/queue.h"

#include <string.h>

bool thirl_ice_queue_push(thirl_ice_queue *q, const thirl_ice_action *action, const thirl_ice_message *message) {
  if (q->n >= (message ? (unsigned)THIRL_ICE_QUEUE_SENDS : (unsigned)THIRL_ICE_QUEUE_MAX)) return false;
  thirl_ice_intent *i = &q->items[(q->at + q->n++) % THIRL_ICE_QUEUE_MAX];
  i->action = *action;
  if (message)
    i->message = *message;
  else
    memset(&i->message, 0, sizeof i->message);
  return true;
}

bool thirl_ice_queue_pop(thirl_ice_queue *q, thirl_ice_intent *out) {
  if (q->n == 0) return false;
  *out = q->items[q->at];
  q->at = (q->at + 1) % THIRL_ICE_QUEUE_MAX;
  q->n--;
  return true;
}
