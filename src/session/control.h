/* SPDX-License-Identifier: MIT */
/*
 * The control connection: reaches the server, comes back after every loss (with full jitter), and carries the rendezvous client. All addresses of the
 * server are tried one after the other without a wait; only when none has answered a wait follows.
 */
#ifndef THIRL_SESSION_CONTROL_H
#define THIRL_SESSION_CONTROL_H

#include "meet/client.h"
#include "session/queue.h"

enum { THIRL_SESSION_SERVERS_MAX = 8 };

typedef enum thirl_session_control_state {
  THIRL_SESSION_CONTROL_OFF,
  THIRL_SESSION_CONTROL_WAITING, /* for the next attempt */
  THIRL_SESSION_CONTROL_CONNECTING,
  THIRL_SESSION_CONTROL_UP
} thirl_session_control_state;

typedef struct thirl_session_control {
  thirl_session_control_state state;
  thirl_meet_client *client;
  thirl_net_id conn;
  thirl_addr servers[THIRL_SESSION_SERVERS_MAX]; /* one server's addresses, tried in turn */
  size_t n_servers, turn;
  size_t tried;           /* of them, one after the other and in vain */
  thirl_addr last_tried;  /* or reached; unset before the first attempt */
  thirl_addr local;       /* the port is kept over reconnects */
  thirl_time next, since; /* next attempt; when the present attempt began */
  unsigned failures;
  thirl_error last_error;
  thirl_dice dice;
} thirl_session_control;

/** The client is taken over and freed by fini. */
void thirl_session_control_init(thirl_session_control *c, thirl_meet_client *client_take, uint64_t dice_seed);
/** Where the server is, before start. E_RANGE: none, or more than the maximum. */
thirl_error thirl_session_control_set_servers(thirl_session_control *c, const thirl_addr *servers, size_t n);
/**
 * Where it is now: its name was looked up again. With other addresses than before the next attempt is made soon, and one that is under way to an address
 * which is not among them is given up. A connection that is up stays. E_RANGE.
 */
thirl_error thirl_session_control_move(thirl_session_control *c, thirl_time now, const thirl_addr *servers, size_t n,
                                       thirl_session_queue *q);
void thirl_session_control_fini(thirl_session_control *c);
void thirl_session_control_start(thirl_session_control *c, thirl_time now);
void thirl_session_control_stop(thirl_session_control *c, thirl_session_queue *q);
const thirl_addr *thirl_session_control_server(const thirl_session_control *c);
/** Where the present connection or attempt leads, or the last one did. */
const thirl_addr *thirl_session_control_last_tried(const thirl_session_control *c);
/** CONNECTED and losses. DATA is the caller's: feed it to the client. True: lost by this event, or UP and of no use, for the client cannot register: drop it. */
bool thirl_session_control_input(thirl_session_control *c, thirl_time now, const thirl_net_event *ev);
/** The client says the connection is of no use: drop it and come back later. */
void thirl_session_control_drop(thirl_session_control *c, thirl_time now, thirl_error why, thirl_session_queue *q);
void thirl_session_control_tick(thirl_session_control *c, thirl_time now, thirl_session_queue *q);
thirl_time thirl_session_control_deadline(const thirl_session_control *c);
bool thirl_session_control_is_registered(const thirl_session_control *c);

#endif
