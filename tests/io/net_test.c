/* SPDX-License-Identifier: MIT */
/* The carrier between two machines over loopback: what arrives, in which order, and what a socket's troubles are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/box.h"
#include "io/clock.h"
#include "io/socket.h"

static uv_loop_t *loop; /* a new one for each test: one that failed leaves its handles */
static thirl_addr any, loopback;

static int setup(void **state) {
  (void)state;
  any = (thirl_addr){0};
  loopback = thirl_addr_v4(127, 0, 0, 1, 0);
  loop = malloc(sizeof *loop);
  return loop ? uv_loop_init(loop) : -1;
}

static int teardown(void **state) {
  (void)state;
  uv_run(loop, UV_RUN_NOWAIT);
  int rc = uv_loop_close(loop); /* EBUSY: a handle was forgotten */
  if (rc == 0) free(loop);
  return rc;
}

/* One turn that waits at most a moment. */
static void turn(void) {
  box_run_ms(loop, 1);
}

/* A machine that listens on a port of the kernel's choice. */
static box *listening(const thirl_io_net_config *config) {
  box *b = box_new(loop, config);
  box_listen(b, loopback);
  assert_true(box_run_count(loop, &b->count[THIRL_NET_LISTENING], 1));
  assert_int_not_equal(b->listening.port, 0);
  return b;
}

static int raw_connect(thirl_addr to) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  thirl_io_sockaddr sa;
  socklen_t n = thirl_io_socket_to_sys(&to, &sa);
  assert_int_equal(connect(fd, &sa.any, n), 0);
  return fd;
}

/* ---- bytes ---- */

static void test_big_transfer_is_exact(void **state) {
  (void)state;
  const uint64_t total = 64 * 1024 * 1024;
  box *a = listening(NULL), *b = box_new(loop, NULL);
  a->close_on_eof = true;
  thirl_net_id id = box_connect(b, any, a->listening, total);
  b->conns[0].close_when_sent = true;
  assert_true(box_run_count(loop, &a->count[THIRL_NET_EOF], 1));
  assert_int_equal(a->conns[0].received, total);
  assert_int_equal(a->bad_bytes, 0);
  assert_int_equal(b->conns[0].sent, total);
  assert_int_equal(b->count[THIRL_NET_FAILED], 0);
  assert_int_equal(b->conns[0].id, id);
  thirl_io_net_stats s;
  thirl_io_net_get_stats(b->net, &s);
  assert_int_equal(s.bytes_out, total);
  assert_int_equal(s.connected, 1);
  box_free(loop, a);
  box_free(loop, b);
}

enum { MANY = 1500, EACH = 20000 };

static bool is_all_received(void *ctx) {
  box *b = ctx;
  uint64_t sum = 0;
  for (size_t i = 0; i < b->conns_n; i++)
    sum += b->conns[i].received;
  return sum >= (uint64_t)MANY * EACH;
}

static void test_many_connections_echo(void **state) {
  (void)state;
  thirl_io_net_config config = {.backlog = 4096};
  box *a = listening(&config), *b = box_new(loop, &config);
  a->echo = true;
  for (int i = 0; i < MANY; i++)
    box_connect(b, any, a->listening, EACH);
  thirl_io_net_kick(b->net);
  assert_true(box_run(loop, is_all_received, b));
  for (size_t i = 0; i < b->conns_n; i++)
    assert_int_equal(b->conns[i].received, EACH);
  assert_int_equal(a->count[THIRL_NET_ACCEPTED], MANY);
  for (size_t i = 0; i < a->conns_n; i++)
    assert_true(a->conns[i].id == THIRL_NET_ID_ACCEPTED + i);
  assert_int_equal(a->bad_bytes + b->bad_bytes, 0);
  box_free(loop, a);
  box_free(loop, b);
}

/* The socket takes crumbs: nearly every pull leaves something over. */
static void test_leftover_keeps_the_order(void **state) {
  (void)state;
  const uint64_t total = 3 * 1024 * 1024 + 17;
  thirl_io_net_config crumbs = {.sndbuf = 4608, .rcvbuf = 4608, .notsent_lowat = 4096};
  box *a = listening(&crumbs), *b = box_new(loop, &crumbs);
  a->echo = true;
  box_connect(b, any, a->listening, total);
  assert_true(box_run_count(loop, &b->conns[0].received, total));
  assert_int_equal(a->conns[0].received, total);
  assert_int_equal(a->bad_bytes + b->bad_bytes, 0);
  thirl_io_net_stats s;
  thirl_io_net_get_stats(b->net, &s);
  assert_true(s.send_calls > s.bytes_out / (64 * 1024) * 2); /* there was a leftover indeed */
  box_free(loop, a);
  box_free(loop, b);
}

