/* SPDX-License-Identifier: MIT */
#include "lab/process/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "lab/process/control.h"

enum { WAIT_TRIES = 250, WAIT_MS = 20 };

/* Where others may write, as in /tmp, names of labs could be theirs: sockets that hand us to namespaces of theirs, marks of processes to kill. */
static bool is_ours(const char *path) {
  struct stat st;
  return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
         (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static bool make_ours(const char *path) {
  return (mkdir(path, 0700) == 0 || errno == EEXIST) && is_ours(path);
}

/* The directory of all labs. Ours, or nobody knows who reads along. */
static thirl_error find_directory(char *out, size_t size, thirl_lab_complaint *why) {
  const char *said = getenv("THIRL_LAB_DIR"), *runtime = getenv("XDG_RUNTIME_DIR");
  int n;
  if (said && *said)
    n = snprintf(out, size, "%s", said);
  else if (geteuid() == 0 && access("/run", W_OK) == 0)
    n = snprintf(out, size, "/run/thirl-lab");
  else if (geteuid() != 0 && runtime && *runtime && is_ours(runtime))
    n = snprintf(out, size, "%s/thirl-lab", runtime);
  else
    n = snprintf(out, size, "/tmp/thirl-lab-%u", (unsigned)geteuid());
  if (n < 0 || (size_t)n >= size) return thirl_lab_words_complain(why, THIRL_E_LIMIT, "THIRL_LAB_DIR is too long");
  if (make_ours(out)) return THIRL_OK;
  return thirl_lab_words_complain(why, THIRL_E_PERMISSION,
                                  "%s cannot be made, or is not a directory of this user where nobody else may write",
                                  out);
}

thirl_error thirl_lab_state_find(const char *name, thirl_lab_state *out, thirl_lab_complaint *why) {
  char base[THIRL_LAB_STATE_PATH_MAX - 16 - THIRL_LAB_STATE_NAME_MAX - 1];
  memset(out, 0, sizeof *out);
  out->lock = -1;
  if (!thirl_lab_words_is_name(name, THIRL_LAB_STATE_NAME_MAX))
    return thirl_lab_words_complain(why, THIRL_E_INVALID,
                                    "\"%.40s\" is no name for a lab: up to %d letters, digits and '-'", name,
                                    THIRL_LAB_STATE_NAME_MAX);
  thirl_error e = find_directory(base, sizeof base, why);
  if (e != THIRL_OK) return e;
  snprintf(out->name, sizeof out->name, "%s", name);
  snprintf(out->directory, sizeof out->directory, "%s/%s", base, name);
  snprintf(out->control, sizeof out->control, "%s/control", out->directory);
  snprintf(out->log, sizeof out->log, "%s/log", out->directory);
  return THIRL_OK;
}

static void path_of(const thirl_lab_state *s, const char *file, char out[THIRL_LAB_STATE_PATH_MAX]) {
  snprintf(out, THIRL_LAB_STATE_PATH_MAX, "%s/%s", s->directory, file);
}

/* An open file of which the name may since have gone to another file. */
static bool is_at(int fd, const char *path) {
  struct stat open_one, named;
  return fstat(fd, &open_one) == 0 && stat(path, &named) == 0 && open_one.st_ino == named.st_ino &&
         open_one.st_dev == named.st_dev;
}

/* The lock of the directory, which exists. -1 with EWOULDBLOCK: somebody has it. */
static int lock(const thirl_lab_state *s, bool make) {
  char path[THIRL_LAB_STATE_PATH_MAX];
  path_of(s, "lock", path);
  for (;;) {
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (make ? O_CREAT : 0), 0600);
    if (fd < 0) return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
      int error = errno;
      close(fd);
      errno = error;
      return -1;
    }
    if (is_at(fd, path)) return fd;
    close(fd);
    if (!make) return -1;
    mkdir(s->directory, 0700);
  }
}

/* To connect is not enough: the socket of a process that is being killed is open for a while. */
static bool answers(const thirl_lab_state *s) {
  thirl_lab_control_packet *p = malloc(sizeof *p);
  thirl_error e = p ? thirl_lab_control_ask(s->control, "status", -1, -1, p) : THIRL_E_NOMEM;
  free(p);
  return e == THIRL_OK;
}

