/* SPDX-License-Identifier: MIT */
#include "mux/table.h"

#include <stdlib.h>
#include <string.h>

thirl_mux_stream *thirl_mux_table_find(const thirl_mux *m, uint32_t id) {
  return thirl_map_get(&m->streams, &id);
}

void thirl_mux_table_remove(thirl_mux *m, thirl_mux_stream *s) {
  if (m->last_told == s) m->last_told = NULL;
  thirl_list_remove(&s->to_tell);
  thirl_list_remove(&s->to_send);
  thirl_list_remove(&s->to_ask);
  (void)thirl_map_remove(&m->streams, &s->id);
  m->memory -= s->window;
  thirl_buffer_fini(&s->tx);
  thirl_buffer_fini(&s->rx);
  free(s->label);
  free(s);
}

thirl_error thirl_mux_table_add(thirl_mux *m, uint32_t id, thirl_bytes label, thirl_mux_stream **out) {
  if (m->streams.n >= THIRL_MUX_STREAMS_MAX || m->memory + THIRL_MUX_CREDIT_FIRST > THIRL_MUX_MEMORY_MAX)
    return THIRL_E_LIMIT;
  thirl_mux_stream *s = calloc(1, sizeof *s);
  if (!s) return THIRL_E_NOMEM;
  s->id = id;
  s->label = malloc(label.n + 1);
  if (!s->label || thirl_map_put(&m->streams, &id, s) != THIRL_OK) {
    free(s->label);
    free(s);
    return THIRL_E_NOMEM;
  }
  if (label.n > 0) memcpy(s->label, label.p, label.n);
  s->label_n = label.n;
  s->may_send = s->window = s->may_come = THIRL_MUX_CREDIT_FIRST;
  s->hungry = true;
  m->memory += s->window;
  thirl_buffer_init(&s->tx, THIRL_MUX_WRITE_MAX);
  thirl_buffer_init(&s->rx, THIRL_MUX_WINDOW_MAX);
  *out = s;
  return THIRL_OK;
}

void thirl_mux_table_owe(thirl_mux *m, thirl_mux_stream *s, uint8_t what) {
  if (!s->owes) thirl_list_append(&m->asking, &s->to_ask);
  s->owes |= what;
}

void thirl_mux_table_tell(thirl_mux *m, thirl_mux_stream *s, uint8_t what) {
  if (!s->tells) thirl_list_append(&m->telling, &s->to_tell);
  s->tells |= what;
}

static bool has_to_send(const thirl_mux_stream *s) {
  if (s->owes & (THIRL_MUX_OWES_OPEN | THIRL_MUX_OWES_REFUSE | THIRL_MUX_OWES_RESET))
    return false; /* that first, or nothing more */
  return (s->tx.n > 0 && s->may_send > 0) || (s->tx.n == 0 && s->finished && !s->end_sent);
}

void thirl_mux_table_update_sending(thirl_mux *m, thirl_mux_stream *s) {
  if (has_to_send(s)) {
    if (!s->to_send.next) thirl_list_append(&m->sending, &s->to_send);
  } else {
    thirl_list_remove(&s->to_send);
  }
}

bool thirl_mux_table_is_over(const thirl_mux_stream *s) {
  return s->end_sent && s->end_read && !s->owes;
}

bool thirl_mux_table_is_dying(const thirl_mux_stream *s) {
  return (s->owes & (THIRL_MUX_OWES_REFUSE | THIRL_MUX_OWES_RESET)) ||
         (s->tells & (THIRL_MUX_TELL_REFUSED | THIRL_MUX_TELL_BROKEN));
}

thirl_mux_stream *thirl_mux_table_find_living(const thirl_mux *m, uint32_t id) {
  thirl_mux_stream *s = thirl_mux_table_find(m, id);
  return s && !thirl_mux_table_is_dying(s) ? s : NULL;
}
