/* SPDX-License-Identifier: MIT */
#include "session/survey.h"

#include <string.h>

#include "stun/msg.h"
#include "stun/writer.h"

#define PATIENCE (5 * THIRL_S)

void thirl_session_survey_init(thirl_session_survey *s) {
  *s = (thirl_session_survey){.until = THIRL_NEVER};
  thirl_stun_stream_init(&s->cut, THIRL_STUN_FRAMING_TURN, THIRL_STUN_MSG_MAX);
}

void thirl_session_survey_fini(thirl_session_survey *s) {
  thirl_stun_stream_fini(&s->cut);
}

static bool has_answer(const thirl_session_survey *s, const thirl_session_lane *k) {
  return thirl_addr_same_ip(&k->local, &s->inside) && thirl_addr_same_ip(&k->mapped, &s->outside);
}

thirl_session_mapping thirl_session_survey_mapping(const thirl_session_survey *s, const thirl_session_lanes *l) {
  for (int i = 0; i < THIRL_SESSION_LANES; i++) {
    const thirl_session_lane *k = &l->lane[i];
    if (k->state != THIRL_SESSION_LANE_MAPPED) continue;
    if (thirl_addr_equal(&k->local, &k->mapped)) return THIRL_SESSION_MAPPING_INDEPENDENT;
    if (has_answer(s, k)) return s->mapping;
  }
  return THIRL_SESSION_MAPPING_UNKNOWN;
}

static void hang_up(thirl_session_survey *s, thirl_session_queue *q) {
  if (s->conn) thirl_session_queue_abort(q, s->conn);
  s->conn = 0;
}

static void give_up(thirl_session_survey *s, thirl_session_queue *q) {
  hang_up(s, q);
  s->state = THIRL_SESSION_SURVEY_IDLE;
  s->until = THIRL_NEVER;
}

void thirl_session_survey_begin(thirl_session_survey *s, thirl_time now, thirl_session_lanes *l,
                                thirl_session_queue *q) {
  if (s->state != THIRL_SESSION_SURVEY_IDLE) return;
  if (thirl_session_survey_mapping(s, l) != THIRL_SESSION_MAPPING_UNKNOWN) return;
  for (int i = 0; i < THIRL_SESSION_LANES; i++) {
    const thirl_session_lane *k = &l->lane[i];
    if (k->state != THIRL_SESSION_LANE_MAPPED || !thirl_addr_is_set(&k->other)) continue;
    if (has_answer(s, k)) return; /* it was not telling, and would not be now */
    s->state = THIRL_SESSION_SURVEY_CONNECTING;
    s->lane = i;
    s->local = k->local;
    s->mapped = k->mapped;
    s->to = k->other;
    s->is_port = k->other_is_port;
    s->until = now + PATIENCE;
    s->asked_lane = s->write_due = false;
    thirl_stun_stream_fini(&s->cut);
    thirl_stun_stream_init(&s->cut, THIRL_STUN_FRAMING_TURN, THIRL_STUN_MSG_MAX);
    s->conn = thirl_session_queue_new_id(q);
    thirl_addr from = thirl_addr_any((thirl_family)s->to.family, s->local.port);
    thirl_session_queue_connect(q, s->conn, &from, &s->to);
    return;
  }
}

bool thirl_session_survey_owns(const thirl_session_survey *s, thirl_net_id id) {
  return s->conn && s->conn == id;
}

/* True: it is the answer. */
static bool take_packet(thirl_session_survey *s, thirl_bytes packet) {
  thirl_stun_msg m;
  return thirl_stun_msg_decode(packet, &m) == THIRL_OK && m.cls == THIRL_STUN_SUCCESS &&
         m.method == THIRL_STUN_METHOD_BINDING && thirl_stun_msg_same_tid(&m, s->tid) &&
         thirl_stun_msg_get_xor_addr(&m, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &s->seen) == THIRL_OK;
}

static void take_data(thirl_session_survey *s, thirl_bytes in, thirl_session_queue *q) {
  thirl_bytes packet;
  thirl_error e;
  while ((e = thirl_stun_stream_next(&s->cut, &in, &packet)) == THIRL_OK) {
    if (s->state != THIRL_SESSION_SURVEY_EXPECT_OTHER || !take_packet(s, packet)) continue;
    s->state = THIRL_SESSION_SURVEY_EXPECT_LANE;
    hang_up(s, q);
    return;
  }
  if (e != THIRL_E_AGAIN) give_up(s, q);
}

void thirl_session_survey_input(thirl_session_survey *s, thirl_time now, const thirl_net_event *ev,
                                thirl_session_lanes *l, thirl_session_queue *q) {
  (void)now;
  switch (ev->kind) {
  case THIRL_NET_CONNECTED:
    if (s->state != THIRL_SESSION_SURVEY_CONNECTING) break;
    s->state = THIRL_SESSION_SURVEY_EXPECT_OTHER;
    thirl_secrets_fill(l->secrets, s->tid, sizeof s->tid);
    s->write_due = true;
    thirl_session_queue_write(q, s->conn);
    break;
  case THIRL_NET_DATA:
    take_data(s, ev->payload, q);
    break;
  case THIRL_NET_FAILED: /* the carrier has closed it */
    s->conn = 0;
    give_up(s, q);
    break;
  case THIRL_NET_EOF:
    give_up(s, q);
    break;
  default:
    break;
  }
}

size_t thirl_session_survey_pull(thirl_session_survey *s, uint8_t *buf, size_t cap) {
  thirl_stun_writer w;
  thirl_bytes out;
  if (!s->write_due) return 0;
  s->write_due = false;
  thirl_stun_writer_init(&w, buf, cap, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, s->tid);
  return thirl_stun_writer_finish(&w, &out) == THIRL_OK ? out.n : 0;
}

/* An other address tells all; another port of the same address tells only when the answer differs: it might still be the address that counts. */
static void conclude(thirl_session_survey *s) {
  if (!thirl_addr_equal(&s->seen, &s->mapped))
    s->mapping = THIRL_SESSION_MAPPING_DEPENDENT;
  else if (!s->is_port)
    s->mapping = THIRL_SESSION_MAPPING_INDEPENDENT;
  else
    s->mapping = THIRL_SESSION_MAPPING_UNKNOWN;
  s->inside = s->local;
  s->outside = s->mapped;
}

void thirl_session_survey_evaluate(thirl_session_survey *s, thirl_time now, thirl_session_lanes *l,
                                   thirl_session_queue *q) {
  if (s->state == THIRL_SESSION_SURVEY_IDLE) return;
  const thirl_session_lane *k = &l->lane[s->lane];
  bool as_before = k->state == THIRL_SESSION_LANE_MAPPED && thirl_addr_equal(&k->local, &s->local) &&
                   thirl_addr_equal(&k->mapped, &s->mapped);
  if (!as_before || now >= s->until) {
    give_up(s, q);
    return;
  }
  if (s->state != THIRL_SESSION_SURVEY_EXPECT_LANE) return;
  if (!s->asked_lane) {
    s->asked_lane = thirl_session_lanes_ask(l, now, s->lane, q);
    s->answers = k->answers;
  } else if (k->answers != s->answers) {
    conclude(s);
    give_up(s, q);
  }
}

thirl_time thirl_session_survey_deadline(const thirl_session_survey *s) {
  return s->state == THIRL_SESSION_SURVEY_IDLE ? THIRL_NEVER : s->until;
}
