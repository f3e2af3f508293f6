/* SPDX-License-Identifier: MIT */
/*
 * The client's machine under any sequence of bytes, commands and steps of time. The input is a program for a server that knows the keys, so that the words behind
 * the registration are reached too. Checked: every event makes sense in its place, a CONNECT is answered once, a dead client is silent, limits hold.
 */
#include <stdlib.h>
#include <string.h>

#include "meet/client.h"
#include "stun/stream.h"
#include "stun/writer.h"

enum { HEARD_MAX = 8, SESSIONS = 32, STEPS_MAX = 400, EVENTS_MAX = 100000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)                                                                                                       \
  do {                                                                                                                 \
    if (!(x)) abort();                                                                                                 \
  } while (0)

typedef struct world {
  thirl_reader program;
  thirl_time now;
  thirl_meet_client *client;
  uint8_t drawn;
  thirl_meet_message heard[HEARD_MAX]; /* the last requests; their views are dead */
  size_t n_heard;
  thirl_meet_keys keys;
  bool has_keys, is_over;
  uint64_t counter;
  bool waits[SESSIONS]; /* CONNECTs without an answer */
  thirl_stun_stream out;
} world;

static thirl_p256 *client_key, *server_key;
static uint8_t server_point[THIRL_P256_PUBLIC_LEN];
static thirl_peerid id;

static void count(void *ctx, void *out, size_t n) {
  uint8_t *counter = ctx, *p = out;
  for (size_t i = 0; i < n; i++)
    p[i] = ++*counter;
}

static void make_keys(void) {
  static const uint8_t one[THIRL_P256_PRIVATE_LEN] = {1}, two[THIRL_P256_PRIVATE_LEN] = {2};
  uint8_t point[THIRL_P256_PUBLIC_LEN];
  if (client_key) return;
  CHECK(thirl_p256_from_private(one, &client_key) == THIRL_OK && thirl_p256_from_private(two, &server_key) == THIRL_OK);
  thirl_p256_get_public(client_key, point);
  thirl_p256_get_public(server_key, server_point);
  CHECK(thirl_peerid_of_public(THIRL_BYTES(point, sizeof point), &id) == THIRL_OK);
}

/* ---- what the client says ---- */

static void agree(world *w, const thirl_meet_message *m) {
  thirl_p256 *ephemeral;
  CHECK(thirl_p256_from_public(m->ephemeral, &ephemeral) == THIRL_OK);
  CHECK(thirl_meet_message_keys(server_key, ephemeral, m->nonce, &id, &w->keys) == THIRL_OK);
  thirl_p256_free(ephemeral);
  w->has_keys = true;
  w->counter = 0;
}

static void hear_packet(world *w, thirl_bytes packet) {
  thirl_stun_msg in;
  thirl_meet_message m;
  CHECK(thirl_stun_msg_decode(packet, &in) == THIRL_OK && thirl_meet_message_decode(&in, &m) == THIRL_OK);
  if (m.has_ephemeral) agree(w, &m);
  if (m.cls == THIRL_STUN_REQUEST) w->heard[w->n_heard++ % HEARD_MAX] = m;
}

static void hear(world *w, size_t cap) {
  uint8_t bytes[512];
  size_t n;
  while ((n = thirl_meet_client_pull(w->client, bytes, cap)) != 0) {
    thirl_bytes in = THIRL_BYTES(bytes, n), packet;
    CHECK(n <= cap);
    while (thirl_stun_stream_next(&w->out, &in, &packet) == THIRL_OK)
      hear_packet(w, packet);
    CHECK(!w->out.bad);
  }
  CHECK(!thirl_meet_client_has_output(w->client));
}

/* ---- events ---- */

static void check_answer(world *w, const thirl_meet_event *ev) {
  CHECK(ev->session[0] < SESSIONS && w->waits[ev->session[0]]);
  w->waits[ev->session[0]] = false;
}

