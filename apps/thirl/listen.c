/* SPDX-License-Identifier: MIT */
#include "pipe.h"
#include "status.h"

int command_listen(const arguments *a) {
  thirl_options o = pipe_options(a);
  char ticket[THIRL_TICKET_MAX];
  thirl_context *c = NULL;
  status_init(a);
  thirl_error e = thirl_context_new(&o, &c);
  if (e == THIRL_OK) e = thirl_context_listen(c, ticket);
  if (e != THIRL_OK) {
    status_error(e, c ? thirl_context_explain(c) : "");
    thirl_context_free(c);
    return command_exit_code(e, false);
  }
  status_ticket(ticket);
  int code = pipe_run(c, 0, a->timeout_s);
  thirl_context_free(c);
  return code;
}
