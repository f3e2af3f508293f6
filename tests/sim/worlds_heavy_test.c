/* SPDX-License-Identifier: MIT */
/* test-timeout: 900 */
/*
 * Random worlds: two peers, any NATs, loss up to 30 %, duplicates, reordering, NAT reboots, dead links, a server that is killed and comes back.
 * Whatever happens: no wrong, missing or doubled byte; no stream lost, since a path comes back in every world; silence when all is over.
 *
 *   THIRL_WORLDS=N       how many (default 20000)
 *   THIRL_SEED=N         one world only, with its trace on stdout
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "support/world.h"

enum { WORKERS = 2, FIRST_SEED = 1 };

static void print_line(void *ctx, thirl_log_level level, const char *text) {
  (void)ctx;
  (void)level;
  puts(text);
}

static unsigned long setting(const char *name, unsigned long otherwise) {
  const char *v = getenv(name);
  return v ? strtoul(v, NULL, 10) : otherwise;
}

/* A worker plays every WORKERS-th seed; returns the number of failures (capped). */
static int work(int worker, unsigned long n) {
  int failures = 0;
  unsigned long direct = 0, played = 0;
  for (unsigned long i = (unsigned long)worker; i < n && failures < 20; i += WORKERS) {
    uint64_t seed = FIRST_SEED + i;
    world_result r = world_play(seed, NULL);
    played++;
    direct += r.direct;
    if (i % 200 < WORKERS && r.hash != world_play(seed, NULL).hash) {
      failures++;
      printf("seed %llu: a replay differs\n", (unsigned long long)seed);
    }
    if (r.ok) continue;
    failures++;
    printf("seed %llu: %s\n", (unsigned long long)seed, r.why);
    fflush(stdout);
  }
  printf("worker %d: %lu worlds, %lu direct\n", worker, played, direct);
  fflush(stdout);
  return failures;
}

static void no_byte_wrong_and_no_stream_lost(void **state) {
  (void)state;
  unsigned long n = setting("THIRL_WORLDS", 20000), one = setting("THIRL_SEED", 0);
  if (one) {
    static const thirl_log log = {print_line, NULL, THIRL_LOG_DEBUG};
    world_result r = world_play(one, &log);
    printf("seed %lu: %s %s\n", one, r.ok ? "ok" : "failed", r.why);
    assert_true(r.ok);
    return;
  }
  pid_t pids[WORKERS];
  int failures = 0;
  fflush(stdout);
  for (int i = 0; i < WORKERS; i++) {
    pids[i] = fork();
    assert_true(pids[i] >= 0);
    if (pids[i] == 0) _exit(work(i, n));
  }
  for (int i = 0; i < WORKERS; i++) {
    int status;
    assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
    failures += WIFEXITED(status) ? WEXITSTATUS(status) : 100;
  }
  assert_int_equal(failures, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(no_byte_wrong_and_no_stream_lost)};
  return cmocka_run_group_tests_name("sim/worlds", tests, NULL, NULL);
}
