/* SPDX-License-Identifier: MIT */
/*
 * Nodes hang below each other by one link each. A packet climbs (upward) until a node knows the way down, and descends. Where a link takes no
 * time the packet goes on at once, without an event, except into a host while another host's packets are still being taken.
 */
#include "sim/forward.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "natbox/alg.h"

static void climb(thirl_sim_node *from, thirl_sim_packet *packet);
static void descend(thirl_sim_node *to, thirl_sim_packet *packet);

/* --- hash and trace --------------------------------------------------------------------------------------------------------------- */

void thirl_sim_forward_mix(thirl_sim *sim, uint64_t value) {
  uint64_t h = (sim->hash ^ value) * 0x9e3779b97f4a7c15u;
  sim->hash = h ^ (h >> 29);
}

static void mix_bytes(thirl_sim *sim, thirl_bytes b) {
  uint64_t word;
  for (; b.n >= 8; b.p += 8, b.n -= 8) {
    memcpy(&word, b.p, 8);
    thirl_sim_forward_mix(sim, word);
  }
  word = b.n;
  for (size_t i = 0; i < b.n; i++)
    word = word << 8 | b.p[i];
  thirl_sim_forward_mix(sim, word);
}

static void mix_packet(thirl_sim *sim, const thirl_sim_node *at, const thirl_sim_packet *packet, char what) {
  const thirl_natbox_packet *p = &packet->p;
  thirl_sim_forward_mix(sim, sim->now);
  thirl_sim_forward_mix(sim, (uint64_t)at->number << 32 | (uint64_t)p->protocol << 24 | (uint64_t)p->flags << 16 |
                                 (uint64_t)(uint8_t)what << 8 | p->icmp);
  thirl_sim_forward_mix(sim, thirl_addr_hash(&p->src, 1) ^ thirl_addr_hash(&p->dst, 2));
  thirl_sim_forward_mix(sim, (uint64_t)p->seq << 32 | p->ack);
  thirl_sim_forward_mix(sim, p->payload.n);
}

static const char *describe(const thirl_natbox_packet *p, char out[64]) {
  static const char *const icmp[] = {"port unreachable", "host unreachable", "time exceeded"};
  if (p->protocol == THIRL_NATBOX_UDP)
    snprintf(out, 64, "UDP %zu", p->payload.n);
  else if (p->protocol == THIRL_NATBOX_ICMP)
    snprintf(out, 64, "ICMP %s", icmp[p->icmp % 3]);
  else
    snprintf(out, 64, "TCP %s%s%s%s seq %" PRIu32 " ack %" PRIu32 " len %zu", p->flags & THIRL_NATBOX_SYN ? "S" : "",
             p->flags & THIRL_NATBOX_FIN ? "F" : "", p->flags & THIRL_NATBOX_RST ? "R" : "",
             p->flags & THIRL_NATBOX_ACK ? "." : "", p->seq, p->ack, p->payload.n);
  return out;
}

static void trace(thirl_sim *sim, const thirl_sim_node *at, const char *what, const thirl_sim_packet *packet) {
  if (!sim->log || !sim->log->line) return;
  char src[THIRL_ADDR_TEXT_MAX], dst[THIRL_ADDR_TEXT_MAX], kind[64];
  thirl_log_print(sim->log, THIRL_LOG_DEBUG, "%10.3f ms  %-12s %-12s %s > %s %s",
                  (double)(sim->now - THIRL_SIM_EPOCH) / 1000.0, at->name, what, thirl_addr_format(&packet->p.src, src),
                  thirl_addr_format(&packet->p.dst, dst), describe(&packet->p, kind));
}

static void drop(thirl_sim_node *at, thirl_sim_packet *packet, const char *why, uint64_t *counter) {
  thirl_sim *sim = at->sim;
  (*counter)++;
  mix_packet(sim, at, packet, why[0]);
  trace(sim, at, why, packet);
  thirl_sim_pool_give_packet(&sim->pool, packet);
}

