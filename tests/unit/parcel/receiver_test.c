/* SPDX-License-Identifier: MIT */
/* Files get across whatever breaks in between, and a peer that lies gets nothing written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "unit/parcel/rig.h"

enum { BIG = 65536 };

static rig_disks disks;
static rig r;

static int fresh(void **state) {
  (void)state;
  memset(&disks, 0, sizeof disks);
  return 0;
}

static int gone(void **state) {
  (void)state;
  rig_disks_fini(&disks);
  return 0;
}

static void run(uint64_t most) {
  rig_begin(&r, &disks);
  rig_run(&r, BIG, most);
}

static void assert_ended(thirl_parcel_reason reason) {
  assert_true(r.sender_ended && r.receiver_ended);
  assert_int_equal(r.receiver_end, reason);
  assert_int_equal(r.sender_end, reason);
}

static void many_files_byte_by_byte_and_at_once(void **state) {
  (void)state;
  static const size_t steps[] = {1, 7, BIG};
  char name[32];
  for (int i = 0; i < 200; i++) {
    snprintf(name, sizeof name, "file-%d", i);
    (void)rig_add(&disks, name, (size_t)(i % 50) * 37, (unsigned)i);
  }
  (void)rig_add(&disks, "large", 300000, 1);
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    for (uint32_t k = 0; k < disks.offer.n; k++)
      disks.whole[k].there = false;
    rig_begin(&r, &disks);
    rig_run(&r, steps[i], 0);
    assert_ended(THIRL_PARCEL_OK);
    for (uint32_t k = 0; k < disks.offer.n; k++) {
      assert_true(rig_has(&disks, k));
      assert_int_equal(r.stored[k], THIRL_PARCEL_OK);
      assert_int_equal(r.told[k], 1);
    }
    assert_int_equal(r.receiver.tally.moved, disks.offer.bytes);
    assert_int_equal(r.sender.tally.moved, disks.offer.bytes);
    assert_int_equal(r.receiver.tally.passed, disks.offer.bytes);
    assert_int_equal(r.receiver.tally.reused, 0);
    assert_int_equal(r.receiver.tally.stored, 201);
    assert_int_equal(r.opened, 201);
    rig_end(&r);
  }
}

static void a_broken_transfer_goes_on_where_it_was(void **state) {
  (void)state;
  uint32_t a = rig_add(&disks, "a", 1000, 1), b = rig_add(&disks, "b", 900000, 2), c = rig_add(&disks, "c", 5000, 3);
  run(400000);
  assert_false(r.receiver_ended);
  assert_true(rig_has(&disks, a) && disks.part[b].there);
  size_t had = disks.part[b].n;
  assert_true(had > 200000 && had < 500000);
  rig_end(&r);
  run(0);
  assert_ended(THIRL_PARCEL_OK);
  assert_true(rig_has(&disks, a) && rig_has(&disks, b) && rig_has(&disks, c));
  assert_int_equal(r.receiver.tally.moved, 900000 - had + 5000);
  assert_int_equal(r.receiver.tally.reused, had + 1000);
  assert_int_equal(r.sender.tally.moved, 900000 - had + 5000);
  assert_int_equal(r.sender.tally.reused, had + 1000);
  assert_int_equal(r.kept, 1);
  assert_int_equal(r.again, 0);
  rig_end(&r);
  run(0); /* once more, for nothing */
  assert_ended(THIRL_PARCEL_OK);
  assert_int_equal(r.receiver.tally.moved, 0);
  assert_int_equal(r.kept, 3);
  rig_end(&r);
}

static void what_is_the_beginning_of_another_file_is_not_used(void **state) {
  (void)state;
  uint32_t a = rig_add(&disks, "a", 500000, 1);
  rig_put_part(&disks, a, 300000, false);
  run(0);
  assert_ended(THIRL_PARCEL_OK);
  assert_true(rig_has(&disks, a));
  assert_int_equal(r.again, 1);
  assert_int_equal(r.receiver.tally.moved, 500000);
  assert_int_equal(r.receiver.tally.reused, 0);
  rig_end(&r);
}

static void an_unfinished_file_that_is_longer_is_cut(void **state) {
  (void)state;
  uint32_t a = rig_add(&disks, "a", 1000, 1), b = rig_add(&disks, "b", 0, 1);
  rig_put_part(&disks, a, 1000, true);
  rig_put_part(&disks, b, 0, true);

  run(0);
  assert_ended(THIRL_PARCEL_OK);
  assert_true(rig_has(&disks, a) && rig_has(&disks, b));
  assert_int_equal(r.receiver.tally.moved, 0);
  rig_end(&r);
}

