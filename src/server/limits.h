/* SPDX-License-Identifier: MIT */
/* Every limit of the server: its name, its default and its range in one table. thirld.conf uses the names with hyphens. */
#ifndef THIRL_SERVER_LIMITS_H
#define THIRL_SERVER_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "thirl/error.h"

/* X(name, type, default, least, most, what is limited) */
#define THIRL_SERVER_LIMITS(X)                                                                                         \
  X(max_connections, uint32_t, 20000, 1, 4000000, "TCP connections in all")                                            \
  X(max_connections_per_ip, uint32_t, 64, 1, 4000000, "TCP connections from one IPv4 address or one IPv6 /64")         \
  X(max_registrations, uint32_t, 20000, 1, 4000000, "registered peers")                                                \
  X(max_registrations_per_peer, uint32_t, 8, 1, 64, "registrations of one peer id at a time")                          \
  X(max_channels, uint32_t, 4000, 1, 1000000, "relayed pairs in all")                                                  \
  X(max_channels_per_peer, uint32_t, 32, 1, 256, "relayed pairs of one peer")                                          \
  X(channel_buffer, uint32_t, 262144, 4096, 16777216, "bytes held per direction of a channel, and the credit given")   \
  X(relay_memory, uint64_t, 268435456, 65536, 1099511627776, "bytes held and granted in all channels together")        \
  X(register_timeout_s, uint32_t, 30, 1, 3600, "seconds after which a connection that asks nothing is ended")          \
  X(idle_timeout_s, uint32_t, 90, 5, 86400, "seconds that a registration lives without a refresh")                     \
  X(connects_per_minute, uint32_t, 60, 1, 100000, "CONNECT requests of one peer")                                      \
  X(requests_per_second, uint32_t, 20, 1, 100000, "unauthenticated requests on one connection")                        \
  X(registers_per_second_per_ip, uint32_t, 100, 1, 1000000, "registrations from one IPv4 address or one IPv6 /64")     \
  X(discoveries_per_second_per_ip, uint32_t, 50, 1, 1000000,                                                           \
    "Binding requests for another source, another port or padding, from one IPv4 address or one IPv6 /64")             \
  X(max_probes, uint32_t, 256, 1, 1024, "connections to clients that ask what their NAT does with TCP, at a time")     \
  X(probes_per_second_per_ip, uint32_t, 10, 1, 1000000, "of them to one IPv4 address or one IPv6 /64")                 \
  X(warnings_per_minute, uint32_t, 6, 1, 60000, "lines in the log about what strangers try")

/** 0 in a field means its default. */
typedef struct thirl_server_limits {
#define THIRL_SERVER_LIMITS_FIELD(name, type, normal, least, most, what) type name;
  THIRL_SERVER_LIMITS(THIRL_SERVER_LIMITS_FIELD)
#undef THIRL_SERVER_LIMITS_FIELD
} thirl_server_limits;

/** Zeroes become defaults; what is out of its range is brought to the nearer end. */
void thirl_server_limits_complete(thirl_server_limits *l);
/** Set one by its name in thirld.conf ("max-connections"). E_NOT_FOUND, E_RANGE (also for 0); nothing is changed then. */
thirl_error thirl_server_limits_set(thirl_server_limits *l, const char *name, uint64_t value);
/** The i-th limit as a line of a manual: its name in thirld.conf into name (which holds 48), its default and meaning. False past the last. */
typedef struct thirl_server_limits_row {
  char name[48];
  uint64_t normal, least, most;
  const char *what; /* static */
} thirl_server_limits_row;
bool thirl_server_limits_describe(size_t i, thirl_server_limits_row *out);

#endif
