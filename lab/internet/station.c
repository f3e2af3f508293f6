/* SPDX-License-Identifier: MIT */
#include "lab/internet/station.h"

#include <string.h>

#include "lab/frame/checksum.h"
#include "lab/frame/switch.h"

/*  Neighbour solicitation and advertisement behind the IPv6 header, RFC 4861 sections 4.3 and 4.4:
 *
 *    0  type   1  code = 0   2  checksum   4  flags   8  target   24  option type   25  option length = 1   26  MAC
 */
enum {
  ND_FLAGS = 4,
  ND_TARGET = 8,
  ND_OPTIONS = 24,
  ND_LEN = 32,
  ND_HOPS = 255,
  OPTION_UNIT = 8,
  OPTION_SOURCE_MAC = 1,
  OPTION_TARGET_MAC = 2,
  FLAG_ROUTER = 0x80,
  FLAG_SOLICITED = 0x40,
  FLAG_OVERRIDE = 0x20,
  ND_FRAME_LEN = THIRL_LAB_ETH_LEN + THIRL_LAB_IP6_LEN + ND_LEN
};

static const uint8_t all_nodes[16] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

void thirl_lab_station_init(thirl_lab_station *s, uint32_t number) {
  memset(s, 0, sizeof *s);
  s->mac[0] = 0x02; /* locally administered */
  s->mac[1] = 0x74;
  thirl_lab_wire_put32(s->mac + 2, number);
  thirl_lab_neighbour_init(&s->neighbours, number);
}

void thirl_lab_station_fini(thirl_lab_station *s) {
  thirl_lab_neighbour_fini(&s->neighbours);
  thirl_lab_flight_clear(&s->out);
  thirl_lab_flight_clear(&s->failed);
}

void thirl_lab_station_reset(thirl_lab_station *s) {
  thirl_lab_neighbour_clear(&s->neighbours);
  s->n_addrs = 0;
}

bool thirl_lab_station_has(const thirl_lab_station *s, const thirl_addr *addr) {
  for (size_t i = 0; i < s->n_addrs; i++)
    if (thirl_addr_same_ip(&s->addrs[i], addr)) return true;
  return false;
}

static void add_one(thirl_lab_station *s, thirl_addr addr) {
  if (s->n_addrs == THIRL_LAB_STATION_ADDRS_MAX || thirl_lab_station_has(s, &addr)) return;
  s->addrs[s->n_addrs++] = thirl_addr_with_port(addr, 0);
}

void thirl_lab_station_add(thirl_lab_station *s, const thirl_addr *addr) {
  if (!thirl_addr_is_set(addr)) return;
  add_one(s, *addr);
  if (addr->family != THIRL_FAMILY_V6) return;
  uint8_t local[16] = {0xfe, 0x80};
  memcpy(local + 8, s->mac, 3);
  local[8] ^= 2;
  local[11] = 0xff;
  local[12] = 0xfe;
  memcpy(local + 13, s->mac + 3, 3);
  add_one(s, thirl_addr_v6(local, 0));
}

thirl_addr thirl_lab_station_address(const thirl_lab_station *s, thirl_family family) {
  for (size_t i = 0; i < s->n_addrs; i++)
    if (s->addrs[i].family == family) return s->addrs[i];
  return (thirl_addr){0};
}

/* ---- frames of our own ---- */

static void give(thirl_lab_station *s, const uint8_t *frame, size_t len) {
  thirl_lab_packet *p = thirl_lab_link_packet_new(len);
  if (!p) return;
  memcpy(p->frame, frame, len);
  thirl_lab_flight_append(&s->out, p);
}

static void put_macs(const thirl_lab_station *s, uint8_t *frame, const uint8_t *to) {
  memcpy(frame, to, THIRL_LAB_MAC_LEN);
  memcpy(frame + THIRL_LAB_ETH_SOURCE, s->mac, THIRL_LAB_MAC_LEN);
}

static uint32_t number_of(const thirl_addr *a) {
  return thirl_lab_wire_get32(a->ip);
}

static void send_arp(thirl_lab_station *s, bool is_request, const thirl_addr *from, const uint8_t *to_mac,
                     const thirl_addr *target) {
  uint8_t frame[THIRL_LAB_ARP_FRAME_LEN];
  thirl_lab_arp arp = {.is_request = is_request, .sender = number_of(from), .target = number_of(target)};
  memcpy(arp.sender_mac, s->mac, sizeof arp.sender_mac);
  thirl_lab_wire_arp_encode(&arp, to_mac, frame);
  give(s, frame, sizeof frame);
}

typedef struct discovery {
  uint8_t type, flags, option;
  const uint8_t *to; /* IPv6 */
  const uint8_t *to_mac;
  const thirl_addr *from, *target;
} discovery;

