/* SPDX-License-Identifier: MIT */
/*
 * What a peer with the right key may say inside TLS: arbitrary bytes, and frames that are nearly right, sealed as real records that need not end where
 * frames do and fed to a session on its relay or its direct path, cut anywhere, while the application writes, reads and time passes. The handshakes are
 * made once: a path's TLS is taken over from one run to the next as long as the run has not spoilt it, for a handshake costs more than everything else.
 *
 * Held after every step: no more is buffered than was allowed, bytes are accepted in order and up to the end only, a session that wants to be pulled
 * gives bytes, all of them whole records, no deadline stays in the past, it finishes only when all was read, and nothing comes after FINISHED or FAILED.
 *
 *   one step:  | path 1 bit, size of records 4 bits, operation 3 bits | argument | ... |
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "session/session.h"

#define HOLDS(x)                                                                                                       \
  do {                                                                                                                 \
    if (!(x)) {                                                                                                        \
      fprintf(stderr, "session_fuzz: %d: %s\n", __LINE__, #x);                                                         \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

enum { STEPS_MAX = 200, WINDOW = 32768, SAY_MAX = 8192, PULLS_MAX = 64, SPINS_MAX = 3 };

/* ---- what outlives a run ---- */

typedef struct pair {
  thirl_secure_tls *ours, *theirs; /* the session's end, and the peer's */
} pair;

static thirl_secure_identity *ids[2];
static thirl_secure_tls_context *contexts[2];
static pair pairs[2];
static const uint8_t session_id[THIRL_SESSION_ID_LEN] = {1, 2, 3};

static void make_keys(void) {
  if (ids[0]) return;
  for (int i = 0; i < 2; i++) {
    uint8_t scalar[THIRL_P256_PRIVATE_LEN] = {5, (uint8_t)i};
    HOLDS(thirl_secure_identity_from_private(scalar, &ids[i]) == THIRL_OK);
    HOLDS(thirl_secure_tls_context_new(ids[i], &contexts[i]) == THIRL_OK);
  }
}

static bool carry(thirl_secure_tls *from, thirl_secure_tls *to) {
  uint8_t buf[8192], none;
  size_t n, got, had = 0;
  while ((n = thirl_secure_tls_pull(from, buf, sizeof buf)) > 0) {
    thirl_bytes in = THIRL_BYTES(buf, n);
    HOLDS(thirl_secure_tls_open(to, &in, &none, 1, &got) == THIRL_E_AGAIN);
    had += n;
  }
  return had > 0;
}

/* Both ends open, in the roles of a listening session. */
static void make_pair(pair *p) {
  if (p->ours) return;
  HOLDS(thirl_secure_tls_new(contexts[0], false, thirl_secure_identity_peerid(ids[1]), &p->ours) == THIRL_OK);
  HOLDS(thirl_secure_tls_new(contexts[1], true, thirl_secure_identity_peerid(ids[0]), &p->theirs) == THIRL_OK);
  while (carry(p->theirs, p->ours) || carry(p->ours, p->theirs)) {
  }
  HOLDS(thirl_secure_tls_state_of(p->ours) == THIRL_SECURE_TLS_OPEN);
}

static void drop_pair(pair *p) {
  thirl_secure_tls_free(p->ours);
  thirl_secure_tls_free(p->theirs);
  *p = (pair){NULL, NULL};
}

/* ---- one run ---- */

typedef struct game {
  thirl_bytes in;
  thirl_session s;
  thirl_time now;
  bool is_up[2];    /* the relay, the direct path: it has the TLS of pairs[i] */
  bool is_spoilt;   /* bytes were sealed and not opened, or the other way round */
  size_t piece;     /* of what is said, in one record; 0: all of it */
  uint64_t written; /* by the application */
  bool is_over;
} game;

static uint8_t next(game *g) {
  if (!g->in.n) return 0;
  g->in.n--;
  return *g->in.p++;
}

static thirl_session_path *path_of(game *g, int i) {
  return i ? &g->s.direct : &g->s.relay;
}

