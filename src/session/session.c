/* SPDX-License-Identifier: MIT */
/* What lives here: which path carries the stream, whether paths are alive, when to ask for another round, when all is over. */
#include "session/session.h"

#include <assert.h>
#include <string.h>

#define DIAL_TIMEOUT (30 * THIRL_S)
#define LOST_AFTER   (60 * THIRL_S)
#define WINDOW       ((size_t)4 << 20)
#define ACK_DELAY    (20 * THIRL_MS) /* how long a small acknowledgement may wait for company */
#define SHORT_LIVED  (10 * THIRL_S)  /* a direct path that dies so young was a punch in vain */
#define SURVEY_AFTER (3 * THIRL_S)   /* of punching: three SYNs were in vain */

static void push_event(thirl_session *s, thirl_session_event ev) {
  bool is_end = ev.kind == THIRL_SESSION_FINISHED || ev.kind == THIRL_SESSION_FAILED;
  if (s->state == THIRL_SESSION_STATE_OVER && !is_end) return; /* nothing comes after the end */
  if (s->n_events == THIRL_SESSION_EVENTS_MAX) {
    s->events_lost++;
    memmove(s->events, s->events + 1,
            (THIRL_SESSION_EVENTS_MAX - 1) * sizeof *s->events); /* the newest tell the state */
    s->n_events--;
  }
  s->events[s->n_events++] = ev;
}

bool thirl_session_next_event(thirl_session *s, thirl_session_event *ev) {
  if (!s->n_events) return false;
  *ev = s->events[0];
  memmove(s->events, s->events + 1, --s->n_events * sizeof *s->events);
  return true;
}

thirl_error thirl_session_init(thirl_session *s, thirl_time now, bool is_dialer, const thirl_peerid *peer,
                               const uint8_t id[THIRL_SESSION_ID_LEN], const thirl_session_policy *policy,
                               thirl_secure_tls_context *tls, uint64_t dice_seed) {
  memset(s, 0, sizeof *s);
  s->policy = policy ? *policy : (thirl_session_policy){0};
  if (!s->policy.dial_timeout) s->policy.dial_timeout = DIAL_TIMEOUT;
  if (!s->policy.lost_after) s->policy.lost_after = LOST_AFTER;
  if (!s->policy.window) s->policy.window = WINDOW;
  size_t w = s->policy.window;
  if (w < THIRL_SESSION_STREAM_INITIAL || (w & (w - 1)) || (s->policy.direct_only && s->policy.relay_only))
    return THIRL_E_INVALID;
  s->is_dialer = is_dialer;
  s->peer = *peer;
  memcpy(s->id, id, sizeof s->id);
  s->tls = tls;
  s->born = s->pathless_since = now;
  s->ack_since = s->bye_at = THIRL_NEVER;
  thirl_session_round_init(&s->round, is_dialer ? now : THIRL_NEVER);
  s->last_error = THIRL_E_NO_SERVER; /* until a CONNECT goes out */
  thirl_session_stream_init(&s->stream, w);
  thirl_dice_seed(&s->dice, dice_seed);
  s->incarnation = thirl_dice_u64(&s->dice);
  return THIRL_OK;
}

static void drop_path(thirl_session *s, thirl_session_path *p) {
  if (!thirl_session_path_is_set(p)) return;
  if (p == &s->direct) {
    s->direct_in += p->stream_in;
    s->direct_out += p->stream_out;
  } else {
    s->relayed_in += p->stream_in;
    s->relayed_out += p->stream_out;
  }
  thirl_session_path_fini(p);
  thirl_session_stream_ack_lost(&s->stream);
}

void thirl_session_fini(thirl_session *s) {
  drop_path(s, &s->relay);
  drop_path(s, &s->direct);
  thirl_session_path_fini(&s->next_relay);
  thirl_session_stream_fini(&s->stream);
}

void thirl_session_moved(const thirl_session *s, uint64_t *relayed, uint64_t *direct) {
  *relayed = s->relayed_in + s->relayed_out + s->relay.stream_in + s->relay.stream_out;
  *direct = s->direct_in + s->direct_out + s->direct.stream_in + s->direct.stream_out;
}

