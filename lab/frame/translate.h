/* SPDX-License-Identifier: MIT */
/*
 * Bytes and the NAT model's view of them: a packet read as a value, a changed value written into the same bytes, and the box's own answers made into
 * bytes. Lengths never change, payloads are not touched; checksums follow what changes, also those that are unfinished (checksum.h), so that a wrong
 * one stays wrong.
 */
#ifndef THIRL_LAB_TRANSLATE_H
#define THIRL_LAB_TRANSLATE_H

#include "lab/frame/flight.h"
#include "lab/frame/headers.h"
#include "natbox/packet.h"

typedef struct thirl_lab_translation {
  thirl_natbox_packet packet; /* payload borrows from the frame */
  thirl_lab_headers quoted;   /* ICMP errors: the packet that it is about */
} thirl_lab_translation;

/**
 * False: nothing that the model knows. UDP, TCP, echo and its answer, ICMP errors about these; a first fragment counts as the packet. An ICMP error
 * with a wrong checksum is not known.
 */
bool thirl_lab_translate_read(const thirl_lab_flight *f, const thirl_lab_headers *h, thirl_lab_translation *out);
/** Writes what differs between was and now into the frame; *h follows. */
void thirl_lab_translate_write(thirl_lab_flight *f, thirl_lab_headers *h, const thirl_lab_translation *was,
                               const thirl_natbox_packet *now);
/** What follows the UDP header is now these bytes, of the same length; the checksum follows. One packet with its ports, not one that stands for several. */
void thirl_lab_translate_payload(thirl_lab_flight *f, const thirl_lab_headers *h, const uint8_t *bytes, size_t n);
/** Addresses of a later fragment, as the first one was given them. */
void thirl_lab_translate_fragment(thirl_lab_flight *f, thirl_lab_headers *h, const thirl_addr *src,
                                  const thirl_addr *dst);
/**
 * An answer of the box: a RST, or an ICMP error about the packet in f (empty: about one that is gone, which is made up from what is known of it).
 * NULL: no memory.
 */
thirl_lab_packet *thirl_lab_translate_answer(const thirl_natbox_packet *p, const thirl_lab_flight *f,
                                             const thirl_lab_headers *h);

#endif
