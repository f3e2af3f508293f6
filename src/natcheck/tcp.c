/* SPDX-License-Identifier: MIT */
#include "natcheck/tcp.h"

#include <string.h>

#include "natcheck/hairpin.h"
#include "natcheck/samples.h"

enum {
  FILTER_TRIES = 3,
  SYNS = 3,
  /* in the time that a server gives itself */ CHANGE_BOTH = THIRL_NATCHECK_CHANGE_IP | THIRL_NATCHECK_CHANGE_PORT
};

#define PATIENCE   (8 * THIRL_S) /* four SYNs on Linux; a server's own attempt to reach us takes up to 4 s */
#define STRAGGLERS (2500 * THIRL_MS)
#define SETTLE     (100 * THIRL_MS)  /* a knock and the word of it may come in either order */
#define AGAIN      (1200 * THIRL_MS) /* a server that was asked too often */
#define MEETING    (3 * THIRL_S)     /* two SYNs */

void thirl_natcheck_tcp_init(thirl_natcheck_tcp *t, thirl_natcheck_report *report, const thirl_secrets *secrets,
                             const thirl_addr *local, thirl_net_id first_id) {
  memset(t, 0, sizeof *t);
  thirl_natcheck_dial_init(&t->dial, secrets, first_id);
  t->dial.local = *local;
  t->report = report;
  t->out = &report->tcp;
}

void thirl_natcheck_tcp_fini(thirl_natcheck_tcp *t) {
  thirl_natcheck_dial_fini(&t->dial);
}

static unsigned add(thirl_natcheck_tcp *t, thirl_natcheck_call c) {
  c.patience = c.patience ? c.patience : PATIENCE;
  return thirl_natcheck_dial_add(&t->dial, &c);
}

/* A call of this step, or one that was never made, when there were too many. */
static const thirl_natcheck_dialled *get(const thirl_natcheck_tcp *t, unsigned i) {
  static const thirl_natcheck_dialled never = {.state = THIRL_NATCHECK_DIAL_DONE, .error = THIRL_E_LIMIT};
  return t->from + i < t->dial.n_calls ? &t->dial.calls[t->from + i] : &never;
}

/* How many SYNs a handshake took: Linux sends again after 1, 3 (since 6.5: 2) and 7 (3) seconds. */
static unsigned syns_of(const thirl_natcheck_dialled *k) {
  return 1 + (unsigned)(THIRL_MIN(k->rtt + 100 * THIRL_MS, 4 * THIRL_S) / THIRL_S);
}

static void note(thirl_natcheck_tcp *t, const thirl_natcheck_dialled *k) {
  t->out->asked += k->connected ? syns_of(k) : (k->error == THIRL_E_TIMEOUT ? SYNS : 0);
  t->out->answered += k->connected;
  t->out->rewritten |= k->rewritten;
  if (k->answered) thirl_natcheck_scene_note_outer(t->out, &k->mapped);
}

/* ---- reach ---- */

static void begin_reach(thirl_natcheck_tcp *t) {
  t->door = thirl_natcheck_dial_open(&t->dial, t->port);
  for (unsigned i = 0; i < t->report->n_servers; i++)
    add(t, (thirl_natcheck_call){.door = t->door, .to = t->report->servers[i].addr, .twice = true});
}

static bool has_answer(const thirl_natcheck_tcp *t) {
  for (unsigned i = 0; i < t->dial.n_calls; i++)
    if (t->dial.calls[i].answered) return true;
  return false;
}

static void hasten_reach(thirl_natcheck_tcp *t, thirl_time now) {
  if (!has_answer(t) || now < thirl_time_after(t->begun, STRAGGLERS)) return;
  for (unsigned i = 0; i < t->dial.n_calls; i++)
    thirl_natcheck_dial_stop(&t->dial, i);
}

/* What it says over TCP, or has said over UDP, of its second address. */
static thirl_addr other_of(thirl_natcheck_server *s, const thirl_natcheck_dialled *k) {
  if (thirl_addr_is_set(&k->other)) {
    s->other = k->other;
    s->other_is_unusable = !thirl_natcheck_classify_may_ask(&s->addr, &s->other);
  }
  return s->other_is_unusable ? (thirl_addr){0} : s->other;
}

