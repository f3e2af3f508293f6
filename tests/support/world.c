/* SPDX-License-Identifier: MIT */
#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/meeting.h"

enum { FAULTS_MAX = 3 };

typedef enum fault_kind { REBOOT_A, REBOOT_B, CUT_A, CUT_B, KILL_SERVER, CUT_SERVER, N_FAULTS } fault_kind;

typedef struct fault {
  struct world *w;
  fault_kind kind;
  bool begun;
  thirl_time lasts;
} fault;

typedef struct world {
  meeting m;
  meeting_config c;
  thirl_dice d;
  fault faults[FAULTS_MAX];
  size_t n_faults;
  bool clean; /* neither loss nor faults */
} world;

static double up_to(thirl_dice *d, double most) {
  return thirl_dice_unit(d) * most;
}

static thirl_natbox_config any_nat(thirl_dice *d) {
  thirl_natbox_config c =
      thirl_natbox_config_of((thirl_natbox_mapping)thirl_dice_below(d, 3),
                             (thirl_natbox_filtering)thirl_dice_below(d, 3), thirl_addr_v4(203, 0, 113, 1, 0));
  c.tcp.allocation = (thirl_natbox_allocation)thirl_dice_below(d, 3);
  c.tcp.unsolicited = (thirl_natbox_unsolicited)thirl_dice_below(d, 4);
  if (thirl_dice_below(d, 8) == 0) c.mode = thirl_dice_below(d, 2) ? THIRL_NATBOX_ROUTE : THIRL_NATBOX_FIREWALL;
  return c;
}

static thirl_sim_link_rules any_link(thirl_dice *d, bool clean) {
  thirl_sim_link_rules r = {.delay = 1 * THIRL_MS + thirl_dice_below(d, 60 * THIRL_MS)};
  if (clean) return r;
  static const double most[] = {0, 0.02, 0.1, 0.3};
  r.loss = up_to(d, most[thirl_dice_below(d, 4)]) / 2; /* two links on the way between the peers */
  if (thirl_dice_below(d, 3) == 0) r.jitter = thirl_dice_below(d, 30 * THIRL_MS);
  if (thirl_dice_below(d, 4) == 0) r.duplicate = up_to(d, 0.2);
  if (thirl_dice_below(d, 4) == 0) r.reorder = up_to(d, 0.2);
  return r;
}

static void act(void *ctx);

static void again(fault *f) {
  f->begun = !f->begun;
  if (f->begun) (void)thirl_sim_at(f->w->m.sim, thirl_sim_now(f->w->m.sim) + f->lasts, act, f);
}

static void act(void *ctx) {
  fault *f = ctx;
  meeting *m = &f->w->m;
  switch (f->kind) {
  case REBOOT_A:
    thirl_sim_reboot(m->a.nat);
    return;
  case REBOOT_B:
    thirl_sim_reboot(m->b.nat);
    return;
  case CUT_A:
    thirl_sim_set_down(m->a.nat, !f->begun);
    break;
  case CUT_B:
    thirl_sim_set_down(m->b.nat, !f->begun);
    break;
  case CUT_SERVER:
    thirl_sim_set_down(m->server_host, !f->begun);
    break;
  default:
    if (!f->begun)
      meeting_kill_server(m, f->lasts % 2 == 0);
    else if (!m->server)
      meeting_start_server(m);
    break;
  }
  again(f);
}

static void plan_faults(world *w) {
  w->n_faults = w->clean ? 0 : (size_t)thirl_dice_below(&w->d, FAULTS_MAX + 1);
  for (size_t i = 0; i < w->n_faults; i++) {
    fault *f = &w->faults[i];
    f->w = w;
    f->kind = (fault_kind)thirl_dice_below(&w->d, N_FAULTS);
    f->lasts = 100 * THIRL_MS + thirl_dice_below(&w->d, 8 * THIRL_S);
    for (size_t k = 0; k < i; k++)
      if (w->faults[k].kind == f->kind) f->kind = REBOOT_A; /* one thing is not cut twice at a time */
    thirl_time when = thirl_sim_now(w->m.sim) + thirl_dice_below(&w->d, 12 * THIRL_S);
    if (thirl_sim_at(w->m.sim, when, act, f) != THIRL_OK) abort();
  }
}

