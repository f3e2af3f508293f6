/* SPDX-License-Identifier: MIT */
/* The blocking interface, the other side: print a ticket and give back whatever each peer says, one after the other.  example_listen SERVER */
#include <stdio.h>
#include <sys/socket.h>

#include "thirl/thirl.h"

int main(int argc, char **argv) {
  thirl_options options = THIRL_OPTIONS_INIT;
  char ticket[THIRL_TICKET_MAX], peer[THIRL_PEER_MAX], buf[4096];
  thirl_listener *l;
  thirl_connection *c;
  ssize_t n;
  if (argc == 2) options.server = argv[1]; /* else $THIRL_SERVER */
  thirl_error e = thirl_listen(&options, &l, ticket);
  if (e != THIRL_OK) {
    fprintf(stderr, "%s. %s\n", thirl_error_text(e), thirl_explain());
    return 1;
  }
  printf("%s\n", ticket);
  fflush(stdout);
  while (thirl_accept(l, -1, &c) == THIRL_OK) {
    int fd = thirl_connection_fd(c);
    thirl_connection_peer(c, peer);
    while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
      if (send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n) break;
    e = thirl_connection_close(c, 5000);
    fprintf(stderr, "%s: %s\n", peer, thirl_error_text(e));
  }
  thirl_listener_close(l);
  return 0;
}
