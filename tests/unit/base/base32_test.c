/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base32.h"
#include "base/rand.h"

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

static void characters_are_crockfords(void **state) {
  (void)state;
  for (unsigned v = 0; v < 32; v++) {
    assert_int_equal(thirl_base32_char(v), alphabet[v]);
    assert_int_equal(thirl_base32_value(alphabet[v]), (int)v);
  }
  for (int c = 0; c < 256; c++) {
    int lower = c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
    const char *at = lower ? strchr(alphabet, lower) : NULL;
    int want = at ? (int)(at - alphabet) : lower == 'o' ? 0 : lower == 'i' || lower == 'l' ? 1 : -1;
    assert_int_equal(thirl_base32_value((char)c), want);
  }
}

static void known_texts(void **state) {
  (void)state;
  static const struct {
    const char *bytes, *text;
  } rows[] = {{"", ""},
              {"f", "cr"},
              {"fo", "csqg"},
              {"foo", "csqpy"},
              {"foob", "csqpyrg"},
              {"fooba", "csqpyrk1"},
              {"foobar", "csqpyrk1e8"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char out[32];
    uint8_t back[16];
    size_t n, len = strlen(rows[i].bytes);
    assert_int_equal(THIRL_BASE32_LEN(len), strlen(rows[i].text));
    assert_int_equal(thirl_base32_encode(THIRL_BYTES(rows[i].bytes, len), out, strlen(rows[i].text) + 1), THIRL_OK);
    assert_string_equal(out, rows[i].text);
    assert_int_equal(thirl_base32_encode(THIRL_BYTES(rows[i].bytes, len), out, strlen(rows[i].text)), THIRL_E_SPACE);
    assert_int_equal(thirl_base32_decode(rows[i].text, strlen(rows[i].text), back, len, &n), THIRL_OK);
    assert_int_equal(n, len);
    assert_memory_equal(back, rows[i].bytes, len);
    if (len == 0) continue;
    assert_int_equal(thirl_base32_decode(rows[i].text, strlen(rows[i].text), back, len - 1, &n), THIRL_E_SPACE);
  }
}

static void everything_comes_back(void **state) {
  (void)state;
  thirl_dice d;
  thirl_dice_seed(&d, 9);
  for (int i = 0; i < 3000; i++) {
    uint8_t b[70], back[70];
    char text[THIRL_BASE32_LEN(70) + 1];
    size_t n = (size_t)thirl_dice_below(&d, 71), got;
    for (size_t k = 0; k < n; k++)
      b[k] = (uint8_t)thirl_dice_u64(&d);
    assert_int_equal(thirl_base32_encode(THIRL_BYTES(b, n), text, sizeof text), THIRL_OK);
    assert_int_equal(strlen(text), THIRL_BASE32_LEN(n));
    assert_int_equal(strspn(text, alphabet), strlen(text));
    assert_int_equal(thirl_base32_decode(text, strlen(text), back, sizeof back, &got), THIRL_OK);
    assert_int_equal(got, n);
    assert_memory_equal(back, b, n);
  }
}

static void reading_forgives_people(void **state) {
  (void)state;
  uint8_t out[8];
  size_t n;
  assert_int_equal(thirl_base32_decode("CSQP-YRK1", 9, out, 8, &n), THIRL_OK);
  assert_memory_equal(out, "fooba", 5);
  assert_int_equal(thirl_base32_decode("-csqpyrkI-", 10, out, 8, &n), THIRL_OK);
  assert_memory_equal(out, "fooba", 5);
  assert_int_equal(thirl_base32_decode("csqpyrkl", 8, out, 8, &n), THIRL_OK);
  assert_memory_equal(out, "fooba", 5);
  assert_int_equal(thirl_base32_decode("oO", 2, out, 8, &n), THIRL_OK);
  assert_int_equal(n, 1);
  assert_int_equal(out[0], 0);
}

static void reading_refuses_what_no_one_wrote(void **state) {
  (void)state;
  static const char *const texts[] = {"u0",       "c r",  "cr=",    "c\n", "csq\xc3", /* foreign characters */
                                      "0",        "000",  "000000", /* a character more than the bytes need */
                                      "cs",       "csqh",           /* leftover bits that are not zero */
                                      "csqpyrk1z"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    uint8_t out[8];
    size_t n;
    assert_int_equal(thirl_base32_decode(texts[i], strlen(texts[i]), out, sizeof out, &n), THIRL_E_SYNTAX);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(characters_are_crockfords),
      cmocka_unit_test(known_texts),
      cmocka_unit_test(everything_comes_back),
      cmocka_unit_test(reading_forgives_people),
      cmocka_unit_test(reading_refuses_what_no_one_wrote),
  };
  return cmocka_run_group_tests_name("base/base32", tests, NULL, NULL);
}
