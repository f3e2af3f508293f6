/* SPDX-License-Identifier: MIT */
#include "pipe.h"
#include "reach.h"
#include "serve.h"
#include "status.h"

/* What --allow-forward and --allow-bind name. */
static int read_rules(const arguments *a, tunnel_rules *out) {
  for (unsigned i = 0; i < a->allow.n; i++)
    if (spec_read_end(a->allow.at[i], true, false, &out->connect[out->n_connect++]) != THIRL_OK) {
      status_error(THIRL_E_SYNTAX,
                   "--allow-forward wants HOST:PORT, such as localhost:22; * stands for any host or port");
      return EXIT_USAGE;
    }
  for (unsigned i = 0; i < a->allow_bind.n; i++)
    if (spec_read_end(a->allow_bind.at[i], true, true, &out->bind[out->n_bind++]) != THIRL_OK) {
      status_error(THIRL_E_SYNTAX, "--allow-bind wants [HOST:]PORT, such as 8080; * stands for any host or port");
      return EXIT_USAGE;
    }
  return EXIT_OK;
}

int command_listen(const arguments *a) {
  tunnel_rules rules = {.n_connect = 0};
  thirl_options o = reach_options(a);
  char ticket[THIRL_TICKET_MAX];
  thirl_context *c;
  status_init(a);
  int code = read_rules(a, &rules);
  if (code != EXIT_OK) return code;
  bool serves = rules.n_connect + rules.n_bind > 0;
  o.max_incoming = serves ? SERVE_PEERS_MAX : 1;
  code = reach_listen(&o, ticket, &c);
  if (code != EXIT_OK) return code;
  if (!serves)
    status_ticket(ticket, "connect");
  else
    status_ticket(ticket,
                  rules.n_connect ? "forward -L [BIND:]PORT:HOST:HOSTPORT" : "forward -R [BIND:]PORT:HOST:HOSTPORT");
  code = serves ? serve_run(c, &rules) : pipe_run(c, 0, a->timeout_s);
  thirl_context_free(c);
  return code;
}
