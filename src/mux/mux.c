/* SPDX-License-Identifier: MIT */
#include "mux/mux.h"

#include <stdlib.h>
#include <string.h>

#include "mux/output.h"
#include "mux/table.h"

thirl_mux *thirl_mux_new(bool dialed, uint64_t seed) {
  thirl_mux *m = calloc(1, sizeof *m);
  if (!m) return NULL;
  thirl_map_init(&m->streams, sizeof(uint32_t), seed);
  thirl_list_init(&m->telling);
  thirl_list_init(&m->asking);
  thirl_list_init(&m->sending);
  m->next = dialed ? 1 : 2;
  return m;
}

void thirl_mux_free(thirl_mux *m) {
  if (!m) return;
  size_t at = 0;
  for (thirl_mux_stream *s; (s = thirl_map_next(&m->streams, &at)); at = 0)
    thirl_mux_table_remove(m, s);
  thirl_map_fini(&m->streams);
  free(m);
}

/* ---- the user's verbs ---- */

thirl_error thirl_mux_open(thirl_mux *m, thirl_bytes label, uint32_t *out) {
  thirl_mux_stream *s;
  *out = 0;
  if (label.n > THIRL_MUX_LABEL_MAX || m->next > UINT32_MAX - 2) return THIRL_E_LIMIT;
  thirl_error e = thirl_mux_table_add(m, m->next, label, &s);
  if (e != THIRL_OK) return e;
  m->next += 2;
  s->ours = true;
  thirl_mux_table_owe(m, s, THIRL_MUX_OWES_OPEN);
  *out = s->id;
  return THIRL_OK;
}

thirl_error thirl_mux_accept(thirl_mux *m, uint32_t id) {
  thirl_mux_stream *s = thirl_mux_table_find_living(m, id);
  if (!s) return THIRL_E_NOT_FOUND;
  if (!s->asked) return THIRL_E_STATE;
  s->asked = false;
  thirl_mux_table_owe(m, s, THIRL_MUX_OWES_ACCEPT);
  return THIRL_OK;
}

/* The user is done with it; it stays until the peer has been told. */
static void let_go(thirl_mux *m, thirl_mux_stream *s, uint8_t how, thirl_error why) {
  thirl_list_remove(&s->to_tell);
  s->tells = 0;
  thirl_buffer_fini(&s->tx);
  thirl_buffer_fini(&s->rx);
  thirl_buffer_init(&s->tx, THIRL_MUX_WRITE_MAX);
  thirl_buffer_init(&s->rx, THIRL_MUX_WINDOW_MAX);
  s->why = why;
  thirl_mux_table_owe(m, s, how);
  thirl_mux_table_update_sending(m, s);
}

thirl_error thirl_mux_refuse(thirl_mux *m, uint32_t id, thirl_error why) {
  thirl_mux_stream *s = thirl_mux_table_find_living(m, id);
  if (!s) return THIRL_E_NOT_FOUND;
  if (!s->asked) return THIRL_E_STATE;
  let_go(m, s, THIRL_MUX_OWES_REFUSE, why);
  return THIRL_OK;
}

void thirl_mux_reset(thirl_mux *m, uint32_t id, thirl_error why) {
  thirl_mux_stream *s = thirl_mux_table_find_living(m, id);
  if (!s) return;
  if (s->owes & THIRL_MUX_OWES_OPEN)
    thirl_mux_table_remove(m, s); /* the peer has never heard of it */
  else
    let_go(m, s, THIRL_MUX_OWES_RESET, why);
}

thirl_error thirl_mux_write(thirl_mux *m, uint32_t id, thirl_bytes b, size_t *done) {
  thirl_mux_stream *s = thirl_mux_table_find_living(m, id);
  *done = 0;
  if (!s) return THIRL_E_NOT_FOUND;
  if (s->finished) return THIRL_E_STATE;
  size_t n = THIRL_MUX_WRITE_MAX - s->tx.n;
  if (n > b.n) n = b.n;
  if (n == 0) {
    s->full = true;
    return THIRL_E_AGAIN;
  }
  thirl_error e = thirl_buffer_append(&s->tx, (thirl_bytes){b.p, n});
  if (e != THIRL_OK) return e;
  if (n < b.n) s->full = true;
  *done = n;
  thirl_mux_table_update_sending(m, s);
  return THIRL_OK;
}

