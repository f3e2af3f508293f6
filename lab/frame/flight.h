/* SPDX-License-Identifier: MIT */
/* A frame on its way through the engine: in memory of its own, or in that of whoever brought it. Passing one on passes what it owns. */
#ifndef THIRL_LAB_FLIGHT_H
#define THIRL_LAB_FLIGHT_H

#include "lab/frame/link.h"

typedef struct thirl_lab_flight {
  uint8_t *vnet, *frame;
  size_t len;
  thirl_lab_packet *packet; /* owns the memory; NULL: it is borrowed */
} thirl_lab_flight;

thirl_lab_flight thirl_lab_flight_of(thirl_lab_packet *p);
/** A copy that owns its memory, or NULL. */
thirl_lab_packet *thirl_lab_flight_copy(const thirl_lab_flight *f);
/** The packet of f, or a copy if it has none, or NULL when there is no memory; f is empty then. */
thirl_lab_packet *thirl_lab_flight_take(thirl_lab_flight *f);
/** Frees what it owns. */
void thirl_lab_flight_drop(thirl_lab_flight *f);

/** Packets one behind the other. Zeroed: none. */
typedef struct thirl_lab_flight_list {
  thirl_lab_packet *head, *tail;
  size_t n;
} thirl_lab_flight_list;

void thirl_lab_flight_append(thirl_lab_flight_list *l, thirl_lab_packet *p);
/** NULL: empty. */
thirl_lab_packet *thirl_lab_flight_first(thirl_lab_flight_list *l);
void thirl_lab_flight_clear(thirl_lab_flight_list *l);

#endif
