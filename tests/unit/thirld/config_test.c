/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/thirld/config_file.h"

static void refuses(const char *text, const char *complaint) {
  config c;
  char said[CONFIG_COMPLAINT_MAX];
  config_init(&c);
  assert_int_equal(config_parse(&c, THIRL_BYTES(text, strlen(text)), said), THIRL_E_SYNTAX);
  assert_string_equal(said, complaint);
}

static config reads(const char *text) {
  config c;
  char said[CONFIG_COMPLAINT_MAX];
  config_init(&c);
  assert_int_equal(config_parse(&c, THIRL_BYTES(text, strlen(text)), said), THIRL_OK);
  assert_string_equal(said, "");
  return c;
}

/* True: the listeners are the defaults. */
static bool completes(config *c) {
  char said[CONFIG_COMPLAINT_MAX];
  bool by_default;
  assert_int_equal(config_complete(c, &by_default, said), THIRL_OK);
  assert_string_equal(said, "");
  return by_default;
}

static void nothing_means_the_defaults(void **state) {
  (void)state;
  config c = reads("");
  assert_int_equal(c.log_level, THIRL_LOG_INFO);
  assert_int_equal(c.drain_s, 30);
  assert_true(completes(&c));
  assert_int_equal(c.n_tcp, 4);
  assert_int_equal(c.n_udp, 4);
  char text[THIRL_ADDR_TEXT_MAX];
  assert_string_equal(thirl_addr_format(&c.listen_tcp[0], text), "0.0.0.0:3478");
  assert_string_equal(thirl_addr_format(&c.listen_udp[1], text), "[::]:3478");
  assert_int_equal(c.limits.max_connections, 20000);
}

static void reads_every_setting(void **state) {
  (void)state;
  config c =
      reads("\xef\xbb\xbf# with a BOM\r\n[server]\r\nlisten-tcp = 127.0.0.1 ; here\r\nlisten-tcp=[::1]:0\r\n"
            "listen-udp: 127.0.0.1:99\r\nlog-level = debug\r\ndrain-s = 5\r\n\r\n[limits]\r\nrelay-memory = 2G\r\n"
            "channel-buffer = 64k\r\nmax-channels = 17");
  char text[THIRL_ADDR_TEXT_MAX];
  assert_int_equal(c.n_tcp, 2);
  assert_string_equal(thirl_addr_format(&c.listen_tcp[0], text), "127.0.0.1:3478");
  assert_string_equal(thirl_addr_format(&c.listen_tcp[1], text), "[::1]:0");
  assert_int_equal(c.n_udp, 1);
  assert_string_equal(thirl_addr_format(&c.listen_udp[0], text), "127.0.0.1:99");
  assert_int_equal(c.log_level, THIRL_LOG_DEBUG);
  assert_int_equal(c.drain_s, 5);
  assert_int_equal(c.limits.relay_memory, 2147483648u);
  assert_int_equal(c.limits.channel_buffer, 65536);
  assert_int_equal(c.limits.max_channels, 17);
  assert_false(completes(&c));
}

static void says_what_is_wrong_and_where(void **state) {
  (void)state;
  refuses("[limits]\nmax-channels = 0\n", "2: max-channels is out of range: from 1 to 1000000");
  refuses("[limits]\nidle-timeout-s = 4\n", "2: idle-timeout-s is out of range: from 5 to 86400");
  refuses("[limits]\nrelay-memory = 99999999999G\n", "2: relay-memory is out of range: from 65536 to 1099511627776");
  refuses("[limits]\n\nmax-chanels = 5\n", "3: [limits] has no setting \"max-chanels\"");
  refuses("[limits]\nmax-channels = 5x\n", "2: max-channels cannot be \"5x\"");
  refuses("[limits]\nmax-channels = 5KK\n", "2: max-channels cannot be \"5KK\"");
  refuses("[limits]\nmax-channels = -5\n", "2: max-channels cannot be \"-5\"");
  refuses("[limits]\nmax-channels =\n", "2: max-channels cannot be \"\"");
  refuses("[server]\ndrain-s = 86401\n", "2: drain-s is out of range: \"86401\"");
  refuses("[server]\nlog-level = loud\n", "2: log-level cannot be \"loud\"");
  refuses("[server]\nlisten-tcp = example.org\n", "2: listen-tcp cannot be \"example.org\"");
  refuses("[server]\nlisten-tcp = ::1\nlisten-tcp = ::1\nlisten-tcp = ::1\nlisten-tcp = ::1\nlisten-tcp = ::1\n"
          "listen-tcp = ::1\nlisten-tcp = ::1\nlisten-tcp = ::1\nlisten-tcp = ::2\n",
          "10: too many of listen-tcp: eight at most, not \"::2\" too");
  refuses("max-channels = 5\n", "1: there is no section []; \"max-channels\" belongs into [server] or [limits]");
  refuses("[limit]\nmax-channels = 5\n",
          "2: there is no section [limit]; \"max-channels\" belongs into [server] or [limits]");
  refuses("# a\nhello\n[server]\n", "2: neither [section] nor name = value");
  refuses("[server\n", "1: neither [section] nor name = value");
  char longer[400] = "# ";
  memset(longer + 2, 'x', 300);
  refuses(longer, "1: the line is too long");
}