size_t thirl_mux_room(thirl_mux *m, uint32_t id) {
  thirl_mux_stream *s = thirl_mux_table_find_living(m, id);
  size_t n = s && !s->finished ? THIRL_MUX_WRITE_MAX - s->tx.n : 0;
  if (s && n == 0) s->full = true;
  return n;
}

thirl_error thirl_mux_finish(thirl_mux *m, uint32_t id) {
  thirl_mux_stream *s = thirl_mux_table_find_living(m, id);
  if (!s) return THIRL_E_NOT_FOUND;
  s->finished = true;
  thirl_mux_table_update_sending(m, s);
  return THIRL_OK;
}

thirl_error thirl_mux_peek(thirl_mux *m, uint32_t id, thirl_bytes *b) {
  thirl_mux_stream *s = thirl_mux_table_find_living(m, id);
  *b = (thirl_bytes){NULL, 0};
  if (!s) return THIRL_E_NOT_FOUND;
  if (s->rx.n > 0) {
    *b = thirl_buffer_view(&s->rx);
    return THIRL_OK;
  }
  if (!s->ended) {
    s->hungry = true;
    return THIRL_E_AGAIN;
  }
  s->end_read = true;
  if (thirl_mux_table_is_over(s)) thirl_mux_table_remove(m, s);
  return THIRL_E_EOF;
}

/* A stream that has carried much gets a larger window, as long as there is memory for it. */
static size_t growth_of(const thirl_mux *m, const thirl_mux_stream *s) {
  if (s->received < 2 * (uint64_t)s->window || s->window >= THIRL_MUX_WINDOW_MAX) return 0;
  /* Every stream that may still come needs its first window. */
  size_t reserved = (THIRL_MUX_STREAMS_MAX - m->streams.n) * THIRL_MUX_CREDIT_FIRST;
  size_t left = THIRL_MUX_MEMORY_MAX - m->memory;
  return left >= reserved && left - reserved >= s->window ? s->window : 0;
}

void thirl_mux_consume(thirl_mux *m, uint32_t id, size_t n) {
  thirl_mux_stream *s = thirl_mux_table_find_living(m, id);
  if (!s || s->rx.n == 0) return;
  if (n > s->rx.n) n = s->rx.n;
  thirl_buffer_consume(&s->rx, n);
  s->freed += n;
  if (s->ended || s->freed < s->window / 2) return;
  size_t more = growth_of(m, s);
  s->window += more;
  m->memory += more;
  s->grant += (uint32_t)(s->freed + more);
  s->may_come += s->freed + more;
  s->freed = 0;
  thirl_mux_table_owe(m, s, THIRL_MUX_OWES_CREDIT);
}

/* ---- what comes in ---- */

static bool is_of_peer(const thirl_mux *m, uint32_t id) {
  return (id ^ m->next) & 1;
}

static thirl_error take_open(thirl_mux *m, uint32_t id, thirl_bytes label) {
  thirl_mux_stream *s;
  if (!is_of_peer(m, id) || id <= m->last_of_peer) return THIRL_E_PROTOCOL;
  m->last_of_peer = id;
  thirl_error e = thirl_mux_table_add(m, id, label, &s);
  if (e != THIRL_OK) {
    m->refusals[m->n_refusals++] = (thirl_mux_refusal){id, thirl_mux_frame_code_of(THIRL_E_LIMIT)};
    return THIRL_OK;
  }
  s->asked = true;
  thirl_mux_table_tell(m, s, THIRL_MUX_TELL_ASKED);
  return THIRL_OK;
}

/* The peer is done with it: the user is told, and it is gone. */
static void take_farewell(thirl_mux *m, thirl_mux_stream *s, uint8_t how, uint8_t code) {
  if (thirl_mux_table_is_dying(s)) { /* we were as well, or are still telling */
    if (!(s->tells & (THIRL_MUX_TELL_REFUSED | THIRL_MUX_TELL_BROKEN))) thirl_mux_table_remove(m, s);
    return;
  }
  thirl_list_remove(&s->to_ask);
  s->owes = 0;
  if (s->tells & THIRL_MUX_TELL_ASKED) { /* nobody has heard of it yet */
    thirl_mux_table_remove(m, s);
    return;
  }
  s->why = thirl_mux_frame_error_of(code);
  thirl_list_remove(&s->to_tell);
  s->tells = 0;
  thirl_list_remove(&s->to_send);
  thirl_mux_table_tell(m, s, how);
}