static void finish_reach(thirl_natcheck_tcp *t) {
  thirl_natcheck_protocol *out = t->out;
  thirl_error error = THIRL_OK;
  for (unsigned i = 0; i < t->report->n_servers; i++) {
    const thirl_natcheck_dialled *k = get(t, i);
    thirl_natcheck_server *s = &t->report->servers[i];
    if (!k->answered) error = k->error;
    if (!k->answered) continue;
    note(t, k);
    s->tcp = true;
    thirl_addr other = other_of(s, k);
    bool first = out->reachable != THIRL_NATCHECK_YES;
    if (!first && (!thirl_addr_is_set(&other) || thirl_addr_is_set(&t->other))) continue;
    out->reachable = THIRL_NATCHECK_YES;
    out->local = k->local;
    out->mapped = k->mapped;
    out->rtt = k->rtt;
    t->asked = s->addr;
    t->other = other;
    t->first = t->from + i;
  }
  out->why = THIRL_NATCHECK_WHY_KNOWN;
  if (out->reachable == THIRL_NATCHECK_YES) return;
  out->reachable = THIRL_NATCHECK_NO;
  out->why = error == THIRL_E_REFUSED ? THIRL_NATCHECK_WHY_REFUSED : THIRL_NATCHECK_WHY_NO_ANSWER;
  if (t->door < t->dial.n_doors && t->dial.doors[t->door].state == THIRL_NATCHECK_DOOR_BROKEN)
    out->why = THIRL_NATCHECK_WHY_LOCAL;
}

/* ---- filter ---- */

static void begin_filter(thirl_natcheck_tcp *t, thirl_time not_before) {
  if (!thirl_addr_is_set(&t->other)) return;
  for (int i = 0; i < 2 * THIRL_NATCHECK_TCP_ATTEMPTS; i++) {
    t->doors[i] = thirl_natcheck_dial_open(&t->dial, 0);
    add(t, (thirl_natcheck_call){.door = t->doors[i],
                                 .to = t->asked,
                                 .change = i < THIRL_NATCHECK_TCP_ATTEMPTS ? CHANGE_BOTH : THIRL_NATCHECK_CHANGE_PORT,
                                 .not_before = not_before});
  }
}

/* Only the server's own addresses count: whoever else found the port by accident says nothing about whom we have not sent to. */
static bool look_at_door(thirl_natcheck_tcp *t, unsigned door, bool asked_ip) {
  bool knocked = false;
  if (door >= t->dial.n_doors) return false;
  const thirl_natcheck_door *d = &t->dial.doors[door];
  for (unsigned i = 0; i < d->n_knocks; i++) {
    bool other_ip = thirl_addr_same_ip(&d->knocks[i], &t->other),
         same_ip = thirl_addr_same_ip(&d->knocks[i], &t->asked);
    t->knocks.from_other_ip |= other_ip;
    t->knocks.from_other_port |= same_ip;
    t->knocks.ignored_ip |= same_ip && asked_ip;
    knocked |= other_ip || same_ip;
  }
  return knocked;
}

static bool was_tried(const thirl_natcheck_dialled *k) {
  return k->has_probe && (k->probe == THIRL_OK || k->probe == THIRL_E_REFUSED || k->probe == THIRL_E_UNREACHABLE ||
                          k->probe == THIRL_E_TIMEOUT);
}

/* What the server says of one attempt: WHY_KNOWN when it tried and the outcome agrees with what we have seen. */
static thirl_natcheck_why judge(const thirl_natcheck_dialled *k, bool knocked) {
  if (!k->answered && !k->code) return THIRL_NATCHECK_WHY_NO_ANSWER;
  if (!was_tried(k)) return THIRL_NATCHECK_WHY_NOT_OFFERED;
  if (k->probe == THIRL_OK && !knocked) return THIRL_NATCHECK_WHY_CONTRADICTION; /* somebody else was at the door */
  return THIRL_NATCHECK_WHY_KNOWN;
}

