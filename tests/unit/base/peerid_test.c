/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base32.h"
#include "base/hash.h"
#include "base/peerid.h"
#include "base/rand.h"

enum { CHARACTERS = 35 };

static thirl_peerid random_id(thirl_dice *d) {
  thirl_peerid id;
  for (size_t i = 0; i < sizeof id.b; i++)
    id.b[i] = (uint8_t)thirl_dice_u64(d);
  return id;
}

/* The curve's base point, its hash and its text computed by another implementation. */
static void a_known_point_has_a_known_name(void **state) {
  (void)state;
  static const uint8_t point[65] = {0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5,
                                    0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4,
                                    0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a,
                                    0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33,
                                    0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};
  char text[THIRL_PEERID_TEXT_MAX];
  thirl_peerid id, back;
  assert_int_equal(thirl_peerid_of_public(THIRL_BYTES(point, sizeof point), &id), THIRL_OK);
  assert_memory_equal(id.b, "\x69\x8b\xea\x63\xdc\x44\xa3\x44\x66\x3f\xf1\x42\x9a\xea\x10\x84\x2d\xf2\x7b\x6b", 20);
  assert_string_equal(thirl_peerid_format(&id, text), "d65ym-ryw8j-hm8sh-zy519-ntggg-gpz4y-vbzp7");
  assert_int_equal(strlen(text) + 1, THIRL_PEERID_TEXT_MAX);
  assert_int_equal(thirl_peerid_parse(text, &back), THIRL_OK);
  assert_true(thirl_peerid_equal(&id, &back));
  back.b[19] ^= 1;
  assert_false(thirl_peerid_equal(&id, &back));
}

static void names_come_back_however_they_are_typed(void **state) {
  (void)state;
  thirl_dice d;
  thirl_dice_seed(&d, 4);
  for (int i = 0; i < 1000; i++) {
    thirl_peerid id = random_id(&d), back;
    char text[THIRL_PEERID_TEXT_MAX], typed[2 * THIRL_PEERID_TEXT_MAX];
    size_t n = 0;
    thirl_peerid_format(&id, text);
    assert_int_equal(thirl_peerid_parse(text, &back), THIRL_OK);
    assert_memory_equal(&back, &id, sizeof id);
    for (const char *c = text; *c; c++) { /* capitals, look-alikes, spaces for hyphens */
      char t = *c;
      uint64_t how = thirl_dice_below(&d, 3);
      if (t == '-') t = how ? ' ' : '-';
      if (t == '1' && how) t = how == 1 ? 'l' : 'I';
      if (t == '0' && how) t = how == 1 ? 'o' : 'O';
      if (t >= 'a' && t <= 'z' && how) t = (char)(t - 'a' + 'A');
      if (t != '-' || how == 0) typed[n++] = t;
    }
    typed[n] = '\0';
    assert_int_equal(thirl_peerid_parse(typed, &back), THIRL_OK);
    assert_memory_equal(&back, &id, sizeof id);
  }
}

/* Positions of the 35 characters in the text with hyphens. */
static size_t position(size_t i) {
  return i + i / 5;
}

static void every_wrong_character_is_found(void **state) {
  (void)state;
  thirl_dice d;
  thirl_dice_seed(&d, 5);
  for (int round = 0; round < 50; round++) {
    thirl_peerid id = random_id(&d), out;
    char text[THIRL_PEERID_TEXT_MAX];
    unsigned found = 0;
    thirl_peerid_format(&id, text);
    for (size_t i = 0; i < CHARACTERS; i++) {
      char right = text[position(i)];
      for (unsigned v = 0; v < 32; v++) {
        text[position(i)] = thirl_base32_char(v);
        if (text[position(i)] == right) continue;
        memset(&out, 0xee, sizeof out);
        assert_int_equal(thirl_peerid_parse(text, &out), THIRL_E_CHECKSUM);
        assert_memory_equal(&out, &(thirl_peerid){{0}}, sizeof out);
        found++;
      }
      text[position(i)] = right;
    }
    assert_int_equal(found, CHARACTERS * 31);
  }
}

static void every_swap_of_neighbours_is_found(void **state) {
  (void)state;
  thirl_dice d;
  thirl_dice_seed(&d, 6);
  for (int round = 0; round < 2000; round++) {
    thirl_peerid id = random_id(&d), out;
    char text[THIRL_PEERID_TEXT_MAX];
    thirl_peerid_format(&id, text);
    for (size_t i = 0; i + 1 < CHARACTERS; i++) {
      char *a = &text[position(i)], *b = &text[position(i + 1)], t = *a;
      bool same = *a == *b;
      *a = *b;
      *b = t;
      assert_int_equal(thirl_peerid_parse(text, &out), same ? THIRL_OK : THIRL_E_CHECKSUM);
      t = *a;
      *a = *b;
      *b = t;
    }
  }
}

static void two_wrong_neighbours_are_found(void **state) {
  (void)state;
  thirl_dice d;
  thirl_dice_seed(&d, 7);
  thirl_peerid id = random_id(&d), out;
  char text[THIRL_PEERID_TEXT_MAX], right[THIRL_PEERID_TEXT_MAX];
  thirl_peerid_format(&id, right);
  for (size_t i = 0; i + 1 < CHARACTERS; i++)
    for (unsigned v = 0; v < 1024; v++) {
      memcpy(text, right, sizeof text);
      text[position(i)] = thirl_base32_char(v >> 5);
      text[position(i + 1)] = thirl_base32_char(v & 31);
      assert_int_equal(thirl_peerid_parse(text, &out), strcmp(text, right) ? THIRL_E_CHECKSUM : THIRL_OK);
    }
}

static void what_is_no_name_is_refused(void **state) {
  (void)state;
  static const char *const texts[] = {"",
                                      "-",
                                      "d65ym-ryw8j-hm8sh-zy519-ntggg-gpz4y-vbzp",
                                      "d65ym-ryw8j-hm8sh-zy519-ntggg-gpz4y-vbzp77",
                                      "d65ym-ryw8j-hm8sh-zy519-ntggg-gpz4y-vbzpu",
                                      "d65ym_ryw8j_hm8sh_zy519_ntggg_gpz4y_vbzp7",
                                      "d65ym-ryw8j-hm8sh-zy519-ntggg-gpz4y-vbzp7\n",
                                      "thirl:d65ym-ryw8j-hm8sh-zy519-ntggg-gpz4y-vbzp7"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    thirl_peerid out;
    memset(&out, 0xee, sizeof out);
    assert_int_equal(thirl_peerid_parse(texts[i], &out), THIRL_E_SYNTAX);
    assert_memory_equal(&out, &(thirl_peerid){{0}}, sizeof out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_known_point_has_a_known_name), cmocka_unit_test(names_come_back_however_they_are_typed),
      cmocka_unit_test(every_wrong_character_is_found), cmocka_unit_test(every_swap_of_neighbours_is_found),
      cmocka_unit_test(two_wrong_neighbours_are_found), cmocka_unit_test(what_is_no_name_is_refused),
  };
  return cmocka_run_group_tests_name("base/peerid", tests, NULL, NULL);
}
