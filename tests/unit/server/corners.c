/* SPDX-License-Identifier: MIT */
#include "unit/server/corners.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void fill(void *ctx, void *out, size_t n) {
  for (uint8_t *p = out; n; n--)
    *p++ = (uint8_t)thirl_dice_u64(ctx);
}

thirl_addr corners_at(unsigned corner) {
  return thirl_addr_v4(192, 0, 2, corner & 2 ? 2 : 1, corner & 1 ? 3479 : 3478);
}

static void take(corners *c, const thirl_net_action *a, thirl_bytes bytes) {
  assert_in_range(c->n_sent, 0, CORNERS_SENT_MAX - 1);
  assert_in_range(bytes.n, 1, CORNERS_BYTES_MAX);
  corners_sent *s = &c->sent[c->n_sent++];
  memset(s, 0, sizeof *s);
  memcpy(s->bytes, bytes.p, bytes.n);
  s->n = bytes.n;
  if (thirl_stun_msg_decode(THIRL_BYTES(s->bytes, s->n), &s->msg) != THIRL_OK)
    assert_int_not_equal(thirl_bytes_get_u32(s->bytes + 4), THIRL_STUN_COOKIE);
  if (a->verb != THIRL_NET_SENDTO) return;
  /* As the kernel does it: the socket's port, and the address that the packet is told to leave from when the socket has none. */
  const thirl_net_action *socket = &c->sockets[a->id - 1];
  assert_int_equal(socket->verb, THIRL_NET_BIND_UDP);
  s->from = thirl_addr_is_any(&socket->local) ? thirl_addr_with_port(a->local, socket->local.port) : socket->local;
  assert_true(!thirl_addr_is_set(&a->local) || thirl_addr_same_ip(&s->from, &a->local));
  s->to = a->remote;
}

static void pull(corners *c, thirl_net_id id) {
  static uint8_t buf[65536];
  static const thirl_net_action none = {.verb = THIRL_NET_WRITE};
  size_t n = thirl_server_pull(c->server, c->now, id, buf, sizeof buf);
  for (size_t at = 0; at < n;) {
    size_t one = THIRL_STUN_HEADER_LEN + thirl_bytes_get_u16(buf + at + 2);
    take(c, &none, THIRL_BYTES(buf + at, one));
    at += one;
  }
  assert_int_equal(thirl_server_pull(c->server, c->now, id, buf, sizeof buf), 0);
}

static void settle(corners *c, thirl_net_id broken) {
  thirl_net_action a;
  while (thirl_server_poll(c->server, c->now, &a)) {
    thirl_net_event ev = {.kind = a.id == broken ? THIRL_NET_FAILED : THIRL_NET_LISTENING, .id = a.id};
    ev.local = a.local;
    ev.error = a.id == broken ? THIRL_E_IN_USE : THIRL_OK;
    switch (a.verb) {
    case THIRL_NET_LISTEN:
    case THIRL_NET_BIND_UDP:
      c->sockets[a.id - 1] = a;
      thirl_server_input(c->server, c->now, &ev);
      break;
    case THIRL_NET_SENDTO:
      take(c, &a, a.payload);
      break;
    case THIRL_NET_WRITE:
      pull(c, a.id);
      break;
    case THIRL_NET_CONNECT:
      c->connect[c->n_connect++ % 8] = a;
      break;
    case THIRL_NET_CLOSE:
    case THIRL_NET_ABORT:
      c->aborted[c->n_aborted++ % 8] = a.id;
      break;
    }
  }
  assert_true(thirl_server_is_consistent(c->server));
}

corners *corners_new(const thirl_server_config *cfg, thirl_net_id broken) {
  corners *c = calloc(1, sizeof *c);
  assert_non_null(c);
  thirl_server_config own = {.log = NULL};
  for (unsigned i = 0; i < 4; i++)
    own.listen_tcp[i] = own.listen_udp[i] = corners_at(i);
  if (cfg) own = *cfg;
  thirl_dice_seed(&c->dice, 7);
  c->secrets = (thirl_secrets){fill, &c->dice};
  own.secrets = &c->secrets;
  c->now = 1000 * THIRL_S;
  assert_int_equal(thirl_server_new(&own, c->now, &c->server), THIRL_OK);
  settle(c, broken);
  return c;
}