static void note_refusal(thirl_natcheck_tcp *t, const thirl_natcheck_dialled *k) {
  if (k->probe == THIRL_E_REFUSED || k->probe == THIRL_E_UNREACHABLE)
    t->out->unsolicited = THIRL_NATCHECK_UNSOLICITED_REFUSED;
  else if (k->probe == THIRL_E_TIMEOUT && !t->out->unsolicited)
    t->out->unsolicited = THIRL_NATCHECK_UNSOLICITED_DROPPED;
}

/* All attempts of one kind: known when all of them are. */
static thirl_natcheck_why judge_all(thirl_natcheck_tcp *t, unsigned first) {
  thirl_natcheck_why why = THIRL_NATCHECK_WHY_KNOWN;
  bool refused = false;
  for (unsigned i = first; i < first + THIRL_NATCHECK_TCP_ATTEMPTS; i++) {
    const thirl_natcheck_dialled *k = get(t, i);
    thirl_natcheck_why one = judge(k, look_at_door(t, t->doors[i], first == 0));
    if (one && !why) why = one;
    if (!one) note_refusal(t, k);
    refused |= !one && k->probe != THIRL_E_TIMEOUT;
  }
  t->syns = refused ? 0 : SYNS * THIRL_NATCHECK_TCP_ATTEMPTS; /* a refusal is no loss */
  return why;
}

static bool was_limited(const thirl_natcheck_tcp *t) {
  for (unsigned i = 0; i < 2 * THIRL_NATCHECK_TCP_ATTEMPTS; i++)
    if (get(t, i)->has_probe && !was_tried(get(t, i))) return true;
  return false;
}

static bool finish_filter(thirl_natcheck_tcp *t, thirl_time now) {
  if (!thirl_addr_is_set(&t->other)) return true;
  if (was_limited(t) && ++t->tries < FILTER_TRIES) {
    t->from = t->dial.n_calls;
    begin_filter(t, thirl_time_after(now, AGAIN));
    return false;
  }
  for (unsigned i = 0; i < 2 * THIRL_NATCHECK_TCP_ATTEMPTS; i++)
    note(t, get(t, i));
  t->why_ip = judge_all(t, 0);
  unsigned syns_ip = t->syns;
  t->why_port = judge_all(t, THIRL_NATCHECK_TCP_ATTEMPTS);
  if (t->knocks.from_other_port) t->syns = syns_ip;
  return true;
}

/*
 * At the end, when the mapping is known, and how much is lost: a second address that does not even answer has not connected to us either.
 */
static void conclude_filter(thirl_natcheck_tcp *t) {
  thirl_natcheck_protocol *out = t->out;
  thirl_natcheck_why why = t->knocks.from_other_port ? t->why_ip : t->why_port;
  if (!thirl_addr_is_set(&t->other)) {
    out->filtering_why = THIRL_NATCHECK_WHY_NO_ALTERNATE;
    return;
  }
  t->knocks.ip_proven &= !t->why_ip;
  t->knocks.port_proven &= !t->why_port;
  t->knocks.lossy = !why && t->syns && !thirl_natcheck_classify_is_silence(t->syns, out->asked, out->answered);
  out->filtering = thirl_natcheck_classify_filtering(&t->knocks, &out->filtering_seems, &out->filtering_why);
  if (out->filtering_why != THIRL_NATCHECK_WHY_UNPROVEN) return;
  out->filtering_why = why ? why : THIRL_NATCHECK_WHY_ALTERNATE_SILENT;
  if (why) out->filtering_seems = THIRL_NATCHECK_FILTERING_UNKNOWN;
}

/* ---- mapping ---- */

static void begin_map(thirl_natcheck_tcp *t) {
  if (!thirl_addr_is_set(&t->other)) return;
  thirl_addr to[3] = {thirl_addr_with_port(t->asked, t->other.port), thirl_addr_with_port(t->other, t->asked.port),
                      t->other};
  for (int i = 0; i < 3; i++)
    add(t, (thirl_natcheck_call){.door = t->door, .to = to[i], .twice = true});
}