world_result world_play(uint64_t seed, const thirl_log *log) {
  world *w = calloc(1, sizeof *w);
  world_result r = {0};
  if (!w) abort();
  meeting *m = &w->m;
  thirl_dice_seed(&w->d, seed);
  w->clean = thirl_dice_below(&w->d, 8) == 0;
  w->c = meeting_config_of(seed, any_nat(&w->d), any_nat(&w->d), 0);
  w->c.link_a = any_link(&w->d, w->clean);
  w->c.link_b = any_link(&w->d, w->clean);
  w->c.link_server.delay = thirl_dice_below(&w->d, 20 * THIRL_MS);
  w->c.policy.dial_timeout = 300 * THIRL_S;
  w->c.policy.lost_after = 300 * THIRL_S;
  w->c.policy.window = (size_t)32768 << thirl_dice_below(&w->d, 3);
  w->c.server = (meeting_server)(seed % 3);
  w->c.old_simultaneous_open = thirl_dice_below(&w->d, 4) == 0;
  uint64_t size = (uint64_t)1 << thirl_dice_below(&w->d, 18);
  w->c.bytes_a = thirl_dice_below(&w->d, size);
  w->c.bytes_b = thirl_dice_below(&w->d, size);
  meeting_open(m, &w->c);
  if (log) thirl_sim_set_log(m->sim, log);
  m->a.read_most = thirl_dice_below(&w->d, 4) == 0 ? 1000 : 0;
  m->a.hold_end = m->b.hold_end = thirl_dice_below(&w->d, 2) == 0;
  meeting_run_on(m, thirl_sim_now(m->sim) + thirl_dice_below(&w->d, 4 * THIRL_S));
  meeting_dial(m);
  plan_faults(w);
  if (m->a.hold_end) meeting_run_on(m, thirl_sim_now(m->sim) + 1 * THIRL_S + thirl_dice_below(&w->d, 15 * THIRL_S));
  m->a.hold_end = m->b.hold_end = false;
  meeting_run(m, thirl_sim_now(m->sim) + 900 * THIRL_S);
  r.ok = meeting_is_complete(m);
  r.direct = m->a.direct_at || m->b.direct_at;
  if (!r.ok)
    snprintf(r.why, sizeof r.why, "A: %s%s%s read %llu/%llu; B: %s%s%s read %llu/%llu",
             m->a.finished ? "finished " : "", m->a.wrong ? "WRONG " : "",
             m->a.failed ? thirl_error_name(m->a.error) : "", (unsigned long long)m->a.read,
             (unsigned long long)m->a.to_read, m->b.finished ? "finished " : "", m->b.wrong ? "WRONG " : "",
             m->b.failed ? thirl_error_name(m->b.error) : "", (unsigned long long)m->b.read,
             (unsigned long long)m->b.to_read);
  /* Silence: the kernels may repeat a FIN for two minutes; after that nothing goes to the other side. */
  thirl_time over = thirl_sim_now(m->sim), quiet = over + (w->clean ? 10 : 150) * THIRL_S;
  if (r.ok && seed % 4 == 0) {
    meeting_run_on(m, quiet + 60 * THIRL_S);
    thirl_addr to_a = thirl_addr_v4(203, 0, 113, 1, 0), to_b = thirl_addr_v4(203, 0, 113, 2, 0);
    thirl_time last = THIRL_MAX(thirl_sim_sent_by(m->a.host, to_b).last, thirl_sim_sent_by(m->b.host, to_a).last);
    if (last > quiet) {
      r.ok = false;
      snprintf(r.why, sizeof r.why, "a packet to the peer %llu s after the end",
               (unsigned long long)((last - over) / THIRL_S));
    }
  }
  r.hash = thirl_sim_hash(m->sim);
  meeting_close(m);
  free(w);
  return r;
}
