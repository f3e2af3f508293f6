/* SPDX-License-Identifier: MIT */
#include "natbox/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "unit/natbox/pieces.h"

static thirl_natbox_config home(void) {
  thirl_natbox_config c;
  assert_int_equal(thirl_natbox_config_preset("portrestricted", outer(0), &c), THIRL_OK);
  return c;
}

static thirl_error set(thirl_natbox_config *c, const char *word) {
  return thirl_natbox_words_set(c, word, strlen(word), NULL);
}

static void set_all(thirl_natbox_config *c, const char *words) {
  while (*words) {
    size_t n = strcspn(words, " ");
    assert_int_equal(thirl_natbox_words_set(c, words, n, NULL), THIRL_OK);
    words += n + (words[n] == ' ');
  }
}

static void a_word_means_both_protocols_or_one(void **state) {
  (void)state;
  thirl_natbox_config c = home();
  set_all(&c, "map=apdm udp.filter=adf tcp.filter=eif");
  assert_int_equal(c.udp.mapping, THIRL_NATBOX_APDM);
  assert_int_equal(c.tcp.mapping, THIRL_NATBOX_APDM);
  assert_int_equal(c.udp.filtering, THIRL_NATBOX_ADF);
  assert_int_equal(c.tcp.filtering, THIRL_NATBOX_EIF);
}

static void allocation_takes_its_number(void **state) {
  (void)state;
  thirl_natbox_config c = home();
  set_all(&c, "udp.alloc=seq:7 tcp.alloc=block:64");
  assert_int_equal(c.udp.allocation, THIRL_NATBOX_SEQUENTIAL);
  assert_int_equal(c.udp.step, 7);
  assert_int_equal(c.tcp.allocation, THIRL_NATBOX_BLOCK);
  assert_int_equal(c.tcp.block, 64);
  set_all(&c, "alloc=seq");
  assert_int_equal(c.tcp.step, 1);
  assert_int_equal(c.udp.step, 7);
  assert_int_equal(set(&c, "alloc=seq:0"), THIRL_E_RANGE);
  assert_int_equal(set(&c, "alloc=seq:"), THIRL_E_SYNTAX);
  assert_int_equal(set(&c, "alloc=seq:x"), THIRL_E_SYNTAX);
  assert_int_equal(set(&c, "alloc=random:2"), THIRL_E_SYNTAX);
  assert_int_equal(set(&c, "alloc=block:65536"), THIRL_E_RANGE);
}

