/* SPDX-License-Identifier: MIT */
#include "door.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  ARRIVALS_MAX = 16, /* at one go */
  PAUSE_MS = 100,    /* when there are no descriptors left: a listening socket stays readable, and would spin */
  BACKLOG = 128
};

struct door {
  uv_poll_t polls[DOOR_SOCKETS_MAX];
  uv_timer_t pause;
  int fds[DOOR_SOCKETS_MAX];
  unsigned n, open_handles;
  bool closed;
  door_arrived arrived;
  void *owner;
};

static void start(door *d);

static void on_closed(uv_handle_t *h) {
  door *d = h->data;
  if (--d->open_handles == 0) free(d);
}

void door_close(door *d) {
  if (!d || d->closed) return;
  d->closed = true;
  for (unsigned i = 0; i < d->n; i++) {
    uv_close((uv_handle_t *)&d->polls[i], on_closed);
    close(d->fds[i]);
  }
  uv_close((uv_handle_t *)&d->pause, on_closed);
}

static void on_pause_over(uv_timer_t *t) {
  start(t->data);
}

static void on_arrival(uv_poll_t *poll, int status, int events) {
  door *d = poll->data;
  int fd = d->fds[poll - d->polls];
  (void)status, (void)events;
  for (int i = 0; i < ARRIVALS_MAX && !d->closed; i++) {
    int arrived = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (arrived >= 0) {
      d->arrived(d, arrived, d->owner);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      for (unsigned j = 0; j < d->n; j++)
        (void)uv_poll_stop(&d->polls[j]);
      (void)uv_timer_start(&d->pause, on_pause_over, PAUSE_MS, 0);
      return;
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return;
    }
  }
}

static void start(door *d) {
  for (unsigned i = 0; i < d->n; i++)
    (void)uv_poll_start(&d->polls[i], UV_READABLE, on_arrival);
}

static thirl_error listen_at(struct addrinfo *a, uint16_t *port, int *out) {
  int one = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  union {
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage any;
  } at = {.any = {0}};
  socklen_t len = sizeof at;
  if (fd < 0) return THIRL_E_IO;
  memcpy(&at, a->ai_addr, a->ai_addrlen);
  in_port_t *where = a->ai_family == AF_INET ? &at.v4.sin_port : &at.v6.sin6_port;
  *where = htons(*port);
  (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (a->ai_family == AF_INET6) (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&at.any, a->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0 ||
      getsockname(fd, (struct sockaddr *)&at.any, &len) != 0) {
    thirl_error e = errno == EADDRINUSE                 ? THIRL_E_IN_USE
                    : errno == EACCES || errno == EPERM ? THIRL_E_PERMISSION
                                                        : THIRL_E_IO;
    close(fd);
    return e;
  }
  *port = ntohs(*where);
  *out = fd;
  return THIRL_OK;
}

/* On every address of the list that this machine has; at least the first that works decides the port. */
static thirl_error listen_at_all(door *d, struct addrinfo *list, uint16_t *port) {
  thirl_error last = THIRL_E_IO;
  for (struct addrinfo *a = list; a && d->n < DOOR_SOCKETS_MAX; a = a->ai_next) {
    thirl_error e = listen_at(a, port, &d->fds[d->n]);
    if (e == THIRL_OK)
      d->n++;
    else if (last == THIRL_E_IO)
      last = e;
    if (e == THIRL_E_IN_USE) return e; /* half a door would surprise */
  }
  return d->n > 0 ? THIRL_OK : last;
}

static thirl_error find(const spec_end *at, struct addrinfo **list) {
  bool local = strcmp(at->host, "localhost") == 0, every = strcmp(at->host, "*") == 0;
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | (every ? AI_PASSIVE : 0)};
  const char *host = local || every ? NULL : at->host;
  return getaddrinfo(host, "0", &hints, list) == 0 ? THIRL_OK : THIRL_E_SYNTAX;
}

thirl_error door_open(uv_loop_t *loop, spec_end *at, door_arrived arrived, void *owner, door **out) {
  struct addrinfo *list;
  *out = NULL;
  thirl_error e = find(at, &list);
  if (e != THIRL_OK) return e;
  door *d = calloc(1, sizeof *d);
  e = d ? listen_at_all(d, list, &at->port) : THIRL_E_NOMEM;
  freeaddrinfo(list);
  if (e != THIRL_OK) {
    for (unsigned i = 0; d && i < d->n; i++)
      close(d->fds[i]);
    free(d);
    return e;
  }
  d->arrived = arrived;
  d->owner = owner;
  uv_timer_init(loop, &d->pause);
  d->pause.data = d;
  d->open_handles = 1;
  for (unsigned i = 0; i < d->n; i++) {
    if (uv_poll_init(loop, &d->polls[i], d->fds[i]) != 0) {
      for (unsigned j = i; j < d->n; j++)
        close(d->fds[j]);
      d->n = i;
      door_close(d);
      return THIRL_E_IO;
    }
    d->polls[i].data = d;
    d->open_handles++;
  }
  start(d);
  *out = d;
  return THIRL_OK;
}