static void end(thirl_session *s, thirl_session_event_kind kind, thirl_error why) {
  if (s->state == THIRL_SESSION_STATE_OVER) return;
  s->state = THIRL_SESSION_STATE_OVER;
  thirl_session_event ev = {.kind = kind, .error = why};
  thirl_session_moved(s, &ev.relayed, &ev.direct);
  push_event(s, ev);
}

/*
 * The peer has ended the relay channel, and the session with it. If something is missing here it has given up. If not, its BYE on the direct path tells
 * whether it could use all that it has, and is waited for; without such a path all is taken to be well.
 */
static void hear_the_end(thirl_session *s) {
  if (!thirl_session_stream_is_complete(&s->stream))
    end(s, THIRL_SESSION_FAILED, THIRL_E_PEER_CLOSED);
  else if (thirl_session_path_is_proven(&s->direct))
    s->relay_was_ended = true;
  else
    s->bye_heard = true;
}

/* ---- which path carries the stream ---- */

static thirl_session_path *path_of(thirl_session *s, thirl_session_route r) {
  return r == THIRL_SESSION_DIRECT ? &s->direct : r == THIRL_SESSION_RELAY ? &s->relay : NULL;
}

static void tell_path(thirl_session *s, thirl_time now) {
  thirl_session_event ev = {.kind = THIRL_SESSION_PATH, .route = s->route};
  s->told_route = s->route;
  if (s->route == THIRL_SESSION_DIRECT) {
    ev.remote = s->remote;
    ev.since_go = now - s->go_at;
  } else {
    ev.error = s->told_reason = s->relay_reason;
  }
  push_event(s, ev);
}

/* Count n bytes (modulo 2^64) as sent by this kind of path. */
static void credit(thirl_session *s, thirl_session_route r, uint64_t n) {
  *(r == THIRL_SESSION_DIRECT ? &s->direct_out : &s->relayed_out) += n;
}

/* Acknowledgements of what went over a former path may come when this one has not sent it again yet. */
static thirl_error take_ack(thirl_session *s, uint64_t next, uint64_t limit) {
  uint64_t sent = s->stream.tx_sent;
  thirl_error e = thirl_session_stream_acked(&s->stream, next, limit);
  credit(s, s->former, s->stream.tx_sent - sent);
  return e;
}

static void begin_again(thirl_session *s, thirl_session_route r) {
  uint64_t sent = s->stream.tx_sent;
  thirl_session_stream_rewind(&s->stream);
  credit(s, s->sender, s->stream.tx_sent - sent);
  s->former = s->sender;
  s->sender = r;
}

static void set_route(thirl_session *s, thirl_time now, thirl_session_route r) {
  if (s->route == r) return;
  s->route = r;
  s->pathless_since = r == THIRL_SESSION_NO_PATH ? now : THIRL_NEVER;
  s->bye_said = false; /* it may have been lost with the old path */
  s->reported = (thirl_session_findings){0};
  if (r == THIRL_SESSION_NO_PATH) return;
  begin_again(s, r);
  if (s->state == THIRL_SESSION_STATE_OPENING) {
    s->state = THIRL_SESSION_STATE_OPEN;
    push_event(s, (thirl_session_event){.kind = THIRL_SESSION_UP, .route = r});
  }
  bool nothing_is_missing = r == THIRL_SESSION_DIRECT && thirl_session_path_is_set(&s->relay);
  if (nothing_is_missing) thirl_session_round_rest(&s->round);
  bool is_news = r == THIRL_SESSION_DIRECT || s->told_route != r || s->told_reason != s->relay_reason;
  if (is_news) tell_path(s, now);
}

static void choose_route(thirl_session *s, thirl_time now) {
  /* The dialer knows the listener's key when TLS is open, and need not wait for its HELLO: should the listener refuse, what was sent is sent again. */
  bool direct = s->is_dialer ? thirl_session_path_is_open(&s->direct) : thirl_session_path_is_proven(&s->direct);
  if (direct)
    set_route(s, now, THIRL_SESSION_DIRECT);
  else if (!s->policy.direct_only && thirl_session_path_is_open(&s->relay))
    set_route(s, now, THIRL_SESSION_RELAY);
  else
    set_route(s, now, THIRL_SESSION_NO_PATH);
}

/* ---- paths come and go ---- */

