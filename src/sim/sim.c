/* SPDX-License-Identifier: MIT */
/* Making a world, its clock, its faults. What packets do is in forward.c. */
#include "sim/sim.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/forward.h"

/* --- making ----------------------------------------------------------------------------------------------------------------------- */

/* A seed of its own for each part, so that more dice in one part leave the others as they were. */
static uint64_t part_seed(const thirl_sim *sim, uint64_t number, uint64_t what) {
  thirl_dice d;
  thirl_dice_seed(&d, sim->seed ^ (number << 8 | what) * 0x9e3779b97f4a7c15u);
  return thirl_dice_u64(&d);
}

static thirl_sim_node *add_node(thirl_sim *sim, thirl_sim_node_kind kind, const char *name, thirl_sim_node *above) {
  thirl_sim_node *node = sim->n_nodes < THIRL_SIM_NODES_MAX ? calloc(1, sizeof *node) : NULL;
  if (!node) return NULL;
  node->sim = sim;
  node->kind = kind;
  node->number = sim->n_nodes;
  node->above = above;
  snprintf(node->name, sizeof node->name, "%s", name ? name : "");
  thirl_sim_link_init(&node->up, part_seed(sim, node->number, 1));
  thirl_sim_link_init(&node->down, part_seed(sim, node->number, 2));
  thirl_sim_route_init(&node->routes, part_seed(sim, node->number, 3));
  thirl_sim_traffic_init(&node->traffic, part_seed(sim, node->number, 4));
  sim->nodes[sim->n_nodes++] = node;
  return node;
}

static void free_node(thirl_sim_node *node) {
  thirl_natbox_free(node->box);
  thirl_natbox_free(node->second);
  if (node->host) thirl_sim_host_fini(node->host);
  free(node->host);
  thirl_sim_route_fini(&node->routes);
  thirl_sim_traffic_fini(&node->traffic);
  free(node);
}

/* The newest node could not be finished. */
static void give_up_node(thirl_sim_node *node) {
  thirl_sim *sim = node->sim;
  assert(sim->nodes[sim->n_nodes - 1] == node);
  sim->n_nodes--;
  free_node(node);
}

thirl_sim *thirl_sim_new(uint64_t seed) {
  thirl_sim *sim = calloc(1, sizeof *sim);
  if (!sim) return NULL;
  sim->seed = seed;
  sim->hash = seed;
  sim->now = THIRL_SIM_EPOCH;
  thirl_dice_seed(&sim->dice, part_seed(sim, 0, 5));
  thirl_heap_init(&sim->events, THIRL_SIM_EVENTS_MAX);
  thirl_sim_pool_init(&sim->pool);
  if (!add_node(sim, THIRL_SIM_INTERNET, "internet", NULL)) {
    free(sim);
    return NULL;
  }
  return sim;
}

void thirl_sim_free(thirl_sim *sim) {
  if (!sim) return;
  for (thirl_heap_node *n; (n = thirl_heap_first(&sim->events)) != NULL;) {
    thirl_sim_event *event = THIRL_OWNER(n, thirl_sim_event, timer);
    thirl_heap_remove(&sim->events, n);
    if (event->kind == THIRL_SIM_ARRIVAL)
      thirl_sim_pool_give_packet(&sim->pool, THIRL_OWNER(event, thirl_sim_packet, event));
    if (event->kind == THIRL_SIM_APPOINTMENT) free(THIRL_OWNER(event, thirl_sim_appointment, event));
  }
  for (uint32_t i = 0; i < sim->n_nodes; i++)
    free_node(sim->nodes[i]);
  thirl_heap_fini(&sim->events);
  thirl_sim_pool_fini(&sim->pool);
  free(sim);
}

void thirl_sim_set_log(thirl_sim *sim, const thirl_log *log) {
  sim->log = log;
}

thirl_sim_node *thirl_sim_internet(thirl_sim *sim) {
  return sim->nodes[0];
}

const char *thirl_sim_name(const thirl_sim_node *node) {
  return node->name;
}

thirl_sim_node *thirl_sim_add_host(thirl_sim *sim, const thirl_sim_host_config *config) {
  thirl_sim_node *above = config->below ? config->below : sim->nodes[0];
  assert(above->kind != THIRL_SIM_HOST && config->n_addrs <= THIRL_SIM_HOST_ADDRS_MAX);
  thirl_sim_node *node = add_node(sim, THIRL_SIM_HOST, config->name, above);
  if (!node) return NULL;
  thirl_sim_stack_config stack = {.n_addrs = config->n_addrs, .tcp = config->tcp, .silent = config->silent};
  memcpy(stack.addrs, config->addrs, config->n_addrs * sizeof *stack.addrs);
  if (stack.tcp.mss == 0) stack.tcp = thirl_sim_tcp_defaults();
  thirl_error e = (node->host = malloc(sizeof *node->host)) ? THIRL_OK : THIRL_E_NOMEM;
  if (e == THIRL_OK)
    thirl_sim_host_init(node->host, &stack, config->clock_offset, &sim->pool, part_seed(sim, node->number, 6));
  for (unsigned i = 0; e == THIRL_OK && i < config->n_addrs; i++)
    e = thirl_sim_route_add(&above->routes, &config->addrs[i], node);
  if (e == THIRL_OK) return node;
  thirl_sim_route_remove(&above->routes, node, config->addrs, config->n_addrs);
  give_up_node(node);
  return NULL;
}

