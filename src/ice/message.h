/* SPDX-License-Identifier: MIT */
/* The STUN messages of connectivity checks: values to bytes, and whether received ones prove anything. RFC 8445 7.1, 7.3. */
#ifndef THIRL_ICE_MESSAGE_H
#define THIRL_ICE_MESSAGE_H

#include "ice/agent.h"

/** Bytes into a->payload. E_CRYPTO, E_SPACE. */
thirl_error thirl_ice_message_build(thirl_ice *a, const thirl_ice_message *m, thirl_bytes *out);

typedef enum thirl_ice_verdict {
  THIRL_ICE_VERDICT_OK,
  THIRL_ICE_VERDICT_BAD_REQUEST,  /* answer 400: no USERNAME or no MESSAGE-INTEGRITY */
  THIRL_ICE_VERDICT_UNAUTHORIZED, /* answer 401 */
  THIRL_ICE_VERDICT_UNKNOWN       /* answer 420 */
} thirl_ice_verdict;

/** Does this request know our user name and password? RFC 8489 9.1.3. */
thirl_ice_verdict thirl_ice_message_judge_request(const thirl_ice *a, const thirl_stun_msg *m);
/** Was this response made with the peer's password? RFC 8489 9.1.4. */
bool thirl_ice_message_is_proven(const thirl_ice *a, const thirl_stun_msg *m);

#endif
