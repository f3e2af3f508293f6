/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>

void config_init(config *c) {
  memset(c, 0, sizeof *c);
  c->log_level = THIRL_LOG_INFO;
  c->drain_s = CONFIG_DRAIN_S;
}

/* A bare address has the usual port; ":0" asks for any. */
static thirl_error parse_address(const char *text, uint16_t usual, thirl_addr *a) {
  if (thirl_addr_parse(text, a) != THIRL_OK) return THIRL_E_SYNTAX;
  bool has_port = a->family == THIRL_FAMILY_V4 ? strchr(text, ':') != NULL : strstr(text, "]:") != NULL;
  if (!has_port) a->port = usual;
  return THIRL_OK;
}

static thirl_error add(thirl_addr *list, size_t *n, const thirl_addr *a) {
  if (*n == THIRL_SERVER_LISTENERS) return THIRL_E_LIMIT;
  list[(*n)++] = *a;
  return THIRL_OK;
}

thirl_error config_add_listener(config *c, const char *address, bool tcp, bool udp) {
  thirl_addr a;
  thirl_error e = parse_address(address, CONFIG_PORT, &a);
  if (e == THIRL_OK && tcp) e = add(c->listen_tcp, &c->n_tcp, &a);
  if (e == THIRL_OK && udp) e = add(c->listen_udp, &c->n_udp, &a);
  return e;
}

/* ---- NAT discovery: two addresses, two ports ---- */

static thirl_error set_end(thirl_addr ends[THIRL_SERVER_PAIRS], const char *address, uint16_t usual) {
  thirl_addr a;
  thirl_error e = parse_address(address, usual, &a);
  if (e != THIRL_OK) return e;
  if (thirl_addr_is_any(&a) || a.port == 0) return THIRL_E_SYNTAX;
  thirl_addr *end = &ends[a.family == THIRL_FAMILY_V6];
  if (thirl_addr_is_set(end)) return THIRL_E_LIMIT;
  *end = a;
  return THIRL_OK;
}

thirl_error config_add_alternate(config *c, const char *address) {
  return set_end(c->alternate, address, CONFIG_ALTERNATE_PORT);
}

thirl_error config_add_primary(config *c, const char *address) {
  return set_end(c->primary, address, CONFIG_PORT);
}

thirl_error config_add_alias(config *c, const char *two) {
  char local[THIRL_ADDR_TEXT_MAX] = "";
  size_t n = strcspn(two, " \t");
  thirl_server_alias a;
  if (n >= sizeof local) return THIRL_E_SYNTAX;
  memcpy(local, two, n);
  if (thirl_addr_parse(local, &a.local) != THIRL_OK ||
      thirl_addr_parse(two + n + strspn(two + n, " \t"), &a.seen) != THIRL_OK)
    return THIRL_E_SYNTAX;
  if (a.local.family != a.seen.family || a.local.port || a.seen.port || thirl_addr_is_any(&a.local) ||
      thirl_addr_is_any(&a.seen))
    return THIRL_E_SYNTAX;
  if (c->n_aliases == THIRL_SERVER_ALIASES) return THIRL_E_LIMIT;
  c->aliases[c->n_aliases++] = a;
  return THIRL_OK;
}

thirl_server_pair config_pair(const config *c, size_t family) {
  thirl_server_pair p = {.primary = c->primary[family], .alternate = c->alternate[family]};
  if (!thirl_addr_is_set(&p.alternate)) p.primary = p.alternate;
  return p;
}

static const thirl_addr *first_specific(const thirl_addr *list, size_t n, uint8_t family) {
  for (size_t i = 0; i < n; i++)
    if (list[i].family == family && !thirl_addr_is_any(&list[i])) return &list[i];
  return NULL;
}

/* The listeners that the corners of a pair need, where this transport listens in this family at all. */
static thirl_error add_corners(thirl_addr *list, size_t *n, const thirl_server_pair *p) {
  bool is_used = false;
  for (size_t i = 0; i < *n; i++)
    is_used |= list[i].family == p->primary.family;
  for (unsigned corner = 0; corner < 4 && is_used; corner++) {
    thirl_addr at = thirl_server_pair_corner(p, corner);
    bool is_there = false;
    for (size_t i = 0; i < *n; i++)
      is_there |= list[i].family == at.family && list[i].port == at.port &&
                  (thirl_addr_is_any(&list[i]) || thirl_addr_same_ip(&list[i], &at));
    thirl_error e = is_there ? THIRL_OK : add(list, n, &at);
    if (e != THIRL_OK) return e;
  }
  return THIRL_OK;
}

static thirl_error complete_pair(config *c, size_t family, char complaint[CONFIG_COMPLAINT_MAX]) {
  char a[THIRL_ADDR_TEXT_MAX], b[THIRL_ADDR_TEXT_MAX];
  uint8_t wanted = c->alternate[family].family;
  if (!thirl_addr_is_set(&c->alternate[family])) return THIRL_OK;
  const thirl_addr *first = first_specific(c->listen_udp, c->n_udp, wanted);
  if (!first) first = first_specific(c->listen_tcp, c->n_tcp, wanted);
  if (!thirl_addr_is_set(&c->primary[family]) && first) c->primary[family] = *first;
  thirl_server_pair p = config_pair(c, family);
  thirl_addr_format(&p.alternate, b);
  if (!thirl_addr_is_set(&p.primary)) {
    snprintf(complaint, CONFIG_COMPLAINT_MAX,
             "alternate = %s wants a first address: listen on one of %s, or say primary = ...", b,
             wanted == THIRL_FAMILY_V6 ? "IPv6" : "IPv4");
    return THIRL_E_SYNTAX;
  }
  if (!thirl_server_pair_is_sound(&p)) {
    snprintf(complaint, CONFIG_COMPLAINT_MAX, "alternate = %s must have another address and another port than %s", b,
             thirl_addr_format(&p.primary, a));
    return THIRL_E_SYNTAX;
  }
  if (add_corners(c->listen_tcp, &c->n_tcp, &p) == THIRL_OK && add_corners(c->listen_udp, &c->n_udp, &p) == THIRL_OK)
    return THIRL_OK;
  snprintf(complaint, CONFIG_COMPLAINT_MAX, "alternate = %s: too many listeners, eight of each kind at most", b);
  return THIRL_E_SYNTAX;
}

thirl_error config_complete(config *c, bool *by_default, char complaint[CONFIG_COMPLAINT_MAX]) {
  static const uint16_t ports[] = {CONFIG_PORT, CONFIG_ALTERNATE_PORT};
  complaint[0] = '\0';
  thirl_server_limits_complete(&c->limits);
  *by_default = c->n_tcp == 0 && c->n_udp == 0;
  for (size_t i = 0; i < 4 && *by_default; i++)
    c->listen_tcp[c->n_tcp++] = c->listen_udp[c->n_udp++] =
        thirl_addr_any(i % 2 ? THIRL_FAMILY_V6 : THIRL_FAMILY_V4, ports[i / 2]);
  for (size_t family = 0; family < THIRL_SERVER_PAIRS; family++) {
    thirl_error e = complete_pair(c, family, complaint);
    if (e != THIRL_OK) return e;
  }
  return THIRL_OK;
}
