/* SPDX-License-Identifier: MIT */
/* A router that translates inside payloads, seen from both ends: why STUN writes addresses so that nobody recognises them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sim/sim.h"

enum { ADDR = 4, MASK = 0x5a };

/* Says its own address to a server, or answers what it has seen; both plain, and with its bits turned. */
typedef struct talker {
  bool serves;
  thirl_addr self, server;
  uint8_t heard[2 * ADDR], said[2 * ADDR];
  unsigned n_heard;
  thirl_addr to;
  bool bound, speaks;
} talker;

static void write_down(uint8_t out[2 * ADDR], const thirl_addr *a) {
  for (int i = 0; i < ADDR; i++) {
    out[i] = a->ip[i];
    out[ADDR + i] = (uint8_t)(a->ip[i] ^ MASK);
  }
}

static void input(void *self, thirl_time now, const thirl_net_event *ev) {
  talker *t = self;
  (void)now;
  if (ev->kind == THIRL_NET_LISTENING && !t->serves) {
    t->to = t->server;
    write_down(t->said, &t->self);
    t->speaks = true;
  }
  if (ev->kind != THIRL_NET_DATAGRAM) return;
  assert_int_equal(ev->payload.n, sizeof t->heard);
  memcpy(t->heard, ev->payload.p, sizeof t->heard);
  t->n_heard++;
  if (!t->serves) return;
  t->to = ev->remote;
  write_down(t->said, &ev->remote);
  t->speaks = true;
}

static bool poll(void *self, thirl_time now, thirl_net_action *out) {
  talker *t = self;
  (void)now;
  if (!t->bound) {
    t->bound = true;
    *out = (thirl_net_action){
        .verb = THIRL_NET_BIND_UDP, .id = 1, .local = thirl_addr_with_port(t->self, t->serves ? 80 : 5000)};
    return true;
  }
  if (!t->speaks) return false;
  t->speaks = false;
  *out = (thirl_net_action){
      .verb = THIRL_NET_SENDTO, .id = 1, .remote = t->to, .payload = THIRL_BYTES(t->said, sizeof t->said)};
  return true;
}

static size_t pull(void *self, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap) {
  (void)self, (void)now, (void)id, (void)buf, (void)cap;
  return 0;
}

static thirl_time deadline(void *self) {
  (void)self;
  return THIRL_NEVER;
}

static thirl_net_machine machine_of(talker *t) {
  return (thirl_net_machine){.self = t, .input = input, .poll = poll, .pull = pull, .deadline = deadline};
}

static void talk_through(thirl_natbox_alg alg, talker *client, talker *server) {
  thirl_sim *sim = thirl_sim_new(3);
  assert_non_null(sim);
  thirl_natbox_config box;
  assert_int_equal(thirl_natbox_config_preset("portrestricted", thirl_addr_v4(192, 0, 2, 1, 0), &box), THIRL_OK);
  box.alg = alg;
  *server = (talker){.serves = true, .self = thirl_addr_v4(203, 0, 113, 1, 0)};
  *client = (talker){.self = thirl_addr_v4(10, 0, 0, 1, 0), .server = thirl_addr_with_port(server->self, 80)};
  thirl_sim_node *nat = thirl_sim_add_nat(sim, &(thirl_sim_nat_config){.name = "nat", .box = box});
  thirl_sim_node *s =
      thirl_sim_add_host(sim, &(thirl_sim_host_config){.name = "s", .addrs = {server->self}, .n_addrs = 1});
  thirl_sim_node *c = thirl_sim_add_host(
      sim, &(thirl_sim_host_config){.name = "c", .below = nat, .addrs = {client->self}, .n_addrs = 1});
  assert_true(nat && s && c);
  thirl_net_machine machines[2] = {machine_of(server), machine_of(client)};
  thirl_sim_attach(s, &machines[0]);
  thirl_sim_attach(c, &machines[1]);
  thirl_sim_run_until(sim, thirl_sim_now(sim) + THIRL_S);
  assert_int_equal(server->n_heard, 1);
  assert_int_equal(client->n_heard, 1);
  thirl_sim_free(sim);
}

static void an_ordinary_router_leaves_payloads_alone(void **state) {
  (void)state;
  talker client, server;
  uint8_t inner[2 * ADDR], outer[2 * ADDR];
  thirl_addr seen = thirl_addr_v4(192, 0, 2, 1, 0);
  talk_through(THIRL_NATBOX_ALG_NONE, &client, &server);
  write_down(inner, &client.self);
  write_down(outer, &seen);
  assert_memory_equal(server.heard, inner, sizeof inner);
  assert_memory_equal(client.heard, outer, sizeof outer);
}

static void a_meddler_makes_plain_addresses_lie(void **state) {
  (void)state;
  talker client, server;
  uint8_t inner[2 * ADDR], outer[2 * ADDR];
  thirl_addr seen = thirl_addr_v4(192, 0, 2, 1, 0);
  talk_through(THIRL_NATBOX_ALG_PAYLOAD, &client, &server);
  write_down(inner, &client.self);
  write_down(outer, &seen);
  assert_memory_equal(server.heard, outer, ADDR);
  assert_memory_equal(server.heard + ADDR, inner + ADDR, ADDR);
  assert_memory_equal(client.heard, inner, ADDR); /* "you are seen as 10.0.0.1" */
  assert_memory_equal(client.heard + ADDR, outer + ADDR, ADDR);
  assert_memory_equal(client.said, inner, sizeof inner); /* what was sent is not touched */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_ordinary_router_leaves_payloads_alone),
      cmocka_unit_test(a_meddler_makes_plain_addresses_lie),
  };
  return cmocka_run_group_tests_name("sim/alg", tests, NULL, NULL);
}
