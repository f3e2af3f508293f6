/* SPDX-License-Identifier: MIT */
/* Packets and addresses for the tests of the NAT. */
#ifndef THIRL_TESTS_UNIT_NATBOX_PIECES_H
#define THIRL_TESTS_UNIT_NATBOX_PIECES_H

#include "natbox/natbox.h"

#define SYN THIRL_NATBOX_SYN
#define ACK THIRL_NATBOX_ACK
#define FIN THIRL_NATBOX_FIN
#define RST THIRL_NATBOX_RST

/** Inner host number, outer address of the box, remote host number. */
thirl_addr inner(uint8_t host, uint16_t port);
thirl_addr outer(uint16_t port);
thirl_addr remote(uint8_t host, uint16_t port);

thirl_natbox_packet udp(thirl_addr src, thirl_addr dst);
thirl_natbox_packet tcp(thirl_addr src, thirl_addr dst, uint8_t flags, uint32_t seq, uint32_t ack);

/** A box with these behaviours, port preserving; change the config and make one. */
thirl_natbox_config config_of(thirl_natbox_mapping mapping, thirl_natbox_filtering filtering);
thirl_natbox *box_of(const thirl_natbox_config *config);

/** The outer endpoint that a packet gets on its way out; unset when it does not get out. */
thirl_addr out_udp(thirl_natbox *box, thirl_time now, thirl_addr src, thirl_addr dst);
/** The inner endpoint that a packet reaches; unset when it is discarded. */
thirl_addr in_udp(thirl_natbox *box, thirl_time now, thirl_addr src, thirl_addr dst);
/** The verdict over a TCP segment, out or in. */
thirl_natbox_verdict out_tcp(thirl_natbox *box, thirl_time now, thirl_natbox_packet p);
thirl_natbox_verdict in_tcp(thirl_natbox *box, thirl_time now, thirl_natbox_packet p);

void expect_addr(thirl_addr is, thirl_addr want, const char *file, int line);
void expect_packet(const thirl_natbox_packet *is, const thirl_natbox_packet *want, const char *file, int line);
#define assert_addr(is, want)   expect_addr(is, want, __FILE__, __LINE__)
#define assert_nobody(is)       expect_addr(is, (thirl_addr){0}, __FILE__, __LINE__)
#define assert_packet(is, want) expect_packet(is, want, __FILE__, __LINE__)

#endif
