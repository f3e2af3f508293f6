/* SPDX-License-Identifier: MIT */
/*
 * Candidates as values: their numbers and their text. Which of them meet in a pair is pair.c's; where they come from is the
 * caller's.
 */
#include "ice/candidate.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
  COMPONENT = 1,
  UDP_PREF_MAX = 65535,
  TCP_PREF_MAX = 8191,
  FOUNDATION_TEXT_MAX = 32, /* RFC 8839 5.1: 1*32ice-char */
  TOKEN_MAX = 64,
  TOKENS_MAX = 64
};

static const char *const type_names[] = {"host", "srflx", "prflx", "relay"};
static const char *const tcp_names[] = {NULL, "active", "passive", "so"};

bool thirl_ice_candidate_is_tcp(thirl_ice_transport transport) {
  return transport != THIRL_ICE_UDP;
}

bool thirl_ice_candidate_matches(thirl_ice_transport local, thirl_ice_transport remote) {
  switch (local) {
  case THIRL_ICE_UDP:
    return remote == THIRL_ICE_UDP;
  case THIRL_ICE_TCP_ACTIVE:
    return remote == THIRL_ICE_TCP_PASSIVE;
  case THIRL_ICE_TCP_PASSIVE:
    return remote == THIRL_ICE_TCP_ACTIVE;
  case THIRL_ICE_TCP_SO:
    return remote == THIRL_ICE_TCP_SO;
  }
  return false;
}

/* RFC 6544 4.2: through a NAT simultaneous open is the most, without one the least likely to work. */
static unsigned direction_pref(thirl_ice_type type, thirl_ice_transport transport) {
  bool through_nat = type == THIRL_ICE_SRFLX || type == THIRL_ICE_PRFLX;
  switch (transport) {
  case THIRL_ICE_TCP_ACTIVE:
    return through_nat ? 4 : 6;
  case THIRL_ICE_TCP_PASSIVE:
    return through_nat ? 2 : 4;
  case THIRL_ICE_TCP_SO:
    return through_nat ? 6 : 2;
  case THIRL_ICE_UDP:
    break;
  }
  return 0;
}

uint32_t thirl_ice_candidate_priority(thirl_ice_type type, thirl_ice_transport transport, unsigned other_pref) {
  static const uint32_t type_pref[] = {126, 100, 110, 0};
  unsigned max = thirl_ice_candidate_is_tcp(transport) ? TCP_PREF_MAX : UDP_PREF_MAX;
  uint32_t local_pref = other_pref > max ? max : other_pref;
  local_pref += direction_pref(type, transport) << 13;
  return type_pref[type] << 24 | local_pref << 8 | (256 - COMPONENT);
}

uint32_t thirl_ice_candidate_prflx_priority(const thirl_ice_candidate *c) {
  unsigned local_pref = (c->priority >> 8) & 0xffff;
  if (thirl_ice_candidate_is_tcp(c->transport)) local_pref &= TCP_PREF_MAX;
  return thirl_ice_candidate_priority(THIRL_ICE_PRFLX, c->transport, local_pref);
}

uint32_t thirl_ice_candidate_foundation(const thirl_ice_candidate *c, const thirl_addr *server) {
  thirl_addr base = thirl_addr_with_port(c->base, 0);
  uint64_t h = thirl_addr_hash(&base, (uint64_t)c->type << 8 | (uint64_t)c->transport);
  if (server && thirl_addr_is_set(server)) {
    thirl_addr ip = thirl_addr_with_port(*server, 0);
    h = thirl_addr_hash(&ip, h);
  }
  uint32_t f = (uint32_t)(h ^ h >> 32);
  return f ? f : 1;
}

/* text */

static void format_ip(const thirl_addr *a, char out[THIRL_ADDR_TEXT_MAX]) {
  char text[THIRL_ADDR_TEXT_MAX];
  thirl_addr_format(a, text);
  if (text[0] == '[') {
    size_t n = (size_t)(strchr(text, ']') - text) - 1;
    memcpy(out, text + 1, n);
    out[n] = '\0';
  } else {
    char *colon = strrchr(text, ':');
    if (colon) *colon = '\0';
    memcpy(out, text, strlen(text) + 1);
  }
}

