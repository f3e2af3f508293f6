/* SPDX-License-Identifier: MIT */
#include "session/path.h"

#include <assert.h>
#include <string.h>

#define HANDSHAKE_TIME (10 * THIRL_S)   /* a path that is not proven by then is given up */
#define ASK_AFTER      (500 * THIRL_MS) /* silence, while something is outstanding, before a PING */
#define ASK_IDLE       (25 * THIRL_S)   /* silence, with nothing outstanding, before a PING */
#define DEAD_AFTER     (2 * THIRL_S)    /* silence after a PING before the path is given up; at least 4 round trips */

enum {
  SAY_MAX = 8192,   /* bytes of frames that wait */
  SAY_SPARE = 1024, /* of them, for HELLO, FIN and BYE only */
  DISCARD = 4096,   /* bytes of known data thrown away per turn */
  /*
   * What one pull gives becomes one packet on the way, of use to the other side when it is whole. The first window of a fresh connection (10 segments,
   * RFC 6928) holds no 64 KiB: shorter packets and records at first, of use one or two round trips sooner.
   */
  FRESH = 65536,
  FRESH_PULL = 4096
};

thirl_error thirl_session_path_init(thirl_session_path *p, thirl_time now, thirl_secure_tls_context *tls,
                                    bool is_client, const thirl_peerid *expect,
                                    const uint8_t session[THIRL_SESSION_ID_LEN], uint64_t incarnation) {
  *p = (thirl_session_path){.incarnation = incarnation,
                            .born = now,
                            .heard_at = now,
                            .asked_at = THIRL_NEVER,
                            .flight_at = is_client ? now : 0};
  memcpy(p->session, session, sizeof p->session);
  thirl_buffer_init(&p->say, SAY_MAX);
  return thirl_secure_tls_new(tls, is_client, expect, &p->tls);
}

void thirl_session_path_fini(thirl_session_path *p) {
  if (!p->tls) return;
  thirl_secure_tls_free(p->tls);
  thirl_buffer_fini(&p->say);
  memset(p, 0, sizeof *p);
}

bool thirl_session_path_is_set(const thirl_session_path *p) {
  return p->tls != NULL;
}

bool thirl_session_path_is_open(const thirl_session_path *p) {
  return p->tls && thirl_secure_tls_state_of(p->tls) == THIRL_SECURE_TLS_OPEN;
}

bool thirl_session_path_is_proven(const thirl_session_path *p) {
  return p->hello_heard && thirl_session_path_is_open(p);
}

/* ---- out ---- */

bool thirl_session_path_say(thirl_session_path *p, const thirl_session_frame *f) {
  bool is_said_again = f->type == THIRL_SESSION_ACK || f->type == THIRL_SESSION_PING || f->type == THIRL_SESSION_PONG;
  if (is_said_again && thirl_buffer_room(&p->say) < SAY_SPARE + THIRL_SESSION_FRAME_MAX) return false;
  uint8_t *to = thirl_buffer_reserve(&p->say, THIRL_SESSION_FRAME_MAX);
  if (!to) return false;
  thirl_writer w = thirl_writer_of(to, THIRL_SESSION_FRAME_MAX);
  thirl_session_frame_encode(&w, f);
  assert(!w.bad);
  thirl_buffer_commit(&p->say, w.n);
  return true;
}

static void say_ack(thirl_session_path *p, thirl_session_stream *s) {
  thirl_session_frame f = {.type = THIRL_SESSION_ACK};
  thirl_session_stream_ack(s, &f.next, &f.limit);
  if (thirl_session_path_say(p, &f)) thirl_session_stream_ack_told(s, f.next, f.limit);
}

void thirl_session_path_say_ack(thirl_session_path *p, thirl_session_stream *s) {
  if (p->say.n == 0) say_ack(p, s);
}

void thirl_session_path_ask(thirl_session_path *p, thirl_time now) {
  if (p->asked_at != THIRL_NEVER || !thirl_session_path_is_open(p)) return;
  if (thirl_session_path_say(p, &(thirl_session_frame){.type = THIRL_SESSION_PING, .token = p->token + 1})) p->token++;
  p->asked_at = now; /* even if it was not said: a path on which so much waits is asked enough */
}

static void say_hello(thirl_session_path *p, thirl_session_stream *s) {
  thirl_session_frame f = {.type = THIRL_SESSION_HELLO, .incarnation = p->incarnation};
  memcpy(f.session, p->session, sizeof f.session);
  thirl_session_stream_ack(s, &f.next, &f.limit);
  p->hello_said = thirl_session_path_say(p, &f);
  if (p->hello_said) thirl_session_stream_ack_told(s, f.next, f.limit);
}

static void say_what_is_due(thirl_session_path *p, thirl_session_stream *s) {
  if (thirl_session_stream_ack_due(s)) say_ack(p, s);
  if (thirl_session_stream_fin_due(s))
    s->fin_sent = thirl_session_path_say(p, &(thirl_session_frame){.type = THIRL_SESSION_FIN, .offset = s->tx_end});
}

