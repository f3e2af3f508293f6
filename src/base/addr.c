/* SPDX-License-Identifier: MIT */
#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

thirl_addr thirl_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port) {
  return (thirl_addr){.family = THIRL_FAMILY_V4, .port = port, .ip = {a, b, c, d}};
}

thirl_addr thirl_addr_v6(const uint8_t ip[16], uint16_t port) {
  thirl_addr a = {.family = THIRL_FAMILY_V6, .port = port};
  memcpy(a.ip, ip, 16);
  return a;
}

thirl_addr thirl_addr_any(thirl_family family, uint16_t port) {
  return (thirl_addr){.family = (uint8_t)family, .port = port};
}

thirl_addr thirl_addr_with_port(thirl_addr a, uint16_t port) {
  a.port = port;
  return a;
}

bool thirl_addr_equal(const thirl_addr *a, const thirl_addr *b) {
  return a->family == b->family && a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool thirl_addr_same_ip(const thirl_addr *a, const thirl_addr *b) {
  return a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool thirl_addr_is_set(const thirl_addr *a) {
  return a->family != THIRL_FAMILY_NONE;
}

bool thirl_addr_is_any(const thirl_addr *a) {
  static const uint8_t zero[16];
  return a->family != THIRL_FAMILY_NONE && memcmp(a->ip, zero, sizeof zero) == 0;
}

size_t thirl_addr_ip_len(const thirl_addr *a) {
  return a->family == THIRL_FAMILY_V4 ? 4 : a->family == THIRL_FAMILY_V6 ? 16 : 0;
}

thirl_addr thirl_addr_unmap(thirl_addr a) {
  static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (a.family != THIRL_FAMILY_V6 || memcmp(a.ip, mapped, sizeof mapped) != 0) return a;
  return thirl_addr_v4(a.ip[12], a.ip[13], a.ip[14], a.ip[15], a.port);
}

uint64_t thirl_addr_hash(const thirl_addr *a, uint64_t key) {
  uint64_t lo, hi, h = key ^ ((uint64_t)a->port << 8 | a->family);
  memcpy(&lo, a->ip, 8);
  memcpy(&hi, a->ip + 8, 8);
  uint64_t parts[3] = {lo, hi, h};
  h = 0x9e3779b97f4a7c15u ^ key;
  for (int i = 0; i < 3; i++) {
    h ^= parts[i];
    h *= 0xff51afd7ed558ccdu;
    h ^= h >> 32;
    h *= 0xc4ceb9fe1a85ec53u;
    h ^= h >> 29;
  }
  return h;
}

static bool v4_is_probeable(const uint8_t ip[4]) {
  if (ip[0] == 0 || ip[0] == 127) return false;
  return ip[0] < 224; /* multicast, reserved and broadcast begin here */
}

static bool begins(const uint8_t ip[16], const void *prefix, size_t n) {
  return memcmp(ip, prefix, n) == 0;
}

/*
 * The IPv4 address that an IPv6 one carries, if any: mapped and compatible (RFC 4291), translated (RFC 2765), NAT64 (RFC 6052), 6to4
 * (RFC 3056), Teredo (RFC 4380: the client's, every bit inverted), ISATAP (RFC 5214).
 */
static bool embedded_v4(const uint8_t ip[16], uint8_t out[4]) {
  static const uint8_t zero[12], mapped[12] = {[10] = 0xff, [11] = 0xff}, translated[12] = {[8] = 0xff, [9] = 0xff},
                                 nat64[12] = {0x00, 0x64, 0xff, 0x9b}, teredo[4] = {0x20, 0x01},
                                 isatap[3] = {0x00, 0x5e, 0xfe};
  if (begins(ip, zero, 12) || begins(ip, mapped, 12) || begins(ip, translated, 12) || begins(ip, nat64, 12) ||
      ((ip[8] & 0xfd) == 0 && memcmp(ip + 9, isatap, 3) == 0)) {
    memcpy(out, ip + 12, 4);
  } else if (ip[0] == 0x20 && ip[1] == 0x02) {
    memcpy(out, ip + 2, 4);
  } else if (begins(ip, teredo, 4)) {
    for (int i = 0; i < 4; i++)
      out[i] = ip[12 + i] ^ 0xff;
  } else {
    return false;
  }
  return true;
}

bool thirl_addr_is_probeable(const thirl_addr *a) {
  static const uint8_t local_nat64[6] = {0x00, 0x64, 0xff,
                                         0x9b, 0x00, 0x01}; /* RFC 8215: where the IPv4 stands is local */
  uint8_t v4[4];
  if (a->port == 0) return false;
  if (a->family == THIRL_FAMILY_V4) return v4_is_probeable(a->ip);
  if (a->family != THIRL_FAMILY_V6) return false;
  if (a->ip[0] == 0xff || begins(a->ip, local_nat64, 6)) return false;
  return !embedded_v4(a->ip, v4) ||
         v4_is_probeable(v4); /* :: and ::1 are IPv4-compatible forms of 0.0.0.0 and 0.0.0.1 */
}

const char *thirl_addr_format(const thirl_addr *a, char *out) {
  char ip[INET6_ADDRSTRLEN];
  if (a->family == THIRL_FAMILY_V4 && inet_ntop(AF_INET, a->ip, ip, sizeof ip))
    snprintf(out, THIRL_ADDR_TEXT_MAX, "%s:%u", ip, a->port);
  else if (a->family == THIRL_FAMILY_V6 && inet_ntop(AF_INET6, a->ip, ip, sizeof ip))
    snprintf(out, THIRL_ADDR_TEXT_MAX, "[%s]:%u", ip, a->port);
  else
    snprintf(out, THIRL_ADDR_TEXT_MAX, "-");
  return out;
}

static bool parse_port(const char *text, uint16_t *port) {
  unsigned v = 0;
  size_t n = strlen(text);
  if (n == 0 || n > 5) return false;
  for (size_t i = 0; i < n; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    v = v * 10 + (unsigned)(text[i] - '0');
  }
  *port = (uint16_t)v;
  return v <= 65535;
}

thirl_error thirl_addr_parse(const char *text, thirl_addr *out) {
  char ip[INET6_ADDRSTRLEN];
  const char *port = NULL, *from = text, *to = text + strlen(text);
  bool bracket = text[0] == '[';
  memset(out, 0, sizeof *out);
  if (bracket) {
    from++;
    to = strchr(from, ']');
    if (!to || (to[1] != '\0' && to[1] != ':')) return THIRL_E_SYNTAX;
    if (to[1] == ':') port = to + 2;
  } else {
    const char *colon = strchr(text, ':');
    if (colon && !strchr(colon + 1, ':')) {
      to = colon;
      port = colon + 1;
    }
  }
  if ((size_t)(to - from) >= sizeof ip) return THIRL_E_SYNTAX;
  memcpy(ip, from, (size_t)(to - from));
  ip[to - from] = '\0';
  thirl_addr a = {0};
  if (port && !parse_port(port, &a.port)) return THIRL_E_SYNTAX;
  if (!bracket && inet_pton(AF_INET, ip, a.ip) == 1)
    a.family = THIRL_FAMILY_V4;
  else if (inet_pton(AF_INET6, ip, a.ip) == 1)
    a.family = THIRL_FAMILY_V6;
  else
    return THIRL_E_SYNTAX;
  *out = a;
  return THIRL_OK;
}
