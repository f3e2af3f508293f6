/* SPDX-License-Identifier: MIT */
/*
 * The pipe and the verbs. What lives here: the agent's life from new to its end, candidates coming in, one evaluation after each input.
 * What does not: everything that agent.h lists.
 *
 *   CHECKING --- a pair is nominated and valid ---> SELECTED --- it is dead, no other ---> LOST
 *      |
 *      +-------- all has failed, or give_up ------> FAILED
 */
#include "ice/ice.h"

#include <stdlib.h>
#include <string.h>

#include "ice/agent.h"
#include "ice/check.h"
#include "ice/consent.h"
#include "ice/inbound.h"
#include "ice/link.h"
#include "ice/message.h"
#include "ice/nominate.h"
#include "ice/pair.h"
#include "ice/queue.h"
#include "ice/schedule.h"

#define TA_DEFAULT            (50 * THIRL_MS)
#define GIVE_UP_DEFAULT       (39500 * THIRL_MS)
#define CHECK_TIMEOUT_DEFAULT (10 * THIRL_S)
#define SETTLE_DEFAULT        (500 * THIRL_MS)

enum { REFUSALS_DEFAULT = 8, ACTIVE_PORT = 9 };

static bool is_over(const thirl_ice *a) {
  return a->state == THIRL_ICE_AGENT_LOST || a->state == THIRL_ICE_AGENT_FAILED;
}

static void set_now(thirl_ice *a, thirl_time now) {
  a->now = THIRL_MAX(a->now, now);
}

/* end without a pair */

/* May the peer still come to us, although we have nothing left to try? */
static bool may_be_reached(const thirl_ice *a) {
  bool passive = false, active = false;
  for (unsigned i = 0; i < a->n_locals; i++)
    passive = passive || a->locals[i].transport == THIRL_ICE_TCP_PASSIVE;
  for (unsigned i = 0; i < a->n_remotes; i++)
    active = active || a->remotes[i].transport == THIRL_ICE_TCP_ACTIVE;
  return passive && active;
}

static bool nothing_left(const thirl_ice *a) {
  for (unsigned i = 0; i < a->n_flows; i++)
    if (a->flows[i].state != THIRL_ICE_FLOW_FREE) return false;
  for (unsigned i = 0; i < a->n_pairs; i++)
    if (a->pairs[i].state != THIRL_ICE_PAIR_FAILED) return false;
  return a->no_more_candidates && !may_be_reached(a);
}

/* The most telling reason among the pairs; hosts: those with the peer's host candidates, or those with the others. */
static thirl_error reason_among(const thirl_ice *a, bool hosts) {
  bool silent = false, refused = false, unreachable = false, stranger = false;
  for (unsigned i = 0; i < a->n_pairs; i++) {
    const thirl_ice_pair *p = &a->pairs[i];
    if ((a->remotes[p->remote].type == THIRL_ICE_HOST) != hosts) continue;
    silent = silent || p->why == THIRL_OK || p->why == THIRL_E_TIMEOUT;
    refused = refused || p->why == THIRL_E_REFUSED;
    unreachable = unreachable || p->why == THIRL_E_UNREACHABLE;
    stranger = stranger || p->why == THIRL_E_STRANGER;
  }
  return silent        ? THIRL_E_TIMEOUT
         : refused     ? THIRL_E_REFUSED
         : unreachable ? THIRL_E_UNREACHABLE
         : stranger    ? THIRL_E_STRANGER
                       : THIRL_E_NO_PATH;
}

static void give_up(thirl_ice *a) {
  thirl_error reason = reason_among(a, false);
  if (reason == THIRL_E_NO_PATH) reason = reason_among(a, true);
  thirl_ice_link_stop(a);
  a->state = THIRL_ICE_AGENT_FAILED;
  for (unsigned i = 0; i < a->n_flows; i++)
    if (a->flows[i].state != THIRL_ICE_FLOW_FREE) thirl_ice_link_abort(a, &a->flows[i], THIRL_OK);
  thirl_ice_queue_push(&a->queue, &(thirl_ice_action){.kind = THIRL_ICE_FAILED, .error = reason}, NULL);
}

static thirl_time give_up_at(const thirl_ice *a) {
  return a->begun && a->state == THIRL_ICE_AGENT_CHECKING ? thirl_time_after(a->start_at, a->cfg.give_up) : THIRL_NEVER;
}

/* after each input */
static void evaluate(thirl_ice *a) {
  a->stirred = false;
  if (is_over(a)) return;
  thirl_ice_check_tick(a);
  thirl_ice_flow *selected = thirl_ice_nominate_selected(a);
  if (selected) thirl_ice_consent_tick(a, selected);
  thirl_ice_nominate_evaluate(a);
  thirl_ice_schedule_run(a);
  if (a->begun && a->state == THIRL_ICE_AGENT_CHECKING && (give_up_at(a) <= a->now || nothing_left(a))) give_up(a);
}

/* new and free */

static bool is_credential(const char *text, size_t min) {
  size_t n = text ? strlen(text) : 0;
  return n >= min && n <= THIRL_ICE_CREDENTIAL_MAX;
}

