/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/virtio_net.h>

#include "base/rand.h"
#include "lab/frame/checksum.h"

static void sums_the_example_of_the_rfc(void **state) {
  (void)state;
  /* RFC 1071 section 3: 0001 f203 f4f5 f6f7 gives ddf2 */
  static const uint8_t in[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  assert_int_equal(thirl_lab_checksum_fold(thirl_lab_checksum_add(0, in, sizeof in)), 0xddf2);
  assert_int_equal(thirl_lab_checksum_fold(thirl_lab_checksum_add(0, in, 3)), 0xf201);
  assert_int_equal(thirl_lab_checksum_fold(thirl_lab_checksum_add(0xffffffff, in, 2)), 0x0001);
}

static void pseudo_headers_of_both_families(void **state) {
  (void)state;
  uint8_t v4[20] = {0x45}, v6[40] = {0x60};
  memcpy(v4 + 12, "\xc0\xa8\x01\x0a\xcb\x00\x71\x0a", 8);
  /* c0a8 + 010a + cb00 + 710a + 6 + 20 */
  assert_int_equal(thirl_lab_checksum_fold(thirl_lab_checksum_pseudo(v4, 6, 20)), 0xfdd7);
  v6[8] = 0x20;
  v6[39] = 0x01;
  assert_int_equal(thirl_lab_checksum_fold(thirl_lab_checksum_pseudo(v6, 17, 0x12345)), 0x2000 + 1 + 17 + 1 + 0x2345);
}

/* What is kept right while fields change is what a sum over all of it gives. */
static void replacing_is_summing_anew(void **state) {
  (void)state;
  thirl_dice dice;
  thirl_dice_seed(&dice, 1);
  for (int turn = 0; turn < 20000; turn++) {
    uint8_t data[20], new[4];
    for (size_t i = 0; i < sizeof data; i++)
      data[i] = turn % 3 == 0 ? 0 : turn % 3 == 1 ? 0xff : (uint8_t)thirl_dice_u64(&dice);
    for (size_t i = 0; i < sizeof new; i++)
      new[i] = turn % 5 == 0 ? 0 : turn % 5 == 1 ? 0xff : (uint8_t)thirl_dice_u64(&dice);
    bool unfinished = turn & 1;
    uint16_t sum = thirl_lab_checksum_fold(thirl_lab_checksum_add(0, data + 2, 18));
    uint16_t field = unfinished ? sum : (uint16_t)~sum;
    data[0] = (uint8_t)(field >> 8);
    data[1] = (uint8_t)field;
    thirl_lab_checksum_replace(data, data + 8, new, 4, unfinished);
    memcpy(data + 8, new, 4);
    uint16_t is = thirl_lab_checksum_fold(thirl_lab_checksum_add(0, data + 2, 18));
    uint16_t kept = (uint16_t)(data[0] << 8 | data[1]);
    if (!unfinished) kept = (uint16_t)~kept;
    assert_int_equal(kept % 0xffff, is % 0xffff); /* 0 and 0xffff are one number */
  }
}

static void finishes_what_the_card_would(void **state) {
  (void)state;
  struct virtio_net_hdr h = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 4, .csum_offset = 2};
  uint8_t vnet[sizeof h], frame[] = {9, 9, 9, 9, 0x00, 0x01, 0x00, 0x05, 0x10, 0x00, 0x07};
  memcpy(vnet, &h, sizeof h);
  assert_true(thirl_lab_checksum_is_unfinished(vnet));
  assert_true(thirl_lab_checksum_finish(vnet, frame, sizeof frame));
  assert_int_equal(frame[6] << 8 | frame[7], 0xffff - (0x0001 + 0x0005 + 0x1000 + 0x0700));
  assert_false(thirl_lab_checksum_is_unfinished(vnet));
  uint8_t before[sizeof frame];
  memcpy(before, frame, sizeof frame);
  assert_true(thirl_lab_checksum_finish(vnet, frame, sizeof frame)); /* nothing to do */
  assert_memory_equal(frame, before, sizeof frame);
  /* It may not point outside. */
  static const uint16_t lies[][2] = {{11, 0}, {10, 0}, {4, 6}, {0, 10}, {0xffff, 0xffff}, {9, 0xfff0}};
  for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
    h.csum_start = lies[i][0];
    h.csum_offset = lies[i][1];
    memcpy(vnet, &h, sizeof h);
    assert_false(thirl_lab_checksum_finish(vnet, frame, sizeof frame));
    assert_memory_equal(frame, before, sizeof frame);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sums_the_example_of_the_rfc),
      cmocka_unit_test(pseudo_headers_of_both_families),
      cmocka_unit_test(replacing_is_summing_anew),
      cmocka_unit_test(finishes_what_the_card_would),
  };
  return cmocka_run_group_tests_name("lab/checksum", tests, NULL, NULL);
}
