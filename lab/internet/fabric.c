/* SPDX-License-Identifier: MIT */
#include "lab/internet/fabric.h"

#include <stdlib.h>
#include <string.h>

#include "lab/frame/icmp.h"
#include "lab/internet/route.h"
#include "lab/frame/segment.h"
#include "lab/frame/split.h"
#include "lab/frame/wire.h"

enum { GROW_MIN = 64 };

/* The internet's own socket at the switch of a net. */
static const size_t ROUTER = SIZE_MAX - 1;

/* ---- building ---- */

static uint64_t seed_of(const thirl_lab_topology *t, size_t cable, thirl_lab_way way) {
  return t->seed * 0x9e3779b97f4a7c15u + 2 * cable + (way == THIRL_LAB_DOWN);
}

static void add_cable(thirl_lab_fabric *f, size_t node, bool inner, const thirl_lab_cable *like) {
  size_t i = f->n_cables++;
  thirl_lab_cable_end *c = &f->cables[i];
  const thirl_lab_node *n = &f->topology->nodes[node];
  c->node = node;
  c->inner = inner;
  c->net = like->net;
  c->is_port = n->kind == THIRL_LAB_HOST || n->engine == THIRL_LAB_NETFILTER;
  if (c->is_port) {
    c->port = f->n_ports;
    f->cable_of_port[f->n_ports++] = (int)i;
  }
  thirl_lab_link_init(&c->link[THIRL_LAB_UP], &like->up, seed_of(f->topology, i, THIRL_LAB_UP));
  thirl_lab_link_init(&c->link[THIRL_LAB_DOWN], &like->down, seed_of(f->topology, i, THIRL_LAB_DOWN));
}

void thirl_lab_fabric_init(thirl_lab_fabric *f, const thirl_lab_topology *t, thirl_lab_notes *notes) {
  memset(f, 0, sizeof *f);
  f->topology = t;
  f->notes = notes;
  thirl_heap_init(&f->timers, 2 * THIRL_LAB_FABRIC_CABLES_MAX);
  for (size_t i = 0; i < t->n_nodes; i++) {
    add_cable(f, i, false, &t->nodes[i].outer);
    if (t->nodes[i].kind == THIRL_LAB_NAT) add_cable(f, i, true, &t->nodes[i].inner);
  }
  for (size_t i = 0; i < t->n_nets; i++)
    thirl_lab_switch_init(&f->switches[i], t->seed + i);
}

void thirl_lab_fabric_fini(thirl_lab_fabric *f) {
  thirl_lab_fabric_clear(f);
  for (thirl_lab_arrival a; thirl_lab_fabric_arrival(f, &a);)
    thirl_lab_flight_drop(&a.flight);
  for (size_t i = 0; i < f->n_cables; i++) {
    thirl_lab_link_fini(&f->cables[i].link[THIRL_LAB_UP]);
    thirl_lab_link_fini(&f->cables[i].link[THIRL_LAB_DOWN]);
    if (f->cables[i].capture) thirl_lab_pcap_fini(f->cables[i].capture);
    free(f->cables[i].capture);
  }
  for (size_t i = 0; i < f->topology->n_nets; i++)
    thirl_lab_switch_fini(&f->switches[i]);
  thirl_heap_fini(&f->timers);
  free(f->frames);
  free(f->arrivals);
}

int thirl_lab_fabric_find(const thirl_lab_fabric *f, size_t node, bool inner) {
  for (size_t i = 0; i < f->n_cables; i++)
    if (f->cables[i].node == node && f->cables[i].inner == inner) return (int)i;
  return THIRL_LAB_FABRIC_NONE;
}

/* ---- ends of the way ---- */

static bool grow(void **array, size_t *cap, size_t n, size_t max, size_t size) {
  if (n < *cap) return true;
  size_t more = *cap ? 2 * *cap : GROW_MIN;
  void *bigger = n < max ? realloc(*array, more * size) : NULL;
  if (!bigger) return false;
  *array = bigger;
  *cap = more;
  return true;
}

static void lose(thirl_lab_fabric *f, thirl_lab_flight *flight) {
  f->dropped++;
  thirl_lab_flight_drop(flight);
}

