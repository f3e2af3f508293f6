/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

enum { DRAIN_DEFAULT_S = 30, DRAIN_MAX_S = 86400 };

static const char *const LEVELS[] = {"error", "warn", "info", "debug"};

void config_init(config *c) {
  memset(c, 0, sizeof *c);
  c->log_level = THIRL_LOG_INFO;
  c->drain_s = DRAIN_DEFAULT_S;
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

/* ---- one setting ---- */

/* A whole number, with K, M or G for powers of 1024. */
static thirl_error parse_number(const char *text, uint64_t *out) {
  static const char units[] = "KMG";
  char *end;
  errno = 0;
  unsigned long long v = strtoull(text, &end, 10);
  if (!isdigit((unsigned char)text[0]) || errno) return THIRL_E_SYNTAX;
  const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
  if (*end && (!unit || end[1])) return THIRL_E_SYNTAX;
  unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
  if (v > UINT64_MAX >> shift) return THIRL_E_RANGE;
  *out = (uint64_t)v << shift;
  return THIRL_OK;
}

static thirl_error set_level(config *c, const char *value) {
  for (size_t i = 0; i < sizeof LEVELS / sizeof LEVELS[0]; i++) {
    if (strcmp(value, LEVELS[i]) != 0) continue;
    c->log_level = (thirl_log_level)i;
    return THIRL_OK;
  }
  return THIRL_E_SYNTAX;
}

static thirl_error set_drain(config *c, const char *value) {
  uint64_t v;
  thirl_error e = parse_number(value, &v);
  if (e == THIRL_OK && v > DRAIN_MAX_S) e = THIRL_E_RANGE;
  if (e == THIRL_OK) c->drain_s = (uint32_t)v;
  return e;
}

static thirl_error set_server(config *c, const char *name, const char *value) {
  if (strcmp(name, "listen-tcp") == 0) return config_add_listener(c, value, true, false);
  if (strcmp(name, "listen-udp") == 0) return config_add_listener(c, value, false, true);
  if (strcmp(name, "alternate") == 0) return config_add_alternate(c, value);
  if (strcmp(name, "primary") == 0) return config_add_primary(c, value);
  if (strcmp(name, "public") == 0) return config_add_alias(c, value);
  if (strcmp(name, "log-level") == 0) return set_level(c, value);
  if (strcmp(name, "drain-s") == 0) return set_drain(c, value);
  return THIRL_E_NOT_FOUND;
}

static thirl_error set_limit(config *c, const char *name, const char *value) {
  uint64_t v;
  thirl_server_limits tried = c->limits;
  if (thirl_server_limits_set(&tried, name, 1) == THIRL_E_NOT_FOUND) return THIRL_E_NOT_FOUND;
  thirl_error e = parse_number(value, &v);
  return e == THIRL_OK ? thirl_server_limits_set(&c->limits, name, v) : e;
}

/* ---- the file ---- */

typedef struct parse {
  config *c;
  thirl_bytes left;
  unsigned line;
  char *complaint;
  bool failed;
} parse;

/* The first complaint is kept. */
static int complain(parse *p, const char *format, const char *a, const char *b) {
  if (p->failed) return 0;
  int n = snprintf(p->complaint, CONFIG_COMPLAINT_MAX, "%u: ", p->line);
  /* The formats are the literals below. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  snprintf(p->complaint + n, (size_t)(CONFIG_COMPLAINT_MAX - n), format, a, b);
#pragma GCC diagnostic pop
  p->failed = true;
  return 0;
}

static int complain_range(parse *p, const char *name, const char *value) {
  thirl_server_limits_row row;
  char text[160];
  for (size_t i = 0; thirl_server_limits_describe(i, &row); i++) {
    if (strcmp(row.name, name) != 0) continue;
    snprintf(text, sizeof text, "is out of range: from %llu to %llu", (unsigned long long)row.least,
             (unsigned long long)row.most);
    return complain(p, "%s %s", name, text);
  }
  return complain(p, "%s is out of range: \"%s\"", name, value);
}

static const char *too_many(const char *name) {
  if (strncmp(name, "listen", 6) == 0) return "too many of %s: eight at most, not \"%s\" too";
  if (strcmp(name, "public") == 0) return "too many of %s: four at most, not \"%s\" too";
  return "%s is given twice for one family: \"%s\"";
}

static int on_setting(void *user, const char *section, const char *name, const char *value) {
  parse *p = user;
  thirl_error e;
  if (p->failed) return 0;
  if (strcmp(section, "server") == 0)
    e = set_server(p->c, name, value);
  else if (strcmp(section, "limits") == 0)
    e = set_limit(p->c, name, value);
  else
    return complain(p, "there is no section [%s]; \"%s\" belongs into [server] or [limits]", section, name);
  switch (e) {
  case THIRL_OK:
    return 1;
  case THIRL_E_NOT_FOUND:
    return complain(p, "[%s] has no setting \"%s\"", section, name);
  case THIRL_E_LIMIT:
    return complain(p, too_many(name), name, value);
  case THIRL_E_RANGE:
    return complain_range(p, name, value);
  default:
    return complain(p, "%s cannot be \"%s\"", name, value);
  }
}

/* fgets over the text, for inih. A line that would be cut, or one with a NUL, is a mistake and not a shorter line. */
static char *next_line(char *out, int cap, void *user) {
  parse *p = user;
  const uint8_t *end = memchr(p->left.p, '\n', p->left.n);
  size_t n = end ? (size_t)(end - p->left.p) + 1 : p->left.n;
  if (p->left.n == 0 || p->failed) return NULL;
  p->line++;
  if (n > CONFIG_LINE_MAX || n + 1 > (size_t)cap)
    complain(p, "the line is too long%s%s", "", "");
  else if (memchr(p->left.p, '\0', n))
    complain(p, "the line is no text%s%s", "", "");
  if (p->failed) return NULL;
  memcpy(out, p->left.p, n);
  out[n] = '\0';
  p->left.p += n;
  p->left.n -= n;
  return out;
}

thirl_error config_parse(config *c, thirl_bytes text, char complaint[CONFIG_COMPLAINT_MAX]) {
  parse p = {.c = c, .left = text, .complaint = complaint};
  complaint[0] = '\0';
  if (text.n == 0) return THIRL_OK;
  int line = ini_parse_stream(next_line, &p, on_setting, &p);
  if (line == 0 && !p.failed) return THIRL_OK;
  if (!p.failed) { /* inih's own: a line that is neither a section nor a setting */
    p.line = line > 0 ? (unsigned)line : 0;
    complain(&p, "neither [section] nor name = value%s%s", "", "");
  }
  return THIRL_E_SYNTAX;
}

thirl_error config_load(config *c, const char *path, char complaint[CONFIG_COMPLAINT_MAX]) {
  thirl_error e = THIRL_E_IO;
  uint8_t *text = malloc(CONFIG_BYTES_MAX + 1);
  FILE *f = text ? fopen(path, "rb") : NULL;
  int err = errno;
  size_t n = f ? fread(text, 1, CONFIG_BYTES_MAX + 1, f) : 0;
  if (!text)
    e = THIRL_E_NOMEM;
  else if (!f)
    e = err == ENOENT ? THIRL_E_NOT_FOUND : err == EACCES ? THIRL_E_PERMISSION : THIRL_E_IO;
  else if (n > CONFIG_BYTES_MAX)
    e = THIRL_E_LIMIT;
  else if (!ferror(f))
    e = config_parse(c, THIRL_BYTES(text, n), complaint);
  if (e != THIRL_OK && e != THIRL_E_SYNTAX) snprintf(complaint, CONFIG_COMPLAINT_MAX, "%s", thirl_error_text(e));
  if (f) fclose(f);
  free(text);
  return e;
}
