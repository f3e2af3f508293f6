/* SPDX-License-Identifier: MIT */
/* A server on any sockets in invented time: what it sends over UDP, says over TCP, and wants to be connected to. Whatever goes wrong inside fails the test. */
#ifndef THIRL_TEST_UNIT_SERVER_CORNERS_H
#define THIRL_TEST_UNIT_SERVER_CORNERS_H

#include "server/server.h"
#include "stun/msg.h"
#include "stun/writer.h"

enum { CORNERS_SENT_MAX = 16, CORNERS_BYTES_MAX = 4096 };

/** A datagram, or a message over TCP, that the server has sent; its bytes are also decoded when they have a cookie. */
typedef struct corners_sent {
  thirl_addr from, to; /* as on the wire; of a message over TCP zeroed */
  size_t n;
  uint8_t bytes[CORNERS_BYTES_MAX];
  thirl_stun_msg msg;
} corners_sent;

typedef struct corners {
  thirl_server *server;
  thirl_time now;
  thirl_dice dice;
  thirl_secrets secrets;
  thirl_net_action sockets[32]; /* what was said for id 1 + index */
  corners_sent sent[CORNERS_SENT_MAX];
  size_t n_sent; /* since the last input */
  thirl_net_action connect[8];
  size_t n_connect;
  thirl_net_id aborted[8];
  size_t n_aborted;
} corners;

/** cfg: listeners, pairs and limits; may be NULL for 192.0.2.1 and .2 on 3478 and 3479, TCP and UDP. broken: the id of a socket that cannot be had, or 0. */
corners *corners_new(const thirl_server_config *cfg, thirl_net_id broken);
void corners_free(corners *c);
/** The usual four: 0 is 192.0.2.1:3478, 1 is .1:3479, 2 is .2:3478, 3 is .2:3479. */
thirl_addr corners_at(unsigned corner);
void corners_input(corners *c, const thirl_net_event *ev);
/** A datagram to this address; NULL when nothing was sent in answer, which else was one. */
const corners_sent *corners_ask(corners *c, thirl_addr to, thirl_addr from, thirl_bytes payload);
/** TCP: from connects to at, under this id; says something (NULL: no answer yet). */
void corners_accept(corners *c, thirl_net_id id, thirl_addr at, thirl_addr from);
const corners_sent *corners_say(corners *c, thirl_net_id id, thirl_bytes bytes);
/** Time passes, deadline by deadline. */
void corners_wait(corners *c, thirl_time d);

/** A Binding request in the making: into a buffer of its own, good until the next. */
thirl_stun_writer *corners_begin(void);
thirl_bytes corners_end(thirl_stun_writer *w);
/** A whole one with CHANGE-REQUEST. */
thirl_bytes corners_change(uint32_t flags);
thirl_bytes corners_plain(void);
/** An address in an answer; zeroed when it is not there. */
thirl_addr corners_get(const corners_sent *s, uint16_t type);
unsigned corners_code(const corners_sent *s);

#endif
