/* SPDX-License-Identifier: MIT */
/* What can go wrong before there is a stream: each has its error, says more in words, and is told as soon as it is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/rig.h"
#include "io/secrets.h"
#include "io/socket.h"
#include "meet/ticket.h"

static rig *server;

static int setup(void **state) {
  (void)state;
  server = rig_new();
  return 0;
}

static int teardown(void **state) {
  (void)state;
  rig_free(server);
  return 0;
}

/* A ticket that nobody has given out, for a peer that may be anybody. */
static void stray_ticket(const char *host, uint16_t port, const char *peer, char out[THIRL_TICKET_MAX]) {
  thirl_secrets secrets = thirl_io_secrets();
  thirl_peerid id = {{1, 2, 3}};
  thirl_meet_ticket t;
  if (peer) assert_int_equal(thirl_peerid_parse(peer, &id), THIRL_OK);
  assert_int_equal(thirl_meet_ticket_make(&secrets, host, port, &id, &t), THIRL_OK);
  assert_int_equal(thirl_meet_ticket_format(&t, out), THIRL_OK);
}

static uint16_t server_port(void) {
  return (uint16_t)atoi(strrchr(rig_server(server), ':') + 1);
}

static thirl_error dial(const char *ticket, unsigned timeout_ms) {
  thirl_options o = rig_options(NULL);
  thirl_connection *c;
  o.timeout_ms = timeout_ms;
  thirl_error e = thirl_dial(&o, ticket, &c);
  if (e == THIRL_OK)
    thirl_connection_close(c, 0);
  else
    assert_null(c);
  return e;
}

/* ---- tickets ---- */

static void test_no_ticket(void **state) {
  (void)state;
  assert_int_equal(dial("", 1000), THIRL_E_SYNTAX);
  assert_string_equal(thirl_explain(), "this is not a ticket: one is a single word that begins with thirl1");
  assert_int_equal(dial("ssh-rsa AAAA", 1000), THIRL_E_SYNTAX);
  assert_int_equal(dial(NULL, 1000), THIRL_E_SYNTAX);
  assert_int_equal(dial("THIRL1040", 1000), THIRL_E_SYNTAX);
  assert_string_equal(thirl_explain(), "the ticket was mistyped or cut off: copy the whole of it again");
}

static void test_mistyped_ticket(void **state) {
  (void)state;
  char t[THIRL_TICKET_MAX];
  stray_ticket("127.0.0.1", 3478, NULL, t);
  t[20] = t[20] == '7' ? '8' : '7';
  assert_int_equal(dial(t, 1000), THIRL_E_CHECKSUM);
  assert_string_equal(thirl_explain(), "the ticket was mistyped or cut off: copy the whole of it again");
}

static void test_later_ticket(void **state) {
  (void)state;
  char t[THIRL_TICKET_MAX];
  stray_ticket("127.0.0.1", 3478, NULL, t);
  t[5] = '2';
  assert_int_equal(dial(t, 1000), THIRL_E_UNSUPPORTED);
}

/* ---- nobody there ---- */

static void test_unknown_peer(void **state) {
  (void)state;
  char t[THIRL_TICKET_MAX];
  stray_ticket("127.0.0.1", server_port(), NULL, t);
  assert_int_equal(dial(t, 1200), THIRL_E_NO_PEER);
}

/* The peer is there, but never gave this ticket out; to the asker it is the same. */
static void test_known_peer_unknown_ticket(void **state) {
  (void)state;
  char good[THIRL_TICKET_MAX], forged[THIRL_TICKET_MAX];
  thirl_options o = rig_options(server);
  thirl_meet_ticket t;
  thirl_listener *l;
  thirl_connection *c;
  char peer[THIRL_PEERID_TEXT_MAX];
  assert_int_equal(thirl_listen(&o, &l, good), THIRL_OK);
  assert_int_equal(thirl_meet_ticket_parse(good, &t), THIRL_OK);
  stray_ticket(t.host, t.port, thirl_peerid_format(&t.peer, peer), forged);
  assert_int_equal(dial(forged, 1200), THIRL_E_NO_PEER);
  assert_int_equal(thirl_accept(l, 0, &c), THIRL_E_TIMEOUT); /* and the listener has not noticed */
  thirl_listener_close(l);
}

