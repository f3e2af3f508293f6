/* SPDX-License-Identifier: MIT */
/* What lives here: routing between the parts, and what needs more than one of them (an offer needs lanes and a session). Nothing about bytes. */
#include "session/endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "ice/route.h"
#include "session/rendezvous.h"
#include "session/roster.h"

#define OVER_LINGER (1 * THIRL_S) /* how long a finished session may go on sending its last words */

enum { UFRAG_LEN = 8, PWD_LEN = 24 };

static void evaluate(thirl_session_endpoint *e, thirl_time now);

/* ---- birth and death ---- */

thirl_error thirl_session_endpoint_new(const thirl_session_endpoint_config *cfg, thirl_time now,
                                       thirl_session_endpoint **out) {
  (void)now;
  *out = NULL;
  thirl_session_endpoint *e = calloc(1, sizeof *e);
  if (!e) return THIRL_E_NOMEM;
  e->cfg = *cfg;
  thirl_list_init(&e->peers);
  thirl_dice_seed(&e->dice, thirl_secrets_u64(cfg->secrets));
  thirl_session_lanes_init(&e->lanes, cfg->secrets, thirl_dice_u64(&e->dice));
  thirl_session_survey_init(&e->survey);
  thirl_session_anonymous_init(&e->doors);
  thirl_secrets_ice_text(cfg->secrets, e->ufrag, UFRAG_LEN);
  thirl_secrets_ice_text(cfg->secrets, e->pwd, PWD_LEN);
  e->is_listening = cfg->max_incoming > 0;
  thirl_meet_client *client = NULL;
  thirl_meet_client_config mc = {.key = thirl_secure_identity_key(cfg->identity),
                                 .id = *thirl_secure_identity_peerid(cfg->identity),
                                 .secrets = cfg->secrets};
  thirl_error err = thirl_secure_tls_context_new(cfg->identity, &e->tls);
  if (err == THIRL_OK) err = thirl_meet_client_new(&mc, &client);
  thirl_session_control_init(&e->control, client, thirl_dice_u64(&e->dice));
  if (err != THIRL_OK) {
    thirl_session_endpoint_free(e);
    return err;
  }
  *out = e;
  return THIRL_OK;
}

void thirl_session_endpoint_free(thirl_session_endpoint *e) {
  if (!e) return;
  thirl_session_peer *p;
  while ((p = thirl_session_roster_at(thirl_list_first(&e->peers))) != NULL)
    thirl_session_roster_remove(e, p);
  thirl_session_anonymous_fini(&e->doors);
  thirl_session_survey_fini(&e->survey);
  thirl_session_lanes_fini(&e->lanes);
  thirl_session_control_fini(&e->control);
  thirl_secure_tls_context_free(e->tls);
  thirl_bytes_wipe(e->tickets, sizeof e->tickets);
  thirl_bytes_wipe(e->pwd, sizeof e->pwd);
  free(e);
}

thirl_error thirl_session_endpoint_start(thirl_session_endpoint *e, thirl_time now, const thirl_addr *servers,
                                         size_t n) {
  if (e->is_started) return THIRL_E_STATE;
  thirl_error err = thirl_session_control_set_servers(&e->control, servers, n);
  if (err != THIRL_OK) return err;
  e->is_started = true;
  thirl_session_control_start(&e->control, now);
  if (!e->cfg.policy.relay_only)
    thirl_session_lanes_start(&e->lanes, now, thirl_session_control_server(&e->control), &e->queue);
  evaluate(e, now);
  return THIRL_OK;
}

thirl_error thirl_session_endpoint_move(thirl_session_endpoint *e, thirl_time now, const thirl_addr *servers,
                                        size_t n) {
  if (!e->is_started) return THIRL_E_STATE;
  thirl_error err = thirl_session_control_move(&e->control, now, servers, n, &e->queue);
  if (err == THIRL_OK) evaluate(e, now);
  return err;
}

/* ---- peers ---- */

thirl_error thirl_session_endpoint_dial(thirl_session_endpoint *e, thirl_time now, const thirl_meet_ticket *ticket,
                                        const thirl_session_policy *policy, uint32_t *handle) {
  uint8_t id[THIRL_SESSION_ID_LEN];
  thirl_session_peer *p;
  if (thirl_peerid_equal(&ticket->peer, thirl_secure_identity_peerid(e->cfg.identity))) return THIRL_E_SELF;
  thirl_secrets_fill(e->cfg.secrets, id, sizeof id);
  thirl_error err = thirl_session_roster_add(e, now, true, &ticket->peer, id, policy, &p);
  if (err != THIRL_OK) return err;
  p->ticket = *ticket;
  *handle = p->handle;
  evaluate(e, now);
  return THIRL_OK;
}

