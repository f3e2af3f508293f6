/* SPDX-License-Identifier: MIT */
/*
 * Anything may happen to an agent, in any order: candidates, connections that come up, fail and close, frames and datagrams of rubbish,
 * and also requests and answers that carry the right password, so that the fuzzer gets behind the first door. What must hold is checked
 * after each step; a finding is an abort.
 *
 * One step is an opcode and its operands, all bytes of the input.
 */
#include <stdlib.h>
#include <string.h>

#include "ice/ice.h"
#include "ice/route.h"
#include "stun/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 400, TIDS = 8, LINKS_SEEN_MAX = 1 << 14 };

static const char our_pwd[] = "our own password, 24 chr", their_pwd[] = "their password, 24 chars";

typedef struct world {
  thirl_ice *ice;
  thirl_reader in;
  thirl_time now;
  uint64_t counter;
  uint8_t tids[TIDS][THIRL_STUN_TID_LEN]; /* of its last requests */
  thirl_addr asked[TIDS];
  thirl_ice_link asked_link[TIDS];
  unsigned n_tids;
  uint8_t alive[LINKS_SEEN_MAX]; /* by link: 0 unknown, 1 given out, 2 dead */
  bool over;
} world;

static void must(bool ok) {
  if (!ok) abort();
}

static void fill(void *ctx, void *out, size_t n) {
  world *w = ctx;
  for (size_t i = 0; i < n; i++) {
    w->counter = w->counter * 6364136223846793005u + 1442695040888963407u;
    ((uint8_t *)out)[i] = (uint8_t)(w->counter >> 56);
  }
}

/* Few addresses, so that they meet; some that nobody may be made to probe. */
static thirl_addr address(world *w, int side) {
  uint8_t b = thirl_reader_u8(&w->in);
  uint16_t port = (uint16_t)(5000 + (b & 7));
  uint8_t ip6[16] = {0x20, 0x01, 0x0d, 0xb8, [14] = (uint8_t)side, [15] = 1};
  switch (b >> 4) {
  case 0:
    return thirl_addr_v4(127, 0, 0, 1, port);
  case 1:
    return thirl_addr_v4(224, 0, 0, 1, port);
  case 2:
    return thirl_addr_v6(ip6, port);
  case 3:
    return thirl_addr_v4(203, 0, 113, (uint8_t)side, port);
  case 4:
    return thirl_addr_v4(10, 0, (uint8_t)side, b & 15, thirl_reader_u16(&w->in));
  default:
    return thirl_addr_v4(10, 0, (uint8_t)side, 2, port);
  }
}

static thirl_ice_candidate candidate(world *w, int side) {
  uint8_t b = thirl_reader_u8(&w->in);
  thirl_ice_candidate c = {
      .type = (thirl_ice_type)(b & 3), .transport = (thirl_ice_transport)(b >> 2 & 3), .lane = (b >> 4) % 3};
  c.addr = address(w, side);
  if (b & 128) c.base = address(w, side);
  if (b & 64) c.priority = thirl_reader_u32(&w->in);
  return c;
}

static void note_request(world *w, const thirl_ice_action *a) {
  thirl_stun_msg m;
  must(thirl_stun_msg_decode(a->payload, &m) == THIRL_OK);
  if (m.cls != THIRL_STUN_REQUEST) return;
  must(a->kind == THIRL_ICE_SEND || thirl_addr_is_probeable(&a->remote));
  unsigned i = w->n_tids++ % TIDS;
  memcpy(w->tids[i], m.tid, sizeof m.tid);
  w->asked[i] = a->remote;
  w->asked_link[i] = a->link;
}

static void given_out(world *w, thirl_ice_link link) {
  must(link > 0 && link < LINKS_SEEN_MAX && w->alive[link] == 0); /* never used twice */
  w->alive[link] = 1;
}

static void drain(world *w) {
  thirl_ice_action a;
  unsigned n = 0;
  while (thirl_ice_poll(w->ice, w->now, &a)) {
    must(++n < 2000);
    must(!w->over || a.kind == THIRL_ICE_ABORT);
    switch (a.kind) {
    case THIRL_ICE_CONNECT:
      must(thirl_addr_is_probeable(&a.remote));
      given_out(w, a.link);
      break;
    case THIRL_ICE_ABORT:
      must(w->alive[a.link] == 1);
      w->alive[a.link] = 2;
      break;
    case THIRL_ICE_SEND:
    case THIRL_ICE_SENDTO:
      note_request(w, &a);
      break;
    case THIRL_ICE_SELECTED:
      must(a.link == 0 || w->alive[a.link] == 1);
      break;
    case THIRL_ICE_CONSENT_LOST:
    case THIRL_ICE_FAILED:
      w->over = true;
      break;
    case THIRL_ICE_LINK_CONFIRMED:
    case THIRL_ICE_STRANGER:
      must(a.link == 0 || w->alive[a.link] == 1);
      break;
    }
  }
}

