/* SPDX-License-Identifier: MIT */
#include "turns.h"

#include <signal.h>
#include <string.h>

static void on_timer(uv_timer_t *timer) {
  (void)timer; /* the loop's turn is all that is needed */
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  (void)poll, (void)status, (void)events;
}

/* Before each wait: whatever woke us may have given the context something to do. */
static void on_prepare(uv_prepare_t *prepare) {
  turns *t = prepare->data;
  thirl_event ev;
  t->error = thirl_context_process(t->context);
  while (thirl_context_next_event(t->context, &ev))
    t->on_event(&ev, t->owner);
  if (t->error != THIRL_OK) uv_stop(&t->loop);
  int ms = thirl_context_timeout_ms(t->context);
  if (ms >= 0)
    (void)uv_timer_start(&t->timer, on_timer, (uint64_t)ms, 0);
  else
    (void)uv_timer_stop(&t->timer);
}

static void on_signal(uv_signal_t *s, int number) {
  turns *t = s->data;
  t->caught = number;
  uv_stop(&t->loop);
}

static void watch_signal(turns *t, uv_signal_t *s, int number) {
  struct sigaction now;
  uv_signal_init(&t->loop, s);
  s->data = t;
  /* Whoever ignores a signal for us (nohup) means it. */
  if (sigaction(number, NULL, &now) == 0 && now.sa_handler != SIG_IGN) (void)uv_signal_start(s, on_signal, number);
}

thirl_error turns_init(turns *t, thirl_context *context, void (*on_event)(const thirl_event *, void *), void *owner) {
  memset(t, 0, sizeof *t);
  if (uv_loop_init(&t->loop) != 0) return THIRL_E_NOMEM;
  t->context = context;
  t->on_event = on_event;
  t->owner = owner;
  uv_timer_init(&t->loop, &t->timer);
  uv_prepare_init(&t->loop, &t->prepare);
  t->prepare.data = t;
  watch_signal(t, &t->signals[0], SIGINT);
  watch_signal(t, &t->signals[1], SIGTERM);
  (void)signal(SIGPIPE, SIG_IGN);
  (void)uv_prepare_start(&t->prepare, on_prepare);
  if (uv_poll_init(&t->loop, &t->poll, thirl_context_fd(context)) == 0 &&
      uv_poll_start(&t->poll, UV_READABLE, on_poll) == 0)
    return THIRL_OK;
  turns_fini(t);
  return THIRL_E_IO;
}

void turns_run(turns *t) {
  (void)uv_run(&t->loop, UV_RUN_DEFAULT);
}

void turns_stop(turns *t) {
  uv_stop(&t->loop);
}

static void close_handle(uv_handle_t *h, void *arg) {
  (void)arg;
  if (!uv_is_closing(h)) uv_close(h, NULL);
}

void turns_fini(turns *t) {
  uv_walk(&t->loop, close_handle, NULL);
  (void)uv_run(&t->loop, UV_RUN_DEFAULT);
  (void)uv_loop_close(&t->loop);
}
