/* SPDX-License-Identifier: MIT */
/* A small machine for tests of the carrier: queues what the test asks for, remembers what it hears, sends and checks patterns. */
#ifndef THIRL_TESTS_IO_BOX_H
#define THIRL_TESTS_IO_BOX_H

#include <uv.h>

#include "base/net.h"
#include "io/net.h"

enum { BOX_ACTIONS = 8192, BOX_CONNS = 8192, BOX_KINDS = THIRL_NET_TICK + 1 };

/* Byte number i of every stream: long period, so that a lost or doubled piece of any size is seen. */
static inline uint8_t box_pattern(uint64_t i) {
  return (uint8_t)((i * 0x9e3779b97f4a7c15u) >> 56 ^ i >> 16);
}

typedef struct box_conn {
  thirl_net_id id;
  bool up, eof, failed, close_when_sent;
  thirl_error error;
  thirl_addr local, remote;
  uint64_t to_send, sent, received;
} box_conn;

typedef struct box {
  thirl_net_action actions[BOX_ACTIONS];
  uint8_t payloads[BOX_ACTIONS][64];
  size_t head, tail;
  thirl_net_id next_id;
  box_conn conns[BOX_CONNS];
  size_t conns_n;
  uint64_t count[BOX_KINDS];
  uint64_t bad_bytes, pulls;
  bool echo;               /* give back what came (by count: the pattern starts anew in each direction) */
  bool close_on_eof;       /* CLOSE in answer to EOF, when everything is sent */
  uint64_t send_on_accept; /* each accepted connection is sent that much */
  bool close_when_sent;    /* of accepted ones: CLOSE after that */
  bool abort_on_accept;
  thirl_net_event last; /* without its payload */
  uint8_t datagram[4096];
  size_t datagram_n;
  thirl_time deadline, ticked_at, now;
  void (*heard)(struct box *b, const thirl_net_event *ev); /* the test's own reaction; runs inside input */
  void *ctx;
  thirl_addr listening; /* the last LISTENING */
  thirl_io_net *net;
  bool closed;
} box;

box *box_new(uv_loop_t *loop, const thirl_io_net_config *config);
/* Closes the carrier, runs the loop until it is gone, frees. */
void box_free(uv_loop_t *loop, box *b);
/* What follows is queued. The carrier's first turn and every later event find it; otherwise kick. */
void box_push(box *b, thirl_net_action a);
thirl_net_id box_listen(box *b, thirl_addr local);
thirl_net_id box_udp(box *b, thirl_addr local);
/* to_send bytes of pattern go out when it is up. */
thirl_net_id box_connect(box *b, thirl_addr local, thirl_addr remote, uint64_t to_send);
void box_end(box *b, thirl_net_id id, bool abort);
void box_send(box *b, thirl_net_id id, uint64_t more);
void box_sendto(box *b, thirl_net_id id, thirl_addr remote, thirl_bytes payload);
box_conn *box_find(box *b, thirl_net_id id);

/* Runs the loop until done(ctx), at most ten seconds; false when that is over. */
bool box_run(uv_loop_t *loop, bool (*done)(void *ctx), void *ctx);
/* Runs until *value >= at_least. */
bool box_run_count(uv_loop_t *loop, const uint64_t *value, uint64_t at_least);
/* Runs for so many milliseconds. */
void box_run_ms(uv_loop_t *loop, uint64_t ms);

#endif
