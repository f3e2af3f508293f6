/* SPDX-License-Identifier: MIT */
/*
 * The pipe, and what happens when. Elsewhere: cables and switches (fabric.c), routers and NATs (gateway.c). Things happen in the order of their times;
 * what is due before an input happens before it.
 */
#include "lab/internet/engine.h"

#include <stdlib.h>
#include <string.h>

#include "lab/internet/gateway.h"

struct thirl_lab_engine_machine {
  thirl_lab_topology *topology;
  thirl_lab_fabric fabric;
  thirl_lab_gateways gateways;
  thirl_lab_notes notes;
  thirl_time start, now;
  size_t next_event;
};

thirl_lab_engine_machine *thirl_lab_engine_new(thirl_lab_topology *t, thirl_time now) {
  thirl_lab_engine_machine *e = calloc(1, sizeof *e);
  if (!e) return NULL;
  e->topology = t;
  e->start = e->now = now;
  thirl_lab_fabric_init(&e->fabric, t, &e->notes);
  if (thirl_lab_gateway_init(&e->gateways, t, &e->fabric, &e->notes) == THIRL_OK) return e;
  thirl_lab_engine_free(e);
  return NULL;
}

void thirl_lab_engine_free(thirl_lab_engine_machine *e) {
  if (!e) return;
  thirl_lab_gateway_fini(&e->gateways);
  thirl_lab_fabric_fini(&e->fabric);
  free(e);
}

size_t thirl_lab_engine_count_ports(const thirl_lab_engine_machine *e) {
  return e->fabric.n_ports;
}

thirl_lab_engine_port thirl_lab_engine_get_port(const thirl_lab_engine_machine *e, size_t index) {
  const thirl_lab_cable_end *c = &e->fabric.cables[e->fabric.cable_of_port[index]];
  return (thirl_lab_engine_port){.node = c->node, .inner = c->inner};
}

/* ---- events ---- */

static thirl_lab_cable *cable_of(thirl_lab_node *n, bool inner) {
  return inner ? &n->inner : &n->outer;
}

static bool is_model(const thirl_lab_node *n) {
  return n->kind == THIRL_LAB_NAT && n->engine == THIRL_LAB_NATBOX;
}

static thirl_lab_nat *nat_of(thirl_lab_engine_machine *e, size_t node) {
  return e->gateways.nats[node] ? &e->gateways.nats[node]->nat : NULL;
}

/* The address of this family that the node had outside is now this one. */
static void set_outer(thirl_lab_node *n, const thirl_lab_prefix *addr) {
  for (size_t i = 0; i < n->outer.n_addrs; i++)
    if (n->outer.addrs[i].addr.family == addr->addr.family) {
      n->outer.addrs[i] = *addr;
      return;
    }
  if (n->outer.n_addrs < THIRL_LAB_ADDRS_MAX) n->outer.addrs[n->outer.n_addrs++] = *addr;
}

static thirl_error renumber(thirl_lab_engine_machine *e, const thirl_lab_event *event) {
  thirl_lab_node *n = &e->topology->nodes[event->node];
  thirl_addr external = thirl_addr_with_port(event->addr.addr, 0);
  set_outer(n, &event->addr);
  if (n->nat.external.family == external.family) n->nat.external = external;
  if (!is_model(n)) return THIRL_OK;
  thirl_lab_nat_renumber(nat_of(e, event->node), external);
  thirl_lab_gateway_readdress(&e->gateways, event->node);
  thirl_lab_gateway_forget(&e->gateways, n->outer.net);
  return THIRL_OK;
}

static thirl_error set_nat(thirl_lab_engine_machine *e, const thirl_lab_event *event) {
  thirl_lab_node *n = &e->topology->nodes[event->node];
  thirl_addr external = n->nat.external;
  n->nat = event->nat;
  if (n->nat.mode == THIRL_NATBOX_TRANSLATE) n->nat.external = external;
  thirl_lab_nat_configure(nat_of(e, event->node), &n->nat);
  thirl_lab_gateway_readdress(&e->gateways, event->node);
  return THIRL_OK;
}

static thirl_error set_link(thirl_lab_engine_machine *e, const thirl_lab_event *event) {
  int cable = thirl_lab_fabric_find(&e->fabric, event->node, event->inner);
  if (cable < 0) return THIRL_E_INVALID;
  thirl_lab_cable *c = cable_of(&e->topology->nodes[event->node], event->inner);
  c->up = event->up;
  c->down = event->down;
  thirl_lab_fabric_set_terms(&e->fabric, (size_t)cable, &event->up, &event->down);
  return THIRL_OK;
}

