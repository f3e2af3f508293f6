/* SPDX-License-Identifier: MIT */
/* Troubles with a timing of their own: a control connection that flaps, a listener that begins anew, a very long way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "session/roster.h"
#include "support/meeting.h"

static const thirl_addr server = {.family = THIRL_FAMILY_V4, .port = 3478, .ip = {203, 0, 113, 10}};
static meeting world;

static thirl_natbox_config nat(const char *name) {
  thirl_natbox_config c;
  assert_int_equal(thirl_natbox_config_preset(name, thirl_addr_v4(203, 0, 113, 1, 0), &c), THIRL_OK);
  return c;
}

/* ---- a control connection that is reset again and again ---- */

/* Between an endpoint and its host: at every multiple of gap the control connection dies, as by a reset. */
typedef struct flapper {
  thirl_net_machine inner;
  thirl_session_endpoint *endpoint;
  meeting_side *side;
  thirl_time next, until, gap;
  thirl_net_id dead; /* still to be closed on the host */
  unsigned flaps;
} flapper;

static void flap(flapper *f, thirl_time now) {
  thirl_net_id id = f->endpoint->control.conn;
  f->next = now + f->gap < f->until ? now + f->gap : THIRL_NEVER;
  if (f->endpoint->control.state != THIRL_SESSION_CONTROL_UP) return;
  f->flaps++;
  f->dead = id;
  f->inner.input(f->inner.self, now, &(thirl_net_event){.kind = THIRL_NET_FAILED, .id = id, .error = THIRL_E_RESET});
}

static void flap_input(void *self, thirl_time now, const thirl_net_event *ev) {
  flapper *f = self;
  f->inner.input(f->inner.self, now, ev);
  if (now >= f->next) flap(f, now);
}

static bool flap_poll(void *self, thirl_time now, thirl_net_action *out) {
  flapper *f = self;
  if (f->dead) {
    *out = (thirl_net_action){.verb = THIRL_NET_ABORT, .id = f->dead};
    f->dead = 0;
    return true;
  }
  return f->inner.poll(f->inner.self, now, out);
}

static size_t flap_pull(void *self, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap) {
  flapper *f = self;
  return f->inner.pull(f->inner.self, now, id, buf, cap);
}

static thirl_time flap_deadline(void *self) {
  flapper *f = self;
  thirl_time t = f->inner.deadline(f->inner.self);
  return THIRL_MIN(t, f->next);
}

static flapper flapping;

static thirl_net_machine flap_b(void *ctx, meeting_side *s, thirl_net_machine inner) {
  meeting *m = ctx;
  if (s != &m->b) return inner;
  flapping = (flapper){.inner = inner, .endpoint = s->endpoint, .side = s, .next = THIRL_NEVER};
  return (thirl_net_machine){&flapping, flap_input, flap_poll, flap_pull, flap_deadline};
}

static meeting *open_flapping(const char *nat_a, const char *nat_b) {
  meeting *m = &world;
  meeting_config c = meeting_config_of(21, nat(nat_a), nat(nat_b), 100 * THIRL_MS);
  c.wrap = flap_b;
  c.wrap_ctx = m;
  meeting_open(m, &c);
  m->a.hold_end = m->b.hold_end = true;
  meeting_run_on(m, thirl_sim_now(m->sim) + 3 * THIRL_S);
  meeting_dial(m);
  return m;
}

static void start_flapping(meeting *m) {
  thirl_time now = thirl_sim_clock(m->b.host);
  flapping.gap = 2 * THIRL_S;
  flapping.next = now;
  flapping.until = now + 60 * THIRL_S;
  thirl_sim_kick(m->b.host);
}

static void finish_and_close(meeting *m) {
  m->a.hold_end = m->b.hold_end = false;
  meeting_run(m, thirl_sim_now(m->sim) + 120 * THIRL_S);
  assert_true(meeting_is_complete(m));
  meeting_close(m);
}

static void a_flapping_control_connection_does_not_touch_the_direct_path(void **state) {
  (void)state;
  meeting *m = open_flapping("portrestricted", "portrestricted");
  assert_true(meeting_run_until_direct(m, thirl_sim_now(m->sim) + 5 * THIRL_S));
  unsigned paths = m->b.n_path_events;
  start_flapping(m);
  meeting_run_on(m, thirl_sim_now(m->sim) + 65 * THIRL_S);
  assert_in_range(flapping.flaps, 5, 31); /* it comes back ever more slowly */
  assert_int_equal(m->b.n_path_events, paths);
  assert_true(m->a.is_direct && m->b.is_direct);
  assert_true(thirl_server_stats_of(m->server)->connects <= flapping.flaps + 4);
  finish_and_close(m);
}

static void a_flapping_control_connection_does_not_keep_a_direct_path_away(void **state) {
  (void)state;
  meeting *m = open_flapping("portrestricted", "portrestricted");
  start_flapping(m);
  assert_true(meeting_run_until_direct(m, thirl_sim_now(m->sim) + 10 * THIRL_S));
  meeting_run_on(m, thirl_sim_now(m->sim) + 60 * THIRL_S);
  assert_true(m->a.is_direct && m->b.is_direct);
  finish_and_close(m);
}

