/* SPDX-License-Identifier: MIT */
/*
 * Many streams on one. The first byte of the input chooses: arbitrary bytes from a hostile peer, or two honest ends whose users do what the rest says. Of
 * honest ends: no byte is lost, doubled or changed, no end comes too early, neither breaks a rule, and when all is read nothing is left.
 */
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "mux/mux.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEMAND(condition)                                                                                              \
  do {                                                                                                                 \
    if (!(condition)) abort();                                                                                         \
  } while (0)

enum { STREAMS = 24, OPERATIONS_MAX = 600, WIRE_MAX = 70000 };

static void be_hostile(const uint8_t *data, size_t size) {
  thirl_mux *m = thirl_mux_new(false, 1);
  uint8_t out[THIRL_MUX_PULL_MIN];
  thirl_bytes preface = THIRL_BYTES(THIRL_MUX_PREFACE, THIRL_MUX_PREFACE_LEN), b;
  thirl_mux_event ev;
  uint32_t ours;
  bool spoke;
  if (!m) return;
  DEMAND(thirl_mux_open(m, preface, &ours) == THIRL_OK);
  DEMAND(thirl_mux_input(m, &preface, &spoke) == THIRL_OK && spoke);
  for (size_t at = 0; at < size;) {
    size_t step = 1 + data[at] % 40;
    thirl_bytes in = {data + at, THIRL_MIN(step, size - at)};
    at += in.n;
    thirl_error e = thirl_mux_input(m, &in, &spoke);
    DEMAND(e == THIRL_OK || e == THIRL_E_PROTOCOL || e == THIRL_E_NOMEM);
    while (thirl_mux_next_event(m, &ev)) {
      if (ev.kind == THIRL_MUX_ASKED && (ev.stream & 2)) (void)thirl_mux_accept(m, ev.stream);
      if (ev.kind == THIRL_MUX_ASKED && (ev.stream & 4)) (void)thirl_mux_refuse(m, ev.stream, THIRL_E_REFUSED);
      if (ev.kind == THIRL_MUX_READABLE && thirl_mux_peek(m, ev.stream, &b) == THIRL_OK)
        thirl_mux_consume(m, ev.stream, b.n / 2 + 1);
    }
    (void)thirl_mux_pull(m, out, sizeof out);
    if (e != THIRL_OK) break;
  }
  thirl_mux_free(m);
}

/* A direction of a stream as it ought to be. */
typedef struct lane {
  uint64_t written, read;
  bool finished, eof;
} lane;

typedef struct line {
  uint32_t id;
  bool used, asked, dead[2]; /* asked: the other end knows of it */
  lane lane[2];              /* from end 0, from end 1 */
} line;

typedef struct pair {
  thirl_mux *m[2];
  line lines[STREAMS];
} pair;

static line *find(pair *p, uint32_t id) {
  for (int i = 0; i < STREAMS; i++)
    if (p->lines[i].used && p->lines[i].id == id) return &p->lines[i];
  abort();
}

static uint8_t byte_at(uint32_t id, int from, uint64_t at) {
  return (uint8_t)(at * 31 + id * 7 + (uint64_t)from * 101 + (at >> 8));
}

static void take_events(pair *p, int end) {
  thirl_mux_event ev;
  while (thirl_mux_next_event(p->m[end], &ev)) {
    line *l = find(p, ev.stream);
    DEMAND(!l->dead[end]);
    if (ev.kind == THIRL_MUX_ASKED) {
      DEMAND(!l->asked && ev.label.n == 4);
      l->asked = true;
      if (ev.stream % 11 == 0) {
        DEMAND(thirl_mux_refuse(p->m[end], ev.stream, THIRL_E_PERMISSION) == THIRL_OK);
        l->dead[end] = true;
      } else {
        DEMAND(thirl_mux_accept(p->m[end], ev.stream) == THIRL_OK);
      }
    }
    if (ev.kind == THIRL_MUX_REFUSED || ev.kind == THIRL_MUX_BROKEN) l->dead[end] = true;
  }
}

static void carry(pair *p, int from, size_t cap) {
  static uint8_t wire[WIRE_MAX];
  size_t n = thirl_mux_pull(p->m[from], wire, THIRL_MIN(cap, sizeof wire));
  thirl_bytes in = {wire, n};
  bool spoke;
  DEMAND(thirl_mux_input(p->m[!from], &in, &spoke) == THIRL_OK && in.n == 0);
  take_events(p, !from);
}

