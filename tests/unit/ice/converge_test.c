/* SPDX-License-Identifier: MIT */
/*
 * Two agents in random worlds: whatever comes up in whatever order, both end on the same connection, or both without one. A failure
 * prints its seed: THIRL_SEED=n runs that world alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "unit/ice/toy.h"

enum { WORLDS = 1500 };

typedef struct world {
  toy *t;
  bool kills, udp, tcp, conflict, strict;
} world;

static unsigned below(toy *t, unsigned n) {
  return (unsigned)thirl_dice_below(&t->dice, n);
}

static void candidates(world *w, int i, unsigned lanes) {
  toy *t = w->t;
  for (uint8_t l = 0; w->tcp && l < lanes; l++) {
    thirl_addr base = thirl_addr_v4(10, 0, (uint8_t)(i + 1), 2, (uint16_t)(5000 + l));
    thirl_addr seen = thirl_addr_v4(203, 0, 113, (uint8_t)(i + 1), (uint16_t)(6000 + l));
    toy_map(t, base, seen);
    toy_candidate(t, i, THIRL_ICE_HOST, THIRL_ICE_TCP_SO, l, base, base, true);
    toy_candidate(t, i, THIRL_ICE_SRFLX, THIRL_ICE_TCP_SO, l, seen, base, !t->agent[1 - i].listens || below(t, 8) != 0);
  }
  if (w->tcp && below(t, 3) == 0) {
    thirl_addr a = thirl_addr_v4(10, 0, (uint8_t)(i + 1), 2, 9), p = thirl_addr_v4(10, 0, (uint8_t)(i + 1), 2, 7000);
    toy_candidate(t, i, THIRL_ICE_HOST, THIRL_ICE_TCP_ACTIVE, 0, a, a, true);
    toy_candidate(t, i, THIRL_ICE_HOST, THIRL_ICE_TCP_PASSIVE, 0, p, p, true);
  }
  for (uint16_t k = 0; w->udp && k < 2; k++) {
    thirl_addr base = thirl_addr_v4(10, 0, (uint8_t)(i + 1), 2, (uint16_t)(8000 + k));
    toy_candidate(t, i, THIRL_ICE_HOST, THIRL_ICE_UDP, 0, base, base, true);
  }
}

static void build(world *w, uint64_t seed) {
  toy *t = w->t = toy_new(seed);
  w->kills = below(t, 2) == 0;
  w->tcp = below(t, 5) != 0;
  w->udp = !w->tcp || below(t, 4) == 0;
  w->conflict = below(t, 4) == 0;
  w->strict = below(t, 4) == 0;
  t->delay = (1 + below(t, 150)) * THIRL_MS;
  t->jitter = below(t, 3) == 0 ? 0 : below(t, 60) * THIRL_MS;
  t->loss = below(t, 2) ? 0 : 0.2;
  t->late = below(t, 2) ? 0 : 0.2;
  if (below(t, 3) == 0) t->elsewhere = below(t, 2) ? TOY_REFUSE : TOY_SILENT;
  bool role = below(t, 2) == 0;
  for (int i = 0; i < 2; i++) {
    thirl_ice_config c = toy_config(t, i, (i == 0) == role || (w->conflict && role));
    if (w->conflict && !role) c.controlling = false;
    c.nominate_first = !w->strict;
    c.burst = !w->strict || below(t, 2) == 0;
    t->agent[i].listens = !c.burst || below(t, 8) != 0;
    t->refusals_left[i] = c.burst && below(t, 4) == 0 ? below(t, 12) : 0;
    t->refusal_delay = 2 * t->delay;
    toy_start(t, i, &c);
  }
  t->no_simultaneous = t->agent[0].listens && t->agent[1].listens && below(t, 5) == 0;
  toy_credentials(t);
  for (int i = 0; i < 2; i++)
    candidates(w, i, 1 + below(t, 3));
  toy_go(t, 0, t->now + below(t, 200) * THIRL_MS);
  toy_go(t, 1, t->now + below(t, 200) * THIRL_MS);
}

/* Links die in the middle of everything. */
static void kill_some(world *w) {
  toy *t = w->t;
  for (int k = 0; k < 6; k++) {
    toy_run(t, t->now + below(t, 250) * THIRL_MS);
    if (t->n_conns == 0) continue;
    unsigned c = below(t, t->n_conns);
    if (!t->conns[c].used || t->conns[c].dead || !t->conns[c].established) continue;
    toy_kill(t, c, t->now + below(t, 400) * THIRL_MS, t->now + below(t, 400) * THIRL_MS);
  }
}

