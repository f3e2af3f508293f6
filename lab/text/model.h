/* SPDX-License-Identifier: MIT */
/* A network as data: nets, hosts, NATs, the cables between them, and what happens when. No text here (topology.h), no packets (engine.h). */
#ifndef THIRL_LAB_MODEL_H
#define THIRL_LAB_MODEL_H

#include "lab/text/address.h"
#include "lab/frame/link.h"
#include "natbox/config.h"

enum {
  THIRL_LAB_NAME_MAX = 15, /* letters, digits, '-'; also the name of an interface */
  THIRL_LAB_NETS_MAX = 96,
  THIRL_LAB_NODES_MAX = 192,  /* hosts and NATs */
  THIRL_LAB_PREFIXES_MAX = 4, /* of one net */
  THIRL_LAB_ADDRS_MAX = 8,    /* of one node on one net */
  THIRL_LAB_EVENTS_MAX = 256,
  THIRL_LAB_RUNS_MAX = 64
};

typedef struct thirl_lab_net {
  char name[THIRL_LAB_NAME_MAX + 1];
  thirl_lab_prefix prefixes[THIRL_LAB_PREFIXES_MAX]; /* addr is the network's */
  size_t n_prefixes;
  /* Who leads out, one for each prefix: the NAT's inner address, or the internet's own. */
  thirl_lab_prefix gateways[THIRL_LAB_PREFIXES_MAX];
  int nat; /* the node whose inside this is, or -1: part of the internet */
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
  bool engine_is_said;                 /* by the text, and not by default */
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

/** The index of a node or net by its name, or SIZE_MAX. */
size_t thirl_lab_model_find_node(const thirl_lab_topology *t, const char *name);
size_t thirl_lab_model_find_net(const thirl_lab_topology *t, const char *name);
/** The prefix of a net in which an address is, or SIZE_MAX. */
size_t thirl_lab_model_find_prefix(const thirl_lab_net *net, const thirl_addr *a);
/** Is this the address of a node on that net, or of who leads out of it? Its name, or NULL; except: a node that does not count, or SIZE_MAX. */
const char *thirl_lab_model_holder(const thirl_lab_topology *t, size_t net, const thirl_addr *a, size_t except);
/** A NAT's outer address of the family, the first; NULL: none. Also a host's address. */
const thirl_addr *thirl_lab_model_address(const thirl_lab_cable *c, thirl_family family);
/** The network is now as after this event; its time does not count. */
void thirl_lab_model_apply(thirl_lab_topology *t, const thirl_lab_event *event);

#endif
