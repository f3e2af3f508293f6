/* SPDX-License-Identifier: MIT */
#include "lab/frame/flight.h"

#include <stdlib.h>
#include <string.h>

thirl_lab_flight thirl_lab_flight_of(thirl_lab_packet *p) {
  return (thirl_lab_flight){.vnet = p->vnet, .frame = p->frame, .len = p->len, .packet = p};
}

thirl_lab_packet *thirl_lab_flight_copy(const thirl_lab_flight *f) {
  thirl_lab_packet *p = thirl_lab_link_packet_new(f->len);
  if (!p) return NULL;
  memcpy(p->vnet, f->vnet, sizeof p->vnet);
  memcpy(p->frame, f->frame, f->len);
  return p;
}

thirl_lab_packet *thirl_lab_flight_take(thirl_lab_flight *f) {
  thirl_lab_packet *p = f->packet ? f->packet : thirl_lab_flight_copy(f);
  memset(f, 0, sizeof *f);
  return p;
}

void thirl_lab_flight_drop(thirl_lab_flight *f) {
  free(f->packet);
  memset(f, 0, sizeof *f);
}

void thirl_lab_flight_append(thirl_lab_flight_list *l, thirl_lab_packet *p) {
  p->next = NULL;
  if (l->tail)
    l->tail->next = p;
  else
    l->head = p;
  l->tail = p;
  l->n++;
}

thirl_lab_packet *thirl_lab_flight_first(thirl_lab_flight_list *l) {
  thirl_lab_packet *p = l->head;
  if (!p) return NULL;
  l->head = p->next;
  if (!l->head) l->tail = NULL;
  l->n--;
  p->next = NULL;
  return p;
}

void thirl_lab_flight_clear(thirl_lab_flight_list *l) {
  for (thirl_lab_packet *p; (p = thirl_lab_flight_first(l));)
    free(p);
}