size_t thirl_session_relay_prepare(thirl_session *s, thirl_time now, uint8_t *buf, size_t cap) {
  thirl_session_path *p = &s->next_relay;
  thirl_session_path_fini(p);
  if (s->policy.direct_only) return 0;
  if (thirl_session_path_init(p, now, s->tls, s->is_dialer, &s->peer, s->id, s->incarnation) != THIRL_OK) return 0;
  size_t n = thirl_session_path_pull(p, NULL, buf, cap);
  if (thirl_session_path_is_quiet(p)) return n;
  thirl_session_path_fini(p); /* too long for there */
  return 0;
}

thirl_error thirl_session_relay_up(thirl_session *s, thirl_time now) {
  thirl_session_relay_down(s, now, THIRL_OK);
  if (thirl_session_path_is_set(&s->next_relay)) {
    s->relay = s->next_relay;
    s->relay.born = s->relay.heard_at = now;
    memset(&s->next_relay, 0, sizeof s->next_relay);
    return THIRL_OK;
  }
  return thirl_session_path_init(&s->relay, now, s->tls, s->is_dialer, &s->peer, s->id, s->incarnation);
}

void thirl_session_relay_down(thirl_session *s, thirl_time now, thirl_error why) {
  drop_path(s, &s->relay);
  if (why != THIRL_OK) {
    s->last_error = why;
    if (s->is_dialer && why != THIRL_E_ONLY_RELAY) thirl_session_round_after_relay(&s->round, now, &s->dice);
  }
  if (s->route == THIRL_SESSION_RELAY) set_route(s, now, THIRL_SESSION_NO_PATH);
  if (why == THIRL_E_PEER_CLOSED) hear_the_end(s);
}

thirl_error thirl_session_direct_up(thirl_session *s, thirl_time now, const thirl_addr *remote) {
  if (s->route == THIRL_SESSION_DIRECT) set_route(s, now, THIRL_SESSION_NO_PATH);
  drop_path(s, &s->direct);
  s->remote = *remote;
  s->is_prospect = false;
  return thirl_session_path_init(&s->direct, now, s->tls, s->is_dialer, &s->peer, s->id, s->incarnation);
}

thirl_error thirl_session_direct_prospect(thirl_session *s, thirl_time now, const thirl_addr *remote) {
  thirl_error e = thirl_session_direct_up(s, now, remote);
  s->is_prospect = e == THIRL_OK;
  return e;
}

void thirl_session_direct_confirmed(thirl_session *s) {
  s->is_prospect = false;
}

void thirl_session_direct_withdrawn(thirl_session *s) {
  if (!s->is_prospect) return;
  s->is_prospect = false;
  thirl_session_path_fini(&s->direct); /* not a byte of the stream was on it */
}

/* What both sides have found, put together. NATs that have let us through before are not to blame. */
static void derive_reason(thirl_session *s, thirl_time now) {
  if (s->ours.saw != THIRL_OK)
    s->relay_reason = s->was_direct ? s->ours.saw : thirl_session_reason_of(&s->ours, &s->theirs);
  if (s->route == THIRL_SESSION_RELAY && s->relay_reason != THIRL_OK && s->told_reason != s->relay_reason)
    tell_path(s, now);
}

void thirl_session_mapping_is(thirl_session *s, thirl_time now, thirl_session_mapping mapping) {
  if (s->ours.mapping == mapping) return;
  s->ours.mapping = mapping;
  derive_reason(s, now);
}

thirl_time thirl_session_doubts_at(const thirl_session *s) {
  bool wanted = s->punching && !s->doubts_heard && !thirl_session_path_is_proven(&s->direct) &&
                s->state != THIRL_SESSION_STATE_OVER;
  return wanted ? thirl_time_after(s->go_at, SURVEY_AFTER) : THIRL_NEVER;
}

void thirl_session_doubts_heard(thirl_session *s) {
  s->doubts_heard = true;
}

static void take_report(thirl_session *s, thirl_time now, const thirl_session_frame *f) {
  bool is_known = f->mapping <= THIRL_SESSION_MAPPING_DEPENDENT;
  s->theirs.mapping = is_known ? (thirl_session_mapping)f->mapping : THIRL_SESSION_MAPPING_UNKNOWN;
  s->theirs.saw = f->reason < THIRL_ERROR_COUNT ? (thirl_error)f->reason : THIRL_OK;
  derive_reason(s, now);
}

