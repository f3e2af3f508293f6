/* SPDX-License-Identifier: MIT */
/*
 * Who on a net has which MAC: the table behind ARP (RFC 826) and neighbour discovery (RFC 4861), and the packets that wait for an answer. What to
 * ask, and how, is station.h's.
 */
#ifndef THIRL_LAB_NEIGHBOUR_H
#define THIRL_LAB_NEIGHBOUR_H

#include "base/addr.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "lab/frame/flight.h"
#include "lab/frame/wire.h"

enum {
  THIRL_LAB_NEIGHBOURS_MAX = 1024,
  THIRL_LAB_NEIGHBOUR_WAITING_MAX = 64, /* packets for one neighbour; one more drops the oldest */
  THIRL_LAB_NEIGHBOUR_TRIES = 3
};

typedef struct thirl_lab_neighbour {
  thirl_addr addr; /* port 0 */
  uint8_t mac[THIRL_LAB_MAC_LEN];
  bool is_known;
  bool is_used;   /* since it was last heard of; an entry that nobody needs is forgotten */
  unsigned asked; /* questions without an answer */
  thirl_heap_node timer;
  thirl_lab_flight_list waiting;
} thirl_lab_neighbour;

typedef struct thirl_lab_neighbours {
  thirl_map by_addr;
  thirl_heap timers;
  size_t n;
  uint64_t dropped; /* packets that waited in vain, or too many */
} thirl_lab_neighbours;

void thirl_lab_neighbour_init(thirl_lab_neighbours *t, uint64_t seed);
void thirl_lab_neighbour_fini(thirl_lab_neighbours *t);
/** All is forgotten. */
void thirl_lab_neighbour_clear(thirl_lab_neighbours *t);
thirl_lab_neighbour *thirl_lab_neighbour_find(const thirl_lab_neighbours *t, const thirl_addr *addr);
/**
 * Finds or makes the entry to which a packet goes. *ask: it is new, so ask for it now. NULL: no memory, or the table is full of others.
 */
thirl_lab_neighbour *thirl_lab_neighbour_want(thirl_lab_neighbours *t, thirl_time now, const thirl_addr *addr,
                                              bool *ask);
/** The packet waits for the answer. */
void thirl_lab_neighbour_wait(thirl_lab_neighbours *t, thirl_lab_neighbour *n, thirl_lab_packet *p);
/** This address has this MAC. An entry is made only if make is set. Returns it, so that what waits can go; NULL: not of interest. */
thirl_lab_neighbour *thirl_lab_neighbour_learn(thirl_lab_neighbours *t, thirl_time now, const thirl_addr *addr,
                                               const uint8_t *mac, bool make);
/**
 * What is due: *ask is an entry to be asked for again. False: nothing. Who did not answer is returned with *ask false and waiting packets for the
 * caller to take; call thirl_lab_neighbour_remove then.
 */
bool thirl_lab_neighbour_due(thirl_lab_neighbours *t, thirl_time now, thirl_lab_neighbour **out, bool *ask);
void thirl_lab_neighbour_remove(thirl_lab_neighbours *t, thirl_lab_neighbour *n);
thirl_time thirl_lab_neighbour_deadline(const thirl_lab_neighbours *t);

#endif
