/* SPDX-License-Identifier: MIT */
#include "session/rendezvous.h"

#include <string.h>

enum { UFRAG_LEN = 8, PWD_LEN = 24 };

/* ---- the end of channels and connections ---- */

static void end_channel(thirl_session_endpoint *e, thirl_time now, thirl_session_peer *p, thirl_error why, bool tell) {
  if (tell && p->channel) thirl_meet_client_end_channel(e->control.client, now, p->channel, why);
  p->channel = 0;
  thirl_session_relay_down(&p->session, now, why);
}

static void lose_control(thirl_session_endpoint *e, thirl_time now, thirl_error why) {
  THIRL_SESSION_EACH(e, p) {
    if (p->channel) end_channel(e, now, p, why, false);
    p->refusal_channel = 0;
    thirl_session_end_round(&p->session, now, why);
  }
  e->control_armed = false;
  if (e->was_registered || e->control.failures == 1)
    thirl_session_roster_tell(e,
                              (thirl_session_endpoint_event){.kind = THIRL_SESSION_UNREGISTERED,
                                                             .error = why,
                                                             .remote = *thirl_session_control_last_tried(&e->control)});
  e->was_registered = false;
}

/* ---- what is left at the server ---- */

/* False: it could not be, and the connection was dropped; the next registration tries again. */
static bool leave_standing(thirl_session_endpoint *e, thirl_time now) {
  uint8_t checks[THIRL_SESSION_TICKETS_MAX][THIRL_MEET_CHECK_LEN];
  uint8_t proof[THIRL_MEET_PROOF_LEN];
  /* Who has come in may have to come again, when its paths are lost. */
  size_t n = e->is_listening || e->n_incoming ? e->n_tickets : 0;
  e->standing_due = e->lanes.has_news = false;
  for (size_t i = 0; i < n; i++)
    if (thirl_meet_ticket_proof(&e->tickets[i], proof) != THIRL_OK ||
        thirl_meet_ticket_check(proof, checks[i]) != THIRL_OK) {
      thirl_session_control_drop(&e->control, now, THIRL_E_NOMEM, &e->queue);
      lose_control(e, now, THIRL_E_NOMEM);
      return false;
    }
  memset(&e->standing, 0, sizeof e->standing);
  memcpy(e->standing.ufrag, e->ufrag, sizeof e->ufrag);
  memcpy(e->standing.pwd, e->pwd, sizeof e->pwd);
  if (!e->cfg.policy.relay_only) thirl_session_lanes_offer(&e->lanes, &e->standing);
  (void)thirl_meet_client_set_standing(e->control.client, now, n ? &e->standing : NULL, checks, n);
  return true;
}

/* ---- rounds ---- */

static void bases_of(const thirl_session_endpoint *e, thirl_addr bases[THIRL_SESSION_LANES]) {
  for (int i = 0; i < THIRL_SESSION_LANES; i++)
    bases[i] = e->lanes.lane[i].local;
}

/* The dialer's half of a round: fresh credentials, the lanes as they are now, and CONNECT. */
static void begin_round(thirl_session_endpoint *e, thirl_time now, thirl_session_peer *p) {
  thirl_meet_offer o = {.round = ++p->round};
  thirl_secrets_ice_text(e->cfg.secrets, p->ufrag, UFRAG_LEN);
  thirl_secrets_ice_text(e->cfg.secrets, p->pwd, PWD_LEN);
  memcpy(o.ufrag, p->ufrag, sizeof o.ufrag);
  memcpy(o.pwd, p->pwd, sizeof o.pwd);
  if (thirl_session_wants_punch(&p->session)) thirl_session_lanes_offer(&e->lanes, &o);
  p->offered = o;
  o.early_n = thirl_session_relay_prepare(&p->session, now, o.early, sizeof o.early); /* is said once */
  thirl_session_begin_round(&p->session, now);
  thirl_error err = thirl_meet_client_connect(e->control.client, now, &p->ticket, p->session.id, &o);
  if (err != THIRL_OK) thirl_session_end_round(&p->session, now, err);
}

static bool can_begin(const thirl_session_endpoint *e, thirl_time now) {
  return thirl_session_control_is_registered(&e->control) &&
         (e->cfg.policy.relay_only || thirl_session_lanes_are_ready(&e->lanes, now));
}

