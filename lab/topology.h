/* SPDX-License-Identifier: MIT */
/*
 * A network as data: nets, hosts, NATs, the cables between them, and what happens when. Read from a short text, one thing a line:
 *
 *   seed 1
 *   net   inet 203.0.113.0/24 2001:db8::/64
 *   host  stun inet 203.0.113.10 203.0.113.11
 *   nat   home inet 203.0.113.1 lan 192.168.1.0/24 preset=portrestricted tcp.unsolicited=rst
 *   host  a home 192.168.1.10
 *   link  home up latency=20ms jitter=2ms loss=0.5% rate=20mbit
 *   at 5s nat home reboot
 *   run   a -- ping -c 1 203.0.113.10
 *
 * A net without a NAT in front of it is a part of the internet; the internet routes between those. The inside of a NAT is a net of the same name.
 * No I/O but for the text that is given; the same words configure a running lab.
 */
#ifndef THIRL_LAB_TOPOLOGY_H
#define THIRL_LAB_TOPOLOGY_H

#include "lab/link.h"
#include "natbox/config.h"

enum {
  THIRL_LAB_NAME_MAX = 15, /* letters, digits, '-'; also the name of an interface */
  THIRL_LAB_NETS_MAX = 96,
  THIRL_LAB_NODES_MAX = 192,  /* hosts and NATs */
  THIRL_LAB_PREFIXES_MAX = 4, /* of one net */
  THIRL_LAB_ADDRS_MAX = 8,    /* of one node on one net */
  THIRL_LAB_EVENTS_MAX = 256,
  THIRL_LAB_RUNS_MAX = 64,
  THIRL_LAB_LINE_MAX = 1024 /* bytes of one line of the text */
};

/** An address with the length of its network: 192.168.1.10/24. Port 0. */
typedef struct thirl_lab_prefix {
  thirl_addr addr;
  uint8_t bits;
} thirl_lab_prefix;

typedef struct thirl_lab_net {
  char name[THIRL_LAB_NAME_MAX + 1];
  thirl_lab_prefix prefixes[THIRL_LAB_PREFIXES_MAX]; /* addr is the network's */
  size_t n_prefixes;
  thirl_lab_prefix gateways
      [THIRL_LAB_PREFIXES_MAX]; /* who leads out, one for each prefix: the NAT's inner address, or the internet's own */
  int nat;                      /* the node whose inside this is, or -1: part of the internet */
  unsigned line;
} thirl_lab_net;

/** Where a node is on a net: a cable of its own to the switch of that net. up: from the node to the net. */
typedef struct thirl_lab_cable {
  size_t net;
  thirl_lab_prefix addrs[THIRL_LAB_ADDRS_MAX];
  size_t n_addrs;
  thirl_lab_link_terms up, down;
} thirl_lab_cable;

typedef enum thirl_lab_node_kind { THIRL_LAB_HOST, THIRL_LAB_NAT } thirl_lab_node_kind;
/** Who does the work of a NAT: the model inside the engine, or the kernel of a namespace with nftables. */
typedef enum thirl_lab_engine { THIRL_LAB_NATBOX, THIRL_LAB_NETFILTER } thirl_lab_engine;

typedef struct thirl_lab_node {
  thirl_lab_node_kind kind;
  char name[THIRL_LAB_NAME_MAX + 1];
  thirl_lab_cable outer; /* a host's only cable; a NAT's to the outside */
  /* a NAT only */
  thirl_lab_cable inner; /* its address on its own net */
  thirl_lab_engine engine;
  thirl_natbox_config nat;             /* external: the first IPv4 address of outer */
  char recipe[THIRL_LAB_NAME_MAX + 1]; /* netfilter: one of the circulating iptables recipes instead of nat; "" */
  unsigned line;
} thirl_lab_node;

typedef enum thirl_lab_event_kind {
  THIRL_LAB_EVENT_REBOOT,   /* a NAT forgets */
  THIRL_LAB_EVENT_RENUMBER, /* a NAT forgets, and its outer address is now addr */
  THIRL_LAB_EVENT_NAT,      /* a NAT behaves as nat says from now on, and forgets nothing */
  THIRL_LAB_EVENT_LINK,     /* new terms of a cable: up, down */
  THIRL_LAB_EVENT_MOVE      /* a host is now on net, with addr */
} thirl_lab_event_kind;

typedef struct thirl_lab_event {
  thirl_lab_event_kind kind;
  thirl_time at; /* since the start */
  size_t node;
  bool inner; /* LINK: the inner cable of a NAT */
  thirl_lab_prefix addr;
  size_t net;
  thirl_natbox_config nat;
  thirl_lab_link_terms up, down;
  unsigned line;
} thirl_lab_event;

/** A command for one host. */
typedef struct thirl_lab_run {
  size_t node;
  char *command; /* a line for sh -c, owned by the topology */
  unsigned line;
} thirl_lab_run;

typedef struct thirl_lab_topology {
  uint64_t seed;
  thirl_lab_net nets[THIRL_LAB_NETS_MAX];
  size_t n_nets;
  thirl_lab_node nodes[THIRL_LAB_NODES_MAX];
  size_t n_nodes;
  thirl_lab_event events[THIRL_LAB_EVENTS_MAX]; /* by time */
  size_t n_events;
  thirl_lab_run runs[THIRL_LAB_RUNS_MAX];
  size_t n_runs;
} thirl_lab_topology;

enum { THIRL_LAB_COMPLAINT_MAX = 256 };
/** One sentence for a person: "home.lab:7: there is no net called \"lam\"". */
typedef struct thirl_lab_complaint {
  char text[THIRL_LAB_COMPLAINT_MAX];
} thirl_lab_complaint;

/**
 * Reads a whole topology; name (a file's) begins each complaint. *out is the caller's; free with thirl_lab_topology_free. NULL on failure with why.
 * E_SYNTAX (unknown word, bad value), E_INVALID (clash of addresses or names, a loop, a link to nothing), E_LIMIT, E_NOMEM.
 */
thirl_error thirl_lab_topology_read(const char *name, const char *text, size_t len, thirl_lab_topology **out,
                                    thirl_lab_complaint *why);
void thirl_lab_topology_free(thirl_lab_topology *t);
/** One line for a running lab: "nat home reboot", "link a down", "host a move cgn 100.64.0.9". The event's time is 0. t stays as it is. */
thirl_error thirl_lab_topology_read_event(const thirl_lab_topology *t, const char *line, thirl_lab_event *out,
                                          thirl_lab_complaint *why);
/** The index of a node or net by its name, or SIZE_MAX. */
size_t thirl_lab_topology_find_node(const thirl_lab_topology *t, const char *name);
size_t thirl_lab_topology_find_net(const thirl_lab_topology *t, const char *name);

#endif
