/* SPDX-License-Identifier: MIT */
#include "lab/process/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { EXIT_NOT_FOUND = 127, EXIT_NOT_STARTED = 126, LOOK_UP_MS = 100 };

/* A file in memory: unlike a pipe it never makes anybody wait. */
static int memory(const char *text) {
  int fd = memfd_create("thirl-lab", MFD_CLOEXEC);
  size_t n = strlen(text);
  if (fd < 0) return -1;
  if (write(fd, text, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0) return fd;
  close(fd);
  return -1;
}

static void extend_path(void) {
  char path[4096];
  const char *old = getenv("PATH");
  snprintf(path, sizeof path, "%s%s/usr/sbin:/sbin:/usr/bin:/bin", old ? old : "", old && *old ? ":" : "");
  setenv("PATH", path, 1);
}

__attribute__((noreturn)) static void become(const thirl_lab_program *p, int netns, const char *const *argv, int input,
                                             pid_t parent, const int *keep, size_t n_keep) {
  sigset_t none;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(EXIT_NOT_STARTED);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  dup2(input, STDIN_FILENO);
  dup2(p->said, STDOUT_FILENO);
  dup2(p->said, STDERR_FILENO);
  for (size_t i = 0; i < n_keep; i++)
    if (keep[i] >= 0) fcntl(keep[i], F_SETFD, 0);
  if (netns >= 0 && setns(netns, CLONE_NEWNET) < 0) {
    perror("cannot enter the namespace");
    _exit(EXIT_NOT_STARTED);
  }
  extend_path();
  setenv("LC_ALL", "C", 1);
  execvp(argv[0], (char *const *)(uintptr_t)argv);
  if (errno == ENOENT) _exit(EXIT_NOT_FOUND);
  perror("cannot be started");
  _exit(EXIT_NOT_STARTED);
}

void thirl_lab_program_start(thirl_lab_program *p, int netns, const char *const *argv, const char *input,
                             const int *keep, size_t n_keep) {
  *p = (thirl_lab_program){.name = argv[0], .said = memory("")};
  int in = memory(input);
  pid_t parent = getpid();
  if (in >= 0 && p->said >= 0) p->pid = fork();
  if (p->pid == 0 && in >= 0 && p->said >= 0) become(p, netns, argv, in, parent, keep, n_keep);
  if (p->pid < 0) p->pid = 0;
  if (in >= 0) close(in);
}

/* Somebody wants the caller to end, who has put that off: what hangs must not keep him. */
static bool is_over(void) {
  sigset_t set;
  return sigpending(&set) == 0 &&
         (sigismember(&set, SIGTERM) == 1 || sigismember(&set, SIGINT) == 1 || sigismember(&set, SIGHUP) == 1);
}

static int wait_for(pid_t pid) {
  int status = 0;
  struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
  while (end.fd >= 0 && poll(&end, 1, LOOK_UP_MS) == 0)
    if (is_over()) kill(pid, SIGKILL);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    ;
  if (end.fd >= 0) close(end.fd);
  return status;
}

/* The first line of what it said that has something in it. */
static void first_line(int fd, char *out, size_t size) {
  ssize_t n = pread(fd, out, size - 1, 0);
  out[n > 0 ? n : 0] = '\0';
  char *begin = out + strspn(out, "\r\n\t ");
  begin[strcspn(begin, "\r\n")] = '\0';
  memmove(out, begin, strlen(begin) + 1);
}

thirl_error thirl_lab_program_finish(thirl_lab_program *p, thirl_lab_complaint *why) {
  thirl_error e = THIRL_OK;
  int status = 0;
  char line[160];
  if (p->pid == 0)
    e = thirl_lab_words_complain(why, THIRL_E_IO, "%s cannot be started: no process, or no memory", p->name);
  if (p->pid > 0) status = wait_for(p->pid);
  if (e == THIRL_OK && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NOT_FOUND)
    e = thirl_lab_words_complain(why, THIRL_E_NOT_FOUND, "there is no program called %s (Debian: %s)", p->name,
                                 strcmp(p->name, "nft") == 0  ? "nftables"
                                 : strcmp(p->name, "ip") == 0 ? "iproute2"
                                                              : p->name);
  else if (e == THIRL_OK && status != 0) {
    first_line(p->said, line, sizeof line);
    e = thirl_lab_words_complain(why, THIRL_E_IO, "%s failed: %s", p->name,
                                 *line                 ? line
                                 : WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
                                                       : "it does not say why");
  }
  if (p->said >= 0) close(p->said);
  p->pid = 0;
  p->said = -1;
  return e;
}

thirl_error thirl_lab_program_run(int netns, const char *const *argv, const char *input, thirl_lab_complaint *why) {
  thirl_lab_program p;
  thirl_lab_program_start(&p, netns, argv, input, NULL, 0);
  return thirl_lab_program_finish(&p, why);
}