void thirl_session_rendezvous_begin_rounds(thirl_session_endpoint *e, thirl_time now) {
  if (!can_begin(e, now)) return;
  if (e->lanes.has_news && e->n_tickets) e->standing_due = true;
  if (e->standing_due && !leave_standing(e, now)) return;
  THIRL_SESSION_EACH(e, p) if (thirl_session_wants_round(&p->session, now)) begin_round(e, now, p);
}

thirl_time thirl_session_rendezvous_deadline(const thirl_session_endpoint *e, thirl_time now) {
  thirl_time t = thirl_session_control_deadline(&e->control), round = e->standing_due ? now : THIRL_NEVER;
  THIRL_SESSION_EACH(e, p) round = THIRL_MIN(round, thirl_session_next_round(&p->session));
  if (can_begin(e, now)) return THIRL_MIN(t, round);
  bool lanes_are_awaited = round != THIRL_NEVER && thirl_session_control_is_registered(&e->control);
  return lanes_are_awaited ? THIRL_MIN(t, thirl_session_lanes_patience_ends(&e->lanes)) : t;
}

/* The channel of a session that wants no relay. Until something is proven it stays, for the peer may have a word to say by ending it. */
static void take_unwanted(thirl_session_endpoint *e, thirl_time now, thirl_session_peer *p, uint16_t channel) {
  bool may_be_refused = p->session.is_dialer && p->session.state == THIRL_SESSION_STATE_OPENING;
  if (may_be_refused)
    p->refusal_channel = channel;
  else
    thirl_meet_client_end_channel(e->control.client, now, channel, THIRL_E_ONLY_RELAY);
  thirl_session_relay_down(&p->session, now, THIRL_OK);
}

void thirl_session_rendezvous_let_go(thirl_session_endpoint *e, thirl_time now, thirl_session_peer *p) {
  bool may_be_refused = p->session.state == THIRL_SESSION_STATE_OPENING && p->session.punching;
  if (!p->refusal_channel || may_be_refused) return;
  thirl_meet_client_end_channel(e->control.client, now, p->refusal_channel, THIRL_E_ONLY_RELAY);
  p->refusal_channel = 0;
}

/* Both sides, at GO: the new relay channel replaces the old one, and punching begins if both have shown addresses. */
static void go(thirl_session_endpoint *e, thirl_time now, thirl_session_peer *p, const thirl_meet_offer *ours,
               const thirl_meet_event *ev) {
  thirl_addr bases[THIRL_SESSION_LANES];
  if (p->channel && p->channel != ev->channel)
    thirl_meet_client_end_channel(e->control.client, now, p->channel, THIRL_E_RESET);
  if (p->refusal_channel && p->refusal_channel != ev->channel)
    thirl_meet_client_end_channel(e->control.client, now, p->refusal_channel, THIRL_E_RESET);
  p->channel = p->refusal_channel = 0;
  if (p->session.policy.direct_only) {
    take_unwanted(e, now, p, ev->channel);
  } else if (thirl_session_relay_up(&p->session, now) == THIRL_OK) {
    p->channel = ev->channel;
  } else {
    thirl_meet_client_end_channel(e->control.client, now, ev->channel, THIRL_E_NOMEM);
  }
  bool dialer_punches = p->session.is_dialer ? ours->n > 0 : ev->offer.n > 0;
  if (!dialer_punches || p->session.policy.relay_only) {
    thirl_session_punch_omitted(&p->session);
    return;
  }
  thirl_session_direct_down(&p->session, now, THIRL_OK); /* the dialer punches only when its direct path is gone */
  bases_of(e, bases);
  thirl_error err = THIRL_E_HIDDEN;
  if (ours->n && ev->offer.n) err = thirl_session_peer_punch(p, now, ours, bases, &ev->offer, ev->fire_at, &e->queue);
  if (err != THIRL_OK) thirl_session_punch_failed(&p->session, now, err);
}

/* E_TICKET: none of ours. E_NOMEM, E_CRYPTO: nobody knows. */
static thirl_error check_ticket(thirl_session_endpoint *e, const thirl_meet_event *ev) {
  uint8_t mac[THIRL_MEET_MAC_LEN];
  thirl_bytes session = THIRL_BYTES(ev->session, sizeof ev->session);
  for (size_t i = 0; i < e->n_tickets; i++) {
    thirl_error err = thirl_meet_ticket_mac(&e->tickets[i], &ev->peer, session, ev->offer_bytes, mac);
    if (err != THIRL_OK) return err;
    if (thirl_bytes_equal_secret(THIRL_BYTES(mac, sizeof mac), THIRL_BYTES(ev->offer_mac, sizeof ev->offer_mac)))
      return THIRL_OK;
  }
  return THIRL_E_TICKET;
}

