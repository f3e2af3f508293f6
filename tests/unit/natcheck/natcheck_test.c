/* SPDX-License-Identifier: MIT */
#include "natcheck/natcheck.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void fill(void *ctx, void *out, size_t n) {
  unsigned *count = ctx;
  memset(out, (int)++*count, n);
}

static unsigned secrets_drawn;

static thirl_natcheck_config config_of(void) {
  thirl_natcheck_config c = {
      .udp = true, .tcp = true, .n_servers = 1, .secrets = {.fill = fill, .ctx = &secrets_drawn}};
  c.servers[0] = thirl_addr_v4(203, 0, 113, 10, 3478);
  return c;
}

static void refuses(const thirl_natcheck_config *c) {
  thirl_natcheck *n = (thirl_natcheck *)1;
  assert_int_equal(thirl_natcheck_new(c, &n), THIRL_E_INVALID);
  assert_null(n);
}

static void what_cannot_be_asked(void **state) {
  (void)state;
  thirl_natcheck_config c = config_of();
  c.n_servers = 0;
  refuses(&c);
  c = config_of();
  c.n_servers = THIRL_NATCHECK_SERVERS_MAX + 1;
  refuses(&c);
  c = config_of();
  c.udp = c.tcp = false;
  refuses(&c);
  c = config_of();
  c.servers[0].port = 0;
  refuses(&c);
  c = config_of();
  c.servers[c.n_servers++] = thirl_addr_any(THIRL_FAMILY_V6, 3478);
  refuses(&c);
  c = config_of();
  c.local = thirl_addr_any(THIRL_FAMILY_V6, 0);
  refuses(&c);
  thirl_natcheck_free(NULL);
}

typedef struct rig {
  thirl_natcheck *n;
  thirl_net_machine m;
} rig;

static rig rig_of(const thirl_natcheck_config *c) {
  rig r;
  assert_int_equal(thirl_natcheck_new(c, &r.n), THIRL_OK);
  r.m = thirl_natcheck_machine(r.n);
  return r;
}

static thirl_net_action next(rig *r, thirl_time now) {
  thirl_net_action a;
  assert_true(r->m.poll(r->m.self, now, &a));
  return a;
}

static void nothing(rig *r, thirl_time now) {
  thirl_net_action a;
  assert_false(r->m.poll(r->m.self, now, &a));
}

static void the_port_and_the_address_that_were_asked_for(void **state) {
  (void)state;
  thirl_natcheck_config c = config_of();
  c.local = thirl_addr_v4(192, 168, 1, 10, 77);
  c.port = 5000;
  c.tcp = false;
  rig r = rig_of(&c);
  thirl_net_action a = next(&r, 100);
  thirl_addr want = thirl_addr_v4(192, 168, 1, 10, 5000);
  assert_int_equal(a.verb, THIRL_NET_BIND_UDP);
  assert_true(thirl_addr_equal(&a.local, &want));
  nothing(&r, 100);
  assert_true(r.m.deadline(r.m.self) == THIRL_NEVER); /* the socket first */
  r.m.input(r.m.self, 200, &(thirl_net_event){.kind = THIRL_NET_LISTENING, .id = a.id, .local = want});
  thirl_net_action b = next(&r, 200);
  assert_int_equal(b.verb, THIRL_NET_SENDTO);
  assert_int_equal(b.id, a.id);
  assert_true(thirl_addr_equal(&b.remote, &c.servers[0]));
  nothing(&r, 200);
  assert_string_equal(thirl_natcheck_get_progress(r.n, 200).doing, "UDP: asking the servers");
  thirl_natcheck_free(r.n);
}