static thirl_error move(thirl_lab_engine_machine *e, const thirl_lab_event *event) {
  thirl_lab_node *n = &e->topology->nodes[event->node];
  int cable = thirl_lab_fabric_find(&e->fabric, event->node, false);
  if (cable < 0 || n->kind != THIRL_LAB_HOST || event->net >= e->topology->n_nets) return THIRL_E_INVALID;
  thirl_lab_fabric_move(&e->fabric, (size_t)cable, event->net);
  thirl_lab_gateway_forget(&e->gateways, n->outer.net);
  thirl_lab_gateway_forget(&e->gateways, event->net);
  n->outer.net = event->net;
  n->outer.addrs[0] = event->addr;
  n->outer.n_addrs = 1;
  return THIRL_OK;
}

static thirl_error do_event(thirl_lab_engine_machine *e, const thirl_lab_event *event) {
  if (event->node >= e->topology->n_nodes) return THIRL_E_INVALID;
  const thirl_lab_node *n = &e->topology->nodes[event->node];
  switch (event->kind) {
  case THIRL_LAB_EVENT_REBOOT:
    if (!is_model(n)) return THIRL_E_INVALID;
    thirl_lab_nat_reboot(nat_of(e, event->node));
    return THIRL_OK;
  case THIRL_LAB_EVENT_RENUMBER:
    return n->kind == THIRL_LAB_NAT ? renumber(e, event) : THIRL_E_INVALID;
  case THIRL_LAB_EVENT_NAT:
    return is_model(n) ? set_nat(e, event) : THIRL_E_INVALID;
  case THIRL_LAB_EVENT_LINK:
    return set_link(e, event);
  case THIRL_LAB_EVENT_MOVE:
    return move(e, event);
  }
  return THIRL_E_INVALID;
}

static void note_event(thirl_lab_engine_machine *e, thirl_time at, size_t index, const thirl_lab_event *event) {
  thirl_lab_notes_add(
      &e->notes,
      &(thirl_lab_note){
          .kind = THIRL_LAB_NOTE_EVENT, .at = at, .event = index, .node = event->node, .inner = event->inner});
}

static thirl_time event_time(const thirl_lab_engine_machine *e) {
  if (e->next_event >= e->topology->n_events) return THIRL_NEVER;
  return thirl_time_after(e->start, e->topology->events[e->next_event].at);
}

/* ---- time ---- */

static void settle(thirl_lab_engine_machine *e) {
  for (thirl_lab_arrival a; thirl_lab_fabric_arrival(&e->fabric, &a);)
    thirl_lab_gateway_arrive(&e->gateways, &a);
}

/* The first thing that is due by now. False: nothing, or too many frames wait to be sent. */
static bool step(thirl_lab_engine_machine *e, thirl_time now) {
  thirl_time fabric = thirl_lab_fabric_deadline(&e->fabric), gateways = thirl_lab_gateway_deadline(&e->gateways),
             event = event_time(e), first = THIRL_MIN(event, THIRL_MIN(gateways, fabric));
  if (first > now) return false;
  if (first == event) {
    const thirl_lab_event *due = &e->topology->events[e->next_event++];
    (void)do_event(e, due); /* what it means for a NAT of the kernel is the reader's of the notes */
    note_event(e, event, e->next_event - 1, due);
  } else if (first == gateways) {
    thirl_lab_gateway_tick(&e->gateways, gateways);
  } else if (!thirl_lab_fabric_step(&e->fabric, first)) {
    return false;
  }
  settle(e);
  return true;
}

void thirl_lab_engine_tick(thirl_lab_engine_machine *e, thirl_time now) {
  e->now = THIRL_MAX(e->now, now);
  while (step(e, e->now))
    ;
}

thirl_time thirl_lab_engine_deadline(const thirl_lab_engine_machine *e) {
  thirl_time t = THIRL_MIN(thirl_lab_fabric_deadline(&e->fabric), thirl_lab_gateway_deadline(&e->gateways));
  return THIRL_MIN(t, event_time(e));
}

void thirl_lab_engine_input(thirl_lab_engine_machine *e, thirl_time now, size_t port, uint8_t *vnet, uint8_t *frame,
                            size_t len) {
  if (port >= e->fabric.n_ports) return;
  thirl_lab_engine_tick(e, now);
  thirl_lab_flight f = {.vnet = vnet, .frame = frame, .len = len};
  thirl_lab_fabric_send(&e->fabric, e->now, (size_t)e->fabric.cable_of_port[port], &f);
  settle(e);
}

