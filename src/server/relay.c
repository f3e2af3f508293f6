/* SPDX-License-Identifier: MIT */
/* Channels, their queues and their credit. Who may have a channel is decided in introduce.c. */
#include "server/relay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/queue.h"

enum { HEADER = THIRL_STUN_CHANNEL_HEADER_LEN, WORTH_IT = 1024, SMALL = 252 };

typedef struct end {
  thirl_server_peer *peer;  /* NULL: knows that the channel is over, or is gone */
  thirl_link in_channels;   /* of its peer, as long as peer is set */
  thirl_link in_ready;      /* the other's queue holds bytes for this end */
  thirl_link in_due;        /* this end is to be granted credit */
  thirl_server_queue queue; /* sent by this end, not yet handed to the other */
  uint64_t handed_on;
  uint32_t credit; /* what this end may still send */
  uint16_t number;
  bool is_second; /* ends[1] */
} end;

typedef struct channel {
  end ends[2];
  uint8_t session[THIRL_MEET_SESSION_ID_LEN];
  thirl_peerid ids[2];
  thirl_time opened_at;
  bool is_over;
  thirl_error reason;
} channel;

static channel *channel_of(end *e) {
  return THIRL_OWNER(e - e->is_second, channel, ends);
}

static end *other_of(end *e) {
  return e->is_second ? e - 1 : e + 1;
}

static end *find(const thirl_server_peer *p, uint16_t number) {
  for (thirl_link *k = thirl_list_first(&p->channels); k; k = thirl_list_next(&p->channels, k))
    if (THIRL_OWNER(k, end, in_channels)->number == number) return THIRL_OWNER(k, end, in_channels);
  return NULL;
}

/* ---- credit ---- */

/* What is set aside for every channel per direction: half of the memory in equal shares. */
static uint64_t floor_of(const thirl_server_limits *l) {
  uint64_t share = l->relay_memory / 4 / l->max_channels;
  return THIRL_MIN(THIRL_MAX(share, (uint64_t)THIRL_SERVER_RELAY_FLOOR), (uint64_t)l->channel_buffer);
}

/* How much may be granted now on top of what is held and granted already. */
static uint32_t grant_of(const thirl_server_context *ctx, uint64_t committed) {
  uint64_t half = ctx->limits.relay_memory / 2, reserved = ctx->stats.relay_reserved, least = floor_of(&ctx->limits);
  uint64_t room = half > reserved ? half - reserved : 0;
  uint64_t wanted = ctx->limits.channel_buffer > committed ? ctx->limits.channel_buffer - committed : 0;
  uint64_t grant = THIRL_MIN(wanted, room);
  if (committed + grant < least) grant = least - committed;
  return (uint32_t)grant;
}

static uint32_t give(thirl_server_context *ctx, end *e) {
  uint32_t grant = grant_of(ctx, e->credit + e->queue.n);
  e->credit += grant;
  ctx->stats.relay_reserved += grant;
  return grant;
}

/* Credit goes back in quarters of what the channel may have, so that it costs few messages and never leaves the sender dry. */
static void consider_credit(thirl_server_context *ctx, end *e) {
  uint64_t committed = e->credit + e->queue.n, grant = grant_of(ctx, committed);
  if (!e->peer || e->in_due.next || channel_of(e)->is_over || grant * 4 < committed + grant) return;
  thirl_list_append(&e->peer->due, &e->in_due);
  thirl_server_conn_wake(ctx, e->peer->conn);
}

/* ---- the end of a channel ---- */

static void forget_queue(thirl_server_context *ctx, end *e) {
  ctx->stats.relay_buffered -= e->queue.n;
  ctx->stats.relay_reserved -= e->queue.n;
  thirl_server_queue_clear(&e->queue);
}

/* This end has no more to do with the channel: nothing is handed to it, its number is free. What it has sent still goes to the other. */
static void detach(thirl_server_context *ctx, end *e) {
  if (!e->peer) return;
  thirl_list_remove(&e->in_channels);
  thirl_list_remove(&e->in_ready);
  thirl_list_remove(&e->in_due);
  e->peer->n_channels--;
  e->peer = NULL;
  forget_queue(ctx, other_of(e));
}

static void print_session(const thirl_server_context *ctx, const channel *ch) {
  char a[THIRL_PEERID_TEXT_MAX], b[THIRL_PEERID_TEXT_MAX];
  thirl_time ms = (ctx->now - ch->opened_at) / THIRL_MS;
  thirl_peerid_format(&ch->ids[0], a);
  thirl_peerid_format(&ch->ids[1], b);
  /* Two groups of an id are enough to find it again and too few to be called. */
  thirl_log_print(ctx->log, THIRL_LOG_INFO, "session %.11s to %.11s: %llu.%03u s, %llu bytes there, %llu back, %s", a,
                  b, (unsigned long long)(ms / 1000), (unsigned)(ms % 1000), (unsigned long long)ch->ends[0].handed_on,
                  (unsigned long long)ch->ends[1].handed_on,
                  ch->reason == THIRL_OK ? "ended" : thirl_error_text(ch->reason));
}

