/* SPDX-License-Identifier: MIT */
/* Reachability, as far as it shows without a packet to anybody. */
#include <string.h>

#include "tune/judges.h"
#include "tune/ports.h"
#include "tune/short.h"

/* ---- what thirl nat has measured ---- */

static bool is(const char *word, const char *expected) {
  return strcmp(word, expected) == 0;
}

/* There is a report, and it knows this. */
static bool reported(const thirl_tune_case *c, thirl_tune_finding *f, const char *word) {
  if (c->after->nat.why == THIRL_TUNE_WHY_READ && !is(word, "unknown")) return true;
  unknown(f, THIRL_TUNE_WHY_ELSEWHERE);
  return false;
}

static void nat1(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_nat *n = &c->after->nat;
  if (!reported(c, f, n->mapping)) return;
  bool symmetric = is(n->mapping, "address-and-port-dependent"), halfway = is(n->mapping, "address-dependent");
  say(f, symmetric ? WARN : halfway ? INFO : OK, SETTING, "mapping %s, filtering %s", n->mapping, n->filtering);
  if (f->level != OK) expect(f, "endpoint-independent");
}

static void nat2(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_nat *n = &c->after->nat;
  if (!reported(c, f, n->reachable)) return;
  bool yes = is(n->reachable, "yes");
  say(f, yes ? OK : CRIT, SETTING, yes ? "a server answered over UDP" : "no server answered over UDP");
}

static void nat3(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_nat *n = &c->after->nat;
  if (!reported(c, f, n->reachable)) return;
  if (n->lifetime_s.why != THIRL_TUNE_WHY_READ) {
    unknown(f, THIRL_TUNE_WHY_ELSEWHERE);
    return;
  }
  say(f, n->lifetime_s.v < 30 ? WARN : OK, SETTING, "an idle mapping lives for %" PRId64 " s at least",
      n->lifetime_s.v);
  if (f->level != OK) expect(f, "30 s or more; RFC 4787 wants 120 s");
}

static void nat4(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_nat *n = &c->after->nat;
  bool any = is(n->pcp, "yes") || is(n->natpmp, "yes") || is(n->upnp, "yes");
  if (!reported(c, f, any ? "yes" : n->upnp)) return;
  say(f, any ? OK : INFO, SETTING, "PCP %s, NAT-PMP %s, UPnP %s, hairpin %s", n->pcp, n->natpmp, n->upnp, n->hairpin);
  if (!any) expect(f, "one of them switched on at the router");
}

/* ---- what needs packets that nobody sends yet ---- */

static void not_looked(const thirl_tune_case *c, thirl_tune_finding *f) {
  (void)c;
  unknown(f, THIRL_TUNE_WHY_NOT_LOOKED);
}

/* ---- the rest ---- */

/* A server's packets that are exempt from tracking have no state: only a rule by port lets them in. */
static bool is_cut_off(const thirl_tune_case *c, uint16_t *port) {
  const thirl_tune_sockets *s = &c->after->sockets;
  const thirl_tune_ruleset *r = &c->after->ruleset;
  for (uint32_t i = 0; i < s->n_udp; i++) {
    *port = s->udp[i].port;
    if (s->udp[i].is_ours && !s->udp[i].is_connected && !thirl_tune_ports_has(&r->accepted, *port)) return true;
  }
  *port = 3478;
  return !has_subject(c) && thirl_tune_ports_has(&r->notrack_in, *port) && !thirl_tune_ports_has(&r->accepted, *port);
}

static void nat5(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_ruleset *r = &c->after->ruleset;
  uint16_t port;
  if (r->why != THIRL_TUNE_WHY_READ || (r->has_foreign && !r->input_drops)) {
    unknown(f, r->why != THIRL_TUNE_WHY_READ ? r->why : THIRL_TUNE_WHY_MALFORMED);
    return;
  }
  if (!r->input_drops) {
    say(f, OK, SETTING, "it drops nothing that comes in");
  } else if (!r->input_accepts_established && !r->has_foreign) {
    say(f, WARN, SETTING, "the chain %s drops, and no rule accepts what answers us", r->input_chain);
    thirl_tune_verdict_line(f, "nft insert rule %s ct state established,related accept", r->input_chain);
    expect(f, "ct state established,related accept");
  } else if (c->profile == THIRL_TUNE_SERVER && is_cut_off(c, &port)) {
    say(f, WARN, SETTING, "the chain %s drops, and no rule accepts UDP port %u", r->input_chain, port);
    thirl_tune_verdict_line(f, "nft insert rule %s udp dport %u accept", r->input_chain, port);
    expect(f, "udp dport %u accept", port);
  } else {
    say(f, OK, SETTING, "it drops what nobody asked for, and lets answers in");
  }
}

static void nat6(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t synced, error_us;
  if (!know(f, c->after->gauge[THIRL_TUNE_GAUGE_CLOCK_SYNCED], &synced)) return;
  if (!know(f, c->after->gauge[THIRL_TUNE_GAUGE_CLOCK_ERROR], &error_us)) return;
  bool far = synced && error_us > 30000000;
  say(f,
      far      ? WARN
      : synced ? OK
               : INFO,
      SETTING, synced ? "synchronised, to %.1f ms" : "nothing keeps it in step", (double)error_us / 1000);
  if (f->level != OK) expect(f, "NTP");
}

static void nat8(const thirl_tune_case *c, thirl_tune_finding *f) {
  bool address = false, route = false;
  if (c->after->links_why != THIRL_TUNE_WHY_READ) {
    unknown(f, c->after->links_why);
    return;
  }
  for (uint32_t i = 0; i < c->after->n_links; i++) {
    address |= c->after->link[i].has_global6;
    route |= c->after->link[i].has_default6;
  }
  say(f, address && route ? OK : INFO, SETTING, "%s IPv6 address of the Internet%s", address ? "an" : "no",
      address && !route ? ", and no way out for it" : "");
}

/* What a firewall or a full table refuses is among the packets that were discarded on the way out. */
static void nat10(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t n;
  if (!rise(c, f, THIRL_TUNE_COUNTER_IP_OUT_DISCARDS, &n)) return;
  say(f, n > 0 ? WARN : OK, NOW, "%" PRId64 " packets thrown away on their way out", n);
}

thirl_tune_judge *const thirl_tune_judge_reach[] = {nat1, nat2,       nat3, nat4,       nat5,
                                                    nat6, not_looked, nat8, not_looked, nat10};
