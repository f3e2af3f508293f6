/* SPDX-License-Identifier: MIT */
/*
 * A check is one STUN transaction on a flow. Over TCP the request is sent once and waited for; over UDP it is repeated, either as
 * RFC 8489 6.2.1 says or, with burst, after 10, 20 and 40 ms and then 1.5 times the last gap, seven times in all:
 *
 *   0   10     30          70                 130                           220                                        355 ms
 *
 *            begin                       answered
 *   NONE, QUEUED, DONE ---> SENT ---------------------------> DONE (valid)
 *                            |  487: the other role, QUEUED
 *                            |  no answer, wrong answer: the flow ends
 */
#include "ice/check.h"

#include <string.h>

#include "ice/link.h"
#include "ice/message.h"
#include "ice/pair.h"
#include "ice/queue.h"

#define RTO_MIN       (500 * THIRL_MS)
#define BURST_GAP     (10 * THIRL_MS)
#define BURST_GAP_MAX (1 * THIRL_S)

enum {
  RFC_TIMEOUT_RTOS = 79,    /* seven sends at 0, 1, 3 .. 63 RTO and 16 more: 39.5 s at 500 ms */
  NOMINATION_SENDS_MAX = 20 /* with burst: the peer is known to be there, and has perhaps heard it already */
};

void thirl_ice_check_send(thirl_ice *a, thirl_ice_link link, const thirl_addr *local, const thirl_addr *remote,
                          const thirl_ice_message *m) {
  thirl_ice_action out = {
      .kind = link ? THIRL_ICE_SEND : THIRL_ICE_SENDTO, .link = link, .local = *local, .remote = *remote};
  thirl_ice_queue_push(&a->queue, &out, m);
}

/* RFC 8445 14.3: the more checks at the same time, the slower each repeats. */
static thirl_time rto_of(const thirl_ice *a) {
  unsigned busy = 0;
  for (unsigned i = 0; i < a->n_pairs; i++)
    busy += a->pairs[i].state == THIRL_ICE_PAIR_WAITING || a->pairs[i].state == THIRL_ICE_PAIR_IN_PROGRESS;
  return THIRL_MAX(RTO_MIN, a->cfg.ta * busy);
}

static void transmit(thirl_ice *a, thirl_ice_flow *f) {
  const thirl_ice_candidate *l = &a->locals[a->pairs[f->pair].local];
  thirl_ice_message m = {.cls = THIRL_STUN_REQUEST,
                         .nominate = f->nominating,
                         .role = f->role,
                         .priority = thirl_ice_candidate_prflx_priority(l)};
  memcpy(m.tid, f->tid, sizeof m.tid);
  f->sends++;
  a->evidence.checks++;
  thirl_ice_check_send(a, f->link, &f->local, &f->remote, &m);
  if (f->link) return;
  if (f->sends > 1) {
    bool doubling = !a->cfg.burst || f->sends <= 3;
    f->gap = THIRL_MIN(doubling ? f->gap * 2 : f->gap * 3 / 2, a->cfg.burst ? BURST_GAP_MAX : THIRL_NEVER);
  }
  unsigned max = a->cfg.burst && f->nominating ? NOMINATION_SENDS_MAX : THIRL_ICE_SENDS_MAX;
  f->next_at = f->sends < max ? thirl_time_after(a->now, f->gap) : THIRL_NEVER;
}

void thirl_ice_check_begin(thirl_ice *a, thirl_ice_flow *f, bool nominate) {
  if (!a->has_remote || f->state != THIRL_ICE_FLOW_UP || f->pair == THIRL_ICE_NO_PAIR) return;
  f->has_old = f->sends > 0 && f->check != THIRL_ICE_CHECK_DONE;
  memcpy(f->old_tid, f->tid, sizeof f->tid);
  thirl_secrets_fill(a->cfg.secrets, f->tid, sizeof f->tid);
  f->check = THIRL_ICE_CHECK_SENT;
  f->nominating = nominate;
  f->role = a->controlling;
  f->sends = 0;
  f->sent_at = a->now;
  f->next_at = THIRL_NEVER;
  thirl_time rto = rto_of(a);
  f->gap = a->cfg.burst ? BURST_GAP : rto;
  f->expires_at = thirl_time_after(a->now, f->link || a->cfg.burst ? a->cfg.check_timeout : RFC_TIMEOUT_RTOS * rto);
  transmit(a, f);
}

