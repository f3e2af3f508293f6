/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "tune/watch.h"

static thirl_tune_facts f;
static thirl_tune_watch w;

static void set(thirl_tune_number *n, int64_t v) {
  *n = (thirl_tune_number){.v = v, .why = THIRL_TUNE_WHY_READ};
}

static void count(thirl_tune_counter c, int64_t v) {
  set(&f.counter[c], v);
}

/* As the kernel writes it: a number, as it is in memory. */
static void set_remote(thirl_tune_tuple *t, uint8_t last, uint16_t port, uint32_t n) {
  const uint8_t ip[4] = {192, 0, 2, last};
  uint32_t v;
  memcpy(&v, ip, sizeof v);
  *t = (thirl_tune_tuple){.remote_port = port, .n = n};
  thirl_bytes_put_u32(t->remote, v);
}

static void set_conntrack(int64_t used, int64_t limit) {
  set(&f.sysctl[THIRL_TUNE_SYSCTL_CT_COUNT], used);
  set(&f.sysctl[THIRL_TUNE_SYSCTL_CT_MAX], limit);
}

static void look(unsigned second) {
  thirl_tune_watch_input(&w, 5 * THIRL_S + second * THIRL_S, &f);
}

static int begin(void **state) {
  (void)state;
  memset(&f, 0, sizeof f);
  thirl_tune_watch_init(&w);
  return 0;
}

static void what_is_not_known_is_no_wall(void **state) {
  (void)state;
  f.sysctl[THIRL_TUNE_SYSCTL_CT_COUNT].why = THIRL_TUNE_WHY_NOT_LOADED;
  f.counter[THIRL_TUNE_COUNTER_CT_DROP].why = THIRL_TUNE_WHY_NOT_LOADED;
  f.process.why = THIRL_TUNE_WHY_NO_SUBJECT;
  set(&f.gauge[THIRL_TUNE_GAUGE_CGROUP_CURRENT], 1);
  set(&f.gauge[THIRL_TUNE_GAUGE_CGROUP_MAX], THIRL_TUNE_UNLIMITED);
  look(0);
  look(1);
  assert_false(w.has_nearest);
  assert_int_equal(w.row[THIRL_TUNE_WALL_CONNTRACK].why, THIRL_TUNE_WHY_NOT_LOADED);
  assert_int_equal(w.row[THIRL_TUNE_WALL_PROCESS_FILES].why, THIRL_TUNE_WHY_NO_SUBJECT);
  assert_int_equal(w.row[THIRL_TUNE_WALL_CGROUP].why, THIRL_TUNE_WHY_NO_SUCH);
}

static void use_and_rate_say_when_it_is_full(void **state) {
  (void)state;
  const thirl_tune_watch_row *r = &w.row[THIRL_TUNE_WALL_CONNTRACK];
  set_conntrack(1000, 10000);
  look(0);
  assert_int_equal(r->permille, 100);
  assert_false(r->fills);
  set_conntrack(1100, 10000);
  look(1);
  assert_int_equal(r->rate_milli, 100000);
  assert_true(r->fills);
  assert_int_equal(r->full_s, 89); /* 8900 left at 100 a second */
  set_conntrack(1100, 10000);
  look(2); /* over all looks that are kept: 100 in 2 s */
  assert_int_equal(r->rate_milli, 50000);
  assert_int_equal(r->full_s, 178);
  set_conntrack(1101, 1000000000);
  look(2);
  assert_false(r->fills); /* in some hundred days */
  set_conntrack(900, 10000);
  look(3);
  assert_int_equal(r->rate_milli, -33333);
  assert_false(r->fills);
  assert_true(w.has_nearest);
  assert_int_equal(w.nearest, THIRL_TUNE_WALL_CONNTRACK);
}

static void old_looks_are_forgotten(void **state) {
  (void)state;
  const thirl_tune_watch_row *r = &w.row[THIRL_TUNE_WALL_CONNTRACK];
  for (unsigned i = 0; i <= THIRL_TUNE_WATCH_LOOKS; i++) {
    set_conntrack(i == 0 ? 5000 : 100, 10000); /* a fall between the first two */
    look(i);
  }
  assert_int_equal(r->rate_milli, -490000);
  look(THIRL_TUNE_WATCH_LOOKS + 1);
  assert_int_equal(r->rate_milli, 0);
}

static void losses_are_what_a_counter_rose_by(void **state) {
  (void)state;
  const thirl_tune_watch_row *r = &w.row[THIRL_TUNE_WALL_UDP];
  count(THIRL_TUNE_COUNTER_UDP_RCVBUF_ERRORS, 1000);
  count(THIRL_TUNE_COUNTER_UDP_SNDBUF_ERRORS, 10);
  count(THIRL_TUNE_COUNTER_UDP_IN, 5000);
  look(0);
  assert_true(r->has_lost && !r->has_use);
  assert_int_equal(r->lost, 0);
  assert_false(w.has_nearest);
  count(THIRL_TUNE_COUNTER_UDP_RCVBUF_ERRORS, 1050);
  count(THIRL_TUNE_COUNTER_UDP_SNDBUF_ERRORS, 12);
  count(THIRL_TUNE_COUNTER_UDP_IN, 7000);
  look(2);
  assert_int_equal(r->lost, 52);
  assert_int_equal(r->lost_per_s, 26);
  assert_int_equal(r->lost_all, 52);
  assert_string_equal(r->detail, "receive 50, send 2 of 2000 in");
  assert_int_equal(w.nearest, THIRL_TUNE_WALL_UDP);
  count(THIRL_TUNE_COUNTER_UDP_RCVBUF_ERRORS, 3); /* it began anew */
  look(3);
  assert_int_equal(r->lost, 0);
  assert_int_equal(r->lost_all, 2);
}