thirl_error thirl_ice_candidate_format(const thirl_ice_candidate *c, char *out, size_t cap) {
  if (!thirl_addr_is_set(&c->addr)) return THIRL_E_INVALID;
  char ip[THIRL_ADDR_TEXT_MAX], related[THIRL_ADDR_TEXT_MAX + 32] = "", tcp[32] = "";
  format_ip(&c->addr, ip);
  if (thirl_addr_is_set(&c->related)) {
    char rip[THIRL_ADDR_TEXT_MAX];
    format_ip(&c->related, rip);
    snprintf(related, sizeof related, " raddr %s rport %u", rip, c->related.port);
  }
  if (thirl_ice_candidate_is_tcp(c->transport)) snprintf(tcp, sizeof tcp, " tcptype %s", tcp_names[c->transport]);
  int n = snprintf(out, cap, "%u %d %s %u %s %u typ %s%s%s", c->foundation, COMPONENT,
                   thirl_ice_candidate_is_tcp(c->transport) ? "TCP" : "UDP", c->priority, ip, c->addr.port,
                   type_names[c->type], related, tcp);
  return n > 0 && (size_t)n < cap ? THIRL_OK : THIRL_E_SPACE;
}

typedef struct scanner {
  const char *at;
  char token[TOKEN_MAX + 1];
  bool cut; /* the token was longer than TOKEN_MAX */
} scanner;

static bool next_token(scanner *s) {
  size_t n = 0;
  s->cut = false;
  while (*s->at == ' ')
    s->at++;
  for (; *s->at && *s->at != ' '; s->at++) {
    if (n < TOKEN_MAX)
      s->token[n++] = *s->at;
    else
      s->cut = true;
  }
  s->token[n] = '\0';
  return n > 0;
}

static bool token_is(const scanner *s, const char *word) {
  size_t i = 0;
  for (; word[i] && s->token[i]; i++)
    if (tolower((unsigned char)s->token[i]) != word[i]) return false;
  return word[i] == s->token[i] && !s->cut;
}

static bool token_number(const scanner *s, uint64_t max, uint64_t *out) {
  uint64_t v = 0;
  for (const char *p = s->token; *p; p++) {
    if (*p < '0' || *p > '9') return false;
    v = v * 10 + (uint64_t)(*p - '0');
    if (v > max) return false;
  }
  *out = v;
  return s->token[0] != '\0' && !s->cut;
}

static thirl_error scan_foundation(scanner *s, thirl_ice_candidate *c) {
  if (!next_token(s) || s->cut || strlen(s->token) > FOUNDATION_TEXT_MAX) return THIRL_E_SYNTAX;
  for (const char *p = s->token; *p; p++)
    if (!isalnum((unsigned char)*p) && *p != '+' && *p != '/') return THIRL_E_SYNTAX;
  uint64_t v;
  if (token_number(s, UINT32_MAX, &v)) {
    c->foundation = (uint32_t)v;
    return THIRL_OK;
  }
  uint32_t h = 2166136261u; /* FNV-1a: a name for equality, nothing more */
  for (const char *p = s->token; *p; p++)
    h = (h ^ (unsigned char)*p) * 16777619u;
  c->foundation = h ? h : 1;
  return THIRL_OK;
}

static thirl_error scan_address(scanner *s, thirl_addr *out) {
  uint64_t port;
  if (!next_token(s) || s->cut) return THIRL_E_SYNTAX;
  thirl_addr a;
  bool numeric = strchr(s->token, '[') == NULL && thirl_addr_parse(s->token, &a) == THIRL_OK && a.port == 0;
  if (numeric) a = thirl_addr_unmap(a);
  bool name = false;
  for (const char *p = s->token; *p && !numeric; p++)
    name = name || (isalpha((unsigned char)*p) && !strchr(s->token, ':'));
  if (!numeric) return name ? THIRL_E_UNSUPPORTED : THIRL_E_SYNTAX;
  if (!next_token(s) || !token_number(s, 65535, &port)) return THIRL_E_SYNTAX;
  *out = thirl_addr_with_port(a, (uint16_t)port);
  return THIRL_OK;
}

