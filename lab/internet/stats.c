/* SPDX-License-Identifier: MIT */
#include "lab/internet/stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* What seldom happens is said when it has happened. */
static void say(FILE *out, uint64_t n, const char *what) {
  if (n > 0) fprintf(out, ", %" PRIu64 " %s", n, what);
}

static void write_way(FILE *out, const char *way, const thirl_lab_link_stats *s) {
  fprintf(out, "  %-5s %" PRIu64 " packets, %" PRIu64 " bytes", way, s->packets, s->bytes);
  say(out, s->lost, "lost");
  say(out, s->dropped, "dropped by a full queue");
  say(out, s->doubled, "doubled");
  say(out, s->late, "late");
  say(out, s->too_big, "too big");
  fputc('\n', out);
}

static void write_cable(FILE *out, const thirl_lab_engine_machine *e, const char *name, thirl_lab_engine_port at) {
  thirl_lab_engine_counts c;
  if (thirl_lab_engine_count(e, at, &c) != THIRL_OK) return;
  fprintf(out, "%s%s", name, at.inner ? " inner" : "");
  say(out, c.unrouted, "packets that lead nowhere");
  say(out, c.expired, "out of time to live");
  say(out, c.malformed, "malformed");
  say(out, c.fragments, "fragments dropped");
  say(out, c.untranslatable, "of protocols that the NAT does not know");
  say(out, c.unresolved, "to addresses that nobody has");
  fputc('\n', out);
  write_way(out, "up", &c.up);
  write_way(out, "down", &c.down);
}

static void write_box(FILE *out, thirl_natbox *box, const char *family, thirl_time now) {
  if (!box) return;
  thirl_natbox_counters c = thirl_natbox_count(box);
  fprintf(out, "  %-5s %zu mappings, %zu flows, %" PRIu64 " packets out, %" PRIu64 " in", family,
          thirl_natbox_count_bindings(box, now), thirl_natbox_count_sessions(box, now), c.passed_out, c.passed_in);
  say(out, c.hairpinned, "back to the inside");
  say(out, c.replied, "answered by the box");
  say(out, c.unsolicited, "that nobody had asked for");
  say(out, c.invalid, "invalid");
  say(out, c.limited, "for which there was no room");
  say(out, c.refused, "refused");
  fputc('\n', out);
}

char *thirl_lab_stats_write(const thirl_lab_engine_machine *e, const thirl_lab_topology *t, thirl_time now) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  if (!out) return NULL;
  for (size_t i = 0; i < t->n_nodes; i++) {
    const thirl_lab_node *n = &t->nodes[i];
    write_cable(out, e, n->name, (thirl_lab_engine_port){.node = i});
    if (n->kind != THIRL_LAB_NAT) continue;
    if (thirl_lab_model_address(&n->inner, THIRL_FAMILY_V4))
      write_box(out, thirl_lab_engine_get_box(e, i, THIRL_FAMILY_V4), "IPv4", now);
    if (thirl_lab_model_address(&n->inner, THIRL_FAMILY_V6))
      write_box(out, thirl_lab_engine_get_box(e, i, THIRL_FAMILY_V6), "IPv6", now);
    write_cable(out, e, n->name, (thirl_lab_engine_port){.node = i, .inner = true});
  }
  bool failed = ferror(out) != 0;
  if (fclose(out) == 0 && !failed) return text;
  free(text);
  return NULL;
}
