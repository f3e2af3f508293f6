/* SPDX-License-Identifier: MIT */
#include "lab/internet/gateway.h"

#include <stdlib.h>
#include <string.h>

#include "lab/frame/icmp.h"
#include "lab/internet/route.h"
#include "lab/frame/translate.h"

/* ---- building ---- */

static thirl_lab_door *add_door(thirl_lab_gateways *g, int node, int cable, bool inner, size_t net) {
  thirl_lab_door *d = &g->doors[g->n_doors];
  thirl_lab_station_init(&d->station, (uint32_t)g->n_doors + 1);
  d->node = node;
  d->cable = cable;
  d->inner = inner;
  d->net = net;
  d->armed = THIRL_NEVER;
  if (cable >= 0)
    g->door_of_cable[cable] = (int)g->n_doors;
  else
    g->door_of_net[net] = (int)g->n_doors;
  g->n_doors++;
  return d;
}

static void add_prefixes(thirl_lab_station *s, const thirl_lab_prefix *p, size_t n) {
  for (size_t i = 0; i < n; i++)
    thirl_lab_station_add(s, &p[i].addr);
}

void thirl_lab_gateway_readdress(thirl_lab_gateways *g, size_t node) {
  thirl_lab_gateway_nat *n = g->nats[node];
  const thirl_lab_node *like = &g->topology->nodes[node];
  const thirl_lab_net *net = &g->topology->nets[like->inner.net];
  if (!n) return;
  thirl_lab_station *outer = &g->doors[n->outer].station, *inner = &g->doors[n->inner].station;
  thirl_lab_station_reset(outer);
  thirl_lab_station_reset(inner);
  add_prefixes(outer, like->outer.addrs, like->outer.n_addrs);
  if (like->nat.mode == THIRL_NATBOX_TRANSLATE) {
    thirl_lab_station_add(outer, &like->nat.external);
    for (size_t i = 0; i < like->nat.n_pool; i++)
      thirl_lab_station_add(outer, &like->nat.pool[i]);
  }
  add_prefixes(inner, like->inner.addrs, like->inner.n_addrs);
  add_prefixes(inner, net->gateways, net->n_prefixes);
}

static thirl_addr own_ipv4(const thirl_lab_node *n) {
  for (size_t i = 0; i < n->outer.n_addrs; i++)
    if (n->outer.addrs[i].addr.family == THIRL_FAMILY_V4) return thirl_addr_with_port(n->outer.addrs[i].addr, 0);
  return (thirl_addr){0};
}

static thirl_error add_nat(thirl_lab_gateways *g, size_t node) {
  const thirl_lab_node *like = &g->topology->nodes[node];
  thirl_lab_gateway_nat *n = calloc(1, sizeof *n);
  if (!n) return THIRL_E_NOMEM;
  thirl_error e =
      thirl_lab_nat_init(&n->nat, &like->nat, own_ipv4(like), g->topology->seed * 0x9e3779b97f4a7c15u + 2 * node);
  if (e != THIRL_OK) {
    free(n);
    return e;
  }
  n->node = node;
  n->outer = g->n_doors;
  add_door(g, (int)node, thirl_lab_fabric_find(g->fabric, node, false), false, like->outer.net);
  n->inner = g->n_doors;
  add_door(g, (int)node, thirl_lab_fabric_find(g->fabric, node, true), true, like->inner.net);
  g->nats[node] = n;
  thirl_lab_gateway_readdress(g, node);
  return THIRL_OK;
}

thirl_error thirl_lab_gateway_init(thirl_lab_gateways *g, const thirl_lab_topology *t, thirl_lab_fabric *fabric,
                                   thirl_lab_notes *notes) {
  memset(g, 0, sizeof *g);
  g->topology = t;
  g->fabric = fabric;
  g->notes = notes;
  thirl_heap_init(&g->door_timers, THIRL_LAB_DOORS_MAX);
  thirl_heap_init(&g->nat_timers, THIRL_LAB_NODES_MAX);
  for (size_t i = 0; i < THIRL_LAB_FABRIC_CABLES_MAX; i++)
    g->door_of_cable[i] = THIRL_LAB_FABRIC_NONE;
  for (size_t i = 0; i < t->n_nets; i++) {
    g->door_of_net[i] = THIRL_LAB_FABRIC_NONE;
    if (t->nets[i].nat >= 0) continue;
    thirl_lab_door *d = add_door(g, THIRL_LAB_ROUTE_INTERNET, THIRL_LAB_FABRIC_NONE, false, i);
    add_prefixes(&d->station, t->nets[i].gateways, t->nets[i].n_prefixes);
  }
  for (size_t i = 0; i < t->n_nodes; i++) {
    if (t->nodes[i].kind != THIRL_LAB_NAT || t->nodes[i].engine != THIRL_LAB_NATBOX) continue;
    thirl_error e = add_nat(g, i);
    if (e != THIRL_OK) return e;
  }
  return THIRL_OK;
}

