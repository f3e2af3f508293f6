/* SPDX-License-Identifier: MIT */
#include "lab/frame/translate.h"

#include <string.h>

#include "lab/frame/checksum.h"
#include "lab/frame/icmp.h"
#include "lab/frame/wire.h"

enum { TTL = 64, TCP_FLAG_BITS = 0x3f };

/* ---- bytes to a value ---- */

static bool is_echo_type(const uint8_t *icmp, bool v6, bool *is_request) {
  uint8_t type = icmp[0];
  *is_request = type == (v6 ? THIRL_LAB_ICMP6_ECHO : THIRL_LAB_ICMP_ECHO);
  return *is_request || type == (v6 ? THIRL_LAB_ICMP6_ECHO_REPLY : THIRL_LAB_ICMP_ECHO_REPLY);
}

/* The identifier of an echo is the port of the end that asks. */
static bool read_echo(const uint8_t *icmp, bool v6, thirl_addr *src, thirl_addr *dst) {
  bool is_request;
  if (!is_echo_type(icmp, v6, &is_request)) return false;
  (is_request ? src : dst)->port = thirl_lab_wire_get16(icmp + THIRL_LAB_ICMP_ECHO_ID);
  return true;
}

static bool read_tcp(const thirl_lab_flight *f, const thirl_lab_headers *h, thirl_natbox_packet *p) {
  const uint8_t *tcp = f->frame + h->l4;
  size_t header = (size_t)(tcp[THIRL_LAB_TCP_OFFSET] >> 4) * 4;
  if (header < THIRL_LAB_TCP_LEN_MIN || h->l4 + header > h->end) return false;
  p->protocol = THIRL_NATBOX_TCP;
  p->flags = tcp[THIRL_LAB_TCP_FLAGS] & TCP_FLAG_BITS;
  p->seq = thirl_lab_wire_get32(tcp + THIRL_LAB_TCP_SEQUENCE);
  p->ack = thirl_lab_wire_get32(tcp + THIRL_LAB_TCP_ACK);
  p->payload = THIRL_BYTES(tcp + header, h->end - h->l4 - header);
  return true;
}

static thirl_natbox_icmp kind_of(const uint8_t *icmp, bool v6) {
  if (icmp[0] == (v6 ? THIRL_LAB_ICMP6_TIME_EXCEEDED : THIRL_LAB_ICMP_TIME_EXCEEDED)) return THIRL_NATBOX_TIME_EXCEEDED;
  bool port = icmp[0] == (v6 ? THIRL_LAB_ICMP6_UNREACHABLE : THIRL_LAB_ICMP_UNREACHABLE) &&
              icmp[THIRL_LAB_ICMP_CODE] == (v6 ? 4 : 3);
  return port ? THIRL_NATBOX_PORT_UNREACHABLE : THIRL_NATBOX_HOST_UNREACHABLE;
}

static bool read_error(const thirl_lab_flight *f, const thirl_lab_headers *h, thirl_lab_translation *out) {
  thirl_lab_headers *q = &out->quoted;
  thirl_natbox_packet *p = &out->packet;
  bool v6 = h->family == THIRL_FAMILY_V6;
  size_t at = h->l4 + THIRL_LAB_ICMP_LEN;
  if (h->is_fragment || !thirl_lab_icmp_is_sound(f->frame, h)) return false;
  if (thirl_lab_headers_read_quoted(f->frame, at, h->end, q) != THIRL_LAB_HEADERS_OK || q->family != h->family)
    return false;
  p->protocol = THIRL_NATBOX_ICMP;
  p->icmp = (uint8_t)kind_of(f->frame + h->l4, v6);
  p->inner.src = q->src;
  p->inner.dst = q->dst;
  if (q->has_ports) {
    bool tcp = q->protocol == THIRL_LAB_PROTOCOL_TCP;
    p->inner.protocol = tcp ? THIRL_NATBOX_TCP : THIRL_NATBOX_UDP;
    if (tcp) p->inner.seq = thirl_lab_wire_get32(f->frame + q->l4 + THIRL_LAB_TCP_SEQUENCE);
    return true;
  }
  p->inner.protocol = THIRL_NATBOX_ECHO;
  return thirl_lab_icmp_is(q) && read_echo(f->frame + q->l4, v6, &p->inner.src, &p->inner.dst);
}