static void test_close_sends_what_was_pulled(void **state) {
  (void)state;
  thirl_io_net_config crumbs = {.sndbuf = 4608, .pull_bytes = 256 * 1024};
  box *a = listening(&crumbs);
  a->send_on_accept = 256 * 1024; /* one pull, then CLOSE while most of it is leftover */
  a->close_when_sent = true;
  int fd = raw_connect(a->listening);
  uint64_t got = 0, bad = 0;
  uint8_t buf[8192];
  for (int i = 0; i < 100000; i++) {
    uv_run(loop, UV_RUN_NOWAIT);
    ssize_t n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
    if (n == 0) break;
    for (ssize_t k = 0; k < n; k++)
      bad += buf[k] != box_pattern(got + (uint64_t)k);
    if (n > 0) got += (uint64_t)n;
    if (n < 0) turn();
  }
  assert_int_equal(got, 256 * 1024);
  assert_int_equal(bad, 0);
  assert_int_equal(thirl_io_net_lingering(a->net), 1); /* our end is not there yet */
  close(fd);
  for (int i = 0; i < 100 && thirl_io_net_lingering(a->net); i++)
    turn();
  assert_int_equal(thirl_io_net_lingering(a->net), 0);
  assert_int_equal(a->count[THIRL_NET_EOF], 0); /* nothing is heard of an id after CLOSE */
  box_free(loop, a);
}

/* ---- ends ---- */

static void test_still_writes_after_eof(void **state) {
  (void)state;
  box *a = listening(NULL);
  a->close_on_eof = true;
  int fd = raw_connect(a->listening);
  assert_int_equal(write(fd, "\0", 1), 1);
  assert_int_equal(shutdown(fd, SHUT_WR), 0);
  assert_true(box_run_count(loop, &a->count[THIRL_NET_ACCEPTED], 1));
  box_send(a, THIRL_NET_ID_ACCEPTED, 1024 * 1024);
  thirl_io_net_kick(a->net);
  uint8_t buf[65536];
  uint64_t got = 0;
  for (int i = 0; i < 100000; i++) {
    ssize_t n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
    if (n == 0) break;
    if (n > 0) got += (uint64_t)n;
    if (n < 0) turn();
    uv_run(loop, UV_RUN_NOWAIT);
  }
  assert_int_equal(got, 1024 * 1024);
  assert_int_equal(a->count[THIRL_NET_EOF], 1);
  assert_int_equal(a->count[THIRL_NET_FAILED], 0);
  close(fd);
  box_free(loop, a);
}

static void test_abort_is_heard_as_reset(void **state) {
  (void)state;
  box *a = listening(NULL), *b = box_new(loop, NULL);
  a->abort_on_accept = true;
  thirl_net_id id = box_connect(b, any, a->listening, 0);
  assert_true(box_run_count(loop, &b->count[THIRL_NET_FAILED], 1));
  assert_int_equal(b->last.id, id);
  assert_int_equal(b->last.error, THIRL_E_RESET);
  assert_int_equal(a->count[THIRL_NET_FAILED] + a->count[THIRL_NET_EOF], 0);
  box_free(loop, a);
  box_free(loop, b);
}

static void test_reset_after_eof_is_heard(void **state) {
  (void)state;
  box *a = listening(NULL);
  int fd = raw_connect(a->listening);
  assert_int_equal(send(fd, "!", 1, MSG_OOB), 1); /* urgent data that nobody reads must not keep the loop awake */
  shutdown(fd, SHUT_WR);
  assert_true(box_run_count(loop, &a->count[THIRL_NET_EOF], 1));
  thirl_io_net_stats before, after;
  thirl_io_net_get_stats(a->net, &before);
  box_run_ms(loop, 20);
  thirl_io_net_get_stats(a->net, &after);
  assert_true(after.turns - before.turns <= 2);
  thirl_io_socket_abort(fd);
  assert_true(box_run_count(loop, &a->count[THIRL_NET_FAILED], 1));
  assert_int_equal(a->last.error, THIRL_E_RESET);
  box_free(loop, a);
}