static void finish_map(thirl_natcheck_tcp *t) {
  thirl_natcheck_seen seen[THIRL_NATCHECK_SERVERS_MAX + 3];
  thirl_natcheck_protocol *out = t->out;
  unsigned n = 0;
  bool contradictory = false;
  for (unsigned i = 0; i < t->dial.n_calls && n < sizeof seen / sizeof *seen; i++) {
    const thirl_natcheck_dialled *k = &t->dial.calls[i];
    if (k->c.door != t->door) continue;
    if (i >= t->from) note(t, k);
    contradictory |= k->contradictory;
    if (k->answered) seen[n++] = (thirl_natcheck_seen){.to = k->c.to, .mapped = k->mapped};
  }
  if (thirl_addr_is_set(&t->other)) {
    t->knocks.port_proven = get(t, 0)->answered > 0;
    t->knocks.ip_proven = get(t, 2)->answered > 0;
  }
  out->mapping = thirl_natcheck_classify_mapping(&out->local, seen, n, &out->mapping_why);
  if (contradictory) {
    out->mapping = THIRL_NATCHECK_MAPPING_UNKNOWN;
    out->mapping_why = THIRL_NATCHECK_WHY_CONTRADICTION;
  } else if (out->mapping_why == THIRL_NATCHECK_WHY_NO_ALTERNATE && thirl_addr_is_set(&t->other)) {
    out->mapping_why = THIRL_NATCHECK_WHY_ALTERNATE_SILENT;
  }
}

/* Several mappings, or one that has changed meanwhile (a NAT that was switched off and on)? The first connection knows. */
static void begin_recheck(thirl_natcheck_tcp *t, thirl_time now) {
  bool differs = t->out->mapping == THIRL_NATCHECK_ADM || t->out->mapping == THIRL_NATCHECK_APDM;
  t->rechecked = differs ? t->dial.calls[t->first].answered : 0;
  if (differs) (void)thirl_natcheck_dial_again(&t->dial, t->first, now);
}

static void finish_recheck(thirl_natcheck_tcp *t) {
  if (!t->rechecked) return;
  const thirl_natcheck_dialled *k = &t->dial.calls[t->first];
  if (k->answered > t->rechecked && !k->contradictory) return;
  t->out->mapping = THIRL_NATCHECK_MAPPING_UNKNOWN;
  t->out->mapping_why = THIRL_NATCHECK_WHY_CONTRADICTION;
}

/* ---- samples ---- */

static void begin_sample(thirl_natcheck_tcp *t) {
  if (t->out->mapping == THIRL_NATCHECK_NO_MAPPING) return;
  t->from = t->dial.n_calls;
  add(t, (thirl_natcheck_call){.door = THIRL_NATCHECK_DIAL_DOORS, .to = t->asked});
}

static bool finish_sample(thirl_natcheck_tcp *t) {
  if (t->out->mapping != THIRL_NATCHECK_NO_MAPPING) {
    const thirl_natcheck_dialled *k = get(t, 0);
    note(t, k);
    if (k->answered)
      t->samples[t->n_samples++] = (thirl_natcheck_sample){.local = k->local, .mapped = k->mapped};
    else
      t->failed++;
    if (t->n_samples < THIRL_NATCHECK_SAMPLES && t->failed < 2) {
      begin_sample(t);
      return false;
    }
  }
  thirl_natcheck_samples_conclude(t->samples, t->n_samples, t->out);
  conclude_filter(t);
  return true;
}

/* ---- hairpin ---- */

static void begin_hairpin(thirl_natcheck_tcp *t) {
  if (!t->hairpin_wanted || t->out->mapping == THIRL_NATCHECK_NO_MAPPING) return;
  for (int i = 0; i < 2; i++) {
    t->doors[i] = thirl_natcheck_dial_open(&t->dial, 0);
    add(t, (thirl_natcheck_call){.door = t->doors[i], .to = t->asked});
  }
}