/* The right secret under another peer's id: that peer may be registered, and is not asked. */
static void test_ticket_with_another_peers_id(void **state) {
  (void)state;
  char ticket_a[THIRL_TICKET_MAX], ticket_b[THIRL_TICKET_MAX], mixed[THIRL_TICKET_MAX];
  thirl_options o = rig_options(server);
  thirl_listener *a, *b;
  thirl_connection *c;
  thirl_meet_ticket t, u;
  assert_int_equal(thirl_listen(&o, &a, ticket_a), THIRL_OK);
  assert_int_equal(thirl_listen(&o, &b, ticket_b), THIRL_OK);
  assert_int_equal(thirl_meet_ticket_parse(ticket_a, &t), THIRL_OK);
  assert_int_equal(thirl_meet_ticket_parse(ticket_b, &u), THIRL_OK);
  t.peer = u.peer;
  assert_int_equal(thirl_meet_ticket_format(&t, mixed), THIRL_OK);
  assert_int_equal(dial(mixed, 1200), THIRL_E_NO_PEER);
  assert_int_equal(thirl_accept(a, 0, &c), THIRL_E_TIMEOUT);
  assert_int_equal(thirl_accept(b, 0, &c), THIRL_E_TIMEOUT);
  thirl_listener_close(a);
  thirl_listener_close(b);
}

static void test_dial_oneself(void **state) {
  (void)state;
  char ticket[THIRL_TICKET_MAX];
  thirl_options o = rig_options(server);
  rig_loop l = rig_loop_new(&o);
  assert_int_equal(thirl_context_listen(l.context, ticket), THIRL_OK);
  assert_int_equal(thirl_context_dial(l.context, ticket, &l.session), THIRL_E_SELF);
  assert_int_equal(l.session, 0);
  rig_loop_free(&l);
}

/* ---- no server ---- */

/* A port of loopback on which nobody listens: bound, so that nobody else takes it meanwhile. */
static int silent_port(uint16_t *port) {
  thirl_addr at = thirl_addr_v4(127, 0, 0, 1, 0);
  thirl_io_sockaddr sa;
  socklen_t n = thirl_io_socket_to_sys(&at, &sa);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(bind(fd, &sa.any, n), 0);
  *port = thirl_io_socket_local(fd).port;
  return fd;
}

static void test_nobody_at_the_server(void **state) {
  (void)state;
  char t[THIRL_TICKET_MAX], said[64];
  uint16_t port;
  int fd = silent_port(&port);
  stray_ticket("127.0.0.1", port, NULL, t);
  assert_int_equal(dial(t, 700), THIRL_E_NO_SERVER);
  snprintf(said, sizeof said, "nothing answers at 127.0.0.1:%u", port);
  assert_string_equal(thirl_explain(), said);
  close(fd);
}

static void test_listen_without_a_server(void **state) {
  (void)state;
  char t[THIRL_TICKET_MAX], at[32], said[64];
  uint16_t port;
  int fd = silent_port(&port);
  thirl_listener *l;
  thirl_options o = rig_options(NULL);
  snprintf(at, sizeof at, "127.0.0.1:%u", port);
  o.server = at;
  o.timeout_ms = 500;
  assert_int_equal(thirl_listen(&o, &l, t), THIRL_E_NO_SERVER);
  assert_null(l);
  snprintf(said, sizeof said, "nothing answers at %s", at);
  assert_string_equal(thirl_explain(), said);
  close(fd);
}

/* "-nosuch" is no host name (RFC 1123): the C library says so without asking the network. */
static void test_a_name_that_does_not_exist_is_told_at_once(void **state) {
  (void)state;
  char t[THIRL_TICKET_MAX];
  thirl_listener *l;
  thirl_options o = rig_options(NULL);
  stray_ticket("-nosuch", 3478, NULL, t);
  long long begin = rig_now_ms();
  assert_int_equal(dial(t, 15000), THIRL_E_NO_SERVER);
  assert_string_equal(thirl_explain(), "there is no host named -nosuch");
  o.server = "-nosuch:1234";
  assert_int_equal(thirl_listen(&o, &l, t), THIRL_E_NO_SERVER);
  assert_string_equal(thirl_explain(), "there is no host named -nosuch");
  assert_true(rig_now_ms() - begin < 10000);
}

static void test_a_name_is_looked_up(void **state) {
  (void)state;
  char at[32], t[THIRL_TICKET_MAX];
  thirl_listener *l;
  thirl_options o = rig_options(NULL);
  snprintf(at, sizeof at, "localhost:%u", server_port()); /* ::1 may come first and be refused */
  o.server = at;
  assert_int_equal(thirl_listen(&o, &l, t), THIRL_OK);
  thirl_listener_close(l);
}

