/* SPDX-License-Identifier: MIT */
#include "lab/text/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned width(const thirl_addr *a) {
  return (unsigned)thirl_addr_ip_len(a) * 8;
}

static bool get_bit(const thirl_addr *a, unsigned i) {
  return a->ip[i / 8] & (0x80u >> i % 8);
}

/* Sets the bits from the length on to zeroes or ones. */
static thirl_addr fill(const thirl_lab_prefix *p, bool ones) {
  thirl_addr a = p->addr;
  for (unsigned i = p->bits; i < width(&a); i++) {
    uint8_t mask = (uint8_t)(0x80u >> i % 8);
    a.ip[i / 8] = (uint8_t)(ones ? a.ip[i / 8] | mask : a.ip[i / 8] & ~mask);
  }
  return a;
}

thirl_error thirl_lab_address_parse(const char *text, thirl_lab_prefix *out) {
  char copy[THIRL_LAB_ADDRESS_TEXT_MAX];
  const char *slash = strchr(text, '/');
  size_t n = slash ? (size_t)(slash - text) : strlen(text);
  memset(out, 0, sizeof *out);
  if (n == 0 || n >= sizeof copy || *text == '[') return THIRL_E_SYNTAX;
  memcpy(copy, text, n);
  copy[n] = '\0';
  if (!strchr(copy, '.') && !strstr(copy, ":")) return THIRL_E_SYNTAX;
  if (strchr(copy, '.') && strchr(copy, ':') && strchr(copy, '.') < strchr(copy, ':'))
    return THIRL_E_SYNTAX; /* a port */
  thirl_addr a;
  if (thirl_addr_parse(copy, &a) != THIRL_OK) return THIRL_E_SYNTAX;
  unsigned long bits = width(&a);
  if (slash) {
    size_t digits = strspn(slash + 1, "0123456789");
    if (digits == 0 || digits > 3 || slash[1 + digits]) return THIRL_E_SYNTAX;
    unsigned long given = strtoul(slash + 1, NULL, 10);
    if (given > bits) return THIRL_E_SYNTAX;
    bits = given;
  }
  out->addr = a;
  out->bits = (uint8_t)bits;
  return THIRL_OK;
}

const char *thirl_lab_address_format_ip(const thirl_addr *a, char *out) {
  char text[THIRL_ADDR_TEXT_MAX];
  thirl_addr_format(a, text);
  size_t n = strlen(text);
  if (*text == '[') { /* [2001:db8::1]:0 */
    char *end = strchr(text, ']');
    n = end ? (size_t)(end - text) - 1 : n;
    memmove(text, text + 1, n);
  } else if (strchr(text, ':'))
    n = (size_t)(strchr(text, ':') - text);
  memcpy(out, text, n);
  out[n] = '\0';
  return out;
}

const char *thirl_lab_address_format(const thirl_lab_prefix *p, char *out) {
  thirl_lab_address_format_ip(&p->addr, out);
  size_t n = strlen(out);
  snprintf(out + n, THIRL_LAB_ADDRESS_TEXT_MAX - n, "/%u", p->bits);
  return out;
}

thirl_lab_prefix thirl_lab_address_network(thirl_lab_prefix p) {
  p.addr = fill(&p, false);
  return p;
}

bool thirl_lab_address_is_network(const thirl_lab_prefix *p) {
  thirl_addr a = fill(p, false);
  return thirl_addr_equal(&a, &p->addr);
}

static bool same_bits(const thirl_addr *a, const thirl_addr *b, unsigned bits) {
  if (a->family != b->family) return false;
  for (unsigned i = 0; i < bits; i++)
    if (get_bit(a, i) != get_bit(b, i)) return false;
  return true;
}

bool thirl_lab_address_contains(const thirl_lab_prefix *p, const thirl_addr *a) {
  return same_bits(&p->addr, a, p->bits);
}

bool thirl_lab_address_overlap(const thirl_lab_prefix *a, const thirl_lab_prefix *b) {
  return same_bits(&a->addr, &b->addr, a->bits < b->bits ? a->bits : b->bits);
}

thirl_addr thirl_lab_address_first(const thirl_lab_prefix *p) {
  thirl_addr a = fill(p, false);
  a.ip[thirl_addr_ip_len(&a) - 1] |= 1;
  return a;
}

thirl_addr thirl_lab_address_last(const thirl_lab_prefix *p) {
  thirl_addr a = fill(p, true);
  a.ip[thirl_addr_ip_len(&a) - 1] &= 0xfe;
  return a;
}

bool thirl_lab_address_is_host(const thirl_lab_prefix *network, const thirl_addr *a) {
  thirl_addr own = fill(network, false), everybody = fill(network, true);
  if (thirl_addr_same_ip(a, &own)) return false;
  if (a->family == THIRL_FAMILY_V4)
    return !thirl_addr_same_ip(a, &everybody) && a->ip[0] != 0 && a->ip[0] != 127 && a->ip[0] < 224;
  static const uint8_t loopback[16] = {[15] = 1};
  return a->ip[0] != 0xff && memcmp(a->ip, loopback, sizeof loopback) != 0;
}