static thirl_bytes forge(world *w, uint8_t flags, const uint8_t *tid, uint8_t buf[600]) {
  thirl_stun_writer s;
  thirl_bytes out = {0};
  bool response = tid != NULL;
  uint8_t fresh[THIRL_STUN_TID_LEN] = {thirl_reader_u8(&w->in)};
  unsigned code = 300 + thirl_reader_u8(&w->in);
  thirl_stun_class cls = response ? flags & 1 ? THIRL_STUN_ERROR : THIRL_STUN_SUCCESS : THIRL_STUN_REQUEST;
  thirl_stun_writer_init(&s, buf, 600, cls, THIRL_STUN_METHOD_BINDING, response ? tid : fresh);
  thirl_addr seen = address(w, 1);
  if (cls == THIRL_STUN_ERROR) thirl_stun_writer_error(&s, flags & 8 ? 487 : code, "");
  if (cls == THIRL_STUN_SUCCESS && !(flags & 8))
    thirl_stun_writer_xor_addr(&s, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &seen);
  if (cls == THIRL_STUN_REQUEST) {
    thirl_stun_writer_bytes(&s, THIRL_STUN_ATTR_USERNAME, THIRL_BYTES("ours:theirs", 11));
    if (flags & 1) thirl_stun_writer_flag(&s, THIRL_STUN_ATTR_USE_CANDIDATE);
    if (flags & 8) thirl_stun_writer_u32(&s, THIRL_STUN_ATTR_PRIORITY, thirl_reader_u32(&w->in));
    uint64_t tie = flags & 16 ? UINT64_MAX : 0;
    thirl_stun_writer_u64(&s, flags & 32 ? THIRL_STUN_ATTR_ICE_CONTROLLING : THIRL_STUN_ATTR_ICE_CONTROLLED, tie);
    if (flags & 64) thirl_stun_writer_u32(&s, 0x77, 1);
  }
  const char *pwd = response ? their_pwd : our_pwd;
  if (!(flags & 2)) thirl_stun_writer_integrity(&s, THIRL_BYTES(pwd, strlen(pwd)));
  if (!(flags & 4)) thirl_stun_writer_fingerprint(&s);
  (void)thirl_stun_writer_finish(&s, &out);
  return out;
}

static thirl_ice_link some_link(world *w) {
  uint8_t b = thirl_reader_u8(&w->in);
  if (b < 64) return b;
  return w->n_tids ? w->asked_link[b % THIRL_MIN(w->n_tids, (unsigned)TIDS)] : 1;
}

static void input(world *w, thirl_ice_input_event *ev) {
  if (ev->link && ev->link < LINKS_SEEN_MAX && w->alive[ev->link] == 1 &&
      (ev->kind == THIRL_ICE_LINK_FAILED || ev->kind == THIRL_ICE_LINK_CLOSED))
    w->alive[ev->link] = 2;
  thirl_ice_input(w->ice, w->now, ev);
}

static void message(world *w, uint8_t op) {
  uint8_t buf[600], flags = thirl_reader_u8(&w->in);
  thirl_ice_input_event ev = {.kind = op & 1 ? THIRL_ICE_LINK_MESSAGE : THIRL_ICE_DATAGRAM};
  ev.link = some_link(w);
  ev.local = address(w, 1);
  ev.remote = address(w, 2);
  if (op < 10) {
    ev.payload = thirl_reader_take(&w->in, THIRL_MIN((size_t)flags, thirl_reader_left(&w->in)));
  } else if (op < 12) {
    ev.payload = forge(w, flags, NULL, buf);
  } else {
    if (!w->n_tids) return;
    unsigned i = thirl_reader_u8(&w->in) % THIRL_MIN(w->n_tids, (unsigned)TIDS);
    ev.payload = forge(w, flags, w->tids[i], buf);
    ev.link = w->asked_link[i];
    ev.kind = ev.link ? THIRL_ICE_LINK_MESSAGE : THIRL_ICE_DATAGRAM;
    if (!(flags & 128)) ev.remote = w->asked[i];
  }
  input(w, &ev);
}

