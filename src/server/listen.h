/* SPDX-License-Identifier: MIT */
/*
 * The server's own sockets: which are to be opened, under which id, what has become of them, and which of them can speak for which address.
 * And the short answers that wait to go out over UDP.
 */
#ifndef THIRL_SERVER_LISTEN_H
#define THIRL_SERVER_LISTEN_H

#include "base/net.h"
#include "server/binding.h"
#include "server/pair.h"

enum {
  THIRL_SERVER_LISTEN_MAX = 16,
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
  uint16_t n;
  uint8_t bytes[THIRL_SERVER_BINDING_MAX];
} thirl_server_answer;

typedef struct thirl_server_listen {
  thirl_server_socket sockets[THIRL_SERVER_LISTEN_MAX]; /* of id 1 + index */
  size_t n;
  thirl_server_pair pairs[THIRL_SERVER_PAIRS];
  thirl_server_alias aliases[THIRL_SERVER_ALIASES];
  bool has_all[THIRL_SERVER_PAIRS][2]; /* every corner has its socket: of TCP, of UDP */
  thirl_server_answer answers[THIRL_SERVER_LISTEN_ANSWERS];
  size_t answers_at, answers_n;
} thirl_server_listen;

/** Zero it first. E_LIMIT. */
thirl_error thirl_server_listen_add(thirl_server_listen *l, thirl_net_verb verb, const thirl_addr *local);
/** Two addresses that belong together; the sockets are added on their own. E_INVALID: not sound; E_LIMIT: one per family. */
thirl_error thirl_server_listen_add_pair(thirl_server_listen *l, const thirl_server_pair *p);
/** LISTENING or FAILED of one of ours: false when the id is none. */
bool thirl_server_listen_input(thirl_server_listen *l, const thirl_net_event *ev);
/** Give back every TCP listener. */
void thirl_server_listen_close(thirl_server_listen *l);

/** The bound socket that can send from this address and port: one bound to it, or to every address on this port. 0: none. */
thirl_net_id thirl_server_listen_find(const thirl_server_listen *l, thirl_net_verb verb, const thirl_addr *at);
/**
 * The corner across from local, seen from there with another address, another port or both. False unless local is a corner of a pair all of whose
 * sockets of this kind are bound.
 */
bool thirl_server_listen_across(const thirl_server_listen *l, thirl_net_verb verb, const thirl_addr *local, bool ip,
                                bool port, thirl_addr *out);
/** Is this the first address of a pair, whatever the port? */
bool thirl_server_listen_is_primary(const thirl_server_listen *l, const thirl_addr *at);
/** This address of ours as clients see it. */
thirl_addr thirl_server_listen_seen(const thirl_server_listen *l, thirl_addr at);
/** Another bound port on the address of local, the lowest. False: none. */
bool thirl_server_listen_other_port(const thirl_server_listen *l, thirl_net_verb verb, const thirl_addr *local,
                                    thirl_addr *out);

/** A place for an answer, to be filled; NULL when all are taken. */
thirl_server_answer *thirl_server_listen_answer(thirl_server_listen *l);
bool thirl_server_listen_poll(thirl_server_listen *l, thirl_net_action *out);
bool thirl_server_listen_has_actions(const thirl_server_listen *l);

#endif