/* --- links ------------------------------------------------------------------------------------------------------------------------ */

/* Hand the packet to the end of its link at that time. */
static void schedule(thirl_sim_node *node, thirl_sim_packet *packet, bool upward, thirl_time when) {
  thirl_sim *sim = node->sim;
  packet->at = node;
  packet->upward = upward;
  if (when <= sim->now && (upward || node->kind != THIRL_SIM_HOST || !sim->host_is_busy)) {
    thirl_sim_forward_arrive(sim, packet);
    return;
  }
  packet->event.kind = THIRL_SIM_ARRIVAL;
  if (thirl_heap_set(&sim->events, &packet->event.timer, when) != THIRL_OK)
    drop(node, packet, "starved", &sim->count.starved);
}

/* Over the link of node. */
static void cross(thirl_sim_node *node, thirl_sim_packet *packet, bool upward) {
  thirl_sim *sim = node->sim;
  thirl_time when[THIRL_SIM_LINK_COPIES];
  unsigned n = thirl_sim_link_cross(upward ? &node->up : &node->down, sim->now, when);
  if (n == 0) {
    drop(node, packet, "lost", &sim->count.lost);
    return;
  }
  for (unsigned i = 1; i < n; i++) {
    thirl_sim_packet *copy = thirl_sim_pool_copy_packet(&sim->pool, packet);
    if (!copy) continue;
    sim->count.doubled++;
    schedule(node, copy, upward, when[i]);
  }
  schedule(node, packet, upward, when[0]);
}

static void climb(thirl_sim_node *from, thirl_sim_packet *packet) {
  cross(from, packet, true);
}

static void descend(thirl_sim_node *to, thirl_sim_packet *packet) {
  cross(to, packet, false);
}

/* --- routers and NATs ------------------------------------------------------------------------------------------------------------- */

/* Down to the node below that has the address, if there is one. */
static bool route_down(thirl_sim_node *node, thirl_sim_packet *packet) {
  thirl_sim_node *to = thirl_sim_route_find(&node->routes, &packet->p.dst);
  if (!to) return false;
  descend(to, packet);
  return true;
}

static thirl_addr address_of(const thirl_sim_node *node, const thirl_sim_packet *packet) {
  if (node->kind == THIRL_SIM_NAT && node->nat.box.mode == THIRL_NATBOX_TRANSLATE)
    return thirl_natbox_get_config(node->box)->external;
  return packet->p.src.family == THIRL_FAMILY_V6 ? thirl_addr_v6((const uint8_t[16]){0x20, 0x01, 0x0d, 0xb8}, 0)
                                                 : thirl_addr_v4(198, 18, 0, 1, 0);
}

/* A hop: false and the packet is gone when its time to live has ended. The notice goes back the way the packet came. */
static bool hop(thirl_sim_node *node, thirl_sim_packet *packet, bool came_up) {
  thirl_sim *sim = node->sim;
  if (packet->p.ttl > 1) {
    packet->p.ttl--;
    return true;
  }
  if (sim->silent_routers || packet->p.protocol == THIRL_NATBOX_ICMP) {
    drop(node, packet, "expired", &sim->count.expired);
    return false;
  }
  thirl_sim_packet *notice = thirl_sim_pool_take_packet(&sim->pool);
  if (notice)
    notice->p = thirl_natbox_packet_icmp_for(&packet->p, THIRL_NATBOX_TIME_EXCEEDED, address_of(node, packet));
  drop(node, packet, "expired", &sim->count.expired);
  if (!notice) return false;
  if (!came_up)
    climb(node, notice);
  else if (!route_down(node, notice))
    drop(node, notice, "unrouted", &sim->count.unrouted);
  return false;
}

static thirl_natbox *box_for(const thirl_sim_node *nat, const thirl_sim_packet *packet) {
  if (!nat->second) return nat->box;
  return packet->p.src.family == nat->nat.second_inside.addr.family ? nat->second : nat->box;
}