void thirl_lab_gateway_fini(thirl_lab_gateways *g) {
  for (size_t i = 0; i < g->n_doors; i++)
    thirl_lab_station_fini(&g->doors[i].station);
  for (size_t i = 0; i < THIRL_LAB_NODES_MAX; i++) {
    if (g->nats[i]) thirl_lab_nat_fini(&g->nats[i]->nat);
    free(g->nats[i]);
  }
  thirl_heap_fini(&g->door_timers);
  thirl_heap_fini(&g->nat_timers);
}

void thirl_lab_gateway_forget(thirl_lab_gateways *g, size_t net) {
  for (size_t i = 0; i < g->n_doors; i++)
    if (g->doors[i].net == net) thirl_lab_neighbour_clear(&g->doors[i].station.neighbours);
}

/* ---- timers ---- */

static void arm_door(thirl_lab_gateways *g, thirl_lab_door *d) {
  thirl_time t = thirl_lab_station_deadline(&d->station);
  if (t == d->armed) return;
  d->armed = t;
  if (t == THIRL_NEVER)
    thirl_heap_remove(&g->door_timers, &d->timer);
  else
    (void)thirl_heap_set(&g->door_timers, &d->timer, t); /* without memory it is not asked again */
}

static void arm_nat(thirl_lab_gateways *g, thirl_lab_gateway_nat *n) {
  thirl_time t = thirl_lab_nat_deadline(&n->nat);
  if (t == THIRL_NEVER)
    thirl_heap_remove(&g->nat_timers, &n->timer);
  else
    (void)thirl_heap_set(&g->nat_timers, &n->timer, t); /* without memory the answer waits for the next packet */
}

thirl_time thirl_lab_gateway_deadline(const thirl_lab_gateways *g) {
  return THIRL_MIN(thirl_heap_first_key(&g->door_timers), thirl_heap_first_key(&g->nat_timers));
}

/* ---- out ---- */

static thirl_lab_gateway_counts *counts_of(thirl_lab_gateways *g, const thirl_lab_door *d) {
  return d->node < 0 ? &g->internet : &g->nats[d->node]->counts;
}

static void leave(thirl_lab_gateways *g, thirl_time at, const thirl_lab_door *d, thirl_lab_flight *f) {
  if (d->cable >= 0)
    thirl_lab_fabric_send(g->fabric, at, (size_t)d->cable, f);
  else
    thirl_lab_fabric_send_net(g->fabric, at, d->net, f);
}

/* What the station itself has to say, and what has waited for an answer. */
static void drain(thirl_lab_gateways *g, thirl_time at, thirl_lab_door *d) {
  for (thirl_lab_packet *p; (p = thirl_lab_flight_first(&d->station.out));) {
    thirl_lab_flight f = thirl_lab_flight_of(p);
    leave(g, at, d, &f);
  }
  arm_door(g, d);
}

static thirl_lab_door *door_to(thirl_lab_gateways *g, int node, size_t net) {
  if (node < 0) return g->door_of_net[net] < 0 ? NULL : &g->doors[g->door_of_net[net]];
  thirl_lab_gateway_nat *n = g->nats[node];
  if (g->doors[n->outer].net == net) return &g->doors[n->outer];
  return g->doors[n->inner].net == net ? &g->doors[n->inner] : NULL;
}

/* A packet that this router sends on, or sends itself; takes it. */
static void send_on(thirl_lab_gateways *g, thirl_time at, int node, thirl_lab_flight *f, const thirl_addr *dst) {
  thirl_lab_route r = thirl_lab_route_find(g->topology, node, dst);
  thirl_lab_door *d = r.is_found ? door_to(g, node, r.net) : NULL;
  if (!d) {
    thirl_lab_flight_drop(f);
    return;
  }
  if (thirl_lab_station_resolve(&d->station, g->now, f, &r.next_hop)) {
    arm_door(g, d);
    leave(g, at, d, f);
    return;
  }
  drain(g, at, d);
}

/* An error to the source of this packet, which came in by this door. */
static void complain(thirl_lab_gateways *g, thirl_time at, thirl_lab_door *d, const thirl_lab_flight *f,
                     const thirl_lab_headers *h, thirl_lab_icmp_kind kind) {
  thirl_addr from = thirl_lab_station_address(&d->station, (thirl_family)h->family);
  thirl_lab_packet *p = thirl_lab_icmp_error(f->frame, h, kind, &from, 0);
  if (!p) return;
  thirl_lab_flight error = thirl_lab_flight_of(p);
  send_on(g, at, d->node, &error, &h->src);
}

