/* SPDX-License-Identifier: MIT */
/* What the caller shall do next, first in first out. */
#ifndef THIRL_ICE_QUEUE_H
#define THIRL_ICE_QUEUE_H

#include "ice/agent.h"

/**
 * Append an action. What does not fit is dropped and false: cannot happen to a caller that drains after each input. Messages are
 * dropped earlier, as a network may do.
 */
bool thirl_ice_queue_push(thirl_ice_queue *q, const thirl_ice_action *action, const thirl_ice_message *message);
/** The oldest; false when there is none. */
bool thirl_ice_queue_pop(thirl_ice_queue *q, thirl_ice_intent *out);

#endif
