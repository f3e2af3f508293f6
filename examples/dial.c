/* SPDX-License-Identifier: MIT */
/* The blocking interface, one side: reach the peer of a ticket, send what stands on stdin, print the answer.  example_dial TICKET <question */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "thirl/thirl.h"

int main(int argc, char **argv) {
  thirl_options options = THIRL_OPTIONS_INIT;
  thirl_connection *c;
  char buf[4096];
  ssize_t n;
  options.ephemeral = true; /* nobody needs to know us again */
  thirl_error e = thirl_dial(&options, argc == 2 ? argv[1] : "", &c);
  if (e != THIRL_OK) {
    fprintf(stderr, "%s. %s\n", thirl_error_text(e), thirl_explain());
    return 1;
  }
  int fd = thirl_connection_fd(c); /* a socket like any other */
  while ((n = read(STDIN_FILENO, buf, sizeof buf)) > 0)
    if (send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n) break;
  shutdown(fd, SHUT_WR); /* that was all from us; the answer may still come */
  while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
    fwrite(buf, 1, (size_t)n, stdout);
  e = thirl_connection_close(c, 5000); /* OK: each side has everything of the other */
  if (e != THIRL_OK) fprintf(stderr, "%s. %s\n", thirl_error_text(e), thirl_explain());
  return e != THIRL_OK;
}
