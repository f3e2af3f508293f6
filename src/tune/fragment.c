/* SPDX-License-Identifier: MIT */
#include "tune/fragment.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tune/allow.h"
#include "tune/choice.h"
#include "tune/page.h"

enum { STUN_PORT = 3478, FILES_LEAST = 65536, NR_OPEN_DEFAULT = 1048576 };

/* What one format is made of. */
typedef struct page {
  const thirl_tune_report *report;
  const thirl_tune_demand *demand;
  thirl_buffer *out;
  thirl_error error;
} page;

#define ADD(p, ...) thirl_tune_page_add((p)->out, &(p)->error, __VA_ARGS__)

static void comment(page *p, const char *words) {
  thirl_tune_page_comment(p->out, &p->error, words);
}

static void say_why(page *p, thirl_tune_id id) {
  char why[THIRL_TUNE_REASON_MAX];
  thirl_tune_choice_reason(p->report, id, why);
  comment(p, why);
  comment(p, thirl_tune_catalogue_row(id)->does);
}

/* The first that is due of some ids; NONE. */
static thirl_tune_id first_due(const page *p, const thirl_tune_id *ids, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    if (thirl_tune_choice_is_due(p->report, ids[i])) return ids[i];
  return THIRL_TUNE_NONE;
}

bool thirl_tune_fragment_find(const char *word, unsigned *formats) {
  static const struct {
    const char *word;
    unsigned mask;
  } words[] = {{"sysctl", THIRL_TUNE_FRAGMENT_SYSCTL},
               {"systemd", THIRL_TUNE_FRAGMENT_SYSTEMD},
               {"limits", THIRL_TUNE_FRAGMENT_LIMITS},
               {"nft", THIRL_TUNE_FRAGMENT_NFT},
               {"all", THIRL_TUNE_FRAGMENT_ALL}};
  for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp(words[i].word, word) == 0) {
      *formats = words[i].mask;
      return true;
    }
  return false;
}

/* ---- sysctl.d ---- */

static void print_setting(page *p, const thirl_tune_choice *c) {
  const thirl_tune_change *s = &c->change;
  const char *refused = thirl_tune_allow_refuse(s->name, s->made);
  ADD(p, "\n");
  comment(p, s->why);
  comment(p, thirl_tune_catalogue_row(c->id)->does);
  if (s->old[0])
    ADD(p, "# was %s; to undo: delete the line, then sysctl -w '%s=%s'\n", s->old, s->name, s->old);
  else
    ADD(p, "# what it was is not known here: look at it before, to be able to undo\n");
  if (c->is_elsewhere) comment(p, "It belongs to the host and cannot be set here: for a file on the host.");
  if (refused) comment(p, "\"thirl tune --apply\" does not write it:"), comment(p, refused);
  ADD(p, "%s%s = %s\n", c->is_elsewhere ? "#" : "", s->name, s->made);
}

static void print_sysctl(page *p) {
  thirl_tune_choice *list = calloc(THIRL_TUNE_CHOICES_MAX, sizeof *list);
  if (!list) {
    p->error = THIRL_E_NOMEM;
    return;
  }
  unsigned n = thirl_tune_choice_make(p->report, list);
  ADD(p, "# /etc/sysctl.d/60-thirl.conf; takes effect with: sysctl -p /etc/sysctl.d/60-thirl.conf\n");
  if (n == 0) ADD(p, "# nothing to change\n");
  for (unsigned i = 0; i < n; i++)
    print_setting(p, &list[i]);
  free(list);
}

/* ---- open files ---- */

static const thirl_tune_id file_ids[] = {THIRL_TUNE_FD1, THIRL_TUNE_FD2, THIRL_TUNE_FD4};
enum { N_FILE_IDS = sizeof file_ids / sizeof *file_ids };

int64_t thirl_tune_fragment_files(int64_t needed) {
  int64_t n = FILES_LEAST;
  while (n < needed + needed / 4 && n < INT64_C(1) << 30)
    n *= 2;
  return n;
}

