/* SPDX-License-Identifier: MIT */
#include "parcel/wire.h"

#include <string.h>

static const struct {
  uint32_t min, max;
} lengths[] = {
    [THIRL_PARCEL_HELLO] = {4, 4},
    [THIRL_PARCEL_OFFER] = {12, 12},
    [THIRL_PARCEL_ENTRY] = {THIRL_PARCEL_ENTRY_MIN + 1, THIRL_PARCEL_BODY_MAX},
    [THIRL_PARCEL_WANT] = {45, 45},
    [THIRL_PARCEL_BEGIN] = {12, 12},
    [THIRL_PARCEL_DATA] = {1, THIRL_PARCEL_DATA_MAX},
    [THIRL_PARCEL_DONE] = {36, 36},
    [THIRL_PARCEL_FAIL] = {5, 5},
    [THIRL_PARCEL_STORED] = {5, 5},
    [THIRL_PARCEL_END] = {5, 5},
};

/* ---- writing ---- */

static void write_entry(thirl_writer *w, const thirl_parcel_entry *e) {
  thirl_writer_u8(w, e->kind);
  thirl_writer_u8(w, e->mode);
  thirl_writer_u16(w, 0);
  thirl_writer_u64(w, (uint64_t)e->modified_s);
  thirl_writer_u32(w, e->modified_ns);
  thirl_writer_u64(w, e->size);
  thirl_writer_bytes(w, e->name);
}

static void write_body(thirl_writer *w, const thirl_parcel_message *m) {
  switch (m->type) {
  case THIRL_PARCEL_HELLO:
    thirl_writer_u32(w, (uint32_t)m->role << 24);
    break;
  case THIRL_PARCEL_OFFER:
    thirl_writer_u32(w, m->entries);
    thirl_writer_u64(w, m->bytes);
    break;
  case THIRL_PARCEL_ENTRY:
    write_entry(w, &m->entry);
    break;
  case THIRL_PARCEL_WANT:
    thirl_writer_u32(w, m->index);
    thirl_writer_u8(w, m->flags);
    thirl_writer_u64(w, m->offset);
    thirl_writer_copy(w, m->hash, sizeof m->hash);
    break;
  case THIRL_PARCEL_BEGIN:
    thirl_writer_u32(w, m->index);
    thirl_writer_u64(w, m->offset);
    break;
  case THIRL_PARCEL_DATA:
    break;
  case THIRL_PARCEL_DONE:
    thirl_writer_u32(w, m->index);
    thirl_writer_copy(w, m->hash, sizeof m->hash);
    break;
  case THIRL_PARCEL_FAIL:
  case THIRL_PARCEL_STORED:
    thirl_writer_u32(w, m->index);
    thirl_writer_u8(w, m->reason);
    break;
  case THIRL_PARCEL_END:
    thirl_writer_u8(w, m->reason);
    thirl_writer_u32(w, m->index);
    break;
  }
}

void thirl_parcel_wire_write(thirl_writer *w, const thirl_parcel_message *m) {
  size_t n = m->type == THIRL_PARCEL_DATA    ? m->data.n
             : m->type == THIRL_PARCEL_ENTRY ? THIRL_PARCEL_ENTRY_MIN + m->entry.name.n
                                             : lengths[m->type].min;
  thirl_writer_u32(w, (uint32_t)m->type << 24 | (uint32_t)n);
  write_body(w, m);
}

/* ---- reading ---- */

thirl_error thirl_parcel_wire_read_head(const uint8_t p[THIRL_PARCEL_HEAD_LEN], thirl_parcel_type *type, size_t *n) {
  uint32_t head = thirl_bytes_get_u32(p), length = head & 0xffffff, t = head >> 24;
  *type = (thirl_parcel_type)t;
  *n = length;
  if (t < THIRL_PARCEL_HELLO || t > THIRL_PARCEL_END) return THIRL_E_PROTOCOL;
  return length >= lengths[t].min && length <= lengths[t].max ? THIRL_OK : THIRL_E_PROTOCOL;
}

static bool read_entry(thirl_reader *r, thirl_parcel_entry *e) {
  e->kind = thirl_reader_u8(r);
  e->mode = thirl_reader_u8(r);
  (void)thirl_reader_u16(r);
  e->modified_s = (int64_t)thirl_reader_u64(r);
  e->modified_ns = thirl_reader_u32(r);
  e->size = thirl_reader_u64(r);
  e->name = thirl_reader_take(r, thirl_reader_left(r));
  bool sized = e->kind == THIRL_PARCEL_FOLDER ? e->size == 0 : e->size <= INT64_MAX;
  return (e->kind == THIRL_PARCEL_FILE || e->kind == THIRL_PARCEL_FOLDER) && e->mode <= 7 &&
         e->modified_ns < 1000000000 && sized;
}

thirl_error thirl_parcel_wire_read(thirl_parcel_type type, thirl_bytes body, thirl_parcel_message *out) {
  thirl_reader r = thirl_reader_of(body);
  bool good = true;
  memset(out, 0, sizeof *out);
  out->type = type;
  switch (type) {
  case THIRL_PARCEL_HELLO:
    out->role = thirl_reader_u8(&r);
    (void)thirl_reader_take(&r, 3);
    good = out->role == THIRL_PARCEL_SENDS || out->role == THIRL_PARCEL_RECEIVES;
    break;
  case THIRL_PARCEL_OFFER:
    out->entries = thirl_reader_u32(&r);
    out->bytes = thirl_reader_u64(&r);
    break;
  case THIRL_PARCEL_ENTRY:
    good = read_entry(&r, &out->entry);
    break;
  case THIRL_PARCEL_WANT:
    out->index = thirl_reader_u32(&r);
    out->flags = thirl_reader_u8(&r);
    out->offset = thirl_reader_u64(&r);
    thirl_reader_copy(&r, out->hash, sizeof out->hash);
    break;
  case THIRL_PARCEL_BEGIN:
    out->index = thirl_reader_u32(&r);
    out->offset = thirl_reader_u64(&r);
    break;
  case THIRL_PARCEL_DONE:
    out->index = thirl_reader_u32(&r);
    thirl_reader_copy(&r, out->hash, sizeof out->hash);
    break;
  case THIRL_PARCEL_FAIL:
  case THIRL_PARCEL_STORED:
    out->index = thirl_reader_u32(&r);
    out->reason = thirl_reader_u8(&r);
    break;
  case THIRL_PARCEL_END:
    out->reason = thirl_reader_u8(&r);
    out->index = thirl_reader_u32(&r);
    break;
  case THIRL_PARCEL_DATA:
    good = false;
    break;
  }
  return good && !r.bad && thirl_reader_left(&r) == 0 ? THIRL_OK : THIRL_E_PROTOCOL;
}
