/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lab/text/topology.h"

static thirl_lab_topology *must_read(const char *text) {
  thirl_lab_topology *t;
  thirl_lab_complaint why = {""};
  if (thirl_lab_topology_read("x.lab", text, strlen(text), &t, &why) != THIRL_OK) fail_msg("%s", why.text);
  assert_non_null(t);
  return t;
}

static void refuses(const char *text, thirl_error e, const char *sentence) {
  thirl_lab_topology *t = (void *)1;
  thirl_lab_complaint why = {""};
  assert_int_equal(thirl_lab_topology_read("x.lab", text, strlen(text), &t, &why), e);
  assert_null(t);
  size_t n = strlen(sentence);
  if (n > 3 && strcmp(sentence + n - 3, "...") == 0) /* and so on */
    assert_memory_equal(why.text, sentence, n - 3);
  else
    assert_string_equal(why.text, sentence);
}

#define NET "net inet 203.0.113.0/24\n"

static const char whole[] = "# a home\n"
                            "seed 7\n"
                            "\n"
                            "host  a home 192.168.1.10  # before its NAT\n"
                            "net   inet 203.0.113.0/24 2001:db8::/64\r\n"
                            "host  stun inet 203.0.113.10 203.0.113.11 2001:db8::10\n"
                            "nat   home inet 203.0.113.1 lan 192.168.1.0/24 tcp.unsolicited=rst preset=symmetric\n"
                            "nat   cgn  inet 203.0.113.2 lan 100.64.0.254/16 engine=netfilter\n"
                            "link  * latency=10ms\n"
                            "link  home up latency=20ms jitter=2ms loss=0.5%\n"
                            "link  home inner queue=64K\n"
                            "at 8s  host a move cgn 100.64.0.9\n"
                            "at 5s  nat home reboot\n"
                            "at 5   link a down\n"
                            "at 5.5s link a up\n"
                            "at 6s  link a up loss=1%\n"
                            "run   a -- ping -c 1 203.0.113.10 # not a comment\n"
                            "run   stun --   sleep 1";

static void ip_is(const thirl_addr *a, const char *text) {
  char out[THIRL_LAB_ADDRESS_TEXT_MAX];
  assert_string_equal(thirl_lab_address_format_ip(a, out), text);
}

static void prefix_is(const thirl_lab_prefix *p, const char *text) {
  char out[THIRL_LAB_ADDRESS_TEXT_MAX];
  assert_string_equal(thirl_lab_address_format(p, out), text);
}

static void reads_nets_and_nodes(void **state) {
  (void)state;
  thirl_lab_topology *t = must_read(whole);
  assert_int_equal(t->seed, 7);
  assert_int_equal(t->n_nets, 3);
  assert_int_equal(t->n_nodes, 4);
  size_t inet = thirl_lab_topology_find_net(t, "inet"), home = thirl_lab_topology_find_net(t, "home"),
         cgn = thirl_lab_topology_find_net(t, "cgn");
  assert_int_equal(t->nets[inet].nat, -1);
  assert_int_equal(t->nets[inet].n_prefixes, 2);
  prefix_is(&t->nets[inet].prefixes[1], "2001:db8::/64");
  prefix_is(&t->nets[inet].gateways[0], "203.0.113.254/24");
  prefix_is(&t->nets[inet].gateways[1], "2001:db8::ffff:ffff:ffff:fffe/64");
  prefix_is(&t->nets[home].gateways[0], "192.168.1.1/24");
  prefix_is(&t->nets[cgn].prefixes[0], "100.64.0.0/16");
  prefix_is(&t->nets[cgn].gateways[0], "100.64.0.254/16");
  const thirl_lab_node *a = &t->nodes[thirl_lab_topology_find_node(t, "a")];
  assert_int_equal(a->kind, THIRL_LAB_HOST);
  assert_int_equal(a->outer.net, home);
  assert_int_equal(a->outer.n_addrs, 1);
  prefix_is(&a->outer.addrs[0], "192.168.1.10/24");
  assert_int_equal(a->line, 4);
  const thirl_lab_node *stun = &t->nodes[thirl_lab_topology_find_node(t, "stun")];
  assert_int_equal(stun->outer.n_addrs, 3);
  prefix_is(&stun->outer.addrs[2], "2001:db8::10/64");
  const thirl_lab_node *nat = &t->nodes[thirl_lab_topology_find_node(t, "home")];
  assert_int_equal(nat->kind, THIRL_LAB_NAT);
  assert_int_equal(nat->outer.net, inet);
  assert_int_equal(nat->inner.net, home);
  assert_int_equal(nat->engine, THIRL_LAB_NATBOX);
  assert_int_equal(t->nets[home].nat, nat - t->nodes);
  ip_is(&nat->nat.external, "203.0.113.1");
  assert_int_equal(nat->nat.udp.mapping, THIRL_NATBOX_APDM);
  assert_int_equal(nat->nat.udp.unsolicited, THIRL_NATBOX_DROP);
  assert_int_equal(nat->nat.tcp.unsolicited, THIRL_NATBOX_RST_BACK);
  assert_int_equal(t->nodes[thirl_lab_topology_find_node(t, "cgn")].engine, THIRL_LAB_NETFILTER);
  assert_true(thirl_lab_topology_find_node(t, "inet") == SIZE_MAX);
  assert_true(thirl_lab_topology_find_net(t, "stun") == SIZE_MAX);
  thirl_lab_topology_free(t);
}

