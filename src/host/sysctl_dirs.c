/* SPDX-License-Identifier: MIT */
#include "host/sysctl_dirs.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

typedef struct folder {
  const char *path;
  thirl_tune_place place;
} folder;

static const folder folders[] = {
    {"/etc/sysctl.d", THIRL_TUNE_PLACE_ETC},
    {"/run/sysctl.d", THIRL_TUNE_PLACE_RUN},
    {"/usr/local/lib/sysctl.d", THIRL_TUNE_PLACE_LOCAL},
    {"/usr/lib/sysctl.d", THIRL_TUNE_PLACE_LIB},
    {"/lib/sysctl.d", THIRL_TUNE_PLACE_LIB},
    {"/etc/security/limits.d", THIRL_TUNE_PLACE_PAM},
};
static const folder singles[] = {
    {"/etc/sysctl.conf", THIRL_TUNE_PLACE_CONF},
    {"/etc/security/limits.conf", THIRL_TUNE_PLACE_PAM},
};

enum { N_FOLDERS = sizeof folders / sizeof *folders, N_SINGLES = sizeof singles / sizeof *singles };

/* The whole of an ordinary file; false: none, too long, or not readable. An absent file is no failure of the caller's. */
static bool slurp(const char *path, thirl_bytes *out, struct stat *st) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  uint8_t *p = NULL;
  size_t n = 0;
  if (fd < 0) return false;
  bool good = fstat(fd, st) == 0 && (S_ISREG(st->st_mode) || S_ISCHR(st->st_mode)) &&
              (p = malloc(THIRL_HOST_SYSCTL_FILE_MAX + 1)) != NULL;
  while (good && S_ISREG(st->st_mode) && n <= THIRL_HOST_SYSCTL_FILE_MAX) { /* /dev/null hides a file, and is empty */
    ssize_t r = read(fd, p + n, THIRL_HOST_SYSCTL_FILE_MAX + 1 - n);
    good = r >= 0;
    if (r <= 0) break;
    n += (size_t)r;
  }
  close(fd);
  if (!good || n > THIRL_HOST_SYSCTL_FILE_MAX) {
    free(p);
    return false;
  }
  uint8_t *fits = realloc(p, n ? n : 1);
  *out = THIRL_BYTES(fits ? fits : p, n);
  return true;
}

static bool same_file(const char *path, const struct stat *st) {
  struct stat other;
  return stat(path, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

static thirl_error add(thirl_host_sysctl_dirs *d, const char *root, const char *shown, thirl_tune_place place) {
  char path[PATH_MAX], conf[PATH_MAX];
  struct stat st;
  thirl_bytes text = {0};
  if (snprintf(path, sizeof path, "%s%s", root, shown) >= (int)sizeof path || d->n == THIRL_TUNE_FILES_MAX ||
      !slurp(path, &text, &st)) {
    d->left_out++;
    return THIRL_OK;
  }
  char *copy = strdup(shown);
  if (!copy) {
    free((void *)(uintptr_t)text.p);
    return THIRL_E_NOMEM;
  }
  for (char *c = copy; *c; c++) /* it will be printed */
    if (*c < ' ' || *c > '~') *c = '?';
  snprintf(conf, sizeof conf, "%s/etc/sysctl.conf", root);
  d->files[d->n++] = (thirl_tune_file){.path = copy, .text = text, .place = place, .is_conf = same_file(conf, &st)};
  return THIRL_OK;
}

static int is_conf_name(const struct dirent *e) {
  size_t n = strlen(e->d_name);
  return e->d_name[0] != '.' && n > 5 && strcmp(e->d_name + n - 5, ".conf") == 0;
}

/* /lib is a link to /usr/lib on most systems: what was read there is not read again. */
static bool is_known(const char *root, const folder *f) {
  char path[PATH_MAX], other[PATH_MAX];
  struct stat st;
  snprintf(path, sizeof path, "%s%s", root, f->path);
  if (stat(path, &st) != 0) return false;
  for (const folder *g = folders; g < f; g++) {
    snprintf(other, sizeof other, "%s%s", root, g->path);
    if (same_file(other, &st)) return true;
  }
  return false;
}

static thirl_error add_folder(thirl_host_sysctl_dirs *d, const char *root, const folder *f) {
  char path[PATH_MAX], shown[PATH_MAX];
  struct dirent **names = NULL;
  thirl_error e = THIRL_OK;
  if (snprintf(path, sizeof path, "%s%s", root, f->path) >= (int)sizeof path) return THIRL_OK;
  int n = scandir(path, &names, is_conf_name, alphasort);
  for (int i = 0; i < n; i++) {
    if (e == THIRL_OK && snprintf(shown, sizeof shown, "%s/%s", f->path, names[i]->d_name) < (int)sizeof shown)
      e = add(d, root, shown, f->place);
    free(names[i]);
  }
  free(names);
  return e;
}

thirl_error thirl_host_sysctl_dirs_read(const char *root, thirl_host_sysctl_dirs *out) {
  char path[PATH_MAX];
  thirl_error e = THIRL_OK;
  *out = (thirl_host_sysctl_dirs){0};
  for (int i = 0; i < N_FOLDERS && e == THIRL_OK; i++)
    if (!is_known(root, &folders[i])) e = add_folder(out, root, &folders[i]);
  for (int i = 0; i < N_SINGLES && e == THIRL_OK; i++) {
    snprintf(path, sizeof path, "%s%s", root, singles[i].path);
    if (access(path, F_OK) == 0) e = add(out, root, singles[i].path, singles[i].place);
  }
  if (e != THIRL_OK) thirl_host_sysctl_dirs_fini(out);
  return e;
}

void thirl_host_sysctl_dirs_fini(thirl_host_sysctl_dirs *d) {
  for (unsigned i = 0; i < d->n; i++) {
    free((void *)(uintptr_t)d->files[i].path);
    free((void *)(uintptr_t)d->files[i].text.p);
  }
  *d = (thirl_host_sysctl_dirs){0};
}
