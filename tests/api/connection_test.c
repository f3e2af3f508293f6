/* SPDX-License-Identifier: MIT */
/* test-timeout: 180 */
/* The blocking interface against a real server on loopback: what one end writes is what the other reads, and every end is told as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api/rig.h"

static rig *server;

static int setup(void **state) {
  (void)state;
  server = rig_new();
  return 0;
}

static int teardown(void **state) {
  (void)state;
  rig_free(server);
  server = NULL;
  return 0;
}

static void assert_all(rig_sum s, uint64_t n) {
  assert_int_equal(s.n, n);
  assert_int_equal(s.wrong, 0);
  assert_int_equal(s.error, 0);
}

static int fd_of(thirl_connection *c) {
  return thirl_connection_fd(c);
}

/* ---- bytes ---- */

enum { MUCH = 6 * 1024 * 1024 + 17 };

static void test_megabytes_both_ways(void **state) {
  (void)state;
  rig_pair p = rig_connect(server, NULL, NULL);
  rig_writer *a = rig_write(fd_of(p.accepted), 1, MUCH, true), *b = rig_write(fd_of(p.dialed), 2, MUCH / 2, true);
  rig_sum to_dialed = rig_read(fd_of(p.dialed), 1, 0), to_accepted = rig_read(fd_of(p.accepted), 2, 0);
  assert_int_equal(rig_written(a), MUCH);
  assert_int_equal(rig_written(b), MUCH / 2);
  assert_all(to_dialed, MUCH);
  assert_all(to_accepted, MUCH / 2);
  assert_int_equal(thirl_connection_close(p.dialed, RIG_PATIENCE_MS), THIRL_OK);
  assert_int_equal(thirl_connection_close(p.accepted, RIG_PATIENCE_MS), THIRL_OK);
  assert_string_equal(thirl_explain(), "");
  thirl_listener_close(p.listener);
}

static void test_peers_are_named(void **state) {
  (void)state;
  char a[THIRL_PEER_MAX], b[THIRL_PEER_MAX];
  rig_pair p = rig_connect(server, NULL, NULL);
  thirl_connection_peer(p.dialed, a);
  thirl_connection_peer(p.accepted, b);
  assert_int_equal(strlen(a), THIRL_PEER_MAX - 1);
  assert_int_equal(strlen(b), THIRL_PEER_MAX - 1);
  assert_string_not_equal(a, b);
  assert_false(thirl_connection_is_direct(p.dialed)); /* nothing is punched on loopback */
  thirl_connection_close(p.dialed, 0);
  thirl_connection_close(p.accepted, 0);
  thirl_listener_close(p.listener);
}

/* ---- half-close ---- */

/* first ends, and only then second says anything. */
static void half_close(thirl_connection *first, thirl_connection *second) {
  rig_writer *w = rig_write(fd_of(first), 3, 300000, true);
  assert_all(rig_read(fd_of(second), 3, 0), 300000);
  assert_int_equal(rig_written(w), 300000);
  w = rig_write(fd_of(second), 4, 400000, true);
  assert_all(rig_read(fd_of(first), 4, 0), 400000);
  assert_int_equal(rig_written(w), 400000);
  assert_int_equal(thirl_connection_close(first, RIG_PATIENCE_MS), THIRL_OK);
  assert_int_equal(thirl_connection_close(second, RIG_PATIENCE_MS), THIRL_OK);
}

static void test_half_close_by_the_dialer(void **state) {
  (void)state;
  rig_pair p = rig_connect(server, NULL, NULL);
  half_close(p.dialed, p.accepted);
  thirl_listener_close(p.listener);
}

static void test_half_close_by_the_listener(void **state) {
  (void)state;
  rig_pair p = rig_connect(server, NULL, NULL);
  half_close(p.accepted, p.dialed);
  thirl_listener_close(p.listener);
}

static void test_nothing_said_at_all(void **state) {
  (void)state;
  rig_pair p = rig_connect(server, NULL, NULL);
  shutdown(fd_of(p.dialed), SHUT_WR);
  shutdown(fd_of(p.accepted), SHUT_WR);
  assert_all(rig_read(fd_of(p.dialed), 0, 0), 0);
  assert_all(rig_read(fd_of(p.accepted), 0, 0), 0);
  assert_int_equal(thirl_connection_close(p.dialed, RIG_PATIENCE_MS), THIRL_OK);
  assert_int_equal(thirl_connection_close(p.accepted, RIG_PATIENCE_MS), THIRL_OK);
  thirl_listener_close(p.listener);
}

