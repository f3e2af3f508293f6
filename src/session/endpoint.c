/* SPDX-License-Identifier: MIT */
/* What lives here: routing between the parts, and what needs more than one of them (an offer needs lanes and a session). Nothing about bytes. */
#include "session/endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "session/anonymous.h"
#include "session/control.h"
#include "session/lanes.h"
#include "session/peer.h"

#define OVER_LINGER (1 * THIRL_S) /* how long a finished session may go on sending its last words */

enum {
  UFRAG_LEN = 8,
  PWD_LEN = 24,
  CHANNEL_CHUNK = 16384, /* bytes of one ChannelData message */
  SESSION_ID_LEN = THIRL_SESSION_ID_LEN
};

struct thirl_session_endpoint {
  thirl_session_endpoint_config cfg;
  thirl_secure_tls_context *tls;
  thirl_session_control control;
  thirl_session_lanes lanes;
  thirl_session_anonymous doors;
  thirl_session_queue queue;
  thirl_list peers;
  size_t n_peers, n_incoming;
  uint32_t last_handle;
  bool is_started, is_listening, was_registered, control_armed, standing_due;
  char ufrag[THIRL_MEET_UFRAG_MAX + 1], pwd[THIRL_MEET_PWD_MAX + 1]; /* the standing offer's */
  thirl_meet_offer standing;
  thirl_meet_ticket tickets[THIRL_SESSION_TICKETS_MAX];
  size_t n_tickets;
  thirl_dice dice;
  thirl_session_peer *turn; /* whose channel is pulled first */
  thirl_session_endpoint_event events[THIRL_SESSION_ENDPOINT_EVENTS_MAX];
  size_t n_events;
  thirl_session_endpoint_stats stats;
};

static void evaluate(thirl_session_endpoint *e, thirl_time now);

static thirl_session_peer *peer_at(thirl_link *l) {
  return l ? THIRL_OWNER(l, thirl_session_peer, in) : NULL;
}

#define EACH_PEER(e, p)                                                                                                \
  for (thirl_session_peer *p = peer_at(thirl_list_first(&(e)->peers)); p;                                              \
       p = peer_at(thirl_list_next(&(e)->peers, &p->in)))

static void push_event(thirl_session_endpoint *e, thirl_session_endpoint_event ev) {
  if (e->n_events ==
      THIRL_SESSION_ENDPOINT_EVENTS_MAX) { /* the application sleeps: the oldest are the least interesting */
    memmove(e->events, e->events + 1, (THIRL_SESSION_ENDPOINT_EVENTS_MAX - 1) * sizeof *e->events);
    e->n_events--;
  }
  e->events[e->n_events++] = ev;
}

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
  thirl_session_lanes_init(&e->lanes, cfg->secrets);
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
  if (err == THIRL_OK)
    err = thirl_session_control_init(&e->control, cfg->servers, cfg->n_servers, client, thirl_dice_u64(&e->dice));
  if (err != THIRL_OK) {
    thirl_session_endpoint_free(e);
    return err;
  }
  *out = e;
  return THIRL_OK;
}

static void free_peer(thirl_session_endpoint *e, thirl_session_peer *p) {
  if (e->turn == p) e->turn = NULL;
  if (!p->session.is_dialer) e->n_incoming--;
  e->n_peers--;
  thirl_list_remove(&p->in);
  thirl_session_peer_fini(p);
  free(p);
}

void thirl_session_endpoint_free(thirl_session_endpoint *e) {
  if (!e) return;
  thirl_session_peer *p;
  while ((p = peer_at(thirl_list_first(&e->peers))) != NULL)
    free_peer(e, p);
  thirl_session_anonymous_fini(&e->doors);
  thirl_session_lanes_fini(&e->lanes);
  thirl_session_control_fini(&e->control);
  thirl_secure_tls_context_free(e->tls);
  thirl_bytes_wipe(e->tickets, sizeof e->tickets);
  thirl_bytes_wipe(e->pwd, sizeof e->pwd);
  free(e);
}

