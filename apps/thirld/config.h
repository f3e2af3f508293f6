/* SPDX-License-Identifier: MIT */
/* thirld.conf: text to values. Knows the grammar and the names; opens no file but the one that is asked for. */
#ifndef THIRLD_CONFIG_H
#define THIRLD_CONFIG_H

#include "base/log.h"
#include "server/server.h"

enum {
  CONFIG_PORT = 3478,       /* when an address has none */
  CONFIG_BYTES_MAX = 65536, /* a longer file is none of ours */
  CONFIG_LINE_MAX = 190,
  CONFIG_COMPLAINT_MAX = 256
};

typedef struct config {
  thirl_addr listen_tcp[THIRL_SERVER_LISTENERS], listen_udp[THIRL_SERVER_LISTENERS];
  size_t n_tcp, n_udp; /* 0 and 0: the defaults of config_complete */
  thirl_server_limits limits;
  thirl_log_level log_level;
  uint32_t drain_s;
} config;

/** The values of an empty file, listeners not yet filled in. */
void config_init(config *c);
/**
 * Read settings on top of what c holds. E_SYNTAX, with a sentence for a person that begins with the line number ("12: ...") in complaint; c is
 * then as far as it was read.
 */
thirl_error config_parse(config *c, thirl_bytes text, char complaint[CONFIG_COMPLAINT_MAX]);
/** The same from a file. E_NOT_FOUND, E_PERMISSION, E_IO, E_LIMIT (too long), with a sentence too. */
thirl_error config_load(config *c, const char *path, char complaint[CONFIG_COMPLAINT_MAX]);
/** Add a listener to both kinds, or to one: "0.0.0.0", "192.0.2.1:3478", "[::]:3478". E_SYNTAX, E_LIMIT. */
thirl_error config_add_listener(config *c, const char *address, bool tcp, bool udp);
/** Fill in what is still unset: listeners on every address and port 3478, default limits. True when the listeners are the defaults. */
bool config_complete(config *c);

#endif