static const char *outcome(world *w) {
  toy *t = w->t;
  toy_agent *a = &t->agent[0], *b = &t->agent[1];
  bool has[2] = {a->selected && !a->lost, b->selected && !b->lost};
  int controlling = thirl_ice_is_controlling(a->ice) ? 0 : 1;
  if (thirl_ice_is_controlling(a->ice) == thirl_ice_is_controlling(b->ice) && (has[0] || has[1])) return "same roles";
  if (t->agent[controlling].selected > 1) return "the controlling side selected twice";
  if (has[0] != has[1]) return "one side has a pair, the other has none";
  if (!has[0]) return w->kills ? NULL : "no pair, although nothing died";
  toy_conn *c = toy_conn_of(t, 0, a->last_selected.link), *d = toy_conn_of(t, 1, b->last_selected.link);
  if (c != d) return "different connections";
  if (c && c->dead) return "a dead connection";
  if (!c && (a->last_selected.link || b->last_selected.link)) return "TCP here, UDP there";
  if (!c && !thirl_addr_equal(&a->last_selected.local, &b->last_selected.remote)) return "different UDP pairs";
  for (int i = 0; i < 2; i++)
    if (toy_open_links(t, i) != (c ? 1u : 0u)) return "losers are left open";
  return NULL;
}

static bool run_world(uint64_t seed, unsigned *twice, unsigned *none) {
  world w = {0};
  build(&w, seed);
  if (w.kills) kill_some(&w);
  toy_run(w.t, w.t->now + 15 * THIRL_S);
  w.t->loss = 0; /* or consent is lost now and then, as it should */
  toy_run(w.t, w.t->now + 90 * THIRL_S);
  const char *wrong = outcome(&w);
  *twice += w.t->agent[0].selected > 1 || w.t->agent[1].selected > 1;
  *none += !w.t->agent[0].selected;
  if (wrong) {
    print_error(
        "seed %llu: %s (kills %d tcp %d udp %d conflict %d strict %d; selected %u %u lost %u %u failed %u %u)\n",
        (unsigned long long)seed, wrong, w.kills, w.tcp, w.udp, w.conflict, w.strict, w.t->agent[0].selected,
        w.t->agent[1].selected, w.t->agent[0].lost, w.t->agent[1].lost, w.t->agent[0].failed, w.t->agent[1].failed);
  }
  toy_free(w.t);
  return wrong == NULL;
}

static void both_sides_end_on_the_same_pair(void **state) {
  (void)state;
  unsigned bad = 0, twice = 0, none = 0;
  const char *one = getenv("THIRL_SEED"), *many = getenv("THIRL_WORLDS");
  unsigned long worlds = many ? strtoul(many, NULL, 10) : WORLDS;
  if (one) {
    assert_true(run_world(strtoull(one, NULL, 10), &twice, &none));
    return;
  }
  for (uint64_t seed = 1; seed <= worlds; seed++)
    bad += !run_world(seed, &twice, &none);
  print_message("%lu worlds: %u changed their mind, %u found nothing\n", worlds, twice, none);
  assert_int_equal(bad, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(both_sides_end_on_the_same_pair)};
  return cmocka_run_group_tests_name("ice/converge", tests, NULL, NULL);
}
