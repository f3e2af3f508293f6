/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sim/stack.h"

#define SYN THIRL_NATBOX_SYN
#define ACK THIRL_NATBOX_ACK
#define RST THIRL_NATBOX_RST

/* What noted() says besides the kinds of net.h. */
enum { NOTHING = 100, UNOWNED };

/* One kernel in hand-driven time. */
static thirl_sim_pool pool;
static thirl_sim_stack k;
static thirl_time now;

static thirl_addr here(uint16_t port) {
  return thirl_addr_v4(10, 0, 0, 1, port);
}

static thirl_addr there(uint16_t port) {
  return thirl_addr_v4(10, 0, 0, 2, port);
}

static void begin(bool silent) {
  thirl_sim_stack_config c = {.addrs = {here(99), thirl_addr_v4(10, 0, 0, 9, 0)},
                              .n_addrs = 2,
                              .tcp = thirl_sim_tcp_defaults(),
                              .silent = silent};
  thirl_sim_stack_init(&k, &c, &pool, 1);
}

static int setup(void **state) {
  (void)state;
  now = THIRL_S;
  thirl_sim_pool_init(&pool);
  begin(false);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  thirl_sim_stack_fini(&k);
  thirl_sim_pool_fini(&pool);
  return 0;
}

static bool sent(thirl_natbox_packet *p) {
  thirl_link *l = thirl_list_first(&k.out);
  *p = (thirl_natbox_packet){0};
  if (!l) return false;
  thirl_sim_packet *packet = THIRL_OWNER(l, thirl_sim_packet, link);
  thirl_list_remove(l);
  *p = packet->p;
  thirl_sim_pool_give_packet(&pool, packet);
  return true;
}

static thirl_net_event noted(void) {
  thirl_net_event ev = {.kind = (thirl_net_kind)NOTHING};
  thirl_link *l = thirl_list_first(&k.notes);
  if (!l) return ev;
  thirl_sim_note *n = THIRL_OWNER(l, thirl_sim_note, link);
  thirl_list_remove(l);
  ev = n->event;
  if (!thirl_sim_stack_owns(&k, &ev)) ev.kind = (thirl_net_kind)UNOWNED;
  thirl_sim_pool_give_note(&pool, n);
  return ev;
}

static void act(thirl_net_verb verb, thirl_net_id id, thirl_addr local, thirl_addr remote) {
  thirl_net_action a = {.verb = verb, .id = id, .local = local, .remote = remote, .payload = THIRL_BYTES("hi", 2)};
  thirl_sim_stack_act(&k, now, &a);
}

static void hear(thirl_natbox_packet p) {
  thirl_sim_packet *packet = thirl_sim_pool_take_packet(&pool);
  packet->p = p;
  thirl_sim_stack_input(&k, now, packet);
  thirl_sim_pool_give_packet(&pool, packet);
}

static void hear_tcp(thirl_addr from, thirl_addr to, uint8_t flags, uint32_t seq, uint32_t ack) {
  hear((thirl_natbox_packet){
      .protocol = THIRL_NATBOX_TCP, .flags = flags, .ttl = 64, .src = from, .dst = to, .seq = seq, .ack = ack});
}

static void expect_failure(thirl_net_id id, thirl_error error) {
  thirl_net_event ev = noted();
  assert_int_equal(ev.kind, THIRL_NET_FAILED);
  assert_int_equal(ev.id, id);
  assert_int_equal(ev.error, error);
}

static void ports_are_chosen_when_nobody_says_which(void **state) {
  (void)state;
  act(THIRL_NET_LISTEN, 1, thirl_addr_any(THIRL_FAMILY_V4, 0), (thirl_addr){0});
  thirl_net_event ev = noted();
  assert_int_equal(ev.kind, THIRL_NET_LISTENING);
  assert_in_range(ev.local.port, 32768, 60999);
  act(THIRL_NET_CONNECT, 2, thirl_addr_any(THIRL_FAMILY_V4, 0), there(80));
  thirl_natbox_packet syn;
  assert_true(sent(&syn));
  assert_int_equal(syn.flags, SYN);
  assert_true(thirl_addr_same_ip(&syn.src, &k.config.addrs[0]));
  assert_in_range(syn.src.port, 32768, 60999);
}

