/* SPDX-License-Identifier: MIT */
#include "natcheck/ask.h"

#include <string.h>

#include "stun/writer.h"

#define INTERVAL_MAX (1600 * THIRL_MS) /* RFC 3489 and its descendants stop doubling there */

void thirl_natcheck_ask_init(thirl_natcheck_ask *a, const thirl_secrets *secrets, thirl_net_id first_id) {
  memset(a, 0, sizeof *a);
  a->secrets = *secrets;
  a->first_id = a->next_id = first_id;
}

/* ---- sockets ---- */

unsigned thirl_natcheck_ask_open(thirl_natcheck_ask *a, uint16_t port) {
  if (a->n_sockets == THIRL_NATCHECK_ASK_SOCKETS) return a->n_sockets;
  a->sockets[a->n_sockets] = (thirl_natcheck_ask_socket){
      .state = THIRL_NATCHECK_ASK_WANTED, .id = a->next_id++, .local = thirl_addr_with_port(a->local, port)};
  return a->n_sockets++;
}

void thirl_natcheck_ask_end(thirl_natcheck_ask *a) {
  a->n_questions = 0;
  a->closing = a->next_id;
}

static thirl_natcheck_ask_socket *find_socket(thirl_natcheck_ask *a, thirl_net_id id) {
  for (unsigned i = 0; i < a->n_sockets; i++)
    if (a->sockets[i].id == id) return &a->sockets[i];
  return NULL;
}

/* ---- questions ---- */

static bool can_never_be_sent(const thirl_natcheck_ask *a, const thirl_natcheck_question *q) {
  return q->from >= a->n_sockets || a->sockets[q->from].state == THIRL_NATCHECK_ASK_BROKEN;
}

unsigned thirl_natcheck_ask_add(thirl_natcheck_ask *a, thirl_time now, const thirl_natcheck_question *q) {
  if (a->n_questions == THIRL_NATCHECK_ASK_QUESTIONS) return a->n_questions;
  thirl_natcheck_asked *k = &a->questions[a->n_questions];
  *k = (thirl_natcheck_asked){.q = *q, .next = now};
  if (k->q.tries > THIRL_NATCHECK_ASK_TRIES) k->q.tries = THIRL_NATCHECK_ASK_TRIES;
  thirl_secrets_fill(&a->secrets, k->tid, sizeof k->tid);
  k->tid[THIRL_STUN_TID_LEN - 1] = 0;
  return a->n_questions++;
}

void thirl_natcheck_ask_more(thirl_natcheck_ask *a, unsigned question, thirl_time now, unsigned tries) {
  if (question >= a->n_questions) return;
  thirl_natcheck_asked *k = &a->questions[question];
  k->q.tries = THIRL_MIN(k->sent + tries, (unsigned)THIRL_NATCHECK_ASK_TRIES);
  k->done = k->sent >= k->q.tries;
  k->next = now;
}

void thirl_natcheck_ask_stop(thirl_natcheck_ask *a, unsigned question) {
  if (question < a->n_questions) a->questions[question].done = true;
}

void thirl_natcheck_ask_clear(thirl_natcheck_ask *a) {
  a->n_questions = 0;
}

bool thirl_natcheck_ask_is_idle(const thirl_natcheck_ask *a) {
  for (unsigned i = 0; i < a->n_questions; i++)
    if (!a->questions[i].done) return false;
  return true;
}

/* ---- answers ---- */

/* The question and the try that these first eleven bytes and this last one belong to. */
static thirl_natcheck_asked *find_question(thirl_natcheck_ask *a, const thirl_stun_msg *m, unsigned *attempt) {
  *attempt = m->tid[THIRL_STUN_TID_LEN - 1];
  for (unsigned i = 0; i < a->n_questions; i++) {
    thirl_natcheck_asked *k = &a->questions[i];
    if (memcmp(k->tid, m->tid, THIRL_STUN_TID_LEN - 1) == 0) return *attempt < k->sent ? k : NULL;
  }
  return NULL;
}

static bool is_endpoint(const thirl_addr *a) {
  return thirl_addr_is_set(a) && !thirl_addr_is_any(a) && a->port != 0;
}

