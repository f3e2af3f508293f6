/* SPDX-License-Identifier: MIT */
/*
 * A host of the simulated world that is nobody's friend: it listens where somebody else is expected, or connects and says what it was given, and keeps
 * account of what was said to it.
 */
#ifndef THIRL_TEST_SUPPORT_HOSTILE_H
#define THIRL_TEST_SUPPORT_HOSTILE_H

#include "base/net.h"
#include "stun/stream.h"

enum { HOSTILE_CONNS_MAX = 64 };

typedef enum hostile_kind {
  HOSTILE_SILENT,
  HOSTILE_GARBAGE, /* answers whatever it hears with an HTTP error */
  HOSTILE_ECHO,
  HOSTILE_REPLAY /* answers a check with a success that was recorded elsewhere: a right MAC, but over another transaction */
} hostile_kind;

typedef struct hostile_conn {
  thirl_net_id id;
  thirl_buffer out;
  thirl_stun_stream cut;
  bool armed;
} hostile_conn;

typedef struct hostile {
  hostile_kind kind;
  thirl_addr listen_at; /* zeroed: not */
  const char *pwd;      /* REPLAY: the password that the recording was made with */
  thirl_bytes script;   /* said on every connection it makes */
  thirl_addr target;    /* to connect to */
  unsigned to_connect;  /* so many times still */
  unsigned at_once;     /* in one go */
  thirl_time gap, next; /* between goes */
  /* account */
  unsigned accepted, connected, failed;
  size_t heard;       /* bytes */
  unsigned checks;    /* framed Binding requests among them */
  bool heard_others;  /* anything else that was framed, or not framed at all */
  thirl_buffer taken; /* what was said to it on connections that it made */
  /* workings */
  bool is_listening;
  thirl_net_id last_id;
  hostile_conn conns[HOSTILE_CONNS_MAX];
  size_t n_conns, turn;
  thirl_net_action actions[256];
  size_t n_actions;
} hostile;

void hostile_init(hostile *h, hostile_kind kind);
void hostile_fini(hostile *h);
thirl_net_machine hostile_machine(hostile *h);

#endif
