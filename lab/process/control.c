/* SPDX-License-Identifier: MIT */
#include "lab/process/control.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

enum { BACKLOG = 16, ANSWER_S = 20 };

static int make_socket(const char *path, int flags, struct sockaddr_un *address, int *out) {
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  *out = -1;
  if (strlen(path) >= sizeof address->sun_path) return ENAMETOOLONG;
  memcpy(address->sun_path, path, strlen(path));
  *out = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);
  return *out < 0 ? errno : 0;
}

static int give_up(int *fd) {
  int error = errno;
  close(*fd);
  *fd = -1;
  return error;
}

int thirl_lab_control_listen(const char *path, int *out) {
  struct sockaddr_un address;
  int error = make_socket(path, SOCK_NONBLOCK, &address, out);
  if (error) return error;
  unlink(path);
  mode_t mask = umask(077);
  int bad = bind(*out, (struct sockaddr *)&address, sizeof address);
  umask(mask);
  if (bad < 0 || listen(*out, BACKLOG) < 0) return give_up(out);
  return 0;
}

int thirl_lab_control_connect(const char *path, int *out) {
  struct sockaddr_un address;
  int error = make_socket(path, 0, &address, out);
  if (error) return error;
  if (connect(*out, (struct sockaddr *)&address, sizeof address) < 0) return give_up(out);
  return 0;
}

typedef union fd_space {
  struct cmsghdr head;
  char bytes[CMSG_SPACE(THIRL_LAB_CONTROL_FDS_MAX * sizeof(int))];
} fd_space;

bool thirl_lab_control_send(int fd, char kind, const char *text, size_t len, const int *fds, size_t n_fds) {
  fd_space space;
  struct iovec parts[2] = {{&kind, 1}, {(void *)(uintptr_t)text, len}};
  struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2};
  int some[THIRL_LAB_CONTROL_FDS_MAX];
  size_t n = 0;
  for (size_t i = 0; i < n_fds && n < THIRL_LAB_CONTROL_FDS_MAX; i++)
    if (fds[i] >= 0) some[n++] = fds[i];
  if (n > 0) {
    memset(&space, 0, sizeof space);
    m.msg_control = &space;
    m.msg_controllen = CMSG_SPACE(n * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(n * sizeof(int));
    memcpy(CMSG_DATA(c), some, n * sizeof(int));
  }
  ssize_t sent;
  do
    sent = sendmsg(fd, &m, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

static void take_fds(struct msghdr *m, thirl_lab_control_packet *out) {
  size_t n = 0;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      if (n < THIRL_LAB_CONTROL_FDS_MAX)
        out->fds[n++] = fd;
      else
        close(fd);
    }
  }
}

thirl_error thirl_lab_control_receive(int fd, thirl_lab_control_packet *out) {
  fd_space space;
  struct iovec parts[2] = {{&out->kind, 1}, {out->text, sizeof out->text - 1}};
  struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2, .msg_control = &space, .msg_controllen = sizeof space};
  for (size_t i = 0; i < THIRL_LAB_CONTROL_FDS_MAX; i++)
    out->fds[i] = -1;
  out->len = 0;
  out->text[0] = '\0';
  ssize_t n;
  do
    n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return THIRL_E_AGAIN;
  if (n < 0) return errno == ECONNRESET ? THIRL_E_EOF : THIRL_E_IO;
  if (n == 0) return THIRL_E_EOF;
  take_fds(&m, out);
  out->len = (size_t)n - 1;
  out->text[out->len] = '\0';
  return m.msg_flags & MSG_TRUNC ? THIRL_E_IO : THIRL_OK;
}

static bool write_all(int to, const char *text, size_t len) {
  while (len > 0) {
    ssize_t n = write(to, text, len);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text += n;
    len -= (size_t)n;
  }
  return true;
}

thirl_error thirl_lab_control_ask(const char *path, const char *request, int fd, int to,
                                  thirl_lab_control_packet *out) {
  int conn;
  int error = thirl_lab_control_connect(path, &conn);
  if (error == EACCES || error == EPERM) return THIRL_E_PERMISSION;
  if (error) return THIRL_E_NOT_FOUND;
  struct timeval limit = {.tv_sec = ANSWER_S};
  setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  thirl_error e = THIRL_OK;
  if (strlen(request) >= THIRL_LAB_CONTROL_PACKET_MAX) e = THIRL_E_LIMIT;
  if (e == THIRL_OK && !thirl_lab_control_send(conn, THIRL_LAB_CONTROL_REQUEST, request, strlen(request), &fd, 1))
    e = THIRL_E_NOT_FOUND;
  while (e == THIRL_OK && (e = thirl_lab_control_receive(conn, out)) == THIRL_OK) {
    if (out->kind != THIRL_LAB_CONTROL_TEXT) break;
    if (to >= 0 && !write_all(to, out->text, out->len)) e = THIRL_E_IO;
  }
  close(conn);
  if (e == THIRL_E_EOF) return THIRL_E_NOT_FOUND;
  if (e == THIRL_E_AGAIN) return THIRL_E_TIMEOUT;
  if (e != THIRL_OK) return e;
  return out->kind == THIRL_LAB_CONTROL_DONE ? THIRL_OK : THIRL_E_INVALID;
}
