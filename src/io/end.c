/* SPDX-License-Identifier: MIT */
#include "io/end.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "io/socket.h"

void thirl_io_end_init(thirl_io_end *end, int fd) {
  memset(end, 0, sizeof *end);
  end->given = end->fd = fd;
  end->saved_flags = fcntl(fd, F_GETFL);
}

/* Opening the master side of a pseudo terminal anew would make another terminal. */
static bool is_pty_master(const struct stat *st) {
  return major(st->st_rdev) == 5 && minor(st->st_rdev) == 2;
}

/* An open file of our own for the same pipe or terminal; -1 when that is not possible. */
static int open_anew(int fd, bool for_writing) {
  char path[40];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return open(path, (for_writing ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Asked for priority data, epoll reports a hang-up as that. Real urgent data is of no interest: take it, or it is reported for ever. */
static bool is_hung_up(const thirl_io_end *end) {
  struct pollfd p = {.fd = end->fd};
  uint8_t urgent;
  if (poll(&p, 1, 0) == 1) return true;
  if (end->is_socket) (void)!recv(end->fd, &urgent, 1, MSG_OOB | MSG_DONTWAIT);
  return false;
}

static void on_poll(uv_poll_t *h, int status, int events) {
  thirl_io_end *end = h->data;
  bool broken = status < 0 || ((events & UV_PRIORITIZED) && is_hung_up(end));
  if (status < 0) end->mask = 0; /* EPOLLERR: libuv has stopped watching */
  end->ready(end, broken);
}

static void on_idle(uv_idle_t *h) {
  thirl_io_end *end = h->data;
  end->ready(end, false);
}

thirl_error thirl_io_end_open(thirl_io_end *end, uv_loop_t *loop, bool for_writing) {
  struct stat st;
  if (end->given < 0 || fstat(end->given, &st) < 0) return THIRL_E_INVALID;
  end->is_socket = S_ISSOCK(st.st_mode);
  end->is_tty = S_ISCHR(st.st_mode) && isatty(end->given);
  if (S_ISFIFO(st.st_mode) || (end->is_tty && !is_pty_master(&st))) {
    int own = open_anew(end->given, for_writing);
    if (own >= 0) {
      end->fd = own;
      end->saved_flags = -1;
    }
  }
  int rc = S_ISREG(st.st_mode) ? UV_EPERM
                               : uv_poll_init(loop, &end->uv.poll, end->fd); /* sets O_NONBLOCK when it succeeds */
  if (rc == UV_EPERM) {
    end->always_ready = true;
    end->saved_flags = -1;
    rc = uv_idle_init(loop, &end->uv.idle);
  }
  if (rc < 0) {
    if (end->fd != end->given) close(end->fd);
    end->fd = end->given;
    return thirl_io_socket_error(-rc);
  }
  end->uv.handle.data = end;
  return THIRL_OK;
}

void thirl_io_end_watch(thirl_io_end *end, int events) {
  if (end->fd < 0 || events == end->mask) return;
  end->mask = events;
  if (end->always_ready) {
    if (events & (UV_READABLE | UV_WRITABLE))
      uv_idle_start(&end->uv.idle, on_idle);
    else
      uv_idle_stop(&end->uv.idle);
  } else if (events) {
    uv_poll_start(&end->uv.poll, events, on_poll);
  } else {
    uv_poll_stop(&end->uv.poll);
  }
}

thirl_error thirl_io_end_read(thirl_io_end *end, void *buf, size_t cap, size_t *n) {
  ssize_t got;
  do {
    got = end->is_socket ? recv(end->fd, buf, cap, MSG_DONTWAIT) : read(end->fd, buf, cap);
  } while (got < 0 && errno == EINTR);
  *n = got > 0 ? (size_t)got : 0;
  if (got > 0) return THIRL_OK;
  if (got == 0) return THIRL_E_EOF;
  if (errno == EAGAIN || errno == EWOULDBLOCK) return THIRL_E_AGAIN;
  if (errno == EIO && end->is_tty) return THIRL_E_EOF; /* the other side of the terminal is gone */
  return thirl_io_socket_error(errno);
}

/* write(2) to a pipe without readers raises SIGPIPE, and whether that kills is the program's business, not a library's. */
static ssize_t write_quietly(int fd, thirl_bytes in) {
  sigset_t pipe_only, before, pending;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  sigpending(&pending);
  bool was_pending = sigismember(&pending, SIGPIPE) == 1;
  pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
  ssize_t n = write(fd, in.p, in.n);
  int err = errno;
  if (n < 0 && err == EPIPE && !was_pending) {
    struct timespec at_once = {0, 0};
    while (sigtimedwait(&pipe_only, NULL, &at_once) < 0 && errno == EINTR)
      ;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = err;
  return n;
}

thirl_error thirl_io_end_write(thirl_io_end *end, thirl_bytes in, size_t *n) {
  ssize_t put;
  do {
    put = end->is_socket ? send(end->fd, in.p, in.n, MSG_DONTWAIT | MSG_NOSIGNAL) : write_quietly(end->fd, in);
  } while (put < 0 && errno == EINTR);
  *n = put > 0 ? (size_t)put : 0;
  if (put > 0) return THIRL_OK;
  if (put == 0 || errno == EAGAIN || errno == EWOULDBLOCK) return THIRL_E_AGAIN;
  return thirl_io_socket_error(errno);
}

static void on_gone(uv_handle_t *h) {
  thirl_io_end *end = h->data;
  end->gone(end);
}

void thirl_io_end_release(thirl_io_end *end) {
  if (end->fd < 0) return;
  uv_close(&end->uv.handle, on_gone);
  if (end->saved_flags >= 0) (void)fcntl(end->given, F_SETFL, end->saved_flags);
  if (end->fd != end->given) close(end->fd);
  end->fd = -1;
}

void thirl_io_end_close(thirl_io_end *end) {
  if (end->fd < 0) return;
  thirl_io_end_release(end);
  int null = end->given <= 2 ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
  if (null >= 0) {
    dup2(null, end->given);
    close(null);
  } else {
    close(end->given);
  }
  end->given = -1;
}
