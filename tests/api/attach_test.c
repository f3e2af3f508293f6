/* SPDX-License-Identifier: MIT */
/* Descriptors attached to a session: of every kind, in both directions, with their ends and their failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/rig.h"

static rig *server;
static rig_loop a, b;

static int setup(void **state) {
  (void)state;
  server = rig_new();
  rig_meet(server, &a, &b);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  rig_loop_free(&a);
  rig_loop_free(&b);
  rig_free(server);
  return 0;
}

typedef struct job {
  pthread_t thread;
  int fd;
  uint64_t n, wrong; /* write so many; how many were read, and how many of them wrong */
} job;

static void *feed(void *arg) {
  job *j = arg;
  uint8_t buf[10000];
  for (uint64_t at = 0; at < j->n;) {
    size_t n = j->n - at < sizeof buf ? (size_t)(j->n - at) : sizeof buf;
    for (size_t i = 0; i < n; i++)
      buf[i] = rig_pattern(1, at + i);
    for (size_t put = 0; put < n;) {
      ssize_t k = write(j->fd, buf + put, n - put);
      if (k < 0) abort();
      put += (size_t)k;
    }
    at += n;
  }
  close(j->fd);
  return NULL;
}

static void *swallow(void *arg) {
  job *j = arg;
  uint8_t buf[7000];
  for (ssize_t n; (n = read(j->fd, buf, sizeof buf)) > 0;) {
    for (size_t i = 0; i < (size_t)n; i++)
      j->wrong += buf[i] != rig_pattern(1, j->n + i);
    j->n += (uint64_t)n;
  }
  close(j->fd);
  return NULL;
}

static void start(job *j, void *(*run)(void *), int fd, uint64_t n) {
  *j = (job){.fd = fd, .n = n};
  assert_int_equal(pthread_create(&j->thread, NULL, run, j), 0);
}

static void make_pipe(int fds[2]) {
  assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
}

static void attach(rig_loop *l, int in, int out) {
  assert_int_equal(thirl_attach(l->context, l->session, in, out), THIRL_OK);
}

static void assert_finished(void) {
  assert_true(rig_until(&a, &b, THIRL_EVENT_FINISHED, 1));
  assert_true(rig_until(&b, &a, THIRL_EVENT_FINISHED, 1));
  assert_int_equal(a.count[THIRL_EVENT_READABLE] + b.count[THIRL_EVENT_READABLE], 0);
}

static void assert_closed(int fd) {
  assert_int_equal(fcntl(fd, F_GETFD), -1);
  assert_int_equal(errno, EBADF);
}

/* ---- bytes ---- */

static void test_pipes(void **state) {
  (void)state;
  enum { N = 3 * 1024 * 1024 + 5 };
  int in[2], out[2], back_in[2], back_out[2];
  job writer, reader, back_writer, back_reader;
  make_pipe(in);
  make_pipe(out);
  make_pipe(back_in);
  make_pipe(back_out);
  attach(&b, in[0], back_out[1]);
  attach(&a, back_in[0], out[1]);
  start(&writer, feed, in[1], N);
  start(&reader, swallow, out[0], 0);
  start(&back_writer, feed, back_in[1], N / 2);
  start(&back_reader, swallow, back_out[0], 0);
  assert_finished();
  pthread_join(writer.thread, NULL);
  pthread_join(reader.thread, NULL);
  pthread_join(back_writer.thread, NULL);
  pthread_join(back_reader.thread, NULL);
  assert_int_equal(reader.n, N);
  assert_int_equal(back_reader.n, N / 2);
  assert_int_equal(reader.wrong + back_reader.wrong, 0);
  assert_closed(in[0]);
  assert_closed(out[1]);
}

