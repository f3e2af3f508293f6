/* SPDX-License-Identifier: MIT */
/*
 * A toy network for two agents in virtual time: UDP datagrams and TCP connections with delay, 1:1 address translation, refusals,
 * strangers and deaths. TCP has what matters for punching: SYNs that cross make one connection, a SYN without a partner meets a listener, a
 * four-tuple exists once, messages of one direction keep their order.
 */
#ifndef TESTS_UNIT_ICE_TOY_H
#define TESTS_UNIT_ICE_TOY_H

#include "base/rand.h"
#include "ice/ice.h"

enum { TOY_EVENTS_MAX = 4096, TOY_CONNS_MAX = 2048, TOY_MAPS_MAX = 16, TOY_HOSTS_MAX = 8, TOY_PAYLOAD_MAX = 1100 };

/* What a host that is none of the agents does with a connection. */
typedef enum toy_stranger {
  TOY_REFUSE,
  TOY_UNREACHABLE,
  TOY_DROP,
  TOY_SILENT,
  TOY_GARBAGE,
  TOY_WRONG_PASSWORD,
  TOY_ECHO
} toy_stranger;

typedef struct toy_agent {
  thirl_ice *ice;
  thirl_secrets secrets;
  thirl_dice dice;
  bool listens; /* accepts on the bases of its so and passive candidates */
  char ufrag[16], pwd[40];
  /* what it did */
  unsigned connects, aborts, requests, nominations, responses, errors, sent;
  unsigned selected, lost, failed, strangers, confirmed;
  thirl_time connect_times[64], request_times[64];
  thirl_time selected_at, first_selected_at, lost_at, failed_at, confirmed_at;
  thirl_ice_action last_selected, last_stranger;
  thirl_error reason;
  unsigned last_error_code;
  thirl_ice_link last_link; /* of CONNECT */
} toy_agent;

/* One TCP connection; end 0 opened it, or one of two crossing SYNs did. */
typedef struct toy_conn {
  bool used, dead, merged, established;
  int agent[2];           /* -1: a stranger, or nobody has accepted yet */
  thirl_ice_link link[2]; /* 0: not accepted yet */
  thirl_addr local[2];    /* as the owner of the end sees it */
  thirl_addr seen[2];     /* as the other end sees it */
  bool gone[2];           /* this end has aborted or was told that it is closed */
  toy_stranger stranger;
  thirl_time last[2]; /* the last arrival at each end: later messages do not overtake */
} toy_conn;

typedef struct toy_event {
  bool used;
  thirl_time at;
  uint64_t order;
  int kind, agent, conn, end;
  thirl_ice_input_event input;
  uint8_t payload[TOY_PAYLOAD_MAX];
  size_t n;
} toy_event;

typedef struct toy {
  thirl_time now, delay, jitter;
  double loss;          /* of UDP datagrams */
  double late;          /* share of TCP messages that come 200 ms later: a repetition of TCP */
  bool no_simultaneous; /* crossing SYNs do not meet: the listener gets them */
  thirl_dice dice;
  toy_agent agent[2];
  struct {
    thirl_addr base, seen;
  } maps[TOY_MAPS_MAX];
  unsigned n_maps;
  struct {
    thirl_addr ip;
    toy_stranger what;
  } hosts[TOY_HOSTS_MAX];
  unsigned n_hosts;
  toy_stranger elsewhere;    /* what an address without a host does */
  unsigned refusals_left[2]; /* so many of its CONNECTs are refused first */
  thirl_error refusal_error;
  thirl_time refusal_delay;
  toy_conn conns[TOY_CONNS_MAX];
  unsigned n_conns;
  toy_event *events;
  unsigned n_events;
  uint64_t order;
  bool udp_cut;
} toy;

toy *toy_new(uint64_t seed);
void toy_free(toy *t);
/** A config with fresh credentials that makes sense; the caller changes it and passes it on. */
thirl_ice_config toy_config(toy *t, int agent, bool controlling);
void toy_start(toy *t, int agent, const thirl_ice_config *cfg);
/** Both agents, 0 controlling, after tweak (may be NULL) has changed their configs; they know each other's credentials. */
toy *toy_two(void (*tweak)(thirl_ice_config *cfg, int agent));
/** 10.0.agent+1.2:port, seen by the other side as it is. */
thirl_addr toy_addr(int agent, uint16_t port);
/** One host candidate each on that port, told to the other side. */
void toy_hosts(toy *t, thirl_ice_transport transport0, thirl_ice_transport transport1, uint8_t lane, uint16_t port);
/** Milliseconds since the toy began. */
unsigned toy_ms(thirl_time t);
/** GO for both now, and run for so long. */
void toy_go_and_run(toy *t, thirl_time how_long);
/** Add to one, tell the other (as what the other would see), unless quiet. */
void toy_candidate(toy *t, int agent, thirl_ice_type type, thirl_ice_transport transport, uint8_t lane, thirl_addr addr,
                   thirl_addr base, bool tell);
void toy_credentials(toy *t);
/** What an agent sends from base appears to come from seen, and what is sent to seen goes to base. */
void toy_map(toy *t, thirl_addr base, thirl_addr seen);
void toy_host(toy *t, thirl_addr ip, toy_stranger what);
void toy_go(toy *t, int agent, thirl_time at);
void toy_drain(toy *t, int agent);
/** Run until nothing is left before the time. */
void toy_run(toy *t, thirl_time until);
/** Both ends are told at their own time. */
void toy_kill(toy *t, unsigned conn, thirl_time at0, thirl_time at1);
/** The connection of an agent's link; NULL. */
toy_conn *toy_conn_of(toy *t, int agent, thirl_ice_link link);
/** Links that an agent has not aborted and that are not dead. */
unsigned toy_open_links(toy *t, int agent);
void toy_input(toy *t, int agent, const thirl_ice_input_event *ev);

#endif