static void channel_free(thirl_server_context *ctx, channel *ch) {
  assert(ch->ends[0].queue.n == 0 && ch->ends[1].queue.n == 0);
  print_session(ctx, ch);
  ctx->stats.channels--;
  ctx->stats.sessions++;
  free(ch);
}

static void tell(thirl_server_context *ctx, end *e) {
  thirl_meet_message m = {.cls = THIRL_STUN_INDICATION,
                          .method = THIRL_STUN_METHOD_THIRL_CHANNEL,
                          .has_channel = true,
                          .channel = e->number,
                          .has_reason = true,
                          .reason = channel_of(e)->reason};
  thirl_server_registry_send(ctx, e->peer, &m);
  detach(ctx, e);
}

/* Tell whom there is nothing left to hand to; free the channel when both know. */
static void settle(thirl_server_context *ctx, channel *ch) {
  for (int i = 0; i < 2; i++)
    if (ch->ends[i].peer && ch->ends[1 - i].queue.n == 0) tell(ctx, &ch->ends[i]);
  if (!ch->ends[0].peer && !ch->ends[1].peer) channel_free(ctx, ch);
}

static void mark_over(thirl_server_context *ctx, channel *ch, thirl_error reason) {
  if (ch->is_over) return;
  ch->is_over = true;
  ch->reason = reason;
  for (int i = 0; i < 2; i++) {
    ctx->stats.relay_reserved -= ch->ends[i].credit;
    ch->ends[i].credit = 0;
    thirl_list_remove(&ch->ends[i].in_due);
  }
}

static void finish(thirl_server_context *ctx, channel *ch, thirl_error reason) {
  mark_over(ctx, ch, reason);
  settle(ctx, ch);
}

void thirl_server_relay_end(thirl_server_context *ctx, thirl_server_peer *p, uint16_t number, thirl_error reason) {
  end *e = find(p, number);
  if (!e) return;
  channel *ch = channel_of(e);
  detach(ctx, e);
  finish(ctx, ch, reason);
}

void thirl_server_relay_drop(thirl_server_context *ctx, thirl_server_peer *p, thirl_error reason, bool say_so) {
  while (!thirl_list_is_empty(&p->channels)) {
    end *e = THIRL_OWNER(thirl_list_first(&p->channels), end, in_channels);
    channel *ch = channel_of(e);
    mark_over(ctx, ch, reason);
    if (say_so)
      tell(ctx, e);
    else
      detach(ctx, e);
    settle(ctx, ch);
  }
}

void thirl_server_relay_replace(thirl_server_context *ctx, thirl_server_peer *a, const thirl_server_peer *b,
                                const uint8_t session[THIRL_MEET_SESSION_ID_LEN]) {
  for (thirl_link *k = thirl_list_first(&a->channels), *next; k; k = next) {
    end *e = THIRL_OWNER(k, end, in_channels);
    channel *ch = channel_of(e);
    next = thirl_list_next(&a->channels, k);
    if (!ch->is_over && other_of(e)->peer == b && memcmp(ch->session, session, sizeof ch->session) == 0)
      finish(ctx, ch, THIRL_E_RESET);
  }
}

/* ---- the beginning ---- */

/* Counted up and round, past those in use: no number comes again before 4095 others (and an old message finds no new channel). */
static uint16_t next_number(thirl_server_peer *p) {
  uint16_t number;
  do {
    number = p->next_number;
    p->next_number = number == THIRL_STUN_CHANNEL_MAX ? THIRL_STUN_CHANNEL_MIN : (uint16_t)(number + 1);
  } while (find(p, number));
  return number;
}

static void attach(thirl_server_peer *p, end *e) {
  e->peer = p;
  e->number = next_number(p);
  thirl_list_append(&p->channels, &e->in_channels);
  p->n_channels++;
}

thirl_error thirl_server_relay_open(thirl_server_context *ctx, thirl_server_peer *a, thirl_server_peer *b,
                                    const uint8_t session[THIRL_MEET_SESSION_ID_LEN], thirl_server_opening *out) {
  const thirl_server_limits *l = &ctx->limits;
  if (ctx->stats.channels >= l->max_channels || a->n_channels >= l->max_channels_per_peer ||
      b->n_channels >= l->max_channels_per_peer || ctx->stats.relay_reserved + 2 * floor_of(l) > l->relay_memory)
    return THIRL_E_LIMIT;
  channel *ch = calloc(1, sizeof *ch);
  if (!ch) return THIRL_E_NOMEM;
  ch->ends[1].is_second = true;
  ch->ids[0] = a->id;
  ch->ids[1] = b->id;
  ch->opened_at = ctx->now;
  memcpy(ch->session, session, sizeof ch->session);
  attach(a, &ch->ends[0]);
  attach(b, &ch->ends[1]);
  for (int i = 0; i < 2; i++) {
    out->number[i] = ch->ends[i].number;
    out->credit[i] = give(ctx, &ch->ends[i]);
  }
  ctx->stats.channels++;
  return THIRL_OK;
}

