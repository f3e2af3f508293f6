/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { TCP = 6, UDP = 17, ICMP = 1, ICMP6 = 58, TEXT_MAX = 512 };

/* ---- bytes ---- */

static unsigned get16(const uint8_t *p) {
  return (unsigned)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, size_t v) {
  p[0] = (uint8_t)(v >> 8);
  p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v) {
  put16(p, v >> 16);
  put16(p + 2, v & 0xffff);
}

/* RFC 1071, the plain way: the ones' complement sum of all 16 bit words, the last padded with zero. */
static unsigned sum(const uint8_t *p, size_t n, unsigned begin) {
  for (size_t i = 0; i < n; i++) {
    begin += i % 2 ? p[i] : (unsigned)p[i] << 8;
    if (begin > 0xffff) begin -= 0xffff;
  }
  return begin;
}

static unsigned pseudo(const uint8_t *ip, uint8_t protocol, size_t len) {
  uint8_t h[40] = {0};
  if (ip[0] >> 4 == 4) {
    memcpy(h, ip + 12, 8);
    h[9] = protocol;
    put16(h + 10, len);
    return sum(h, 12, 0);
  }
  memcpy(h, ip + 8, 32);
  put16(h + 34, len);
  h[39] = protocol;
  return sum(h, 40, 0);
}

/* ---- writing ---- */

static size_t write_ip(const rig_send *s, uint8_t *ip, const thirl_addr *from, const thirl_addr *to, size_t l4_len) {
  uint8_t protocol = s->protocol ? s->protocol : UDP, ttl = s->ttl ? s->ttl : 64;
  memset(ip, 0, 40);
  if (from->family == THIRL_FAMILY_V6) {
    ip[0] = 0x60;
    put16(ip + 4, l4_len);
    ip[6] = protocol;
    ip[7] = ttl;
    memcpy(ip + 8, from->ip, 16);
    memcpy(ip + 24, to->ip, 16);
    return 40;
  }
  ip[0] = 0x45;
  put16(ip + 2, 20 + l4_len);
  put16(ip + 4, 0x1234);
  put16(ip + 6, s->may_fragment ? 0 : 0x4000);
  ip[8] = ttl;
  ip[9] = protocol;
  memcpy(ip + 12, from->ip, 4);
  memcpy(ip + 16, to->ip, 4);
  put16(ip + 10, ~sum(ip, 20, 0) & 0xffff);
  return 20;
}

static size_t write_l4(const rig_send *s, uint8_t *l4, uint16_t from, uint16_t to, size_t payload) {
  memset(l4, 0, 20);
  if (s->protocol == ICMP || s->protocol == ICMP6) {
    l4[0] = s->type;
    l4[1] = s->code;
    put16(l4 + 4, from);
    put16(l4 + 6, s->type == 0 || s->type == 8 || s->type >= 128);
    return 8;
  }
  put16(l4, from);
  put16(l4 + 2, to);
  if (s->protocol != TCP) {
    put16(l4 + 4, 8 + payload);
    return 8;
  }
  put32(l4 + 4, s->seq);
  put32(l4 + 8, s->ack);
  l4[12] = 5 << 4;
  l4[13] = s->flags;
  put16(l4 + 14, 65535);
  return 20;
}

static size_t header_of(uint8_t protocol) {
  return protocol == TCP ? 20 : 8;
}

static size_t field_of(uint8_t protocol) {
  return protocol == TCP ? 16 : protocol == UDP ? 6 : 2;
}

