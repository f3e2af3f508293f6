/* SPDX-License-Identifier: MIT */
/* Streams that are long and go both ways at once: on a connection that was made as on one that came in, and through the relay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "support/meeting.h"

static thirl_natbox_config box(thirl_natbox_mapping m, thirl_natbox_filtering f) {
  return thirl_natbox_config_of(m, f, thirl_addr_v4(203, 0, 113, 1, 0));
}

/* Direct first, then a lot both ways: one PATH event for the relay and one for the direct path, and no more. */
static void stays_direct(thirl_natbox_config nat_a, thirl_natbox_config nat_b) {
  meeting m;
  meeting_config c = meeting_config_of(11, nat_a, nat_b, 20 * THIRL_MS);
  c.bytes_a = c.bytes_b = 0;
  meeting_open(&m, &c);
  meeting_run_on(&m, thirl_sim_now(m.sim) + 3 * THIRL_S);
  m.a.hold_end = m.b.hold_end = true;
  meeting_dial(&m);
  assert_true(meeting_run_until_direct(&m, thirl_sim_now(m.sim) + 10 * THIRL_S));
  m.a.to_write = m.b.to_read = m.b.to_write = m.a.to_read = 3000000;
  m.a.hold_end = m.b.hold_end = false;
  meeting_run(&m, thirl_sim_now(m.sim) + 60 * THIRL_S);
  assert_true(meeting_is_complete(&m));
  assert_int_equal(m.a.n_path_events, 2);
  assert_int_equal(m.b.n_path_events, 2);
  meeting_close(&m);
}

static void a_connection_of_crossing_syns_carries_bulk(void **state) {
  (void)state;
  stays_direct(box(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF), box(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF));
}

/* The dialer's ports cannot be known before, so its connections come in at the listener's side. */
static void a_connection_that_came_in_at_the_listener_carries_bulk(void **state) {
  (void)state;
  stays_direct(box(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF), box(THIRL_NATBOX_APDM, THIRL_NATBOX_APDF));
}

static void a_connection_that_came_in_at_the_dialer_carries_bulk(void **state) {
  (void)state;
  stays_direct(box(THIRL_NATBOX_APDM, THIRL_NATBOX_APDF), box(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF));
}

typedef struct counted {
  thirl_net_machine inner;
  uint64_t pulls, empty; /* all; those that gave nothing */
} counted;

static void count_input(void *self, thirl_time now, const thirl_net_event *ev) {
  counted *c = self;
  c->inner.input(c->inner.self, now, ev);
}

static bool count_poll(void *self, thirl_time now, thirl_net_action *out) {
  counted *c = self;
  return c->inner.poll(c->inner.self, now, out);
}

static size_t count_pull(void *self, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap) {
  counted *c = self;
  size_t n = c->inner.pull(c->inner.self, now, id, buf, cap);
  c->pulls++;
  if (!n) c->empty++;
  return n;
}

static thirl_time count_deadline(void *self) {
  counted *c = self;
  return c->inner.deadline(c->inner.self);
}

/* A sender without credit is silent until it gets some: it does not ask to be pulled for nothing. */
static void a_relayed_stream_without_credit_does_not_spin(void **state) {
  (void)state;
  meeting m;
  meeting_config c =
      meeting_config_of(12, box(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF), box(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF), 0);
  c.policy.relay_only = true;
  c.policy.window = 1 << 20;
  c.link_a.delay = 50 * THIRL_MS;
  c.bytes_a = 0;
  c.bytes_b = 5000000;
  meeting_open(&m, &c);
  counted count = {.inner = thirl_session_endpoint_machine(m.b.endpoint)};
  thirl_net_machine machine = {&count, count_input, count_poll, count_pull, count_deadline};
  thirl_sim_cut_power(m.b.host); /* nothing has begun there: only to change the machine */
  thirl_sim_attach(m.b.host, &machine);
  meeting_run_on(&m, thirl_sim_now(m.sim) + 3 * THIRL_S);
  meeting_dial(&m);
  meeting_run(&m, thirl_sim_now(m.sim) + 120 * THIRL_S);
  assert_true(meeting_is_complete(&m));
  print_message("%llu pulls, %llu gave nothing\n", (unsigned long long)count.pulls, (unsigned long long)count.empty);
  assert_true(count.empty < 500);
  meeting_close(&m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_connection_of_crossing_syns_carries_bulk),
      cmocka_unit_test(a_connection_that_came_in_at_the_listener_carries_bulk),
      cmocka_unit_test(a_connection_that_came_in_at_the_dialer_carries_bulk),
      cmocka_unit_test(a_relayed_stream_without_credit_does_not_spin),
  };
  return cmocka_run_group_tests_name("sim/bulk", tests, NULL, NULL);
}
