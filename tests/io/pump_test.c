/* SPDX-License-Identifier: MIT */
/* Two pumps over a stream in memory, and every kind of descriptor at their outer ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "io/box.h"
#include "io/pump.h"

enum { ROOM = 40000 };

/* One direction: a bounded buffer and an end. */
typedef struct lane {
  uint8_t bytes[ROOM];
  size_t n, room;
  bool finished;
} lane;

typedef struct side {
  lane *out, *in;
  thirl_io_pump *pump, *other; /* other is kicked when this one has touched the stream */
  unsigned events[4];
  thirl_error error;
  unsigned touched;
  bool closed;
} side;

static uv_loop_t *loop;

static int setup(void **state) {
  (void)state;
  loop = malloc(sizeof *loop);
  return loop ? uv_loop_init(loop) : -1;
}

static int teardown(void **state) {
  (void)state;
  uv_run(loop, UV_RUN_NOWAIT);
  int rc = uv_loop_close(loop);
  if (rc == 0) free(loop);
  return rc;
}

/* ---- the stream ---- */

static uint8_t *space(void *self, size_t *n) {
  lane *l = ((side *)self)->out;
  *n = l->room - l->n;
  return l->bytes + l->n;
}

static void commit(void *self, size_t n) {
  ((side *)self)->out->n += n;
}

static void finish(void *self) {
  ((side *)self)->out->finished = true;
}

static thirl_bytes peek(void *self) {
  lane *l = ((side *)self)->in;
  return THIRL_BYTES(l->bytes, l->n);
}

static void consume(void *self, size_t n) {
  lane *l = ((side *)self)->in;
  l->n -= n;
  memmove(l->bytes, l->bytes + n, l->n);
}

static bool is_ended(void *self) {
  lane *l = ((side *)self)->in;
  return l->finished && l->n == 0;
}

static void touched(void *ctx) {
  side *s = ctx;
  s->touched++;
  if (s->other) thirl_io_pump_kick(s->other);
  thirl_io_pump_kick(s->pump);
}

static void on_event(void *ctx, thirl_io_pump_event event, thirl_error e) {
  side *s = ctx;
  s->events[event]++;
  s->error = e;
}

static thirl_error start(side *s, lane *out, lane *in, int input, int output) {
  *s = (side){.out = out, .in = in};
  thirl_io_pump_config c = {
      .stream = {s, space, commit, finish, peek, consume, is_ended}, .touched = touched, .event = on_event, .ctx = s};
  return thirl_io_pump_new(loop, &c, input, output, &s->pump);
}

static void on_closed(void *ctx) {
  ((side *)ctx)->closed = true;
}

static bool is_closed(void *ctx) {
  return ((side *)ctx)->closed;
}

static void stop(side *s) {
  thirl_io_pump_close(s->pump, on_closed, s);
  assert_true(box_run(loop, is_closed, s));
}

static lane *new_lane(void) {
  lane *l = calloc(1, sizeof *l);
  assert_non_null(l);
  l->room = ROOM;
  return l;
}

/* ---- descriptors ---- */

/* near: for the pump; far: for the test, non-blocking. far is -1 when there is no far end. */
typedef struct ends {
  int near, far;
} ends;

static ends a_pipe(bool pump_reads) {
  int p[2];
  assert_int_equal(pipe(p), 0);
  ends e = {p[pump_reads ? 0 : 1], p[pump_reads ? 1 : 0]};
  fcntl(e.far, F_SETFL, O_NONBLOCK | fcntl(e.far, F_GETFL));
  return e;
}

static ends a_socketpair(bool pump_reads) {
  int p[2];
  (void)pump_reads;
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
  fcntl(p[1], F_SETFL, O_NONBLOCK);
  return (ends){p[0], p[1]};
}

static ends a_terminal(bool pump_reads) {
  ends e;
  struct termios raw;
  (void)pump_reads;
  assert_int_equal(openpty(&e.far, &e.near, NULL, NULL, NULL), 0);
  tcgetattr(e.near, &raw);
  cfmakeraw(&raw);
  tcsetattr(e.near, TCSANOW, &raw);
  fcntl(e.far, F_SETFL, O_NONBLOCK | fcntl(e.far, F_GETFL));
  return e;
}