/* 0, 0.5, 1.5, 3.1, 4.7, 6.3, 7.9 s, and given up at 9.5 s. */
static void a_server_that_says_nothing(void **state) {
  static const thirl_time at_ms[] = {0, 500, 1500, 3100, 4700, 6300, 7900};
  (void)state;
  thirl_natcheck_config c = config_of();
  c.tcp = false;
  rig r = rig_of(&c);
  thirl_time begun = THIRL_S;
  thirl_net_action a = next(&r, begun);
  r.m.input(r.m.self, begun,
            &(thirl_net_event){.kind = THIRL_NET_LISTENING, .id = a.id, .local = thirl_addr_v4(0, 0, 0, 0, 4000)});
  for (int i = 0; i < 7; i++) {
    thirl_time now = begun + at_ms[i] * THIRL_MS;
    assert_int_equal(next(&r, now).verb, THIRL_NET_SENDTO);
    nothing(&r, now);
    assert_false(thirl_natcheck_is_over(r.n));
  }
  assert_int_equal(r.m.deadline(r.m.self), begun + 9500 * THIRL_MS);
  thirl_net_action last = next(&r, begun + 9500 * THIRL_MS);
  assert_int_equal(last.verb, THIRL_NET_ABORT);
  assert_int_equal(last.id, a.id);
  nothing(&r, begun + 9500 * THIRL_MS);
  assert_true(thirl_natcheck_is_over(r.n));
  const thirl_natcheck_report *report = thirl_natcheck_get_report(r.n);
  assert_int_equal(report->udp.reachable, THIRL_NATCHECK_NO);
  assert_int_equal(report->udp.why, THIRL_NATCHECK_WHY_NO_ANSWER);
  assert_int_equal(report->tcp.reachable, THIRL_NATCHECK_UNKNOWN);
  assert_int_equal(report->tcp.why, THIRL_NATCHECK_WHY_NOT_ASKED);
  assert_int_equal(report->tcp.mapping_why, THIRL_NATCHECK_WHY_NOT_ASKED);
  thirl_natcheck_free(r.n);
}

static void a_port_that_is_taken(void **state) {
  (void)state;
  thirl_natcheck_config c = config_of();
  c.port = 5000;
  rig r = rig_of(&c);
  thirl_net_action a = next(&r, 100);
  r.m.input(r.m.self, 100, &(thirl_net_event){.kind = THIRL_NET_FAILED, .id = a.id, .error = THIRL_E_IN_USE});
  a = next(&r, 100); /* UDP is over; TCP begins */
  assert_int_equal(a.verb, THIRL_NET_LISTEN);
  assert_int_equal(a.local.port, 5000);
  r.m.input(r.m.self, 100, &(thirl_net_event){.kind = THIRL_NET_FAILED, .id = a.id, .error = THIRL_E_IN_USE});
  nothing(&r, 100);
  assert_true(thirl_natcheck_is_over(r.n));
  assert_int_equal(thirl_natcheck_get_report(r.n)->udp.why, THIRL_NATCHECK_WHY_LOCAL);
  assert_int_equal(thirl_natcheck_get_report(r.n)->tcp.why, THIRL_NATCHECK_WHY_LOCAL);
  thirl_natcheck_free(r.n);
}

static void stopped_before_and_in_between(void **state) {
  (void)state;
  thirl_natcheck_config c = config_of();
  rig r = rig_of(&c);
  thirl_natcheck_stop(r.n);
  assert_true(thirl_natcheck_is_over(r.n));
  nothing(&r, 100);
  assert_int_equal(thirl_natcheck_get_report(r.n)->udp.why, THIRL_NATCHECK_WHY_STOPPED);
  assert_int_equal(thirl_natcheck_get_report(r.n)->tcp.why, THIRL_NATCHECK_WHY_STOPPED);
  thirl_natcheck_free(r.n);

  c.gateway = thirl_addr_v4(192, 168, 1, 1, 0);
  r = rig_of(&c);
  thirl_net_action pcp = next(&r, 100), udp = next(&r, 100);
  assert_int_equal(pcp.verb, THIRL_NET_BIND_UDP);
  assert_int_equal(udp.verb, THIRL_NET_BIND_UDP);
  thirl_natcheck_stop(r.n);
  assert_true(thirl_natcheck_is_over(r.n));
  assert_int_equal(next(&r, 200).id, pcp.id);
  thirl_net_action a = next(&r, 200);
  assert_int_equal(a.verb, THIRL_NET_ABORT);
  assert_int_equal(a.id, udp.id);
  nothing(&r, 200);
  assert_int_equal(thirl_natcheck_get_report(r.n)->gateway.pcp_why, THIRL_NATCHECK_WHY_STOPPED);
  thirl_natcheck_free(r.n);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_cannot_be_asked),          cmocka_unit_test(the_port_and_the_address_that_were_asked_for),
      cmocka_unit_test(a_server_that_says_nothing),    cmocka_unit_test(a_port_that_is_taken),
      cmocka_unit_test(stopped_before_and_in_between),
  };
  return cmocka_run_group_tests_name("natcheck/natcheck", tests, NULL, NULL);
}
