/* SPDX-License-Identifier: MIT */
#include "support/natscene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x)                                                                                                        \
  do {                                                                                                                 \
    if (!(x)) {                                                                                                        \
      fprintf(stderr, "natscene: %d: %s\n", __LINE__, #x);                                                             \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

static const thirl_addr primary = {.family = THIRL_FAMILY_V4, .port = 3478, .ip = {203, 0, 113, 10}};
static const thirl_addr alternate = {.family = THIRL_FAMILY_V4, .port = 3479, .ip = {203, 0, 113, 11}};
static const thirl_addr second = {.family = THIRL_FAMILY_V4, .port = 3478, .ip = {203, 0, 113, 20}};
static const thirl_addr second_alternate = {.family = THIRL_FAMILY_V4, .port = 3479, .ip = {203, 0, 113, 21}};

static void fill(void *ctx, void *out, size_t n) {
  uint8_t *p = out;
  for (size_t i = 0; i < n; i++)
    p[i] = (uint8_t)(thirl_dice_u64(ctx) >> 32);
}

natscene_config natscene_config_of(uint64_t seed, thirl_natbox_config nat) {
  return (natscene_config){.seed = seed, .nat = nat, .delay = 10 * THIRL_MS, .check = {.udp = true, .tcp = true}};
}

static thirl_sim_node *add_server(thirl_sim *sim, natserver *s, thirl_net_machine *m, thirl_addr a, thirl_addr b,
                                  const natserver_knobs *knobs, thirl_time delay, uint64_t seed) {
  thirl_sim_link_rules wire = {.delay = delay};
  natserver_init(s, a, b, knobs, seed);
  thirl_sim_host_config config = {.name = "server", .addrs = {a, b}, .n_addrs = 2};
  thirl_sim_node *node = thirl_sim_add_host(sim, &config);
  MUST(node != NULL);
  thirl_sim_set_link(node, &wire, &wire);
  *m = natserver_machine(s);
  thirl_sim_attach(node, m);
  return node;
}

static thirl_sim_node *add_nat(thirl_sim *sim, thirl_sim_node *below, const thirl_natbox_config *box,
                               thirl_addr inside) {
  thirl_sim_nat_config config = {.name = "nat", .below = below, .box = *box};
  if (box->mode != THIRL_NATBOX_TRANSLATE) config.inside = (thirl_sim_prefix){.addr = inside, .bits = 24};
  thirl_sim_node *node = thirl_sim_add_nat(sim, &config);
  MUST(node != NULL);
  return node;
}

static bool is_over(void *check) {
  return thirl_natcheck_is_over(check);
}

natscene_result natscene_play(const natscene_config *c) {
  natscene_result r = {0};
  thirl_sim *sim = thirl_sim_new(c->seed);
  natserver *servers = calloc(2, sizeof *servers);
  thirl_net_machine machines[3];
  thirl_dice dice;
  MUST(sim && servers);
  thirl_dice_seed(&dice, c->seed ^ 0x5eed);
  add_server(sim, &servers[0], &machines[0], primary, alternate, &c->knobs, c->delay, c->seed);
  if (c->has_second_server)
    add_server(sim, &servers[1], &machines[1], second, second_alternate, &c->second_knobs, c->delay, c->seed + 1);
  bool translates = c->nat.mode == THIRL_NATBOX_TRANSLATE;
  thirl_addr self = translates ? thirl_addr_v4(192, 168, 1, 10, 0) : thirl_addr_v4(198, 51, 100, 10, 0);
  thirl_sim_node *outer = c->has_outer_nat ? add_nat(sim, NULL, &c->outer_nat, self) : NULL;
  thirl_sim_node *nat = add_nat(sim, outer, &c->nat, self);
  thirl_sim_host_config host_config = {.name = "host", .below = nat, .addrs = {self}, .n_addrs = 1};
  thirl_sim_node *host = thirl_sim_add_host(sim, &host_config);
  MUST(host != NULL);
  thirl_sim_link_rules wire = {.delay = c->delay, .loss = c->loss, .burst_begin = c->burst, .burst_end = 0.2};
  thirl_sim_set_link(nat, &wire, &wire);

  thirl_natcheck_config check = c->check;
  thirl_natcheck *n;
  check.secrets = (thirl_secrets){.fill = fill, .ctx = &dice};
  check.servers[check.n_servers++] = primary;
  if (c->has_second_server) check.servers[check.n_servers++] = second;
  MUST(thirl_natcheck_new(&check, &n) == THIRL_OK);
  machines[2] = thirl_natcheck_machine(n);
  thirl_sim_attach(host, &machines[2]);
  thirl_time begun = thirl_sim_now(sim), limit = c->limit ? c->limit : 600 * THIRL_S;
  if (c->during) {
    thirl_sim_run_for(sim, begun + 500 * THIRL_MS, is_over, n);
    c->during(c->ctx, sim, nat);
  }
  r.over = thirl_sim_run_for(sim, begun + limit, is_over, n);
  r.took = thirl_sim_now(sim) - begun;
  r.report = *thirl_natcheck_get_report(n);
  r.requests = servers[0].requests;
  r.counters = thirl_sim_count(sim);
  thirl_sim_run_until(sim, thirl_sim_now(sim) + 1 * THIRL_S); /* what was opened is given back */
  MUST(!r.over || thirl_sim_socket_count(host) == 0);
  thirl_sim_free(sim);
  thirl_natcheck_free(n);
  free(servers);
  return r;
}
