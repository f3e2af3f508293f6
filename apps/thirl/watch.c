/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include <errno.h>
#include <unistd.h>
#include <sys/epoll.h>

static void on_poll(uv_poll_t *poll, int status, int events) {
  watch *w = poll->data;
  (void)status, (void)events;
  w->on_ready(w->owner);
}

static void on_idle(uv_idle_t *idle) {
  watch *w = idle->data;
  w->on_ready(w->owner);
}

bool watch_init(watch *w, uv_loop_t *loop, int fd, bool for_writing, void (*on_ready)(void *owner), void *owner) {
  struct epoll_event want = {.events = for_writing ? EPOLLOUT : EPOLLIN};
  w->on_ready = on_ready;
  w->owner = owner;
  (void)uv_idle_init(loop, &w->idle);
  w->idle.data = w->poll.data = w;
  w->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (w->epoll < 0) return false;
  if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &want) != 0) {
    bool is_file = errno == EPERM;
    close(w->epoll);
    w->epoll = -1;
    return is_file;
  }
  return uv_poll_init(loop, &w->poll, w->epoll) == 0;
}

void watch_set(watch *w, bool on) {
  if (w->epoll >= 0 && on)
    (void)uv_poll_start(&w->poll, UV_READABLE, on_poll);
  else if (w->epoll >= 0)
    (void)uv_poll_stop(&w->poll);
  else if (on)
    (void)uv_idle_start(&w->idle, on_idle);
  else
    (void)uv_idle_stop(&w->idle);
}

void watch_fini(watch *w) {
  watch_set(w, false);
  if (w->epoll >= 0) close(w->epoll);
  w->epoll = -1;
}
