/* SPDX-License-Identifier: MIT */
#include "natbox/config.h"

#include <string.h>

enum { DYNAMIC_LO = 1024, DYNAMIC_HI = 65535 };

thirl_natbox_config thirl_natbox_config_of(thirl_natbox_mapping mapping, thirl_natbox_filtering filtering,
                                           thirl_addr external) {
  thirl_natbox_rules udp = {.mapping = mapping,
                            .filtering = filtering,
                            .allocation = THIRL_NATBOX_RANDOM,
                            .collision = THIRL_NATBOX_COLLIDE_RANDOM,
                            .unsolicited = THIRL_NATBOX_DROP,
                            .refresh = THIRL_NATBOX_REFRESH_BOTH,
                            .port_lo = DYNAMIC_LO,
                            .port_hi = DYNAMIC_HI,
                            .step = 1,
                            .block = 512,
                            .new_timeout = 30 * THIRL_S,
                            .open_timeout = 120 * THIRL_S,
                            .close_timeout = 120 * THIRL_S};
  thirl_natbox_rules tcp = udp;
  tcp.new_timeout = 240 * THIRL_S;
  tcp.open_timeout = 7440 * THIRL_S;
  tcp.close_timeout = 240 * THIRL_S;
  return (thirl_natbox_config){.mode = THIRL_NATBOX_TRANSLATE,
                               .external = thirl_addr_with_port(external, 0),
                               .udp = udp,
                               .tcp = tcp,
                               .hairpin = THIRL_NATBOX_HAIRPIN_OFF,
                               .tracking = THIRL_NATBOX_STRICT,
                               .rst = THIRL_NATBOX_RST_DELETES};
}

static void set_udp_times(thirl_natbox_config *c, thirl_time new_timeout, thirl_time open_timeout) {
  c->udp.new_timeout = new_timeout;
  c->udp.open_timeout = open_timeout;
}

/* net/netfilter/nf_conntrack_proto_tcp.c */
static void as_linux(thirl_natbox_config *c) {
  c->hairpin = THIRL_NATBOX_HAIRPIN_LOCAL;
  c->tcp.new_timeout = 120 * THIRL_S;
  c->tcp.open_timeout = 432000 * THIRL_S;
  c->tcp.close_timeout = 120 * THIRL_S;
}

static void as_carrier(thirl_natbox_config *c) {
  c->udp.hold_down = 120 * THIRL_S; /* RFC 6888 REQ-8, which lets TCP go at once */
  set_udp_times(c, 120 * THIRL_S, 300 * THIRL_S);
}

static void as_cloud(thirl_natbox_config *c) {
  set_udp_times(c, 350 * THIRL_S, 350 * THIRL_S);
  c->tcp.open_timeout = 350 * THIRL_S;
}

static void as_udp_blocked(thirl_natbox_config *c) {
  c->udp.only_allowed = true;
}

static void as_hotel(thirl_natbox_config *c) {
  set_udp_times(c, 20 * THIRL_S, 60 * THIRL_S);
  c->tcp.open_timeout = 600 * THIRL_S;
}

static void as_corporate(thirl_natbox_config *c) {
  c->udp.only_allowed = c->tcp.only_allowed = true;
  c->udp.refusal = c->tcp.refusal = THIRL_NATBOX_REFUSE_ICMP;
  c->tcp.allow[c->tcp.n_allow++] = 80;
  c->tcp.allow[c->tcp.n_allow++] = 443;
  c->without_pickup = true;
  c->without_echo = true;
}

/* What a preset sets for both protocols; the rest is a home router's. */
typedef struct preset {
  const char *name, *sentence;
  thirl_natbox_mode mode;
  thirl_natbox_mapping mapping;
  thirl_natbox_filtering filtering;
  thirl_natbox_allocation allocation;
  thirl_natbox_collision collision;
  thirl_natbox_unsolicited unsolicited;
  thirl_natbox_hairpin hairpin;
  void (*adjust)(thirl_natbox_config *c); /* what else; may be NULL */
} preset;