/* ---- closing ---- */

static void *close_it(void *arg) {
  thirl_connection *c = arg;
  return thirl_connection_close(c, RIG_PATIENCE_MS) == THIRL_OK ? arg : NULL;
}

/* One end has said all it wants and closes; the other reads all, and has as much to say itself, which nobody wants. */
static void test_close_delivers_while_the_peer_still_speaks(void **state) {
  (void)state;
  pthread_t closer;
  void *closed_well;
  rig_pair p = rig_connect(server, NULL, NULL);
  rig_writer *chatter = rig_write(fd_of(p.accepted), 6, MUCH, true);
  rig_writer *w = rig_write(fd_of(p.dialed), 5, 1000000, false);
  assert_int_equal(rig_written(w), 1000000);
  assert_int_equal(pthread_create(&closer, NULL, close_it, p.dialed), 0);
  assert_all(rig_read(fd_of(p.accepted), 5, 0), 1000000);
  assert_int_equal(rig_written(chatter), MUCH);
  assert_int_equal(thirl_connection_close(p.accepted, RIG_PATIENCE_MS), THIRL_OK);
  pthread_join(closer, &closed_well);
  assert_non_null(closed_well);
  thirl_listener_close(p.listener);
}

static void test_linger_runs_out(void **state) {
  (void)state;
  rig_pair p = rig_connect(server, NULL, NULL);
  assert_int_equal(send(fd_of(p.dialed), "abc", 3, 0), 3);
  assert_int_equal(thirl_connection_close(p.dialed, 200), THIRL_E_TIMEOUT); /* the peer never ends */
  rig_sum s = rig_read(fd_of(p.accepted), 0, 0);
  assert_int_equal(s.n, 3); /* what had arrived can be read, its end was said too */
  assert_int_equal(thirl_connection_close(p.accepted, RIG_PATIENCE_MS), THIRL_E_PEER_CLOSED);
  thirl_listener_close(p.listener);
}

static void test_broken_off_is_no_end(void **state) {
  (void)state;
  rig_pair p = rig_connect(server, NULL, NULL);
  rig_writer *w = rig_write(fd_of(p.dialed), 7, 64 * 1024 * 1024, true); /* more than fits anywhere */
  assert_all(rig_read(fd_of(p.accepted), 7, 500000), 500000);
  struct pollfd full = {.fd = fd_of(p.dialed), .events = POLLOUT};
  while (poll(&full, 1, 300) != 0) { /* until nothing moves any more: the end cannot have gone over */
  }
  shutdown(fd_of(p.dialed), SHUT_WR); /* ends the writer */
  assert_true(rig_written(w) < 64 * 1024 * 1024);
  assert_int_equal(thirl_connection_close(p.dialed, 0), THIRL_E_TIMEOUT);
  rig_sum s = rig_read(fd_of(p.accepted), 7, 0);
  assert_int_equal(s.error, ECONNRESET);
  assert_int_equal(send(fd_of(p.accepted), "x", 1, MSG_NOSIGNAL), -1);
  assert_int_equal(thirl_connection_close(p.accepted, RIG_PATIENCE_MS), THIRL_E_PEER_CLOSED);
  thirl_listener_close(p.listener);
}

/* Against the contract; it must harm nobody, and thirl_connection_close does what it always does. */
static void test_a_descriptor_closed_by_the_application(void **state) {
  (void)state;
  rig_pair p = rig_connect(server, NULL, NULL);
  int number = fd_of(p.dialed), other[2];
  char got;
  assert_int_equal(send(number, "x", 1, 0), 1);
  close(number);
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, other), 0); /* one of them may get the number */
  shutdown(fd_of(p.accepted), SHUT_WR);
  assert_int_equal(thirl_connection_close(p.dialed, RIG_PATIENCE_MS), THIRL_OK);
  assert_int_equal(recv(fd_of(p.accepted), &got, 1, 0), 1);
  assert_int_equal(recv(fd_of(p.accepted), &got, 1, 0), 0);
  assert_int_equal(thirl_connection_close(p.accepted, RIG_PATIENCE_MS), THIRL_OK);
  assert_int_equal(send(other[0], "y", 1, MSG_NOSIGNAL), 1);
  assert_int_equal(recv(other[1], &got, 1, 0), 1);
  assert_int_equal(got, 'y');
  close(other[0]);
  close(other[1]);
  thirl_listener_close(p.listener);
}

