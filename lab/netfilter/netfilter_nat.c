/* SPDX-License-Identifier: MIT */
/*
 * How it works. The chain "record" runs behind the kernel's own source NAT, where the port that was chosen is known, and keeps three tables for
 * each protocol: @inner (outer port -> who has it), @outer (who, and to whom -> outer port) and @may (outer port, and who may send to it). The
 * next flow of the same inner port gets its port from @outer; what comes from outside is let in by @may and finds its way by @inner. All
 * permissions are keyed by the outer port, so that each belongs to one mapping.
 *
 * A packet that is not let in goes to the router itself, where the chain "input" refuses it before it gets an entry in the kernel's table of
 * flows: such an entry would take the port away from the inner host that is about to send to the same peer.
 */
#include "lab/netfilter/netfilter_nat.h"

typedef thirl_lab_netfilter_text text;
typedef thirl_lab_netfilter_protocol protocol;
typedef thirl_lab_netfilter_clock hourglass;

enum { PIECE_MAX = 192 };

static const protocol *protocols_end(const text *t) {
  return t->protocols + THIRL_LAB_NETFILTER_PROTOCOLS;
}

static const hourglass *clocks_end(const protocol *p) {
  return p->clocks + THIRL_LAB_NETFILTER_CLOCKS;
}

/* Linux itself: a port may serve several mappings, and the table of flows is all there is. */
static bool is_plain(const protocol *p) {
  return p->rules->mapping == THIRL_NATBOX_APDM && p->rules->collision == THIRL_NATBOX_COLLIDE_OVERLAP;
}

static bool turns(const text *t) {
  return t->config->hairpin == THIRL_NATBOX_HAIRPIN_EXTERNAL;
}

static const char *ours(const text *t, char *out) {
  thirl_addr a = t->config->external;
  snprintf(out, THIRL_ADDR_TEXT_MAX, "%u.%u.%u.%u", a.ip[0], a.ip[1], a.ip[2], a.ip[3]);
  return out;
}

/* ---- what the tables are keyed by ---- */

/* " . address . port" of the remote end, as much of it as a mapping tells apart. */
static const char *scope(const protocol *p, const char *address, const char *port, char *out) {
  out[0] = '\0';
  if (p->rules->mapping == THIRL_NATBOX_ADM) snprintf(out, PIECE_MAX, " . %s", address);
  if (p->rules->mapping == THIRL_NATBOX_APDM) snprintf(out, PIECE_MAX, " . %s . %s", address, port);
  return out;
}

/* " . address . port" of the remote end, as much of it as a permission names. */
static const char *whom(const protocol *p, const char *address, const char *port, char *out) {
  out[0] = '\0';
  if (p->rules->filtering == THIRL_NATBOX_ADF) snprintf(out, PIECE_MAX, " . %s", address);
  if (p->rules->filtering == THIRL_NATBOX_APDF) snprintf(out, PIECE_MAX, " . %s . %s", address, port);
  return out;
}

static void write_tables(const text *t) {
  static const char rest[] = "flags dynamic,timeout; size 65536; }\n";
  char key[PIECE_MAX];
  for (const protocol *p = t->protocols; p < protocols_end(t); p++) {
    if (is_plain(p)) continue;
    for (const hourglass *c = p->clocks; c < clocks_end(p); c++) {
      fprintf(t->out, "  map %s_inner_%s { type inet_service : ipv4_addr . inet_service; %s", p->name, c->name, rest);
      fprintf(t->out, "  map %s_outer_%s { type ipv4_addr . inet_service%s : inet_service; %s", p->name, c->name,
              scope(p, "ipv4_addr", "inet_service", key), rest);
      if (p->rules->filtering != THIRL_NATBOX_EIF)
        fprintf(t->out, "  set %s_may_%s { type inet_service%s; %s", p->name, c->name,
                whom(p, "ipv4_addr", "inet_service", key), rest);
    }
  }
}

/* ---- in ---- */

/* Chain <protocol>_in: lets in whom the mapping allows; <protocol>_to_inner: and sends it to who has the port. */
static void write_way_in(const text *t, const protocol *p) {
  char from[PIECE_MAX];
  fprintf(t->out, "  chain %s_to_inner {\n", p->name);
  for (const hourglass *c = p->clocks; c < clocks_end(p); c++)
    fprintf(t->out, "    dnat ip to %s dport map @%s_inner_%s\n", p->name, p->name, c->name);
  fprintf(t->out, "  }\n  chain %s_in {\n", p->name);
  whom(p, "ip saddr", "th sport", from);
  if (p->rules->filtering == THIRL_NATBOX_EIF)
    fprintf(t->out, "    goto %s_to_inner\n", p->name);
  else
    for (const hourglass *c = p->clocks; c < clocks_end(p); c++)
      fprintf(t->out, "    %s dport%s @%s_may_%s goto %s_to_inner\n", p->name, from, p->name, c->name, p->name);
  fputs("  }\n", t->out);
}

