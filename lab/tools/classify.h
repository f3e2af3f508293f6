/* SPDX-License-Identifier: MIT */
/*
 * What a NAT does, found out with plain sockets at both ends of it: no STUN, no protocol, so that it can judge the programs that speak one. Each
 * function blocks for up to some seconds and may only be one of its kind in a process; E_IO and a line on stderr when it could not be tried.
 */
#ifndef THIRL_LAB_CLASSIFY_H
#define THIRL_LAB_CLASSIFY_H

#include "lab/tools/nsock.h"
#include "thirl/error.h"

/** A server with two addresses and two ports, all of its own; and a host behind the NAT. */
typedef struct thirl_lab_classify_place {
  const char *server, *host;   /* namespaces */
  struct sockaddr_in at[2][2]; /* address, port */
  uint16_t port;               /* of the host: this one and the next THIRL_LAB_CLASSIFY_PORTS - 1 */
} thirl_lab_classify_place;

enum { THIRL_LAB_CLASSIFY_PORTS = 10 };

typedef enum thirl_lab_classify_answer {
  THIRL_LAB_CLASSIFY_SILENCE,
  THIRL_LAB_CLASSIFY_RST,
  THIRL_LAB_CLASSIFY_ICMP
} thirl_lab_classify_answer;

typedef struct thirl_lab_classify_result {
  struct sockaddr_in seen[3]; /* by address 0 port 0, address 0 port 1, address 1 port 0: from the same inner port */
  bool let_in[3]; /* address 0 port 1, address 1 port 0, address 1 port 1, after a word to address 0 port 0 */
  bool
      hairpin; /* of two sockets of the host that send to each other's outer port, one hears the other, from the outer address */
  thirl_lab_classify_answer answer; /* to a packet for a port that nobody has */
} thirl_lab_classify_result;

/** What is to be found out; each takes inner ports of its own, the first of them the place's port. */
enum {
  THIRL_LAB_CLASSIFY_MAPPING = 1, /* and answer */
  THIRL_LAB_CLASSIFY_FILTERING = 2,
  THIRL_LAB_CLASSIFY_HAIRPIN = 4, /* UDP only */
  THIRL_LAB_CLASSIFY_ALL = 7
};

thirl_error thirl_lab_classify_udp(const thirl_lab_classify_place *place, unsigned what,
                                   thirl_lab_classify_result *out);
thirl_error thirl_lab_classify_tcp(const thirl_lab_classify_place *place, unsigned what,
                                   thirl_lab_classify_result *out);

/** "eim", "adm", "apdm" */
const char *thirl_lab_classify_mapping(const thirl_lab_classify_result *r);
/** "eif", "adf", "apdf"; "odd" for what is none of them. */
const char *thirl_lab_classify_filtering(const thirl_lab_classify_result *r);

#endif