void thirl_session_endpoint_start(thirl_session_endpoint *e, thirl_time now) {
  if (e->is_started) return;
  e->is_started = true;
  thirl_session_control_start(&e->control, now);
  if (!e->cfg.policy.relay_only)
    thirl_session_lanes_start(&e->lanes, now, thirl_session_control_server(&e->control), &e->queue);
  evaluate(e, now);
}

/* ---- peers ---- */

static thirl_session_peer *find_handle(thirl_session_endpoint *e, uint32_t handle) {
  EACH_PEER(e, p) if (p->handle == handle && p->over_at == THIRL_NEVER) return p;
  return NULL;
}

static thirl_session_peer *find_session(thirl_session_endpoint *e, const thirl_peerid *peer, const uint8_t *id) {
  EACH_PEER(e, p) {
    if (p->over_at != THIRL_NEVER || !thirl_peerid_equal(&p->session.peer, peer)) continue;
    if (memcmp(p->session.id, id, SESSION_ID_LEN) == 0) return p;
  }
  return NULL;
}

static thirl_session_peer *find_channel(thirl_session_endpoint *e, uint16_t channel) {
  EACH_PEER(e, p) if (channel && p->channel == channel) return p;
  return NULL;
}

static thirl_error new_peer(thirl_session_endpoint *e, thirl_time now, bool is_dialer, const thirl_peerid *peer,
                            const uint8_t *id, const thirl_session_policy *policy, thirl_session_peer **out) {
  if (e->n_peers == THIRL_SESSION_PEERS_MAX) return THIRL_E_LIMIT;
  thirl_session_peer *p = malloc(sizeof *p);
  if (!p) return THIRL_E_NOMEM;
  thirl_session_peer_init(p, ++e->last_handle, e->cfg.secrets);
  thirl_error err = thirl_session_init(&p->session, now, is_dialer, peer, id, policy ? policy : &e->cfg.policy, e->tls,
                                       thirl_dice_u64(&e->dice));
  if (err != THIRL_OK) {
    free(p);
    return err;
  }
  thirl_list_append(&e->peers, &p->in);
  e->n_peers++;
  if (!is_dialer) e->n_incoming++;
  *out = p;
  return THIRL_OK;
}

thirl_error thirl_session_endpoint_dial(thirl_session_endpoint *e, thirl_time now, const thirl_meet_ticket *ticket,
                                        const thirl_session_policy *policy, uint32_t *handle) {
  uint8_t id[SESSION_ID_LEN];
  thirl_session_peer *p;
  thirl_secrets_fill(e->cfg.secrets, id, sizeof id);
  thirl_error err = new_peer(e, now, true, &ticket->peer, id, policy, &p);
  if (err != THIRL_OK) return err;
  p->ticket = *ticket;
  *handle = p->handle;
  evaluate(e, now);
  return THIRL_OK;
}

void thirl_session_endpoint_abandon(thirl_session_endpoint *e, thirl_time now, uint32_t handle) {
  thirl_session_peer *p = find_handle(e, handle);
  if (!p) return;
  thirl_session_abandon(&p->session, now, THIRL_E_PEER_CLOSED);
  evaluate(e, now);
}

bool thirl_session_endpoint_is_idle(const thirl_session_endpoint *e) {
  return e->n_peers == 0;
}

/* ---- what is left at the server ---- */

static void leave_standing(thirl_session_endpoint *e, thirl_time now) {
  uint8_t checks[THIRL_SESSION_TICKETS_MAX][THIRL_MEET_CHECK_LEN];
  uint8_t proof[THIRL_MEET_PROOF_LEN];
  size_t n = e->is_listening ? e->n_tickets : 0;
  e->standing_due = false;
  for (size_t i = 0; i < n; i++)
    if (thirl_meet_ticket_proof(&e->tickets[i], proof) != THIRL_OK ||
        thirl_meet_ticket_check(proof, checks[i]) != THIRL_OK)
      return;
  memset(&e->standing, 0, sizeof e->standing);
  memcpy(e->standing.ufrag, e->ufrag, sizeof e->ufrag);
  memcpy(e->standing.pwd, e->pwd, sizeof e->pwd);
  if (!e->cfg.policy.relay_only) thirl_session_lanes_offer(&e->lanes, &e->standing);
  (void)thirl_meet_client_set_standing(e->control.client, now, n ? &e->standing : NULL, checks, n);
}

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

