/* SPDX-License-Identifier: MIT */
#include "pipe.h"
#include "reach.h"
#include "status.h"

int command_connect(const arguments *a) {
  thirl_session_handle session;
  thirl_context *c;
  status_init(a);
  int code = reach_peer(a, &c, &session);
  if (code != EXIT_OK) return code;
  code = pipe_run(c, session, 0);
  thirl_context_free(c);
  return code;
}