static void takes_no_bytes_for_text(void **state) {
  (void)state;
  config c;
  char said[CONFIG_COMPLAINT_MAX];
  config_init(&c);
  assert_int_equal(config_parse(&c, THIRL_BYTES("[server]\nlog\0-level", 19), said), THIRL_E_SYNTAX);
  assert_string_equal(said, "2: the line is no text");
}

static void reads_files(void **state) {
  (void)state;
  config c;
  char said[CONFIG_COMPLAINT_MAX], path[] = "/tmp/thirld-config-XXXXXX";
  config_init(&c);
  assert_int_equal(config_load(&c, "/nonexistent/thirld.conf", said), THIRL_E_NOT_FOUND);
  assert_string_equal(said, "not found");
  assert_int_equal(config_load(&c, "/", said), THIRL_E_IO);
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, "[server]\ndrain-s=7\n", 19), 19);
  assert_int_equal(config_load(&c, path, said), THIRL_OK);
  assert_int_equal(c.drain_s, 7);
  for (int i = 0; i < CONFIG_BYTES_MAX / 16; i++)
    assert_int_equal(write(fd, "# 3456789012345\n", 16), 16);
  assert_int_equal(config_load(&c, path, said), THIRL_E_LIMIT);
  close(fd);
  unlink(path);
}

static void lists(const thirl_addr *list, size_t n, const char *wanted) {
  char said[512] = "", text[THIRL_ADDR_TEXT_MAX];
  for (size_t i = 0; i < n; i++)
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s%s", i ? " " : "", thirl_addr_format(&list[i], text));
  assert_string_equal(said, wanted);
}

static void an_alternate_brings_the_listeners_it_needs(void **state) {
  (void)state;
  config c = reads("[server]\nlisten-udp = 192.0.2.1\nalternate = 192.0.2.2\n");
  assert_false(completes(&c));
  lists(c.listen_udp, c.n_udp, "192.0.2.1:3478 192.0.2.1:3479 192.0.2.2:3478 192.0.2.2:3479");
  assert_int_equal(c.n_tcp, 0);
  thirl_server_pair p = config_pair(&c, 0);
  lists(&p.primary, 1, "192.0.2.1:3478");
  lists(&p.alternate, 1, "192.0.2.2:3479");
  p = config_pair(&c, 1);
  lists(&p.primary, 1, "-");

  c = reads("[server]\nlisten-tcp = [2001:db8::1]:99\nlisten-tcp = 192.0.2.1:99\nlisten-udp = 192.0.2.1:99\n"
            "alternate = 192.0.2.2:100\nalternate = [2001:db8::2]:100\n");
  assert_false(completes(&c));
  lists(c.listen_udp, c.n_udp, "192.0.2.1:99 192.0.2.1:100 192.0.2.2:99 192.0.2.2:100");
  lists(c.listen_tcp, c.n_tcp,
        "[2001:db8::1]:99 192.0.2.1:99 192.0.2.1:100 192.0.2.2:99 192.0.2.2:100 [2001:db8::1]:100 [2001:db8::2]:99 "
        "[2001:db8::2]:100");
}

static void sockets_on_every_address_need_no_more(void **state) {
  (void)state;
  config c = reads("[server]\nprimary = 192.0.2.1\nalternate = 192.0.2.2\n");
  assert_true(completes(&c));
  lists(c.listen_udp, c.n_udp, "0.0.0.0:3478 [::]:3478 0.0.0.0:3479 [::]:3479");
  lists(c.listen_tcp, c.n_tcp, "0.0.0.0:3478 [::]:3478 0.0.0.0:3479 [::]:3479");
  thirl_server_pair p = config_pair(&c, 0);
  lists(&p.primary, 1, "192.0.2.1:3478");
  c = reads("[server]\nprimary = 192.0.2.1\nlisten-udp = 0.0.0.0\nalternate = 192.0.2.2\n");
  assert_false(completes(&c));
  lists(c.listen_udp, c.n_udp, "0.0.0.0:3478 192.0.2.1:3479 192.0.2.2:3479");
}