/* The relay carries the stream, so both will want to know why. */
static void report(thirl_session *s) {
  bool is_told = s->route != THIRL_SESSION_RELAY || s->state != THIRL_SESSION_STATE_OPEN ||
                 thirl_session_reason_same(&s->ours, &s->reported);
  thirl_session_frame f = {
      .type = THIRL_SESSION_REPORT, .mapping = (uint8_t)s->ours.mapping, .reason = (uint32_t)s->ours.saw};
  if (!is_told && thirl_session_path_say(&s->relay, &f)) s->reported = s->ours;
}

static void punch_in_vain(thirl_session *s, thirl_time now, thirl_error why) {
  s->relay_reason = why;
  derive_reason(s, now);
  if (s->is_dialer)
    thirl_session_round_after_punch(&s->round, now, thirl_session_path_is_set(&s->relay), s->was_direct);
}

void thirl_session_direct_down(thirl_session *s, thirl_time now, thirl_error why) {
  if (!thirl_session_path_is_set(&s->direct)) return;
  bool worked = thirl_session_path_is_proven(&s->direct), lasted = worked && now - s->direct.born >= SHORT_LIVED;
  drop_path(s, &s->direct);
  s->punching = s->is_prospect = false;
  s->was_direct = s->was_direct || worked;
  s->ours.saw = THIRL_OK;
  if (lasted) thirl_session_round_punch_worked(&s->round);
  if (why != THIRL_OK) s->relay_reason = why;
  if (s->route == THIRL_SESSION_DIRECT) set_route(s, now, THIRL_SESSION_NO_PATH);
  if (s->relay_was_ended) hear_the_end(s);
  choose_route(s, now);
  if (why == THIRL_OK) return;
  if (!lasted)
    punch_in_vain(s, now, why);
  else if (s->is_dialer)
    thirl_session_round_after_direct(&s->round, now);
}

void thirl_session_punch_started(thirl_session *s, thirl_time go_at) {
  s->go_at = go_at;
  s->punching = true;
  s->doubts_heard = false;
}

void thirl_session_punch_failed(thirl_session *s, thirl_time now, thirl_error why) {
  s->punching = false;
  s->ours.saw = why;
  if (s->policy.direct_only) s->last_error = THIRL_E_ONLY_RELAY;
  punch_in_vain(s, now, why);
  if (s->policy.direct_only && s->state == THIRL_SESSION_STATE_OPENING)
    end(s, THIRL_SESSION_FAILED, THIRL_E_ONLY_RELAY);
}

void thirl_session_punch_omitted(thirl_session *s) {
  bool has_reason = s->relay_reason != THIRL_OK || s->punching;
  if (!has_reason && !thirl_session_path_is_set(&s->direct)) s->relay_reason = THIRL_E_HIDDEN;
}

void thirl_session_confirmed(thirl_session *s, thirl_time up_at, const thirl_addr *remote) {
  thirl_time since_go = up_at > s->go_at ? up_at - s->go_at : 0;
  push_event(s, (thirl_session_event){.kind = THIRL_SESSION_CONFIRMED, .remote = *remote, .since_go = since_go});
}

void thirl_session_stranger(thirl_session *s, const thirl_addr *remote, thirl_error how) {
  push_event(s, (thirl_session_event){.kind = THIRL_SESSION_STRANGER, .remote = *remote, .error = how});
}

/* ---- bytes in ---- */

/* One of the two processes has begun anew: the peer is another one than before, or knows of bytes that this one never wrote. */
static thirl_error take_hello(thirl_session *s, thirl_session_path *p, const thirl_session_frame *f) {
  bool is_first = !s->knows_incarnation;
  thirl_error e = THIRL_E_LOST;
  if (is_first || f->incarnation == s->peer_incarnation) e = take_ack(s, f->next, f->limit);
  if (e == THIRL_E_LOST || (e == THIRL_E_PROTOCOL && is_first)) {
    (void)thirl_session_path_say(p, &(thirl_session_frame){.type = THIRL_SESSION_BYE, .reason = THIRL_E_LOST});
    end(s, THIRL_SESSION_FAILED, THIRL_E_LOST);
  }
  s->knows_incarnation = true;
  s->peer_incarnation = f->incarnation;
  return e;
}

