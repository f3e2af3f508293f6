/* SPDX-License-Identifier: MIT */
#include "chat/chat.h"

#include <string.h>

enum {
  SMALL_MAX = 64,  /* bytes of all answers and farewells that may wait besides texts */
  UNIT_BYTES = 64, /* see THIRL_CHAT_RATE */
  PATIENCE_S = 60  /* then a PONG is taken for lost: the peer is another program's idea of one */
};

static const thirl_time unit = THIRL_S / THIRL_CHAT_RATE;

void thirl_chat_init(thirl_chat *c, bool paced, thirl_time now) {
  memset(c, 0, sizeof *c);
  thirl_buffer_init(&c->out, THIRL_CHAT_HELD_MAX + SMALL_MAX);
  c->paced = paced;
  c->next_ping = c->full_at = now;
}

void thirl_chat_fini(thirl_chat *c) {
  thirl_buffer_fini(&c->out);
}

/* ---- out ---- */

/* False: there is no room, or no memory. */
static bool put(thirl_chat *c, thirl_chat_type type, thirl_bytes first, thirl_bytes second) {
  size_t n = first.n + second.n;
  uint8_t *p = thirl_buffer_reserve(&c->out, THIRL_CHAT_HEADER_LEN + n);
  if (!p) return false;
  thirl_chat_frame_write(p, type, n);
  p += THIRL_CHAT_HEADER_LEN;
  if (first.n) memcpy(p, first.p, first.n);
  if (second.n) memcpy(p + first.n, second.p, second.n);
  thirl_buffer_commit(&c->out, THIRL_CHAT_HEADER_LEN + n);
  return true;
}

static const thirl_bytes nothing = {NULL, 0};

thirl_error thirl_chat_say(thirl_chat *c, thirl_bytes text, uint32_t *number) {
  uint8_t name[THIRL_CHAT_NUMBER_LEN];
  if (text.n > THIRL_CHAT_TEXT_MAX) return THIRL_E_LIMIT;
  if (c->ended || c->left || c->their_leave || c->said == UINT32_MAX) return THIRL_E_STATE;
  if (thirl_chat_unshown(c) >= THIRL_CHAT_UNSHOWN_MAX ||
      c->out.n + THIRL_CHAT_HEADER_LEN + sizeof name + text.n > THIRL_CHAT_HELD_MAX)
    return THIRL_E_AGAIN;
  thirl_bytes_put_u32(name, c->said + 1);
  if (!put(c, THIRL_CHAT_TEXT, THIRL_BYTES(name, sizeof name), text)) return THIRL_E_NOMEM;
  *number = ++c->said;
  return THIRL_OK;
}

void thirl_chat_end(thirl_chat *c) {
  if (c->ended || c->left) return;
  c->ended = put(c, THIRL_CHAT_END, nothing, nothing);
}

/* What is owed, as far as there is room: answers that wait take the place of older ones, so that they never add up. */
static void pay(thirl_chat *c, thirl_time now) {
  uint8_t bytes[THIRL_CHAT_PING_LEN];
  if (c->left) return;
  if (c->shown < c->heard && !c->has_text && c->out.n < THIRL_CHAT_HELD_MAX) {
    thirl_bytes_put_u32(bytes, c->heard);
    if (put(c, THIRL_CHAT_SHOWN, THIRL_BYTES(bytes, THIRL_CHAT_NUMBER_LEN), nothing)) c->shown = c->heard;
  }
  if (c->owes_pong && c->out.n < THIRL_CHAT_HELD_MAX)
    c->owes_pong = !put(c, THIRL_CHAT_PONG, THIRL_BYTES(c->pong, sizeof c->pong), nothing);
  if (c->owes_ping && c->out.n == 0) { /* behind texts it would measure them */
    thirl_bytes_put_u64(bytes, ++c->pings);
    c->owes_ping = !put(c, THIRL_CHAT_PING, THIRL_BYTES(bytes, THIRL_CHAT_PING_LEN), nothing);
    c->waits_for_pong = !c->owes_ping;
    c->pinged = now;
    c->next_ping = thirl_time_after(now, PATIENCE_S * THIRL_S);
  }
}

void thirl_chat_leave(thirl_chat *c) {
  if (c->left) return;
  c->owes_ping = false;
  pay(c, c->pinged);
  (void)put(c, THIRL_CHAT_LEAVE, nothing, nothing);
  c->left = true;
}

thirl_bytes thirl_chat_output(thirl_chat *c, thirl_time now) {
  pay(c, now);
  return thirl_buffer_view(&c->out);
}

void thirl_chat_consume(thirl_chat *c, size_t n) {
  thirl_buffer_consume(&c->out, n);
}

/* ---- in ---- */

/* What comes out of order, or twice, shows that the peer is not what it claims. */
static thirl_error take_text(thirl_chat *c, const uint8_t *body) {
  if (c->their_end || thirl_bytes_get_u32(body) != c->heard + 1) return THIRL_E_PROTOCOL;
  c->heard++;
  c->has_text = true;
  return THIRL_OK;
}

static thirl_error take_shown(thirl_chat *c, uint32_t number) {
  if (number > c->said) return THIRL_E_PROTOCOL;
  if (number <= c->delivered) return THIRL_OK;
  c->delivered = number;
  c->tells_delivered = true;
  return THIRL_OK;
}

static void take_pong(thirl_chat *c, thirl_time now, const uint8_t *body) {
  if (!c->waits_for_pong || thirl_bytes_get_u64(body) != c->pings) return;
  c->waits_for_pong = false;
  c->rtt_us = now - c->pinged;
  c->tells_rtt = true;
  c->next_ping = thirl_time_after(now, THIRL_CHAT_PING_S * THIRL_S);
}

