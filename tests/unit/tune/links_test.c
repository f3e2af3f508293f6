/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tune/links.h"

static thirl_tune_facts f;

static const char dev[] = "Inter-|   Receive                                                |  Transmit\n"
                          " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs "
                          "drop fifo colls carrier compressed\n"
                          "    lo:       0       0    0    0    0     0          0         0        0       0    0    "
                          "0    0     0       0          0\n"
                          "  eth0:    1000      10    1    2    0     0          0         0     2000      20    0    "
                          "0    0     0       0          0\n"
                          "wlan-very-long0:1 2 3 4\n";

static void fresh(void) {
  memset(&f, 0, sizeof f);
  thirl_tune_links_dev(&f, thirl_tune_text_of(dev));
}

static void names_and_counters(void **state) {
  (void)state;
  fresh();
  assert_int_equal(f.n_links, 3);
  assert_true(f.link[0].is_loopback && !f.link[1].is_loopback);
  assert_string_equal(f.link[1].name, "eth0");
  assert_int_equal(f.link[1].rx_packets.v, 10);
  assert_int_equal(f.link[1].rx_errors.v, 1);
  assert_int_equal(f.link[1].rx_dropped.v, 2);
  assert_int_equal(f.link[2].rx_dropped.v, 4);
}

static void names_that_no_path_can_take(void **state) {
  (void)state;
  memset(&f, 0, sizeof f);
  thirl_tune_links_dev(
      &f, thirl_tune_text_of("..: 1 2 3 4\na/b: 1 2 3 4\n$(x): 1 2 3 4\n;: 1 2 3 4\n\033[2J: 1 2 3 4\n: 1 2\n"
                             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: 1 2 3 4\n"));
  assert_int_equal(f.n_links, 0);
}

static void more_than_are_kept(void **state) {
  char line[64];
  (void)state;
  memset(&f, 0, sizeof f);
  for (int i = 0; i < THIRL_TUNE_LINKS + 5; i++) {
    snprintf(line, sizeof line, "eth%d: 1 2 3 4\n", i);
    thirl_tune_links_dev(&f, thirl_tune_text_of(line));
  }
  assert_int_equal(f.n_links, THIRL_TUNE_LINKS);
  assert_int_equal(f.n_links_all, THIRL_TUNE_LINKS + 5);
}

static void ways_out(void **state) {
  (void)state;
  fresh();
  thirl_tune_links_route4(&f,
                          thirl_tune_text_of("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n"
                                             "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"));
  assert_false(f.link[1].has_default4);
  thirl_tune_links_route4(&f, thirl_tune_text_of("eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"));
  assert_true(f.link[1].has_default4);
  thirl_tune_links_route4(&f, thirl_tune_text_of("lo\t00000000\t00000000\t0000\t0\t0\t0\t00000000\t0\t0\t0\n"));
  assert_false(f.link[0].has_default4); /* not up */
}

static void ways_out_of_ipv6(void **state) {
  (void)state;
  fresh();
  thirl_tune_links_route6(
      &f,
      thirl_tune_text_of(
          "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 "
          "ffffffff 00000001 00000000 00200200       lo\n"
          "20010db8000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 "
          "00000100 00000001 00000000 00000001     eth0\n"));
  assert_false(f.link[0].has_default6 || f.link[1].has_default6);
  thirl_tune_links_route6(
      &f,
      thirl_tune_text_of(
          "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 "
          "00000400 00000002 00000000 00000003     eth0\n"));
  assert_true(f.link[1].has_default6);
}

static void addresses_of_ipv6(void **state) {
  (void)state;
  fresh();
  thirl_tune_links_address6(&f, thirl_tune_text_of("00000000000000000000000000000001 01 80 10 80       lo\n"
                                                   "fe800000000000000000000000000001 02 40 20 80     eth0\n"
                                                   "fd000000000000000000000000000001 02 40 00 80     eth0\n"));
  assert_false(f.link[1].has_global6);
  thirl_tune_links_address6(&f, thirl_tune_text_of("20010db8000000000000000000000001 02 40 00 80     eth0\n"));
  assert_true(f.link[1].has_global6);
}

static void what_is_in_no_file(void **state) {
  (void)state;
  fresh();
  thirl_tune_links_dump(
      &f, thirl_tune_text_of("eth0 up=1 virtual=0 ethernet=1 device=virtio2\n"
                             "eth0 address=192.0.2.1 address=10.0.0.256 address=1.2.3 address=1.2.3.4\n"
                             "eth0 qdisc=fq_codel qdisc_drops=7 rps_cpus=!not-in-namespace gro=x unheard=5\n"
                             "eth9 up=1\n\n=\n"));
  const thirl_tune_link *l = &f.link[1];
  assert_true(l->is_up && !l->is_virtual && l->is_ethernet);
  assert_string_equal(l->device, "virtio2");
  assert_int_equal(l->n_address4, 2);
  assert_true(l->address4[0] == 0xc0000201 && l->address4[1] == 0x01020304);
  assert_string_equal(l->qdisc.text, "fq_codel");
  assert_int_equal(l->qdisc_drops.v, 7);
  assert_int_equal(l->rps_cpus.why, THIRL_TUNE_WHY_NOT_IN_NAMESPACE);
  assert_int_equal(l->gro.why, THIRL_TUNE_WHY_MALFORMED);
  assert_int_equal(l->gso.why, THIRL_TUNE_WHY_NOT_LOOKED);
  assert_int_equal(f.n_links, 3);
}

static void interrupts(void **state) {
  (void)state;
  fresh();
  strcpy(f.link[2].device, "virtio2");
  thirl_tune_links_interrupts(&f,
                              thirl_tune_text_of("           CPU0       CPU1       \n"
                                                 " 24:          5          0  PCI-MSI 1-edge      eth0\n"
                                                 " 25:          0          7  PCI-MSI 2-edge      eth0-TxRx-0\n"
                                                 " 26:          0          9  PCI-MSI 2-edge      eth01\n"
                                                 " 27:          0          9  PCI-MSI 2-edge      virtio2-input.0\n"
                                                 " 28:          9          9  PCI-MSI 2-edge      virtio21-input.0\n"
                                                 "NMI:          1          1  Non-maskable interrupts\nERR: 0\n"));
  assert_int_equal(f.link[1].irqs.v, 2);
  assert_int_equal(f.link[1].irq_cpus.v, 3);
  assert_int_equal(f.link[2].irqs.v, 1);
  assert_int_equal(f.link[2].irq_cpus.v, 2);
  assert_int_equal(f.link[0].irqs.why, THIRL_TUNE_WHY_NOT_LOOKED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_and_counters), cmocka_unit_test(names_that_no_path_can_take),
      cmocka_unit_test(more_than_are_kept), cmocka_unit_test(ways_out),
      cmocka_unit_test(ways_out_of_ipv6),   cmocka_unit_test(addresses_of_ipv6),
      cmocka_unit_test(what_is_in_no_file), cmocka_unit_test(interrupts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
