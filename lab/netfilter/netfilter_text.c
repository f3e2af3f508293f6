/* SPDX-License-Identifier: MIT */
#include "lab/netfilter/netfilter_text.h"

static unsigned seconds(thirl_time t) {
  return (unsigned)(t / THIRL_S);
}

static void init_protocol(thirl_lab_netfilter_protocol *p, bool is_tcp, const thirl_natbox_rules *r) {
  *p = (thirl_lab_netfilter_protocol){.name = is_tcp ? "tcp" : "udp", .is_tcp = is_tcp, .rules = r};
  p->clocks[0] = (thirl_lab_netfilter_clock){
      .name = "open",
      .condition = is_tcp ? "ct status assured " : "ct status seen-reply ",
      .answered = true,
      .flow_s = seconds(r->open_timeout),
      .mapping_s = seconds(THIRL_MAX(r->open_timeout, r->map_timeout)),
  };
  p->clocks[1] = (thirl_lab_netfilter_clock){
      .name = "new",
      .condition = "",
      .flow_s = seconds(r->new_timeout),
      .mapping_s = seconds(THIRL_MAX(r->new_timeout, r->map_timeout)),
  };
}

void thirl_lab_netfilter_text_init(thirl_lab_netfilter_text *t, FILE *out, const thirl_natbox_config *config,
                                   const char *wan, const char *lan) {
  *t = (thirl_lab_netfilter_text){.out = out, .config = config, .wan = wan, .lan = lan};
  init_protocol(&t->protocols[0], false, &config->udp);
  init_protocol(&t->protocols[1], true, &config->tcp);
}

/* RST is TCP's: for UDP the word means silence. */
static void write_refusal(const thirl_lab_netfilter_text *t, const thirl_lab_netfilter_protocol *p, const char *error) {
  bool translates = t->config->mode == THIRL_NATBOX_TRANSLATE;
  switch (p->rules->unsolicited) {
  case THIRL_NATBOX_RST_BACK:
    fputs(p->is_tcp ? "    meta l4proto tcp reject with tcp reset\n" : "    drop\n", t->out);
    return;
  case THIRL_NATBOX_ICMP_BACK:
    fprintf(t->out, "    reject with %s\n", error);
    return;
  case THIRL_NATBOX_LOCAL:
    /* With one mapping for each flow the router's own stack takes it, and the entry that this leaves is what the word is about. */
    if (translates && p->rules->mapping == THIRL_NATBOX_APDM)
      fputs("    accept\n", t->out);
    else if (p->is_tcp)
      fputs("    meta l4proto tcp reject with tcp reset\n", t->out);
    else
      fprintf(t->out, "    reject with %s\n", error);
    return;
  default:
    fputs("    drop\n", t->out);
  }
}

void thirl_lab_netfilter_text_refusals(const thirl_lab_netfilter_text *t, const char *error) {
  for (const thirl_lab_netfilter_protocol *p = t->protocols; p < t->protocols + THIRL_LAB_NETFILTER_PROTOCOLS; p++) {
    fprintf(t->out, "  chain %s_refuse {\n", p->name);
    write_refusal(t, p, error);
    fputs("  }\n", t->out);
  }
}

static void write_port_list(const thirl_lab_netfilter_text *t, const thirl_natbox_rules *r) {
  if (r->n_allow == 0) return;
  fputs("!= { ", t->out);
  for (uint8_t i = 0; i < r->n_allow; i++)
    fprintf(t->out, "%s%u", i ? ", " : "", r->allow[i]);
  fputs(" } ", t->out);
}

static void write_allowed(const thirl_lab_netfilter_text *t, const thirl_lab_netfilter_protocol *p, bool v6) {
  const char *verdict = "drop";
  if (p->rules->refusal == THIRL_NATBOX_REFUSE_ICMP)
    verdict = v6 ? "reject with icmpv6 port-unreachable" : "reject with icmp port-unreachable";
  if (p->rules->refusal == THIRL_NATBOX_REFUSE_RST && p->is_tcp) verdict = "reject with tcp reset";
  const char *ports[] = {"dport", "sport"}, *from[] = {t->lan, t->wan}, *verdicts[] = {verdict, "drop"};
  for (int i = 0; i < 2; i++) {
    fprintf(t->out, "    iifname \"%s\" oifname \"%s\" meta l4proto %s ", from[i], from[!i], p->name);
    if (p->rules->n_allow) fprintf(t->out, "%s %s ", p->name, ports[i]);
    write_port_list(t, p->rules);
    fprintf(t->out, "%s\n", verdicts[i]);
  }
}

void thirl_lab_netfilter_text_forbidden(const thirl_lab_netfilter_text *t, bool v6) {
  const char *icmp = v6 ? "icmpv6" : "icmp";
  for (const thirl_lab_netfilter_protocol *p = t->protocols; p < t->protocols + THIRL_LAB_NETFILTER_PROTOCOLS; p++)
    if (p->rules->only_allowed) write_allowed(t, p, v6);
  if (t->config->without_icmp_errors)
    fprintf(t->out, "    iifname \"%s\" meta l4proto %s ct state related drop\n", t->wan, v6 ? "ipv6-icmp" : "icmp");
  if (t->config->without_echo) fprintf(t->out, "    %s type { echo-request, echo-reply } drop\n", icmp);
}
