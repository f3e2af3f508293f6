/* SPDX-License-Identifier: MIT */
/* A receiver that lies, or asks for what there is not. What honest ones do is in receiver_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "parcel/sender.h"

static thirl_parcel_offer offer;
static thirl_parcel_sender s;
static thirl_parcel_action got;

static void add(const char *name, uint8_t kind, uint64_t size) {
  thirl_parcel_entry e = {.kind = kind, .mode = 6, .size = size, .name = THIRL_BYTES(name, strlen(name))};
  assert_int_equal(thirl_parcel_offer_add(&offer, &e), THIRL_OK);
}

static int begin(void **state) {
  thirl_bytes none = {NULL, 0};
  (void)state;
  memset(&offer, 0, sizeof offer);
  add("a", THIRL_PARCEL_FILE, 10);
  add("folder", THIRL_PARCEL_FOLDER, 0);
  assert_int_equal(thirl_parcel_sender_init(&s, &offer), THIRL_OK);
  assert_int_equal(thirl_parcel_sender_step(&s, &none, &got), THIRL_E_AGAIN);
  thirl_buffer_consume(&s.out, thirl_buffer_view(&s.out).n);
  return 0;
}

static int end(void **state) {
  (void)state;
  thirl_parcel_sender_fini(&s);
  thirl_parcel_offer_fini(&offer);
  return 0;
}

static thirl_error say(thirl_parcel_message m) {
  uint8_t bytes[256];
  thirl_writer w = thirl_writer_of(bytes, sizeof bytes);
  thirl_parcel_wire_write(&w, &m);
  thirl_bytes in = thirl_writer_done(&w);
  return thirl_parcel_sender_step(&s, &in, &got);
}

static void greet(void) {
  assert_int_equal(say((thirl_parcel_message){.type = THIRL_PARCEL_HELLO, .role = 2}), THIRL_E_AGAIN);
}

static void again(void **state) {
  (void)end(state);
  (void)begin(state);
}

static void words_out_of_turn_are_refused(void **state) {
  const thirl_parcel_message wrong[] = {
      {.type = THIRL_PARCEL_WANT, .index = 2},                    /* no such entry */
      {.type = THIRL_PARCEL_WANT, .index = 1},                    /* a folder */
      {.type = THIRL_PARCEL_WANT, .offset = 11},                  /* beyond its end */
      {.type = THIRL_PARCEL_WANT, .offset = 9, .flags = 1},       /* all of it, and not all of it */
      {.type = THIRL_PARCEL_WANT, .flags = 2},                    /* a flag that is none */
      {.type = THIRL_PARCEL_HELLO, .role = 2},                    /* again */
      {.type = THIRL_PARCEL_STORED, .index = 2},                  /* no such entry */
      {.type = THIRL_PARCEL_STORED},                              /* before it was sent */
      {.type = THIRL_PARCEL_END, .index = 2},                     /* no such entry */
      {.type = THIRL_PARCEL_END, .index = THIRL_PARCEL_NO_ENTRY}, /* all is well, and nothing was sent */
      {.type = THIRL_PARCEL_BEGIN},
      {.type = THIRL_PARCEL_DONE},
      {.type = THIRL_PARCEL_FAIL}, /* not a receiver's */
      {.type = THIRL_PARCEL_OFFER},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    greet();
    assert_int_equal(say(wrong[i]), THIRL_E_PROTOCOL);
    again(state);
  }
  assert_int_equal(say((thirl_parcel_message){.type = THIRL_PARCEL_WANT}), THIRL_E_PROTOCOL); /* before HELLO */
  again(state);
  assert_int_equal(say((thirl_parcel_message){.type = THIRL_PARCEL_HELLO, .role = 1}), THIRL_E_STATE);
}

static void too_many_wants_are_refused(void **state) {
  (void)state;
  static uint8_t bytes[8192];
  thirl_writer w = thirl_writer_of(bytes, sizeof bytes);
  thirl_parcel_message want = {.type = THIRL_PARCEL_WANT};
  for (int i = 0; i < THIRL_PARCEL_WANTS_MAX; i++) {
    char name[24];
    snprintf(name, sizeof name, "file-%d", i);
    add(name, THIRL_PARCEL_FILE, 1);
  }
  thirl_parcel_sender_fini(&s);
  assert_int_equal(thirl_parcel_sender_init(&s, &offer), THIRL_OK);
  thirl_bytes none = {NULL, 0};
  assert_int_equal(thirl_parcel_sender_step(&s, &none, &got), THIRL_E_AGAIN);
  greet();
  for (uint32_t i = 0; i < THIRL_PARCEL_WANTS_MAX; i++) {
    want.index = i + (i > 0); /* 1 is a folder */
    thirl_parcel_wire_write(&w, &want);
  }
  thirl_bytes in = thirl_writer_done(&w);
  assert_int_equal(thirl_parcel_sender_step(&s, &in, &got), THIRL_OK);
  assert_int_equal(in.n, 0);
  assert_int_equal(got.kind, THIRL_PARCEL_DO_OPEN);
  thirl_parcel_sender_opened(&s, THIRL_PARCEL_OK);
  want.index = THIRL_PARCEL_WANTS_MAX + 1;
  assert_int_equal(say(want), THIRL_E_PROTOCOL);
}