static void take_frame(thirl_session *s, thirl_time now, thirl_session_path *p, const thirl_session_frame *f,
                       thirl_error *e) {
  switch (f->type) {
  case THIRL_SESSION_HELLO:
    *e = take_hello(s, p, f);
    break;
  case THIRL_SESSION_ACK:
    *e = take_ack(s, f->next, f->limit);
    break;
  case THIRL_SESSION_FIN:
    *e = thirl_session_stream_fin(&s->stream, f->offset);
    break;
  case THIRL_SESSION_REPORT:
    take_report(s, now, f);
    break;
  case THIRL_SESSION_BYE:
    if (f->reason != 0) {
      end(s, THIRL_SESSION_FAILED, THIRL_E_PEER_CLOSED);
    } else if (!s->stream.tx_finished || !s->stream.rx_has_final) {
      *e = THIRL_E_PROTOCOL;
    } else {
      s->bye_heard = true;
      *e = take_ack(s, s->stream.tx_end + 1, 0); /* it has all, and so it had our end */
    }
    break;
  default:
    break;
  }
}

/* Data came on a path that is not ours for sending: acknowledge where the peer listens, and look whether our own still lives. */
static void answer_elsewhere(thirl_session *s, thirl_time now, thirl_session_path *p) {
  thirl_session_path *mine = path_of(s, s->route);
  if (mine == p || !thirl_session_path_is_open(p)) return;
  if (!thirl_session_stream_ack_due(&s->stream)) return;
  thirl_session_path_say_ack(p, &s->stream);
  if (mine) thirl_session_path_ask(mine, now);
}

static thirl_error input(thirl_session *s, thirl_time now, thirl_session_path *p, thirl_bytes in) {
  thirl_error e = THIRL_OK;
  if (!thirl_session_path_is_set(p)) return THIRL_E_STATE;
  while (e == THIRL_OK) {
    thirl_session_frame f;
    e = thirl_session_path_next(p, now, &s->stream, &in, &f);
    if (e == THIRL_OK) take_frame(s, now, p, &f, &e);
    if (s->state == THIRL_SESSION_STATE_OVER) return THIRL_E_AGAIN;
  }
  if (e == THIRL_E_AGAIN) answer_elsewhere(s, now, p);
  return e;
}

/* Nobody with the right key has spoken yet: a dialer may believe that it is up, and be refused by the listener's next word. */
static bool is_unproven(const thirl_session *s) {
  return s->state == THIRL_SESSION_STATE_OPENING || !s->knows_incarnation;
}

bool thirl_session_relay_input(thirl_session *s, thirl_time now, thirl_bytes in) {
  if (s->state == THIRL_SESSION_STATE_OVER) return true; /* it still says its last words */
  thirl_error e = input(s, now, &s->relay, in);
  if (s->state == THIRL_SESSION_STATE_OVER) return true;
  if (e == THIRL_E_AGAIN) {
    choose_route(s, now);
    return true;
  }
  if (e == THIRL_E_WRONG_KEY && is_unproven(s)) {
    end(s, THIRL_SESSION_FAILED, e);
    return true;
  }
  thirl_session_relay_down(s, now, e == THIRL_E_EOF ? THIRL_E_LOST : e);
  return false;
}

bool thirl_session_direct_input(thirl_session *s, thirl_time now, thirl_bytes in) {
  if (s->state == THIRL_SESSION_STATE_OVER) return true;
  thirl_error e = input(s, now, &s->direct, in);
  if (s->state == THIRL_SESSION_STATE_OVER) return true;
  if (e == THIRL_E_AGAIN) {
    choose_route(s, now);
    return true;
  }
  if (e == THIRL_E_WRONG_KEY) thirl_session_stranger(s, &s->remote, e);
  if (e == THIRL_E_WRONG_KEY && s->policy.direct_only && is_unproven(s)) {
    end(s, THIRL_SESSION_FAILED, e);
    return true;
  }
  thirl_session_direct_down(s, now, e == THIRL_E_EOF ? THIRL_E_LOST : e);
  return false;
}

/* ---- bytes out ---- */

