/* SPDX-License-Identifier: MIT */
/* The words between an endpoint and its application: configuration, events, counts, limits. No code. */
#ifndef THIRL_SESSION_TERMS_H
#define THIRL_SESSION_TERMS_H

#include "base/log.h"
#include "base/rand.h"
#include "secure/identity.h"
#include "session/session.h"

enum {
  THIRL_SESSION_PEERS_MAX = 256, /* sessions of one endpoint at a time */
  THIRL_SESSION_TICKETS_MAX = 8, /* tickets given out by one endpoint */
  THIRL_SESSION_OVER_MAX = 64,   /* ended sessions whose ids are remembered */
  THIRL_SESSION_ENDPOINT_EVENTS_MAX = 64,
  THIRL_SESSION_ENDPOINT_EVENTS_OWN = 16 /* of them, those that are of no session */
};

typedef struct thirl_session_endpoint thirl_session_endpoint;

typedef struct thirl_session_endpoint_config {
  const thirl_secure_identity *identity; /* borrowed */
  thirl_session_policy policy;           /* for sessions that come in, and the default for dialled ones */
  size_t max_incoming;                   /* sessions at a time that others may open; 0: none */
  const thirl_secrets *secrets;          /* borrowed */
  const thirl_log *log;                  /* borrowed, may be NULL */
} thirl_session_endpoint_config;

typedef enum thirl_session_endpoint_event_kind {
  THIRL_SESSION_REGISTERED,   /* the server knows us; mapped: how it sees us */
  THIRL_SESSION_UNREGISTERED, /* the server (remote) is lost (error); it is tried again for ever */
  THIRL_SESSION_INCOMING,     /* handle: a ticket holder (peer) opens a session; it is UP later */
  THIRL_SESSION_OF,           /* handle: event of that session */
  THIRL_SESSION_REJECTED      /* remote, error: somebody at our door who is not welcome (a stranger, a forged offer) */
} thirl_session_endpoint_event_kind;

typedef struct thirl_session_endpoint_event {
  thirl_session_endpoint_event_kind kind;
  uint32_t handle;
  thirl_error error;
  thirl_peerid peer;
  thirl_addr mapped, remote;
  thirl_session_event of;
} thirl_session_endpoint_event;

/** What the endpoint has counted of hostile or odd things. */
typedef struct thirl_session_endpoint_stats {
  uint64_t strangers, bad_offers, anonymous_timeouts, anonymous_refused, events_lost;
} thirl_session_endpoint_stats;

#endif
