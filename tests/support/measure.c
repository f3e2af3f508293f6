/* SPDX-License-Identifier: MIT */
#include "support/measure.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void measure_must(bool ok, const char *what) {
  if (ok) return;
  fflush(stdout);
  fprintf(stderr, "not measured: %s\n", what);
  _exit(1);
}

static void too_late(int number) {
  static const char text[] = "not measured: it took too long\n";
  (void)number;
  if (write(2, text, sizeof text - 1) < 0) _exit(2);
  _exit(1);
}

void measure_limit(unsigned seconds) {
  signal(SIGALRM, too_late);
  alarm(seconds);
}

static double read_clock(clockid_t id) {
  struct timespec ts;
  measure_must(clock_gettime(id, &ts) == 0, "no such clock");
  return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

double measure_cpu(void) {
  return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

double measure_cpu_of(pthread_t thread) {
  clockid_t id;
  measure_must(pthread_getcpuclockid(thread, &id) == 0, "a thread without a clock");
  return read_clock(id);
}

double measure_cpu_here(void) {
  return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

double measure_wall(void) {
  return read_clock(CLOCK_MONOTONIC);
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double measure_median(const double *values, int n) {
  double sorted[MEASURE_RUNS_MAX];
  measure_must(n > 0 && n <= MEASURE_RUNS_MAX, "no run, or too many");
  memcpy(sorted, values, (size_t)n * sizeof *sorted);
  qsort(sorted, (size_t)n, sizeof *sorted, by_value);
  return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

double measure_ratio(const double *a, const double *b, int n) {
  double ratio[MEASURE_RUNS_MAX];
  measure_must(n > 0 && n <= MEASURE_RUNS_MAX, "no run, or too many");
  for (int i = 0; i < n; i++)
    ratio[i] = a[i] / b[i];
  return measure_median(ratio, n);
}
