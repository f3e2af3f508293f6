/* SPDX-License-Identifier: MIT */
#include "host/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { READ_BYTES = 4096, LOCK_TRIES = 8 };

static thirl_error error_of(int number) {
  switch (number) {
  case ENOENT:
  case ENOTDIR:
    return THIRL_E_NOT_FOUND;
  case EACCES:
  case EPERM:
  case EROFS:
    return THIRL_E_PERMISSION;
  case ENOMEM:
    return THIRL_E_NOMEM;
  default:
    return THIRL_E_IO;
  }
}

static bool join(char out[PATH_MAX], const char *root, const char *path, const char *suffix) {
  return snprintf(out, PATH_MAX, "%s%s%s", root, path, suffix) < PATH_MAX;
}

static thirl_error read_all(int fd, thirl_buffer *out) {
  for (;;) {
    uint8_t piece[READ_BYTES];
    ssize_t n = read(fd, piece, sizeof piece);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return error_of(errno);
    if (n == 0) return THIRL_OK;
    thirl_error e = thirl_buffer_append(out, THIRL_BYTES(piece, (size_t)n));
    if (e != THIRL_OK) return e;
  }
}

static thirl_error read_file(const char *root, const char *path, bool own, thirl_buffer *out) {
  char full[PATH_MAX];
  struct stat st;
  if (!join(full, root, path, "")) return THIRL_E_LIMIT;
  int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (own ? O_NOFOLLOW : 0));
  if (fd < 0) return error_of(errno == ELOOP ? EACCES : errno);
  thirl_error e = fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ? THIRL_E_IO : THIRL_OK;
  if (e == THIRL_OK && own && (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))) e = THIRL_E_PERMISSION;
  if (e == THIRL_OK) e = read_all(fd, out);
  close(fd);
  return e;
}

thirl_error thirl_host_whole_read(const char *root, const char *path, thirl_buffer *out) {
  return read_file(root, path, false, out);
}

thirl_error thirl_host_whole_read_own(const char *root, const char *path, thirl_buffer *out) {
  return read_file(root, path, true, out);
}

static thirl_error write_all(int fd, thirl_bytes text) {
  while (text.n) {
    ssize_t n = write(fd, text.p, text.n);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return error_of(errno);
    text.p += n;
    text.n -= (size_t)n;
  }
  return fsync(fd) == 0 ? THIRL_OK : error_of(errno);
}

/* A rename is on the disk when its folder is. */
static void sync_folder(const char *full) {
  char folder[PATH_MAX];
  snprintf(folder, sizeof folder, "%s", full);
  char *slash = strrchr(folder, '/');
  if (!slash) return;
  *slash = '\0';
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)fsync(fd);
  close(fd);
}

thirl_error thirl_host_whole_write(const char *root, const char *path, thirl_bytes text, unsigned mode) {
  char full[PATH_MAX], fresh[PATH_MAX];
  if (!join(full, root, path, "") || !join(fresh, root, path, ".new")) return THIRL_E_LIMIT;
  if (unlink(fresh) != 0 && errno != ENOENT) return error_of(errno); /* left by one that was killed */
  int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode);
  if (fd < 0) return error_of(errno);
  thirl_error e = write_all(fd, text);
  if (e == THIRL_OK && fchmod(fd, (mode_t)mode) != 0) e = error_of(errno); /* whatever the umask says */
  close(fd);
  if (e == THIRL_OK && rename(fresh, full) != 0) e = error_of(errno);
  if (e != THIRL_OK)
    (void)unlink(fresh);
  else
    sync_folder(full);
  return e;
}

thirl_error thirl_host_whole_remove(const char *root, const char *path) {
  char full[PATH_MAX];
  if (!join(full, root, path, "")) return THIRL_E_LIMIT;
  if (unlink(full) != 0) return error_of(errno);
  sync_folder(full);
  return THIRL_OK;
}

thirl_error thirl_host_whole_make_folders(const char *root, const char *path, thirl_host_whole_folders *made) {
  char full[PATH_MAX], part[THIRL_HOST_WHOLE_PATH_MAX];
  for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    size_t n = (size_t)(slash - path);
    if (n >= sizeof part) return THIRL_E_LIMIT;
    memcpy(part, path, n);
    part[n] = '\0';
    if (!join(full, root, part, "")) return THIRL_E_LIMIT;
    if (mkdir(full, 0755) != 0) {
      if (errno == EEXIST) continue;
      return error_of(errno);
    }
    if (made->n < THIRL_HOST_WHOLE_FOLDERS_MAX) memcpy(made->path[made->n++], part, sizeof part);
  }
  return THIRL_OK;
}

void thirl_host_whole_remove_folders(const char *root, const thirl_host_whole_folders *made) {
  char full[PATH_MAX];
  for (unsigned i = made->n; i-- > 0;)
    if (join(full, root, made->path[i], "")) (void)rmdir(full);
}

/* Only ours can be locked by nobody else: who may open a file may lock it. */
static thirl_error open_lock(const char *full, int *fd) {
  struct stat st;
  *fd = open(full, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
  if (*fd < 0) return error_of(errno == ELOOP ? EACCES : errno);
  if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 077)) return THIRL_OK;
  close(*fd);
  return THIRL_E_PERMISSION;
}

/* E_AGAIN: who had it has removed it, after we opened it and before we locked it. */
static thirl_error try_lock(int fd) {
  struct stat st;
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) return errno == EWOULDBLOCK ? THIRL_E_IN_USE : THIRL_E_IO;
  return fstat(fd, &st) == 0 && st.st_nlink > 0 ? THIRL_OK : THIRL_E_AGAIN;
}

thirl_error thirl_host_whole_lock(const char *root, const char *path, int *fd) {
  char full[PATH_MAX];
  *fd = -1;
  if (!join(full, root, path, "")) return THIRL_E_LIMIT;
  for (int i = 0; i < LOCK_TRIES; i++) {
    int opened;
    thirl_error e = open_lock(full, &opened);
    if (e != THIRL_OK) return e;
    e = try_lock(opened);
    if (e == THIRL_OK) *fd = opened;
    if (e == THIRL_OK) return THIRL_OK;
    close(opened);
    if (e != THIRL_E_AGAIN) return e;
  }
  return THIRL_E_IN_USE;
}

void thirl_host_whole_unlock(const char *root, const char *path, int fd) {
  char full[PATH_MAX];
  if (join(full, root, path, "")) (void)unlink(full);
  close(fd);
}
