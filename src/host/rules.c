/* SPDX-License-Identifier: MIT */
#include "host/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 5000, TOOL_PATH = 64 };

/* By its full name: what stands first in $PATH is the user's, and we may be root. */
static bool find_tool(const char *name, char path[TOOL_PATH]) {
  static const char *const places[] = {"/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin"};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    snprintf(path, TOOL_PATH, "%s/%s", places[i], name);
    if (access(path, X_OK) == 0) return true;
  }
  return false;
}

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool start(char *const argv[], int out, pid_t *pid) {
  char *const environment[] = {(char[]){"LC_ALL=C"}, NULL};
  posix_spawn_file_actions_t files;
  if (posix_spawn_file_actions_init(&files) != 0) return false;
  bool ok = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0) == 0 &&
            posix_spawn_file_actions_adddup2(&files, out, 1) == 0 &&
            posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0) == 0 &&
            posix_spawn(pid, argv[0], &files, NULL, argv, environment) == 0;
  posix_spawn_file_actions_destroy(&files);
  return ok;
}

/* Until its end of the pipe is closed; false: too late. */
static bool drain(int fd, thirl_host_dump *d) {
  int64_t until = now_ms() + WAIT_MS;
  char piece[8192];
  for (;;) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int64_t left = until - now_ms();
    if (left <= 0 || d->is_cut) return false;
    int ready = poll(&p, 1, (int)left);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    ssize_t n = read(fd, piece, sizeof piece);
    if (n == 0) return true;
    if (n > 0) thirl_host_dump_append(d, piece, (size_t)n);
    if (n < 0 && errno != EINTR) return false;
  }
}

/* argv[0]: a whole path */
static thirl_tune_why run(char *const argv[], thirl_host_dump *d) {
  int ends[2], status = 0;
  pid_t pid;
  if (pipe2(ends, O_CLOEXEC) != 0) return THIRL_TUNE_WHY_MALFORMED;
  bool started = start(argv, ends[1], &pid);
  close(ends[1]);
  bool ended = started && drain(ends[0], d);
  close(ends[0]);
  if (!started) return THIRL_TUNE_WHY_MALFORMED;
  if (!ended) kill(pid, SIGKILL);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    ;
  if (d->is_cut) return THIRL_TUNE_WHY_TOO_MANY;
  if (!ended) return THIRL_TUNE_WHY_MALFORMED;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? THIRL_TUNE_WHY_READ : THIRL_TUNE_WHY_NOT_PERMITTED;
}

thirl_tune_why thirl_host_rules_ask(thirl_host_dump *d) {
  char path[TOOL_PATH];
  char *const argv[] = {path, (char[]){"-j"}, (char[]){"list"}, (char[]){"ruleset"}, NULL};
  thirl_host_dump_clear(d);
  return find_tool("nft", path) ? run(argv, d) : THIRL_TUNE_WHY_NO_TOOL;
}

thirl_tune_why thirl_host_rules_ask_iptables(bool is_old, bool is_v6, thirl_host_dump *d) {
  char path[TOOL_PATH], name[TOOL_PATH / 2];
  char *const argv[] = {path, NULL};
  thirl_host_dump_clear(d);
  snprintf(name, sizeof name, "%s-%s-save", is_v6 ? "ip6tables" : "iptables", is_old ? "legacy" : "nft");
  return find_tool(name, path) ? run(argv, d) : THIRL_TUNE_WHY_NO_TOOL;
}
