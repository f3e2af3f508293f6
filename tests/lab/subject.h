/* SPDX-License-Identifier: MIT */
/* A NAT under test, whatever it is made of: packets go in on either side, and it is heard what comes out on both. */
#ifndef THIRL_TESTS_LAB_SUBJECT_H
#define THIRL_TESTS_LAB_SUBJECT_H

#include "natbox/config.h"
#include "natbox/packet.h"

enum { SUBJECT_HEARD_MAX = 8 };

/* Who is where. Every subject has these hosts: two inside, three outside; the NAT's own addresses. */
enum { SUBJECT_A, SUBJECT_B, SUBJECT_S, SUBJECT_T, SUBJECT_U, SUBJECT_HOSTS };
#define SUBJECT_OUTER thirl_addr_v4(203, 0, 113, 1, 0)
#define SUBJECT_INNER thirl_addr_v4(192, 168, 1, 1, 0)
thirl_addr subject_host(unsigned host);
static inline bool subject_is_inside(unsigned host) {
  return host <= SUBJECT_B;
}

typedef struct subject_heard {
  bool inside;    /* at which side */
  bool wrong_sum; /* a checksum was wrong */
  thirl_natbox_packet packet;
} subject_heard;

typedef struct subject {
  const char *name;
  void *state;
  /** A new NAT that has seen nothing. NULL: fine. Else why it cannot be made; "-..." means that it is no fault: it has no such thing. */
  const char *(*open)(struct subject *s, const thirl_natbox_config *config);
  /** A host of that side sends. What comes out of the NAT because of it, at most SUBJECT_HEARD_MAX; payloads are empty, but n is right. */
  size_t (*send)(struct subject *s, bool from_inside, const thirl_natbox_packet *p, subject_heard *heard);
  /** So much time passes. */
  size_t (*wait)(struct subject *s, unsigned ms, subject_heard *heard);
  void (*close)(struct subject *s);
} subject;

/** The model itself. */
subject subject_model(void);
/** The lab's engine, which turns the model on bytes. */
subject subject_engine(void);
/** The kernel of a namespace with the rules of lab/netfilter/netfilter.h. */
subject subject_kernel(void);
/** The same with plain masquerade, as people write it: no rule of ours but those that drop. For configurations with collide=overlap. */
subject subject_masquerade(void);
/** In a namespace of its own this process may make namespaces; false: why not. Once, before all. */
bool subject_kernel_begin(char *why, size_t size);

#endif
