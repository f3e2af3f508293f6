/* SPDX-License-Identifier: MIT */
#include "config_table.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRAIN_MAX_S = 86400 };

static const char *const LEVELS[] = {"error", "warn", "info", "debug"};

/* ---- values ---- */

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

static thirl_error set_listen_tcp(config *c, const char *value) {
  return config_add_listener(c, value, true, false);
}

static thirl_error set_listen_udp(config *c, const char *value) {
  return config_add_listener(c, value, false, true);
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

static thirl_error set_limit(config *c, const char *name, const char *value) {
  uint64_t v;
  thirl_server_limits tried = c->limits;
  if (thirl_server_limits_set(&tried, name, 1) == THIRL_E_NOT_FOUND) return THIRL_E_NOT_FOUND;
  thirl_error e = parse_number(value, &v);
  return e == THIRL_OK ? thirl_server_limits_set(&c->limits, name, v) : e;
}

/* ---- [server] ---- */

#define LISTENERS "0.0.0.0:3478\n[::]:3478\n0.0.0.0:3479\n[::]:3479"

static const struct {
  const char *name, *value, *normal, *example, *what, *paragraph;
  thirl_error (*set)(config *c, const char *value);
} SERVER[] = {
    {"listen-tcp", "ADDRESS[:PORT]", LISTENERS, NULL, "where to listen for TCP, up to eight times",
     "Where to listen: an address, with a port if it is not 3478. Each may be given up to eight times. Without any: "
     "every address, IPv4 and "
     "IPv6, on 3478 and 3479. TCP carries rendezvous and relay; both answer STUN Binding requests. An answer leaves "
     "from the address that was "
     "asked.",
     set_listen_tcp},
    {"listen-udp", "ADDRESS[:PORT]", LISTENERS, NULL, "and for UDP", NULL, set_listen_udp},
    {"primary", "ADDRESS[:PORT]", NULL, "192.0.2.1",
     "the first address for NAT discovery, when the listeners do not say it",
     "What NAT is a client behind? To tell all of it (RFC 5780), a server needs two addresses on two ports. Say the "
     "second address of this "
     "machine, with a port if it is not 3479; once for IPv4 and once for IPv6. The first is the one that listen-udp "
     "names; when that is \"every "
     "address\", say it too. What is missing then among the four combinations is listened on as well. Four listeners "
     "that are two addresses "
     "on the same two ports mean the same without being told. With one address, clients still learn whether their NAT "
     "tells ports apart.",
     config_add_primary},
    {"alternate", "ADDRESS[:PORT]", NULL, "192.0.2.2", "the second one", NULL, config_add_alternate},
    {"public", "ADDRESS ADDRESS", NULL, "10.0.0.5 192.0.2.1",
     "an address of this machine, and what it is for the rest of the world",
     "A machine whose addresses are mapped one to one to public ones, as clouds do it, is to name the public ones: its "
     "own address first; up to "
     "four times.",
     config_add_alias},
    {"log-level", "LEVEL", "info", NULL, "how much the log tells",
     "error, warn (and who replays what was recorded, with the address), info (one line per finished session, no "
     "addresses) or debug.",
     set_level},
    {"drain-s", "SECONDS", "30", NULL, "how long sessions may go on after SIGTERM",
     "After SIGTERM: how many seconds sessions may go on over the relay before the process ends; 0 to 86400.",
     set_drain},
};

enum { SERVER_N = sizeof SERVER / sizeof SERVER[0] };

/* ---- [limits] ---- */

/* What is said of a limit and of those behind it. */
static const struct {
  const char *name, *paragraph;
} LIMITS[] = {
    {"max-connections", "TCP connections in all, and from one IPv4 address or one IPv6 /64. Each open one costs a file "
                        "descriptor: see LimitNOFILE of systemd, or "
                        "ulimit -n."},
    {"max-registrations",
     "Peers that can be reached at a time; about 800 bytes each, and what the kernel needs for the connection."},
    {"max-registrations-per-peer",
     "Registrations of one peer at a time: the terminals and machines of one user, who has one key."},
    {"max-channels", "Relayed pairs in all, and of one peer."},
    {"channel-buffer", "Bytes that wait for a slow receiver, per direction of a channel, and in all channels together. "
                       "While more than half of relay-memory is "
                       "granted, new channels get a smaller share of it; when all is granted they are refused."},
    {"register-timeout-s", "Seconds: a connection that asks nothing; a registration without a refresh (clients are "
                           "told, and refresh in time)."},
    {"connects-per-minute", "How often is too often: CONNECT requests of one peer, unauthenticated requests on one "
                            "connection, registrations from one address."},
    {"discoveries-per-second-per-ip", "NAT discovery over UDP: requests of one address that ask for an answer from "
                                      "elsewhere, to another port, or a long one."},
    {"max-probes", "And over TCP: clients that are connected to from elsewhere, because they ask what their NAT does "
                   "then, at a time, and how often one "
                   "address is."},
    {"warnings-per-minute",
     "Lines in the log about what strangers try (a recorded registration sent again); the rest is counted."},
};

static const char *paragraph_of(const char *limit) {
  for (size_t i = 0; i < sizeof LIMITS / sizeof LIMITS[0]; i++)
    if (strcmp(LIMITS[i].name, limit) == 0) return LIMITS[i].paragraph;
  return NULL;
}

/* Bytes in K or M, where nothing is lost by it. */
static void write_number(const thirl_server_limits_row *row, char *out, size_t size) {
  unsigned long long v = row->normal;
  bool is_bytes = strncmp(row->what, "bytes", 5) == 0;
  if (is_bytes && v % (1 << 20) == 0)
    snprintf(out, size, "%lluM", v >> 20);
  else if (is_bytes && v % (1 << 10) == 0)
    snprintf(out, size, "%lluK", v >> 10);
  else
    snprintf(out, size, "%llu", v);
}

/* ---- the table ---- */

bool config_table_get(size_t i, config_row *out) {
  thirl_server_limits_row limit;
  *out = (config_row){.section = "server"};
  if (i < SERVER_N) {
    out->name = SERVER[i].name;
    out->value = SERVER[i].value;
    out->normal = SERVER[i].normal;
    out->example = SERVER[i].example;
    out->what = SERVER[i].what;
    out->paragraph = SERVER[i].paragraph;
    return true;
  }
  if (!thirl_server_limits_describe(i - SERVER_N, &limit)) return false;
  snprintf(out->name_buffer, sizeof out->name_buffer, "%s", limit.name);
  write_number(&limit, out->normal_buffer, sizeof out->normal_buffer);
  out->section = "limits";
  out->name = out->name_buffer;
  out->value = "NUMBER";
  out->normal = out->normal_buffer;
  out->what = limit.what;
  out->paragraph = paragraph_of(limit.name);
  out->least = limit.least;
  out->most = limit.most;
  return true;
}

bool config_table_has_section(const char *section) {
  return strcmp(section, "server") == 0 || strcmp(section, "limits") == 0;
}

thirl_error config_table_set(config *c, const char *section, const char *name, const char *value) {
  if (strcmp(section, "limits") == 0) return set_limit(c, name, value);
  for (size_t i = 0; i < SERVER_N; i++)
    if (strcmp(SERVER[i].name, name) == 0) return SERVER[i].set(c, value);
  return THIRL_E_NOT_FOUND;
}
