/* SPDX-License-Identifier: MIT */
#include "spout.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/time.h"

enum {
  PIECE = 4096,      /* PIPE_BUF: where poll says that there is room, so many bytes do not wait in a pipe */
  PIECE_OWN = 65536, /* takes what there is room for */
  PATH_SIZE = 32
};

/* False: not now. */
static bool write_piece(spout *s) {
  struct pollfd p = {.fd = s->fd, .events = POLLOUT};
  thirl_bytes b = thirl_buffer_view(&s->held);
  if (poll(&p, 1, 0) <= 0) return false;
  ssize_t n = write(s->fd, b.p, THIRL_MIN(b.n, s->is_own ? (size_t)PIECE_OWN : (size_t)PIECE));
  if (n > 0) thirl_buffer_consume(&s->held, (size_t)n);
  if (n >= 0) return n > 0;
  if (errno == EINTR) return true;
  if (errno == EAGAIN) return false;
  s->error = THIRL_E_IO;
  thirl_buffer_fini(&s->held);
  return false;
}

static void write_all(spout *s) {
  while (s->held.n > 0 && write_piece(s))
    ;
  watch_set(&s->watch, s->held.n > 0);
}

static void on_ready(void *owner) {
  spout *s = owner;
  write_all(s);
  if (s->held.n == 0) s->on_room(s->owner);
}

/* -1: not allowed, or there is no /proc; then a terminal that is stopped holds us up, as it does every program. */
static int open_again(int fd) {
  char path[PATH_SIZE];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

bool spout_init(spout *s, uv_loop_t *loop, int fd, void (*on_room)(void *owner), void *owner) {
  *s = (spout){.fd = fd, .on_room = on_room, .owner = owner};
  thirl_buffer_init(&s->held, SPOUT_MAX);
  int own = isatty(fd) ? open_again(fd) : -1;
  if (own >= 0) {
    s->fd = own;
    s->is_own = true;
  }
  return watch_init(&s->watch, loop, s->fd, true, on_ready, s);
}

void spout_put(spout *s, thirl_bytes b) {
  if (s->error != THIRL_OK) return;
  (void)thirl_buffer_append(&s->held, b);
  write_all(s);
}

bool spout_is_full(const spout *s) {
  return s->held.n > SPOUT_ENOUGH;
}

bool spout_flush(spout *s, int patience_ms) {
  struct pollfd p = {.fd = s->fd, .events = POLLOUT};
  while (s->held.n > 0)
    if (!write_piece(s) && (s->error != THIRL_OK || poll(&p, 1, patience_ms) == 0)) break;
  bool whole = s->held.n == 0;
  thirl_buffer_fini(&s->held);
  return whole;
}

bool spout_fini(spout *s, int patience_ms) {
  bool whole = spout_flush(s, patience_ms);
  watch_fini(&s->watch);
  if (s->is_own) close(s->fd);
  s->is_own = false;
  return whole;
}
