/* SPDX-License-Identifier: MIT */
/*
 * The internet checksum of RFC 1071: over bytes, and kept right while fields change (RFC 1624).
 *
 * A packet from a Linux host may carry an unfinished one (VIRTIO_NET_HDR_F_NEEDS_CSUM): the field holds the sum over the pseudo header, not
 * complemented, and a network card would do the rest. Of what changes, only what the pseudo header holds may then be counted: addresses, not ports.
 */
#ifndef THIRL_LAB_CHECKSUM_H
#define THIRL_LAB_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** sum and n more bytes; n is odd at the end only. Fold it when all is in. */
uint32_t thirl_lab_checksum_add(uint32_t sum, const uint8_t *p, size_t n);
/** To 16 bits, not complemented. */
uint16_t thirl_lab_checksum_fold(uint32_t sum);
/** The unfolded sum over the pseudo header of a packet whose IP header is at ip: addresses, protocol, length of what follows. */
uint32_t thirl_lab_checksum_pseudo(const uint8_t *ip, uint8_t protocol, size_t len);
/**
 * The field at field covers data of which n bytes, n even, were old and are now new. unfinished: see above. A checksum of UDP that would
 * become 0 stays 0xffff, which is the same number.
 */
void thirl_lab_checksum_replace(uint8_t *field, const uint8_t *old, const uint8_t *new, size_t n, bool unfinished);
/** Does the rest where something is unfinished; vnet says no more then that there is. False: vnet points outside the frame; nothing was changed. */
bool thirl_lab_checksum_finish(uint8_t *vnet, uint8_t *frame, size_t len);
/** Is the checksum of this frame unfinished? vnet: THIRL_LAB_VNET_LEN bytes. */
bool thirl_lab_checksum_is_unfinished(const uint8_t *vnet);

#endif
