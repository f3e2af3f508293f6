/* SPDX-License-Identifier: MIT */
#include "ice/route.h"

#include <string.h>

#include "stun/msg.h"

thirl_error thirl_ice_route_parse(thirl_bytes packet, thirl_bytes *ours, thirl_bytes *theirs) {
  thirl_stun_msg m;
  thirl_bytes username;
  *ours = *theirs = (thirl_bytes){0};
  if (thirl_stun_msg_decode(packet, &m) != THIRL_OK) return THIRL_E_NOT_STUN;
  if (m.method != THIRL_STUN_METHOD_BINDING || m.cls != THIRL_STUN_REQUEST) return THIRL_E_NOT_FOUND;
  if (!thirl_stun_msg_find(&m, THIRL_STUN_ATTR_USERNAME, &username)) return THIRL_E_NOT_FOUND;
  const uint8_t *colon = username.n ? memchr(username.p, ':', username.n) : NULL;
  if (!colon) return THIRL_E_NOT_FOUND;
  *ours = THIRL_BYTES(username.p, (size_t)(colon - username.p));
  *theirs = THIRL_BYTES(colon + 1, username.n - ours->n - 1);
  return THIRL_OK;
}