static thirl_error route_to_box(thirl_sim_node *node, const thirl_natbox_config *box, const thirl_sim_prefix *inside) {
  thirl_sim_route *routes = &node->above->routes;
  if (box->mode == THIRL_NATBOX_TRANSLATE) {
    thirl_error e = thirl_sim_route_add(routes, &box->external, node);
    for (unsigned i = 0; e == THIRL_OK && i < box->n_pool; i++)
      e = thirl_sim_route_add(routes, &box->pool[i], node);
    return e;
  }
  return thirl_sim_route_add_prefix(routes, &inside->addr, inside->bits, node);
}

thirl_sim_node *thirl_sim_add_nat(thirl_sim *sim, const thirl_sim_nat_config *config) {
  thirl_sim_node *above = config->below ? config->below : sim->nodes[0];
  assert(above->kind != THIRL_SIM_HOST);
  thirl_sim_node *node = add_node(sim, THIRL_SIM_NAT, config->name, above);
  if (!node) return NULL;
  node->nat = *config;
  node->nat.name = NULL;
  node->box = thirl_natbox_new(&config->box, part_seed(sim, node->number, 7));
  if (config->has_second) node->second = thirl_natbox_new(&config->second, part_seed(sim, node->number, 8));
  thirl_error e = node->box && (node->second || !config->has_second) ? THIRL_OK : THIRL_E_NOMEM;
  if (e == THIRL_OK) e = route_to_box(node, &config->box, &config->inside);
  if (e == THIRL_OK && config->has_second) e = route_to_box(node, &config->second, &config->second_inside);
  if (e == THIRL_OK) return node;
  thirl_sim_route_remove(&above->routes, node, &config->box.external, 1);
  thirl_sim_route_remove(&above->routes, node, config->box.pool, config->box.n_pool);
  give_up_node(node);
  return NULL;
}

/* --- links and addresses ---------------------------------------------------------------------------------------------------------- */

void thirl_sim_set_link(thirl_sim_node *node, const thirl_sim_link_rules *up, const thirl_sim_link_rules *down) {
  if (up) node->up.rules = *up;
  if (down) node->down.rules = *down;
}

void thirl_sim_set_down(thirl_sim_node *node, bool down) {
  node->up.rules.down = node->down.rules.down = down;
}

thirl_sim_link_rules thirl_sim_get_link(const thirl_sim_node *node, bool up) {
  return up ? node->up.rules : node->down.rules;
}

thirl_error thirl_sim_move(thirl_sim_node *host, thirl_sim_node *below, const thirl_addr *addrs, unsigned n_addrs) {
  assert(host->kind == THIRL_SIM_HOST && n_addrs <= THIRL_SIM_HOST_ADDRS_MAX);
  thirl_sim_node *above = below ? below : host->sim->nodes[0];
  const thirl_sim_stack_config *had = &host->host->stack.config;
  thirl_sim_route_remove(&host->above->routes, host, had->addrs, had->n_addrs);
  host->above = above;
  thirl_error e = THIRL_OK;
  for (unsigned i = 0; e == THIRL_OK && i < n_addrs; i++)
    e = thirl_sim_route_add(&above->routes, &addrs[i], host);
  thirl_sim_stack_set_addrs(&host->host->stack, addrs, n_addrs);
  return e;
}

/* --- machines and faults ---------------------------------------------------------------------------------------------------------- */

void thirl_sim_attach(thirl_sim_node *host, const thirl_net_machine *machine) {
  thirl_sim_host_attach(host->host, machine);
  thirl_sim_forward_flush(host);
}

void thirl_sim_kill(thirl_sim_node *host) {
  thirl_sim_host_detach(host->host, host->sim->now, false);
  thirl_sim_forward_flush(host);
}

void thirl_sim_cut_power(thirl_sim_node *host) {
  thirl_sim_host_detach(host->host, host->sim->now, true);
  thirl_sim_forward_flush(host);
}

void thirl_sim_kick(thirl_sim_node *host) {
  thirl_sim_host_kick(host->host, host->sim->now);
  thirl_sim_forward_flush(host);
}

void thirl_sim_reboot(thirl_sim_node *nat) {
  thirl_natbox_reboot(nat->box);
  if (nat->second) thirl_natbox_reboot(nat->second);
}

thirl_error thirl_sim_renumber(thirl_sim_node *nat, thirl_addr external) {
  thirl_addr had = thirl_natbox_get_config(nat->box)->external;
  thirl_error e = thirl_sim_route_add(&nat->above->routes, &external, nat);
  if (e != THIRL_OK) return e;
  if (!thirl_addr_same_ip(&had, &external)) {
    thirl_sim_route_remove(&nat->above->routes, nat, &had, 1);
    if (nat->second) e = route_to_box(nat, &nat->nat.second, &nat->nat.second_inside); /* remove took its prefix too */
  }
  thirl_natbox_renumber(nat->box, external);
  return e;
}

