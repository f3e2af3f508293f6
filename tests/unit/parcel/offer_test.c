/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "parcel/offer.h"

static thirl_error add(thirl_parcel_offer *o, const char *name, uint8_t kind, uint64_t size) {
  thirl_parcel_entry e = {.kind = kind, .mode = 6, .size = size, .name = THIRL_BYTES(name, strlen(name))};
  return thirl_parcel_offer_add(o, &e);
}

static void entries_come_back_in_order(void **state) {
  (void)state;
  thirl_parcel_offer o = {0};
  char name[32];
  for (uint32_t i = 0; i < 1000; i++) {
    snprintf(name, sizeof name, "file %u", (unsigned)i);
    assert_int_equal(add(&o, name, i % 10 ? THIRL_PARCEL_FILE : THIRL_PARCEL_FOLDER, i % 10 ? i : 0), THIRL_OK);
  }
  uint64_t sum = 0;
  for (uint32_t i = 0; i < 1000; i++) {
    thirl_parcel_entry e = thirl_parcel_offer_get(&o, i);
    snprintf(name, sizeof name, "file %u", (unsigned)i);
    assert_true(thirl_bytes_equal(e.name, THIRL_BYTES(name, strlen(name))));
    assert_int_equal(thirl_parcel_offer_before(&o, i), sum);
    sum += e.size;
  }
  assert_int_equal(o.n, 1000);
  assert_int_equal(o.files, 900);
  assert_int_equal(o.bytes, sum);
  assert_int_equal(thirl_parcel_offer_before(&o, 1000), sum);
  thirl_parcel_offer_fini(&o);
  assert_int_equal(o.n, 0);
}

static void limits(void **state) {
  (void)state;
  thirl_parcel_offer o = {0};
  assert_int_equal(add(&o, "a", THIRL_PARCEL_FILE, INT64_MAX), THIRL_OK);
  assert_int_equal(add(&o, "b", THIRL_PARCEL_FILE, 1), THIRL_E_RANGE);
  assert_int_equal(o.n, 1);
  for (uint32_t i = 1; i < THIRL_PARCEL_ENTRIES_MAX; i++)
    assert_int_equal(add(&o, "c", THIRL_PARCEL_FILE, 0), THIRL_OK);
  assert_int_equal(add(&o, "c", THIRL_PARCEL_FILE, 0), THIRL_E_LIMIT);
  thirl_parcel_offer_fini(&o);
  char *long_name = malloc(4001);
  assert_non_null(long_name);
  memset(long_name, 'a', 4000);
  long_name[4000] = '\0';
  unsigned n = 0;
  while (add(&o, long_name, THIRL_PARCEL_FILE, 0) == THIRL_OK)
    n++;
  assert_int_equal(n, THIRL_PARCEL_NAMES_MAX / 4000);
  free(long_name);
  thirl_parcel_offer_fini(&o);
}

static void twins_are_found(void **state) {
  (void)state;
  thirl_parcel_offer o = {0};
  bool has;
  uint32_t index;
  static const char *const names[] = {"b", "a", "ab", "a/b", "c", "abc", ""};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    (void)add(&o, names[i], THIRL_PARCEL_FILE, 0);
  assert_int_equal(thirl_parcel_offer_find_twin(&o, &has, &index), THIRL_OK);
  assert_false(has);
  (void)add(&o, "ab", THIRL_PARCEL_FOLDER, 0);
  assert_int_equal(thirl_parcel_offer_find_twin(&o, &has, &index), THIRL_OK);
  assert_true(has && (index == 2 || index == 7));
  thirl_parcel_offer_fini(&o);
}

static void the_hash_is_of_all_that_is_said(void **state) {
  (void)state;
  uint8_t first[THIRL_SHA256_LEN], other[THIRL_SHA256_LEN];
  thirl_parcel_offer o = {0}, p = {0};
  (void)add(&o, "a", THIRL_PARCEL_FILE, 5);
  assert_int_equal(thirl_parcel_offer_hash(&o, first), THIRL_OK);
  (void)add(&p, "a", THIRL_PARCEL_FILE, 5);
  assert_int_equal(thirl_parcel_offer_hash(&p, other), THIRL_OK);
  assert_memory_equal(first, other, sizeof first);
  (void)add(&p, "b", THIRL_PARCEL_FILE, 0);
  assert_int_equal(thirl_parcel_offer_hash(&p, other), THIRL_OK);
  assert_memory_not_equal(first, other, sizeof first);
  thirl_parcel_offer_fini(&p);
  (void)add(&p, "a", THIRL_PARCEL_FILE, 6);
  assert_int_equal(thirl_parcel_offer_hash(&p, other), THIRL_OK);
  assert_memory_not_equal(first, other, sizeof first);
  thirl_parcel_offer_fini(&o);
  thirl_parcel_offer_fini(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(entries_come_back_in_order), cmocka_unit_test(limits),
                                     cmocka_unit_test(twins_are_found),
                                     cmocka_unit_test(the_hash_is_of_all_that_is_said)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