static void check_go(world *w, const thirl_meet_event *ev) {
  CHECK(ev->channel >= THIRL_STUN_CHANNEL_MIN && ev->channel <= THIRL_STUN_CHANNEL_MAX);
  CHECK(ev->offer.n <= THIRL_MEET_CANDIDATES_MAX && ev->fire_at >= w->now);
}

static void check_event(world *w, const thirl_meet_event *ev) {
  volatile uint8_t sum = 0;
  thirl_meet_client_state state = thirl_meet_client_state_of(w->client);
  CHECK(!w->is_over && ev->kind <= THIRL_MEET_DRAINING);
  CHECK(state == (ev->kind == THIRL_MEET_FAILED ? THIRL_MEET_CLIENT_DEAD : THIRL_MEET_CLIENT_REGISTERED));
  if (ev->kind == THIRL_MEET_CONNECTED || ev->kind == THIRL_MEET_NOT_CONNECTED) check_answer(w, ev);
  if (ev->kind == THIRL_MEET_CONNECTED || ev->kind == THIRL_MEET_OFFERED) check_go(w, ev);
  if (ev->kind == THIRL_MEET_FAILED || ev->kind == THIRL_MEET_NOT_CONNECTED || ev->kind == THIRL_MEET_CHANNEL_ENDED)
    CHECK(ev->error != THIRL_OK && ev->error < THIRL_ERROR_COUNT);
  if (ev->kind == THIRL_MEET_FAILED) {
    w->is_over = true;
    memset(w->waits, 0, sizeof w->waits);
    CHECK(!thirl_meet_client_has_output(w->client) && thirl_meet_client_deadline(w->client) == THIRL_NEVER);
  }
  for (size_t i = 0; i < ev->payload.n; i++)
    sum = (uint8_t)(sum + ev->payload.p[i]);
  for (size_t i = 0; i < ev->offer_bytes.n; i++)
    sum = (uint8_t)(sum + ev->offer_bytes.p[i]);
}

/* A copy on the heap, so that a view that outlives it is seen. */
static void feed(world *w, thirl_bytes b) {
  thirl_meet_event ev;
  uint8_t *copy = malloc(b.n ? b.n : 1);
  if (!copy) return;
  if (b.n) memcpy(copy, b.p, b.n);
  thirl_bytes in = {copy, b.n};
  size_t events = 0;
  while (thirl_meet_client_next(w->client, w->now, &in, &ev) == THIRL_OK) {
    check_event(w, &ev);
    CHECK(++events < EVENTS_MAX);
  }
  CHECK(in.n == 0);
  free(copy);
}

/* ---- what the server says ---- */

static void say(world *w, thirl_meet_message *m, bool sealed) {
  uint8_t bytes[THIRL_MEET_MESSAGE_MAX];
  size_t n;
  m->has_counter = sealed;
  m->counter = ++w->counter;
  if (thirl_meet_message_encode(m, sealed ? w->keys.to_client : NULL, bytes, sizeof bytes, &n) != THIRL_OK) return;
  feed(w, THIRL_BYTES(bytes, n));
}

static thirl_meet_message answer(world *w, thirl_stun_class cls) {
  thirl_meet_message m;
  const thirl_meet_message *to = &w->heard[thirl_reader_u8(&w->program) % HEARD_MAX];
  memset(&m, 0, sizeof m);
  m.cls = cls;
  m.method = to->method;
  memcpy(m.tid, to->tid, sizeof m.tid);
  return m;
}

static void say_challenge(world *w) {
  thirl_meet_message m = answer(w, THIRL_STUN_ERROR);
  static const uint8_t nonce[8] = {1, 2, 3};
  m.error_code = thirl_reader_u8(&w->program) % 2 ? 401 : 438;
  m.nonce = THIRL_BYTES(nonce, sizeof nonce);
  m.has_ephemeral = true;
  memcpy(m.ephemeral, server_point, sizeof m.ephemeral);
  say(w, &m, false);
}

