/* SPDX-License-Identifier: MIT */
/* thirld: from the command line and the file to a running server. */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "config_file.h"
#include "daemon.h"

#ifndef THIRL_VERSION
#define THIRL_VERSION "unknown"
#endif

static const char DEFAULT_PATH[] = "/etc/thirl/thirld.conf";

/* What the command line says of addresses replaces what the file says of them. */
static void take_listeners(const config *said, config *c) {
  if (said->n_tcp) {
    memcpy(c->listen_tcp, said->listen_tcp, sizeof c->listen_tcp);
    memcpy(c->listen_udp, said->listen_udp, sizeof c->listen_udp);
    c->n_tcp = c->n_udp = said->n_tcp;
  }
  for (size_t i = 0; i < THIRL_SERVER_PAIRS; i++) {
    if (said->n_tcp) c->primary[i] = c->alternate[i] = (thirl_addr){.family = THIRL_FAMILY_NONE};
    if (thirl_addr_is_set(&said->alternate[i])) c->alternate[i] = said->alternate[i];
  }
}

/* The file that was named must be there; the default one need not. */
static int load(const arguments *a, daemon_options *o) {
  char complaint[CONFIG_COMPLAINT_MAX];
  const char *path = a->path ? a->path : DEFAULT_PATH;
  config_init(&o->config);
  thirl_error e = config_load(&o->config, path, complaint);
  if (e == THIRL_OK) {
    o->path = path;
  } else if (a->path || e != THIRL_E_NOT_FOUND) {
    fprintf(stderr, "thirld: %s:%s%s\n", path, e == THIRL_E_SYNTAX ? "" : " ", complaint);
    return EXIT_BAD_CONFIG;
  }
  take_listeners(&a->listeners, &o->config);
  if (config_complete(&o->config, &o->listeners_by_default, complaint) == THIRL_OK) return EXIT_DONE;
  fprintf(stderr, "thirld: %s\n", complaint);
  return EXIT_BAD_CONFIG;
}

int main(int argc, char **argv) {
  arguments a = {.path = NULL};
  daemon_options o = {.path = NULL};
  int code = arguments_read(&a, argc - 1, argv + 1);
  if (code != EXIT_DONE) return code;
  if (a.help) {
    arguments_help();
    return EXIT_DONE;
  }
  if (a.version) {
    printf("thirld %s\n", THIRL_VERSION);
    return EXIT_DONE;
  }
  code = load(&a, &o);
  if (code != EXIT_DONE) return code;
  if (a.check) {
    printf("%s: fine\n", o.path ? o.path : "defaults");
    return EXIT_DONE;
  }
  return daemon_run(&o);
}
