/* SPDX-License-Identifier: MIT */
#include "parcel_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static thirl_parcel_reason reason_of(int error) {
  switch (error) {
  case ENOSPC:
  case EDQUOT:
  case EFBIG:
    return THIRL_PARCEL_NO_SPACE;
  case EACCES:
  case EPERM:
  case EROFS:
    return THIRL_PARCEL_PERMISSION;
  case ELOOP:
    return THIRL_PARCEL_LINK;
  case ENOTDIR:
  case EISDIR:
  case ENXIO:
    return THIRL_PARCEL_IN_THE_WAY;
  case EEXIST:
    return THIRL_PARCEL_EXISTS;
  case ENAMETOOLONG:
  case EILSEQ:
  case EINVAL:
    return THIRL_PARCEL_NAME;
  default:
    return THIRL_PARCEL_IO;
  }
}

/* One part as a string. The name is safe, so that it fits. */
static const char *part_of(thirl_bytes part, char out[THIRL_PARCEL_PART_MAX + 1]) {
  memcpy(out, part.p, part.n);
  out[part.n] = '\0';
  return out;
}

/* O_DIRECTORY with O_NOFOLLOW says ENOTDIR for a link too: which was it? */
static thirl_parcel_reason not_entered(int at, const char *part, int error) {
  struct stat st;
  if (error == ENOTDIR && fstatat(at, part, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
    return THIRL_PARCEL_LINK;
  return reason_of(error);
}

static thirl_parcel_reason enter_one(int *at, thirl_bytes part, bool make) {
  char text[THIRL_PARCEL_PART_MAX + 1];
  part_of(part, text);
  if (make && mkdirat(*at, text, 0700) != 0 && errno != EEXIST) return reason_of(errno);
  int fd = openat(*at, text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  thirl_parcel_reason r = fd < 0 ? not_entered(*at, text, errno) : THIRL_PARCEL_OK;
  if (fd < 0 && !make && errno == ENOENT) r = THIRL_PARCEL_UNREADABLE;
  close(*at);
  *at = fd;
  return r;
}

thirl_parcel_reason parcel_files_enter(int root, thirl_bytes name, bool make, int *out) {
  int at = fcntl(root, F_DUPFD_CLOEXEC, 3);
  *out = -1;
  if (at < 0) return THIRL_PARCEL_IO;
  for (const uint8_t *slash; (slash = memchr(name.p, '/', name.n));) {
    size_t n = (size_t)(slash - name.p);
    thirl_parcel_reason r = enter_one(&at, THIRL_BYTES(name.p, n), make);
    if (r != THIRL_PARCEL_OK) {
      if (at >= 0) close(at);
      return r;
    }
    name = THIRL_BYTES(slash + 1, name.n - n - 1);
  }
  *out = at;
  return THIRL_PARCEL_OK;
}

thirl_parcel_reason parcel_files_make(int root, thirl_bytes name) {
  int at;
  thirl_parcel_reason r = parcel_files_enter(root, name, true, &at);
  if (r != THIRL_PARCEL_OK) return r;
  r = enter_one(&at, thirl_parcel_name_last(name), true);
  if (at >= 0) close(at);
  return r;
}

/* ---- what is there ---- */

/* Of something at the place of a file: may it stay there or be replaced? */
static thirl_parcel_reason judge(const struct stat *st, const thirl_parcel_entry *e, bool overwrite) {
  if (S_ISLNK(st->st_mode)) return THIRL_PARCEL_LINK;
  if (!S_ISREG(st->st_mode)) return THIRL_PARCEL_IN_THE_WAY;
  return (uint64_t)st->st_size == e->size || overwrite ? THIRL_PARCEL_OK : THIRL_PARCEL_EXISTS;
}

static uint64_t bytes_there(int at, thirl_bytes last, uint64_t size, const struct stat *whole) {
  char unfinished[THIRL_PARCEL_PART_MAX + 1];
  struct stat st;
  if (whole && (uint64_t)whole->st_size == size) return size;
  if (thirl_parcel_name_unfinished(last, unfinished) != THIRL_OK) return 0;
  if (fstatat(at, unfinished, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) return 0;
  return (uint64_t)st.st_size < size ? (uint64_t)st.st_size : size;
}

thirl_parcel_reason parcel_files_foresee(int root, const thirl_parcel_entry *e, bool overwrite, uint64_t *there) {
  thirl_bytes last = thirl_parcel_name_last(e->name);
  char text[THIRL_PARCEL_PART_MAX + 1];
  struct stat st;
  int at;
  *there = 0;
  thirl_parcel_reason r = parcel_files_enter(root, e->name, false, &at);
  if (r != THIRL_PARCEL_OK) return r == THIRL_PARCEL_UNREADABLE ? THIRL_PARCEL_OK : r; /* no such folder yet */
  bool taken = fstatat(at, part_of(last, text), &st, AT_SYMLINK_NOFOLLOW) == 0;
  if (taken && e->kind == THIRL_PARCEL_FILE)
    r = judge(&st, e, overwrite);
  else if (taken && !S_ISDIR(st.st_mode))
    r = S_ISLNK(st.st_mode) ? THIRL_PARCEL_LINK : THIRL_PARCEL_IN_THE_WAY;
  if (e->kind == THIRL_PARCEL_FILE) *there = bytes_there(at, last, e->size, taken ? &st : NULL);
  close(at);
  return r;
}

/* An unfinished file is ours alone: a regular file, of this user, with no second name, that no other process is writing. */
static thirl_parcel_reason adopt(int fd, uint64_t *size) {
  struct stat st;
  if (fstat(fd, &st) != 0) return THIRL_PARCEL_IO;
  if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1) return THIRL_PARCEL_IN_THE_WAY;
  if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return THIRL_PARCEL_LOCKED;
  *size = (uint64_t)st.st_size;
  return THIRL_PARCEL_OK;
}

/* An unfinished file of ours that we may not write: whatever made it so, we may again. errno stays when it is not ours. */
static bool unlock(const parcel_file *f) {
  char path[40];
  struct stat st;
  int error = errno, fd = openat(f->parent, f->unfinished, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  bool ours = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && st.st_nlink == 1;
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd); /* fchmod knows no O_PATH */
  bool done = ours && chmod(path, 0600) == 0;
  if (fd >= 0) close(fd);
  errno = error;
  return done;
}

static thirl_parcel_reason open_unfinished(parcel_file *f, uint64_t *size) {
  *size = 0;
  int fd = openat(f->parent, f->unfinished, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0 && (errno == EACCES || errno == EPERM) && unlock(f))
    fd = openat(f->parent, f->unfinished, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? THIRL_PARCEL_OK : reason_of(errno);
  thirl_parcel_reason r = adopt(fd, size);
  if (r != THIRL_PARCEL_OK) {
    close(fd);
    return r;
  }
  f->fd = fd;
  f->made = *size == 0;
  return THIRL_PARCEL_OK;
}

static thirl_parcel_have look(const thirl_parcel_entry *e, bool overwrite, parcel_file *f) {
  thirl_parcel_have have = {.n = 0};
  struct stat st;
  if (fstatat(f->parent, f->last, &st, AT_SYMLINK_NOFOLLOW) == 0) {
    have.reason = judge(&st, e, overwrite);
    if (have.reason != THIRL_PARCEL_OK) return have;
    if ((uint64_t)st.st_size == e->size) {
      f->fd = openat(f->parent, f->last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
      if (f->fd < 0 && !overwrite) have.reason = THIRL_PARCEL_EXISTS;
      if (f->fd >= 0) have = (thirl_parcel_have){.whole = true, .n = e->size};
      f->whole = have.whole;
      if (f->fd >= 0 || !overwrite) return have;
    }
  } else if (errno != ENOENT) {
    have.reason = reason_of(errno);
    return have;
  }
  have.reason = open_unfinished(f, &have.n);
  return have;
}

thirl_parcel_have parcel_files_look(int root, const thirl_parcel_entry *e, bool overwrite, parcel_file *f) {
  thirl_bytes last = thirl_parcel_name_last(e->name);
  thirl_parcel_have have = {.n = 0};
  *f = (parcel_file){.parent = -1, .fd = -1};
  have.reason = parcel_files_enter(root, e->name, true, &f->parent);
  if (have.reason != THIRL_PARCEL_OK) return have;
  part_of(last, f->last);
  if (thirl_parcel_name_unfinished(last, f->unfinished) != THIRL_OK)
    have.reason = THIRL_PARCEL_NAME;
  else
    have = look(e, overwrite, f);
  if (have.reason != THIRL_PARCEL_OK) parcel_files_close(f);
  return have;
}

/* ---- bytes ---- */

thirl_parcel_reason parcel_files_begin(parcel_file *f, uint64_t offset) {
  uint64_t size;
  if (f->whole) { /* it is another file, and may be replaced */
    close(f->fd);
    f->fd = -1;
    f->whole = false;
    thirl_parcel_reason r = open_unfinished(f, &size);
    if (r != THIRL_PARCEL_OK) return r;
  }
  if (f->fd < 0) {
    f->fd = openat(f->parent, f->unfinished, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (f->fd < 0) return reason_of(errno);
    f->made = true;
    thirl_parcel_reason r = adopt(f->fd, &size);
    if (r != THIRL_PARCEL_OK) return r;
  }
  return ftruncate(f->fd, (off_t)offset) == 0 ? THIRL_PARCEL_OK : reason_of(errno);
}

thirl_parcel_reason parcel_files_write(const parcel_file *f, uint64_t offset, thirl_bytes b) {
  while (b.n > 0) {
    ssize_t n = pwrite(f->fd, b.p, b.n, (off_t)offset);
    if (n < 0 && errno != EINTR) return reason_of(errno);
    if (n <= 0) continue;
    b.p += n, b.n -= (size_t)n;
    offset += (uint64_t)n;
  }
  return THIRL_PARCEL_OK;
}

size_t parcel_files_read(const parcel_file *f, uint64_t offset, uint8_t *buf, size_t n) {
  ssize_t got;
  do
    got = pread(f->fd, buf, n, (off_t)offset);
  while (got < 0 && errno == EINTR);
  return got > 0 ? (size_t)got : 0;
}

/* ---- the end ---- */

/* Without replacing anything: what cannot do that in one step (an old kernel, some network disks) does it by a second name. */
static int rename_to_free_name(const parcel_file *f) {
  if (renameat2(f->parent, f->unfinished, f->parent, f->last, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  if (linkat(f->parent, f->unfinished, f->parent, f->last, 0) != 0) return -1;
  return unlinkat(f->parent, f->unfinished, 0);
}

thirl_parcel_reason parcel_files_commit(const parcel_file *f, const thirl_parcel_entry *e, bool overwrite) {
  struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = e->modified_s, .tv_nsec = e->modified_ns}};
  struct stat ours, named;
  (void)futimens(f->fd, times); /* a time that this disk does not know stays now */
  if (fsync(f->fd) != 0) return reason_of(errno);
  if (fstat(f->fd, &ours) != 0 || fstatat(f->parent, f->unfinished, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
      ours.st_ino != named.st_ino || ours.st_dev != named.st_dev)
    return THIRL_PARCEL_IO; /* somebody put another file in its place */
  int bad = overwrite ? renameat(f->parent, f->unfinished, f->parent, f->last) : rename_to_free_name(f);
  if (bad) return reason_of(errno);
  /* Of the user only: whom else it concerns is the receiver's to say. Not before, or a break here would leave what cannot be gone on with. */
  (void)fchmod(f->fd, (mode_t)e->mode << 6);
  (void)fsync(f->parent);
  return THIRL_PARCEL_OK;
}

void parcel_files_drop(const parcel_file *f, bool always) {
  struct stat st;
  if (f->fd < 0 || f->whole || fstat(f->fd, &st) != 0) return;
  if (always || (f->made && st.st_size == 0)) (void)unlinkat(f->parent, f->unfinished, 0);
}

void parcel_files_close(parcel_file *f) {
  if (f->fd >= 0) close(f->fd);
  if (f->parent >= 0) close(f->parent);
  *f = (parcel_file){.parent = -1, .fd = -1};
}

uint64_t parcel_files_room(int root) {
  struct statvfs st;
  if (fstatvfs(root, &st) != 0 || st.f_blocks == 0) return UINT64_MAX;
  return (uint64_t)st.f_bavail * st.f_frsize;
}