static void reads_links(void **state) {
  (void)state;
  thirl_lab_topology *t = must_read(whole);
  const thirl_lab_node *nat = &t->nodes[thirl_lab_topology_find_node(t, "home")],
                       *a = &t->nodes[thirl_lab_topology_find_node(t, "a")];
  assert_int_equal(nat->outer.up.delay, 20 * THIRL_MS);
  assert_int_equal(nat->outer.up.jitter, 2 * THIRL_MS);
  assert_true(nat->outer.up.loss == 0.005);
  assert_int_equal(nat->outer.up.queue_max, 0);
  assert_int_equal(nat->outer.down.delay, 10 * THIRL_MS);
  assert_true(nat->outer.down.loss == 0);
  assert_int_equal(nat->inner.up.delay, 0);
  assert_int_equal(nat->inner.up.queue_max, 65536);
  assert_int_equal(nat->inner.down.queue_max, 65536);
  assert_int_equal(a->outer.up.delay, 10 * THIRL_MS);
  assert_false(a->outer.up.cut);
  thirl_lab_topology_free(t);
}

static void events_are_sorted_and_build_on_each_other(void **state) {
  (void)state;
  thirl_lab_topology *t = must_read(whole);
  const thirl_lab_event *e = t->events;
  size_t a = thirl_lab_topology_find_node(t, "a");
  assert_int_equal(t->n_events, 5);
  assert_int_equal(e[0].kind, THIRL_LAB_EVENT_REBOOT);
  assert_int_equal(e[0].at, 5 * THIRL_S);
  assert_int_equal(e[0].node, thirl_lab_topology_find_node(t, "home"));
  assert_int_equal(e[0].line, 13);
  assert_int_equal(e[1].kind, THIRL_LAB_EVENT_LINK);
  assert_int_equal(e[1].at, 5 * THIRL_S);
  assert_int_equal(e[1].node, a);
  assert_true(e[1].up.cut && e[1].down.cut);
  assert_int_equal(e[1].up.delay, 10 * THIRL_MS);
  assert_int_equal(e[2].at, 5500 * THIRL_MS);
  assert_false(e[2].up.cut || e[2].down.cut);
  assert_true(e[3].up.loss == 0.01 && e[3].down.loss == 0);
  assert_false(e[3].up.cut);
  assert_int_equal(e[4].kind, THIRL_LAB_EVENT_MOVE);
  assert_int_equal(e[4].at, 8 * THIRL_S);
  assert_int_equal(e[4].net, thirl_lab_topology_find_net(t, "cgn"));
  prefix_is(&e[4].addr, "100.64.0.9/16");
  thirl_lab_topology_free(t);
}

static void reads_commands(void **state) {
  (void)state;
  thirl_lab_topology *t = must_read(whole);
  assert_int_equal(t->n_runs, 2);
  assert_string_equal(t->runs[0].command, "ping -c 1 203.0.113.10 # not a comment");
  assert_int_equal(t->runs[0].node, thirl_lab_topology_find_node(t, "a"));
  assert_string_equal(t->runs[1].command, "sleep 1");
  assert_int_equal(t->runs[1].line, 18);
  thirl_lab_topology_free(t);
}