thirl_error thirl_ice_new(const thirl_ice_config *cfg, thirl_ice **out) {
  *out = NULL;
  if (!cfg->ufrag || !cfg->pwd || !cfg->secrets) return THIRL_E_INVALID;
  if (!is_credential(cfg->ufrag, THIRL_ICE_UFRAG_MIN) || !is_credential(cfg->pwd, THIRL_ICE_PWD_MIN))
    return THIRL_E_RANGE;
  thirl_ice *a = calloc(1, sizeof *a);
  if (!a) return THIRL_E_NOMEM;
  a->cfg = *cfg;
  memcpy(a->ufrag, cfg->ufrag, strlen(cfg->ufrag) + 1);
  memcpy(a->pwd, cfg->pwd, strlen(cfg->pwd) + 1);
  a->cfg.ufrag = a->ufrag;
  a->cfg.pwd = a->pwd;
  if (!a->cfg.ta) a->cfg.ta = TA_DEFAULT;
  if (!a->cfg.give_up) a->cfg.give_up = GIVE_UP_DEFAULT;
  if (!a->cfg.check_timeout) a->cfg.check_timeout = CHECK_TIMEOUT_DEFAULT;
  if (!a->cfg.settle) a->cfg.settle = SETTLE_DEFAULT;
  if (!a->cfg.refusals) a->cfg.refusals = REFUSALS_DEFAULT;
  a->controlling = cfg->controlling;
  a->tie_breaker = thirl_secrets_u64(cfg->secrets);
  thirl_dice_seed(&a->dice, thirl_secrets_u64(cfg->secrets));
  a->consent.next_at = a->consent.expires_at = THIRL_NEVER;
  *out = a;
  return THIRL_OK;
}

void thirl_ice_free(thirl_ice *a) {
  if (!a) return;
  thirl_bytes_wipe(a, sizeof *a);
  free(a);
}

/* candidates */

static thirl_ice_candidate *find_candidate(thirl_ice_candidate *list, unsigned n, const thirl_ice_candidate *c) {
  for (unsigned i = 0; i < n; i++)
    if (list[i].transport == c->transport && thirl_addr_equal(&list[i].addr, &c->addr) &&
        thirl_addr_equal(&list[i].base, &c->base))
      return &list[i];
  return NULL;
}

/* What the caller left open. Candidates of one kind get falling preferences in the order in which they come. */
static void complete(thirl_ice_candidate *c, const thirl_ice_candidate *list, unsigned n) {
  unsigned before = 0;
  for (unsigned i = 0; i < n; i++)
    before += list[i].transport == c->transport && list[i].type == c->type;
  unsigned max = thirl_ice_candidate_is_tcp(c->transport) ? 8191 : 65535;
  if (!c->priority) c->priority = thirl_ice_candidate_priority(c->type, c->transport, max - before);
  if (!c->foundation) c->foundation = thirl_ice_candidate_foundation(c, NULL);
}

thirl_error thirl_ice_add_local(thirl_ice *a, const thirl_ice_candidate *candidate) {
  thirl_ice_candidate c = *candidate;
  if (!thirl_addr_is_set(&c.addr)) return THIRL_E_INVALID;
  if (!thirl_addr_is_set(&c.base)) c.base = c.addr;
  if (c.transport == THIRL_ICE_TCP_ACTIVE && c.base.port == ACTIVE_PORT) c.base.port = 0;
  if (find_candidate(a->locals, a->n_locals, &c)) return THIRL_OK;
  if (a->n_locals == THIRL_ICE_LOCAL_MAX) return THIRL_E_LIMIT;
  complete(&c, a->locals, a->n_locals);
  a->locals[a->n_locals++] = c;
  thirl_ice_pair_form_local(a, a->n_locals - 1);
  a->stirred = true;
  return THIRL_OK;
}

bool thirl_ice_get_local(const thirl_ice *a, size_t i, thirl_ice_candidate *out) {
  if (i >= a->n_locals) return false;
  *out = a->locals[i];
  return true;
}

thirl_error thirl_ice_set_remote(thirl_ice *a, const char *ufrag, const char *pwd) {
  if (!is_credential(ufrag, THIRL_ICE_UFRAG_MIN) || !is_credential(pwd, THIRL_ICE_PWD_MIN)) return THIRL_E_RANGE;
  if (a->has_remote) return THIRL_E_STATE;
  memcpy(a->remote_ufrag, ufrag, strlen(ufrag) + 1);
  memcpy(a->remote_pwd, pwd, strlen(pwd) + 1);
  a->has_remote = a->stirred = true;
  return THIRL_OK;
}

static bool may_be_probed(const thirl_ice *a, const thirl_ice_candidate *c) {
  if (a->cfg.any_address) return c->transport == THIRL_ICE_TCP_ACTIVE || c->addr.port != 0;
  thirl_addr addr = c->addr;
  if (c->transport == THIRL_ICE_TCP_ACTIVE) addr.port = ACTIVE_PORT; /* nobody sends there */
  return thirl_addr_is_probeable(&addr);
}

