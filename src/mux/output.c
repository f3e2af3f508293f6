/* SPDX-License-Identifier: MIT */
#include "mux/output.h"

#include <string.h>

typedef struct room {
  uint8_t *p;
  size_t n, cap;
} room;

static bool put_frame(room *r, thirl_mux_type type, uint32_t id, thirl_bytes body) {
  if (r->cap - r->n < THIRL_MUX_HEADER_LEN + body.n) return false;
  thirl_mux_frame_write(r->p + r->n, type, (uint16_t)body.n, id);
  if (body.n > 0) memcpy(r->p + r->n + THIRL_MUX_HEADER_LEN, body.p, body.n);
  r->n += THIRL_MUX_HEADER_LEN + body.n;
  return true;
}

static bool put_refusals(thirl_mux *m, room *r) {
  while (m->n_refusals > 0) {
    const thirl_mux_refusal *last = &m->refusals[m->n_refusals - 1];
    if (!put_frame(r, THIRL_MUX_REFUSE, last->stream, THIRL_BYTES(&last->code, 1))) return false;
    m->n_refusals--;
  }
  return true;
}

/* One debt; false: no room. */
static bool pay_one(thirl_mux_stream *s, room *r) {
  uint8_t code = thirl_mux_frame_code_of(s->why), grant[4];
  thirl_bytes why = THIRL_BYTES(&code, 1), none = {NULL, 0};
  thirl_bytes_put_u32(grant, s->grant);
  uint8_t what = (uint8_t)(s->owes & -s->owes);
  bool said = what == THIRL_MUX_OWES_OPEN     ? put_frame(r, THIRL_MUX_OPEN, s->id, THIRL_BYTES(s->label, s->label_n))
              : what == THIRL_MUX_OWES_ACCEPT ? put_frame(r, THIRL_MUX_ACCEPT, s->id, none)
              : what == THIRL_MUX_OWES_REFUSE ? put_frame(r, THIRL_MUX_REFUSE, s->id, why)
              : what == THIRL_MUX_OWES_CREDIT ? put_frame(r, THIRL_MUX_CREDIT, s->id, THIRL_BYTES(grant, 4))
                                              : put_frame(r, THIRL_MUX_RESET, s->id, why);
  if (!said) return false;
  if (what == THIRL_MUX_OWES_CREDIT) s->grant = 0;
  s->owes &= (uint8_t)~what;
  return true;
}

static bool pay(thirl_mux *m, thirl_mux_stream *s, room *r) {
  bool farewell = s->owes & (THIRL_MUX_OWES_REFUSE | THIRL_MUX_OWES_RESET);
  if (farewell) s->owes &= THIRL_MUX_OWES_REFUSE | THIRL_MUX_OWES_RESET;
  while (s->owes)
    if (!pay_one(s, r)) return false;
  thirl_list_remove(&s->to_ask);
  if (farewell || thirl_mux_table_is_over(s))
    thirl_mux_table_remove(m, s);
  else
    thirl_mux_table_update_sending(m, s);
  return true;
}

/* One frame of data or the end, then it is the next one's turn; false: no room. */
static bool send_turn(thirl_mux *m, thirl_mux_stream *s, room *r) {
  if (s->tx.n == 0) {
    if (!put_frame(r, THIRL_MUX_END, s->id, (thirl_bytes){NULL, 0})) return false;
    s->end_sent = true;
    thirl_list_remove(&s->to_send);
    if (thirl_mux_table_is_over(s)) thirl_mux_table_remove(m, s);
    return true;
  }
  if (r->cap - r->n <= THIRL_MUX_HEADER_LEN) return false;
  size_t n = r->cap - r->n - THIRL_MUX_HEADER_LEN;
  n = n < s->tx.n ? n : s->tx.n;
  n = n < s->may_send ? n : s->may_send;
  n = n < THIRL_MUX_DATA_MAX ? n : THIRL_MUX_DATA_MAX;
  put_frame(r, THIRL_MUX_DATA, s->id, (thirl_bytes){thirl_buffer_view(&s->tx).p, n});
  thirl_buffer_consume(&s->tx, n);
  s->may_send -= n;
  if (s->full && s->tx.n <= THIRL_MUX_WRITE_MAX / 2) {
    s->full = false;
    thirl_mux_table_tell(m, s, THIRL_MUX_TELL_WRITABLE);
  }
  thirl_list_remove(&s->to_send);
  thirl_mux_table_update_sending(m, s);
  return true;
}

size_t thirl_mux_output_pull(thirl_mux *m, uint8_t *buf, size_t cap) {
  room r = {buf, 0, cap};
  if (m->dead != THIRL_OK) return 0;
  while (m->preface_sent < THIRL_MUX_PREFACE_LEN)
    r.p[r.n++] = (uint8_t)THIRL_MUX_PREFACE[m->preface_sent++];
  if (!put_refusals(m, &r)) return r.n;
  for (thirl_link *k; (k = thirl_list_first(&m->asking));)
    if (!pay(m, THIRL_OWNER(k, thirl_mux_stream, to_ask), &r)) return r.n;
  for (thirl_link *k; (k = thirl_list_first(&m->sending));)
    if (!send_turn(m, THIRL_OWNER(k, thirl_mux_stream, to_send), &r)) break;
  return r.n;
}
