/* SPDX-License-Identifier: MIT */
#include "natbox/alg.h"

#include <string.h>

static size_t replace(thirl_bytes in, const thirl_addr *from, const thirl_addr *to, uint8_t *bytes, size_t n) {
  size_t len = thirl_addr_ip_len(from), found = 0;
  if (len == 0 || len != thirl_addr_ip_len(to) || thirl_addr_same_ip(from, to)) return 0;
  for (size_t i = 0; i + len <= in.n;) {
    if (memcmp(in.p + i, from->ip, len) != 0) {
      i++;
      continue;
    }
    if (bytes && i + len <= n) memcpy(bytes + i, to->ip, len);
    found++;
    i += len;
  }
  return found;
}

size_t thirl_natbox_alg_translate(const thirl_natbox_config *config, const thirl_natbox_packet *before,
                                  const thirl_natbox_packet *after, uint8_t *bytes, size_t n) {
  if (config->alg == THIRL_NATBOX_ALG_NONE || before->protocol != THIRL_NATBOX_UDP ||
      after->protocol != THIRL_NATBOX_UDP)
    return 0;
  return replace(before->payload, &before->src, &after->src, bytes, n) +
         replace(before->payload, &before->dst, &after->dst, bytes, n);
}