static void binding_to_what_is_not_ours_fails(void **state) {
  (void)state;
  act(THIRL_NET_LISTEN, 1, there(80), (thirl_addr){0});
  expect_failure(1, THIRL_E_IN_USE);
  act(THIRL_NET_CONNECT, 2, there(80), there(81));
  expect_failure(2, THIRL_E_IN_USE);
  uint8_t six[16] = {0x20, 1};
  act(THIRL_NET_CONNECT, 3, (thirl_addr){0}, thirl_addr_v6(six, 80));
  expect_failure(3, THIRL_E_UNREACHABLE);
  assert_int_equal(thirl_sim_stack_socket_count(&k), 0);
}

static void one_port_serves_a_listener_and_connections(void **state) {
  (void)state;
  thirl_natbox_packet p;
  act(THIRL_NET_LISTEN, 1, here(5000), (thirl_addr){0});
  assert_int_equal(noted().kind, THIRL_NET_LISTENING);
  act(THIRL_NET_CONNECT, 2, here(5000), there(80));
  assert_true(sent(&p));
  act(THIRL_NET_CONNECT, 3, here(5000), there(81));
  assert_true(sent(&p));
  act(THIRL_NET_CONNECT, 4, here(5000), there(80)); /* the same four-tuple: EADDRNOTAVAIL */
  expect_failure(4, THIRL_E_IN_USE);
}

/* The rule that simultaneous open rests on. */
static void a_syn_for_a_connecting_socket_beats_the_listener(void **state) {
  (void)state;
  thirl_natbox_packet syn, p;
  act(THIRL_NET_LISTEN, 1, here(5000), (thirl_addr){0});
  noted();
  act(THIRL_NET_CONNECT, 2, here(5000), there(80));
  assert_true(sent(&syn));
  hear_tcp(there(80), here(5000), SYN, 7000, 0);
  assert_true(sent(&p));
  assert_int_equal(p.flags, SYN | ACK);
  assert_int_equal(p.seq, syn.seq); /* by the connecting socket */
  hear_tcp(there(80), here(5000), SYN | ACK, 7000, syn.seq + 1);
  thirl_net_event ev = noted();
  assert_int_equal(ev.kind, THIRL_NET_CONNECTED);
  assert_int_equal(ev.id, 2);
  sent(&p);
  hear_tcp(there(81), here(5000), SYN, 7000, 0); /* from elsewhere: the listener's */
  assert_true(sent(&p));
  hear_tcp(there(81), here(5000), ACK, 7001, p.seq + 1);
  ev = noted();
  assert_int_equal(ev.kind, THIRL_NET_ACCEPTED);
  assert_int_equal(ev.listener, 1);
  assert_int_equal(ev.id, THIRL_NET_ID_ACCEPTED);
  assert_true(ev.remote.port == 81 && ev.local.port == 5000);
}

static void a_closed_port_answers_or_does_not(void **state) {
  (void)state;
  thirl_natbox_packet p;
  hear_tcp(there(80), here(5000), SYN, 7000, 0);
  assert_true(sent(&p));
  assert_int_equal(p.flags, RST | ACK);
  assert_int_equal(p.ack, 7001);
  hear_tcp(there(80), here(5000), RST, 7000, 0);
  assert_false(sent(&p));
  hear((thirl_natbox_packet){.protocol = THIRL_NATBOX_UDP, .src = there(80), .dst = here(5000)});
  assert_true(sent(&p));
  assert_int_equal(p.protocol, THIRL_NATBOX_ICMP);
  assert_int_equal(p.icmp, THIRL_NATBOX_PORT_UNREACHABLE);
  thirl_sim_stack_fini(&k);
  begin(true);
  hear_tcp(there(80), here(5000), SYN, 7000, 0);
  hear((thirl_natbox_packet){.protocol = THIRL_NATBOX_UDP, .src = there(80), .dst = here(5000)});
  assert_false(sent(&p));
}