bool thirl_lab_translate_read(const thirl_lab_flight *f, const thirl_lab_headers *h, thirl_lab_translation *out) {
  memset(out, 0, sizeof *out);
  thirl_natbox_packet *p = &out->packet;
  p->src = h->src;
  p->dst = h->dst;
  p->ttl = h->ttl;
  if (h->has_ports && h->protocol == THIRL_LAB_PROTOCOL_TCP) return read_tcp(f, h, p);
  if (h->has_ports) {
    p->protocol = THIRL_NATBOX_UDP;
    p->payload = THIRL_BYTES(f->frame + h->l4 + THIRL_LAB_UDP_LEN, h->end - h->l4 - THIRL_LAB_UDP_LEN);
    return true;
  }
  if (!thirl_lab_icmp_is(h)) return false;
  if (thirl_lab_icmp_is_error(f->frame, h)) return read_error(f, h, out);
  p->protocol = THIRL_NATBOX_ECHO;
  return read_echo(f->frame + h->l4, h->family == THIRL_FAMILY_V6, &p->src, &p->dst);
}

/* ---- a changed value into the same bytes ---- */

/* Where the checksum is that covers a packet's addresses or ports; 0: nowhere, or not in what is here. */
static size_t checksum_field(const uint8_t *frame, const thirl_lab_headers *h) {
  size_t field = 0;
  if (!h->is_first) return 0;
  if (h->protocol == THIRL_LAB_PROTOCOL_TCP)
    field = h->l4 + THIRL_LAB_TCP_CHECKSUM;
  else if (h->protocol == THIRL_LAB_PROTOCOL_UDP)
    field = h->l4 + THIRL_LAB_UDP_CHECKSUM;
  else if (h->protocol == THIRL_LAB_PROTOCOL_ICMP || h->protocol == THIRL_LAB_PROTOCOL_ICMP6)
    field = h->l4 + THIRL_LAB_ICMP_CHECKSUM;
  if (field + 2 > h->end) return 0;
  bool none =
      h->protocol == THIRL_LAB_PROTOCOL_UDP && h->family == THIRL_FAMILY_V4 && thirl_lab_wire_get16(frame + field) == 0;
  return none ? 0 : field;
}

typedef struct change {
  uint8_t *frame;
  const thirl_lab_headers *h;
  size_t field; /* checksum_field */
  bool unfinished;
} change;

static void change_ip(const change *c, size_t at, const thirl_addr *to) {
  size_t n = thirl_addr_ip_len(to);
  uint8_t *old = c->frame + at;
  if (memcmp(old, to->ip, n) == 0) return;
  if (c->h->family == THIRL_FAMILY_V4)
    thirl_lab_checksum_replace(c->frame + c->h->ip + THIRL_LAB_IP_CHECKSUM, old, to->ip, n, false);
  if (c->field > 0 && c->h->protocol != THIRL_LAB_PROTOCOL_ICMP) /* ICMP for IPv4 has no pseudo header */
    thirl_lab_checksum_replace(c->frame + c->field, old, to->ip, n, c->unfinished);
  memcpy(old, to->ip, n);
}

/* Two bytes behind the IP header: a port, an identifier. */
static void change_word(const change *c, size_t at, uint16_t to) {
  uint8_t new[2];
  thirl_lab_wire_put16(new, to);
  if (c->field > 0 && !c->unfinished) thirl_lab_checksum_replace(c->frame + c->field, c->frame + at, new, 2, false);
  memcpy(c->frame + at, new, 2);
}

static void change_ports(const change *c, const thirl_addr *src, const thirl_addr *dst) {
  const thirl_lab_headers *h = c->h;
  if (h->has_ports) {
    if (src->port != h->src.port) change_word(c, h->l4, src->port);
    if (dst->port != h->dst.port) change_word(c, h->l4 + 2, dst->port);
    return;
  }
  bool is_request;
  uint8_t *icmp = c->frame + h->l4;
  if (!thirl_lab_icmp_is(h) || !is_echo_type(icmp, h->family == THIRL_FAMILY_V6, &is_request)) return;
  uint16_t id = is_request ? src->port : dst->port;
  if (id != thirl_lab_wire_get16(icmp + THIRL_LAB_ICMP_ECHO_ID)) change_word(c, h->l4 + THIRL_LAB_ICMP_ECHO_ID, id);
}

