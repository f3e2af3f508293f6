/* SPDX-License-Identifier: MIT */
#include "tune/choice.h"

#include <stdio.h>
#include <string.h>

#include "tune/allow.h"

static const char reserved[] = "net.ipv4.ip_local_reserved_ports";

bool thirl_tune_choice_is_due(const thirl_tune_report *r, thirl_tune_id id) {
  const thirl_tune_finding *f = &r->finding[id];
  return id != THIRL_TUNE_NONE && r->asked[id] && f->level >= THIRL_TUNE_LEVEL_WARN && f->cause == THIRL_TUNE_NONE;
}

void thirl_tune_choice_reason(const thirl_tune_report *r, thirl_tune_id id, char out[THIRL_TUNE_REASON_MAX]) {
  const thirl_tune_row *row = thirl_tune_catalogue_row(id);
  int n = snprintf(out, THIRL_TUNE_REASON_MAX, "%s, %s: %s", row->word, row->title, r->finding[id].observed);
  if (n >= THIRL_TUNE_REASON_MAX) memcpy(out + THIRL_TUNE_REASON_MAX - 4, "...", 4);
}

/* Is list a part of ports, between commas? */
static bool has_ports(const char *ports, const char *list) {
  size_t n = strlen(list);
  for (const char *p = ports; (p = strstr(p, list)) != NULL; p++)
    if ((p == ports || p[-1] == ',') && (p[n] == '\0' || p[n] == ',')) return true;
  return false;
}

/* Ports that are reserved already stay so. */
static void join_ports(char made[THIRL_TUNE_VALUE_MAX], const char *more) {
  size_t n = strlen(made);
  if (*more == '\0' || has_ports(made, more) || n + 1 + strlen(more) >= THIRL_TUNE_VALUE_MAX) return;
  snprintf(made + n, THIRL_TUNE_VALUE_MAX - n, "%s%s", n ? "," : "", more);
}

static thirl_tune_choice *find(thirl_tune_choice *list, unsigned n, const char *name) {
  for (unsigned i = 0; i < n; i++)
    if (strcmp(list[i].change.name, name) == 0) return &list[i];
  return NULL;
}

static void fill(const thirl_tune_report *r, thirl_tune_id id, const thirl_tune_setting *s, thirl_tune_choice *c) {
  *c = (thirl_tune_choice){.id = id, .is_elsewhere = r->finding[id].is_elsewhere};
  snprintf(c->change.name, sizeof c->change.name, "%s", s->key);
  snprintf(c->change.old, sizeof c->change.old, "%s", s->was);
  if (strcmp(s->key, reserved) == 0) join_ports(c->change.made, s->was);
  if (strcmp(s->key, reserved) == 0)
    join_ports(c->change.made, s->value);
  else
    snprintf(c->change.made, sizeof c->change.made, "%s", s->value);
  thirl_tune_choice_reason(r, id, c->change.why);
}

unsigned thirl_tune_choice_make(const thirl_tune_report *r, thirl_tune_choice out[THIRL_TUNE_CHOICES_MAX]) {
  unsigned n = 0;
  for (unsigned i = 1; i < THIRL_TUNE_ID_COUNT; i++) {
    const thirl_tune_finding *f = &r->finding[i];
    if (!thirl_tune_choice_is_due(r, (thirl_tune_id)i)) continue;
    for (unsigned k = 0; k < f->n_set; k++) {
      const thirl_tune_setting *s = &f->set[k];
      thirl_tune_choice *known = find(out, n, s->key);
      if (known && strcmp(s->key, reserved) == 0) join_ports(known->change.made, s->value);
      if (known || n == THIRL_TUNE_CHOICES_MAX || s->value[0] == '\0') continue;
      if (thirl_tune_allow_same(s->was, s->value)) continue;
      fill(r, (thirl_tune_id)i, s, &out[n++]);
    }
  }
  return n;
}