static void engines(void **state) {
  (void)state;
  thirl_lab_topology *t = must_read("engine netfilter\n" NET "nat a inet 203.0.113.1 lan 10.0.0.0/24\n"
                                    "nat b inet 203.0.113.2 lan 10.0.0.0/24 engine=natbox\n"
                                    "nat c inet 203.0.113.3 lan 10.0.0.0/24 recipe=fullcone\n");
  assert_int_equal(t->nodes[0].engine, THIRL_LAB_NETFILTER);
  assert_int_equal(t->nodes[1].engine, THIRL_LAB_NATBOX);
  assert_string_equal(t->nodes[2].recipe, "fullcone");
  thirl_lab_topology_set_engine(t, THIRL_LAB_NATBOX);
  assert_int_equal(t->nodes[0].engine, THIRL_LAB_NATBOX);
  assert_int_equal(t->nodes[2].engine, THIRL_LAB_NETFILTER);
  thirl_lab_topology_set_engine(t, THIRL_LAB_NETFILTER);
  assert_int_equal(t->nodes[1].engine, THIRL_LAB_NATBOX);
  thirl_lab_topology_free(t);
  refuses(NET "nat c inet 203.0.113.3 lan 10.0.0.0/24 recipe=fullcone engine=natbox\n", THIRL_E_INVALID,
          "x.lab:2: a recipe is netfilter's and goes with no other words");
  refuses(NET "nat c inet 203.0.113.3 lan 10.0.0.0/24 recipe=fullcone map=eim\n", THIRL_E_INVALID,
          "x.lab:2: a recipe is netfilter's and goes with no other words");
  refuses(NET "nat c inet 203.0.113.3 lan 10.0.0.0/24 engine=kernel\n", THIRL_E_SYNTAX,
          "x.lab:2: engine wants natbox or netfilter, not \"kernel\"");
}

static void refuses_loops(void **state) {
  (void)state;
  refuses(NET "nat a b 10.1.0.2 lan 10.0.0.0/24\nnat b a 10.0.0.2 lan 10.1.0.0/24\n", THIRL_E_INVALID,
          "x.lab:2: a loop: a behind b behind a");
  refuses("nat a a 10.0.0.2 lan 10.0.0.0/24\n", THIRL_E_INVALID, "x.lab:1: a loop: a behind a");
  refuses(NET "nat a b 10.1.0.2 lan 10.0.0.0/24\nnat b c 10.2.0.2 lan 10.1.0.0/24\nnat c b 10.1.0.3 lan 10.2.0.0/24\n",
          THIRL_E_INVALID, "x.lab:3: a loop: b behind c behind b");
}

static void refuses_missing_links(void **state) {
  (void)state;
  refuses(NET "host a lam 203.0.113.1\n", THIRL_E_INVALID, "x.lab:2: there is no net called \"lam\"");
  refuses(NET "host a inet 203.0.113.1\nlink b latency=1ms\n", THIRL_E_INVALID,
          "x.lab:3: there is no host and no NAT called \"b\"");
  refuses(NET "host a inet\n", THIRL_E_SYNTAX, "x.lab:2: a has no address on inet");
  refuses(NET "host a\n", THIRL_E_SYNTAX, "x.lab:2: the net of a is missing");
  refuses(NET "nat a inet 203.0.113.1\n", THIRL_E_SYNTAX, "x.lab:2: a has no inside: lan PREFIX is missing");
  refuses(NET "nat a inet 203.0.113.1 lan\n", THIRL_E_SYNTAX, "x.lab:2: a has no prefix such as 192.168.1.0/24");
  refuses(NET "nat a inet lan 10.0.0.0/24\n", THIRL_E_SYNTAX, "x.lab:2: a has no address on inet");
  refuses(NET "run b -- true\nhost a inet 203.0.113.1\n", THIRL_E_INVALID, "x.lab:2: there is no host called \"b\"");
  refuses("", THIRL_E_INVALID, "x.lab: there is no host and no NAT");
}