static void udp_sends_and_hears(void **state) {
  (void)state;
  thirl_natbox_packet p;
  act(THIRL_NET_BIND_UDP, 1, thirl_addr_any(THIRL_FAMILY_V4, 5000), (thirl_addr){0});
  assert_int_equal(noted().kind, THIRL_NET_LISTENING);
  act(THIRL_NET_SENDTO, 1, (thirl_addr){0}, there(80));
  assert_true(sent(&p));
  assert_true(p.protocol == THIRL_NATBOX_UDP && p.src.port == 5000 && p.payload.n == 2);
  hear((thirl_natbox_packet){.protocol = THIRL_NATBOX_UDP, .src = there(80), .dst = thirl_addr_v4(10, 0, 0, 9, 5000)});
  thirl_net_event ev = noted();
  assert_int_equal(ev.kind, THIRL_NET_DATAGRAM);
  assert_int_equal(ev.id, 1);
  assert_int_equal(ev.local.ip[3], 9); /* says to which address it came */
  static uint8_t big[THIRL_SIM_PAYLOAD_MAX + 1];
  thirl_net_action a = {
      .verb = THIRL_NET_SENDTO, .id = 1, .remote = there(80), .payload = THIRL_BYTES(big, sizeof big)};
  thirl_sim_stack_act(&k, now, &a);
  assert_false(sent(&p));
}

static void icmp_finds_its_connection(void **state) {
  (void)state;
  thirl_natbox_packet syn;
  act(THIRL_NET_CONNECT, 2, here(5000), there(80));
  assert_true(sent(&syn));
  thirl_natbox_packet icmp = thirl_natbox_packet_icmp_for(&syn, THIRL_NATBOX_HOST_UNREACHABLE, there(0));
  icmp.inner.dst.port = 81;
  hear(icmp);
  assert_int_equal(noted().kind, NOTHING);
  icmp.inner.dst.port = 80;
  hear(icmp);
  expect_failure(2, THIRL_E_UNREACHABLE);
  assert_int_equal(thirl_sim_stack_socket_count(&k), 0);
}

static void what_is_closed_is_not_heard_of_again(void **state) {
  (void)state;
  thirl_natbox_packet syn;
  act(THIRL_NET_CONNECT, 2, here(5000), there(80));
  assert_true(sent(&syn));
  hear_tcp(there(80), here(5000), RST | ACK, 0, syn.seq + 1); /* the failure is on its way */
  act(THIRL_NET_ABORT, 2, (thirl_addr){0}, (thirl_addr){0});
  assert_int_equal(noted().kind, UNOWNED); /* but the machine does not own the id any more */
  assert_int_equal(thirl_sim_stack_socket_count(&k), 0);
}

static void embryos_go_with_their_listener_and_are_bounded(void **state) {
  (void)state;
  thirl_natbox_packet p;
  act(THIRL_NET_LISTEN, 1, here(5000), (thirl_addr){0});
  for (uint16_t i = 0; i < THIRL_SIM_BACKLOG + 3; i++)
    hear_tcp(there((uint16_t)(1000 + i)), here(5000), SYN, 7000, 0);
  unsigned n = 0;
  while (sent(&p))
    n += p.flags == (SYN | ACK);
  assert_int_equal(n, THIRL_SIM_BACKLOG);
  assert_int_equal(thirl_sim_stack_socket_count(&k), THIRL_SIM_BACKLOG + 1);
  act(THIRL_NET_ABORT, 1, (thirl_addr){0}, (thirl_addr){0});
  assert_int_equal(thirl_sim_stack_socket_count(&k), 0);
  hear_tcp(there(1000), here(5000), ACK, 7001, 1);
  assert_true(sent(&p));
  assert_int_equal(p.flags, RST);
}

