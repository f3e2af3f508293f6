/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "apps/pages/inline.h"

static char out[4096];

static void writes(void (*write)(const char *, FILE *), const char *text, const char *wanted) {
  memset(out, 0, sizeof out);
  FILE *f = fmemopen(out, sizeof out - 1, "w");
  assert_non_null(f);
  write(text, f);
  assert_int_equal(fclose(f), 0);
  assert_string_equal(out, wanted);
}

static void each_sentence_has_its_line(void **state) {
  (void)state;
  writes(inline_text, "One. Two (or so). Three", "One.\nTwo (or so).\nThree\n");
  writes(inline_text, "at 3478. And 203.0.113.10 too, \"this.\" Yes",
         "at 3478.\nAnd 203.0.113.10 too, \"this.\"\nYes\n");
  writes(inline_text, ".so it is \\n", "\\&.so it is \\en\n");
}

static void lines_are_not_too_long(void **state) {
  char text[400] = "";
  (void)state;
  for (int i = 0; i < 60; i++)
    strcat(text, "abcde ");
  memset(out, 0, sizeof out);
  FILE *f = fmemopen(out, sizeof out - 1, "w");
  inline_text(text, f);
  fclose(f);
  size_t lines = 0;
  for (const char *line = out; *line; line += strcspn(line, "\n") + 1, lines++)
    assert_true(strcspn(line, "\n") <= 80);
  assert_int_equal(lines, 5);
}

static void what_it_looks_like_is_what_it_is(void **state) {
  (void)state;
  writes(inline_text, "Use --json, or `-L`.", "Use\n.Fl -json ,\nor\n.Fl L .\n");
  writes(inline_text, "(thirl-nat(1))", ".No ( Ns Xr thirl-nat 1 )\n");
  writes(inline_text, "the `TICKET` and `THIRL_TICKET`", "the\n.Ar \"TICKET\"\nand\n.Ev \"THIRL_TICKET\"\n");
  writes(inline_text, "$THIRL_SERVER; then $HOME/x, `/etc/x`",
         ".Ev \"THIRL_SERVER\" ;\nthen\n.Pa \"$HOME/x\" ,\n.Pa \"/etc/x\"\n");
  writes(inline_text, "a *ticket*, `thirl listen`, `a b`s",
         "a\n.Em \"ticket\" ,\n.Ic \"thirl listen\" ,\n.Ql \"a b\" Ns \"s\"\n");
  writes(inline_text, "a * for any, `udp.` too", "a * for any,\n.Ql \"udp.\\&\"\ntoo\n");
}

static void values_are_macros(void **state) {
  (void)state;
  writes(inline_value, "SECONDS", "Ar SECONDS");
  writes(inline_value, "HOST[:PORT]", "Ar HOST Ns Oo : Ns Ar PORT Oc");
  writes(inline_value, "[BIND:]PORT:HOST:HOSTPORT", "Oo Ar BIND : Oc Ns Ar PORT : Ns Ar HOST : Ns Ar HOSTPORT");
  writes(inline_value, "TICKET | -", "Ar TICKET | Fl");
  writes(inline_value, "[--name NAME] HOST [--] COMMAND...",
         "Oo Fl -name Ar NAME Oc Ar HOST Oo Fl - Oc Ar COMMAND Ns ...");
  writes(inline_value, "ID,...", "Ar ID , Ns ...");
  writes(inline_value, "KEY=NUMBER,...", "Ar KEY Ns = Ns Ar NUMBER , Ns ...");
  writes(inline_value, "server|client", "Cm server Ns | Ns Cm client");
  writes(inline_value, "NODE [inner] FILE", "Ar NODE Oo Cm inner Oc Ar FILE");
}

static void a_help_becomes_a_sentence(void **state) {
  (void)state;
  writes(inline_sentence, "look at UDP only", "Look at UDP only.\n");
  writes(inline_sentence, "fs.nr_open, a ceiling.", "fs.nr_open, a ceiling.\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_sentence_has_its_line),       cmocka_unit_test(lines_are_not_too_long),
      cmocka_unit_test(what_it_looks_like_is_what_it_is), cmocka_unit_test(values_are_macros),
      cmocka_unit_test(a_help_becomes_a_sentence),
  };
  return cmocka_run_group_tests_name("pages/inline", tests, NULL, NULL);
}
