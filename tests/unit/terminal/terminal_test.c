/* SPDX-License-Identifier: MIT */
/* A real pseudo-terminal, and a process on it that ends in every way there is: the terminal is always given back as it was found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
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
#include <sys/resource.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "thirl/terminal.h"

enum { PATIENCE_MS = 10000, STATE_MAX = 4096, FAR_FD = 1500 };

/* A terminal, the process on it, and what that says on a line of its own. */
typedef struct desk {
  int master, slave, said;
  pid_t pid;
  struct termios before;
  char stty[STATE_MAX];
} desk;

static int said_to; /* in the child */

static void describe(const desk *d, char out[STATE_MAX]) {
  char command[128];
  snprintf(command, sizeof command, "stty -a -F %s", ptsname(d->master));
  FILE *p = popen(command, "r");
  assert_non_null(p);
  size_t n = fread(out, 1, STATE_MAX - 1, p);
  out[n] = '\0';
  assert_int_equal(pclose(p), 0);
  assert_true(n > 100);
}

static void in_child(desk *d, void (*work)(void), int report) {
  said_to = report;
  if (setsid() < 0 || ioctl(d->slave, TIOCSCTTY, 0) != 0) _exit(90);
  for (int fd = 0; fd < 3; fd++)
    if (dup2(d->slave, fd) < 0) _exit(91);
  close(d->master);
  for (int i = 1; i < NSIG; i++)
    (void)signal(i, SIG_DFL);
  work();
  _exit(92);
}

static void sit_down(desk *d, void (*work)(void)) {
  int ends[2];
  struct winsize size = {.ws_col = 40, .ws_row = 10};
  assert_int_equal(openpty(&d->master, &d->slave, NULL, NULL, &size), 0);
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(tcgetattr(d->slave, &d->before), 0);
  describe(d, d->stty);
  d->pid = fork();
  assert_true(d->pid >= 0);
  if (d->pid == 0) in_child(d, work, ends[1]);
  close(ends[1]);
  d->said = ends[0];
}

static void stand_up(desk *d) {
  close(d->master);
  close(d->slave);
  close(d->said);
}

static bool same_settings(const desk *d) {
  struct termios now;
  assert_int_equal(tcgetattr(d->slave, &now), 0);
  return now.c_iflag == d->before.c_iflag && now.c_oflag == d->before.c_oflag && now.c_cflag == d->before.c_cflag &&
         now.c_lflag == d->before.c_lflag && memcmp(now.c_cc, d->before.c_cc, sizeof now.c_cc) == 0;
}

static void assert_as_found(const desk *d) {
  char now[STATE_MAX];
  describe(d, now);
  assert_string_equal(now, d->stty);
  assert_true(same_settings(d));
}

/* The next line of the child. */
static void hear(const desk *d, const char *expected) {
  char line[128];
  size_t n = 0;
  while (n < sizeof line - 1) {
    struct pollfd p = {.fd = d->said, .events = POLLIN};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
    assert_int_equal(read(d->said, line + n, 1), 1);
    if (line[n] == '\n') break;
    n++;
  }
  line[n] = '\0';
  assert_string_equal(line, expected);
}

static void type(const desk *d, const char *keys) {
  assert_int_equal(write(d->master, keys, strlen(keys)), strlen(keys));
}

/* What has come to the screen by now, in however many pieces, and no more than that. */
static void expect_shown(const desk *d, const char *text) {
  char shown[64];
  size_t n = 0, all = strlen(text);
  while (n < all) {
    ssize_t r = read(d->master, shown + n, all - n);
    assert_true(r > 0);
    n += (size_t)r;
  }
  assert_memory_equal(shown, text, all);
  struct pollfd p = {.fd = d->master, .events = POLLIN};
  assert_int_equal(poll(&p, 1, 0), 0);
}

static int end_of(const desk *d) {
  int status = 0;
  assert_int_equal(waitpid(d->pid, &status, 0), d->pid);
  return status;
}

/* ---- the processes ---- */

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
  va_list args;
  va_start(args, format);
  vdprintf(said_to, format, args);
  va_end(args);
}

