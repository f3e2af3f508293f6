/* SPDX-License-Identifier: MIT */
/*
 * A router that means well: it looks for the address that it translates in what the datagrams carry, and translates that too. Plain
 * MAPPED-ADDRESS of STUN comes out as a lie; XOR-MAPPED-ADDRESS is not recognised. RFC 8489 section 14.2.
 */
#ifndef THIRL_NATBOX_ALG_H
#define THIRL_NATBOX_ALG_H

#include "natbox/config.h"
#include "natbox/packet.h"

/**
 * In how many places does the payload have to change, now that the box has made *after of *before? With bytes (a copy of the payload, n of them)
 * they are changed there; NULL only counts. The box itself never touches payloads: their owner asks here.
 */
size_t thirl_natbox_alg_translate(const thirl_natbox_config *config, const thirl_natbox_packet *before,
                                  const thirl_natbox_packet *after, uint8_t *bytes, size_t n);

#endif