static bool prepare_hairpin(thirl_natcheck_tcp *t) {
  const thirl_natcheck_dialled *a = get(t, 0), *b = get(t, 1);
  if (!a->answered || !b->answered) return false;
  thirl_addr to[2] = {b->mapped, a->mapped};
  if (!thirl_natcheck_classify_may_meet(&t->asked, &to[0]) || !thirl_natcheck_classify_may_meet(&t->asked, &to[1]))
    return false;
  t->from = t->dial.n_calls;
  for (int i = 0; i < 2; i++)
    add(t, (thirl_natcheck_call){.door = t->doors[i], .to = to[i], .mute = true, .patience = MEETING});
  t->prepared = true;
  return true;
}

static bool has_met(const thirl_natcheck_tcp *t, bool *inner) {
  bool met = get(t, 0)->connected && get(t, 1)->connected; /* both SYNs crossed */
  for (int i = 0; i < 2; i++) {
    if (t->doors[i] >= t->dial.n_doors || t->doors[1 - i] >= t->dial.n_doors) return met;
    const thirl_natcheck_door *d = &t->dial.doors[t->doors[i]];
    for (unsigned k = 0; k < d->n_knocks; k++) {
      bool is_inner = thirl_addr_same_ip(&d->knocks[k], &t->out->local);
      bool is_ours = is_inner || thirl_addr_same_ip(&d->knocks[k], &get(t, 0)->c.to);
      *inner |= is_inner;
      met |= is_ours && get(t, (unsigned)(1 - i))->connected;
    }
  }
  return met;
}

static bool finish_hairpin(thirl_natcheck_tcp *t) {
  thirl_natcheck_protocol *out = t->out;
  if (!t->hairpin_wanted) return true;
  out->hairpin_why = THIRL_NATCHECK_WHY_KNOWN;
  if (out->mapping == THIRL_NATCHECK_NO_MAPPING) {
    out->hairpin = THIRL_NATCHECK_YES;
    return true;
  }
  if (!t->prepared) {
    if (prepare_hairpin(t)) return false;
    out->hairpin_why = THIRL_NATCHECK_WHY_NO_ANSWER;
    return true;
  }
  if (has_met(t, &out->hairpin_shows_inner)) {
    out->hairpin = THIRL_NATCHECK_YES;
    return true;
  }
  thirl_natcheck_hairpin_conclude_silence(out);
  bool refused = get(t, 0)->error == THIRL_E_REFUSED || get(t, 1)->error == THIRL_E_REFUSED;
  if (out->hairpin == THIRL_NATCHECK_NO && refused && out->filtering != THIRL_NATCHECK_EIF) {
    out->hairpin = THIRL_NATCHECK_UNKNOWN; /* the first SYN is refused before the second can open the filter for it */
    out->hairpin_why = THIRL_NATCHECK_WHY_FILTERED;
  }
  return true;
}

/* ---- the order ---- */

static void seal(thirl_natcheck_protocol *p, thirl_natcheck_why why) {
  if (p->mapping == THIRL_NATCHECK_MAPPING_UNKNOWN && !p->mapping_why) p->mapping_why = why;
  if (p->filtering == THIRL_NATCHECK_FILTERING_UNKNOWN && !p->filtering_why) p->filtering_why = why;
  if (p->allocation.model == THIRL_NATCHECK_ALLOCATION_UNKNOWN && !p->allocation.why) p->allocation.why = why;
}

static void begin_step(thirl_natcheck_tcp *t, thirl_time now, thirl_natcheck_tcp_step step) {
  t->step = step;
  t->begun = now;
  t->settle = 0;
  t->from = t->dial.n_calls;
  switch (step) {
  case THIRL_NATCHECK_TCP_REACH:
    begin_reach(t);
    break;
  case THIRL_NATCHECK_TCP_FILTER:
    begin_filter(t, 0);
    break;
  case THIRL_NATCHECK_TCP_MAP:
    begin_map(t);
    break;
  case THIRL_NATCHECK_TCP_RECHECK:
    begin_recheck(t, now);
    break;
  case THIRL_NATCHECK_TCP_SAMPLE:
    begin_sample(t);
    break;
  case THIRL_NATCHECK_TCP_HAIRPIN:
    begin_hairpin(t);
    break;
  case THIRL_NATCHECK_TCP_OVER:
    seal(t->out, t->out->why ? t->out->why : THIRL_NATCHECK_WHY_STOPPED);
    thirl_natcheck_dial_end(&t->dial);
    break;
  case THIRL_NATCHECK_TCP_IDLE:
    break;
  }
}

