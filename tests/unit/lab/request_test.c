/* SPDX-License-Identifier: MIT */
/* What a client of a running lab can do to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "lab/process/control.h"
#include "lab/process/request.h"
#include "rig.h"

enum {
  PACKETS = 200,
  PAYLOAD = 1400,
  FRAME = 14 + 20 + 8 + PAYLOAD,
  WHOLE = 24 + PACKETS * (2 * (16 + 42) + 16 + FRAME)
};

static const char text[] = "net inet 203.0.113.0/24\n"
                           "host s inet 203.0.113.10\n"
                           "host t inet 203.0.113.11\n";

/* A blocking write would end in the alarm. */
static void a_pipe_that_nobody_reads_does_not_stop_the_lab(void **state) {
  (void)state;
  rig r;
  int pair[2], file[2];
  static thirl_lab_control_packet answer;
  static uint8_t all[WHOLE + 1];
  alarm(20);
  rig_open(&r, text);
  thirl_lab_running lab = {.t = r.topology, .engine = r.engine};
  thirl_lab_request_client c;
  assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
  assert_int_equal(pipe(file), 0);
  thirl_lab_request_client_init(&c, pair[0]);
  assert_true(thirl_lab_control_send(pair[1], THIRL_LAB_CONTROL_REQUEST, "capture s", 9, &file[1], 1));
  assert_int_equal(thirl_lab_request_serve(&c, &lab, "mark"), THIRL_LAB_REQUEST_GOES_ON);
  assert_int_equal(thirl_lab_control_receive(pair[1], &answer), THIRL_OK);
  assert_int_equal(answer.kind, THIRL_LAB_CONTROL_TEXT);
  for (int i = 0; i < PACKETS; i++) {
    rig_send_from(&r, "s", &(rig_send){.from = "203.0.113.10:5000", .to = "203.0.113.11:80", .payload_len = PAYLOAD});
    rig_clear(&r);
  }
  assert_true(thirl_lab_request_flush(&c, &lab));
  assert_true(thirl_lab_request_flush(&c, &lab));

  /* Somebody reads after all: nothing is missing, nothing comes twice. */
  size_t n = 0;
  fcntl(file[0], F_SETFL, O_NONBLOCK);
  for (bool more = true; more;) {
    more = thirl_lab_request_flush(&c, &lab);
    for (ssize_t got; n < sizeof all && (got = read(file[0], all + n, sizeof all - n)) > 0;)
      n += (size_t)got;
  }
  assert_int_equal(n, WHOLE);
  size_t at = 24, frames = 0;
  for (uint32_t words[4]; at < n; at += 16 + words[2], frames++) {
    memcpy(words, all + at, 16);
    assert_int_equal(words[2], frames % 3 < 2 ? 42 : FRAME);
    assert_int_equal(words[3], words[2]);
  }
  assert_int_equal(frames, 3 * PACKETS); /* a question, its answer, the packet */

  /* And at its end it does not stop it either. */
  for (int i = 0; i < PACKETS; i++) {
    rig_send_from(&r, "s", &(rig_send){.from = "203.0.113.10:5000", .to = "203.0.113.11:80", .payload_len = PAYLOAD});
    rig_clear(&r);
  }
  thirl_lab_request_client_fini(&c, &lab);
  close(pair[1]);
  close(file[0]);
  close(file[1]);
  rig_close(&r);
  alarm(0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_pipe_that_nobody_reads_does_not_stop_the_lab)};
  return cmocka_run_group_tests_name("lab/request", tests, NULL, NULL);
}