static thirl_terminal *take(bool signals_as_keys, bool paste) {
  thirl_terminal_options o = {.in = 0, .out = 1, .signals_as_keys = signals_as_keys, .bracketed_paste = paste};
  thirl_terminal *t;
  if (thirl_terminal_open(&o, &t) != THIRL_OK) _exit(93);
  if (!thirl_terminal_is_interactive(t)) _exit(94);
  return t;
}

static void say_keys_until_the_end(thirl_terminal *t) {
  thirl_key key;
  do {
    if (thirl_terminal_wait(t, -1, &key) != THIRL_OK) _exit(95);
    unsigned columns, rows;
    thirl_terminal_size(t, &columns, &rows);
    if (key == THIRL_KEY_RESIZED)
      say("resized %u %u\n", columns, rows);
    else
      say("%d\n", (int)key);
  } while (key != THIRL_KEY_END_OF_INPUT && key != 'q');
}

static void take_and_wait(void) {
  (void)take(false, false);
  say("taken\n");
  for (;;)
    pause();
}

static void take_and_abort(void) {
  (void)take(false, false);
  abort();
}

static void take_and_exit(void) {
  static thirl_terminal *volatile kept; /* no leak, only open */
  kept = take(false, false);
  if (kept) exit(3);
}

static void take_and_read(void) {
  thirl_terminal *t = take(false, false);
  say("taken\n");
  say_keys_until_the_end(t);
  thirl_terminal_close(t);
  _exit(0);
}

static void take_all_and_read(void) {
  thirl_terminal *t = take(true, true);
  say("taken\n");
  say_keys_until_the_end(t);
  thirl_terminal_close(t);
  _exit(0);
}

static volatile sig_atomic_t was_called;
static void note_call(int signal) {
  (void)signal;
  was_called = 1;
}

static void take_with_a_handler(void) {
  (void)signal(SIGTERM, note_call);
  (void)signal(SIGUSR1, SIG_IGN);
  thirl_terminal *t = take(false, false);
  say("taken\n");
  thirl_key key;
  if (thirl_terminal_wait(t, PATIENCE_MS, &key) != THIRL_OK || key != 'x') _exit(96);
  say("called %d\n", (int)was_called);
  if (thirl_terminal_wait(t, PATIENCE_MS, &key) != THIRL_OK || key != 'y') _exit(96);
  thirl_terminal_close(t);
  struct sigaction a;
  if (sigaction(SIGTERM, NULL, &a) != 0 || a.sa_handler != note_call) _exit(97);
  if (sigaction(SIGINT, NULL, &a) != 0 || a.sa_handler != SIG_DFL) _exit(98);
  _exit(0);
}

static void take_and_fork(void) {
  thirl_terminal *t = take(false, false);
  pid_t child = fork();
  if (child == 0) exit(0); /* runs what is registered for the end */
  if (waitpid(child, NULL, 0) != child) _exit(99);
  say("forked\n");
  say_keys_until_the_end(t);
  thirl_terminal_close(t);
  _exit(0);
}

/* What a shell does with a job: a group of its own in the foreground, told apart when it stops. */
static void run_as_a_job(void) {
  (void)signal(SIGTTOU, SIG_IGN);
  pid_t job = fork();
  if (job == 0) {
    (void)setpgid(0, 0);
    (void)signal(SIGTTOU, SIG_IGN);
    (void)tcsetpgrp(0, getpgrp());
    (void)signal(SIGTTOU, SIG_DFL);
    take_and_read();
  }
  (void)setpgid(job, job);
  int status;
  if (waitpid(job, &status, WUNTRACED) != job || !WIFSTOPPED(status)) _exit(80);
  (void)tcsetpgrp(0, getpgrp());
  say("stopped %d\n", WSTOPSIG(status) == SIGTSTP);
  char word[4];
  if (read(0, word, sizeof word) <= 0) _exit(81); /* "fg" */
  (void)tcsetpgrp(0, job);
  (void)kill(job, SIGCONT);
  if (waitpid(job, &status, 0) != job) _exit(82);
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 83);
}

