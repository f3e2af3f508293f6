/* SPDX-License-Identifier: MIT */
/*
 * Other relays for TCP streams, to be measured beside ours: the plainest loop that can be written, and programs that may be installed. Each
 * carries one plain stream whose two ends are in this process.
 *
 * Whatever goes wrong ends the program (measure_must).
 */
#ifndef THIRL_TEST_SUPPORT_RIVAL_H
#define THIRL_TEST_SUPPORT_RIVAL_H

#include <pthread.h>
#include <sys/types.h>
#include <time.h>

#include "support/plain.h"

typedef struct rival {
  const char *name;
  plain_pair pair; /* the ends of the stream, not yet secured */
  clockid_t clock; /* of whoever relays */
  pthread_t thread;
  pid_t pid; /* 0: a thread of this process */
  int in, out;
} rival;

/** A thread that reads 64 KiB and writes them, each way by one poll. It ends with the stream. */
void rival_start_loop(rival *r);
/** socat with a buffer of 64 KiB. False when it is not installed. */
bool rival_start_socat(rival *r);
/** coturn with a TCP allocation, RFC 6062. False when it is not installed. */
bool rival_start_coturn(rival *r);

/** Seconds of CPU of the relay alone. */
double rival_cpu(const rival *r);
void rival_stop(rival *r);

#endif