static void test_close_of_nothing(void **state) {
  (void)state;
  assert_int_equal(thirl_connection_close(NULL, 0), THIRL_OK);
  thirl_listener_close(NULL);
}

/* ---- listeners ---- */

enum { MANY = 6 };

static void test_several_connections_at_once(void **state) {
  (void)state;
  thirl_connection *dialed[MANY], *accepted[MANY];
  rig_writer *up[MANY], *down[MANY];
  rig_pair p = rig_connect(server, NULL, NULL);
  dialed[0] = p.dialed;
  accepted[0] = p.accepted;
  for (int i = 1; i < MANY; i++)
    rig_connect_again(server, p.ticket, p.listener, &dialed[i], &accepted[i]);
  for (unsigned i = 0; i < MANY; i++) {
    up[i] = rig_write(fd_of(dialed[i]), 10 + i, 200000 + i, true);
    down[i] = rig_write(fd_of(accepted[i]), 20 + i, 250000 + i, true);
  }
  for (unsigned i = 0; i < MANY; i++) {
    assert_all(rig_read(fd_of(accepted[i]), 10 + i, 0), 200000 + i);
    assert_all(rig_read(fd_of(dialed[i]), 20 + i, 0), 250000 + i);
    rig_written(up[i]);
    rig_written(down[i]);
  }
  for (int i = 0; i < MANY; i++) {
    assert_int_equal(thirl_connection_close(dialed[i], RIG_PATIENCE_MS), THIRL_OK);
    assert_int_equal(thirl_connection_close(accepted[i], RIG_PATIENCE_MS), THIRL_OK);
  }
  thirl_listener_close(p.listener);
}

static void test_accept_in_vain(void **state) {
  (void)state;
  thirl_options o = rig_options(server);
  thirl_listener *l;
  thirl_connection *c = (thirl_connection *)&o;
  char ticket[THIRL_TICKET_MAX];
  assert_int_equal(thirl_listen(&o, &l, ticket), THIRL_OK);
  assert_int_equal(strncmp(ticket, "thirl1", 6), 0);
  assert_int_equal(thirl_accept(l, 0, &c), THIRL_E_TIMEOUT);
  assert_null(c);
  assert_int_equal(thirl_accept(l, 50, &c), THIRL_E_TIMEOUT);
  thirl_listener_close(l);
}

/* It was there, spoke, ended and closed before anybody accepted it: that is a connection like any other. */
static void test_accept_after_the_peer_has_ended(void **state) {
  (void)state;
  thirl_options o = rig_options(server);
  thirl_listener *l;
  thirl_connection *d, *a;
  char ticket[THIRL_TICKET_MAX];
  assert_int_equal(thirl_listen(&o, &l, ticket), THIRL_OK);
  assert_int_equal(thirl_dial(&o, ticket, &d), THIRL_OK);
  assert_int_equal(send(fd_of(d), "early", 5, 0), 5);
  shutdown(fd_of(d), SHUT_WR);
  assert_int_equal(thirl_accept(l, RIG_PATIENCE_MS, &a), THIRL_OK);
  char buf[8];
  assert_int_equal(recv(fd_of(a), buf, 5, MSG_WAITALL), 5);
  assert_memory_equal(buf, "early", 5);
  assert_int_equal(recv(fd_of(a), buf, 1, 0), 0);
  shutdown(fd_of(a), SHUT_WR);
  assert_int_equal(thirl_connection_close(a, RIG_PATIENCE_MS), THIRL_OK);
  assert_int_equal(thirl_connection_close(d, RIG_PATIENCE_MS), THIRL_OK);
  thirl_listener_close(l);
}

static void test_connections_outlive_the_listener(void **state) {
  (void)state;
  rig_pair p = rig_connect(server, NULL, NULL);
  thirl_listener_close(p.listener);
  half_close(p.dialed, p.accepted);
}

