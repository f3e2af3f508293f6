/* SPDX-License-Identifier: MIT */
/*
 * The kernel's table of flows lets answers in. Who else may send to an inner endpoint stands in the sets @may: the endpoint alone (EIF), with
 * the remote's address (ADF), or with its port too (APDF). They are kept by every packet that passes, either way, in a flow in which something went out.
 */
#include "lab/netfilter/netfilter_wall.h"

typedef thirl_lab_netfilter_text text;
typedef thirl_lab_netfilter_protocol protocol;
typedef thirl_lab_netfilter_clock hourglass;

enum { PIECE_MAX = 128 };

static const protocol *protocols_end(const text *t) {
  return t->protocols + THIRL_LAB_NETFILTER_PROTOCOLS;
}

static const hourglass *clocks_end(const protocol *p) {
  return p->clocks + THIRL_LAB_NETFILTER_CLOCKS;
}

/* An inner endpoint and as much of the remote one as a permission names; ends: what to write for inner and remote address and port. */
static const char *key(const protocol *p, const char *const ends[4], char *out) {
  int n = snprintf(out, PIECE_MAX, "%s . %s", ends[0], ends[1]);
  if (p->rules->filtering == THIRL_NATBOX_ADF) snprintf(out + n, (size_t)(PIECE_MAX - n), " . %s", ends[2]);
  if (p->rules->filtering == THIRL_NATBOX_APDF)
    snprintf(out + n, (size_t)(PIECE_MAX - n), " . %s . %s", ends[2], ends[3]);
  return out;
}

static void write_record(const text *t, const protocol *p, const hourglass *c, const char *out, const char *in) {
  fprintf(t->out, "  chain %s_record_%s {\n", p->name, c->name);
  fprintf(t->out, "    iifname \"%s\" oifname \"%s\" update @%s_may_%s { %s timeout %us }\n", t->lan, t->wan, p->name,
          c->name, out, c->flow_s);
  fprintf(t->out, "    iifname \"%s\" oifname \"%s\" %supdate @%s_may_%s { %s timeout %us }\n", t->wan, t->lan,
          c->answered ? "" : "ct direction reply ", p->name, c->name, in, c->flow_s);
  fputs("  }\n", t->out);
}

static void write_protocol(const text *t, const protocol *p, bool v6) {
  const char *source = v6 ? "ip6 saddr" : "ip saddr", *target = v6 ? "ip6 daddr" : "ip daddr";
  const char *type = v6 ? "ipv6_addr" : "ipv4_addr";
  const char *types[] = {type, "inet_service", type, "inet_service"};
  const char *outward[] = {source, "th sport", target, "th dport"},
             *inward[] = {target, "th dport", source, "th sport"};
  char what[PIECE_MAX], out[PIECE_MAX], in[PIECE_MAX];
  key(p, outward, out);
  key(p, inward, in);
  for (const hourglass *c = p->clocks; c < clocks_end(p); c++) {
    fprintf(t->out, "  set %s_may_%s { type %s; flags dynamic,timeout; size 65536; }\n", p->name, c->name,
            key(p, types, what));
    write_record(t, p, c, out, in);
  }
  fprintf(t->out, "  chain %s_in {\n", p->name);
  for (const hourglass *c = p->clocks; c < clocks_end(p); c++)
    fprintf(t->out, "    meta l4proto %s %s @%s_may_%s accept\n", p->name, in, p->name, c->name);
  fprintf(t->out, "    goto %s_refuse\n  }\n", p->name);
}

void thirl_lab_netfilter_wall_write(const thirl_lab_netfilter_text *t, bool v6) {
  fprintf(t->out, "table %s thirl_wall {\n", v6 ? "ip6" : "ip");
  thirl_lab_netfilter_text_refusals(t, v6 ? "icmpv6 port-unreachable" : "icmp port-unreachable");
  for (const protocol *p = t->protocols; p < protocols_end(t); p++)
    write_protocol(t, p, v6);
  fputs("  chain forward {\n    type filter hook forward priority filter; policy accept;\n    ct state invalid drop\n",
        t->out);
  thirl_lab_netfilter_text_forbidden(t, v6);
  for (const protocol *p = t->protocols; p < protocols_end(t); p++)
    fprintf(t->out, "    iifname \"%s\" ct state new meta l4proto %s goto %s_in\n", t->wan, p->name, p->name);
  fprintf(t->out, "    iifname \"%s\" ct state new drop\n  }\n", t->wan);
  fputs("  chain record {\n    type filter hook postrouting priority 150; policy accept;\n", t->out);
  for (const protocol *p = t->protocols; p < protocols_end(t); p++)
    for (const hourglass *c = p->clocks; c < clocks_end(p); c++)
      fprintf(t->out, "    meta l4proto %s %sgoto %s_record_%s\n", p->name, c->condition, p->name, c->name);
  fputs("  }\n}\n", t->out);
}