/* Half-close passes through a socket that is both input and output. */
static void test_one_socket_for_both_directions(void **state) {
  (void)state;
  int left[2], right[2];
  char got[16];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, left), 0);
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, right), 0);
  attach(&a, left[1], left[1]);
  attach(&b, right[1], right[1]);
  assert_int_equal(send(left[0], "question", 8, 0), 8);
  shutdown(left[0], SHUT_WR);
  while (recv(right[0], got, sizeof got, MSG_PEEK | MSG_DONTWAIT) < 8)
    rig_turn(&a, &b, 100);
  assert_int_equal(recv(right[0], got, sizeof got, 0), 8);
  ssize_t n;
  while ((n = recv(right[0], got, sizeof got, MSG_DONTWAIT)) < 0)
    rig_turn(&a, &b, 100);
  assert_int_equal(n, 0);
  assert_int_equal(send(right[0], "answer", 6, 0), 6);
  shutdown(right[0], SHUT_WR);
  assert_finished();
  assert_int_equal(recv(left[0], got, sizeof got, 0), 6);
  assert_int_equal(recv(left[0], got, sizeof got, 0), 0);
  assert_closed(left[1]);
  close(left[0]);
  close(right[0]);
}

static void test_files(void **state) {
  (void)state;
  FILE *from = tmpfile(), *to = tmpfile();
  uint8_t buf[4096];
  uint64_t n = 0, wrong = 0;
  assert_non_null(from);
  assert_non_null(to);
  for (uint64_t i = 0; i < 1500000; i++)
    fputc(rig_pattern(1, i), from);
  rewind(from);
  attach(&b, dup(fileno(from)), open("/dev/null", O_WRONLY | O_CLOEXEC));
  attach(&a, open("/dev/null", O_RDONLY | O_CLOEXEC), dup(fileno(to)));
  assert_finished();
  rewind(to);
  for (size_t k; (k = fread(buf, 1, sizeof buf, to)) > 0; n += k)
    for (size_t i = 0; i < k; i++)
      wrong += buf[i] != rig_pattern(1, n + i);
  assert_int_equal(n, 1500000);
  assert_int_equal(wrong, 0);
  fclose(from);
  fclose(to);
}

/* What had come before stays in the stream until the output is there. */
static void test_attached_late(void **state) {
  (void)state;
  int out[2], in[2];
  char got[16];
  size_t n;
  make_pipe(out);
  make_pipe(in);
  assert_int_equal(thirl_write(b.context, b.session, "before", 6, &n), THIRL_OK);
  assert_true(rig_until(&a, &b, THIRL_EVENT_READABLE, 1));
  attach(&a, in[0], out[1]);
  assert_int_equal(thirl_finish(b.context, b.session), THIRL_OK);
  close(in[1]);
  assert_true(rig_until(&b, &a, THIRL_EVENT_FINISHED, 1));
  assert_int_equal(read(out[0], got, sizeof got), 6);
  assert_memory_equal(got, "before", 6);
  assert_int_equal(read(out[0], got, sizeof got), 0);
  close(out[0]);
}

/* An output that nobody empties holds its own session back, and no turn is wasted on it. */
static void test_a_slow_reader_costs_nothing(void **state) {
  (void)state;
  int out[2], in[2];
  job writer, reader;
  make_pipe(out);
  make_pipe(in);
  attach(&a, -1, out[1]);
  attach(&b, in[0], -1);
  start(&writer, feed, in[1], 20 * 1024 * 1024); /* more than fits into windows and pipes */
  rig_turn_for(&a, &b, 700);
  a.waits = b.waits = 0;
  rig_turn_for(&a, &b, 300);
  assert_true(a.waits < 30);
  start(&reader, swallow, out[0], 0);
  while (pthread_tryjoin_np(writer.thread, NULL) != 0)
    rig_turn(&a, &b, 50);
  while (pthread_tryjoin_np(reader.thread, NULL) != 0) /* the output gets its end, though there was no input */
    rig_turn(&a, &b, 50);
  assert_int_equal(a.count[THIRL_EVENT_FAILED] + b.count[THIRL_EVENT_FAILED], 0);
  assert_int_equal(reader.n, 20 * 1024 * 1024);
  assert_int_equal(reader.wrong, 0);
}

/* ---- failures ---- */

