/* SPDX-License-Identifier: MIT */
#include "host/knob.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/place.h"
#include "tune/allow.h"

static bool find_path(const char *root, const char *name, char out[PATH_MAX]) {
  char below[THIRL_TUNE_NAME_MAX];
  return thirl_tune_sysctl_file_path(name, below) && snprintf(out, PATH_MAX, "%s/proc/sys/%s", root, below) < PATH_MAX;
}

static thirl_error error_of(int number) {
  return number == EINVAL || number == ERANGE ? THIRL_E_RANGE : thirl_host_place_error(number);
}

/* Where it is to be written; a link in its place is none below a root of its own. */
static thirl_error open_place(const char *root, const char *name, thirl_host_place *p) {
  char path[PATH_MAX];
  p->folder = -1;
  if (!thirl_tune_allow_find(name) || !find_path("", name, path)) return THIRL_E_INVALID;
  thirl_error e = thirl_host_place_open(root, path, p);
  return e == THIRL_OK && *root && thirl_host_place_is_link(p) ? THIRL_E_UNSUPPORTED : e;
}

/* One line of words, as the kernel writes them. */
static bool fold(const char *text, size_t n, char out[THIRL_TUNE_VALUE_MAX]) {
  size_t m = 0;
  for (size_t i = 0; i < n; i++) {
    char c = text[i] == '\t' || text[i] == '\n' ? ' ' : text[i];
    if (c < ' ' || c > '~') return false;
    if (c == ' ' && (m == 0 || out[m - 1] == ' ')) continue;
    if (m == THIRL_TUNE_VALUE_MAX - 1) return false;
    out[m++] = c;
  }
  while (m && out[m - 1] == ' ')
    m--;
  out[m] = '\0';
  return true;
}

thirl_error thirl_host_knob_read(const char *root, const char *name, char out[THIRL_TUNE_VALUE_MAX]) {
  char path[PATH_MAX], text[2 * THIRL_TUNE_VALUE_MAX];
  out[0] = '\0';
  if (!find_path(root, name, path)) return THIRL_E_INVALID;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return error_of(errno);
  ssize_t n = read(fd, text, sizeof text);
  int number = errno;
  close(fd);
  if (n < 0) return error_of(number);
  return (size_t)n < sizeof text && fold(text, (size_t)n, out) ? THIRL_OK : THIRL_E_LIMIT;
}

static thirl_error write_once(int fd, const char *text, size_t n) {
  if (fd < 0) return error_of(errno);
  ssize_t w = write(fd, text, n); /* in one piece: a setting takes what one call brings */
  int number = errno;
  close(fd);
  if (w < 0) return error_of(number);
  return (size_t)w == n ? THIRL_OK : THIRL_E_IO;
}

thirl_error thirl_host_knob_write(const char *root, const char *name, const char *value) {
  char text[THIRL_TUNE_VALUE_MAX + 1];
  thirl_host_place p;
  int n = snprintf(text, sizeof text, "%s\n", value);
  if (n < 0 || (size_t)n >= sizeof text || strchr(value, '\n')) return THIRL_E_INVALID;
  thirl_error e = open_place(root, name, &p);
  int flags = O_WRONLY | O_TRUNC | O_CLOEXEC | (*root ? O_NOFOLLOW : 0); /* a recorded tree has ordinary files */
  if (e == THIRL_OK) e = write_once(openat(p.folder, p.name, flags), text, (size_t)n);
  thirl_host_place_close(&p);
  return e;
}

thirl_error thirl_host_knob_try(const char *root, const char *name) {
  thirl_host_place p;
  thirl_error e = open_place(root, name, &p);
  if (e == THIRL_OK && faccessat(p.folder, p.name, W_OK, 0) != 0) e = error_of(errno);
  thirl_host_place_close(&p);
  return e;
}

bool thirl_host_knob_is_child(const char *root) {
  char path[PATH_MAX];
  return find_path(root, "net.core.netdev_max_backlog", path) && access(path, F_OK) != 0 && errno == ENOENT;
}
