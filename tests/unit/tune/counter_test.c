/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tune/counter.h"

#define COUNTER(x) f.counter[THIRL_TUNE_COUNTER_##x]
#define GAUGE(x)   f.gauge[THIRL_TUNE_GAUGE_##x]

static thirl_tune_facts f;

static thirl_tune_text fresh(const char *text) {
  memset(&f, 0, sizeof f);
  return thirl_tune_text_of(text);
}

static void pairs_of_lines(void **state) {
  (void)state;
  thirl_tune_text t =
      fresh("TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 5 7 9\nUdp: InDatagrams NoPorts\nUdp: 100 3\n"
            "UdpLite: InDatagrams NoPorts\nUdpLite: 1 1\n");
  thirl_tune_counter_pairs(&f, t);
  assert_int_equal(COUNTER(SYNCOOKIES_SENT).v, 5);
  assert_int_equal(COUNTER(LISTEN_OVERFLOWS).v, 7);
  assert_int_equal(COUNTER(LISTEN_DROPS).v, 9);
  assert_int_equal(COUNTER(UDP_IN).v, 100);
  assert_int_equal(COUNTER(UDP_NO_PORTS).v, 3);
  assert_int_equal(COUNTER(UDP_RCVBUF_ERRORS).why, THIRL_TUNE_WHY_NOT_LOOKED);
  thirl_tune_counter_snmp6(
      &f, thirl_tune_text_of("Ip6ReasmFails   \t2\nUdp6InDatagrams\t11\nUdp6RcvbufErrors 4\nUdpLite6InDatagrams 9\n"));
  assert_int_equal(COUNTER(UDP_IN).v, 111);
  assert_int_equal(COUNTER(UDP_RCVBUF_ERRORS).v, 4);
  assert_int_equal(COUNTER(IP_REASM_FAILS).v, 2);
}

static void pairs_that_do_not_fit(void **state) {
  (void)state;
  static const char *const texts[] = {"TcpExt: ListenDrops\n",          "TcpExt: ListenDrops\nIpExt: 5\n",
                                      "TcpExt ListenDrops\nTcpExt 5\n", "TcpExt: ListenDrops\nTcpExt: x\n",
                                      "TcpExt: ListenDrops\nTcpExt:\n", ""};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    thirl_tune_text t = fresh(texts[i]);
    thirl_tune_counter_pairs(&f, t);
    assert_int_equal(COUNTER(LISTEN_DROPS).why, THIRL_TUNE_WHY_NOT_LOOKED);
  }
}

static void processors_are_added_up(void **state) {
  (void)state;
  thirl_tune_text t = fresh("entries  found new insert insert_failed drop early_drop\n0000000a 00000000 00000000 0 "
                            "00000010 00000001 00000002\n"
                            "0000000a 00000000 00000000 0 00000001 00000001 00000000\n");
  thirl_tune_counter_conntrack(&f, t);
  assert_int_equal(COUNTER(CT_INSERT_FAILED).v, 17);
  assert_int_equal(COUNTER(CT_DROP).v, 2);
  assert_int_equal(COUNTER(CT_EARLY_DROP).v, 2);
  t = fresh("entries res_failed unresolved_discards table_fulls\n00000014 1 2 3\n00000014 1 1 1\n");
  thirl_tune_counter_neighbours(&f, t);
  assert_int_equal(GAUGE(NEIGHBOURS).v, 20);
  assert_int_equal(COUNTER(ARP_TABLE_FULLS).v, 4);
  assert_int_equal(COUNTER(ARP_UNRESOLVED).v, 3);
  assert_int_equal(COUNTER(ARP_RES_FAILED).v, 2);
  t = fresh("entries drop\n");
  thirl_tune_counter_conntrack(&f, t);
  assert_int_equal(COUNTER(CT_DROP).why, THIRL_TUNE_WHY_MALFORMED);
}

static void softnet(void **state) {
  (void)state;
  thirl_tune_text t = fresh("000003e8 00000002 00000003 00000000\n00000001 00000000 0000000a\n");
  thirl_tune_counter_softnet(&f, t);
  assert_int_equal(COUNTER(SOFTNET_PROCESSED).v, 1001);
  assert_int_equal(COUNTER(SOFTNET_DROPPED).v, 2);
  assert_int_equal(COUNTER(SOFTNET_SQUEEZED).v, 13);
}