/* The frame's header borrows the bytes in front of the chunk for the time of the call, so that header and bytes are one record without a copy. */
static size_t seal_chunk(thirl_session_path *p, thirl_session_stream *s, uint8_t *buf, size_t cap) {
  uint8_t *at, saved[THIRL_SESSION_DATA_HEADER];
  uint64_t offset = 0;
  size_t max = THIRL_MIN(cap - THIRL_SECURE_TLS_OVERHEAD, (size_t)THIRL_SECURE_TLS_RECORD) - sizeof saved;
  size_t n = thirl_session_stream_next_chunk(s, max, &at, &offset), sealed = 0;
  if (!n) return 0;
  memcpy(saved, at - sizeof saved, sizeof saved);
  thirl_session_frame_put_data(at - sizeof saved, 0, offset, n);
  thirl_error e = thirl_secure_tls_seal(p->tls, THIRL_BYTES(at - sizeof saved, n + sizeof saved), buf, cap, &sealed);
  memcpy(at - sizeof saved, saved, sizeof saved);
  p->is_stalled = e == THIRL_E_AGAIN;
  if (e != THIRL_OK) return 0;
  thirl_session_stream_sent(s, n);
  p->stream_out += n;
  return sealed;
}

static size_t seal_said(thirl_session_path *p, uint8_t *buf, size_t cap) {
  thirl_bytes v = thirl_buffer_view(&p->say);
  size_t sealed = 0;
  v.n = THIRL_MIN(v.n, cap - THIRL_SECURE_TLS_OVERHEAD);
  thirl_error e = thirl_secure_tls_seal(p->tls, v, buf, cap, &sealed);
  p->is_stalled = e == THIRL_E_AGAIN;
  if (e != THIRL_OK) return 0;
  thirl_buffer_consume(&p->say, v.n);
  return sealed;
}

size_t thirl_session_path_pull(thirl_session_path *p, thirl_session_stream *s, uint8_t *buf, size_t cap) {
  size_t n = 0;
  if (p->stream_out < FRESH) cap = THIRL_MIN(cap, (size_t)FRESH_PULL);
  for (;;) {
    n += thirl_secure_tls_pull(p->tls, buf + n, cap - n);
    if (thirl_secure_tls_has_output(p->tls) || !thirl_session_path_is_open(p)) return n;
    if (cap - n < THIRL_SESSION_PATH_LEAST_PULL) return n;
    if (s) say_what_is_due(p, s);
    size_t k = p->say.n ? seal_said(p, buf + n, cap - n) : 0;
    if (!k && s && !p->say.n) k = seal_chunk(p, s, buf + n, cap - n);
    if (!k) return n;
    n += k;
  }
}

bool thirl_session_path_wants_pull(const thirl_session_path *p, thirl_session_stream *s) {
  if (!p->tls) return false;
  if (thirl_secure_tls_has_output(p->tls)) return true;
  if (!thirl_session_path_is_open(p) || p->is_stalled) return false;
  if (p->say.n) return true;
  uint8_t *at;
  uint64_t offset;
  return s && (thirl_session_stream_ack_due(s) == 2 || thirl_session_stream_fin_due(s) ||
               thirl_session_stream_next_chunk(s, 1, &at, &offset) > 0);
}

bool thirl_session_path_is_quiet(const thirl_session_path *p) {
  return !p->tls || (p->say.n == 0 && !thirl_secure_tls_has_output(p->tls));
}

/* ---- alive? ---- */

thirl_time thirl_session_path_ask_at(const thirl_session_path *p, bool is_outstanding) {
  if (p->asked_at != THIRL_NEVER || !thirl_session_path_is_proven(p)) return THIRL_NEVER;
  return p->heard_at + (is_outstanding ? THIRL_MAX(ASK_AFTER, 2 * p->rtt) : ASK_IDLE);
}

thirl_time thirl_session_path_dead_at(const thirl_session_path *p) {
  if (!thirl_session_path_is_set(p)) return THIRL_NEVER;
  if (!thirl_session_path_is_open(p)) return p->born + HANDSHAKE_TIME;
  if (!thirl_session_path_is_proven(p)) /* the dialer uses it already: HELLO should come within a round trip */
    return THIRL_MIN(p->born + HANDSHAKE_TIME, p->heard_at + THIRL_MAX(DEAD_AFTER, 4 * (p->heard_at - p->born)));
  if (p->asked_at == THIRL_NEVER) return THIRL_NEVER;
  return THIRL_MAX(p->asked_at, p->heard_at) + THIRL_MAX(DEAD_AFTER, 4 * p->rtt);
}

/* ---- in ---- */

