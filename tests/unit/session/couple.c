/* SPDX-License-Identifier: MIT */
#include "couple.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define START      (1000 * THIRL_S)
#define ROUND_TIME (THIRL_MS / 2)

enum { TURNS_MAX = 1000, PULL = 16384, PULLS_MAX = 4096 };

struct couple_packet {
  couple_packet *next;
  thirl_time due;
  couple_side *to;
  couple_pipe pipe;
  size_t n;
  uint8_t bytes[];
};

const uint8_t couple_id[THIRL_SESSION_ID_LEN] = "a session's id!";

static uint8_t pattern(uint64_t at) {
  return (uint8_t)(at * 37 >> 3 ^ at >> 11);
}

static couple_side *other(couple *c, couple_side *s) {
  return s == &c->d ? &c->l : &c->d;
}

/* ---- set up ---- */

void couple_restart(couple *c, couple_side *s, const thirl_session_policy *policy) {
  thirl_session_policy usual = {.window = 1 << 17};
  if (s->s.tls) thirl_session_fini(&s->s);
  assert_int_equal(thirl_session_init(&s->s, c->now, s == &c->d, thirl_secure_identity_peerid(other(c, s)->identity),
                                      couple_id, policy ? policy : &usual, s->tls, (uint64_t)(s == &c->d) + c->now),
                   THIRL_OK);
  s->n_events = 0;
  s->written = s->read = 0;
  s->relay_ended = s->direct_ended = false;
}

void couple_open(couple *c, const thirl_session_policy *policy_d, const thirl_session_policy *policy_l) {
  memset(c, 0, sizeof *c);
  c->now = START;
  c->delay[COUPLE_RELAY] = c->delay[COUPLE_DIRECT] = 50 * THIRL_MS;
  couple_side *sides[2] = {&c->d, &c->l};
  for (int i = 0; i < 2; i++) {
    uint8_t scalar[THIRL_P256_PRIVATE_LEN] = {7, (uint8_t)i};
    assert_int_equal(thirl_secure_identity_from_private(scalar, &sides[i]->identity), THIRL_OK);
    assert_int_equal(thirl_secure_tls_context_new(sides[i]->identity, &sides[i]->tls), THIRL_OK);
  }
  couple_restart(c, &c->d, policy_d);
  couple_restart(c, &c->l, policy_l);
}

static void lose_packets(couple *c, couple_pipe pipe) {
  for (couple_packet **p = &c->packets; *p;) {
    couple_packet *k = *p;
    if (k->pipe != pipe) {
      p = &k->next;
      continue;
    }
    *p = k->next;
    free(k);
  }
}

void couple_close(couple *c) {
  lose_packets(c, COUPLE_RELAY);
  lose_packets(c, COUPLE_DIRECT);
  couple_side *sides[2] = {&c->d, &c->l};
  for (int i = 0; i < 2; i++) {
    thirl_session_fini(&sides[i]->s);
    thirl_secure_tls_context_free(sides[i]->tls);
    thirl_secure_identity_free(sides[i]->identity);
  }
}

/* ---- bytes ---- */

static void send_packet(couple *c, couple_side *from, couple_pipe pipe, const uint8_t *p, size_t n) {
  from->bytes_out[pipe] += n;
  if (c->cut[pipe]) return;
  couple_packet *k = malloc(sizeof *k + n), **at = &c->packets;
  assert_non_null(k);
  *k = (couple_packet){.due = c->now + c->delay[pipe], .to = other(c, from), .pipe = pipe, .n = n};
  memcpy(k->bytes, p, n);
  while (*at && (*at)->due <= k->due)
    at = &(*at)->next;
  k->next = *at;
  *at = k;
}

static bool pump(couple *c, couple_side *s, couple_pipe pipe) {
  static uint8_t buf[PULL];
  bool relay = pipe == COUPLE_RELAY, did = false;
  if (!c->open[pipe] || (relay ? s->relay_ended : s->direct_ended)) return false;
  for (int i = 0; relay ? thirl_session_relay_wants_pull(&s->s) : thirl_session_direct_wants_pull(&s->s); i++) {
    size_t n =
        relay ? thirl_session_relay_pull(&s->s, buf, sizeof buf) : thirl_session_direct_pull(&s->s, buf, sizeof buf);
    assert_true(i < PULLS_MAX);
    if (!n) break; /* it must not want again */
    send_packet(c, s, pipe, buf, n);
    did = true;
  }
  assert_false(relay ? thirl_session_relay_wants_pull(&s->s) : thirl_session_direct_wants_pull(&s->s));
  return did;
}

static bool read_some(couple_side *s) {
  bool did = false;
  for (;;) {
    thirl_bytes v = thirl_session_stream_peek(&s->s.stream);
    if (!v.n || s->lazy) return did;
    for (size_t i = 0; i < v.n; i++)
      assert_int_equal(v.p[i], pattern(s->read + i));
    thirl_session_stream_consume(&s->s.stream, v.n);
    s->read += v.n;
    did = true;
  }
}

static void take_events(couple *c, couple_side *s) {
  thirl_session_event ev;
  while (thirl_session_next_event(&s->s, &ev)) {
    assert_true(s->n_events < COUPLE_EVENTS_MAX);
    s->events[s->n_events++] = (couple_event){c->now, ev};
  }
}

static void begin_round(couple *c) {
  if (!c->rounds || !thirl_session_wants_round(&c->d.s, c->now)) return;
  assert_true(c->n_rounds < COUPLE_ROUNDS_MAX);
  c->round_punches[c->n_rounds] = thirl_session_wants_punch(&c->d.s);
  c->round_at[c->n_rounds++] = c->now;
  thirl_session_begin_round(&c->d.s, c->now);
}