/* The session's own handshake is replaced by the one that is there already. */
static void bring_up(game *g, int i) {
  static const thirl_addr at = {.family = THIRL_FAMILY_V4, .port = 1, .ip = {198, 51, 100, 1}};
  if (g->is_up[i] || g->is_over) return;
  make_pair(&pairs[i]);
  HOLDS((i ? thirl_session_direct_up(&g->s, g->now, &at) : thirl_session_relay_up(&g->s, g->now)) == THIRL_OK);
  thirl_secure_tls_free(path_of(g, i)->tls);
  path_of(g, i)->tls = pairs[i].ours;
  g->is_up[i] = true;
}

/* A path that the session has given up has taken our end with it. */
static void look_after_paths(game *g) {
  for (int i = 0; i < 2; i++) {
    if (!g->is_up[i] || path_of(g, i)->tls == pairs[i].ours) continue;
    pairs[i].ours = NULL;
    drop_pair(&pairs[i]);
    g->is_up[i] = false;
  }
}

/* Take the TLS back before the session frees it, if it is of any further use. */
static void take_back(game *g, int i) {
  thirl_session_path *p = path_of(g, i);
  if (!g->is_up[i]) return;
  p->tls = NULL; /* the path is no more */
  thirl_buffer_fini(&p->say);
  bool good = !g->is_spoilt && !p->is_stalled && !thirl_secure_tls_has_output(pairs[i].ours) &&
              thirl_secure_tls_state_of(pairs[i].ours) == THIRL_SECURE_TLS_OPEN &&
              thirl_secure_tls_state_of(pairs[i].theirs) == THIRL_SECURE_TLS_OPEN;
  if (!good) drop_pair(&pairs[i]);
}

/* What the session says is opened, so that both ends keep in step. */
static void hear(int i, thirl_bytes in) {
  static uint8_t plain[THIRL_SECURE_TLS_RECORD];
  size_t n;
  thirl_error e;
  do
    e = thirl_secure_tls_open(pairs[i].theirs, &in, plain, sizeof plain, &n);
  while (e == THIRL_OK);
  HOLDS(e != THIRL_E_WRONG_KEY && e != THIRL_E_INTEGRITY && (e != THIRL_E_AGAIN || in.n == 0));
}

static bool wants_pull(game *g, int i) {
  return g->is_up[i] && (i ? thirl_session_direct_wants_pull(&g->s) : thirl_session_relay_wants_pull(&g->s));
}

static void pump(game *g) {
  static uint8_t buf[THIRL_SECURE_TLS_RECORD + 1024];
  for (int i = 0; i < 2; i++) {
    for (int k = 0; wants_pull(g, i); k++) {
      size_t n =
          i ? thirl_session_direct_pull(&g->s, buf, sizeof buf) : thirl_session_relay_pull(&g->s, buf, sizeof buf);
      HOLDS(k < PULLS_MAX);
      if (n) hear(i, THIRL_BYTES(buf, n));
    }
  }
}

static void take_events(game *g) {
  thirl_session_event ev;
  while (thirl_session_next_event(&g->s, &ev)) {
    HOLDS(!g->is_over);
    g->is_over = ev.kind == THIRL_SESSION_FINISHED || ev.kind == THIRL_SESSION_FAILED;
    if (ev.kind == THIRL_SESSION_FINISHED) HOLDS(thirl_session_stream_is_read_out(&g->s.stream));
  }
  HOLDS(g->is_over == (g->s.state == THIRL_SESSION_STATE_OVER));
}

static void settle(game *g) {
  const thirl_session_stream *t = &g->s.stream;
  for (int spins = 0;; spins++) {
    thirl_session_evaluate(&g->s, g->now);
    look_after_paths(g);
    pump(g);
    thirl_session_evaluate(&g->s, g->now);
    look_after_paths(g);
    take_events(g);
    if (thirl_session_deadline(&g->s) > g->now) break;
    HOLDS(spins < SPINS_MAX); /* a busy loop */
  }
  HOLDS(t->rx_cap <= WINDOW && t->tx_cap <= WINDOW && t->rx_next - t->rx_read <= WINDOW);
  HOLDS(t->tx_acked <= t->tx_end && t->tx_sent <= t->tx_end && t->tx_end == g->written);
  HOLDS(!t->rx_has_final || t->rx_next <= t->rx_final);
  HOLDS(g->s.relay.say.n <= SAY_MAX && g->s.direct.say.n <= SAY_MAX);
}

