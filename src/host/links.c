/* SPDX-License-Identifier: MIT */
#include "host/links.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "host/card.h"
#include "host/netlink.h"

enum { LINKS_MAX = 256, NAME_MAX_BYTES = 32 };

typedef struct seen {
  int index;
  char name[NAME_MAX_BYTES];
} seen;

typedef struct asking {
  thirl_host_dump *d;
  seen link[LINKS_MAX]; /* names by index, for addresses and queues */
  size_t n;
} asking;

static const char *name_of(const asking *a, int index) {
  for (size_t i = 0; i < a->n; i++)
    if (a->link[i].index == index) return a->link[i].name;
  return NULL;
}

static void take_link(void *ctx, const struct nlmsghdr *m) {
  asking *a = ctx;
  const struct ifinfomsg *l = NLMSG_DATA(m);
  if (m->nlmsg_type != RTM_NEWLINK || m->nlmsg_len < NLMSG_LENGTH(sizeof *l)) return;
  const char *name = thirl_host_netlink_find(m, sizeof *l, IFLA_IFNAME, 2);
  if (!name || !memchr(name, '\0', thirl_host_netlink_length(name)) || a->n == LINKS_MAX) return;
  seen *s = &a->link[a->n++];
  s->index = l->ifi_index;
  snprintf(s->name, sizeof s->name, "%s", name);
  const void *info = thirl_host_netlink_find(m, sizeof *l, IFLA_LINKINFO, 1);
  const void *kind = info ? thirl_host_netlink_inside(info, thirl_host_netlink_length(info), IFLA_INFO_KIND, 1) : NULL;
  const uint32_t *queues = thirl_host_netlink_find(m, sizeof *l, IFLA_NUM_RX_QUEUES, sizeof *queues);
  const struct rtnl_link_stats64 *stats =
      thirl_host_netlink_find(m, sizeof *l, IFLA_STATS64, offsetof(struct rtnl_link_stats64, tx_aborted_errors));
  thirl_host_dump_print(a->d, "%s up=%d virtual=%d ethernet=%d", s->name, (l->ifi_flags & IFF_UP) != 0, kind != NULL,
                        l->ifi_type == ARPHRD_ETHER);
  if (queues) thirl_host_dump_print(a->d, " rx_queues=%" PRIu32, *queues);
  if (stats) {
    uint64_t missed;
    memcpy(&missed, (const char *)stats + offsetof(struct rtnl_link_stats64, rx_missed_errors), sizeof missed);
    thirl_host_dump_print(a->d, " rx_missed=%" PRIu64, missed);
  }
  thirl_host_dump_print(a->d, "\n");
  const uint8_t *hardware = thirl_host_netlink_find(m, sizeof *l, IFLA_ADDRESS, 6);
  thirl_host_card_ask(s->name, s->index, hardware, a->d);
}

static void take_address(void *ctx, const struct nlmsghdr *m) {
  asking *a = ctx;
  const struct ifaddrmsg *i = NLMSG_DATA(m);
  char text[INET_ADDRSTRLEN];
  if (m->nlmsg_type != RTM_NEWADDR || m->nlmsg_len < NLMSG_LENGTH(sizeof *i) || i->ifa_family != AF_INET) return;
  const void *address = thirl_host_netlink_find(m, sizeof *i, IFA_LOCAL, 4);
  const char *name = name_of(a, (int)i->ifa_index);
  if (address && name && inet_ntop(AF_INET, address, text, sizeof text))
    thirl_host_dump_print(a->d, "%s address=%s\n", name, text);
}

static void print_queue(asking *a, const char *name, const char *kind, const struct gnet_stats_queue *queue,
                        uint64_t packets) {
  thirl_host_dump_print(a->d,
                        "%s qdisc=%s qdisc_packets=%" PRIu64 " qdisc_drops=%" PRIu32 " qdisc_overlimits=%" PRIu32
                        " qdisc_backlog=%" PRIu32 "\n",
                        name, kind, packets, queue->drops, queue->overlimits, queue->backlog);
}

/* Only the root of each interface; a card with several queues has "mq" there, with the sums of its children. */
static void take_queue(void *ctx, const struct nlmsghdr *m) {
  asking *a = ctx;
  const struct tcmsg *t = NLMSG_DATA(m);
  if (m->nlmsg_type != RTM_NEWQDISC || m->nlmsg_len < NLMSG_LENGTH(sizeof *t) || t->tcm_parent != TC_H_ROOT) return;
  const char *kind = thirl_host_netlink_find(m, sizeof *t, TCA_KIND, 2), *name = name_of(a, t->tcm_ifindex);
  if (!kind || !name || !memchr(kind, '\0', thirl_host_netlink_length(kind))) return;
  const void *stats = thirl_host_netlink_find(m, sizeof *t, TCA_STATS2, 1);
  size_t n = stats ? thirl_host_netlink_length(stats) : 0;
  struct gnet_stats_queue queue = {0};
  struct gnet_stats_basic basic = {0};
  const void *q = stats ? thirl_host_netlink_inside(stats, n, TCA_STATS_QUEUE, sizeof queue) : NULL;
  const void *b = stats ? thirl_host_netlink_inside(stats, n, TCA_STATS_BASIC, 12) : NULL;
  if (q) memcpy(&queue, q, sizeof queue);
  if (b) memcpy(&basic, b, 12);
  print_queue(a, name, kind, &queue, basic.packets);
}

static thirl_tune_why ask(asking *a, uint16_t type, thirl_host_netlink_take *take) {
  struct {
    struct nlmsghdr head;
    union {
      struct ifinfomsg link;
      struct ifaddrmsg address;
      struct tcmsg queue;
    } body;
  } q = {.head = {.nlmsg_len = sizeof q, .nlmsg_type = type}};
  if (type == RTM_GETADDR) q.head.nlmsg_len = NLMSG_LENGTH(sizeof q.body.address);
  if (type == RTM_GETLINK) q.head.nlmsg_len = NLMSG_LENGTH(sizeof q.body.link);
  return thirl_host_netlink_dump(NETLINK_ROUTE, &q.head, take, a);
}

thirl_tune_why thirl_host_links_ask(thirl_host_dump *d) {
  static asking a;
  a = (asking){.d = d};
  thirl_tune_why why = ask(&a, RTM_GETLINK, take_link);
  if (why != THIRL_TUNE_WHY_READ) return why;
  (void)ask(&a, RTM_GETADDR, take_address);
  (void)ask(&a, RTM_GETQDISC, take_queue);
  return why;
}
