/* SPDX-License-Identifier: MIT */
/* Somebody in the middle who holds another key than the peer's: the dialer is told, by its own error and exit code, and gives nothing away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/middle.h"
#include "api/rig.h"
#include "meet/ticket.h"

static rig *server;
static rig_loop a; /* the peer that is meant */
static middle *between;
static char bent[THIRL_TICKET_MAX]; /* its ticket, with the impostor's address */

static int setup(void **state) {
  char ticket[THIRL_TICKET_MAX];
  thirl_meet_ticket t;
  (void)state;
  server = rig_new();
  thirl_options o = rig_options(server);
  a = rig_loop_new(&o);
  assert_int_equal(thirl_context_listen(a.context, ticket), THIRL_OK);
  assert_true(rig_until(&a, NULL, THIRL_EVENT_REGISTERED, 1));
  rig_turn_for(&a, NULL, 50); /* the ticket is left at the server */
  assert_int_equal(thirl_meet_ticket_parse(ticket, &t), THIRL_OK);
  between = middle_new(t.port);
  t.port = middle_port(between);
  assert_int_equal(thirl_meet_ticket_format(&t, bent), THIRL_OK);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  rig_loop_free(&a);
  rig_free(server);
  return 0;
}

static void test_the_wrong_key_gets_nothing(void **state) {
  (void)state;
  thirl_options o = rig_options(NULL);
  size_t n;
  o.relay_only = true; /* one connection to the server, and that is the impostor's */
  rig_loop b = rig_loop_new(&o);
  assert_int_equal(thirl_context_dial(b.context, bent, &b.session), THIRL_OK);
  assert_int_equal(thirl_write(b.context, b.session, "a secret", 8, &n), THIRL_OK);
  assert_true(rig_until(&b, &a, THIRL_EVENT_FAILED, 1));
  assert_int_equal(b.last[THIRL_EVENT_FAILED].error, THIRL_E_WRONG_KEY);
  assert_int_equal(b.last[THIRL_EVENT_FAILED].relayed_bytes, 0);
  assert_int_equal(b.count[THIRL_EVENT_UP], 0);
  assert_int_equal(a.count[THIRL_EVENT_UP], 0);
  rig_loop_free(&b);
  assert_int_equal(middle_free(between), 0);
}

static void test_blocking(void **state) {
  (void)state;
  thirl_options o = rig_options(NULL);
  thirl_connection *c;
  o.relay_only = true;
  assert_int_equal(thirl_dial(&o, bent, &c), THIRL_E_WRONG_KEY);
  assert_null(c);
  assert_int_equal(middle_free(between), 0);
}

/* The program: exit code 6, nothing on stdout. */
static void test_program(void **state) {
  (void)state;
  int out[2];
  if (access(THIRL_BINARY_DIR "/bin/thirl", X_OK) != 0) {
    printf("SKIP: bin/thirl is not built\n");
    fflush(stdout);
    middle_free(between);
    skip();
  }
  assert_int_equal(pipe(out), 0);
  pid_t pid = fork();
  if (pid == 0) {
    dup2(out[1], STDOUT_FILENO);
    close(out[0]);
    execl(THIRL_BINARY_DIR "/bin/thirl", "thirl", "connect", "--ephemeral", "--relay-only", bent, (char *)NULL);
    _exit(127);
  }
  close(out[1]);
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) == 0)
    rig_turn(&a, NULL, 20);
  char c;
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 6);
  assert_int_equal(read(out[0], &c, 1), 0);
  close(out[0]);
  assert_int_equal(middle_free(between), 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_the_wrong_key_gets_nothing),
      TEST(test_blocking),
      TEST(test_program),
  };
  return cmocka_run_group_tests_name("api/stranger", tests, NULL, NULL);
}
