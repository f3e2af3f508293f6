/* SPDX-License-Identifier: MIT */
#include "parcel_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exit.h"
#include "parcel_files.h"
#include "status.h"

enum {
  FOLDER_MAX = THIRL_PARCEL_ENTRIES_MAX + 1, /* names in one folder: one too many is noticed */
  LINES_MAX = 20                             /* about what is left out */
};

struct parcel_origin {
  char *folder; /* where the first part of its name is; owned by the first entry of a word */
  bool owns, is_word;
  dev_t dev;
  ino_t ino;
};

static int complain(const char *path, const char *what) {
  char text[THIRL_PARCEL_SHOWN_MAX], sentence[THIRL_PARCEL_SHOWN_MAX + 160];
  thirl_parcel_name_clean(THIRL_BYTES(path, strlen(path)), text);
  snprintf(sentence, sizeof sentence, "%s: %s", text, what);
  status_error(THIRL_E_INVALID, sentence);
  return EXIT_GENERIC;
}

static void leave_out(const char *name, const char *why) {
  static unsigned lines;
  char text[THIRL_PARCEL_SHOWN_MAX];
  if (lines++ == LINES_MAX) status_note("left-out", "left out: more, of which there is no line");
  if (lines > LINES_MAX) return;
  status_note("left-out", "left out: %s: %s", thirl_parcel_name_clean(THIRL_BYTES(name, strlen(name)), text), why);
}

/* Left out by no choice of anybody's. */
static int miss(parcel_list *l, const char *name, int error) {
  l->missing++;
  leave_out(name, strerror(error));
  return EXIT_OK;
}

static int add(parcel_list *l, const char *name, const struct stat *st, const parcel_origin *from) {
  thirl_parcel_entry e = {.kind = S_ISDIR(st->st_mode) ? THIRL_PARCEL_FOLDER : THIRL_PARCEL_FILE,
                          .mode = (uint8_t)((st->st_mode & 0700) >> 6),
                          .modified_s = st->st_mtim.tv_sec,
                          .modified_ns = (uint32_t)st->st_mtim.tv_nsec,
                          .size = S_ISDIR(st->st_mode) ? 0 : (uint64_t)st->st_size,
                          .name = THIRL_BYTES(name, strlen(name))};
  if (!thirl_parcel_name_is_safe(e.name))
    return complain(name, "this name is too long, too deep, or of an unfinished transfer");
  if (l->offer.n == l->cap) {
    size_t cap = l->cap ? 2 * l->cap : 64;
    parcel_origin *more = realloc(l->origins, cap * sizeof *more);
    if (!more) return complain(name, thirl_error_text(THIRL_E_NOMEM));
    l->origins = more;
    l->cap = cap;
  }
  parcel_origin *o = &l->origins[l->offer.n];
  thirl_error err = thirl_parcel_offer_add(&l->offer, &e);
  if (err == THIRL_E_LIMIT)
    return complain(name, "too many: 100000 files and folders are the most; send an archive instead");
  if (err != THIRL_OK) return complain(name, thirl_error_text(err));
  *o = *from;
  o->dev = st->st_dev;
  o->ino = st->st_ino;
  return EXIT_OK;
}

/* ---- folders ---- */

typedef struct names {
  char **at;
  size_t n, cap;
} names;

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(names *all) {
  for (size_t i = 0; i < all->n; i++)
    free(all->at[i]);
  free(all->at);
}

static bool keep_name(names *all, const char *name) {
  if (all->n == all->cap) {
    size_t cap = all->cap ? 2 * all->cap : 64;
    char **more = realloc(all->at, cap * sizeof *more);
    if (!more) return false;
    all->at = more;
    all->cap = cap;
  }
  all->at[all->n] = strdup(name);
  return all->at[all->n] && ++all->n;
}