static void processors(void **state) {
  (void)state;
  thirl_tune_text t = fresh("cpu  10 20 30 40 50 60 70 80 90 100\ncpu0 1 2\ncpu1 3 4\nintr 5\nctxt 6\n");
  thirl_tune_counter_cpu(&f, t);
  assert_int_equal(COUNTER(CPU_TOTAL).v, 360); /* guest time is in user already */
  assert_int_equal(COUNTER(CPU_STEAL).v, 80);
  assert_int_equal(GAUGE(CPUS).v, 2);
}

static void sockstat(void **state) {
  (void)state;
  thirl_tune_text t =
      fresh("sockets: used 13\nTCP: inuse 1 orphan 2 tw 3 alloc 4 mem 5\nUDP: inuse 6 mem 7\nUDPLITE: inuse 9\n");
  thirl_tune_counter_sockstat(&f, t);
  thirl_tune_counter_sockstat(&f, thirl_tune_text_of("TCP6: inuse 10\nUDP6: inuse 20\nUDPLITE6: inuse 0\n"));
  assert_int_equal(GAUGE(TCP_INUSE).v, 11);
  assert_int_equal(GAUGE(TCP_ORPHANS).v, 2);
  assert_int_equal(GAUGE(TCP_TIME_WAITS).v, 3);
  assert_int_equal(GAUGE(TCP_PAGES).v, 5);
  assert_int_equal(GAUGE(UDP_INUSE).v, 26);
  assert_int_equal(GAUGE(UDP_PAGES).v, 7);
}

static void memory_and_pressure(void **state) {
  (void)state;
  thirl_tune_text t = fresh("MemTotal:       16384 kB\nMemFree: 1 kB\n");
  thirl_tune_counter_memory(&f, t);
  assert_int_equal(GAUGE(MEMORY_TOTAL).v, 16384 * 1024);
  thirl_tune_counter_pressure(
      &f, THIRL_TUNE_GAUGE_PRESSURE_CPU,
      thirl_tune_text_of("some avg10=8.65 avg60=7.75 avg300=4.78 total=24627572\nfull avg10=1.00 total=0\n"));
  assert_int_equal(GAUGE(PRESSURE_CPU).v, 865);
  thirl_tune_counter_pressure(&f, THIRL_TUNE_GAUGE_PRESSURE_CPU, thirl_tune_text_of("some avg10=101.00\n"));
  assert_int_equal(GAUGE(PRESSURE_CPU).why, THIRL_TUNE_WHY_MALFORMED);
}

static void missing(void **state) {
  (void)state;
  thirl_tune_text t = fresh("TcpExt: ListenDrops\nTcpExt: 1\n");
  thirl_tune_counter_pairs(&f, t);
  thirl_tune_counter_miss(&f, "ct", THIRL_TUNE_WHY_NOT_LOADED);
  thirl_tune_counter_miss(&f, "sockstat", THIRL_TUNE_WHY_NOT_PERMITTED);
  thirl_tune_counter_settle(&f);
  assert_int_equal(COUNTER(LISTEN_DROPS).why, THIRL_TUNE_WHY_READ);
  assert_int_equal(COUNTER(LISTEN_OVERFLOWS).why, THIRL_TUNE_WHY_NOT_IN_KERNEL);
  assert_int_equal(COUNTER(CT_DROP).why, THIRL_TUNE_WHY_NOT_LOADED);
  assert_int_equal(GAUGE(TCP_PAGES).why, THIRL_TUNE_WHY_NOT_PERMITTED);
}

static void counters_do_not_wrap(void **state) {
  (void)state;
  thirl_tune_text t = fresh("ffffffffffffffff 0 0\nffffffffffffffff 0 0\n");
  thirl_tune_counter_softnet(&f, t);
  assert_true(COUNTER(SOFTNET_PROCESSED).v == THIRL_TUNE_LARGEST);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pairs_of_lines),
      cmocka_unit_test(pairs_that_do_not_fit),
      cmocka_unit_test(processors_are_added_up),
      cmocka_unit_test(softnet),
      cmocka_unit_test(processors),
      cmocka_unit_test(sockstat),
      cmocka_unit_test(memory_and_pressure),
      cmocka_unit_test(missing),
      cmocka_unit_test(counters_do_not_wrap),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