void thirl_ice_check_queue(thirl_ice *a, thirl_ice_flow *f) {
  if (f->check == THIRL_ICE_CHECK_QUEUED) return;
  f->check = THIRL_ICE_CHECK_QUEUED;
  f->order = ++a->last_order;
  f->nominating = false;
  f->next_at = f->expires_at = THIRL_NEVER;
}

void thirl_ice_check_stranger(thirl_ice *a, thirl_ice_flow *f) {
  thirl_ice_action out = {.kind = THIRL_ICE_STRANGER, .link = f->link, .local = f->local, .remote = f->remote};
  a->evidence.strangers++;
  thirl_ice_queue_push(&a->queue, &out, NULL);
  thirl_ice_link_abort(a, f, THIRL_E_STRANGER);
}

static void time_out(thirl_ice *a, thirl_ice_flow *f) {
  a->evidence.timeouts++;
  thirl_ice_link_abort(a, f, THIRL_E_TIMEOUT);
}

void thirl_ice_check_tick(thirl_ice *a) {
  for (unsigned i = 0; i < a->n_flows; i++) {
    thirl_ice_flow *f = &a->flows[i];
    if (f->state != THIRL_ICE_FLOW_UP) continue;
    if (f->expires_at <= a->now && !f->selected) /* the selected one lives by consent */
      time_out(a, f);
    else if (f->check == THIRL_ICE_CHECK_SENT && f->next_at <= a->now)
      transmit(a, f);
  }
}

thirl_time thirl_ice_check_deadline(const thirl_ice *a) {
  thirl_time t = THIRL_NEVER;
  for (unsigned i = 0; i < a->n_flows; i++)
    if (a->flows[i].state == THIRL_ICE_FLOW_UP)
      t = THIRL_MIN(t, THIRL_MIN(a->flows[i].selected ? THIRL_NEVER : a->flows[i].expires_at, a->flows[i].next_at));
  return t;
}

void thirl_ice_check_switch_role(thirl_ice *a, bool controlling) {
  if (a->controlling == controlling) return;
  a->controlling = controlling;
  for (unsigned i = 0; i < a->n_flows; i++) {
    thirl_ice_flow *f = &a->flows[i];
    f->nominated = f->nominating = f->confirmed = false;
    /* A repetition would still claim the old role. Over TCP there are none. */
    if (f->state == THIRL_ICE_FLOW_UP && f->link == 0 && f->check == THIRL_ICE_CHECK_SENT) thirl_ice_check_queue(a, f);
  }
  thirl_ice_pair_reprioritize(a);
}

/* Which of our candidates the peer sees; a new address is a local peer-reflexive one. RFC 8445 7.2.5.3.1. */
static thirl_ice_type type_of_mapped(const thirl_ice *a, const thirl_ice_flow *f) {
  for (unsigned i = 0; i < a->n_locals; i++) {
    const thirl_ice_candidate *c = &a->locals[i];
    if (thirl_ice_candidate_is_tcp(c->transport) != (f->link != 0)) continue;
    bool any_port = c->transport == THIRL_ICE_TCP_ACTIVE;
    if (any_port ? thirl_addr_same_ip(&c->addr, &f->mapped) : thirl_addr_equal(&c->addr, &f->mapped)) return c->type;
  }
  return THIRL_ICE_PRFLX;
}

