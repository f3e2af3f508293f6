/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a STUN message. What decodes is read with every typed getter, written again with the typed writers and decoded again: the
 * second must say the same as the first, and its MACs and FINGERPRINT must be right.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stun/integrity.h"
#include "stun/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A finding must crash in builds without assertions too. */
static void must(bool ok) {
  if (!ok) abort();
}

static const thirl_bytes key = {(const uint8_t *)"key", 3};

typedef enum kind {
  KIND_bytes,
  KIND_flag,
  KIND_u16,
  KIND_u32,
  KIND_u64,
  KIND_addr,
  KIND_xor_addr,
  KIND_error,
  KIND_list,
  KIND_integrity,
  KIND_fingerprint
} kind;

static kind kind_of(uint16_t type) {
  switch (type) {
#define X(name, number, kind, remark)                                                                                  \
  case number:                                                                                                         \
    return KIND_##kind;
    THIRL_STUN_ATTRS(X)
#undef X
  default:
    return KIND_bytes;
  }
}

/* One attribute as a message of its own, so that the getter sees this one and not an earlier one of its type. */
static thirl_stun_msg alone(const thirl_stun_msg *m, thirl_bytes value) {
  thirl_stun_msg one = *m;
  one.attrs = (thirl_bytes){value.p - 4, 4 + ((value.n + 3) & ~(size_t)3)};
  return one;
}

/* Write the value with the writer of its kind when the getter of its kind can read it; false when it cannot. */
static bool write_typed(thirl_stun_writer *w, const thirl_stun_msg *one, uint16_t type, thirl_bytes value) {
  uint16_t u16;
  uint32_t u32;
  uint64_t u64;
  thirl_addr a;
  switch (kind_of(type)) {
  case KIND_flag:
    if (value.n) return false;
    thirl_stun_writer_flag(w, type);
    return true;
  case KIND_u16:
    if (thirl_stun_msg_get_u16(one, type, &u16) != THIRL_OK) return false;
    thirl_stun_writer_u16(w, type, u16);
    return true;
  case KIND_u32:
    if (thirl_stun_msg_get_u32(one, type, &u32) != THIRL_OK) return false;
    thirl_stun_writer_u32(w, type, u32);
    return true;
  case KIND_u64:
    if (thirl_stun_msg_get_u64(one, type, &u64) != THIRL_OK) return false;
    thirl_stun_writer_u64(w, type, u64);
    return true;
  case KIND_addr:
    if (thirl_stun_msg_get_addr(one, type, &a) != THIRL_OK) return false;
    thirl_stun_writer_addr(w, type, &a);
    return true;
  case KIND_xor_addr:
    if (thirl_stun_msg_get_xor_addr(one, type, &a) != THIRL_OK) return false;
    thirl_stun_writer_xor_addr(w, type, &a);
    return true;
  default:
    return false;
  }
}

/* The reason phrase is a literal for our writer: only what it can have written is compared. */
static bool write_error(thirl_stun_writer *w, const thirl_stun_msg *one) {
  unsigned code;
  thirl_bytes reason;
  char text[128];
  if (thirl_stun_msg_get_error(one, &code, &reason) != THIRL_OK) return false;
  must(code >= 300 && code <= 699);
  if (reason.n >= sizeof text || memchr(reason.p, 0, reason.n)) return false;
  memcpy(text, reason.p, reason.n);
  text[reason.n] = '\0';
  thirl_stun_writer_error(w, code, text);
  return true;
}

static void read_everything(const thirl_stun_msg *m, uint16_t type) {
  uint16_t u16;
  uint32_t u32;
  uint64_t u64;
  uint8_t fixed[20];
  thirl_addr a;
  thirl_bytes value;
  must(thirl_stun_msg_find(m, type, &value));
  (void)thirl_stun_msg_get_u16(m, type, &u16);
  (void)thirl_stun_msg_get_u32(m, type, &u32);
  (void)thirl_stun_msg_get_u64(m, type, &u64);
  must((thirl_stun_msg_get_fixed(m, type, fixed, sizeof fixed) == THIRL_OK) == (value.n == sizeof fixed));
  if (thirl_stun_msg_get_xor_addr(m, type, &a) == THIRL_OK) {
    char text[THIRL_ADDR_TEXT_MAX];
    thirl_addr again;
    must(thirl_addr_parse(thirl_addr_format(&a, text), &again) == THIRL_OK && thirl_addr_equal(&a, &again));
    (void)thirl_addr_is_probeable(&a);
  }
}

