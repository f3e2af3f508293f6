/* SPDX-License-Identifier: MIT */
#include "unit/sim/pump.h"

#include <assert.h>

/* Byte i of the stream; not periodic in any length that segments have. */
static uint8_t byte_at(uint64_t i) {
  return (uint8_t)(i * 167 + (i >> 8) * 13 + (i >> 16));
}

void pump_do(pump *p, thirl_net_action action) {
  assert(p->to - p->from < 64);
  p->queue[p->to++ % 64] = action;
}

void pump_send(pump *p, uint64_t total) {
  p->total = total;
  pump_do(p, (thirl_net_action){.verb = THIRL_NET_WRITE, .id = p->id});
}

static void up(pump *p, const thirl_net_event *ev, thirl_time now) {
  p->id = ev->id;
  p->peer = ev->remote;
  p->bound = ev->local;
  if (!p->up_at) p->up_at = now;
  if (p->speaks_at_once) pump_send(p, p->total);
}

static void take(pump *p, const thirl_net_event *ev, thirl_time now) {
  for (size_t i = 0; i < ev->payload.n; i++)
    if (ev->payload.p[i] != byte_at(p->got + i)) p->wrong = true;
  p->got += ev->payload.n;
  p->done_at = now;
}

static void input(void *self, thirl_time now, const thirl_net_event *ev) {
  pump *p = self;
  assert(now >= p->last_now);
  p->last_now = now;
  if (!p->began) {
    p->began = true;
    pump_do(p, (thirl_net_action){.verb = p->listens ? THIRL_NET_LISTEN : THIRL_NET_CONNECT,
                                  .id = 1,
                                  .local = p->local,
                                  .remote = p->remote});
  }
  switch (ev->kind) {
  case THIRL_NET_LISTENING:
    p->n_listening++;
    p->bound = ev->local;
    break;
  case THIRL_NET_CONNECTED:
    p->n_connected++;
    up(p, ev, now);
    break;
  case THIRL_NET_ACCEPTED:
    p->n_accepted++;
    up(p, ev, now);
    break;
  case THIRL_NET_FAILED:
    p->n_failed++;
    p->failed_at = now;
    p->error = ev->error;
    break;
  case THIRL_NET_DATA:
    take(p, ev, now);
    break;
  case THIRL_NET_EOF:
    p->n_eof++;
    p->eof_at = now;
    if (p->closes_on_eof) pump_do(p, (thirl_net_action){.verb = THIRL_NET_CLOSE, .id = ev->id});
    break;
  case THIRL_NET_DATAGRAM:
    p->got += ev->payload.n;
    p->peer = ev->remote;
    p->done_at = now;
    break;
  case THIRL_NET_TICK:
    p->n_ticks++;
    break;
  }
}

static bool poll(void *self, thirl_time now, thirl_net_action *out) {
  pump *p = self;
  (void)now;
  if (p->from == p->to) return false;
  *out = p->queue[p->from++ % 64];
  return true;
}

static size_t pull(void *self, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap) {
  pump *p = self;
  (void)now;
  uint64_t left = p->total - p->sent;
  size_t n = left < cap ? (size_t)left : cap;
  for (size_t i = 0; i < n; i++)
    buf[i] = byte_at(p->sent + i);
  p->sent += n;
  if (n == 0 && p->closes && p->total) {
    p->closes = false;
    pump_do(p, (thirl_net_action){.verb = THIRL_NET_CLOSE, .id = id});
  }
  return n;
}

static thirl_time deadline(void *self) {
  const pump *p = self;
  if (!p->began) return 0;
  return p->tick_at > p->last_now ? p->tick_at : THIRL_NEVER;
}

thirl_net_machine pump_machine(pump *p) {
  return (thirl_net_machine){.self = p, .input = input, .poll = poll, .pull = pull, .deadline = deadline};
}

thirl_sim_node *pump_host(thirl_sim *sim, thirl_sim_node *below, const char *name, thirl_addr addr, pump *p) {
  thirl_sim_node *host =
      thirl_sim_add_host(sim, &(thirl_sim_host_config){.name = name, .below = below, .addrs = {addr}, .n_addrs = 1});
  if (host && p) {
    thirl_net_machine m = pump_machine(p);
    thirl_sim_attach(host, &m);
  }
  return host;
}
