/* SPDX-License-Identifier: MIT */
/* thirl tune --watch on a real pseudo-terminal, over a recorded tree whose numbers move: what it shows, that it fits, and that the terminal is given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "apps/thirl/command.h"

enum { PATIENCE_MS = 20000, SHOWN_MAX = 1 << 18, COLUMNS = 40, ROWS = 12 };

static char root[64];
static char shown[SHOWN_MAX + 1];
static size_t n_shown;
static int master, slave;
static pid_t child;
static struct termios before;

/* ---- a machine ---- */

static void put(const char *path, const char *text) {
  char full[PATH_MAX];
  snprintf(full, sizeof full, "%s%s", root, path);
  for (char *c = full + strlen(root) + 1; (c = strchr(c, '/')) != NULL; c++) {
    *c = '\0';
    (void)mkdir(full, 0755);
    *c = '/';
  }
  FILE *f = fopen(full, "w");
  assert_non_null(f);
  assert_true(fputs(text, f) >= 0);
  assert_int_equal(fclose(f), 0);
}

static int set_up(void **state) {
  (void)state;
  snprintf(root, sizeof root, "/tmp/thirl-watch.XXXXXX");
  if (!mkdtemp(root)) return -1;
  put("/proc/sys/net/netfilter/nf_conntrack_count", "1000\n");
  put("/proc/sys/net/netfilter/nf_conntrack_max", "2000\n");
  put("/proc/sys/fs/file-nr", "1000\t0\t100000\n");
  put("/proc/sys/fs/file-max", "100000\n");
  n_shown = 0;
  shown[0] = '\0';
  child = 0;
  return 0;
}

static int tear_down(void **state) {
  char line[128];
  (void)state;
  if (child > 0 && kill(child, SIGKILL) == 0) waitpid(child, NULL, 0);
  snprintf(line, sizeof line, "rm -rf '%s'", root);
  return system(line);
}

/* ---- a terminal ---- */

static void run(bool colour) {
  const arguments a = {.watch = true, .root = root};
  if (colour)
    unsetenv("NO_COLOR");
  else
    setenv("NO_COLOR", "1", 1);
  setenv("TERM", "xterm", 1);
  for (int i = 1; i < NSIG; i++)
    (void)signal(i, SIG_DFL);
  _exit(command_tune(&a));
}

static void sit_down(bool colour) {
  struct winsize size = {.ws_col = COLUMNS, .ws_row = ROWS};
  assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
  assert_int_equal(tcgetattr(slave, &before), 0);
  child = fork();
  assert_true(child >= 0);
  if (child > 0) return;
  if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) != 0) _exit(90);
  for (int fd = 0; fd < 3; fd++)
    if (dup2(slave, fd) < 0) _exit(91);
  close(master);
  run(colour);
}

/* Reads until text is on the screen, behind what had been read before. */
static void expect(const char *text) {
  size_t from = n_shown;
  time_t end = time(NULL) + PATIENCE_MS / 1000;
  while (!strstr(shown + from, text)) {
    struct pollfd p = {.fd = master, .events = POLLIN};
    if (time(NULL) > end || poll(&p, 1, PATIENCE_MS) != 1)
      fail_msg("\"%s\" does not come; there is: %s", text, shown + from);
    ssize_t r = read(master, shown + n_shown, SHOWN_MAX - n_shown);
    assert_true(r > 0);
    n_shown += (size_t)r;
    shown[n_shown] = '\0';
  }
}

static void type(const char *keys) {
  assert_int_equal(write(master, keys, strlen(keys)), strlen(keys));
}

static int stand_up(void) {
  int status = -1;
  struct termios now;
  pid_t gone = 0;
  for (int i = 0; i < PATIENCE_MS / 10 && gone == 0; i++) {
    gone = waitpid(child, &status, WNOHANG);
    if (gone == 0) poll(NULL, 0, 10);
  }
  assert_int_equal(gone, child);
  child = 0;
  assert_int_equal(tcgetattr(slave, &now), 0);
  assert_int_equal(now.c_lflag, before.c_lflag);
  assert_int_equal(now.c_iflag, before.c_iflag);
  assert_int_equal(now.c_oflag, before.c_oflag);
  assert_memory_equal(now.c_cc, before.c_cc, sizeof now.c_cc);
  close(master);
  close(slave);
  return status;
}

static void no_line_is_wider_than(unsigned columns) {
  unsigned column = 0;
  for (const char *c = shown; *c; c++) {
    if (*c == '\033')
      c += strcspn(c, "HKJmhl");
    else if (*c == '\n' || *c == '\r')
      column = 0;
    else
      assert_true(++column <= columns);
    if (*c == 'H' && c[-1] == '[') column = 0;
  }
}

/* ---- what it does ---- */

static void it_follows_the_numbers_until_q(void **state) {
  (void)state;
  sit_down(false);
  expect("nearest: conntrack table 50.0%");
  put("/proc/sys/net/netfilter/nf_conntrack_count", "1100\n");
  expect("conntrack table    55.0%  full in ");
  expect("files of machine");
  no_line_is_wider_than(COLUMNS);
  assert_null(strstr(shown, "\033[1m"));
  assert_null(strstr(shown, "\033[3"));
  type("q");
  int status = stand_up();
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), EXIT_OK);
}

static void it_takes_another_size_and_colours(void **state) {
  (void)state;
  struct winsize size = {.ws_col = 100, .ws_row = ROWS};
  put("/proc/sys/net/netfilter/nf_conntrack_count", "2000\n");
  sit_down(true);
  expect("\033[31mconntrack table   100.0%  full\033[0m");
  assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
  expect("conntrack table   [##########] 100.0%     2000/2000  full");
  type("Q");
  int status = stand_up();
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), EXIT_OK);
}

static void ctrl_c_gives_the_terminal_back(void **state) {
  (void)state;
  sit_down(false);
  expect("q quits");
  expect("files of machine");
  type("\003");
  int status = stand_up();
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGINT);
}

static void a_pipe_gets_lines(void **state) {
  (void)state;
  int ends[2], status;
  assert_int_equal(pipe(ends), 0);
  child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    const arguments a = {.watch = true, .root = root, .count = 2};
    if (dup2(ends[1], 1) < 0) _exit(91);
    _exit(command_tune(&a));
  }
  close(ends[1]);
  ssize_t r;
  while ((r = read(ends[0], shown + n_shown, SHOWN_MAX - n_shown)) > 0)
    n_shown += (size_t)r;
  shown[n_shown] = '\0';
  close(ends[0]);
  assert_int_equal(waitpid(child, &status, 0), child);
  child = 0;
  assert_int_equal(status, 0);
  static const char first[] = "0.0 * conntrack table: 1000 of 2000 entries, 50.0 %, +0.0/s\n"
                              "0.0 - files of machine: 1000 of 100000 open, 1.0 %, +0.0/s\n";
  assert_memory_equal(shown, first, sizeof first - 1);
  unsigned lines = 0;
  for (const char *c = shown; *c; c++)
    lines += *c == '\n';
  assert_int_equal(lines, 4);
  assert_null(strchr(shown, '\033'));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(it_follows_the_numbers_until_q, set_up, tear_down),
      cmocka_unit_test_setup_teardown(it_takes_another_size_and_colours, set_up, tear_down),
      cmocka_unit_test_setup_teardown(ctrl_c_gives_the_terminal_back, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_pipe_gets_lines, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
