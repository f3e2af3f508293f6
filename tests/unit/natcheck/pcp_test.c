/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "natcheck/pcp.h"

static const thirl_addr router = {.family = THIRL_FAMILY_V4, .ip = {192, 168, 1, 1}};

static void the_request_is_an_announce(void **state) {
  uint8_t want[24] = {2}, got[24];
  (void)state;
  memcpy(want + 8, (uint8_t[]){0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168, 1, 10}, 16);
  thirl_addr local = thirl_addr_v4(192, 168, 1, 10, 0);
  thirl_natcheck_pcp_encode(&local, got);
  assert_memory_equal(got, want, 24);
}

static void answers(void **state) {
  (void)state;
  thirl_natcheck_answer pcp, natpmp;
  uint8_t in[28] = {2, 0x80};
  thirl_natcheck_pcp_decode(THIRL_BYTES(in, 24), &pcp, &natpmp);
  assert_int_equal(pcp, THIRL_NATCHECK_YES);
  assert_int_equal(natpmp, THIRL_NATCHECK_UNKNOWN);
  in[3] = 4; /* it does not know ANNOUNCE, but it knows PCP */
  thirl_natcheck_pcp_decode(THIRL_BYTES(in, 24), &pcp, &natpmp);
  assert_int_equal(pcp, THIRL_NATCHECK_YES);
  uint8_t old[8] = {0, 0x80, 0, 1};
  thirl_natcheck_pcp_decode(THIRL_BYTES(old, 8), &pcp, &natpmp);
  assert_int_equal(pcp, THIRL_NATCHECK_NO);
  assert_int_equal(natpmp, THIRL_NATCHECK_YES);
  thirl_natcheck_pcp_decode(THIRL_BYTES(in, 23), &pcp, &natpmp);
  assert_int_equal(pcp, THIRL_NATCHECK_UNKNOWN);
  in[1] = 0; /* a request */
  thirl_natcheck_pcp_decode(THIRL_BYTES(in, 24), &pcp, &natpmp);
  assert_int_equal(pcp, THIRL_NATCHECK_UNKNOWN);
  thirl_natcheck_pcp_decode(THIRL_BYTES(NULL, 0), &pcp, &natpmp);
  assert_int_equal(pcp, THIRL_NATCHECK_UNKNOWN);
  in[0] = 9;
  in[1] = 0x80;
  thirl_natcheck_pcp_decode(THIRL_BYTES(in, 24), &pcp, &natpmp);
  assert_int_equal(pcp, THIRL_NATCHECK_UNKNOWN);
}

static thirl_time run_until_sent(thirl_natcheck_pcp *p, thirl_time now) {
  thirl_net_action a;
  while (!thirl_natcheck_pcp_poll(p, now, &a))
    now = thirl_natcheck_pcp_deadline(p);
  assert_int_equal(a.verb, THIRL_NET_SENDTO);
  assert_int_equal(a.remote.port, 5351);
  assert_true(thirl_addr_same_ip(&a.remote, &router));
  assert_int_equal(a.payload.n, 24);
  return now;
}

static void begin(thirl_natcheck_pcp *p, thirl_natcheck_gateway *out) {
  thirl_net_action a;
  memset(out, 0, sizeof *out);
  thirl_natcheck_pcp_start(p, 100, &router, &(thirl_addr){0}, 7, out);
  assert_true(thirl_natcheck_pcp_poll(p, 100, &a));
  assert_int_equal(a.verb, THIRL_NET_BIND_UDP);
  assert_int_equal(a.id, 7);
  assert_false(thirl_natcheck_pcp_poll(p, 100, &a));
  assert_true(thirl_natcheck_pcp_input(p, &(thirl_net_event){.kind = THIRL_NET_LISTENING, .id = 7}));
}

static void ends(thirl_natcheck_pcp *p, thirl_time now) {
  thirl_net_action a;
  assert_true(thirl_natcheck_pcp_poll(p, now, &a));
  assert_int_equal(a.verb, THIRL_NET_ABORT);
  assert_int_equal(a.id, 7);
  assert_false(thirl_natcheck_pcp_poll(p, now, &a));
  assert_true(thirl_natcheck_pcp_is_over(p));
  assert_true(thirl_natcheck_pcp_deadline(p) == THIRL_NEVER);
}

static void nobody_answers(void **state) {
  thirl_natcheck_pcp p;
  thirl_natcheck_gateway g;
  (void)state;
  begin(&p, &g);
  assert_int_equal(run_until_sent(&p, 100), 100);
  assert_int_equal(run_until_sent(&p, 100), 100 + 400 * THIRL_MS);
  assert_int_equal(run_until_sent(&p, 100 + 400 * THIRL_MS), 100 + 1200 * THIRL_MS);
  ends(&p, thirl_natcheck_pcp_deadline(&p));
  assert_int_equal(g.pcp, THIRL_NATCHECK_NO);
  assert_int_equal(g.pcp_why, THIRL_NATCHECK_WHY_NO_ANSWER);
}

static void only_the_router_is_believed(void **state) {
  thirl_natcheck_pcp p;
  thirl_natcheck_gateway g;
  uint8_t in[24] = {2, 0x80};
  (void)state;
  begin(&p, &g);
  run_until_sent(&p, 100);
  thirl_net_event ev = {.kind = THIRL_NET_DATAGRAM,
                        .id = 7,
                        .remote = thirl_addr_v4(192, 168, 1, 66, 5351),
                        .payload = THIRL_BYTES(in, 24)};
  assert_true(thirl_natcheck_pcp_input(&p, &ev));
  assert_false(thirl_natcheck_pcp_is_over(&p));
  ev.remote = thirl_addr_with_port(router, 5351);
  assert_true(thirl_natcheck_pcp_input(&p, &ev));
  ends(&p, 200);
  assert_int_equal(g.pcp, THIRL_NATCHECK_YES);
  assert_int_equal(g.pcp_why, THIRL_NATCHECK_WHY_KNOWN);
}

static void nothing_is_asked_without_a_router(void **state) {
  thirl_natcheck_pcp p;
  thirl_natcheck_gateway g = {0};
  thirl_net_action a;
  (void)state;
  thirl_natcheck_pcp_start(&p, 100, &(thirl_addr){0}, &(thirl_addr){0}, 7, &g);
  assert_true(thirl_natcheck_pcp_is_over(&p));
  assert_false(thirl_natcheck_pcp_poll(&p, 100, &a));
  assert_int_equal(g.pcp_why, THIRL_NATCHECK_WHY_NOT_ASKED);
}

static void a_socket_that_cannot_be_had(void **state) {
  thirl_natcheck_pcp p;
  thirl_natcheck_gateway g;
  thirl_net_action a;
  (void)state;
  begin(&p, &g);
  assert_true(
      thirl_natcheck_pcp_input(&p, &(thirl_net_event){.kind = THIRL_NET_FAILED, .id = 7, .error = THIRL_E_PERMISSION}));
  assert_true(thirl_natcheck_pcp_is_over(&p));
  assert_false(thirl_natcheck_pcp_poll(&p, 100, &a)); /* its id is dead: it is not aborted */
  assert_int_equal(g.pcp_why, THIRL_NATCHECK_WHY_LOCAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_request_is_an_announce),
      cmocka_unit_test(answers),
      cmocka_unit_test(nobody_answers),
      cmocka_unit_test(only_the_router_is_believed),
      cmocka_unit_test(nothing_is_asked_without_a_router),
      cmocka_unit_test(a_socket_that_cannot_be_had),
  };
  return cmocka_run_group_tests_name("natcheck/pcp", tests, NULL, NULL);
}
