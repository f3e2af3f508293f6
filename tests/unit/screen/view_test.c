/* SPDX-License-Identifier: MIT */
/* The screen as a person sees it: exact rows of a terminal of cells (support/cells.h), whatever arrives while something is typed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "screen/view.h"
#include "support/cells.h"

typedef struct desk {
  thirl_screen_view *v;
  cells *t;
} desk;

static desk sit_down_with(unsigned columns, unsigned rows, bool dumb, bool color, bool ascii) {
  desk d = {malloc(sizeof *d.v), malloc(sizeof *d.t)};
  thirl_screen_look look = {.columns = columns, .rows = rows, .dumb = dumb, .color = color, .ascii = ascii};
  assert_non_null(d.v);
  assert_non_null(d.t);
  thirl_screen_view_init(d.v, &look);
  cells_init(d.t, columns, rows, dumb);
  return d;
}

static desk sit_down(unsigned columns, unsigned rows) {
  return sit_down_with(columns, rows, false, true, false);
}

static void stand_up(desk *d) {
  thirl_screen_view_fini(d->v);
  free(d->v);
  free(d->t);
}

static void look(desk *d) {
  thirl_bytes b = thirl_screen_view_output(d->v);
  cells_write(d->t, b.p, b.n);
  thirl_screen_view_consume(d->v, b.n);
  if (d->t->bad) fail_msg("%s", d->t->why);
}

static thirl_screen_action type(desk *d, const char *keys) {
  thirl_screen_action a = THIRL_SCREEN_NOTHING;
  for (; *keys; keys++) {
    thirl_screen_action this = thirl_screen_view_key(d->v, (uint8_t)*keys);
    if (this != THIRL_SCREEN_NOTHING) a = this;
  }
  look(d);
  return a;
}

static void press(desk *d, thirl_key key) {
  assert_int_equal(thirl_screen_view_key(d->v, key), THIRL_SCREEN_NOTHING);
  look(d);
}

static void hear(desk *d, const char *text) {
  thirl_screen_view_theirs(d->v, "12:03", THIRL_BYTES(text, strlen(text)));
  look(d);
}

/* Enter. */
static void send(desk *d, uint32_t number) {
  uint8_t text[THIRL_SCREEN_LINE_MAX];
  assert_int_equal(thirl_screen_view_key(d->v, '\r'), THIRL_SCREEN_SEND);
  thirl_bytes b = {text, thirl_screen_view_read(d->v, text)};
  thirl_screen_view_ours(d->v, "12:04", b, number);
  assert_int_equal(thirl_screen_view_sent(d->v), 0);
  look(d);
}

static void set_status(desk *d) {
  thirl_screen_part parts[3] = {
      {THIRL_SCREEN_PLAIN, "peer 5x3kq2ab"}, {THIRL_SCREEN_GOOD, "direct TCP"}, {THIRL_SCREEN_PLAIN, "12 ms"}};
  thirl_screen_view_status(d->v, parts, 3);
  look(d);
}

/* The whole screen; what is below the last row given is empty. */
static void assert_rows(const desk *d, const char *const *rows, unsigned n) {
  for (unsigned y = 0; y < d->t->rows; y++)
    assert_string_equal(cells_row(d->t, y), y < n ? rows[y] : "");
}
#define ROWS(...)                                                                                                      \
  do {                                                                                                                 \
    const char *const rows_[] = {__VA_ARGS__};                                                                         \
    assert_rows(&d, rows_, sizeof rows_ / sizeof *rows_);                                                              \
  } while (0)

static void assert_cursor(const desk *d, unsigned x, unsigned y) {
  assert_int_equal(d->t->x, x);
  assert_int_equal(d->t->y, y);
}

#define BAR "── peer 5x3kq2ab ── direct TCP ── 12 ms ──"

static void a_message_leaves_the_line_whole(void **state) {
  (void)state;
  desk d = sit_down(60, 8);
  set_status(&d);
  ROWS(BAR, ">");
  type(&d, "half typ");
  press(&d, THIRL_KEY_LEFT);
  press(&d, THIRL_KEY_LEFT);
  hear(&d, "hello");
  ROWS("12:03 peer   hello", BAR, "> half typ");
  assert_cursor(&d, 8, 2);
  press(&d, THIRL_KEY_END);
  type(&d, "ed");
  hear(&d, "a longer one, which does not fit in the sixty columns that there are");
  ROWS("12:03 peer   hello", "12:03 peer   a longer one, which does not fit in the sixty",
       "             columns that there are", BAR, "> half typed");
  assert_cursor(&d, 12, 4);
  send(&d, 1);
  ROWS("12:03 peer   hello", "12:03 peer   a longer one, which does not fit in the sixty",
       "             columns that there are", "12:04  you · half typed", BAR, ">");
  for (int i = 0; i < 9; i++)
    hear(&d, i % 2 ? "odd" : "even");
  type(&d, "x");
  ROWS("12:03 peer   odd", "12:03 peer   even", "12:03 peer   odd", "12:03 peer   even", "12:03 peer   odd",
       "12:03 peer   even", BAR, "> x");
  assert_cursor(&d, 3, 7);
  stand_up(&d);
}

