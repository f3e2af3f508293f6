/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tune/ports.h"
#include "tune/process.h"
#include "tune/sockets.h"

static thirl_tune_facts f;

static const char head[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

static void fresh(void) {
  memset(&f, 0, sizeof f);
  thirl_tune_process_files(&f.process, thirl_tune_text_of("socket:[71]\nsocket:[72]\nsocket:[73]\n"));
}

static void what_sock_diag_says(void **state) {
  (void)state;
  fresh();
  thirl_tune_sockets_diag(&f,
                          thirl_tune_text_of("listen address=0.0.0.0 port=3478 inode=71 backlog=4096 waiting=2\n"
                                             "udp port=3478 inode=72 connected=0 rcvbuf=212992 sndbuf=4096 drops=5\n"
                                             "udp port=53 inode=9 connected=1\n"
                                             "udp port=99999 inode=9\nudp inode=9\nother port=1\n\n"));
  assert_int_equal(f.sockets.n_listeners, 1);
  assert_true(f.sockets.listener[0].is_ours);
  assert_string_equal(f.sockets.listener[0].address, "0.0.0.0");
  assert_int_equal(f.sockets.listener[0].backlog.v, 4096);
  assert_int_equal(f.sockets.listener[0].waiting, 2);
  assert_int_equal(f.sockets.n_udp, 2);
  assert_true(f.sockets.udp[0].is_ours && !f.sockets.udp[0].is_connected);
  assert_int_equal(f.sockets.udp[0].rcvbuf.v, 212992);
  assert_int_equal(f.sockets.udp[0].drops, 5);
  assert_true(!f.sockets.udp[1].is_ours && f.sockets.udp[1].is_connected);
  assert_int_equal(f.sockets.udp[1].rcvbuf.why, THIRL_TUNE_WHY_NOT_LOADED);
}

static void ours_are_kept_when_there_are_many(void **state) {
  (void)state;
  fresh();
  for (int i = 0; i < 2 * THIRL_TUNE_UDPS; i++)
    thirl_tune_sockets_diag(&f, thirl_tune_text_of("udp port=1 inode=5\nlisten port=1 inode=5 backlog=1\n"));
  thirl_tune_sockets_diag(&f, thirl_tune_text_of("udp port=3478 inode=72\nlisten port=3478 inode=71 backlog=1\n"));
  assert_int_equal(f.sockets.n_udp, THIRL_TUNE_UDPS);
  assert_int_equal(f.sockets.n_udp_all, 2 * THIRL_TUNE_UDPS + 1);
  assert_int_equal(f.sockets.udp[THIRL_TUNE_UDPS - 1].port, 3478);
  assert_int_equal(f.sockets.listener[THIRL_TUNE_LISTENERS - 1].port, 3478);
}

static void tcp_of_proc(void **state) {
  (void)state;
  fresh();
  thirl_tune_sockets_tcp(&f, thirl_tune_text_of(head), false);
  thirl_tune_sockets_tcp(
      &f,
      thirl_tune_text_of(
          "   0: 0100007F:0D96 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 71 1 0 100 0 0 "
          "10 0\n"
          "   1: 0100007F:0D96 0200007F:8000 01 00000000:00000000 02:00001388 00000000     0        0 72 2 0 20 4 1 10 "
          "-1\n"
          "   2: 0100007F:0D96 0200007F:8001 01 00000000:00000000 00:00000000 00000000     0        0 73 2 0 20 4 1 10 "
          "-1\n"
          "   3: 0100007F:0D96 0200007F:8002 01 00000001:00000000 01:00000014 00000000     0        0 9 2 0 20 4 1 10 "
          "-1\n"
          "   4: 0100007F:8003 0200007F:01BB 06 00000000:00000000 03:00000100 00000000     0        0 0 3 0\n"
          "   5: 0100007F:8004 0200007F:01BB 06 00000000:00000000 03:00000100 00000000     0        0 0 3 0\n"
          "   6: 0100007F:8004 0300007F:01BB 06 00000000:00000000 03:00000100 00000000     0        0 0 3 0\n"),
      false);
  assert_int_equal(f.sockets.n_listeners, 1);
  assert_true(f.sockets.listener[0].is_ours);
  assert_int_equal(f.sockets.listener[0].port, 3478);
  assert_int_equal(f.sockets.listener[0].backlog.why, THIRL_TUNE_WHY_NOT_LOADED);
  assert_true(thirl_tune_ports_has(&f.sockets.tcp_listening, 3478));
  assert_int_equal(f.sockets.n_established, 3);
  assert_int_equal(f.sockets.n_established_ours, 2);
  assert_int_equal(f.sockets.n_unprobed_ours, 1);
  assert_int_equal(f.sockets.longest_probe_s, 50); /* 5000 ticks of 1/100 s */
  assert_int_equal(f.sockets.n_time_wait, 3);
  assert_int_equal(f.sockets.n_tuples, 2);
  assert_int_equal(f.sockets.tuple[0].n, 2);
  assert_int_equal(f.sockets.tuple[0].remote_port, 443);
  assert_false(f.sockets.tuples_are_lower_bounds);
}

/* Listeners that sock_diag has told of are not added again. */
static void tcp_of_proc_after_sock_diag(void **state) {
  (void)state;
  fresh();
  f.sockets.tcp_why = THIRL_TUNE_WHY_READ;
  thirl_tune_sockets_tcp(
      &f, thirl_tune_text_of("0: 0100007F:0D96 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 71 1\n"),
      false);
  assert_int_equal(f.sockets.n_listeners, 0);
  assert_true(thirl_tune_ports_has(&f.sockets.tcp_listening, 3478));
}

static void udp_of_proc(void **state) {
  (void)state;
  fresh();
  thirl_tune_sockets_udp(&f, thirl_tune_text_of(head));
  thirl_tune_sockets_udp(&f,
                         thirl_tune_text_of(" 100: 00000000:0D96 00000000:0000 07 00000000:00000000 00:00000000 "
                                            "00000000     0        0 72 2 0000000000000000 17\n"
                                            " 101: 00000000000000000000000000000000:0035 "
                                            "00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 "
                                            "00000000     0        0 9 2 0000000000000000 0\n"));
  assert_int_equal(f.sockets.n_udp, 2);
  assert_true(f.sockets.udp[0].is_ours);
  assert_int_equal(f.sockets.udp[0].port, 3478);
  assert_int_equal(f.sockets.udp[0].drops, 17);
  assert_int_equal(f.sockets.udp[0].rcvbuf.why, THIRL_TUNE_WHY_NOT_LOADED);
  assert_true(thirl_tune_ports_has(&f.sockets.udp_used, 3478) && thirl_tune_ports_has(&f.sockets.udp_used, 53));
}

static void add_time_wait(unsigned remote) {
  char line[200];
  snprintf(line, sizeof line, "1: 0100007F:8004 %08X:01BB 06 00000000:00000000 03:00000100 00000000 0 0 0 3\n", remote);
  thirl_tune_sockets_tcp(&f, thirl_tune_text_of(line), false);
}

static void up_to_the_limit_destinations_are_exact(void **state) {
  (void)state;
  fresh();
  for (unsigned k = 0; k < 3; k++)
    for (unsigned i = 0; i < THIRL_TUNE_TUPLES; i++)
      add_time_wait(i);
  assert_int_equal(f.sockets.n_tuples, THIRL_TUNE_TUPLES);
  for (unsigned i = 0; i < THIRL_TUNE_TUPLES; i++)
    assert_int_equal(f.sockets.tuple[i].n, 3);
  assert_false(f.sockets.tuples_are_lower_bounds);
}

/* A destination with half of all is found among a thousand others, with a count that is too low rather than too high. */
static void a_large_share_is_never_lost(void **state) {
  (void)state;
  uint32_t most = 0;
  fresh();
  for (unsigned i = 0; i < 1000; i++) {
    add_time_wait(1000 + i);
    add_time_wait(7);
  }
  for (uint32_t i = 0; i < f.sockets.n_tuples; i++)
    if (f.sockets.tuple[i].remote[3] == 7 && f.sockets.tuple[i].n > most) most = f.sockets.tuple[i].n;
  assert_true(f.sockets.tuples_are_lower_bounds);
  assert_int_equal(f.sockets.n_time_wait, 2000);
  assert_in_range(most, 1000 - 2000 / (THIRL_TUNE_TUPLES + 1) - 1, 1000);
}

static void lines_that_are_none(void **state) {
  (void)state;
  static const char *const texts[] = {"",
                                      "x\n",
                                      "0: 0100007F 00000000:0000 0A\n",
                                      "0: 0100007F:0D96 00000000:0000 zz 0:0 0:0 0 0 0 1\n",
                                      "0: 0100007F:10D96 00000000:0000 0A\n",
                                      "0: 010007F:0D96 00000000:0000 0A\n"};
  fresh();
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    thirl_tune_sockets_tcp(&f, thirl_tune_text_of(texts[i]), false);
    thirl_tune_sockets_udp(&f, thirl_tune_text_of(texts[i]));
  }
  assert_int_equal(f.sockets.n_listeners + f.sockets.n_udp + f.sockets.n_established, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_sock_diag_says),
      cmocka_unit_test(ours_are_kept_when_there_are_many),
      cmocka_unit_test(tcp_of_proc),
      cmocka_unit_test(tcp_of_proc_after_sock_diag),
      cmocka_unit_test(udp_of_proc),
      cmocka_unit_test(up_to_the_limit_destinations_are_exact),
      cmocka_unit_test(a_large_share_is_never_lost),
      cmocka_unit_test(lines_that_are_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