/* A server that refuses says why and goes; our bytes meet its RST. The reason was there first and must be read. */
static void test_last_words_are_read_before_the_reset(void **state) {
  (void)state;
  thirl_io_socket_options o = {0};
  int lfd, fd;
  assert_int_equal(thirl_io_socket_listen(&loopback, &o, &lfd), THIRL_OK);
  box *b = box_new(loop, NULL);
  thirl_net_id id = box_connect(b, any, thirl_io_socket_local(lfd), 100);
  assert_true(box_run_count(loop, &b->conns[0].sent, 100));
  do {
    fd = accept(lfd, NULL, NULL);
  } while (fd < 0);
  uint8_t words[5];
  for (unsigned i = 0; i < sizeof words; i++)
    words[i] = box_pattern(i);
  assert_int_equal(write(fd, words, sizeof words), sizeof words);
  thirl_io_socket_abort(fd);
  box_send(b, id, 100000);
  thirl_io_net_kick(b->net); /* before the loop has read anything: this send fails */
  assert_true(box_run_count(loop, &b->count[THIRL_NET_FAILED], 1));
  assert_int_equal(b->conns[0].received, sizeof words);
  assert_int_equal(b->bad_bytes, 0);
  assert_int_equal(b->last.error, THIRL_E_RESET);
  assert_int_equal(b->count[THIRL_NET_EOF], 0);
  close(lfd);
  box_free(loop, b);
}

/* ---- what failures are called ---- */

static thirl_error outcome_of(thirl_addr local, thirl_addr remote) {
  box *b = box_new(loop, NULL);
  box_connect(b, local, remote, 0);
  assert_true(box_run_count(loop, &b->count[THIRL_NET_FAILED], 1));
  assert_int_equal(b->count[THIRL_NET_CONNECTED], 0);
  thirl_error e = b->last.error;
  box_free(loop, b);
  return e;
}

static void test_failures_have_names(void **state) {
  (void)state;
  box *a = listening(NULL);
  thirl_addr dead = a->listening;
  box_free(loop, a);
  assert_int_equal(outcome_of(any, dead), THIRL_E_REFUSED);
  assert_int_equal(outcome_of(any, thirl_addr_v4(255, 255, 255, 255, 9)), THIRL_E_UNREACHABLE);
  assert_int_equal(outcome_of(thirl_addr_v4(192, 0, 2, 77, 0), dead),
                   THIRL_E_UNREACHABLE); /* not an address of this host */
  assert_int_equal(outcome_of(any, (thirl_addr){0}), THIRL_E_UNREACHABLE);
  assert_int_equal(thirl_io_socket_error(EHOSTUNREACH), THIRL_E_UNREACHABLE);
  assert_int_equal(thirl_io_socket_error(ETIMEDOUT), THIRL_E_TIMEOUT);
  assert_int_equal(thirl_io_socket_error(EPIPE), THIRL_E_RESET);
  assert_int_equal(thirl_io_socket_error(ENOBUFS), THIRL_E_LIMIT);
  assert_int_equal(thirl_io_socket_error(EACCES), THIRL_E_PERMISSION);
  assert_int_equal(thirl_io_socket_error(EBADF), THIRL_E_IO);
}

static void test_same_four_tuple_is_in_use(void **state) {
  (void)state;
  box *a = listening(NULL), *b = box_new(loop, NULL);
  box_connect(b, loopback, a->listening, 0);
  assert_true(box_run_count(loop, &b->count[THIRL_NET_CONNECTED], 1));
  box_connect(b, b->conns[0].local, a->listening, 0);
  thirl_io_net_kick(b->net);
  assert_int_equal(b->count[THIRL_NET_FAILED], 1); /* known at once, and delivered in the same turn */
  assert_int_equal(b->last.error, THIRL_E_IN_USE);
  box_free(loop, a);
  box_free(loop, b);
}

static void test_a_taken_udp_port_is_in_use(void **state) {
  (void)state;
  box *b = box_new(loop, NULL);
  box_udp(b, loopback);
  assert_true(box_run_count(loop, &b->count[THIRL_NET_LISTENING], 1));
  box_udp(b, b->listening);
  thirl_io_net_kick(b->net);
  assert_int_equal(b->count[THIRL_NET_FAILED], 1);
  assert_int_equal(b->last.error, THIRL_E_IN_USE);
  box_free(loop, b);
}

static void reconnect(box *b, const thirl_net_event *ev) {
  thirl_addr *where = b->ctx; /* local, remote */
  if (ev->kind == THIRL_NET_FAILED && b->count[THIRL_NET_FAILED] < 8) box_connect(b, where[0], where[1], 0);
}

