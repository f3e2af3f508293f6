/* SPDX-License-Identifier: MIT */
/*
 * How many round trips it takes to meet, in the simulator's time: from dialling to the first byte through the relay, to a confirmed direct
 * connection, to the stream on it. Real endpoints and a real server; the registration of the listener is warm, the dialer's warm or cold.
 *
 *   connect [worlds per row]
 */
#include <stdio.h>
#include <stdlib.h>

#include "support/measure.h"
#include "support/meeting.h"

enum { WORLDS_MAX = 31, STEP_US = 100 };

/* Round trips in milliseconds: between the peers, and to the server. */
typedef struct row {
  const char *what;
  unsigned peers, dialer_server, listener_server;
  bool nat, cold;
} row;

static const row rows[] = {
    {"no NAT, warm", 50, 50, 50, false, false},
    {"two home routers, warm", 50, 50, 50, true, false},
    {"warm", 100, 50, 50, true, false},
    {"warm, server near the dialer", 100, 20, 80, true, false},
    {"warm, server near the listener", 100, 80, 20, true, false},
    {"warm, server as far as peer", 100, 100, 100, true, false},
    {"warm, server far away", 100, 200, 200, true, false},
    {"cold", 100, 50, 50, true, true},
    {"cold, server near the dialer", 100, 20, 80, true, true},
    {"cold, server as far as peer", 100, 100, 100, true, true},
    {"cold, server far away", 100, 200, 200, true, true},
};

/* Milliseconds. GO is when both sides know of each other and fire: what others call the exchange of candidates. */
typedef struct times {
  double go;                     /* after dialling */
  double first_byte, both_bytes; /* after GO: one side, both sides have read the other's first byte */
  double confirmed, direct;      /* after GO: both sides have a direct connection; have the stream on it */
} times;

static double ms(thirl_time t) {
  return (double)t / 1000;
}

static meeting_config config_of(const row *r, uint64_t seed) {
  thirl_natbox_config box =
      thirl_natbox_config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF, thirl_addr_v4(203, 0, 113, 1, 0));
  if (!r->nat) box.mode = THIRL_NATBOX_ROUTE;
  meeting_config c = meeting_config_of(seed, box, box, 0);
  /* dialer + listener = peers / 2, dialer + server = dialer_server / 2, listener + server = listener_server / 2; one way */
  double dialer = (r->peers + r->dialer_server - (double)r->listener_server) / 4;
  double listener = r->peers / 2.0 - dialer, server = r->dialer_server / 2.0 - dialer;
  measure_must(dialer >= 0 && listener >= 0 && server >= 0, "no such triangle");
  c.link_b.delay = (thirl_time)(dialer * 1000);
  c.link_a.delay = (thirl_time)(listener * 1000);
  c.link_server.delay = (thirl_time)(server * 1000);
  c.bytes_a = c.bytes_b = 1000;
  return c;
}

static times play(const row *r, uint64_t seed) {
  meeting m;
  times t = {0};
  meeting_config c = config_of(r, seed);
  meeting_open(&m, &c);
  if (!r->cold) meeting_start(&m);
  meeting_run_on(&m, thirl_sim_now(m.sim) + 5 * THIRL_S);
  m.a.hold_end = m.b.hold_end = true;
  thirl_time dialled = thirl_sim_now(m.sim), now = dialled;
  meeting_dial(&m);
  while (now < dialled + 20 * THIRL_S && !(m.a.is_direct && m.b.is_direct && m.a.read && m.b.read)) {
    meeting_run_on(&m, now += STEP_US);
    if (t.first_byte == 0 && (m.a.read || m.b.read)) t.first_byte = ms(now);
    if (t.both_bytes == 0 && m.a.read && m.b.read) t.both_bytes = ms(now);
  }
  measure_must(m.a.is_direct && m.b.is_direct && t.both_bytes > 0, "no direct path");
  double go = ms(m.b.confirmed_at - m.b.confirmed_after);
  t.go = go - ms(dialled);
  t.first_byte -= go;
  t.both_bytes -= go;
  t.confirmed = ms(THIRL_MAX(m.a.confirmed_at, m.b.confirmed_at)) - go;
  t.direct = ms(THIRL_MAX(m.a.direct_at, m.b.direct_at)) - go;
  meeting_close(&m);
  return t;
}

static void print_row(const row *r, int worlds) {
  double v[5][WORLDS_MAX];
  for (int i = 0; i < worlds; i++) {
    times t = play(r, (uint64_t)i + 1);
    double all[5] = {t.go, t.first_byte, t.both_bytes, t.confirmed, t.direct};
    for (int k = 0; k < 5; k++)
      v[k][i] = all[k] / r->peers;
  }
  printf("  %-31s %5u %6u %8u  ", r->what, r->peers, r->dialer_server, r->listener_server);
  for (int k = 0; k < 5; k++)
    printf(" %8.2f", measure_median(v[k], worlds));
  printf("\n");
}

static void print_published(const char *what, const char *byte, const char *confirmed) {
  printf("  %-31s %5d %6s %8s   %8s %8s %8s %8s\n", what, 50, "", "", "", byte, "", confirmed);
}

int main(int argc, char **argv) {
  int worlds = argc > 1 ? atoi(argv[1]) : 5;
  measure_must(worlds > 0 && worlds <= WORLDS_MAX, "arguments: connect [worlds per row]");
  measure_limit(58);
  printf("simulated, no loss, medians of %d worlds; round trips between the peers\n", worlds);
  printf("  %-31s %21s   %8s %17s %17s\n", "", "RTT in milliseconds", "dial", "GO to first byte", "GO to direct");
  printf("  %-31s %5s %6s %8s   %8s %8s %8s %8s %8s\n", "", "peers", "dialer", "listener", "to GO", "one side", "both",
         "connect", "stream");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    print_row(&rows[i], worlds);
  printf("  published elsewhere, not measured here: over UDP, no NAT, from the exchange of candidates\n");
  print_published("libnice", "2.42", "1.92");
  print_published("libjuice", "12.02", "11.52");
  print_published("no one can be faster", "1.00", "1.50");
  return 0;
}
