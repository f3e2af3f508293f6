/* SPDX-License-Identifier: MIT */
/*
 * Which outer port stands for which inner one: the binding information base of RFC 6146. A binding lives as long as it has sessions, and with a
 * map_timeout so long after it was last refreshed.
 */
#ifndef THIRL_NATBOX_BINDING_H
#define THIRL_NATBOX_BINDING_H

#include "base/list.h"
#include "natbox/config.h"
#include "natbox/holddown.h"
#include "natbox/packet.h"

typedef struct thirl_natbox_binding {
  uint8_t protocol;
  thirl_addr inside, outside;
  thirl_addr scope; /* which destinations it serves: unset = all, port 0 = one address, else one address and port */
  thirl_list sessions;
  uint32_t holders;                            /* sessions that keep it alive */
  thirl_time expires;                          /* while timer is in the heap, it lives up to then without any */
  thirl_heap_node timer;                       /* may lie before expires: it is looked at again then */
  struct thirl_natbox_binding *next_same_port; /* with COLLIDE_OVERLAP several share an outer port */
  bool is_listed;                              /* COLLIDE_OVERLAP: in by_source */
  struct thirl_natbox_binding *older;          /* the next one of the same inner endpoint there */
} thirl_natbox_binding;

typedef struct thirl_natbox_bindings {
  const thirl_natbox_config *config; /* borrowed */
  thirl_map by_inside, by_outside;
  thirl_map by_source; /* COLLIDE_OVERLAP: protocol and inner endpoint -> its newest binding */
  thirl_heap timers;   /* of those that outlive their sessions */
  thirl_natbox_holddown resting;
  thirl_time now;
  size_t n;
} thirl_natbox_bindings;

/** A key of protocol and addresses for the maps of this folder: zeroed up to its length, so that it compares by memcmp. */
typedef struct thirl_natbox_key {
  thirl_addr a, b;
  uint32_t protocol;
} thirl_natbox_key;

/** The rules for a protocol; ICMP echo goes by those of UDP. */
const thirl_natbox_rules *thirl_natbox_binding_rules(const thirl_natbox_config *config, uint8_t protocol);

/** config is borrowed, may change, and outlives t. */
void thirl_natbox_binding_init(thirl_natbox_bindings *t, const thirl_natbox_config *config, uint64_t seed);
/** Frees the maps; the bindings must be gone, see thirl_natbox_session_clear. */
void thirl_natbox_binding_fini(thirl_natbox_bindings *t);
/** What part of the destination a mapping behaviour tells apart. */
thirl_addr thirl_natbox_binding_scope(thirl_natbox_mapping mapping, const thirl_addr *remote);
/** The binding that serves inner endpoint and scope, or NULL. */
thirl_natbox_binding *thirl_natbox_binding_of_inside(const thirl_natbox_bindings *t, uint8_t protocol,
                                                     const thirl_addr *inside, const thirl_addr *scope);
/** The first binding with this outer endpoint, or NULL; the others follow by next_same_port. */
thirl_natbox_binding *thirl_natbox_binding_of_outside(const thirl_natbox_bindings *t, uint8_t protocol,
                                                      const thirl_addr *outside);
/** COLLIDE_OVERLAP only: the newest binding of an inner endpoint, or NULL. */
thirl_natbox_binding *thirl_natbox_binding_newest_of(const thirl_natbox_bindings *t, uint8_t protocol,
                                                     const thirl_addr *inside);
/** Does a rule say that a binding is one flow, and that its port may serve others too? That takes APDM as well as COLLIDE_OVERLAP. */
bool thirl_natbox_binding_overlaps(const thirl_natbox_rules *rules);
/** Make one; NULL when there is no memory. The caller has checked that inner endpoint and scope have none yet. */
thirl_natbox_binding *thirl_natbox_binding_add(thirl_natbox_bindings *t, const thirl_natbox_binding *like);
/** From now on it is refreshed: with a map_timeout it lives for so long, with or without sessions. */
void thirl_natbox_binding_refresh(thirl_natbox_bindings *t, thirl_natbox_binding *b);
/** How many bindings of this protocol the inner host has. */
size_t thirl_natbox_binding_count_of(const thirl_natbox_bindings *t, uint8_t protocol, const thirl_addr *inside);
/** Unlink and free; its sessions must be gone. Its port rests if the rules say so. */
void thirl_natbox_binding_remove(thirl_natbox_bindings *t, thirl_natbox_binding *b);

#endif