/* ---- rounds ---- */

static void bases_of(const thirl_session_endpoint *e, thirl_addr bases[THIRL_SESSION_LANES]) {
  for (int i = 0; i < THIRL_SESSION_LANES; i++)
    bases[i] = e->lanes.lane[i].local;
}

/* The dialer's half of a round: fresh credentials, the lanes as they are now, and CONNECT. */
static void begin_round(thirl_session_endpoint *e, thirl_time now, thirl_session_peer *p) {
  thirl_meet_offer o = {0};
  thirl_secrets_ice_text(e->cfg.secrets, p->ufrag, UFRAG_LEN);
  thirl_secrets_ice_text(e->cfg.secrets, p->pwd, PWD_LEN);
  memcpy(o.ufrag, p->ufrag, sizeof o.ufrag);
  memcpy(o.pwd, p->pwd, sizeof o.pwd);
  if (thirl_session_wants_punch(&p->session)) thirl_session_lanes_offer(&e->lanes, &o);
  p->offered = o;
  thirl_session_round_begun(&p->session, now);
  thirl_error err = thirl_meet_client_connect(e->control.client, now, &p->ticket, p->session.id, &o);
  if (err != THIRL_OK) thirl_session_round_ended(&p->session, now, err);
}

static void begin_rounds(thirl_session_endpoint *e, thirl_time now) {
  if (!thirl_session_control_is_registered(&e->control)) return;
  bool ready = e->cfg.policy.relay_only || thirl_session_lanes_are_ready(&e->lanes, now);
  if (!ready) return;
  if (e->standing_due) leave_standing(e, now);
  EACH_PEER(e, p) if (thirl_session_wants_round(&p->session, now)) begin_round(e, now, p);
}

/* Both sides, at GO: the new relay channel replaces the old one, and punching begins if both have shown addresses. */
static void go(thirl_session_endpoint *e, thirl_time now, thirl_session_peer *p, const thirl_meet_offer *ours,
               const thirl_meet_event *ev) {
  thirl_addr bases[THIRL_SESSION_LANES];
  if (p->channel && p->channel != ev->channel)
    thirl_meet_client_end_channel(e->control.client, now, p->channel, THIRL_OK);
  p->channel = 0;
  if (p->session.policy.direct_only) {
    thirl_meet_client_end_channel(e->control.client, now, ev->channel, THIRL_OK);
    thirl_session_relay_down(&p->session, now, THIRL_OK);
  } else if (thirl_session_relay_up(&p->session, now) == THIRL_OK) {
    p->channel = ev->channel;
  }
  bool dialer_punches = p->session.is_dialer ? ours->n > 0 : ev->offer.n > 0;
  if (!dialer_punches || p->session.policy.relay_only) return;
  thirl_session_direct_down(&p->session, now, THIRL_E_LOST); /* the dialer punches only when its direct path is gone */
  bases_of(e, bases);
  if (ours->n == 0 || ev->offer.n == 0)
    thirl_session_punch_failed(&p->session, now, THIRL_E_NO_PATH);
  else if (thirl_session_peer_punch(p, now, ours, bases, &ev->offer, ev->fire_at, &e->queue) != THIRL_OK)
    thirl_session_punch_failed(&p->session, now, THIRL_E_NOMEM);
}

static const thirl_meet_ticket *ticket_of(thirl_session_endpoint *e, const thirl_meet_event *ev) {
  uint8_t mac[THIRL_MEET_MAC_LEN];
  thirl_bytes session = THIRL_BYTES(ev->session, sizeof ev->session);
  for (size_t i = 0; i < e->n_tickets; i++)
    if (thirl_meet_ticket_mac(&e->tickets[i], &ev->peer, session, ev->offer_bytes, mac) == THIRL_OK &&
        thirl_bytes_equal_secret(THIRL_BYTES(mac, sizeof mac), THIRL_BYTES(ev->offer_mac, sizeof ev->offer_mac)))
      return &e->tickets[i];
  return NULL;
}