/* UDP's 0 means that there is none: RFC 768. */
static void avoid_zero(const change *c) {
  bool udp = c->h->protocol == THIRL_LAB_PROTOCOL_UDP;
  if (udp && c->field > 0 && thirl_lab_wire_get16(c->frame + c->field) == 0)
    thirl_lab_wire_put16(c->frame + c->field, 0xffff);
}

static void change_all(uint8_t *frame, const thirl_lab_headers *h, bool unfinished, const thirl_addr *src,
                       const thirl_addr *dst) {
  change c = {.frame = frame, .h = h, .field = checksum_field(frame, h), .unfinished = unfinished};
  change_ip(&c, thirl_lab_headers_source(h), src);
  change_ip(&c, thirl_lab_headers_destination(h), dst);
  if (h->is_first) change_ports(&c, src, dst);
  avoid_zero(&c);
}

static void keep(thirl_lab_headers *h, const thirl_addr *src, const thirl_addr *dst) {
  h->src = h->has_ports ? *src : thirl_addr_with_port(*src, 0);
  h->dst = h->has_ports ? *dst : thirl_addr_with_port(*dst, 0);
}

void thirl_lab_translate_write(thirl_lab_flight *f, thirl_lab_headers *h, const thirl_lab_translation *was,
                               const thirl_natbox_packet *now) {
  bool error = was->packet.protocol == THIRL_NATBOX_ICMP;
  if (error) change_all(f->frame, &was->quoted, false, &now->inner.src, &now->inner.dst);
  change_all(f->frame, h, thirl_lab_checksum_is_unfinished(f->vnet), &now->src, &now->dst);
  if (error) thirl_lab_icmp_seal(f->frame, h); /* it was sound when it was read */
  keep(h, &now->src, &now->dst);
}

void thirl_lab_translate_payload(thirl_lab_flight *f, const thirl_lab_headers *h, const uint8_t *bytes, size_t n) {
  change c = {.frame = f->frame, .h = h, .field = checksum_field(f->frame, h)};
  uint8_t *at = f->frame + h->l4 + THIRL_LAB_UDP_LEN;
  if (c.field > 0 && !thirl_lab_checksum_is_unfinished(f->vnet)) {
    uint8_t *field = f->frame + c.field, was[2] = {0}, is[2] = {0};
    thirl_lab_checksum_replace(field, at, bytes, n & ~(size_t)1, false);
    if (n % 2) {
      was[0] = at[n - 1];
      is[0] = bytes[n - 1];
      thirl_lab_checksum_replace(field, was, is, 2, false);
    }
  }
  memcpy(at, bytes, n);
  avoid_zero(&c);
}

void thirl_lab_translate_fragment(thirl_lab_flight *f, thirl_lab_headers *h, const thirl_addr *src,
                                  const thirl_addr *dst) {
  change_all(f->frame, h, false, src, dst);
  keep(h, src, dst);
}

/* ---- the box's own answers ---- */

/* An IP header and room for len bytes behind it, from the one that ICMP writes. */
static thirl_lab_packet *new_packet(const thirl_addr *src, const thirl_addr *dst, uint8_t protocol, size_t len,
                                    thirl_lab_headers *h) {
  thirl_lab_packet *p = thirl_lab_icmp_new(src, dst, 0, 0, len - THIRL_LAB_ICMP_LEN);
  if (!p) return NULL;
  thirl_lab_headers_read(p->frame, p->len, h); /* ours: whole */
  uint8_t *ip = p->frame + h->ip;
  if (h->family == THIRL_FAMILY_V6) {
    ip[THIRL_LAB_IP6_NEXT] = protocol;
  } else {
    ip[THIRL_LAB_IP_PROTOCOL] = protocol;
    thirl_lab_wire_put16(ip + THIRL_LAB_IP_CHECKSUM, 0);
    thirl_lab_wire_put16(ip + THIRL_LAB_IP_CHECKSUM, thirl_lab_wire_checksum(ip, h->l4 - h->ip, 0));
  }
  h->protocol = protocol;
  return p;
}