static thirl_session_stream *stream_on(thirl_session *s, thirl_session_route r) {
  return s->route == r && s->state != THIRL_SESSION_STATE_OVER ? &s->stream : NULL;
}

bool thirl_session_relay_wants_pull(thirl_session *s) {
  return thirl_session_path_wants_pull(&s->relay, stream_on(s, THIRL_SESSION_RELAY));
}

bool thirl_session_direct_wants_pull(thirl_session *s) {
  return thirl_session_path_wants_pull(&s->direct, stream_on(s, THIRL_SESSION_DIRECT));
}

size_t thirl_session_relay_pull(thirl_session *s, uint8_t *buf, size_t cap) {
  if (!thirl_session_path_is_set(&s->relay)) return 0;
  return thirl_session_path_pull(&s->relay, stream_on(s, THIRL_SESSION_RELAY), buf, cap);
}

size_t thirl_session_direct_pull(thirl_session *s, uint8_t *buf, size_t cap) {
  if (!thirl_session_path_is_set(&s->direct)) return 0;
  return thirl_session_path_pull(&s->direct, stream_on(s, THIRL_SESSION_DIRECT), buf, cap);
}

/* ---- rounds ---- */

void thirl_session_begin_round(thirl_session *s, thirl_time now) {
  thirl_session_round_begin(&s->round, now);
  if (s->last_error == THIRL_E_NO_SERVER) s->last_error = THIRL_E_TIMEOUT;
}

void thirl_session_end_round(thirl_session *s, thirl_time now, thirl_error e) {
  if (!s->round.under_way) return;
  thirl_session_round_end(&s->round, now, e, s->route == THIRL_SESSION_NO_PATH, &s->dice);
  if (e == THIRL_OK) return;
  thirl_session_path_fini(&s->next_relay);
  s->last_error = e;
}

void thirl_session_hurry_round(thirl_session *s, thirl_time now) {
  bool something_missing = !thirl_session_path_is_set(&s->relay) || thirl_session_wants_punch(s);
  if (s->is_dialer) thirl_session_round_anew(&s->round, now, something_missing);
}

bool thirl_session_wants_punch(const thirl_session *s) {
  return !s->policy.relay_only && (s->is_prospect || !thirl_session_path_is_set(&s->direct));
}

bool thirl_session_wants_round(const thirl_session *s, thirl_time now) {
  return now >= thirl_session_next_round(s);
}

/* ---- time ---- */

static bool is_outstanding(const thirl_session *s) {
  const thirl_session_stream *t = &s->stream;
  return t->tx_sent > t->tx_acked || (t->fin_sent && !t->fin_acked) || s->bye_said;
}

static thirl_time ask_at(const thirl_session *s, const thirl_session_path *p, bool carries) {
  return thirl_session_path_ask_at(p, carries && is_outstanding(s));
}

static thirl_time dead_at(const thirl_session *s, const thirl_session_path *p) {
  bool is_watched_by_ice = p == &s->direct && s->is_prospect;
  return is_watched_by_ice ? THIRL_NEVER : thirl_session_path_dead_at(p);
}

static void watch(thirl_session *s, thirl_time now, thirl_session_route r) {
  thirl_session_path *p = path_of(s, r);
  if (!thirl_session_path_is_set(p)) return;
  if (now >= ask_at(s, p, s->route == r)) thirl_session_path_ask(p, now);
  if (now < dead_at(s, p)) return;
  if (r == THIRL_SESSION_DIRECT)
    thirl_session_direct_down(s, now, THIRL_E_TIMEOUT);
  else
    thirl_session_relay_down(s, now, THIRL_E_TIMEOUT);
}

/*
 * When both directions are complete here, BYE is said, and the peer's awaited: until then it may still need our word that we have its end. For
 * that word paths are repaired as before. Without it we wait as long as for a lost path; then it is no loss to us.
 */
