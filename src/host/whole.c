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

#include "host/place.h"

enum { READ_BYTES = 4096, LOCK_TRIES = 8 };

static bool join(char out[PATH_MAX], const char *root, const char *path) {
  return snprintf(out, PATH_MAX, "%s%s", root, path) < PATH_MAX;
}

static thirl_error read_all(int fd, thirl_buffer *out) {
  for (;;) {
    uint8_t piece[READ_BYTES];
    ssize_t n = read(fd, piece, sizeof piece);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return thirl_host_place_error(errno);
    if (n == 0) return THIRL_OK;
    thirl_error e = thirl_buffer_append(out, THIRL_BYTES(piece, (size_t)n));
    if (e != THIRL_OK) return e;
  }
}

static thirl_error read_opened(int fd, bool own, thirl_buffer *out) {
  struct stat st;
  if (fd < 0) return thirl_host_place_error(errno == ELOOP ? EACCES : errno);
  thirl_error e = fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ? THIRL_E_IO : THIRL_OK;
  if (e == THIRL_OK && own && (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))) e = THIRL_E_PERMISSION;
  if (e == THIRL_OK) e = read_all(fd, out);
  close(fd);
  return e;
}

enum { READ_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

thirl_error thirl_host_whole_read(const char *root, const char *path, thirl_buffer *out) {
  char full[PATH_MAX];
  if (!join(full, root, path)) return THIRL_E_LIMIT;
  return read_opened(open(full, READ_FLAGS), false, out);
}

thirl_error thirl_host_whole_read_own(const char *root, const char *path, thirl_buffer *out) {
  thirl_host_place p;
  thirl_error e = thirl_host_place_open(root, path, &p);
  if (e == THIRL_OK) e = read_opened(openat(p.folder, p.name, READ_FLAGS | O_NOFOLLOW), true, out);
  thirl_host_place_close(&p);
  return e;
}

static thirl_error write_all(int fd, thirl_bytes text) {
  while (text.n) {
    ssize_t n = write(fd, text.p, text.n);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return thirl_host_place_error(errno);
    text.p += n;
    text.n -= (size_t)n;
  }
  return fsync(fd) == 0 ? THIRL_OK : thirl_host_place_error(errno);
}

/* A rename is on the disk when its folder is. */
static void sync_folder(const thirl_host_place *p) {
  int fd = openat(p->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)fsync(fd);
  close(fd);
}

static thirl_error write_place(const thirl_host_place *p, thirl_bytes text, mode_t mode) {
  char fresh[THIRL_HOST_PLACE_NAME_MAX + 4];
  snprintf(fresh, sizeof fresh, "%s.new", p->name);
  if (unlinkat(p->folder, fresh, 0) != 0 && errno != ENOENT)
    return thirl_host_place_error(errno); /* left by one that was killed */
  int fd = openat(p->folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd < 0) return thirl_host_place_error(errno);
  thirl_error e = write_all(fd, text);
  if (e == THIRL_OK && fchmod(fd, mode) != 0) e = thirl_host_place_error(errno); /* whatever the umask says */
  close(fd);
  if (e == THIRL_OK && renameat(p->folder, fresh, p->folder, p->name) != 0) e = thirl_host_place_error(errno);
  if (e != THIRL_OK)
    (void)unlinkat(p->folder, fresh, 0);
  else
    sync_folder(p);
  return e;
}

thirl_error thirl_host_whole_write(const char *root, const char *path, thirl_bytes text, unsigned mode) {
  thirl_host_place p;
  thirl_error e = thirl_host_place_open(root, path, &p);
  if (e == THIRL_OK) e = write_place(&p, text, (mode_t)mode);
  thirl_host_place_close(&p);
  return e;
}

static thirl_error remove_name(const char *root, const char *path, int flags) {
  thirl_host_place p;
  thirl_error e = thirl_host_place_open(root, path, &p);
  if (e == THIRL_OK && unlinkat(p.folder, p.name, flags) != 0) e = thirl_host_place_error(errno);
  if (e == THIRL_OK) sync_folder(&p);
  thirl_host_place_close(&p);
  return e;
}

thirl_error thirl_host_whole_remove(const char *root, const char *path) {
  return remove_name(root, path, 0);
}

/* E_IN_USE: it is there. */
static thirl_error make_folder(const char *root, const char *path) {
  thirl_host_place p;
  thirl_error e = thirl_host_place_open(root, path, &p);
  if (e == THIRL_OK && mkdirat(p.folder, p.name, 0755) != 0)
    e = errno == EEXIST ? THIRL_E_IN_USE : thirl_host_place_error(errno);
  thirl_host_place_close(&p);
  return e;
}

thirl_error thirl_host_whole_make_folders(const char *root, const char *path, thirl_host_whole_folders *made) {
  char part[THIRL_HOST_WHOLE_PATH_MAX];
  for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    size_t n = (size_t)(slash - path);
    if (n >= sizeof part) return THIRL_E_LIMIT;
    memcpy(part, path, n);
    part[n] = '\0';
    thirl_error e = make_folder(root, part);
    if (e == THIRL_E_IN_USE) continue;
    if (e != THIRL_OK) return e;
    if (made->n < THIRL_HOST_WHOLE_FOLDERS_MAX) memcpy(made->path[made->n++], part, sizeof part);
  }
  return THIRL_OK;
}

void thirl_host_whole_remove_folders(const char *root, const thirl_host_whole_folders *made) {
  for (unsigned i = made->n; i-- > 0;)
    (void)remove_name(root, made->path[i], AT_REMOVEDIR);
}

/* Only ours can be locked by nobody else: who may open a file may lock it. */
static thirl_error open_lock(const thirl_host_place *p, int *fd) {
  struct stat st;
  *fd = openat(p->folder, p->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
  if (*fd < 0) return thirl_host_place_error(errno == ELOOP ? EACCES : errno);
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

static thirl_error lock_place(const thirl_host_place *p, int *fd) {
  for (int i = 0; i < LOCK_TRIES; i++) {
    int opened;
    thirl_error e = open_lock(p, &opened);
    if (e != THIRL_OK) return e;
    e = try_lock(opened);
    if (e == THIRL_OK) *fd = opened;
    if (e == THIRL_OK) return THIRL_OK;
    close(opened);
    if (e != THIRL_E_AGAIN) return e;
  }
  return THIRL_E_IN_USE;
}

thirl_error thirl_host_whole_lock(const char *root, const char *path, int *fd) {
  thirl_host_place p;
  *fd = -1;
  thirl_error e = thirl_host_place_open(root, path, &p);
  if (e == THIRL_OK) e = lock_place(&p, fd);
  thirl_host_place_close(&p);
  return e;
}

void thirl_host_whole_unlock(const char *root, const char *path, int fd) {
  (void)remove_name(root, path, 0);
  close(fd);
}