static void succeed(thirl_ice *a, thirl_ice_flow *f, bool current, const thirl_addr *mapped) {
  thirl_ice_link_confirm(a, f);
  if (!f->valid) {
    f->valid = true;
    f->valid_at = a->now;
    f->rtt = a->now - f->sent_at;
    f->mapped = *mapped;
    f->local_type = type_of_mapped(a, f);
    thirl_ice_pair_set(a, f->pair, THIRL_ICE_PAIR_SUCCEEDED);
    a->pairs[f->pair].refused_in_row = 0;
  }
  f->has_old = false;
  if (!current && f->check == THIRL_ICE_CHECK_SENT && f->nominating)
    return; /* the nomination itself is still to be answered */
  if (current && f->nominating) f->confirmed = true;
  f->nominating = false;
  f->check = THIRL_ICE_CHECK_DONE;
  f->next_at = f->expires_at = THIRL_NEVER;
}

/* RFC 8445 7.2.5.1 */
static void role_conflict(thirl_ice *a, thirl_ice_flow *f, bool current) {
  f->has_old = false;
  if (!current) return; /* a newer request, made in the present role, is on its way */
  bool made_as = f->role;
  if (made_as == a->controlling) {
    thirl_ice_check_switch_role(a, !made_as);
    a->tie_breaker = thirl_secrets_u64(a->cfg.secrets);
  }
  if (f->triggers++ >= THIRL_ICE_SENDS_MAX) {
    thirl_ice_link_abort(a, f, THIRL_E_STRANGER); /* two agents that never agree */
    return;
  }
  f->check = THIRL_ICE_CHECK_DONE;
  f->sends = 0;
  thirl_ice_check_queue(a, f);
}

static void judge_error(thirl_ice *a, thirl_ice_flow *f, const thirl_stun_msg *m, bool proven, bool current) {
  unsigned code = 0;
  if (thirl_stun_msg_get_error(m, &code, NULL) != THIRL_OK) code = 0;
  if (f->check == THIRL_ICE_CHECK_DONE || (f->valid && !proven))
    a->evidence.dropped++; /* an answer to a late request, or a forged one: the pair works */
  else if (!proven)
    thirl_ice_check_stranger(a, f); /* 400 and 401 cannot be signed: whoever is there does not know our user name */
  else if (code == 487)
    role_conflict(a, f, current);
  else if (current)
    thirl_ice_link_abort(a, f, THIRL_E_TIMEOUT);
}

static thirl_ice_flow *find_by_tid(thirl_ice *a, thirl_ice_flow *f, const thirl_stun_msg *m, bool *current) {
  for (unsigned i = 0; i < a->n_flows; i++) {
    thirl_ice_flow *o = &a->flows[i];
    if (o->state != THIRL_ICE_FLOW_UP || (f && f->link && o != f) || (o->link && o != f)) continue;
    bool in_flight = o->check == THIRL_ICE_CHECK_SENT || (o->check == THIRL_ICE_CHECK_QUEUED && o->sends > 0);
    *current = in_flight && thirl_stun_msg_same_tid(m, o->tid);
    if (*current || (o->has_old && thirl_stun_msg_same_tid(m, o->old_tid))) return o;
  }
  return NULL;
}

void thirl_ice_check_response(thirl_ice *a, thirl_ice_flow *f, const thirl_stun_msg *m) {
  bool current = false;
  thirl_ice_flow *asked = find_by_tid(a, f, m, &current);
  if (!asked) {
    a->evidence.dropped++; /* late, doubled, or invented */
    return;
  }
  bool proven = thirl_ice_message_is_proven(a, m);
  if (asked != f) { /* only over UDP: RFC 8445 7.2.5.2.1, an answer from elsewhere fails the pair; if it is one */
    a->evidence.dropped++;
    if (proven && !asked->valid) thirl_ice_link_abort(a, asked, THIRL_E_TIMEOUT);
    return;
  }
  if (m->cls == THIRL_STUN_ERROR) {
    judge_error(a, f, m, proven, current);
    return;
  }
  thirl_addr mapped;
  if (proven && m->n_unknown == 0 &&
      thirl_stun_msg_get_xor_addr(m, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &mapped) == THIRL_OK)
    succeed(a, f, current, &mapped);
  else if (!proven && f->link && !f->valid)
    thirl_ice_check_stranger(a, f);
  else
    a->evidence.dropped++; /* over UDP anybody may have sent it: as if it had never come */
}
