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

/* What a preset sets for both protocols; the rest is a home router's. */
typedef struct preset {
  const char *name;
  thirl_natbox_mode mode;
  thirl_natbox_mapping mapping;
  thirl_natbox_filtering filtering;
  thirl_natbox_allocation allocation;
  thirl_natbox_collision collision;
  thirl_natbox_unsolicited unsolicited;
  thirl_natbox_hairpin hairpin;
} preset;

static const preset presets[] = {
    {.name = "none", .mode = THIRL_NATBOX_ROUTE},
    {.name = "fullcone", .mapping = THIRL_NATBOX_EIM, .filtering = THIRL_NATBOX_EIF},
    {.name = "restricted", .mapping = THIRL_NATBOX_EIM, .filtering = THIRL_NATBOX_ADF},
    {.name = "portrestricted", .mapping = THIRL_NATBOX_EIM, .filtering = THIRL_NATBOX_APDF},
    {.name = "symmetric",
     .mapping = THIRL_NATBOX_APDM,
     .filtering = THIRL_NATBOX_APDF,
     .allocation = THIRL_NATBOX_RANDOM},
    {.name = "symmetric-seq",
     .mapping = THIRL_NATBOX_APDM,
     .filtering = THIRL_NATBOX_APDF,
     .allocation = THIRL_NATBOX_SEQUENTIAL},
    {.name = "linux",
     .mapping = THIRL_NATBOX_APDM,
     .filtering = THIRL_NATBOX_APDF,
     .collision = THIRL_NATBOX_COLLIDE_OVERLAP},
    {.name = "linux-open",
     .mapping = THIRL_NATBOX_APDM,
     .filtering = THIRL_NATBOX_APDF,
     .collision = THIRL_NATBOX_COLLIDE_OVERLAP,
     .unsolicited = THIRL_NATBOX_LOCAL},
    {.name = "linux-random",
     .mapping = THIRL_NATBOX_APDM,
     .filtering = THIRL_NATBOX_APDF,
     .allocation = THIRL_NATBOX_RANDOM,
     .collision = THIRL_NATBOX_COLLIDE_OVERLAP},
    {.name = "cgn",
     .mapping = THIRL_NATBOX_EIM,
     .filtering = THIRL_NATBOX_EIF,
     .allocation = THIRL_NATBOX_BLOCK,
     .hairpin = THIRL_NATBOX_HAIRPIN_EXTERNAL},
    {.name = "cloudnat",
     .mapping = THIRL_NATBOX_APDM,
     .filtering = THIRL_NATBOX_APDF,
     .allocation = THIRL_NATBOX_RANDOM},
    {.name = "firewall", .mode = THIRL_NATBOX_FIREWALL, .filtering = THIRL_NATBOX_APDF},
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
    if (strcmp(name, "cloudnat") == 0) c.udp.new_timeout = c.udp.open_timeout = c.tcp.open_timeout = 350 * THIRL_S;
    *out = c;
    return THIRL_OK;
  }
  return THIRL_E_NOT_FOUND;
}

const char *thirl_natbox_config_preset_name(unsigned index) {
  return index < N_PRESETS ? presets[index].name : NULL;
}
