/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lab/text/preset.h"
#include "lab/text/show.h"
#include "lab/text/topology.h"

static char *draw(const char *text) {
  thirl_lab_topology *t;
  thirl_lab_complaint why = {""};
  if (thirl_lab_topology_read("x", text, strlen(text), &t, &why) != THIRL_OK) fail_msg("%s", why.text);
  char *drawing = thirl_lab_show_draw(t);
  thirl_lab_topology_free(t);
  assert_non_null(drawing);
  return drawing;
}

static void a_carrier_in_front_of_a_home(void **state) {
  (void)state;
  char *drawing = draw("net inet 203.0.113.0/24\n"
                       "nat cgn inet 203.0.113.1 lan 100.64.0.0/16 preset=cgn\n"
                       "nat home cgn 100.64.0.2 lan 192.168.1.0/24 engine=netfilter tcp.unsolicited=rst\n"
                       "host a home 192.168.1.10\n"
                       "host stun inet 203.0.113.10 203.0.113.11\n"
                       "link home up latency=20ms\n"
                       "link home inner loss=1%\n");
  assert_string_equal(drawing, "inet 203.0.113.0/24\n"
                               "├─ [cgn] 203.0.113.1 -> 100.64.0.1/16\n"
                               "│  │  NAT: preset=cgn\n"
                               "│  └─ [home] 100.64.0.2 -> 192.168.1.1/24\n"
                               "│     │  NAT, netfilter: preset=portrestricted tcp.unsolicited=rst\n"
                               "│     │  inner link: loss=1%\n"
                               "│     │  link: up latency=20ms\n"
                               "│     └─ a 192.168.1.10\n"
                               "└─ stun 203.0.113.10 203.0.113.11\n");
  free(drawing);
}

static void several_nets_are_the_internet(void **state) {
  (void)state;
  char *drawing = draw("net east 203.0.113.0/24\nnet west 198.51.100.0/24 2001:db8::/64\n"
                       "nat n east 203.0.113.1 lan 10.0.0.0/8 recipe=fullcone\nhost a west 198.51.100.1\n");
  assert_string_equal(drawing, "the internet\n"
                               "├─ east 203.0.113.0/24\n"
                               "│  └─ [n] 203.0.113.1 -> 10.0.0.1/8\n"
                               "│        NAT, netfilter: the recipe fullcone\n"
                               "└─ west 198.51.100.0/24 2001:db8::/64\n"
                               "   └─ a 198.51.100.1\n");
  free(drawing);
}

static size_t columns(const char *from, const char *to) {
  size_t n = 0;
  for (; from < to; from++)
    n += ((unsigned char)*from & 0xc0) != 0x80;
  return n;
}

static void fits_80_columns(const char *drawing) {
  for (const char *at = drawing, *end; (end = strchr(at, '\n')); at = end + 1)
    assert_in_range(columns(at, end), 1, 80);
}

static void long_words_go_on_in_the_next_line(void **state) {
  (void)state;
  char *drawing =
      draw("net inet 203.0.113.0/24\n"
           "nat n inet 203.0.113.1 lan 10.0.0.0/8 preset=corporate udp.map=adm udp.filter=eif tcp.filter=adf "
           "udp.timeout=1/2 tcp.timeout=3/4/5 hairpin=external ports=2000-3000 tcp.alloc=block:64\n"
           "link n latency=20ms jitter=2ms loss=0.5% burst=4 rate=20mbit queue=64K mtu=1400 bucket=16K\n");
  fits_80_columns(drawing);
  assert_non_null(strstr(drawing, "\n        "));
  free(drawing);
}

static void all_presets_can_be_read_and_drawn(void **state) {
  (void)state;
  const thirl_lab_preset *p;
  size_t n = 0;
  for (; (p = thirl_lab_preset_get(n)); n++) {
    char *drawing = draw(p->text);
    fits_80_columns(drawing);
    free(drawing);
    assert_ptr_equal(thirl_lab_preset_find(p->name), p);
  }
  assert_int_equal(n, 8);
  assert_null(thirl_lab_preset_find("nowhere"));
}

static void a_deep_one_ends(void **state) {
  (void)state;
  char text[THIRL_LAB_NETS_MAX * 64];
  size_t n = (size_t)sprintf(text, "net n0 10.0.0.0/16\n");
  for (int i = 1; i < THIRL_LAB_NETS_MAX; i++)
    n += (size_t)sprintf(text + n, "nat n%d n%d 10.%d.0.9 lan 10.%d.0.0/16\n", i, i - 1, i - 1, i);
  char *drawing = draw(text);
  assert_non_null(strstr(drawing, "[n30]"));
  free(drawing);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_carrier_in_front_of_a_home),
      cmocka_unit_test(several_nets_are_the_internet),
      cmocka_unit_test(long_words_go_on_in_the_next_line),
      cmocka_unit_test(all_presets_can_be_read_and_drawn),
      cmocka_unit_test(a_deep_one_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
