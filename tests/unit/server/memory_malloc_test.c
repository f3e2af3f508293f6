/* SPDX-License-Identifier: MIT */
/* What the server holds for others, byte by byte, as malloc counts it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdlib.h>

#include "support/server_rig.h"

static size_t in_use(void) {
  struct mallinfo2 m = mallinfo2();
  return m.uordblks + m.hblkhd;
}

static void skip_without_mallinfo(void) {
  static uint8_t *volatile p;
  size_t before = in_use();
  p = malloc(100000);
  size_t n = in_use() - before;
  free(p);
  if (n >= 100000) return;
  print_message("mallinfo2 counts nothing under a sanitizer\n");
  skip();
}

static size_t freed_with_the_server(rig *r) {
  size_t with = in_use();
  thirl_server_free(r->server);
  r->server = NULL;
  return with - in_use();
}

static size_t empty_server(void) {
  rig *r = rig_new(1, NULL);
  size_t n = freed_with_the_server(r);
  rig_free(r);
  return n;
}

static void a_registered_peer_costs_less_than_1536_bytes(void **state) {
  (void)state;
  enum { PEERS = 1000 };
  skip_without_mallinfo();
  size_t empty = empty_server();
  rig *r = rig_new(1, NULL);
  r->audit = false;
  for (uint64_t i = 0; i < PEERS; i++)
    rig_peer(r, i);
  size_t each = (freed_with_the_server(r) - empty) / PEERS;
  print_message("%zu bytes per registered peer, %zu for an empty server\n", each, empty);
  assert_in_range(each, 300, 1535);
  rig_free(r);
}

static void a_stranger_costs_less_than_1024_bytes(void **state) {
  (void)state;
  enum { STRANGERS = 2000 };
  skip_without_mallinfo();
  size_t empty = empty_server();
  rig *r = rig_new(1, NULL);
  r->audit = false;
  for (uint64_t i = 0; i < STRANGERS; i++) {
    rig_client *c = rig_connect(r, rig_addr(i));
    rig_send(c, THIRL_BYTES("\x00\x01\x00\x00\x21\x12\xa4\x42", 8)); /* part of a message is held */
  }
  size_t each = (freed_with_the_server(r) - empty) / STRANGERS;
  print_message("%zu bytes per stranger\n", each);
  assert_in_range(each, 100, 1023);
  rig_free(r);
}

/* Datagrams and connections that were refused leave nothing. */
static void strangers_that_are_turned_away_cost_nothing(void **state) {
  (void)state;
  skip_without_mallinfo();
  rig *r = rig_new(1, &(thirl_server_limits){.max_connections = 1});
  rig_connect(r, rig_addr(0));
  size_t before = in_use();
  for (uint32_t i = 0; i < 100000; i++) {
    uint8_t request[] = "\x00\x01\x00\x00\x21\x12\xa4\x42"
                        "0123456789ab";
    rig_datagram(r, rig_addr(i), THIRL_BYTES(request, 20));
    rig_input(r, &(thirl_net_event){.kind = THIRL_NET_ACCEPTED, .id = 0x90000000u + i, .remote = rig_addr(i)});
  }
  assert_int_equal(in_use(), before);
  assert_int_equal(r->udp_answers, 100000);
  assert_int_equal(rig_stats(r)->limited, 100000);
  rig_free(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_registered_peer_costs_less_than_1536_bytes),
      cmocka_unit_test(a_stranger_costs_less_than_1024_bytes),
      cmocka_unit_test(strangers_that_are_turned_away_cost_nothing),
  };
  return cmocka_run_group_tests_name("server/memory", tests, NULL, NULL);
}
