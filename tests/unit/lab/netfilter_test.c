/* SPDX-License-Identifier: MIT */
/* What the rules for the kernel say. That they do what they say is seen in tests/lab/netfilter_test.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lab/netfilter/netfilter.h"
#include "lab/netfilter/netfilter_nat.h"
#include "natbox/words.h"

/* Words separated by blanks; "v6": the inside has IPv6. */
static thirl_lab_node node_of(const char *words) {
  thirl_lab_node node = {.kind = THIRL_LAB_NAT, .name = "home", .engine = THIRL_LAB_NETFILTER};
  char copy[512];
  snprintf(copy, sizeof copy, "preset=portrestricted %s", words);
  node.nat = thirl_natbox_config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF, thirl_addr_v4(203, 0, 113, 7, 0));
  for (char *rest, *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
    if (strcmp(word, "v6") == 0)
      node.inner.addrs[node.inner.n_addrs++].addr = thirl_addr_any(THIRL_FAMILY_V6, 0);
    else
      assert_int_equal(thirl_natbox_words_set(&node.nat, word, strlen(word), NULL), THIRL_OK);
  }
  return node;
}

static char *rules_of(const char *words) {
  thirl_lab_node node = node_of(words);
  thirl_lab_complaint why = {.text = ""};
  char *text;
  if (thirl_lab_netfilter_rules(&node, "out0", "in0", &text, &why) != THIRL_OK) fail_msg("%s: %s", words, why.text);
  return text;
}

static size_t count(const char *text, const char *piece) {
  size_t n = 0;
  for (const char *at = text; (at = strstr(at, piece)); at += strlen(piece))
    n++;
  return n;
}

static void each_rule_of_a_mapping_is_there(void **state) {
  (void)state;
  char *text = rules_of("filter=adf alloc=preserve timeout=20/60/10 tcp.map=adm tcp.filter=eif");
  static const char *const lines[] = {
      "  map udp_inner_open { type inet_service : ipv4_addr . inet_service; flags dynamic,timeout; size 65536; }\n",
      "  map udp_outer_new { type ipv4_addr . inet_service : inet_service; flags dynamic,timeout; size 65536; }\n",
      "  map tcp_outer_new { type ipv4_addr . inet_service . ipv4_addr : inet_service; flags dynamic,timeout; size "
      "65536; }\n",
      "  set udp_may_open { type inet_service . ipv4_addr; flags dynamic,timeout; size 65536; }\n",
      "    udp dport . ip saddr @udp_may_new goto udp_to_inner\n",
      "    iifname \"out0\" ip daddr 203.0.113.7 meta l4proto udp goto udp_in\n",
      "    iifname \"out0\" ip daddr 203.0.113.7 ct state new meta l4proto tcp goto tcp_refuse\n",
      "    iifname \"in0\" ip daddr 203.0.113.7 ct state new meta l4proto tcp drop\n",
      "    udp sport @udp_inner_open snat to 203.0.113.7:1024-65535 fully-random\n",
      "    meta l4proto udp snat to 203.0.113.7:1024-65535\n",
      "    meta l4proto udp snat ip to 203.0.113.7 : ip saddr . th sport map @udp_outer_open\n",
      "    meta l4proto tcp snat ip to 203.0.113.7 : ip saddr . th sport . ip daddr map @tcp_outer_open\n",
      "    iifname \"in0\" oifname \"out0\" meta l4proto udp ct direction original update @udp_may_new { th sport . ip "
      "daddr timeout 20s }\n",
      "    iifname \"out0\" oifname \"in0\" meta l4proto udp ct direction original update @udp_may_open { ct original "
      "proto-dst . ct original ip saddr timeout 60s }\n",
      "    meta l4proto udp ct status seen-reply goto udp_record_open\n",
      "    meta l4proto tcp ct status assured goto tcp_record_open\n",
  };
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
    if (count(text, lines[i]) != 1) fail_msg("%zu times in\n%s\n%s", count(text, lines[i]), text, lines[i]);
  assert_int_equal(count(text, "tcp_may"), 0);
  /* An unanswered packet from outside permits nothing. */
  assert_int_equal(count(text, "ct direction original update @udp_may_new { ct original proto-dst"), 0);
  /* Of a flow that began outside, the port is not the one for that destination. */
  assert_int_equal(count(text, "ct direction reply update @tcp_outer_open { ct reply ip saddr"), 0);
  assert_int_equal(count(text, "ct direction reply update @udp_outer_open { ct reply ip saddr"), 1);
  free(text);
}