static thirl_error take_credit(thirl_mux *m, thirl_mux_stream *s, uint32_t n) {
  if (s->may_send + n > THIRL_MUX_WINDOW_MAX) return THIRL_E_PROTOCOL;
  s->may_send += n;
  thirl_mux_table_update_sending(m, s);
  return THIRL_OK;
}

/* A frame for a stream that exists, DATA aside. */
static thirl_error take_control(thirl_mux *m, thirl_mux_stream *s, const thirl_mux_header *h, const uint8_t *p) {
  switch ((thirl_mux_type)h->type) {
  case THIRL_MUX_ACCEPT:
    if (!s->ours) return THIRL_E_PROTOCOL;
    if (!thirl_mux_table_is_dying(s)) thirl_mux_table_tell(m, s, THIRL_MUX_TELL_ACCEPTED);
    return THIRL_OK;
  case THIRL_MUX_REFUSE:
    if (!s->ours) return THIRL_E_PROTOCOL;
    take_farewell(m, s, THIRL_MUX_TELL_REFUSED, p[0]);
    return THIRL_OK;
  case THIRL_MUX_RESET:
    take_farewell(m, s, THIRL_MUX_TELL_BROKEN, p[0]);
    return THIRL_OK;
  case THIRL_MUX_CREDIT:
    return take_credit(m, s, thirl_bytes_get_u32(p));
  case THIRL_MUX_END:
    if (s->ended) return THIRL_E_PROTOCOL;
    s->ended = true;
    if (s->hungry && !thirl_mux_table_is_dying(s)) thirl_mux_table_tell(m, s, THIRL_MUX_TELL_READABLE);
    s->hungry = false;
    return THIRL_OK;
  case THIRL_MUX_OPEN:
  case THIRL_MUX_DATA:
    break;
  }
  return THIRL_E_PROTOCOL;
}

/* One that we have forgotten, and the peer not yet; not one that never was. */
static bool was_there(const thirl_mux *m, uint32_t id) {
  return is_of_peer(m, id) ? id <= m->last_of_peer : id < m->next;
}

static thirl_error take_frame(thirl_mux *m, const thirl_mux_header *h, const uint8_t *p) {
  if (h->type == THIRL_MUX_OPEN) return take_open(m, h->stream, THIRL_BYTES(p, h->length));
  thirl_mux_stream *s = thirl_mux_table_find(m, h->stream);
  if (s && !(s->owes & THIRL_MUX_OWES_OPEN)) return take_control(m, s, h, p);
  return was_there(m, h->stream) && !s ? THIRL_OK : THIRL_E_PROTOCOL;
}

static thirl_error begin_data(thirl_mux *m, const thirl_mux_header *h) {
  thirl_mux_stream *s = thirl_mux_table_find(m, h->stream);
  if (!s && !was_there(m, h->stream)) return THIRL_E_PROTOCOL;
  if (s && (s->ended || (s->owes & THIRL_MUX_OWES_OPEN) || s->may_come < h->length)) return THIRL_E_PROTOCOL;
  if (s) s->may_come -= h->length;
  m->at = *h;
  m->data_left = h->length;
  return THIRL_OK;
}

static thirl_error take_data(thirl_mux *m, thirl_bytes *in) {
  size_t n = in->n < m->data_left ? in->n : m->data_left;
  thirl_mux_stream *s = thirl_mux_table_find_living(m, m->at.stream);
  if (s) {
    thirl_error e = thirl_buffer_append(&s->rx, (thirl_bytes){in->p, n});
    if (e != THIRL_OK) return e == THIRL_E_LIMIT ? THIRL_E_PROTOCOL : e;
    s->received += n;
    if (s->hungry) thirl_mux_table_tell(m, s, THIRL_MUX_TELL_READABLE);
    s->hungry = false;
  }
  in->p += n, in->n -= n;
  m->data_left -= n;
  return THIRL_OK;
}