static void take_offer(thirl_session_endpoint *e, thirl_time now, const thirl_meet_event *ev) {
  thirl_session_peer *p = find_session(e, &ev->peer, ev->session);
  thirl_error refuse = THIRL_OK;
  if (!ticket_of(e, ev)) {
    e->stats.bad_offers++;
    push_event(
        e, (thirl_session_endpoint_event){.kind = THIRL_SESSION_REJECTED, .error = THIRL_E_TICKET, .peer = ev->peer});
    refuse = THIRL_E_TICKET;
  } else if (!p && (!e->is_listening || e->n_incoming >= e->cfg.max_incoming)) {
    refuse = THIRL_E_LIMIT;
  } else if (!p && new_peer(e, now, false, &ev->peer, ev->session, NULL, &p) != THIRL_OK) {
    refuse = THIRL_E_NOMEM;
  } else {
    if (p->channel == 0 && p->session.state == THIRL_SESSION_STATE_OPENING && !p->announced) {
      p->announced = true;
      push_event(e,
                 (thirl_session_endpoint_event){.kind = THIRL_SESSION_INCOMING, .handle = p->handle, .peer = ev->peer});
    }
    go(e, now, p, &e->standing, ev);
    return;
  }
  thirl_meet_client_end_channel(e->control.client, now, ev->channel, refuse);
}

/* ---- the server's words ---- */

static void take_registered(thirl_session_endpoint *e, thirl_time now, const thirl_meet_event *ev) {
  thirl_session_lanes_control(&e->lanes, &e->control.local, &ev->mapped, &e->queue);
  e->standing_due = e->n_tickets > 0;
  e->was_registered = true;
  push_event(e, (thirl_session_endpoint_event){.kind = THIRL_SESSION_REGISTERED, .mapped = ev->mapped});
  EACH_PEER(e, p) thirl_session_round_now(&p->session, now);
}

static void end_channel(thirl_session_endpoint *e, thirl_time now, thirl_session_peer *p, thirl_error why, bool tell) {
  if (tell && p->channel) thirl_meet_client_end_channel(e->control.client, now, p->channel, why);
  p->channel = 0;
  thirl_session_relay_down(&p->session, now, why);
}

