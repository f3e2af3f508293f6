/* SPDX-License-Identifier: MIT */
/* Bytes to a descriptor that may be slow, or stopped, and is not ours to be made non-blocking: the loop goes on meanwhile. */
#ifndef THIRL_APPS_SPOUT_H
#define THIRL_APPS_SPOUT_H

#include "base/bytes.h"
#include "watch.h"

enum { SPOUT_MAX = 1 << 20, SPOUT_ENOUGH = 64 << 10 }; /* bytes held at most; so many are enough */

typedef struct spout {
  watch watch;
  int fd;
  bool is_own; /* a terminal, opened once more: non-blocking for us alone */
  thirl_buffer held;
  thirl_error error; /* of writing; then nothing is written any more */
  void (*on_room)(void *owner);
  void *owner;
} spout;

/** on_room: what was held is written, or cannot be (error). False: no descriptors left. */
bool spout_init(spout *s, uv_loop_t *loop, int fd, void (*on_room)(void *owner), void *owner);
/** Writes what can be written now, and holds the rest; what is beyond SPOUT_MAX is lost. */
void spout_put(spout *s, thirl_bytes b);
/** Put no more before on_room. */
bool spout_is_full(const spout *s);
/** Waits until all is written, up to that long for each piece, and forgets the rest. False: there was one, which error does not tell. */
bool spout_flush(spout *s, int patience_ms);
/** The same for the last time. The handles are the loop's to close. */
bool spout_fini(spout *s, int patience_ms);

#endif