/* Bytes of a header and of a short body are collected; false: there are not enough yet. */
static bool collect(thirl_mux *m, thirl_bytes *in, size_t whole) {
  size_t n = whole - m->n_header;
  if (n > in->n) n = in->n;
  memcpy(m->header + m->n_header, in->p, n);
  m->n_header += n;
  in->p += n, in->n -= n;
  return m->n_header == whole;
}

static thirl_error take_some(thirl_mux *m, thirl_bytes *in) {
  thirl_mux_header h;
  if (m->data_left > 0) return take_data(m, in);
  if (m->n_header < THIRL_MUX_HEADER_LEN && !collect(m, in, THIRL_MUX_HEADER_LEN)) return THIRL_OK;
  thirl_error e = thirl_mux_frame_read(m->header, &h);
  if (e != THIRL_OK) return e;
  if (h.type == THIRL_MUX_DATA) {
    m->n_header = 0;
    return begin_data(m, &h);
  }
  if (!collect(m, in, THIRL_MUX_HEADER_LEN + (size_t)h.length)) return THIRL_OK;
  m->n_header = 0;
  return take_frame(m, &h, m->header + THIRL_MUX_HEADER_LEN);
}

thirl_error thirl_mux_input(thirl_mux *m, thirl_bytes *in, bool *spoke) {
  thirl_error e = m->dead;
  while (e == THIRL_OK && in->n > 0 && m->preface_seen < THIRL_MUX_PREFACE_LEN) {
    if (in->p[0] != (uint8_t)THIRL_MUX_PREFACE[m->preface_seen]) {
      e = THIRL_E_PROTOCOL;
    } else {
      m->preface_seen++;
      in->p++, in->n--;
    }
  }
  while (e == THIRL_OK && in->n > 0 && m->n_refusals < THIRL_MUX_REFUSALS_MAX)
    e = take_some(m, in);
  m->dead = e;
  *spoke = m->preface_seen == THIRL_MUX_PREFACE_LEN;
  return e;
}

/* ---- what is told ---- */

bool thirl_mux_next_event(thirl_mux *m, thirl_mux_event *out) {
  if (m->last_told) { /* its farewell has been taken */
    thirl_mux_stream *gone = m->last_told;
    thirl_mux_table_remove(m, gone);
  }
  thirl_link *first = thirl_list_first(&m->telling);
  memset(out, 0, sizeof *out);
  if (!first) return false;
  thirl_mux_stream *s = THIRL_OWNER(first, thirl_mux_stream, to_tell);
  uint8_t what = (uint8_t)(s->tells & -s->tells); /* the lowest bit first */
  static const struct {
    uint8_t bit;
    thirl_mux_event_kind kind;
  } kinds[] = {{THIRL_MUX_TELL_ASKED, THIRL_MUX_ASKED},       {THIRL_MUX_TELL_ACCEPTED, THIRL_MUX_ACCEPTED},
               {THIRL_MUX_TELL_READABLE, THIRL_MUX_READABLE}, {THIRL_MUX_TELL_WRITABLE, THIRL_MUX_WRITABLE},
               {THIRL_MUX_TELL_REFUSED, THIRL_MUX_REFUSED},   {THIRL_MUX_TELL_BROKEN, THIRL_MUX_BROKEN}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (kinds[i].bit == what) out->kind = kinds[i].kind;
  out->stream = s->id;
  out->error = s->why;
  if (what == THIRL_MUX_TELL_ASKED) out->label = THIRL_BYTES(s->label, s->label_n);
  if (what == THIRL_MUX_TELL_REFUSED || what == THIRL_MUX_TELL_BROKEN) {
    m->last_told = s;
    return true;
  }
  s->tells &= (uint8_t)~what;
  thirl_list_remove(&s->to_tell);
  if (s->tells) thirl_list_append(&m->telling, &s->to_tell);
  return true;
}

/* ---- what goes out ---- */

bool thirl_mux_wants_pull(const thirl_mux *m) {
  return m->dead == THIRL_OK && (m->preface_sent < THIRL_MUX_PREFACE_LEN || m->n_refusals > 0 ||
                                 !thirl_list_is_empty(&m->asking) || !thirl_list_is_empty(&m->sending));
}

size_t thirl_mux_pull(thirl_mux *m, uint8_t *buf, size_t cap) {
  return thirl_mux_output_pull(m, buf, cap);
}

size_t thirl_mux_count(const thirl_mux *m) {
  return m->streams.n;
}