thirl_error thirl_ice_add_remote(thirl_ice *a, thirl_time now, const thirl_ice_candidate *candidate) {
  thirl_ice_candidate c = *candidate;
  set_now(a, now);
  if (is_over(a) || !may_be_probed(a, &c)) return THIRL_OK;
  memset(&c.base, 0, sizeof c.base);
  thirl_ice_candidate *known = find_candidate(a->remotes, a->n_remotes, &c);
  if (!known && a->n_remotes == THIRL_ICE_REMOTE_MAX) return THIRL_E_LIMIT;
  if (known && known->type != THIRL_ICE_PRFLX) return THIRL_OK;
  complete(&c, a->remotes, a->n_remotes);
  if (!known) known = &a->remotes[a->n_remotes++];
  *known = c; /* RFC 8838 section 11: what the peer says of it replaces what we guessed */
  thirl_ice_pair_reprioritize(a);
  thirl_ice_pair_form_remote(a, (unsigned)(known - a->remotes));
  evaluate(a);
  return THIRL_OK;
}

void thirl_ice_end_of_candidates(thirl_ice *a, thirl_time now) {
  set_now(a, now);
  a->no_more_candidates = true;
  evaluate(a);
}

void thirl_ice_start(thirl_ice *a, thirl_time now, thirl_time at) {
  set_now(a, now);
  if (a->begun) return;
  a->has_start = true;
  a->start_at = THIRL_MAX(at, a->now);
  evaluate(a);
}

/* the pipe */

thirl_error thirl_ice_accept(thirl_ice *a, thirl_time now, const thirl_addr *local, const thirl_addr *remote,
                             thirl_ice_link *out) {
  set_now(a, now);
  *out = 0;
  if (a->state != THIRL_ICE_AGENT_CHECKING && !thirl_ice_nominate_lingers(a)) return THIRL_E_STATE;
  if (thirl_ice_pair_local_of(a, true, local) < 0) return THIRL_E_NOT_FOUND;
  thirl_ice_flow *f = thirl_ice_link_accept(a, local, remote);
  if (!f) return THIRL_E_LIMIT;
  *out = f->link;
  evaluate(a);
  return THIRL_OK;
}

static void input_link(thirl_ice *a, const thirl_ice_input_event *ev) {
  thirl_ice_flow *f = thirl_ice_link_find(a, ev->link);
  if (!f) return;
  switch (ev->kind) {
  case THIRL_ICE_LINK_UP:
    thirl_ice_link_up(a, f, &ev->local, &ev->remote);
    break;
  case THIRL_ICE_LINK_FAILED:
    thirl_ice_link_failed(a, f, ev->error);
    break;
  case THIRL_ICE_LINK_CLOSED:
    thirl_ice_link_failed(a, f, THIRL_E_RESET);
    break;
  case THIRL_ICE_LINK_MESSAGE:
    thirl_ice_inbound_frame(a, f, ev->payload);
    break;
  case THIRL_ICE_DATAGRAM:
  case THIRL_ICE_TICK:
    break;
  }
}

void thirl_ice_input(thirl_ice *a, thirl_time now, const thirl_ice_input_event *ev) {
  set_now(a, now);
  if (is_over(a)) return;
  if (ev->kind == THIRL_ICE_DATAGRAM)
    thirl_ice_inbound_datagram(a, &ev->local, &ev->remote, ev->payload);
  else if (ev->kind != THIRL_ICE_TICK)
    input_link(a, ev);
  evaluate(a);
}

bool thirl_ice_poll(thirl_ice *a, thirl_time now, thirl_ice_action *out) {
  thirl_ice_intent i;
  set_now(a, now);
  if (a->stirred && a->begun) evaluate(a);
  while (thirl_ice_queue_pop(&a->queue, &i)) {
    *out = i.action;
    if (out->kind != THIRL_ICE_SEND && out->kind != THIRL_ICE_SENDTO) return true;
    if (thirl_ice_message_build(a, &i.message, &out->payload) == THIRL_OK) return true;
  }
  memset(out, 0, sizeof *out);
  return false;
}

thirl_time thirl_ice_deadline(const thirl_ice *a) {
  if (is_over(a)) return THIRL_NEVER;
  thirl_time t = THIRL_MIN(thirl_ice_check_deadline(a), thirl_ice_link_deadline(a));
  t = THIRL_MIN(t, thirl_ice_nominate_deadline(a));
  t = THIRL_MIN(t, thirl_ice_schedule_deadline(a));
  t = THIRL_MIN(t, give_up_at(a));
  if (thirl_ice_nominate_has_selected(a)) t = THIRL_MIN(t, thirl_ice_consent_deadline(a));
  return t;
}

thirl_ice_link thirl_ice_prospect(const thirl_ice *a) {
  return thirl_ice_nominate_prospect(a);
}

void thirl_ice_get_evidence(const thirl_ice *a, thirl_ice_evidence *out) {
  *out = a->evidence;
  out->pairs = a->n_pairs;
}

bool thirl_ice_is_controlling(const thirl_ice *a) {
  return a->controlling;
}
