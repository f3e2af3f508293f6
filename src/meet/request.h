/* SPDX-License-Identifier: MIT */
/*
 * The requests of one control connection that wait for an answer, and the CONNECTs that wait to be sent. A bounded table: one REGISTER, a few
 * UPDATEs, THIRL_MEET_CONNECTS_MAX CONNECTs. Holds no bytes of messages, but what a CONNECT says, so that it can be said again under new keys.
 */
#ifndef THIRL_MEET_REQUEST_H
#define THIRL_MEET_REQUEST_H

#include "meet/message.h"
#include "stun/transaction.h"

enum {
  THIRL_MEET_CONNECTS_MAX = 16, /* CONNECT requests under way */
  THIRL_MEET_UPDATES_MAX = 4,   /* UPDATE requests under way */
  THIRL_MEET_REQUESTS_MAX = 1 + THIRL_MEET_UPDATES_MAX + THIRL_MEET_CONNECTS_MAX
};

typedef enum thirl_meet_request_kind {
  THIRL_MEET_REQUEST_FREE,
  THIRL_MEET_REQUEST_REGISTER,
  THIRL_MEET_REQUEST_UPDATE,
  THIRL_MEET_REQUEST_CONNECT
} thirl_meet_request_kind;

/** What a CONNECT says. */
typedef struct thirl_meet_dial {
  thirl_peerid peer;
  uint8_t session[THIRL_MEET_SESSION_ID_LEN], proof[THIRL_MEET_PROOF_LEN], mac[THIRL_MEET_MAC_LEN];
  uint8_t offer[THIRL_MEET_OFFER_MAX];
  size_t offer_n;
} thirl_meet_dial;

typedef struct thirl_meet_request {
  thirl_meet_request_kind kind;
  bool sent;
  thirl_stun_transaction transaction; /* meaningful when sent */
  thirl_meet_dial *dial;              /* of a CONNECT, owned */
} thirl_meet_request;

/** Zeroed it is empty. */
typedef struct thirl_meet_requests {
  thirl_meet_request all[THIRL_MEET_REQUESTS_MAX];
} thirl_meet_requests;

/** The method of such a request. */
uint16_t thirl_meet_request_method(thirl_meet_request_kind kind);
/** A new one, not sent. E_LIMIT when there are as many of its kind as may be, E_NOMEM. A CONNECT gets a zeroed dial. */
thirl_error thirl_meet_request_add(thirl_meet_requests *t, thirl_meet_request_kind kind, thirl_meet_request **out);
/** What the CONNECT r says: everything about the dialer me, the peer of the ticket and this offer. E_RANGE, E_CRYPTO. */
thirl_error thirl_meet_request_dial(thirl_meet_request *r, const thirl_peerid *me, const thirl_meet_ticket *ticket,
                                    const uint8_t session[THIRL_MEET_SESSION_ID_LEN], const thirl_meet_offer *offer);
/** Into a message, which borrows r. */
void thirl_meet_request_put(const thirl_meet_request *r, thirl_meet_message *m);
/** It is sent now (again, perhaps: an answer to the old transaction is a stranger then). */
void thirl_meet_request_start(thirl_meet_request *r, thirl_time now, thirl_time timeout,
                              const uint8_t tid[THIRL_STUN_TID_LEN]);
void thirl_meet_request_remove(thirl_meet_request *r);
void thirl_meet_request_clear(thirl_meet_requests *t);
/** The request that this response answers, or NULL. *rtt is the time that it took. The caller removes it. */
thirl_meet_request *thirl_meet_request_match(thirl_meet_requests *t, thirl_time now, const thirl_stun_msg *m,
                                             thirl_time *rtt);
/** The CONNECT of this session, or NULL. */
thirl_meet_request *thirl_meet_request_find(thirl_meet_requests *t, const uint8_t session[THIRL_MEET_SESSION_ID_LEN]);
bool thirl_meet_request_has_expired(thirl_meet_requests *t, thirl_time now);
thirl_time thirl_meet_request_deadline(const thirl_meet_requests *t);

#endif
