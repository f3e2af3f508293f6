/* SPDX-License-Identifier: MIT */
/*
 * A descriptor that others hold too, on a loop: libuv would make it non-blocking, for the shell that started us as well. So an epoll of our own is between them.
 */
#ifndef THIRL_APPS_WATCH_H
#define THIRL_APPS_WATCH_H

#include <stdbool.h>

#include <uv.h>

typedef struct watch {
  uv_poll_t poll;
  uv_idle_t idle; /* of a file, which is always ready */
  int epoll;      /* -1: a file */
  void (*on_ready)(void *owner);
  void *owner;
} watch;

/** Not started. False: no descriptors left. for_writing: else for reading. */
bool watch_init(watch *w, uv_loop_t *loop, int fd, bool for_writing, void (*on_ready)(void *owner), void *owner);
void watch_set(watch *w, bool on);
/** Stops; the handles are the loop's to close. */
void watch_fini(watch *w);

#endif