/* Sessions that are over and say their last words take nobody's place. */
static bool is_busy(thirl_session_endpoint *e) {
  size_t n = 0;
  THIRL_SESSION_EACH(e, p) n += !p->session.is_dialer && p->session.state != THIRL_SESSION_STATE_OVER;
  return n >= e->cfg.max_incoming;
}

/* The reason goes to whoever has shown the server a proof of the ticket, and nobody else. */
static void take_offer(thirl_session_endpoint *e, thirl_time now, const thirl_meet_event *ev) {
  thirl_session_peer *p = thirl_session_roster_find_session(e, &ev->peer, ev->session);
  thirl_error refuse = check_ticket(e, ev);
  if (refuse == THIRL_E_TICKET) {
    e->stats.bad_offers++;
    thirl_session_roster_tell(
        e, (thirl_session_endpoint_event){.kind = THIRL_SESSION_REJECTED, .error = THIRL_E_TICKET, .peer = ev->peer});
  } else if (refuse != THIRL_OK) {
    refuse = THIRL_E_NOMEM;
  } else if (p && ev->offer.round <= p->round) { /* it would take the paths that there are */
    e->stats.bad_offers++;
    refuse = THIRL_E_REPLAY;
    thirl_session_roster_tell(
        e, (thirl_session_endpoint_event){.kind = THIRL_SESSION_REJECTED, .error = refuse, .peer = ev->peer});
  } else if (!p && thirl_session_roster_was_here(e, ev->session)) {
    refuse = THIRL_E_PEER_CLOSED;
  } else if (!p && !e->is_listening) {
    refuse = THIRL_E_NO_PEER;
  } else if (!p && (is_busy(e) || e->n_peers == THIRL_SESSION_PEERS_MAX)) {
    refuse = THIRL_E_BUSY;
  } else if (!p && thirl_session_roster_add(e, now, false, &ev->peer, ev->session, NULL, &p) != THIRL_OK) {
    refuse = THIRL_E_NOMEM; /* no word of farewell: the dialer asks again */
  } else {
    if (p->channel == 0 && p->session.state == THIRL_SESSION_STATE_OPENING && !p->announced) {
      p->announced = p->announce_due = true;
    }
    p->round = ev->offer.round;
    go(e, now, p, &e->standing, ev);
    thirl_bytes early = THIRL_BYTES(ev->offer.early, ev->offer.early_n);
    if (p->channel && early.n && !thirl_session_relay_input(&p->session, now, early))
      end_channel(e, now, p, THIRL_E_PROTOCOL, true);
    return;
  }
  thirl_meet_client_end_channel(e->control.client, now, ev->channel, refuse);
}

/* ---- the server's words ---- */

static void take_registered(thirl_session_endpoint *e, thirl_time now, const thirl_meet_event *ev) {
  if (!e->cfg.policy.relay_only) thirl_session_lanes_control(&e->lanes, &e->control.local, &ev->mapped, &e->queue);
  e->standing_due = e->n_tickets > 0;
  e->was_registered = true;
  thirl_session_roster_tell(e, (thirl_session_endpoint_event){.kind = THIRL_SESSION_REGISTERED, .mapped = ev->mapped});
  THIRL_SESSION_EACH(e, p) thirl_session_hurry_round(&p->session, now);
}

/* What only the peer says, and means: no further round would change it soon. A server ends channels for other reasons. */
static bool is_refusal(thirl_error e) {
  return e == THIRL_E_BUSY || e == THIRL_E_TICKET || e == THIRL_E_NO_PEER;
}

/* Whoever is refused before anything was proven has nothing to wait for; an open session goes on looking for its peer. */
static void channel_ended(thirl_session_endpoint *e, thirl_time now, const thirl_meet_event *ev) {
  thirl_session_peer *p = thirl_session_roster_find_channel(e, ev->channel);
  if (p)
    end_channel(e, now, p, ev->error == THIRL_OK ? THIRL_E_LOST : ev->error, false);
  else if ((p = thirl_session_roster_find_refusal(e, ev->channel)) != NULL)
    p->refusal_channel = 0;
  else
    return;
  bool is_opening = p->session.is_dialer && p->session.state == THIRL_SESSION_STATE_OPENING;
  if (is_opening && is_refusal(ev->error)) thirl_session_abandon(&p->session, now, ev->error);
}

