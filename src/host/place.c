/* SPDX-License-Identifier: MIT */
#include "host/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

thirl_error thirl_host_place_error(int number) {
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

static bool is_link(int folder, const char *name) {
  struct stat st;
  return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

/* One folder further; the one that we were in is closed. */
static thirl_error step(int *folder, const char *name) {
  int next = openat(*folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  thirl_error e = THIRL_OK;
  if (next < 0) e = is_link(*folder, name) ? THIRL_E_UNSUPPORTED : thirl_host_place_error(errno);
  close(*folder);
  *folder = next;
  return e;
}

/* path: without the slash in front, to be cut into its parts. */
static thirl_error walk(const char *root, char *path, int *folder) {
  char *rest = NULL;
  *folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (*folder < 0) return thirl_host_place_error(errno);
  thirl_error e = THIRL_OK;
  for (char *part = strtok_r(path, "/", &rest); part && e == THIRL_OK; part = strtok_r(NULL, "/", &rest))
    e = step(folder, part);
  return e;
}

thirl_error thirl_host_place_open(const char *root, const char *path, thirl_host_place *p) {
  char way[PATH_MAX];
  const char *slash = strrchr(path, '/');
  p->folder = -1;
  if (!slash || strstr(path, "..")) return THIRL_E_INVALID;
  int n = snprintf(way, sizeof way, "%.*s", (int)(slash - path), path);
  int m = snprintf(p->name, sizeof p->name, "%s", slash + 1);
  if (n < 0 || (size_t)n >= sizeof way || m < 0 || (size_t)m >= sizeof p->name) return THIRL_E_LIMIT;
  if (*root) return walk(root, way, &p->folder);
  p->folder = open(*way ? way : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  return p->folder < 0 ? thirl_host_place_error(errno) : THIRL_OK;
}

void thirl_host_place_close(thirl_host_place *p) {
  if (p->folder >= 0) close(p->folder);
  p->folder = -1;
}

bool thirl_host_place_is_link(const thirl_host_place *p) {
  return is_link(p->folder, p->name);
}