static void cannot_be_completed(const char *text, const char *complaint) {
  char said[CONFIG_COMPLAINT_MAX];
  bool by_default;
  config c = reads(text);
  assert_int_equal(config_complete(&c, &by_default, said), THIRL_E_SYNTAX);
  assert_string_equal(said, complaint);
}

static void says_what_an_alternate_lacks(void **state) {
  (void)state;
  cannot_be_completed("[server]\nalternate = 192.0.2.2\n",
                      "alternate = 192.0.2.2:3479 wants a first address: listen on one of IPv4, or say primary = ...");
  cannot_be_completed(
      "[server]\nlisten-udp = 192.0.2.1\nalternate = [2001:db8::2]\n",
      "alternate = [2001:db8::2]:3479 wants a first address: listen on one of IPv6, or say primary = ...");
  cannot_be_completed("[server]\nlisten-udp = 192.0.2.1\nalternate = 192.0.2.2:3478\n",
                      "alternate = 192.0.2.2:3478 must have another address and another port than 192.0.2.1:3478");
  cannot_be_completed("[server]\nlisten-udp = 192.0.2.1\nalternate = 192.0.2.1:9\n",
                      "alternate = 192.0.2.1:9 must have another address and another port than 192.0.2.1:3478");
  cannot_be_completed("[server]\nlisten-udp = 192.0.2.1\nlisten-udp = 192.0.2.3\nlisten-udp = 192.0.2.4\n"
                      "listen-udp = 192.0.2.5\nlisten-udp = 192.0.2.6\nlisten-udp = 192.0.2.7\nalternate = 192.0.2.2\n",
                      "alternate = 192.0.2.2:3479: too many listeners, eight of each kind at most");
  refuses("[server]\nalternate = 192.0.2.2\nalternate = 192.0.2.3\n",
          "3: alternate is given twice for one family: \"192.0.2.3\"");
  refuses("[server]\nalternate = 0.0.0.0\n", "2: alternate cannot be \"0.0.0.0\"");
  refuses("[server]\nprimary = 192.0.2.1:0\n", "2: primary cannot be \"192.0.2.1:0\"");
}

static void knows_how_others_see_it(void **state) {
  (void)state;
  config c = reads("[server]\npublic = 10.0.0.5 192.0.2.1\npublic = fd00::5 \t 2001:db8::1\n");
  assert_int_equal(c.n_aliases, 2);
  lists(&c.aliases[0].local, 2, "10.0.0.5:0 192.0.2.1:0");
  lists(&c.aliases[1].local, 2, "[fd00::5]:0 [2001:db8::1]:0");
  static const char *const wrong[] = {
      "10.0.0.5",          "10.0.0.5 2001:db8::1", "10.0.0.5 192.0.2.1:5",        "10.0.0.5:5 192.0.2.1",
      "0.0.0.0 192.0.2.1", "10.0.0.5 0.0.0.0",     "10.0.0.5 192.0.2.1 192.0.2.2"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    char text[100], complaint[100];
    snprintf(text, sizeof text, "[server]\npublic = %s\n", wrong[i]);
    snprintf(complaint, sizeof complaint, "2: public cannot be \"%s\"", wrong[i]);
    refuses(text, complaint);
  }
  refuses("[server]\npublic=1.1.1.1 2.1.1.1\npublic=1.1.1.2 2.1.1.1\npublic=1.1.1.3 2.1.1.1\npublic=1.1.1.4 2.1.1.1\n"
          "public=1.1.1.5 2.1.1.1\n",
          "6: too many of public: four at most, not \"1.1.1.5 2.1.1.1\" too");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_means_the_defaults),
      cmocka_unit_test(reads_every_setting),
      cmocka_unit_test(says_what_is_wrong_and_where),
      cmocka_unit_test(takes_no_bytes_for_text),
      cmocka_unit_test(reads_files),
      cmocka_unit_test(an_alternate_brings_the_listeners_it_needs),
      cmocka_unit_test(sockets_on_every_address_need_no_more),
      cmocka_unit_test(says_what_an_alternate_lacks),
      cmocka_unit_test(knows_how_others_see_it),
  };
  return cmocka_run_group_tests_name("thirld/config", tests, NULL, NULL);
}
