/* SPDX-License-Identifier: MIT */
#include "host/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 5000 };

/* By its full name: what stands first in $PATH is the user's, and we may be root. */
static const char *find_nft(void) {
  static const char *const places[] = {"/usr/sbin/nft", "/sbin/nft", "/usr/local/sbin/nft", "/usr/bin/nft"};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    if (access(places[i], X_OK) == 0) return places[i];
  return NULL;
}

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool start(const char *nft, int out, pid_t *pid) {
  char *const argv[] = {(char[]){"nft"}, (char[]){"-j"}, (char[]){"list"}, (char[]){"ruleset"}, NULL};
  char *const environment[] = {(char[]){"LC_ALL=C"}, NULL};
  posix_spawn_file_actions_t files;
  if (posix_spawn_file_actions_init(&files) != 0) return false;
  bool ok = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0) == 0 &&
            posix_spawn_file_actions_adddup2(&files, out, 1) == 0 &&
            posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0) == 0 &&
            posix_spawn(pid, nft, &files, NULL, argv, environment) == 0;
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

thirl_tune_why thirl_host_rules_ask(thirl_host_dump *d) {
  const char *nft = find_nft();
  int ends[2], status = 0;
  pid_t pid;
  thirl_host_dump_clear(d);
  if (!nft) return THIRL_TUNE_WHY_NO_TOOL;
  if (pipe2(ends, O_CLOEXEC) != 0) return THIRL_TUNE_WHY_MALFORMED;
  bool started = start(nft, ends[1], &pid);
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
