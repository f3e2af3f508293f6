/* SPDX-License-Identifier: MIT */
/*
 * A whole TLS connection with somebody in between, from seeded randomness. Input: any number of commands
 *
 *   | what | argument, 2 bytes | at, 2 bytes, for commands that alter |
 *
 * that say what happens to the next bytes on the wire. However they are altered, cut, dropped or replaced: what comes
 * out on either side must be a beginning of what went in on the other, and nothing comes out before the keys are
 * proven.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "secure/identity.h"
#include "secure/tls.h"
#include "sim/rand.h"

enum { STEPS_MAX = 64, PENDING_MAX = 1 << 16 };

typedef struct side {
  thirl_secure_tls *tls;
  uint64_t sent, got;  /* application bytes; their values follow from their places */
  thirl_buffer coming; /* ciphertext on its way to this side */
} side;

static thirl_secure_identity *ids[2];
static thirl_secure_tls_context *contexts[2];

static void must(bool ok) {
  if (!ok) abort();
}

static uint8_t value_at(uint64_t offset) {
  return (uint8_t)(offset * 131 + (offset >> 8));
}

static void set_up(void) {
  static const uint8_t scalars[2][THIRL_P256_PRIVATE_LEN] = {{[31] = 1}, {[31] = 2}};
  must(thirl_sim_rand_install(1) == THIRL_OK);
  for (int i = 0; i < 2 && !ids[i]; i++) {
    must(thirl_secure_identity_from_private(scalars[i], &ids[i]) == THIRL_OK);
    must(thirl_secure_tls_context_new(ids[i], &contexts[i]) == THIRL_OK);
    thirl_secure_tls_context_set_rekey(contexts[i], 3);
  }
}

/* Flights, alerts and a record of n bytes go on the wire. */
static void produce(side *s, side *other, size_t n) {
  uint8_t wire[2 * THIRL_SECURE_TLS_RECORD], plain[1024];
  size_t len;
  while ((len = thirl_secure_tls_pull(s->tls, wire, sizeof wire)) > 0)
    (void)thirl_buffer_append(&other->coming, THIRL_BYTES(wire, len));
  n %= sizeof plain;
  for (size_t i = 0; i < n; i++)
    plain[i] = value_at(s->sent + i);
  if (thirl_secure_tls_seal(s->tls, THIRL_BYTES(plain, n), wire, sizeof wire, &len) != THIRL_OK) return;
  must(thirl_secure_tls_state_of(s->tls) == THIRL_SECURE_TLS_OPEN);
  s->sent += n;
  (void)thirl_buffer_append(&other->coming, THIRL_BYTES(wire, len));
}

static void check(side *s, const side *other, const uint8_t *plain, size_t n) {
  must(n == 0 || thirl_secure_tls_peer(s->tls) != NULL);
  for (size_t i = 0; i < n; i++)
    must(plain[i] == value_at(s->got + i));
  s->got += n;
  must(s->got <= other->sent);
}

/* n bytes arrive, by one or the other way; n = 0: all. */
static void consume(side *s, const side *other, size_t n, bool keep) {
  uint8_t plain[3000];
  size_t got = 0;
  thirl_bytes in = thirl_buffer_view(&s->coming);
  if (n && n < in.n) in.n = n;
  size_t taken = in.n;
  if (keep) {
    if (thirl_secure_tls_feed(s->tls, in) == THIRL_E_LIMIT) return;
    in.n = 0;
  }
  while (thirl_secure_tls_open(s->tls, &in, plain, sizeof plain, &got) == THIRL_OK)
    check(s, other, plain, got);
  must(got == 0);
  thirl_buffer_consume(&s->coming, taken);
}

static void alter(side *s, uint16_t at, uint8_t bits) {
  thirl_bytes v = thirl_buffer_view(&s->coming);
  if (v.n) s->coming.p[s->coming.at + at % v.n] ^= bits;
}

static void step(side sides[2], thirl_reader *r) {
  uint8_t what = thirl_reader_u8(r);
  uint16_t n = thirl_reader_u16(r);
  side *s = &sides[what & 1], *other = &sides[!(what & 1)];
  switch ((what >> 1) % 7) {
  case 0:
    produce(s, other, n);
    break;
  case 1:
    consume(s, other, n, false);
    break;
  case 2:
    consume(s, other, n, true);
    break;
  case 3:
    alter(s, thirl_reader_u16(r), (uint8_t)n);
    break;
  case 4: /* lost on the way */
    thirl_buffer_consume(&s->coming, n < s->coming.n ? n : s->coming.n);
    break;
  case 5: { /* the input's own bytes come first */
    thirl_bytes own = thirl_reader_take(r, n % 512);
    if (own.n) (void)thirl_secure_tls_feed(s->tls, own);
    break;
  }
  default:
    thirl_secure_tls_close(s->tls);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  side sides[2] = {{0}, {0}};
  set_up();
  for (int i = 0; i < 2; i++) {
    thirl_buffer_init(&sides[i].coming, PENDING_MAX);
    must(thirl_secure_tls_new(contexts[i], i == 0, thirl_secure_identity_peerid(ids[!i]), &sides[i].tls) == THIRL_OK);
  }
  thirl_reader r = thirl_reader_of(THIRL_BYTES(data, size));
  for (int i = 0; i < STEPS_MAX && !r.bad && thirl_reader_left(&r) > 0; i++)
    step(sides, &r);
  for (int i = 0; i < 2; i++) {
    thirl_secure_tls_free(sides[i].tls);
    thirl_buffer_fini(&sides[i].coming);
  }
  return 0;
}
