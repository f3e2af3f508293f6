/* SPDX-License-Identifier: MIT */
/*
 * Random worlds per CPU second: whole worlds as tests/sim plays them, two endpoints, a server, NATs, loss and faults, with all their
 * cryptography. The median of groups of worlds, and how the cost of one is spread.
 *
 *   worlds [worlds] [first seed]
 */
#include <stdio.h>
#include <stdlib.h>

#include "support/measure.h"
#include "support/world.h"

enum { GROUPS = 20, WORLDS_MAX = 20000, LONGEST_S = 50 };

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  static double cost[WORLDS_MAX];
  double rate[GROUPS];
  int n = argc > 1 ? atoi(argv[1]) : 1000, done = 0, direct = 0, groups = 0;
  uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
  measure_must(n >= GROUPS && n <= WORLDS_MAX, "arguments: worlds [20 to 20000 worlds] [first seed]");
  measure_limit(58);
  double begin = measure_wall(), all = measure_cpu();
  measure_must(world_play(seed, NULL).ok, "a world failed"); /* warms up */
  all = measure_cpu();
  while (groups < GROUPS && measure_wall() - begin < LONGEST_S) {
    double group = measure_cpu();
    for (int i = 0; i < n / GROUPS; i++, done++, seed++) {
      double one = measure_cpu();
      world_result r = world_play(seed, NULL);
      if (!r.ok) fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, r.why);
      measure_must(r.ok, "a world failed");
      direct += r.direct;
      cost[done] = measure_cpu() - one;
    }
    rate[groups++] = (double)(n / GROUPS) / (measure_cpu() - group);
  }
  all = measure_cpu() - all;
  qsort(cost, (size_t)done, sizeof *cost, by_value);
  printf("%d worlds, %d of them direct: %.0f worlds per CPU second (median of %d groups; %.0f over all)\n", done,
         direct, measure_median(rate, groups), groups, done / all);
  printf("CPU of one world: median %.2f ms, 95 %% below %.2f ms, most %.2f ms\n", cost[done / 2] * 1e3,
         cost[done * 95 / 100] * 1e3, cost[done - 1] * 1e3);
  return 0;
}
