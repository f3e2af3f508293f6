/* SPDX-License-Identifier: MIT */
/*
 * A NAT of any configuration under any packets: it must not break, and two promises must hold: what comes in goes to an inner endpoint that has sent
 * something, and what goes out leaves from the outer address.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "natbox/natbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HOSTS = 4, PORTS = 4 };

static thirl_addr inner(uint8_t b) {
  return thirl_addr_v4(10, 0, 0, (uint8_t)(1 + b % HOSTS), (uint16_t)(5000 + b / HOSTS % PORTS));
}

static thirl_addr far(uint8_t b) {
  return thirl_addr_v4(203, 0, 113, (uint8_t)(1 + b % HOSTS), (uint16_t)(80 + b / HOSTS % PORTS));
}

static void promise(bool kept) {
  if (!kept) abort();
}

static void read_rules(thirl_reader *r, thirl_natbox_rules *rules) {
  rules->mapping = (thirl_natbox_mapping)(thirl_reader_u8(r) % 3);
  rules->filtering = (thirl_natbox_filtering)(thirl_reader_u8(r) % 3);
  rules->allocation = (thirl_natbox_allocation)(thirl_reader_u8(r) % 4);
  rules->collision = (thirl_natbox_collision)(thirl_reader_u8(r) % 4);
  rules->unsolicited = (thirl_natbox_unsolicited)(thirl_reader_u8(r) % 5);
  rules->refresh = (thirl_natbox_refresh)(thirl_reader_u8(r) % 3);
  rules->port_lo = (uint16_t)(4998 + thirl_reader_u8(r) % 4);
  rules->port_hi = (uint16_t)(rules->port_lo + thirl_reader_u8(r) % 8);
  rules->block = (uint16_t)(thirl_reader_u8(r) % 4);
  rules->step = (uint16_t)(thirl_reader_u8(r) % 4);
  uint8_t more = thirl_reader_u8(r);
  rules->hold_down = (more & 3) * THIRL_S;
  rules->map_timeout = (more >> 2 & 3) * 20 * THIRL_S;
  rules->max_ports = more >> 4 & 3;
  rules->only_allowed = more >> 6 == 3;
  rules->refusal = (thirl_natbox_refusal)(more % 3);
  for (uint16_t port = 80; port < 80 + more % 5; port++)
    rules->allow[rules->n_allow++] = port;
}

static thirl_natbox_config read_config(thirl_reader *r) {
  thirl_natbox_config c = thirl_natbox_config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF, thirl_addr_v4(192, 0, 2, 1, 0));
  uint8_t bits = thirl_reader_u8(r);
  uint8_t more = thirl_reader_u8(r);
  c.hairpin = bits & 1 ? (thirl_natbox_hairpin)(1 + more % 2) : THIRL_NATBOX_HAIRPIN_OFF;
  c.without_echo = more & 2;
  c.pooling = (thirl_natbox_pooling)(more >> 2 & 1);
  while (c.n_pool < (more >> 3 & 3)) {
    c.pool[c.n_pool] = thirl_addr_v4(192, 0, 2, (uint8_t)(2 + c.n_pool), 0);
    c.n_pool++;
  }
  c.tracking = bits & 2 ? THIRL_NATBOX_LOOSE : THIRL_NATBOX_STRICT;
  c.rst = bits & 4 ? THIRL_NATBOX_RST_KEEPS : THIRL_NATBOX_RST_DELETES;
  c.without_pickup = bits & 8;
  c.without_icmp_errors = bits & 16;
  c.max_sessions = 1 + bits / 32u * 8u;
  read_rules(r, &c.udp);
  read_rules(r, &c.tcp);
  return c;
}

static thirl_natbox_packet read_packet(thirl_reader *r, bool outward, thirl_addr external) {
  uint8_t what = thirl_reader_u8(r), here = thirl_reader_u8(r), there = thirl_reader_u8(r);
  thirl_natbox_packet p = {.protocol = (uint8_t)(1 + what % 2), .flags = (uint8_t)(what / 8), .ttl = 64};
  if (what % 8 == 6) p.protocol = THIRL_NATBOX_ECHO;
  p.seq = thirl_reader_u8(r) * 0x01000001u;
  p.ack = thirl_reader_u8(r) * 0x01000001u;
  thirl_addr outer = thirl_addr_with_port(external, (uint16_t)(4998 + here % 16));
  p.src = outward ? inner(here) : far(there);
  p.dst = outward ? far(there) : outer;
  if (outward && there >= 0xf0) p.dst = thirl_addr_with_port(external, (uint16_t)(4998 + there % 16)); /* hairpin */
  if (what % 8 == 7) { /* an ICMP error about the packet in the other direction */
    thirl_natbox_packet back = p;
    back.src = p.dst;
    back.dst = p.src;
    back.src.port = p.dst.port;
    thirl_natbox_packet e = thirl_natbox_packet_icmp_for(&p, (thirl_natbox_icmp)(here % 3), p.dst);
    e.src = thirl_addr_with_port(p.src, 0);
    e.dst = thirl_addr_with_port(p.dst, 0);
    e.inner.src = back.src;
    e.inner.dst = back.dst;
    return e;
  }
  return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  thirl_reader r = thirl_reader_of(THIRL_BYTES(data, size));
  thirl_natbox_config config = read_config(&r);
  thirl_natbox *box = thirl_natbox_new(&config, 1);
  if (!box) return 0;
  bool has_sent[2][HOSTS * PORTS] = {{false}};
  thirl_time now = THIRL_S;
  while (thirl_reader_left(&r) >= 7) {
    uint8_t op = thirl_reader_u8(&r);
    now += thirl_reader_u8(&r) * (THIRL_S / 2);
    bool outward = op & 1;
    thirl_natbox_packet p = read_packet(&r, outward, config.external), was = p;
    bool is_flow = p.protocol == THIRL_NATBOX_UDP || p.protocol == THIRL_NATBOX_TCP;
    if (outward && is_flow) has_sent[p.protocol - 1][(p.src.ip[3] - 1) + HOSTS * (p.src.port - 5000)] = true;
    thirl_natbox_verdict v = outward ? thirl_natbox_outbound(box, now, &p) : thirl_natbox_inbound(box, now, &p);
    promise(v != THIRL_NATBOX_NOTHING);
    bool in = (v == THIRL_NATBOX_PASS && !outward) || v == THIRL_NATBOX_HAIRPIN;
    if (v == THIRL_NATBOX_PASS && outward) promise(thirl_natbox_config_has_external(&config, &p.src));
    if (v == THIRL_NATBOX_REPLY) promise(thirl_addr_same_ip(&p.dst, &was.src));
    if (in && (p.protocol == THIRL_NATBOX_UDP || p.protocol == THIRL_NATBOX_TCP))
      promise(p.dst.ip[0] == 10 && has_sent[p.protocol - 1][(p.dst.ip[3] - 1) + HOSTS * (p.dst.port - 5000)]);
    if (in) promise(p.dst.ip[0] == 10);
    while (thirl_natbox_poll(box, now, &p) != THIRL_NATBOX_NOTHING)
      ;
    promise(thirl_natbox_count_sessions(box, now) <= config.max_sessions);
    bool outlive = config.udp.map_timeout || config.tcp.map_timeout;
    promise(outlive || thirl_natbox_count_bindings(box, now) <= config.max_sessions);
    if (op == 0xfe) thirl_natbox_reboot(box);
  }
  thirl_natbox_free(box);
  return 0;
}