size_t rig_write(const rig_send *s, uint8_t *vnet, uint8_t *frame) {
  thirl_addr from, to;
  uint8_t protocol = s->protocol ? s->protocol : UDP, *ip = frame + RIG_ETH;
  size_t payload = s->payload_len ? s->payload_len : strlen(s->payload ? s->payload : "");
  assert_int_equal(thirl_addr_parse(s->from, &from), THIRL_OK);
  assert_int_equal(thirl_addr_parse(s->to, &to), THIRL_OK);
  put16(frame + 12, from.family == THIRL_FAMILY_V6 ? 0x86dd : 0x0800);
  size_t l4_len = header_of(protocol) + payload, ip_len = write_ip(s, ip, &from, &to, l4_len);
  uint8_t *l4 = ip + ip_len, *data = l4 + header_of(protocol);
  write_l4(s, l4, from.port, to.port, payload);
  for (size_t i = 0; i < payload; i++)
    data[i] = s->payload_len ? (uint8_t)(i * 31) : (uint8_t)s->payload[i];
  unsigned begin = protocol == ICMP ? 0 : pseudo(ip, protocol, l4_len);
  uint8_t *field = l4 + field_of(protocol);
  memset(vnet, 0, RIG_VNET);
  if (s->unfinished || s->gso) {
    uint16_t words[2] = {(uint16_t)(RIG_ETH + ip_len), (uint16_t)field_of(protocol)};
    put16(field, begin);
    vnet[0] = 1; /* VIRTIO_NET_HDR_F_NEEDS_CSUM */
    memcpy(vnet + 6, words, 4);
    if (s->gso) {
      vnet[1] = protocol == UDP ? 5 : from.family == THIRL_FAMILY_V6 ? 4 : 1;
      memcpy(vnet + 4, &s->gso, 2);
    }
  } else if (!s->without_sum) {
    unsigned v = ~sum(l4, l4_len, begin) & 0xffff;
    put16(field, v == 0 && protocol == UDP ? 0xffff : v);
  }
  return RIG_ETH + ip_len + l4_len;
}

/* ---- judging ---- */

bool rig_is_sound(const uint8_t *vnet, const uint8_t *frame, size_t len) {
  const uint8_t *ip = frame + RIG_ETH;
  bool v6 = get16(frame + 12) == 0x86dd;
  size_t ip_len = v6 ? 40 : (size_t)(ip[0] & 15) * 4, l4_len = (v6 ? get16(ip + 4) + 40u : get16(ip + 2)) - ip_len;
  uint8_t protocol = v6 ? ip[6] : ip[9];
  const uint8_t *l4 = ip + ip_len;
  if (RIG_ETH + ip_len + l4_len != len) return false;
  if (!v6 && sum(ip, ip_len, 0) != 0xffff) return false;
  if (!v6 && get16(ip + 6) & 0x3fff) return true; /* a fragment: the checksum covers others too */
  if (protocol == UDP && !v6 && get16(l4 + 6) == 0) return true;
  unsigned begin = protocol == ICMP ? 0 : pseudo(ip, protocol, l4_len);
  if (vnet[0] & 1) { /* the field holds the sum over the pseudo header */
    uint16_t start, offset;
    memcpy(&start, vnet + 6, 2);
    memcpy(&offset, vnet + 8, 2);
    return start == RIG_ETH + ip_len && offset == field_of(protocol) && get16(frame + start + offset) == begin;
  }
  return sum(l4, l4_len, begin) == 0xffff;
}

static void write_addr(char *out, const uint8_t *ip, bool v6, bool source, const uint8_t *port) {
  const uint8_t *at = ip + (v6 ? (source ? 8 : 24) : (source ? 12 : 16));
  thirl_addr a = v6 ? thirl_addr_v6(at, 0) : thirl_addr_v4(at[0], at[1], at[2], at[3], 0);
  a.port = port ? (uint16_t)get16(port) : 0;
  thirl_addr_format(&a, out);
}

static void write_flags(char *out, uint8_t flags) {
  static const char names[] = "FSRPA";
  for (int i = 0; i < 5; i++)
    if (flags >> i & 1) *out++ = names[i];
  *out = '\0';
}

/* ip within end; with_payload: the packet is whole. */
static void describe(const uint8_t *ip, const uint8_t *end, bool with_payload, char *out) {
  bool v6 = ip[0] >> 4 == 6;
  uint8_t protocol = v6 ? ip[6] : ip[9];
  const uint8_t *l4 = ip + (v6 ? 40 : (ip[0] & 15) * 4);
  char from[THIRL_ADDR_TEXT_MAX], to[THIRL_ADDR_TEXT_MAX], what[64] = "?", flags[8];
  bool has_ports = protocol == TCP || protocol == UDP;
  write_addr(from, ip, v6, true, has_ports ? l4 : NULL);
  write_addr(to, ip, v6, false, has_ports ? l4 + 2 : NULL);
  if (protocol == UDP) snprintf(what, sizeof what, "UDP");
  if (protocol == TCP && l4 + 14 <= end) {
    write_flags(flags, l4[13]);
    snprintf(what, sizeof what, "TCP %s", flags);
  }
  if (protocol == ICMP || protocol == ICMP6) {
    bool error = v6 ? l4[0] < 128 : l4[0] != 0 && l4[0] != 8;
    snprintf(what, sizeof what, error ? "ICMP %d/%d" : "ICMP %d/%d id %u", l4[0], l4[1], get16(l4 + 4));
  }
  int n = snprintf(out, TEXT_MAX, "%s > %s %s %d", from, to, what, v6 ? ip[7] : ip[8]);
  const uint8_t *data = l4 + header_of(protocol);
  if (with_payload && has_ports && end > data)
    snprintf(out + n, (size_t)(TEXT_MAX - n), " %.*s", (int)(end - data > 40 ? 40 : end - data), (const char *)data);
}