static void test_what_is_no_server(void **state) {
  (void)state;
  static const struct {
    const char *server;
    thirl_error error;
  } rows[] = {{"", THIRL_E_INVALID},         {"host:0", THIRL_E_SYNTAX},    {"host:99999", THIRL_E_SYNTAX},
              {"[::1", THIRL_E_SYNTAX},      {"two words", THIRL_E_SYNTAX}, {"a/b", THIRL_E_SYNTAX},
              {"host:port", THIRL_E_SYNTAX}, {":3478", THIRL_E_SYNTAX}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    thirl_options o = rig_options(NULL);
    thirl_listener *l;
    char t[THIRL_TICKET_MAX] = "x";
    o.server = rows[i].server;
    assert_int_equal(thirl_listen(&o, &l, t), rows[i].error);
    assert_null(l);
    assert_string_equal(t, "");
    assert_string_not_equal(thirl_explain(), "");
  }
  char long_name[200];
  memset(long_name, 'a', sizeof long_name - 1);
  long_name[sizeof long_name - 1] = '\0';
  thirl_options o = rig_options(NULL);
  thirl_listener *l;
  char t[THIRL_TICKET_MAX];
  o.server = long_name;
  assert_int_equal(thirl_listen(&o, &l, t), THIRL_E_RANGE);
}

static void test_the_server_of_the_environment(void **state) {
  (void)state;
  char t[THIRL_TICKET_MAX];
  thirl_listener *l;
  thirl_options o = rig_options(NULL);
  unsetenv("THIRL_SERVER");
  assert_int_equal(thirl_listen(&o, &l, t), THIRL_E_INVALID);
  setenv("THIRL_SERVER", rig_server(server), 1);
  assert_int_equal(thirl_listen(&o, &l, t), THIRL_OK);
  unsetenv("THIRL_SERVER");
  thirl_listener_close(l);
}

/* ---- paths ---- */

static void test_direct_only_finds_no_direct_path(void **state) {
  (void)state;
  char t[THIRL_TICKET_MAX];
  thirl_options o = rig_options(server);
  thirl_listener *l;
  thirl_connection *c;
  assert_int_equal(thirl_listen(&o, &l, t), THIRL_OK);
  o.direct_only = true;
  assert_int_equal(thirl_dial(&o, t, &c), THIRL_E_ONLY_RELAY); /* loopback is never probed */
  thirl_listener_close(l);
}

/* ---- options ---- */

static thirl_error context_error(const thirl_options *o, char *words, size_t cap) {
  thirl_context *c = NULL;
  thirl_error e = thirl_context_new(o, &c);
  snprintf(words, cap, "%s", thirl_context_explain(c));
  thirl_context_free(c);
  return e;
}

static void test_options_are_judged(void **state) {
  (void)state;
  char words[256];
  thirl_options o = rig_options(server);
  o.size = 0;
  assert_int_equal(context_error(&o, words, sizeof words), THIRL_E_INVALID);
  assert_string_equal(words, "the options were not begun with THIRL_OPTIONS_INIT");
  o.size = sizeof o - 1;
  assert_int_equal(context_error(&o, words, sizeof words), THIRL_E_INVALID);
  o.size = (size_t)-1;
  assert_int_equal(context_error(&o, words, sizeof words), THIRL_E_INVALID);
  o = rig_options(server);
  o.direct_only = o.relay_only = true;
  assert_int_equal(context_error(&o, words, sizeof words), THIRL_E_INVALID);
  assert_string_equal(words, "direct_only and relay_only exclude each other");
  static const size_t bad_windows[] = {1, 16384, 32769, 100000, (size_t)1 << 31, SIZE_MAX};
  for (size_t i = 0; i < sizeof bad_windows / sizeof *bad_windows; i++) {
    o = rig_options(server);
    o.window = bad_windows[i];
    assert_int_equal(context_error(&o, words, sizeof words), THIRL_E_RANGE);
  }
  o = rig_options(server);
  o.max_incoming = 257;
  assert_int_equal(context_error(&o, words, sizeof words), THIRL_E_RANGE);
}

/* A program that was built with a later, longer version of the structure. */
static void test_options_of_a_later_version(void **state) {
  (void)state;
  char words[256];
  struct {
    thirl_options known;
    uint64_t later;
  } o = {rig_options(server), 0};
  o.known.size = sizeof o;
  assert_int_equal(context_error(&o.known, words, sizeof words), THIRL_OK);
  o.later = 1;
  assert_int_equal(context_error(&o.known, words, sizeof words), THIRL_E_UNSUPPORTED);
}

static void test_the_smallest_window_carries(void **state) {
  (void)state;
  thirl_options o = rig_options(server);
  o.window = 32768;
  rig_pair p = rig_connect(server, &o, &o);
  rig_writer *w = rig_write(thirl_connection_fd(p.dialed), 1, 1000000, true);
  rig_sum s = rig_read(thirl_connection_fd(p.accepted), 1, 0);
  assert_int_equal(rig_written(w), 1000000);
  assert_int_equal(s.n, 1000000);
  assert_int_equal(s.wrong, 0);
  shutdown(thirl_connection_fd(p.accepted), SHUT_WR);
  assert_int_equal(thirl_connection_close(p.dialed, RIG_PATIENCE_MS), THIRL_OK);
  assert_int_equal(thirl_connection_close(p.accepted, RIG_PATIENCE_MS), THIRL_OK);
  thirl_listener_close(p.listener);
}