static int64_t files_wanted(page *p) {
  int64_t n = thirl_tune_fragment_files(thirl_tune_demand_files(p->demand));
  if (n > NR_OPEN_DEFAULT)
    ADD(p, "# needs fs.nr_open = %" PRId64 " or more first: above it the limit cannot be set\n", n);
  return n;
}

static void print_systemd(page *p) {
  thirl_tune_id id = first_due(p, file_ids, N_FILE_IDS);
  ADD(p,
      "# /etc/systemd/system/thirld.service.d/60-thirl.conf; takes effect with: systemctl daemon-reload && systemctl "
      "restart thirld\n# to undo: delete the file, then the same two\n");
  if (id == THIRL_TUNE_NONE) {
    ADD(p, "# nothing to change\n");
    return;
  }
  ADD(p, "[Service]\n");
  say_why(p, id);
  comment(p, "A service never reads limits.d: this is its place. Afterwards look at /proc/PID/limits.");
  ADD(p, "LimitNOFILE=%" PRId64 "\n", files_wanted(p));
}

static void print_limits(page *p) {
  thirl_tune_id id = first_due(p, file_ids, N_FILE_IDS);
  ADD(p, "# /etc/security/limits.d/60-thirl.conf; takes effect at the next login; to undo: delete the file\n");
  comment(p, "For who starts the server from a login session. A service of systemd never reads it: there LimitNOFILE= "
             "in the unit.");
  if (id == THIRL_TUNE_NONE) {
    ADD(p, "# nothing to change\n");
    return;
  }
  say_why(p, id);
  comment(p, "A value above fs.nr_open would lock everybody out. \"*\" does not mean root.");
  int64_t n = files_wanted(p);
  ADD(p, "*    - nofile %" PRId64 "\nroot - nofile %" PRId64 "\n", n, n);
}

/* ---- nft ---- */

static void print_ports(page *p, const char *indent, const char *which, const char *verdict) {
  const thirl_tune_demand *d = p->demand;
  ADD(p, "%sudp %s %d %s\n", indent, which, (int)STUN_PORT, verdict);
  if (d->relay_first)
    ADD(p, "%sudp %s %" PRId64 "-%" PRId64 " %s\n", indent, which, d->relay_first, d->relay_last, verdict);
}

static void print_nft(page *p) {
  ADD(p, "# /etc/nftables.d/60-thirl.nft, or a part of /etc/nftables.conf; takes effect with: nft -f FILE\n"
         "# to undo: nft delete table inet thirl_notrack, and delete the accepts\n");
  if (!thirl_tune_choice_is_due(p->report, THIRL_TUNE_CT1)) {
    ADD(p, "# nothing to change\n");
    return;
  }
  say_why(p, THIRL_TUNE_CT1);
  comment(p, "Both directions are needed. The rules must be there before the flows: entries that exist stay.");
  ADD(p, "table inet thirl_notrack {\n  chain pre {\n    type filter hook prerouting priority raw; policy accept;\n");
  print_ports(p, "    ", "dport", "notrack");
  ADD(p, "  }\n  chain out {\n    type filter hook output priority raw; policy accept;\n");
  print_ports(p, "    ", "sport", "notrack");
  ADD(p, "  }\n}\n");
  comment(p,
          "After this \"ct state established accept\" no longer matches these packets. FIRST put these into your own "
          "chains that drop, before the drop, or the server is cut off; an accept in another table does not help:");
  ADD(p, "# in the chain of hook input:\n");
  print_ports(p, "#   ", "dport", "accept");
  ADD(p, "# in the chain of hook output, if it drops:\n");
  print_ports(p, "#   ", "sport", "accept");
}

thirl_error thirl_tune_fragment_format(const thirl_tune_report *r, const thirl_tune_demand *d, unsigned formats,
                                       thirl_buffer *out) {
  static void (*const printers[])(page *) = {print_sysctl, print_systemd, print_limits, print_nft};
  page p = {.report = r, .demand = d, .out = out};
  bool is_later = false;
  for (unsigned i = 0; i < sizeof printers / sizeof *printers; i++) {
    if (!(formats & (1u << i))) continue;
    if (is_later) ADD(&p, "\n");
    printers[i](&p);
    is_later = true;
  }
  return p.error;
}