static bool finish_step(thirl_natcheck_tcp *t, thirl_time now) {
  switch (t->step) {
  case THIRL_NATCHECK_TCP_REACH:
    finish_reach(t);
    return true;
  case THIRL_NATCHECK_TCP_FILTER:
    return finish_filter(t, now);
  case THIRL_NATCHECK_TCP_MAP:
    finish_map(t);
    return true;
  case THIRL_NATCHECK_TCP_RECHECK:
    finish_recheck(t);
    return true;
  case THIRL_NATCHECK_TCP_SAMPLE:
    return finish_sample(t);
  case THIRL_NATCHECK_TCP_HAIRPIN:
    return finish_hairpin(t);
  default:
    return true;
  }
}

/* One step further when all calls of this one are done. False: there is nothing to do but wait. */
static bool evaluate(thirl_natcheck_tcp *t, thirl_time now) {
  if (t->step == THIRL_NATCHECK_TCP_IDLE || t->step == THIRL_NATCHECK_TCP_OVER) return false;
  if (t->step == THIRL_NATCHECK_TCP_REACH) hasten_reach(t, now);
  if (!thirl_natcheck_dial_is_idle(&t->dial)) return false;
  bool listens = t->step == THIRL_NATCHECK_TCP_FILTER || t->step == THIRL_NATCHECK_TCP_HAIRPIN;
  if (listens && t->from < t->dial.n_calls) {
    if (!t->settle) t->settle = thirl_time_after(now, SETTLE);
    if (now < t->settle) return false;
    t->settle = 0;
  }
  if (finish_step(t, now)) {
    bool silent = t->out->reachable != THIRL_NATCHECK_YES;
    begin_step(t, now, silent ? THIRL_NATCHECK_TCP_OVER : t->step + 1);
  }
  return true;
}

void thirl_natcheck_tcp_start(thirl_natcheck_tcp *t, thirl_time now) {
  t->out->why = THIRL_NATCHECK_WHY_KNOWN;
  t->out->hairpin_why = THIRL_NATCHECK_WHY_NOT_ASKED;
  begin_step(t, now, THIRL_NATCHECK_TCP_REACH);
}

void thirl_natcheck_tcp_stop(thirl_natcheck_tcp *t) {
  if (t->step == THIRL_NATCHECK_TCP_OVER) return;
  if (t->step <= THIRL_NATCHECK_TCP_REACH) t->out->why = THIRL_NATCHECK_WHY_STOPPED;
  begin_step(t, t->begun, THIRL_NATCHECK_TCP_OVER);
}

bool thirl_natcheck_tcp_input(thirl_natcheck_tcp *t, thirl_time now, const thirl_net_event *ev) {
  return thirl_natcheck_dial_input(&t->dial, now, ev);
}

bool thirl_natcheck_tcp_poll(thirl_natcheck_tcp *t, thirl_time now, thirl_net_action *out) {
  do
    if (thirl_natcheck_dial_poll(&t->dial, now, out)) return true;
  while (evaluate(t, now));
  return false;
}

size_t thirl_natcheck_tcp_pull(thirl_natcheck_tcp *t, thirl_net_id id, uint8_t *buf, size_t cap) {
  return thirl_natcheck_dial_pull(&t->dial, id, buf, cap);
}

thirl_time thirl_natcheck_tcp_deadline(const thirl_natcheck_tcp *t) {
  thirl_time due = thirl_natcheck_dial_deadline(&t->dial);
  if (t->step == THIRL_NATCHECK_TCP_REACH && has_answer(t))
    due = THIRL_MIN(due, thirl_time_after(t->begun, STRAGGLERS));
  return t->settle ? THIRL_MIN(due, t->settle) : due;
}