static void a_file_that_is_there_is_not_replaced_unasked(void **state) {
  (void)state;
  uint32_t a = rig_add(&disks, "a", 1000, 1), b = rig_add(&disks, "b", 1000, 1), c = rig_add(&disks, "c", 10, 1);
  rig_put_whole(&disks, a, 1000, false);
  rig_put_whole(&disks, b, 999, true);
  run(0);
  assert_ended(THIRL_PARCEL_PARTLY);
  assert_false(rig_has(&disks, a) || rig_has(&disks, b));
  assert_true(rig_has(&disks, c));
  assert_int_equal(r.stored[a], THIRL_PARCEL_EXISTS);
  assert_int_equal(r.stored[b], THIRL_PARCEL_EXISTS);
  assert_int_equal(r.stored[c], THIRL_PARCEL_OK);
  assert_int_equal(r.receiver.tally.failed, 2);
  rig_end(&r);
}

static void with_overwrite_it_is(void **state) {
  (void)state;
  uint32_t a = rig_add(&disks, "a", 200000, 1), b = rig_add(&disks, "b", 1000, 1), c = rig_add(&disks, "c", 700000, 1);
  rig_put_whole(&disks, a, 200000, false);
  rig_put_whole(&disks, b, 999, true);
  rig_put_whole(&disks, c, 700000, true); /* its hash is still being made when a turns out to be another */
  rig_begin(&r, &disks);
  r.overwrite = true;
  rig_run(&r, 1000, 0);
  assert_ended(THIRL_PARCEL_OK);
  assert_true(rig_has(&disks, a) && rig_has(&disks, b) && rig_has(&disks, c));
  assert_int_equal(r.receiver.tally.moved, 201000);
  assert_int_equal(r.kept, 1);
  rig_end(&r);
}

static void an_offer_can_be_declined(void **state) {
  (void)state;
  (void)rig_add(&disks, "a", 1000, 1);
  rig_begin(&r, &disks);
  r.decline = THIRL_PARCEL_DECLINED;
  rig_run(&r, BIG, 0);
  assert_ended(THIRL_PARCEL_DECLINED);
  assert_int_equal(r.opened, 0);
  rig_end(&r);
}

static void what_changed_on_the_way_is_not_kept(void **state) {
  (void)state;
  uint32_t a = rig_add(&disks, "a", 100000, 1);
  rig_begin(&r, &disks);
  r.spoil = 20000;
  rig_run(&r, BIG, 0);
  assert_ended(THIRL_PARCEL_PARTLY);
  assert_false(disks.whole[a].there);
  assert_int_equal(r.stored[a], THIRL_PARCEL_MISMATCH);
  assert_int_equal(r.dropped, 1);
  rig_end(&r);
}

static void what_the_sender_cannot_read_is_told_and_the_rest_comes(void **state) {
  (void)state;
  uint32_t a = rig_add(&disks, "a", 100, 1), b = rig_add(&disks, "b", 100, 1);
  disks.theirs[a].there = false;
  run(0);
  assert_ended(THIRL_PARCEL_PARTLY);
  assert_false(disks.whole[a].there);
  assert_int_equal(r.stored[a], THIRL_PARCEL_UNREADABLE);
  assert_true(rig_has(&disks, b));
  rig_end(&r);
}

static void a_file_that_changes_meanwhile_is_told(void **state) {
  (void)state;
  uint32_t a = rig_add(&disks, "a", 100000, 1), b = rig_add(&disks, "b", 1000, 1);
  disks.theirs[a].n = 70000; /* shorter than it was at the offer */
  rig_begin(&r, &disks);
  rig_run(&r, BIG, 0);
  assert_ended(THIRL_PARCEL_PARTLY);
  assert_int_equal(r.stored[a], THIRL_PARCEL_CHANGED);
  assert_true(rig_has(&disks, b));
  rig_end(&r);
  disks.whole[b].there = false;
  rig_begin(&r, &disks);
  r.check = THIRL_PARCEL_CHANGED;
  rig_run(&r, BIG, 0);
  assert_int_equal(r.stored[b], THIRL_PARCEL_CHANGED);
  assert_false(disks.whole[b].there);
  rig_end(&r);
}

/* ---- a sender that lies ---- */

static thirl_parcel_receiver liar_meets;
static thirl_parcel_action got;

