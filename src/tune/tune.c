/* SPDX-License-Identifier: MIT */
/* Every judge is asked, then what is a symptom of what. */
#include "tune/tune.h"

#include <stdio.h>
#include <string.h>

#include "tune/judges.h"
#include "tune/sysctl.h"

/* ---- settings ---- */

/* Read-only in a child: what belongs to the host, or is mounted so. */
static bool is_elsewhere(const thirl_tune_facts *f, thirl_tune_scope scope) {
  return scope == THIRL_TUNE_SCOPE_NETWORK || (scope == THIRL_TUNE_SCOPE_HOST && f->home == THIRL_TUNE_HOME_CHILD) ||
         (scope != THIRL_TUNE_SCOPE_PROCESS && f->sys_is_read_only);
}

static void take_row_settings(thirl_tune_finding *f, const thirl_tune_row *row) {
  for (unsigned i = 0; i < THIRL_TUNE_SETTINGS && row->set[i].key; i++)
    if (row->set[i].value) thirl_tune_verdict_set(f, row->set[i].key, "%s", row->set[i].value);
}

/* What a setting was, so that it can be put back; a finding must not ask for what is set already. */
static void remember(thirl_tune_finding *f, const thirl_tune_facts *facts) {
  unsigned kept = 0;
  for (unsigned i = 0; i < f->n_set; i++) {
    thirl_tune_setting *s = &f->set[i];
    thirl_tune_sysctl which;
    bool reserved = strcmp(s->key, "net.ipv4.ip_local_reserved_ports") == 0;
    if (reserved && facts->reserved.why == THIRL_TUNE_WHY_READ)
      snprintf(s->was, sizeof s->was, "%s", facts->reserved_text[0] ? facts->reserved_text : "none");
    else if (thirl_tune_sysctl_find(s->key, &which) && facts->sysctl[which].why == THIRL_TUNE_WHY_READ)
      snprintf(s->was, sizeof s->was, "%s", facts->sysctl_text[which]);
    else if (strcmp(s->key, "net.core.default_qdisc") == 0 && facts->default_qdisc.why == THIRL_TUNE_WHY_READ)
      snprintf(s->was, sizeof s->was, "%s", facts->default_qdisc.text);
    if (strcmp(s->was, s->value) != 0) f->set[kept++] = *s;
  }
  f->n_set = kept;
}

/* ---- asking ---- */

static void ask(const thirl_tune_case *c, thirl_tune_report *r, thirl_tune_id id, thirl_tune_judge *judge) {
  const thirl_tune_row *row = thirl_tune_catalogue_row(id);
  thirl_tune_finding *f = &r->finding[id];
  *f = (thirl_tune_finding){.id = id, .scope = row->scope};
  r->asked[id] = row->profiles >> c->profile & 1;
  if (!r->asked[id]) return;
  take_row_settings(f, row);
  judge(c, f);
  if (f->level <= THIRL_TUNE_LEVEL_OK) f->n_set = 0;
  f->is_elsewhere = is_elsewhere(c->after, f->scope);
  remember(f, c->after);
}

static void ask_all(const thirl_tune_case *c, thirl_tune_report *r) {
  static const struct {
    thirl_tune_id first, behind;
    thirl_tune_judge *const *judges;
  } sections[] = {{THIRL_TUNE_FD1, THIRL_TUNE_UDP1, thirl_tune_judge_memory},
                  {THIRL_TUNE_UDP1, THIRL_TUNE_TCP1, thirl_tune_judge_udp},
                  {THIRL_TUNE_TCP1, THIRL_TUNE_CT1, thirl_tune_judge_tcp},
                  {THIRL_TUNE_CT1, THIRL_TUNE_IP1, thirl_tune_judge_conntrack},
                  {THIRL_TUNE_IP1, THIRL_TUNE_NAT1, thirl_tune_judge_device},
                  {THIRL_TUNE_NAT1, THIRL_TUNE_ID_COUNT, thirl_tune_judge_reach}};
  for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
    for (unsigned id = sections[i].first; id < sections[i].behind; id++)
      ask(c, r, (thirl_tune_id)id, sections[i].judges[id - sections[i].first]);
}

/* ---- causes ---- */

static bool is_found(const thirl_tune_report *r, thirl_tune_id id) {
  return r->asked[id] && r->finding[id].level > THIRL_TUNE_LEVEL_INFO;
}

/* The first cause that was found; causes of causes are followed, and the table has no circles. */
static thirl_tune_id cause_of(const thirl_tune_report *r, thirl_tune_id id) {
  const thirl_tune_row *row = thirl_tune_catalogue_row(id);
  for (unsigned i = 0; i < THIRL_TUNE_CAUSES && row->causes[i]; i++) {
    if (!is_found(r, row->causes[i])) continue;
    thirl_tune_id deeper = cause_of(r, row->causes[i]);
    return deeper ? deeper : row->causes[i];
  }
  return THIRL_TUNE_NONE;
}

static void explain(thirl_tune_report *r) {
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++)
    r->finding[id].explained = r->finding[id].level;
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++) {
    thirl_tune_finding *f = &r->finding[id];
    if (!r->asked[id] || f->level < THIRL_TUNE_LEVEL_INFO) continue;
    f->cause = cause_of(r, (thirl_tune_id)id);
    if (f->cause && r->finding[f->cause].explained < f->level) r->finding[f->cause].explained = f->level;
  }
}

void thirl_tune_evaluate(const thirl_tune_case *c, thirl_tune_report *r) {
  memset(r, 0, sizeof *r);
  r->profile = c->profile;
  r->worst = THIRL_TUNE_LEVEL_OK;
  ask_all(c, r);
  explain(r);
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++) {
    if (!r->asked[id]) continue;
    r->n_level[r->finding[id].level]++;
    if (r->finding[id].level > r->worst) r->worst = r->finding[id].level;
  }
}

/* ---- for whom? ---- */

thirl_tune_profile thirl_tune_guess(const thirl_tune_facts *f) {
  thirl_tune_number forward = f->sysctl[THIRL_TUNE_SYSCTL_IP_FORWARD];
  if (f->process.why == THIRL_TUNE_WHY_READ && strcmp(f->process.name, "thirld") == 0) return THIRL_TUNE_SERVER;
  bool forwards = forward.why == THIRL_TUNE_WHY_READ && forward.v;
  return forwards && f->ruleset.has_nat ? THIRL_TUNE_ROUTER : THIRL_TUNE_CLIENT;
}