static void refuses_clashes(void **state) {
  (void)state;
  refuses(NET "host a inet 203.0.113.1\nhost b inet 203.0.113.1\n", THIRL_E_INVALID,
          "x.lab:3: 203.0.113.1 on inet belongs to a already");
  refuses(NET "host a inet 203.0.113.1 203.0.113.1\n", THIRL_E_INVALID,
          "x.lab:2: 203.0.113.1 on inet belongs to a already");
  refuses(NET "host a inet 203.0.113.254\n", THIRL_E_INVALID, "x.lab:2: 203.0.113.254 on inet belongs to inet already");
  refuses(NET "nat n inet 203.0.113.1 lan 10.0.0.0/24\nhost a n 10.0.0.1\n", THIRL_E_INVALID,
          "x.lab:3: 10.0.0.1 on n belongs to n already");
  refuses(NET "host a inet 203.0.113.1\nhost a inet 203.0.113.2\n", THIRL_E_INVALID,
          "x.lab:3: a is the name of something else already, in line 2");
  refuses(NET "host inet inet 203.0.113.1\n", THIRL_E_INVALID,
          "x.lab:2: inet is the name of something else already, in line 1");
  refuses(NET "net other 203.0.0.0/16\nhost a inet 203.0.113.1\n", THIRL_E_INVALID,
          "x.lab:2: 203.0.113.0/24 of inet and 203.0.0.0/16 of other overlap");
  refuses(NET "nat n inet 203.0.113.1 lan 203.0.113.128/25\n", THIRL_E_INVALID,
          "x.lab:2: 203.0.113.0/24 of inet and 203.0.113.128/25 of n overlap");
  refuses(NET "nat n inet 203.0.113.1 lan 10.0.0.0/24 10.0.0.0/8\n", THIRL_E_INVALID,
          "x.lab:2: two prefixes of n overlap");
  /* Two homes may have the same addresses inside, unless everybody sees them. */
  thirl_lab_topology_free(
      must_read(NET "nat n inet 203.0.113.1 lan 10.0.0.0/24\nnat m inet 203.0.113.2 lan 10.0.0.0/24\n"));
  refuses(NET
          "nat n inet 203.0.113.1 lan 10.0.0.0/24 mode=route\nnat m inet 203.0.113.2 lan 10.0.0.0/24 mode=firewall\n",
          THIRL_E_INVALID, "x.lab:3: 10.0.0.0/24 of n and 10.0.0.0/24 of m overlap");
  refuses("net inet 203.0.113.0/24 2001:db8::/64\nnat n inet 203.0.113.1 lan 10.0.0.0/24 2001:db8:1::/64\n"
          "nat m inet 203.0.113.2 lan 10.0.0.0/24 2001:db8:1::/64\n",
          THIRL_E_INVALID, "x.lab:3: 2001:db8:1::/64 of n and 2001:db8:1::/64 of m overlap");
}

static void refuses_addresses(void **state) {
  (void)state;
  refuses(NET "host a inet 203.0.114.1\n", THIRL_E_INVALID, "x.lab:2: 203.0.114.1 is not in 203.0.113.0/24 of inet");
  refuses(NET "host a inet 203.0.113\n", THIRL_E_SYNTAX, "x.lab:2: \"203.0.113\" is not an address");
  refuses(NET "host a inet 203.0.113.1:80\n", THIRL_E_SYNTAX, "x.lab:2: \"203.0.113.1:80\" is not an address");
  refuses(NET "host a inet 203.0.113.1/25\n", THIRL_E_INVALID,
          "x.lab:2: 203.0.113.1/25 has another length than 203.0.113.0/24 of inet");
  refuses(NET "host a inet 203.0.113.0\n", THIRL_E_INVALID, "x.lab:2: 203.0.113.0 is no address that a host can have");
  refuses(NET "host a inet 203.0.113.255\n", THIRL_E_INVALID,
          "x.lab:2: 203.0.113.255 is no address that a host can have");
  refuses("net inet 203.0.113.0\n", THIRL_E_SYNTAX, "x.lab:1: \"203.0.113.0\" is not a prefix such as 192.168.1.0/24");
  refuses("net inet 203.0.113.0/33\n", THIRL_E_SYNTAX,
          "x.lab:1: \"203.0.113.0/33\" is not a prefix such as 192.168.1.0/24");
  refuses("net inet 203.0.113.0/31\n", THIRL_E_INVALID,
          "x.lab:1: 203.0.113.0/31 leaves no room for hosts, or for anything else");
  refuses("net inet 0.0.0.0/0\n", THIRL_E_INVALID, "x.lab:1: 0.0.0.0/0 leaves no room for hosts, or for anything else");
  refuses("net inet 127.0.0.0/8\n", THIRL_E_INVALID, "x.lab:1: 127.0.0.0/8 has no address that a host can have");
  refuses("net inet\n", THIRL_E_SYNTAX, "x.lab:1: inet has no prefix such as 192.168.1.0/24");
  refuses("net inet 2001:db8::/64\nnat n inet 2001:db8::1 lan 10.0.0.0/24\n", THIRL_E_INVALID,
          "x.lab:2: n translates IPv4, but has no IPv4 address on inet");
}

