/* SPDX-License-Identifier: MIT */
/* Somebody has recorded all that A said to the server, and says it again from elsewhere: refused, counted, and A does not notice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "session/roster.h"
#include "support/hostile.h"
#include "support/meeting.h"

/* Between A's endpoint and its host: what goes out on the control connection is kept. */
typedef struct recorder {
  thirl_net_machine inner;
  thirl_session_endpoint *endpoint;
  thirl_buffer tape;
  size_t registered_at; /* bytes on the tape when A was registered */
} recorder;

static void record_input(void *self, thirl_time now, const thirl_net_event *ev) {
  recorder *r = self;
  r->inner.input(r->inner.self, now, ev);
  if (!r->registered_at && thirl_session_control_is_registered(&r->endpoint->control)) r->registered_at = r->tape.n;
}

static bool record_poll(void *self, thirl_time now, thirl_net_action *out) {
  recorder *r = self;
  return r->inner.poll(r->inner.self, now, out);
}

static size_t record_pull(void *self, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap) {
  recorder *r = self;
  size_t n = r->inner.pull(r->inner.self, now, id, buf, cap);
  if (id == r->endpoint->control.conn) assert_int_equal(thirl_buffer_append(&r->tape, THIRL_BYTES(buf, n)), THIRL_OK);
  return n;
}

static thirl_time record_deadline(void *self) {
  recorder *r = self;
  return r->inner.deadline(r->inner.self);
}

static recorder tapped;

static thirl_net_machine tap(void *ctx, meeting_side *s, thirl_net_machine inner) {
  meeting *m = ctx;
  if (s != &m->a) return inner;
  tapped.inner = inner;
  tapped.endpoint = s->endpoint;
  return (thirl_net_machine){&tapped, record_input, record_poll, record_pull, record_deadline};
}

static meeting world;
static hostile enemy;

static meeting *open_world(void) {
  thirl_natbox_config home;
  meeting *m = &world;
  assert_int_equal(thirl_natbox_config_preset("portrestricted", thirl_addr_v4(203, 0, 113, 1, 0), &home), THIRL_OK);
  meeting_config c = meeting_config_of(11, home, home, 100 * THIRL_MS);
  c.wrap = tap;
  c.wrap_ctx = m;
  memset(&tapped, 0, sizeof tapped);
  thirl_buffer_init(&tapped.tape, 1 << 20);
  meeting_open(m, &c);
  meeting_run_on(m, thirl_sim_now(m->sim) + 3 * THIRL_S);
  assert_int_equal(m->a.n_registered, 1);
  assert_true(tapped.registered_at > 0 && tapped.registered_at < tapped.tape.n); /* the UPDATE is on it too */
  return m;
}

/* From the same LAN, so that even the address is A's own. */
static void say_again(meeting *m, thirl_bytes script) {
  hostile_init(&enemy, HOSTILE_SILENT);
  enemy.script = script;
  enemy.target = thirl_addr_v4(203, 0, 113, 10, 3478);
  enemy.to_connect = 1;
  thirl_sim_host_config hc = {
      .name = "X", .below = m->a.nat, .addrs = {thirl_addr_v4(192, 168, 1, 66, 0)}, .n_addrs = 1};
  thirl_sim_node *x = thirl_sim_add_host(m->sim, &hc);
  thirl_net_machine machine = hostile_machine(&enemy);
  thirl_sim_attach(x, &machine);
  meeting_run_on(m, thirl_sim_now(m->sim) + 5 * THIRL_S);
  assert_int_equal(enemy.connected, 1);
}

static void a_and_b_meet_as_ever(meeting *m) {
  meeting_dial(m);
  meeting_run(m, thirl_sim_now(m->sim) + 60 * THIRL_S);
  assert_true(meeting_is_complete(m));
  assert_int_equal(m->a.n_registered, 1);
  meeting_close(m);
  hostile_fini(&enemy);
  thirl_buffer_fini(&tapped.tape);
}

static void a_registration_on_another_connection(void **state) {
  (void)state;
  meeting *m = open_world();
  thirl_server_stats before = *thirl_server_stats_of(m->server);
  thirl_bytes tape = thirl_buffer_view(&tapped.tape);
  say_again(m, THIRL_BYTES(tape.p, tapped.registered_at));
  const thirl_server_stats *after = thirl_server_stats_of(m->server);
  assert_int_equal(after->registered, before.registered);
  assert_int_equal(after->registrations, 1);
  assert_int_equal(after->replayed, before.replayed + 1);
  assert_int_equal(after->bad_signature, before.bad_signature); /* it is a good one, only not its own */
  a_and_b_meet_as_ever(m);
}

static void everything_that_was_said(void **state) {
  (void)state;
  meeting *m = open_world();
  thirl_server_stats before = *thirl_server_stats_of(m->server);
  say_again(m, thirl_buffer_view(&tapped.tape));
  const thirl_server_stats *after = thirl_server_stats_of(m->server);
  assert_int_equal(after->registered, before.registered);
  assert_int_equal(after->refreshed, before.refreshed);
  assert_int_equal(after->registrations, 1);
  assert_true(after->replayed > before.replayed);
  a_and_b_meet_as_ever(m);
}

/* Only the signed half, to a connection that has asked for no challenge. */
static void the_signed_half_alone(void **state) {
  (void)state;
  meeting *m = open_world();
  thirl_server_stats before = *thirl_server_stats_of(m->server);
  thirl_bytes tape = thirl_buffer_view(&tapped.tape);
  size_t first = 20u + thirl_bytes_get_u16(tape.p + 2); /* the REGISTER without a key */
  assert_true(first < tapped.registered_at);
  say_again(m, THIRL_BYTES(tape.p + first, tapped.registered_at - first));
  const thirl_server_stats *after = thirl_server_stats_of(m->server);
  assert_int_equal(after->registered, before.registered);
  assert_int_equal(after->registrations, 1);
  assert_int_equal(after->replayed, before.replayed + 1);
  a_and_b_meet_as_ever(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_registration_on_another_connection),
      cmocka_unit_test(everything_that_was_said),
      cmocka_unit_test(the_signed_half_alone),
  };
  return cmocka_run_group_tests_name("sim/replay", tests, NULL, NULL);
}