static void send_discovery(thirl_lab_station *s, const discovery *d) {
  uint8_t frame[ND_FRAME_LEN] = {0}, *ip = frame + THIRL_LAB_ETH_LEN, *nd = ip + THIRL_LAB_IP6_LEN;
  put_macs(s, frame, d->to_mac);
  thirl_lab_wire_put16(frame + THIRL_LAB_ETH_TYPE, THIRL_LAB_TYPE_IPV6);
  ip[0] = 0x60;
  thirl_lab_wire_put16(ip + THIRL_LAB_IP6_PAYLOAD_LEN, ND_LEN);
  ip[THIRL_LAB_IP6_NEXT] = THIRL_LAB_PROTOCOL_ICMP6;
  ip[THIRL_LAB_IP6_HOPS] = ND_HOPS;
  memcpy(ip + THIRL_LAB_IP6_SOURCE, d->from->ip, 16);
  memcpy(ip + THIRL_LAB_IP6_DESTINATION, d->to, 16);
  nd[0] = d->type;
  nd[ND_FLAGS] = d->flags;
  memcpy(nd + ND_TARGET, d->target->ip, 16);
  nd[ND_OPTIONS] = d->option;
  nd[ND_OPTIONS + 1] = 1;
  memcpy(nd + ND_OPTIONS + 2, s->mac, THIRL_LAB_MAC_LEN);
  uint32_t sum = thirl_lab_checksum_add(thirl_lab_checksum_pseudo(ip, THIRL_LAB_PROTOCOL_ICMP6, ND_LEN), nd, ND_LEN);
  thirl_lab_wire_put16(nd + THIRL_LAB_ICMP_CHECKSUM, (uint16_t)~thirl_lab_checksum_fold(sum));
  give(s, frame, sizeof frame);
}

/* known: the MAC that it had so far, or NULL: ask everybody. */
static void ask(thirl_lab_station *s, const thirl_addr *target, const uint8_t *known) {
  thirl_addr from = thirl_lab_station_address(s, (thirl_family)target->family);
  if (!thirl_addr_is_set(&from)) return;
  if (target->family == THIRL_FAMILY_V4) {
    send_arp(s, true, &from, known, target);
    return;
  }
  uint8_t group[16] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff}, group_mac[THIRL_LAB_MAC_LEN] = {0x33, 0x33, 0xff};
  memcpy(group + 13, target->ip + 13, 3);
  memcpy(group_mac + 3, target->ip + 13, 3);
  send_discovery(s, &(discovery){.type = THIRL_LAB_ICMP6_SOLICIT,
                                 .option = OPTION_SOURCE_MAC,
                                 .to = known ? target->ip : group,
                                 .to_mac = known ? known : group_mac,
                                 .from = &from,
                                 .target = target});
}

/* ---- what others say ---- */

static void learn(thirl_lab_station *s, thirl_time now, const thirl_addr *addr, const uint8_t *mac, bool make) {
  if (!thirl_lab_headers_is_one_host(addr) || thirl_lab_switch_is_group(mac)) return;
  thirl_lab_neighbour *n = thirl_lab_neighbour_learn(&s->neighbours, now, addr, mac, make);
  if (!n) return;
  for (thirl_lab_packet *p; (p = thirl_lab_flight_first(&n->waiting));) {
    put_macs(s, p->frame, n->mac);
    thirl_lab_flight_append(&s->out, p);
  }
}

static thirl_addr addr_of(uint32_t ip) {
  return thirl_addr_v4((uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8), (uint8_t)ip, 0);
}

static void input_arp(thirl_lab_station *s, thirl_time now, const thirl_lab_flight *f) {
  thirl_lab_arp arp;
  if (!thirl_lab_wire_arp_decode(f->frame, f->len, &arp)) return;
  thirl_addr sender = addr_of(arp.sender), target = addr_of(arp.target);
  bool for_us = thirl_lab_station_has(s, &target);
  if (!thirl_lab_station_has(s, &sender)) learn(s, now, &sender, arp.sender_mac, for_us && arp.is_request);
  if (for_us && arp.is_request) send_arp(s, false, &target, arp.sender_mac, &sender);
}

/* The MAC in the first option of this type, or NULL. */
static const uint8_t *option_of(const uint8_t *nd, size_t len, uint8_t type) {
  for (size_t at = ND_OPTIONS; at + OPTION_UNIT <= len;) {
    size_t n = (size_t)nd[at + 1] * OPTION_UNIT;
    if (n == 0 || at + n > len) return NULL;
    if (nd[at] == type) return nd + at + 2;
    at += n;
  }
  return NULL;
}

static void advertise(thirl_lab_station *s, const thirl_addr *target, const thirl_addr *to, const uint8_t *to_mac) {
  static const uint8_t all_nodes_mac[THIRL_LAB_MAC_LEN] = {0x33, 0x33, 0, 0, 0, 1};
  bool solicited = !thirl_addr_is_any(to); /* not for who only asks whether the address is free: RFC 4862 section 5.4 */
  send_discovery(s, &(discovery){.type = THIRL_LAB_ICMP6_ADVERTISE,
                                 .flags = (uint8_t)(FLAG_ROUTER | FLAG_OVERRIDE | (solicited ? FLAG_SOLICITED : 0)),
                                 .option = OPTION_TARGET_MAC,
                                 .to = solicited ? to->ip : all_nodes,
                                 .to_mac = solicited ? to_mac : all_nodes_mac,
                                 .from = target,
                                 .target = target});
}