/* Gap 0: the answer to a refusal goes out in the turn that delivers the refusal, from the same port. */
static void test_reconnect_in_the_same_turn(void **state) {
  (void)state;
  box *a = listening(NULL), *b = box_new(loop, NULL);
  thirl_addr where[2] = {loopback, a->listening};
  box_free(loop, a);
  box *l = box_new(loop, NULL); /* a port that is ours: a listener stays on it */
  box_listen(l, loopback);
  assert_true(box_run_count(loop, &l->count[THIRL_NET_LISTENING], 1));
  where[0] = l->listening;
  b->ctx = where;
  b->heard = reconnect;
  box_connect(b, where[0], where[1], 0);
  thirl_io_net_kick(b->net);
  assert_true(box_run_count(loop, &b->count[THIRL_NET_FAILED], 8));
  thirl_io_net_stats s;
  thirl_io_net_get_stats(b->net, &s);
  assert_int_equal(s.refused, 8); /* never IN_USE: the old socket does not stand in the way */
  assert_int_equal(s.connects, 8);
  assert_true(s.turns <= 8 + 2); /* one turn per refusal */
  box_free(loop, b);
  box_free(loop, l);
}

/* A machine that answers an immediate failure with the same mistake, for ever, neither recurses nor hangs the loop. */
static void again_for_ever(box *b, const thirl_net_event *ev) {
  if (ev->kind != THIRL_NET_FAILED) return;
  b->conns_n = 0;
  box_connect(b, any, thirl_addr_v4(255, 255, 255, 255, 9), 0);
}

static void test_endless_immediate_failures_leave_the_turn(void **state) {
  (void)state;
  box *b = box_new(loop, NULL);
  b->heard = again_for_ever;
  box_connect(b, any, thirl_addr_v4(255, 255, 255, 255, 9), 0);
  assert_true(box_run_count(loop, &b->count[THIRL_NET_FAILED], 10000));
  box_free(loop, b);
}

/* ---- punching ---- */

/* The bind matrix of punching: one port carries a connection, a listener and further connections, in every order. */
static void test_one_port_for_everything(void **state) {
  (void)state;
  box *server = listening(NULL), *peer = listening(NULL), *b = box_new(loop, NULL);
  box_connect(b, loopback, server->listening, 0); /* to the server first, as a registration does */
  assert_true(box_run_count(loop, &b->count[THIRL_NET_CONNECTED], 1));
  thirl_addr mine = b->conns[0].local;
  box_listen(b, mine); /* a listener on the port of the connection */
  thirl_io_net_kick(b->net);
  assert_int_equal(b->count[THIRL_NET_LISTENING], 1);
  assert_true(thirl_addr_equal(&b->listening, &mine));
  box_connect(b, mine, peer->listening, 0); /* and after it exists, one more connection */
  thirl_io_net_kick(b->net);
  assert_true(box_run_count(loop, &b->count[THIRL_NET_CONNECTED], 2));
  assert_true(thirl_addr_equal(&b->conns[1].local, &mine));
  box_connect(peer, any, mine, 0);
  thirl_io_net_kick(peer->net);
  assert_true(box_run_count(loop, &b->count[THIRL_NET_ACCEPTED], 1));
  box_end(b, 2, true); /* the listener */
  thirl_io_net_kick(b->net);
  box_listen(b, mine);
  thirl_io_net_kick(b->net);
  assert_int_equal(b->count[THIRL_NET_LISTENING], 2);
  assert_int_equal(b->count[THIRL_NET_FAILED], 0);
  box_free(loop, server);
  box_free(loop, peer);
  box_free(loop, b);
}

/*
 * Simultaneous open. On loopback a SYN to a port without a socket is answered with RST before connect() returns, so two SYNs cross only when
 * both sides are inside connect() at the same moment, on two processors: two threads, each with its own loop and carrier, which
 * answer every refusal at once. With a single processor that never happens; then, after a while, one side listens as well.
 */
typedef struct crosser {
  uv_loop_t loop;
  box *b;
  thirl_addr local, remote;
  bool may_listen;
  thirl_error last_error;
  thirl_net_id up;
  atomic_bool *both[2]; /* mine, the other's */
} crosser;

enum { CROSS_BYTES = 100000 };

