/* SPDX-License-Identifier: MIT */
/* thirld: the command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"

#ifndef THIRL_VERSION
#define THIRL_VERSION "unknown"
#endif

static const char DEFAULT_PATH[] = "/etc/thirl/thirld.conf";

typedef struct arguments {
  const char *path; /* NULL: the default one, if it is there */
  bool check, help, version;
  config listeners; /* only its listeners */
} arguments;

static void print_help(void) {
  thirl_server_limits_row row;
  printf(
      "usage: thirld [-c FILE] [--listen ADDRESS[:PORT]]... [--check]\n\n"
      "the rendezvous server: introduces peers, relays for them, answers STUN\n\n"
      "  -c, --config FILE   settings (default: %s if there is one)\n"
      "  --listen ADDRESS    TCP and UDP here, whatever the file says; port %d if none is given\n"
      "  --alternate ADDRESS a second address of this machine, for clients that ask what NAT they are behind\n"
      "                      (RFC 5780); port %d if none is given\n"
      "  --check             read the settings, say what is wrong with them, and end\n"
      "  --version, --help\n\n"
      "SIGHUP reads limits and log level again; SIGUSR1 writes the counts; SIGTERM ends when\nthe last session has, "
      "or after drain-s.\n\n"
      "[server] in the file: listen-tcp, listen-udp (eight of each), alternate, primary, public, log-level, drain-s\n"
      "[limits]:\n",
      DEFAULT_PATH, CONFIG_PORT, CONFIG_ALTERNATE_PORT);
  for (size_t i = 0; thirl_server_limits_describe(i, &row); i++)
    printf("  %-28s %10llu  %s\n", row.name, (unsigned long long)row.normal, row.what);
  printf("\nexit codes: 0 done, 1 other, 2 usage, %d a listener cannot be had, %d the configuration is wrong\n",
         EXIT_NO_LISTENER, EXIT_BAD_CONFIG);
}

static int complain(const char *what, const char *word) {
  fprintf(stderr, "thirld: %s %s\n", what, word);
  return EXIT_BAD_USAGE;
}

/* The value of an option, "--name VALUE" or "--name=VALUE"; *i moves past it. */
static const char *value_of(const char *name, char **argv, int argc, int *i) {
  size_t n = strlen(name);
  if (strncmp(argv[*i], name, n) != 0) return NULL;
  if (argv[*i][n] == '=' && name[1] == '-') return argv[*i] + n + 1;
  return argv[*i][n] == '\0' && *i + 1 < argc ? argv[++*i] : NULL;
}

static int parse_arguments(arguments *a, int argc, char **argv) {
  const char *value;
  for (int i = 1; i < argc; i++) {
    const char *word = argv[i];
    if ((value = value_of("-c", argv, argc, &i)) || (value = value_of("--config", argv, argc, &i))) {
      a->path = value;
    } else if ((value = value_of("--listen", argv, argc, &i))) {
      thirl_error e = config_add_listener(&a->listeners, value, true, true);
      if (e == THIRL_E_LIMIT) return complain("eight --listen are the most; not", value);
      if (e != THIRL_OK) return complain("--listen wants an address like 0.0.0.0:3478 or [::]:3478, not", value);
    } else if ((value = value_of("--alternate", argv, argc, &i))) {
      thirl_error e = config_add_alternate(&a->listeners, value);
      if (e == THIRL_E_LIMIT) return complain("one --alternate per family is the most; not", value);
      if (e != THIRL_OK)
        return complain("--alternate wants an address like 192.0.2.2 or [2001:db8::2]:3479, not", value);
    } else if (strcmp(word, "--check") == 0) {
      a->check = true;
    } else if (strcmp(word, "--version") == 0) {
      a->version = true;
    } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
      a->help = true;
    } else if (strcmp(word, "-c") == 0 || strcmp(word, "--config") == 0 || strcmp(word, "--listen") == 0 ||
               strcmp(word, "--alternate") == 0) {
      return complain("a value is missing after", word);
    } else {
      return complain("no such option; thirld --help tells which there are:", word);
    }
  }
  return EXIT_DONE;
}

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
  int code = parse_arguments(&a, argc, argv);
  if (code != EXIT_DONE) return code;
  if (a.help) {
    print_help();
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
