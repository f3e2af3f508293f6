/* SPDX-License-Identifier: MIT */
#include "host/diag.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

#include "host/netlink.h"

enum { STATE_ESTABLISHED = 1, STATE_LISTEN = 10, EVERY_STATE = 0xfff };

typedef struct question {
  struct nlmsghdr head;
  struct inet_diag_req_v2 body;
} question;

static void take_udp(thirl_host_dump *d, const struct nlmsghdr *m, const struct inet_diag_msg *s) {
  const uint32_t *memory =
      thirl_host_netlink_find(m, sizeof *s, INET_DIAG_SKMEMINFO, sizeof(uint32_t) * (SK_MEMINFO_BACKLOG + 1));
  thirl_host_dump_print(d, "udp port=%u inode=%" PRIu32 " connected=%d", ntohs(s->id.idiag_sport), s->idiag_inode,
                        s->idiag_state == STATE_ESTABLISHED);
  if (memory)
    thirl_host_dump_print(d, " rcvbuf=%" PRIu32 " sndbuf=%" PRIu32, memory[SK_MEMINFO_RCVBUF],
                          memory[SK_MEMINFO_SNDBUF]);
  if (memory && thirl_host_netlink_length(memory) >= sizeof(uint32_t) * (SK_MEMINFO_DROPS + 1))
    thirl_host_dump_print(d, " drops=%" PRIu32, memory[SK_MEMINFO_DROPS]);
  thirl_host_dump_print(d, "\n");
}

/* For a listener the queues are what waits and how much may. */
static void take_listener(thirl_host_dump *d, const struct inet_diag_msg *s) {
  char address[INET6_ADDRSTRLEN] = "";
  inet_ntop(s->idiag_family, s->id.idiag_src, address, sizeof address);
  thirl_host_dump_print(d, "listen address=%s port=%u inode=%" PRIu32 " backlog=%" PRIu32 " waiting=%" PRIu32 "\n",
                        address, ntohs(s->id.idiag_sport), s->idiag_inode, s->idiag_wqueue, s->idiag_rqueue);
}

static void take(void *ctx, const struct nlmsghdr *m) {
  const struct inet_diag_msg *s = NLMSG_DATA(m);
  if (m->nlmsg_len < NLMSG_LENGTH(sizeof *s)) return;
  if (s->idiag_state == STATE_LISTEN)
    take_listener(ctx, s);
  else
    take_udp(ctx, m, s);
}

static thirl_tune_why ask(thirl_host_dump *d, uint8_t protocol, uint32_t states, uint8_t extra) {
  static const uint8_t families[] = {AF_INET, AF_INET6};
  thirl_tune_why first = THIRL_TUNE_WHY_NOT_LOOKED;
  for (size_t i = 0; i < sizeof families; i++) {
    question q = {
        .head = {.nlmsg_len = sizeof q, .nlmsg_type = SOCK_DIAG_BY_FAMILY},
        .body = {.sdiag_family = families[i], .sdiag_protocol = protocol, .idiag_ext = extra, .idiag_states = states}};
    thirl_tune_why why = thirl_host_netlink_dump(NETLINK_SOCK_DIAG, &q.head, take, d);
    if (i == 0) first = why;
  }
  return first;
}

thirl_tune_why thirl_host_diag_listeners(thirl_host_dump *d) {
  return ask(d, IPPROTO_TCP, 1U << STATE_LISTEN, 0);
}

thirl_tune_why thirl_host_diag_udp(thirl_host_dump *d) {
  return ask(d, IPPROTO_UDP, EVERY_STATE, 1 << (INET_DIAG_SKMEMINFO - 1));
}