static void put_fields(world *w, thirl_meet_message *m) {
  uint8_t has = thirl_reader_u8(&w->program);
  m->has_channel = has & 1;
  m->channel = (uint16_t)(0x4000 | (thirl_reader_u8(&w->program) & 0x7f));
  m->has_credit = has & 2;
  m->credit = thirl_reader_u32(&w->program);
  m->has_reason = has & 4;
  m->reason = thirl_reader_u8(&w->program);
  m->has_fire_in = has & 8;
  m->has_offer = has & 16;
  m->offer = thirl_reader_take(&w->program, m->has_offer ? thirl_reader_u8(&w->program) : 0);
  m->has_peer = m->has_session = m->has_offer_mac = has & 32;
  m->has_mapped = m->has_lifetime = has & 64;
  m->lifetime_s = thirl_reader_u8(&w->program);
  m->mapped = thirl_addr_v4(192, 0, 2, 1, 1);
}

static void say_answer(world *w) {
  static const unsigned codes[] = {300, 401, 404, 429, 438, 486, 500, 508};
  bool is_error = thirl_reader_u8(&w->program) % 4 == 0;
  thirl_meet_message m = answer(w, is_error ? THIRL_STUN_ERROR : THIRL_STUN_SUCCESS);
  put_fields(w, &m);
  if (is_error) m.error_code = codes[m.reason % 8];
  say(w, &m, w->has_keys);
}

static void say_indication(world *w) {
  thirl_meet_message m;
  memset(&m, 0, sizeof m);
  m.cls = THIRL_STUN_INDICATION;
  m.method = (uint16_t)(THIRL_STUN_METHOD_THIRL_REGISTER + thirl_reader_u8(&w->program) % 8);
  put_fields(w, &m);
  say(w, &m, w->has_keys);
}

/* Any attributes under the right key. */
static void say_attributes(world *w) {
  uint8_t bytes[1024];
  thirl_stun_writer s;
  thirl_bytes done;
  thirl_meet_message m = answer(w, (thirl_stun_class)(thirl_reader_u8(&w->program) % 4));
  thirl_stun_writer_init(&s, bytes, sizeof bytes, m.cls, m.method, m.tid);
  thirl_stun_writer_u64(&s, THIRL_STUN_ATTR_THIRL_COUNTER, ++w->counter);
  for (unsigned n = thirl_reader_u8(&w->program) % 4; n; n--) {
    uint16_t type = thirl_reader_u16(&w->program);
    thirl_stun_writer_bytes(&s, type, thirl_reader_take(&w->program, thirl_reader_u8(&w->program)));
  }
  if (w->has_keys) thirl_stun_writer_integrity256(&s, THIRL_BYTES(w->keys.to_client, sizeof w->keys.to_client));
  if (thirl_stun_writer_finish(&s, &done) == THIRL_OK) feed(w, done);
}

static void say_data(world *w) {
  uint8_t bytes[4 + 255 + 3] = {0};
  uint16_t channel = (uint16_t)(0x4000 | (thirl_reader_u8(&w->program) & 0x7f));
  thirl_bytes b = thirl_reader_take(&w->program, thirl_reader_u8(&w->program));
  thirl_stun_stream_put_channel(bytes, channel, (uint16_t)b.n);
  if (b.n) memcpy(bytes + 4, b.p, b.n);
  feed(w, THIRL_BYTES(bytes, 4 + (b.n + 3) / 4 * 4));
}

/* ---- what the endpoint does ---- */

static const thirl_meet_offer offer = {
    .ufrag = "u",
    .pwd = "p",
    .n = 1,
    .candidates = {{.addr = {.family = THIRL_FAMILY_V4, .port = 1, .ip = {10, 1, 2, 3}}}}};

static void dial(world *w) {
  thirl_meet_ticket t = {.port = 1};
  uint8_t session[THIRL_MEET_SESSION_ID_LEN] = {(uint8_t)(thirl_reader_u8(&w->program) % SESSIONS)};
  bool waited = w->waits[session[0]];
  thirl_error e = thirl_meet_client_connect(w->client, w->now, &t, session, &offer);
  CHECK(e == THIRL_OK || e == THIRL_E_STATE || e == THIRL_E_LIMIT || e == THIRL_E_INVALID);
  CHECK(!(waited && e == THIRL_OK));
  if (e == THIRL_OK) w->waits[session[0]] = true;
}