static void input_discovery(thirl_lab_station *s, thirl_time now, const thirl_lab_flight *f,
                            const thirl_lab_headers *h) {
  const uint8_t *ip = f->frame + h->ip, *nd = f->frame + h->l4;
  size_t len = h->end - h->l4;
  if (len < ND_OPTIONS || h->ttl != ND_HOPS || nd[THIRL_LAB_ICMP_CODE] != 0) return; /* RFC 4861 section 7.1 */
  uint32_t sum = thirl_lab_checksum_add(thirl_lab_checksum_pseudo(ip, THIRL_LAB_PROTOCOL_ICMP6, len), nd, len);
  if (thirl_lab_checksum_fold(sum) != 0xffff) return;
  thirl_addr target = thirl_addr_v6(nd + ND_TARGET, 0);
  bool asks = nd[0] == THIRL_LAB_ICMP6_SOLICIT;
  const uint8_t *mac = option_of(nd, len, asks ? OPTION_SOURCE_MAC : OPTION_TARGET_MAC);
  if (!asks) {
    if (!thirl_lab_station_has(s, &target)) learn(s, now, &target, mac ? mac : f->frame + THIRL_LAB_ETH_SOURCE, false);
    return;
  }
  if (!thirl_lab_station_has(s, &target)) return;
  if (mac && !thirl_addr_is_any(&h->src)) learn(s, now, &h->src, mac, true);
  advertise(s, &target, &h->src, mac ? mac : f->frame + THIRL_LAB_ETH_SOURCE);
}

/* ---- the verbs ---- */

static bool is_discovery(const thirl_lab_flight *f, const thirl_lab_headers *h) {
  if (h->protocol != THIRL_LAB_PROTOCOL_ICMP6 || !h->is_first || h->l4 >= h->end) return false;
  return f->frame[h->l4] >= 133 && f->frame[h->l4] <= 137; /* RFC 4861 section 4: all stay on the net */
}

thirl_lab_station_verdict thirl_lab_station_input(thirl_lab_station *s, thirl_time now, const thirl_lab_flight *f,
                                                  thirl_lab_headers *h) {
  if (f->len < THIRL_LAB_ETH_LEN) return THIRL_LAB_STATION_DONE;
  bool to_us = memcmp(f->frame, s->mac, sizeof s->mac) == 0;
  if (!to_us && !thirl_lab_switch_is_group(f->frame)) return THIRL_LAB_STATION_DONE;
  thirl_lab_headers_verdict v = thirl_lab_headers_read(f->frame, f->len, h);
  if (v == THIRL_LAB_HEADERS_MALFORMED) return to_us ? THIRL_LAB_STATION_MALFORMED : THIRL_LAB_STATION_DONE;
  if (v == THIRL_LAB_HEADERS_NOT_IP) {
    input_arp(s, now, f);
    return THIRL_LAB_STATION_DONE;
  }
  if (h->family == THIRL_FAMILY_V6 && is_discovery(f, h)) {
    input_discovery(s, now, f, h);
    return THIRL_LAB_STATION_DONE;
  }
  return to_us ? THIRL_LAB_STATION_PACKET : THIRL_LAB_STATION_DONE;
}

bool thirl_lab_station_resolve(thirl_lab_station *s, thirl_time now, thirl_lab_flight *f, const thirl_addr *next_hop) {
  bool first;
  thirl_addr key = thirl_addr_with_port(*next_hop, 0);
  thirl_lab_neighbour *n = thirl_lab_neighbour_want(&s->neighbours, now, &key, &first);
  if (n && n->is_known) {
    put_macs(s, f->frame, n->mac);
    return true;
  }
  thirl_lab_packet *p = n ? thirl_lab_flight_take(f) : NULL;
  if (p) {
    thirl_lab_neighbour_wait(&s->neighbours, n, p);
  } else {
    s->neighbours.dropped++;
    thirl_lab_flight_drop(f);
  }
  if (n && first) ask(s, &key, NULL);
  return false;
}

void thirl_lab_station_tick(thirl_lab_station *s, thirl_time now) {
  thirl_lab_neighbour *n;
  bool again;
  while (thirl_lab_neighbour_due(&s->neighbours, now, &n, &again)) {
    if (again) {
      ask(s, &n->addr, n->is_known ? n->mac : NULL);
      continue;
    }
    s->failed_hop = n->addr;
    for (thirl_lab_packet *p; (p = thirl_lab_flight_first(&n->waiting));)
      thirl_lab_flight_append(&s->failed, p);
    thirl_lab_neighbour_remove(&s->neighbours, n);
  }
}

thirl_time thirl_lab_station_deadline(const thirl_lab_station *s) {
  return thirl_lab_neighbour_deadline(&s->neighbours);
}