static thirl_error scan_type(scanner *s, thirl_ice_candidate *c) {
  if (!next_token(s) || !token_is(s, "typ") || !next_token(s)) return THIRL_E_SYNTAX;
  for (int i = 0; i < 4; i++) {
    if (token_is(s, type_names[i])) {
      c->type = (thirl_ice_type)i;
      return THIRL_OK;
    }
  }
  return THIRL_E_UNSUPPORTED;
}

static thirl_error scan_raddr(scanner *s, thirl_addr *related) {
  uint64_t port;
  thirl_addr a;
  if (!next_token(s)) return THIRL_E_SYNTAX;
  bool numeric = strchr(s->token, '[') == NULL && !s->cut && thirl_addr_parse(s->token, &a) == THIRL_OK && a.port == 0;
  if (!next_token(s) || !token_is(s, "rport") || !next_token(s) || !token_number(s, 65535, &port))
    return THIRL_E_SYNTAX;
  /* A name instead of an address hides the address on purpose (mDNS): no harm, nobody sends there. */
  if (numeric) *related = thirl_addr_with_port(thirl_addr_unmap(a), (uint16_t)port);
  return THIRL_OK;
}

/* raddr and rport, tcptype, and pairs of tokens that we do not know. */
static thirl_error scan_extensions(scanner *s, thirl_ice_candidate *c, bool tcp) {
  bool has_tcptype = false;
  for (int i = 0; next_token(s); i++) {
    if (i >= TOKENS_MAX) return THIRL_E_SYNTAX;
    if (token_is(s, "raddr")) {
      thirl_error e = scan_raddr(s, &c->related);
      if (e) return e;
    } else if (tcp && token_is(s, "tcptype")) {
      if (!next_token(s)) return THIRL_E_SYNTAX;
      for (int k = 1; k < 4 && !has_tcptype; k++) {
        if (!token_is(s, tcp_names[k])) continue;
        c->transport = (thirl_ice_transport)k;
        has_tcptype = true;
      }
      if (!has_tcptype) return THIRL_E_UNSUPPORTED;
    } else if (!next_token(s)) {
      return THIRL_E_SYNTAX;
    }
  }
  return tcp && !has_tcptype ? THIRL_E_SYNTAX : THIRL_OK;
}

static thirl_error scan(scanner *s, thirl_ice_candidate *c) {
  uint64_t v;
  thirl_error e = scan_foundation(s, c);
  if (e) return e;
  if (!next_token(s) || !token_number(s, 256, &v) || v == 0) return THIRL_E_SYNTAX;
  if (v != COMPONENT) return THIRL_E_UNSUPPORTED;
  if (!next_token(s)) return THIRL_E_SYNTAX;
  bool tcp = token_is(s, "tcp");
  if (!tcp && !token_is(s, "udp")) return THIRL_E_UNSUPPORTED;
  if (!next_token(s) || !token_number(s, INT32_MAX, &v) || v == 0) return THIRL_E_SYNTAX;
  c->priority = (uint32_t)v;
  if ((e = scan_address(s, &c->addr)) || (e = scan_type(s, c))) return e;
  return scan_extensions(s, c, tcp);
}

thirl_error thirl_ice_candidate_parse(const char *text, thirl_ice_candidate *out) {
  memset(out, 0, sizeof *out);
  if (strncmp(text, "a=", 2) == 0) text += 2;
  if (strncmp(text, "candidate:", 10) == 0) text += 10;
  scanner s = {.at = text};
  thirl_ice_candidate c = {0};
  thirl_error e = scan(&s, &c);
  if (!e) *out = c;
  return e;
}