static void stand(world *w) {
  static const uint8_t checks[THIRL_MEET_CHECKS_MAX][THIRL_MEET_CHECK_LEN];
  uint8_t n = thirl_reader_u8(&w->program) % (THIRL_MEET_CHECKS_MAX + 2);
  thirl_error e = thirl_meet_client_set_standing(w->client, w->now, n % 2 ? &offer : NULL,
                                                 (const uint8_t(*)[THIRL_MEET_CHECK_LEN])checks, n);
  CHECK(e == (n > THIRL_MEET_CHECKS_MAX ? THIRL_E_RANGE : THIRL_OK));
}

static void reconnect(world *w) {
  thirl_meet_client_lost(w->client);
  CHECK(thirl_meet_client_deadline(w->client) == THIRL_NEVER && !thirl_meet_client_has_output(w->client));
  CHECK(thirl_meet_client_connected(w->client, w->now) == THIRL_OK);
  memset(w->waits, 0, sizeof w->waits);
  w->is_over = w->has_keys = false;
  thirl_stun_stream_fini(&w->out);
  thirl_stun_stream_init(&w->out, THIRL_STUN_FRAMING_TURN, THIRL_MEET_MESSAGE_MAX);
}

static void use_channel(world *w) {
  uint8_t what = thirl_reader_u8(&w->program);
  uint16_t channel = (uint16_t)(0x4000 | (what & 0x7f));
  size_t credit = thirl_meet_client_channel_credit(w->client, channel);
  CHECK(credit <= THIRL_MEET_CREDIT_MAX);
  if (what & 0x80)
    thirl_meet_client_end_channel(w->client, w->now, channel, THIRL_E_PEER_CLOSED);
  else
    thirl_meet_client_channel_spend(w->client, channel, credit / 2);
  CHECK(thirl_meet_client_channel_credit(w->client, channel) == (what & 0x80 ? 0 : credit - credit / 2));
}

static void pass_time(world *w) {
  thirl_time deadline = thirl_meet_client_deadline(w->client);
  uint16_t ms = thirl_reader_u16(&w->program);
  w->now += ms * THIRL_MS;
  if (ms == 0 && deadline != THIRL_NEVER) w->now = THIRL_MAX(w->now, deadline);
  thirl_meet_client_tick(w->client, w->now);
  feed(w, THIRL_BYTES(NULL, 0));
  CHECK(thirl_meet_client_deadline(w->client) > w->now); /* what was due is done */
}

static void step(world *w) {
  switch (thirl_reader_u8(&w->program) % 12) {
  case 0:
    feed(w, thirl_reader_take(&w->program, thirl_reader_u8(&w->program)));
    break;
  case 1:
    pass_time(w);
    break;
  case 2:
    say_challenge(w);
    break;
  case 3:
    say_answer(w);
    break;
  case 4:
    say_indication(w);
    break;
  case 5:
    say_attributes(w);
    break;
  case 6:
    say_data(w);
    break;
  case 7:
    dial(w);
    break;
  case 8:
    stand(w);
    break;
  case 9:
    use_channel(w);
    break;
  case 10:
    hear(w, 1 + thirl_reader_u8(&w->program));
    break;
  default:
    reconnect(w);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  world w = {.program = thirl_reader_of(THIRL_BYTES(data, size)), .now = THIRL_S, .is_over = true};
  thirl_secrets secrets = {count, &w.drawn};
  make_keys();
  thirl_meet_client_config cfg = {.key = client_key, .id = id, .secrets = &secrets};
  if (thirl_meet_client_new(&cfg, &w.client) != THIRL_OK) return 0;
  thirl_stun_stream_init(&w.out, THIRL_STUN_FRAMING_TURN, THIRL_MEET_MESSAGE_MAX);
  for (int i = 0; i < STEPS_MAX && thirl_reader_left(&w.program); i++)
    step(&w);
  thirl_stun_stream_fini(&w.out);
  thirl_meet_client_free(w.client);
  return 0;
}