static void test_a_closed_listener_takes_nobody(void **state) {
  (void)state;
  thirl_connection *c;
  rig_pair p = rig_connect(server, NULL, NULL);
  thirl_listener_close(p.listener);
  thirl_options o = rig_options(server);
  o.timeout_ms = 1500;
  thirl_error e =
      thirl_dial(&o, p.ticket, &c); /* the listener's context still is at the server, for the live connection */
  /* Whoever dials before the server has heard of it is turned away by the listener itself. */
  assert_true(e == THIRL_E_NO_PEER || e == THIRL_E_PEER_CLOSED);
  assert_null(c);
  thirl_connection_close(p.dialed, 0);
  thirl_connection_close(p.accepted, 0);
}

static void test_what_nobody_accepted_ends_with_the_listener(void **state) {
  (void)state;
  thirl_connection *waiting;
  rig_pair p = rig_connect(server, NULL, NULL);
  thirl_options o = rig_options(server);
  o.lost_after_ms = 2000;
  assert_int_equal(thirl_dial(&o, p.ticket, &waiting), THIRL_OK);
  thirl_listener_close(p.listener);
  assert_int_equal(rig_read(fd_of(waiting), 0, 0).error, ECONNRESET);
  thirl_error e = thirl_connection_close(waiting, RIG_PATIENCE_MS);
  assert_true(e == THIRL_E_PEER_CLOSED || e == THIRL_E_LOST); /* the listener's half may not have been up to say so */
  half_close(p.dialed, p.accepted);                           /* the one that was accepted never noticed */
}

static void test_the_last_one_closes_everything(void **state) {
  (void)state;
  rig_pair p = rig_connect(server, NULL, NULL);
  thirl_connection_close(p.accepted, 0);
  thirl_listener_close(p.listener);
  assert_int_equal(rig_read(fd_of(p.dialed), 0, 0).n, 0);
  assert_int_equal(thirl_connection_close(p.dialed, RIG_PATIENCE_MS), THIRL_E_PEER_CLOSED);
}

/* ---- idle ---- */

static long long cpu_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* CPU time, not time: a thread that spins would use all of it. */
static void test_an_idle_connection_uses_no_cpu(void **state) {
  (void)state;
  rig_pair p = rig_connect(server, NULL, NULL);
  thirl_listener_close(p.listener);
  poll(NULL, 0, 300);
  long long before = cpu_ms();
  poll(NULL, 0, 1000);
  assert_true(cpu_ms() - before < 300);
  thirl_connection_close(p.dialed, 0);
  thirl_connection_close(p.accepted, 0);
}

/* ---- the server goes away ---- */

static void test_without_any_path_the_stream_is_lost(void **state) {
  (void)state;
  thirl_options o = rig_options(server);
  o.lost_after_ms = 400;
  rig_pair p = rig_connect(server, &o, &o);
  assert_int_equal(send(fd_of(p.dialed), "z", 1, 0), 1);
  char c;
  assert_int_equal(recv(fd_of(p.accepted), &c, 1, 0), 1);
  rig_free(server); /* the only path, on loopback */
  server = NULL;
  assert_int_equal(rig_read(fd_of(p.accepted), 0, 0).error, ECONNRESET);
  assert_int_equal(rig_read(fd_of(p.dialed), 0, 0).error, ECONNRESET);
  assert_int_equal(thirl_connection_close(p.accepted, RIG_PATIENCE_MS), THIRL_E_LOST);
  assert_int_equal(thirl_connection_close(p.dialed, RIG_PATIENCE_MS), THIRL_E_LOST);
  thirl_listener_close(p.listener);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_megabytes_both_ways),
      TEST(test_peers_are_named),
      TEST(test_half_close_by_the_dialer),
      TEST(test_half_close_by_the_listener),
      TEST(test_nothing_said_at_all),
      TEST(test_close_delivers_while_the_peer_still_speaks),
      TEST(test_linger_runs_out),
      TEST(test_broken_off_is_no_end),
      TEST(test_a_descriptor_closed_by_the_application),
      TEST(test_close_of_nothing),
      TEST(test_several_connections_at_once),
      TEST(test_accept_in_vain),
      TEST(test_accept_after_the_peer_has_ended),
      TEST(test_connections_outlive_the_listener),
      TEST(test_a_closed_listener_takes_nobody),
      TEST(test_what_nobody_accepted_ends_with_the_listener),
      TEST(test_the_last_one_closes_everything),
      TEST(test_an_idle_connection_uses_no_cpu),
      TEST(test_without_any_path_the_stream_is_lost),
  };
  return cmocka_run_group_tests_name("api/connection", tests, NULL, NULL);
}
