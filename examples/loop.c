/* SPDX-License-Identifier: MIT */
/* The event loop interface: one descriptor to poll, no thread. Say hello to the peer of a ticket and print what it answers.  example_loop TICKET */
#include <poll.h>
#include <stdio.h>

#include "thirl/thirl.h"

int main(int argc, char **argv) {
  thirl_options options = THIRL_OPTIONS_INIT;
  thirl_context *c;
  thirl_session_handle session;
  thirl_event ev = {.kind = THIRL_EVENT_REGISTERED};
  char buf[4096];
  size_t n;
  options.ephemeral = true;
  thirl_error e = thirl_context_new(&options, &c);
  if (e == THIRL_OK) e = thirl_context_dial(c, argc == 2 ? argv[1] : "", &session);
  while (e == THIRL_OK && ev.kind != THIRL_EVENT_FINISHED) {
    struct pollfd fd = {.fd = thirl_context_fd(c), .events = POLLIN}; /* yours go beside it */
    poll(&fd, 1, thirl_context_timeout_ms(c));
    e = thirl_context_process(c);
    while (e == THIRL_OK && ev.kind != THIRL_EVENT_FINISHED && thirl_context_next_event(c, &ev)) {
      if (ev.kind == THIRL_EVENT_FAILED) e = ev.error;
      if (ev.kind == THIRL_EVENT_UP) {
        thirl_write(c, session, "hello\n", 6, &n);
        thirl_finish(c, session);
      }
      if (ev.kind == THIRL_EVENT_READABLE)
        while (thirl_read(c, session, buf, sizeof buf, &n) == THIRL_OK)
          fwrite(buf, 1, n, stdout);
    }
  }
  if (e != THIRL_OK) fprintf(stderr, "%s. %s\n", thirl_error_text(e), thirl_context_explain(c));
  thirl_context_free(c);
  return e != THIRL_OK;
}