static void link_event(world *w, thirl_ice_input_kind kind) {
  static const thirl_error errors[] = {THIRL_E_REFUSED, THIRL_E_UNREACHABLE, THIRL_E_RESET, THIRL_E_TIMEOUT,
                                       THIRL_E_IN_USE,  THIRL_E_IO,          THIRL_E_LIMIT, THIRL_E_PERMISSION};
  thirl_ice_input_event ev = {.kind = kind, .link = some_link(w)};
  ev.error = errors[thirl_reader_u8(&w->in) & 7];
  input(w, &ev);
}

static void wait(world *w) {
  thirl_ice_input_event tick = {.kind = THIRL_ICE_TICK};
  uint8_t b = thirl_reader_u8(&w->in);
  thirl_time deadline = thirl_ice_deadline(w->ice);
  if (b < 128)
    w->now += b * 20 * THIRL_MS;
  else if (deadline != THIRL_NEVER && deadline > w->now)
    w->now = deadline;
  input(w, &tick);
}

static void step(world *w) {
  uint8_t op = thirl_reader_u8(&w->in) % 17;
  thirl_ice_candidate c;
  thirl_addr local, remote;
  thirl_ice_link link;
  switch (op) {
  case 0:
    c = candidate(w, 1);
    (void)thirl_ice_add_local(w->ice, &c);
    break;
  case 1:
    c = candidate(w, 2);
    (void)thirl_ice_add_remote(w->ice, w->now, &c);
    break;
  case 2:
    thirl_ice_start(w->ice, w->now, w->now + thirl_reader_u8(&w->in) * THIRL_MS);
    break;
  case 3:
    if (thirl_reader_u8(&w->in) == 0) thirl_ice_end_of_candidates(w->ice, w->now);
    break;
  case 4:
    local = address(w, 1);
    remote = address(w, 2);
    if (thirl_ice_accept(w->ice, w->now, &local, &remote, &link) == THIRL_OK) given_out(w, link);
    break;
  case 5:
    link_event(w, THIRL_ICE_LINK_UP);
    break;
  case 6:
    link_event(w, THIRL_ICE_LINK_FAILED);
    break;
  case 7:
    link_event(w, THIRL_ICE_LINK_CLOSED);
    break;
  case 15:
    (void)thirl_ice_set_remote(w->ice, "theirs", their_pwd);
    break;
  case 14:
  case 16:
    wait(w);
    break;
  default:
    message(w, op);
  }
}

/* Left alone it comes to rest: each tick at its deadline moves the deadline. */
static void settle(world *w) {
  thirl_ice_input_event tick = {.kind = THIRL_ICE_TICK};
  for (unsigned i = 0; i < 500; i++) {
    thirl_time t = thirl_ice_deadline(w->ice);
    if (t == THIRL_NEVER) return;
    w->now = THIRL_MAX(w->now, t);
    thirl_ice_input(w->ice, w->now, &tick);
    drain(w);
    must(thirl_ice_deadline(w->ice) > w->now);
  }
}

/* The same bytes as the text of a candidate, and as a packet to be routed. */
static void read_text(const uint8_t *data, size_t size) {
  char text[300], again[THIRL_ICE_CANDIDATE_TEXT_MAX];
  size_t n = THIRL_MIN(size, sizeof text - 1);
  thirl_ice_candidate c, d;
  thirl_bytes ours, theirs;
  if (n) memcpy(text, data, n);
  text[n] = '\0';
  (void)thirl_ice_route_parse(THIRL_BYTES(data, size), &ours, &theirs);
  if (thirl_ice_candidate_parse(text, &c) != THIRL_OK) return;
  must(thirl_ice_candidate_format(&c, again, sizeof again) == THIRL_OK);
  must(thirl_ice_candidate_parse(again, &d) == THIRL_OK);
  must(memcmp(&c, &d, sizeof c) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static world w;
  read_text(data, size);
  memset(&w, 0, sizeof w);
  w.in = thirl_reader_of(THIRL_BYTES(data, size));
  w.now = THIRL_S;
  w.counter = 1;
  thirl_secrets secrets = {fill, &w};
  uint8_t flags = thirl_reader_u8(&w.in);
  thirl_ice_config cfg = {.controlling = flags & 1,
                          .ufrag = "ours",
                          .pwd = our_pwd,
                          .secrets = &secrets,
                          .lanes = flags & 2,
                          .burst = flags & 4,
                          .nominate_first = flags & 8};
  if (thirl_ice_new(&cfg, &w.ice) != THIRL_OK) return 0;
  if (!(flags & 16)) (void)thirl_ice_set_remote(w.ice, "theirs", their_pwd);
  for (unsigned i = 0; i < STEPS_MAX && thirl_reader_left(&w.in); i++) {
    step(&w);
    drain(&w);
  }
  settle(&w);
  thirl_ice_free(w.ice);
  return 0;
}
