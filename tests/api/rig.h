/* SPDX-License-Identifier: MIT */
/* A real server on a thread of its own, on a loopback port of the kernel's choice, and what the tests of the public interface do again and again. */
#ifndef THIRL_TESTS_API_RIG_H
#define THIRL_TESTS_API_RIG_H

#include "thirl/thirl.h"

enum { RIG_PATIENCE_MS = 20000 }; /* for what should come soon */

typedef struct rig rig;

/** Listens when this returns. Aborts when it cannot be had. */
rig *rig_new(void);
/** The server is gone, its connections are reset or ended. NULL is allowed. */
void rig_free(rig *r);
/** "127.0.0.1:PORT"; lives as long as r. */
const char *rig_server(const rig *r);

/** A key of its own, this server (NULL: none). */
thirl_options rig_options(const rig *r);

/** Byte number i of the stream with this salt: long period, so that a lost or doubled piece of any size is seen. */
uint8_t rig_pattern(unsigned salt, uint64_t i);

/** A thread that writes n bytes of the pattern to fd, and then SHUT_WR if ends is set. */
typedef struct rig_writer rig_writer;
rig_writer *rig_write(int fd, unsigned salt, uint64_t n, bool ends);
/** Waits for it; the bytes that were written. */
uint64_t rig_written(rig_writer *w);

/** What came from a descriptor: bytes before the end or the error, how many were not the pattern's, and the errno (0: the end). */
typedef struct rig_sum {
  uint64_t n, wrong;
  int error;
} rig_sum;
/** Read until the end, an error or, when at_most is not 0, that many bytes. */
rig_sum rig_read(int fd, unsigned salt, uint64_t at_most);

/** Two ends of one connection through r. */
typedef struct rig_pair {
  thirl_listener *listener;
  thirl_connection *dialed, *accepted;
  char ticket[THIRL_TICKET_MAX];
} rig_pair;
/** NULL options: rig_options. Asserts (cmocka) that it comes about. */
rig_pair rig_connect(const rig *r, const thirl_options *dialer, const thirl_options *listener);
/** Dial and accept one more on the pair's listener. */
void rig_connect_again(const rig *r, const char *ticket, thirl_listener *l, thirl_connection **dialed,
                       thirl_connection **accepted);

/* ---- event loop ---- */

/** A context in the hands of the test: what it has told, and the wait for more. */
typedef struct rig_loop {
  thirl_context *context;
  thirl_session_handle session; /* dialled, or the first that came in */
  unsigned count[THIRL_EVENT_FAILED + 1];
  thirl_event last[THIRL_EVENT_FAILED + 1]; /* of each kind */
  unsigned waits;                           /* how often the context was waited for */
} rig_loop;

rig_loop rig_loop_new(const thirl_options *options);
void rig_loop_free(rig_loop *l);
/** Waits as the contract says, at most ms; processes; counts the events. Both may be NULL. */
void rig_turn(rig_loop *a, rig_loop *b, int ms);
/** Turns both until a has told this kind count times; false after RIG_PATIENCE_MS. */
bool rig_until(rig_loop *a, rig_loop *b, thirl_event_kind kind, unsigned count);
/** Turns both for so long. */
void rig_turn_for(rig_loop *a, rig_loop *b, int ms);
/** a listens, b dials; until both are UP. */
void rig_meet(const rig *r, rig_loop *a, rig_loop *b);

long long rig_now_ms(void);

#endif
