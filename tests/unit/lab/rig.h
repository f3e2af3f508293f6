/* SPDX-License-Identifier: MIT */
/*
 * An engine in virtual time with hosts that are nothing but frames: they answer for their addresses, and keep every IP packet that they get. Frames are
 * written and judged here with nothing of the engine: the checksums are RFC 1071's, over the whole packet.
 */
#ifndef THIRL_TESTS_UNIT_LAB_RIG_H
#define THIRL_TESTS_UNIT_LAB_RIG_H

#include "lab/internet/engine.h"

enum { RIG_HOSTS_MAX = 16, RIG_GOT_MAX = 512, RIG_FRAME_MAX = 70000, RIG_VNET = 10, RIG_ETH = 14 };

typedef struct rig_packet {
  size_t port;
  thirl_time at;
  size_t len;
  uint8_t vnet[RIG_VNET];
  uint8_t *frame;
} rig_packet;

typedef struct rig {
  thirl_lab_topology *topology;
  thirl_lab_engine_machine *engine;
  thirl_time now;
  bool silent[RIG_HOSTS_MAX];        /* does not answer for its addresses */
  uint8_t learned[RIG_HOSTS_MAX][6]; /* the MAC that the last answer to a question told */
  bool has_learned[RIG_HOSTS_MAX];
  rig_packet got[RIG_GOT_MAX];
  size_t n, n_questions; /* ARP and neighbour solicitations that came to whom they ask for */
} rig;

void rig_open(rig *r, const char *text);
void rig_close(rig *r);
/** The port of a host by its name. */
size_t rig_port(const rig *r, const char *host);
/** Time passes; what comes out is kept. */
void rig_run(rig *r, thirl_time until);
/** Forgets what was got. */
void rig_clear(rig *r);
/** The only packet that this host got since the last clear; fails when it is not the only one. Its checksums are right. */
const rig_packet *rig_only(const rig *r, const char *host);
size_t rig_count(const rig *r, const char *host);

/** A whole frame as it is; vnet NULL: nothing to say. */
void rig_frame(rig *r, size_t port, const uint8_t *vnet, const uint8_t *frame, size_t len);

typedef struct rig_send {
  const char *from, *to; /* "192.168.1.10:5000", "[2001:db8::1]:80" */
  uint8_t protocol;      /* 6, 17, 1 or 58; UDP when 0 */
  uint8_t ttl;           /* 64 when 0 */
  uint8_t flags;         /* TCP */
  uint32_t seq, ack;
  const char *payload; /* "" when NULL */
  size_t payload_len;  /* so many bytes of a pattern instead */
  uint8_t type, code;  /* ICMP; its identifier is the port of from */
  bool unfinished;     /* leaves the checksum to the card */
  bool without_sum;    /* UDP over IPv4: 0 */
  bool may_fragment;   /* IPv4: without "don't fragment" */
  uint16_t gso;        /* stands for several of this payload */
} rig_send;

/** Writes the frame of a packet, without MACs; returns its length. */
size_t rig_write(const rig_send *s, uint8_t *vnet, uint8_t *frame);
/** The host sends it, by its router or straight to a neighbour, whose MAC it asks for when it does not know it. */
void rig_send_from(rig *r, const char *host, const rig_send *s);

/** "203.0.113.1:5000 > 203.0.113.10:80 UDP 63 hello": addresses, protocol (TCP with S, A, R, F, P), hop limit, payload. */
const char *rig_text(const rig_packet *p);
/** The same of the packet that an ICMP error quotes, without payload, behind "type/code mtu ". */
const char *rig_error_text(const rig_packet *p);
/** Are all checksums of this frame right (with the card's part done)? */
bool rig_is_sound(const uint8_t *vnet, const uint8_t *frame, size_t len);

/** Fails with both texts when the host did not get exactly this one packet; forgets everything then. */
#define rig_gets(r, host, text) rig_expect(r, host, text, __FILE__, __LINE__)
void rig_expect(rig *r, const char *host, const char *text, const char *file, int line);

#endif