static void close_when_done(thirl_session *s, thirl_time now) {
  if (s->state == THIRL_SESSION_STATE_OPEN && thirl_session_stream_is_delivered(&s->stream) &&
      thirl_session_stream_is_read_out(&s->stream)) {
    s->state = THIRL_SESSION_STATE_CLOSING;
    s->bye_at = thirl_time_after(now, s->policy.lost_after);
  }
  if (s->state != THIRL_SESSION_STATE_CLOSING) return;
  thirl_session_path *p = path_of(s, s->route);
  if (p && !s->bye_said) s->bye_said = thirl_session_path_say(p, &(thirl_session_frame){.type = THIRL_SESSION_BYE});
  bool all_sent = p && s->bye_said && thirl_session_path_is_quiet(p);
  if ((s->bye_heard && (all_sent || !p)) || now >= s->bye_at) end(s, THIRL_SESSION_FINISHED, THIRL_OK);
}

/* With everything here no path is needed any more: the application may read as slowly as it likes. */
static thirl_time hopeless_at(const thirl_session *s) {
  if (s->state == THIRL_SESSION_STATE_OPENING) return thirl_time_after(s->born, s->policy.dial_timeout);
  bool needs_path = s->state == THIRL_SESSION_STATE_OPEN && !thirl_session_stream_is_complete(&s->stream);
  if (!needs_path || s->route != THIRL_SESSION_NO_PATH) return THIRL_NEVER;
  return thirl_time_after(s->pathless_since, s->policy.lost_after);
}

/* An acknowledgement waits for company; when frames wait already, it goes with them. */
static bool ack_waits(const thirl_session *s) {
  const thirl_session_path *p = s->route == THIRL_SESSION_DIRECT ? &s->direct : &s->relay;
  return s->ack_since != THIRL_NEVER && s->route != THIRL_SESSION_NO_PATH && p->say.n == 0;
}

void thirl_session_evaluate(thirl_session *s, thirl_time now) {
  if (s->state == THIRL_SESSION_STATE_OVER) return;
  watch(s, now, THIRL_SESSION_DIRECT);
  watch(s, now, THIRL_SESSION_RELAY);
  choose_route(s, now);
  thirl_session_path *p = path_of(s, s->route);
  int due = thirl_session_stream_ack_due(&s->stream);
  if (due == 0) {
    s->ack_since = THIRL_NEVER;
  } else if (s->ack_since == THIRL_NEVER) {
    s->ack_since = now;
  } else if (p && now - s->ack_since >= ACK_DELAY) {
    thirl_session_path_say_ack(p, &s->stream);
    s->ack_since = THIRL_NEVER;
  }
  report(s);
  if (now >= thirl_session_round_patience_ends(&s->round)) thirl_session_end_round(s, now, THIRL_E_TIMEOUT);
  close_when_done(s, now);
  if (now >= hopeless_at(s))
    end(s, THIRL_SESSION_FAILED, s->state == THIRL_SESSION_STATE_OPENING ? s->last_error : THIRL_E_LOST);
}

thirl_time thirl_session_deadline(const thirl_session *s) {
  if (s->state == THIRL_SESSION_STATE_OVER) return THIRL_NEVER;
  thirl_time t = THIRL_MIN(dead_at(s, &s->direct), dead_at(s, &s->relay));
  t = THIRL_MIN(t, ask_at(s, &s->direct, s->route == THIRL_SESSION_DIRECT));
  t = THIRL_MIN(t, ask_at(s, &s->relay, s->route == THIRL_SESSION_RELAY));
  if (ack_waits(s)) t = THIRL_MIN(t, s->ack_since + ACK_DELAY);
  t = THIRL_MIN(t, s->bye_at);
  t = THIRL_MIN(t, thirl_session_round_patience_ends(&s->round));
  return THIRL_MIN(t, hopeless_at(s));
}

thirl_time thirl_session_next_round(const thirl_session *s) {
  bool may = s->is_dialer && s->state != THIRL_SESSION_STATE_OVER && !s->bye_heard;
  return may ? thirl_session_round_next(&s->round) : THIRL_NEVER;
}

void thirl_session_abandon(thirl_session *s, thirl_time now, thirl_error reason) {
  (void)now;
  thirl_session_path *p = path_of(s, s->route);
  if (s->state == THIRL_SESSION_STATE_OVER) return;
  if (reason == THIRL_OK) reason = THIRL_E_PEER_CLOSED; /* 0 would say that all is well */
  if (p) thirl_session_path_say(p, &(thirl_session_frame){.type = THIRL_SESSION_BYE, .reason = reason});
  end(s, THIRL_SESSION_FAILED, reason);
}
