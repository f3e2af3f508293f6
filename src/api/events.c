/* SPDX-License-Identifier: MIT */
#include "api/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 16 };

_Static_assert((int)THIRL_ADDRESS_MAX >= (int)THIRL_ADDR_TEXT_MAX, "an address fits");
_Static_assert((int)THIRL_PEER_MAX >= (int)THIRL_PEERID_TEXT_MAX, "a peer id fits");

thirl_error thirl_api_events_init(thirl_api_events *q) {
  *q = (thirl_api_events){.ring = calloc(FIRST_CAP, sizeof *q->ring), .cap = FIRST_CAP};
  return q->ring ? THIRL_OK : THIRL_E_NOMEM;
}

void thirl_api_events_fini(thirl_api_events *q) {
  free(q->ring);
  *q = (thirl_api_events){0};
}

static thirl_api_event *at(const thirl_api_events *q, size_t i) {
  return &q->ring[(q->first + i) % q->cap];
}

/* Nobody waits for these; the others make or end something. */
static bool only_informs(thirl_event_kind kind) {
  return kind == THIRL_EVENT_REGISTERED || kind == THIRL_EVENT_UNREGISTERED || kind == THIRL_EVENT_PATH ||
         kind == THIRL_EVENT_CONFIRMED || kind == THIRL_EVENT_STRANGER;
}

static void forget_one(thirl_api_events *q) {
  size_t i = 0;
  while (i < q->n && !only_informs(at(q, i)->of.kind))
    i++;
  if (i == q->n) i = 0;
  for (; i > 0; i--)
    *at(q, i) = *at(q, i - 1);
  q->first = (q->first + 1) % q->cap;
  q->n--;
  q->lost++;
}

static bool grow(thirl_api_events *q) {
  if (q->cap == THIRL_API_EVENTS_MAX) return false;
  thirl_api_event *ring = malloc(2 * q->cap * sizeof *ring);
  if (!ring) return false;
  for (size_t i = 0; i < q->n; i++)
    ring[i] = *at(q, i);
  free(q->ring);
  q->ring = ring;
  q->cap *= 2;
  q->first = 0;
  return true;
}

void thirl_api_events_push(thirl_api_events *q, const thirl_event *ev, const char *words) {
  if (q->n == q->cap && !grow(q)) forget_one(q);
  thirl_api_event *to = at(q, q->n++);
  to->of = *ev;
  snprintf(to->words, sizeof to->words, "%s", words);
}

const thirl_api_event *thirl_api_events_take(thirl_api_events *q) {
  if (!q->n) return NULL;
  thirl_api_event *oldest = at(q, 0);
  q->first = (q->first + 1) % q->cap;
  q->n--;
  return oldest;
}

/* ---- translation ---- */

static void translate_session(const thirl_session_event *of, thirl_event *out) {
  static const thirl_event_kind kinds[] = {
      [THIRL_SESSION_UP] = THIRL_EVENT_UP,
      [THIRL_SESSION_PATH] = THIRL_EVENT_PATH,
      [THIRL_SESSION_CONFIRMED] = THIRL_EVENT_CONFIRMED,
      [THIRL_SESSION_STRANGER] = THIRL_EVENT_STRANGER,
      [THIRL_SESSION_FINISHED] = THIRL_EVENT_FINISHED,
      [THIRL_SESSION_FAILED] = THIRL_EVENT_FAILED,
  };
  out->kind = kinds[of->kind];
  out->error = of->error;
  out->direct = of->route == THIRL_SESSION_DIRECT;
  out->after_us = of->since_go;
  if (thirl_addr_is_set(&of->remote)) thirl_addr_format(&of->remote, out->address);
  out->relayed_bytes = of->relayed;
  out->direct_bytes = of->direct;
}

thirl_event thirl_api_events_translate(const thirl_session_endpoint_event *in) {
  static const thirl_peerid nobody;
  thirl_event out = {.session = in->handle, .error = in->error};
  if (!thirl_peerid_equal(&in->peer, &nobody)) thirl_peerid_format(&in->peer, out.peer);
  switch (in->kind) {
  case THIRL_SESSION_REGISTERED:
    out.kind = THIRL_EVENT_REGISTERED;
    thirl_addr_format(&in->mapped, out.address);
    break;
  case THIRL_SESSION_UNREGISTERED:
    out.kind = THIRL_EVENT_UNREGISTERED;
    if (thirl_addr_is_set(&in->remote)) thirl_addr_format(&in->remote, out.address);
    break;
  case THIRL_SESSION_INCOMING:
    out.kind = THIRL_EVENT_INCOMING;
    break;
  case THIRL_SESSION_REJECTED:
    out.kind = THIRL_EVENT_STRANGER;
    if (thirl_addr_is_set(&in->remote)) thirl_addr_format(&in->remote, out.address);
    break;
  case THIRL_SESSION_OF:
    translate_session(&in->of, &out);
    break;
  }
  return out;
}