static void marks_appear_where_the_message_stands(void **state) {
  (void)state;
  desk d = sit_down(60, 6);
  set_status(&d);
  type(&d, "one");
  send(&d, 1);
  type(&d, "two");
  send(&d, 2);
  type(&d, "ty");
  thirl_screen_view_mark(d.v, 1);
  look(&d);
  ROWS("12:04  you ✓ one", "12:04  you · two", BAR, "> ty");
  assert_cursor(&d, 4, 3);
  hear(&d, "a");
  thirl_screen_view_mark(d.v, 2);
  hear(&d, "b"); /* both before the terminal was written to again */
  ROWS("12:04  you ✓ one", "12:04  you ✓ two", "12:03 peer   a", "12:03 peer   b", BAR, "> ty");
  type(&d, "pe");
  send(&d, 3);
  for (int i = 0; i < 4; i++)
    hear(&d, "c");
  thirl_screen_view_mark(d.v, 3); /* it has left the screen: nothing else gets its mark */
  look(&d);
  ROWS("12:03 peer   c", "12:03 peer   c", "12:03 peer   c", "12:03 peer   c", BAR, ">");
  stand_up(&d);
}

static void wide_characters_at_the_edge(void **state) {
  (void)state;
  desk d = sit_down(20, 6);
  hear(&d, "日本語日本語日");
  ROWS("peer   日本語日本語", "       日", "──", ">");
  hear(&d, "a日本語日本語");
  ROWS("peer   日本語日本語", "       日", "peer   a日本語日本", "       語", "──", ">");
  for (int i = 0; i < 9; i++)
    (void)thirl_screen_view_key(d.v, 0x65e5);
  look(&d);
  assert_string_equal(cells_row(d.t, 5), "‹ 日日日日日");
  assert_true(d.t->x <= 18);
  assert_cursor(&d, 12, 5);
  press(&d, THIRL_KEY_HOME);
  assert_string_equal(cells_row(d.t, 5), "> 日日日日日日日日›");
  assert_cursor(&d, 2, 5);
  stand_up(&d);
}

static void forty_columns_and_ten(void **state) {
  (void)state;
  desk d = sit_down(40, 5);
  set_status(&d);
  hear(&d, "a message for a narrow window, with words");
  ROWS("peer   a message for a narrow window,", "       with words", "── peer 5x3kq2ab ── direct TCP ── 12 ms", ">");
  stand_up(&d);
  d = sit_down(10, 6);
  set_status(&d);
  hear(&d, "a message");
  type(&d, "0123456789");
  ROWS("< a", "  message", "── peer 5", "‹ 6789");
  assert_cursor(&d, 6, 3);
  send(&d, 1);
  thirl_screen_view_mark(d.v, 1);
  look(&d);
  ROWS("< a", "  message", "✓ 0123456", "  789", "── peer 5", ">");
  stand_up(&d);
  d = sit_down(1, 1); /* nothing can be read there, and nothing breaks */
  hear(&d, "a message");
  type(&d, "0123456789");
  send(&d, 1);
  stand_up(&d);
}

static void another_size(void **state) {
  (void)state;
  desk d = sit_down(60, 8);
  set_status(&d);
  hear(&d, "one");
  type(&d, "half typed, and a bit more");
  cells_resize(d.t, 30, 8);
  thirl_screen_view_resize(d.v, 30, 8);
  look(&d);
  ROWS("12:03 peer   one", "── peer 5x3kq2ab ── direct TC", "> half typed, and a bit more");
  assert_cursor(&d, 28, 2);
  cells_resize(d.t, 20, 8);
  thirl_screen_view_resize(d.v, 20, 8);
  look(&d);
  ROWS("12:03 peer   one", "── peer 5x3kq2ab ──", "‹ a bit more");
  cells_resize(d.t, 70, 4);
  thirl_screen_view_resize(d.v, 70, 4);
  hear(&d, "two");
  ROWS("12:03 peer   one", "12:03 peer   two", BAR, "> half typed, and a bit more");
  cells_resize(d.t, 70, 2); /* no room for the status */
  thirl_screen_view_resize(d.v, 70, 2);
  look(&d);
  assert_string_equal(cells_row(d.t, d.t->y), "> half typed, and a bit more");
  hear(&d, "three");
  ROWS("12:03 peer   three", "> half typed, and a bit more");
  stand_up(&d);
}

