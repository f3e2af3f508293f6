/* SPDX-License-Identifier: MIT */
#include "lab/netfilter/netfilter.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lab/netfilter/netfilter_nat.h"
#include "lab/netfilter/netfilter_wall.h"

/* ---- what the kernel cannot ---- */

static thirl_error refuse(const thirl_lab_node *node, thirl_lab_complaint *why, const char *protocol, const char *word,
                          const char *reason) {
  return thirl_lab_words_complain(why, THIRL_E_UNSUPPORTED, "engine=netfilter cannot make %s%s%s of nat %s: %s",
                                  protocol, *protocol ? "." : "", word, node->name, reason);
}

static bool is_whole(thirl_time t) {
  return t % THIRL_S == 0 && t / THIRL_S < 1000000;
}

static thirl_error check_rules(const thirl_lab_node *node, const char *protocol, const thirl_natbox_rules *r,
                               thirl_lab_complaint *why) {
  bool is_tcp = r == &node->nat.tcp, preserves = r->allocation == THIRL_NATBOX_PRESERVE;
  if (r->unsolicited == THIRL_NATBOX_HOLD && is_tcp)
    return refuse(node, why, protocol, "unsolicited=hold", "the kernel answers at once or never, not after 6 s");
  if (r->refresh == THIRL_NATBOX_REFRESH_OUT)
    return refuse(node, why, protocol, "refresh=out", "packets in either direction lengthen the life of a flow");
  if (r->refresh == THIRL_NATBOX_REFRESH_IN)
    return refuse(node, why, protocol, "refresh=in", "packets in either direction lengthen the life of a flow");
  if (preserves && r->collision == THIRL_NATBOX_COLLIDE_EVICT)
    return refuse(node, why, protocol, "collide=evict", "the kernel never takes a port away from a flow");
  if (preserves && r->collision == THIRL_NATBOX_COLLIDE_NEXT)
    return refuse(node, why, protocol, "collide=next",
                  "the kernel draws the port at random when the wanted one is taken");
  if (r->collision == THIRL_NATBOX_COLLIDE_OVERLAP && r->mapping == THIRL_NATBOX_APDM) {
    if (r->filtering != THIRL_NATBOX_APDF)
      return refuse(node, why, protocol, "collide=overlap",
                    "when mappings share a port, only the flow tells whose a packet is: filter=apdf");
    if (node->nat.hairpin == THIRL_NATBOX_HAIRPIN_EXTERNAL)
      return refuse(node, why, protocol, "collide=overlap",
                    "when mappings share a port, nothing finds its way back: hairpin=off");
  }
  if (r->hold_down != 0) return refuse(node, why, protocol, "hold-down", "a port is free when its mapping has ended");
  if (r->max_ports != 0) return refuse(node, why, protocol, "max-ports", "nobody counts the ports of a host");
  if (!is_whole(r->new_timeout) || !is_whole(r->open_timeout) || !is_whole(r->close_timeout) ||
      !is_whole(r->map_timeout))
    return refuse(node, why, protocol, "timeout", "the kernel counts in whole seconds");
  return THIRL_OK;
}

static thirl_error check(const thirl_lab_node *node, thirl_lab_complaint *why) {
  const thirl_natbox_config *c = &node->nat;
  if (c->mode == THIRL_NATBOX_ROUTE) return THIRL_OK;
  if (c->mode == THIRL_NATBOX_PREFIX)
    return refuse(node, why, "", "mode=nptv6",
                  "the kernel's translation of prefixes keeps state and is not that of RFC 6296");
  thirl_error e = check_rules(node, "udp", &c->udp, why);
  if (e == THIRL_OK) e = check_rules(node, "tcp", &c->tcp, why);
  if (e != THIRL_OK) return e;
  if (c->hairpin == THIRL_NATBOX_HAIRPIN_INTERNAL)
    return refuse(node, why, "", "hairpin=internal",
                  "the filter is asked by the outer source, which such a packet has not");
  if (c->rst == THIRL_NATBOX_RST_KEEPS)
    return refuse(node, why, "", "rst=keep", "a RST before any answer ends the flow at once");
  if (c->alg != THIRL_NATBOX_ALG_NONE)
    return refuse(node, why, "", "alg", "the kernel does not look for addresses in payloads");
  if (c->n_pool != 0) return refuse(node, why, "", "pool", "these rules know one outer address");
  if (c->max_sessions != 0)
    return refuse(node, why, "", "sessions", "the size of the table of flows is the machine's, not the namespace's");
  if (c->mode == THIRL_NATBOX_TRANSLATE && c->external.family != THIRL_FAMILY_V4)
    return refuse(node, why, "", "mode=nat", "there is no outer IPv4 address");
  return THIRL_OK;
}

/* ---- rules ---- */

static bool has_v6(const thirl_lab_cable *c) {
  for (size_t i = 0; i < c->n_addrs; i++)
    if (c->addrs[i].addr.family == THIRL_FAMILY_V6) return true;
  return false;
}

