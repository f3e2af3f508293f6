/* SPDX-License-Identifier: MIT */
#include "outlet.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/socket.h"

enum {
  READ_MAX = 65536,
  READS_MAX = 4 /* at one go, then the others have their turn */
};

static void update(outlet *o);

static void free_handle(uv_handle_t *h) {
  free(h);
}

static void drop_socket(outlet *o) {
  if (o->poll) uv_close((uv_handle_t *)o->poll, free_handle);
  if (o->fd >= 0) close(o->fd);
  o->poll = NULL;
  o->fd = -1;
}

/* The owner hears of it once. A lookup under way keeps the memory until it is over. */
static void finish(outlet *o) {
  if (o->closed) return;
  o->closed = true;
  drop_socket(o);
  if (o->found) uv_freeaddrinfo(o->found);
  o->found = NULL;
  o->touched(o, o->owner);
  if (o->looking_up)
    (void)uv_cancel((uv_req_t *)&o->lookup);
  else
    free(o);
}

static void fail(outlet *o, thirl_error e) {
  thirl_mux_reset(o->mux, o->stream, e);
  outlet_break(o);
}

void outlet_break(outlet *o) {
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  if (o->fd >= 0) (void)setsockopt(o->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  finish(o);
}

/* ---- bytes ---- */

/* From the stream to the socket. False: it is gone. */
static bool drain(outlet *o) {
  o->blocked = false;
  while (!o->write_over) {
    thirl_bytes b;
    thirl_error e = thirl_mux_peek(o->mux, o->stream, &b);
    if (e == THIRL_E_EOF) {
      (void)shutdown(o->fd, SHUT_WR);
      o->write_over = true;
    }
    if (e != THIRL_OK) return true;
    ssize_t n = send(o->fd, b.p, b.n, MSG_NOSIGNAL);
    if (n > 0) {
      thirl_mux_consume(o->mux, o->stream, (size_t)n);
    } else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
      o->blocked = true;
      return true;
    } else {
      fail(o, THIRL_E_RESET);
      return false;
    }
  }
  return true;
}

/* From the socket to the stream. False: it is gone. */
static bool fill(outlet *o) {
  static uint8_t buffer[READ_MAX];
  for (int i = 0; i < READS_MAX && !o->read_over; i++) {
    size_t room = thirl_mux_room(o->mux, o->stream), done;
    if (room == 0) return true;
    ssize_t n = recv(o->fd, buffer, room < READ_MAX ? room : READ_MAX, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (n < 0 || (n > 0 && thirl_mux_write(o->mux, o->stream, THIRL_BYTES(buffer, (size_t)n), &done) != THIRL_OK)) {
      fail(o, THIRL_E_RESET);
      return false;
    }
    if (n == 0) {
      (void)thirl_mux_finish(o->mux, o->stream);
      o->read_over = true;
    }
  }
  return true;
}

static void work(outlet *o, bool in, bool out) {
  if (out && !drain(o)) return;
  if (in && !fill(o)) return;
  if (o->read_over && o->write_over) {
    finish(o);
    return;
  }
  update(o);
  o->touched(o, o->owner);
}

void outlet_wake(outlet *o) {
  if (o->poll && !o->connecting && !o->closed) work(o, false, true);
}

/* ---- the socket ---- */

static void try_next(outlet *o);

static void connected(outlet *o) {
  int error = 0;
  socklen_t len = sizeof error;
  (void)getsockopt(o->fd, SOL_SOCKET, SO_ERROR, &error, &len);
  if (error) {
    o->last = thirl_io_socket_error(error);
    drop_socket(o);
    try_next(o);
    return;
  }
  o->connecting = false;
  uv_freeaddrinfo(o->found);
  o->found = NULL;
  (void)thirl_mux_accept(o->mux, o->stream);
  work(o, true, true);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  outlet *o = poll->data;
  if (o->connecting) {
    connected(o);
    return;
  }
  if (status < 0) events = UV_READABLE | UV_WRITABLE; /* the calls will tell what it is */
  work(o, events & UV_READABLE, events & UV_WRITABLE);
}

/* What to wait for; nothing at all when the stream has neither room nor bytes. */
static void update(outlet *o) {
  int events = 0;
  if (o->connecting || o->blocked) events |= UV_WRITABLE;
  if (!o->connecting && !o->read_over && thirl_mux_room(o->mux, o->stream) > 0) events |= UV_READABLE;
  if (events)
    (void)uv_poll_start(o->poll, events, on_poll);
  else
    (void)uv_poll_stop(o->poll);
}

static bool watch(outlet *o) {
  int one = 1;
  o->poll = calloc(1, sizeof *o->poll);
  if (!o->poll || uv_poll_init(o->loop, o->poll, o->fd) != 0) {
    free(o->poll);
    o->poll = NULL;
    return false;
  }
  o->poll->data = o;
  (void)setsockopt(o->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  update(o);
  return true;
}

static outlet *new_outlet(uv_loop_t *loop, thirl_mux *mux, uint32_t stream, outlet_touched touched, void *owner) {
  outlet *o = calloc(1, sizeof *o);
  if (!o) return NULL;
  o->loop = loop;
  o->mux = mux;
  o->stream = stream;
  o->fd = -1;
  o->touched = touched;
  o->owner = owner;
  o->last = THIRL_E_NOT_FOUND;
  return o;
}

outlet *outlet_adopt(uv_loop_t *loop, thirl_mux *mux, uint32_t stream, int fd, outlet_touched touched, void *owner) {
  outlet *o = new_outlet(loop, mux, stream, touched, owner);
  if (o) o->fd = fd;
  if (o && watch(o)) return o;
  close(fd);
  free(o);
  return NULL;
}

static void refuse(outlet *o, thirl_error e) {
  (void)thirl_mux_refuse(o->mux, o->stream, e);
  finish(o);
}

/* One address after the other until one answers. */
static void try_next(outlet *o) {
  while (o->trying) {
    const struct addrinfo *a = o->trying;
    o->trying = a->ai_next;
    o->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (o->fd < 0) {
      o->last = thirl_io_socket_error(errno);
      continue;
    }
    int error = connect(o->fd, a->ai_addr, a->ai_addrlen) == 0 || errno == EINPROGRESS ? 0 : errno;
    o->connecting = true;
    if (error == 0 && watch(o)) return;
    o->last = error ? thirl_io_socket_error(error) : THIRL_E_NOMEM;
    drop_socket(o);
  }
  refuse(o, o->last);
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
  outlet *o = request->data;
  o->looking_up = false;
  if (o->closed) {
    uv_freeaddrinfo(found);
    free(o);
    return;
  }
  o->found = o->trying = status == 0 ? found : NULL;
  try_next(o);
}

outlet *outlet_connect(uv_loop_t *loop, thirl_mux *mux, uint32_t stream, const spec_end *to, outlet_touched touched,
                       void *owner) {
  char service[8];
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
  outlet *o = new_outlet(loop, mux, stream, touched, owner);
  if (!o) return NULL;
  snprintf(service, sizeof service, "%u", to->port);
  o->lookup.data = o;
  o->looking_up = uv_getaddrinfo(loop, &o->lookup, on_found, to->host, service, &hints) == 0;
  if (o->looking_up) return o;
  free(o);
  return NULL;
}