static void refuses_unknown_words(void **state) {
  (void)state;
  refuses("nett inet 203.0.113.0/24\n", THIRL_E_SYNTAX,
          "x.lab:1: a line cannot begin with \"nett\": net, host, nat, link, at, run, seed, engine");
  refuses(NET "nat n inet 203.0.113.1 lan 10.0.0.0/24 maps=eim\n", THIRL_E_SYNTAX,
          "x.lab:2: \"maps\" is nothing that a NAT can have: preset, mode, map, filter, alloc, ...");
  refuses(NET "nat n inet 203.0.113.1 lan 10.0.0.0/24 map=eif\n", THIRL_E_SYNTAX,
          "x.lab:2: map wants eim|adm|apdm, not \"eif\"");
  refuses(NET "host a inet 203.0.113.1 latency=1ms\n", THIRL_E_SYNTAX,
          "x.lab:2: \"latency=1ms\" is nothing that a host can have: a net and addresses");
  refuses(NET "host a inet 203.0.113.1\nlink a latency=20\n", THIRL_E_SYNTAX,
          "x.lab:3: latency wants a time up to an hour such as 20ms, not \"20\"");
  refuses(NET "host a inet 203.0.113.1\nlink a\n", THIRL_E_SYNTAX,
          "x.lab:3: up, down or words such as latency=20ms are missing");
  refuses(NET "host a inet 203.0.113.1\nlink a inner latency=1ms\n", THIRL_E_INVALID,
          "x.lab:3: a is a host and has no inner link");
  refuses(NET "host a inet 203.0.113.1\nat 5s host a explode\n", THIRL_E_SYNTAX,
          "x.lab:3: a host can move NET ADDRESS, not \"explode\"");
  refuses(NET "host a inet 203.0.113.1\nat noon host a move inet 203.0.113.2\n", THIRL_E_SYNTAX,
          "x.lab:3: at wants a time such as 5s, not \"noon\"");
  refuses(NET "host a inet 203.0.113.1\nat 5s\n", THIRL_E_SYNTAX,
          "x.lab:3: there is nothing that happens: nat, link or host");
  refuses(NET "host a inet 203.0.113.1 -- true\n", THIRL_E_SYNTAX, "x.lab:2: only a run line has a \"--\"");
  refuses(NET "host a inet 203.0.113.1\nrun a\n", THIRL_E_SYNTAX, "x.lab:3: run wants HOST -- COMMAND");
  refuses(NET "host a_b inet 203.0.113.1\n", THIRL_E_SYNTAX,
          "x.lab:2: \"a_b\" is no name: up to 15 letters, digits and '-'");
  refuses(NET "host abcdefghijklmnop inet 203.0.113.1\n", THIRL_E_SYNTAX,
          "x.lab:2: \"abcdefghijklmnop\" is no name: up to 15 letters, digits and '-'");
  refuses("seed 1 2\n", THIRL_E_SYNTAX, "x.lab:1: seed wants one number, not \"1\"");
  refuses("seed \x01\n", THIRL_E_SYNTAX, "x.lab:1: there is a character that cannot be printed (0x01)");
}

static void an_event_is_judged_by_what_is_by_then(void **state) {
  (void)state;
  static const char before[] = NET "host a inet 203.0.113.1\nhost b inet 203.0.113.2\n";
  char text[512];
  snprintf(text, sizeof text, "%sat 2s host b move inet 203.0.113.1\nat 1s host a move inet 203.0.113.3\n", before);
  thirl_lab_topology_free(must_read(text));
  snprintf(text, sizeof text, "%sat 2s host b move inet 203.0.113.3\nat 1s host a move inet 203.0.113.3\n", before);
  refuses(text, THIRL_E_INVALID, "x.lab:4: 203.0.113.3 on inet belongs to a already");
}

