/* SPDX-License-Identifier: MIT */
/*
 * Questions over TCP: doors (listeners, whose port the connections of a test share), calls (a connection and a Binding request on it), and who has
 * knocked at a door. Knows no test and draws no conclusion.
 *
 * A call that is answered stays connected until the end, so that its mapping lives. Whatever comes in at a door is reset at once; that it came is what
 * counts.
 */
#ifndef THIRL_NATCHECK_DIAL_H
#define THIRL_NATCHECK_DIAL_H

#include "base/net.h"
#include "base/rand.h"
#include "natcheck/terms.h"
#include "stun/stream.h"
#include "stun/msg.h"

enum {
  THIRL_NATCHECK_DIAL_DOORS = 24,
  THIRL_NATCHECK_DIAL_CALLS = 64,
  THIRL_NATCHECK_DIAL_KNOCKS = 4,  /* remembered at a door; who comes later is turned away unseen */
  THIRL_NATCHECK_DIAL_RESETS = 32, /* incoming connections that wait to be reset */
  THIRL_NATCHECK_DIAL_BYTES = 64
};

typedef enum thirl_natcheck_door_state {
  THIRL_NATCHECK_DOOR_CLOSED,
  THIRL_NATCHECK_DOOR_WANTED,
  THIRL_NATCHECK_DOOR_OPENING,
  THIRL_NATCHECK_DOOR_OPEN,
  THIRL_NATCHECK_DOOR_BROKEN
} thirl_natcheck_door_state;

typedef struct thirl_natcheck_door {
  thirl_natcheck_door_state state;
  thirl_net_id id;
  uint16_t port;
  thirl_error error;
  thirl_addr knocks[THIRL_NATCHECK_DIAL_KNOCKS]; /* remote ends of incoming connections */
  unsigned n_knocks;
} thirl_natcheck_door;

/** What to call. */
typedef struct thirl_natcheck_call {
  unsigned door; /* from its port; THIRL_NATCHECK_DIAL_DOORS: from a fresh one */
  thirl_addr to;
  uint32_t change;       /* CHANGE-REQUEST; 0: none */
  bool twice;            /* ask again on the same connection: the answer must be the same */
  bool mute;             /* ask nothing: it is done when it is connected */
  thirl_time not_before; /* 0: at once */
  thirl_time patience;   /* from the SYN to the answer */
} thirl_natcheck_call;

typedef enum thirl_natcheck_dial_state {
  THIRL_NATCHECK_DIAL_WAITING,
  THIRL_NATCHECK_DIAL_CONNECTING,
  THIRL_NATCHECK_DIAL_ASKING,
  THIRL_NATCHECK_DIAL_DONE
} thirl_natcheck_dial_state;

/** And what came of it. */
typedef struct thirl_natcheck_dialled {
  thirl_natcheck_call c;
  thirl_natcheck_dial_state state;
  thirl_net_id id; /* 0: there is no connection */
  bool wants_write, has_written, reset;
  uint8_t tid[THIRL_STUN_TID_LEN];
  thirl_stun_stream in;
  thirl_time begun, due;
  thirl_error error; /* of a call that failed */
  bool connected;
  thirl_addr local;
  thirl_time rtt;    /* of the handshake */
  unsigned answered; /* how often */
  thirl_addr mapped, other;
  bool contradictory, rewritten;
  unsigned code; /* of an error response */
  bool has_probe;
  uint32_t probe; /* THIRL_PROBE: a thirl_error */
} thirl_natcheck_dialled;

typedef struct thirl_natcheck_dial {
  thirl_secrets secrets;
  thirl_addr local; /* what doors and calls are bound to, but for the port; any of its family */
  thirl_natcheck_door doors[THIRL_NATCHECK_DIAL_DOORS];
  thirl_natcheck_dialled calls[THIRL_NATCHECK_DIAL_CALLS];
  unsigned n_doors, n_calls;
  thirl_net_id next_id, resets[THIRL_NATCHECK_DIAL_RESETS];
  unsigned n_resets;
  bool ending;
} thirl_natcheck_dial;

void thirl_natcheck_dial_init(thirl_natcheck_dial *d, const thirl_secrets *secrets, thirl_net_id first_id);
void thirl_natcheck_dial_fini(thirl_natcheck_dial *d);

/** A listener on this port, 0 = any; its number. THIRL_NATCHECK_DIAL_DOORS when there are too many. */
unsigned thirl_natcheck_dial_open(thirl_natcheck_dial *d, uint16_t port);
/** A call; its number. THIRL_NATCHECK_DIAL_CALLS when there are too many. */
unsigned thirl_natcheck_dial_add(thirl_natcheck_dial *d, const thirl_natcheck_call *c);
/** Ask once more on the connection of a call that was answered. False: there is no such connection any more. */
bool thirl_natcheck_dial_again(thirl_natcheck_dial *d, unsigned call, thirl_time now);
/** Give up this call, if it is not done. */
void thirl_natcheck_dial_stop(thirl_natcheck_dial *d, unsigned call);
/** Reset everything; poll says what. */
void thirl_natcheck_dial_end(thirl_natcheck_dial *d);

bool thirl_natcheck_dial_input(thirl_natcheck_dial *d, thirl_time now, const thirl_net_event *ev);
bool thirl_natcheck_dial_poll(thirl_natcheck_dial *d, thirl_time now, thirl_net_action *out);
size_t thirl_natcheck_dial_pull(thirl_natcheck_dial *d, thirl_net_id id, uint8_t *buf, size_t cap);
thirl_time thirl_natcheck_dial_deadline(const thirl_natcheck_dial *d);
/** All calls are done. */
bool thirl_natcheck_dial_is_idle(const thirl_natcheck_dial *d);

#endif
