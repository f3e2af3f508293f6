/* SPDX-License-Identifier: MIT */
/* The line: "|" is the cursor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "screen/line.h"
#include "screen/utf8.h"

#define CTRL(letter) ((letter)-64)

static thirl_screen_line line;

static void type(const char *text) {
  thirl_bytes in = THIRL_BYTES(text, strlen(text));
  uint32_t c;
  while (in.n > 0) {
    assert_true(thirl_screen_utf8_read(&in, &c));
    assert_true(thirl_screen_line_key(&line, (thirl_key)c));
  }
}

static void begin(const char *text) {
  thirl_screen_line_init(&line);
  type(text);
}

static void press(thirl_key key) {
  assert_true(thirl_screen_line_key(&line, key));
}

static void expect(const char *with_cursor) {
  char got[256];
  size_t n = 0;
  for (size_t i = 0; i <= line.n; i++) {
    if (i == line.at) got[n++] = '|';
    if (i < line.n) n += thirl_screen_utf8_write(line.text[i], (uint8_t *)got + n);
  }
  got[n] = '\0';
  assert_string_equal(got, with_cursor);
  assert_int_equal(line.bytes, n - 1);
}

static void moving(void **state) {
  (void)state;
  begin("one two-three");
  expect("one two-three|");
  press(THIRL_KEY_HOME);
  press(THIRL_KEY_LEFT);
  expect("|one two-three");
  press(THIRL_KEY_RIGHT | THIRL_KEY_CTRL);
  expect("one| two-three");
  press('f' | THIRL_KEY_ALT);
  expect("one two|-three");
  press(CTRL('E'));
  press(THIRL_KEY_RIGHT);
  press('b' | THIRL_KEY_ALT);
  expect("one two-|three");
  press(THIRL_KEY_LEFT | THIRL_KEY_CTRL);
  expect("one |two-three");
  press(CTRL('B'));
  type("x");
  expect("onex| two-three");
  press(CTRL('A'));
  press(CTRL('F'));
  expect("o|nex two-three");
}

static void deleting(void **state) {
  (void)state;
  begin("abc");
  press(THIRL_KEY_BACKSPACE);
  expect("ab|");
  press(THIRL_KEY_HOME);
  press(THIRL_KEY_BACKSPACE);
  press(THIRL_KEY_DELETE);
  expect("|b");
  press(CTRL('D'));
  press(CTRL('D'));
  expect("|");
}

static void cutting(void **state) {
  (void)state;
  begin("one two three");
  press(CTRL('W'));
  press(CTRL('W'));
  expect("one |");
  press(CTRL('Y'));
  expect("one two three|");
  press(CTRL('A'));
  press('d' | THIRL_KEY_ALT);
  expect("| two three");
  press(CTRL('K'));
  expect("|");
  press(CTRL('Y'));
  press(CTRL('Y'));
  expect("one two threeone two three|");
  press(THIRL_KEY_BACKSPACE | THIRL_KEY_ALT);
  press(CTRL('U'));
  expect("|");
  press(CTRL('Y'));
  expect("one two threeone two three|");
}

static void marks_belong_to_their_character(void **state) {
  (void)state;
  begin("\xcc\x81"
        "ae\xcc\x81\xcc\xa3"
        "b");
  expect("ae\xcc\x81\xcc\xa3"
         "b|");
  press(THIRL_KEY_LEFT);
  press(THIRL_KEY_LEFT);
  expect("a|e\xcc\x81\xcc\xa3"
         "b");
  press(THIRL_KEY_RIGHT);
  expect("ae\xcc\x81\xcc\xa3|b");
  press(THIRL_KEY_BACKSPACE);
  expect("a|b");
  begin("a-\xcc\x81 b");
  press('b' | THIRL_KEY_ALT);
  press('b' | THIRL_KEY_ALT);
  press('f' | THIRL_KEY_ALT);
  type("x");
  expect("ax|-\xcc\x81 b");
}

static void what_is_no_character_is_not_taken(void **state) {
  (void)state;
  begin("a");
  assert_false(thirl_screen_line_key(&line, THIRL_KEY_F1));
  assert_false(thirl_screen_line_key(&line, '\t'));
  assert_false(thirl_screen_line_key(&line, 0x202e));
  assert_false(thirl_screen_line_key(&line, 0x9b));
  assert_false(thirl_screen_line_key(&line, 'x' | THIRL_KEY_ALT));
  expect("a|");
}

static void a_paste_is_text(void **state) {
  (void)state;
  begin("");
  press(THIRL_KEY_PASTE_BEGIN);
  type("a\tb\r\001\033c");
  press(THIRL_KEY_LEFT);
  press(THIRL_KEY_PASTE_END);
  expect("a b\nc|");
}

static void a_line_has_an_end(void **state) {
  (void)state;
  static uint8_t text[THIRL_SCREEN_LINE_MAX];
  begin("\xe2\x82\xac");
  for (int i = 0; i < 2 * THIRL_SCREEN_LINE_MAX; i++)
    press('x');
  assert_int_equal(line.bytes, THIRL_SCREEN_LINE_MAX);
  assert_int_equal(line.refused, THIRL_SCREEN_LINE_MAX + 3);
  assert_int_equal(thirl_screen_line_read(&line, text), THIRL_SCREEN_LINE_MAX);
  assert_memory_equal(text, "\xe2\x82\xacxxx", 6);
  press(CTRL('U'));
  assert_int_equal(line.refused, 0);
  press(CTRL('Y'));
  press(CTRL('Y'));
  assert_int_equal(line.bytes, THIRL_SCREEN_LINE_MAX);
}

static void another_text(void **state) {
  (void)state;
  begin("abc");
  thirl_screen_line_set(&line, THIRL_BYTES("x\ny\033\xff\xcc\x81", 7));
  expect("x\ny\xcc\x81|");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(moving),
      cmocka_unit_test(deleting),
      cmocka_unit_test(cutting),
      cmocka_unit_test(marks_belong_to_their_character),
      cmocka_unit_test(what_is_no_character_is_not_taken),
      cmocka_unit_test(a_paste_is_text),
      cmocka_unit_test(a_line_has_an_end),
      cmocka_unit_test(another_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