/* A lab that is about to end, or was killed a moment ago, holds its lock and does not answer: that passes. */
static int lock_or_wait(const thirl_lab_state *s) {
  for (int i = 0;; i++) {
    int fd = lock(s, true);
    if (fd >= 0 || errno != EWOULDBLOCK) return fd;
    if (i == WAIT_TRIES || answers(s)) break;
    nanosleep(&(struct timespec){.tv_nsec = WAIT_MS * 1000000L}, NULL);
  }
  errno = EWOULDBLOCK;
  return -1;
}

static void read_mark(thirl_lab_state *s) {
  char path[THIRL_LAB_STATE_PATH_MAX];
  path_of(s, "mark", path);
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  ssize_t n = fd < 0 ? 0 : read(fd, s->mark, THIRL_LAB_SWEEP_MARK_LEN);
  if (n != THIRL_LAB_SWEEP_MARK_LEN) s->mark[0] = '\0';
  if (fd >= 0) close(fd);
}

static bool write_mark(const thirl_lab_state *s) {
  char path[THIRL_LAB_STATE_PATH_MAX];
  path_of(s, "mark", path);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return false;
  bool ok = write(fd, s->mark, THIRL_LAB_SWEEP_MARK_LEN) == THIRL_LAB_SWEEP_MARK_LEN;
  close(fd);
  return ok;
}

/* Of a lab that was killed together with its guard; we hold the lock. */
static void end_leftovers(thirl_lab_state *s) {
  read_mark(s);
  if (s->mark[0]) thirl_lab_sweep_kill(s->mark, NULL, 0);
  unlink(s->control);
}

thirl_error thirl_lab_state_take(const char *name, thirl_lab_state *out, thirl_lab_complaint *why) {
  thirl_error e = thirl_lab_state_find(name, out, why);
  if (e != THIRL_OK) return e;
  if (!make_ours(out->directory))
    return thirl_lab_words_complain(why, THIRL_E_PERMISSION, "%s cannot be made: %s", out->directory, strerror(errno));
  out->lock = lock_or_wait(out);
  if (out->lock < 0 && errno == EWOULDBLOCK)
    return thirl_lab_words_complain(why, THIRL_E_IN_USE,
                                    "a lab called %s is up already: thirl lab down, or up with another --name", name);
  if (out->lock < 0)
    return thirl_lab_words_complain(why, THIRL_E_IO, "%s cannot be locked: %s", out->directory, strerror(errno));
  end_leftovers(out);
  thirl_lab_sweep_new_mark(out->mark);
  if (write_mark(out)) return THIRL_OK;
  e = thirl_lab_words_complain(why, THIRL_E_IO, "nothing can be written in %s: %s", out->directory, strerror(errno));
  thirl_lab_state_remove(out);
  return e;
}

void thirl_lab_state_remove(thirl_lab_state *s) {
  static const char *const files[] = {"control", "mark", "log", "lock"};
  char path[THIRL_LAB_STATE_PATH_MAX];
  path_of(s, "lock", path);
  bool is_still_ours = s->lock >= 0 && is_at(s->lock, path);
  for (size_t i = 0; is_still_ours && i < sizeof files / sizeof *files; i++) {
    path_of(s, files[i], path);
    unlink(path);
  }
  if (is_still_ours) rmdir(s->directory);
  if (s->lock >= 0) close(s->lock);
  s->lock = -1;
}

static int compare(const void *a, const void *b) {
  return strcmp(a, b);
}

size_t thirl_lab_state_list(char names[][THIRL_LAB_STATE_NAME_MAX + 1], size_t max) {
  char base[THIRL_LAB_STATE_PATH_MAX];
  thirl_lab_state s;
  size_t n = 0;
  if (find_directory(base, sizeof base, NULL) != THIRL_OK) return 0;
  DIR *dir = opendir(base);
  if (!dir) return 0;
  for (struct dirent *d; n < max && (d = readdir(dir));) {
    if (d->d_name[0] == '.' || thirl_lab_state_find(d->d_name, &s, NULL) != THIRL_OK) continue;
    s.lock = lock(&s, false);
    if (s.lock >= 0) {
      end_leftovers(&s);
      thirl_lab_state_remove(&s);
    } else if (errno == EWOULDBLOCK)
      memcpy(names[n++], s.name, sizeof s.name);
  }
  closedir(dir);
  qsort(names, n, sizeof *names, compare);
  return n;
}
