/* SPDX-License-Identifier: MIT */
#include "lab/process/sweep.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/random.h>
#include <sys/stat.h>

enum { TRIES = 100, WAIT_MS = 20, ENVIRONMENT_MAX = 256 * 1024 };

void thirl_lab_sweep_new_mark(char *out) {
  uint8_t bytes[THIRL_LAB_SWEEP_MARK_LEN / 2];
  if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) abort();
  for (size_t i = 0; i < sizeof bytes; i++)
    snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static bool is_in(int proc, const char *pid, const uint64_t *ids, size_t n) {
  char path[64];
  struct stat st;
  snprintf(path, sizeof path, "%.20s/ns/net", pid);
  if (n == 0 || fstatat(proc, path, &st, 0) < 0) return false;
  for (size_t i = 0; i < n; i++)
    if (ids[i] == st.st_ino) return true;
  return false;
}

static bool carries(int proc, const char *pid, const char *entry) {
  static char text[ENVIRONMENT_MAX];
  char path[64];
  snprintf(path, sizeof path, "%.20s/environ", pid);
  int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  size_t used = 0;
  ssize_t n;
  while (used < sizeof text && (n = read(fd, text + used, sizeof text - used)) > 0)
    used += (size_t)n;
  close(fd);
  size_t len = strlen(entry) + 1; /* with its NUL */
  for (const char *at = text, *end = text + used; at < end;) {
    if ((size_t)(end - at) >= len && memcmp(at, entry, len) == 0) return true;
    const char *nul = memchr(at, '\0', (size_t)(end - at));
    if (!nul) break;
    at = nul + 1;
  }
  return false;
}

/* A process that is dead and waits for its parent to notice holds nothing any more. */
static bool is_dead(int proc, const char *pid) {
  char path[64], text[512];
  snprintf(path, sizeof path, "%.20s/stat", pid);
  int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return true;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0) return true;
  text[n] = '\0';
  const char *state = strrchr(text, ')');
  return state && (state[2] == 'Z' || state[2] == 'X');
}

static size_t kill_once(const char *entry, const uint64_t *ids, size_t n) {
  size_t found = 0;
  DIR *dir = opendir("/proc");
  if (!dir) return 0;
  for (struct dirent *d; (d = readdir(dir));) {
    if (!isdigit((unsigned char)d->d_name[0])) continue;
    pid_t pid = (pid_t)strtol(d->d_name, NULL, 10);
    if (pid <= 1 || pid == getpid()) continue;
    if (!is_in(dirfd(dir), d->d_name, ids, n) && !carries(dirfd(dir), d->d_name, entry)) continue;
    if (is_dead(dirfd(dir), d->d_name)) continue;
    if (kill(pid, SIGKILL) == 0 || errno != ESRCH) found++;
  }
  closedir(dir);
  return found;
}

size_t thirl_lab_sweep_kill(const char *mark, const uint64_t *ids, size_t n) {
  char entry[sizeof THIRL_LAB_SWEEP_MARK + 1 + THIRL_LAB_SWEEP_MARK_LEN];
  snprintf(entry, sizeof entry, THIRL_LAB_SWEEP_MARK "=%.*s", THIRL_LAB_SWEEP_MARK_LEN, mark);
  size_t left = 0;
  for (int i = 0; i < TRIES && (left = kill_once(entry, ids, n)) > 0; i++)
    nanosleep(&(struct timespec){.tv_nsec = WAIT_MS * 1000000L}, NULL);
  return left;
}