static void to_port(thirl_lab_fabric *f, thirl_time at, size_t port, thirl_lab_flight *flight) {
  void *array = f->frames;
  bool room = grow(&array, &f->cap_frames, f->n_frames, THIRL_LAB_FABRIC_FRAMES_MAX, sizeof *f->frames);
  f->frames = array;
  if (!room) {
    lose(f, flight);
    return;
  }
  f->frames[f->n_frames++] = (thirl_lab_fabric_frame){.port = port,
                                                      .due = at,
                                                      .vnet = flight->vnet,
                                                      .data = flight->frame,
                                                      .len = flight->len,
                                                      .owner = flight->packet};
}

static void to_interface(thirl_lab_fabric *f, const thirl_lab_arrival *a) {
  void *array = f->arrivals;
  thirl_lab_flight flight = a->flight;
  bool room = grow(&array, &f->cap_arrivals, f->n_arrivals, THIRL_LAB_FABRIC_ARRIVALS_MAX, sizeof *f->arrivals);
  f->arrivals = array;
  if (room)
    f->arrivals[f->n_arrivals++] = *a;
  else
    lose(f, &flight);
}

bool thirl_lab_fabric_arrival(thirl_lab_fabric *f, thirl_lab_arrival *out) {
  if (f->first_arrival == f->n_arrivals) {
    f->first_arrival = f->n_arrivals = 0;
    return false;
  }
  *out = f->arrivals[f->first_arrival++];
  return true;
}

void thirl_lab_fabric_clear(thirl_lab_fabric *f) {
  for (size_t i = 0; i < f->n_frames; i++)
    free(f->frames[i].owner);
  f->n_frames = 0;
}

/* ---- links ---- */

static void set_timer(thirl_lab_fabric *f, thirl_lab_cable_end *c, thirl_lab_way way) {
  thirl_time t = thirl_lab_link_deadline(&c->link[way]);
  if (t == THIRL_NEVER)
    thirl_heap_remove(&f->timers, &c->timer[way]);
  else
    (void)thirl_heap_set(&f->timers, &c->timer[way], t); /* without memory it waits for the next packet */
}

static void note(thirl_lab_fabric *f, thirl_time at, thirl_lab_note_kind kind, const thirl_lab_cable_end *c) {
  thirl_lab_notes_add(f->notes,
                      &(thirl_lab_note){.kind = kind, .at = at, .event = SIZE_MAX, .node = c->node, .inner = c->inner});
}

static void put(thirl_lab_fabric *f, thirl_time at, thirl_lab_cable_end *c, thirl_lab_way way, thirl_lab_packet *p) {
  thirl_lab_link *l = &c->link[way];
  uint64_t dropped = l->stats.dropped;
  thirl_lab_link_put(l, p, at);
  if (l->stats.dropped == dropped || c->told_full) return;
  c->told_full = true;
  note(f, at, THIRL_LAB_NOTE_FULL, c);
}

/* Packet by packet where the link takes them one by one; whole otherwise. */
static void enter_link(thirl_lab_fabric *f, thirl_time at, thirl_lab_cable_end *c, thirl_lab_way way,
                       thirl_lab_flight *flight) {
  thirl_lab_segment cut;
  thirl_lab_packet *p;
  if (thirl_lab_link_is_choosy(&c->link[way]) && thirl_lab_segment_is_large(flight->vnet) &&
      thirl_lab_segment_init(&cut, flight->vnet, flight->frame, flight->len)) {
    while ((p = thirl_lab_segment_next(&cut)))
      put(f, at, c, way, p);
    thirl_lab_flight_drop(flight);
  } else if ((p = thirl_lab_flight_take(flight))) {
    put(f, at, c, way, p);
  } else {
    f->dropped++;
  }
  set_timer(f, c, way);
}

static void capture(thirl_lab_cable_end *c, thirl_time at, const thirl_lab_flight *flight) {
  if (c->capture) thirl_lab_pcap_add(c->capture, at, flight->vnet, flight->frame, flight->len);
}

static void arrive(thirl_lab_fabric *f, thirl_time at, thirl_lab_cable_end *c, thirl_lab_flight *flight) {
  capture(c, at, flight);
  if (c->is_port)
    to_port(f, at, c->port, flight);
  else
    to_interface(f, &(thirl_lab_arrival){.cable = (int)(c - f->cables), .net = c->net, .at = at, .flight = *flight});
}

/* ---- switches ---- */

static void down(thirl_lab_fabric *f, thirl_time at, thirl_lab_cable_end *c, thirl_lab_flight *flight);

static void to_socket(thirl_lab_fabric *f, thirl_time at, size_t net, size_t socket, thirl_lab_flight *flight) {
  if (socket == ROUTER)
    to_interface(f, &(thirl_lab_arrival){.cable = THIRL_LAB_FABRIC_NONE, .net = net, .at = at, .flight = *flight});
  else
    down(f, at, &f->cables[socket], flight);
}