static bool settle_side(couple *c, couple_side *s) {
  thirl_session_evaluate(&s->s, c->now);
  bool did = read_some(s);
  if (did) thirl_session_evaluate(&s->s, c->now);
  did = pump(c, s, COUPLE_RELAY) || did;
  did = pump(c, s, COUPLE_DIRECT) || did;
  thirl_session_evaluate(&s->s, c->now); /* what was said has left */
  take_events(c, s);
  return did;
}

void couple_settle(couple *c) {
  int i = 0;
  bool did = true;
  while (did) {
    assert_true(i++ < TURNS_MAX);
    did = settle_side(c, &c->d);
    did = settle_side(c, &c->l) || did;
  }
  begin_round(c);
  assert_true(thirl_session_deadline(&c->d.s) > c->now);
  assert_true(thirl_session_deadline(&c->l.s) > c->now);
}

/* ---- time ---- */

static thirl_time round_due(const couple *c) {
  return c->d.s.round.under_way && c->rounds ? c->round_at[c->n_rounds - 1] + ROUND_TIME : THIRL_NEVER;
}

static void answer_round(couple *c) {
  thirl_session_end_round(&c->d.s, c->now, c->round_answer);
  if (c->round_answer == THIRL_OK) couple_relay_up(c);
}

static void deliver(couple *c) {
  couple_packet *k = c->packets;
  c->packets = k->next;
  thirl_bytes in = THIRL_BYTES(k->bytes, k->n);
  couple_side *to = k->to;
  bool useful = k->pipe == COUPLE_RELAY ? thirl_session_relay_input(&to->s, c->now, in)
                                        : thirl_session_direct_input(&to->s, c->now, in);
  if (!useful && k->pipe == COUPLE_RELAY) to->relay_ended = true;
  if (!useful && k->pipe == COUPLE_DIRECT) to->direct_ended = true;
  free(k);
}

void couple_run_to(couple *c, thirl_time until) {
  couple_settle(c);
  for (int i = 0;; i++) {
    thirl_time t = THIRL_MIN(thirl_session_deadline(&c->d.s), thirl_session_deadline(&c->l.s));
    if (c->packets) t = THIRL_MIN(t, c->packets->due);
    if (c->rounds) t = THIRL_MIN(t, THIRL_MIN(thirl_session_next_round(&c->d.s), round_due(c)));
    if (t > until) break;
    assert_true(i < 200000);
    c->now = THIRL_MAX(c->now, t);
    if (c->packets && c->packets->due <= c->now)
      deliver(c);
    else if (round_due(c) <= c->now)
      answer_round(c);
    couple_settle(c);
  }
  c->now = until;
}

void couple_run(couple *c, thirl_time d) {
  couple_run_to(c, c->now + d);
}

/* ---- pipes ---- */

void couple_relay_up(couple *c) {
  lose_packets(c, COUPLE_RELAY);
  c->open[COUPLE_RELAY] = true;
  c->d.relay_ended = c->l.relay_ended = false;
  assert_int_equal(thirl_session_relay_up(&c->d.s, c->now), THIRL_OK);
  assert_int_equal(thirl_session_relay_up(&c->l.s, c->now), THIRL_OK);
  couple_settle(c);
}

void couple_direct_up(couple *c) {
  static const thirl_addr at = {.family = THIRL_FAMILY_V4, .port = 4000, .ip = {203, 0, 113, 7}};
  lose_packets(c, COUPLE_DIRECT);
  c->open[COUPLE_DIRECT] = true;
  c->d.direct_ended = c->l.direct_ended = false;
  assert_int_equal(thirl_session_direct_up(&c->d.s, c->now, &at), THIRL_OK);
  assert_int_equal(thirl_session_direct_up(&c->l.s, c->now, &at), THIRL_OK);
  couple_settle(c);
}

void couple_down(couple *c, couple_pipe p, thirl_error why) {
  lose_packets(c, p);
  if (why == THIRL_OK) {
    c->cut[p] = true;
    return;
  }
  c->open[p] = false;
  void (*down)(thirl_session *, thirl_time, thirl_error) =
      p == COUPLE_RELAY ? thirl_session_relay_down : thirl_session_direct_down;
  down(&c->d.s, c->now, why);
  down(&c->l.s, c->now, why);
  couple_settle(c);
}

/* ---- the application ---- */

void couple_write(couple *c, couple_side *s, size_t n) {
  while (n) {
    uint8_t *p;
    size_t room;
    assert_int_equal(thirl_session_stream_space(&s->s.stream, &p, &room), THIRL_OK);
    assert_true(room > 0);
    room = THIRL_MIN(room, n);
    for (size_t i = 0; i < room; i++)
      p[i] = pattern(s->written + i);
    thirl_session_stream_commit(&s->s.stream, room);
    s->written += room;
    n -= room;
  }
  couple_settle(c);
}

void couple_finish(couple *c, couple_side *s) {
  thirl_session_stream_finish(&s->s.stream);
  couple_settle(c);
}

const couple_event *couple_find(const couple_side *s, thirl_session_event_kind kind, size_t i) {
  for (size_t k = 0; k < s->n_events; k++)
    if (s->events[k].ev.kind == kind && i-- == 0) return &s->events[k];
  return NULL;
}

size_t couple_count(const couple_side *s, thirl_session_event_kind kind) {
  size_t n = 0;
  while (couple_find(s, kind, n))
    n++;
  return n;
}
