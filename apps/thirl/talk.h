/* SPDX-License-Identifier: MIT */
/* A conversation (chat/chat.h) with one peer: on one stream of a trunk, up to the goodbye. */
#ifndef THIRL_APPS_TALK_H
#define THIRL_APPS_TALK_H

#include <uv.h>

#include "chat/chat.h"
#include "thirl/thirl.h"

enum { TALK_LINGER_MS = 5000 }; /* for the peer to take what we said last */

typedef struct talk talk;

/** What a talk tells; never from within talk_new. */
typedef struct talk_ear {
  void (*open)(void *owner); /* the peer chats too */
  void (*heard)(const thirl_chat_event *ev, void *owner);
  bool (*is_busy)(void *owner); /* whoever shows the texts has enough: call talk_wake later */
  void (*asked)(const char *label, thirl_error e, void *owner); /* the peer wants something else than a chat */
  void (*woken)(void *owner);                                   /* by the clock: look at talk_result */
  bool is_paced;                                                /* a person reads: no more in a second than that can */
  void *owner;
} talk_ear;

/** dialed: are we the side that reached out? Then texts may be said at once. NULL: no memory. */
talk *talk_new(uv_loop_t *loop, thirl_context *context, thirl_session_handle session, bool dialed, const talk_ear *ear);
/** The session stays the caller's. NULL is allowed. */
void talk_free(talk *t);
/** See thirl_chat_say; E_STATE also while nobody is there. */
thirl_error talk_say(talk *t, thirl_bytes text, uint32_t *number);
/** We have nothing more to say. When the peer has not either, and all was shown, the talk is over by itself. */
void talk_end(talk *t);
/** Goodbye. The end comes within TALK_LINGER_MS. */
void talk_leave(talk *t);
/** READABLE and WRITABLE of the session, or not busy any more. */
void talk_wake(talk *t);
uint32_t talk_unshown(const talk *t);
/** For how long the peer owes an answer, in ms. */
unsigned talk_silence_ms(const talk *t);
/** Has one side said goodbye? Then FINISHED of the session is the end, or the result. */
bool talk_is_leaving(const talk *t);
/**
 * Has it come to an end? E_AGAIN: no. OK: the peer has not taken the goodbye in time. E_PEER_CLOSED: it is gone without one. E_PROTOCOL: the peer does not chat;
 * others: the session's. *why says more, or is "".
 */
thirl_error talk_result(const talk *t, const char **why);

#endif