static void a_refusal_is_what_the_word_says(void **state) {
  (void)state;
  static const struct {
    const char *words;
    size_t reset, unreachable;
  } cases[] = {{"unsolicited=drop", 0, 0},           {"unsolicited=rst", 1, 0},
               {"unsolicited=icmp", 0, 2},           {"unsolicited=local", 1, 1},
               {"unsolicited=local map=apdm", 0, 0}, {"tcp.unsolicited=rst udp.unsolicited=icmp", 1, 1},
               {"udp.unsolicited=hold", 0, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text = rules_of(cases[i].words);
    assert_int_equal(count(text, "reject with tcp reset"), cases[i].reset);
    assert_int_equal(count(text, "reject with icmp port-unreachable"), cases[i].unreachable);
    free(text);
  }
}

static void ports_are_dealt_as_the_word_says(void **state) {
  (void)state;
  char *text = rules_of("alloc=random ports=2000-2999");
  assert_int_equal(count(text, "snat to 203.0.113.7:2000-2999 fully-random\n"), 2);
  free(text);
  text = rules_of("udp.alloc=seq:3 udp.ports=40000-40010");
  assert_int_equal(count(text, "numgen inc mod 4 map { 0 : 40000, 1 : 40003, 2 : 40006, 3 : 40009 }\n"), 1);
  free(text);
  text = rules_of("tcp.alloc=block:100 tcp.ports=5000-5450"); /* four blocks, the rest belongs to nobody */
  assert_int_equal(count(text, "ip saddr & 0.0.0.3 == 0.0.0."), 4);
  assert_int_equal(count(text, "ip saddr & 0.0.0.3 == 0.0.0.3 snat to 203.0.113.7:5300-5399 fully-random\n"), 1);
  free(text);
  text = rules_of("alloc=block:64");
  assert_int_equal(count(text, "ip saddr & 0.0.0.63 == "), 2 * THIRL_LAB_NETFILTER_NAT_BLOCKS_MAX);
  free(text);
}

/* A new sequence of the maximum length, and no more. */
static void a_sequence_is_bounded(void **state) {
  (void)state;
  char *text = rules_of("udp.alloc=seq udp.ports=1024-65535");
  assert_int_equal(count(text, "numgen inc mod 2048 map"), 1);
  assert_int_equal(count(text, "2047 : 3071 }"), 1);
  free(text);
}

static void linux_itself_needs_no_tables(void **state) {
  (void)state;
  char *text = rules_of("preset=linux-open");
  assert_int_equal(count(text, " map "), 0);
  assert_int_equal(count(text, "update"), 0);
  assert_int_equal(count(text, "dnat"), 1 + 1); /* "ct status & dnat != dnat" */
  assert_int_equal(count(text, "snat to 203.0.113.7:1024-65535\n"), 2);
  free(text);
}

static void a_router_has_no_rules(void **state) {
  (void)state;
  char *text = rules_of("mode=route");
  assert_string_equal(text, "table ip thirl_nat { }\ndelete table ip thirl_nat\n"
                            "table ip thirl_wall { }\ndelete table ip thirl_wall\n"
                            "table ip6 thirl_wall { }\ndelete table ip6 thirl_wall\n");
  free(text);
}

static void ipv6_inside_gets_a_wall(void **state) {
  (void)state;
  char *text = rules_of("");
  assert_null(strstr(text, "table ip6 thirl_wall {\n"));
  free(text);
  text = rules_of("v6 filter=adf unsolicited=icmp");
  assert_non_null(strstr(text, "table ip6 thirl_wall {\n"));
  assert_non_null(strstr(text, "    meta l4proto udp ip6 daddr . th dport . ip6 saddr @udp_may_new accept\n"));
  assert_int_equal(count(text, "reject with icmpv6 port-unreachable"), 2);
  assert_null(strstr(text, "table ip thirl_wall {\n"));
  free(text);
  text = rules_of("mode=firewall filter=eif");
  assert_non_null(strstr(text, "table ip thirl_wall {\n"));
  assert_non_null(strstr(text, "table ip6 thirl_wall {\n"));
  assert_null(strstr(text, "table ip thirl_nat {\n"));
  assert_null(strstr(text, " nat "));
  free(text);
}

static void what_the_kernel_cannot_is_named(void **state) {
  (void)state;
  static const struct {
    const char *words, *named;
  } cases[] = {{"tcp.unsolicited=hold", "tcp.unsolicited=hold"},
               {"udp.refresh=out", "udp.refresh=out"},
               {"tcp.refresh=in", "tcp.refresh=in"},
               {"udp.alloc=preserve collide=evict", "udp.collide=evict"},
               {"tcp.alloc=preserve tcp.collide=next", "tcp.collide=next"},
               {"map=apdm collide=overlap filter=adf", "udp.collide=overlap"},
               {"preset=linux hairpin=external", "udp.collide=overlap"},
               {"hold-down=120", "udp.hold-down"},
               {"tcp.max-ports=10", "tcp.max-ports"},
               {"udp.timeout=0.5/60", "udp.timeout"},
               {"mode=nptv6", "mode=nptv6"},
               {"hairpin=internal", "hairpin=internal"},
               {"rst=keep", "rst=keep"},
               {"alg=payload", "alg"},
               {"pool=203.0.113.8", "pool"},
               {"sessions=100", "sessions"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    thirl_lab_node node = node_of(cases[i].words);
    thirl_lab_complaint why = {.text = ""};
    char begin[96], *text = (char *)1;
    assert_int_equal(thirl_lab_netfilter_rules(&node, "out0", "in0", &text, &why), THIRL_E_UNSUPPORTED);
    assert_null(text);
    snprintf(begin, sizeof begin, "engine=netfilter cannot make %s of nat home: ", cases[i].named);
    if (strncmp(why.text, begin, strlen(begin)) != 0) fail_msg("not \"%s\": \"%s\"", begin, why.text);
  }
}

static const char *sysctl(const thirl_lab_netfilter_sysctls *s, const char *name) {
  for (size_t i = 0; i < s->n; i++)
    if (strcmp(s->items[i].name, name) == 0) return s->items[i].value;
  return "none";
}

static void life_times_are_sysctls(void **state) {
  (void)state;
  thirl_lab_node node = node_of("udp.timeout=20/60 tcp.timeout=240/7440/10 tracking=loose pickup=off");
  thirl_lab_netfilter_sysctls s;
  thirl_lab_netfilter_sysctls_of(&node, &s);
  assert_string_equal(sysctl(&s, "net.ipv4.ip_forward"), "1");
  assert_string_equal(sysctl(&s, "net.netfilter.nf_conntrack_udp_timeout"), "20");
  assert_string_equal(sysctl(&s, "net.netfilter.nf_conntrack_udp_timeout_stream"), "60");
  assert_string_equal(sysctl(&s, "net.netfilter.nf_conntrack_tcp_timeout_syn_sent"), "240");
  assert_string_equal(sysctl(&s, "net.netfilter.nf_conntrack_tcp_timeout_established"), "7440");
  assert_string_equal(sysctl(&s, "net.netfilter.nf_conntrack_tcp_timeout_close"), "10");
  assert_string_equal(sysctl(&s, "net.netfilter.nf_conntrack_tcp_be_liberal"), "1");
  assert_string_equal(sysctl(&s, "net.netfilter.nf_conntrack_tcp_loose"), "0");
  node = node_of("mode=route");
  thirl_lab_netfilter_sysctls_of(&node, &s);
  assert_string_equal(sysctl(&s, "net.ipv4.ip_forward"), "1");
  assert_string_equal(sysctl(&s, "net.netfilter.nf_conntrack_udp_timeout"), "none");
}

/* nft reads it and the kernel would take it; nothing is changed. */
static bool nft_accepts(const char *text) {
  FILE *nft = popen("PATH=$PATH:/usr/sbin:/sbin exec unshare -rn nft -c -f - 2>&1", "w"); // NOLINT(cert-env33-c)
  assert_non_null(nft);
  fputs(text, nft);
  return pclose(nft) == 0;
}

static void nft_accepts_all_of_it(void **state) {
  (void)state;
  if (!nft_accepts("table ip probe { }\n")) {
    print_message("SKIP: nft, or a user namespace for it, is not to be had\n");
    skip();
  }
  assert_false(nft_accepts("table ip probe { chain x { no such rule; } }\n"));
  static const char *const maps[] = {"eim", "adm", "apdm"}, *const filters[] = {"eif", "adf", "apdf"};
  char words[128];
  for (int i = 0; i < 9; i++) {
    snprintf(words, sizeof words, "map=%s filter=%s hairpin=external unsolicited=rst v6", maps[i / 3], filters[i % 3]);
    char *text = rules_of(words);
    if (!nft_accepts(text)) fail_msg("nft refuses %s:\n%s", words, text);
    free(text);
  }
  static const char *const more[] = {"alloc=preserve",
                                     "alloc=seq:2 hairpin=external",
                                     "alloc=block:64 hairpin=external",
                                     "preset=linux",
                                     "preset=linux-open",
                                     "mode=firewall filter=adf unsolicited=local",
                                     "mode=route",
                                     "allow=80,443 refuse=rst v6",
                                     "udp.allow=none refuse=icmp ping=drop icmp=drop v6",
                                     "map-timeout=500 unsolicited=icmp"};
  for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
    char *text = rules_of(more[i]);
    if (!nft_accepts(text)) fail_msg("nft refuses %s:\n%s", more[i], text);
    free(text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_rule_of_a_mapping_is_there),  cmocka_unit_test(a_refusal_is_what_the_word_says),
      cmocka_unit_test(ports_are_dealt_as_the_word_says), cmocka_unit_test(a_sequence_is_bounded),
      cmocka_unit_test(linux_itself_needs_no_tables),     cmocka_unit_test(a_router_has_no_rules),
      cmocka_unit_test(ipv6_inside_gets_a_wall),          cmocka_unit_test(what_the_kernel_cannot_is_named),
      cmocka_unit_test(life_times_are_sysctls),           cmocka_unit_test(nft_accepts_all_of_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
