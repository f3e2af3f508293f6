/* SPDX-License-Identifier: MIT */
/*
 * thirld's logic without I/O: Binding answers, registration, introduction (CONNECT / OFFER / GO), relay channels, limits. A machine in the sense
 * of base/net.h: the process in apps/thirld and the simulator drive the same object.
 *
 * A pull of one connection can give another something to write (credit goes back to a sender): thirl_server_deadline then says now,
 * and the next poll has the action. So a carrier that polls after its pulls loses no time, and one that only heeds the deadline works.
 *
 * Codes of error answers, besides RFC 8489's: 404 no such peer for you, 429 too often, 508 no room or draining: try another server. Those
 * of a registered peer are under its key.
 */
#ifndef THIRL_SERVER_SERVER_H
#define THIRL_SERVER_SERVER_H

#include "base/log.h"
#include "base/net.h"
#include "base/p256.h"
#include "base/rand.h"
#include "server/limits.h"
#include "server/pair.h"
#include "server/stats.h"

enum {
  THIRL_SERVER_LISTENERS = 8, /* of each kind */
  THIRL_SERVER_LINGER_S = 5   /* how long a connection that is to be closed may take to read its last messages */
};

typedef struct thirl_server thirl_server;

typedef struct thirl_server_config {
  thirl_addr listen_tcp[THIRL_SERVER_LISTENERS]; /* zeroed: unused */
  thirl_addr listen_udp[THIRL_SERVER_LISTENERS]; /* Binding over UDP */
  /*
   * The two addresses and ports of NAT discovery (RFC 5780): [0] IPv4, [1] IPv6. Zeroed: those that the listeners make (pair.h). For each
   * corner a listener must be in the lists, or one on every address with its port.
   */
  thirl_server_pair pairs[THIRL_SERVER_PAIRS];
  thirl_server_alias aliases[THIRL_SERVER_ALIASES]; /* what RESPONSE-ORIGIN and OTHER-ADDRESS say of us */
  thirl_server_limits limits;                       /* copied */
  const thirl_secrets *secrets;                     /* borrowed */
  const thirl_log *
      log; /* borrowed, may be NULL; one INFO line per finished session, WARN for a listener that cannot be had and for replays (alarm.h) */
} thirl_server_config;

/** E_NOMEM, E_CRYPTO, E_INVALID (no listener at all). */
thirl_error thirl_server_new(const thirl_server_config *cfg, thirl_time now, thirl_server **out);
void thirl_server_free(thirl_server *s);
/** New limits from a reloaded configuration; what exceeds them now is left to end by itself. */
void thirl_server_set_limits(thirl_server *s, const thirl_server_limits *limits);
/** Tell every client to go elsewhere, take no new ones (the TCP listeners are given back); thirl_server_is_drained when the last channel has ended or the deadline passed. */
void thirl_server_drain(thirl_server *s, thirl_time now, thirl_time deadline);
bool thirl_server_is_drained(const thirl_server *s, thirl_time now);
const thirl_server_stats *thirl_server_stats_of(const thirl_server *s);
/**
 * How it is with listen_tcp[i] or listen_udp[i], counted without the unused ones: THIRL_OK and the address that it was bound to, E_AGAIN while
 * that is not known, E_NOT_FOUND past the last (and for TCP when draining), else why it cannot be had: E_IN_USE, E_PERMISSION, ...
 */
thirl_error thirl_server_listener(const thirl_server *s, bool is_udp, size_t i, thirl_addr *at);
/** The pair of IPv4 (0) or IPv6 (1) over UDP or TCP, all of whose corners are bound now. False: clients are told of no other address. */
bool thirl_server_announces(const thirl_server *s, bool is_udp, size_t family, thirl_server_pair *out);
/** For tests and fuzzing: recounts every table; false when a gauge, a list or a limit is not what it says. */
bool thirl_server_is_consistent(const thirl_server *s);

/* The pipe of base/net.h. */
void thirl_server_input(thirl_server *s, thirl_time now, const thirl_net_event *ev);
bool thirl_server_poll(thirl_server *s, thirl_time now, thirl_net_action *out);
size_t thirl_server_pull(thirl_server *s, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap);
thirl_time thirl_server_deadline(thirl_server *s);
/** The same as a vtable. */
thirl_net_machine thirl_server_machine(thirl_server *s);

#endif
