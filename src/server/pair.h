/* SPDX-License-Identifier: MIT */
/*
 * Two addresses and two ports: what a server needs to tell a client which NAT is in front of it. RFC 5780 section 6. Values only.
 *
 *                 port of primary   port of alternate
 *    primary             00                 01
 *    alternate           10                 11            a corner is an address and a port; its other is the one across
 */
#ifndef THIRL_SERVER_PAIR_H
#define THIRL_SERVER_PAIR_H

#include "base/addr.h"

enum { THIRL_SERVER_PAIRS = 2, /* one for IPv4, one for IPv6 */ THIRL_SERVER_ALIASES = 4 };

/** An address of ours that clients see as another one: a server behind a NAT that maps whole addresses. Ports stay. Zeroed: none. */
typedef struct thirl_server_alias {
  thirl_addr local, seen;
} thirl_server_alias;

/** Zeroed: there is none. Otherwise one family, two addresses and two ports, all of them specific. */
typedef struct thirl_server_pair {
  thirl_addr primary, alternate;
} thirl_server_pair;

bool thirl_server_pair_is_set(const thirl_server_pair *p);
/** Both of one family, both addresses specific and different, both ports set and different. */
bool thirl_server_pair_is_sound(const thirl_server_pair *p);
/** Corner 0..3 of the picture. */
thirl_addr thirl_server_pair_corner(const thirl_server_pair *p, unsigned corner);
/** Which corner at is, or -1. */
int thirl_server_pair_find(const thirl_server_pair *p, const thirl_addr *at);
/** The corner of another address, another port, both, or neither. */
unsigned thirl_server_pair_across(unsigned corner, bool ip, bool port);
/**
 * The pair that a list of listeners makes by itself: when those of this family that are specific are two addresses, each on the same two
 * ports, and nothing else. The first listed is the primary. False, and *out zeroed, otherwise.
 */
bool thirl_server_pair_derive(const thirl_addr *listeners, size_t n, thirl_family family, thirl_server_pair *out);

#endif
