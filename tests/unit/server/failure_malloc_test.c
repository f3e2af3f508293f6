/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out inside the server: each kind of input with its first, second, ... allocation failing, those of the cryptographic
 * library included. Whatever is refused then, the tables agree, nobody hears half an answer, and nothing is left in the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "support/server_rig.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

static bool inside;
static long until_failure, failures;
static long chosen; /* which one is to fail in this run */

#ifndef SANITIZED
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static bool fails_now(void) {
  if (!inside || until_failure < 0 || until_failure-- > 0) return false;
  failures++;
  return true;
}

void *malloc(size_t n) {
  return fails_now() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size) {
  return fails_now() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n) {
  return fails_now() ? NULL : __libc_realloc(p, n);
}
#endif

static void around(bool entering) {
  inside = entering;
}

/* A world in which the step is about to be made, and the step. */
typedef struct scene {
  rig *r;
  rig_client *a, *b, *fresh;
  uint16_t at_a, at_b;
} scene;

typedef void (*step)(scene *s);

static void step_accept(scene *s) {
  rig_connect(s->r, rig_addr(9));
}

static void step_part(scene *s) {
  rig_send(s->fresh, THIRL_BYTES("\x00\x01\x00\x00\x21", 5));
  rig_send(s->fresh, THIRL_BYTES("\x12\xa4\x42"
                                 "0123456789ab",
                                 15));
}

static void step_challenge(scene *s) {
  thirl_meet_message m = rig_message_of(s->fresh, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_REGISTER);
  rig_send_message(s->fresh, &m);
}

static void step_register(scene *s) {
  uint8_t offer[THIRL_MEET_OFFER_MAX];
  thirl_meet_message extras = {.has_offer = true, .has_checks = true, .n_checks = 1};
  extras.offer = THIRL_BYTES(offer, rig_offer(s->fresh, offer));
  rig_check(1, extras.checks[0]);
  until_failure = -1;
  rig_challenge(s->fresh);
  thirl_meet_message m = rig_registration(s->fresh, &extras);
  until_failure = chosen;
  rig_send_message(s->fresh, &m);
}

static void step_replace(scene *s) {
  rig_take_key(s->fresh, 1);
  step_register(s);
}

static void step_update(scene *s) {
  uint8_t offer[THIRL_MEET_OFFER_MAX];
  thirl_meet_message m = rig_message_of(s->a, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_UPDATE);
  m.has_offer = m.has_checks = true;
  m.offer = THIRL_BYTES(offer, rig_offer(s->a, offer));
  m.n_checks = 3;
  rig_send_message(s->a, &m);
}

static void step_connect(scene *s) {
  rig_send_connect(s->a, &s->b->peer, 2, 2);
}

static void step_data(scene *s) {
  rig_send_data(s->a, s->at_a, 1, 0, 100000);
}

static void step_end(scene *s) {
  thirl_meet_message m = rig_message_of(s->a, THIRL_STUN_INDICATION, THIRL_STUN_METHOD_THIRL_CHANNEL);
  m.has_channel = m.has_reason = true;
  m.channel = s->at_a;
  rig_send_message(s->a, &m);
}

static void step_lost(scene *s) {
  rig_lost(s->a);
}

/* False when the step has fewer allocations than that. */
static bool run(step what, long nth) {
  scene s = {.r = rig_new(1, NULL)};
  until_failure = -1;
  s.a = rig_peer(s.r, 1);
  s.b = rig_peer(s.r, 2);
  s.fresh = rig_connect(s.r, rig_addr(3));
  rig_take_key(s.fresh, 3);
  rig_join(s.a, s.b, 2, 1, &s.at_a, &s.at_b);
  rig_channel_of(s.b, s.at_b)->pattern = 1;
  s.r->around = around;
  s.r->log.line = NULL;
  failures = 0;
  until_failure = chosen = nth;
  what(&s);
  until_failure = -1;
  ERR_clear_error();
  bool failed = failures > 0;
  assert_true(thirl_server_is_consistent(s.r->server));
  assert_int_equal(rig_channel_of(s.b, s.at_b)->wrong, 0);
  for (size_t i = 0; i < s.r->clients_n; i++)
    if (s.r->clients[i]->fate == RIG_OPEN) rig_lost(s.r->clients[i]);
  const thirl_server_stats *st = rig_stats(s.r);
  assert_int_equal(st->connections | st->registrations | st->channels | st->relay_buffered | st->relay_reserved, 0);
  rig_free(s.r);
  return failed;
}

static void every_step_survives_every_failure(void **state) {
  (void)state;
#ifdef SANITIZED
  print_message("malloc belongs to the sanitizer\n");
  skip();
#endif
  const struct {
    const char *name;
    step what;
    long stride; /* the cryptographic library allocates hundreds of times */
    long least;
  } steps[] = {
      {"accept", step_accept, 1, 1},
      {"part of a message", step_part, 1, 2},
      {"challenge", step_challenge, 1, 2},
      {"register", step_register, 3, 20},
      {"replace", step_replace, 5, 20},
      {"update", step_update, 1, 3},
      {"connect", step_connect, 1, 3},
      {"data", step_data, 1, 10},
      {"end", step_end, 1, 1},
      {"lost", step_lost, 1, 1},
  };
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    long nth = 0, n = 0;
    for (; run(steps[i].what, nth); nth += steps[i].stride)
      n++;
    print_message("%s: %ld failures\n", steps[i].name, n);
    assert_true(n >= steps[i].least);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_step_survives_every_failure)};
  return cmocka_run_group_tests_name("server/failure", tests, NULL, NULL);
}
