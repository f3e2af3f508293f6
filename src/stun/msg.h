/* SPDX-License-Identifier: MIT */
/* Bytes to STUN message: checked once, then read as views. RFC 8489. Writing is writer.h; keys are integrity.h. */
#ifndef THIRL_STUN_MSG_H
#define THIRL_STUN_MSG_H

#include "base/addr.h"
#include "base/bytes.h"
#include "stun/attr.h"

#define THIRL_STUN_COOKIE 0x2112a442u

enum {
  THIRL_STUN_HEADER_LEN = 20,
  THIRL_STUN_TID_LEN = 12,
  THIRL_STUN_UNKNOWN_MAX = 16, /* unknown comprehension-required attributes that are remembered */
  THIRL_STUN_MSG_MAX = 4096    /* the longest message that thirl writes or accepts on a stream */
};

typedef enum thirl_stun_class {
  THIRL_STUN_REQUEST = 0,
  THIRL_STUN_INDICATION = 1,
  THIRL_STUN_SUCCESS = 2,
  THIRL_STUN_ERROR = 3
} thirl_stun_class;

/** A decoded message: a view into the bytes it was decoded from. */
typedef struct thirl_stun_msg {
  thirl_bytes raw; /* the whole message */
  thirl_stun_class cls;
  uint16_t method;
  uint8_t tid[THIRL_STUN_TID_LEN];
  thirl_bytes attrs; /* the attributes up to, not including, the first integrity attribute or FINGERPRINT */
  size_t integrity_at, integrity256_at, fingerprint_at; /* offsets into raw, 0 = absent */
  uint16_t unknown[THIRL_STUN_UNKNOWN_MAX];
  size_t n_unknown; /* counts all, may pass the maximum */
} thirl_stun_msg;

typedef enum thirl_stun_kind {
  THIRL_STUN_KIND_OTHER,
  THIRL_STUN_KIND_STUN,
  THIRL_STUN_KIND_CHANNEL,
  THIRL_STUN_KIND_TLS
} thirl_stun_kind;

/** Which protocol the first bytes belong to (RFC 7983 section 7): STUN 0..3, TLS/DTLS 20..63, TURN channel 64..79. */
thirl_stun_kind thirl_stun_msg_kind(thirl_bytes in);

/**
 * Accept one datagram or one frame as a STUN message, or say why not. RFC 8489 sections 5, 6.3, 14.
 *
 * Checks everything that needs neither keys nor state: first two bits, cookie, length, that attributes fill it exactly, order of the
 * integrity attributes and FINGERPRINT (whose value is verified when present: a wrong one is E_MALFORMED). Attributes behind
 * MESSAGE-INTEGRITY other than -SHA256 and FINGERPRINT are ignored. Copies nothing. Unknown comprehension-required attributes are no
 * error here: they are listed, and the caller answers 420 or drops.
 *
 * E_NOT_STUN    another protocol's bytes
 * E_MALFORMED   claims to be STUN and lies about a length, an order or its fingerprint: count and drop
 */
thirl_error thirl_stun_msg_decode(thirl_bytes in, thirl_stun_msg *msg);

/** The first attribute of this type; false when absent. Repeated attributes: the first counts (RFC 8489 section 14). */
bool thirl_stun_msg_find(const thirl_stun_msg *m, uint16_t type, thirl_bytes *value);
bool thirl_stun_msg_has(const thirl_stun_msg *m, uint16_t type);
/** Walks every attribute of m->attrs: start with *at = 0; false at the end. */
bool thirl_stun_msg_next(const thirl_stun_msg *m, size_t *at, uint16_t *type, thirl_bytes *value);

/* Typed reads: E_NOT_FOUND when absent, E_MALFORMED when the length or content is wrong; *out zeroed then. */
/** RESPONSE-PORT: 2 bytes, or 2 and 2 of padding inside the length. */
thirl_error thirl_stun_msg_get_u16(const thirl_stun_msg *m, uint16_t type, uint16_t *out);
thirl_error thirl_stun_msg_get_u32(const thirl_stun_msg *m, uint16_t type, uint32_t *out);
thirl_error thirl_stun_msg_get_u64(const thirl_stun_msg *m, uint16_t type, uint64_t *out);
/** Exactly n bytes copied to out. */
thirl_error thirl_stun_msg_get_fixed(const thirl_stun_msg *m, uint16_t type, void *out, size_t n);
thirl_error thirl_stun_msg_get_addr(const thirl_stun_msg *m, uint16_t type, thirl_addr *out);
thirl_error thirl_stun_msg_get_xor_addr(const thirl_stun_msg *m, uint16_t type, thirl_addr *out);
/** code 300..699; *reason (may be NULL) is a view of UTF-8 that nobody has checked. */
thirl_error thirl_stun_msg_get_error(const thirl_stun_msg *m, unsigned *code, thirl_bytes *reason);

bool thirl_stun_msg_same_tid(const thirl_stun_msg *m, const uint8_t tid[THIRL_STUN_TID_LEN]);

#endif
