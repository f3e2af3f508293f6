/* SPDX-License-Identifier: MIT */
#include "io/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_CAP = PATH_MAX, TEMP_CAP = PATH_MAX + 16, TRIES = 3 };

/* One call: the path, and where to explain a failure. */
typedef struct keyfile {
  char path[PATH_CAP];
  bool is_default; /* ours to make directories for */
  char *why;
  size_t why_cap;
} keyfile;

/* Says why and gives e: return explain(...) is one line. */
static thirl_error __attribute__((format(printf, 3, 4)))
explain(const keyfile *k, thirl_error e, const char *format, ...) {
  va_list ap;
  if (k->why_cap == 0) return e;
  va_start(ap, format);
  (void)vsnprintf(k->why, k->why_cap, format, ap);
  va_end(ap);
  return e;
}

/* what: "read", "write", ... */
static thirl_error explain_errno(const keyfile *k, const char *what, const char *path, int err) {
  switch (err) {
  case EEXIST:
    return explain(k, THIRL_E_INVALID,
                   "cannot %s %s: it is a link that leads nowhere; remove it, or choose another file", what, path);
  case ENOTDIR:
    return explain(k, THIRL_E_NOT_FOUND, "cannot %s %s: a part of its path is not a directory; choose another file",
                   what, path);
  case ENOENT:
    return explain(k, THIRL_E_NOT_FOUND, "cannot %s %s: there is no such directory; make it, or choose another file",
                   what, path);
  case EACCES:
  case EPERM:
    return explain(k, THIRL_E_PERMISSION, "cannot %s %s: permission denied; run as its owner, or choose another file",
                   what, path);
  case EROFS:
    return explain(k, THIRL_E_PERMISSION, "cannot %s %s: the file system is read-only; choose another file", what,
                   path);
  case ENOSPC:
  case EDQUOT:
    return explain(k, THIRL_E_IO, "cannot %s %s: no space is left on the disk; free some, or choose another file", what,
                   path);
  case ENAMETOOLONG:
    return explain(k, THIRL_E_SPACE, "cannot %s %s: the path is too long", what, path);
  case ENOMEM:
    return explain(k, THIRL_E_NOMEM, "cannot %s %s: out of memory", what, path);
  default:
    return explain(k, THIRL_E_IO, "cannot %s %s: %s", what, path, strerror(err));
  }
}

/* ---- which file ---- */

static const char *absolute_env(const char *name) {
  const char *v = getenv(name);
  return v && v[0] == '/' ? v : NULL;
}

static thirl_error choose_path(keyfile *k, const char *given) {
  const char *xdg = absolute_env("XDG_CONFIG_HOME"), *home = absolute_env("HOME");
  int n;
  k->is_default = given == NULL;
  if (given)
    n = snprintf(k->path, sizeof k->path, "%s", given);
  else if (xdg)
    n = snprintf(k->path, sizeof k->path, "%s/thirl/key.pem", xdg);
  else if (home)
    n = snprintf(k->path, sizeof k->path, "%s/.config/thirl/key.pem", home);
  else
    return explain(k, THIRL_E_NOT_FOUND,
                   "nowhere to keep the key: neither HOME nor XDG_CONFIG_HOME is set; name the file");
  if (n == 0) return explain(k, THIRL_E_INVALID, "the name of the key file is empty");
  if (n < 0 || (size_t)n >= sizeof k->path) return explain(k, THIRL_E_SPACE, "the path of the key file is too long");
  return THIRL_OK;
}

/* ---- reading ---- */

static thirl_error check_file(const keyfile *k, const struct stat *st) {
  if (!S_ISREG(st->st_mode))
    return explain(k, THIRL_E_INVALID, "%s is not a regular file; a key file was expected", k->path);
  if (st->st_mode & 077)
    return explain(k, THIRL_E_PERMISSION, "%s may be read by others (mode %04o): run  chmod 600 %s  or make a new key",
                   k->path, st->st_mode & 07777u, k->path);
  return THIRL_OK;
}

static thirl_error parse(const keyfile *k, thirl_bytes pem, thirl_secure_identity **out) {
  if (pem.n == 0) return explain(k, THIRL_E_SYNTAX, "%s is empty; remove it, and a new key is made", k->path);
  thirl_error e = thirl_secure_identity_from_pem(pem, out);
  if (e == THIRL_E_SYNTAX)
    return explain(k, e, "%s holds no unencrypted P-256 private key in PEM form; choose another file", k->path);
  return e == THIRL_OK ? e : explain(k, e, "cannot use the key in %s: %s", k->path, thirl_error_text(e));
}

static thirl_error read_key(const keyfile *k, int fd, thirl_secure_identity **out) {
  uint8_t pem[THIRL_SECURE_IDENTITY_PEM_MAX + 1]; /* one more, so that a longer file is seen as such */
  struct stat st;
  size_t n = 0;
  if (fstat(fd, &st) != 0) return explain_errno(k, "read", k->path, errno);
  thirl_error e = check_file(k, &st);
  if (e != THIRL_OK) return e;
  while (n < sizeof pem) {
    ssize_t got = read(fd, pem + n, sizeof pem - n);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) e = explain_errno(k, "read", k->path, errno);
    if (got <= 0) break;
    n += (size_t)got;
  }
  if (e == THIRL_OK) e = parse(k, THIRL_BYTES(pem, n), out);
  thirl_bytes_wipe(pem, sizeof pem);
  return e;
}