static void keeps_within_its_limits(void **state) {
  (void)state;
  enum { MANY = 400 };
  char *text = malloc(MANY * 64), *at = text;
  assert_non_null(text);
  at += sprintf(at, "net inet 10.0.0.0/8\n");
  for (int i = 0; i <= THIRL_LAB_NODES_MAX; i++)
    at += sprintf(at, "host h%d inet 10.0.%d.%d\n", i, i / 100, i % 100 + 1);
  refuses(text, THIRL_E_LIMIT, "x.lab:194: there are more than 192 hosts and NATs");
  at = text;
  for (int i = 0; i <= THIRL_LAB_NETS_MAX; i++)
    at += sprintf(at, "net n%d 10.%d.0.0/16\n", i, i);
  refuses(text, THIRL_E_LIMIT, "x.lab:97: there are more than 96 nets");
  at = text + sprintf(text, NET "host a inet 203.0.113.1\n");
  for (int i = 0; i <= THIRL_LAB_EVENTS_MAX; i++)
    at += sprintf(at, "at %ds link a down\n", i);
  refuses(text, THIRL_E_LIMIT, "x.lab:259: there are more than 256 events");
  at = text + sprintf(text, NET "host a inet");
  for (int i = 1; i <= 9; i++)
    at += sprintf(at, " 203.0.113.%d", i);
  refuses(text, THIRL_E_LIMIT, "x.lab:2: a has more than 8 addresses");
  memset(text, 'x', 1024);
  text[1024] = '\0';
  refuses(text, THIRL_E_LIMIT, "x.lab:1: this line is longer than 1023 bytes");
  free(text);
}

static void one_line_for_a_running_lab(void **state) {
  (void)state;
  thirl_lab_topology *t = must_read(whole);
  thirl_lab_event e;
  thirl_lab_complaint why = {""};
  assert_int_equal(thirl_lab_topology_read_event(t, "nat home udp.filter=eif", &e, &why), THIRL_OK);
  assert_int_equal(e.kind, THIRL_LAB_EVENT_NAT);
  assert_int_equal(e.nat.udp.filtering, THIRL_NATBOX_EIF);
  assert_int_equal(e.nat.tcp.filtering, THIRL_NATBOX_APDF);
  assert_int_equal(e.nat.udp.mapping, THIRL_NATBOX_APDM);
  assert_int_equal(thirl_lab_topology_read_event(t, "nat home renumber 203.0.113.99", &e, &why), THIRL_OK);
  assert_int_equal(e.kind, THIRL_LAB_EVENT_RENUMBER);
  thirl_lab_model_apply(t, &e);
  ip_is(&t->nodes[e.node].nat.external, "203.0.113.99");
  prefix_is(&t->nodes[e.node].outer.addrs[0], "203.0.113.99/24");
  assert_int_equal(thirl_lab_topology_read_event(t, "nat home renumber 203.0.113.10", &e, &why), THIRL_E_INVALID);
  assert_string_equal(why.text, "203.0.113.10 on inet belongs to stun already");
  assert_int_equal(thirl_lab_topology_read_event(t, "nat a reboot", &e, &why), THIRL_E_INVALID);
  assert_string_equal(why.text, "a is a host and no NAT");
  assert_int_equal(thirl_lab_topology_read_event(t, "nat home reboot now", &e, &why), THIRL_E_SYNTAX);
  assert_string_equal(why.text, "\"now\" is one word too many");
  assert_int_equal(thirl_lab_topology_read_event(t, "", &e, &why), THIRL_E_SYNTAX);
  thirl_lab_topology_free(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_nets_and_nodes),
      cmocka_unit_test(reads_links),
      cmocka_unit_test(events_are_sorted_and_build_on_each_other),
      cmocka_unit_test(reads_commands),
      cmocka_unit_test(engines),
      cmocka_unit_test(refuses_loops),
      cmocka_unit_test(refuses_missing_links),
      cmocka_unit_test(refuses_clashes),
      cmocka_unit_test(refuses_addresses),
      cmocka_unit_test(refuses_unknown_words),
      cmocka_unit_test(an_event_is_judged_by_what_is_by_then),
      cmocka_unit_test(keeps_within_its_limits),
      cmocka_unit_test(one_line_for_a_running_lab),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