/* ---- in ---- */

/* For one of our own addresses: pings are answered, everything else finds nobody. */
static void input_local(thirl_lab_gateways *g, thirl_time at, thirl_lab_door *d, thirl_lab_flight *f,
                        thirl_lab_headers *h) {
  thirl_lab_translation t;
  thirl_lab_packet *made = NULL;
  if (thirl_lab_icmp_is_ping(f->frame, h)) {
    thirl_lab_icmp_answer(f, h);
    send_on(g, at, d->node, f, &h->dst);
    return;
  }
  bool readable = h->has_ports && thirl_lab_translate_read(f, h, &t);
  if (readable && t.packet.protocol == THIRL_NATBOX_TCP && !(t.packet.flags & THIRL_NATBOX_RST)) {
    thirl_natbox_packet rst = thirl_natbox_packet_rst_for(&t.packet);
    made = thirl_lab_translate_answer(&rst, f, h);
  } else if (readable && t.packet.protocol == THIRL_NATBOX_UDP) {
    made = thirl_lab_icmp_error(f->frame, h, THIRL_LAB_ICMP_NO_PORT, &h->dst, 0);
  }
  thirl_lab_flight_drop(f);
  if (!made) return;
  thirl_lab_flight answer = thirl_lab_flight_of(made);
  send_on(g, at, d->node, &answer, &h->src);
}

static bool is_local(const thirl_lab_gateways *g, const thirl_lab_door *d, const thirl_lab_flight *f,
                     const thirl_lab_headers *h) {
  if (d->node < 0) {
    for (size_t i = 0; i < g->n_doors; i++)
      if (g->doors[i].node < 0 && thirl_lab_station_has(&g->doors[i].station, &h->dst)) return true;
    return false;
  }
  const thirl_lab_gateway_nat *n = g->nats[d->node];
  if (thirl_lab_station_has(&g->doors[n->inner].station, &h->dst)) return d->inner;
  if (!thirl_lab_station_has(&g->doors[n->outer].station, &h->dst)) return false;
  const thirl_natbox_config *c = thirl_natbox_get_config(thirl_lab_nat_box(&n->nat, (thirl_family)h->family));
  bool shared = c->mode == THIRL_NATBOX_TRANSLATE; /* with the hosts inside */
  return !shared || thirl_lab_icmp_is_ping(f->frame, h);
}

/* The other side of the box; takes the packet. */
static void dispatch(thirl_lab_gateways *g, thirl_time at, int node, thirl_lab_nat_way way, thirl_lab_flight *f,
                     const thirl_lab_headers *h) {
  if (way != THIRL_LAB_NAT_GONE) send_on(g, at, node, f, &h->dst);
  arm_nat(g, g->nats[node]);
}

static void through_nat(thirl_lab_gateways *g, thirl_time at, thirl_lab_door *d, thirl_lab_flight *f,
                        thirl_lab_headers *h) {
  thirl_lab_gateway_nat *n = g->nats[d->node];
  bool is_answer;
  if (d->inner) {
    thirl_lab_route r = thirl_lab_route_find(g->topology, d->node, &h->dst);
    if (!r.is_found || r.net == d->net) {
      n->counts.unrouted++;
      if (!r.is_found) complain(g, at, d, f, h, THIRL_LAB_ICMP_NO_ROUTE);
      thirl_lab_flight_drop(f);
      return;
    }
  }
  thirl_lab_nat_way way = thirl_lab_nat_input(&n->nat, g->now, d->inner, f, h, &is_answer);
  if (way != THIRL_LAB_NAT_GONE && !is_answer) thirl_lab_headers_hop(f->frame, h);
  dispatch(g, at, d->node, way, f, h);
}

static void through_internet(thirl_lab_gateways *g, thirl_time at, thirl_lab_door *d, thirl_lab_flight *f,
                             thirl_lab_headers *h) {
  thirl_lab_route r = thirl_lab_route_find(g->topology, THIRL_LAB_ROUTE_INTERNET, &h->dst);
  if (!r.is_found) {
    g->internet.unrouted++;
    complain(g, at, d, f, h, THIRL_LAB_ICMP_NO_ROUTE);
    thirl_lab_flight_drop(f);
    return;
  }
  thirl_lab_headers_hop(f->frame, h);
  send_on(g, at, THIRL_LAB_ROUTE_INTERNET, f, &h->dst);
}