void thirl_session_endpoint_abandon(thirl_session_endpoint *e, thirl_time now, uint32_t handle, thirl_error reason) {
  thirl_session_peer *p = thirl_session_roster_find_handle(e, handle);
  if (!p) return;
  thirl_session_abandon(&p->session, now, reason);
  evaluate(e, now);
}

bool thirl_session_endpoint_is_idle(const thirl_session_endpoint *e) {
  return e->n_peers == 0;
}

/* ---- what is left at the server ---- */

thirl_error thirl_session_endpoint_admit(thirl_session_endpoint *e, thirl_time now, const thirl_meet_ticket *ticket) {
  if (e->n_tickets == THIRL_SESSION_TICKETS_MAX) return THIRL_E_LIMIT;
  e->tickets[e->n_tickets++] = *ticket;
  e->standing_due = true;
  evaluate(e, now);
  return THIRL_OK;
}

thirl_error thirl_session_endpoint_ticket(thirl_session_endpoint *e, thirl_time now, const char *host, uint16_t port,
                                          thirl_meet_ticket *out) {
  thirl_error err =
      thirl_meet_ticket_make(e->cfg.secrets, host, port, thirl_secure_identity_peerid(e->cfg.identity), out);
  return err == THIRL_OK ? thirl_session_endpoint_admit(e, now, out) : err;
}

void thirl_session_endpoint_stop_listening(thirl_session_endpoint *e, thirl_time now) {
  if (!e->is_listening) return;
  e->is_listening = false;
  e->standing_due = true;
  evaluate(e, now);
}

/* ---- doors: connections that came in ---- */

static void tell_of_stranger(thirl_session_endpoint *e, const thirl_addr *remote) {
  e->stats.strangers++;
  thirl_session_roster_tell(
      e, (thirl_session_endpoint_event){.kind = THIRL_SESSION_REJECTED, .error = THIRL_E_STRANGER, .remote = *remote});
}

/* Every connection that has shown its first packet is given to the session it names, as soon as that session exists here. */
static void open_doors(thirl_session_endpoint *e, thirl_time now) {
  thirl_session_door *d;
  for (size_t at = 0; (d = thirl_session_anonymous_next_named(&e->doors, &at)) != NULL;) {
    thirl_bytes ours, theirs, first = THIRL_BYTES(d->first, d->first_n);
    if (thirl_ice_route_parse(first, &ours, &theirs) != THIRL_OK) {
      tell_of_stranger(e, &d->remote);
      thirl_session_queue_abort(&e->queue, d->id);
      thirl_session_anonymous_remove(&e->doors, d);
      at = 0;
      continue;
    }
    thirl_session_peer *p = thirl_session_roster_find_ufrags(e, ours, theirs);
    if (!p) continue; /* the OFFER may come a moment later than the connection */
    if (!thirl_session_peer_adopt(p, now, d, &e->queue)) {
      e->stats.anonymous_refused++;
      thirl_session_queue_abort(&e->queue, d->id);
    }
    thirl_session_anonymous_remove(&e->doors, d);
    at = 0;
  }
}

static void door_input(thirl_session_endpoint *e, thirl_time now, const thirl_net_event *ev) {
  thirl_addr remote;
  thirl_session_door_verdict v = thirl_session_anonymous_input(&e->doors, now, ev, &remote);
  if (v == THIRL_SESSION_DOOR_FINE) return;
  if (v == THIRL_SESSION_DOOR_STRANGER) tell_of_stranger(e, &remote);
  if (v != THIRL_SESSION_DOOR_GONE) thirl_session_queue_abort(&e->queue, ev->id);
}

static void close_old_doors(thirl_session_endpoint *e, thirl_time now) {
  thirl_net_id id;
  while (e->doors.n) {
    uint64_t *count = e->doors.n > THIRL_SESSION_DOORS_MAX ? &e->stats.anonymous_refused : &e->stats.anonymous_timeouts;
    if (!thirl_session_anonymous_expire(&e->doors, now, &id)) return;
    ++*count;
    thirl_session_queue_abort(&e->queue, id);
  }
}

/* ---- everything that follows ---- */

/* With less credit than a record is worth the channel waits: the server grants more long before the last bytes of it are of use. */
static size_t credit_of(thirl_session_endpoint *e, const thirl_session_peer *p) {
  size_t credit = p->channel ? thirl_meet_client_channel_credit(e->control.client, p->channel) : 0;
  return credit < THIRL_SESSION_PATH_LEAST_PULL ? 0 : credit;
}

static bool channel_wants_pull(thirl_session_endpoint *e, thirl_session_peer *p) {
  return credit_of(e, p) && thirl_session_relay_wants_pull(&p->session);
}