thirl_natbox *thirl_sim_natbox(thirl_sim_node *nat, bool second) {
  return second ? nat->second : nat->box;
}

void thirl_sim_set_ttl(thirl_sim_node *host, uint8_t ttl) {
  host->host->stack.config.ttl = ttl;
}

bool thirl_sim_set_socket_ttl(thirl_sim_node *host, thirl_net_id id, uint8_t ttl) {
  return thirl_sim_stack_set_ttl(&host->host->stack, id, ttl);
}

void thirl_sim_set_time_exceeded(thirl_sim *sim, bool said) {
  sim->silent_routers = !said;
}

/* --- time ------------------------------------------------------------------------------------------------------------------------- */

thirl_time thirl_sim_now(const thirl_sim *sim) {
  return sim->now;
}

thirl_time thirl_sim_clock(const thirl_sim_node *host) {
  return thirl_time_after(host->sim->now, host->host->clock_offset);
}

thirl_error thirl_sim_at(thirl_sim *sim, thirl_time when, void (*call)(void *ctx), void *ctx) {
  thirl_sim_appointment *a = calloc(1, sizeof *a);
  if (!a) return THIRL_E_NOMEM;
  *a = (thirl_sim_appointment){.event.kind = THIRL_SIM_APPOINTMENT, .call = call, .ctx = ctx};
  thirl_error e = thirl_heap_set(&sim->events, &a->event.timer, THIRL_MAX(when, sim->now));
  if (e != THIRL_OK) free(a);
  return e;
}

static void keep_appointment(thirl_sim *sim, thirl_sim_appointment *a) {
  thirl_sim_appointment copy = *a;
  free(a);
  thirl_sim_forward_mix(sim, sim->now ^ 0xa9901d);
  copy.call(copy.ctx);
}

bool thirl_sim_step(thirl_sim *sim) {
  thirl_heap_node *n = thirl_heap_first(&sim->events);
  if (!n) return false;
  assert(thirl_heap_first_key(&sim->events) >= sim->now);
  sim->now = thirl_heap_first_key(&sim->events);
  sim->count.events++;
  thirl_heap_remove(&sim->events, n);
  thirl_sim_event *event = THIRL_OWNER(n, thirl_sim_event, timer);
  switch ((thirl_sim_event_kind)event->kind) {
  case THIRL_SIM_ARRIVAL:
    thirl_sim_forward_arrive(sim, THIRL_OWNER(event, thirl_sim_packet, event));
    break;
  case THIRL_SIM_ALARM:
    thirl_sim_forward_alarm(THIRL_OWNER(event, thirl_sim_node, alarm));
    break;
  case THIRL_SIM_APPOINTMENT:
    keep_appointment(sim, THIRL_OWNER(event, thirl_sim_appointment, event));
    break;
  }
  return true;
}

thirl_time thirl_sim_next(const thirl_sim *sim) {
  return thirl_heap_first_key(&sim->events);
}

bool thirl_sim_run_for(thirl_sim *sim, thirl_time until, bool (*done)(void *ctx), void *ctx) {
  if (done && done(ctx)) return true;
  while (thirl_sim_next(sim) <= until && thirl_sim_step(sim))
    if (done && done(ctx)) return true;
  if (until != THIRL_NEVER && until > sim->now) sim->now = until;
  return false;
}

void thirl_sim_run_until(thirl_sim *sim, thirl_time until) {
  (void)thirl_sim_run_for(sim, until, NULL, NULL);
}

/* --- looking ---------------------------------------------------------------------------------------------------------------------- */

thirl_sim_counters thirl_sim_count(const thirl_sim *sim) {
  return sim->count;
}

uint64_t thirl_sim_hash(const thirl_sim *sim) {
  return sim->hash;
}

thirl_sim_traffic_entry thirl_sim_sent_by(const thirl_sim_node *host, thirl_addr to) {
  return thirl_sim_traffic_of(&host->traffic, &to);
}

thirl_sim_traffic_entry thirl_sim_sent_to(const thirl_sim *sim, thirl_addr to) {
  thirl_sim_traffic_entry sum = {.to = to};
  for (uint32_t i = 0; i < sim->n_nodes; i++) {
    thirl_sim_traffic_entry e = thirl_sim_traffic_of(&sim->nodes[i]->traffic, &to);
    sum.packets += e.packets;
    sum.bytes += e.bytes;
    sum.last = THIRL_MAX(sum.last, e.last);
  }
  return sum;
}

uint64_t thirl_sim_draw(thirl_sim *sim) {
  return thirl_dice_u64(&sim->dice);
}

size_t thirl_sim_socket_count(const thirl_sim_node *host) {
  return thirl_sim_stack_socket_count(&host->host->stack);
}