static void input_packet(thirl_lab_gateways *g, thirl_time at, thirl_lab_door *d, thirl_lab_flight *f,
                         thirl_lab_headers *h) {
  if (is_local(g, d, f, h)) {
    input_local(g, at, d, f, h);
    return;
  }
  if (!thirl_lab_headers_is_one_host(&h->src) || !thirl_lab_headers_is_one_host(&h->dst)) {
    counts_of(g, d)->malformed++;
    thirl_lab_flight_drop(f);
    return;
  }
  if (h->ttl <= 1) {
    counts_of(g, d)->expired++;
    complain(g, at, d, f, h, THIRL_LAB_ICMP_EXPIRED);
    thirl_lab_flight_drop(f);
    return;
  }
  (d->node < 0 ? through_internet : through_nat)(g, at, d, f, h);
}

static thirl_lab_door *door_of(thirl_lab_gateways *g, const thirl_lab_arrival *a) {
  int door = a->cable >= 0 ? g->door_of_cable[a->cable] : g->door_of_net[a->net];
  return door < 0 ? NULL : &g->doors[door];
}

void thirl_lab_gateway_arrive(thirl_lab_gateways *g, thirl_lab_arrival *a) {
  thirl_lab_door *d = door_of(g, a);
  thirl_lab_headers h;
  g->now = THIRL_MAX(g->now, a->at);
  thirl_lab_station_verdict v =
      d ? thirl_lab_station_input(&d->station, g->now, &a->flight, &h) : THIRL_LAB_STATION_DONE;
  if (d) drain(g, a->at, d);
  if (v == THIRL_LAB_STATION_PACKET) {
    input_packet(g, a->at, d, &a->flight, &h);
    return;
  }
  if (v == THIRL_LAB_STATION_MALFORMED) counts_of(g, d)->malformed++;
  thirl_lab_flight_drop(&a->flight);
}

/* ---- time ---- */

/* Nobody is there: the error comes from our own interface, and through our own NAT to the sender. */
static void report_failed(thirl_lab_gateways *g, thirl_lab_door *d, thirl_lab_packet *p) {
  thirl_lab_headers h;
  thirl_addr from = {0};
  bool whole = thirl_lab_headers_read(p->frame, p->len, &h) == THIRL_LAB_HEADERS_OK, is_answer;
  if (whole) from = thirl_lab_station_address(&d->station, (thirl_family)h.family);
  memset(p->frame, 0, THIRL_LAB_MAC_LEN); /* it had no receiver yet */
  thirl_lab_packet *made = whole ? thirl_lab_icmp_error(p->frame, &h, THIRL_LAB_ICMP_NO_HOST, &from, 0) : NULL;
  free(p);
  if (!made) return;
  thirl_lab_flight error = thirl_lab_flight_of(made);
  thirl_lab_headers_read(error.frame, error.len, &h); /* ours: whole */
  if (d->node < 0) {
    send_on(g, g->now, d->node, &error, &h.dst);
    return;
  }
  thirl_lab_nat_way way = thirl_lab_nat_input(&g->nats[d->node]->nat, g->now, d->inner, &error, &h, &is_answer);
  dispatch(g, g->now, d->node, way, &error, &h);
}

static void tick_door(thirl_lab_gateways *g, thirl_lab_door *d) {
  thirl_lab_station_tick(&d->station, g->now);
  d->armed = 0;
  drain(g, g->now, d);
  if (d->station.failed.n == 0) return;
  thirl_lab_notes_add(g->notes, &(thirl_lab_note){.kind = THIRL_LAB_NOTE_UNREACHABLE,
                                                  .at = g->now,
                                                  .event = SIZE_MAX,
                                                  .node = d->node < 0 ? SIZE_MAX : (size_t)d->node,
                                                  .inner = d->inner,
                                                  .addr = d->station.failed_hop});
  for (thirl_lab_packet *p; (p = thirl_lab_flight_first(&d->station.failed));)
    report_failed(g, d, p);
}

static void tick_nat(thirl_lab_gateways *g, thirl_lab_gateway_nat *n) {
  thirl_lab_flight f;
  thirl_lab_headers h;
  for (thirl_lab_nat_way way; (way = thirl_lab_nat_poll(&n->nat, g->now, &f, &h)) != THIRL_LAB_NAT_GONE;)
    dispatch(g, g->now, (int)n->node, way, &f, &h);
  arm_nat(g, n);
}

void thirl_lab_gateway_tick(thirl_lab_gateways *g, thirl_time now) {
  g->now = THIRL_MAX(g->now, now);
  while (thirl_heap_first_key(&g->door_timers) <= g->now)
    tick_door(g, THIRL_OWNER(thirl_heap_first(&g->door_timers), thirl_lab_door, timer));
  while (thirl_heap_first_key(&g->nat_timers) <= g->now)
    tick_nat(g, THIRL_OWNER(thirl_heap_first(&g->nat_timers), thirl_lab_gateway_nat, timer));
}