static void after_a_stop_it_begins_below(void **state) {
  (void)state;
  desk d = sit_down(60, 8);
  hear(&d, "one");
  type(&d, "half");
  thirl_screen_view_leave(d.v);
  thirl_bytes b = thirl_screen_view_rest(d.v);
  cells_write(d.t, b.p, b.n);
  thirl_screen_view_consume(d.v, b.n);
  ROWS("12:03 peer   one");
  assert_cursor(&d, 0, 1);
  cells_write(d.t, "$ fg\r\nthirl", 11);
  thirl_screen_view_renew(d.v);
  look(&d);
  ROWS("12:03 peer   one", "$ fg", "──", "> half");
  stand_up(&d);
}

static void nothing_of_the_peer_is_obeyed(void **state) {
  (void)state;
  desk d = sit_down(70, 12);
  hear(&d, "\033[2J\033]0;title\a\033[31mred\r\b\x7f");
  hear(&d, "\xc2\x9b"
           "2J \xe2\x80\xae"
           "evil\xe2\x80\xac \xff\xc0\xaf \xed\xa0\x80");
  hear(&d, "one\n12:04  you ✓ I agree");
  hear(&d, "\xcc\x81"
           "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81");
  ROWS("12:03 peer   ^[[2J^[]0;title^G^[[31mred^M^H^?", "12:03 peer   <U+009B>2J <U+202E>evil<U+202C> ��� ���",
       "12:03 peer   one", "             12:04  you ✓ I agree",
       "12:03 peer   ◌\xcc\x81"
       "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81",
       "──", ">");
  stand_up(&d);
}

static void a_dumb_terminal_gets_plain_lines(void **state) {
  (void)state;
  desk d = sit_down_with(40, 6, true, true, false);
  set_status(&d);
  type(&d, "half");
  press(&d, THIRL_KEY_HOME);
  hear(&d, "hi");
  ROWS("peer   hi", "> half");
  assert_cursor(&d, 2, 1);
  press(&d, THIRL_KEY_DELETE);
  assert_string_equal(cells_row(d.t, 1), "> alf");
  press(&d, THIRL_KEY_END);
  press(&d, THIRL_KEY_BACKSPACE);
  assert_string_equal(cells_row(d.t, 1), "> al");
  assert_cursor(&d, 4, 1);
  send(&d, 1);
  thirl_screen_view_mark(d.v, 1);
  look(&d);
  ROWS("peer   hi", " you   al", ">");
  assert_int_equal(d.t->colors, 0);
  stand_up(&d);
}

static void without_colors_and_beyond_ascii(void **state) {
  (void)state;
  desk d = sit_down_with(60, 6, false, false, true);
  set_status(&d);
  hear(&d, "caf\xc3\xa9 \xdb\xdb");
  type(&d, "tea");
  send(&d, 1);
  thirl_screen_view_mark(d.v, 1);
  (void)thirl_screen_view_key(d.v, 0xe9);
  look(&d);
  ROWS("12:03 peer   caf<U+00E9> ??", "12:04  you + tea", "-- peer 5x3kq2ab -- direct TCP -- 12 ms --", "> ?");
  assert_int_equal(d.t->colors, 0);
  stand_up(&d);
  d = sit_down(60, 6);
  hear(&d, "x");
  assert_true(d.t->colors > 0);
  stand_up(&d);
}

