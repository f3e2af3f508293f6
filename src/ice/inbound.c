/* SPDX-License-Identifier: MIT */
/*
 * A request is answered before anything follows from it. The order of judgement: is it STUN, does it know the credentials, does it
 * ask for something unknown, do the roles agree, from where did it come.
 */
#include "ice/inbound.h"

#include <string.h>

#include "ice/check.h"
#include "ice/consent.h"
#include "ice/link.h"
#include "ice/message.h"
#include "ice/nominate.h"
#include "ice/pair.h"

enum { UNAUTHORIZED_MAX = 16, TRIGGERS_MAX = 4 };

/* One request and where it came in. */
typedef struct inbound {
  thirl_ice_flow *flow; /* NULL: UDP addresses that are no flow yet */
  const thirl_addr *local, *remote;
  const thirl_stun_msg *msg;
  bool tcp;
} inbound;

static void answer(thirl_ice *a, const inbound *in, unsigned code, bool sign) {
  thirl_ice_message m = {
      .cls = code ? THIRL_STUN_ERROR : THIRL_STUN_SUCCESS, .code = code, .signed_ = sign, .mapped = *in->remote};
  memcpy(m.tid, in->msg->tid, sizeof m.tid);
  if (code == 420) {
    m.n_unknown = THIRL_MIN(in->msg->n_unknown, sizeof m.unknown / sizeof m.unknown[0]);
    memcpy(m.unknown, in->msg->unknown, m.n_unknown * sizeof m.unknown[0]);
  }
  thirl_ice_check_send(a, in->tcp ? in->flow->link : 0, in->local, in->remote, &m);
}

/* Wrong credentials: over TCP the connection is a stranger's; over UDP anyone may have written the source address. */
static void reject(thirl_ice *a, const inbound *in, unsigned code) {
  a->evidence.dropped++;
  if (!in->tcp) {
    if (a->unauthorized++ < UNAUTHORIZED_MAX) answer(a, in, code, false);
    return;
  }
  answer(a, in, code, false);
  if (!in->flow->valid && !in->flow->heard) thirl_ice_check_stranger(a, in->flow);
}

/* RFC 8445 7.3.1.1. True: the peer has to give in. */
static bool has_role_conflict(thirl_ice *a, const thirl_stun_msg *m) {
  uint64_t theirs;
  if (a->state != THIRL_ICE_AGENT_CHECKING) return false;
  uint16_t same = a->controlling ? THIRL_STUN_ATTR_ICE_CONTROLLING : THIRL_STUN_ATTR_ICE_CONTROLLED;
  if (thirl_stun_msg_get_u64(m, same, &theirs) != THIRL_OK) return false;
  bool we_are_to_control = a->tie_breaker >= theirs;
  if (we_are_to_control == a->controlling) return true;
  thirl_ice_check_switch_role(a, we_are_to_control);
  return false;
}

/* RFC 8445 7.3.1.3: an unknown source is a peer-reflexive candidate. -1: no room, or an address that nobody may make us send to. */
static int learn_remote(thirl_ice *a, const inbound *in, const thirl_ice_candidate *local) {
  thirl_ice_transport t = local->transport == THIRL_ICE_TCP_PASSIVE ? THIRL_ICE_TCP_ACTIVE : local->transport;
  for (unsigned i = 0; i < a->n_remotes; i++)
    if (a->remotes[i].transport == t && thirl_addr_equal(&a->remotes[i].addr, in->remote)) return (int)i;
  if (a->n_remotes == THIRL_ICE_REMOTE_MAX) return -1;
  if (!in->tcp && !a->cfg.any_address && !thirl_addr_is_probeable(in->remote)) return -1;
  uint32_t priority = 0;
  if (thirl_stun_msg_get_u32(in->msg, THIRL_STUN_ATTR_PRIORITY, &priority) != THIRL_OK || priority == 0 ||
      priority > INT32_MAX)
    priority = thirl_ice_candidate_priority(THIRL_ICE_PRFLX, t, 0);
  unsigned i = a->n_remotes++;
  a->remotes[i] = (thirl_ice_candidate){
      .type = THIRL_ICE_PRFLX, .transport = t, .lane = local->lane, .addr = *in->remote, .priority = priority};
  a->remotes[i].base = *in->remote; /* only to make the foundation its own */
  a->remotes[i].foundation = thirl_ice_candidate_foundation(&a->remotes[i], in->remote);
  memset(&a->remotes[i].base, 0, sizeof a->remotes[i].base);
  return (int)i;
}

static uint8_t learn_pair(thirl_ice *a, const inbound *in) {
  int l = thirl_ice_pair_local_of(a, in->tcp, in->local);
  if (l < 0) return THIRL_ICE_NO_PAIR;
  uint8_t pair = thirl_ice_pair_find(a, in->tcp, &a->locals[l].base, in->remote);
  if (pair != THIRL_ICE_NO_PAIR) return pair;
  int r = learn_remote(a, in, &a->locals[l]);
  return r < 0 ? THIRL_ICE_NO_PAIR : thirl_ice_pair_add(a, (unsigned)l, (unsigned)r);
}

