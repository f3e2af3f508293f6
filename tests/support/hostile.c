/* SPDX-License-Identifier: MIT */
#include "support/hostile.h"

#include <assert.h>
#include <string.h>

#include "stun/writer.h"

enum { OUT_MAX = 65536, TAKEN_MAX = 1 << 20 };

void hostile_init(hostile *h, hostile_kind kind) {
  memset(h, 0, sizeof *h);
  h->kind = kind;
  h->at_once = 1;
  thirl_buffer_init(&h->taken, TAKEN_MAX);
}

void hostile_fini(hostile *h) {
  for (size_t i = 0; i < h->n_conns; i++) {
    thirl_buffer_fini(&h->conns[i].out);
    thirl_stun_stream_fini(&h->conns[i].cut);
  }
  thirl_buffer_fini(&h->taken);
}

static void act(hostile *h, thirl_net_action a) {
  assert(h->n_actions < sizeof h->actions / sizeof *h->actions);
  h->actions[h->n_actions++] = a;
}

static hostile_conn *find(hostile *h, thirl_net_id id) {
  for (size_t i = 0; i < h->n_conns; i++)
    if (h->conns[i].id == id) return &h->conns[i];
  return NULL;
}

static hostile_conn *remember(hostile *h, thirl_net_id id) {
  if (h->n_conns == HOSTILE_CONNS_MAX) return NULL;
  hostile_conn *c = &h->conns[h->n_conns++];
  c->id = id;
  c->armed = false;
  thirl_buffer_init(&c->out, OUT_MAX);
  thirl_stun_stream_init(&c->cut, THIRL_STUN_FRAMING_FRAME, 65537);
  return c;
}

static void say(hostile *h, hostile_conn *c, thirl_bytes b) {
  if (thirl_buffer_append(&c->out, b) != THIRL_OK || c->armed) return;
  c->armed = true;
  act(h, (thirl_net_action){.verb = THIRL_NET_WRITE, .id = c->id});
}

/* The MAC is made over the transaction that was recorded, which is not this one. */
static void replay(hostile *h, hostile_conn *c, const thirl_stun_msg *request) {
  uint8_t bytes[256], recorded[THIRL_STUN_TID_LEN] = "recorded...";
  thirl_stun_writer w;
  thirl_bytes out;
  thirl_addr mapped = thirl_addr_v4(203, 0, 113, 2, 4711);
  thirl_stun_writer_init(&w, bytes + 2, sizeof bytes - 2, THIRL_STUN_SUCCESS, THIRL_STUN_METHOD_BINDING, recorded);
  thirl_stun_writer_xor_addr(&w, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &mapped);
  thirl_stun_writer_integrity(&w, THIRL_BYTES(h->pwd, strlen(h->pwd)));
  if (thirl_stun_writer_finish(&w, &out) != THIRL_OK) return;
  memcpy(bytes + 2 + 8, request->tid, THIRL_STUN_TID_LEN);
  thirl_bytes_put_u16(bytes, (uint16_t)out.n);
  say(h, c, THIRL_BYTES(bytes, out.n + 2));
}

static void take_packet(hostile *h, hostile_conn *c, thirl_bytes packet) {
  thirl_stun_msg m;
  bool is_check = thirl_stun_msg_decode(packet, &m) == THIRL_OK && m.method == THIRL_STUN_METHOD_BINDING &&
                  m.cls == THIRL_STUN_REQUEST;
  h->checks += is_check;
  h->heard_others = h->heard_others || !is_check;
  if (is_check && h->kind == HOSTILE_REPLAY) replay(h, c, &m);
}

static void hear(hostile *h, hostile_conn *c, thirl_bytes in) {
  static const char garbage[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
  thirl_bytes packet, rest = in;
  thirl_error e;
  h->heard += in.n;
  if (c->id < THIRL_NET_ID_ACCEPTED) {
    (void)thirl_buffer_append(&h->taken, in);
    return;
  }
  while ((e = thirl_stun_stream_next(&c->cut, &rest, &packet)) == THIRL_OK)
    take_packet(h, c, packet);
  if (e != THIRL_E_AGAIN) h->heard_others = true;
  if (h->kind == HOSTILE_GARBAGE) say(h, c, THIRL_BYTES(garbage, sizeof garbage - 1));
  if (h->kind == HOSTILE_ECHO) say(h, c, in);
}

static void connect_some(hostile *h, thirl_time now) {
  if (!h->to_connect || now < h->next) return;
  for (unsigned i = 0; i < h->at_once && h->to_connect; i++, h->to_connect--)
    act(h, (thirl_net_action){.verb = THIRL_NET_CONNECT,
                              .id = ++h->last_id,
                              .local = thirl_addr_any((thirl_family)h->target.family, 0),
                              .remote = h->target});
  h->next = now + h->gap;
}

static void input(void *self, thirl_time now, const thirl_net_event *ev) {
  hostile *h = self;
  hostile_conn *c = find(h, ev->id);
  if (ev->kind == THIRL_NET_ACCEPTED) {
    h->accepted++;
    (void)remember(h, ev->id);
  }
  if (ev->kind == THIRL_NET_CONNECTED) {
    h->connected++;
    c = remember(h, ev->id);
    if (c && h->script.n) say(h, c, h->script);
  }
  if (ev->kind == THIRL_NET_DATA && c) hear(h, c, ev->payload);
  if (ev->kind == THIRL_NET_FAILED) h->failed++;
  if (!h->is_listening && thirl_addr_is_set(&h->listen_at)) {
    h->is_listening = true;
    act(h, (thirl_net_action){.verb = THIRL_NET_LISTEN, .id = ++h->last_id, .local = h->listen_at});
  }
  connect_some(h, now);
}

static bool poll(void *self, thirl_time now, thirl_net_action *out) {
  hostile *h = self;
  (void)now;
  if (!h->n_actions) return false;
  *out = h->actions[0];
  memmove(h->actions, h->actions + 1, --h->n_actions * sizeof *h->actions);
  return true;
}

static size_t pull(void *self, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap) {
  hostile_conn *c = find(self, id);
  (void)now;
  if (!c) return 0;
  thirl_bytes v = thirl_buffer_view(&c->out);
  size_t n = v.n < cap ? v.n : cap;
  if (n) memcpy(buf, v.p, n);
  thirl_buffer_consume(&c->out, n);
  if (!n) c->armed = false;
  return n;
}

static thirl_time deadline(void *self) {
  hostile *h = self;
  if (!h->is_listening && thirl_addr_is_set(&h->listen_at)) return 0;
  return h->to_connect ? h->next : THIRL_NEVER;
}

thirl_net_machine hostile_machine(hostile *h) {
  return (thirl_net_machine){h, input, poll, pull, deadline};
}