static void tildes(void **state) {
  (void)state;
  desk d = sit_down(60, 6);
  assert_int_equal(type(&d, "~."), THIRL_SCREEN_LEAVE);
  assert_int_equal(type(&d, "~?"), THIRL_SCREEN_HELP);
  assert_int_equal(type(&d, "~s"), THIRL_SCREEN_STATS);
  assert_string_equal(cells_row(d.t, 1), ">");
  assert_int_equal(type(&d, "~~."), THIRL_SCREEN_NOTHING);
  assert_string_equal(cells_row(d.t, 1), "> ~.");
  press(&d, 'U' - 64);
  assert_int_equal(type(&d, "~x."), THIRL_SCREEN_NOTHING);
  assert_string_equal(cells_row(d.t, 1), "> ~x.");
  press(&d, 'U' - 64);
  assert_int_equal(type(&d, " ~."), THIRL_SCREEN_NOTHING);
  press(&d, 'U' - 64);
  press(&d, THIRL_KEY_PASTE_BEGIN);
  assert_int_equal(type(&d, "~.\r\033\004"), THIRL_SCREEN_NOTHING);
  press(&d, THIRL_KEY_PASTE_END);
  assert_string_equal(cells_row(d.t, 1), "> ~.↵");
  assert_int_equal(thirl_screen_view_key(d.v, 'D' - 64), THIRL_SCREEN_NOTHING);
  press(&d, 'U' - 64);
  assert_int_equal(thirl_screen_view_key(d.v, 'D' - 64), THIRL_SCREEN_LEAVE);
  assert_int_equal(thirl_screen_view_key(d.v, 'C' - 64), THIRL_SCREEN_INTERRUPT);
  assert_int_equal(thirl_screen_view_key(d.v, 'Z' - 64), THIRL_SCREEN_STOP);
  assert_int_equal(thirl_screen_view_key(d.v, '\\' - 64), THIRL_SCREEN_QUIT);
  assert_int_equal(thirl_screen_view_key(d.v, THIRL_KEY_END_OF_INPUT), THIRL_SCREEN_LEAVE);
  assert_int_equal(thirl_screen_view_key(d.v, '\r'), THIRL_SCREEN_NOTHING); /* nothing to send */
  stand_up(&d);
}

static void what_was_said_comes_back(void **state) {
  (void)state;
  desk d = sit_down(60, 8);
  type(&d, "first");
  send(&d, 1);
  type(&d, "second");
  send(&d, 2);
  type(&d, "draft");
  press(&d, THIRL_KEY_UP);
  assert_string_equal(cells_row(d.t, 3), "> second");
  press(&d, THIRL_KEY_UP);
  press(&d, THIRL_KEY_UP);
  assert_string_equal(cells_row(d.t, 3), "> first");
  press(&d, THIRL_KEY_DOWN);
  press(&d, THIRL_KEY_DOWN);
  press(&d, THIRL_KEY_DOWN);
  assert_string_equal(cells_row(d.t, 3), "> draft");
  assert_cursor(&d, 7, 3);
  stand_up(&d);
}

/* So many lines of a message are shown, and then a mark; one that just fits has none. */
static void a_message_of_many_lines(void **state) {
  (void)state;
  uint8_t text[THIRL_SCREEN_VIEW_TEXT_MAX];
  memset(text, '\n', sizeof text);
  for (size_t lines = THIRL_SCREEN_VIEW_LINES_MAX; lines <= sizeof text; lines += 1998) {
    desk d = sit_down(40, 24);
    size_t more = lines > THIRL_SCREEN_VIEW_LINES_MAX;
    thirl_screen_view_theirs(d.v, "12:03", THIRL_BYTES(text, lines));
    assert_int_equal(d.v->row, THIRL_SCREEN_VIEW_LINES_MAX + more);
    look(&d);
    assert_string_equal(cells_row(d.t, 21), more ? "       ..." : "");
    stand_up(&d);
  }
}

/* Nobody takes what is to be written: it says when it is enough, and never holds more than its maximum. */
static void a_slow_terminal(void **state) {
  (void)state;
  desk d = sit_down(8, 4);
  static uint8_t text[THIRL_SCREEN_VIEW_TEXT_MAX + 1];
  memset(text, 1, sizeof text);
  int n = 0;
  for (; n < 1000 && !thirl_screen_view_is_full(d.v); n++)
    thirl_screen_view_theirs(d.v, "12:03", THIRL_BYTES(text, sizeof text));
  assert_in_range(n, 1, 20);
  for (int i = 0; i < 20; i++)
    thirl_screen_view_theirs(d.v, "12:03", THIRL_BYTES(text, sizeof text));
  assert_true(thirl_screen_view_output(d.v).n <= THIRL_SCREEN_PEN_MAX);
  look(&d);
  stand_up(&d);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_message_leaves_the_line_whole),
      cmocka_unit_test(marks_appear_where_the_message_stands),
      cmocka_unit_test(wide_characters_at_the_edge),
      cmocka_unit_test(forty_columns_and_ten),
      cmocka_unit_test(another_size),
      cmocka_unit_test(after_a_stop_it_begins_below),
      cmocka_unit_test(nothing_of_the_peer_is_obeyed),
      cmocka_unit_test(a_dumb_terminal_gets_plain_lines),
      cmocka_unit_test(without_colors_and_beyond_ascii),
      cmocka_unit_test(tildes),
      cmocka_unit_test(what_was_said_comes_back),
      cmocka_unit_test(a_message_of_many_lines),
      cmocka_unit_test(a_slow_terminal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