/* The flow of a request that has proven itself; NULL when there is no room for it. */
static thirl_ice_flow *settle_flow(thirl_ice *a, const inbound *in) {
  if (in->flow && in->flow->pair != THIRL_ICE_NO_PAIR) return in->flow;
  uint8_t pair = learn_pair(a, in);
  if (pair == THIRL_ICE_NO_PAIR) {
    if (in->flow) thirl_ice_link_abort(a, in->flow, THIRL_OK);
    return NULL;
  }
  if (!in->flow) return thirl_ice_link_open(a, pair);
  in->flow->pair = pair;
  thirl_ice_pair_set(a, pair, THIRL_ICE_PAIR_IN_PROGRESS);
  return in->flow;
}

/*
 * RFC 8445 7.3.1.4. A repeated request triggers nothing new. Over TCP nothing is lost, so a check in flight stays in flight; over UDP
 * ours was perhaps sent before the peer's NAT had opened.
 */
static void trigger(thirl_ice *a, thirl_ice_flow *f, const thirl_stun_msg *m) {
  bool repeated = f->heard && thirl_stun_msg_same_tid(m, f->heard_tid);
  f->heard = true;
  f->heard_at = a->now;
  memcpy(f->heard_tid, m->tid, sizeof f->heard_tid);
  if (repeated || f->valid || f->nominating) return; /* a nomination in flight is not to be unsaid */
  if (f->check == THIRL_ICE_CHECK_NONE) {
    thirl_ice_check_queue(a, f);
  } else if (f->check == THIRL_ICE_CHECK_SENT && f->link == 0 && f->triggers < TRIGGERS_MAX) {
    f->triggers++;
    thirl_ice_check_queue(a, f);
  }
}

static void accept_request(thirl_ice *a, const inbound *in) {
  bool nominates = thirl_stun_msg_has(in->msg, THIRL_STUN_ATTR_USE_CANDIDATE);
  if (has_role_conflict(a, in->msg)) {
    answer(a, in, 487, true);
    return;
  }
  a->evidence.heard++;
  answer(a, in, 0, true);
  bool open = a->state == THIRL_ICE_AGENT_CHECKING || thirl_ice_nominate_lingers(a) || in->flow ||
              (nominates && thirl_ice_nominate_reopen(a));
  if (!open) return;
  thirl_ice_flow *f = settle_flow(a, in);
  if (!f) return;
  thirl_ice_link_confirm(a, f);
  if (!a->controlling && nominates) {
    if (!f->nominated) f->nominated_order = ++a->last_order;
    f->nominated = true;
  }
  trigger(a, f, in->msg);
}

static void handle_request(thirl_ice *a, const inbound *in) {
  switch (thirl_ice_message_judge_request(a, in->msg)) {
  case THIRL_ICE_VERDICT_OK:
    accept_request(a, in);
    return;
  case THIRL_ICE_VERDICT_BAD_REQUEST:
    reject(a, in, 400);
    return;
  case THIRL_ICE_VERDICT_UNAUTHORIZED:
    reject(a, in, 401);
    return;
  case THIRL_ICE_VERDICT_UNKNOWN:
    a->evidence.dropped++;
    answer(a, in, 420, true);
    return;
  }
}

static void handle(thirl_ice *a, inbound in, thirl_bytes packet) {
  thirl_stun_msg m;
  if (thirl_stun_msg_decode(packet, &m) != THIRL_OK) {
    a->evidence.dropped++;
    if (in.tcp && !in.flow->valid && !in.flow->heard) thirl_ice_check_stranger(a, in.flow);
    return;
  }
  in.msg = &m;
  if (m.method != THIRL_STUN_METHOD_BINDING) {
    a->evidence.dropped++;
  } else if (m.cls == THIRL_STUN_REQUEST) {
    handle_request(a, &in);
  } else if (m.cls != THIRL_STUN_INDICATION) { /* an indication is a keepalive: nothing to do */
    if (in.flow && in.flow->selected && thirl_ice_consent_answered(a, &m)) return;
    thirl_ice_check_response(a, in.flow, &m);
  }
}

void thirl_ice_inbound_datagram(thirl_ice *a, const thirl_addr *local, const thirl_addr *remote, thirl_bytes packet) {
  if (thirl_ice_pair_local_of(a, false, local) < 0) {
    a->evidence.dropped++;
    return;
  }
  inbound in = {.flow = thirl_ice_link_find_udp(a, local, remote), .local = local, .remote = remote};
  handle(a, in, packet);
}

void thirl_ice_inbound_frame(thirl_ice *a, thirl_ice_flow *f, thirl_bytes packet) {
  if (f->state == THIRL_ICE_FLOW_CONNECTING) { /* who speaks is connected, whatever the carrier tells first */
    thirl_addr unset = {0};
    thirl_ice_link_up(a, f, &unset, &unset);
  }
  thirl_addr local = f->local, remote = f->remote;
  inbound in = {.flow = f, .local = &local, .remote = &remote, .tcp = true};
  handle(a, in, packet);
}