/* Read the rest of a DATA frame into the ring, or throw away what is known already. */
static thirl_error read_data(thirl_session_path *p, thirl_session_stream *s, thirl_bytes *in) {
  uint8_t discard[DISCARD], *to = NULL;
  size_t skip = p->left, room = 0, n = 0;
  if (p->frame.type == THIRL_SESSION_DATA) {
    thirl_error e = thirl_session_stream_reserve(s, p->frame.offset, p->left, &skip, &to, &room);
    if (e != THIRL_OK) return e;
  }
  if (skip) {
    to = discard;
    room = THIRL_MIN(skip, sizeof discard);
  }
  if (!room) return THIRL_E_PROTOCOL; /* a limit was given, so there is room */
  thirl_error e = thirl_secure_tls_open(p->tls, in, to, room, &n);
  if (e != THIRL_OK) return e;
  if (!skip) {
    thirl_session_stream_received(s, n);
    p->stream_in += n;
  }
  p->frame.offset += n;
  p->left -= n;
  return THIRL_OK;
}

/* How many bytes of the head are wanted before the frame can be acted on. */
static size_t head_wanted(const thirl_session_path *p) {
  if (p->head_n < THIRL_SESSION_FRAME_HEADER) return THIRL_SESSION_FRAME_HEADER;
  if (p->frame.type == THIRL_SESSION_DATA) return THIRL_SESSION_DATA_HEADER;
  return THIRL_SESSION_FRAME_HEADER + (thirl_session_frame_is_known(p->frame.type) ? p->frame.length : 0u);
}

/* OK: a frame that is not DATA is complete in p->frame; E_AGAIN from TLS; E_NOT_FOUND: go on reading. */
static thirl_error read_head(thirl_session_path *p, thirl_bytes *in) {
  size_t want = head_wanted(p), n = 0;
  if (p->head_n < want) {
    thirl_error e = thirl_secure_tls_open(p->tls, in, p->head + p->head_n, want - p->head_n, &n);
    if (e != THIRL_OK) return e;
    p->head_n += n;
    if (p->head_n < want) return THIRL_E_NOT_FOUND;
  }
  if (want == THIRL_SESSION_FRAME_HEADER && p->head_n == want) {
    thirl_error e = thirl_session_frame_decode_header(p->head, &p->frame);
    if (e != THIRL_OK) return e;
    if (thirl_session_frame_is_known(p->frame.type) && p->frame.stream != 0)
      return THIRL_E_PROTOCOL; /* version 1 has one stream */
    if (head_wanted(p) > want) return THIRL_E_NOT_FOUND;
  }
  thirl_error e = thirl_session_frame_decode_body(
      THIRL_BYTES(p->head + THIRL_SESSION_FRAME_HEADER, p->head_n - THIRL_SESSION_FRAME_HEADER), &p->frame);
  if (e != THIRL_OK) return e;
  bool known = want > THIRL_SESSION_FRAME_HEADER && p->frame.type != THIRL_SESSION_DATA;
  p->left = known ? 0 : p->frame.length - (p->head_n - THIRL_SESSION_FRAME_HEADER);
  p->head_n = 0;
  return known ? THIRL_OK : THIRL_E_NOT_FOUND;
}

/* What concerns the path itself. */
static thirl_error take_frame(thirl_session_path *p, thirl_time now) {
  thirl_session_frame *f = &p->frame;
  if (f->type == THIRL_SESSION_HELLO) {
    if (f->version != THIRL_SESSION_VERSION || memcmp(f->session, p->session, sizeof f->session) != 0)
      return THIRL_E_PROTOCOL;
    p->hello_heard = true;
  } else if (!p->hello_heard) {
    return THIRL_E_PROTOCOL;
  } else if (f->type == THIRL_SESSION_PING) {
    thirl_session_path_say(p, &(thirl_session_frame){.type = THIRL_SESSION_PONG, .token = f->token});
  } else if (f->type == THIRL_SESSION_PONG && p->asked_at != THIRL_NEVER && f->token == p->token) {
    p->rtt = now - p->asked_at;
    p->asked_at = THIRL_NEVER;
  }
  return THIRL_OK;
}

/* The handshake shows the round trip before the first PING does: a long way must not look dead. Of a server the first flight is an answer. */
static void hear(thirl_session_path *p, thirl_time now) {
  p->heard_at = now;
  p->is_stalled = false;
  if (p->flight_at == 0) {
    p->flight_at = now;
  } else if (p->flight_at != THIRL_NEVER) {
    p->rtt = now - p->flight_at;
    p->flight_at = THIRL_NEVER;
  }
}

thirl_error thirl_session_path_next(thirl_session_path *p, thirl_time now, thirl_session_stream *s, thirl_bytes *in,
                                    thirl_session_frame *f) {
  thirl_error e = THIRL_OK;
  if (in->n) hear(p, now);
  for (;;) {
    if (p->left) {
      if (!p->hello_heard) return THIRL_E_PROTOCOL;
      e = read_data(p, s, in);
      if (e != THIRL_OK) return e;
      continue;
    }
    e = read_head(p, in);
    if (!p->hello_said && thirl_session_path_is_open(p)) say_hello(p, s);
    if (e == THIRL_E_NOT_FOUND) continue;
    if (e != THIRL_OK) return e;
    e = take_frame(p, now);
    *f = p->frame;
    return e;
  }
}
