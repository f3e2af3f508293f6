/* SPDX-License-Identifier: MIT */
#include "io/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/socket.h"

enum { BATCH = THIRL_IO_UDP_BATCH, PAYLOAD = THIRL_IO_UDP_PAYLOAD_MAX };

typedef union control {
  struct cmsghdr head; /* for its alignment */
  uint8_t space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
} control;

/* One half: the headers point into slots and are set up once. */
typedef struct batch {
  struct mmsghdr msg[BATCH];
  struct iovec iov[BATCH];
  thirl_io_sockaddr name[BATCH];
  control ctl[BATCH];
  uint8_t payload[BATCH][PAYLOAD];
} batch;

struct thirl_io_udp {
  thirl_io_udp_stats stats;
  int tx_fd;
  unsigned tx_n;
  batch rx, tx;
};

static void point(batch *b) {
  for (size_t i = 0; i < BATCH; i++) {
    b->iov[i] = (struct iovec){b->payload[i], PAYLOAD};
    b->msg[i].msg_hdr = (struct msghdr){.msg_name = &b->name[i], .msg_iov = &b->iov[i], .msg_iovlen = 1};
  }
}

thirl_error thirl_io_udp_new(thirl_io_udp **out) {
  thirl_io_udp *u = calloc(1, sizeof *u);
  *out = u;
  if (!u) return THIRL_E_NOMEM;
  u->tx_fd = -1;
  point(&u->rx);
  point(&u->tx);
  return THIRL_OK;
}

void thirl_io_udp_free(thirl_io_udp *u) {
  free(u);
}

size_t thirl_io_udp_receive(thirl_io_udp *u, int fd) {
  for (size_t i = 0; i < BATCH; i++) {
    struct msghdr *h = &u->rx.msg[i].msg_hdr;
    h->msg_namelen = sizeof u->rx.name[i];
    h->msg_control = &u->rx.ctl[i];
    h->msg_controllen = sizeof u->rx.ctl[i];
    h->msg_flags = 0;
  }
  u->stats.receive_calls++;
  int n = recvmmsg(fd, u->rx.msg, BATCH, MSG_DONTWAIT, NULL);
  if (n <= 0) return 0;
  u->stats.received += (uint64_t)n;
  return (size_t)n;
}

bool thirl_io_udp_get(thirl_io_udp *u, size_t i, thirl_addr *local, thirl_addr *remote, thirl_bytes *payload) {
  struct msghdr *h = &u->rx.msg[i].msg_hdr;
  if (h->msg_flags & MSG_TRUNC) {
    u->stats.truncated++;
    return false;
  }
  *remote = thirl_io_socket_from_sys(&u->rx.name[i]);
  *payload = THIRL_BYTES(u->rx.payload[i], u->rx.msg[i].msg_len);
  *local = (thirl_addr){0};
  for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      struct in_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      local->family = THIRL_FAMILY_V4;
      memcpy(local->ip, &info.ipi_addr, 4);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      struct in6_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      local->family = THIRL_FAMILY_V6;
      memcpy(local->ip, &info.ipi6_addr, 16);
    }
  }
  return thirl_addr_is_set(remote);
}

void thirl_io_udp_flush(thirl_io_udp *u) {
  unsigned at = 0;
  while (at < u->tx_n) {
    u->stats.send_calls++;
    int n = sendmmsg(u->tx_fd, u->tx.msg + at, u->tx_n - at, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) {
      u->stats.sent += (uint64_t)n;
      at += (unsigned)n;
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == ENOBUFS)) {
      u->stats.unsent += u->tx_n - at;
      break;
    }
    u->stats.unsent++; /* this one cannot go (no route, firewall, wrong family); the next may */
    at++;
  }
  u->tx_n = 0;
}

/* The source address as ancillary data. */
static void set_source(struct msghdr *h, control *ctl, const thirl_addr *local) {
  memset(ctl, 0, sizeof *ctl);
  h->msg_control = ctl;
  struct cmsghdr *c = &ctl->head;
  if (local->family == THIRL_FAMILY_V4) {
    struct in_pktinfo info = {0};
    memcpy(&info.ipi_spec_dst, local->ip, 4);
    h->msg_controllen = CMSG_SPACE(sizeof info);
    c->cmsg_level = IPPROTO_IP;
    c->cmsg_type = IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof info);
    memcpy(CMSG_DATA(c), &info, sizeof info);
  } else {
    struct in6_pktinfo info = {0};
    memcpy(&info.ipi6_addr, local->ip, 16);
    h->msg_controllen = CMSG_SPACE(sizeof info);
    c->cmsg_level = IPPROTO_IPV6;
    c->cmsg_type = IPV6_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof info);
    memcpy(CMSG_DATA(c), &info, sizeof info);
  }
}

void thirl_io_udp_send(thirl_io_udp *u, int fd, const thirl_addr *local, const thirl_addr *remote,
                       thirl_bytes payload) {
  if (payload.n > PAYLOAD || !thirl_addr_is_set(remote)) {
    u->stats.unsent++;
    return;
  }
  if (u->tx_n == BATCH || (u->tx_n && u->tx_fd != fd)) thirl_io_udp_flush(u);
  unsigned i = u->tx_n++;
  struct msghdr *h = &u->tx.msg[i].msg_hdr;
  u->tx_fd = fd;
  h->msg_namelen = thirl_io_socket_to_sys(remote, &u->tx.name[i]);
  h->msg_control = NULL;
  h->msg_controllen = 0;
  if (thirl_addr_is_set(local) && !thirl_addr_is_any(local)) set_source(h, &u->tx.ctl[i], local);
  if (payload.n) memcpy(u->tx.payload[i], payload.p, payload.n);
  u->tx.iov[i].iov_len = payload.n;
}

const thirl_io_udp_stats *thirl_io_udp_get_stats(const thirl_io_udp *u) {
  return &u->stats;
}