/* Compare what survives: the values by their meaning, everything else by its bytes. */
static void compare(const thirl_stun_msg *a, const thirl_stun_msg *b) {
  size_t at_a = 0, at_b = 0;
  uint16_t type_a, type_b;
  thirl_bytes va, vb;
  must(a->cls == b->cls && a->method == b->method && thirl_stun_msg_same_tid(a, b->tid));
  must(a->n_unknown == b->n_unknown && memcmp(a->unknown, b->unknown, sizeof a->unknown) == 0);
  while (thirl_stun_msg_next(a, &at_a, &type_a, &va)) {
    must(thirl_stun_msg_next(b, &at_b, &type_b, &vb) && type_a == type_b);
    thirl_stun_msg one_a = alone(a, va), one_b = alone(b, vb);
    thirl_addr addr_a, addr_b;
    unsigned code_a, code_b;
    thirl_bytes why_a, why_b;
    uint16_t u16_a, u16_b;
    switch (kind_of(type_a)) {
    case KIND_u16: /* both forms of the length mean the same */
      if (thirl_stun_msg_get_u16(&one_a, type_a, &u16_a) != THIRL_OK) break;
      must(thirl_stun_msg_get_u16(&one_b, type_b, &u16_b) == THIRL_OK && u16_a == u16_b);
      continue;
    case KIND_addr: /* the first byte is ignored */
    case KIND_xor_addr:
      if (thirl_stun_msg_get_addr(&one_a, type_a, &addr_a) != THIRL_OK) break;
      must(thirl_stun_msg_get_addr(&one_b, type_b, &addr_b) == THIRL_OK && thirl_addr_equal(&addr_a, &addr_b));
      continue;
    case KIND_error: /* the reserved bits are ignored */
      if (thirl_stun_msg_get_error(&one_a, &code_a, &why_a) != THIRL_OK) break;
      must(thirl_stun_msg_get_error(&one_b, &code_b, &why_b) == THIRL_OK);
      must(code_a == code_b && thirl_bytes_equal(why_a, why_b));
      continue;
    default:
      break;
    }
    must(thirl_bytes_equal(va, vb));
  }
  must(!thirl_stun_msg_next(b, &at_b, &type_b, &vb));
}

static void round_trip(const thirl_stun_msg *m, uint8_t *buf, size_t cap) {
  thirl_stun_writer w;
  thirl_bytes value, out;
  uint16_t type;
  size_t at = 0;
  thirl_stun_msg again;
  thirl_stun_writer_init(&w, buf, cap, m->cls, m->method, m->tid);
  while (thirl_stun_msg_next(m, &at, &type, &value)) {
    thirl_stun_msg one = alone(m, value);
    read_everything(&one, type);
    if (kind_of(type) == KIND_error && write_error(&w, &one)) continue;
    if (!write_typed(&w, &one, type, value)) thirl_stun_writer_bytes(&w, type, value);
  }
  if (m->integrity_at) thirl_stun_writer_integrity(&w, key);
  if (m->integrity256_at) thirl_stun_writer_integrity256(&w, key);
  thirl_stun_writer_fingerprint(&w);
  thirl_error e = thirl_stun_writer_finish(&w, &out);
  if (e != THIRL_OK) { /* only a message at the limit of the length field, which now has more in it */
    must(e == THIRL_E_RANGE && m->raw.n > 65000);
    return;
  }
  must(thirl_stun_msg_decode(out, &again) == THIRL_OK);
  must(again.fingerprint_at != 0);
  must((again.integrity_at != 0) == (m->integrity_at != 0));
  if (again.integrity_at) must(thirl_stun_integrity_check(&again, key) == THIRL_OK);
  if (again.integrity256_at) must(thirl_stun_integrity_check256(&again, key) == THIRL_OK);
  compare(m, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t buf[70000];
  thirl_stun_msg m;
  (void)thirl_stun_msg_kind(THIRL_BYTES(data, size));
  if (thirl_stun_msg_decode(THIRL_BYTES(data, size), &m) != THIRL_OK) {
    must(m.raw.p == NULL && m.attrs.p == NULL);
    return 0;
  }
  must(m.raw.n == size);
  (void)thirl_stun_integrity_check(&m, key);
  (void)thirl_stun_integrity_check256(&m, key);
  round_trip(&m, buf, sizeof buf);
  return 0;
}