/* ---- bytes in ---- */

void thirl_server_relay_data(thirl_server_context *ctx, thirl_server_peer *p, uint16_t number, thirl_bytes payload) {
  end *e = find(p, number);
  if (!e || channel_of(e)->is_over || payload.n == 0) return;
  if (payload.n > e->credit) {
    ctx->stats.limited++;
    finish(ctx, channel_of(e), THIRL_E_LIMIT);
    return;
  }
  if (thirl_server_queue_append(&e->queue, payload) != THIRL_OK) {
    finish(ctx, channel_of(e), THIRL_E_NOMEM);
    return;
  }
  e->credit -= (uint32_t)payload.n;
  ctx->stats.relay_buffered += payload.n;
  end *other = other_of(e);
  if (!other->in_ready.next) thirl_list_append(&other->peer->ready, &other->in_ready);
  thirl_server_conn_wake(ctx, other->peer->conn);
}

/* ---- bytes out ---- */

static void send_credit(thirl_server_context *ctx, end *e) {
  thirl_list_remove(&e->in_due);
  thirl_meet_message m = {.cls = THIRL_STUN_INDICATION,
                          .method = THIRL_STUN_METHOD_THIRL_CHANNEL,
                          .has_channel = true,
                          .channel = e->number,
                          .has_credit = true,
                          .credit = give(ctx, e)};
  if (m.credit) thirl_server_registry_send(ctx, e->peer, &m);
}

static size_t padding_of(size_t n) {
  return (4 - n % 4) % 4;
}

/* One ChannelData message with n bytes of what e's other end has sent. Returns its length. */
static size_t put_data(end *e, uint8_t *buf, size_t n) {
  thirl_stun_stream_put_channel(buf, e->number, (uint16_t)n);
  thirl_server_queue_take(&other_of(e)->queue, buf + HEADER, n);
  memset(buf + HEADER + n, 0, padding_of(n));
  return HEADER + n + padding_of(n);
}

/* n bytes from e's other end have been handed on: count, give credit, let the next channel have its turn, say the end. */
static void handed_on(thirl_server_context *ctx, end *e, size_t n) {
  end *sender = other_of(e);
  sender->handed_on += n;
  ctx->stats.relayed_bytes += n;
  ctx->stats.relay_buffered -= n;
  ctx->stats.relay_reserved -= n;
  thirl_list_remove(&e->in_ready);
  if (sender->queue.n) thirl_list_append(&e->peer->ready, &e->in_ready);
  consider_credit(ctx, sender);
  if (channel_of(e)->is_over) settle(ctx, channel_of(e));
}

bool thirl_server_relay_next(thirl_server_context *ctx, thirl_server_peer *p, uint8_t *buf, size_t cap, bool must,
                             size_t *n) {
  *n = 0;
  if (!thirl_list_is_empty(&p->due)) {
    send_credit(ctx, THIRL_OWNER(thirl_list_first(&p->due), end, in_due));
    return true;
  }
  if (thirl_list_is_empty(&p->ready)) return false;
  end *e = THIRL_OWNER(thirl_list_first(&p->ready), end, in_ready);
  size_t part = THIRL_MIN(other_of(e)->queue.n, (size_t)THIRL_SERVER_RELAY_TURN);
  if (HEADER + part + padding_of(part) > cap) {
    if (cap >= HEADER + WORTH_IT) {
      part = (cap - HEADER) & ~(size_t)3;
    } else if (must) {
      uint8_t small[HEADER + SMALL];
      part = THIRL_MIN(part, (size_t)SMALL);
      thirl_server_conn_send(ctx, p->conn, THIRL_BYTES(small, put_data(e, small, part)));
      handed_on(ctx, e, part);
      return true;
    } else {
      return false;
    }
  }
  *n = put_data(e, buf, part);
  handed_on(ctx, e, part);
  return true;
}

/* ---- for tests ---- */

bool thirl_server_relay_audit(const thirl_server_peer *p, uint64_t *ends, uint64_t *buffered, uint64_t *reserved) {
  unsigned n = 0;
  for (thirl_link *k = thirl_list_first(&p->channels); k; k = thirl_list_next(&p->channels, k), n++) {
    end *e = THIRL_OWNER(k, end, in_channels), *other = other_of(e);
    if (e->peer != p || (other->queue.n > 0) != (e->in_ready.next != NULL)) return false;
    if (channel_of(e)->is_over && (e->credit || !other->queue.n)) return false;
    *buffered += other->queue.n;
    *reserved += other->queue.n + e->credit;
    *ends += other->peer ? 1 : 2; /* halves of channels: both are counted by the only end that is left */
  }
  return n == p->n_channels;
}
