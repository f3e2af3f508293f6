/* SPDX-License-Identifier: MIT */
/*
 * The talk over one control connection: messages out, numbered and MACed once there are keys; requests that wait for their answers; the round
 * trip that the answers show. Knows no states: the client decides what is said.
 */
#ifndef THIRL_MEET_LINE_H
#define THIRL_MEET_LINE_H

#include "base/rand.h"
#include "meet/request.h"
#include "meet/seal.h"

enum { THIRL_MEET_CONTROL_MAX = 65536 /* bytes of control messages waiting to be pulled */ };

typedef struct thirl_meet_line {
  const thirl_secrets *secrets; /* borrowed */
  thirl_time timeout;           /* of a request */
  thirl_buffer out;
  thirl_meet_seal seal;
  thirl_meet_requests requests;
  thirl_time rtt; /* the smallest seen; 0 = not known */
  uint64_t sent;  /* messages, ever */
} thirl_meet_line;

void thirl_meet_line_init(thirl_meet_line *l, const thirl_secrets *secrets, thirl_time timeout);
/** As after init: keys, requests, round trip and what waits to be pulled are forgotten. Nothing is left to free. */
void thirl_meet_line_reset(thirl_meet_line *l);
/** Give m a transaction id, encode it under the keys when there are any, and let it wait to be pulled. E_LIMIT, E_NOMEM, E_CRYPTO, E_RANGE. */
thirl_error thirl_meet_line_send(thirl_meet_line *l, thirl_meet_message *m);
/** Send m as the request r (again, under new keys); it carries the round trip, when that is known. The errors of send. */
thirl_error thirl_meet_line_repeat(thirl_meet_line *l, thirl_time now, thirl_meet_request *r, thirl_meet_message *m);
/** Send m as a new request. The errors of send and of thirl_meet_request_add. */
thirl_error thirl_meet_line_request(thirl_meet_line *l, thirl_time now, thirl_meet_request_kind kind,
                                    thirl_meet_message *m);
/** The request that this response answers leaves the table into *r, which the caller removes; its time counts. False when there is none. */
bool thirl_meet_line_answer(thirl_meet_line *l, thirl_time now, const thirl_stun_msg *in, thirl_meet_request *r);
/** At most cap bytes; may end in the middle of a message. */
size_t thirl_meet_line_pull(thirl_meet_line *l, uint8_t *buf, size_t cap);

#endif
