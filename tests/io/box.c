/* SPDX-License-Identifier: MIT */
#include "io/box.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void box_push(box *b, thirl_net_action a) {
  assert(b->tail - b->head < BOX_ACTIONS);
  size_t i = b->tail++ % BOX_ACTIONS;
  b->actions[i] = a;
  if (a.payload.n) {
    assert(a.payload.n <= sizeof b->payloads[i]);
    memcpy(b->payloads[i], a.payload.p, a.payload.n);
    b->actions[i].payload.p = b->payloads[i];
  }
}

box_conn *box_find(box *b, thirl_net_id id) {
  for (size_t i = b->conns_n; i-- > 0;)
    if (b->conns[i].id == id) return &b->conns[i];
  return NULL;
}

static box_conn *add(box *b, thirl_net_id id) {
  assert(b->conns_n < BOX_CONNS);
  box_conn *c = &b->conns[b->conns_n++];
  *c = (box_conn){.id = id};
  return c;
}

static void write_for(box *b, box_conn *c) {
  if (c->to_send > c->sent) box_push(b, (thirl_net_action){.verb = THIRL_NET_WRITE, .id = c->id});
}

static void maybe_close(box *b, box_conn *c) {
  if (c->sent != c->to_send || c->failed) return;
  if (!c->close_when_sent && !(b->close_on_eof && c->eof)) return;
  box_push(b, (thirl_net_action){.verb = THIRL_NET_CLOSE, .id = c->id});
  c->failed = true;
}

static void on_data(box *b, box_conn *c, thirl_bytes in) {
  for (size_t i = 0; i < in.n; i++)
    b->bad_bytes += in.p[i] != box_pattern(c->received + i);
  c->received += in.n;
  if (!b->echo) return;
  c->to_send += in.n;
  write_for(b, c);
}

static void on_accepted(box *b, box_conn *c) {
  c->to_send = b->send_on_accept;
  c->close_when_sent = b->close_when_sent;
  if (b->abort_on_accept) box_push(b, (thirl_net_action){.verb = THIRL_NET_ABORT, .id = c->id});
}

static void input(void *self, thirl_time now, const thirl_net_event *ev) {
  box *b = self;
  assert(now >= b->now); /* time never goes back */
  b->now = now;
  b->count[ev->kind]++;
  b->last = *ev;
  b->last.payload = (thirl_bytes){0};
  box_conn *c = ev->kind == THIRL_NET_ACCEPTED ? add(b, ev->id) : ev->id ? box_find(b, ev->id) : NULL;
  if (ev->kind == THIRL_NET_TICK && b->deadline != THIRL_NEVER && now >= b->deadline) {
    b->ticked_at = now;
    b->deadline = THIRL_NEVER;
  }
  if (ev->kind == THIRL_NET_LISTENING) b->listening = ev->local;
  if (ev->kind == THIRL_NET_DATAGRAM && ev->payload.n <= sizeof b->datagram) {
    memcpy(b->datagram, ev->payload.p, ev->payload.n);
    b->datagram_n = ev->payload.n;
  }
  if (c) {
    if (ev->kind == THIRL_NET_ACCEPTED) on_accepted(b, c);
    if (ev->kind == THIRL_NET_CONNECTED || ev->kind == THIRL_NET_ACCEPTED) {
      c->up = true;
      c->local = ev->local;
      c->remote = ev->remote;
      write_for(b, c);
    }
    if (ev->kind == THIRL_NET_DATA) on_data(b, c, ev->payload);
    if (ev->kind == THIRL_NET_EOF) {
      c->eof = true;
      maybe_close(b, c);
    }
    if (ev->kind == THIRL_NET_FAILED) {
      c->failed = true;
      c->error = ev->error;
    }
  }
  if (b->heard) b->heard(b, ev);
}

static bool poll_action(void *self, thirl_time now, thirl_net_action *out) {
  box *b = self;
  (void)now;
  if (b->head == b->tail) return false;
  *out = b->actions[b->head++ % BOX_ACTIONS];
  return true;
}