void corners_free(corners *c) {
  thirl_server_free(c->server);
  free(c);
}

void corners_input(corners *c, const thirl_net_event *ev) {
  c->n_sent = c->n_connect = c->n_aborted = 0;
  thirl_server_input(c->server, c->now, ev);
  settle(c, 0);
}

const corners_sent *corners_ask(corners *c, thirl_addr to, thirl_addr from, thirl_bytes payload) {
  thirl_net_event ev = {.kind = THIRL_NET_DATAGRAM, .local = to, .remote = from, .payload = payload};
  for (thirl_net_id id = 1; id <= 32 && !ev.id; id++) {
    const thirl_net_action *s = &c->sockets[id - 1];
    bool hears = s->verb == THIRL_NET_BIND_UDP && s->local.port == to.port && s->local.family == to.family;
    if (hears && (thirl_addr_is_any(&s->local) || thirl_addr_same_ip(&s->local, &to))) ev.id = id;
  }
  assert_int_not_equal(ev.id, 0);
  corners_input(c, &ev);
  assert_in_range(c->n_sent, 0, 1);
  return c->n_sent ? &c->sent[0] : NULL;
}

void corners_accept(corners *c, thirl_net_id id, thirl_addr at, thirl_addr from) {
  corners_input(c,
                &(thirl_net_event){.kind = THIRL_NET_ACCEPTED, .id = id, .listener = 1, .local = at, .remote = from});
  assert_int_equal(c->n_aborted, 0);
}

const corners_sent *corners_say(corners *c, thirl_net_id id, thirl_bytes bytes) {
  corners_input(c, &(thirl_net_event){.kind = THIRL_NET_DATA, .id = id, .payload = bytes});
  assert_in_range(c->n_sent, 0, 1);
  return c->n_sent ? &c->sent[0] : NULL;
}

void corners_wait(corners *c, thirl_time d) {
  thirl_time until = c->now + d;
  c->n_sent = c->n_connect = c->n_aborted = 0;
  for (thirl_time at; (at = thirl_server_deadline(c->server)) <= until;) {
    c->now = THIRL_MAX(c->now, at);
    thirl_server_input(c->server, c->now, &(thirl_net_event){.kind = THIRL_NET_TICK});
    settle(c, 0);
    assert_true(thirl_server_deadline(c->server) > c->now);
  }
  c->now = until;
}

/* ---- messages ---- */

static uint8_t buffer[CORNERS_BYTES_MAX];
static thirl_stun_writer writer;

thirl_stun_writer *corners_begin(void) {
  thirl_stun_writer_init(&writer, buffer, sizeof buffer, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING,
                         (const uint8_t *)"corners-test");
  return &writer;
}

thirl_bytes corners_end(thirl_stun_writer *w) {
  thirl_bytes out;
  assert_int_equal(thirl_stun_writer_finish(w, &out), THIRL_OK);
  return out;
}

thirl_bytes corners_change(uint32_t flags) {
  thirl_stun_writer *w = corners_begin();
  thirl_stun_writer_u32(w, THIRL_STUN_ATTR_CHANGE_REQUEST, flags);
  return corners_end(w);
}

thirl_bytes corners_plain(void) {
  return corners_end(corners_begin());
}

thirl_addr corners_get(const corners_sent *s, uint16_t type) {
  thirl_addr a;
  if (type == THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS)
    (void)thirl_stun_msg_get_xor_addr(&s->msg, type, &a);
  else
    (void)thirl_stun_msg_get_addr(&s->msg, type, &a);
  return a;
}

unsigned corners_code(const corners_sent *s) {
  unsigned code;
  (void)thirl_stun_msg_get_error(&s->msg, &code, NULL);
  return code;
}
