/* SPDX-License-Identifier: MIT */
#include "meet/request.h"

#include <stdlib.h>
#include <string.h>

uint16_t thirl_meet_request_method(thirl_meet_request_kind kind) {
  switch (kind) {
  case THIRL_MEET_REQUEST_UPDATE:
    return THIRL_STUN_METHOD_THIRL_UPDATE;
  case THIRL_MEET_REQUEST_CONNECT:
    return THIRL_STUN_METHOD_THIRL_CONNECT;
  default:
    return THIRL_STUN_METHOD_THIRL_REGISTER;
  }
}

static size_t limit_of(thirl_meet_request_kind kind) {
  switch (kind) {
  case THIRL_MEET_REQUEST_UPDATE:
    return THIRL_MEET_UPDATES_MAX;
  case THIRL_MEET_REQUEST_CONNECT:
    return THIRL_MEET_CONNECTS_MAX;
  default:
    return 1;
  }
}

thirl_error thirl_meet_request_add(thirl_meet_requests *t, thirl_meet_request_kind kind, thirl_meet_request **out) {
  thirl_meet_request *place = NULL;
  size_t same = 0;
  *out = NULL;
  for (size_t i = 0; i < THIRL_MEET_REQUESTS_MAX; i++) {
    if (t->all[i].kind == kind) same++;
    if (t->all[i].kind == THIRL_MEET_REQUEST_FREE && !place) place = &t->all[i];
  }
  if (!place || same >= limit_of(kind)) return THIRL_E_LIMIT;
  thirl_meet_request r = {.kind = kind};
  if (kind == THIRL_MEET_REQUEST_CONNECT && !(r.dial = calloc(1, sizeof *r.dial))) return THIRL_E_NOMEM;
  *place = r;
  *out = place;
  return THIRL_OK;
}

thirl_error thirl_meet_request_dial(thirl_meet_request *r, const thirl_peerid *me, const thirl_meet_ticket *ticket,
                                    const uint8_t session[THIRL_MEET_SESSION_ID_LEN], const thirl_meet_offer *offer) {
  thirl_meet_dial *d = r->dial;
  d->peer = ticket->peer;
  memcpy(d->session, session, sizeof d->session);
  thirl_error e = thirl_meet_offer_encode(offer, d->offer, sizeof d->offer, &d->offer_n);
  if (e == THIRL_OK) e = thirl_meet_ticket_proof(ticket, d->proof);
  if (e != THIRL_OK) return e;
  return thirl_meet_ticket_mac(ticket, me, THIRL_BYTES(d->session, sizeof d->session),
                               THIRL_BYTES(d->offer, d->offer_n), d->mac);
}

void thirl_meet_request_put(const thirl_meet_request *r, thirl_meet_message *m) {
  const thirl_meet_dial *d = r->dial;
  m->has_peer = m->has_session = m->has_proof = m->has_offer = m->has_offer_mac = true;
  m->peer = d->peer;
  memcpy(m->session, d->session, sizeof m->session);
  memcpy(m->proof, d->proof, sizeof m->proof);
  memcpy(m->offer_mac, d->mac, sizeof m->offer_mac);
  m->offer = THIRL_BYTES(d->offer, d->offer_n);
}

void thirl_meet_request_start(thirl_meet_request *r, thirl_time now, thirl_time timeout,
                              const uint8_t tid[THIRL_STUN_TID_LEN]) {
  r->sent = true;
  thirl_stun_transaction_start_stream(&r->transaction, now, timeout, tid);
}

void thirl_meet_request_remove(thirl_meet_request *r) {
  if (r->dial) thirl_bytes_wipe(r->dial, sizeof *r->dial);
  free(r->dial);
  *r = (thirl_meet_request){.kind = THIRL_MEET_REQUEST_FREE};
}

void thirl_meet_request_clear(thirl_meet_requests *t) {
  for (size_t i = 0; i < THIRL_MEET_REQUESTS_MAX; i++)
    thirl_meet_request_remove(&t->all[i]);
}

thirl_meet_request *thirl_meet_request_match(thirl_meet_requests *t, thirl_time now, const thirl_stun_msg *m,
                                             thirl_time *rtt) {
  *rtt = 0;
  for (size_t i = 0; i < THIRL_MEET_REQUESTS_MAX; i++)
    if (t->all[i].sent && thirl_stun_transaction_match(&t->all[i].transaction, now, m, rtt)) return &t->all[i];
  return NULL;
}

thirl_meet_request *thirl_meet_request_find(thirl_meet_requests *t, const uint8_t session[THIRL_MEET_SESSION_ID_LEN]) {
  for (size_t i = 0; i < THIRL_MEET_REQUESTS_MAX; i++) {
    thirl_meet_request *r = &t->all[i];
    if (r->dial && memcmp(r->dial->session, session, THIRL_MEET_SESSION_ID_LEN) == 0) return r;
  }
  return NULL;
}

bool thirl_meet_request_has_expired(thirl_meet_requests *t, thirl_time now) {
  for (size_t i = 0; i < THIRL_MEET_REQUESTS_MAX; i++)
    if (t->all[i].sent && thirl_stun_transaction_tick(&t->all[i].transaction, now) == THIRL_E_TIMEOUT) return true;
  return false;
}

thirl_time thirl_meet_request_deadline(const thirl_meet_requests *t) {
  thirl_time first = THIRL_NEVER;
  for (size_t i = 0; i < THIRL_MEET_REQUESTS_MAX; i++)
    if (t->all[i].sent) first = THIRL_MIN(first, thirl_stun_transaction_deadline(&t->all[i].transaction));
  return first;
}