/* ---- keys ---- */

static void test_nowhere_to_keep_the_key(void **state) {
  (void)state;
  char words[256], home[PATH_MAX];
  const char *before = getenv("HOME");
  snprintf(home, sizeof home, "%s", before ? before : "");
  thirl_options o = THIRL_OPTIONS_INIT;
  unsetenv("HOME");
  unsetenv("XDG_CONFIG_HOME");
  assert_int_equal(context_error(&o, words, sizeof words), THIRL_E_NOT_FOUND);
  assert_string_equal(words, "nowhere to keep the key: neither HOME nor XDG_CONFIG_HOME is set; name the file");
  if (before) setenv("HOME", home, 1);
}

static void test_a_key_that_others_may_read(void **state) {
  (void)state;
  char dir[] = "/tmp/thirl-api-XXXXXX", path[64], words[256], first[THIRL_PEER_MAX], again[THIRL_PEER_MAX];
  assert_non_null(mkdtemp(dir));
  snprintf(path, sizeof path, "%s/key.pem", dir);
  thirl_options o = THIRL_OPTIONS_INIT;
  o.identity = path;
  thirl_context *c;
  assert_int_equal(thirl_context_new(&o, &c), THIRL_OK); /* made on first use */
  thirl_context_peer(c, first);
  thirl_context_free(c);
  assert_int_equal(thirl_context_new(&o, &c), THIRL_OK);
  thirl_context_peer(c, again);
  thirl_context_free(c);
  assert_string_equal(first, again);
  assert_int_equal(chmod(path, 0644), 0);
  assert_int_equal(context_error(&o, words, sizeof words), THIRL_E_PERMISSION);
  assert_non_null(strstr(words, path));
  thirl_listener *l;
  char ticket[THIRL_TICKET_MAX];
  o.server = rig_server(server);
  assert_int_equal(thirl_listen(&o, &l, ticket), THIRL_E_PERMISSION); /* the blocking calls say the same */
  assert_string_equal(thirl_explain(), words);
  unlink(path);
  rmdir(dir);
}

/* ---- one context, one server ---- */

static void test_another_server_needs_another_context(void **state) {
  (void)state;
  char mine[THIRL_TICKET_MAX], foreign[THIRL_TICKET_MAX];
  thirl_options o = rig_options(server);
  rig_loop l = rig_loop_new(&o);
  thirl_session_handle s = 7;
  assert_int_equal(thirl_context_listen(l.context, mine), THIRL_OK);
  stray_ticket("192.0.2.1", 3478, NULL, foreign);
  assert_int_equal(thirl_context_dial(l.context, foreign, &s), THIRL_E_UNSUPPORTED);
  assert_int_equal(s, 0);
  assert_non_null(strstr(thirl_context_explain(l.context), "192.0.2.1"));
  for (int i = 1; i < 8; i++)
    assert_int_equal(thirl_context_listen(l.context, mine), THIRL_OK);
  assert_int_equal(thirl_context_listen(l.context, mine), THIRL_E_LIMIT);
  rig_loop_free(&l);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_no_ticket),
      cmocka_unit_test(test_mistyped_ticket),
      cmocka_unit_test(test_later_ticket),
      cmocka_unit_test(test_unknown_peer),
      cmocka_unit_test(test_known_peer_unknown_ticket),
      cmocka_unit_test(test_ticket_with_another_peers_id),
      cmocka_unit_test(test_dial_oneself),
      cmocka_unit_test(test_nobody_at_the_server),
      cmocka_unit_test(test_listen_without_a_server),
      cmocka_unit_test(test_a_name_that_does_not_exist_is_told_at_once),
      cmocka_unit_test(test_a_name_is_looked_up),
      cmocka_unit_test(test_what_is_no_server),
      cmocka_unit_test(test_the_server_of_the_environment),
      cmocka_unit_test(test_direct_only_finds_no_direct_path),
      cmocka_unit_test(test_options_are_judged),
      cmocka_unit_test(test_options_of_a_later_version),
      cmocka_unit_test(test_the_smallest_window_carries),
      cmocka_unit_test(test_nowhere_to_keep_the_key),
      cmocka_unit_test(test_a_key_that_others_may_read),
      cmocka_unit_test(test_another_server_needs_another_context),
  };
  return cmocka_run_group_tests_name("api/errors", tests, setup, teardown);
}