static void established_pair(thirl_net_id id, uint16_t port) {
  thirl_natbox_packet syn, p;
  act(THIRL_NET_CONNECT, id, here(port), there(80));
  assert_true(sent(&syn));
  hear_tcp(there(80), here(port), SYN | ACK, 7000, syn.seq + 1);
  assert_true(sent(&p));
  assert_int_equal(noted().kind, THIRL_NET_CONNECTED);
}

static void a_killed_process_leaves_fins_and_its_ids_are_free(void **state) {
  (void)state;
  thirl_natbox_packet p;
  act(THIRL_NET_LISTEN, 1, here(5000), (thirl_addr){0});
  noted();
  established_pair(2, 5000);
  act(THIRL_NET_CONNECT, 3, here(5001), there(80));
  assert_true(sent(&p));
  thirl_sim_stack_close_all(&k, now);
  assert_true(sent(&p));
  assert_int_equal(p.flags, THIRL_NATBOX_FIN | ACK);
  assert_int_equal(p.src.port, 5000);
  assert_false(sent(&p));
  assert_int_equal(thirl_sim_stack_socket_count(&k), 1); /* the kernel waits for the peer */
  established_pair(2, 5002);                             /* a new process begins with the same ids */
  act(THIRL_NET_CONNECT, 4, here(5000), there(80));
  expect_failure(4, THIRL_E_IN_USE); /* the old four-tuple is still busy */
  thirl_sim_stack_forget_all(&k);
  assert_int_equal(thirl_sim_stack_socket_count(&k), 0);
  assert_false(sent(&p));
  assert_true(thirl_sim_stack_deadline(&k) == THIRL_NEVER);
}

static void bytes_are_pulled_when_there_is_room(void **state) {
  (void)state;
  size_t room = 0;
  thirl_natbox_packet p;
  act(THIRL_NET_CONNECT, 2, here(5000), there(80));
  act(THIRL_NET_WRITE, 2, (thirl_addr){0}, (thirl_addr){0});
  assert_int_equal(thirl_sim_stack_writable(&k, now, &room), 0); /* not before it is up */
  assert_true(sent(&p));
  hear_tcp(there(80), here(5000), SYN | ACK, 7000, p.seq + 1);
  noted();
  assert_int_equal(thirl_sim_stack_writable(&k, now, &room), 2);
  assert_int_equal(room, 1400);
  thirl_sim_stack_pulled_dry(&k, 2);
  assert_int_equal(thirl_sim_stack_writable(&k, now, &room), 0);
}

static void time_to_live_is_a_socket_s(void **state) {
  (void)state;
  thirl_natbox_packet p;
  k.config.ttl = 3;
  act(THIRL_NET_CONNECT, 2, here(5000), there(80));
  assert_true(sent(&p));
  assert_int_equal(p.ttl, 3);
  assert_true(thirl_sim_stack_set_ttl(&k, 2, 64));
  assert_false(thirl_sim_stack_set_ttl(&k, 3, 64));
  now = thirl_sim_stack_deadline(&k);
  thirl_sim_stack_tick(&k, now);
  assert_true(sent(&p));
  assert_int_equal(p.ttl, 64);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      T(ports_are_chosen_when_nobody_says_which),
      T(binding_to_what_is_not_ours_fails),
      T(one_port_serves_a_listener_and_connections),
      T(a_syn_for_a_connecting_socket_beats_the_listener),
      T(a_closed_port_answers_or_does_not),
      T(udp_sends_and_hears),
      T(icmp_finds_its_connection),
      T(what_is_closed_is_not_heard_of_again),
      T(embryos_go_with_their_listener_and_are_bounded),
      T(a_killed_process_leaves_fins_and_its_ids_are_free),
      T(bytes_are_pulled_when_there_is_room),
      T(time_to_live_is_a_socket_s),
  };
  return cmocka_run_group_tests_name("sim/stack", tests, NULL, NULL);
}
