/* SPDX-License-Identifier: MIT */
#include "arguments.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "config_table.h"
#include "daemon.h"

static const option_row path = {.name = "--config",
                                .brief = "-c",
                                .value = "FILE",
                                .help = "the settings (default: /etc/thirl/thirld.conf, if there is one)",
                                .kind = OPTION_TEXT,
                                .offset = offsetof(arguments, path)};
static const option_row listen_at = {.name = "--listen",
                                     .value = "ADDRESS[:PORT]",
                                     .help = "TCP and UDP here, whatever the file says; port 3478 if none is given",
                                     .kind = OPTION_LIST,
                                     .offset = offsetof(arguments, listen)};
static const option_row alternate = {.name = "--alternate",
                                     .value = "ADDRESS[:PORT]",
                                     .help = "a second address of this machine, for clients that ask what NAT they are "
                                             "behind (RFC 5780); port 3479 if none is given",
                                     .kind = OPTION_LIST,
                                     .offset = offsetof(arguments, alternate)};
static const option_row check = {.name = "--check",
                                 .help = "read the settings, say what is wrong with them, and end",
                                 .kind = OPTION_FLAG,
                                 .offset = offsetof(arguments, check)};
static const option_row version = {
    .name = "--version", .help = "print the version", .kind = OPTION_FLAG, .offset = offsetof(arguments, version)};
static const option_row help = {
    .name = "--help", .help = "this text", .kind = OPTION_FLAG, .offset = offsetof(arguments, help)};

const option_row *const arguments_rows[] = {&path, &listen_at, &alternate, &check, &version, &help, NULL};

const exit_row arguments_exits[] = {
    {EXIT_DONE, "done", "it was ended by SIGTERM or SIGINT, and the last session was over; or --check found nothing"},
    {EXIT_OTHER, "other", "the machine said no"},
    {EXIT_BAD_USAGE, "usage", "the command line is wrong"},
    {EXIT_NO_LISTENER, "a listener cannot be had", "it cannot listen where it is told to"},
    {EXIT_BAD_CONFIG, "the configuration is wrong", "the configuration is wrong, or cannot be read"},
    {0, NULL, NULL},
};

static int complain(const char *what, const char *word) {
  options_complain("thirld", what, word);
  return EXIT_BAD_USAGE;
}

static int take_addresses(arguments *a) {
  for (unsigned i = 0; i < a->listen.n; i++) {
    thirl_error e = config_add_listener(&a->listeners, a->listen.at[i], true, true);
    if (e == THIRL_E_LIMIT) return complain("eight --listen are the most; not", a->listen.at[i]);
    if (e != THIRL_OK)
      return complain("--listen wants an address like 0.0.0.0:3478 or [::]:3478, not", a->listen.at[i]);
  }
  for (unsigned i = 0; i < a->alternate.n; i++) {
    thirl_error e = config_add_alternate(&a->listeners, a->alternate.at[i]);
    if (e == THIRL_E_LIMIT) return complain("one --alternate per family is the most; not", a->alternate.at[i]);
    if (e != THIRL_OK)
      return complain("--alternate wants an address like 192.0.2.2 or [2001:db8::2]:3479, not", a->alternate.at[i]);
  }
  return EXIT_DONE;
}

int arguments_read(arguments *a, int argc, char **argv) {
  const options_reading r = {.who = "thirld", .rows = arguments_rows, .into = a};
  int bad = options_read(&r, argc, argv);
  if (bad == OPTIONS_FINE) bad = take_addresses(a);
  if (bad) fputs("thirld: see \"thirld --help\"\n", stderr);
  return bad ? EXIT_BAD_USAGE : EXIT_DONE;
}

void arguments_help(void) {
  config_row row;
  printf("usage: thirld [options]\nthe rendezvous server: introduces peers, relays for them, answers STUN\n\n");
  options_print(arguments_rows, stdout);
  printf("\nSIGHUP reads limits and log level again; SIGUSR1 writes the counts; SIGTERM ends when the last session "
         "has, or "
         "after drain-s.\n");
  const char *section = "";
  for (size_t i = 0; config_table_get(i, &row); i++) {
    if (strcmp(section, row.section) != 0) printf("\n[%s] in the file\n", row.section);
    section = row.section;
    printf("  %-29s  %-9s  %s\n", row.name, row.normal && !strchr(row.normal, '\n') ? row.normal : "", row.what);
  }
  printf("\nexit codes: ");
  for (const exit_row *e = arguments_exits; e->word; e++)
    printf("%s%d %s", e == arguments_exits ? "" : ", ", e->code, e->word);
  putchar('\n');
}
