/* SPDX-License-Identifier: MIT */
/* Which outer port stands for which inner one: the binding information base of RFC 6146. A binding lives as long as it has sessions. */
#ifndef THIRL_NATBOX_BINDING_H
#define THIRL_NATBOX_BINDING_H

#include "base/list.h"
#include "base/map.h"
#include "natbox/config.h"
#include "natbox/packet.h"

typedef struct thirl_natbox_binding {
  uint8_t protocol;
  thirl_addr inside, outside;
  thirl_addr scope; /* which destinations it serves: unset = all, port 0 = one address, else one address and port */
  thirl_list sessions;
  uint32_t holders;                            /* sessions that keep it alive */
  struct thirl_natbox_binding *next_same_port; /* with COLLIDE_OVERLAP several share an outer port */
} thirl_natbox_binding;

typedef struct thirl_natbox_bindings {
  thirl_map by_inside, by_outside;
  size_t n;
} thirl_natbox_bindings;

/** A key of protocol and addresses for the maps of this folder: zeroed up to its length, so that it compares by memcmp. */
typedef struct thirl_natbox_key {
  thirl_addr a, b;
  uint32_t protocol;
} thirl_natbox_key;

void thirl_natbox_binding_init(thirl_natbox_bindings *t, uint64_t seed);
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
/** Make one; NULL when there is no memory. The caller has checked that inner endpoint and scope have none yet. */
thirl_natbox_binding *thirl_natbox_binding_add(thirl_natbox_bindings *t, const thirl_natbox_binding *like);
/** Unlink and free; its sessions must be gone. */
void thirl_natbox_binding_remove(thirl_natbox_bindings *t, thirl_natbox_binding *b);

#endif