static void conio(void) {
  say("%d\n", thirl_terminal_kbhit());
  while (!thirl_terminal_kbhit())
    usleep(1000);
  say("%d\n", (int)thirl_terminal_getch());
  say("%d\n", (int)thirl_terminal_getche());
  say("%d\n", (int)thirl_terminal_putch(0x20ac));
  exit(0);
}

/* ---- tests ---- */

static void any_signal_that_ends_the_process(void **state) {
  (void)state;
  for (int i = 1; i < NSIG; i++) {
    struct sigaction a;
    if (i == SIGKILL || i == SIGSTOP || i == SIGCHLD || i == SIGURG || i == SIGWINCH || i == SIGCONT || i == SIGTSTP ||
        i == SIGTTIN || i == SIGTTOU || sigaction(i, NULL, &a) != 0)
      continue;
    desk d;
    sit_down(&d, take_and_wait);
    hear(&d, "taken");
    assert_false(same_settings(&d));
    assert_int_equal(kill(d.pid, i), 0);
    int status = end_of(&d);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), i);
    assert_true(same_settings(&d));
    if (i == SIGINT || i == SIGSEGV) assert_as_found(&d);
    stand_up(&d);
  }
}

static void abort_and_exit(void **state) {
  (void)state;
  desk d;
  sit_down(&d, take_and_abort);
  int status = end_of(&d);
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGABRT);
  assert_as_found(&d);
  stand_up(&d);
  sit_down(&d, take_and_exit);
  status = end_of(&d);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 3);
  assert_as_found(&d);
  stand_up(&d);
}

static void expect_good_end(desk *d) {
  int status = end_of(d);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  assert_as_found(d);
  stand_up(d);
}

static void keys_come_one_by_one(void **state) {
  (void)state;
  desk d;
  char expected[32];
  sit_down(&d, take_and_read);
  hear(&d, "taken");
  type(&d, "a");
  hear(&d, "97");
  type(&d, "\033[A");
  snprintf(expected, sizeof expected, "%d", THIRL_KEY_UP);
  hear(&d, expected);
  type(&d, "\033");
  snprintf(expected, sizeof expected, "%d", THIRL_KEY_ESCAPE);
  hear(&d, expected);
  type(&d, "\r\xe2\x82\xac");
  hear(&d, "13");
  hear(&d, "8364");
  type(&d, "q");
  hear(&d, "113");
  struct pollfd p = {.fd = d.master, .events = POLLIN};
  assert_int_equal(poll(&p, 1, 0), 0); /* nothing was echoed */
  expect_good_end(&d);
}

static void the_interrupt_key_is_a_signal_or_a_key(void **state) {
  (void)state;
  desk d;
  sit_down(&d, take_and_wait);
  hear(&d, "taken");
  type(&d, "\003");
  int status = end_of(&d);
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGINT);
  assert_as_found(&d);
  stand_up(&d);
  sit_down(&d, take_all_and_read);
  hear(&d, "taken");
  type(&d, "\003\032\034q");
  hear(&d, "3");
  hear(&d, "26");
  hear(&d, "28");
  hear(&d, "113");
  int status2 = end_of(&d);
  assert_true(WIFEXITED(status2));
  expect_shown(&d, "\033[?2004h\033[?2004l");
  assert_as_found(&d);
  stand_up(&d);
}

static void another_size_is_told(void **state) {
  (void)state;
  desk d;
  sit_down(&d, take_and_read);
  hear(&d, "taken");
  struct winsize size = {.ws_col = 132, .ws_row = 50};
  assert_int_equal(ioctl(d.master, TIOCSWINSZ, &size), 0);
  hear(&d, "resized 132 50");
  size = (struct winsize){.ws_col = 40, .ws_row = 10};
  assert_int_equal(ioctl(d.master, TIOCSWINSZ, &size), 0);
  hear(&d, "resized 40 10");
  type(&d, "q");
  hear(&d, "113");
  expect_good_end(&d);
}