thirl_error thirl_lab_engine_apply(thirl_lab_engine_machine *e, thirl_time now, const thirl_lab_event *event) {
  thirl_lab_engine_tick(e, now);
  thirl_error error = do_event(e, event);
  settle(e);
  if (error == THIRL_OK) note_event(e, e->now, SIZE_MAX, event);
  return error;
}

/* ---- what comes out ---- */

const thirl_lab_fabric_frame *thirl_lab_engine_frames(const thirl_lab_engine_machine *e, size_t *n) {
  *n = e->fabric.n_frames;
  return e->fabric.frames;
}

void thirl_lab_engine_clear(thirl_lab_engine_machine *e) {
  thirl_lab_fabric_clear(&e->fabric);
}

bool thirl_lab_engine_note(thirl_lab_engine_machine *e, thirl_lab_note *out) {
  return thirl_lab_notes_take(&e->notes, out);
}

static uint64_t unresolved_of(const thirl_lab_engine_machine *e, int door) {
  return door < 0 ? 0 : e->gateways.doors[door].station.neighbours.dropped;
}

thirl_error thirl_lab_engine_count(const thirl_lab_engine_machine *e, thirl_lab_engine_port at,
                                   thirl_lab_engine_counts *out) {
  int cable = thirl_lab_fabric_find(&e->fabric, at.node, at.inner);
  memset(out, 0, sizeof *out);
  if (cable < 0) return THIRL_E_INVALID;
  out->up = e->fabric.cables[cable].link[THIRL_LAB_UP].stats;
  out->down = e->fabric.cables[cable].link[THIRL_LAB_DOWN].stats;
  out->unresolved = unresolved_of(e, e->gateways.door_of_cable[cable]);
  const thirl_lab_gateway_nat *n = e->gateways.nats[at.node];
  if (!n || at.inner) return THIRL_OK;
  out->unrouted = n->counts.unrouted;
  out->expired = n->counts.expired;
  out->malformed = n->counts.malformed;
  out->fragments = n->nat.lost_fragments;
  out->untranslatable = n->nat.unknown;
  return THIRL_OK;
}

thirl_natbox *thirl_lab_engine_get_box(const thirl_lab_engine_machine *e, size_t node, thirl_family family) {
  const thirl_lab_gateway_nat *n = node < THIRL_LAB_NODES_MAX ? e->gateways.nats[node] : NULL;
  return n ? thirl_lab_nat_box(&n->nat, family) : NULL;
}

/* ---- captures ---- */

static thirl_lab_cable_end *end_of(thirl_lab_engine_machine *e, thirl_lab_engine_port at) {
  int cable = thirl_lab_fabric_find(&e->fabric, at.node, at.inner);
  return cable < 0 ? NULL : &e->fabric.cables[cable];
}

thirl_error thirl_lab_engine_capture(thirl_lab_engine_machine *e, thirl_lab_engine_port at, thirl_time epoch,
                                     size_t snaplen) {
  thirl_lab_cable_end *c = end_of(e, at);
  if (!c) return THIRL_E_INVALID;
  if (c->capture) return THIRL_E_IN_USE;
  c->capture = malloc(sizeof *c->capture);
  if (!c->capture) return THIRL_E_NOMEM;
  thirl_error error = thirl_lab_pcap_init(c->capture, epoch, snaplen);
  if (error != THIRL_OK) thirl_lab_engine_capture_stop(e, at);
  return error;
}

thirl_bytes thirl_lab_engine_capture_take(thirl_lab_engine_machine *e, thirl_lab_engine_port at, uint64_t *missed) {
  thirl_lab_cable_end *c = end_of(e, at);
  bool is_on = c && c->capture;
  if (missed) *missed = is_on ? c->capture->missed : 0;
  return is_on ? thirl_lab_pcap_take(c->capture) : (thirl_bytes){0};
}

void thirl_lab_engine_capture_give_back(thirl_lab_engine_machine *e, thirl_lab_engine_port at, size_t n) {
  thirl_lab_cable_end *c = end_of(e, at);
  if (c && c->capture) thirl_lab_pcap_give_back(c->capture, n);
}

void thirl_lab_engine_capture_stop(thirl_lab_engine_machine *e, thirl_lab_engine_port at) {
  thirl_lab_cable_end *c = end_of(e, at);
  if (!c || !c->capture) return;
  thirl_lab_pcap_fini(c->capture);
  free(c->capture);
  c->capture = NULL;
}
