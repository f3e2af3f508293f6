/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "parcel/wire.h"

static uint8_t bytes[8192];

static thirl_bytes write_it(const thirl_parcel_message *m) {
  thirl_writer w = thirl_writer_of(bytes, sizeof bytes);
  thirl_parcel_wire_write(&w, m);
  assert_false(w.bad);
  return thirl_writer_done(&w);
}

static thirl_error read_it(thirl_bytes b, thirl_parcel_message *out) {
  thirl_parcel_type type;
  size_t n;
  thirl_error e = thirl_parcel_wire_read_head(b.p, &type, &n);
  if (e != THIRL_OK) return e;
  assert_int_equal(n, b.n - THIRL_PARCEL_HEAD_LEN);
  return thirl_parcel_wire_read(type, THIRL_BYTES(b.p + THIRL_PARCEL_HEAD_LEN, n), out);
}

/* As the picture in wire.h has it. */
static void bytes_on_the_wire(void **state) {
  (void)state;
  thirl_parcel_message hello = {.type = THIRL_PARCEL_HELLO, .role = THIRL_PARCEL_RECEIVES};
  thirl_bytes b = write_it(&hello);
  assert_int_equal(b.n, 8);
  assert_memory_equal(b.p, "\x01\0\0\x04\x02\0\0\0", 8);
  thirl_parcel_message entry = {.type = THIRL_PARCEL_ENTRY,
                                .entry = {THIRL_PARCEL_FILE, 6, -1, 5, 0x0102030405060708, THIRL_BYTES("ab", 2)}};
  b = write_it(&entry);
  assert_int_equal(b.n, 30);
  assert_memory_equal(
      b.p,
      "\x03\0\0\x1a\x01\x06\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\x05\x01\x02\x03\x04\x05\x06\x07\x08"
      "ab",
      30);
  thirl_parcel_message data = {.type = THIRL_PARCEL_DATA, .data = {NULL, 65536}};
  b = write_it(&data);
  assert_int_equal(b.n, 4);
  assert_memory_equal(b.p, "\x06\x01\0\0", 4);
}

static void every_message_comes_back(void **state) {
  (void)state;
  const thirl_parcel_message all[] = {
      {.type = THIRL_PARCEL_HELLO, .role = THIRL_PARCEL_SENDS},
      {.type = THIRL_PARCEL_OFFER, .entries = 70000, .bytes = 1ull << 40},
      {.type = THIRL_PARCEL_WANT, .index = 3, .flags = 1, .offset = 5ull << 32, .hash = {1, 2, 3}},
      {.type = THIRL_PARCEL_BEGIN, .index = 4, .offset = 77},
      {.type = THIRL_PARCEL_DONE, .index = 5, .hash = {9}},
      {.type = THIRL_PARCEL_FAIL, .index = 6, .reason = 3},
      {.type = THIRL_PARCEL_STORED, .index = 7, .reason = 4},
      {.type = THIRL_PARCEL_END, .index = THIRL_PARCEL_NO_ENTRY, .reason = 1},
  };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    thirl_parcel_message got;
    assert_int_equal(read_it(write_it(&all[i]), &got), THIRL_OK);
    assert_memory_equal(&got, &all[i], sizeof got);
  }
  thirl_parcel_message entry = {.type = THIRL_PARCEL_ENTRY,
                                .entry = {THIRL_PARCEL_FOLDER, 7, -12345, 999999999, 0, THIRL_BYTES("a/b", 3)}};
  thirl_parcel_message got;
  assert_int_equal(read_it(write_it(&entry), &got), THIRL_OK);
  assert_int_equal(got.entry.modified_s, -12345);
  assert_int_equal(got.entry.modified_ns, 999999999);
  assert_true(thirl_bytes_equal(got.entry.name, entry.entry.name));
}

static void what_cannot_be_is_refused(void **state) {
  (void)state;
  static const char *const heads[] = {"\0\0\0\x04",     "\x0b\0\0\x04",     "\x01\0\0\x05",
                                      "\x03\0\0\x18",   "\x03\0\x0f\xb9",   "\x06\0\0\0",
                                      "\x06\x01\0\x01", "\x06\xff\xff\xff", "\x04\0\0\x2c"};
  thirl_parcel_type type;
  thirl_parcel_message got;
  size_t n;
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
    assert_int_equal(thirl_parcel_wire_read_head((const uint8_t *)heads[i], &type, &n), THIRL_E_PROTOCOL);
  const thirl_parcel_entry wrong[] = {
      {0, 6, 0, 0, 1, THIRL_BYTES("a", 1)},          /* no kind */
      {3, 6, 0, 0, 1, THIRL_BYTES("a", 1)},          /* an unknown kind */
      {1, 8, 0, 0, 1, THIRL_BYTES("a", 1)},          /* more than rwx */
      {1, 6, 0, 1000000000, 1, THIRL_BYTES("a", 1)}, /* more than a second */
      {1, 6, 0, 0, 1ull << 63, THIRL_BYTES("a", 1)}, /* more than a file can have */
      {2, 6, 0, 0, 1, THIRL_BYTES("a", 1)},          /* a folder with bytes */
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    thirl_parcel_message m = {.type = THIRL_PARCEL_ENTRY, .entry = wrong[i]};
    assert_int_equal(read_it(write_it(&m), &got), THIRL_E_PROTOCOL);
  }
  thirl_parcel_message m = {.type = THIRL_PARCEL_HELLO, .role = 3};
  assert_int_equal(read_it(write_it(&m), &got), THIRL_E_PROTOCOL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_on_the_wire), cmocka_unit_test(every_message_comes_back),
                                     cmocka_unit_test(what_cannot_be_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