static void a_full_table_is_told_from_ports_that_are_out(void **state) {
  (void)state;
  const thirl_tune_watch_row *r = &w.row[THIRL_TUNE_WALL_CONNTRACK];
  count(THIRL_TUNE_COUNTER_CT_DROP, 0);
  count(THIRL_TUNE_COUNTER_CT_EARLY_DROP, 0);
  count(THIRL_TUNE_COUNTER_CT_INSERT_FAILED, 0);
  look(0);
  assert_string_equal(r->detail, "");
  count(THIRL_TUNE_COUNTER_CT_DROP, 13);
  look(1);
  assert_string_equal(r->detail, "drop 13, early_drop 0, insert_failed 0: the table is full");
  count(THIRL_TUNE_COUNTER_CT_DROP, 113);
  count(THIRL_TUNE_COUNTER_CT_INSERT_FAILED, 100);
  look(2);
  assert_string_equal(r->detail, "drop 100, early_drop 0, insert_failed 100: no port left for NAT");
}

static void the_fullest_queue_and_the_worst_destination_count(void **state) {
  (void)state;
  const thirl_tune_watch_row *r = &w.row[THIRL_TUNE_WALL_LISTEN];
  f.sockets.n_listeners = 3;
  f.sockets.listener[0] = (thirl_tune_listener){.port = 80, .waiting = 10};
  set(&f.sockets.listener[0].backlog, 4096);
  f.sockets.listener[1] = (thirl_tune_listener){.port = 3478, .waiting = 4};
  set(&f.sockets.listener[1].backlog, 8);
  f.sockets.listener[2] = (thirl_tune_listener){.port = 22, .waiting = 99}; /* nobody knows its backlog */
  f.sockets.tcp_why = THIRL_TUNE_WHY_READ;
  f.sockets.n_tuples = 2;
  set_remote(&f.sockets.tuple[0], 1, 80, 5);
  set_remote(&f.sockets.tuple[1], 2, 443, 7000);
  set(&f.sysctl[THIRL_TUNE_SYSCTL_PORT_FIRST], 20000);
  set(&f.sysctl[THIRL_TUNE_SYSCTL_PORT_LAST], 29999);
  look(0);
  assert_int_equal(r->permille, 500);
  assert_string_equal(r->detail, "port 3478");
  r = &w.row[THIRL_TUNE_WALL_PORTS];
  assert_int_equal(r->used, 7000);
  assert_int_equal(r->limit, 10000);
  assert_string_equal(r->detail, "to 192.0.2.2:443");
  assert_int_equal(w.nearest, THIRL_TUNE_WALL_PORTS);
}

static void what_is_lost_is_nearer_than_what_fills(void **state) {
  (void)state;
  set_conntrack(9000, 10000);
  set(&f.sysctl[THIRL_TUNE_SYSCTL_FILES_USED], 100);
  set(&f.sysctl[THIRL_TUNE_SYSCTL_FILES_MAX], 1000000);
  count(THIRL_TUNE_COUNTER_SOFTNET_DROPPED, 0);
  look(0);
  assert_int_equal(w.nearest, THIRL_TUNE_WALL_CONNTRACK); /* the fullest */
  f.sysctl[THIRL_TUNE_SYSCTL_FILES_USED].v = 10100;
  look(1); /* 99 s to go */
  assert_int_equal(w.nearest, THIRL_TUNE_WALL_FILES);
  count(THIRL_TUNE_COUNTER_SOFTNET_DROPPED, 1);
  look(2);
  assert_int_equal(w.nearest, THIRL_TUNE_WALL_SOFTNET);
}

static void numbers_are_short(void **state) {
  (void)state;
  char t[THIRL_TUNE_WATCH_WORD_MAX];
  assert_string_equal(thirl_tune_watch_span(-1, t), "0 s");
  assert_string_equal(thirl_tune_watch_span(119, t), "119 s");
  assert_string_equal(thirl_tune_watch_span(120, t), "2 min");
  assert_string_equal(thirl_tune_watch_span(7200, t), "2 h");
  assert_string_equal(thirl_tune_watch_span(172800, t), "2 d");
  assert_string_equal(thirl_tune_watch_span(INT64_MAX, t), "years");
  assert_string_equal(thirl_tune_watch_amount(999999, t), "999999");
  assert_string_equal(thirl_tune_watch_amount(1000000, t), "1.0M");
  assert_string_equal(thirl_tune_watch_amount(16777216, t), "17M");
  assert_string_equal(thirl_tune_watch_amount(999999999, t), "1.0G");
  assert_string_equal(thirl_tune_watch_amount(INT64_MAX, t), "9.2E");
  for (unsigned i = 0; i < THIRL_TUNE_WALL_COUNT; i++)
    assert_true(strlen(thirl_tune_watch_title((thirl_tune_wall)i)) <= 17);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(what_is_not_known_is_no_wall, begin),
      cmocka_unit_test_setup(use_and_rate_say_when_it_is_full, begin),
      cmocka_unit_test_setup(old_looks_are_forgotten, begin),
      cmocka_unit_test_setup(losses_are_what_a_counter_rose_by, begin),
      cmocka_unit_test_setup(a_full_table_is_told_from_ports_that_are_out, begin),
      cmocka_unit_test_setup(the_fullest_queue_and_the_worst_destination_count, begin),
      cmocka_unit_test_setup(what_is_lost_is_nearer_than_what_fills, begin),
      cmocka_unit_test_setup(numbers_are_short, begin),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
