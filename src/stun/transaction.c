/* SPDX-License-Identifier: MIT */
/* When to send, when to give up. With the RFC's values a request goes out at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s, and fails at 39.5 s. */
#include "stun/transaction.h"

#include <string.h>

enum { RC = 7, RM = 16 };

static void start(thirl_stun_transaction *t, thirl_time now, const uint8_t tid[THIRL_STUN_TID_LEN]) {
  *t = (thirl_stun_transaction){.started = now, .sent = 1};
  memcpy(t->tid, tid, sizeof t->tid);
}

void thirl_stun_transaction_start(thirl_stun_transaction *t, thirl_time now, thirl_time rto,
                                  const uint8_t tid[THIRL_STUN_TID_LEN]) {
  start(t, now, tid);
  t->rto = rto;
  t->max = RC;
  t->next = thirl_time_after(now, rto);
}

void thirl_stun_transaction_start_stream(thirl_stun_transaction *t, thirl_time now, thirl_time timeout,
                                         const uint8_t tid[THIRL_STUN_TID_LEN]) {
  start(t, now, tid);
  t->max = 1;
  t->next = thirl_time_after(now, timeout);
}

thirl_error thirl_stun_transaction_tick(thirl_stun_transaction *t, thirl_time now) {
  if (t->over) return THIRL_E_STATE;
  if (now < t->next) return THIRL_E_AGAIN;
  if (t->sent >= t->max) {
    t->over = true;
    return THIRL_E_TIMEOUT;
  }
  t->sent++;
  /* Counted from now, not from the missed moment: after a late tick (a machine that slept) the sends do not come in a burst. */
  t->next = thirl_time_after(now, t->sent < t->max ? t->rto << (t->sent - 1) : t->rto * RM);
  return THIRL_OK;
}

thirl_time thirl_stun_transaction_deadline(const thirl_stun_transaction *t) {
  return t->over ? THIRL_NEVER : t->next;
}

bool thirl_stun_transaction_match(thirl_stun_transaction *t, thirl_time now, const thirl_stun_msg *m, thirl_time *rtt) {
  if (rtt) *rtt = 0;
  if (t->over || (m->cls != THIRL_STUN_SUCCESS && m->cls != THIRL_STUN_ERROR)) return false;
  if (!thirl_stun_msg_same_tid(m, t->tid)) return false;
  t->over = true;
  if (rtt && t->sent == 1) *rtt = now - t->started; /* Karn: after a second send nobody knows which one was answered */
  return true;
}
