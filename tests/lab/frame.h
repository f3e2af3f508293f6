/* SPDX-License-Identifier: MIT */
/* Packets of the NAT's model as Ethernet frames and back, IPv4 only; written for the tests and independent of what the lab does with bytes. */
#ifndef THIRL_TESTS_LAB_FRAME_H
#define THIRL_TESTS_LAB_FRAME_H

#include "natbox/packet.h"

enum { FRAME_MAC = 6, FRAME_MAX = 1514, FRAME_ARP = 42 };

/** A whole frame with correct checksums; its length. The payload is p->payload. Zero: it does not fit. */
size_t frame_encode(const thirl_natbox_packet *p, const uint8_t to[FRAME_MAC], const uint8_t from[FRAME_MAC],
                    uint8_t out[FRAME_MAX]);
/** False: nothing that the NAT's model knows. payload borrows. *sums: all checksums were right. */
bool frame_decode(const uint8_t *frame, size_t len, thirl_natbox_packet *out, bool *sums);

/** Who has target? Asked by sender. */
size_t frame_arp_ask(const thirl_addr *target, const thirl_addr *sender, const uint8_t from[FRAME_MAC],
                     uint8_t out[FRAME_MAX]);
/** An ARP packet: who speaks, who is asked for, is it a question? */
bool frame_arp_decode(const uint8_t *frame, size_t len, bool *is_question, thirl_addr *sender, thirl_addr *target);
/** The answer to a question: target is at from. */
size_t frame_arp_answer(const uint8_t *question, const uint8_t from[FRAME_MAC], uint8_t out[FRAME_MAX]);

#endif
