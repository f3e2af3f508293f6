/* SPDX-License-Identifier: MIT */
/*
 * The plainest machine that punches holes, as a yardstick: a server that says from where it is spoken to, and a client that listens and
 * connects on the port that the server has seen. No keys, no prediction. Its habits can be made worse, to see them fail.
 */
#ifndef THIRL_TESTS_PUNCHER_H
#define THIRL_TESTS_PUNCHER_H

#include "sim/sim.h"

enum { PUNCHER_CANDIDATES = 8, PUNCHER_QUEUE = 512, OBSERVER_CLIENTS = 16 };

/** A queue of actions and of bytes to pull, for both machines. */
typedef struct action_queue {
  thirl_net_action actions[PUNCHER_QUEUE];
  uint8_t bytes[PUNCHER_QUEUE];
  unsigned from, to;
} action_queue;

/** The server: TCP and UDP on one port; the first byte of a client is its name. */
typedef struct observer {
  thirl_addr local;
  action_queue queue;
  bool began;
  struct {
    uint8_t name;
    bool udp;
    thirl_addr seen;
  } clients[OBSERVER_CLIENTS];
  unsigned n_clients;
  thirl_addr accepted[OBSERVER_CLIENTS * 4];
  thirl_net_id accepted_ids[OBSERVER_CLIENTS * 4];
  unsigned n_accepted;
} observer;

thirl_net_machine observer_machine(observer *o);
/** From where the client of that name was seen; unset when it was not. */
thirl_addr observer_seen(const observer *o, uint8_t name, bool udp);

typedef struct puncher {
  /* what it shall do */
  uint8_t name;
  uint16_t port;
  thirl_addr server; /* unset: it talks to none */
  bool udp;
  bool never_listens;
  bool never_retries;      /* after a refusal */
  bool only_listens_after; /* a refusal: it waits to be connected to */
  thirl_time gap;          /* between a refusal and the next connect */
  thirl_time recycles;     /* closes and reopens the connecting socket so often; 0 = never */
  thirl_time repeats;      /* UDP probes; 0 = 50 ms */
  thirl_addr candidates[PUNCHER_CANDIDATES];
  unsigned n_candidates;
  /* what became of it; times of its own clock, 0 = not yet */
  thirl_time started_at, connected_at, accepted_at, heard_at, confirmed_at, registered_at;
  unsigned n_connects, n_refused, n_unreachable, n_reset, n_in_use;
  thirl_addr heard_from;
  /* its own */
  action_queue queue;
  bool began, go;
  thirl_net_id next_id, told;
  struct {
    thirl_net_id id;
    thirl_time retry_at, recycle_at, probe_at;
    bool up;
  } tries[PUNCHER_CANDIDATES];
} puncher;

thirl_net_machine puncher_machine(puncher *p);
/** Fire at these candidates; kick the host afterwards. */
void puncher_go(puncher *p, thirl_time now, const thirl_addr *candidates, unsigned n);
/** When it first had a connection (TCP) or an answer to a probe (UDP), after it was started; 0 = never. */
thirl_time puncher_took(const puncher *p);
/** The socket that connects to a candidate, to set its time to live. */
thirl_net_id puncher_socket(const puncher *p, unsigned candidate);

#endif