static thirl_error take_frame(thirl_chat *c, thirl_time now, thirl_chat_type type) {
  const uint8_t *body = c->frame + THIRL_CHAT_HEADER_LEN;
  if (c->their_leave) return THIRL_E_PROTOCOL;
  switch (type) {
  case THIRL_CHAT_TEXT:
    return take_text(c, body);
  case THIRL_CHAT_SHOWN:
    return take_shown(c, thirl_bytes_get_u32(body));
  case THIRL_CHAT_PING:
    memcpy(c->pong, body, sizeof c->pong);
    c->owes_pong = true;
    return THIRL_OK;
  case THIRL_CHAT_PONG:
    take_pong(c, now, body);
    return THIRL_OK;
  case THIRL_CHAT_END:
    if (c->their_end) return THIRL_E_PROTOCOL;
    c->their_end = c->tells_end = true;
    return THIRL_OK;
  case THIRL_CHAT_LEAVE:
    c->their_leave = c->tells_leave = true;
    return THIRL_OK;
  }
  return THIRL_E_PROTOCOL;
}

/* Has the allowance room for one more frame? */
static bool may_take(const thirl_chat *c, thirl_time now) {
  return !c->paced || c->full_at <= now || c->full_at - now <= THIRL_CHAT_BURST * unit;
}

/* What a frame takes of a screen: its bytes, and the rows that a text begins. */
static void use_allowance(thirl_chat *c, thirl_time now, thirl_chat_type type, size_t bytes) {
  thirl_time units = 1 + bytes / UNIT_BYTES;
  for (size_t i = THIRL_CHAT_NUMBER_LEN; type == THIRL_CHAT_TEXT && i < bytes; i++)
    units += c->frame[THIRL_CHAT_HEADER_LEN + i] == '\n';
  c->full_at = THIRL_MAX(c->full_at, now) + units * unit;
}

static bool collect(thirl_chat *c, thirl_bytes *in, size_t whole) {
  size_t n = THIRL_MIN(whole - c->n_frame, in->n);
  memcpy(c->frame + c->n_frame, in->p, n);
  c->n_frame += n;
  in->p += n, in->n -= n;
  return c->n_frame == whole;
}

static thirl_error take_some(thirl_chat *c, thirl_time now, thirl_bytes *in) {
  thirl_chat_type type;
  size_t length;
  if (c->n_frame < THIRL_CHAT_HEADER_LEN && !collect(c, in, THIRL_CHAT_HEADER_LEN)) return THIRL_OK;
  thirl_error e = thirl_chat_frame_read(c->frame, &type, &length);
  if (e != THIRL_OK || !collect(c, in, THIRL_CHAT_HEADER_LEN + length)) return e;
  use_allowance(c, now, type, length);
  e = take_frame(c, now, type);
  if (!c->has_text) c->n_frame = 0;
  return e;
}

thirl_error thirl_chat_input(thirl_chat *c, thirl_time now, thirl_bytes *in) {
  thirl_error e = THIRL_OK;
  while (e == THIRL_OK && in->n > 0 && !c->has_text && may_take(c, now))
    e = take_some(c, now, in);
  return e;
}

void thirl_chat_tick(thirl_chat *c, thirl_time now) {
  if (now < c->next_ping || c->left) return;
  c->owes_ping = true;
  c->next_ping = THIRL_NEVER;
}

thirl_time thirl_chat_deadline(const thirl_chat *c, thirl_time now) {
  thirl_time due = c->left ? THIRL_NEVER : c->next_ping;
  if (!may_take(c, now)) due = THIRL_MIN(due, c->full_at - THIRL_CHAT_BURST * unit);
  return due;
}

/* ---- what is told ---- */

/* The text is given away: its frame makes room for the next one at the next call of input. */
static bool give_text(thirl_chat *c, thirl_chat_event *out) {
  if (!c->has_text) return false;
  size_t head = THIRL_CHAT_HEADER_LEN + THIRL_CHAT_NUMBER_LEN;
  out->kind = THIRL_CHAT_SAID;
  out->number = c->heard;
  out->text = THIRL_BYTES(c->frame + head, c->n_frame - head);
  c->has_text = false;
  c->n_frame = 0;
  return true;
}

static bool give(bool *tells, thirl_chat_event_kind kind, thirl_chat_event *out) {
  bool told = *tells;
  *tells = false;
  if (told) out->kind = kind;
  return told;
}

bool thirl_chat_poll(thirl_chat *c, thirl_chat_event *out) {
  memset(out, 0, sizeof *out);
  out->number = c->delivered;
  out->rtt_us = c->rtt_us;
  return give_text(c, out) || give(&c->tells_delivered, THIRL_CHAT_DELIVERED, out) ||
         give(&c->tells_rtt, THIRL_CHAT_RTT, out) || give(&c->tells_end, THIRL_CHAT_ENDED, out) ||
         give(&c->tells_leave, THIRL_CHAT_LEFT, out);
}

uint32_t thirl_chat_unshown(const thirl_chat *c) {
  return c->said - c->delivered;
}

bool thirl_chat_is_over(const thirl_chat *c) {
  return c->ended && c->their_end && c->said == c->delivered && !c->has_text;
}

thirl_time thirl_chat_silence(const thirl_chat *c, thirl_time now) {
  return c->waits_for_pong ? now - c->pinged : 0;
}
