/* SPDX-License-Identifier: MIT */
/*
 * Bytes per CPU second through a direct stream: two endpoints that met through a server and found each other, against plain OpenSSL over TCP on
 * the same loopback, with the same cipher, in turns, in the same run. The CPU of both sides is counted, user and kernel.
 *
 * Plain OpenSSL is SSL_write and SSL_read of 16 KiB on blocking sockets; with read ahead it needs fewer system calls, so it is measured that way
 * too. Both ways at a time it is driven by poll, one thread a side. TCP alone is the bound.
 *
 *   stream [MiB per run] [runs]
 */
#include <stdio.h>
#include <stdlib.h>

#include "support/island.h"
#include "support/measure.h"
#include "support/party.h"
#include "support/plain.h"

enum { RUNS_MAX = 31, PATIENCE_S = 20 };

static party *server, *listener, *dialer;
static plain_pair tls, ahead, duplex, tcp;

static void meet(void) {
  thirl_session_policy policy = {0};
  thirl_meet_ticket ticket;
  thirl_addr at = island_addr(1, 3478);
  server = party_serve(at);
  listener = party_listen(at, &policy, &ticket);
  dialer = party_dial(at, &policy, &ticket);
  measure_must(party_wait_route(dialer, THIRL_SESSION_DIRECT, PATIENCE_S), "the dialer's path did not become direct");
  measure_must(party_wait_route(listener, THIRL_SESSION_DIRECT, PATIENCE_S), "the listener's path is not direct");
}

static void prepare_plain(void) {
  thirl_secure_identity *id;
  measure_must(thirl_secure_identity_generate(&id) == THIRL_OK, "no identity");
  SSL_CTX *ctx = plain_context_new(id, false), *ctx_ahead = plain_context_new(id, true);
  tls = plain_pair_new(island_addr(1, 0));
  ahead = plain_pair_new(island_addr(1, 0));
  duplex = plain_pair_new(island_addr(1, 0));
  tcp = plain_pair_new(island_addr(1, 0));
  plain_secure(&tls, ctx);
  plain_secure(&ahead, ctx_ahead);
  plain_secure(&duplex, ctx);
  plain_set_nonblocking(&duplex);
  thirl_secure_identity_free(id);
}

static plain_cost thirl_move(uint64_t there, uint64_t back) {
  plain_cost c = {-party_cpu(dialer), -party_cpu(listener), -measure_wall()};
  party_move(listener, back, there);
  party_move(dialer, there, back);
  measure_must(party_wait_moved(dialer, PATIENCE_S) && party_wait_moved(listener, PATIENCE_S),
               "the stream stands still");
  measure_must(party_is_on(dialer, THIRL_SESSION_DIRECT) && party_is_on(listener, THIRL_SESSION_DIRECT),
               "the path was lost");
  return (plain_cost){c.a + party_cpu(dialer), c.b + party_cpu(listener), c.wall + measure_wall()};
}

/* ---- the race ---- */

typedef struct contender {
  const char *name;
  plain_pair *pair; /* NULL: thirl */
  double both[RUNS_MAX], a[RUNS_MAX], b[RUNS_MAX], wall[RUNS_MAX];
} contender;

static contender one_way[] = {{.name = "thirl, direct stream"},
                              {.name = "OpenSSL over TCP", .pair = &tls},
                              {.name = "OpenSSL over TCP, read ahead", .pair = &ahead},
                              {.name = "TCP alone", .pair = &tcp}};
static contender both_ways[] = {{.name = "thirl, direct stream"}, {.name = "OpenSSL over TCP", .pair = &duplex}};

static void race(const char *what, contender *c, size_t n, uint64_t there, uint64_t back, int runs) {
  double mb = (double)(there + back) / 1e6;
  for (int run = -1; run < runs; run++) /* run -1 warms up */
    for (size_t i = 0; i < n; i++) {
      plain_cost k = c[i].pair ? plain_move(c[i].pair, there, back) : thirl_move(there, back);
      if (run < 0) continue;
      c[i].both[run] = mb / (k.a + k.b);
      c[i].a[run] = mb / k.a;
      c[i].b[run] = mb / k.b;
      c[i].wall[run] = mb / k.wall;
    }
  printf("%s, %.0f MB a run, medians of %d runs in turn; MB per CPU second\n", what, mb, runs);
  printf("  %-30s %10s %10s %10s %12s\n", "", "both sides", "dialer", "listener", "MB/s of wall");
  for (size_t i = 0; i < n; i++)
    printf("  %-30s %10.0f %10.0f %10.0f %12.0f\n", c[i].name, measure_median(c[i].both, runs),
           measure_median(c[i].a, runs), measure_median(c[i].b, runs), measure_median(c[i].wall, runs));
  for (size_t i = 1; i < n; i++)
    printf("  thirl / %-30s %4.2f\n", c[i].name, measure_ratio(c[0].both, c[i].both, runs));
}

int main(int argc, char **argv) {
  uint64_t bytes = (argc > 1 ? strtoull(argv[1], NULL, 10) : 256) << 20;
  int runs = argc > 2 ? atoi(argv[2]) : 7;
  measure_must(bytes > 0 && runs > 0 && runs <= RUNS_MAX, "arguments: stream [MiB] [runs]");
  measure_limit(58);
  measure_must(island_enter() == THIRL_OK, "no network namespace for it (needs root, or user namespaces)");
  meet();
  prepare_plain();
  race("one way", one_way, sizeof one_way / sizeof *one_way, bytes, 0, runs);
  race("both ways at once", both_ways, sizeof both_ways / sizeof *both_ways, bytes / 2, bytes / 2, runs);
  party_free(dialer);
  party_free(listener);
  party_free(server);
  return 0;
}
