/* SPDX-License-Identifier: MIT */
/*
 * One descriptor that somebody gave us, of whatever kind: pipe, terminal, socket, file, device. Makes reading and writing it not
 * block without disturbing others who hold the same open file, and says when it is ready.
 *
 * O_NONBLOCK belongs to the open file, not to the descriptor: set on an inherited stdin it would hit the shell and every other process
 * that shares the pipe or the terminal. So pipes and terminals are opened anew through /proc/self/fd, which gives an open file of our
 * own; files and most devices never block in that sense; sockets, and whatever cannot be opened anew, get the flag and have
 * it taken away at the end.
 */
#ifndef THIRL_IO_END_H
#define THIRL_IO_END_H

#include <uv.h>

#include "base/bytes.h"

typedef struct thirl_io_end thirl_io_end;

struct thirl_io_end {
  int given, fd;   /* fd is given or an open file of our own; -1 when closed */
  int saved_flags; /* of given, to be restored; -1 when they were never touched */
  bool is_socket, is_tty;
  bool always_ready; /* epoll refuses it: files, /dev/null */
  int mask;
  union {
    uv_handle_t handle;
    uv_poll_t poll;
    uv_idle_t idle;
  } uv;
  void (*ready)(thirl_io_end *end,
                bool broken);      /* broken: an error or a hang-up, which the next read or write will name */
  void (*gone)(thirl_io_end *end); /* libuv has let go of it */
  void *ctx;
};

/** Before anything else: remember how fd is set, because the two ends of a pump may share one open file. */
void thirl_io_end_init(thirl_io_end *end, int fd);
/** Takes the descriptor over on success. ready, gone and ctx are set by the caller. E_INVALID: not an open descriptor; E_LIMIT, E_IO. */
thirl_error thirl_io_end_open(thirl_io_end *end, uv_loop_t *loop, bool for_writing);
/** UV_READABLE, UV_WRITABLE; UV_PRIORITIZED waits for nothing but the other side's disappearance. 0: not watched. */
void thirl_io_end_watch(thirl_io_end *end, int events);

/** OK with *n > 0; E_AGAIN; E_EOF; or why not. */
thirl_error thirl_io_end_read(thirl_io_end *end, void *buf, size_t cap, size_t *n);
/** OK with *n > 0, E_AGAIN, or why not (nobody reads any more: E_RESET). Never raises SIGPIPE. */
thirl_error thirl_io_end_write(thirl_io_end *end, thirl_bytes in, size_t *n);

/** Close it. What was given as 0, 1 or 2 is replaced by /dev/null, so that the number goes to nothing else by accident. gone() follows. */
void thirl_io_end_close(thirl_io_end *end);
/** Let go of it: the descriptor is the caller's again, as it was. gone() follows. */
void thirl_io_end_release(thirl_io_end *end);

#endif