static void set_alarm(thirl_sim_node *node, thirl_time when) {
  thirl_heap *events = &node->sim->events;
  node->alarm.kind = THIRL_SIM_ALARM;
  if (when == THIRL_NEVER)
    thirl_heap_remove(events, &node->alarm.timer);
  else if (thirl_heap_set(events, &node->alarm.timer, THIRL_MAX(when, node->sim->now)) != THIRL_OK)
    node->sim->count.starved++;
}

static void set_nat_alarm(thirl_sim_node *nat) {
  thirl_time t = thirl_natbox_deadline(nat->box);
  if (nat->second) t = THIRL_MIN(t, thirl_natbox_deadline(nat->second));
  set_alarm(nat, t);
}

/* What the box has made of the packet; came_up: it came from inside. */
static void obey(thirl_sim_node *nat, thirl_sim_packet *packet, thirl_natbox_verdict verdict, bool came_up) {
  thirl_sim *sim = nat->sim;
  if (verdict == THIRL_NATBOX_DISCARD || verdict == THIRL_NATBOX_NOTHING) {
    drop(nat, packet, "discarded", &sim->count.discarded);
    return;
  }
  bool outward = verdict == THIRL_NATBOX_HAIRPIN ? false : came_up;
  if (verdict == THIRL_NATBOX_REPLY) {
    sim->count.discarded++;
    outward = !came_up;
    thirl_sim_pool_give_payload(&sim->pool, packet->payload);
    packet->payload = NULL;
    packet->n_sacks = 0;
    trace(sim, nat, "answers", packet);
  }
  if (outward)
    climb(nat, packet);
  else if (!route_down(nat, packet))
    drop(nat, packet, "unrouted", &sim->count.unrouted);
}

static thirl_natbox_verdict ask(thirl_natbox *box, thirl_time now, thirl_natbox_packet *p, bool outward) {
  return outward ? thirl_natbox_outbound(box, now, p) : thirl_natbox_inbound(box, now, p);
}

/* A router that translates inside payloads changes a copy: the sender and other packets share the original. */
static thirl_natbox_verdict meddle(thirl_sim_node *nat, thirl_natbox *box, thirl_sim_packet *packet, bool outward) {
  const thirl_natbox_config *config = thirl_natbox_get_config(box);
  thirl_natbox_packet before = packet->p;
  thirl_natbox_verdict v = ask(box, nat->sim->now, &packet->p, outward);
  if (thirl_natbox_alg_translate(config, &before, &packet->p, NULL, 0) == 0) return v;
  thirl_sim_payload *copy = thirl_sim_pool_take_payload(&nat->sim->pool);
  if (!copy) return THIRL_NATBOX_DISCARD;
  copy->n = packet->payload->n;
  memcpy(copy->bytes, packet->payload->bytes, copy->n);
  thirl_natbox_alg_translate(config, &before, &packet->p, copy->bytes, copy->n);
  thirl_sim_pool_give_payload(&nat->sim->pool, packet->payload);
  packet->payload = copy;
  packet->p.payload = THIRL_BYTES(copy->bytes, copy->n);
  return v;
}

static thirl_natbox_verdict translate(thirl_sim_node *nat, thirl_sim_packet *packet, bool outward) {
  thirl_natbox *box = box_for(nat, packet);
  if (thirl_natbox_get_config(box)->alg != THIRL_NATBOX_ALG_NONE) return meddle(nat, box, packet, outward);
  return ask(box, nat->sim->now, &packet->p, outward);
}

/* From below: switch it to a neighbour, or take it out. */
static void nat_from_below(thirl_sim_node *nat, thirl_sim_packet *packet) {
  if (thirl_sim_route_find(&nat->routes, &packet->p.dst)) {
    (void)route_down(nat, packet);
    return;
  }
  if (!hop(nat, packet, true)) return;
  thirl_natbox_verdict v = translate(nat, packet, true);
  set_nat_alarm(nat);
  obey(nat, packet, v, true);
}

