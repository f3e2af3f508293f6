/* SPDX-License-Identifier: MIT */
/* What a plain STUN server says: how the asker is seen from here, or which of its attributes are not understood. RFC 8489 section 6.3. No state. */
#ifndef THIRL_SERVER_BINDING_H
#define THIRL_SERVER_BINDING_H

#include "stun/msg.h"

enum { THIRL_SERVER_BINDING_MAX = 96 }; /* no answer is longer */

/**
 * Answer a Binding request, in as few bytes as there can be: 32 over IPv4, 44 over IPv6; FINGERPRINT (8 more) only when the
 * request had one. With unknown comprehension-required attributes the answer is 420.
 *
 * out   holds THIRL_SERVER_BINDING_MAX
 * *n    the length, 0 = say nothing (an indication, a response, another method)
 */
thirl_error thirl_server_binding_answer(const thirl_stun_msg *in, const thirl_addr *from, uint8_t *out, size_t *n);
/** The 420 alone, for a request of any method. */
thirl_error thirl_server_binding_unknown(const thirl_stun_msg *in, uint8_t *out, size_t *n);

#endif
