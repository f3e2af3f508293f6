/* SPDX-License-Identifier: MIT */
#include "io/hops.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <linux/errqueue.h>
#include <netinet/ip_icmp.h>

#include "io/clock.h"
#include "io/socket.h"

static thirl_error open_probe(const thirl_addr *to, int ttl, int *out) {
  int on = 1;
  thirl_io_sockaddr sa;
  socklen_t len = thirl_io_socket_to_sys(to, &sa);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  *out = fd;
  if (fd < 0) return thirl_io_socket_error(errno);
  if (setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl) == 0 &&
      setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on) == 0 && connect(fd, &sa.any, len) == 0)
    return THIRL_OK;
  return thirl_io_socket_error(errno);
}

/* The router that the first error in the queue comes from. */
static bool read_error(int fd, thirl_addr *from) {
  uint8_t payload[64];
  union {
    struct cmsghdr align;
    uint8_t bytes[512];
  } control;
  struct iovec iov = {.iov_base = payload, .iov_len = sizeof payload};
  struct msghdr m = {
      .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  if (recvmsg(fd, &m, MSG_ERRQUEUE) < 0) return false;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
    struct sock_extended_err e;
    thirl_io_sockaddr sa;
    if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR) continue;
    if (c->cmsg_len < CMSG_LEN(sizeof e + sizeof sa.v4)) continue;
    memcpy(&e, CMSG_DATA(c), sizeof e);
    if (e.ee_origin != SO_EE_ORIGIN_ICMP || e.ee_type != ICMP_TIME_EXCEEDED) continue;
    memset(&sa, 0, sizeof sa);
    memcpy(&sa.v4, CMSG_DATA(c) + sizeof e, sizeof sa.v4);
    *from = thirl_addr_with_port(thirl_io_socket_from_sys(&sa), 0);
    return true;
  }
  return false;
}

static void listen_for(struct pollfd *fds, unsigned hops, thirl_time wait, thirl_addr *at, unsigned *reached) {
  thirl_time end = thirl_io_clock_now() + wait;
  unsigned left = hops;
  for (thirl_time now; left && (now = thirl_io_clock_now()) < end;) {
    int n = poll(fds, hops, (int)((end - now) / 1000) + 1);
    if (n < 0 && errno != EINTR) return;
    for (unsigned i = 0; i < hops && n > 0; i++) {
      if (!fds[i].revents) continue;
      bool answered = (fds[i].revents & POLLIN) != 0;
      if (answered && (*reached == 0 || i + 1 < *reached)) *reached = i + 1;
      if (!answered) (void)read_error(fds[i].fd, &at[i]);
      fds[i].fd = ~fds[i].fd; /* poll passes over negative ones */
      left--;
    }
  }
}

thirl_error thirl_io_hops_trace(const thirl_addr *to, thirl_bytes payload, unsigned hops, thirl_time wait,
                                thirl_addr at[THIRL_IO_HOPS_MAX], unsigned *reached) {
  struct pollfd fds[THIRL_IO_HOPS_MAX];
  thirl_error e = THIRL_OK;
  unsigned n = 0;
  *reached = 0;
  memset(at, 0, THIRL_IO_HOPS_MAX * sizeof *at);
  if (to->family != THIRL_FAMILY_V4) return THIRL_E_UNSUPPORTED;
  if (hops > THIRL_IO_HOPS_MAX) return THIRL_E_RANGE;
  for (; n < hops && e == THIRL_OK; n++) {
    fds[n] = (struct pollfd){.events = POLLIN};
    e = open_probe(to, (int)n + 1, &fds[n].fd);
    if (e == THIRL_OK && send(fds[n].fd, payload.p, payload.n, 0) < 0) e = thirl_io_socket_error(errno);
  }
  if (e == THIRL_OK) listen_for(fds, hops, wait, at, reached);
  for (unsigned i = 0; i < n; i++) {
    int fd = fds[i].fd < -1 ? ~fds[i].fd : fds[i].fd;
    if (fd >= 0) close(fd);
  }
  return e;
}
