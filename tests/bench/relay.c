/* SPDX-License-Identifier: MIT */
/*
 * Bytes per CPU second of a relay that carries one stream: our server between two endpoints that may use nothing else, against the plainest loop
 * and against the programs that are installed. The stream is TLS everywhere, made by both sides of the same process; only the CPU of the relay counts.
 *
 *   relay [MiB per run] [runs]
 */
#include <stdio.h>
#include <stdlib.h>

#include "support/island.h"
#include "support/measure.h"
#include "support/party.h"
#include "support/rival.h"

enum { RUNS_MAX = 31, PATIENCE_S = 20, RIVALS_MAX = 4 };

static party *server, *listener, *dialer;

static void meet(void) {
  thirl_session_policy policy = {.relay_only = true};
  thirl_meet_ticket ticket;
  thirl_addr at = island_addr(1, 3478);
  server = party_serve(at);
  listener = party_listen(at, &policy, &ticket);
  dialer = party_dial(at, &policy, &ticket);
  measure_must(party_wait_route(dialer, THIRL_SESSION_RELAY, PATIENCE_S), "the dialer is not relayed");
  measure_must(party_wait_route(listener, THIRL_SESSION_RELAY, PATIENCE_S), "the listener is not relayed");
}

typedef struct contender {
  const char *name;
  rival *rival; /* NULL: thirl */
  double rate[RUNS_MAX], wall[RUNS_MAX];
} contender;

static void through_thirl(contender *c, uint64_t bytes, int run) {
  double cpu = party_cpu(server), wall = measure_wall();
  party_move(listener, 0, bytes);
  party_move(dialer, bytes, 0);
  measure_must(party_wait_moved(dialer, PATIENCE_S) && party_wait_moved(listener, PATIENCE_S),
               "the stream stands still");
  c->rate[run] = (double)bytes / (party_cpu(server) - cpu) / 1e6;
  c->wall[run] = (double)bytes / (measure_wall() - wall) / 1e6;
}

static void through_rival(contender *c, uint64_t bytes, int run) {
  double cpu = rival_cpu(c->rival);
  plain_cost k = plain_move(&c->rival->pair, bytes, 0);
  c->rate[run] = (double)bytes / (rival_cpu(c->rival) - cpu) / 1e6;
  c->wall[run] = (double)bytes / k.wall / 1e6;
}

static void race(contender *c, size_t n, uint64_t bytes, int runs) {
  for (int run = -1; run < runs; run++) /* run -1 warms up */
    for (size_t i = 0; i < n; i++)
      (c[i].rival ? through_rival : through_thirl)(&c[i], bytes, run < 0 ? 0 : run);
  printf("one stream one way, %.0f MB a run, medians of %d runs in turn\n", (double)bytes / 1e6, runs);
  printf("  %-30s %24s %14s\n", "", "MB per CPU second", "MB/s of wall");
  for (size_t i = 0; i < n; i++)
    printf("  %-30s %24.0f %14.0f\n", c[i].name, measure_median(c[i].rate, runs), measure_median(c[i].wall, runs));
  for (size_t i = 1; i < n; i++)
    printf("  thirl / %-30s %4.2f\n", c[i].name, measure_ratio(c[0].rate, c[i].rate, runs));
}

int main(int argc, char **argv) {
  static rival rivals[RIVALS_MAX];
  static contender contenders[RIVALS_MAX + 1] = {{.name = "thirl server"}};
  uint64_t bytes = (argc > 1 ? strtoull(argv[1], NULL, 10) : 256) << 20;
  int runs = argc > 2 ? atoi(argv[2]) : 7;
  size_t n = 0;
  thirl_secure_identity *id;
  measure_must(bytes > 0 && runs > 0 && runs <= RUNS_MAX, "arguments: relay [MiB] [runs]");
  measure_limit(58);
  measure_must(island_enter() == THIRL_OK, "no network namespace for it (needs root, or user namespaces)");
  if (rival_start_coturn(&rivals[n])) n++; /* programs first: they are forked before there are threads */
  if (rival_start_socat(&rivals[n])) n++;
  rival_start_loop(&rivals[n++]);
  measure_must(thirl_secure_identity_generate(&id) == THIRL_OK, "no identity");
  SSL_CTX *ctx = plain_context_new(id, false);
  for (size_t i = 0; i < n; i++) {
    plain_secure(&rivals[i].pair, ctx);
    contenders[i + 1].name = rivals[i].name;
    contenders[i + 1].rival = &rivals[i];
  }
  thirl_secure_identity_free(id);
  meet();
  race(contenders, n + 1, bytes, runs);
  for (size_t i = 0; i < n; i++)
    rival_stop(&rivals[i]);
  party_free(dialer);
  party_free(listener);
  party_free(server);
  return 0;
}
