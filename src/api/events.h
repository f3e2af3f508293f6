/* SPDX-License-Identifier: MIT */
/* The events that wait for the application, with the words that belong to them. */
#ifndef THIRL_API_EVENTS_H
#define THIRL_API_EVENTS_H

#include "session/terms.h"
#include "thirl/thirl.h"

enum {
  THIRL_API_EVENTS_MAX = 1024, /* then old news is forgotten, first that which only informs */
  THIRL_API_EVENTS_WORDS = 256 /* characters of an explanation, NUL included */
};

typedef struct thirl_api_event {
  thirl_event of;
  char words[THIRL_API_EVENTS_WORDS];
} thirl_api_event;

typedef struct thirl_api_events {
  thirl_api_event *ring;
  size_t cap, first, n;
  uint64_t lost;
} thirl_api_events;

/** E_NOMEM. */
thirl_error thirl_api_events_init(thirl_api_events *q);
/** Also of a zeroed one. */
void thirl_api_events_fini(thirl_api_events *q);
/** words: more about the error, "" for none; cut to fit. */
void thirl_api_events_push(thirl_api_events *q, const thirl_event *ev, const char *words);
/** Oldest first; borrowed until the next push. NULL when there is none. */
const thirl_api_event *thirl_api_events_take(thirl_api_events *q);
/** An endpoint's event in the application's words. */
thirl_event thirl_api_events_translate(const thirl_session_endpoint_event *in);

#endif