static thirl_error say(thirl_parcel_message m, const void *data) {
  uint8_t bytes[8192];
  thirl_writer w = thirl_writer_of(bytes, sizeof bytes);
  thirl_parcel_wire_write(&w, &m);
  if (m.type == THIRL_PARCEL_DATA) thirl_writer_copy(&w, data, m.data.n);
  thirl_bytes in = thirl_writer_done(&w);
  assert_true(in.n > 0);
  memset(&got, 0, sizeof got);
  return thirl_parcel_receiver_step(&liar_meets, &in, &got);
}

static void greet(uint32_t entries, uint64_t bytes) {
  thirl_parcel_receiver_init(&liar_meets);
  assert_int_equal(say((thirl_parcel_message){.type = THIRL_PARCEL_HELLO, .role = 1}, NULL), THIRL_E_AGAIN);
  assert_int_equal(say((thirl_parcel_message){.type = THIRL_PARCEL_OFFER, .entries = entries, .bytes = bytes}, NULL),
                   THIRL_E_AGAIN);
}

static thirl_error offer(const char *name, uint64_t size) {
  return say((thirl_parcel_message){.type = THIRL_PARCEL_ENTRY,
                                    .entry = {.kind = 1, .size = size, .name = THIRL_BYTES(name, strlen(name))}},
             NULL);
}

/* One file of 10 bytes, and the WANT for it is said. */
static void want_ten(void) {
  thirl_bytes none = {NULL, 0};
  greet(1, 10);
  assert_int_equal(offer("a", 10), THIRL_OK);
  assert_int_equal(got.kind, THIRL_PARCEL_DO_ASK);
  thirl_parcel_receiver_accept(&liar_meets, false);
  assert_int_equal(thirl_parcel_receiver_step(&liar_meets, &none, &got), THIRL_OK);
  assert_int_equal(got.kind, THIRL_PARCEL_DO_PREPARE);
  thirl_parcel_receiver_prepared(&liar_meets, (thirl_parcel_have){.n = 0});
  assert_int_equal(thirl_parcel_receiver_step(&liar_meets, &none, &got), THIRL_E_AGAIN);
}

static void names_that_are_not_safe_end_it_before_anybody_is_asked(void **state) {
  (void)state;
  static const char *const names[] = {"../x", "/etc/passwd", "a/../../x", ".a.thirl-part"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    greet(2, 2);
    assert_int_equal(offer("good", 1), THIRL_E_AGAIN);
    assert_int_equal(offer(names[i], 1), THIRL_OK);
    assert_int_equal(got.kind, THIRL_PARCEL_TELL_END);
    assert_int_equal(got.reason, THIRL_PARCEL_NAME);
    assert_int_equal(got.data.n, strlen(names[i]));
    assert_int_equal(offer("more", 1), THIRL_E_AGAIN); /* nobody listens any more */
    thirl_parcel_receiver_fini(&liar_meets);
  }
  greet(3, 3);
  assert_int_equal(offer("twin", 1), THIRL_E_AGAIN);
  assert_int_equal(offer("other", 1), THIRL_E_AGAIN);
  assert_int_equal(offer("twin", 1), THIRL_OK);
  assert_int_equal(got.kind, THIRL_PARCEL_TELL_END);
  assert_int_equal(got.reason, THIRL_PARCEL_NAME);
  thirl_parcel_receiver_fini(&liar_meets);
}

static thirl_error offer_folder(const char *name) {
  return say((thirl_parcel_message){.type = THIRL_PARCEL_ENTRY,
                                    .entry = {.kind = THIRL_PARCEL_FOLDER, .name = THIRL_BYTES(name, strlen(name))}},
             NULL);
}

static void folders_that_were_not_told_are_not_made(void **state) {
  (void)state;
  greet(1, 1);
  assert_int_equal(offer("a/b/c", 1), THIRL_E_PROTOCOL);
  thirl_parcel_receiver_fini(&liar_meets);
  greet(2, 1);
  assert_int_equal(offer("a/b", 1), THIRL_E_AGAIN);
  assert_int_equal(offer_folder("a"), THIRL_E_PROTOCOL); /* too late */
  thirl_parcel_receiver_fini(&liar_meets);
  greet(2, 1);
  assert_int_equal(offer("a", 0), THIRL_E_AGAIN); /* no folder */
  assert_int_equal(offer("a/b", 1), THIRL_E_PROTOCOL);
  thirl_parcel_receiver_fini(&liar_meets);
  greet(3, 1);
  assert_int_equal(offer_folder("a"), THIRL_E_AGAIN);
  assert_int_equal(offer_folder("a/b"), THIRL_E_AGAIN);
  assert_int_equal(offer("a/b/c", 1), THIRL_OK);
  assert_int_equal(got.kind, THIRL_PARCEL_DO_ASK);
  thirl_parcel_receiver_fini(&liar_meets);
}