/* XOR-MAPPED-ADDRESS, or MAPPED-ADDRESS of an old server. */
static bool read_mapped(const thirl_natcheck_ask *a, const thirl_stun_msg *m, thirl_addr *mapped, bool *rewritten) {
  thirl_addr plain;
  bool has_plain = thirl_stun_msg_get_addr(m, THIRL_STUN_ATTR_MAPPED_ADDRESS, &plain) == THIRL_OK;
  bool has_xor = thirl_stun_msg_get_xor_addr(m, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, mapped) == THIRL_OK;
  if (!has_xor) *mapped = plain;
  *rewritten = has_xor && has_plain && !thirl_addr_equal(&plain, mapped);
  return (has_xor || has_plain) && is_endpoint(mapped) && mapped->family == a->local.family;
}

static void note_source(thirl_natcheck_asked *k, const thirl_addr *from) {
  if (thirl_addr_equal(from, &k->q.to))
    k->from_asked = true;
  else if (thirl_addr_same_ip(from, &k->q.to))
    k->from_other_port = true;
  else
    k->from_other_ip = true;
}

static void take_success(thirl_natcheck_ask *a, thirl_natcheck_asked *k, thirl_time now, unsigned attempt,
                         const thirl_stun_msg *m) {
  thirl_addr mapped;
  bool rewritten;
  if (!read_mapped(a, m, &mapped, &rewritten)) return;
  k->rewritten |= rewritten;
  if (k->heard & (1u << attempt)) return;
  if (k->n_heard == 0) {
    k->mapped = mapped;
    k->rtt = now - k->sent_at[attempt];
    (void)thirl_stun_msg_get_addr(m, THIRL_STUN_ATTR_OTHER_ADDRESS, &k->other);
    (void)thirl_stun_msg_get_u16(m, THIRL_STUN_ATTR_THIRL_OTHER_PORT, &k->other_port);
  } else if (!thirl_addr_equal(&mapped, &k->mapped)) {
    k->contradictory = true;
  }
  k->heard |= 1u << attempt;
  k->n_heard++;
  if (k->n_heard >= k->q.enough) k->done = true;
}

static void take_response(thirl_natcheck_ask *a, thirl_time now, const thirl_net_event *ev, unsigned at,
                          const thirl_stun_msg *m) {
  unsigned attempt;
  thirl_natcheck_asked *k = find_question(a, m, &attempt);
  if (!k || m->method != THIRL_STUN_METHOD_BINDING) return;
  if (m->cls == THIRL_STUN_ERROR) {
    if (!thirl_addr_equal(&ev->remote, &k->q.to)) return;
    if (thirl_stun_msg_get_error(m, &k->code, NULL) == THIRL_OK) k->done = true;
    return;
  }
  note_source(k, &ev->remote);
  bool expected = thirl_addr_is_set(&k->q.expect) && thirl_addr_equal(&ev->remote, &k->q.expect);
  if (!expected && thirl_addr_is_set(&k->q.expect)) k->misdirected = true;
  /* Servers of RFC 3489 answer with required attributes that are unknown today; unlike RFC 8489 section 6.3.3 wants it, they are read. */
  if (expected && at == k->q.expect_at) take_success(a, k, now, attempt, m);
}

/* Our own request, turned round by the NAT. */
static void take_request(thirl_natcheck_ask *a, const thirl_net_event *ev, const thirl_stun_msg *m) {
  unsigned attempt;
  thirl_natcheck_asked *k = find_question(a, m, &attempt);
  if (!k) return;
  const thirl_natcheck_ask_socket *from = &a->sockets[k->q.from];
  k->returned = true;
  k->returned_inner |= thirl_addr_equal(&ev->remote, &from->local);
}

static void take_datagram(thirl_natcheck_ask *a, thirl_time now, const thirl_net_event *ev,
                          thirl_natcheck_ask_socket *s) {
  thirl_stun_msg m;
  if (thirl_stun_msg_decode(ev->payload, &m) != THIRL_OK) return;
  if (thirl_addr_is_any(&s->local) && thirl_addr_is_set(&ev->local))
    s->local = thirl_addr_with_port(ev->local, s->local.port);
  if (m.cls == THIRL_STUN_REQUEST)
    take_request(a, ev, &m);
  else if (m.cls != THIRL_STUN_INDICATION)
    take_response(a, now, ev, (unsigned)(s - a->sockets), &m);
}