static void to_copy(thirl_lab_fabric *f, thirl_time at, size_t net, size_t socket, const thirl_lab_flight *flight) {
  thirl_lab_packet *p = thirl_lab_flight_copy(flight);
  if (!p) {
    f->dropped++;
    return;
  }
  thirl_lab_flight copy = thirl_lab_flight_of(p);
  to_socket(f, at, net, socket, &copy);
}

static void flood(thirl_lab_fabric *f, thirl_time at, size_t net, size_t from, thirl_lab_flight *flight) {
  for (size_t i = 0; i < f->n_cables; i++)
    if (i != from && f->cables[i].net == net) to_copy(f, at, net, i, flight);
  if (from != ROUTER && f->topology->nets[net].nat < 0)
    to_socket(f, at, net, ROUTER, flight);
  else
    thirl_lab_flight_drop(flight);
}

static void through_switch(thirl_lab_fabric *f, thirl_time at, size_t net, size_t from, thirl_lab_flight *flight) {
  thirl_lab_switch *s = &f->switches[net];
  size_t to;
  if (flight->len < THIRL_LAB_ETH_LEN) {
    lose(f, flight);
    return;
  }
  thirl_lab_switch_learn(s, flight->frame + THIRL_LAB_ETH_SOURCE, from);
  if (!thirl_lab_switch_find(s, flight->frame, &to))
    flood(f, at, net, from, flight);
  else if (to != from)
    to_socket(f, at, net, to, flight);
  else
    thirl_lab_flight_drop(flight); /* the receiver is where it came from */
}

/* ---- both ways over a cable ---- */

/* The longest IP packet that this frame stands for; 0: it is not IP. */
static size_t packet_len(const thirl_lab_flight *flight, thirl_lab_headers *h) {
  thirl_lab_segment cut;
  if (thirl_lab_headers_read(flight->frame, flight->len, h) != THIRL_LAB_HEADERS_OK) return 0;
  if (thirl_lab_segment_is_large(flight->vnet) &&
      thirl_lab_segment_init(&cut, flight->vnet, flight->frame, flight->len))
    return thirl_lab_segment_longest(&cut) - h->ip;
  return h->end - h->ip;
}

/* The error goes back on the net that it came by: the MACs change places. */
static bool tell_too_big(const thirl_lab_fabric *f, const thirl_lab_cable_end *c, uint16_t mtu,
                         const thirl_lab_flight *flight, const thirl_lab_headers *h, thirl_lab_flight *error) {
  thirl_addr from = thirl_lab_route_gateway(&f->topology->nets[c->net], (thirl_family)h->family);
  thirl_lab_packet *p = thirl_lab_icmp_error(flight->frame, h, THIRL_LAB_ICMP_TOO_BIG, &from, mtu);
  if (!p) return false;
  memcpy(p->frame, flight->frame + THIRL_LAB_ETH_SOURCE, THIRL_LAB_MAC_LEN);
  memcpy(p->frame + THIRL_LAB_ETH_SOURCE, flight->frame, THIRL_LAB_MAC_LEN);
  *error = thirl_lab_flight_of(p);
  return true;
}

/* Over the link, or past it when nothing happens there. */
static void onward(thirl_lab_fabric *f, thirl_time at, thirl_lab_cable_end *c, thirl_lab_way way,
                   thirl_lab_flight *flight) {
  thirl_lab_link *l = &c->link[way];
  if (!thirl_lab_link_is_transparent(l)) {
    enter_link(f, at, c, way, flight);
    return;
  }
  thirl_lab_link_pass(l, flight->len);
  if (way == THIRL_LAB_UP)
    through_switch(f, at, c->net, (size_t)(c - f->cables), flight);
  else
    arrive(f, at, c, flight);
}

