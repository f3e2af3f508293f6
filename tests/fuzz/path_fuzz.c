/* SPDX-License-Identifier: MIT */
/*
 * What a peer whose key is proven may say inside TLS: arbitrary frames, fed to a path and its stream. The handshake is made once; each input is
 * sealed by the other end and opened here. What must hold: no read or write out of bounds, the receiving ring never passes its window, bytes are
 * accepted in order only, and everything sealed is taken.
 */
#include <stdlib.h>
#include <string.h>

#include "session/path.h"

enum { WINDOW = THIRL_SESSION_STREAM_INITIAL };

static void must(bool ok) {
  if (!ok) abort();
}

static thirl_secure_tls *attacker;
static thirl_session_path path; /* its TLS lives on, all else is made anew for each input */

static const uint8_t session[THIRL_SESSION_ID_LEN] = {7};

static void shake_hands(void) {
  static thirl_secure_identity *a, *b; /* kept for the life of the process */
  static thirl_secure_tls_context *ca, *cb;
  uint8_t buf[8192], plain[256];
  must(thirl_secure_identity_generate(&a) == THIRL_OK && thirl_secure_identity_generate(&b) == THIRL_OK);
  must(thirl_secure_tls_context_new(a, &ca) == THIRL_OK && thirl_secure_tls_context_new(b, &cb) == THIRL_OK);
  must(thirl_secure_tls_new(ca, true, NULL, &attacker) == THIRL_OK);
  must(thirl_session_path_init(&path, 0, cb, false, thirl_secure_identity_peerid(a), session, 1) == THIRL_OK);
  for (int i = 0; i < 4; i++) {
    size_t n = thirl_secure_tls_pull(attacker, buf, sizeof buf), got;
    thirl_bytes in = {buf, n};
    if (n) (void)thirl_secure_tls_open(path.tls, &in, plain, sizeof plain, &got);
    n = thirl_secure_tls_pull(path.tls, buf, sizeof buf);
    in = (thirl_bytes){buf, n};
    if (n) (void)thirl_secure_tls_open(attacker, &in, plain, sizeof plain, &got);
  }
  must(thirl_session_path_is_open(&path));
}

static void begin(thirl_session_stream *s) {
  thirl_secure_tls *tls = path.tls;
  thirl_buffer_fini(&path.say);
  memset(&path, 0, sizeof path);
  path.tls = tls;
  path.asked_at = THIRL_NEVER;
  memcpy(path.session, session, sizeof session);
  thirl_buffer_init(&path.say, 8192);
  thirl_session_stream_init(s, WINDOW);
}

/* Give the stream something to acknowledge. */
static void write_some(thirl_session_stream *s) {
  uint8_t *p;
  size_t n;
  must(thirl_session_stream_space(s, &p, &n) == THIRL_OK && n >= 100);
  memset(p, 'x', 100);
  thirl_session_stream_commit(s, 100);
  thirl_session_stream_finish(s);
}

static thirl_error take(thirl_session_stream *s, const thirl_session_frame *f) {
  if (f->type == THIRL_SESSION_HELLO || f->type == THIRL_SESSION_ACK)
    return thirl_session_stream_acked(s, f->next, f->limit);
  if (f->type == THIRL_SESSION_FIN) return thirl_session_stream_fin(s, f->offset);
  return THIRL_OK;
}

/* What an error has left behind is of the next input's TLS state: take it out. */
static void drain(thirl_bytes in) {
  uint8_t plain[4096];
  size_t n;
  while (thirl_secure_tls_open(path.tls, &in, plain, sizeof plain, &n) == THIRL_OK) {
  }
}

static void check(const thirl_session_stream *s) {
  must(s->rx_next - s->rx_read <= WINDOW && s->rx_cap <= WINDOW && s->tx_acked <= s->tx_end && s->tx_sent <= s->tx_end);
  must(!s->rx_has_final || s->rx_next <= s->rx_final);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t sealed[THIRL_SECURE_TLS_RECORD + THIRL_SECURE_TLS_OVERHEAD], out[16384];
  thirl_session_stream s;
  if (!attacker) shake_hands();
  if (size < 2 || size > THIRL_SECURE_TLS_RECORD) return 0;
  begin(&s);
  write_some(&s);
  path.hello_heard = (data[0] & 1) != 0; /* most frames are refused before HELLO */
  size_t n = 0, piece = 1 + data[1] * 8u;
  for (size_t at = 2; at < size; at += piece) { /* pieces: records need not end where frames do */
    size_t k = size - at < piece ? size - at : piece;
    must(thirl_secure_tls_seal(attacker, THIRL_BYTES(data + at, k), sealed, sizeof sealed, &n) == THIRL_OK);
    thirl_bytes in = {sealed, n};
    thirl_session_frame f;
    thirl_error e;
    while ((e = thirl_session_path_next(&path, 1, &s, &in, &f)) == THIRL_OK && (e = take(&s, &f)) == THIRL_OK)
      check(&s);
    check(&s);
    if (e != THIRL_E_AGAIN) {
      drain(in);
      break;
    }
    thirl_bytes v = thirl_session_stream_peek(&s);
    if (data[0] & 2) thirl_session_stream_consume(&s, v.n);
  }
  n = thirl_session_path_pull(&path, &s, out, sizeof out);
  thirl_bytes answer = {out, n};
  size_t got;
  while (thirl_secure_tls_open(attacker, &answer, sealed, sizeof sealed, &got) == THIRL_OK) {
  }
  must(answer.n == 0);
  thirl_session_stream_fini(&s);
  return 0;
}
