/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "reach.h"
#include "status.h"

int command_key(const arguments *a) {
  thirl_options o = reach_options(a);
  thirl_context *c = NULL;
  char id[THIRL_PEER_MAX];
  status_init(a);
  thirl_error e = thirl_context_new(&o, &c);
  if (e != THIRL_OK) {
    status_error(e, c ? thirl_context_explain(c) : "");
    thirl_context_free(c);
    return command_exit_code(e, false);
  }
  thirl_context_peer(c, id);
  thirl_context_free(c);
  printf(a->json ? "{\"id\":\"%s\",\"v\":1}\n" : "%s\n", id);
  return fflush(stdout) == 0 ? EXIT_OK : EXIT_GENERIC;
}
