/* SPDX-License-Identifier: MIT */
/* An ICE agent of ours on real sockets of 127.0.0.1, one thread, no waiting: what io/ and the session do for it in the product, in small. */
#ifndef THIRL_TESTS_INTEROP_OURS_H
#define THIRL_TESTS_INTEROP_OURS_H

#include "ice/ice.h"
#include "stun/stream.h"

enum { OURS_LINKS_MAX = 16, OURS_DATA_MAX = 4096 };

typedef struct ours_link {
  int fd; /* -1: free */
  thirl_ice_link link;
  bool connecting, accepted; /* accepted: not a link before its first frame */
  thirl_addr local, remote;
  thirl_stun_stream in;
} ours_link;

typedef struct ours {
  thirl_ice *ice;
  int udp, listener; /* -1: none */
  thirl_addr udp_at, tcp_at;
  ours_link links[OURS_LINKS_MAX];
  unsigned selections;
  thirl_ice_action selected; /* the last one */
  thirl_error failed;
  bool consent_lost;
  char data[OURS_DATA_MAX]; /* what was no STUN, in the order in which it came */
  size_t n_data;
} ours;

/* UDP, or a TCP listener and active connections. cfg's ufrag, pwd, secrets and any_address are set here. */
void ours_open(ours *o, thirl_ice_config cfg, bool tcp);
void ours_close(ours *o);
/* Everything that has come and is due, once. */
void ours_step(ours *o);
/* Application bytes over the selected pair. */
void ours_send(ours *o, const char *text);
thirl_time ours_now(void);

#define OURS_UFRAG "thirl"
#define OURS_PWD   "a password of 28 characters."

#endif
