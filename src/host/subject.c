/* SPDX-License-Identifier: MIT */
#include "host/subject.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/file.h"
#include "host/knob.h"
#include "tune/process.h"

enum { PROCESSES_MAX = 1 << 20, FILES_MAX = 1 << 20 };

/* ---- which ---- */

/* "net:[4026531840]"; empty when it cannot be read. */
static void read_namespace(const char *root, const char *who, char *to, size_t size) {
  char path[64], whole[THIRL_HOST_FILE_PATH];
  to[0] = '\0';
  snprintf(path, sizeof path, "proc/%.20s/ns/net", who);
  if (!thirl_host_file_join(root, path, whole)) return;
  ssize_t n = readlink(whole, to, size - 1);
  to[n > 0 ? n : 0] = '\0';
}

static bool is_thirld(const char *root, const char *pid, thirl_host_dump *d) {
  char path[64], ours[64], its[64];
  thirl_tune_text text, word;
  snprintf(path, sizeof path, "proc/%.20s/comm", pid);
  if (thirl_host_file_read(root, path, d, &text) != THIRL_TUNE_WHY_READ) return false;
  if (!thirl_tune_text_word(&text, &word) || !thirl_tune_text_is(word, "thirld")) return false;
  read_namespace(root, "self", ours, sizeof ours);
  read_namespace(root, pid, its, sizeof its);
  return strcmp(ours, its) == 0;
}

int64_t thirl_host_subject_find(const char *root) {
  char path[THIRL_HOST_FILE_PATH];
  thirl_host_dump d;
  int64_t lowest = 0;
  DIR *dir = thirl_host_file_join(root, "proc", path) ? opendir(path) : NULL;
  if (!dir) return 0;
  thirl_host_dump_init(&d);
  struct dirent *e;
  for (int i = 0; i < PROCESSES_MAX && (e = readdir(dir)); i++) {
    int64_t pid;
    if (!thirl_tune_text_decimal(thirl_tune_text_of(e->d_name), &pid) || pid <= 0) continue;
    if ((!lowest || pid < lowest) && is_thirld(root, e->d_name, &d)) lowest = pid;
  }
  closedir(dir);
  thirl_host_dump_fini(&d);
  return lowest;
}

thirl_error thirl_host_subject_enter(int64_t pid) {
  char path[64], number[24], ours[64], its[64];
  snprintf(number, sizeof number, "%" PRId64, pid);
  snprintf(path, sizeof path, "/proc/%" PRId64 "/comm", pid);
  if (access(path, F_OK) != 0) return THIRL_E_NOT_FOUND;
  read_namespace("/", "self", ours, sizeof ours);
  read_namespace("/", number, its, sizeof its);
  if (*its && strcmp(ours, its) == 0) return THIRL_OK;
  snprintf(path, sizeof path, "/proc/%" PRId64 "/ns/net", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? THIRL_E_NOT_FOUND : THIRL_E_PERMISSION;
  int failed = setns(fd, CLONE_NEWNET);
  close(fd);
  return failed ? THIRL_E_PERMISSION : THIRL_OK;
}

/* ---- what it has ---- */

static void read_files(const char *root, const char *who, thirl_host_dump *d, thirl_tune_process *p) {
  char path[THIRL_HOST_FILE_PATH], whole[THIRL_HOST_FILE_PATH], target[64];
  snprintf(path, sizeof path, "proc/%s/fd", who);
  DIR *dir = thirl_host_file_join(root, path, whole) ? opendir(whole) : NULL;
  if (!dir) {
    p->files_open.why = p->inodes_why = thirl_host_file_why(errno);
    return;
  }
  thirl_host_dump_clear(d);
  struct dirent *e;
  for (int i = 0; i < FILES_MAX && (e = readdir(dir)); i++) {
    ssize_t n = e->d_name[0] == '.' ? -1 : readlinkat(dirfd(dir), e->d_name, target, sizeof target);
    if (n > 0) thirl_host_dump_print(d, "%.*s\n", (int)n, target);
  }
  closedir(dir);
  thirl_tune_process_files(p, thirl_host_dump_view(d));
}

void thirl_host_subject_read(const char *root, int64_t pid, thirl_host_dump *d, thirl_tune_facts *f) {
  thirl_tune_process *p = &f->process;
  char who[24] = "self", path[64], namespace[64];
  thirl_tune_text text, front;
  if (pid) snprintf(who, sizeof who, "%" PRId64, pid);
  p->pid = pid;
  p->why = pid ? THIRL_TUNE_WHY_READ : THIRL_TUNE_WHY_NO_SUBJECT;
  snprintf(path, sizeof path, "proc/%s/limits", who);
  p->nofile_soft.why = p->nofile_hard.why = thirl_host_file_read(root, path, d, &text);
  if (p->nofile_soft.why == THIRL_TUNE_WHY_READ) thirl_tune_process_limits(p, text);
  snprintf(path, sizeof path, "proc/%s/status", who);
  p->cap_effective.why = thirl_host_file_read(root, path, d, &text);
  if (p->cap_effective.why == THIRL_TUNE_WHY_READ) thirl_tune_process_status(p, text);
  if (pid && p->cap_effective.why != THIRL_TUNE_WHY_READ) p->why = p->cap_effective.why; /* gone meanwhile */
  snprintf(path, sizeof path, "proc/%s/cgroup", who);
  if (thirl_host_file_read(root, path, d, &text) == THIRL_TUNE_WHY_READ) thirl_tune_process_unit(p, text);
  if (pid) read_files(root, who, d, p);
  read_namespace(root, "self", namespace, sizeof namespace);
  thirl_tune_text inode = thirl_tune_text_of(namespace);
  int64_t number = 0;
  if (thirl_tune_text_cut(&inode, '[', &front) && thirl_tune_text_cut(&inode, ']', &front) &&
      thirl_tune_text_decimal(front, &number))
    f->namespace = (uint64_t)number;
}

void thirl_host_subject_where(const char *root, char out[THIRL_TUNE_WHERE_MAX]) {
  snprintf(out, THIRL_TUNE_WHERE_MAX, "%s", *root ? THIRL_TUNE_WHERE_ROOT : THIRL_TUNE_WHERE_HOST);
  if (*root || !thirl_host_knob_is_child(root)) return;
  read_namespace("/", "self", out, THIRL_TUNE_WHERE_MAX);
  if (!out[0]) snprintf(out, THIRL_TUNE_WHERE_MAX, "net:[unknown]");
}