static void nat_from_above(thirl_sim_node *nat, thirl_sim_packet *packet) {
  if (!hop(nat, packet, false)) return;
  thirl_natbox_verdict v = translate(nat, packet, false);
  set_nat_alarm(nat);
  obey(nat, packet, v, false);
}

static void poll_box(thirl_sim_node *nat, thirl_natbox *box) {
  thirl_sim *sim = nat->sim;
  thirl_natbox_packet p;
  for (thirl_natbox_verdict v; (v = thirl_natbox_poll(box, sim->now, &p)) != THIRL_NATBOX_NOTHING;) {
    thirl_sim_packet *packet = thirl_sim_pool_take_packet(&sim->pool);
    if (!packet) {
      sim->count.starved++;
      continue;
    }
    packet->p = p;
    obey(nat, packet, v, true);
  }
}

static void internet_input(thirl_sim_node *internet, thirl_sim_packet *packet) {
  if (!hop(internet, packet, true)) return;
  if (!route_down(internet, packet)) drop(internet, packet, "unrouted", &internet->sim->count.unrouted);
}

/* --- hosts ------------------------------------------------------------------------------------------------------------------------ */

void thirl_sim_forward_flush(thirl_sim_node *host) {
  thirl_sim *sim = host->sim;
  thirl_sim_stack *stack = &host->host->stack;
  sim->host_is_busy = true;
  for (thirl_link *k; (k = thirl_list_first(&stack->out)) != NULL;) {
    thirl_sim_packet *packet = THIRL_OWNER(k, thirl_sim_packet, link);
    thirl_list_remove(k);
    sim->count.sent++;
    thirl_sim_traffic_add(&host->traffic, &packet->p.dst, packet->p.payload.n, sim->now);
    mix_packet(sim, host, packet, '>');
    mix_bytes(sim, packet->p.payload);
    trace(sim, host, "sends", packet);
    if (thirl_sim_stack_has_ip(stack, &packet->p.dst))
      schedule(host, packet, false, sim->now); /* loopback */
    else
      climb(host, packet);
  }
  sim->host_is_busy = false;
  set_alarm(host, thirl_sim_host_deadline(host->host));
}

static void host_input(thirl_sim_node *host, thirl_sim_packet *packet) {
  thirl_sim *sim = host->sim;
  if (!thirl_sim_stack_has_ip(&host->host->stack, &packet->p.dst)) {
    drop(host, packet, "unrouted", &sim->count.unrouted);
    return;
  }
  sim->count.delivered++;
  mix_packet(sim, host, packet, '<');
  trace(sim, host, "hears", packet);
  thirl_sim_host_input(host->host, sim->now, packet);
  thirl_sim_pool_give_packet(&sim->pool, packet);
  thirl_sim_forward_flush(host);
}

void thirl_sim_forward_arrive(thirl_sim *sim, thirl_sim_packet *packet) {
  thirl_sim_node *node = packet->upward ? packet->at->above : packet->at;
  (void)sim;
  switch (node->kind) {
  case THIRL_SIM_INTERNET:
    internet_input(node, packet);
    break;
  case THIRL_SIM_NAT:
    if (packet->upward)
      nat_from_below(node, packet);
    else
      nat_from_above(node, packet);
    break;
  case THIRL_SIM_HOST:
    host_input(node, packet);
    break;
  }
}

void thirl_sim_forward_alarm(thirl_sim_node *node) {
  thirl_sim_forward_mix(node->sim, node->sim->now ^ (uint64_t)node->number << 48);
  if (node->kind == THIRL_SIM_HOST) {
    thirl_sim_host_tick(node->host, node->sim->now);
    thirl_sim_forward_flush(node);
    return;
  }
  poll_box(node, node->box);
  if (node->second) poll_box(node, node->second);
  set_nat_alarm(node);
}