static void write_rules(const thirl_lab_node *node, const thirl_lab_netfilter_text *t) {
  static const char *const tables[] = {"ip thirl_nat", "ip thirl_wall", "ip6 thirl_wall"};
  for (int i = 0; i < 3; i++) /* there must be one to be deleted */
    fprintf(t->out, "table %s { }\ndelete table %s\n", tables[i], tables[i]);
  switch (node->nat.mode) {
  case THIRL_NATBOX_TRANSLATE:
    thirl_lab_netfilter_nat_write(t);
    if (has_v6(&node->inner)) thirl_lab_netfilter_wall_write(t, true);
    break;
  case THIRL_NATBOX_FIREWALL:
    thirl_lab_netfilter_wall_write(t, false);
    thirl_lab_netfilter_wall_write(t, true);
    break;
  default:
    break;
  }
}

thirl_error thirl_lab_netfilter_rules(const thirl_lab_node *node, const char *outer_if, const char *inner_if,
                                      char **text, thirl_lab_complaint *why) {
  *text = NULL;
  thirl_error e = check(node, why);
  if (e != THIRL_OK) return e;
  size_t len;
  FILE *out = open_memstream(text, &len);
  if (!out) return thirl_lab_words_complain(why, THIRL_E_NOMEM, "%s", thirl_error_text(THIRL_E_NOMEM));
  thirl_lab_netfilter_text t;
  thirl_lab_netfilter_text_init(&t, out, &node->nat, outer_if, inner_if);
  write_rules(node, &t);
  bool bad = ferror(out) != 0;
  if (fclose(out) == 0 && !bad) return THIRL_OK;
  free(*text);
  *text = NULL;
  return thirl_lab_words_complain(why, THIRL_E_NOMEM, "%s", thirl_error_text(THIRL_E_NOMEM));
}

/* ---- sysctls ---- */

static void add(thirl_lab_netfilter_sysctls *s, const char *name, uint64_t value, bool optional) {
  thirl_lab_netfilter_sysctl *item = &s->items[s->n++];
  *item = (thirl_lab_netfilter_sysctl){.name = name, .optional = optional};
  snprintf(item->value, sizeof item->value, "%" PRIu64, THIRL_MIN(value, (uint64_t)INT32_MAX));
}

static void add_seconds(thirl_lab_netfilter_sysctls *s, const char *name, thirl_time t) {
  add(s, name, THIRL_MAX(t / THIRL_S, 1), false);
}

static void add_tcp(thirl_lab_netfilter_sysctls *s, const thirl_natbox_config *c) {
  static const char *const opening[] = {"net.netfilter.nf_conntrack_tcp_timeout_syn_sent",
                                        "net.netfilter.nf_conntrack_tcp_timeout_syn_recv"},
                           *const open[] = {"net.netfilter.nf_conntrack_tcp_timeout_established",
                                            "net.netfilter.nf_conntrack_tcp_timeout_max_retrans",
                                            "net.netfilter.nf_conntrack_tcp_timeout_unacknowledged"},
                           *const closing[] = {"net.netfilter.nf_conntrack_tcp_timeout_fin_wait",
                                               "net.netfilter.nf_conntrack_tcp_timeout_close_wait",
                                               "net.netfilter.nf_conntrack_tcp_timeout_last_ack",
                                               "net.netfilter.nf_conntrack_tcp_timeout_time_wait",
                                               "net.netfilter.nf_conntrack_tcp_timeout_close"};
  for (size_t i = 0; i < sizeof opening / sizeof *opening; i++)
    add_seconds(s, opening[i], c->tcp.new_timeout);
  for (size_t i = 0; i < sizeof open / sizeof *open; i++)
    add_seconds(s, open[i], c->tcp.open_timeout);
  for (size_t i = 0; i < sizeof closing / sizeof *closing; i++)
    add_seconds(s, closing[i], c->tcp.close_timeout);
  add(s, "net.netfilter.nf_conntrack_tcp_be_liberal", c->tracking == THIRL_NATBOX_LOOSE, false);
  add(s, "net.netfilter.nf_conntrack_tcp_loose", !c->without_pickup, false);
}

void thirl_lab_netfilter_sysctls_of(const thirl_lab_node *node, thirl_lab_netfilter_sysctls *out) {
  out->n = 0;
  add(out, "net.ipv4.ip_forward", 1, false);
  add(out, "net.ipv6.conf.all.forwarding", 1, true);
  /* Packets from the inside back to the inside must not be told a shorter way. */
  add(out, "net.ipv4.conf.all.send_redirects", 0, false);
  add(out, "net.ipv4.conf.default.send_redirects", 0, false);
  /* With a bridge inside, its packets would go through these rules as if they came from its ports. */
  add(out, "net.bridge.bridge-nf-call-iptables", 0, true);
  add(out, "net.bridge.bridge-nf-call-ip6tables", 0, true);
  if (node->nat.mode == THIRL_NATBOX_ROUTE) return;
  add_seconds(out, "net.netfilter.nf_conntrack_udp_timeout", node->nat.udp.new_timeout);
  add_seconds(out, "net.netfilter.nf_conntrack_udp_timeout_stream", node->nat.udp.open_timeout);
  add_tcp(out, &node->nat);
}