/* The packet does not fit: in pieces, or not at all. Takes it. */
static void handle_too_big(thirl_lab_fabric *f, thirl_time at, thirl_lab_cable_end *c, thirl_lab_way way,
                           thirl_lab_flight *flight, const thirl_lab_headers *h) {
  const thirl_lab_link_terms *t = &c->link[way].terms;
  thirl_lab_flight error = {0};
  thirl_lab_split split;
  if (!thirl_lab_segment_is_large(flight->vnet) && !t->black_hole && thirl_lab_split_init(&split, flight, h, t->mtu)) {
    for (thirl_lab_packet *p; (p = thirl_lab_split_next(&split));) {
      thirl_lab_flight piece = thirl_lab_flight_of(p);
      onward(f, at, c, way, &piece);
    }
    thirl_lab_flight_drop(flight);
    return;
  }
  c->link[way].stats.too_big++;
  if (!c->told_big) note(f, at, THIRL_LAB_NOTE_TOO_BIG, c);
  c->told_big = true;
  bool tells = !t->black_hole && tell_too_big(f, c, t->mtu, flight, h, &error);
  thirl_lab_flight_drop(flight);
  if (!tells) return;
  if (way == THIRL_LAB_UP)
    down(f, at, c, &error);
  else
    through_switch(f, at, c->net, (size_t)(c - f->cables), &error);
}

static void cross(thirl_lab_fabric *f, thirl_time at, thirl_lab_cable_end *c, thirl_lab_way way,
                  thirl_lab_flight *flight) {
  const thirl_lab_link_terms *t = &c->link[way].terms;
  thirl_lab_headers h;
  if (t->mtu > 0 && packet_len(flight, &h) > t->mtu)
    handle_too_big(f, at, c, way, flight, &h);
  else
    onward(f, at, c, way, flight);
}

static void down(thirl_lab_fabric *f, thirl_time at, thirl_lab_cable_end *c, thirl_lab_flight *flight) {
  cross(f, at, c, THIRL_LAB_DOWN, flight);
}

void thirl_lab_fabric_send(thirl_lab_fabric *f, thirl_time at, size_t cable, thirl_lab_flight *flight) {
  capture(&f->cables[cable], at, flight);
  cross(f, at, &f->cables[cable], THIRL_LAB_UP, flight);
}

void thirl_lab_fabric_send_net(thirl_lab_fabric *f, thirl_time at, size_t net, thirl_lab_flight *flight) {
  through_switch(f, at, net, ROUTER, flight);
}

/* ---- time ---- */

/* Which cable a timer belongs to. */
static thirl_lab_cable_end *owner_of(thirl_heap_node *k, thirl_lab_fabric *f, thirl_lab_way *way) {
  size_t i = (size_t)((char *)k - (char *)f->cables) / sizeof *f->cables;
  *way = k == &f->cables[i].timer[THIRL_LAB_DOWN] ? THIRL_LAB_DOWN : THIRL_LAB_UP;
  return &f->cables[i];
}

/* Arrival counts from when it was due: a late timer does not add up. */
bool thirl_lab_fabric_step(thirl_lab_fabric *f, thirl_time now) {
  thirl_lab_way way;
  if (thirl_heap_first_key(&f->timers) > now || f->n_frames >= THIRL_LAB_FABRIC_FRAMES_FULL) return false;
  thirl_lab_cable_end *c = owner_of(thirl_heap_first(&f->timers), f, &way);
  thirl_lab_packet *p = thirl_lab_link_take(&c->link[way], now);
  set_timer(f, c, way);
  if (!p) return true;
  thirl_time at = p->due;
  thirl_lab_flight flight = thirl_lab_flight_of(p);
  if (way == THIRL_LAB_UP)
    through_switch(f, at, c->net, (size_t)(c - f->cables), &flight);
  else
    arrive(f, at, c, &flight);
  return true;
}

thirl_time thirl_lab_fabric_deadline(const thirl_lab_fabric *f) {
  return thirl_heap_first_key(&f->timers);
}

/* ---- changes ---- */

void thirl_lab_fabric_set_terms(thirl_lab_fabric *f, size_t cable, const thirl_lab_link_terms *up,
                                const thirl_lab_link_terms *down_terms) {
  thirl_lab_cable_end *c = &f->cables[cable];
  thirl_lab_link_set_terms(&c->link[THIRL_LAB_UP], up);
  thirl_lab_link_set_terms(&c->link[THIRL_LAB_DOWN], down_terms);
  c->told_big = c->told_full = false;
}

void thirl_lab_fabric_move(thirl_lab_fabric *f, size_t cable, size_t net) {
  thirl_lab_cable_end *c = &f->cables[cable];
  for (int way = THIRL_LAB_UP; way <= THIRL_LAB_DOWN; way++) {
    thirl_lab_link_fini(&c->link[way]);
    set_timer(f, c, (thirl_lab_way)way);
  }
  thirl_lab_switch_forget(&f->switches[c->net]);
  thirl_lab_switch_forget(&f->switches[net]);
  c->net = net;
}
