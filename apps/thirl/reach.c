/* SPDX-License-Identifier: MIT */
#include "reach.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "status.h"

thirl_options reach_options(const arguments *a) {
  thirl_options o = THIRL_OPTIONS_INIT;
  o.server = a->server;
  o.identity = a->identity;
  o.ephemeral = a->ephemeral;
  o.direct_only = a->direct_only;
  o.relay_only = a->relay_only;
  o.timeout_ms = a->timeout_s * 1000;
  return o;
}

/* One byte of stdin, which somebody may have made non-blocking. False at its end. */
static bool read_byte(char *c) {
  struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
  for (;;) {
    ssize_t n = read(STDIN_FILENO, c, 1);
    if (n >= 0) return n == 1;
    if (errno == EAGAIN) (void)poll(&p, 1, -1);
    if (errno != EAGAIN && errno != EINTR) return false;
  }
}

/* The first line of stdin, byte by byte: what follows it is data and belongs to the stream. */
static const char *read_line(void) {
  static char line[THIRL_TICKET_MAX + 1];
  size_t n = 0;
  char c;
  while (n + 1 < sizeof line && read_byte(&c) && c != '\n')
    line[n++] = c;
  line[n] = '\0';
  return line;
}

const char *reach_ticket(const char *word) {
  const char *ticket = word ? word : getenv("THIRL_TICKET");
  if (ticket && strcmp(ticket, "-") == 0) ticket = read_line();
  return ticket && *ticket ? ticket : NULL;
}

int reach_dial(thirl_options *o, const char *ticket, thirl_context **out, thirl_session_handle *session) {
  thirl_context *c = NULL;
  *out = NULL;
  if (o->server) {
    status_error(THIRL_E_INVALID, "--server is for the side that makes the ticket: a ticket names its server"
                                  " (is THIRL_TICKET set?)");
    return EXIT_USAGE;
  }
  thirl_error e = thirl_context_new(o, &c);
  if (e == THIRL_OK) e = thirl_context_dial(c, ticket, session);
  if (e ==
      THIRL_E_SELF) { /* two terminals of one person: the other end has this user's key, so this one takes another */
    thirl_context_free(c);
    o->ephemeral = true;
    e = thirl_context_new(o, &c);
    if (e == THIRL_OK) e = thirl_context_dial(c, ticket, session);
  }
  if (e != THIRL_OK) {
    status_error(e, c ? thirl_context_explain(c) : "");
    thirl_context_free(c);
    return command_exit_code(e, false);
  }
  *out = c;
  return EXIT_OK;
}

int reach_listen(const thirl_options *o, char *ticket, thirl_context **out) {
  thirl_context *c = NULL;
  *out = NULL;
  thirl_error e = thirl_context_new(o, &c);
  if (e == THIRL_OK) e = thirl_context_listen(c, ticket);
  if (e != THIRL_OK) {
    status_error(e, c ? thirl_context_explain(c) : "");
    thirl_context_free(c);
    return command_exit_code(e, false);
  }
  *out = c;
  return EXIT_OK;
}

int reach_peer(const arguments *a, thirl_context **out, thirl_session_handle *session) {
  const char *ticket = reach_ticket(a->ticket);
  thirl_options o = reach_options(a);
  *out = NULL;
  if (ticket) return reach_dial(&o, ticket, out, session);
  status_error(THIRL_E_INVALID, "no ticket: give it as an argument, in THIRL_TICKET, or \"-\" and on stdin");
  return EXIT_USAGE;
}
