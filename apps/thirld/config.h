/* SPDX-License-Identifier: MIT */
/* What thirld is told, as values. config_table.h has the names of thirld.conf, config_file.h its grammar. */
#ifndef THIRLD_CONFIG_H
#define THIRLD_CONFIG_H

#include "base/log.h"
#include "server/server.h"

enum {
  CONFIG_PORT = 3478,           /* when an address has none */
  CONFIG_ALTERNATE_PORT = 3479, /* when an alternate has none */
  CONFIG_DRAIN_S = 30,          /* by default */
  CONFIG_COMPLAINT_MAX = 256
};

typedef struct config {
  thirl_addr listen_tcp[THIRL_SERVER_LISTENERS], listen_udp[THIRL_SERVER_LISTENERS];
  size_t n_tcp, n_udp; /* 0 and 0: the defaults of config_complete */
  /* NAT discovery, [0] IPv4 and [1] IPv6: the second address, and the first when the listeners do not say it. Not set: none. */
  thirl_addr alternate[THIRL_SERVER_PAIRS], primary[THIRL_SERVER_PAIRS];
  thirl_server_alias aliases[THIRL_SERVER_ALIASES];
  size_t n_aliases;
  thirl_server_limits limits;
  thirl_log_level log_level;
  uint32_t drain_s;
} config;

/** The values of an empty file, listeners not yet filled in. */
void config_init(config *c);
/** Add a listener to both kinds, or to one: "0.0.0.0", "192.0.2.1:3478", "[::]:3478". E_SYNTAX, E_LIMIT. */
thirl_error config_add_listener(config *c, const char *address, bool tcp, bool udp);
/** A second address for NAT discovery, one per family: "192.0.2.2", "[2001:db8::2]:3479". E_SYNTAX, E_LIMIT. */
thirl_error config_add_alternate(config *c, const char *address);
/** The first one, when the listeners are on every address. */
thirl_error config_add_primary(config *c, const char *address);
/** "10.0.0.5 203.0.113.5": the first is known to clients as the second. E_SYNTAX, E_LIMIT. */
thirl_error config_add_alias(config *c, const char *two);
/**
 * Fill in what is still unset: listeners on every address and ports 3478 and 3479, default limits, and the listeners that an alternate address
 * needs beside those that are given. E_SYNTAX, with a sentence in complaint: an alternate without a first address, or more listeners than
 * there may be. *by_default: the listeners are the defaults, of which only the first must be had.
 */
thirl_error config_complete(config *c, bool *by_default, char complaint[CONFIG_COMPLAINT_MAX]);
/** The pair of a family (0: IPv4, 1: IPv6) for the server, zeroed when none is configured. After config_complete. */
thirl_server_pair config_pair(const config *c, size_t family);

#endif