const char *rig_text(const rig_packet *p) {
  static char out[TEXT_MAX];
  describe(p->frame + RIG_ETH, p->frame + p->len, true, out);
  return out;
}

const char *rig_error_text(const rig_packet *p) {
  static char out[TEXT_MAX + 32];
  char quoted[TEXT_MAX];
  const uint8_t *ip = p->frame + RIG_ETH, *icmp = ip + (ip[0] >> 4 == 6 ? 40 : 20);
  describe(icmp + 8, p->frame + p->len, false, quoted);
  snprintf(out, sizeof out, "%d/%d %u %s", icmp[0], icmp[1], get16(icmp + 6), quoted);
  return out;
}

/* ---- hosts ---- */

static void mac_of(size_t port, uint8_t *mac) {
  static const uint8_t like[6] = {0x06, 0, 0, 0, 0, 0};
  memcpy(mac, like, 6);
  mac[5] = (uint8_t)(port + 1);
}

static const thirl_lab_cable *cable_of(const rig *r, size_t port) {
  thirl_lab_engine_port at = thirl_lab_engine_get_port(r->engine, port);
  const thirl_lab_node *n = &r->topology->nodes[at.node];
  return at.inner ? &n->inner : &n->outer;
}

static bool has_address(const rig *r, size_t port, const uint8_t *ip, size_t n) {
  const thirl_lab_cable *c = cable_of(r, port);
  for (size_t i = 0; i < c->n_addrs; i++)
    if (thirl_addr_ip_len(&c->addrs[i].addr) == n && memcmp(c->addrs[i].addr.ip, ip, n) == 0) return true;
  return false;
}

static void answer_arp(rig *r, size_t port, const uint8_t *question) {
  uint8_t frame[42];
  memcpy(frame, question, sizeof frame);
  memcpy(frame, question + 6, 6);
  mac_of(port, frame + 6);
  frame[21] = 2;
  mac_of(port, frame + 22);
  memcpy(frame + 28, question + 38, 4);
  memcpy(frame + 32, question + 22, 10);
  rig_frame(r, port, NULL, frame, sizeof frame);
}

/* A solicitation and its advertisement, RFC 4861 sections 4.3 and 4.4. */
static void write_nd(uint8_t *frame, uint8_t type, const uint8_t *from, const uint8_t *to, const uint8_t *target,
                     const uint8_t *mac) {
  uint8_t *ip = frame + RIG_ETH, *nd = ip + 40;
  memset(frame, 0, 86);
  memcpy(frame + 6, mac, 6);
  put16(frame + 12, 0x86dd);
  ip[0] = 0x60;
  put16(ip + 4, 32);
  ip[6] = ICMP6;
  ip[7] = 255;
  memcpy(ip + 8, from, 16);
  memcpy(ip + 24, to, 16);
  nd[0] = type;
  nd[4] = type == 136 ? 0x60 : 0;
  memcpy(nd + 8, target, 16);
  nd[24] = type == 136 ? 2 : 1;
  nd[25] = 1;
  memcpy(nd + 26, mac, 6);
  put16(nd + 2, ~sum(nd, 32, pseudo(ip, ICMP6, 32)) & 0xffff);
}

static void answer_nd(rig *r, size_t port, const uint8_t *question) {
  uint8_t frame[86], mac[6];
  mac_of(port, mac);
  write_nd(frame, 136, question + RIG_ETH + 48, question + RIG_ETH + 8, question + RIG_ETH + 48, mac);
  memcpy(frame, question + 6, 6);
  rig_frame(r, port, NULL, frame, sizeof frame);
}

