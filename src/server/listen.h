/* SPDX-License-Identifier: MIT */
/* The server's own sockets: which are to be opened, under which id, and what has become of them. And the short answers that wait to go out over UDP. */
#ifndef THIRL_SERVER_LISTEN_H
#define THIRL_SERVER_LISTEN_H

#include "base/net.h"
#include "server/binding.h"

enum {
  THIRL_SERVER_LISTEN_MAX = 8,
  THIRL_SERVER_LISTEN_ANSWERS = 64 /* UDP answers that wait for the next poll; more are dropped, as on any full path */
};

typedef struct thirl_server_socket {
  thirl_net_verb verb; /* LISTEN or BIND_UDP */
  thirl_addr wanted, bound;
  bool is_said, is_closing;
  thirl_error state; /* THIRL_OK: bound; E_AGAIN: not yet; E_NOT_FOUND: given back; else why not */
} thirl_server_socket;

typedef struct thirl_server_answer {
  thirl_net_id id;
  thirl_addr local, remote;
  uint8_t n, bytes[THIRL_SERVER_BINDING_MAX];
} thirl_server_answer;

typedef struct thirl_server_listen {
  thirl_server_socket sockets[THIRL_SERVER_LISTEN_MAX]; /* of id 1 + index */
  size_t n;
  thirl_server_answer answers[THIRL_SERVER_LISTEN_ANSWERS];
  size_t answers_at, answers_n;
} thirl_server_listen;

/** Zero it first. E_LIMIT. */
thirl_error thirl_server_listen_add(thirl_server_listen *l, thirl_net_verb verb, const thirl_addr *local);
/** LISTENING or FAILED of one of ours: false when the id is none. */
bool thirl_server_listen_input(thirl_server_listen *l, const thirl_net_event *ev);
/** Give back every TCP listener. */
void thirl_server_listen_close(thirl_server_listen *l);
/** A place for the answer to this datagram, to be filled; NULL when all are taken. */
thirl_server_answer *thirl_server_listen_answer(thirl_server_listen *l, const thirl_net_event *datagram);
bool thirl_server_listen_poll(thirl_server_listen *l, thirl_net_action *out);
bool thirl_server_listen_has_actions(const thirl_server_listen *l);

#endif