static void a_job_that_stops_lends_the_terminal(void **state) {
  (void)state;
  desk d;
  sit_down(&d, run_as_a_job);
  hear(&d, "taken");
  assert_false(same_settings(&d));
  type(&d, "\032");
  hear(&d, "stopped 1");
  assert_as_found(&d);
  type(&d, "fg\n");
  hear(&d, "resized 40 10"); /* draw again */
  assert_false(same_settings(&d));
  type(&d, "q");
  hear(&d, "113");
  expect_good_end(&d);
}

/* Without a shell above it nobody could wake it: the system does not stop it, and so the terminal stays taken. */
static void a_stop_that_does_not_happen(void **state) {
  (void)state;
  desk d;
  sit_down(&d, take_and_read);
  hear(&d, "taken");
  assert_int_equal(kill(d.pid, SIGTSTP), 0);
  hear(&d, "resized 40 10");
  assert_false(same_settings(&d));
  type(&d, "q");
  hear(&d, "113");
  expect_good_end(&d);
}

static void what_the_program_does_with_a_signal_is_its_own(void **state) {
  (void)state;
  desk d;
  sit_down(&d, take_with_a_handler);
  hear(&d, "taken");
  assert_int_equal(kill(d.pid, SIGUSR1), 0);
  assert_int_equal(kill(d.pid, SIGTERM), 0);
  type(&d, "x");
  hear(&d, "called 1");
  assert_false(same_settings(&d));
  type(&d, "y");
  expect_good_end(&d);
}

static void a_child_that_exits_changes_nothing(void **state) {
  (void)state;
  desk d;
  sit_down(&d, take_and_fork);
  hear(&d, "forked");
  assert_false(same_settings(&d));
  type(&d, "q");
  hear(&d, "113");
  expect_good_end(&d);
}

static void the_calls_of_conio(void **state) {
  (void)state;
  desk d;
  char expected[32];
  sit_down(&d, conio);
  hear(&d, "0");
  type(&d, "\033OP");
  snprintf(expected, sizeof expected, "%d", THIRL_KEY_F1);
  hear(&d, expected);
  type(&d, "\xc3\xa9");
  hear(&d, "233");
  hear(&d, "8364");
  expect_shown(&d, "\xc3\xa9\xe2\x82\xac");
  expect_good_end(&d);
}

/* ---- input that is no terminal ---- */

static thirl_terminal *open_plain(int in) {
  thirl_terminal_options o = {.in = in, .out = in};
  thirl_terminal *t;
  assert_int_equal(thirl_terminal_open(&o, &t), THIRL_OK);
  assert_false(thirl_terminal_is_interactive(t));
  return t;
}

static void expect_end(thirl_terminal *t) {
  for (int i = 0; i < 20; i++) { /* a select on it would say "readable" for ever */
    thirl_key key = 0;
    struct pollfd p = {.fd = thirl_terminal_fd(t), .events = POLLIN};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
    assert_int_equal(thirl_terminal_read(t, &key), THIRL_OK);
    assert_int_equal(key, THIRL_KEY_END_OF_INPUT);
  }
}

static void a_pipe_and_its_end(void **state) {
  (void)state;
  int ends[2];
  thirl_key key;
  assert_int_equal(pipe(ends), 0);
  thirl_terminal *t = open_plain(ends[0]);
  assert_int_equal(thirl_terminal_read(t, &key), THIRL_E_AGAIN);
  assert_int_equal(thirl_terminal_wait(t, 1, &key), THIRL_E_AGAIN);
  assert_int_equal(thirl_terminal_timeout(t), -1);
  assert_int_equal(write(ends[1], "x\033", 2), 2);
  assert_int_equal(thirl_terminal_wait(t, PATIENCE_MS, &key), THIRL_OK);
  assert_int_equal(key, 'x');
  assert_int_equal(thirl_terminal_wait(t, PATIENCE_MS, &key), THIRL_OK);
  assert_int_equal(key, THIRL_KEY_ESCAPE);
  close(ends[1]);
  expect_end(t);
  thirl_terminal_close(t);
  close(ends[0]);
}

