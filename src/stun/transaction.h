/* SPDX-License-Identifier: MIT */
/* One client transaction: when to send a request again, and when to give up. RFC 8489 section 6.2.1 (UDP) and 6.2.2 (TCP). Holds no bytes. */
#ifndef THIRL_STUN_TRANSACTION_H
#define THIRL_STUN_TRANSACTION_H

#include "base/time.h"
#include "stun/msg.h"

typedef struct thirl_stun_transaction {
  uint8_t tid[THIRL_STUN_TID_LEN];
  thirl_time started, next; /* next: send again or give up */
  thirl_time rto;
  unsigned sent, max; /* Rc: 7 over UDP, 1 over a stream */
  bool over;
} thirl_stun_transaction;

#define THIRL_STUN_RTO     (500 * THIRL_MS)
#define THIRL_STUN_TIMEOUT (39500 * THIRL_MS) /* Ti over a stream */

/** Begins now with its first send. rto doubles from send to send; after Rc = 7 sends it waits Rm = 16 * rto more. */
void thirl_stun_transaction_start(thirl_stun_transaction *t, thirl_time now, thirl_time rto,
                                  const uint8_t tid[THIRL_STUN_TID_LEN]);
/** The same over a reliable stream: one send, then wait for timeout. */
void thirl_stun_transaction_start_stream(thirl_stun_transaction *t, thirl_time now, thirl_time timeout,
                                         const uint8_t tid[THIRL_STUN_TID_LEN]);
/** OK: send the request again now. E_AGAIN: nothing to do before the deadline. E_TIMEOUT: given up (once; then E_STATE). */
thirl_error thirl_stun_transaction_tick(thirl_stun_transaction *t, thirl_time now);
thirl_time thirl_stun_transaction_deadline(const thirl_stun_transaction *t);
/** Is this response ours? When it is, the transaction is over, and *rtt (may be NULL) is the time since the start when only one send was made, else 0. */
bool thirl_stun_transaction_match(thirl_stun_transaction *t, thirl_time now, const thirl_stun_msg *m, thirl_time *rtt);

#endif
