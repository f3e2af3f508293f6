/* SPDX-License-Identifier: MIT */
#include "lab/tools/nsock.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/socket.h>

enum { BACKLOG = 512, PATH_LEN = 256 };

static bool enter(const char *namespace) {
  static char here[PATH_LEN];
  char path[PATH_LEN];
  if (strcmp(namespace, here) == 0) return true;
  snprintf(path, sizeof path, "%s%s", strchr(namespace, '/') ? "" : "/run/netns/", namespace);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool good = setns(fd, CLONE_NEWNET) == 0;
  int error = errno;
  close(fd);
  errno = error;
  if (good) snprintf(here, sizeof here, "%s", namespace);
  return good;
}

int thirl_lab_nsock_open(const char *namespace, int type, struct sockaddr_in local) {
  int one = 1;
  if (!enter(namespace)) return -1;
  int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
  if (bind(fd, (const struct sockaddr *)&local, sizeof local) == 0) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

int thirl_lab_nsock_listen(const char *namespace, struct sockaddr_in local) {
  int fd = thirl_lab_nsock_open(namespace, SOCK_STREAM, local);
  if (fd < 0 || listen(fd, BACKLOG) == 0) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

bool thirl_lab_nsock_address(const char *ip, uint16_t port, struct sockaddr_in *out) {
  *out = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
  return inet_pton(AF_INET, ip, &out->sin_addr) == 1;
}

bool thirl_lab_nsock_same(const struct sockaddr_in *a, const struct sockaddr_in *b) {
  return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
}

struct sockaddr_in thirl_lab_nsock_local(int fd) {
  struct sockaddr_in a = {.sin_family = AF_INET};
  socklen_t len = sizeof a;
  getsockname(fd, (struct sockaddr *)&a, &len);
  return a;
}

int thirl_lab_nsock_outcome(int fd) {
  int error = 0;
  socklen_t len = sizeof error;
  struct sockaddr_in a;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0) return errno;
  if (error) return error;
  len = sizeof a;
  return getpeername(fd, (struct sockaddr *)&a, &len) == 0 ? 0 : EINPROGRESS;
}

void thirl_lab_nsock_drop(int fd) {
  struct linger now = {.l_onoff = 1};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
}