/* The file goes out; what is said of it afterwards is heard. */
static void send_a(void) {
  thirl_bytes none = {NULL, 0};
  assert_int_equal(say((thirl_parcel_message){.type = THIRL_PARCEL_WANT}), THIRL_OK);
  thirl_parcel_sender_opened(&s, THIRL_PARCEL_OK);
  assert_int_equal(thirl_parcel_sender_step(&s, &none, &got), THIRL_OK);
  thirl_parcel_sender_read(&s, THIRL_BYTES("0123456789", 10), THIRL_PARCEL_OK);
  assert_int_equal(thirl_parcel_sender_step(&s, &none, &got), THIRL_OK);
  assert_int_equal(got.kind, THIRL_PARCEL_DO_CHECK);
  thirl_parcel_sender_checked(&s, THIRL_PARCEL_OK);
}

static void a_file_is_wanted_and_stored_once(void **state) {
  const thirl_parcel_message stored = {.type = THIRL_PARCEL_STORED};
  const thirl_parcel_message refused = {.type = THIRL_PARCEL_STORED, .reason = THIRL_PARCEL_MISMATCH};
  const thirl_parcel_message want = {.type = THIRL_PARCEL_WANT};
  const thirl_parcel_message well = {.type = THIRL_PARCEL_END, .index = THIRL_PARCEL_NO_ENTRY};
  greet();
  send_a();
  assert_int_equal(say(want), THIRL_E_PROTOCOL);
  again(state);
  greet();
  send_a();
  assert_int_equal(say(stored), THIRL_OK);
  assert_int_equal(say(stored), THIRL_E_PROTOCOL);
  again(state);
  greet();
  send_a();
  assert_int_equal(say(refused), THIRL_OK);
  assert_int_equal(say(well), THIRL_E_PROTOCOL);
  again(state);
  greet();
  send_a();
  assert_int_equal(say(stored), THIRL_OK);
  assert_int_equal(say(well), THIRL_OK);
  assert_int_equal(got.kind, THIRL_PARCEL_TELL_END);
}

static void what_differs_is_wanted_once_more(void **state) {
  (void)state;
  thirl_bytes none = {NULL, 0};
  thirl_parcel_message want = {.type = THIRL_PARCEL_WANT, .offset = 10, .flags = THIRL_PARCEL_ONLY_IF_SAME};
  greet();
  assert_int_equal(say(want), THIRL_OK);
  thirl_parcel_sender_opened(&s, THIRL_PARCEL_OK);
  assert_int_equal(thirl_parcel_sender_step(&s, &none, &got), THIRL_OK);
  thirl_parcel_sender_read(&s, THIRL_BYTES("0123456789", 10), THIRL_PARCEL_OK);
  assert_int_equal(thirl_parcel_sender_step(&s, &none, &got), THIRL_E_AGAIN); /* FAIL is said */
  send_a();
  assert_int_equal(say((thirl_parcel_message){.type = THIRL_PARCEL_WANT}), THIRL_E_PROTOCOL);
}

static void a_file_goes_out_in_order_with_its_hash(void **state) {
  (void)state;
  greet();
  assert_int_equal(say((thirl_parcel_message){.type = THIRL_PARCEL_WANT}), THIRL_OK);
  assert_int_equal(got.kind, THIRL_PARCEL_DO_OPEN);
  thirl_bytes none = {NULL, 0};
  assert_int_equal(thirl_parcel_sender_step(&s, &none, &got), THIRL_E_AGAIN); /* until it is answered */
  thirl_parcel_sender_opened(&s, THIRL_PARCEL_OK);
  assert_int_equal(thirl_parcel_sender_step(&s, &none, &got), THIRL_OK);
  assert_int_equal(got.kind, THIRL_PARCEL_DO_READ);
  assert_int_equal(got.n, 10);
  thirl_parcel_sender_read(&s, THIRL_BYTES("0123", 4), THIRL_PARCEL_OK); /* less than asked for */
  assert_int_equal(thirl_parcel_sender_step(&s, &none, &got), THIRL_OK);
  assert_int_equal(got.offset, 4);
  assert_int_equal(got.n, 6);
  thirl_parcel_sender_read(&s, THIRL_BYTES("456789", 6), THIRL_PARCEL_OK);
  assert_int_equal(thirl_parcel_sender_step(&s, &none, &got), THIRL_OK);
  assert_int_equal(got.kind, THIRL_PARCEL_DO_CHECK);
  thirl_parcel_sender_checked(&s, THIRL_PARCEL_OK);
  thirl_bytes out = thirl_buffer_view(&s.out);
  uint8_t hash[THIRL_SHA256_LEN];
  assert_int_equal(thirl_hash_sha256(THIRL_BYTES("0123456789", 10), hash), THIRL_OK);
  assert_int_equal(out.n, 16 + 4 + 4 + 4 + 6 + 40);
  assert_memory_equal(out.p,
                      "\x05\0\0\x0c\0\0\0\0\0\0\0\0\0\0\0\0\x06\0\0\x04"
                      "0123\x06\0\0\x06"
                      "456789\x07\0\0\x24\0\0\0\0",
                      42);
  assert_memory_equal(out.p + 42, hash, sizeof hash);
  assert_int_equal(say((thirl_parcel_message){.type = THIRL_PARCEL_STORED}), THIRL_OK);
  assert_int_equal(say((thirl_parcel_message){.type = THIRL_PARCEL_END, .index = THIRL_PARCEL_NO_ENTRY}), THIRL_OK);
  assert_int_equal(got.kind, THIRL_PARCEL_TELL_END);
  assert_int_equal(say((thirl_parcel_message){.type = THIRL_PARCEL_WANT}),
                   THIRL_E_AGAIN); /* after the end nothing counts */
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
  const struct CMUnitTest tests[] = {TEST(words_out_of_turn_are_refused), TEST(too_many_wants_are_refused),
                                     TEST(a_file_goes_out_in_order_with_its_hash),
                                     TEST(a_file_is_wanted_and_stored_once), TEST(what_differs_is_wanted_once_more)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