static void cross(box *b, const thirl_net_event *ev) {
  crosser *c = b->ctx;
  if (ev->kind == THIRL_NET_CONNECTED || ev->kind == THIRL_NET_ACCEPTED) {
    c->up = ev->id;
    if (ev->kind == THIRL_NET_ACCEPTED) box_send(b, ev->id, CROSS_BYTES);
  }
  if (ev->kind != THIRL_NET_FAILED || c->up) return;
  c->last_error = ev->error;
  b->conns_n = 0; /* forget the dead one */
  box_connect(b, c->local, c->remote, CROSS_BYTES);
}

static bool is_across(void *ctx) {
  crosser *c = ctx;
  box_conn *k = c->up ? box_find(c->b, c->up) : NULL;
  if (k && k->received == CROSS_BYTES && k->sent == CROSS_BYTES) atomic_store(c->both[0], true);
  return atomic_load(c->both[0]) && atomic_load(c->both[1]);
}

static void listen_after_a_while(uv_timer_t *t) {
  crosser *c = t->data;
  if (!c->up && c->may_listen) box_listen(c->b, c->local);
  thirl_io_net_kick(c->b->net);
}

static void *run_crosser(void *ctx) {
  crosser *c = ctx;
  uv_timer_t patience;
  uv_timer_init(&c->loop, &patience);
  patience.data = c;
  uv_timer_start(&patience, listen_after_a_while, 3000, 0);
  box_connect(c->b, c->local, c->remote, CROSS_BYTES);
  thirl_io_net_kick(c->b->net);
  box_run(&c->loop, is_across, c);
  uv_close((uv_handle_t *)&patience, NULL);
  uv_run(&c->loop, UV_RUN_NOWAIT);
  return NULL;
}

static void test_simultaneous_open(void **state) {
  (void)state;
  crosser c[2] = {0};
  atomic_bool done[2] = {false, false};
  pthread_t thread;
  for (int i = 0; i < 2; i++) {
    assert_int_equal(uv_loop_init(&c[i].loop), 0);
    c[i].b = box_new(&c[i].loop, NULL);
    box_listen(c[i].b, loopback);
    assert_true(box_run_count(&c[i].loop, &c[i].b->count[THIRL_NET_LISTENING], 1));
    c[i].local = c[1 - i].remote = c[i].b->listening;
    c[i].both[0] = &done[i];
    c[i].both[1] = &done[1 - i];
    c[i].b->ctx = &c[i];
    c[i].b->heard = cross;
  }
  for (int i = 0; i < 2; i++) { /* the ports are known to be free: the listeners go, and nobody listens */
    box_end(c[i].b, 1, true);
    thirl_io_net_kick(c[i].b->net);
  }
  c[0].may_listen = true;
  assert_int_equal(pthread_create(&thread, NULL, run_crosser, &c[1]), 0);
  run_crosser(&c[0]);
  assert_int_equal(pthread_join(thread, NULL), 0);
  for (int i = 0; i < 2; i++) {
    assert_true(done[i]);
    assert_int_equal(c[i].b->bad_bytes, 0);
    box_conn *k = box_find(c[i].b, c[i].up);
    assert_true(thirl_addr_equal(&k->local, &c[i].local));
    assert_true(thirl_addr_equal(&k->remote, &c[i].remote));
    box_free(&c[i].loop, c[i].b);
    uv_run(&c[i].loop, UV_RUN_NOWAIT);
    assert_int_equal(uv_loop_close(&c[i].loop), 0);
  }
}

/* ---- limits ---- */