static void arm_control(thirl_session_endpoint *e) {
  if (e->control.state != THIRL_SESSION_CONTROL_UP || e->control_armed) return;
  bool wants = thirl_meet_client_has_output(e->control.client);
  THIRL_SESSION_EACH(e, p) wants = wants || channel_wants_pull(e, p);
  if (!wants) return;
  e->control_armed = true;
  thirl_session_queue_write(&e->queue, e->control.conn);
}

/* A session that is over says its last words, then everything about it is closed. */
static void bury(thirl_session_endpoint *e, thirl_time now, thirl_session_peer *p) {
  if (p->over_at == THIRL_NEVER) p->over_at = now;
  if (p->is_buried) return;
  bool quiet = !thirl_session_relay_wants_pull(&p->session) && !thirl_session_direct_wants_pull(&p->session);
  if (!quiet && now < p->over_at + OVER_LINGER) return;
  if (p->channel) thirl_meet_client_end_channel(e->control.client, now, p->channel, THIRL_OK);
  p->channel = 0;
  for (thirl_link *l = thirl_list_first(&p->links); l; l = thirl_list_next(&p->links, l)) {
    thirl_session_link *k = THIRL_OWNER(l, thirl_session_link, in);
    if (k->is_selected && quiet)
      thirl_session_queue_close(&e->queue, k->id);
    else
      thirl_session_queue_abort(&e->queue, k->id);
  }
  thirl_session_peer_bury(p);
}

/* What our NAT does with destinations is asked when a session is about to need it as a reason. */
static void evaluate_survey(thirl_session_endpoint *e, thirl_time now) {
  thirl_session_survey_evaluate(&e->survey, now, &e->lanes, &e->queue);
  thirl_session_mapping mapping = thirl_session_survey_mapping(&e->survey, &e->lanes);
  THIRL_SESSION_EACH(e, p) {
    if (p->is_buried) continue;
    if (now >= thirl_session_doubts_at(&p->session)) {
      thirl_session_doubts_heard(&p->session);
      thirl_session_survey_begin(&e->survey, now, &e->lanes, &e->queue);
    }
    thirl_session_mapping_is(&p->session, now, mapping);
  }
}

static void evaluate(thirl_session_endpoint *e, thirl_time now) {
  e->now = now;
  e->events_wait = false;
  evaluate_survey(e, now);
  thirl_session_rendezvous_begin_rounds(e, now);
  open_doors(e, now);
  for (thirl_session_peer *p = thirl_session_roster_at(thirl_list_first(&e->peers)), *next; p; p = next) {
    next = thirl_session_roster_at(thirl_list_next(&e->peers, &p->in));
    thirl_session_peer_evaluate(p, now, &e->queue);
    thirl_session_roster_tell_of(e, p);
    bool relay_gone = p->channel && !thirl_session_path_is_set(&p->session.relay);
    if (relay_gone) {
      thirl_meet_client_end_channel(e->control.client, now, p->channel, THIRL_E_LOST);
      p->channel = 0;
    }
    thirl_session_rendezvous_let_go(e, now, p);
    if (p->session.state == THIRL_SESSION_STATE_OVER) bury(e, now, p);
    if (p->is_buried && !thirl_session_roster_has_to_tell(p)) thirl_session_roster_remove(e, p);
  }
  arm_control(e);
}

/* ---- the pipe ---- */

static void route(thirl_session_endpoint *e, thirl_time now, const thirl_net_event *ev) {
  if (ev->kind == THIRL_NET_ACCEPTED || thirl_session_anonymous_owns(&e->doors, ev->id)) {
    door_input(e, now, ev);
    return;
  }
  if (ev->id == e->control.conn) {
    thirl_session_rendezvous_input(e, now, ev);
    return;
  }
  if (thirl_session_survey_owns(&e->survey, ev->id)) {
    thirl_session_survey_input(&e->survey, now, ev, &e->lanes, &e->queue);
    return;
  }
  if (thirl_session_lanes_input(&e->lanes, now, ev, &e->queue)) return;
  THIRL_SESSION_EACH(e, p) {
    thirl_session_link *k = thirl_session_peer_find_link(p, ev->id);
    if (!k) continue;
    thirl_session_peer_link_input(p, now, k, ev, &e->queue);
    return;
  }
}

static void tick(thirl_session_endpoint *e, thirl_time now) {
  static const thirl_ice_input_event ice_tick = {.kind = THIRL_ICE_TICK};
  thirl_session_rendezvous_tick(e, now);
  thirl_session_lanes_tick(&e->lanes, now, &e->queue);
  close_old_doors(e, now);
  THIRL_SESSION_EACH(e, p) if (p->ice && thirl_ice_deadline(p->ice) <= now) thirl_ice_input(p->ice, now, &ice_tick);
}

void thirl_session_endpoint_input(thirl_session_endpoint *e, thirl_time now, const thirl_net_event *ev) {
  if (ev->kind != THIRL_NET_TICK) route(e, now, ev);
  tick(e, now);
  evaluate(e, now);
}