static void put(pair *p, line *l, int end, size_t n) {
  uint8_t bytes[4096];
  lane *a = &l->lane[end];
  size_t done;
  if (n > sizeof bytes) n = sizeof bytes;
  if (n == 0 || l->dead[end]) return;
  for (size_t i = 0; i < n; i++)
    bytes[i] = byte_at(l->id, end, a->written + i);
  thirl_error e = thirl_mux_write(p->m[end], l->id, (thirl_bytes){bytes, n}, &done);
  if (a->finished) {
    DEMAND(e == THIRL_E_STATE || e == THIRL_E_NOT_FOUND);
    return;
  }
  DEMAND(e == THIRL_OK || e == THIRL_E_AGAIN);
  a->written += done;
}

static void get(pair *p, line *l, int end, size_t n) {
  lane *a = &l->lane[!end];
  thirl_bytes b;
  if (l->dead[end]) return;
  thirl_error e = thirl_mux_peek(p->m[end], l->id, &b);
  if (e == THIRL_E_EOF) {
    DEMAND(a->finished && a->read == a->written);
    a->eof = true;
    return;
  }
  if (e == THIRL_E_NOT_FOUND) DEMAND(a->eof && l->lane[end].finished);
  if (e != THIRL_OK) return;
  if (n > b.n) n = b.n;
  DEMAND(a->read + b.n <= a->written);
  for (size_t i = 0; i < n; i++)
    DEMAND(b.p[i] == byte_at(l->id, !end, a->read + i));
  a->read += n;
  thirl_mux_consume(p->m[end], l->id, n);
}

static void operate(pair *p, uint8_t what, uint8_t which, uint8_t amount) {
  int end = which & 1;
  line *l = &p->lines[(which >> 1) % STREAMS];
  bool known = l->used && (l->asked || end == (l->id % 2 == 0));
  switch (what % 7) {
  case 0:
    if (!l->used && thirl_mux_open(p->m[end], THIRL_BYTES("name", 4), &l->id) == THIRL_OK) l->used = true;
    break;
  case 1:
    if (known) put(p, l, end, (size_t)amount * 16 + 1);
    break;
  case 2:
    if (known) get(p, l, end, (size_t)amount * 64);
    break;
  case 3:
    if (known && !l->dead[end] && thirl_mux_finish(p->m[end], l->id) == THIRL_OK) l->lane[end].finished = true;
    break;
  case 4:
    if (known && amount > 200) {
      thirl_mux_reset(p->m[end], l->id, THIRL_E_RESET);
      l->dead[end] = true;
    }
    break;
  default:
    carry(p, end, THIRL_MUX_PULL_MIN + (size_t)amount * 128);
  }
}

static bool is_read(const line *l, int end) {
  return l->dead[end] || l->lane[!end].eof;
}

static void be_honest(const uint8_t *data, size_t size) {
  pair p = {.m = {thirl_mux_new(true, 1), thirl_mux_new(false, 2)}};
  if (!p.m[0] || !p.m[1]) abort();
  for (size_t at = 0; at + 3 <= size && at / 3 < OPERATIONS_MAX; at += 3)
    operate(&p, data[at], data[at + 1], data[at + 2]);
  bool all = false;
  for (int round = 0; round < 10000 && !all; round++) {
    all = true;
    for (int end = 0; end < 2; end++) {
      carry(&p, end, WIRE_MAX);
      for (int i = 0; i < STREAMS; i++) {
        line *l = &p.lines[i];
        if (!l->used || !(l->asked || end == (l->id % 2 == 0))) continue;
        if (!l->dead[end] && thirl_mux_finish(p.m[end], l->id) == THIRL_OK) l->lane[end].finished = true;
        get(&p, l, end, WIRE_MAX * 64);
        all = all && is_read(l, end);
      }
      all = all && !thirl_mux_wants_pull(p.m[end]);
    }
  }
  carry(&p, 0, WIRE_MAX);
  carry(&p, 1, WIRE_MAX);
  DEMAND(all && thirl_mux_count(p.m[0]) == 0 && thirl_mux_count(p.m[1]) == 0);
  thirl_mux_free(p.m[0]);
  thirl_mux_free(p.m[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  if (data[0] & 1)
    be_hostile(data + 1, size - 1);
  else
    be_honest(data + 1, size - 1);
  return 0;
}
