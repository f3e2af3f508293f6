/* SPDX-License-Identifier: MIT */
#include "host/netlink.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { ANSWER_BYTES = 65536, DATAGRAMS_MAX = 1 << 16, WAIT_S = 5 };

static thirl_tune_why why_of(int number) {
  if (number == EPERM || number == EACCES) return THIRL_TUNE_WHY_NOT_PERMITTED;
  if (number == ENOENT || number == EPROTONOSUPPORT || number == EOPNOTSUPP) return THIRL_TUNE_WHY_NOT_LOADED;
  return THIRL_TUNE_WHY_MALFORMED;
}

/* False: that was the last message; *why says how it ended. */
static bool take_datagram(const char *p, size_t n, thirl_host_netlink_take *take, void *ctx, thirl_tune_why *why) {
  for (size_t at = 0; at + sizeof(struct nlmsghdr) <= n;) {
    const struct nlmsghdr *m = (const void *)(p + at);
    if (m->nlmsg_len < sizeof *m || m->nlmsg_len > n - at) break;
    if (m->nlmsg_type == NLMSG_DONE) {
      *why = THIRL_TUNE_WHY_READ;
      return false;
    }
    if (m->nlmsg_type == NLMSG_ERROR) {
      const struct nlmsgerr *e = NLMSG_DATA(m);
      *why = m->nlmsg_len >= NLMSG_LENGTH(sizeof *e) ? why_of(-e->error) : THIRL_TUNE_WHY_MALFORMED;
      return false;
    }
    take(ctx, m);
    at += NLMSG_ALIGN(m->nlmsg_len);
  }
  return true;
}

thirl_tune_why thirl_host_netlink_dump(int protocol, struct nlmsghdr *question, thirl_host_netlink_take *take,
                                       void *ctx) {
  static _Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
  struct timeval wait = {.tv_sec = WAIT_S};
  thirl_tune_why why = THIRL_TUNE_WHY_MALFORMED;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0) return why_of(errno);
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  question->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  question->nlmsg_seq = 1;
  bool more = send(fd, question, question->nlmsg_len, 0) == (ssize_t)question->nlmsg_len;
  for (int i = 0; more && i < DATAGRAMS_MAX; i++) {
    ssize_t n = recv(fd, answer, sizeof answer, 0);
    more = n > 0 && take_datagram(answer, (size_t)n, take, ctx, &why);
  }
  close(fd);
  return why;
}

static const size_t head_bytes = sizeof(struct nlattr); /* NLA_HDRLEN, without its signs */

static size_t padded(size_t n) {
  return (n + NLA_ALIGNTO - 1) & ~((size_t)NLA_ALIGNTO - 1);
}

static const void *find(const char *p, size_t n, unsigned type, size_t least) {
  for (size_t at = 0; at < n && n - at >= head_bytes;) {
    const struct nlattr *a = (const void *)(p + at);
    if (a->nla_len < head_bytes || a->nla_len > n - at) return NULL;
    if ((a->nla_type & NLA_TYPE_MASK) == type) return a->nla_len >= head_bytes + least ? p + at + head_bytes : NULL;
    at += padded(a->nla_len);
  }
  return NULL;
}

const void *thirl_host_netlink_find(const struct nlmsghdr *m, size_t n, unsigned type, size_t least) {
  size_t head = NLMSG_LENGTH(NLMSG_ALIGN(n));
  return m->nlmsg_len < head ? NULL : find((const char *)m + head, m->nlmsg_len - head, type, least);
}

const void *thirl_host_netlink_inside(const void *attribute_payload, size_t n, unsigned type, size_t least) {
  return find(attribute_payload, n, type, least);
}

size_t thirl_host_netlink_length(const void *payload) {
  const struct nlattr *a = (const void *)((const char *)payload - head_bytes);
  return a->nla_len - head_bytes;
}
