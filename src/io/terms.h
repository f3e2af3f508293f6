/* SPDX-License-Identifier: MIT */
/* The words between the carrier and whoever sets it up: configuration, counts, limits. No code. */
#ifndef THIRL_IO_TERMS_H
#define THIRL_IO_TERMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"

typedef struct thirl_io_net thirl_io_net;

/** Zeroed means the defaults. Borrowed only for the call, except what log and ctx point to. */
typedef struct thirl_io_net_config {
  const thirl_log *log; /* one line per socket event at DEBUG; addresses are in it */
  void (*after)(
      void *ctx); /* at the end of each turn in which the machine got an event: the place to take its results */
  void *ctx;
  uint32_t backlog;        /* of listeners; 128 */
  uint32_t notsent_lowat;  /* bytes; 256 KiB */
  uint32_t pull_bytes;     /* at most this per pull; 128 KiB; at most THIRL_IO_NET_PULL_MAX */
  uint32_t sndbuf, rcvbuf; /* of TCP sockets, bytes; the kernel's own choice */
  uint32_t udp_buffer;     /* of UDP sockets in each direction, bytes; 1 MiB */
  uint32_t max_sockets;    /* 1,048,576; beyond it CONNECT fails with LIMIT and incoming connections are reset */
} thirl_io_net_config;

enum { THIRL_IO_NET_PULL_MAX = 256 * 1024 };

typedef struct thirl_io_net_stats {
  uint64_t bytes_in, bytes_out;    /* of TCP */
  uint64_t recv_calls, send_calls; /* of TCP */
  uint64_t connects, connected;    /* CONNECT actions; those that came up */
  uint64_t refused, failed;        /* FAILED with REFUSED; with anything else */
  uint64_t accepted, shed;         /* incoming; of these reset for want of descriptors, memory or by max_sockets */
  uint64_t accept_pauses;          /* times that a listener was put to sleep for it */
  uint64_t datagrams_in, datagrams_out, datagrams_dropped;
  uint64_t turns, ticks;       /* wake-ups; of these by the deadline */
  uint64_t sockets, lingering; /* now */
} thirl_io_net_stats;

#endif