static size_t pull(void *self, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap) {
  box *b = self;
  (void)now;
  assert(b->head == b->tail); /* drained before it pulls */
  b->pulls++;
  box_conn *c = box_find(b, id);
  if (!c || !c->up) return 0;
  size_t n = c->to_send - c->sent < cap ? (size_t)(c->to_send - c->sent) : cap;
  for (size_t i = 0; i < n; i++)
    buf[i] = box_pattern(c->sent + i);
  c->sent += n;
  if (n) maybe_close(b, c);
  return n;
}

static thirl_time deadline(void *self) {
  box *b = self;
  return b->deadline;
}

box *box_new(uv_loop_t *loop, const thirl_io_net_config *config) {
  box *b = calloc(1, sizeof *b);
  assert(b);
  b->deadline = THIRL_NEVER;
  b->next_id = 1;
  thirl_net_machine m = {b, input, poll_action, pull, deadline};
  if (thirl_io_net_new(loop, &m, config, &b->net) != THIRL_OK) abort();
  return b;
}

static void on_closed(void *ctx) {
  ((box *)ctx)->closed = true;
}

static bool is_closed(void *ctx) {
  return ((box *)ctx)->closed;
}

void box_free(uv_loop_t *loop, box *b) {
  thirl_io_net_close(b->net, on_closed, b);
  if (!box_run(loop, is_closed, b)) abort();
  free(b);
}

thirl_net_id box_listen(box *b, thirl_addr local) {
  thirl_net_id id = b->next_id++;
  box_push(b, (thirl_net_action){.verb = THIRL_NET_LISTEN, .id = id, .local = local});
  return id;
}

thirl_net_id box_udp(box *b, thirl_addr local) {
  thirl_net_id id = b->next_id++;
  box_push(b, (thirl_net_action){.verb = THIRL_NET_BIND_UDP, .id = id, .local = local});
  return id;
}

thirl_net_id box_connect(box *b, thirl_addr local, thirl_addr remote, uint64_t to_send) {
  box_conn *c = add(b, b->next_id++);
  c->to_send = to_send;
  box_push(b, (thirl_net_action){.verb = THIRL_NET_CONNECT, .id = c->id, .local = local, .remote = remote});
  return c->id;
}

void box_end(box *b, thirl_net_id id, bool abort) {
  box_push(b, (thirl_net_action){.verb = abort ? THIRL_NET_ABORT : THIRL_NET_CLOSE, .id = id});
}

void box_send(box *b, thirl_net_id id, uint64_t more) {
  box_conn *c = box_find(b, id);
  c->to_send += more;
  write_for(b, c);
}

void box_sendto(box *b, thirl_net_id id, thirl_addr remote, thirl_bytes payload) {
  box_push(b, (thirl_net_action){.verb = THIRL_NET_SENDTO, .id = id, .remote = remote, .payload = payload});
}

/* ---- running ---- */

static void wake(uv_timer_t *t) {
  (void)t;
}

static void nothing(uv_handle_t *h) {
  free(h);
}

/* A timer may run at the start of a turn that then waits, with done() true: so never wait long. */
bool box_run(uv_loop_t *loop, bool (*done)(void *ctx), void *ctx) {
  uv_timer_t *waker = malloc(sizeof *waker);
  uint64_t limit = uv_hrtime() + 10000000000u;
  uv_timer_init(loop, waker);
  uv_timer_start(waker, wake, 2, 2);
  while (uv_hrtime() < limit && !done(ctx))
    uv_run(loop, UV_RUN_ONCE);
  uv_close((uv_handle_t *)waker, nothing);
  uv_run(loop, UV_RUN_NOWAIT);
  return done(ctx);
}

typedef struct wait_count {
  const uint64_t *value;
  uint64_t at_least;
} wait_count;

static bool is_counted(void *ctx) {
  const wait_count *w = ctx;
  return *w->value >= w->at_least;
}

bool box_run_count(uv_loop_t *loop, const uint64_t *value, uint64_t at_least) {
  wait_count w = {value, at_least};
  return box_run(loop, is_counted, &w);
}

static bool is_late(void *ctx) {
  return uv_hrtime() >= *(uint64_t *)ctx;
}

void box_run_ms(uv_loop_t *loop, uint64_t ms) {
  uint64_t until = uv_hrtime() + ms * 1000000;
  box_run(loop, is_late, &until);
}
