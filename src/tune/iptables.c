/* SPDX-License-Identifier: MIT */
/* As with nft, no rule is believed to be an exception that has a condition which is not understood. */
#include "tune/iptables.h"

#include <stdio.h>

#include "tune/ports.h"

/* One line "-A CHAIN CONDITION... -j TARGET OPTION...". */
typedef struct rule {
  thirl_tune_text chain, target, helper;
  bool is_udp, has_other; /* other: a condition that is not "-p udp" with a port */
  bool is_random, is_persistent, is_notrack, asks_state, has_established;
  thirl_tune_ports by_source, by_destination;
  bool has_source, has_destination;
} rule;

/* "3478", "49152:65535" */
static bool read_ports(thirl_tune_ports *set, thirl_tune_text t) {
  thirl_tune_text front = t;
  int64_t first, last;
  bool is_range = thirl_tune_text_cut(&t, ':', &front);
  if (!thirl_tune_text_decimal(front, &first)) return false;
  last = first;
  if (is_range && !thirl_tune_text_decimal(t, &last)) return false;
  thirl_tune_ports_add(set, first, last);
  return true;
}

static bool read_target(rule *r, thirl_tune_text word, thirl_tune_text *rest) {
  if (thirl_tune_text_is(word, "-j") || thirl_tune_text_is(word, "-g")) return thirl_tune_text_word(rest, &r->target);
  if (thirl_tune_text_is(word, "--helper")) return thirl_tune_text_word(rest, &r->helper);
  if (thirl_tune_text_is(word, "--random") || thirl_tune_text_is(word, "--random-fully"))
    r->is_random = true;
  else if (thirl_tune_text_is(word, "--persistent"))
    r->is_persistent = true;
  else if (thirl_tune_text_is(word, "--notrack"))
    r->is_notrack = true;
  else
    return false;
  return true;
}

static bool read_condition(rule *r, thirl_tune_text word, thirl_tune_text *rest) {
  thirl_tune_text value;
  if (!thirl_tune_text_word(rest, &value)) return false;
  if (thirl_tune_text_is(word, "-p")) {
    r->is_udp = thirl_tune_text_is(value, "udp");
    return true;
  }
  if (thirl_tune_text_is(word, "-m")) {
    r->asks_state |= thirl_tune_text_is(value, "conntrack") || thirl_tune_text_is(value, "state");
    return true;
  }
  if (thirl_tune_text_is(word, "--dport")) return r->has_destination = read_ports(&r->by_destination, value);
  if (thirl_tune_text_is(word, "--sport")) return r->has_source = read_ports(&r->by_source, value);
  if (thirl_tune_text_is(word, "--ctstate") || thirl_tune_text_is(word, "--state"))
    r->has_established |= thirl_tune_text_has(value, "ESTABLISHED");
  return false;
}

static void read_words(rule *r, thirl_tune_text rest) {
  thirl_tune_text word;
  if (!thirl_tune_text_word(&rest, &r->chain)) return;
  while (thirl_tune_text_word(&rest, &word)) {
    if (read_target(r, word, &rest)) continue;
    if (r->target.n) continue; /* what follows the target belongs to it */
    if (thirl_tune_text_is(word, "!") || !read_condition(r, word, &rest)) r->has_other = true;
  }
}

static void merge(thirl_tune_ports *to, const thirl_tune_ports *from) {
  for (size_t i = 0; i < sizeof to->bits; i++)
    to->bits[i] |= from->bits[i];
}

/* Adds the UDP ports that the rule is about, if it is about nothing else; without a port those are all. */
static void add_ports(thirl_tune_ports *to, const rule *r, bool by_source) {
  const thirl_tune_ports *set = by_source ? &r->by_source : &r->by_destination;
  bool has_set = by_source ? r->has_source : r->has_destination,
       has_wrong = by_source ? r->has_destination : r->has_source;
  bool any_protocol = !r->is_udp && !has_set && !has_wrong;
  if (r->has_other || has_wrong || r->asks_state || (!r->is_udp && !any_protocol)) return;
  if (has_set)
    merge(to, set);
  else
    thirl_tune_ports_add(to, 0, UINT16_MAX);
}

