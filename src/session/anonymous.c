/* SPDX-License-Identifier: MIT */
#include "session/anonymous.h"

#include <stdlib.h>
#include <string.h>

#define DOOR_TIME (10 * THIRL_S)

void thirl_session_anonymous_init(thirl_session_anonymous *a) {
  thirl_list_init(&a->doors);
  a->n = 0;
}

static thirl_session_door *door_at(thirl_link *l) {
  return l ? THIRL_OWNER(l, thirl_session_door, in) : NULL;
}

void thirl_session_anonymous_remove(thirl_session_anonymous *a, thirl_session_door *d) {
  thirl_list_remove(&d->in);
  thirl_stun_stream_fini(&d->cut);
  thirl_buffer_fini(&d->rest);
  free(d);
  a->n--;
}

void thirl_session_anonymous_fini(thirl_session_anonymous *a) {
  thirl_session_door *d;
  while ((d = door_at(thirl_list_first(&a->doors))) != NULL)
    thirl_session_anonymous_remove(a, d);
}

static thirl_session_door *find(const thirl_session_anonymous *a, thirl_net_id id) {
  for (thirl_link *l = thirl_list_first(&a->doors); l; l = thirl_list_next(&a->doors, l))
    if (door_at(l)->id == id) return door_at(l);
  return NULL;
}

bool thirl_session_anonymous_owns(const thirl_session_anonymous *a, thirl_net_id id) {
  return id >= THIRL_NET_ID_ACCEPTED && find(a, id) != NULL;
}

static thirl_session_door_verdict admit(thirl_session_anonymous *a, thirl_time now, const thirl_net_event *ev) {
  thirl_session_door *d = calloc(1, sizeof *d);
  if (!d) return THIRL_SESSION_DOOR_FULL;
  d->id = ev->id;
  d->local = ev->local;
  d->remote = ev->remote;
  d->born = now;
  thirl_stun_stream_init(&d->cut, THIRL_STUN_FRAMING_FRAME,
                         THIRL_SESSION_DOOR_PACKET_MAX + THIRL_STUN_FRAME_HEADER_LEN);
  thirl_buffer_init(&d->rest, THIRL_SESSION_DOOR_REST_MAX);
  thirl_list_append(&a->doors, &d->in);
  a->n++;
  return THIRL_SESSION_DOOR_FINE;
}

/* One packet is enough to know. Behind it a dialer's ClientHello may have come; more before anybody has answered is no behaviour of ours. */
static thirl_session_door_verdict take_data(thirl_session_door *d, thirl_bytes in) {
  thirl_bytes packet;
  while (!d->first_n) {
    thirl_error e = thirl_stun_stream_next(&d->cut, &in, &packet);
    if (e == THIRL_E_AGAIN) return THIRL_SESSION_DOOR_FINE;
    if (e != THIRL_OK || packet.n > sizeof d->first) return THIRL_SESSION_DOOR_STRANGER;
    if (packet.n) memcpy(d->first, packet.p, packet.n);
    d->first_n = packet.n;
  }
  if (in.n > thirl_buffer_room(&d->rest)) return THIRL_SESSION_DOOR_STRANGER;
  if (in.n && thirl_buffer_append(&d->rest, in) != THIRL_OK) return THIRL_SESSION_DOOR_FULL;
  return THIRL_SESSION_DOOR_FINE;
}

thirl_session_door_verdict thirl_session_anonymous_input(thirl_session_anonymous *a, thirl_time now,
                                                         const thirl_net_event *ev, thirl_addr *remote) {
  *remote = ev->remote;
  if (ev->kind == THIRL_NET_ACCEPTED) return admit(a, now, ev);
  thirl_session_door *d = find(a, ev->id);
  thirl_session_door_verdict v = THIRL_SESSION_DOOR_FINE;
  if (!d) return v;
  *remote = d->remote;
  if (ev->kind == THIRL_NET_DATA) v = take_data(d, ev->payload);
  if (ev->kind == THIRL_NET_EOF) v = THIRL_SESSION_DOOR_STRANGER;
  if (ev->kind == THIRL_NET_FAILED) v = THIRL_SESSION_DOOR_GONE;
  if (v != THIRL_SESSION_DOOR_FINE) thirl_session_anonymous_remove(a, d);
  return v;
}

thirl_session_door *thirl_session_anonymous_next_named(thirl_session_anonymous *a, size_t *at) {
  size_t i = 0;
  for (thirl_link *l = thirl_list_first(&a->doors); l; l = thirl_list_next(&a->doors, l), i++) {
    if (i < *at || !door_at(l)->first_n) continue;
    *at = i + 1;
    return door_at(l);
  }
  return NULL;
}

/* One IPv6 host has a whole /64. */
static bool same_source(const thirl_addr *x, const thirl_addr *y) {
  size_t n = x->family == THIRL_FAMILY_V6 ? 8 : 4;
  return x->family == y->family && memcmp(x->ip, y->ip, n) == 0;
}

static size_t from_same_source(const thirl_session_anonymous *a, const thirl_session_door *d) {
  size_t n = 0;
  for (thirl_link *l = thirl_list_first(&a->doors); l; l = thirl_list_next(&a->doors, l))
    n += same_source(&door_at(l)->remote, &d->remote);
  return n;
}

static thirl_session_door *one_too_many(const thirl_session_anonymous *a) {
  thirl_session_door *worst = NULL;
  size_t most = 0;
  for (thirl_link *l = thirl_list_first(&a->doors); l; l = thirl_list_next(&a->doors, l)) {
    size_t n = 2 * from_same_source(a, door_at(l)) + (door_at(l)->first_n == 0);
    if (n <= most) continue;
    worst = door_at(l);
    most = n;
  }
  return worst;
}

bool thirl_session_anonymous_expire(thirl_session_anonymous *a, thirl_time now, thirl_net_id *id) {
  thirl_session_door *d = door_at(thirl_list_first(&a->doors));
  if (a->n > THIRL_SESSION_DOORS_MAX)
    d = one_too_many(a);
  else if (!d || now < d->born + DOOR_TIME)
    return false;
  *id = d->id;
  thirl_session_anonymous_remove(a, d);
  return true;
}

thirl_time thirl_session_anonymous_deadline(const thirl_session_anonymous *a) {
  thirl_session_door *d = door_at(thirl_list_first(&a->doors));
  return d ? d->born + DOOR_TIME : THIRL_NEVER;
}