static void more_bytes_than_announced_are_refused(void **state) {
  (void)state;
  want_ten();
  thirl_parcel_message data = {.type = THIRL_PARCEL_DATA, .data = {NULL, 6}};
  assert_int_equal(say((thirl_parcel_message){.type = THIRL_PARCEL_BEGIN}, NULL), THIRL_OK);
  assert_int_equal(say(data, "123456"), THIRL_OK);
  assert_int_equal(got.kind, THIRL_PARCEL_DO_WRITE);
  assert_int_equal(say(data, "789012"), THIRL_E_PROTOCOL);
  assert_int_equal(say((thirl_parcel_message){.type = THIRL_PARCEL_DONE}, NULL), THIRL_E_PROTOCOL);
  thirl_parcel_receiver_fini(&liar_meets);
}

static void words_out_of_turn_are_refused(void **state) {
  (void)state;
  const thirl_parcel_message early = {.type = THIRL_PARCEL_DATA, .data = {NULL, 1}};
  const thirl_parcel_message wrong[] = {
      {.type = THIRL_PARCEL_BEGIN, .index = 1},                   /* another file */
      {.type = THIRL_PARCEL_BEGIN, .offset = 5},                  /* from where nobody asked */
      {.type = THIRL_PARCEL_DONE},                                /* too soon */
      {.type = THIRL_PARCEL_FAIL},                                /* without a reason */
      {.type = THIRL_PARCEL_HELLO, .role = 1},                    /* again */
      {.type = THIRL_PARCEL_OFFER, .entries = 1},                 /* again */
      {.type = THIRL_PARCEL_END, .index = THIRL_PARCEL_NO_ENTRY}, /* not the sender's to say */
      early,
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    want_ten();
    assert_int_equal(say(wrong[i], "x"), THIRL_E_PROTOCOL);
    thirl_parcel_receiver_fini(&liar_meets);
  }
  thirl_parcel_receiver_init(&liar_meets);
  assert_int_equal(say((thirl_parcel_message){.type = THIRL_PARCEL_OFFER, .entries = 1}, NULL), THIRL_E_PROTOCOL);
  thirl_parcel_receiver_fini(&liar_meets);
  thirl_parcel_receiver_init(&liar_meets);
  assert_int_equal(say((thirl_parcel_message){.type = THIRL_PARCEL_HELLO, .role = 2}, NULL), THIRL_E_STATE);
  thirl_parcel_receiver_fini(&liar_meets);
  greet(1, 11); /* bytes in all that are not the sum */
  assert_int_equal(offer("a", 10), THIRL_E_PROTOCOL);
  thirl_parcel_receiver_fini(&liar_meets);
}

static void too_many_files_are_refused_unseen(void **state) {
  (void)state;
  thirl_parcel_receiver_init(&liar_meets);
  (void)say((thirl_parcel_message){.type = THIRL_PARCEL_HELLO, .role = 1}, NULL);
  thirl_parcel_message m = {.type = THIRL_PARCEL_OFFER, .entries = THIRL_PARCEL_ENTRIES_MAX + 1};
  assert_int_equal(say(m, NULL), THIRL_OK);
  assert_int_equal(got.kind, THIRL_PARCEL_TELL_END);
  assert_int_equal(got.reason, THIRL_PARCEL_TOO_MANY);
  thirl_parcel_receiver_fini(&liar_meets);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, gone)
  const struct CMUnitTest tests[] = {
      TEST(many_files_byte_by_byte_and_at_once),
      TEST(a_broken_transfer_goes_on_where_it_was),
      TEST(what_is_the_beginning_of_another_file_is_not_used),
      TEST(an_unfinished_file_that_is_longer_is_cut),
      TEST(a_file_that_is_there_is_not_replaced_unasked),
      TEST(with_overwrite_it_is),
      TEST(an_offer_can_be_declined),
      TEST(what_changed_on_the_way_is_not_kept),
      TEST(what_the_sender_cannot_read_is_told_and_the_rest_comes),
      TEST(a_file_that_changes_meanwhile_is_told),
      cmocka_unit_test(names_that_are_not_safe_end_it_before_anybody_is_asked),
      cmocka_unit_test(folders_that_were_not_told_are_not_made),
      cmocka_unit_test(more_bytes_than_announced_are_refused),
      cmocka_unit_test(words_out_of_turn_are_refused),
      cmocka_unit_test(too_many_files_are_refused_unseen),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