bool thirl_session_endpoint_poll(thirl_session_endpoint *e, thirl_time now, thirl_net_action *out) {
  (void)now;
  return thirl_session_queue_take(&e->queue, out);
}

/* Control messages first; then the channels in turn, one message each, so that a busy one does not starve the others. */
static size_t pull_control(thirl_session_endpoint *e, uint8_t *buf, size_t cap) {
  size_t n = thirl_meet_client_pull(e->control.client, buf, cap);
  if (thirl_meet_client_has_output(e->control.client)) return n;
  size_t idle = 0;
  thirl_session_peer *p = e->turn ? e->turn : thirl_session_roster_at(thirl_list_first(&e->peers));
  while (p && idle < e->n_peers) {
    thirl_session_peer *next = thirl_session_roster_at(thirl_list_next(&e->peers, &p->in));
    size_t credit = credit_of(e, p);
    size_t head = THIRL_STUN_CHANNEL_HEADER_LEN, room = cap - n < head + 4 ? 0 : cap - n - head - 3;
    if (room < 1024) break;
    size_t got = credit ? thirl_session_relay_pull(&p->session, buf + n + head,
                                                   THIRL_MIN(THIRL_MIN(room, credit), (size_t)THIRL_MEET_DATA_MAX))
                        : 0;
    idle = got ? 0 : idle + 1;
    if (got) {
      thirl_stun_stream_put_channel(buf + n, p->channel, (uint16_t)got);
      thirl_meet_client_channel_spend(e->control.client, p->channel, got);
      n += head + got;
      for (; got % 4; got++)
        buf[n++] = 0;
    }
    p = next ? next : thirl_session_roster_at(thirl_list_first(&e->peers));
  }
  e->turn = p;
  return n;
}

size_t thirl_session_endpoint_pull(thirl_session_endpoint *e, thirl_time now, thirl_net_id id, uint8_t *buf,
                                   size_t cap) {
  size_t n = 0;
  if (id == e->control.conn) {
    n = pull_control(e, buf, cap);
    if (n == 0) e->control_armed = false;
  } else if (thirl_session_survey_owns(&e->survey, id)) {
    n = thirl_session_survey_pull(&e->survey, buf, cap);
  } else if (thirl_session_lanes_owns(&e->lanes, id)) {
    n = thirl_session_lanes_pull(&e->lanes, now, id, buf, cap);
  } else {
    THIRL_SESSION_EACH(e, p) {
      thirl_session_link *k = thirl_session_peer_find_link(p, id);
      if (!k) continue;
      n = thirl_session_peer_link_pull(p, k, buf, cap);
      break;
    }
  }
  if (n == 0) evaluate(e, now); /* what was said has left: a session that waited for it may be over */
  return n;
}

thirl_time thirl_session_endpoint_deadline(thirl_session_endpoint *e) {
  thirl_time t = thirl_session_rendezvous_deadline(e, e->now);
  t = THIRL_MIN(t, thirl_session_lanes_deadline(&e->lanes));
  t = THIRL_MIN(t, thirl_session_survey_deadline(&e->survey));
  t = THIRL_MIN(t, thirl_session_anonymous_deadline(&e->doors));
  THIRL_SESSION_EACH(e, p) {
    if (p->is_buried) continue;
    if (p->over_at != THIRL_NEVER)
      t = THIRL_MIN(t, p->over_at + OVER_LINGER);
    else
      t = THIRL_MIN(t, THIRL_MIN(thirl_session_peer_deadline(p), thirl_session_doubts_at(&p->session)));
  }
  return t;
}

static void machine_input(void *self, thirl_time now, const thirl_net_event *ev) {
  thirl_session_endpoint_input(self, now, ev);
}
static bool machine_poll(void *self, thirl_time now, thirl_net_action *out) {
  return thirl_session_endpoint_poll(self, now, out);
}
static size_t machine_pull(void *self, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap) {
  return thirl_session_endpoint_pull(self, now, id, buf, cap);
}
static thirl_time machine_deadline(void *self) {
  return thirl_session_endpoint_deadline(self);
}

thirl_net_machine thirl_session_endpoint_machine(thirl_session_endpoint *e) {
  return (thirl_net_machine){e, machine_input, machine_poll, machine_pull, machine_deadline};
}

const thirl_session_endpoint_stats *thirl_session_endpoint_stats_of(const thirl_session_endpoint *e) {
  return &e->stats;
}

bool thirl_session_endpoint_next_event(thirl_session_endpoint *e, thirl_session_endpoint_event *ev) {
  bool found = thirl_session_roster_next_event(e, ev);
  if (e->events_wait) evaluate(e, e->now);
  return found;
}

void thirl_session_endpoint_evaluate(thirl_session_endpoint *e, thirl_time now) {
  evaluate(e, now);
}