static void nothing_and_a_file(void **state) {
  (void)state;
  int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  thirl_terminal *t = open_plain(fd);
  expect_end(t);
  thirl_terminal_close(t);
  close(fd);
  FILE *f = tmpfile();
  assert_non_null(f);
  assert_int_equal(fputs("ab", f), 1);
  assert_int_equal(fflush(f), 0);
  rewind(f);
  t = open_plain(fileno(f));
  thirl_key key;
  assert_int_equal(thirl_terminal_wait(t, PATIENCE_MS, &key), THIRL_OK);
  assert_int_equal(key, 'a');
  assert_int_equal(thirl_terminal_wait(t, PATIENCE_MS, &key), THIRL_OK);
  assert_int_equal(key, 'b');
  expect_end(t);
  thirl_terminal_close(t);
  fclose(f);
}

static void a_descriptor_beyond_1024(void **state) {
  (void)state;
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max <= FAR_FD) skip();
  limit.rlim_cur = limit.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  int ends[2];
  thirl_key key;
  assert_int_equal(pipe(ends), 0);
  int far = fcntl(ends[0], F_DUPFD_CLOEXEC, FAR_FD);
  assert_true(far >= FAR_FD);
  thirl_terminal *t = open_plain(far);
  assert_int_equal(thirl_terminal_read(t, &key), THIRL_E_AGAIN);
  assert_int_equal(write(ends[1], "z", 1), 1);
  assert_int_equal(thirl_terminal_wait(t, PATIENCE_MS, &key), THIRL_OK);
  assert_int_equal(key, 'z');
  thirl_terminal_close(t);
  close(far);
  close(ends[0]);
  close(ends[1]);
}

static void the_other_end_is_gone(void **state) {
  (void)state;
  int master, slave;
  assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
  thirl_terminal_options o = {.in = slave, .out = slave};
  thirl_terminal *t;
  assert_int_equal(thirl_terminal_open(&o, &t), THIRL_OK);
  close(master);
  expect_end(t);
  thirl_terminal_close(t);
  close(slave);
}

static void too_many_and_wrong_ones(void **state) {
  (void)state;
  int master[THIRL_TERMINAL_MAX + 1], slave[THIRL_TERMINAL_MAX + 1];
  thirl_terminal *t[THIRL_TERMINAL_MAX + 1];
  for (int i = 0; i <= THIRL_TERMINAL_MAX; i++) {
    assert_int_equal(openpty(&master[i], &slave[i], NULL, NULL, NULL), 0);
    thirl_terminal_options o = {.in = slave[i], .out = slave[i]};
    assert_int_equal(thirl_terminal_open(&o, &t[i]), i < THIRL_TERMINAL_MAX ? THIRL_OK : THIRL_E_LIMIT);
  }
  assert_null(t[THIRL_TERMINAL_MAX]);
  for (int i = 0; i <= THIRL_TERMINAL_MAX; i++) {
    thirl_terminal_close(t[i]);
    close(master[i]);
    close(slave[i]);
  }
  thirl_terminal_options o = {.in = slave[0], .out = 1};
  assert_int_equal(thirl_terminal_open(&o, &t[0]), THIRL_E_INVALID);
  assert_null(t[0]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_signal_that_ends_the_process),
      cmocka_unit_test(abort_and_exit),
      cmocka_unit_test(keys_come_one_by_one),
      cmocka_unit_test(the_interrupt_key_is_a_signal_or_a_key),
      cmocka_unit_test(another_size_is_told),
      cmocka_unit_test(a_job_that_stops_lends_the_terminal),
      cmocka_unit_test(a_stop_that_does_not_happen),
      cmocka_unit_test(what_the_program_does_with_a_signal_is_its_own),
      cmocka_unit_test(a_child_that_exits_changes_nothing),
      cmocka_unit_test(the_calls_of_conio),
      cmocka_unit_test(a_pipe_and_its_end),
      cmocka_unit_test(nothing_and_a_file),
      cmocka_unit_test(a_descriptor_beyond_1024),
      cmocka_unit_test(the_other_end_is_gone),
      cmocka_unit_test(too_many_and_wrong_ones),
  };
  return cmocka_run_group_tests_name("terminal/terminal", tests, NULL, NULL);
}
