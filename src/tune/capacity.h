/* SPDX-License-Identifier: MIT */
/* How far the machine goes: for each thing that a client needs, how many clients there is room for. From costs that were measured, not guessed. */
#ifndef THIRL_TUNE_CAPACITY_H
#define THIRL_TUNE_CAPACITY_H

#include "tune/verdict.h"

/* X(name, word, what is counted, what one costs) */
#define THIRL_TUNE_CAPACITIES(X)                                                                                       \
  X(FILES, "files", "clients over TCP", "a file for each, two for a relay")                                            \
  X(TCP_MEMORY, "tcp-memory", "clients over TCP", "3.9 KB of the kernel's memory for each")                            \
  X(UDP_MEMORY, "udp-memory", "clients over UDP", "no memory of the kernel: they share one socket")                    \
  X(TRACKING, "tracking", "clients over UDP", "256 B and one entry for each, when their port is tracked")              \
  X(STALL, "stall", "ms of standstill", "832 B of the receive buffer for each small datagram")                         \
  X(PORTS, "ports", "new connections a second to one destination", "a port for 60 s")                                  \
  X(RELAY_PORTS, "relay-ports", "relayed sessions", "a UDP port for each")

#define THIRL_TUNE_CAPACITY_ENUM(name, word, counted, cost) THIRL_TUNE_CAPACITY_##name,
typedef enum thirl_tune_capacity_kind {
  THIRL_TUNE_CAPACITIES(THIRL_TUNE_CAPACITY_ENUM) THIRL_TUNE_CAPACITY_COUNT
} thirl_tune_capacity_kind;

typedef struct thirl_tune_capacity {
  const char *word, *counted, *cost;
  thirl_tune_why why; /* READ: room holds */
  bool is_unlimited;
  int64_t room;  /* so many fit */
  int64_t asked; /* by --what-if or the profile; 0: not asked about */
} thirl_tune_capacity;

void thirl_tune_capacity_of(const thirl_tune_case *c, thirl_tune_capacity rows[THIRL_TUNE_CAPACITY_COUNT]);

#endif