/* *missing: there is no file of this name, the only failure that a new key mends. */
static thirl_error open_and_read(const keyfile *k, thirl_secure_identity **out, bool *missing) {
  /* O_NONBLOCK: a FIFO in the file's place must not hang us */
  int fd = open(k->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  *missing = fd < 0 && errno == ENOENT;
  if (*missing) return explain(k, THIRL_E_NOT_FOUND, "there is no key file %s", k->path);
  if (fd < 0) return explain_errno(k, "read", k->path, errno);
  thirl_error e = read_key(k, fd, out);
  (void)close(fd);
  return e;
}

/* ---- writing ---- */

/* Every directory above the file, 0700. Those that exist stay as they are. */
static thirl_error make_directories(const keyfile *k) {
  char dir[PATH_CAP];
  memcpy(dir, k->path, sizeof dir);
  for (char *slash = strchr(dir + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
      int err = errno;
      struct stat st;
      if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode)) return explain_errno(k, "make the directory", dir, err);
    }
    *slash = '/';
  }
  return THIRL_OK;
}

static int write_all(int fd, const char *text, size_t n) {
  while (n) {
    ssize_t put = write(fd, text, n);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return -1;
    text += put;
    n -= (size_t)put;
  }
  return 0;
}

/* So that the name survives a crash too. Some file systems cannot; the key is written all the same. */
static void sync_directory(const keyfile *k) {
  char dir[PATH_CAP];
  memcpy(dir, k->path, sizeof dir);
  char *slash = strrchr(dir, '/');
  if (slash) slash[slash == dir ? 1 : 0] = '\0';
  int fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)fsync(fd);
  (void)close(fd);
}

/*
 * Give the finished file its name, unless somebody was faster: EEXIST. link, then, where it is not known (FAT, some
 * of FUSE), a rename.
 */
static int publish(const char *temp, const char *path) {
  if (link(temp, path) == 0) {
    (void)unlink(temp);
    return 0;
  }
  if (errno == EEXIST) return -1;
  return renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE);
}

static thirl_error write_temp(const keyfile *k, int fd, const thirl_secure_identity *id) {
  char pem[THIRL_SECURE_IDENTITY_PEM_CAP];
  size_t n;
  thirl_error e = thirl_secure_identity_to_pem(id, pem, sizeof pem, &n);
  if (e != THIRL_OK) return explain(k, e, "cannot make a key: %s", thirl_error_text(e));
  if (fchmod(fd, 0600) != 0 || write_all(fd, pem, n) != 0 || fsync(fd) != 0)
    e = explain_errno(k, "write", k->path, errno);
  thirl_bytes_wipe(pem, sizeof pem);
  return e;
}

/* *taken: somebody else has written the file meanwhile, which is to be read then. */
static thirl_error write_key(const keyfile *k, const thirl_secure_identity *id, bool *taken) {
  char temp[TEMP_CAP];
  *taken = false;
  (void)snprintf(temp, sizeof temp, "%s.new-XXXXXX", k->path);
  int fd = mkostemp(temp, O_CLOEXEC); /* O_EXCL, 0600 */
  if (fd < 0) return explain_errno(k, "write", k->path, errno);
  thirl_error e = write_temp(k, fd, id);
  if (close(fd) != 0 && e == THIRL_OK) e = explain_errno(k, "write", k->path, errno);
  if (e == THIRL_OK && publish(temp, k->path) != 0) {
    *taken = errno == EEXIST;
    e = explain_errno(k, "write", k->path, errno);
  }
  if (e == THIRL_OK)
    sync_directory(k);
  else
    (void)unlink(temp);
  return e;
}

static thirl_error make_key(const keyfile *k, thirl_secure_identity **out, bool *taken) {
  thirl_secure_identity *id;
  *taken = false;
  thirl_error e = k->is_default ? make_directories(k) : THIRL_OK;
  if (e != THIRL_OK) return e;
  e = thirl_secure_identity_generate(&id);
  if (e != THIRL_OK) return explain(k, e, "cannot make a key: %s", thirl_error_text(e));
  e = write_key(k, id, taken);
  if (e == THIRL_OK)
    *out = id;
  else
    thirl_secure_identity_free(id);
  return e;
}

thirl_error thirl_io_keyfile_load(const char *path, bool create, thirl_secure_identity **out, char *path_out,
                                  size_t path_cap, char *why, size_t why_cap) {
  keyfile k = {.why = why, .why_cap = why_cap};
  bool missing = false, taken = true;
  *out = NULL;
  if (path_cap) path_out[0] = '\0';
  if (why_cap) why[0] = '\0';
  thirl_error e = choose_path(&k, path);
  if (e != THIRL_OK) return e;
  if (path_cap && (size_t)snprintf(path_out, path_cap, "%s", k.path) >= path_cap)
    return explain(&k, THIRL_E_SPACE, "the path of the key file is too long");
  for (int i = 0; i < TRIES && taken; i++) { /* more than twice only when the file is removed as fast as it is made */
    taken = false;
    e = open_and_read(&k, out, &missing);
    if (missing && create) e = make_key(&k, out, &taken);
  }
  if (e == THIRL_OK && why_cap) why[0] = '\0';
  return e;
}