static void times_have_units_and_decimals(void **state) {
  (void)state;
  thirl_natbox_config c = home();
  set_all(&c, "udp.timeout=0.5/1500ms tcp.timeout=4m/2h/240s map-timeout=3");
  assert_int_equal(c.udp.new_timeout, 500 * THIRL_MS);
  assert_int_equal(c.udp.open_timeout, 1500 * THIRL_MS);
  assert_int_equal(c.udp.close_timeout, 120 * THIRL_S);
  assert_int_equal(c.tcp.new_timeout, 240 * THIRL_S);
  assert_int_equal(c.tcp.open_timeout, 7200 * THIRL_S);
  assert_int_equal(c.tcp.close_timeout, 240 * THIRL_S);
  assert_int_equal(c.udp.map_timeout, 3 * THIRL_S);
  set_all(&c, "tcp.timeout=10");
  assert_int_equal(c.tcp.new_timeout, 10 * THIRL_S);
  assert_int_equal(c.tcp.open_timeout, 10 * THIRL_S);
  assert_int_equal(c.tcp.close_timeout, 10 * THIRL_S);
  static const char *const bad[] = {"timeout=",        "timeout=1/",  "timeout=/1",   "timeout=1/2/3/4",
                                    "timeout=1x",      "timeout=1..", "timeout=1s0s", "timeout=1.0000001",
                                    "map-timeout=1/2", "timeout=-1"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(set(&c, bad[i]), THIRL_E_SYNTAX);
  assert_int_equal(set(&c, "timeout=0"), THIRL_E_RANGE);
  assert_int_equal(set(&c, "timeout=9999999h"), THIRL_E_RANGE);
  assert_int_equal(set(&c, "hold-down=99999999999"), THIRL_E_RANGE);
}

static void lists_and_ranges_have_bounds(void **state) {
  (void)state;
  thirl_natbox_config c = home();
  set_all(&c, "ports=40000-49999 udp.allow=none tcp.allow=80,443 max-ports=32 sessions=1000");
  assert_int_equal(c.udp.port_lo, 40000);
  assert_int_equal(c.tcp.port_hi, 49999);
  assert_true(c.udp.only_allowed);
  assert_int_equal(c.udp.n_allow, 0);
  assert_int_equal(c.tcp.n_allow, 2);
  assert_int_equal(c.tcp.allow[0], 80);
  assert_int_equal(c.tcp.allow[1], 443);
  assert_int_equal(c.tcp.max_ports, 32);
  assert_int_equal(c.max_sessions, 1000);
  set_all(&c, "allow=any");
  assert_false(c.tcp.only_allowed);
  assert_int_equal(set(&c, "ports=0-10"), THIRL_E_RANGE);
  assert_int_equal(set(&c, "ports=11-10"), THIRL_E_RANGE);
  assert_int_equal(set(&c, "ports=10"), THIRL_E_SYNTAX);
  assert_int_equal(set(&c, "ports=10-x"), THIRL_E_SYNTAX);
  assert_int_equal(set(&c, "allow=1,2,3,4,5,6,7,8"), THIRL_OK);
  assert_int_equal(set(&c, "allow=1,2,3,4,5,6,7,8,9"), THIRL_E_RANGE);
  assert_int_equal(set(&c, "allow=1,,2"), THIRL_E_SYNTAX);
  assert_int_equal(set(&c, "allow=0"), THIRL_E_RANGE);
  assert_int_equal(set(&c, "max-ports=65536"), THIRL_E_RANGE);
  assert_int_equal(set(&c, "sessions=4294967296"), THIRL_E_RANGE);
}

static void addresses_are_read(void **state) {
  (void)state;
  thirl_natbox_config c = home();
  set_all(&c, "pool=192.0.2.2,192.0.2.3 prefix=fd00:1::/48");
  assert_int_equal(c.n_pool, 2);
  assert_addr(c.pool[1], thirl_addr_v4(192, 0, 2, 3, 0));
  assert_int_equal(c.prefix_bits, 48);
  assert_int_equal(c.inner_prefix.ip[3], 1);
  assert_int_equal(set(&c, "pool=192.0.2.2:7"), THIRL_E_SYNTAX);
  assert_int_equal(set(&c, "pool="), THIRL_E_SYNTAX);
  assert_int_equal(set(&c, "pool=1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1"), THIRL_E_RANGE);
  assert_int_equal(set(&c, "prefix=10.0.0.0/8"), THIRL_E_SYNTAX);
  assert_int_equal(set(&c, "prefix=fd00::/65"), THIRL_E_RANGE);
  assert_int_equal(set(&c, "prefix=fd00::"), THIRL_E_SYNTAX);
  assert_int_equal(c.n_pool, 2);
  set_all(&c, "pool=none");
  assert_int_equal(c.n_pool, 0);
}

static void switches_name_both_sides(void **state) {
  (void)state;
  thirl_natbox_config c = home();
  set_all(&c, "pickup=off icmp=drop ping=drop");
  assert_true(c.without_pickup && c.without_icmp_errors && c.without_echo);
  set_all(&c, "pickup=on icmp=translate ping=pass");
  assert_false(c.without_pickup || c.without_icmp_errors || c.without_echo);
}

static void what_is_wrong_is_told_apart_and_changes_nothing(void **state) {
  (void)state;
  thirl_natbox_config c = home(), before = c;
  const thirl_natbox_word *which = NULL;
  assert_int_equal(thirl_natbox_words_set(&c, "filter=xyz", 10, &which), THIRL_E_SYNTAX);
  assert_string_equal(which->name, "filter");
  assert_string_equal(which->values, "eif|adf|apdf");
  assert_int_equal(thirl_natbox_words_set(&c, "colour=red", 10, &which), THIRL_E_NOT_FOUND);
  assert_null(which);
  assert_int_equal(thirl_natbox_words_set(&c, "udp.hairpin=off", 15, &which), THIRL_E_NOT_FOUND);
  assert_int_equal(thirl_natbox_words_set(&c, "filter", 6, &which), THIRL_E_NOT_FOUND);
  assert_int_equal(thirl_natbox_words_set(&c, "filter=ei\0f", 11, &which), THIRL_E_NOT_FOUND);
  assert_int_equal(thirl_natbox_words_set(&c, "filter=ei", 9, &which), THIRL_E_SYNTAX);
  assert_int_equal(thirl_natbox_words_set(&c, "filter=eifx", 11, &which), THIRL_E_SYNTAX);
  assert_int_equal(thirl_natbox_words_set(&c, "filter=", 7, &which), THIRL_E_SYNTAX);
  assert_int_equal(thirl_natbox_words_set(&c, "filter=eif:1", 12, &which), THIRL_E_SYNTAX);
  assert_int_equal(thirl_natbox_words_set(&c, "preset=nosuch", 13, &which), THIRL_E_SYNTAX);
  static char longest[THIRL_NATBOX_WORD_MAX + 1];
  memset(longest, 'x', sizeof longest);
  assert_int_equal(thirl_natbox_words_set(&c, longest, sizeof longest, &which), THIRL_E_NOT_FOUND);
  assert_memory_equal(&c, &before, sizeof c);
}

static void only_the_length_given_is_read(void **state) {
  (void)state;
  thirl_natbox_config c = home();
  assert_int_equal(thirl_natbox_words_set(&c, "map=adm map=apdm", 7, NULL), THIRL_OK);
  assert_int_equal(c.udp.mapping, THIRL_NATBOX_ADM);
}

static void a_preset_keeps_the_outer_addresses(void **state) {
  (void)state;
  thirl_natbox_config c = home();
  set_all(&c, "pool=192.0.2.2 hairpin=internal preset=cgn");
  assert_addr(c.external, outer(0));
  assert_int_equal(c.n_pool, 1);
  assert_int_equal(c.hairpin, THIRL_NATBOX_HAIRPIN_EXTERNAL);
  assert_int_equal(c.udp.allocation, THIRL_NATBOX_BLOCK);
}

static void a_config_is_written_as_what_differs(void **state) {
  (void)state;
  thirl_natbox_config c = home(), base = home();
  char text[THIRL_NATBOX_WORDS_MAX];
  assert_int_equal(thirl_natbox_words_format(&c, &base, text, sizeof text), THIRL_OK);
  assert_string_equal(text, "");
  const char *words =
      "mode=firewall map=apdm udp.filter=adf alloc=seq:2 ports=40000-41000 tcp.unsolicited=hold udp.timeout=0.25/2 "
      "tcp.timeout=1/2/3 hold-down=120 udp.allow=none tcp.allow=80,443 hairpin=internal icmp=drop "
      "pool=192.0.2.2,2001:db8::1 prefix=fd00::/48 sessions=10";
  set_all(&c, words);
  assert_int_equal(thirl_natbox_words_format(&c, &base, text, sizeof text), THIRL_OK);
  assert_string_equal(text, words);
  for (size_t size = 0; size <= strlen(words); size++)
    assert_int_equal(thirl_natbox_words_format(&c, &base, text, size), THIRL_E_SPACE);
}

/* Every preset can be said in words, and those words make it again. */
static void every_preset_survives_a_round_trip(void **state) {
  (void)state;
  const char *name = NULL;
  for (unsigned i = 0; (name = thirl_natbox_config_preset_name(i)) != NULL; i++) {
    thirl_natbox_config is, again = home(), base = home();
    char text[THIRL_NATBOX_WORDS_MAX], second[THIRL_NATBOX_WORDS_MAX];
    assert_int_equal(thirl_natbox_config_preset(name, outer(0), &is), THIRL_OK);
    assert_int_equal(thirl_natbox_words_format(&is, &base, text, sizeof text), THIRL_OK);
    set_all(&again, text);
    assert_memory_equal(&again, &is, sizeof is);
    assert_int_equal(thirl_natbox_words_format(&again, &is, second, sizeof second), THIRL_OK);
    assert_string_equal(second, "");
  }
}

/* Every choice that the table offers is taken, and means something else than the others. */
static void every_choice_of_the_table_works(void **state) {
  (void)state;
  const thirl_natbox_word *w = NULL;
  unsigned n = 0;
  for (unsigned i = 0; (w = thirl_natbox_words_get(i)) != NULL; i++) {
    if (strpbrk(w->values, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) continue;
    for (const char *v = w->values; *v; v += strcspn(v, "|"), v += *v == '|') {
      char word[64], written[THIRL_NATBOX_WORDS_MAX];
      int len = (int)strcspn(v, "|");
      snprintf(word, sizeof word, "%s=%.*s", w->name, len, v);
      thirl_natbox_config c = home(), base = home();
      assert_int_equal(set(&c, word), THIRL_OK);
      assert_int_equal(thirl_natbox_words_format(&c, &base, written, sizeof written), THIRL_OK);
      if (written[0] != '\0') assert_string_equal(written, word);
      n += written[0] != '\0';
    }
  }
  assert_int_equal(n, 28); /* all but the fifteen that a home router has anyway */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_word_means_both_protocols_or_one),
      cmocka_unit_test(allocation_takes_its_number),
      cmocka_unit_test(times_have_units_and_decimals),
      cmocka_unit_test(lists_and_ranges_have_bounds),
      cmocka_unit_test(addresses_are_read),
      cmocka_unit_test(switches_name_both_sides),
      cmocka_unit_test(what_is_wrong_is_told_apart_and_changes_nothing),
      cmocka_unit_test(only_the_length_given_is_read),
      cmocka_unit_test(a_preset_keeps_the_outer_addresses),
      cmocka_unit_test(a_config_is_written_as_what_differs),
      cmocka_unit_test(every_preset_survives_a_round_trip),
      cmocka_unit_test(every_choice_of_the_table_works),
  };
  return cmocka_run_group_tests_name("natbox/words", tests, NULL, NULL);
}