/* Whose CONNECT this answers. A peer that dials us may name any session id, and is none of these. */
static thirl_session_peer *dialed(thirl_session_endpoint *e, const thirl_meet_event *ev) {
  THIRL_SESSION_EACH(e, p)
  if (p->session.is_dialer && memcmp(p->session.id, ev->session, THIRL_SESSION_ID_LEN) == 0) return p;
  return NULL;
}

/* False: the connection was dropped. */
static bool take_meet_event(thirl_session_endpoint *e, thirl_time now, const thirl_meet_event *ev) {
  thirl_session_peer *p = NULL;
  switch (ev->kind) {
  case THIRL_MEET_REGISTERED:
    take_registered(e, now, ev);
    break;
  case THIRL_MEET_FAILED:
    thirl_session_control_drop(&e->control, now, ev->error, &e->queue);
    lose_control(e, now, ev->error);
    return false;
  case THIRL_MEET_CONNECTED:
    p = dialed(e, ev);
    if (!p || p->session.state == THIRL_SESSION_STATE_OVER) {
      thirl_meet_client_end_channel(e->control.client, now, ev->channel, THIRL_OK);
      break;
    }
    thirl_session_end_round(&p->session, now, THIRL_OK);
    go(e, now, p, &p->offered, ev);
    break;
  case THIRL_MEET_NOT_CONNECTED:
    p = dialed(e, ev);
    if (p) thirl_session_end_round(&p->session, now, ev->error);
    break;
  case THIRL_MEET_OFFERED:
    take_offer(e, now, ev);
    break;
  case THIRL_MEET_CHANNEL_DATA:
    p = thirl_session_roster_find_channel(e, ev->channel);
    if (p && !thirl_session_relay_input(&p->session, now, ev->payload)) end_channel(e, now, p, THIRL_E_PROTOCOL, true);
    break;
  case THIRL_MEET_CHANNEL_ENDED:
    channel_ended(e, now, ev);
    break;
  case THIRL_MEET_CHANNEL_ROOM:
  case THIRL_MEET_DRAINING:
    break;
  }
  return true;
}

static void take_control_bytes(thirl_session_endpoint *e, thirl_time now, thirl_bytes in) {
  thirl_meet_event ev;
  for (;;) {
    thirl_error err = thirl_meet_client_next(e->control.client, now, &in, &ev);
    if (err == THIRL_E_AGAIN) return;
    if (err != THIRL_OK) {
      thirl_session_control_drop(&e->control, now, err, &e->queue);
      lose_control(e, now, err);
      return;
    }
    if (!take_meet_event(e, now, &ev)) return;
  }
}

void thirl_session_rendezvous_input(thirl_session_endpoint *e, thirl_time now, const thirl_net_event *ev) {
  static const thirl_addr unknown;
  if (ev->kind == THIRL_NET_DATA) {
    take_control_bytes(e, now, ev->payload);
  } else if (ev->kind == THIRL_NET_EOF) {
    thirl_session_control_drop(&e->control, now, THIRL_E_NO_SERVER, &e->queue);
    lose_control(e, now, THIRL_E_NO_SERVER);
  } else if (thirl_session_control_input(&e->control, now, ev)) {
    bool is_useless = e->control.state == THIRL_SESSION_CONTROL_UP; /* no memory to register with */
    if (is_useless) thirl_session_control_drop(&e->control, now, THIRL_E_NOMEM, &e->queue);
    lose_control(e, now, THIRL_E_NO_SERVER);
  } else if (ev->kind == THIRL_NET_CONNECTED && !e->cfg.policy.relay_only) {
    thirl_session_lanes_hurry(&e->lanes, now, thirl_session_control_server(&e->control), &e->queue);
    thirl_session_lanes_control(&e->lanes, &ev->local, &unknown, &e->queue);
  }
}

void thirl_session_rendezvous_tick(thirl_session_endpoint *e, thirl_time now) {
  bool was_up = e->control.conn != 0;
  thirl_session_control_tick(&e->control, now, &e->queue);
  if (was_up && e->control.conn == 0) lose_control(e, now, e->control.last_error);
  if (e->control.state == THIRL_SESSION_CONTROL_UP) take_control_bytes(e, now, (thirl_bytes){NULL, 0});
}
