/* SPDX-License-Identifier: MIT */
/*
 * What a STUN server says: how the asker is seen from here, where the answer comes from, or what of the request is not understood. RFC 8489
 * sections 6.3 and 14, RFC 5780 section 7. Bytes only; what is to be said is decided in discovery.h and probe.h.
 */
#ifndef THIRL_SERVER_BINDING_H
#define THIRL_SERVER_BINDING_H

#include "stun/msg.h"

enum {
  THIRL_SERVER_PADDING_MAX = 1500,                          /* bytes of PADDING in an answer */
  THIRL_SERVER_BINDING_PLAIN = 160,                         /* no answer without PADDING is longer */
  THIRL_SERVER_BINDING_MAX = THIRL_SERVER_PADDING_MAX + 172 /* no answer is longer */
};

/** Whom an answer is for. */
typedef struct thirl_server_binding_asker {
  uint16_t method;
  uint8_t tid[THIRL_STUN_TID_LEN];
  bool has_fingerprint; /* the answer gets one when the request had one */
} thirl_server_binding_asker;

/** What an answer says. No address, 0 and false: it does not. */
typedef struct thirl_server_binding {
  thirl_addr
      mapped; /* XOR-MAPPED-ADDRESS; and MAPPED-ADDRESS when there is an origin, so that who compares the two finds an ALG */
  thirl_addr origin;   /* RESPONSE-ORIGIN */
  thirl_addr other;    /* OTHER-ADDRESS */
  uint16_t other_port; /* THIRL_OTHER_PORT */
  bool has_probe;      /* THIRL_PROBE */
  thirl_error probe;
  size_t longest; /* PADDING up to THIRL_SERVER_PADDING_MAX, so that the answer is at most so long; 0: none */
} thirl_server_binding;

thirl_server_binding_asker thirl_server_binding_asker_of(const thirl_stun_msg *in);

/**
 * Success. 32 bytes over IPv4 and 44 over IPv6 when only mapped is said; 68 and 116 with origin and other; FINGERPRINT is 8 more.
 *
 * out   holds THIRL_SERVER_BINDING_MAX
 */
thirl_error thirl_server_binding_success(const thirl_server_binding_asker *to, const thirl_server_binding *what,
                                         uint8_t *out, size_t *n);
/** 420, for a request of any method: the unknown attributes of in, or only also when it is not 0. At most 72 bytes. */
thirl_error thirl_server_binding_unknown(const thirl_stun_msg *in, uint16_t also, uint8_t *out, size_t *n);
/** 400. */
thirl_error thirl_server_binding_refuse(const thirl_stun_msg *in, uint8_t *out, size_t *n);

#endif
