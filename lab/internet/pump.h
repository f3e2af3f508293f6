/* SPDX-License-Identifier: MIT */
/*
 * An engine and its real interfaces: AF_PACKET on the other ends of the hosts' cables, a timer, and the engine between them. One descriptor for the
 * caller's own loop; no thread, no busy loop.
 *
 * The engine lives in the time of thirl_io_clock_now.
 *
 *   open -> whenever thirl_lab_pump_fd is readable, and after thirl_lab_engine_apply: step -> notes, captures of the engine -> close
 */
#ifndef THIRL_LAB_PUMP_H
#define THIRL_LAB_PUMP_H

#include "lab/internet/engine.h"

typedef struct thirl_lab_pump thirl_lab_pump;

/**
 * interfaces: the name for each port of e, in its order; each must be up. netns: the network namespace that they are in, or -1 for that of the caller.
 * The engine stays the caller's. why may be NULL. The calling thread gets real-time priority where that is allowed; its children do not.
 *
 * THIRL_E_NOMEM, THIRL_E_PERMISSION, THIRL_E_IO   *out is NULL
 */
thirl_error thirl_lab_pump_open(thirl_lab_engine_machine *e, int netns, const char *const *interfaces,
                                thirl_lab_pump **out, thirl_lab_complaint *why);
/** NULL is allowed. */
void thirl_lab_pump_close(thirl_lab_pump *p);
/** Readable (epoll, poll) when there is something to do. */
int thirl_lab_pump_fd(const thirl_lab_pump *p);
/** Does what there is to do, and does not wait. */
void thirl_lab_pump_step(thirl_lab_pump *p);

typedef struct thirl_lab_pump_counts {
  uint64_t received, sent;
  uint64_t overrun;    /* frames that came while the ring was full */
  uint64_t cut;        /* frames that were longer than a place in the ring */
  uint64_t unsendable; /* frames that the kernel did not take */
} thirl_lab_pump_counts;

/** Of one port, since it was opened. */
thirl_lab_pump_counts thirl_lab_pump_count(thirl_lab_pump *p, size_t port);

/** In how many microseconds at most after it was due did this share (0 to 1) of all frames leave? Rounded up, by a quarter at most. 0: none left. */
uint64_t thirl_lab_pump_lateness(const thirl_lab_pump *p, double share);

#endif