static void write_entrance(const text *t) {
  char us[THIRL_ADDR_TEXT_MAX];
  ours(t, us);
  for (const protocol *p = t->protocols; p < protocols_end(t); p++)
    if (!is_plain(p)) write_way_in(t, p);
  fputs("  chain prerouting {\n    type nat hook prerouting priority dstnat; policy accept;\n", t->out);
  for (const protocol *p = t->protocols; p < protocols_end(t); p++) {
    if (is_plain(p)) continue;
    fprintf(t->out, "    iifname \"%s\" ip daddr %s meta l4proto %s goto %s_in\n", t->wan, us, p->name, p->name);
    /* Whether the other mapping lets it in can be told when it has its outer source: see write_turning. */
    if (turns(t))
      fprintf(t->out, "    iifname \"%s\" ip daddr %s meta l4proto %s goto %s_to_inner\n", t->lan, us, p->name,
              p->name);
  }
  fputs("  }\n", t->out);
}

static void write_walls(const text *t) {
  char us[THIRL_ADDR_TEXT_MAX];
  ours(t, us);
  thirl_lab_netfilter_text_refusals(t, "icmp port-unreachable");
  fputs("  chain input {\n    type filter hook input priority filter; policy accept;\n", t->out);
  if (t->config->tcp.unsolicited != THIRL_NATBOX_LOCAL)
    fprintf(t->out, "    iifname \"%s\" ct state invalid drop\n", t->wan);
  for (const protocol *p = t->protocols; p < protocols_end(t); p++) {
    fprintf(t->out, "    iifname \"%s\" ip daddr %s ct state new meta l4proto %s goto %s_refuse\n", t->wan, us, p->name,
            p->name);
    if (t->config->hairpin == THIRL_NATBOX_HAIRPIN_LOCAL) continue; /* the router's own stack answers */
    fprintf(t->out, "    iifname \"%s\" ip daddr %s ct state new meta l4proto %s %s%s\n", t->lan, us, p->name,
            turns(t) ? "goto " : "drop", turns(t) ? (p->is_tcp ? "tcp_refuse" : "udp_refuse") : "");
  }
  /* What is invalid would leave untranslated. */
  fprintf(t->out,
          "  }\n  chain forward {\n    type filter hook forward priority filter; policy accept;\n"
          "    ct state invalid drop\n    iifname \"%s\" ct state new ct status & dnat != dnat drop\n",
          t->wan);
  thirl_lab_netfilter_text_forbidden(t, false);
  fputs("  }\n", t->out);
}

/* ---- out ---- */

static uint32_t power_of_two_up_to(uint32_t n) {
  uint32_t p = 1;
  while (p * 2 <= n)
    p *= 2;
  return p;
}

static void write_blocks(const text *t, const protocol *p, const char *us) {
  uint32_t lo = p->rules->port_lo, hi = p->rules->port_hi, size = THIRL_MAX(p->rules->block, 1);
  uint32_t n = THIRL_MIN((hi - lo + 1) / size, THIRL_LAB_NETFILTER_NAT_BLOCKS_MAX);
  n = power_of_two_up_to(THIRL_MAX(n, 1));
  for (uint32_t i = 0; i < n; i++) {
    uint32_t first = lo + i * size, last = THIRL_MIN(first + size - 1, hi);
    fprintf(t->out, "    meta l4proto %s ip saddr & 0.0.0.%u == 0.0.0.%u snat to %s:%u-%u fully-random\n", p->name,
            n - 1, i, us, first, last);
  }
}

static void write_sequence(const text *t, const protocol *p, const char *us) {
  uint32_t lo = p->rules->port_lo, step = THIRL_MAX(p->rules->step, 1), n = (p->rules->port_hi - lo) / step + 1u;
  n = THIRL_MIN(n, THIRL_LAB_NETFILTER_NAT_SEQUENCE_MAX);
  fprintf(t->out, "    meta l4proto %s snat ip to %s : numgen inc mod %u map { ", p->name, us, n);
  for (uint32_t i = 0; i < n; i++)
    fprintf(t->out, "%s%u : %u", i ? ", " : "", i, lo + i * step);
  fputs(" }\n", t->out);
}

