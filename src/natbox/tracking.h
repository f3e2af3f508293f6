/* SPDX-License-Identifier: MIT */
/* TCP as the man in the middle sees it: the states of netfilter's connection tracking, and which segments do not fit them. */
#ifndef THIRL_NATBOX_TRACKING_H
#define THIRL_NATBOX_TRACKING_H

#include "natbox/config.h"
#include "natbox/packet.h"

typedef enum thirl_natbox_state {
  THIRL_NATBOX_NONE,
  THIRL_NATBOX_SYN_SENT,  /* a SYN in the original direction */
  THIRL_NATBOX_SYN_SENT2, /* and one in the other: simultaneous open, RFC 5382 REQ-2 */
  THIRL_NATBOX_SYN_RECV,  /* a SYN-ACK */
  THIRL_NATBOX_ESTABLISHED,
  THIRL_NATBOX_FIN_WAIT,
  THIRL_NATBOX_CLOSE_WAIT,
  THIRL_NATBOX_LAST_ACK,
  THIRL_NATBOX_TIME_WAIT,
  THIRL_NATBOX_CLOSED /* by RST */
} thirl_natbox_state;

/** The direction of the first packet is the original one. */
typedef enum thirl_natbox_direction { THIRL_NATBOX_DIR_ORIGINAL, THIRL_NATBOX_DIR_REPLY } thirl_natbox_direction;

/** Zeroed: nothing seen yet. */
typedef struct thirl_natbox_tracking {
  uint8_t state;    /* thirl_natbox_state */
  bool known[2];    /* end[] holds the sequence number behind what that direction has sent */
  bool replied;     /* something valid came in the reply direction */
  uint8_t last;     /* the kind of the last segment that was let through */
  uint8_t last_dir; /* and its thirl_natbox_direction */
  bool ignored; /* a SYN in the original direction was let through although it fits nothing; it ended at ignored_end */
  uint32_t end[2];
  uint32_t ignored_end;
} thirl_natbox_tracking;

typedef enum thirl_natbox_judgement {
  THIRL_NATBOX_VALID,
  THIRL_NATBOX_INVALID, /* drop it; the state is unchanged */
  THIRL_NATBOX_LAST,    /* let it through, then forget the flow: a RST before any answer */
  THIRL_NATBOX_ANEW     /* forget the flow and judge the segment as the first of a new one: a SYN after the end */
} thirl_natbox_judgement;

/**
 * Judge one TCP segment and advance the state.
 *
 * STRICT drops what the state does not allow and, while a connection opens, what has another initial sequence number than before: a SYN in the
 * original direction may begin again as long as nothing came back, the latest counts (RFC 9293 section 3.4.1), and never after that.
 * LOOSE keeps the states but drops only what cannot begin a flow.
 */
thirl_natbox_judgement thirl_natbox_tracking_input(thirl_natbox_tracking *t, const thirl_natbox_config *config,
                                                   thirl_natbox_direction dir, const thirl_natbox_packet *p);
/** The life time that the state gives to the flow. */
thirl_time thirl_natbox_tracking_timeout(const thirl_natbox_tracking *t, const thirl_natbox_rules *rules);

#endif
