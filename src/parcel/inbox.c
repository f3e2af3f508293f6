/* SPDX-License-Identifier: MIT */
#include "parcel/inbox.h"

#include <string.h>

/* False: there are not enough bytes yet. */
static bool collect(thirl_parcel_inbox *b, thirl_bytes *in, size_t whole) {
  size_t n = whole - b->n;
  if (n > in->n) n = in->n;
  if (n > 0) memcpy(b->bytes + b->n, in->p, n);
  b->n += n;
  in->p += n, in->n -= n;
  return b->n == whole;
}

static thirl_error take_data(thirl_parcel_inbox *b, thirl_bytes *in, thirl_parcel_message *out) {
  size_t n = in->n < b->data_left ? in->n : b->data_left;
  if (n == 0) return THIRL_E_AGAIN;
  memset(out, 0, sizeof *out);
  out->type = THIRL_PARCEL_DATA;
  out->data = THIRL_BYTES(in->p, n);
  in->p += n, in->n -= n;
  b->data_left -= n;
  return THIRL_OK;
}

static thirl_error take(thirl_parcel_inbox *b, thirl_bytes *in, thirl_parcel_message *out) {
  thirl_parcel_type type;
  size_t n;
  if (b->data_left > 0) return take_data(b, in, out);
  if (b->n < THIRL_PARCEL_HEAD_LEN && !collect(b, in, THIRL_PARCEL_HEAD_LEN)) return THIRL_E_AGAIN;
  thirl_error e = thirl_parcel_wire_read_head(b->bytes, &type, &n);
  if (e != THIRL_OK) return e;
  if (type == THIRL_PARCEL_DATA) {
    b->n = 0;
    b->data_left = n;
    return take_data(b, in, out);
  }
  if (!collect(b, in, THIRL_PARCEL_HEAD_LEN + n)) return THIRL_E_AGAIN;
  b->n = 0;
  return thirl_parcel_wire_read(type, THIRL_BYTES(b->bytes + THIRL_PARCEL_HEAD_LEN, n), out);
}

thirl_error thirl_parcel_inbox_next(thirl_parcel_inbox *b, thirl_bytes *in, thirl_parcel_message *out) {
  if (b->dead != THIRL_OK) return b->dead;
  thirl_error e = take(b, in, out);
  if (e != THIRL_OK && e != THIRL_E_AGAIN) b->dead = e;
  return e;
}
