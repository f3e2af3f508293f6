/* SPDX-License-Identifier: MIT */
/*
 * A STUN server of two addresses and two ports (RFC 5780), UDP and TCP, as a machine for the simulator, written for tests alone: it can lie in every way
 * that a client must survive. Zeroed knobs: it is honest. Whatever goes wrong inside aborts.
 */
#ifndef THIRL_TEST_SUPPORT_NATSERVER_H
#define THIRL_TEST_SUPPORT_NATSERVER_H

#include "base/net.h"
#include "base/rand.h"

enum { NATSERVER_ACTIONS = 512, NATSERVER_CONNS = 512, NATSERVER_BYTES = 200 };

typedef struct natserver_knobs {
  bool plain;            /* knows nothing of RFC 5780: no OTHER-ADDRESS, attributes that it does not know are 420 */
  bool one_ip;           /* has one address and two ports, as a thirld on a small machine */
  thirl_addr other;      /* names this as its second address */
  bool ignores_change;   /* answers CHANGE-REQUEST from where it was asked */
  bool drops_change;     /* does not answer it */
  bool only_port;        /* changes its port even when asked for another IP */
  bool no_response_port; /* does not know RESPONSE-PORT: answers to the source */
  bool from_elsewhere;   /* every answer over UDP comes from the second address */
  bool random_mapped;    /* makes addresses up, anew for each answer */
  bool garbage;          /* answers random bytes */
  bool half;             /* answers messages that are cut off */
  bool mute_second;      /* nobody is at the second IP */
  unsigned dies_after;   /* requests; 0: never */
  bool no_tcp, no_udp;
  bool claims_timeout; /* TCP: does not try to connect and says that nothing came back */
  bool claims_success; /* TCP: says that it was let in */
  bool no_probe;       /* TCP: answers CHANGE-REQUEST as if it were none */
  unsigned limits;     /* TCP: so many probes are refused for being too many */
} natserver_knobs;

typedef struct natserver_conn {
  thirl_net_id id; /* 0: free */
  thirl_addr local, remote;
  uint8_t in[512], out[NATSERVER_BYTES * 2];
  size_t n_in, n_out;
  bool is_probe; /* our own connection back; for whom: */
  thirl_net_id asker;
  uint8_t tid[12];
  thirl_time since;
} natserver_conn;

typedef struct natserver_action {
  thirl_net_action a;
  uint8_t bytes[NATSERVER_BYTES];
} natserver_action;

typedef struct natserver {
  natserver_knobs knobs;
  thirl_addr corners[4]; /* 0: primary; +1: other port; +2: other IP */
  thirl_dice dice;
  natserver_action actions[NATSERVER_ACTIONS];
  unsigned at, n;
  natserver_conn conns[NATSERVER_CONNS];
  thirl_net_id next_id;
  unsigned requests, changes, probes; /* seen so far */
} natserver;

/** primary and alternate differ in IP and port. */
void natserver_init(natserver *s, thirl_addr primary, thirl_addr alternate, const natserver_knobs *knobs,
                    uint64_t seed);
thirl_net_machine natserver_machine(natserver *s);

#endif