static const preset presets[] = {
    {.name = "none", .sentence = "no NAT, no filter: a router", .mode = THIRL_NATBOX_ROUTE},
    {.name = "fullcone",
     .sentence = "one outer port for each inner one, and everybody may send to it",
     .mapping = THIRL_NATBOX_EIM,
     .filtering = THIRL_NATBOX_EIF},
    {.name = "restricted",
     .sentence = "one outer port for each inner one; addresses that were sent to may answer",
     .mapping = THIRL_NATBOX_EIM,
     .filtering = THIRL_NATBOX_ADF},
    {.name = "portrestricted",
     .sentence = "one outer port for each inner one; endpoints that were sent to may answer: most home routers",
     .mapping = THIRL_NATBOX_EIM,
     .filtering = THIRL_NATBOX_APDF},
    {.name = "symmetric",
     .sentence = "another, random outer port for each remote endpoint, and only that one may answer",
     .mapping = THIRL_NATBOX_APDM,
     .filtering = THIRL_NATBOX_APDF,
     .allocation = THIRL_NATBOX_RANDOM},
    {.name = "symmetric-seq",
     .sentence = "symmetric, but the outer ports count upwards, so that the next one can be guessed",
     .mapping = THIRL_NATBOX_APDM,
     .filtering = THIRL_NATBOX_APDF,
     .allocation = THIRL_NATBOX_SEQUENTIAL},
    {.name = "linux",
     .sentence = "Linux masquerade behind a firewall that drops what nobody asked for: keeps ports and shares them",
     .mapping = THIRL_NATBOX_APDM,
     .filtering = THIRL_NATBOX_APDF,
     .collision = THIRL_NATBOX_COLLIDE_OVERLAP,
     .adjust = as_linux},
    {.name = "linux-open",
     .sentence =
         "Linux masquerade without a firewall: the router answers strangers, and an early packet takes the port away",
     .mapping = THIRL_NATBOX_APDM,
     .filtering = THIRL_NATBOX_APDF,
     .collision = THIRL_NATBOX_COLLIDE_OVERLAP,
     .unsolicited = THIRL_NATBOX_LOCAL,
     .adjust = as_linux},
    {.name = "linux-random",
     .sentence = "Linux masquerade with random ports behind a firewall: symmetric",
     .mapping = THIRL_NATBOX_APDM,
     .filtering = THIRL_NATBOX_APDF,
     .allocation = THIRL_NATBOX_RANDOM,
     .collision = THIRL_NATBOX_COLLIDE_OVERLAP,
     .adjust = as_linux},
    {.name = "cgn",
     .sentence =
         "a carrier's NAT as RFC 6888 wants it: open mappings, a block of ports for each customer, hairpin, hold-down",
     .mapping = THIRL_NATBOX_EIM,
     .filtering = THIRL_NATBOX_EIF,
     .allocation = THIRL_NATBOX_BLOCK,
     .hairpin = THIRL_NATBOX_HAIRPIN_EXTERNAL,
     .adjust = as_carrier},
    {.name = "cloudnat",
     .sentence = "the NAT gateway of a cloud: symmetric, everything ends after 350 idle seconds",
     .mapping = THIRL_NATBOX_APDM,
     .filtering = THIRL_NATBOX_APDF,
     .allocation = THIRL_NATBOX_RANDOM,
     .adjust = as_cloud},
    {.name = "firewall",
     .sentence = "no NAT; only endpoints that were sent to may answer: IPv6 at home",
     .mode = THIRL_NATBOX_FIREWALL,
     .filtering = THIRL_NATBOX_APDF},
    {.name = "firewall-open",
     .sentence = "no NAT; whoever has sent something may be reached by everybody: IPv6 as RFC 6092 allows it",
     .mode = THIRL_NATBOX_FIREWALL,
     .filtering = THIRL_NATBOX_EIF},
    {.name = "nptv6",
     .sentence = "no ports, no filter: another IPv6 prefix outside (RFC 6296)",
     .mode = THIRL_NATBOX_PREFIX},
    {.name = "udp-blocked",
     .sentence = "a home router that lets no UDP through, in silence",
     .mapping = THIRL_NATBOX_EIM,
     .filtering = THIRL_NATBOX_APDF,
     .adjust = as_udp_blocked},
    {.name = "hotel",
     .sentence = "symmetric and in a hurry: UDP ends after 20 or 60 idle seconds, TCP after ten minutes",
     .mapping = THIRL_NATBOX_APDM,
     .filtering = THIRL_NATBOX_APDF,
     .allocation = THIRL_NATBOX_RANDOM,
     .adjust = as_hotel},
    {.name = "corporate",
     .sentence = "symmetric, TCP to ports 80 and 443 only, no UDP, no ping; says no by ICMP",
     .mapping = THIRL_NATBOX_APDM,
     .filtering = THIRL_NATBOX_APDF,
     .allocation = THIRL_NATBOX_RANDOM,
     .adjust = as_corporate},
};
enum { N_PRESETS = sizeof presets / sizeof *presets };

thirl_error thirl_natbox_config_preset(const char *name, thirl_addr external, thirl_natbox_config *out) {
  for (unsigned i = 0; i < N_PRESETS; i++) {
    const preset *p = &presets[i];
    if (strcmp(p->name, name) != 0) continue;
    thirl_natbox_config c = thirl_natbox_config_of(p->mapping, p->filtering, external);
    c.mode = p->mode;
    c.hairpin = p->hairpin;
    c.udp.allocation = c.tcp.allocation = p->allocation;
    c.udp.collision = c.tcp.collision = p->collision;
    c.udp.unsolicited = c.tcp.unsolicited = p->unsolicited;
    if (p->adjust) p->adjust(&c);
    *out = c;
    return THIRL_OK;
  }
  return THIRL_E_NOT_FOUND;
}

const char *thirl_natbox_config_preset_name(unsigned index) {
  return index < N_PRESETS ? presets[index].name : NULL;
}

const char *thirl_natbox_config_preset_sentence(unsigned index) {
  return index < N_PRESETS ? presets[index].sentence : NULL;
}

bool thirl_natbox_config_has_external(const thirl_natbox_config *config, const thirl_addr *a) {
  if (thirl_addr_same_ip(a, &config->external)) return true;
  for (unsigned i = 0; i < config->n_pool; i++)
    if (thirl_addr_same_ip(a, &config->pool[i])) return true;
  return false;
}