static void learn(rig *r, size_t port, const uint8_t *mac) {
  memcpy(r->learned[port], mac, 6);
  r->has_learned[port] = true;
}

static bool is_neighbour_talk(rig *r, const rig_packet *p) {
  const uint8_t *f = p->frame;
  if (get16(f + 12) == 0x0806) {
    bool asks = f[21] == 1, for_us = has_address(r, p->port, f + 38, 4);
    if (asks && for_us) r->n_questions++;
    if (asks && for_us && !r->silent[p->port]) answer_arp(r, p->port, f);
    if (!asks && for_us) learn(r, p->port, f + 22);
    return true;
  }
  if (get16(f + 12) != 0x86dd || f[RIG_ETH + 6] != ICMP6) return false;
  uint8_t type = f[RIG_ETH + 40];
  bool for_us = type == 135 && has_address(r, p->port, f + RIG_ETH + 48, 16);
  if (for_us) r->n_questions++;
  if (for_us && !r->silent[p->port]) answer_nd(r, p->port, f);
  if (type == 136) {
    assert_true(rig_is_sound(p->vnet, f, p->len));
    learn(r, p->port, f + RIG_ETH + 40 + 26);
  }
  return type == 135 || type == 136;
}

static bool is_for(const rig_packet *p) {
  uint8_t mac[6];
  mac_of(p->port, mac);
  return memcmp(p->frame, mac, 6) == 0 || p->frame[0] & 1;
}

static void collect(rig *r) {
  size_t n;
  const thirl_lab_fabric_frame *frames = thirl_lab_engine_frames(r->engine, &n);
  size_t first = r->n;
  for (size_t i = 0; i < n; i++) {
    assert_true(r->n < RIG_GOT_MAX);
    rig_packet *p = &r->got[r->n++];
    *p = (rig_packet){.port = frames[i].port, .at = frames[i].due, .len = frames[i].len};
    memcpy(p->vnet, frames[i].vnet, RIG_VNET);
    p->frame = malloc(p->len);
    assert_non_null(p->frame);
    memcpy(p->frame, frames[i].data, p->len);
  }
  thirl_lab_engine_clear(r->engine);
  for (size_t i = first; i < r->n;) {
    rig_packet p = r->got[i];
    if (is_for(&p) && !is_neighbour_talk(r, &p)) {
      i++;
      continue;
    }
    /* Answers were collected behind it meanwhile. */
    memmove(&r->got[i], &r->got[i + 1], (r->n - i - 1) * sizeof *r->got);
    r->n--;
    free(p.frame);
  }
}

void rig_frame(rig *r, size_t port, const uint8_t *vnet, const uint8_t *frame, size_t len) {
  uint8_t nothing[RIG_VNET] = {0};
  uint8_t *copy = malloc(len + 1); /* so that reading beyond the end is seen */
  assert_non_null(copy);
  memcpy(copy, frame, len);
  copy = realloc(copy, len ? len : 1);
  assert_non_null(copy);
  if (vnet) memcpy(nothing, vnet, RIG_VNET);
  thirl_lab_engine_input(r->engine, r->now, port, nothing, copy, len);
  collect(r);
  free(copy);
}

/* ---- the rig ---- */

void rig_open(rig *r, const char *text) {
  thirl_lab_complaint why = {""};
  memset(r, 0, sizeof *r);
  if (thirl_lab_topology_read("test", text, strlen(text), &r->topology, &why) != THIRL_OK) fail_msg("%s", why.text);
  r->now = 1000 * THIRL_S;
  r->engine = thirl_lab_engine_new(r->topology, r->now);
  assert_non_null(r->engine);
}

void rig_clear(rig *r) {
  for (size_t i = 0; i < r->n; i++)
    free(r->got[i].frame);
  r->n = 0;
}

void rig_close(rig *r) {
  rig_clear(r);
  thirl_lab_engine_free(r->engine);
  thirl_lab_topology_free(r->topology);
}

size_t rig_port(const rig *r, const char *host) {
  size_t node = thirl_lab_topology_find_node(r->topology, host);
  for (size_t i = 0; i < thirl_lab_engine_count_ports(r->engine); i++)
    if (thirl_lab_engine_get_port(r->engine, i).node == node) return i;
  fail_msg("no host %s", host);
  return 0;
}