static bool a_socket(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* Bytes of the pattern from the far end of input, through both pumps, to the far end of output. */
static void carry(ends input, ends output, uint64_t total) {
  lane *there = new_lane(), *back = new_lane();
  side a, b;
  uint64_t put = 0, got = 0, bad = 0;
  uint8_t buf[7000];
  int flags_in = dup(input.near), flags_out = dup(output.near); /* what others who share them see */
  int was_in = fcntl(flags_in, F_GETFL), was_out = fcntl(flags_out, F_GETFL);
  assert_int_equal(start(&a, there, back, input.near, -1), THIRL_OK);
  assert_int_equal(start(&b, back, there, -1, output.near), THIRL_OK);
  a.other = b.pump;
  b.other = a.pump;
  for (int i = 0; i < 2000000 && got < total; i++) {
    size_t n = total - put < sizeof buf ? (size_t)(total - put) : sizeof buf;
    for (size_t k = 0; k < n; k++)
      buf[k] = box_pattern(put + k);
    ssize_t w = n ? write(input.far, buf, n) : -1;
    if (w > 0) put += (uint64_t)w;
    uv_run(loop, UV_RUN_NOWAIT);
    ssize_t r = read(output.far, buf, sizeof buf);
    for (ssize_t k = 0; k < r; k++)
      bad += buf[k] != box_pattern(got + (uint64_t)k);
    if (r > 0) got += (uint64_t)r;
  }
  assert_int_equal(got, total);
  assert_int_equal(bad, 0);
  if (!a_socket(flags_in)) assert_int_equal(fcntl(flags_in, F_GETFL), was_in); /* not even meanwhile */
  if (!a_socket(flags_out)) assert_int_equal(fcntl(flags_out, F_GETFL), was_out);
  assert_int_equal(there->finished, false);
  close(input.far);
  for (int i = 0; i < 100 && !b.events[THIRL_IO_PUMP_OUTPUT_ENDED]; i++)
    box_run_ms(loop, 1);
  assert_int_equal(a.events[THIRL_IO_PUMP_INPUT_ENDED], 1);
  assert_int_equal(b.events[THIRL_IO_PUMP_OUTPUT_ENDED], 1);
  stop(&a);
  stop(&b);
  assert_int_equal(fcntl(flags_in, F_GETFL), was_in);
  assert_int_equal(fcntl(flags_out, F_GETFL), was_out);
  close(flags_in);
  close(flags_out);
  ssize_t end = read(output.far, buf, sizeof buf);
  assert_true(end == 0 || errno == EIO); /* a terminal's master says EIO */
  close(output.far);
  free(there);
  free(back);
}

static void test_pipe_to_pipe(void **state) {
  (void)state;
  carry(a_pipe(true), a_pipe(false), 8 * 1024 * 1024 + 1);
}

static void test_socket_to_socket(void **state) {
  (void)state;
  carry(a_socketpair(true), a_socketpair(false), 8 * 1024 * 1024 + 1);
}

static void test_terminal_to_terminal(void **state) {
  (void)state;
  carry(a_terminal(true), a_terminal(false), 300001);
}

static void test_pipe_to_socket(void **state) {
  (void)state;
  carry(a_pipe(true), a_socketpair(false), 3000000);
}

static int temporary_file(void) {
  char name[] = "/tmp/thirl-pump-XXXXXX";
  int fd = mkstemp(name);
  assert_true(fd >= 0);
  unlink(name);
  return fd;
}

static bool is_output_ended(void *ctx) {
  return ((side *)ctx)->events[THIRL_IO_PUMP_OUTPUT_ENDED] != 0;
}

static void test_file_to_file(void **state) {
  (void)state;
  enum { TOTAL = 5000000 };
  uint8_t *bytes = malloc(TOTAL), *copy = malloc(TOTAL);
  lane *there = new_lane(), *back = new_lane();
  side a, b;
  int from = temporary_file(), to = temporary_file(), keep = dup(to);
  for (uint64_t i = 0; i < TOTAL; i++)
    bytes[i] = box_pattern(i);
  assert_int_equal(pwrite(from, bytes, TOTAL, 0), TOTAL);
  assert_int_equal(start(&a, there, back, from, -1), THIRL_OK);
  assert_int_equal(start(&b, back, there, -1, to), THIRL_OK);
  a.other = b.pump;
  b.other = a.pump;
  assert_true(box_run(loop, is_output_ended, &b));
  assert_int_equal(pread(keep, copy, TOTAL, 0), TOTAL);
  assert_memory_equal(bytes, copy, TOTAL);
  assert_int_equal(lseek(keep, 0, SEEK_CUR), TOTAL); /* the shared offset moved: a shell's >> goes on behind it */
  stop(&a);
  stop(&b);
  close(keep);
  free(bytes);
  free(copy);
  free(there);
  free(back);
}

static void test_dev_null(void **state) {
  (void)state;
  lane *out = new_lane(), *in = new_lane();
  side s;
  in->n = 1000;
  in->finished = true;
  assert_int_equal(start(&s, out, in, open("/dev/null", O_RDONLY), open("/dev/null", O_WRONLY)), THIRL_OK);
  thirl_io_pump_kick(s.pump);
  assert_true(box_run(loop, is_output_ended, &s));
  for (int i = 0; i < 10 && !thirl_io_pump_is_done(s.pump); i++)
    uv_run(loop, UV_RUN_NOWAIT);
  assert_true(thirl_io_pump_is_done(s.pump));
  assert_true(out->finished);
  assert_int_equal(in->n, 0);
  stop(&s);
  free(out);
  free(in);
}

/* ---- back-pressure, ends, errors ---- */

static void test_no_room_no_reading(void **state) {
  (void)state;
  lane *out = new_lane(), *in = new_lane();
  side s;
  ends e = a_pipe(true);
  uint8_t buf[1000] = {0};
  out->room = 100;
  assert_int_equal(start(&s, out, in, e.near, -1), THIRL_OK);
  assert_int_equal(write(e.far, buf, sizeof buf), sizeof buf);
  box_run_ms(loop, 5);
  assert_int_equal(out->n, 100);
  assert_int_equal(s.touched, 1); /* and it does not spin */
  out->n = 0;
  thirl_io_pump_kick(s.pump);
  box_run_ms(loop, 5);
  assert_int_equal(out->n, 100);
  close(e.far);
  box_run_ms(loop, 5);
  assert_false(out->finished); /* 800 bytes are still in the pipe */
  out->room = ROOM;
  thirl_io_pump_kick(s.pump);
  box_run_ms(loop, 5);
  assert_int_equal(out->n, 900);
  assert_true(out->finished);
  stop(&s);
  free(out);
  free(in);
}

static void test_half_close_of_one_socket(void **state) {
  (void)state;
  lane *out = new_lane(), *in = new_lane();
  side s;
  uint8_t buf[100];
  ends e = a_socketpair(true);
  assert_int_equal(start(&s, out, in, e.near, e.near), THIRL_OK);
  assert_int_equal(write(e.far, "question", 8), 8);
  shutdown(e.far, SHUT_WR);
  box_run_ms(loop, 5);
  assert_true(out->finished);
  assert_int_equal(out->n, 8);
  memcpy(in->bytes, "answer", 6); /* this direction goes on */
  in->n = 6;
  assert_true(thirl_io_pump_kick(s.pump));
  assert_int_equal(read(e.far, buf, sizeof buf), 6);
  assert_int_equal(read(e.far, buf, sizeof buf), -1);
  in->finished = true;
  thirl_io_pump_kick(s.pump);
  assert_int_equal(read(e.far, buf, sizeof buf), 0);
  assert_true(thirl_io_pump_is_done(s.pump));
  stop(&s);
  close(e.far);
  free(out);
  free(in);
}

static void reader_gone(bool waiting, ends e) {
  lane *out = new_lane(), *in = new_lane();
  side s;
  assert_int_equal(start(&s, out, in, -1, e.near), THIRL_OK);
  close(e.far);
  if (waiting) {
    in->n = 10;
    thirl_io_pump_kick(s.pump); /* SIGPIPE has its default disposition here: it would end this test */
  } else {
    box_run_ms(loop, 5);
  }
  assert_int_equal(s.events[THIRL_IO_PUMP_OUTPUT_FAILED], 1);
  assert_int_equal(s.error, THIRL_E_RESET);
  assert_int_equal(in->n, waiting ? 10 : 0);
  stop(&s);
  free(out);
  free(in);
}

static void test_nobody_reads(void **state) {
  (void)state;
  reader_gone(true, a_pipe(false));
  reader_gone(false, a_pipe(false));
  reader_gone(true, a_socketpair(false));
  reader_gone(false, a_socketpair(false));
}

static void count_turn(uv_prepare_t *h) {
  ++*(unsigned *)h->data;
}

/* Urgent data that waits behind a full stream must neither end the output nor keep the loop awake. */
static void test_urgent_data_is_nothing(void **state) {
  (void)state;
  lane *out = new_lane(), *in = new_lane();
  side s;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t n = sizeof at;
  int l = socket(AF_INET, SOCK_STREAM, 0), far = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(bind(l, (struct sockaddr *)&at, n), 0);
  assert_int_equal(listen(l, 1), 0);
  getsockname(l, (struct sockaddr *)&at, &n);
  assert_int_equal(connect(far, (struct sockaddr *)&at, n), 0);
  int near = accept(l, NULL, NULL);
  out->room = 0;
  assert_int_equal(start(&s, out, in, near, near), THIRL_OK);
  assert_int_equal(send(far, "data!", 5, MSG_OOB), 5);
  uv_prepare_t turns;
  unsigned count = 0;
  uv_prepare_init(loop, &turns);
  turns.data = &count;
  uv_prepare_start(&turns, count_turn);
  box_run_ms(loop, 30);
  assert_true(count < 30); /* it wakes each 2 ms by itself */
  assert_int_equal(s.events[THIRL_IO_PUMP_OUTPUT_FAILED], 0);
  uv_close((uv_handle_t *)&turns, NULL);
  stop(&s);
  close(far);
  close(l);
  free(out);
  free(in);
}

static void test_no_space_on_device(void **state) {
  (void)state;
  lane *out = new_lane(), *in = new_lane();
  side s;
  in->n = 10;
  assert_int_equal(start(&s, out, in, -1, open("/dev/full", O_WRONLY)), THIRL_OK);
  thirl_io_pump_kick(s.pump);
  assert_int_equal(s.events[THIRL_IO_PUMP_OUTPUT_FAILED], 1);
  assert_int_equal(s.error, THIRL_E_IO);
  stop(&s);
  free(out);
  free(in);
}

static void test_input_error_is_no_end(void **state) {
  (void)state;
  lane *out = new_lane(), *in = new_lane();
  side s;
  assert_int_equal(start(&s, out, in, open("/", O_RDONLY | O_DIRECTORY), -1), THIRL_OK);
  box_run_ms(loop, 5);
  assert_int_equal(s.events[THIRL_IO_PUMP_INPUT_FAILED], 1);
  assert_false(out->finished);
  stop(&s);
  free(out);
  free(in);
}

static void test_bad_descriptors(void **state) {
  (void)state;
  lane *out = new_lane(), *in = new_lane();
  side s;
  int null = open("/dev/null", O_RDWR), closed = dup(null);
  close(closed);
  assert_int_equal(start(&s, out, in, closed, -1), THIRL_E_INVALID);
  assert_int_equal(start(&s, out, in, closed, null), THIRL_E_INVALID);
  assert_int_equal(start(&s, out, in, null, closed), THIRL_E_INVALID);
  uv_run(loop, UV_RUN_NOWAIT);
  assert_true(fcntl(null, F_GETFL) >= 0); /* still ours */
  close(null);
  free(out);
  free(in);
}

static void test_standard_input_becomes_dev_null(void **state) {
  (void)state;
  lane *out = new_lane(), *in = new_lane();
  side s;
  struct stat st, null;
  ends e = a_pipe(true);
  int saved = dup(0);
  dup2(e.near, 0);
  close(e.near);
  close(e.far);
  assert_int_equal(start(&s, out, in, 0, -1), THIRL_OK);
  box_run_ms(loop, 5);
  assert_true(out->finished);
  assert_int_equal(fstat(0, &st), 0);
  assert_int_equal(stat("/dev/null", &null), 0);
  assert_int_equal(st.st_rdev, null.st_rdev);
  stop(&s);
  dup2(saved, 0);
  close(saved);
  free(out);
  free(in);
}

static void test_close_at_any_moment(void **state) {
  (void)state;
  for (int turns = 0; turns < 20; turns++) {
    lane *out = new_lane(), *in = new_lane();
    side s;
    ends e = a_socketpair(true);
    uint8_t buf[5000] = {0};
    in->n = 20000;
    assert_int_equal(start(&s, out, in, e.near, e.near), THIRL_OK);
    assert_int_equal(write(e.far, buf, sizeof buf), sizeof buf);
    for (int i = 0; i < turns; i++) {
      uv_run(loop, UV_RUN_NOWAIT);
      if (i == 5) thirl_io_pump_kick(s.pump);
      if (i == 10) shutdown(e.far, SHUT_WR);
      if (i == 15) close(e.far), e.far = -1;
    }
    stop(&s);
    if (e.far >= 0) close(e.far);
    free(out);
    free(in);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_pipe_to_pipe),         TEST(test_socket_to_socket),
      TEST(test_terminal_to_terminal), TEST(test_pipe_to_socket),
      TEST(test_file_to_file),         TEST(test_dev_null),
      TEST(test_no_room_no_reading),   TEST(test_half_close_of_one_socket),
      TEST(test_nobody_reads),         TEST(test_urgent_data_is_nothing),
      TEST(test_no_space_on_device),   TEST(test_input_error_is_no_end),
      TEST(test_bad_descriptors),      TEST(test_standard_input_becomes_dev_null),
      TEST(test_close_at_any_moment),
  };
  return cmocka_run_group_tests_name("io/pump", tests, NULL, NULL);
}