bool thirl_natcheck_ask_input(thirl_natcheck_ask *a, thirl_time now, const thirl_net_event *ev) {
  thirl_natcheck_ask_socket *s = find_socket(a, ev->id);
  if (!s) return false;
  if (s->state == THIRL_NATCHECK_ASK_OPENING && ev->kind == THIRL_NET_LISTENING) {
    s->state = THIRL_NATCHECK_ASK_OPEN;
    s->local.port = ev->local.port;
    if (!thirl_addr_is_any(&ev->local)) s->local = ev->local;
  } else if (ev->kind == THIRL_NET_FAILED) {
    s->state = THIRL_NATCHECK_ASK_BROKEN;
    s->error = ev->error;
    s->id = 0;
  } else if (ev->kind == THIRL_NET_DATAGRAM && s->state == THIRL_NATCHECK_ASK_OPEN) {
    take_datagram(a, now, ev, s);
  }
  return true;
}

/* ---- sending ---- */

static bool encode(thirl_natcheck_ask *a, const thirl_natcheck_asked *k, thirl_bytes *out) {
  thirl_stun_writer w;
  uint8_t tid[THIRL_STUN_TID_LEN];
  memcpy(tid, k->tid, sizeof tid);
  tid[THIRL_STUN_TID_LEN - 1] = (uint8_t)k->sent;
  thirl_stun_writer_init(&w, a->bytes, sizeof a->bytes, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, tid);
  if (k->q.change) thirl_stun_writer_u32(&w, THIRL_STUN_ATTR_CHANGE_REQUEST, k->q.change);
  if (k->q.response_port) thirl_stun_writer_u16(&w, THIRL_STUN_ATTR_RESPONSE_PORT, k->q.response_port);
  thirl_stun_writer_u16(&w, THIRL_STUN_ATTR_THIRL_OTHER_PORT,
                        0); /* a server with one address and two ports helps too */
  return thirl_stun_writer_finish(&w, out) == THIRL_OK;
}

static thirl_time interval_after(const thirl_natcheck_asked *k) {
  if (k->sent >= k->q.tries) return k->q.grace;
  if (k->q.steady) return k->q.interval;
  thirl_time d = k->q.interval << (k->sent - 1);
  return THIRL_MIN(d, INTERVAL_MAX);
}

static bool send_due(thirl_natcheck_ask *a, thirl_time now, thirl_natcheck_asked *k, thirl_net_action *out) {
  if (k->done || now < k->next) return false;
  if (can_never_be_sent(a, &k->q) || k->sent >= k->q.tries) {
    k->done = true;
    return false;
  }
  const thirl_natcheck_ask_socket *s = &a->sockets[k->q.from];
  if (s->state != THIRL_NATCHECK_ASK_OPEN) return false;
  *out = (thirl_net_action){.verb = THIRL_NET_SENDTO, .id = s->id, .remote = k->q.to};
  if (!encode(a, k, &out->payload)) {
    k->done = true;
    return false;
  }
  k->sent_at[k->sent++] = now;
  k->next = thirl_time_after(now, interval_after(k));
  return true;
}

static bool poll_socket(thirl_natcheck_ask *a, thirl_natcheck_ask_socket *s, thirl_net_action *out) {
  if (s->id && s->id < a->closing) {
    thirl_net_id id = s->id;
    bool is_open = s->state == THIRL_NATCHECK_ASK_OPENING || s->state == THIRL_NATCHECK_ASK_OPEN;
    s->state = THIRL_NATCHECK_ASK_CLOSED;
    s->id = 0;
    *out = (thirl_net_action){.verb = THIRL_NET_ABORT, .id = id};
    return is_open;
  }
  if (s->state != THIRL_NATCHECK_ASK_WANTED) return false;
  s->state = THIRL_NATCHECK_ASK_OPENING;
  *out = (thirl_net_action){.verb = THIRL_NET_BIND_UDP, .id = s->id, .local = s->local};
  return true;
}

bool thirl_natcheck_ask_poll(thirl_natcheck_ask *a, thirl_time now, thirl_net_action *out) {
  for (unsigned i = 0; i < a->n_sockets; i++)
    if (poll_socket(a, &a->sockets[i], out)) return true;
  for (unsigned i = 0; i < a->n_questions; i++)
    if (send_due(a, now, &a->questions[i], out)) return true;
  return false;
}

thirl_time thirl_natcheck_ask_deadline(const thirl_natcheck_ask *a) {
  thirl_time due = THIRL_NEVER;
  for (unsigned i = 0; i < a->n_questions; i++) {
    const thirl_natcheck_asked *k = &a->questions[i];
    bool waits = k->q.from < a->n_sockets && (a->sockets[k->q.from].state == THIRL_NATCHECK_ASK_OPENING ||
                                              a->sockets[k->q.from].state == THIRL_NATCHECK_ASK_WANTED);
    if (!k->done && !waits) due = THIRL_MIN(due, k->next);
  }
  return due;
}