static void test_no_descriptors_no_spinning(void **state) {
  (void)state;
  enum { CLIENTS = 20 };
  int fds[CLIENTS];
  box *a = listening(NULL);
  struct rlimit old, small;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
  for (int i = 0; i < CLIENTS; i++)
    fds[i] = socket(AF_INET, SOCK_STREAM, 0);
  small = old;
  small.rlim_cur = (rlim_t)fds[CLIENTS - 1] + 1;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
  thirl_io_sockaddr sa;
  socklen_t n = thirl_io_socket_to_sys(&a->listening, &sa);
  for (int i = 0; i < CLIENTS; i++)
    assert_int_equal(connect(fds[i], &sa.any, n), 0);
  thirl_io_net_stats before, after;
  thirl_io_net_get_stats(a->net, &before);
  box_connect(a, any, a->listening, 0);
  thirl_io_net_kick(a->net);
  box_run_ms(loop, 250);
  thirl_io_net_get_stats(a->net, &after);
  assert_int_equal(a->count[THIRL_NET_FAILED], 1);
  assert_int_equal(a->last.kind == THIRL_NET_FAILED ? a->last.error : a->conns[0].error, THIRL_E_LIMIT);
  assert_int_equal(after.accepted, 0);
  assert_int_equal(after.shed, CLIENTS);
  assert_true(after.accept_pauses >= 1 && after.accept_pauses <= 4);
  assert_true(after.turns - before.turns <= 10);
  uint8_t byte;
  for (int i = 0; i < CLIENTS; i++) {
    assert_int_equal(recv(fds[i], &byte, 1, 0), -1); /* they know: reset */
    close(fds[i]);
  }
  /* More come all the time: the listener sleeps between two times that it sheds. */
  uint64_t start = uv_hrtime(), pauses = after.accept_pauses;
  for (int i = 0; i < CLIENTS; i++)
    assert_true(socket(AF_INET, SOCK_STREAM, 0) == fds[i]);
  for (int i = 0; i < CLIENTS; i++) {
    assert_int_equal(connect(fds[i], &sa.any, n), 0);
    uv_run(loop, UV_RUN_NOWAIT);
  }
  thirl_io_net_get_stats(a->net, &after);
  assert_true(after.accept_pauses - pauses <= 2 + (uv_hrtime() - start) / 100000000);
  for (int i = 0; i < CLIENTS; i++)
    close(fds[i]);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
  int fd = raw_connect(a->listening); /* and it accepts again */
  assert_true(box_run_count(loop, &a->count[THIRL_NET_ACCEPTED], 1));
  close(fd);
  box_free(loop, a);
}

static void test_max_sockets(void **state) {
  (void)state;
  thirl_io_net_config config = {.max_sockets = 2};
  box *a = listening(&config);
  int first = raw_connect(a->listening), second = raw_connect(a->listening);
  uint8_t byte;
  assert_true(box_run_count(loop, &a->count[THIRL_NET_ACCEPTED], 1));
  box_run_ms(loop, 5);
  assert_int_equal(a->count[THIRL_NET_ACCEPTED], 1);
  assert_int_equal(recv(second, &byte, 1, 0), -1);
  assert_int_equal(errno, ECONNRESET);
  box_connect(a, any, a->listening, 0);
  thirl_io_net_kick(a->net);
  assert_int_equal(a->count[THIRL_NET_FAILED], 1);
  assert_int_equal(a->last.error, THIRL_E_LIMIT);
  close(first);
  close(second);
  box_free(loop, a);
}

static void test_configuration_out_of_range(void **state) {
  (void)state;
  thirl_net_machine m = {0};
  thirl_io_net_config config = {.pull_bytes = THIRL_IO_NET_PULL_MAX + 1};
  thirl_io_net *n;
  assert_int_equal(thirl_io_net_new(loop, &m, &config, &n), THIRL_E_INVALID);
  assert_null(n);
}

/* ---- time ---- */

static void test_deadline_is_kept(void **state) {
  (void)state;
  box *b = box_new(loop, NULL);
  uv_run(loop, UV_RUN_NOWAIT);
  for (thirl_time k = 0; k < 20; k++) {
    uint64_t first = b->count[THIRL_NET_TICK];
    thirl_time due = thirl_io_clock_now() + 1300 + 137 * k;
    b->deadline = due;
    thirl_io_net_kick(b->net);
    assert_true(box_run_count(loop, &b->count[THIRL_NET_TICK], first + 1));
    assert_true(b->ticked_at >= due); /* on a busy machine it may be late, never early */
    assert_int_equal(b->count[THIRL_NET_TICK], first + 1);
  }
  box_free(loop, b);
}

static void back_into_the_past(box *b, const thirl_net_event *ev) {
  (void)ev;
  b->deadline = 1;
}

static void test_a_deadline_in_the_past_does_not_spin(void **state) {
  (void)state;
  box *b = box_new(loop, NULL);
  b->heard = back_into_the_past;
  box_run_ms(loop, 30);
  assert_true(b->count[THIRL_NET_TICK] >= 2 && b->count[THIRL_NET_TICK] <= 45);
  box_free(loop, b);
}

/* ---- UDP ---- */

