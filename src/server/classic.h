/* SPDX-License-Identifier: MIT */
/*
 * Binding over UDP as RFC 3489 had it: no cookie, sixteen bytes of transaction id, addresses not XORed. Debian's `stun` and many a telephone
 * still speak it. Bytes only; what is to be said is decided in discovery.h.
 *
 * RESPONSE-ADDRESS (send the answer to whom I say) is among the unknown attributes: it made every server a reflector.
 */
#ifndef THIRL_SERVER_CLASSIC_H
#define THIRL_SERVER_CLASSIC_H

#include "server/binding.h"

enum { THIRL_SERVER_CLASSIC_TID_LEN = 16, THIRL_SERVER_CLASSIC_UNKNOWN_MAX = 8 };

typedef struct thirl_server_classic {
  uint8_t tid[THIRL_SERVER_CLASSIC_TID_LEN];
  bool has_change;
  uint32_t change;  /* CHANGE-REQUEST */
  size_t n_unknown; /* counts all, may pass the maximum */
  uint16_t unknown[THIRL_SERVER_CLASSIC_UNKNOWN_MAX];
} thirl_server_classic;

/** E_NOT_STUN: no Binding request of RFC 3489. E_MALFORMED: its attributes do not fill it, or CHANGE-REQUEST has a wrong length. */
thirl_error thirl_server_classic_decode(thirl_bytes in, thirl_server_classic *out);
/** MAPPED-ADDRESS, SOURCE-ADDRESS (origin) and CHANGED-ADDRESS (other), those that are set: at most 56 bytes over IPv4, 92 over IPv6. */
size_t thirl_server_classic_success(const thirl_server_classic *to, const thirl_server_binding *what,
                                    uint8_t out[THIRL_SERVER_BINDING_MAX]);
/** 420 with what was unknown. At most 48 bytes. */
size_t thirl_server_classic_unknown(const thirl_server_classic *to, uint8_t out[THIRL_SERVER_BINDING_MAX]);

#endif