/* Chain <protocol>_allocate: a new port. */
static void write_allocation(const text *t, const protocol *p) {
  char us[THIRL_ADDR_TEXT_MAX], range[THIRL_ADDR_TEXT_MAX + 16];
  snprintf(range, sizeof range, "%s:%u-%u", ours(t, us), p->rules->port_lo, p->rules->port_hi);
  fprintf(t->out, "  chain %s_allocate {\n", p->name);
  switch (p->rules->allocation) {
  case THIRL_NATBOX_PRESERVE:
    for (const hourglass *c = p->clocks; c < clocks_end(p) && !is_plain(p); c++)
      fprintf(t->out, "    %s sport @%s_inner_%s snat to %s fully-random\n", p->name, p->name, c->name, range);
    fprintf(t->out, "    meta l4proto %s snat to %s\n", p->name, range);
    break;
  case THIRL_NATBOX_SEQUENTIAL:
    write_sequence(t, p, us);
    break;
  case THIRL_NATBOX_BLOCK:
    write_blocks(t, p, us);
    break;
  default:
    fprintf(t->out, "    meta l4proto %s snat to %s fully-random\n", p->name, range);
  }
  fputs("  }\n", t->out);
}

/* Chain <protocol>_<name>: the port it has, else a new one. address, port: the remote end in nft's words. */
static void write_choice(const text *t, const protocol *p, const char *name, const char *address, const char *port) {
  char us[THIRL_ADDR_TEXT_MAX], key[PIECE_MAX];
  ours(t, us);
  scope(p, address, port, key);
  fprintf(t->out, "  chain %s_%s {\n", p->name, name);
  for (const hourglass *c = p->clocks; c < clocks_end(p) && !is_plain(p); c++)
    fprintf(t->out, "    meta l4proto %s snat ip to %s : ip saddr . th sport%s map @%s_outer_%s\n", p->name, us, key,
            p->name, c->name);
  fprintf(t->out, "    goto %s_allocate\n  }\n", p->name);
}

static void write_exit(const text *t) {
  char us[THIRL_ADDR_TEXT_MAX];
  for (const protocol *p = t->protocols; p < protocols_end(t); p++) {
    write_allocation(t, p);
    write_choice(t, p, "out", "ip daddr", "th dport");
    if (turns(t)) write_choice(t, p, "turn", "ct original ip daddr", "ct original proto-dst");
  }
  fputs("  chain postrouting {\n    type nat hook postrouting priority srcnat; policy accept;\n", t->out);
  for (const protocol *p = t->protocols; p < protocols_end(t); p++) {
    fprintf(t->out, "    iifname \"%s\" oifname \"%s\" meta l4proto %s goto %s_out\n", t->lan, t->wan, p->name,
            p->name);
    if (turns(t))
      fprintf(t->out, "    iifname \"%s\" oifname \"%s\" ct status dnat meta l4proto %s goto %s_turn\n", t->lan, t->lan,
              p->name, p->name);
  }
  fprintf(t->out, "    iifname \"%s\" oifname \"%s\" snat to %s\n  }\n", t->lan, t->wan, ours(t, us));
}

/* ---- what is remembered ---- */

/* One end of a flow, in nft's words: what a packet of it says about a mapping. */
typedef struct end {
  const char *port;                         /* the outer one */
  const char *inner_address, *inner_port;   /* who has it */
  const char *remote_address, *remote_port; /* to whom */
  bool began;                               /* the flow began at this end, so the port is the one for its destination */
  bool sent;                                /* something went out: the remote may send */
} end;

static void write_end(const text *t, const protocol *p, const hourglass *c, const char *condition, const end *e) {
  char key[PIECE_MAX];
  fprintf(t->out, "    %s update @%s_inner_%s { %s timeout %us : %s . %s }\n", condition, p->name, c->name, e->port,
          c->mapping_s, e->inner_address, e->inner_port);
  if (e->began || p->rules->mapping == THIRL_NATBOX_EIM)
    fprintf(t->out, "    %s update @%s_outer_%s { %s . %s%s timeout %us : %s }\n", condition, p->name, c->name,
            e->inner_address, e->inner_port, scope(p, e->remote_address, e->remote_port, key), c->mapping_s, e->port);
  if (e->sent && p->rules->filtering != THIRL_NATBOX_EIF)
    fprintf(t->out, "    %s update @%s_may_%s { %s%s timeout %us }\n", condition, p->name, c->name, e->port,
            whom(p, e->remote_address, e->remote_port, key), c->flow_s);
}