static thirl_lab_packet *make_rst(const thirl_natbox_packet *a) {
  thirl_lab_headers h;
  thirl_lab_packet *p = new_packet(&a->src, &a->dst, THIRL_LAB_PROTOCOL_TCP, THIRL_LAB_TCP_LEN_MIN, &h);
  if (!p) return NULL;
  uint8_t *tcp = p->frame + h.l4;
  thirl_lab_wire_put16(tcp, a->src.port);
  thirl_lab_wire_put16(tcp + 2, a->dst.port);
  thirl_lab_wire_put32(tcp + THIRL_LAB_TCP_SEQUENCE, a->seq);
  thirl_lab_wire_put32(tcp + THIRL_LAB_TCP_ACK, a->flags & THIRL_NATBOX_ACK ? a->ack : 0);
  tcp[THIRL_LAB_TCP_OFFSET] = THIRL_LAB_TCP_LEN_MIN / 4 << 4;
  tcp[THIRL_LAB_TCP_FLAGS] = a->flags;
  uint32_t sum = thirl_lab_checksum_pseudo(p->frame + h.ip, THIRL_LAB_PROTOCOL_TCP, THIRL_LAB_TCP_LEN_MIN);
  sum = thirl_lab_checksum_add(sum, tcp, THIRL_LAB_TCP_LEN_MIN);
  thirl_lab_wire_put16(tcp + THIRL_LAB_TCP_CHECKSUM, (uint16_t)~thirl_lab_checksum_fold(sum));
  return p;
}

/* The first bytes of a packet that is not there any more. */
static thirl_lab_packet *make_up(const thirl_natbox_inner *i, thirl_lab_headers *h) {
  uint8_t protocol = i->protocol == THIRL_NATBOX_TCP ? THIRL_LAB_PROTOCOL_TCP : THIRL_LAB_PROTOCOL_UDP;
  thirl_lab_packet *p = new_packet(&i->src, &i->dst, protocol, THIRL_LAB_UDP_LEN, h);
  if (!p) return NULL;
  uint8_t *l4 = p->frame + h->l4;
  thirl_lab_wire_put16(l4, i->src.port);
  thirl_lab_wire_put16(l4 + 2, i->dst.port);
  if (i->protocol == THIRL_NATBOX_TCP)
    thirl_lab_wire_put32(l4 + THIRL_LAB_TCP_SEQUENCE, i->seq);
  else
    thirl_lab_wire_put16(l4 + THIRL_LAB_UDP_TOTAL_LEN, THIRL_LAB_UDP_LEN);
  return p;
}

static thirl_lab_icmp_kind kind_of_answer(uint8_t icmp) {
  if (icmp == THIRL_NATBOX_TIME_EXCEEDED) return THIRL_LAB_ICMP_EXPIRED;
  return icmp == THIRL_NATBOX_HOST_UNREACHABLE ? THIRL_LAB_ICMP_NO_HOST : THIRL_LAB_ICMP_NO_PORT;
}

static thirl_lab_packet *make_error(const thirl_natbox_packet *a, const thirl_lab_flight *f,
                                    const thirl_lab_headers *h) {
  thirl_lab_headers about = *h;
  about.src = a->dst; /* it goes to whom the box says */
  thirl_addr from = thirl_addr_with_port(a->src, 0);
  thirl_lab_packet *p = thirl_lab_icmp_error(f->frame, &about, kind_of_answer(a->icmp), &from, 0);
  if (!p) return NULL;
  /* What it quotes was perhaps seen under other addresses where the error goes. */
  thirl_lab_headers made, quoted;
  thirl_lab_headers_read(p->frame, p->len, &made); /* ours: whole */
  if (thirl_lab_headers_read_quoted(p->frame, made.l4 + THIRL_LAB_ICMP_LEN, made.end, &quoted) == THIRL_LAB_HEADERS_OK)
    change_all(p->frame, &quoted, false, &a->inner.src, &a->inner.dst);
  thirl_lab_icmp_seal(p->frame, &made);
  return p;
}

thirl_lab_packet *thirl_lab_translate_answer(const thirl_natbox_packet *a, const thirl_lab_flight *f,
                                             const thirl_lab_headers *h) {
  if (a->protocol == THIRL_NATBOX_TCP) return make_rst(a);
  if (f->frame) return make_error(a, f, h);
  thirl_lab_headers gone;
  thirl_lab_packet *p = make_up(&a->inner, &gone);
  if (!p) return NULL;
  thirl_lab_headers_read(p->frame, p->len, &gone); /* ours: whole */
  thirl_lab_flight made_up = thirl_lab_flight_of(p);
  thirl_lab_packet *answer = make_error(a, &made_up, &gone);
  thirl_lab_flight_drop(&made_up);
  return answer;
}