static void test_datagrams(void **state) {
  (void)state;
  box *a = box_new(loop, NULL), *b = box_new(loop, NULL);
  box_udp(a, thirl_addr_any(THIRL_FAMILY_V4, 0)); /* bound to 0.0.0.0: local still says which address it was */
  thirl_net_id id = box_udp(b, loopback);
  assert_true(box_run_count(loop, &a->count[THIRL_NET_LISTENING], 1));
  assert_true(box_run_count(loop, &b->count[THIRL_NET_LISTENING], 1));
  thirl_addr to = thirl_addr_with_port(loopback, a->listening.port);
  for (int i = 0; i < 200; i++)
    box_sendto(b, id, to, THIRL_BYTES("hello", 5));
  thirl_io_net_kick(b->net);
  assert_true(box_run_count(loop, &a->count[THIRL_NET_DATAGRAM], 200));
  assert_true(thirl_addr_equal(&a->last.remote, &b->listening));
  assert_true(thirl_addr_equal(&a->last.local, &to));
  assert_memory_equal(a->datagram, "hello", 5);
  assert_int_equal(a->datagram_n, 5);
  box_sendto(b, id, to, THIRL_BYTES(NULL, 0)); /* an empty one is one, too */
  thirl_io_net_kick(b->net);
  assert_true(box_run_count(loop, &a->count[THIRL_NET_DATAGRAM], 201));
  assert_int_equal(a->datagram_n, 0);
  box_sendto(b, id, thirl_addr_any(THIRL_FAMILY_V6, 9), THIRL_BYTES("x", 1)); /* no way: dropped and counted */
  thirl_io_net_kick(b->net);
  thirl_io_net_stats s;
  thirl_io_net_get_stats(b->net, &s);
  assert_int_equal(s.datagrams_out, 201);
  assert_int_equal(s.datagrams_dropped, 1);
  box_end(b, id, true);
  box_sendto(b, id, to, THIRL_BYTES("late", 4)); /* an id that is gone */
  thirl_io_net_kick(b->net);
  box_free(loop, a);
  box_free(loop, b);
}

static void test_oversized_datagram_is_dropped(void **state) {
  (void)state;
  static const uint8_t big[5000];
  box *a = box_new(loop, NULL);
  box_udp(a, loopback);
  assert_true(box_run_count(loop, &a->count[THIRL_NET_LISTENING], 1));
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  thirl_io_sockaddr sa;
  socklen_t n = thirl_io_socket_to_sys(&a->listening, &sa);
  assert_int_equal(sendto(fd, big, sizeof big, 0, &sa.any, n), sizeof big);
  assert_int_equal(sendto(fd, "ok", 2, 0, &sa.any, n), 2);
  assert_true(box_run_count(loop, &a->count[THIRL_NET_DATAGRAM], 1));
  assert_int_equal(a->datagram_n, 2);
  thirl_io_net_stats s;
  thirl_io_net_get_stats(a->net, &s);
  assert_int_equal(s.datagrams_dropped, 1);
  close(fd);
  box_free(loop, a);
}

/* ---- life ---- */

static void close_in_after(void *ctx) {
  box *b = *(box **)ctx;
  if (b && b->count[THIRL_NET_CONNECTED]) thirl_io_net_close(b->net, NULL, NULL);
}

static void test_close_from_after(void **state) {
  (void)state;
  box *b = NULL, *a = listening(NULL);
  thirl_io_net_config config = {.after = close_in_after, .ctx = &b};
  b = box_new(loop, &config);
  box_connect(b, any, a->listening, 1000);
  assert_true(box_run_count(loop, &b->count[THIRL_NET_CONNECTED], 1));
  uv_run(loop, UV_RUN_NOWAIT);
  uv_run(loop, UV_RUN_NOWAIT);
  free(b);
  box_free(loop, a);
}

typedef struct kicker {
  box *b;
  uint64_t calls;
  thirl_addr to;
} kicker;

static void kick_in_after(void *ctx) {
  kicker *k = ctx;
  if (!k->b || k->calls++ >= 3) return;
  box_connect(k->b, any, k->to, 0);
  thirl_io_net_kick(k->b->net);
}

static void test_kick_from_after(void **state) {
  (void)state;
  kicker k = {.to = thirl_addr_v4(255, 255, 255, 255, 9)}; /* fails at once, so each kick leads to another after */
  thirl_io_net_config config = {.after = kick_in_after, .ctx = &k};
  box *b = k.b = box_new(loop, &config);
  uv_run(loop, UV_RUN_NOWAIT);
  assert_int_equal(b->count[THIRL_NET_FAILED], 3);
  assert_int_equal(k.calls, 4);
  box_free(loop, b);
}