#define FIRST_SOURCE  "ct original ip saddr", "ct original proto-src"
#define FIRST_TARGET  "ct original ip daddr", "ct original proto-dst"
#define ANSWER_SOURCE "ct reply ip saddr", "ct reply proto-src"

/* Through the NAT, either way, in flows that either side has begun. */
static void write_passing(const text *t, const protocol *p, const hourglass *c) {
  static const char *const direction[] = {"original", "reply"};
  char out[2][PIECE_MAX], in[2][PIECE_MAX];
  for (int i = 0; i < 2; i++) {
    snprintf(out[i], PIECE_MAX, "iifname \"%s\" oifname \"%s\" meta l4proto %s ct direction %s", t->lan, t->wan,
             p->name, direction[i]);
    snprintf(in[i], PIECE_MAX, "iifname \"%s\" oifname \"%s\" meta l4proto %s ct direction %s", t->wan, t->lan, p->name,
             direction[i]);
  }
  write_end(t, p, c, out[0], &(end){"th sport", FIRST_SOURCE, "ip daddr", "th dport", true, true});
  write_end(t, p, c, in[1], &(end){"ct reply proto-dst", FIRST_SOURCE, FIRST_TARGET, true, true});
  write_end(t, p, c, out[1], &(end){"th sport", ANSWER_SOURCE, "ip daddr", "th dport", false, true});
  write_end(t, p, c, in[0], &(end){"ct original proto-dst", ANSWER_SOURCE, FIRST_SOURCE, false, c->answered});
}

static void turning(const text *t, const protocol *p, const char *direction, char *out) {
  snprintf(out, PIECE_MAX, "iifname \"%s\" oifname \"%s\" ct status dnat meta l4proto %s ct direction %s", t->lan,
           t->lan, p->name, direction);
}

/* From the inside back to the inside: one flow, two mappings; to each of them the remote is our own address and the other's port. */
static void write_turning(const text *t, const protocol *p, const hourglass *c) {
  char there[PIECE_MAX], back[PIECE_MAX], from[PIECE_MAX];
  end sender = {"ct reply proto-dst", FIRST_SOURCE, FIRST_TARGET, true, true};
  end other = {"ct original proto-dst", ANSWER_SOURCE, "ct original ip daddr",
               "ct reply proto-dst",    false,         c->answered};
  turning(t, p, "original", there);
  turning(t, p, "reply", back);
  write_end(t, p, c, there, &sender);
  if (p->rules->filtering != THIRL_NATBOX_EIF) {
    fprintf(t->out, "    %s ct state new", there);
    whom(p, "ip saddr", "th sport", from);
    for (const hourglass *of = p->clocks; of < clocks_end(p); of++)
      fprintf(t->out, " ct original proto-dst%s != @%s_may_%s", from, p->name, of->name);
    fputs(" drop\n", t->out);
  }
  write_end(t, p, c, there, &other);
  write_end(t, p, c, back, &sender);
  other.sent = true;
  write_end(t, p, c, back, &other);
}

static void write_record(const text *t) {
  for (const protocol *p = t->protocols; p < protocols_end(t); p++)
    for (const hourglass *c = p->clocks; c < clocks_end(p) && !is_plain(p); c++) {
      fprintf(t->out, "  chain %s_record_%s {\n", p->name, c->name);
      write_passing(t, p, c);
      if (turns(t)) write_turning(t, p, c);
      fputs("  }\n", t->out);
    }
  fputs("  chain record {\n    type filter hook postrouting priority 150; policy accept;\n", t->out);
  for (const protocol *p = t->protocols; p < protocols_end(t); p++)
    for (const hourglass *c = p->clocks; c < clocks_end(p) && !is_plain(p); c++)
      fprintf(t->out, "    meta l4proto %s %sgoto %s_record_%s\n", p->name, c->condition, p->name, c->name);
  fputs("  }\n", t->out);
}

void thirl_lab_netfilter_nat_write(const thirl_lab_netfilter_text *t) {
  fputs("table ip thirl_nat {\n", t->out);
  write_tables(t);
  write_entrance(t);
  write_walls(t);
  write_exit(t);
  write_record(t);
  fputs("}\n", t->out);
}
