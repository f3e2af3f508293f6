/* SPDX-License-Identifier: MIT */
/*
 * A whole world with the real endpoints and the real server in it: two peers behind NATs, one server, and on each peer an application that writes a
 * pattern, reads the other's and checks every byte. Everything from one seed, OpenSSL's randomness included.
 */
#ifndef THIRL_TEST_SUPPORT_MEETING_H
#define THIRL_TEST_SUPPORT_MEETING_H

#include "natbox/config.h"
#include "server/server.h"
#include "session/endpoint.h"
#include "session/streams.h"
#include "sim/sim.h"

enum { MEETING_EVENTS_MAX = 64 };

/** Where the server listens: what it can tell a client of its NAT. */
typedef enum meeting_server { MEETING_TWO_ADDRESSES, MEETING_TWO_PORTS, MEETING_ONE_PORT } meeting_server;

typedef struct meeting_side {
  thirl_sim_node *nat, *host;
  thirl_session_endpoint *endpoint;
  thirl_secure_identity *identity; /* borrowed */
  thirl_dice secret_dice;
  thirl_secrets secrets;
  uint32_t handle;            /* 0: no session yet */
  uint64_t to_write, written; /* bytes */
  uint64_t to_read, read;
  uint64_t salt_out, salt_in; /* of the patterns */
  bool finished, failed, read_end, said_end;
  bool wrong;         /* a byte was not the one expected, or the end came too early or too late */
  bool hold_end;      /* do not finish, even if all is written */
  size_t read_most;   /* bytes per turn of the application; 0 = all */
  thirl_error error;  /* of FAILED */
  bool is_direct;     /* by the last PATH event */
  thirl_error reason; /* of the last PATH event */
  thirl_time up_at, direct_at, confirmed_at; /* world's time; 0: not yet; of the connection, not of the event */
  thirl_time confirmed_after, direct_after;  /* since GO, as the events tell */
  thirl_time first_read_at;                  /* world's time; 0: nothing read yet */
  unsigned n_path_events, n_strangers, n_rejected, n_registered;
} meeting_side;

typedef struct meeting {
  thirl_sim *sim;
  thirl_sim_node *server_host;
  thirl_server *server;
  thirl_dice server_dice;
  thirl_secrets server_secrets;
  meeting_side a, b; /* a listens, b dials */
  bool b_is_started;
  thirl_time go_at;
  meeting_server server_kind;
  uint64_t seed;
  thirl_meet_ticket ticket;
} meeting;

typedef struct meeting_config {
  uint64_t seed;
  thirl_natbox_config nat_a, nat_b;                 /* external is filled in */
  thirl_sim_link_rules link_a, link_b, link_server; /* each way */
  thirl_session_policy policy;
  uint64_t bytes_a, bytes_b; /* how much each side writes */
  bool old_simultaneous_open;
  meeting_server server;
  /* May put itself between an endpoint and its host. */
  thirl_net_machine (*wrap)(void *ctx, meeting_side *s, thirl_net_machine inner);
  void *wrap_ctx;
} meeting_config;

/** delay of half of the one-way time on each peer's link, so that the peers' round trip is rtt; the server's link has none. */
meeting_config meeting_config_of(uint64_t seed, thirl_natbox_config nat_a, thirl_natbox_config nat_b, thirl_time rtt);
/** Everything is set up, A listens; B has not dialled. Aborts when the world cannot be made. */
void meeting_open(meeting *m, const meeting_config *cfg);
void meeting_close(meeting *m);
/** B goes to the server now, and does not dial yet. */
void meeting_start(meeting *m);
/** B dials now; before, it goes to the server if it has not. */
void meeting_dial(meeting *m);
/** Run until this world time, or both sides have finished or one has failed. */
void meeting_run(meeting *m, thirl_time until);
/** Run until both applications see a direct path, or until. True: both do. */
bool meeting_run_until_direct(meeting *m, thirl_time until);
/** Run on, whatever happens. */
void meeting_run_on(meeting *m, thirl_time until);
/** The server's process dies (its sockets end with FIN or vanish), and comes back as a new one. */
void meeting_kill_server(meeting *m, bool silently);
void meeting_start_server(meeting *m);
/** Both have written, read and ended, and nothing was wrong. */
bool meeting_is_complete(const meeting *m);

#endif
