/* SPDX-License-Identifier: MIT */
/*
 * thirld's logic without I/O: Binding answers, registration, introduction (CONNECT / OFFER / GO), relay channels, limits. A machine in the sense
 * of base/net.h: the process in apps/thirld and the simulator drive the same object.
 */
#ifndef THIRL_SERVER_SERVER_H
#define THIRL_SERVER_SERVER_H

#include "base/log.h"
#include "base/net.h"
#include "base/p256.h"
#include "base/rand.h"

typedef struct thirl_server thirl_server;

/** Every limit has a name; 0 in a field means its default. thirld.conf uses the same names with hyphens. */
typedef struct thirl_server_limits {
  uint32_t max_connections;        /* TCP connections in all; default 20000 */
  uint32_t max_connections_per_ip; /* default 64 */
  uint32_t max_registrations;      /* default 20000 */
  uint32_t max_channels;           /* relayed pairs in all; default 4000 */
  uint32_t max_channels_per_peer;  /* default 32 */
  uint32_t channel_buffer;         /* bytes per direction of a channel, the credit given; default 262144 */
  uint64_t relay_memory;           /* bytes in all channel buffers together; default 256 MiB */
  uint32_t register_timeout_s;     /* a connection that does not register and asks nothing is closed; default 30 */
  uint32_t idle_timeout_s;         /* a registration without refresh; default 90 (the lifetime told to clients) */
  uint32_t connects_per_minute;    /* CONNECT requests per peer; default 60 */
  uint32_t requests_per_second;    /* unauthenticated requests per connection; default 20 */
} thirl_server_limits;

typedef struct thirl_server_config {
  thirl_addr listen_tcp[4];        /* zeroed: unused */
  thirl_addr listen_udp[4];        /* Binding over UDP */
  thirl_server_limits limits;
  const thirl_secrets *secrets;    /* borrowed */
  const thirl_log *log;            /* borrowed, may be NULL; one INFO line per finished session */
} thirl_server_config;

/** What happened, for the operator's log, the tests and (later) metrics. Counters only grow, gauges do not. */
typedef struct thirl_server_stats {
  uint64_t connections, registrations, channels;                                                /* gauges */
  uint64_t accepted, registered, refreshed, connects, introduced, not_found, refused, replayed, bad_signature, stale_nonce, malformed, limited,
      bindings, relayed_bytes, sessions;                                                        /* counters */
  uint64_t relay_buffered;                                                                      /* gauge, bytes */
} thirl_server_stats;

thirl_error thirl_server_new(const thirl_server_config *cfg, thirl_time now, thirl_server **out);
void thirl_server_free(thirl_server *s);
/** New limits from a reloaded configuration; what exceeds them now is left to end by itself. */
void thirl_server_set_limits(thirl_server *s, const thirl_server_limits *limits);
/** Tell every client to go elsewhere, take no new ones; thirl_server_is_drained when the last channel has ended or the deadline passed. */
void thirl_server_drain(thirl_server *s, thirl_time now, thirl_time deadline);
bool thirl_server_is_drained(const thirl_server *s, thirl_time now);
const thirl_server_stats *thirl_server_stats_of(const thirl_server *s);

/* The pipe of base/net.h. */
void thirl_server_input(thirl_server *s, thirl_time now, const thirl_net_event *ev);
bool thirl_server_poll(thirl_server *s, thirl_time now, thirl_net_action *out);
size_t thirl_server_pull(thirl_server *s, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap);
thirl_time thirl_server_deadline(thirl_server *s);
/** The same as a vtable. */
thirl_net_machine thirl_server_machine(thirl_server *s);

#endif
