/* SPDX-License-Identifier: MIT */
#include "host/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 32768 };

static bool join_one(const char *root, size_t n, const char *path, char out[THIRL_HOST_FILE_PATH]) {
  while (n && root[n - 1] == '/')
    n--;
  int m = snprintf(out, THIRL_HOST_FILE_PATH, "%.*s/%s", (int)n, root, path);
  return m > 0 && m < THIRL_HOST_FILE_PATH;
}

bool thirl_host_file_join(const char *root, const char *path, char out[THIRL_HOST_FILE_PATH]) {
  struct stat unused;
  for (;;) {
    size_t n = strcspn(root, ":");
    if (!join_one(root, n, path, out)) return false;
    if (!root[n] || lstat(out, &unused) == 0) return true;
    root += n + 1;
  }
}

thirl_tune_why thirl_host_file_why(int number) {
  switch (number) {
  case ENOENT:
  case ENOTDIR:
  case ESRCH:
  case ENXIO:
    return THIRL_TUNE_WHY_NO_SUCH;
  case EACCES:
  case EPERM:
    return THIRL_TUNE_WHY_NOT_PERMITTED;
  default:
    return THIRL_TUNE_WHY_MALFORMED;
  }
}

static int open_file(const char *root, const char *path) {
  char whole[THIRL_HOST_FILE_PATH];
  if (!thirl_host_file_join(root, path, whole)) {
    errno = ENAMETOOLONG;
    return -1;
  }
  return open(whole, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

static ssize_t read_some(int fd, void *p, size_t n) {
  ssize_t m;
  do
    m = read(fd, p, n);
  while (m < 0 && (errno == EINTR || errno == EPIPE)); /* EPIPE: the log has overtaken us */
  return m < 0 && errno == EAGAIN ? 0 : m;             /* the end of the log */
}

thirl_tune_why thirl_host_file_read(const char *root, const char *path, thirl_host_dump *d, thirl_tune_text *text) {
  int fd = open_file(root, path);
  thirl_tune_why why = THIRL_TUNE_WHY_READ;
  char piece[4096];
  ssize_t n = 1;
  *text = (thirl_tune_text){0};
  if (fd < 0) return thirl_host_file_why(errno);
  thirl_host_dump_clear(d);
  while (!d->is_cut && (n = read_some(fd, piece, sizeof piece)) > 0)
    thirl_host_dump_append(d, piece, (size_t)n);
  if (n < 0) why = thirl_host_file_why(errno);
  if (d->is_cut) why = THIRL_TUNE_WHY_TOO_MANY;
  close(fd);
  *text = thirl_host_dump_view(d);
  return why;
}

/* Hands over whole lines; returns how much of the last, unfinished one is left at the front. */
static size_t hand_over(char *piece, size_t n, thirl_host_file_take *take, void *ctx) {
  size_t end = n;
  while (end && piece[end - 1] != '\n')
    end--;
  if (end) take(ctx, (thirl_tune_text){piece, end});
  memmove(piece, piece + end, n - end);
  return n - end;
}

thirl_tune_why thirl_host_file_walk(const char *root, const char *path, size_t most, thirl_host_file_take *take,
                                    void *ctx) {
  int fd = open_file(root, path);
  char piece[PIECE];
  size_t left = 0, total = 0;
  ssize_t n = 1;
  if (fd < 0) return thirl_host_file_why(errno);
  while (total < most && (n = read_some(fd, piece + left, sizeof piece - left)) > 0) {
    total += (size_t)n;
    left = hand_over(piece, left + (size_t)n, take, ctx);
    if (left == sizeof piece) left = 0;
  }
  if (left && n == 0) take(ctx, (thirl_tune_text){piece, left});
  thirl_tune_why why = n < 0 ? thirl_host_file_why(errno) : n > 0 ? THIRL_TUNE_WHY_TOO_MANY : THIRL_TUNE_WHY_READ;
  close(fd);
  return why;
}