static void say_record(game *g, int i, thirl_bytes plain, size_t cut) {
  static uint8_t sealed[THIRL_SECURE_TLS_RECORD + THIRL_SECURE_TLS_OVERHEAD];
  size_t n;
  if (!g->is_up[i] || !plain.n) return;
  if (thirl_secure_tls_seal(pairs[i].theirs, plain, sealed, sizeof sealed, &n) != THIRL_OK) return;
  for (size_t at = 0; at < n && g->is_up[i];) {
    size_t k = cut && cut < n - at ? cut : n - at;
    thirl_bytes in = THIRL_BYTES(sealed + at, k);
    bool useful = i ? thirl_session_direct_input(&g->s, g->now, in) : thirl_session_relay_input(&g->s, g->now, in);
    HOLDS(useful || !path_of(g, i)->tls);
    if (g->s.state == THIRL_SESSION_STATE_OVER) g->is_spoilt = true; /* it reads no more */
    at += k;
    settle(g);
  }
}

static void say(game *g, int i, thirl_bytes plain, size_t cut) {
  size_t piece = g->piece ? g->piece : plain.n;
  for (size_t at = 0; at < plain.n && !g->is_spoilt; at += piece)
    say_record(g, i, THIRL_BYTES(plain.p + at, THIRL_MIN(piece, plain.n - at)), cut);
}

/* A frame whose fields are near to what would be right. */
static void say_frame(game *g, int i, uint8_t arg) {
  static const uint64_t odd[8] = {1, 2, WINDOW, 65536, 1ull << 63, UINT64_MAX - WINDOW, UINT64_MAX - 1, UINT64_MAX};
  uint8_t buf[THIRL_SESSION_FRAME_MAX];
  thirl_writer w = thirl_writer_of(buf, sizeof buf);
  const thirl_session_stream *t = &g->s.stream;
  uint64_t off = arg & 8 ? odd[next(g) % 8] : 0;
  thirl_session_frame f = {.type = (uint8_t)(THIRL_SESSION_HELLO + arg % 7)};
  if (f.type == THIRL_SESSION_DATA) {
    f.type = arg & 8 ? THIRL_SESSION_REPORT : THIRL_SESSION_ACK;
    f.mapping = (uint8_t)off;
  }
  memcpy(f.session, session_id, sizeof f.session);
  if (arg & 16) f.session[3] = next(g);
  f.incarnation = arg & 32 ? next(g) : 1;
  f.next = (arg & 64 ? t->tx_acked : t->tx_end + (t->tx_finished ? 1 : 0)) + off;
  f.limit = t->tx_end + WINDOW + off;
  f.offset = t->rx_next + off;
  f.token = path_of(g, i)->token + off;
  f.reason = arg & 64 ? next(g) : 0;
  thirl_session_frame_encode(&w, &f);
  say(g, i, thirl_writer_done(&w), arg & 128 ? 1 + next(g) % 40u : 0);
}

static void say_data(game *g, int i, uint8_t arg) {
  static uint8_t buf[THIRL_SECURE_TLS_RECORD];
  static const size_t sizes[8] = {1, 2, 100, 1000, 4096, 8000, 16000, 16372};
  size_t n = sizes[arg % 8];
  uint64_t offset = g->s.stream.rx_next;
  uint64_t back = arg & 8 ? next(g) : 0;
  offset -= THIRL_MIN(offset, back);
  if (arg & 16) offset += next(g);
  thirl_session_frame_put_data(buf, arg & 32 ? next(g) : 0, offset, n);
  if (arg & 64) buf[2 + next(g) % 2u] ^= next(g); /* a length that is not its */
  say(g, i, THIRL_BYTES(buf, THIRL_SESSION_DATA_HEADER + n), arg & 128 ? 1 + next(g) : 0);
}