static void lose_control(thirl_session_endpoint *e, thirl_time now, thirl_error why) {
  EACH_PEER(e, p) {
    if (p->channel) end_channel(e, now, p, why, false);
    thirl_session_round_ended(&p->session, now, why);
  }
  e->control_armed = false;
  if (e->was_registered || e->control.failures == 1)
    push_event(e, (thirl_session_endpoint_event){.kind = THIRL_SESSION_UNREGISTERED, .error = why});
  e->was_registered = false;
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
    EACH_PEER(e, each) if (memcmp(each->session.id, ev->session, SESSION_ID_LEN) == 0) p = each;
    if (!p || p->over_at != THIRL_NEVER) {
      thirl_meet_client_end_channel(e->control.client, now, ev->channel, THIRL_OK);
      break;
    }
    thirl_session_round_ended(&p->session, now, THIRL_OK);
    go(e, now, p, &p->offered, ev);
    break;
  case THIRL_MEET_NOT_CONNECTED:
    EACH_PEER(e, each)
    if (memcmp(each->session.id, ev->session, SESSION_ID_LEN) == 0)
      thirl_session_round_ended(&each->session, now, ev->error);
    break;
  case THIRL_MEET_OFFERED:
    take_offer(e, now, ev);
    break;
  case THIRL_MEET_CHANNEL_DATA:
    p = find_channel(e, ev->channel);
    if (p && !thirl_session_relay_input(&p->session, now, ev->payload)) end_channel(e, now, p, THIRL_E_PROTOCOL, true);
    break;
  case THIRL_MEET_CHANNEL_ENDED:
    p = find_channel(e, ev->channel);
    if (p) end_channel(e, now, p, ev->error == THIRL_OK ? THIRL_E_LOST : ev->error, false);
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

static void control_input(thirl_session_endpoint *e, thirl_time now, const thirl_net_event *ev) {
  static const thirl_addr unknown;
  if (ev->kind == THIRL_NET_DATA) {
    take_control_bytes(e, now, ev->payload);
  } else if (ev->kind == THIRL_NET_EOF) {
    thirl_session_control_drop(&e->control, now, THIRL_E_NO_SERVER, &e->queue);
    lose_control(e, now, THIRL_E_NO_SERVER);
  } else if (thirl_session_control_input(&e->control, now, ev)) {
    lose_control(e, now, THIRL_E_NO_SERVER);
  } else if (ev->kind == THIRL_NET_CONNECTED && !e->cfg.policy.relay_only) {
    e->lanes.server = *thirl_session_control_server(&e->control);
    thirl_session_lanes_control(&e->lanes, &ev->local, &unknown, &e->queue);
  }
}

/* ---- doors: connections that came in ---- */

static thirl_session_peer *find_ufrags(thirl_session_endpoint *e, thirl_bytes ours, thirl_bytes theirs) {
  EACH_PEER(e, p) {
    if (!p->ice || p->over_at != THIRL_NEVER) continue;
    if (thirl_bytes_equal(ours, THIRL_BYTES(p->ufrag, strlen(p->ufrag))) &&
        thirl_bytes_equal(theirs, THIRL_BYTES(p->remote_ufrag, strlen(p->remote_ufrag))))
      return p;
  }
  return NULL;
}

/* Every connection that has shown its first packet is given to the session it names, as soon as that session exists here. */
static void open_doors(thirl_session_endpoint *e, thirl_time now) {
  thirl_session_door *d;
  for (size_t at = 0; (d = thirl_session_anonymous_next_named(&e->doors, &at)) != NULL;) {
    thirl_bytes ours, theirs, first = THIRL_BYTES(d->first, d->first_n);
    if (thirl_ice_route(first, &ours, &theirs) != THIRL_OK) continue;
    thirl_session_peer *p = find_ufrags(e, ours, theirs);
    if (!p) continue; /* the OFFER may come a moment later than the connection */
    bool adopted = thirl_session_peer_adopt(p, now, d->id, &d->local, &d->remote, &d->cut, first);
    if (!adopted) {
      e->stats.anonymous_refused++;
      thirl_session_queue_abort(&e->queue, d->id);
    }
    thirl_session_anonymous_remove(&e->doors, d);
    at = 0;
  }
}

static void door_input(thirl_session_endpoint *e, thirl_time now, const thirl_net_event *ev) {
  thirl_session_door_verdict v = thirl_session_anonymous_input(&e->doors, now, ev);
  if (v == THIRL_SESSION_DOOR_FINE) return;
  if (v == THIRL_SESSION_DOOR_STRANGER) {
    e->stats.strangers++;
    push_event(e, (thirl_session_endpoint_event){
                      .kind = THIRL_SESSION_REJECTED, .error = THIRL_E_STRANGER, .remote = ev->remote});
  }
  if (v != THIRL_SESSION_DOOR_GONE) thirl_session_queue_abort(&e->queue, ev->id);
}

static void close_old_doors(thirl_session_endpoint *e, thirl_time now) {
  thirl_net_id id;
  while (thirl_session_anonymous_expire(&e->doors, now, &id)) {
    e->stats.anonymous_timeouts++;
    thirl_session_queue_abort(&e->queue, id);
  }
}

/* ---- everything that follows ---- */

static bool channel_wants_pull(thirl_session_endpoint *e, thirl_session_peer *p) {
  return p->channel && thirl_session_relay_wants_pull(&p->session) &&
         thirl_meet_client_channel_credit(e->control.client, p->channel) > 0;
}

static void arm_control(thirl_session_endpoint *e) {
  if (e->control.state != THIRL_SESSION_CONTROL_UP || e->control_armed) return;
  bool wants = thirl_meet_client_has_output(e->control.client);
  EACH_PEER(e, p) wants = wants || channel_wants_pull(e, p);
  if (!wants) return;
  e->control_armed = true;
  thirl_session_queue_write(&e->queue, e->control.conn);
}

/* A session that is over says its last words, then everything about it is closed. */
static void bury(thirl_session_endpoint *e, thirl_time now, thirl_session_peer *p) {
  if (p->over_at == THIRL_NEVER) p->over_at = now;
  bool quiet = !thirl_session_relay_wants_pull(&p->session) && !thirl_session_direct_wants_pull(&p->session);
  if (!quiet && now < p->over_at + OVER_LINGER) return;
  if (p->channel) thirl_meet_client_end_channel(e->control.client, now, p->channel, THIRL_OK);
  for (thirl_link *l = thirl_list_first(&p->links); l; l = thirl_list_next(&p->links, l)) {
    thirl_session_link *k = THIRL_OWNER(l, thirl_session_link, in);
    if (k->is_selected && quiet)
      thirl_session_queue_close(&e->queue, k->id);
    else
      thirl_session_queue_abort(&e->queue, k->id);
  }
  free_peer(e, p);
}

static void evaluate(thirl_session_endpoint *e, thirl_time now) {
  thirl_session_event of;
  begin_rounds(e, now);
  open_doors(e, now);
  for (thirl_session_peer *p = peer_at(thirl_list_first(&e->peers)), *next; p; p = next) {
    next = peer_at(thirl_list_next(&e->peers, &p->in));
    thirl_session_peer_evaluate(p, now, &e->queue);
    while (thirl_session_next_event(&p->session, &of))
      push_event(e, (thirl_session_endpoint_event){
                        .kind = THIRL_SESSION_OF, .handle = p->handle, .peer = p->session.peer, .of = of});
    bool relay_gone = p->channel && !thirl_session_path_is_set(&p->session.relay);
    if (relay_gone) {
      thirl_meet_client_end_channel(e->control.client, now, p->channel, THIRL_E_LOST);
      p->channel = 0;
    }
    if (p->session.state == THIRL_SESSION_STATE_OVER) bury(e, now, p);
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
    control_input(e, now, ev);
    return;
  }
  if (thirl_session_lanes_input(&e->lanes, now, ev, &e->queue)) return;
  EACH_PEER(e, p) {
    thirl_session_link *k = thirl_session_peer_find_link(p, ev->id);
    if (!k) continue;
    thirl_session_peer_link_input(p, now, k, ev, &e->queue);
    return;
  }
}

static void tick(thirl_session_endpoint *e, thirl_time now) {
  static const thirl_ice_input_event ice_tick = {.kind = THIRL_ICE_TICK};
  bool was_up = e->control.conn != 0;
  thirl_session_control_tick(&e->control, now, &e->queue);
  if (was_up && e->control.conn == 0) lose_control(e, now, e->control.last_error);
  if (e->control.state == THIRL_SESSION_CONTROL_UP) take_control_bytes(e, now, (thirl_bytes){NULL, 0});
  thirl_session_lanes_tick(&e->lanes, now, &e->queue);
  close_old_doors(e, now);
  EACH_PEER(e, p) if (p->ice && thirl_ice_deadline(p->ice) <= now) thirl_ice_input(p->ice, now, &ice_tick);
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
  thirl_session_peer *p = e->turn ? e->turn : peer_at(thirl_list_first(&e->peers));
  while (p && idle < e->n_peers) {
    thirl_session_peer *next = peer_at(thirl_list_next(&e->peers, &p->in));
    size_t credit = p->channel ? thirl_meet_client_channel_credit(e->control.client, p->channel) : 0;
    size_t head = THIRL_STUN_CHANNEL_HEADER_LEN, room = cap - n < head + 4 ? 0 : cap - n - head - 3;
    if (room < 1024) break;
    size_t got = credit ? thirl_session_relay_pull(&p->session, buf + n + head,
                                                   THIRL_MIN(THIRL_MIN(room, credit), (size_t)CHANNEL_CHUNK))
                        : 0;
    idle = got ? 0 : idle + 1;
    if (got) {
      thirl_stun_stream_put_channel(buf + n, p->channel, (uint16_t)got);
      thirl_meet_client_channel_spend(e->control.client, p->channel, got);
      n += head + got;
      for (; got % 4; got++)
        buf[n++] = 0;
    }
    p = next ? next : peer_at(thirl_list_first(&e->peers));
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
  } else if (thirl_session_lanes_owns(&e->lanes, id)) {
    n = thirl_session_lanes_pull(&e->lanes, now, id, buf, cap);
  } else {
    EACH_PEER(e, p) {
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
  thirl_time t = thirl_session_control_deadline(&e->control);
  t = THIRL_MIN(t, thirl_session_lanes_deadline(&e->lanes));
  t = THIRL_MIN(t, thirl_session_anonymous_deadline(&e->doors));
  EACH_PEER(e, p) {
    if (p->over_at != THIRL_NEVER)
      t = THIRL_MIN(t, p->over_at + OVER_LINGER);
    else
      t = THIRL_MIN(t, thirl_session_peer_deadline(p));
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

/* ---- events and streams ---- */

bool thirl_session_endpoint_next_event(thirl_session_endpoint *e, thirl_session_endpoint_event *ev) {
  if (!e->n_events) return false;
  *ev = e->events[0];
  memmove(e->events, e->events + 1, --e->n_events * sizeof *e->events);
  return true;
}

const thirl_session_endpoint_stats *thirl_session_endpoint_stats_of(const thirl_session_endpoint *e) {
  return &e->stats;
}

thirl_error thirl_session_endpoint_space(thirl_session_endpoint *e, uint32_t handle, uint8_t **p, size_t *n) {
  thirl_session_peer *k = find_handle(e, handle);
  *n = 0;
  return k ? thirl_session_stream_space(&k->session.stream, p, n) : THIRL_E_NOT_FOUND;
}

thirl_error thirl_session_endpoint_commit(thirl_session_endpoint *e, thirl_time now, uint32_t handle, size_t n) {
  thirl_session_peer *k = find_handle(e, handle);
  if (!k) return THIRL_E_NOT_FOUND;
  thirl_session_stream_commit(&k->session.stream, n);
  evaluate(e, now);
  return THIRL_OK;
}

thirl_error thirl_session_endpoint_finish(thirl_session_endpoint *e, thirl_time now, uint32_t handle) {
  thirl_session_peer *k = find_handle(e, handle);
  if (!k) return THIRL_E_NOT_FOUND;
  thirl_session_stream_finish(&k->session.stream);
  evaluate(e, now);
  return THIRL_OK;
}

thirl_error thirl_session_endpoint_peek(thirl_session_endpoint *e, uint32_t handle, thirl_bytes *out) {
  thirl_session_peer *k = find_handle(e, handle);
  *out = (thirl_bytes){NULL, 0};
  if (!k) return THIRL_E_NOT_FOUND;
  *out = thirl_session_stream_peek(&k->session.stream);
  if (out->n) return THIRL_OK;
  return thirl_session_stream_is_read_out(&k->session.stream) ? THIRL_E_EOF : THIRL_E_AGAIN;
}

thirl_error thirl_session_endpoint_consume(thirl_session_endpoint *e, thirl_time now, uint32_t handle, size_t n) {
  thirl_session_peer *k = find_handle(e, handle);
  if (!k) return THIRL_E_NOT_FOUND;
  thirl_session_stream_consume(&k->session.stream, n);
  evaluate(e, now);
  return THIRL_OK;
}

thirl_error thirl_session_endpoint_moved(thirl_session_endpoint *e, uint32_t handle, uint64_t *relayed,
                                         uint64_t *direct) {
  thirl_session_peer *k = NULL;
  EACH_PEER(e, p) if (p->handle == handle) k = p;
  if (!k) return THIRL_E_NOT_FOUND;
  thirl_session_moved(&k->session, relayed, direct);
  return THIRL_OK;
}

thirl_error thirl_session_endpoint_peer(thirl_session_endpoint *e, uint32_t handle, thirl_peerid *out) {
  thirl_session_peer *k = find_handle(e, handle);
  if (!k) return THIRL_E_NOT_FOUND;
  *out = k->session.peer;
  return THIRL_OK;
}

bool thirl_session_endpoint_is_delivered(thirl_session_endpoint *e, uint32_t handle) {
  thirl_session_peer *k = find_handle(e, handle);
  return k && k->session.stream.tx_acked == k->session.stream.tx_end &&
         (!k->session.stream.tx_finished || k->session.stream.fin_acked);
}
