/* SPDX-License-Identifier: MIT */
/*
 * What benchmarks share: CPU time, medians, ratios of runs taken in turn, and the way they give up. CPU time is what is compared: wall
 * clock on a shared machine is noise.
 */
#ifndef THIRL_TEST_SUPPORT_MEASURE_H
#define THIRL_TEST_SUPPORT_MEASURE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum { MEASURE_RUNS_MAX = 101 };

/** Ends the program with status 1 and one line when ok is false: what could not be measured is not reported. */
void measure_must(bool ok, const char *what);
/** The program must not run longer than this; it ends with status 1 then. */
void measure_limit(unsigned seconds);

/** Seconds of CPU, user and kernel, of the process, of one thread, of the calling thread. */
double measure_cpu(void);
double measure_cpu_of(pthread_t thread);
double measure_cpu_here(void);
/** Seconds of wall clock. */
double measure_wall(void);

/** Of n values, which stay in their order. n is at most MEASURE_RUNS_MAX. */
double measure_median(const double *values, int n);
/** The median of a[i] / b[i]: runs taken in turn, so that each pair had the same neighbours. */
double measure_ratio(const double *a, const double *b, int n);

#endif
