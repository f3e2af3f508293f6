/* SPDX-License-Identifier: MIT */
/*
 * What a person (chat_screen.c) or a program (chat_pipe.c) has of a chat. A front shows what it is told, and says what it wants by the calls that it was given; it
 * knows nothing of sessions.
 */
#ifndef THIRL_APPS_CHAT_FRONT_H
#define THIRL_APPS_CHAT_FRONT_H

#include <uv.h>

#include "base/bytes.h"

/** How things stand, in words. "" and 0: nothing to say. */
typedef struct chat_state {
  char peer[64], path[32], why[192]; /* why: it is relayed */
  bool is_there, is_direct;
  long rtt_ms; /* -1: not known */
  unsigned silence_ms, undelivered;
} chat_state;

/** What a front wants. */
typedef struct chat_wishes {
  /** A text. E_AGAIN: later, see room; E_STATE: nobody is there. */
  thirl_error (*say)(thirl_bytes text, uint32_t *number, void *owner);
  void (*end)(void *owner);   /* nothing more will be said */
  void (*leave)(void *owner); /* goodbye */
  void (*fail)(thirl_error e, const char *why, void *owner);
  void (*signal)(int number, void *owner); /* a key that is one */
  void (*room)(void *owner);               /* is_full no more */
  void (*stats)(void *owner);              /* notes about the path, please */
  void *owner;
} chat_wishes;

typedef enum chat_tone { CHAT_TELL, CHAT_WARN } chat_tone;

typedef struct chat_front chat_front;
struct chat_front {
  void (*heard)(chat_front *f, thirl_bytes text);
  void (*delivered)(chat_front *f, uint32_t number);
  void (*room)(chat_front *f); /* say may work again */
  void (*note)(chat_front *f, chat_tone tone, const char *text);
  void (*state)(chat_front *f, const chat_state *s);
  bool (*is_full)(chat_front *f);
  bool (*holds)(chat_front *f); /* something that was heard waits to be written: at the end, until room or fail */
  bool (*close)(chat_front *f); /* gives the terminal back; false: what it held is lost */
  bool is_screen;
};

/** Can this be a screen: is there a terminal at both ends, and nobody else writes to it? */
bool chat_screen_is_possible(bool json);
/** E_NOMEM, E_IO. *out, if there is one (after E_IO too), is to be freed when the loop has closed its handles. */
thirl_error chat_screen_open(uv_loop_t *loop, const chat_wishes *wishes, chat_front **out);
thirl_error chat_pipe_open(uv_loop_t *loop, const chat_wishes *wishes, chat_front **out);

#endif
