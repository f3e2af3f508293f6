/* SPDX-License-Identifier: MIT */
#include "io/socket.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

socklen_t thirl_io_socket_to_sys(const thirl_addr *a, thirl_io_sockaddr *out) {
  memset(out, 0, sizeof *out);
  if (a->family == THIRL_FAMILY_V4) {
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(a->port);
    memcpy(&out->v4.sin_addr, a->ip, 4);
    return sizeof out->v4;
  }
  if (a->family == THIRL_FAMILY_V6) {
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(a->port);
    memcpy(&out->v6.sin6_addr, a->ip, 16);
    return sizeof out->v6;
  }
  return 0;
}

thirl_addr thirl_io_socket_from_sys(const thirl_io_sockaddr *a) {
  thirl_addr out = {0};
  if (a->any.sa_family == AF_INET) {
    out.family = THIRL_FAMILY_V4;
    out.port = ntohs(a->v4.sin_port);
    memcpy(out.ip, &a->v4.sin_addr, 4);
  } else if (a->any.sa_family == AF_INET6) {
    out.family = THIRL_FAMILY_V6;
    out.port = ntohs(a->v6.sin6_port);
    memcpy(out.ip, &a->v6.sin6_addr, 16);
  }
  return out;
}

thirl_error thirl_io_socket_error(int err) {
  switch (err) {
  case 0:
    return THIRL_OK;
  case ECONNREFUSED:
    return THIRL_E_REFUSED;
  case EHOSTUNREACH:
  case ENETUNREACH:
  case ENETDOWN:
  case EHOSTDOWN:
  case EAFNOSUPPORT:
  case EINVAL:
    return THIRL_E_UNREACHABLE;
  case ETIMEDOUT:
    return THIRL_E_TIMEOUT;
  case ECONNRESET:
  case EPIPE:
  case ECONNABORTED:
  case ENOTCONN:
    return THIRL_E_RESET;
  case EADDRINUSE:
  case EADDRNOTAVAIL:
    return THIRL_E_IN_USE;
  case EMFILE:
  case ENFILE:
  case ENOBUFS:
  case ENOMEM:
    return THIRL_E_LIMIT;
  case EACCES:
  case EPERM:
    return THIRL_E_PERMISSION;
  default:
    return THIRL_E_IO;
  }
}

static void set_int(int fd, int level, int name, int value) {
  (void)setsockopt(fd, level, name, &value, sizeof value); /* what is not supported here is not needed here */
}

static int family_of(const thirl_addr *a) {
  return a->family == THIRL_FAMILY_V6 ? AF_INET6 : AF_INET;
}

static void set_buffers(int fd, const thirl_io_socket_options *o) {
  if (o->sndbuf) set_int(fd, SOL_SOCKET, SO_SNDBUF, o->sndbuf);
  if (o->rcvbuf) set_int(fd, SOL_SOCKET, SO_RCVBUF, o->rcvbuf);
}

/* NODELAY, NOTSENT_LOWAT and the buffers of a listener are inherited by what it accepts. */
static int open_tcp(int family, const thirl_io_socket_options *o) {
  int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (family == AF_INET6) set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (o->notsent_lowat) set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, o->notsent_lowat);
  set_buffers(fd, o);
  return fd;
}

static thirl_error fail(int fd, int err, int *out) {
  if (fd >= 0) close(fd);
  *out = -1;
  return thirl_io_socket_error(err);
}

static int bind_to(int fd, const thirl_addr *local) {
  thirl_io_sockaddr sa;
  socklen_t len = thirl_io_socket_to_sys(local, &sa);
  if (bind(fd, &sa.any, len) == 0) return 0;
  return errno == EADDRNOTAVAIL ? EHOSTUNREACH : errno;
}

thirl_error thirl_io_socket_connect(const thirl_addr *local, const thirl_addr *remote, const thirl_io_socket_options *o,
                                    int *out) {
  thirl_io_sockaddr to;
  socklen_t to_len = thirl_io_socket_to_sys(remote, &to);
  bool has_ip = thirl_addr_is_set(local) && !thirl_addr_is_any(local);
  bool has_local = local->port || has_ip;
  if (to_len == 0) return fail(-1, EAFNOSUPPORT, out);
  int fd = open_tcp(to.any.sa_family, o);
  if (fd < 0) return fail(-1, errno, out);
  if (has_local) {
    thirl_addr from = *local;
    if (!thirl_addr_is_set(&from)) from.family = remote->family;
    if (!from.port) set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1); /* let connect() choose: any free four-tuple */
    int err = bind_to(fd, &from);
    if (err) return fail(fd, err, out);
  }
  int rc;
  do {
    rc = connect(fd, &to.any, to_len);
  } while (rc < 0 && errno == EINTR);
  if (rc < 0 && errno != EINPROGRESS) return fail(fd, errno == EPERM || errno == EACCES ? EHOSTUNREACH : errno, out);
  *out = fd;
  return THIRL_OK;
}

thirl_error thirl_io_socket_listen(const thirl_addr *local, const thirl_io_socket_options *o, int *out) {
  int fd = open_tcp(family_of(local), o);
  if (fd < 0) return fail(-1, errno, out);
  int err = bind_to(fd, local);
  if (err) return fail(fd, err, out);
  if (listen(fd, o->backlog > 0 ? o->backlog : SOMAXCONN) < 0) return fail(fd, errno, out);
  *out = fd;
  return THIRL_OK;
}

thirl_error thirl_io_socket_udp(const thirl_addr *local, const thirl_io_socket_options *o, int *out) {
  int family = family_of(local);
  int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(-1, errno, out);
  if (family == AF_INET6) {
    set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  } else {
    set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
  }
  set_buffers(fd, o);
  int err = bind_to(fd, local);
  if (err) return fail(fd, err, out);
  *out = fd;
  return THIRL_OK;
}

thirl_error thirl_io_socket_result(int fd) {
  int err = 0;
  socklen_t len = sizeof err;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0) err = errno;
  return thirl_io_socket_error(err);
}

thirl_addr thirl_io_socket_local(int fd) {
  thirl_io_sockaddr sa = {0};
  socklen_t len = sizeof sa;
  if (getsockname(fd, &sa.any, &len) < 0) return (thirl_addr){0};
  return thirl_io_socket_from_sys(&sa);
}

thirl_addr thirl_io_socket_remote(int fd) {
  thirl_io_sockaddr sa = {0};
  socklen_t len = sizeof sa;
  if (getpeername(fd, &sa.any, &len) < 0) return (thirl_addr){0};
  return thirl_io_socket_from_sys(&sa);
}

void thirl_io_socket_abort(int fd) {
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
}
