/* SPDX-License-Identifier: MIT */
/* STUN message to bytes, into the caller's memory, with a sticky error. Padding is zero. RFC 8489. */
#ifndef THIRL_STUN_WRITER_H
#define THIRL_STUN_WRITER_H

#include "stun/msg.h"

typedef struct thirl_stun_writer {
  uint8_t *buf;
  size_t n, cap;
  bool sealed; /* FINGERPRINT is written */
  /* The first one sticks: E_SPACE, E_RANGE, E_INVALID (no address), E_CRYPTO, E_STATE (something after FINGERPRINT). */
  thirl_error error;
} thirl_stun_writer;

void thirl_stun_writer_init(thirl_stun_writer *w, void *buf, size_t cap, thirl_stun_class cls, uint16_t method,
                            const uint8_t tid[THIRL_STUN_TID_LEN]);
void thirl_stun_writer_bytes(thirl_stun_writer *w, uint16_t type, thirl_bytes value);
void thirl_stun_writer_flag(thirl_stun_writer *w, uint16_t type);
/** Padded inside the value to 4, as RESPONSE-PORT. */
void thirl_stun_writer_u16(thirl_stun_writer *w, uint16_t type, uint16_t v);
void thirl_stun_writer_u32(thirl_stun_writer *w, uint16_t type, uint32_t v);
void thirl_stun_writer_u64(thirl_stun_writer *w, uint16_t type, uint64_t v);
void thirl_stun_writer_addr(thirl_stun_writer *w, uint16_t type, const thirl_addr *a);
void thirl_stun_writer_xor_addr(thirl_stun_writer *w, uint16_t type, const thirl_addr *a);
/** code 300..699, reason a literal of at most 127 characters (may be ""). */
void thirl_stun_writer_error(thirl_stun_writer *w, unsigned code, const char *reason);
/** UNKNOWN-ATTRIBUTES of a 420. */
void thirl_stun_writer_unknown(thirl_stun_writer *w, const uint16_t *types, size_t n);
/** MESSAGE-INTEGRITY (HMAC-SHA1) over what is there so far. RFC 8489 section 14.5. */
void thirl_stun_writer_integrity(thirl_stun_writer *w, thirl_bytes key);
/** MESSAGE-INTEGRITY-SHA256, full 32 bytes. Section 14.6. */
void thirl_stun_writer_integrity256(thirl_stun_writer *w, thirl_bytes key);
/** FINGERPRINT; must be last. Section 14.7. */
void thirl_stun_writer_fingerprint(thirl_stun_writer *w);
/** The finished message, a view of buf; the length field is right. Returns the sticky error. */
thirl_error thirl_stun_writer_finish(thirl_stun_writer *w, thirl_bytes *out);

#endif