static void say_bytes(game *g, int i) {
  size_t n = (size_t)next(g) + 1;
  n = THIRL_MIN(n, g->in.n);
  thirl_bytes b = THIRL_BYTES(g->in.p, n);
  g->in = THIRL_BYTES(g->in.p + n, g->in.n - n);
  say(g, i, b, 0);
}

static void use_stream(game *g, uint8_t arg) {
  thirl_session_stream *t = &g->s.stream;
  uint8_t *p;
  size_t n;
  if (g->is_over) return;
  if (arg & 1) {
    thirl_bytes v = thirl_session_stream_peek(t);
    size_t most = arg & 16 ? next(g) : v.n;
    v.n = THIRL_MIN(v.n, most);
    thirl_session_stream_consume(t, v.n);
  }
  if ((arg & 2) && thirl_session_stream_space(t, &p, &n) == THIRL_OK) {
    size_t most = (size_t)next(g) * 64;
    n = THIRL_MIN(n, most);
    memset(p, 'x', n);
    thirl_session_stream_commit(t, n);
    g->written += n;
  }
  if (arg & 4) thirl_session_stream_finish(t);
}

/* Punching begins, ends, and is explained. */
static void punch(game *g, uint8_t arg) {
  if (g->is_over) return;
  if (arg & 1) thirl_session_punch_started(&g->s, g->now);
  if (arg & 2) thirl_session_mapping_is(&g->s, g->now, (thirl_session_mapping)(arg >> 4 & 3));
  if (arg & 4) thirl_session_punch_failed(&g->s, g->now, (thirl_error)(1 + next(g) % (THIRL_ERROR_COUNT - 1)));
  if (thirl_session_doubts_at(&g->s) <= g->now) thirl_session_doubts_heard(&g->s);
  HOLDS(thirl_session_doubts_at(&g->s) > g->now);
}

static void lose_path(game *g, int i, uint8_t arg) {
  if (arg >= 192 && arg < 255) {
    punch(g, arg);
    return;
  }
  if (!g->is_up[i]) return;
  if (arg == 255)
    thirl_session_abandon(&g->s, g->now, (thirl_error)(next(g) % THIRL_ERROR_COUNT));
  else if (i)
    thirl_session_direct_down(&g->s, g->now, arg & 1 ? THIRL_E_RESET : THIRL_OK);
  else
    thirl_session_relay_down(&g->s, g->now, (thirl_error)(arg % THIRL_ERROR_COUNT));
}

static void move(game *g) {
  static const thirl_time steps[8] = {1,           THIRL_MS,     20 * THIRL_MS, 500 * THIRL_MS,
                                      2 * THIRL_S, 10 * THIRL_S, 26 * THIRL_S,  61 * THIRL_S};
  uint8_t op = next(g), arg = next(g);
  int i = op >> 7;
  size_t root = op >> 3 & 15u;
  g->piece = root * root;
  switch (op % 8) {
  case 0:
    bring_up(g, i);
    break;
  case 1:
  case 2:
    say_frame(g, i, arg);
    break;
  case 3:
    say_data(g, i, arg);
    break;
  case 4:
    say_bytes(g, i);
    break;
  case 5:
    use_stream(g, arg);
    break;
  case 6:
    g->now += steps[arg % 8];
    break;
  default:
    lose_path(g, i, arg);
  }
  settle(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const thirl_session_policy policy = {.window = WINDOW};
  game g = {.in = {data, size}, .now = 1000 * THIRL_S};
  make_keys();
  HOLDS(thirl_session_init(&g.s, g.now, false, thirl_secure_identity_peerid(ids[1]), session_id, &policy, contexts[0],
                           1) == THIRL_OK);
  for (int k = 0; k < STEPS_MAX && g.in.n; k++)
    move(&g);
  take_back(&g, 0);
  take_back(&g, 1);
  thirl_session_fini(&g.s);
  return 0;
}