/* Everything at once, torn down after every possible number of turns. */
static void test_end_at_any_moment(void **state) {
  (void)state;
  thirl_io_net_config crumbs = {.sndbuf = 4608};
  for (int turns = 0; turns < 60; turns++) {
    box *a = box_new(loop, &crumbs), *b = box_new(loop, &crumbs);
    box_listen(a, loopback);
    box_udp(a, loopback);
    thirl_io_net_kick(a->net);
    a->echo = true;
    a->close_on_eof = true;
    thirl_addr to = a->listening;
    if (to.port == 0) to = loopback;
    for (int i = 0; i < 10; i++)
      b->conns[box_connect(b, any, to, 50000) - 1].close_when_sent = i % 3 == 0;
    box_connect(b, any, thirl_addr_v4(255, 255, 255, 255, 9), 0);
    for (int i = 0; i < turns; i++) {
      uv_run(loop, UV_RUN_NOWAIT);
      if (i == turns / 2) box_end(b, 2, true);
      if (i == turns / 2) box_end(b, 3, false);
    }
    box_free(loop, turns % 2 ? a : b);
    box_free(loop, turns % 2 ? b : a);
  }
}

static void test_thousands_of_ids(void **state) {
  (void)state;
  enum { ROUNDS = 3, IDS = 1200 };
  thirl_io_net_config config = {.backlog = 4096};
  box *a = listening(&config), *b = box_new(loop, &config);
  for (int r = 0; r < ROUNDS; r++) {
    thirl_net_id first = b->next_id;
    for (int i = 0; i < IDS; i++)
      box_connect(b, any, a->listening, 0);
    thirl_io_net_kick(b->net);
    assert_true(box_run_count(loop, &b->count[THIRL_NET_CONNECTED], (uint64_t)(r + 1) * IDS));
    assert_true(box_run_count(loop, &a->count[THIRL_NET_ACCEPTED], (uint64_t)(r + 1) * IDS));
    for (thirl_net_id i = 0; i < IDS; i++)
      box_end(b, first + i, true);
    thirl_io_net_kick(b->net);
    assert_true(box_run_count(loop, &a->count[THIRL_NET_FAILED], (uint64_t)(r + 1) * IDS));
  }
  thirl_io_net_stats s;
  thirl_io_net_get_stats(a->net, &s);
  assert_int_equal(s.sockets, 1); /* the listener */
  thirl_io_net_get_stats(b->net, &s);
  assert_int_equal(s.sockets, 0);
  assert_int_equal(b->count[THIRL_NET_FAILED], 0);
  box_free(loop, a);
  box_free(loop, b);
}

static void test_ipv6(void **state) {
  (void)state;
  static const uint8_t one[16] = {[15] = 1};
  box *a = box_new(loop, NULL), *b = box_new(loop, NULL);
  box_listen(a, thirl_addr_v6(one, 0));
  thirl_io_net_kick(a->net);
  if (a->count[THIRL_NET_FAILED]) { /* a machine without IPv6 */
    assert_int_equal(a->last.error, THIRL_E_UNREACHABLE);
  } else {
    box_connect(b, any, a->listening, 5000);
    assert_true(box_run_count(loop, &a->count[THIRL_NET_ACCEPTED], 1));
    assert_int_equal(a->conns[0].remote.family, THIRL_FAMILY_V6);
    assert_true(box_run_count(loop, &a->conns[0].received, 5000));
  }
  box_free(loop, a);
  box_free(loop, b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_big_transfer_is_exact),
      TEST(test_many_connections_echo),
      TEST(test_leftover_keeps_the_order),
      TEST(test_close_sends_what_was_pulled),
      TEST(test_still_writes_after_eof),
      TEST(test_abort_is_heard_as_reset),
      TEST(test_reset_after_eof_is_heard),
      TEST(test_last_words_are_read_before_the_reset),
      TEST(test_failures_have_names),
      TEST(test_same_four_tuple_is_in_use),
      TEST(test_a_taken_udp_port_is_in_use),
      TEST(test_reconnect_in_the_same_turn),
      TEST(test_endless_immediate_failures_leave_the_turn),
      TEST(test_one_port_for_everything),
      TEST(test_simultaneous_open),
      TEST(test_no_descriptors_no_spinning),
      TEST(test_max_sockets),
      TEST(test_configuration_out_of_range),
      TEST(test_deadline_is_kept),
      TEST(test_a_deadline_in_the_past_does_not_spin),
      TEST(test_datagrams),
      TEST(test_oversized_datagram_is_dropped),
      TEST(test_close_from_after),
      TEST(test_kick_from_after),
      TEST(test_end_at_any_moment),
      TEST(test_thousands_of_ids),
      TEST(test_ipv6),
  };
  return cmocka_run_group_tests_name("io/net", tests, NULL, NULL);
}
