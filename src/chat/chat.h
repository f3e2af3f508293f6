/* SPDX-License-Identifier: MIT */
/*
 * A conversation: texts with delivery, the round trip, and how it ends. Sans I/O, over any reliable stream of bytes.
 *
 *   init -> { say end leave input tick } -> poll until false -> output, consume -> deadline -> ... -> fini
 *
 * A text that poll has given counts as shown, and the peer is told. What is kept is bounded whatever the peer does: one frame that comes in, what waits to be
 * written (THIRL_CHAT_HELD_MAX), and of each kind of answer one. A peer that says more than a person can read is not read faster: input leaves the rest.
 */
#ifndef THIRL_CHAT_CHAT_H
#define THIRL_CHAT_CHAT_H

#include "base/time.h"
#include "chat/frame.h"

enum {
  THIRL_CHAT_UNSHOWN_MAX = 256,   /* texts of ours that the peer has not shown yet */
  THIRL_CHAT_HELD_MAX = 64 << 10, /* bytes that wait to be written */
  THIRL_CHAT_RATE = 1000,         /* frames a second when paced; each 64 bytes and each new line count as one more */
  THIRL_CHAT_BURST = 2000,        /* at once */
  THIRL_CHAT_PING_S = 5           /* from an answer to the next question */
};

typedef enum thirl_chat_event_kind {
  THIRL_CHAT_SAID,      /* text: borrowed until the next call */
  THIRL_CHAT_DELIVERED, /* number: ours up to this one were shown */
  THIRL_CHAT_RTT,       /* rtt_us: from program to program and back */
  THIRL_CHAT_ENDED,     /* the peer has nothing more to say */
  THIRL_CHAT_LEFT       /* the peer is gone; nothing follows */
} thirl_chat_event_kind;

typedef struct thirl_chat_event {
  thirl_chat_event_kind kind;
  thirl_bytes text;
  uint32_t number;
  thirl_time rtt_us;
} thirl_chat_event;

typedef struct thirl_chat {
  thirl_buffer out;
  uint8_t frame[THIRL_CHAT_FRAME_MAX]; /* coming in: n_frame bytes of it are there */
  size_t n_frame;
  bool paced, has_text; /* has_text: the frame is a text that nobody has taken */
  bool ended, left, their_end, their_leave;
  uint32_t said, delivered, heard,
      shown; /* numbers: ours, ours that were shown, theirs, theirs that we have said to have shown */
  uint8_t pong[THIRL_CHAT_PING_LEN];
  bool owes_pong, owes_ping, waits_for_pong;
  bool tells_delivered, tells_rtt, tells_end, tells_leave;
  uint64_t pings;
  thirl_time pinged, next_ping, rtt_us;
  thirl_time full_at; /* when the allowance is whole again: it lies so far ahead as was used up */
} thirl_chat;

/** paced: limit what the peer may say in a second. */
void thirl_chat_init(thirl_chat *c, bool paced, thirl_time now);
void thirl_chat_fini(thirl_chat *c);

/**
 * A text of up to THIRL_CHAT_TEXT_MAX bytes. *number names it in DELIVERED.
 * E_AGAIN: too many are under way; try again after DELIVERED or consume. E_LIMIT: too long. E_STATE: after end or leave, or the peer has left. E_NOMEM.
 */
thirl_error thirl_chat_say(thirl_chat *c, thirl_bytes text, uint32_t *number);
/** We have nothing more to say, and go on listening. */
void thirl_chat_end(thirl_chat *c);
/** We go. The stream's direction is over when the output is written. */
void thirl_chat_leave(thirl_chat *c);
/** Bytes of the stream; *in shrinks by what was taken: not all of it when a text has to be polled first, or deadline awaited. E_PROTOCOL. */
thirl_error thirl_chat_input(thirl_chat *c, thirl_time now, thirl_bytes *in);
void thirl_chat_tick(thirl_chat *c, thirl_time now);
bool thirl_chat_poll(thirl_chat *c, thirl_chat_event *out);
/** Bytes for the stream, borrowed until the next call; then say how much of them was written. */
thirl_bytes thirl_chat_output(thirl_chat *c, thirl_time now);
void thirl_chat_consume(thirl_chat *c, size_t n);
/** When to tick, and to offer input again. */
thirl_time thirl_chat_deadline(const thirl_chat *c, thirl_time now);
/** Texts of ours that were not shown yet. */
uint32_t thirl_chat_unshown(const thirl_chat *c);
/** Both sides have nothing more to say, and everything was shown. */
bool thirl_chat_is_over(const thirl_chat *c);
/** How long the peer owes an answer; 0: it does not. */
thirl_time thirl_chat_silence(const thirl_chat *c, thirl_time now);

#endif