/* Sorted, so that the same folder is the same offer. Takes fd over. 0, or errno: then what was read is not all. */
static int read_folder(int fd, names *out) {
  DIR *d = fdopendir(fd);
  int error = d ? 0 : errno;
  if (!d) close(fd);
  while (!error && out->n < FOLDER_MAX) {
    errno = 0;
    const struct dirent *e = readdir(d);
    error = e ? 0 : errno;
    if (!e) break;
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
    if (!keep_name(out, e->d_name)) error = ENOMEM;
  }
  if (d) closedir(d);
  if (out->n > 0) qsort(out->at, out->n, sizeof *out->at, by_name);
  return error;
}

static int walk(parcel_list *l, int fd, const char *name, const parcel_origin *from);

static int add_inner(parcel_list *l, int folder, const char *last, const char *name, const parcel_origin *from) {
  struct stat st;
  if (thirl_parcel_name_is_part(THIRL_BYTES(last, strlen(last)))) {
    leave_out(name, "an unfinished transfer");
    return EXIT_OK;
  }
  if (fstatat(folder, last, &st, AT_SYMLINK_NOFOLLOW) != 0) return miss(l, name, errno);
  if (S_ISREG(st.st_mode)) {
    if (faccessat(folder, last, R_OK, AT_EACCESS) == 0) return add(l, name, &st, from);
    return miss(l, name, errno);
  }
  if (!S_ISDIR(st.st_mode)) {
    leave_out(name, S_ISLNK(st.st_mode) ? "symbolic links are not sent" : "neither a file nor a folder");
    return EXIT_OK;
  }
  int fd = openat(folder, last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return miss(l, name, errno);
  int bad = add(l, name, &st, from);
  if (bad) {
    close(fd);
    return bad;
  }
  return walk(l, fd, name, from);
}

/* Takes fd over. The depth is bounded by what a safe name has. */
static int walk(parcel_list *l, int fd, const char *name, const parcel_origin *from) {
  names all = {NULL, 0, 0};
  int bad = EXIT_OK, folder = fcntl(fd, F_DUPFD_CLOEXEC, 3), error = folder < 0 ? errno : 0;
  if (error)
    close(fd);
  else
    error = read_folder(fd, &all);
  if (error == ENOMEM) bad = complain(name, thirl_error_text(THIRL_E_NOMEM));
  if (error && !bad) (void)miss(l, name, error); /* or a part of it */
  for (size_t i = 0; bad == EXIT_OK && i < all.n; i++) {
    char inner[THIRL_PARCEL_NAME_MAX + 2];
    int n = snprintf(inner, sizeof inner, "%s/%s", name, all.at[i]);
    bad =
        n < (int)sizeof inner ? add_inner(l, folder, all.at[i], inner, from) : complain(name, "this name is too long");
  }
  free_names(&all);
  if (folder >= 0) close(folder);
  return bad;
}

/* ---- words ---- */

/* The word as a folder and a name in it. */
static bool split(const char *path, char **folder, char name[NAME_MAX + 1]) {
  char real[PATH_MAX], copy[PATH_MAX];
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/')
    n--;
  if (n >= sizeof real) return false;
  memcpy(real, path, n);
  real[n] = '\0';
  snprintf(copy, sizeof copy, "%s", real);
  const char *last = basename(copy);
  if (strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
    if (!realpath(path, real)) return false;
    snprintf(copy, sizeof copy, "%s", real);
    last = basename(copy);
  }
  if (strlen(last) > NAME_MAX || strchr(last, '/')) return false;
  strcpy(name, last);
  *folder = strdup(dirname(real));
  return *folder != NULL;
}

static int add_word(parcel_list *l, const char *path, const char *name, const parcel_origin *from) {
  struct stat st;
  if (stat(path, &st) != 0) return complain(path, strerror(errno));
  if (S_ISREG(st.st_mode)) {
    if (access(path, R_OK) != 0) return complain(path, strerror(errno));
    return add(l, name, &st, from);
  }
  if (!S_ISDIR(st.st_mode)) return complain(path, "neither a file nor a folder; only those are sent");
  if (!l->recursive) return complain(path, "this is a folder; -r sends it with all that is in it");
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return complain(path, strerror(errno));
  int bad = add(l, name, &st, from);
  if (bad) {
    close(fd);
    return bad;
  }
  return walk(l, fd, name, from);
}

int parcel_list_add(parcel_list *l, const char *path) {
  char name[NAME_MAX + 1];
  parcel_origin from = {.is_word = true};
  uint32_t first = l->offer.n;
  if (!split(path, &from.folder, name)) return complain(path, "no file or folder that has a name");
  int bad = add_word(l, path, name, &from);
  if (l->offer.n > first)
    l->origins[first].owns = true;
  else
    free(from.folder);
  for (uint32_t i = first + 1; i < l->offer.n; i++)
    l->origins[i].is_word = false;
  return bad;
}

int parcel_list_check(const parcel_list *l) {
  bool has_twin;
  uint32_t index;
  char name[THIRL_PARCEL_SHOWN_MAX];
  if (l->offer.n == 0) {
    status_error(THIRL_E_INVALID, "nothing to send: say which files");
    return EXIT_USAGE;
  }
  if (thirl_parcel_offer_find_twin(&l->offer, &has_twin, &index) != THIRL_OK) return EXIT_GENERIC;
  if (!has_twin) return EXIT_OK;
  thirl_parcel_name_clean(thirl_parcel_offer_get(&l->offer, index).name, name);
  (void)complain(name, "two of what is to be sent would have this name at the receiver; send them one by one");
  return EXIT_USAGE;
}

/* ---- reading ---- */

thirl_parcel_reason parcel_list_check_file(const parcel_list *l, uint32_t index, int fd) {
  const parcel_origin *o = &l->origins[index];
  thirl_parcel_entry e = thirl_parcel_offer_get(&l->offer, index);
  struct stat st;
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return THIRL_PARCEL_UNREADABLE;
  bool same = st.st_dev == o->dev && st.st_ino == o->ino && (uint64_t)st.st_size == e.size &&
              st.st_mtim.tv_sec == e.modified_s && st.st_mtim.tv_nsec == (long)e.modified_ns;
  return same ? THIRL_PARCEL_OK : THIRL_PARCEL_CHANGED;
}

thirl_parcel_reason parcel_list_open(const parcel_list *l, uint32_t index, int *fd) {
  const parcel_origin *o = &l->origins[index];
  thirl_bytes name = thirl_parcel_offer_get(&l->offer, index).name, last = thirl_parcel_name_last(name);
  char text[THIRL_PARCEL_PART_MAX + 1];
  int at, root = open(o->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  *fd = -1;
  if (root < 0) return THIRL_PARCEL_UNREADABLE;
  /* A word may itself be a link, and the first part of what is in it too: the person has named it. Behind it none is followed. */
  const uint8_t *slash = memchr(name.p, '/', name.n);
  if (slash) {
    memcpy(text, name.p, (size_t)(slash - name.p));
    text[slash - name.p] = '\0';
    int inner = openat(root, text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(root);
    if (inner < 0) return THIRL_PARCEL_UNREADABLE;
    root = inner;
    name = THIRL_BYTES(slash + 1, name.n - (size_t)(slash + 1 - name.p));
  }
  thirl_parcel_reason r = parcel_files_enter(root, name, false, &at);
  close(root);
  if (r != THIRL_PARCEL_OK) return THIRL_PARCEL_UNREADABLE;
  memcpy(text, last.p, last.n);
  text[last.n] = '\0';
  if (!o->is_word) flags |= O_NOFOLLOW;
  *fd = openat(at, text, flags);
  close(at);
  if (*fd < 0) return THIRL_PARCEL_UNREADABLE;
  r = parcel_list_check_file(l, index, *fd);
  if (r == THIRL_PARCEL_OK) return r;
  close(*fd);
  *fd = -1;
  return r;
}

void parcel_list_fini(parcel_list *l) {
  for (uint32_t i = 0; i < l->offer.n; i++)
    if (l->origins[i].owns) free(l->origins[i].folder);
  free(l->origins);
  thirl_parcel_offer_fini(&l->offer);
  memset(l, 0, sizeof *l);
}