static void a_flapping_control_connection_still_relays(void **state) {
  (void)state;
  meeting *m = open_flapping("symmetric", "symmetric");
  meeting_run_on(m, thirl_sim_now(m->sim) + 20 * THIRL_S);
  start_flapping(m);
  for (int i = 0; i < 13; i++) { /* something to say every five seconds */
    m->b.to_write += 1000;
    m->a.to_read += 1000;
    meeting_run_on(m, thirl_sim_now(m->sim) + 5 * THIRL_S);
  }
  assert_true(m->a.read + 12000 >= m->a.to_read);
  assert_false(m->a.failed || m->b.failed);
  finish_and_close(m);
}

/* ---- the listener's process begins anew, with the same key and the same ticket ---- */

static void a_listener_that_begins_anew(bool silently, bool direct) {
  meeting *m = &world;
  const char *box = direct ? "portrestricted" : "symmetric";
  meeting_config c = meeting_config_of(22, nat(box), nat(box), 100 * THIRL_MS);
  meeting_open(m, &c);
  m->a.hold_end = m->b.hold_end = true;
  meeting_run_on(m, thirl_sim_now(m->sim) + 3 * THIRL_S);
  meeting_dial(m);
  meeting_run_on(m, thirl_sim_now(m->sim) + 20 * THIRL_S);
  assert_int_equal(m->a.is_direct, direct);
  assert_int_equal(m->a.read, m->a.to_read);

  if (silently)
    thirl_sim_cut_power(m->a.host);
  else
    thirl_sim_kill(m->a.host);
  thirl_session_endpoint_free(m->a.endpoint);
  thirl_session_endpoint_config ec = {.identity = m->a.identity, .max_incoming = 4, .secrets = &m->a.secrets};
  thirl_time now = thirl_sim_clock(m->a.host);
  assert_int_equal(thirl_session_endpoint_new(&ec, now, &m->a.endpoint), THIRL_OK);
  assert_int_equal(thirl_session_endpoint_admit(m->a.endpoint, now, &m->ticket), THIRL_OK);
  assert_int_equal(thirl_session_endpoint_start(m->a.endpoint, now, &server, 1), THIRL_OK);
  thirl_net_machine machine = thirl_session_endpoint_machine(m->a.endpoint);
  thirl_sim_attach(m->a.host, &machine);
  m->a.handle = 0;
  m->a.to_write = m->a.to_read = 0;
  m->a.written = m->a.read = 0;

  thirl_time t0 = thirl_sim_now(m->sim);
  m->b.to_write += 1000; /* so that it notices */
  while (!m->b.failed && thirl_sim_now(m->sim) < t0 + 60 * THIRL_S)
    meeting_run_on(m, thirl_sim_now(m->sim) + 10 * THIRL_MS);
  print_message("%s, %s: E_LOST after %llu ms\n", direct ? "direct" : "relayed", silently ? "power cut" : "killed",
                (unsigned long long)(thirl_sim_now(m->sim) - t0) / 1000);
  assert_true(m->b.failed);
  assert_int_equal(m->b.error, THIRL_E_LOST);
  assert_true(thirl_sim_now(m->sim) - t0 <= 10 * THIRL_S);
  meeting_run_on(m, thirl_sim_now(m->sim) + 5 * THIRL_S);
  assert_int_equal(m->a.read, 0);
  assert_true(thirl_session_endpoint_is_idle(m->a.endpoint)); /* nor does the new one hang */
  meeting_close(m);
}

static void a_listener_killed_and_started(void **state) {
  (void)state;
  a_listener_that_begins_anew(false, true);
  a_listener_that_begins_anew(false, false);
}

static void a_listener_that_lost_power(void **state) {
  (void)state;
  a_listener_that_begins_anew(true, true);
  a_listener_that_begins_anew(true, false);
}

/* ---- a very long way ---- */

static void a_round_trip_of_three_seconds(void **state) {
  (void)state;
  meeting *m = &world;
  meeting_config c = meeting_config_of(23, nat("portrestricted"), nat("portrestricted"), 3 * THIRL_S);
  c.policy.dial_timeout = 60 * THIRL_S;
  meeting_open(m, &c);
  m->a.hold_end = m->b.hold_end = true;
  meeting_run_on(m, thirl_sim_now(m->sim) + 20 * THIRL_S);
  meeting_dial(m);
  assert_true(meeting_run_until_direct(m, thirl_sim_now(m->sim) + 60 * THIRL_S));
  unsigned paths = m->b.n_path_events;
  meeting_run_on(m, thirl_sim_now(m->sim) + 60 * THIRL_S);
  assert_int_equal(m->b.n_path_events, paths);
  finish_and_close(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_flapping_control_connection_does_not_touch_the_direct_path),
      cmocka_unit_test(a_flapping_control_connection_does_not_keep_a_direct_path_away),
      cmocka_unit_test(a_flapping_control_connection_still_relays),
      cmocka_unit_test(a_listener_killed_and_started),
      cmocka_unit_test(a_listener_that_lost_power),
      cmocka_unit_test(a_round_trip_of_three_seconds),
  };
  return cmocka_run_group_tests_name("sim/trouble", tests, NULL, NULL);
}