static void assert_failed(thirl_error e, const char *words) {
  assert_true(rig_until(&a, &b, THIRL_EVENT_FAILED, 1));
  assert_int_equal(a.last[THIRL_EVENT_FAILED].error, e);
  assert_string_equal(thirl_context_explain(a.context), words);
  assert_true(rig_until(&b, &a, THIRL_EVENT_FAILED, 1));
  assert_int_equal(b.last[THIRL_EVENT_FAILED].error, THIRL_E_PEER_CLOSED);
}

static void test_nobody_reads_the_output(void **state) {
  (void)state;
  int out[2];
  size_t n;
  make_pipe(out);
  attach(&a, open("/dev/null", O_RDONLY | O_CLOEXEC), out[1]);
  close(out[0]);
  assert_int_equal(thirl_write(b.context, b.session, "lost", 4, &n), THIRL_OK);
  assert_failed(THIRL_E_RESET, "nobody reads the output any more");
  assert_closed(out[1]);
}

static void test_a_full_disk(void **state) {
  (void)state;
  size_t n;
  attach(&a, open("/dev/null", O_RDONLY | O_CLOEXEC), open("/dev/full", O_WRONLY | O_CLOEXEC));
  assert_int_equal(thirl_write(b.context, b.session, "lost", 4, &n), THIRL_OK);
  assert_true(rig_until(&a, &b, THIRL_EVENT_FAILED, 1));
  assert_non_null(strstr(thirl_context_explain(a.context), "the output cannot be written: "));
  assert_true(rig_until(&b, &a, THIRL_EVENT_FAILED, 1));
}

/* The peer must not take it for the end. */
static void test_an_input_that_cannot_be_read(void **state) {
  (void)state;
  attach(&a, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), open("/dev/null", O_WRONLY | O_CLOEXEC));
  assert_true(rig_until(&a, &b, THIRL_EVENT_FAILED, 1));
  assert_non_null(strstr(thirl_context_explain(a.context), "the input cannot be read: "));
  assert_true(rig_until(&b, &a, THIRL_EVENT_FAILED, 1));
  assert_int_equal(b.last[THIRL_EVENT_FAILED].error, THIRL_E_PEER_CLOSED);
}

static void test_what_may_not_be_done(void **state) {
  (void)state;
  int fds[2], more[2];
  size_t n = 3;
  make_pipe(fds);
  make_pipe(more);
  int gone = more[0];
  close(gone);
  close(more[1]);
  assert_int_equal(thirl_attach(a.context, a.session, gone, gone), THIRL_E_INVALID);
  assert_int_equal(thirl_attach(a.context, a.session, fds[0], gone), THIRL_E_INVALID);
  assert_int_not_equal(fcntl(fds[0], F_GETFD), -1); /* still ours */
  attach(&a, fds[0], fds[1]);
  assert_int_equal(thirl_attach(a.context, a.session, fds[0], fds[1]), THIRL_E_STATE);
  assert_int_equal(thirl_write(a.context, a.session, "x", 1, &n), THIRL_E_STATE);
  assert_int_equal(n, 0);
  assert_int_equal(thirl_read(a.context, a.session, &n, 1, &n), THIRL_E_STATE);
  assert_int_equal(thirl_finish(a.context, a.session), THIRL_E_STATE);
}

static void test_a_context_freed_in_the_middle(void **state) {
  (void)state;
  int in[2], out[2];
  char c;
  make_pipe(in);
  make_pipe(out);
  attach(&a, in[0], out[1]);
  rig_loop_free(&a);
  assert_closed(in[0]);
  assert_int_equal(read(out[0], &c, 1), 0);
  assert_true(rig_until(&b, NULL, THIRL_EVENT_FAILED, 1));
  close(in[1]);
  close(out[0]);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_pipes),
      TEST(test_one_socket_for_both_directions),
      TEST(test_files),
      TEST(test_attached_late),
      TEST(test_a_slow_reader_costs_nothing),
      TEST(test_nobody_reads_the_output),
      TEST(test_a_full_disk),
      TEST(test_an_input_that_cannot_be_read),
      TEST(test_what_may_not_be_done),
      TEST(test_a_context_freed_in_the_middle),
  };
  return cmocka_run_group_tests_name("api/attach", tests, NULL, NULL);
}
