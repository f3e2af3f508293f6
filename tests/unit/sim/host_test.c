/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sim/host.h"
#include "unit/sim/pump.h"

/* A machine on a host without a network: what the carrier owes it (base/net.h). */
static thirl_sim_pool pool;
static thirl_sim_host h;
static pump p;

static int setup(void **state) {
  (void)state;
  thirl_sim_pool_init(&pool);
  thirl_sim_stack_config c = {.addrs = {thirl_addr_v4(10, 0, 0, 1, 0)}, .n_addrs = 1, .tcp = thirl_sim_tcp_defaults()};
  thirl_sim_host_init(&h, &c, 500, &pool, 1);
  memset(&p, 0, sizeof p);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  thirl_sim_host_fini(&h);
  thirl_sim_pool_fini(&pool);
  return 0;
}

static void attach(void) {
  thirl_net_machine m = pump_machine(&p);
  thirl_sim_host_attach(&h, &m);
}

static void drop_out(void) {
  for (thirl_link *l; (l = thirl_list_first(&h.stack.out)) != NULL;) {
    thirl_list_remove(l);
    thirl_sim_pool_give_packet(&pool, THIRL_OWNER(l, thirl_sim_packet, link));
  }
}

static void a_new_machine_is_asked_at_once(void **state) {
  (void)state;
  p.listens = true;
  p.local = thirl_addr_any(THIRL_FAMILY_V4, 80);
  assert_true(thirl_sim_host_deadline(&h) == THIRL_NEVER);
  attach();
  assert_int_equal(thirl_sim_host_deadline(&h), 0);
  thirl_sim_host_tick(&h, 1000);
  assert_int_equal(p.n_listening, 1);
  assert_int_equal(p.bound.port, 80);
  assert_int_equal(p.last_now, 1500); /* its clock runs ahead */
}

static void the_deadline_is_kept_in_the_host_s_clock(void **state) {
  (void)state;
  p.listens = true;
  attach();
  thirl_sim_host_tick(&h, 1000);
  p.tick_at = 9500;
  thirl_sim_host_kick(&h, 1000);
  assert_int_equal(thirl_sim_host_deadline(&h), 9000);
  unsigned ticks = p.n_ticks;
  thirl_sim_host_tick(&h, 8999);
  assert_int_equal(p.n_ticks, ticks);
  thirl_sim_host_tick(&h, 9000);
  assert_int_equal(p.n_ticks, ticks + 1);
  assert_int_equal(p.last_now, 9500);
}

static void answers_of_the_kernel_come_back_as_events(void **state) {
  (void)state;
  p.listens = true;
  attach();
  thirl_sim_host_tick(&h, 1000);
  pump_do(&p, (thirl_net_action){.verb = THIRL_NET_CONNECT,
                                 .id = 7,
                                 .local = thirl_addr_v4(1, 1, 1, 1, 1),
                                 .remote = thirl_addr_v4(2, 2, 2, 2, 2)});
  thirl_sim_host_kick(&h, 1000);
  assert_int_equal(p.n_failed, 1);
  assert_int_equal(p.error, THIRL_E_IN_USE);
  pump_do(&p, (thirl_net_action){.verb = THIRL_NET_CONNECT, .id = 8, .remote = thirl_addr_v4(2, 2, 2, 2, 2)});
  thirl_sim_host_kick(&h, 1000);
  assert_false(thirl_list_is_empty(&h.stack.out));
  drop_out();
  assert_int_equal(thirl_sim_host_deadline(&h), 1000 + THIRL_S); /* the SYN's */
}

static void a_detached_machine_hears_nothing(void **state) {
  (void)state;
  p.listens = true;
  p.local = thirl_addr_any(THIRL_FAMILY_V4, 80);
  attach();
  thirl_sim_host_tick(&h, 1000);
  thirl_sim_host_detach(&h, 1000, false);
  assert_int_equal(thirl_sim_stack_socket_count(&h.stack), 0);
  thirl_sim_packet *syn = thirl_sim_pool_take_packet(&pool);
  syn->p = (thirl_natbox_packet){.protocol = THIRL_NATBOX_TCP,
                                 .flags = THIRL_NATBOX_SYN,
                                 .src = thirl_addr_v4(2, 2, 2, 2, 2),
                                 .dst = thirl_addr_v4(10, 0, 0, 1, 80)};
  thirl_sim_host_input(&h, 2000, syn);
  thirl_sim_pool_give_packet(&pool, syn);
  assert_false(thirl_list_is_empty(&h.stack.out)); /* the kernel answers with RST */
  drop_out();
  assert_int_equal(p.last_now, 1500);
  thirl_sim_host_kick(&h, 3000);
  assert_true(thirl_sim_host_deadline(&h) == THIRL_NEVER);
  memset(&p, 0, sizeof p);
  p.listens = true;
  attach(); /* and another one may come */
  thirl_sim_host_tick(&h, 4000);
  assert_int_equal(p.n_listening, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      T(a_new_machine_is_asked_at_once),
      T(the_deadline_is_kept_in_the_host_s_clock),
      T(answers_of_the_kernel_come_back_as_events),
      T(a_detached_machine_hears_nothing),
  };
  return cmocka_run_group_tests_name("sim/host", tests, NULL, NULL);
}