static bool is_base(thirl_tune_text chain) {
  static const char *const names[] = {"INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (thirl_tune_text_is(chain, names[i])) return true;
  return false;
}

static void judge_target(thirl_tune_ruleset *s, const rule *r) {
  thirl_tune_text t = r->target;
  bool is_source = thirl_tune_text_is(t, "MASQUERADE") || thirl_tune_text_is(t, "SNAT");
  bool is_other = thirl_tune_text_is(t, "DNAT") || thirl_tune_text_is(t, "REDIRECT") || thirl_tune_text_is(t, "NETMAP");
  if (is_source || is_other) s->has_nat = s->uses_conntrack = true;
  if (is_source) {
    s->has_masquerade = true;
    s->random_ports |= r->is_random;
    s->persistent |= r->is_persistent;
  }
  if (thirl_tune_text_is(t, "CT") && r->helper.n) s->has_helper = s->uses_conntrack = true;
  if (thirl_tune_text_is(t, "NOTRACK") || (thirl_tune_text_is(t, "CT") && r->is_notrack)) {
    if (thirl_tune_text_is(r->chain, "PREROUTING")) add_ports(&s->notrack_in, r, false);
    if (thirl_tune_text_is(r->chain, "OUTPUT")) add_ports(&s->notrack_out, r, true);
  }
}

/* A chain of the administrator may accept: where it leads is not followed. */
static bool accepts_perhaps(thirl_tune_text target) {
  return target.n && !thirl_tune_text_is(target, "DROP") && !thirl_tune_text_is(target, "REJECT") &&
         !thirl_tune_text_is(target, "RETURN") && !thirl_tune_text_is(target, "LOG") &&
         !thirl_tune_text_is(target, "TCPMSS") && !thirl_tune_text_is(target, "MARK");
}

static void judge_rule(thirl_tune_ruleset *s, const rule *r) {
  bool is_own = !is_base(r->chain);
  judge_target(s, r);
  s->uses_conntrack |= r->asks_state;
  if (is_own || thirl_tune_text_is(r->chain, "FORWARD")) s->forward_accepts |= accepts_perhaps(r->target);
  if (!thirl_tune_text_is(r->target, "ACCEPT")) return;
  if (r->asks_state && r->has_established) s->input_accepts_established = true;
  if (is_own || thirl_tune_text_is(r->chain, "INPUT")) add_ports(&s->accepted, r, false);
}

/* ":FORWARD DROP [0:0]" */
static void judge_policy(thirl_tune_ruleset *s, thirl_tune_text line) {
  thirl_tune_text chain, policy;
  line = (thirl_tune_text){line.p + 1, line.n - 1};
  if (!thirl_tune_text_word(&line, &chain) || !thirl_tune_text_word(&line, &policy)) return;
  if (!thirl_tune_text_is(policy, "DROP")) return;
  if (thirl_tune_text_is(chain, "FORWARD")) s->forward_drops = true;
  if (!thirl_tune_text_is(chain, "INPUT")) return;
  s->input_drops = true;
  if (!s->input_chain[0]) snprintf(s->input_chain, sizeof s->input_chain, "ip filter INPUT");
}

bool thirl_tune_iptables_parse(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_ruleset *s = &f->ruleset;
  thirl_tune_text line;
  bool all_understood = true;
  while (thirl_tune_text_line(&t, &line)) {
    if (!line.n || line.p[0] == '#' || line.p[0] == '*' || thirl_tune_text_is(line, "COMMIT")) continue;
    if (line.p[0] == ':') {
      judge_policy(s, line);
    } else if (thirl_tune_text_begins(line, "-A ")) {
      rule r = {0};
      read_words(&r, (thirl_tune_text){line.p + 3, line.n - 3});
      judge_rule(s, &r);
    } else {
      all_understood = false;
    }
  }
  return all_understood;
}