void rig_run(rig *r, thirl_time until) {
  for (thirl_time t; (t = thirl_lab_engine_deadline(r->engine)) <= until;) {
    r->now = THIRL_MAX(r->now, t);
    thirl_lab_engine_tick(r->engine, r->now);
    collect(r);
  }
  r->now = until;
  thirl_lab_engine_tick(r->engine, r->now);
  collect(r);
}

size_t rig_count(const rig *r, const char *host) {
  size_t n = 0, port = rig_port(r, host);
  for (size_t i = 0; i < r->n; i++)
    n += r->got[i].port == port;
  return n;
}

const rig_packet *rig_only(const rig *r, const char *host) {
  size_t port = rig_port(r, host);
  if (rig_count(r, host) != 1) fail_msg("%s got %zu packets", host, rig_count(r, host));
  for (size_t i = 0; i < r->n; i++) {
    if (r->got[i].port != port) continue;
    if (!rig_is_sound(r->got[i].vnet, r->got[i].frame, r->got[i].len))
      fail_msg("a wrong checksum: %s", rig_text(&r->got[i]));
    return &r->got[i];
  }
  return NULL;
}

void rig_expect(rig *r, const char *host, const char *text, const char *file, int line) {
  for (size_t i = 0; i < r->n; i++)
    if (strcmp(rig_text(&r->got[i]), text) != 0 || r->got[i].port != rig_port(r, host) || r->n > 1)
      print_error("%s:%d: %zu of %zu: port %zu: %s\n", file, line, i + 1, r->n, r->got[i].port, rig_text(&r->got[i]));
  if (r->n != 1 || r->got[0].port != rig_port(r, host) || strcmp(rig_text(&r->got[0]), text) != 0)
    fail_msg("%s:%d: %s did not get exactly: %s", file, line, host, text);
  (void)rig_only(r, host);
  rig_clear(r);
}

static bool is_near(const thirl_lab_net *net, const thirl_addr *a) {
  for (size_t i = 0; i < net->n_prefixes; i++)
    if (thirl_lab_address_contains(&net->prefixes[i], a)) return true;
  return false;
}

static void ask(rig *r, size_t port, const thirl_addr *target, const thirl_addr *from) {
  uint8_t frame[86] = {0}, mac[6], group[16] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
  mac_of(port, mac);
  if (target->family == THIRL_FAMILY_V6) {
    memcpy(group + 13, target->ip + 13, 3);
    write_nd(frame, 135, from->ip, group, target->ip, mac);
    frame[0] = frame[1] = 0x33;
    memcpy(frame + 2, group + 12, 4);
    rig_frame(r, port, NULL, frame, 86);
    return;
  }
  static const uint8_t begin[] = {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1};
  memset(frame, 0xff, 6);
  memcpy(frame + 6, mac, 6);
  memcpy(frame + 12, begin, sizeof begin);
  memcpy(frame + 22, mac, 6);
  memcpy(frame + 28, from->ip, 4);
  memcpy(frame + 38, target->ip, 4);
  rig_frame(r, port, NULL, frame, 42);
}

void rig_send_from(rig *r, const char *host, const rig_send *s) {
  static uint8_t frame[RIG_FRAME_MAX];
  uint8_t vnet[RIG_VNET];
  size_t port = rig_port(r, host), len = rig_write(s, vnet, frame);
  const thirl_lab_net *net = &r->topology->nets[cable_of(r, port)->net];
  thirl_addr from, to;
  thirl_addr_parse(s->from, &from);
  thirl_addr_parse(s->to, &to);
  thirl_addr hop = to;
  for (size_t i = 0; i < net->n_prefixes && !is_near(net, &to); i++)
    if (net->gateways[i].addr.family == to.family) hop = net->gateways[i].addr;
  r->has_learned[port] = false;
  ask(r, port, &hop, &from);
  for (int i = 0; i < 100 && !r->has_learned[port]; i++) /* where the links take their time */
    rig_run(r, r->now + 50 * THIRL_MS);
  if (!r->has_learned[port]) fail_msg("%s finds nobody at the next hop to %s", host, s->to);
  memcpy(frame, r->learned[port], 6);
  mac_of(port, frame + 6);
  rig_frame(r, port, vnet, frame, len);
}
